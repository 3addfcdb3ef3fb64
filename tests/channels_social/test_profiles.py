"""Names and pictures of people on their platforms: taken in once they write, refreshed, kept where nothing is told."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from channels_social import profiles
from channels_social.tasks import fetch_profiles
from inbox import wake
from inbox.actions import customers, pictures
from inbox.models import Agent, Channel, Customer, Identity, Message, Picture
from sandbox.phones import chats, core, faces, messenger, telegram_acts
from sandbox.phones.acts import Given
from sandbox.phones.models import Account, Call, Person
from sandbox.phones.telegram_base import open_bot
from tests.channels_social import api, meta, test_telegram

Woken = list[list[int]]


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> Woken:
    """What workers are told to look up."""
    found: Woken = []

    def run(task: str, args: list[int], queue: str) -> None:
        if task == "channels_social.tasks.profiles":
            found.append(args)

    monkeypatch.setattr(wake, "run", run)
    return found


@pytest.fixture
def bot(platforms: str) -> Account:
    return open_bot("Shop", "shop_bot")


@pytest.fixture
def telegram(platforms: str, bot: Account) -> Channel:
    return test_telegram.connect(platforms, bot)


def says(channel: Channel, bot: Account, who: Person, text: str = "Hello") -> Customer:
    telegram_acts.text(bot, who, Given(text=text))
    return test_telegram.taken_in(channel).customer


def work(woken: Woken) -> int:
    """What the workers do then."""
    found = sum(fetch_profiles(*args) for args in woken)
    woken.clear()
    return found


def calls(account: Account, method: str) -> int:
    return Call.objects.filter(account=account, method__icontains=method).count()


def a_week_later() -> None:
    Picture.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def fetched(customer: Customer) -> bytes:
    customer.refresh_from_db()
    return default_storage.open(customer.picture).read() if customer.picture else b""


@pytest.mark.servers
def test_a_picture_is_taken_in_refreshed_and_kept(telegram: Channel, bot: Account, woken: Woken) -> None:
    ana = faces.give(telegram_acts.meet(bot, "Ana Silva"))
    customer = says(telegram, bot, ana)
    assert work(woken) == 1
    assert fetched(customer) == faces.draw("Ana Silva")
    first = customer.picture
    says(telegram, bot, ana, "Are you there?")
    assert woken == [] and calls(bot, "getUserProfilePhotos") == 1  # once a week is enough
    faces.wear(ana, faces.draw("Somebody else"), "image/png")
    a_week_later()
    with core.changing(bot) as row:
        row.faults = [{"method": "getUserProfilePhotos", "status": 502, "body": {}}]
    says(telegram, bot, ana, "Hello?")
    assert work(woken) == 0 and fetched(customer) == faces.draw("Ana Silva")
    says(telegram, bot, ana, "Hello??")
    assert woken == []  # not again within the hour
    a_week_later()
    says(telegram, bot, ana, "Thanks")
    assert work(woken) == 1 and fetched(customer) == faces.draw("Somebody else")
    assert not default_storage.exists(first)
    a_week_later()
    ana.attributes = {}  # hidden, or taken away
    ana.save()
    says(telegram, bot, ana, "Bye")
    second = customer.picture
    assert work(woken) == 1 and fetched(customer) == b"" and not default_storage.exists(second)


@pytest.mark.servers
def test_one_who_is_refused_or_slow_keeps_no_other_waiting(
    telegram: Channel, bot: Account, woken: Woken, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [faces.give(telegram_acts.meet(bot, name)) for name in ("Ana", "Bo", "Cem")]
    for person in people:
        telegram_acts.text(bot, person, Given(text="Hello"))
    test_telegram.taken_in(telegram)
    told = {"ok": False, "error_code": 400, "description": "Bad Request: user not found"}
    with core.changing(bot) as row:
        row.faults = [{"method": "getUserProfilePhotos", "status": 400, "body": told}]
    [args] = woken
    woken.clear()
    clock = iter(range(0, 1000, 9))
    monkeypatch.setattr("channels_social.profiles.time", SimpleNamespace(monotonic=lambda: next(clock)))
    assert fetch_profiles(*args) == 1  # Ana is refused, Bo has one, and then time is up
    assert woken == [[telegram.pk, args[3]]]
    assert work(woken) == 1
    assert [bool(one.picture) for one in Customer.objects.order_by("pk")] == [False, True, True]


@pytest.mark.servers
def test_a_name_that_changes_follows_unless_one_of_us_wrote_it(
    telegram: Channel, bot: Account, sana: Agent, woken: Woken
) -> None:
    ana, bo = telegram_acts.meet(bot, "Ana Silva"), telegram_acts.meet(bot, "Bo")
    one, two = says(telegram, bot, ana), says(telegram, bot, bo)
    customers.update(two, by=sana, name="Bo Berg, Lisbon shop")
    for person, name in ((ana, "Ana Silva Reis"), (bo, "Bobo")):
        person.name = name
        person.save()
        says(telegram, bot, person, "New name")
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.name, two.name) == ("Ana Silva Reis", "Bo Berg, Lisbon shop")
    assert set(Identity.objects.values_list("name", flat=True)) == {"Ana Silva Reis", "Bobo"}


@pytest.fixture
def page(platforms: str, live_server: LiveServer) -> tuple[Channel, Account]:
    account = meta.open_account("facebook", platforms)
    channel = meta.connect(platforms, account)
    meta.subscribe(channel, account, live_server.url)
    return channel, account


@pytest.mark.servers
def test_meta_is_asked_for_name_and_picture_once_a_week(
    page: tuple[Channel, Account], sana: Agent, woken: Woken
) -> None:
    channel, account = page
    ana = faces.give(messenger.meet(account, "Ana Silva"))
    messenger.text(account, ana, "Do you ship?")
    customer = meta.taken_in(account).customer
    assert work(woken) == 1
    assert (fetched(customer), customer.name) == (faces.draw("Ana Silva"), "Ana Silva")
    messenger.text(account, ana, "Hello?")
    meta.taken_in(account)
    assert woken == []
    ana.name = "Ana Reis"
    ana.save()
    a_week_later()
    messenger.text(account, ana, "Still there?")
    meta.taken_in(account)
    assert work(woken) == 1
    customer.refresh_from_db()
    assert (customer.name, Message.objects.earliest("pk").author_name) == ("Ana Reis", "Ana Silva")
    customers.update(customer, by=sana, name="Mrs Reis")
    chats.remember(ana, hides_profile=True)
    a_week_later()
    assert profiles.fetch(channel.pk, [Identity.objects.get().pk]) == 0
    assert (fetched(customer), customer.name) == (faces.draw("Ana Silva"), "Mrs Reis")


# Software of one's own says where pictures are ------------------------------------------------------------------------


def came(channel: Channel, identifier: str, **who: Any) -> Identity:
    event = api.said(identifier) | {"from": {"id": "ali", "name": "Ali", **who}}
    api.take(channel, event, call=identifier)
    return Identity.objects.get(kind="api", value="ali")


@pytest.mark.servers
def test_software_says_where_a_picture_is(
    platforms: str, woken: Woken, page: tuple[Channel, Account], settings: Settings
) -> None:
    channel = api.connect()
    host = messenger.meet(page[1], "Ali Raza")
    faces.give(host)
    place = faces.url_of(host) or ""
    identity = came(channel, "r1", picture=place)
    assert work(woken) == 1 and fetched(identity.customer) == faces.draw("Ali Raza")
    came(channel, "r2", picture=place)
    came(channel, "r3")
    assert woken == []
    came(channel, "r4", picture=f"{place}&size=2")  # another place: at once
    assert len(woken) == 1
    settings.ALLOW_PRIVATE_NETWORKS = False
    before = calls(page[1], "GET download")
    assert work(woken) == 0
    assert calls(page[1], "GET download") == before  # nobody was asked: the address leads inside
    assert fetched(identity.customer) == faces.draw("Ali Raza")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n",  # cut off
        faces.draw("Ana")[:16] + b"\x00\x01\x00\x00" * 2 + faces.draw("Ana")[24:],  # unfolds to gigabytes
        faces.draw("Ana") + b"\0" * pictures.MOST_BYTES,
    ],
)
def test_what_is_no_small_picture_is_left_out(content: bytes) -> None:
    customer = customers.create(by=None, name="Ana")
    identity = Identity.objects.create(customer=customer, kind="telegram", value="7", verified_at=timezone.now())
    assert pictures.take(identity, faces.draw("Ana"))
    assert not pictures.take(identity, content)
    assert fetched(customer) == faces.draw("Ana")


@pytest.mark.servers
def test_a_picture_is_read_no_further_than_one_is_kept(
    telegram: Channel, bot: Account, woken: Woken, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However large the platform's file is, a worker's memory holds no more of it than is looked at."""
    ana = faces.give(telegram_acts.meet(bot, "Ana Silva"))
    monkeypatch.setattr(pictures, "is_fit", lambda _content: True)
    monkeypatch.setattr(pictures, "MOST_BYTES", len(faces.draw("Ana Silva")) - 1)
    customer = says(telegram, bot, ana)
    assert work(woken) == 0 and fetched(customer) == b""
    monkeypatch.setattr(pictures, "MOST_BYTES", len(faces.draw("Ana Silva")))
    a_week_later()
    says(telegram, bot, ana, "Hello?")
    assert work(woken) == 1 and fetched(customer) == faces.draw("Ana Silva")


@pytest.mark.django_db
def test_what_somebody_says_of_themselves_is_a_claim(woken: Woken) -> None:
    channel = api.connect()
    identity = came(channel, "r1", email="Ali@Example.com ")
    came(channel, "r2", email="no address")
    claims = Identity.objects.filter(customer=identity.customer, verified_at=None)
    assert list(claims.values_list("kind", "value")) == [("email", "ali@example.com")]


@pytest.mark.servers
def test_a_number_shared_on_telegram_is_a_claim_of_its_own_holder(
    telegram: Channel, bot: Account, woken: Woken
) -> None:
    ana = telegram_acts.meet(bot, "Ana Silva", "+351910000001")
    telegram_acts.contact(bot, ana, Given())
    customer = test_telegram.taken_in(telegram).customer
    claim = Identity.objects.get(customer=customer, kind="phone")
    assert (claim.value, claim.verified) == ("+351910000001", False)


@pytest.mark.django_db
def test_what_stood_in_for_a_name_gives_way_to_it(woken: Woken) -> None:
    """As a number does that wrote by SMS, which brings no name, once it writes by WhatsApp."""
    channel = api.connect()
    assert came(channel, "r1", name="").customer.name == "ali"
    assert came(channel, "r2", name="Ali Raza").customer.name == "Ali Raza"
