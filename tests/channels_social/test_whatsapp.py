"""WhatsApp, against its emulator: what comes and goes, and who it is that writes."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from channels_social.whatsapp import parsing
from inbox import fetching
from inbox.actions import reply
from inbox.adapters import Inbound, RawReceipt
from inbox.models import Agent, Attachment, Channel, Customer, Identity, Message, Reach, RemoteFile
from sandbox.phones import chats, whatsapp
from sandbox.phones.models import Account, Call, Line, Media, Person
from tests.adapter_contract import AdapterContract
from tests.channels_social.conftest import port_of
from tests.channels_social.whatsapp import (
    NUMBER,
    PNG,
    SECRET,
    TOKEN,
    WABA,
    account,
    ana,
    arrange_fault,
    channel,
    connect,
    open_number,
    refused,
    sent,
    taken_in,
)

__all__ = ["account", "ana", "channel"]


def chosen(kind: str, what: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, kind: what}}


@pytest.mark.servers
class TestContract(AdapterContract):
    kind = "whatsapp"
    good_settings: ClassVar[dict[str, Any]] = {
        "phone_number_id": NUMBER, "waba_id": WABA, "token": TOKEN, "app_secret": SECRET
    }  # fmt: skip
    people: ClassVar[dict[str, str]] = {"ali": "923001234567", "carol": "351910000003"}

    @pytest.fixture(autouse=True)
    def _server(self, platforms: str, live_server: LiveServer) -> None:
        self.base = platforms
        self.live_server = live_server
        self.account = open_number(platforms)
        self.numbers = iter(range(1, 1000))

    def make_channel(self, port: int) -> Channel:
        return connect(self.base, api_url=f"http://127.0.0.1:{port or 1}/sandbox/phones/graph")

    def utterance(self, text: str, *, sender: str = "ali", answers: Message | None = None) -> RawReceipt:
        phone = self.people[sender]
        person = Person.objects.filter(phone=phone).first() or whatsapp.meet(self.account, sender.title(), phone)
        line = whatsapp.text(self.account, person, "(as below)")
        said: dict[str, Any] = {
            "from": phone,
            "from_user_id": person.external_id,
            "id": line.external_id,
            "timestamp": str(int(timezone.now().timestamp())),
            "type": "text",
            "text": {"body": text},
        }
        if answers is not None:
            said["context"] = {"from": "15550783881", "id": answers.external_id}
        people = [{"profile": {"name": sender.title()}, "wa_id": phone, "user_id": person.external_id}]
        (raw,) = parsing.receipts("messages", {"contacts": people, "messages": [said]})
        return raw

    def garbage(self) -> RawReceipt:
        return RawReceipt(b'{"message": "\xff', "garbage")

    @contextlib.contextmanager
    def far_side(self, answer: str) -> Iterator[Any]:
        down = {"method": "POST messages", "status": 503, "text": "Service Unavailable"}
        if answer != "accept":
            arrange_fault(self.account, refused(131009) if answer == "refuse" else down)
        yield SimpleNamespace(port=port_of(self.live_server.url))


@pytest.mark.servers
def test_a_conversation_both_ways(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    line = whatsapp.text(account, ana, "Is order 12 shipped? 😀")
    ticket = taken_in(account)
    assert (ticket.customer.name, ticket.preview) == ("Ana Silva", "Is order 12 shipped? 😀")
    assert set(Identity.objects.values_list("kind", "value")) == {
        ("phone", "+351910000001"), ("whatsapp", ana.external_id)
    }  # fmt: skip
    said = ticket.messages.get()
    first = reply.reply(ticket, by=sana, text="Yes, *today*.", options={"quotes": said.pk})
    message = sent(channel, first)
    ours = Line.objects.get(ours=True)
    assert (ours.text, ours.reply_to, message.external_id) == ("Yes, *today*.", line.external_id, ours.external_id)
    line.refresh_from_db()
    assert line.state == "read"  # whoever is answered was read
    taken_in(account)
    message.refresh_from_db()
    assert message.state == "delivered"
    whatsapp.read(account, ana)
    whatsapp.play(account, ana, ours)
    whatsapp.text(account, ana, "Thanks!", reply_to=ours.external_id)
    assert taken_in(account) == ticket
    message.refresh_from_db()
    assert message.state == "read"
    assert Message.objects.latest("pk").thread_rule == "reference"
    assert ticket.messages.filter(direction="out").count() == 1


@pytest.mark.servers
def test_every_kind_is_shown_as_what_it_is(channel: Channel, account: Account, ana: Person) -> None:
    whatsapp.file(account, ana, "image", PNG, "image/png", caption="the damage")
    whatsapp.file(account, ana, "document", b"%PDF-1.7 x", "application/pdf", name="inv.pdf")
    whatsapp.file(account, ana, "audio", b"OggS1234", "audio/ogg", voice=True)
    whatsapp.file(account, ana, "audio", b"ID3\x03\x00 x", "audio/mpeg")
    whatsapp.file(account, ana, "video", b"\x00\x00\x00\x18ftypmp42", "video/mp4")
    whatsapp.file(account, ana, "sticker", b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp")
    whatsapp.location(account, ana, 38.72, -9.14, name="Shop", address="Rua 1")
    whatsapp.contact(account, ana, "Rui", "+351910000002")
    whatsapp.unsupported(account, ana)
    whatsapp.file(account, ana, "video", b"", "video/mp4", size=200 * 1024 * 1024)
    ticket = taken_in(account)
    rows = list(ticket.messages.order_by("pk"))
    assert [one.content_kind for one in rows] == [
        "image", "file", "voice", "audio", "video", "sticker", "location", "contact", "unsupported", "unsupported"
    ]  # fmt: skip
    assert rows[0].text == "the damage"
    assert rows[6].payload["latitude"] == 38.72
    assert (rows[6].payload["name"], rows[6].payload["address"]) == ("Shop", "Rua 1")
    assert rows[7].payload["contacts"] == [{"name": "Rui", "phones": ["+351910000002"]}]
    assert rows[8].payload["kind"] == "poll_creation"
    assert rows[8].payload["raw"]["errors"][0]["code"] == 131051
    assert fetching.fetch_waiting() == 6
    files = dict(Attachment.objects.order_by("pk").values_list("name", "content_type"))
    assert len(files) >= 5
    assert files["inv.pdf"] == "application/pdf"


@pytest.mark.parametrize(
    ("message", "kind", "text", "payload"),
    [
        ({"type": "button", "button": {"payload": "YES", "text": "Yes"}}, "button", "Yes", {"data": "YES"}),
        (
            chosen("list_reply", {"id": "o1", "title": "Refund"}),
            "button", "Refund", {"data": "o1"},
        ),
        (
            chosen("button_reply", {"id": "n", "title": "No"}),
            "button", "No", {"data": "n"},
        ),
        ({"type": "interactive", "interactive": {"type": "new"}}, "unsupported", "", {"kind": "interactive"}),
        ({"type": "order", "order": {"catalog_id": "1"}}, "unsupported", "", {"kind": "order"}),
        ({"type": "hologram", "hologram": {"x": "\x00"}}, "unsupported", "", {"kind": "hologram"}),
        ({"type": "image", "image": {}}, "unsupported", "", {"kind": "image"}),
        ({"type": "image", "image": "x"}, "unsupported", "", {"kind": "image"}),
        ({}, "unsupported", "", {"kind": "unknown"}),
        ({"type": "text", "text": {"body": "a\ud83db\x00"}}, "text", "a\ufffdb", {}),
    ],
)  # fmt: skip
def test_what_else_is_said(message: dict[str, Any], kind: str, text: str, payload: dict[str, Any]) -> None:
    head = {"from": "351910000001", "id": "wamid.A", "timestamp": "1760000000"}
    (found,) = parsing.parse({"message": {**head, **message}}, "channel:1", timezone.now())
    assert isinstance(found, Inbound)
    assert (found.content_kind, found.text) == (kind, text)
    assert payload.items() <= {**found.payload}.items()
    assert found.at is not None
    assert found.at.timestamp() == 1760000000
    json.dumps(found.payload)


@pytest.mark.servers
def test_edits_reactions_and_deletions(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    """Told of numbers that are used in WhatsApp's own app as well."""
    chats.arrange(account, coexistence=True)
    line = whatsapp.text(account, ana, "Is order 12 shipped?")
    gone = whatsapp.file(account, ana, "image", PNG, "image/png", caption="secret")
    ticket = taken_in(account)
    message = sent(channel, reply.reply(ticket, by=sana, text="Yes."))
    whatsapp.react(account, ana, Line.objects.get(ours=True), "👍")
    whatsapp.edit(account, ana, line, "Is order 13 shipped?")
    whatsapp.revoke(account, ana, gone)
    whatsapp.answer_in_app(account, ana, "As I said.")
    taken_in(account)
    said, picture, ours, echo = ticket.messages.order_by("pk")
    assert (said.text, said.payload["versions"][0]["text"]) == ("Is order 13 shipped?", "Is order 12 shipped?")
    assert picture.withdrawn_at is not None
    assert (picture.text, RemoteFile.objects.count()) == ("", 0)
    assert [one["emoji"] for one in ours.reactions] == ["👍"]
    assert (echo.text, echo.direction, echo.origin) == ("As I said.", "out", "echo")
    whatsapp.react(account, ana, Line.objects.get(external_id=message.external_id), "")
    taken_in(account)
    message.refresh_from_db()
    assert [one["emoji"] for one in message.reactions] in ([""], ["👍"])  # within one second either came first


@pytest.mark.servers
def test_buttons_of_ours_are_answered(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    options = {"template": "order_update|en_US", "1": "Ana", "2": "12"}
    message = sent(channel, reply.reply(ticket, by=sana, options=options))
    whatsapp.press(account, ana, Line.objects.get(ours=True), "Thanks")
    taken_in(account)
    pressed = ticket.messages.latest("pk")
    assert (pressed.text, pressed.content_kind, pressed.in_reply_to) == ("Thanks", "button", message.external_id)


@pytest.mark.servers
def test_files_whose_address_is_over_are_asked_for_anew(channel: Channel, account: Account, ana: Person) -> None:
    whatsapp.file(account, ana, "image", PNG, "image/png")
    whatsapp.file(account, ana, "image", PNG, "image/png")
    taken_in(account)
    lost = Media.objects.order_by("pk")[1]
    Media.objects.filter(pk=lost.pk).update(expires_at=timezone.now() - timedelta(days=1))
    arrange_fault(account, {"method": "GET download", "status": 404, "body": {}})
    fetching.fetch_waiting()
    again, gone = RemoteFile.objects.order_by("pk")
    assert (again.failed_at, "tried again" in again.error) == (None, True)
    assert gone.failed_at is not None
    RemoteFile.objects.update(next_attempt_at=timezone.now())
    fetching.fetch_waiting()
    assert Attachment.objects.count() == 1


@pytest.mark.servers
def test_people_without_a_number(channel: Channel, account: Account, sana: Agent) -> None:
    bo = whatsapp.meet(account, "Bo", "", handle="bo.b", country="SE")
    whatsapp.text(account, bo, "Hej")
    ticket = taken_in(account)
    assert list(Identity.objects.values_list("kind", "value")) == [("whatsapp", bo.external_id)]
    message = sent(channel, reply.reply(ticket, by=sana, text="Hej Bo"))
    assert message.state == "sent"
    assert Line.objects.get(ours=True).person == bo
    taken_in(account)
    message.refresh_from_db()
    assert message.state == "delivered"
    chats.remember(bo, undeliverable=True)
    sent(channel, reply.reply(ticket, by=sana, text="Bo?"))
    taken_in(account)
    assert Reach.objects.get().blocked_at is not None


@pytest.mark.servers
def test_another_number_is_the_same_person(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    closes = Reach.objects.get().closes_at
    whatsapp.change_number(account, ana, "351910000009")
    assert taken_in(account) == ticket
    assert Customer.objects.count() == 1
    values = set(Identity.objects.filter(kind="phone").values_list("value", flat=True))
    assert values == {"+351910000001", "+351910000009"}
    assert ticket.messages.latest("pk").content_kind == "system"
    assert [one.closes_at for one in Reach.objects.all()] == [closes]  # nobody wrote: the window stays as it was
    message = sent(channel, reply.reply(ticket, by=sana, text="Noted"))
    assert message.to[0]["address"] == "+351910000009"
    assert Line.objects.get(ours=True).person == ana
    whatsapp.text(account, ana, "From my new one")
    assert taken_in(account) == ticket


@pytest.mark.servers
def test_one_number_in_two_forms_is_one_person(channel: Channel, account: Account, sana: Agent) -> None:
    bia = whatsapp.meet(account, "Bia", "5511912345678", country="BR")
    chats.remember(bia, wa_id="551112345678")
    whatsapp.text(account, bia, "Oi")
    ticket = taken_in(account)
    assert ticket.messages.get().author_address == "+5511912345678"
    message = sent(channel, reply.reply(ticket, by=sana, text="Oi"))
    told = Call.objects.filter(method="POST messages").order_by("pk")
    assert told[0].asked["to"] == "551112345678"  # as WhatsApp itself writes it
    assert message.to[0]["address"] == "+5511912345678"
    whatsapp.text(account, bia, "Obrigada")
    assert taken_in(account) == ticket
    assert Customer.objects.count() == 1
