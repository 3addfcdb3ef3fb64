"""WhatsApp, against its emulator: what comes, what goes, what is refused."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import requests
from django.db import transaction
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from channels_social import checks, graph
from channels_social.graph import Refused
from channels_social.whatsapp import parsing, templates
from channels_social.whatsapp.api import refusal
from inbox import delivery, fetching, tending
from inbox.actions import reach, receive, reply, uploads
from inbox.actions.errors import ActionError
from inbox.adapters import Inbound, RawReceipt, adapter_for
from inbox.models import (
    Agent,
    Attachment,
    Channel,
    Customer,
    Identity,
    Message,
    MessagePart,
    Reach,
    Receipt,
    RemoteFile,
    Ticket,
)
from inbox.views import hooks as hooked
from sandbox.phones import acts, chats, core, hooks, whatsapp
from sandbox.phones.models import Account, Call, Line, Media, Person
from tests.adapter_contract import AdapterContract
from tests.api.conftest import Api
from tests.channels_social.conftest import port_of

NUMBER, WABA, TOKEN, SECRET = "106540352242922", "102290129340398", "EAAtoken123", "s3cr3t_app"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
TEMPLATES: list[dict[str, Any]] = [
    {
        "id": "900",
        "name": "order_update",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": [
            {"type": "BODY", "text": "Hello {{1}}, order {{2}} is on its way."},
            {"type": "FOOTER", "text": "Rabta Shop"},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Thanks"}]},
        ],
    },
    {
        "id": "901",
        "name": "named",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "parameter_format": "NAMED",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Order {{order}}"},
            {"type": "BODY", "text": "It comes {{day}}."},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Track", "url": "https://shop.example/{{1}}"}]},
        ],
    },
    {
        "id": "902",
        "name": "picture",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": [{"type": "HEADER", "format": "IMAGE"}, {"type": "BODY", "text": "Look"}],
    },
    {
        "id": "903",
        "name": "sale",
        "language": "en_US",
        "status": "REJECTED",
        "category": "MARKETING",
        "components": [{"type": "BODY", "text": "Buy"}],
    },
]


def open_number(base: str, number: str = NUMBER, **settings: Any) -> Account:
    return Account.objects.create(
        platform="whatsapp",
        external_id=number,
        name="Rabta Shop",
        secrets={"token": TOKEN, "app_secret": SECRET},
        settings={
            "waba_id": WABA,
            "app_id": "555",
            "display_phone_number": "15550783881",
            "origin": base.removesuffix("/sandbox/phones"),
            "templates": TEMPLATES,
            **settings,
        },
    )


def connect(base: str, number: str = NUMBER, **settings: Any) -> Channel:
    channel = Channel(kind="whatsapp", slug=f"shop-{number}", name="Shop")
    channel.settings = {"phone_number_id": number, "waba_id": WABA, "api_url": f"{base}/graph", **settings}
    channel.secrets = {"token": TOKEN, "app_secret": SECRET}
    channel.save()
    return channel


@pytest.fixture
def account(platforms: str) -> Account:
    return open_number(platforms, require_proof=True)


@pytest.fixture
def channel(platforms: str, account: Account) -> Channel:
    """Connected: it has told WhatsApp where to call, and knows the templates."""
    channel = connect(platforms)
    lines = adapter_for("whatsapp").check(channel)
    assert all(line.ok for line in lines), lines
    account.refresh_from_db()
    return channel


@pytest.fixture
def ana(account: Account) -> Person:
    return whatsapp.meet(account, "Ana Silva", "351910000001", handle="ana.s", country="PT")


def taken_in(account: Account) -> Ticket:
    """What WhatsApp has to tell comes, and is read; the newest ticket."""
    core.push(account)
    receive.take_in_waiting()
    assert not Receipt.objects.filter(state="failed").values_list("reason", flat=True)
    return Ticket.objects.latest("pk")


def sent(channel: Channel, message: Message) -> Message:
    delivery.deliver(channel.pk)
    message.refresh_from_db()
    return message


def call(channel: Channel, payload: Any, secret: str = SECRET, **headers: str) -> int:
    body = payload if isinstance(payload, bytes) else hooks.body(payload)
    signed = {"X-Hub-Signature-256": hooks.signature(secret, body), **headers}
    return requests.post(checks.hook_url(channel), data=body, headers=signed, timeout=5).status_code


def envelope(*values: dict[str, Any], number: str = NUMBER, field: str = "messages") -> dict[str, Any]:
    about = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": number}}
    changes = [{"value": {**about, **one}, "field": field} for one in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": changes}]}


def refused(code: int, status: int = 400) -> dict[str, Any]:
    return {"method": "POST messages", "status": status, "body": {"error": {"message": f"(#{code}) No", "code": code}}}


def chosen(kind: str, what: dict[str, Any]) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, kind: what}}


def arrange_fault(account: Account, *faults: dict[str, Any]) -> None:
    account.refresh_from_db()
    account.faults = list(faults)
    account.save()


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
def test_after_the_window_only_a_template_gets_through(
    channel: Channel, account: Account, ana: Person, sana: Agent
) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    Reach.objects.update(closes_at=timezone.now() - timedelta(minutes=1))
    chats.grow_old(account, timedelta(hours=25))
    verdict = adapter_for("whatsapp").may_reply(ticket, channel)
    assert (verdict.allowed, verdict.allows) == (False, frozenset({"template"}))
    with pytest.raises(ActionError) as late:
        reply.reply(ticket, by=sana, text="Hello?")
    assert late.value.code == "window_closed"
    for wrong in (
        {"template": "order_update|en_US", "1": "Ana"},
        {"template": "order_update|en_US", "1": "Ana", "2": "12", "3": "x"},
        {"template": "sale|en_US"},
        {"template": "picture|en_US"},
        {"1": "Ana"},
        {"template": "order_update|en_US", "1": "Ana", "2": "x" * 1100},
        {"template": "order_update|en_US", "1": "Ana", "2": "12", "quotes": ticket.messages.get().pk},
        {"colour": "red"},
    ):
        with pytest.raises(ActionError) as said:
            reply.reply(ticket, by=sana, options=wrong)
        assert said.value.code == "options", wrong
    options = {"template": "order_update|en_US", "1": "Ana", "2": " 12 "}
    with pytest.raises(ActionError):
        reply.reply(ticket, by=sana, text="And some words", options=options)
    message = sent(channel, reply.reply(ticket, by=sana, options=options))
    assert message.text == "Hello Ana, order 12 is on its way.\nRabta Shop"
    line = Line.objects.get(ours=True)
    assert (line.kind, line.text) == ("template", message.text)
    taken_in(account)
    message.refresh_from_db()
    assert message.state == "delivered"
    named = reply.reply(ticket, by=sana, options={"template": "named|en_US", "1": "12", "2": "today", "3": "12"})
    assert sent(channel, named).state == "sent"
    assert Line.objects.latest("pk").text == "Order 12\nIt comes today."


@pytest.mark.servers
def test_templates_are_chosen_beside_the_text(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    adapter = adapter_for("whatsapp")
    assert [one["name"] for one in channel.condition["templates"]] == ["named", "order_update"]
    panel = adapter.composer_panel(ticket, channel, sana)
    assert panel is not None
    around = {"ticket": ticket, "route": {"channel": channel}}
    page = render_to_string(panel.template, {"panel": panel.context, **around})
    assert 'name="option.template"' in page
    assert 'name="option.1"' not in page
    assert "picture (en_US): it begins with a picture" in page
    panel = adapter.composer_panel(ticket, channel, sana, {"template": "named|en_US"})
    assert panel is not None
    page = render_to_string(panel.template, {"panel": panel.context, **around})
    assert 'name="option.3"' in page
    assert 'name="option.4"' not in page
    assert "It comes <b" in page and "{{day}}</b>." in page
    assert "<script" not in page
    assert "style=" not in page
    for one in adapter.panels(channel, sana):
        shown = render_to_string(one.template, {"panel": one.context})
        assert graph.verify_token(channel) in shown
        assert checks.hook_url(channel) in shown
    channel.condition = {}
    assert adapter.composer_panel(ticket, channel, sana) is None


@pytest.mark.servers
def test_we_begin_with_a_template(channel: Channel, account: Account, sana: Agent) -> None:
    tending.tend(channel.pk)
    new = whatsapp.meet(account, "Bo", "4915112345678")
    client = Client()
    client.force_login(sana)
    way = f"/tickets/new/way/?channel={channel.slug}"
    page = client.get(way).content.decode()
    assert "They have not written here yet" in page and "order_update" in page
    page = client.get(f"{way}&option.template=order_update|en_US").content.decode()
    assert 'name="option.2"' in page
    asked = {"channel": channel.slug, "to": "+4915112345678", "text": "", "client_id": "a", "agent": sana.pk}
    assert client.post("/tickets/new/", {**asked, "text": "Hello"}).status_code == 422
    template = {"template": "order_update|en_US", "1": "Bo", "2": "12"}
    told = {f"option.{name}": value for name, value in template.items()}
    for _twice in range(2):
        assert client.post("/tickets/new/", {**asked, **told}).status_code == 302
    sent(channel, Message.objects.get(direction="out"))
    assert Line.objects.filter(person=new, ours=True).get().text.startswith("Hello Bo, order 12 is on its way.")
    body = {"channel": channel.slug, "identity": {"kind": "phone", "value": "+4915112345678"}, "subject": "Order"}
    assert Api(sana).post("/tickets/", {**body, "options": template}).status_code == 201
    assert Api(sana).post("/tickets/", {**body, "direction": "in", "text": "x", "options": template}).status_code == 400


@pytest.mark.servers
def test_what_fails_afterwards_says_so(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    chats.grow_old(account, timedelta(hours=25))  # WhatsApp's clock is another than ours
    late = sent(channel, reply.reply(ticket, by=sana, text="Late"))
    assert late.state == "sent"
    taken_in(account)
    late.refresh_from_db()
    assert (late.state, late.payload["fault"]) == ("failed", "window")
    assert "template" in late.error
    ticket.refresh_from_db()
    assert ticket.delivery_failed
    assert Reach.objects.get().blocked_at is None
    shut = adapter_for("whatsapp").may_reply(ticket, channel)
    assert (shut.allowed, shut.allows) == (False, frozenset({"template"}))  # as WhatsApp sees it, not as we counted
    whatsapp.text(account, ana, "Still there?")
    taken_in(account)
    assert adapter_for("whatsapp").may_reply(ticket, channel).allowed
    chats.remember(ana, undeliverable=True)
    lost = sent(channel, reply.reply(ticket, by=sana, text="Yes"))
    taken_in(account)
    lost.refresh_from_db()
    assert (lost.state, lost.payload["fault"]) == ("failed", "blocked")
    assert Reach.objects.get().blocked_at is not None
    assert not adapter_for("whatsapp").may_reply(ticket, channel).allowed
    whatsapp.text(account, ana, "Back again")
    taken_in(account)
    assert adapter_for("whatsapp").may_reply(ticket, channel).allowed
    Reach.objects.update(last_in_at=timezone.now())  # which WhatsApp tells in whole seconds
    with transaction.atomic():
        reach.refused(Message.objects.get(pk=late.pk), "window")  # told late: they have written since
    assert adapter_for("whatsapp").may_reply(ticket, channel).allowed


@pytest.mark.servers
def test_no_answer_is_known_by_what_comes_later(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    """Nobody can read the answer, but the message is there: it is never repeated, and its states prove it."""
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    arrange_fault(account, {"method": "POST messages", "after": True, "status": 200, "text": "<html>"})
    message = sent(channel, reply.reply(ticket, by=sana, text="One"))
    assert message.state == "unknown"
    taken_in(account)
    message.refresh_from_db()
    line = Line.objects.get(ours=True)
    assert (message.state, message.external_id) == ("delivered", line.external_id)
    # Likewise where WhatsApp stumbled, and took it all the same: it is not sent a second time.
    Channel.objects.update(next_send_at=timezone.now())
    arrange_fault(account, {"method": "POST messages", "after": True, "status": 503, "body": {}})
    second = sent(channel, reply.reply(ticket, by=sana, text="Two"))
    assert second.state == "queued"
    taken_in(account)
    Message.objects.filter(pk=second.pk, state="queued").update(next_attempt_at=timezone.now())
    second = sent(channel, second)
    assert second.state == "delivered"
    assert Line.objects.filter(ours=True).count() == 2


@pytest.mark.servers
def test_news_may_come_before_the_answer_and_out_of_order(
    channel: Channel, account: Account, ana: Person, sana: Agent
) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    message = reply.reply(ticket, by=sana, text="Hi")

    def status(state: str, **more: Any) -> dict[str, Any]:
        return {"statuses": [{"id": "wamid.X1", "status": state, "timestamp": "1760000031", **more}]}

    assert call(channel, envelope(status("delivered"))) == 200
    receive.take_in_waiting()
    assert Receipt.objects.filter(external_id="status:wamid.X1:delivered", state="new").exists()  # waits for it
    Message.objects.filter(pk=message.pk).update(state="sending", attempts=1)
    assert call(channel, envelope(status("read", biz_opaque_callback_data=str(message.pk)))) == 200
    receive.take_in_waiting()
    message.refresh_from_db()
    assert (message.state, message.external_id) == ("read", "wamid.X1")
    Receipt.objects.update(next_attempt_at=timezone.now())
    assert call(channel, envelope(status("sent"), status("failed", errors=[{"code": 131026}]))) == 200
    receive.take_in_waiting()
    message.refresh_from_db()
    assert message.state == "read"  # only ever forward
    assert not Receipt.objects.filter(state="new").exists()


@pytest.mark.usefixtures("queued_before")
@pytest.mark.servers
def test_long_text_and_files_leave_in_parts(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    files = [
        uploads.upload(by=sana, name=name, content_type=kind, content=content)
        for name, kind, content in (
            ("door.png", "image/png", PNG),
            ("inv.pdf", "application/pdf", b"%PDF-1.7 x"),
            ("voice.ogg", "audio/ogg", b"OggS1234"),
            ("list.csv", "text/csv", b"a,b\n1,2\n"),
        )
    ]
    text = "First. " + "a" * 4090 + "\n\nSecond."
    message = sent(channel, reply.reply(ticket, by=sana, text=text, attachments=[one.pk for one in files]))
    lines = list(Line.objects.filter(ours=True).order_by("pk"))
    assert [one.kind for one in lines] == ["text", "text", "image", "document", "audio", "document"]
    assert lines[5].payload["filename"] == "list.csv"
    assert (message.state, MessagePart.objects.count()) == ("sent", 6)
    taken_in(account)
    message.refresh_from_db()
    assert message.state == "delivered"
    captioned = uploads.upload(by=sana, name="a.png", content_type="image/png", content=PNG)
    sent(channel, reply.reply(ticket, by=sana, text="The door", attachments=[captioned.pk]))
    assert (Line.objects.latest("pk").kind, Line.objects.latest("pk").text) == ("image", "The door")
    spoken = uploads.upload(by=sana, name="v.ogg", content_type="audio/ogg", content=b"OggS1234")
    sent(channel, reply.reply(ticket, by=sana, text="Listen", attachments=[spoken.pk]))
    assert list(Line.objects.order_by("-pk").values_list("kind", flat=True)[:2]) == ["audio", "text"]
    huge = uploads.upload(by=sana, name="all.zip", content_type="application/zip", content=b"PK\x03\x04")
    Attachment.objects.filter(pk=huge.pk).update(size=101 * 1024 * 1024)
    failed = sent(channel, reply.reply(ticket, by=sana, attachments=[huge.pk]))
    assert failed.state == "failed"
    assert "100" in failed.error
    assert "all.zip" in failed.error


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
def test_one_customer_too_often_keeps_no_other_waiting(
    channel: Channel, account: Account, ana: Person, sana: Agent
) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    bo = whatsapp.meet(account, "Bo", "4915112345678")
    whatsapp.text(account, bo, "Hallo")
    other = taken_in(account)
    arrange_fault(account, refused(131056))
    held = reply.reply(ticket, by=sana, text="Hi")
    free = reply.reply(other, by=sana, text="Hi Bo")
    assert delivery.deliver(channel.pk) == 1
    held.refresh_from_db()
    free.refresh_from_db()
    assert (held.state, free.state) == ("queued", "sent")
    arrange_fault(account, refused(130429))
    rested = reply.reply(other, by=sana, text="More")
    assert delivery.deliver(channel.pk) == 0
    rested.refresh_from_db()
    channel.refresh_from_db()
    assert (rested.state, rested.attempts) == ("queued", 0)
    assert channel.next_send_at > timezone.now()
    assert channel.out_failing_since is None  # busy, not sick


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


@pytest.mark.servers
def test_many_events_in_one_call_each_once(channel: Channel, account: Account, ana: Person) -> None:
    with hooks.together(account):
        whatsapp.text(account, ana, "One")
        whatsapp.text(account, ana, "Two")
        whatsapp.location(account, ana, 1.0, 2.0)
        whatsapp.account_error(account)
    core.push(account)
    told = account.told.latest("pk")
    hooks.repeat(told)
    ticket = taken_in(account)
    assert [one.text for one in ticket.messages.order_by("pk")] == ["One", "Two", ""]
    assert Receipt.objects.count() == 4
    error = Receipt.objects.get(external_id__startswith="error:")
    assert (error.state, "takes no more" in error.reason) == ("ignored", True)
    raw = json.loads(bytes(Receipt.objects.earliest("pk").raw or b""))
    assert set(raw) == {"metadata", "contacts", "message"}


@pytest.mark.servers
def test_two_people_in_one_call_are_two(channel: Channel) -> None:
    people = [
        {"profile": {"name": name}, "wa_id": wa_id, "user_id": f"PT.{wa_id}"}
        for name, wa_id in (("Ana", "351910000001"), ("Rui", "351910000002"))
    ]
    said = [
        {
            "from": f"35191000000{n}",
            "id": f"wamid.{n}",
            "timestamp": "1760000000",
            "type": "text",
            "text": {"body": "Hi"},
        }
        for n in (2, 1)
    ]
    assert call(channel, envelope({"contacts": people, "messages": said})) == 200
    receive.take_in_waiting()
    assert list(Message.objects.order_by("pk").values_list("author_name", "author_address")) == [
        ("Rui", "+351910000002"), ("Ana", "+351910000001")
    ]  # fmt: skip


@pytest.mark.servers
def test_news_of_other_numbers(platforms: str, channel: Channel) -> None:
    """Of the same account and app they go to their own channel; of anybody else they are nothing."""
    said = {"from": "351910000001", "id": "wamid.1", "timestamp": "1760000000", "type": "text", "text": {"body": "Hi"}}
    assert call(channel, envelope({"messages": [said]}, number="999")) == 200
    assert Receipt.objects.count() == 0
    other = connect(platforms, "777")
    assert call(channel, envelope({"messages": [said]}, number="777")) == 200
    assert Receipt.objects.get().channel == other
    other.secrets = {"token": TOKEN, "app_secret": "another app's"}
    other.save()
    assert call(channel, envelope({"messages": [{**said, "id": "wamid.2"}]}, number="777")) == 200
    assert Receipt.objects.count() == 1
    news = {"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [
        {"field": "message_template_status_update", "value": {"event": "APPROVED", "message_template_id": 1}}
    ]}]}  # fmt: skip
    assert call(channel, news) == 200
    assert call(channel, {"object": "page", "entry": [{"id": "1"}]}) == 200
    receive.take_in_waiting()
    assert "message_template_status_update" in Receipt.objects.get(channel=channel).reason


@pytest.mark.servers
def test_only_what_is_signed_is_kept(channel: Channel) -> None:
    good = envelope({"statuses": [{"id": "wamid.1", "status": "sent", "timestamp": "1"}]})
    body = hooks.body(good)
    url = checks.hook_url(channel)
    right = hooks.signature(SECRET, body)
    for given in (None, "", "sha256=", "wrong", right[:-1], right.upper(), right.removeprefix("sha256="), "sha256=é"):
        headers = {} if given is None else {"X-Hub-Signature-256": given.encode()}
        assert requests.post(url, data=body, headers=headers, timeout=5).status_code == 403, given
    for bent in (body[:-1], body + b" ", json.dumps(good).encode()):
        answer = requests.post(url, data=bent, headers={"X-Hub-Signature-256": right}, timeout=5)
        assert answer.status_code == 403
    assert call(channel, good, "another") == 403
    assert Receipt.objects.count() == 0
    for _again in range(2):
        assert call(channel, b'{"object":"whatsapp_business_account","entry":[') == 200
    receive.take_in_waiting()
    assert Receipt.objects.filter(state="failed").count() == 1  # signed, and nobody can read it
    channel.secrets = {"token": TOKEN, "app_secret": ""}
    channel.save()
    hooked.forget()
    assert requests.post(url, data=b"{}", headers={"X-Hub-Signature-256": "sha256="}, timeout=5).status_code == 403


@pytest.mark.servers
def test_the_address_is_proven_to_be_ours(channel: Channel) -> None:
    url = checks.hook_url(channel)
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": graph.verify_token(channel)}
    answer = requests.get(url, params=asked, timeout=5)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["Content-Type"].startswith("text/plain")
    for wrong in ({"hub.verify_token": "wrong"}, {"hub.verify_token": ""}, {"hub.mode": "unsubscribe"}):
        assert requests.get(url, params={**asked, **wrong}, timeout=5).status_code == 403
    assert requests.get(url, timeout=5).status_code == 403


@pytest.mark.servers
def test_it_is_looked_after(channel: Channel, account: Account, sana: Agent) -> None:
    adapter = adapter_for("whatsapp")
    assert account.settings["override_callback_uri"] == checks.hook_url(channel)
    assert channel.condition["number"] == "15550783881"
    assert adapter.warnings(channel) == []
    assert adapter.tend(channel)["subscribed"] is False
    chats.arrange(account, override_callback_uri=None)
    assert adapter.tend(channel)["subscribed"] is True
    chats.arrange(account, missing_permissions=["whatsapp_business_management"])
    channel.condition = {**channel.condition, **adapter.tend(channel)}
    assert "whatsapp_business" in adapter.warnings(channel)[0]
    assert len(channel.condition["templates"]) == 2  # as they were read last
    soon = timezone.now() + timedelta(days=3)
    channel.condition = {"expires_at": soon.isoformat(), "quality": "RED"}
    assert len(adapter.warnings(channel)) == 2
    channel.condition = {"expires_at": (timezone.now() - timedelta(days=1)).isoformat()}
    assert "expired" in adapter.warnings(channel)[0]
    chats.arrange(account, missing_permissions=None, token_state="expired")
    (line,) = adapter.check(channel)
    assert (line.ok, "expired" in str(line.detail)) == (False, True)


@pytest.mark.servers
def test_that_whatsapp_had_stopped_telling_is_told(channel: Channel, account: Account) -> None:
    assert tending.tend(channel.pk)
    channel.refresh_from_db()
    assert (channel.condition["told"], adapter_for("whatsapp").warnings(channel)) == (True, [])
    chats.arrange(account, override_callback_uri=None)
    assert tending.tend(channel.pk)
    channel.refresh_from_db()
    assert "had stopped telling" in adapter_for("whatsapp").warnings(channel)[0]


@pytest.mark.servers
def test_a_revoked_token_stops_the_channel_and_says_so(
    channel: Channel, account: Account, ana: Person, sana: Agent
) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    chats.arrange(account, token_state="expired")
    message = sent(channel, reply.reply(ticket, by=sana, text="Hi"))
    channel.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 0)
    assert "token" in channel.out_error
    assert TOKEN not in channel.out_error


def test_settings_are_checked(db: None) -> None:
    adapter = adapter_for("whatsapp")
    good = {"phone_number_id": NUMBER, "waba_id": WABA, "token": TOKEN, "app_secret": SECRET}
    for wrong in ({"phone_number_id": "+351 910"}, {"api_version": "26"}, {"api_url": "ftp://x"}, {"token": ""}):
        assert not adapter.settings_form({**good, **wrong}).is_valid(), wrong
    channel = connect("http://x")
    assert not adapter.settings_form(good).is_valid()  # connected already
    assert adapter.settings_form({**good, "token": "", "app_secret": ""}, channel).is_valid()
    assert adapter.keeps_secret("token", {"waba_id": "1"}, {"waba_id": "1", "name": "x"})
    assert not adapter.keeps_secret("token", {"waba_id": "1"}, {"waba_id": "2"})
    assert not adapter.keeps_secret("token", {}, {"api_url": "https://other.example"})


def test_a_template_that_needs_more_is_left_out() -> None:
    body = {"type": "BODY", "text": "Hi"}
    for more in (
        {"type": "HEADER", "format": "LOCATION"},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "text": "Copy"}]},
        {"type": "CAROUSEL", "cards": []},
    ):
        assert templates.kept({"name": "x", "language": "en", "components": [body, more]}) is None
    assert templates.kept({"name": "x", "language": "en", "components": []}) is None
    assert templates.kept({"name": "x", "language": "en", "status": "PAUSED", "components": [body]}) is None
    assert templates.kept({"name": "x", "language": "en", "components": [body]})


@pytest.mark.parametrize(
    ("status", "code", "fault", "permanent", "channel"),
    [
        *((400, code, "rate", False, True) for code in (4, 80007, 130429, 133016)),
        (400, 131056, "rate", False, False),
        (429, 0, "rate", False, True),
        *((500, code, "", False, False) for code in (1, 2, 131000, 131016, 131057, 133004)),
        (400, 131000, "", False, False),
        (503, 0, "", False, False),
        *((401, code, "auth", False, True) for code in (0, 190)),
        *((403, code, "auth", False, True) for code in (3, 10, 200, 299, 131005)),
        *((400, code, "auth", False, True) for code in (368, 131031, 131042, 131045, 133010)),
        (400, 131047, "window", True, False),
        (400, 131026, "blocked", True, False),
        *((400, code, "", True, False) for code in (131021, 131030, 131048, 131049, 131050, 130472)),
        *((400, code, "", True, False) for code in (33, 100, 131008, 131009, 131051, 131052, 131053, 135000)),
        *((400, code, "", True, False) for code in (132000, 132005, 132007, 132012, 132015, 132016, 132068, 132069)),
        (404, 132001, "", True, False),
        (400, 987654, "", True, False),
    ],
)
def test_what_refusals_mean(status: int, code: int, fault: str, permanent: bool, channel: bool) -> None:
    error = refusal(Refused(status, code, 0, f"(#{code}) Said so" if code else ""))
    assert (error.fault, error.permanent, error.channel, error.unknown) == (fault, permanent, channel, False)
    assert len(str(error.reason)) > 10
    assert "%(" not in str(error.reason)
    assert (error.retry_after or 0) > 0 or fault != "rate"


def test_the_proof_is_that_of_the_documented_example() -> None:
    assert graph.proof(SECRET, TOKEN) == "d85478b41f7403dd4515081ddf47e87ffada004dea313620bafc0b411a8b08ec"
    usage = json.dumps({"1": [{"type": "whatsapp", "estimated_time_to_regain_access": 3}]})
    told = graph.refusal(400, {"error": {"code": 80007}}, {"X-Business-Use-Case-Usage": usage})
    assert told.wait == 180


@pytest.mark.servers
def test_a_paused_template_is_told_and_offered_no_more(channel: Channel, account: Account) -> None:
    trouble = {one.name: one for one in acts.load()["whatsapp"].troubles}
    account.refresh_from_db()
    for name, offered in (("paused", 1), ("approved", 2)):
        do = trouble[name].do
        assert do is not None
        do(account)
        core.push(account)
        receive.take_in_waiting()
        assert tending.tend(channel.pk)  # as it was woken to
        channel.refresh_from_db()
        assert len(channel.condition["templates"]) == offered
        said = [one for one in adapter_for("whatsapp").warnings(channel) if "paused the template" in one]
        assert len(said) == (name == "paused")


@pytest.mark.servers
def test_news_of_the_account_go_to_each_of_its_numbers(platforms: str, channel: Channel) -> None:
    other = connect(platforms, "777")
    news = {"object": "whatsapp_business_account", "entry": [{"id": WABA, "time": int(time.time()), "changes": [
        {"field": "account_update", "value": {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "X"}}}
    ]}]}  # fmt: skip
    assert call(channel, news) == 200
    receive.take_in_waiting()
    for one in (channel, other):
        one.refresh_from_db()
        assert any("breaks its rules" in said for said in adapter_for("whatsapp").warnings(one))
