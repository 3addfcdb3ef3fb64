"""SMS and MMS, against the emulated Twilio: what comes, what goes, what is refused, what was missed."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from django.core.signing import TimestampSigner
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer
from twilio.request_validator import RequestValidator

from channels_social import public, signatures
from channels_social.checks import hook_url
from channels_social.sms import api, parsing, tending
from inbox import counting, delivery, fetching
from inbox.actions import messages, receive, reply, uploads
from inbox.adapters import DeliveryUpdate, Ignore, Inbound, Party, RawReceipt, ReachUpdate, Unverified, adapter_for
from inbox.counting import Limit
from inbox.models import Agent, Attachment, Channel, Message, Reach, Receipt, RemoteFile, Ticket
from sandbox.phones import core, twilio_acts, twilio_base
from sandbox.phones.acts import Given, Upload
from sandbox.phones.models import Account, Line, Media, Person
from tests.adapter_contract import AdapterContract
from tests.channels_social.conftest import port_of

OURS, ANA = "+15550002222", "+15550001111"
SID, TOKEN = "AC" + "1" * 32, "0123456789abcdef0123456789abcdef"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
NOW = timezone.now()


def connect(base: str, account: Account, **settings: Any) -> Channel:
    channel = Channel(kind="sms", slug="sms", name="Shop SMS")
    sid = account.secrets["account_sid"]
    channel.settings = {"account_sid": sid, "number": OURS, "api_url": f"{base}/twilio", **settings}
    channel.secrets = {"auth_token": account.secrets["auth_token"]}
    channel.save()
    return channel


@pytest.fixture
def account(platforms: str, live_server: LiveServer) -> Account:
    found = twilio_base.open_number(OURS, "Shop", sid=SID, token=TOKEN)
    found.settings["origin"] = live_server.url
    found.save()
    return found


@pytest.fixture
def channel(platforms: str, account: Account) -> Channel:
    """Connected, and looked after once: Twilio tells us from now on."""
    channel = connect(platforms, account)
    look_after(channel)
    account.refresh_from_db()
    return channel


@pytest.fixture
def ana(account: Account) -> Person:
    return twilio_acts.meet(account, "Ana Silva", ANA)


def look_after(channel: Channel) -> dict[str, Any]:
    """As it is done now and then."""
    channel.refresh_from_db()
    found = adapter_for("sms").tend(channel)
    channel.condition = {**channel.condition, **found}
    channel.save(update_fields=["condition"])
    return found


def taken_in(account: Account) -> Ticket:
    """Twilio tells what it has to tell; the newest ticket."""
    core.push(account)
    receive.take_in_waiting()
    assert not Receipt.objects.filter(state="failed").values_list("reason", flat=True)
    return Ticket.objects.latest("pk")


def fail(account: Account, **fault: Any) -> None:
    """What Twilio answers next in place of taking a message."""
    account.refresh_from_db()
    account.faults = [{"method": "POST Messages", **fault}]
    account.save()


def told(code: int) -> dict[str, Any]:
    return {"code": code, "message": "No.", "more_info": "https://www.twilio.com/docs", "status": 400}


@pytest.mark.servers
class TestContract(AdapterContract):
    kind = "sms"
    good_settings: ClassVar[dict[str, Any]] = {"account_sid": SID, "auth_token": TOKEN, "number": "+1 (555) 000-2222"}
    people: ClassVar[dict[str, str]] = {"ali": "+15550005551", "carol": "+15550005552"}

    @pytest.fixture(autouse=True)
    def _server(self, platforms: str, live_server: LiveServer, account: Account) -> None:
        self.base = platforms
        self.live_server = live_server
        self.account = account
        self.numbers = iter(range(1, 1000))

    def make_channel(self, port: int) -> Channel:
        url = f"http://127.0.0.1:{port or 1}/sandbox/phones/twilio"
        return connect(self.base, self.account, api_url=url)

    def utterance(self, text: str, *, sender: str = "ali", answers: Message | None = None) -> RawReceipt:
        sid = f"SM{next(self.numbers):032x}"
        form = {"MessageSid": sid, "AccountSid": SID, "From": self.people[sender], "To": OURS, "Body": text}
        return RawReceipt(urlencode({**form, "NumMedia": "0", "SmsStatus": "received"}).encode(), f"message:{sid}")

    def garbage(self) -> RawReceipt:
        return RawReceipt(b'{"sid": "\xff', "garbage")

    @contextlib.contextmanager
    def far_side(self, answer: str) -> Iterator[Any]:
        if answer != "accept":
            status = 400 if answer == "refuse" else 502
            fail(self.account, status=status, body=told(21617) if answer == "refuse" else {})
        yield SimpleNamespace(port=port_of(self.live_server.url))


# Settings --------------------------------------------------------------------------------------------------------


def test_settings(db: None) -> None:
    adapter = adapter_for("sms")
    good = TestContract.good_settings
    form = adapter.settings_form(good)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["number"] == OURS
    for wrong, field in (
        ({**good, "number": "0300 1234567"}, "number"),
        ({**good, "number": ""}, "number"),
        ({**good, "account_sid": "AC1"}, "account_sid"),
        ({**good, "account_sid": ""}, "account_sid"),
        ({**good, "auth_token": ""}, "auth_token"),
        ({**good, "api_key_sid": "SK" + "2" * 32}, "api_key_secret"),
        ({**good, "api_key_secret": "x"}, "api_key_sid"),
        ({**good, "api_url": "ftp://x"}, "api_url"),
    ):
        assert field in adapter.settings_form(wrong).errors, wrong
    service = {**good, "number": "", "messaging_service_sid": "MG" + "3" * 32}
    assert adapter.settings_form(service).is_valid()


def test_a_secret_stays_with_its_account() -> None:
    keeps = adapter_for("sms").keeps_secret
    old = {"account_sid": SID, "number": OURS, "api_key_sid": "SK1"}
    assert keeps("auth_token", old, {**old, "number": ANA})
    assert keeps("auth_token", old, {**old, "api_key_sid": "SK2"})
    assert not keeps("api_key_secret", old, {**old, "api_key_sid": "SK2"})
    assert not keeps("auth_token", old, {**old, "account_sid": "AC" + "2" * 32})
    assert not keeps("auth_token", old, {**old, "api_url": "https://elsewhere.example"})


# Signatures ------------------------------------------------------------------------------------------------------

FORM = "application/x-www-form-urlencoded"
SDK = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
HI = (
    "AccountSid=AC00000000000000000000000000000001&Body=Hi+there&From=%2B15550001111"
    "&MessageSid=SM00000000000000000000000000000001&NumMedia=0&To=%2B15550002222"
)
DIGEST = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
VECTORS = [
    ("https://mycompany.com/myapp.php?foo=1&bar=2", SDK, FORM, "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ("https://inbox.example.com/hooks/twilio/7", HI, FORM, "Z+0LjTSriTdI3E7HwioLxub413M="),
    (f"https://inbox.example.com/hooks/twilio/7?bodySHA256={DIGEST}", '{"a":1}', "application/json",
     "oi/AHMq5ByIK4vWyDoBtSVoL3VI="),
]  # fmt: skip


@pytest.mark.parametrize(("url", "body", "kind", "signed"), VECTORS)
def test_known_signatures(url: str, body: str, kind: str, signed: str) -> None:
    signatures.twilio_call("12345", url, body.encode(), kind, signed)
    for wrong in (
        ("54321", url, body, kind, signed),
        ("", url, body, kind, signed),
        ("12345", url + "x", body, kind, signed),
        ("12345", url, body + "2", kind, signed),
        ("12345", url, body, kind, signed[:-2] + "A="),
        ("12345", url, body, kind, ""),
        ("12345", url, body, kind, "é" * 28),
    ):
        token, where, what, how, given = wrong
        with pytest.raises(Unverified):
            signatures.twilio_call(token, where, what.encode(), how, given)


def test_json_without_its_digest_and_forms_without_end_are_not_theirs() -> None:
    url = "https://inbox.example.com/hooks/twilio/7"
    with pytest.raises(Unverified):
        signatures.twilio_call("12345", url, b"{}", "application/json", signatures.twilio("12345", url, []))
    with pytest.raises(Unverified):
        signatures.twilio_call("12345", url, b"&".join([b"a=1"] * 600), FORM, "x" * 28)


@pytest.mark.parametrize("host", ["inbox.example.com", "inbox.example.com:443", "inbox.example.com:8443"])
def test_twilios_own_library_agrees_on_ports_and_repeated_names(host: str) -> None:
    from django.http import QueryDict

    url, body = f"https://{host}/hooks/sms/t/?message=7", "Body=%D8%B4+x&Body=a&A=&B=%2B1"
    validator = RequestValidator("12345")
    fields = QueryDict(body)
    for signed_url in (url, url.replace(":443", "").replace(":8443", "")):
        signed = validator.compute_signature(signed_url, fields)
        signatures.twilio_call("12345", url, body.encode(), FORM, signed)
    ours = signatures.twilio("12345", url, [("Body", "ش x"), ("Body", "a"), ("A", ""), ("B", "+1")])
    assert validator.validate(url, fields, ours)


def call(channel: Channel, form: dict[str, str], query: str = "", token: str = TOKEN, **headers: str) -> Any:
    """A signed call, to our test's own client."""
    url = hook_url(channel) + query
    signed = signatures.twilio(token, url, form.items())
    path = url.partition("/hooks/")
    return Client(headers={"X-Twilio-Signature": signed, **headers}).post(
        f"/hooks/{path[2]}", urlencode(form), content_type=FORM
    )


def said(sid: str, text: str, **more: str) -> dict[str, str]:
    form = {"MessageSid": sid, "AccountSid": SID, "From": ANA, "To": OURS, "Body": text, "NumMedia": "0"}
    return {**form, "SmsStatus": "received", **more}


@pytest.fixture
def hooked(db: None, settings: Settings) -> Channel:
    """A channel of which only webhooks come."""
    settings.BASE_URL = "https://inbox.example.com"
    channel = Channel(kind="sms", slug="sms", name="SMS", settings={"account_sid": SID, "number": OURS})
    channel.secrets = {"auth_token": TOKEN}
    channel.save()
    return channel


def test_webhooks_are_answered_once_proven_and_stored_once(hooked: Channel) -> None:
    """Behind a proxy, which calls us by another name, the signature is that of the address known outside."""
    form = said("SM1", "Hello")
    for _again in range(3):
        answer = call(hooked, form)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
        assert answer.content.endswith(b"<Response/>")
    state = {"MessageSid": "SM2", "MessageStatus": "sent", "From": OURS, "To": ANA}
    assert call(hooked, state).status_code == 204
    assert list(Receipt.objects.order_by("pk").values_list("external_id", flat=True)) == [
        "message:SM1", "status:SM2:sent"
    ]  # fmt: skip
    assert call(hooked, form, token="wrong").status_code == 403
    unsigned = Client().post(urlsplit(hook_url(hooked)).path, urlencode(said("SM3", "x")), content_type=FORM)
    assert unsigned.status_code == 403
    other = Client(headers={"X-Twilio-Signature": signatures.twilio(TOKEN, hook_url(hooked), form.items())})
    changed = urlencode({**form, "MessageSid": "SM4"})
    assert other.post(urlsplit(hook_url(hooked)).path, changed, content_type=FORM).status_code == 403
    assert Receipt.objects.count() == 2


def test_webhooks_as_json(hooked: Channel) -> None:
    body = json.dumps(said("SM1", "By JSON"))
    query = f"?bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    signed = signatures.twilio(TOKEN, hook_url(hooked) + query, [])
    there = urlsplit(hook_url(hooked)).path + query
    client = Client(headers={"X-Twilio-Signature": signed})
    assert client.post(there, body.replace("By", "No"), content_type="application/json").status_code == 403
    assert client.post(there, body, content_type="application/json").status_code == 200
    receive.take_in_waiting()
    assert Message.objects.get().text == "By JSON"


def test_what_is_no_message_is_kept_and_left_out(hooked: Channel) -> None:
    call(hooked, {"CallSid": "CA1", "AccountSid": SID, "From": ANA, "To": OURS, "CallStatus": "ringing"})
    call(hooked, said("SM1", "x", From=f"whatsapp:{ANA}"))
    call(hooked, {"MessageSid": "SM2", "MessageStatus": "scheduled", "To": ANA})
    receive.take_in_waiting()
    assert list(Receipt.objects.values_list("state", flat=True)) == ["ignored"] * 3
    assert not Message.objects.exists()


# Parsing ---------------------------------------------------------------------------------------------------------


def parsed(form: dict[str, str], message: int = 0) -> list[Any]:
    return list(parsing.parse(urlencode(form).encode(), "channel:1", NOW, message))


@pytest.mark.parametrize(
    ("text", "told", "asks"),
    [
        ("STOP", "STOP", "STOP"), ("stop.", "", "STOP"), ("Unsubscribe", "", "STOP"), ("END", "", "STOP"),
        ("quit", "", "STOP"), ("Cancel!", "", "STOP"), ("STOPALL", "", "STOP"), ("Start", "", "START"),
        (" yes ", "", "START"), ("UNSTOP", "", "START"), ("help", "", "HELP"), ("Arrêt", "STOP", "STOP"),
        ("Please stop", "", ""), ("Yes, please", "", ""), ("", "", ""), ("x", "NONSENSE", ""),
    ],
)  # fmt: skip
def test_words_that_are_a_request(text: str, told: str, asks: str) -> None:
    assert parsing.request(text, told) == asks


def test_a_request_is_both_a_message_and_news_of_its_writer() -> None:
    first, second = parsed(said("SM1", "STOP", OptOutType="STOP"))
    assert isinstance(first, Inbound)
    assert (first.key, first.sender.value, first.text, first.suppress_auto_reply) == ("SM1", ANA, "STOP", True)
    ana = Party("phone", ANA)
    assert second == ReachUpdate(ana, NOW, opted_out=True)
    assert parsed(said("SM1", "START"))[1] == ReachUpdate(ana, NOW, blocked=False, opted_out=False)
    assert len(parsed(said("SM1", "HELP"))) == len(parsed(said("SM1", "Hello"))) == 1


def test_media_and_what_claims_to_be_some() -> None:
    (one,) = parsed(
        said(
            "MM1",
            "Look",
            NumMedia="3",
            MediaUrl0="https://x/ME1",
            MediaContentType0="image/jpeg",
            MediaUrl2="https://x/3",
        )
    )
    assert [dict(file.ref)["url"] for file in one.remote] == ["https://x/ME1", "https://x/3"]
    assert (one.content_kind, one.text) == ("image", "Look")
    (card,) = parsed(said("MM2", "", NumMedia="1", MediaUrl0="https://x/1", MediaContentType0="text/vcard"))
    assert card.content_kind == "file"
    (many,) = parsed(said("MM3", "", NumMedia="999999", MediaUrl0="https://x/1"))
    assert len(many.remote) == 1


@pytest.mark.parametrize(
    ("status", "code", "state", "fault", "reach"),
    [
        ("queued", "", "sent", "", 0), ("sending", "", "sent", "", 0), ("sent", "", "sent", "", 0),
        ("delivered", "", "delivered", "", 0), ("read", "", "read", "", 0), ("canceled", "", "failed", "", 0),
        ("failed", "", "failed", "", 0), ("undelivered", "30003", "failed", "", 0),
        ("undelivered", "30004", "failed", "blocked", 1), ("undelivered", "30005", "failed", "blocked", 1),
        ("undelivered", "30006", "failed", "blocked", 1), ("undelivered", "30007", "failed", "", 0),
        ("failed", "21610", "failed", "blocked", 1), ("undelivered", "30008", "failed", "", 0),
        ("failed", "30002", "failed", "auth", 0), ("undelivered", "30034", "failed", "auth", 0),
        ("undelivered", "99999", "failed", "", 0), ("failed", "12300", "failed", "", 0),
    ],
)  # fmt: skip
def test_what_states_mean(status: str, code: str, state: str, fault: str, reach: int) -> None:
    form = {"MessageSid": "SM3", "MessageStatus": status, "From": OURS, "To": ANA}
    update, *more = parsed({**form, "ErrorCode": code} if code else form, 7)
    assert isinstance(update, DeliveryUpdate)
    assert (update.external_id, update.state, update.fault, update.reference) == ("SM3", state, fault, 7)
    assert len(more) == reach
    assert (len(update.error) > 10) is (state == "failed")


def test_garbage() -> None:
    for raw in (b"", b"\xff\xfe", b"[1]", b"{}", b'{"sid": 1}', b"Body=x"):
        with contextlib.suppress(ValueError, Ignore):
            parsing.parse(raw, "channel:1", NOW)
            pytest.fail(f"{raw!r} was taken")


@pytest.mark.parametrize(
    ("status", "code", "fault", "permanent", "channel"),
    [
        (429, 20429, "rate", False, True), (429, 0, "rate", False, True), (400, 30001, "rate", False, True),
        (400, 63018, "rate", False, True), (400, 30008, "", False, False), (500, 20500, "", False, False),
        (503, 0, "", False, False), (401, 20003, "auth", False, True), (401, 0, "auth", False, True),
        (404, 20404, "auth", False, True), (403, 10001, "auth", False, True), (400, 30002, "auth", False, True),
        (400, 21606, "auth", False, True), (400, 30034, "auth", False, True), (400, 21608, "auth", True, False),
        (400, 21408, "auth", True, False), (400, 63016, "window", True, False), (400, 21610, "blocked", True, False),
        (400, 30003, "blocked", True, False), (400, 30004, "blocked", True, False),
        (400, 30005, "blocked", True, False), (400, 30006, "blocked", True, False),
        (400, 63024, "blocked", True, False), (400, 63032, "blocked", True, False), (400, 21211, "", True, False),
        (400, 21212, "", True, False), (400, 21612, "", True, False), (400, 21614, "", True, False),
        (400, 21617, "", True, False), (400, 21620, "", True, False), (400, 30007, "", True, False),
        (400, 63003, "", True, False), (400, 99999, "", True, False),
    ],
)  # fmt: skip
def test_what_refusals_mean(status: int, code: int, fault: str, permanent: bool, channel: bool) -> None:
    body = {"code": code, "message": "Said so", "status": status} if code else {}
    error = api.refusal(status, body)
    assert (error.fault, error.permanent, error.channel, error.unknown) == (fault, permanent, channel, False)
    assert len(str(error.reason)) > 10


@pytest.mark.parametrize(
    ("text", "count"), [("a" * 160, 1), ("a" * 161, 2), ("a" * 307, 3), ("€" * 80, 1), ("ش" * 70, 1), ("ش" * 71, 2)]
)
def test_segments(text: str, count: int) -> None:
    """How many SMS the networks make of one text, as the composer counts them; it arrives as one all the same."""
    limit = Limit(0, "sms")
    assert -(-counting.size(text, limit) // counting.room(text, limit)) == count


# Both ways -------------------------------------------------------------------------------------------------------


@pytest.mark.servers
def test_a_conversation_both_ways(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    twilio_acts.text(account, ana, Given(text="Is order 12 shipped?"))
    ticket = taken_in(account)
    assert ticket.preview == "Is order 12 shipped?"
    assert ticket.customer.identities.get().value == ANA
    assert not Line.objects.filter(ours=True).exists()  # our TwiML answered nothing
    message = reply.reply(ticket, by=sana, text="Yes, today.")
    assert delivery.deliver(channel.pk) == 1
    message.refresh_from_db()
    sent = Line.objects.get(ours=True)
    assert (sent.text, message.state, message.external_id) == ("Yes, today.", "sent", sent.external_id)
    taken_in(account)
    message.refresh_from_db()
    assert message.state == "delivered"
    twilio_acts.text(account, ana, Given(text="Thanks!"))
    assert taken_in(account) == ticket
    assert ticket.messages.count() == 3


@pytest.mark.usefixtures("queued_before")
@pytest.mark.servers
def test_pictures_both_ways(
    channel: Channel, account: Account, ana: Person, sana: Agent, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    twilio_acts.text(account, ana, Given(text="the damage", files=(Upload("door.png", "image/png", PNG),)))
    ticket = taken_in(account)
    assert RemoteFile.objects.count() == fetching.fetch_waiting() == 1
    assert Attachment.objects.get().content_type == "image/png"
    one = uploads.upload(by=sana, name="label.png", content_type="image/png", content=PNG)
    two = uploads.upload(by=sana, name="slip.pdf", content_type="application/pdf", content=b"%PDF-1.7")
    message = reply.reply(ticket, by=sana, text="Print these.", attachments=[one.pk, two.pk])
    assert delivery.deliver(channel.pk) == 1
    taken_in(account)
    message.refresh_from_db()
    assert (message.state, Line.objects.get(ours=True).kind) == ("delivered", "mms")
    assert [bytes(media.content) for media in Media.objects.order_by("pk")] == [PNG, PNG, b"%PDF-1.7"]
    assert json.loads(adapter_for("sms").raw(message)[0])["parts"] == [
        {"text": "Print these.", "files": ["label.png", "slip.pdf"]}
    ]
    # What is never carried is said at once; and where nobody can fetch it, too.
    for name, kind, size in (("a.zip", "application/zip", 10), ("b.png", "image/png", 5 * 1024 * 1024 + 1)):
        file = uploads.upload(by=sana, name=name, content_type=kind, content=PNG)
        Attachment.objects.filter(pk=file.pk).update(size=size)
        refused = reply.reply(ticket, by=sana, text="x", attachments=[file.pk])
        delivery.deliver(channel.pk)
        refused.refresh_from_db()
        assert refused.state == "failed"
        assert name in refused.error
    monkeypatch.setattr(public, "reachable", lambda: False)
    refused = reply.reply(
        ticket,
        by=sana,
        text="x",
        attachments=[uploads.upload(by=sana, name="c.png", content_type="image/png", content=PNG).pk],
    )
    delivery.deliver(channel.pk)
    refused.refresh_from_db()
    assert "BASE_URL" in refused.error
    assert Line.objects.filter(ours=True).count() == 1


@pytest.mark.servers
def test_media_without_our_log_in_and_from_elsewhere(
    channel: Channel, account: Account, ana: Person, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our log-in goes to Twilio alone; where it is turned away, the file may be there for all."""
    asked: list[dict[str, str] | None] = []

    def download(_session: Any, _url: str, **options: Any) -> tuple[int, bytes, str]:
        asked.append(options["headers"])
        return (401 if options["headers"] else 200), PNG, "image/png"

    monkeypatch.setattr("lib.http.download", download)
    twilio_acts.text(account, ana, Given(files=(Upload("door.png", "image/png", PNG),)))
    taken_in(account)
    assert fetching.fetch_waiting() == 1
    assert [bool(one) for one in asked] == [True, False]
    asked.clear()
    RemoteFile.objects.create(message=Message.objects.get(), ref={"url": "https://elsewhere.example/x"}, position=1)
    assert fetching.fetch_waiting() == 1
    assert asked == [None]


@pytest.mark.servers
def test_long_texts_leave_in_parts_once_each(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    text = "First. " + "a" * 1500 + ".\n\n" + "b" * 1500
    message = reply.reply(ticket, by=sana, text=text)
    assert delivery.deliver(channel.pk) == 1
    assert [len(one.text) for one in Line.objects.filter(ours=True).order_by("pk")] == [1508, 1500]
    taken_in(account)
    message.refresh_from_db()
    assert message.state == "delivered"


@pytest.mark.servers
def test_states_out_of_order(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    twilio_acts.overtake(account)
    message = reply.reply(ticket, by=sana, text="Hi")
    delivery.deliver(channel.pk)
    taken_in(account)
    message.refresh_from_db()
    assert message.state == "delivered"
    assert Receipt.objects.filter(external_id__startswith="status:").count() == 2


@pytest.mark.servers
def test_a_number_that_is_none_is_said_and_kept(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    twilio_acts.signal(account, ana, Given(choice="30003"))
    first = reply.reply(ticket, by=sana, text="Are you there?")
    delivery.deliver(channel.pk)
    taken_in(account)
    first.refresh_from_db()
    assert (first.state, first.error) == ("failed", str(api.WORDS[30003]))
    assert adapter_for("sms").may_reply(ticket, channel).allowed  # a phone can be turned on
    twilio_acts.signal(account, ana, Given(choice="30006"))
    second = reply.reply(ticket, by=sana, text="Hello?")
    delivery.deliver(channel.pk)
    taken_in(account)
    second.refresh_from_db()
    assert (second.state, second.error) == ("failed", str(api.WORDS[30006]))
    assert Reach.objects.get().blocked_at is not None
    assert not adapter_for("sms").may_reply(ticket, channel).allowed


@pytest.mark.servers
def test_stop_is_heeded_until_start(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    adapter = adapter_for("sms")
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    waiting = reply.reply(ticket, by=sana, text="Written before they stopped")
    twilio_acts.stop(account, ana, Given())
    taken_in(account)
    ticket.refresh_from_db()
    assert ticket.messages.order_by("-pk")[0].text == "STOP"  # agents see it
    ticket.customer.refresh_from_db()
    assert ticket.customer.opt_outs == ["sms"]
    assert not adapter.may_reply(ticket, channel).allowed
    delivery.deliver(channel.pk)  # what was on its way: Twilio refuses it
    waiting.refresh_from_db()
    assert (waiting.state, waiting.payload["fault"]) == ("failed", "blocked")
    twilio_acts.start(account, ana, Given())
    taken_in(account)
    ticket = Ticket.objects.get(pk=ticket.pk)
    assert adapter.may_reply(ticket, channel).allowed
    messages.retry(waiting, by=sana)
    assert delivery.deliver(channel.pk) == 1


@pytest.mark.servers
def test_whoever_stopped_unseen_is_found_out_by_sending(
    channel: Channel, account: Account, ana: Person, sana: Agent
) -> None:
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    Person.objects.update(blocked=True)
    message = reply.reply(ticket, by=sana, text="Hello?")
    delivery.deliver(channel.pk)
    message.refresh_from_db()
    assert (message.state, message.payload["fault"]) == ("failed", "blocked")
    reach = Reach.objects.get()
    assert reach.opted_out_at is not None
    ticket = Ticket.objects.get(pk=ticket.pk)
    assert ticket.customer.opt_outs == ["sms"]
    assert not adapter_for("sms").may_reply(ticket, channel).allowed


@pytest.mark.servers
def test_too_many_rests_the_number_and_a_revoked_token_holds_it(
    channel: Channel, account: Account, ana: Person, sana: Agent
) -> None:
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    message = reply.reply(ticket, by=sana, text="Hi")
    fail(account, status=429, body=told(20429), headers={"Retry-After": "30"})
    assert delivery.deliver(channel.pk) == 0
    message.refresh_from_db()
    channel.refresh_from_db()
    assert (message.state, message.attempts, channel.out_failing_since) == ("queued", 0, None)
    assert (channel.next_send_at - timezone.now()).total_seconds() > 20
    assert not Line.objects.filter(ours=True).exists()


@pytest.mark.servers
def test_a_revoked_token_stops_the_channel_and_says_so(
    channel: Channel, account: Account, ana: Person, sana: Agent
) -> None:
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    message = reply.reply(ticket, by=sana, text="Hi")
    account.refresh_from_db()
    account.secrets = {**account.secrets, "auth_token": "another"}
    account.save()
    assert delivery.deliver(channel.pk) == 0
    message.refresh_from_db()
    channel.refresh_from_db()
    assert message.state == "queued"
    assert "token" in channel.out_error
    assert TOKEN not in channel.out_error
    (line,) = adapter_for("sms").check(channel)
    assert not line.ok


# What Twilio does not tell twice ---------------------------------------------------------------------------------


@pytest.mark.servers
def test_unknown_outcomes_are_found_in_the_list(
    channel: Channel, account: Account, ana: Person, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the very same words, each under its own id; what never arrived stays unknown."""
    monkeypatch.setattr(api, "SEND_SECONDS", 1.5)
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    earlier = reply.reply(ticket, by=sana, text="One")
    assert delivery.deliver(channel.pk) == 1
    fail(account, after=True, cut=True)
    lost = reply.reply(ticket, by=sana, text="One")
    delivery.deliver(channel.pk)
    lost.refresh_from_db()
    assert lost.state == "unknown"
    never = reply.reply(ticket, by=sana, text="Two")
    Message.objects.filter(pk=never.pk).update(state="unknown", next_attempt_at=None)
    other = Account.objects.create(
        platform="sms", external_id="+14155550199", secrets=account.secrets, settings=account.settings
    )
    theirs = Person.objects.create(account=other, external_id=ana.external_id, name="Ana")
    said = {"account": other, "person": theirs, "ours": True, "external_id": f"SM{'0' * 32}"}
    Line.objects.create(text="Two", state="sent", **said)  # by another number of the account
    assert look_after(channel)["reconciled"] == 1
    assert look_after(channel)["reconciled"] == 0
    other.delete()
    for one in (earlier, lost, never):
        one.refresh_from_db()
    lines = list(Line.objects.filter(ours=True).order_by("pk").values_list("external_id", flat=True))
    assert [earlier.external_id, lost.external_id, never.external_id] == [*lines, ""]
    assert (lost.state, never.state) == ("sent", "unknown")


@pytest.mark.servers
def test_a_state_names_the_message_whose_answer_was_lost(
    channel: Channel, account: Account, ana: Person, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "SEND_SECONDS", 1.5)
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    fail(account, after=True, cut=True)
    lost = reply.reply(ticket, by=sana, text="One")
    delivery.deliver(channel.pk)
    taken_in(account)
    lost.refresh_from_db()
    assert (lost.state, lost.external_id) == ("delivered", Line.objects.get(ours=True).external_id)


@pytest.mark.servers
def test_what_came_while_we_were_away_is_fetched_once(
    channel: Channel, account: Account, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long that was, with files, and STOP; and what its webhook brings late is the same message."""
    monkeypatch.setattr("channels_social.sms.api.PAGE", 2)
    twilio_acts.text(account, ana, Given(text="told"))
    taken_in(account)
    url = account.settings["sms_url"]
    account.settings["sms_url"] = ""
    account.save()
    old = [twilio_acts.text(account, ana, Given(text=f"missed {number}")) for number in range(5)]
    picture = twilio_acts.text(account, ana, Given(text="look", files=(Upload("door.png", "image/png", PNG),)))
    twilio_acts.text(account, ana, Given(text="STOP"))
    before = twilio_acts.text(account, ana, Given(text="before it was connected"))
    Line.objects.filter(pk=before.pk).update(at=NOW - timedelta(days=60))
    Channel.objects.update(created_at=NOW - timedelta(days=30))
    for days, line in zip((9, 8, 7, 6, 5), old, strict=True):
        Line.objects.filter(pk=line.pk).update(at=NOW - timedelta(days=days))
    Channel.objects.update(condition={**channel.condition, "seen_until": (NOW - timedelta(days=10)).isoformat()})
    found = look_after(channel)
    assert (found["caught_up"], found["subscribed"]) == (7, True)
    assert found["seen_until"] >= NOW.isoformat()
    assert "had stopped telling" in adapter_for("sms").warnings(channel)[0]
    assert "BASE_URL" in adapter_for("sms").warnings(Channel(kind="sms", condition={"hook": "unreachable"}))[0]
    account.refresh_from_db()
    assert account.settings["sms_url"] == url
    twilio_acts._tell(old[4], "")  # late, and by webhook
    ticket = taken_in(account)
    assert look_after(channel)["caught_up"] == 0
    texts = list(Message.objects.filter(direction="in").order_by("pk").values_list("text", flat=True))
    assert texts == ["told", *(f"missed {number}" for number in range(5)), "look", "STOP"]
    assert Message.objects.get(text="look").content_kind == "image"
    assert fetching.fetch_waiting() == 1
    assert Attachment.objects.get().content_type == "image/png"
    assert ticket.customer.opt_outs == ["sms"]
    assert Receipt.objects.filter(external_id=f"message:{picture.external_id}").count() == 1


@pytest.mark.servers
def test_files_that_cannot_be_listed_keep_nothing_else_waiting(channel: Channel, account: Account, ana: Person) -> None:
    account.settings["sms_url"] = ""
    account.faults = [{"method": "GET Media", "status": 404, "body": told(20404), "times": 2}]
    account.save()
    twilio_acts.text(account, ana, Given(text="one"))
    look = twilio_acts.text(account, ana, Given(text="look", files=(Upload("door.png", "image/png", PNG),)))
    seen = channel.condition["seen_until"]
    found = look_after(channel)
    assert (found["caught_up"], found["seen_until"]) == (1, seen)
    Line.objects.filter(pk=look.pk).update(at=timezone.now() - timedelta(days=2))
    Channel.objects.update(condition={"seen_until": (timezone.now() - timedelta(days=3)).isoformat()})
    assert look_after(channel)["caught_up"] == 1  # better without its files than not at all
    taken_in(account)
    assert set(Message.objects.values_list("text", flat=True)) == {"one", "look"}


@pytest.mark.servers
def test_the_check_and_the_warnings(
    platforms: str, account: Account, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = adapter_for("sms")
    channel = connect(platforms, account)
    lines = adapter.check(channel)
    assert all(line.ok for line in lines), lines
    account.refresh_from_db()
    assert account.settings["sms_url"] == hook_url(channel)
    assert not adapter.warnings(channel)
    assert dict(adapter.facts(channel))
    assert OURS in adapter.own_addresses(channel)
    monkeypatch.setattr(public, "reachable", lambda: False)
    assert [line.ok for line in adapter.check(channel)] == [True, True, False]
    channel.settings["number"] = "+15550009999"
    channel.save()
    assert [line.ok for line in adapter.check(channel)] == [True, False]
    assert "+15550009999" in adapter.warnings(channel)[0]
    del channel.settings["number"]
    channel.settings["messaging_service_sid"] = account.settings["messaging_service_sid"]
    assert all(line.ok for line in adapter.check(channel))


@pytest.mark.servers
def test_by_a_key_and_a_messaging_service(platforms: str, account: Account, ana: Person, sana: Agent) -> None:
    account.secrets = {**account.secrets, "keys": {"SK" + "2" * 32: "its secret"}}
    account.save()
    service = account.settings["messaging_service_sid"]
    channel = connect(platforms, account, number="", messaging_service_sid=service, api_key_sid="SK" + "2" * 32)
    channel.secrets = {"auth_token": TOKEN, "api_key_secret": "its secret"}
    channel.save()
    look_after(channel)
    account.settings["sms_url"] = hook_url(channel)  # set by hand, on the service
    account.save()
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    reply.reply(ticket, by=sana, text="Hi")
    assert delivery.deliver(channel.pk) == 1
    assert Line.objects.get(ours=True).payload["service"] == service


# Files for Twilio ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("queued_before")
@pytest.mark.servers
def test_files_are_there_for_whoever_has_their_address_for_a_day(
    channel: Channel, account: Account, ana: Person, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    kept = [
        uploads.upload(by=sana, name=name, content_type=kind, content=content).pk
        for name, kind, content in (
            ("a.png", "image/png", PNG), ("b.pdf", "application/pdf", b"%PDF-1.7"),
            ("c.html", "text/html", b"<script>"), ("d.png", "image/png", b"<svg onload=alert(1)>"),
        )
    ]  # fmt: skip
    waiting = public.url_of(Attachment.objects.get(pk=kept[0]))
    assert requests.get(waiting, timeout=5).status_code == 404  # nobody has sent it yet
    reply.reply(ticket, by=sana, text="x", attachments=kept)
    found = [requests.get(public.url_of(one), timeout=5) for one in Attachment.objects.order_by("pk")]
    assert [(one.status_code, one.headers["Content-Type"]) for one in found] == [
        (200, "image/png"), (200, "application/pdf"), (200, "application/octet-stream"),
        (200, "application/octet-stream"),
    ]  # fmt: skip
    assert [one.headers["Content-Disposition"].split(";")[0] for one in found] == ["inline"] + ["attachment"] * 3
    for one in found:
        assert one.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in one.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in one.headers
    assert found[0].content == PNG
    assert requests.head(waiting, timeout=5).status_code == 200
    base = waiting.rpartition("/files/")[0] + "/files/"
    other = TimestampSigner(salt="elsewhere").sign(str(kept[0]))
    for wrong in (str(kept[0]), waiting.rpartition("/files/")[2].strip("/")[:-1], other, "x:y:z"):
        assert requests.get(f"{base}{wrong}/", timeout=5).status_code == 404
    monkeypatch.setattr(public, "SECONDS", -1)
    assert requests.get(waiting, timeout=5).status_code == 404


def test_one_run_ends_in_time(monkeypatch: pytest.MonkeyPatch, hooked: Channel) -> None:
    """A long past is gone through day by day, and where a run ends the next goes on."""
    asked: list[str] = []

    def pages(_self: Any, _path: str, _key: str, told: dict[str, str]) -> list[Any]:
        asked.append(told["DateSent<"])
        return []

    monkeypatch.setattr(api.Twilio, "pages", pages)
    clock = iter(range(0, 100_000, 25))
    monkeypatch.setattr("channels_social.sms.tending.time.monotonic", lambda: float(next(clock)))
    hooked.condition = {"seen_until": (timezone.now() - timedelta(days=10)).isoformat()}
    with requests.Session() as session:
        seen, caught = tending.catch_up(api.Twilio(session, hooked))
    assert (len(asked), caught) == (2, 0)
    assert seen < (timezone.now() - timedelta(days=7)).isoformat()


@pytest.mark.parametrize(
    ("told", "kept"),
    [("+5215512345678", "+525512345678"), ("+551191234567", "+5511991234567"), ("+923001234567", "+923001234567"),
     ("72727", "72727"), ("PARCELS", "PARCELS"), ("+15550001", "+15550001")],
)  # fmt: skip
def test_a_number_is_kept_as_whatsapp_has_it(told: str, kept: str) -> None:
    fields = {"MessageSid": "SM1", "SmsStatus": "received", "From": told, "To": "+15005550006", "Body": "Hi"}
    (said,) = parsing.parse(urlencode(fields).encode(), "channel:1", timezone.now())
    assert isinstance(said, Inbound) and said.sender is not None and said.sender.value == kept
    told_of = {"MessageSid": "SM2", "MessageStatus": "undelivered", "ErrorCode": "21610", "To": told}
    *_state, reach = parsing.parse(urlencode(told_of).encode(), "channel:1", timezone.now())
    assert isinstance(reach, ReachUpdate) and reach.person.value == kept
