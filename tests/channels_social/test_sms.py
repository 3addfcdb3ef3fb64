"""SMS and MMS, against the emulated Twilio: what comes, what goes, what is refused."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlencode

import pytest
import requests
from django.core.signing import TimestampSigner
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from channels_social import public
from channels_social.sms import api
from inbox import delivery, fetching
from inbox.actions import messages, reply, uploads
from inbox.adapters import RawReceipt, adapter_for
from inbox.models import Agent, Attachment, Channel, Message, Reach, Receipt, RemoteFile, Ticket
from sandbox.phones import twilio_acts
from sandbox.phones.acts import Given, Upload
from sandbox.phones.models import Account, Line, Media, Person
from tests.adapter_contract import AdapterContract
from tests.channels_social.conftest import port_of
from tests.channels_social.sms import ANA, OURS, PNG, SID, TOKEN, account, ana, channel, connect, fail, taken_in, told

__all__ = ["account", "ana", "channel"]


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
