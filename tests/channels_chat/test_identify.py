"""Who a visitor is: what the site vouches for, what somebody merely types, and what never joins two people."""

import hashlib
import hmac
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from channels_chat import deeds, doors, greeting, history, intake
from channels_chat.actions import identify, visitors
from channels_chat.models import Chat, ChatState, Visitor
from inbox import panel
from inbox.actions import customers, erasing, joining
from inbox.adapters import Party
from inbox.models import Agent, Channel, Customer, CustomerMerge, Event, Identity, Message, Role, Ticket

pytestmark = pytest.mark.django_db

SECRET = "a secret of the shop"


@pytest.fixture
def shop(db: None) -> Channel:
    channel = Channel(kind="chat", name="Shop", slug="shop")
    channel.secrets = {"identity_secret": SECRET}
    channel.save()
    return channel


def proof(user: str, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), user.encode(), hashlib.sha256).hexdigest()


def met(channel: Channel, **told: Any) -> Visitor:
    visitor, _key = visitors.meet(channel, told)
    return visitor


def says(visitor: Visitor, text: str = "Hello") -> Message:
    visitor.refresh_from_db()
    [took] = intake.take([intake.Said(visitor.channel, visitor, uuid4().hex, text)])
    assert took is not None
    visitor.refresh_from_db()
    return Message.objects.get(pk=took.message)


def vouched(visitor: Visitor, user: str, **told: Any) -> bool:
    return identify.identify(visitor, {"id": user, **told}, proof(user))


@pytest.mark.parametrize(
    ("user", "given"),
    [
        ({"id": "7"}, ""),
        ({"id": "7"}, proof("8")),  # replayed for somebody else
        ({"id": "7"}, proof("7", "another secret")),
        ({"id": "7"}, proof("7")[:-1]),
        ({"id": "7"}, "é" * 64),
        ({"id": "7"}, "\ud800"),
        ({}, proof("")),
        ({"id": ""}, proof("")),
        ({"id": None}, proof("None")),
        ({"id": True}, proof("True")),
        ({"id": ["7"]}, proof("7")),
        ({"id": {"id": "7"}}, proof("7")),
        ({"id": "x" * 10_240}, proof("x" * 10_240)),
        ({"id": 10**5000}, proof("7")),
        ({"id": "\ud800"}, proof("7")),
        ({"id": "7\n"}, proof("7\n")),
        ({"id": "7\x00"}, proof("7\x00")),
        ({"id": "аdmin"}, proof("admin")),
        ({"id": "7", "email": "a@b.example"}, proof("a@b.example")),
    ],
)
def test_a_wrong_proof_gives_nothing(shop: Channel, user: dict[str, Any], given: str) -> None:
    visitor = met(shop)
    assert identify.verify(shop, user, given) == ""
    assert not identify.identify(visitor, {**user, "name": "Mallory", "email": "m@b.example"}, given)
    visitor.refresh_from_db()
    assert (visitor.user, visitor.name, visitor.email, visitor.ended_at) == ("", "", "", None)


def test_without_a_secret_nobody_is_vouched_for(shop: Channel) -> None:
    shop.secrets = {}
    shop.save()
    assert identify.verify(shop, {"id": "7"}, proof("7", "")) == ""


def test_a_wrong_proof_is_counted_and_logged_once_a_minute_without_its_values(
    shop: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    for _try in range(5):
        identify.verify(shop, {"id": "the-id"}, "the-proof")
    said = [one.getMessage() for one in caplog.records if "wrong proof" in one.getMessage()]
    assert len(said) == 1
    assert "the-id" not in said[0] and "the-proof" not in said[0]
    assert identify.REFUSED.labels("shop")._value.get() >= 5


@pytest.mark.parametrize("user", ["7", "имя", "a b", "O'Neill; DROP TABLE", "<b>7</b>", "x" * 190])
def test_a_right_one_makes_a_verified_person(shop: Channel, user: str) -> None:
    visitor = met(shop)
    assert identify.identify(visitor, {"id": user}, proof(user).upper())
    message = says(visitor)
    found = Identity.objects.get(value=f"u:{user}")
    assert (found.customer, found.verified_how, found.scope) == (message.customer, "hmac", f"channel:{shop.pk}")


def test_a_number_is_its_digits(shop: Channel) -> None:
    assert identify.verify(shop, {"id": 7}, proof("7")) == "7"


def test_the_same_person_on_another_device_has_the_same_history(shop: Channel) -> None:
    first = met(shop)
    says(first, "Said before anybody knew me")
    assert vouched(first, "7", name="Ayesha", email="Ayesha@Shop.example")
    says(first, "Said at home")
    second, _key = visitors.meet(shop, {}, user="7")
    says(second, "Said on the way")
    assert {one.customer_id for one in (first, second)} == {first.customer_id}
    for one in (first, second):
        said = [message.text for message in history.of(one)]
        assert said == ["Said before anybody knew me", "Said at home", "Said on the way"]


def test_the_same_id_on_another_site_is_somebody_else(shop: Channel) -> None:
    other = Channel(kind="chat", name="Other", slug="other")
    other.secrets = {"identity_secret": "theirs"}
    other.save()
    first, _key = visitors.meet(shop, {}, user="7")
    second, _key = visitors.meet(other, {}, user="7")
    assert says(first).customer_id != says(second).customer_id


def test_who_was_anonymous_is_merged_into_who_they_turn_out_to_be(shop: Channel) -> None:
    known, _key = visitors.meet(shop, {}, user="7")
    says(known, "I am user 7")
    visitor = met(shop)
    identify.claim(visitor, {"email": "claimed@shop.example"})
    asked = says(visitor, "Not logged in yet")
    before = asked.customer
    assert vouched(visitor, "7")
    visitor.refresh_from_db()
    assert (visitor.customer_id, visitor.user) == (known.customer_id, "7")
    asked.refresh_from_db()
    assert asked.customer_id == known.customer_id
    merge = CustomerMerge.objects.get(source=before)
    assert merge.by is None
    joining.unmerge(merge.source, by=None)
    visitor.refresh_from_db()
    assert visitor.customer_id == before.pk  # reversible, with the browser


def test_two_who_are_known_for_certain_are_never_merged(shop: Channel) -> None:
    known, _key = visitors.meet(shop, {}, user="7")
    says(known)
    visitor = met(shop)
    says(visitor)
    assert visitor.customer is not None
    customers.add_identity(visitor.customer, Party("email", "proven@shop.example"), by=None, how="reply")
    assert not vouched(visitor, "7")
    visitor.refresh_from_db()
    assert visitor.ended_at is not None and visitor.user == ""
    assert not CustomerMerge.objects.exists()


def test_another_user_in_the_same_browser_starts_anew(shop: Channel) -> None:
    visitor = met(shop)
    assert vouched(visitor, "7", name="Ayesha")
    says(visitor)
    assert not vouched(visitor, "8", name="Bilal")
    visitor.refresh_from_db()
    assert visitor.ended_at is not None
    assert (visitor.user, visitor.name) == ("7", "Ayesha")
    assert not Identity.objects.filter(value="u:8").exists()
    assert not vouched(visitor, "7")  # ended is ended


def test_what_was_said_while_the_site_vouched_for_them_finds_them(shop: Channel) -> None:
    visitor = met(shop)
    said = intake.Said(shop, visitor, uuid4().hex, "On its way under the old name")
    assert vouched(visitor, "7")
    [took] = intake.take([said])
    assert took is not None
    owner = Identity.objects.active().get(value="u:7").customer_id
    assert owner == Message.objects.get(pk=took.message).customer_id
    visitor.refresh_from_db()
    assert [one.pk for one in history.of(visitor)] == [took.message]


def test_what_is_typed_is_a_claim(shop: Channel) -> None:
    owner = customers.create(by=None, name="Owner", identities=[Party("email", "ali@shop.example")])
    visitor = met(shop)
    says(visitor)
    assert visitor.customer.name.startswith("Visitor ")
    identify.claim(visitor, {"name": "  Ali \n Khan ", "email": "ALI@Shop.example", "phone": "+92 300 1234567"})
    visitor.refresh_from_db()
    assert (visitor.name, visitor.email, visitor.phone) == ("Ali Khan", "ali@shop.example", "+923001234567")
    claims = dict(
        Identity.objects.filter(customer=visitor.customer).exclude(kind="chat").values_list("value", "verified_at")
    )
    assert claims == {"ali@shop.example": None, "+923001234567": None}
    assert Customer.objects.get(pk=visitor.customer_id).name == "Ali Khan"
    assert visitor.customer_id != owner.pk


def test_agents_are_offered_the_merge(shop: Channel) -> None:
    sana = Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.ADMIN)
    owner = customers.create(by=None, name="Owner", identities=[Party("email", "ali@shop.example")])
    visitor = met(shop)
    identify.claim(visitor, {"email": "ali@shop.example"})
    ticket = Ticket.objects.get(pk=says(visitor).ticket_id)
    assert [row["customer"] for row in panel.read(sana, ticket)["same_address"]] == [owner.pk]


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "a@b.example\r\nBcc: all@b.example"},
        {"email": "a@b.example, b@b.example"},
        {"email": "<script>@b.example"},
        {"email": "x" * 400 + "@b.example"},
        {"email": ["a@b.example"]},
        {"phone": "call me"},
        {"phone": "+" + "9" * 2000},
        {"name": {"$ne": ""}},
        {"name": "x" * 5000},
        {"name": "\x00\u202e"},
    ],
)
def test_what_is_no_address_is_left_out(shop: Channel, fields: dict[str, Any]) -> None:
    visitor = met(shop)
    identify.claim(visitor, fields)
    visitor.refresh_from_db()
    assert (visitor.email, visitor.phone, visitor.name) == ("", "", "")


def test_a_name_stays_text(shop: Channel) -> None:
    visitor = met(shop)
    identify.claim(visitor, {"name": "<img src=x onerror=alert(1)>\r\nBcc: you"})
    says(visitor)
    assert visitor.customer.name == "<img src=x onerror=alert(1)> Bcc: you"


def test_the_first_message_makes_the_claims_in_a_few_queries(shop: Channel) -> None:
    visitor = met(shop, name="Ali", email="ali@shop.example", phone="+923001234567")
    ticket = Ticket.objects.get(pk=says(met(shop)).ticket_id)
    with CaptureQueriesContext(connection) as queries:
        identify.wrote(visitor, ticket)
    assert len(queries) <= 15
    with CaptureQueriesContext(connection) as queries:
        identify.wrote(visitor, ticket)
    assert len(queries) <= 4
    assert not any("ali@" in str(data) for data in Event.objects.values_list("data", flat=True))


# As the widget asks for it ------------------------------------------------------------------------------------------


def asked(**said: Any) -> dict[str, Any]:
    return {"visit": uuid4().hex, "url": "https://shop.example/", **said}


def door(shop: Channel) -> doors.Door:
    found = doors.find(shop.token)
    assert found is not None
    return found


def test_a_wrong_proof_is_told_to_the_page_that_comes_with_it(shop: Channel) -> None:
    told = greeting.greet(door(shop), asked(user={"id": "7", "name": "Mallory"}, hmac="0" * 64), "ur")
    no, welcome = told.frames
    assert (no["t"], no["why"], welcome["t"], welcome["known"]) == ("no", "user", "welcome", False)
    assert "تصدیق" in no["text"]
    assert not Visitor.objects.exists()


def test_logging_in_by_script_brings_the_history(shop: Channel) -> None:
    first, _key = visitors.meet(shop, {}, user="7")
    says(first, "Said at home")
    found = greeting.vouched(door(shop), 0, asked(t="user", user={"id": "7"}, hmac=proof("7")), "en")
    assert isinstance(found, greeting.Greeting) and found.visitor == first.pk
    key, welcome = found.frames
    assert key["t"] == "key" and [one["text"] for one in welcome["messages"]] == ["Said at home"]
    nobody = greeting.vouched(door(shop), 0, asked(t="user", user={"id": "8"}, hmac=proof("8")), "en")
    assert nobody is not None and (nobody.visitor, nobody.frames) == (0, [])  # until they write


def test_who_logged_out_has_their_history_when_they_are_back(shop: Channel) -> None:
    first, key = visitors.meet(shop, {}, user="7")
    says(first, "Said before")
    out = greeting.vouched(door(shop), first.pk, asked(t="user", user=None), "en")
    assert out is not None and [one["t"] for one in out.frames] == ["gone"]
    assert not greeting.greet(door(shop), asked(key=key), "en").visitor  # the browser has nothing more
    again = greeting.greet(door(shop), asked(user={"id": "7"}, hmac=proof("7")), "en")
    assert [one["text"] for one in again.frames[-1]["messages"]] == ["Said before"]


def comes(channel: Channel, **said: Any) -> greeting.Greeting:
    return greeting.greet(door(channel), asked(user={"id": "7"}, hmac=proof("7"), **said), "en")


def key_of(found: greeting.Met) -> str:
    return next(str(told["key"]) for told in found.frames if told["t"] == "key")


def logs_out(channel: Channel, visitor: int, key: str) -> None:
    greeting.vouched(door(channel), visitor, asked(t="user", user=None, key=key), "en")


def test_on_another_device_they_are_in_the_same_chat(shop: Channel) -> None:
    laptop, _key = visitors.meet(shop, {}, user="7")
    says(laptop, "Said at home")
    phone = comes(shop)
    assert phone.visitor == laptop.pk
    assert phone.frames[-1]["chat"]["state"] == "waiting"
    there = visitors.known(shop, key_of(phone))
    assert there == laptop
    says(laptop, "Said on the way")
    assert Chat.objects.count() == 1 and Visitor.objects.count() == 1


def test_whoever_writes_first_is_in_the_same_chat_too(shop: Channel) -> None:
    """Both pages were there before anybody wrote."""
    laptop, _key = visitors.meet(shop, {}, user="7")
    says(laptop)
    word = asked(t="say", user={"id": "7"}, hmac=proof("7"), visit="v" * 32, cid="c" * 32, text="On the phone")
    ready = deeds.prepare(door(shop), 0, "en", {**word, "from": "192.0.2.1", "site": {}}, [])
    assert (ready.visitor, ready.joined) == (laptop.pk, True)
    assert visitors.known(shop, ready.key) == laptop


def test_logging_out_on_one_device_leaves_the_other(shop: Channel) -> None:
    laptop, first = visitors.meet(shop, {}, user="7")
    says(laptop)
    second, third = key_of(comes(shop)), key_of(comes(shop))
    logs_out(shop, laptop.pk, second)
    assert [visitors.known(shop, one) for one in (first, second, third)] == [laptop, None, laptop]
    logs_out(shop, laptop.pk, first)
    assert [visitors.known(shop, one) for one in (first, second, third)] == [None, None, laptop]
    logs_out(shop, laptop.pk, third)
    assert visitors.known(shop, third) is None
    back = comes(shop)
    assert back.visitor == laptop.pk and back.frames[-1]["chat"]["state"] == "waiting"
    assert [visitors.known(shop, one) for one in (first, second, third)] == [None, None, None]


def test_somebody_else_on_one_device_ends_nothing_on_the_other(shop: Channel) -> None:
    laptop, first = visitors.meet(shop, {}, user="7")
    says(laptop)
    phone = key_of(comes(shop))
    other = asked(user={"id": "8"}, hmac=proof("8"), key=phone)
    assert [one["t"] for one in greeting.greet(door(shop), other, "en").frames] == ["gone", "welcome"]
    assert (visitors.known(shop, phone), visitors.known(shop, first)) == (None, laptop)


def test_a_browser_of_before_joins_the_chat_of_another(shop: Channel) -> None:
    """They wrote on the phone without logging in; now they are, and their chat is on the laptop."""
    laptop, _key = visitors.meet(shop, {}, user="7")
    says(laptop, "Said at home")
    phone, key = visitors.meet(shop, {})
    says(phone, "Said on the phone")
    Chat.objects.filter(visitor=phone).update(state=ChatState.ENDED)
    found = comes(shop, key=key)
    assert found.visitor == laptop.pk and visitors.known(shop, key) is None
    assert {one["text"] for one in found.frames[-1]["messages"]} == {"Said at home", "Said on the phone"}
    again = comes(shop, key=key_of(found))
    assert again.visitor == laptop.pk and [one["t"] for one in again.frames] == ["welcome"]


def test_browsers_that_were_not_here_for_longest_are_forgotten(shop: Channel) -> None:
    laptop, first = visitors.meet(shop, {}, user="7")
    says(laptop)
    keys = [visitors.join(laptop) for _one in range(visitors.MOST_KEYS + 3)]
    known = [one for one in keys if visitors.known(shop, one)]
    assert known == keys[3:] and visitors.known(shop, first) == laptop


def test_an_erased_person_has_no_key_left(shop: Channel, sana: Agent) -> None:
    laptop, _first = visitors.meet(shop, {}, user="7")
    says(laptop)
    phone = key_of(comes(shop))
    assert laptop.customer is not None
    with transaction.atomic():
        erasing.erase(laptop.customer, by=sana)
    assert visitors.known(shop, phone) is None
    assert not comes(shop).visitor
