"""The emulated Twilio, driven by Twilio's own library over real HTTP."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from pytest_django.live_server_helper import LiveServer
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from sandbox.phones import core, gsm, twilio_base
from sandbox.phones import twilio_acts as acts
from sandbox.phones.acts import Cannot, Given, Upload, load
from sandbox.phones.models import Account, Line, Person, Told
from tests.sandbox.receiver import Receiver, receiving

OURS, ANA = "+15550002222", "+15550001111"
JPEG = Upload("cat.jpg", "image/jpeg", b"\xff\xd8cat")
pytestmark = pytest.mark.django_db(transaction=True)


class Here(TwilioHttpClient):
    """Twilio's own client, towards here."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def request(self, method: str, url: str, *args: Any, **more: Any) -> Any:
        return super().request(method, url.replace("https://api.twilio.com", self.base), *args, **more)


@pytest.fixture
def account(transactional_db: None, live_server: LiveServer) -> Account:
    account = acts.twilio.open_number(OURS, "Karvaan")
    account.settings["origin"] = live_server.url
    account.save()
    return account


@pytest.fixture
def ana(account: Account) -> Person:
    return acts.meet(account, "Ana", ANA)


@pytest.fixture
def client(account: Account, live_server: LiveServer) -> Client:
    here = Here(f"{live_server.url}/sandbox/phones/twilio")
    return Client(account.secrets["account_sid"], account.secrets["auth_token"], http_client=here)


def fields(receiver: Receiver, account: Account) -> list[dict[str, str]]:
    """What came, each signed so that Twilio's own validator takes it."""
    validator = RequestValidator(account.secrets["auth_token"])
    found = []
    for path, headers, body in receiver.came:
        form = dict(parse_qsl(body.decode(), keep_blank_values=True))
        assert validator.validate(receiver.url + path, form, headers["x-twilio-signature"])
        found.append(form)
    return found


def refused(code: int, status: int, call: Any, *args: Any, **more: Any) -> None:
    with pytest.raises(TwilioRestException) as caught:
        call(*args, **more)
    assert (caught.value.code, caught.value.status) == (code, status)


@pytest.mark.parametrize(
    ("url", "form", "signed"),
    [
        (
            "https://mycompany.com/myapp.php?foo=1&bar=2",
            {
                "CallSid": "CA1234567890ABCDE",
                "Digits": "1234",
                "From": "+14158675309",
                "To": "+18005551212",
                "Caller": "+14158675309",
            },
            "RSOYDt4T1cUTdK1PDd93/VVr8B8=",
        ),
        (
            "https://inbox.example.com/hooks/twilio/7",
            {
                "AccountSid": "AC00000000000000000000000000000001",
                "Body": "Hi there",
                "From": "+15550001111",
                "MessageSid": "SM00000000000000000000000000000001",
                "NumMedia": "0",
                "To": "+15550002222",
            },
            "Z+0LjTSriTdI3E7HwioLxub413M=",
        ),
    ],
)
def test_signatures_of_known_vectors(url: str, form: dict[str, str], signed: str) -> None:
    assert twilio_base.signature("12345", url, form) == signed


@pytest.mark.parametrize(
    ("text", "count"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2), ("ش" * 70, 1), ("ش" * 71, 2)],
)
def test_segments(text: str, count: int) -> None:
    assert gsm.segments(text) == count


def test_a_message_comes_signed_and_its_media_are_fetched(client: Client, account: Account, ana: Person) -> None:
    with receiving() as far:
        (number,) = client.incoming_phone_numbers.list(phone_number=OURS)
        assert number.phone_number == OURS
        assert client.incoming_phone_numbers(str(number.sid)).update(sms_url=f"{far.url}/sms?a=1").sms_url
        account.refresh_from_db()
        acts.text(account, ana, Given(text="Hi there", files=(JPEG,)))
        far.answers = [(200, {}, b"<Response><Message><Body>At once.</Body></Message></Response>")]
        core.push(account)
        (form,) = fields(far, account)
    assert (form["From"], form["To"], form["Body"], form["NumMedia"]) == (ANA, OURS, "Hi there", "1")
    url = form["MediaUrl0"]
    assert requests.get(url, timeout=5).status_code == 401
    owner = (account.secrets["account_sid"], account.secrets["auth_token"])
    found = requests.get(url, auth=owner, timeout=5)
    assert (found.content, found.headers["Content-Type"]) == (JPEG.content, form["MediaContentType0"])
    message = client.messages(form["MessageSid"]).fetch()
    assert (message.direction, message.status, message.num_media) == ("inbound", "received", "1")
    assert [one.content_type for one in message.media.list()] == ["image/jpeg"]
    core.push(account)
    assert [(one.text, one.state) for one in Line.objects.filter(ours=True)] == [("At once.", "delivered")]


def test_send_and_hear_of_it(client: Client, account: Account, ana: Person) -> None:
    with receiving() as far:
        far.files["/cat.jpg"] = ("image/jpeg", JPEG.content)
        far.files["/page"] = ("text/html", b"<p>")
        hook = f"{far.url}/status"
        sent = client.messages.create(
            to=ANA, from_=OURS, body="Yes", media_url=[f"{far.url}/cat.jpg"], status_callback=hook
        )
        assert (sent.status, sent.num_segments, sent.direction, sent.error_code) == (
            "queued",
            "1",
            "outbound-api",
            None,
        )
        core.push(account)
        assert [(one["MessageStatus"], one["MessageSid"]) for one in fields(far, account)] == [
            ("sent", sent.sid),
            ("delivered", sent.sid),
        ]
        assert client.messages(str(sent.sid)).fetch().status == "delivered"
        assert bytes(account.media.get().content) == JPEG.content

        far.came.clear()
        for path in ("no.jpg", "page"):
            client.messages.create(to=ANA, from_=OURS, media_url=[f"{far.url}/{path}"], status_callback=hook)
        acts.signal(account, ana, Given(choice="30005"))
        service = account.settings["messaging_service_sid"]
        accepted = client.messages.create(to=ANA, messaging_service_sid=service, body="x", status_callback=hook)
        assert accepted.status == "accepted"
        core.push(account)
        assert [(one["MessageStatus"], one.get("ErrorCode")) for one in fields(far, account)] == [
            ("failed", "30008"),
            ("failed", "12300"),
            ("sent", None),
            ("undelivered", "30005"),
        ]

        far.came.clear()
        acts.signal(account, ana, Given())
        acts.overtake(account)
        client.messages.create(to=ANA, from_=OURS, body="x", status_callback=hook)
        core.push(account)
        assert [one["MessageStatus"] for one in fields(far, account)] == ["delivered", "sent"]


def test_the_list_by_number_and_day(client: Client, account: Account, ana: Person) -> None:
    for number in range(5):
        acts.text(account, ana, Given(text=f"in {number}"))
    old = acts.text(account, ana, Given(text="old"))
    Line.objects.filter(pk=old.pk).update(at=datetime.now(UTC) - timedelta(days=3))
    client.messages.create(to=ANA, from_=OURS, body="out")
    today = date.today()
    inbound = client.messages.list(to=OURS, page_size=2)
    assert [one.body for one in inbound] == ["in 4", "in 3", "in 2", "in 1", "in 0", "old"]
    assert [one.body for one in client.messages.list(to=ANA)] == ["out"]
    assert len(client.messages.list(to=OURS, date_sent_after=today - timedelta(days=1))) == 5
    assert [one.body for one in client.messages.list(date_sent_before=today - timedelta(days=2))] == ["old"]
    assert len(client.messages.list(date_sent=today)) == 6


def test_stop_start_and_help(client: Client, account: Account, ana: Person) -> None:
    with receiving() as far:
        account.settings["sms_url"] = far.url + "/"
        account.save()
        for word in ("stop", "Stop.", "START", "help", "yes"):
            acts.text(account, ana, Given(text=word))
            if word == "Stop.":
                refused(21610, 400, client.messages.create, to=ANA, from_=OURS, body="x")
        core.push(account)
        assert [one.get("OptOutType") for one in fields(far, account)] == ["STOP", "STOP", "START", "HELP", None]
    replies = [one.text[:40] for one in Line.objects.filter(ours=True).order_by("pk")]
    assert replies == [acts.REPLIES[one][:40] for one in ("STOP", "START", "HELP")]
    assert client.messages.create(to=ANA, from_=OURS, body="x").sid


def test_what_it_refuses(client: Client, account: Account, ana: Person) -> None:
    create = client.messages.create
    refused(21211, 400, create, to="0300", from_=OURS, body="x")
    refused(21606, 400, create, to=ANA, from_="+15559999999", body="x")
    refused(21603, 400, create, to=ANA, body="x")
    refused(21602, 400, create, to=ANA, from_=OURS)
    refused(21617, 400, create, to=ANA, from_=OURS, body="x" * 1601)
    refused(21620, 400, create, to=ANA, from_=OURS, media_url=["cat.jpg"])
    refused(21623, 400, create, to=ANA, from_=OURS, media_url=["https://x.example/"] * 11)
    refused(20404, 404, client.messages("SM00000000000000000000000000000000").fetch)
    assert client.api.accounts(account.secrets["account_sid"]).fetch().status == "active"
    wrong = Client(account.secrets["account_sid"], "wrong", http_client=client.http_client)
    refused(20003, 401, wrong.messages.create, to=ANA, from_=OURS, body="x")
    with pytest.raises(Cannot):
        acts.meet(account, "Bo", "0300")

    faults = {one.name: one.fault for one in load()["sms"].troubles}
    account.faults = [faults["rate"], faults["revoked"]]
    account.save()
    refused(20429, 429, create, to=ANA, from_=OURS, body="x")
    refused(20003, 401, create, to=ANA, from_=OURS, body="x")
    assert not Line.objects.exists()


def test_what_is_not_taken_is_not_told_again(account: Account, ana: Person) -> None:
    with receiving() as far:
        account.settings["sms_url"] = far.url + "/"
        account.save()
        acts.text(account, ana, Given(text="one"))
        far.answers = [(500, {}, b"")]
        core.push(account)
        assert Told.objects.get().state == "gone"
    acts.text(account, ana, Given(text="two"))
    core.push(account)
    told = Told.objects.latest("pk")
    assert told.state == "waiting"
    Told.objects.update(next_at=told.at)
    core.push(account)
    assert (Told.objects.latest("pk").state, Told.objects.latest("pk").attempts) == ("gone", 2)
