"""Telegram, against its emulator: what comes, what goes, what is refused."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import requests
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from channels_social.tasks import answer_presses
from channels_social.telegram import api, buttons, parsing
from channels_social.telegram.api import refusal
from inbox import delivery, fetching, polling, tending, wake
from inbox.actions import messages, receive, reply, uploads
from inbox.adapters import Ignore, RawReceipt, adapter_for
from inbox.models import Agent, Attachment, Channel, Message, MessagePart, Reach, Receipt, RemoteFile, Ticket
from lib import signing
from sandbox.phones import core, telegram_acts
from sandbox.phones.acts import Given, Upload
from sandbox.phones.models import Account, Line, Person
from sandbox.phones.telegram_base import add_line, open_bot
from tests.adapter_contract import AdapterContract
from tests.channels_social.conftest import port_of

TOKEN = "700123:AAabcdefghijklmnopqrstuvwxyz0123456"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64


def connect(base: str, account: Account, **settings: Any) -> Channel:
    channel = Channel(kind="telegram", slug="bot", name="Shop bot")
    channel.settings = {"mode": "poll", "api_url": f"{base}/telegram", **settings}
    channel.secrets = {"token": account.secrets["token"]}
    channel.save()
    return channel


@pytest.fixture
def bot(platforms: str) -> Account:
    return open_bot("Shop", "shop_bot")


@pytest.fixture
def channel(platforms: str, bot: Account) -> Channel:
    return connect(platforms, bot)


@pytest.fixture
def ana(bot: Account) -> Person:
    return telegram_acts.meet(bot, "Ana Silva")


def taken_in(channel: Channel) -> Ticket:
    """What waits at Telegram comes, and is read; the newest ticket."""
    polling.poll(channel.pk)
    receive.take_in_waiting()
    assert not Receipt.objects.filter(state="failed").values_list("reason", flat=True)
    return Ticket.objects.latest("pk")


@pytest.mark.servers
class TestContract(AdapterContract):
    kind = "telegram"
    good_settings: ClassVar[dict[str, Any]] = {"token": TOKEN, "mode": "webhook"}
    people: ClassVar[dict[str, int]] = {"ali": 5550001, "carol": 5550002}

    @pytest.fixture(autouse=True)
    def _server(self, platforms: str, live_server: LiveServer) -> None:
        self.base = platforms
        self.live_server = live_server
        self.bot = open_bot("Shop", "shop_bot", bot_id=700123)
        self.numbers = iter(range(1, 1000))

    def make_channel(self, port: int) -> Channel:
        url = f"http://127.0.0.1:{port or 1}/sandbox/phones/telegram"
        return connect(self.base, self.bot, api_url=url)

    def utterance(self, text: str, *, sender: str = "ali", answers: Message | None = None) -> RawReceipt:
        number, who = next(self.numbers), self.people[sender]
        person, _made = Person.objects.get_or_create(account=self.bot, external_id=str(who), defaults={"name": sender})
        line = add_line(self.bot, person, text="(as below)")
        said: dict[str, Any] = {
            "message_id": int(line.external_id),
            "from": {"id": who, "is_bot": False, "first_name": sender.title()},
            "chat": {"id": who, "type": "private", "first_name": sender.title()},
            "date": 1760000000 + number,
            "text": text,
        }
        if answers is not None:
            said["reply_to_message"] = {"message_id": int(answers.external_id.rpartition(":")[2]), "date": 1}
        raw = json.dumps({"update_id": 870000 + number, "message": said}).encode()
        return RawReceipt(raw, f"update:{870000 + number}")

    def garbage(self) -> RawReceipt:
        return RawReceipt(b'{"update_id": "\xff', "garbage")

    @contextlib.contextmanager
    def far_side(self, answer: str) -> Iterator[Any]:
        body = {"refuse": {"ok": False, "error_code": 400, "description": "Bad Request: message is too long"}}
        if answer != "accept":
            status = 400 if answer == "refuse" else 502
            self.bot.faults = [{"method": "sendMessage", "status": status, "body": body.get(answer, {})}]
            self.bot.save()
        yield SimpleNamespace(port=port_of(self.live_server.url))


@pytest.mark.servers
def test_a_conversation_both_ways(channel: Channel, bot: Account, ana: Person, sana: Agent) -> None:
    telegram_acts.text(bot, ana, Given(text="Is order 12 shipped?"))
    ticket = taken_in(channel)
    assert (ticket.customer.name, ticket.preview) == ("Ana Silva", "Is order 12 shipped?")
    message = reply.reply(ticket, by=sana, text="Yes, today.")
    assert delivery.deliver(channel.pk) == 1
    message.refresh_from_db()
    sent = Line.objects.get(ours=True)
    assert (sent.text, message.state, message.external_id) == (
        "Yes, today.", "sent", f"{ana.external_id}:{sent.external_id}"
    )  # fmt: skip
    telegram_acts.text(bot, ana, Given(text="Thanks!", line=sent))
    assert taken_in(channel) == ticket
    answer = Message.objects.latest("pk")
    assert answer.in_reply_to == message.external_id
    assert answer.thread_rule == "reference"
    assert polling.poll(channel.pk) == 0  # nothing twice


@pytest.mark.servers
def test_every_kind_is_shown_as_what_it_is(channel: Channel, bot: Account, ana: Person) -> None:
    picture = Upload("door.png", "image/png", PNG)
    telegram_acts.file(bot, ana, Given(text="the damage", files=(picture,)), "photo")
    telegram_acts.file(bot, ana, Given(files=(Upload("inv.pdf", "application/pdf", b"%PDF-1.7 x"),)), "document")
    telegram_acts.file(bot, ana, Given(files=(Upload("v.ogg", "audio/ogg", b"OggS1234"),)), "voice")
    telegram_acts.location(bot, ana, Given())
    telegram_acts.contact(bot, ana, Given())
    telegram_acts.unknown(bot, ana, Given())
    ticket = taken_in(channel)
    kinds = list(ticket.messages.order_by("pk").values_list("content_kind", flat=True))
    assert kinds == ["image", "file", "voice", "location", "contact", "unsupported"]
    assert RemoteFile.objects.count() == 3
    assert fetching.fetch_waiting() == 3
    assert list(Attachment.objects.order_by("pk").values_list("content_type", flat=True)) == [
        "image/png", "application/pdf", "audio/ogg"
    ]  # fmt: skip
    assert ticket.messages.order_by("pk")[0].text == "the damage"
    assert ticket.messages.get(content_kind="unsupported").payload["raw"]
    assert ticket.messages.get(content_kind="location").payload["latitude"]


@pytest.mark.servers
def test_edits_reactions_and_blocks(channel: Channel, bot: Account, ana: Person, sana: Agent) -> None:
    line = telegram_acts.text(bot, ana, Given(text="Is order 12 shipped?"))
    ticket = taken_in(channel)
    reply.reply(ticket, by=sana, text="Yes.")
    delivery.deliver(channel.pk)
    assert adapter_for("telegram").tend(channel)["username"] == "shop_bot"
    telegram_acts.edit(bot, ana, Given(text="Is order 13 shipped?", line=line))
    telegram_acts.react(bot, ana, Given(line=Line.objects.get(ours=True), choice="👍"))
    telegram_acts.block(bot, ana, Given())
    taken_in(channel)
    said, ours = ticket.messages.order_by("pk")
    assert (said.text, said.payload["versions"][0]["text"]) == ("Is order 13 shipped?", "Is order 12 shipped?")
    assert said.edited_at is not None
    assert [one["emoji"] for one in ours.reactions] == ["👍"]
    assert Reach.objects.get().blocked_at is not None
    assert not adapter_for("telegram").may_reply(ticket, channel).allowed
    telegram_acts.unblock(bot, ana, Given())
    taken_in(channel)
    assert adapter_for("telegram").may_reply(ticket, channel).allowed


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """Which presses workers are told to answer."""
    found: list[list[int]] = []

    def run(task: str, args: list[int], queue: str) -> None:
        if task == "channels_social.tasks.answer_presses":
            found.append(args)

    monkeypatch.setattr(wake, "run", run)
    monkeypatch.setattr(buttons, "AGAIN_SECONDS", 0)
    return found


def presses(channel: Channel, bot: Account, who: Person, *, times: int = 1) -> list[Message]:
    telegram_acts.text(bot, who, Given(text="Hello"))
    line = add_line(bot, who, text="Well?", ours=True)
    for _again in range(times):
        telegram_acts.press(bot, who, Given(line=line, choice="yes"))
    taken_in(channel)
    return list(Message.objects.filter(content_kind="button").order_by("pk"))


def open_presses(bot: Account) -> list[str]:
    """Those that show customers that nobody has answered them."""
    return ["button:" + one for one in Account.objects.get(pk=bot.pk).settings["queries"]]


def asked(bot: Account) -> int:
    return bot.calls.filter(method="answerCallbackQuery").count()


@pytest.mark.servers
def test_a_button_that_is_pressed_is_answered_once_it_is_in(
    channel: Channel, bot: Account, ana: Person, woken: list[list[int]]
) -> None:
    first, second = presses(channel, bot, ana, times=2)
    assert woken == [[channel.pk, first.pk, second.pk]]  # nothing but ids, and of the presses alone
    assert open_presses(bot) == [first.external_id, second.external_id]  # intake has asked Telegram nothing
    assert answer_presses(*woken[0]) == 2
    assert open_presses(bot) == []
    assert answer_presses(*woken[0]) == 0  # "query is too old": nobody minds
    channel.refresh_from_db()
    assert (asked(bot), channel.out_failing_since, channel.limited_until) == (4, None, None)


@pytest.mark.servers
def test_a_press_that_cannot_be_answered_concerns_nobody(
    channel: Channel, bot: Account, ana: Person, woken: list[list[int]], sana: Agent
) -> None:
    """One that is refused keeps no other waiting, an outage is asked once more, and what wants less is left alone."""
    first, second = presses(channel, bot, ana, times=2)

    def goes_wrong(*faults: dict[str, Any]) -> int:
        with core.changing(bot) as row:
            row.faults = [{"method": "answerCallbackQuery", **one} for one in faults]
        before = asked(bot)
        answer_presses(*woken[0])
        with core.changing(bot) as row:
            assert row.faults == []
        return asked(bot) - before

    away = {"status": 502, "body": {}}
    assert goes_wrong(away, away) == 2  # of the newest, and then no more
    told = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 30}}
    assert goes_wrong({"status": 429, "body": told}) == 1
    assert open_presses(bot) == [first.external_id, second.external_id]
    message = reply.reply(first.ticket, by=sana, text="All is well.")
    assert delivery.deliver(channel.pk) == 1  # an answer to them waits for nothing of this
    message.refresh_from_db()
    assert message.state == "sent"
    old = {"ok": False, "error_code": 400, "description": "Bad Request: query is too old and response timeout expired"}
    assert goes_wrong({"status": 400, "body": old}) == 2
    assert open_presses(bot) == [second.external_id]
    assert goes_wrong(away) == 3 and open_presses(bot) == []
    channel.refresh_from_db()
    assert (channel.out_failing_since, channel.in_failing_since, channel.limited_until) == (None, None, None)


@pytest.mark.servers
def test_presses_of_long_ago_and_of_a_channel_at_rest_are_left(
    channel: Channel, bot: Account, ana: Person, woken: list[list[int]]
) -> None:
    old, erased, _new = presses(channel, bot, ana, times=3)
    Message.objects.filter(pk=old.pk).update(created_at=timezone.now() - buttons.WITHIN)
    Message.objects.filter(pk=erased.pk).update(external_id="")
    later = timezone.now() + timedelta(hours=1)
    for state in ({"paused": True}, {"out_failing_since": later}, {"next_send_at": later}):
        Channel.objects.filter(pk=channel.pk).update(**state)
        assert answer_presses(*woken[0]) == 0 and asked(bot) == 0
        channel.save()
    assert answer_presses(*woken[0]) == 1
    assert open_presses(bot) == [old.external_id, erased.external_id]


@pytest.mark.servers
def test_a_webhook_that_is_lost_or_out_of_reach_is_told_of(channel: Channel, bot: Account) -> None:
    adapter = adapter_for("telegram")
    channel.settings["mode"] = "webhook"
    channel.save()
    assert tending.tend(channel.pk) and tending.tend(channel.pk)
    channel.refresh_from_db()
    assert (channel.condition["told"], adapter.warnings(channel)) == (True, [])
    webhook = Account.objects.get(pk=bot.pk).settings["webhook"]

    def arrange(**more: Any) -> list[str]:
        Account.objects.filter(pk=bot.pk).update(settings={"webhook": {**webhook, **more}})
        assert tending.tend(channel.pk)
        channel.refresh_from_db()
        return adapter.warnings(channel)

    now = int(timezone.now().timestamp())
    (said,) = arrange(last_error_message="Connection timed out", last_error_date=now - 60)
    assert "timed out" in said and channel.condition["told"] is False
    assert arrange(last_error_message="Connection timed out", last_error_date=now - 3600) == []  # it is over
    (said,) = arrange(url="https://other.example/")
    assert "had stopped telling" in said


@pytest.mark.servers
def test_whoever_blocked_the_bot_unseen_is_found_out_by_sending(
    channel: Channel, bot: Account, ana: Person, sana: Agent
) -> None:
    telegram_acts.text(bot, ana, Given(text="Hello"))
    ticket = taken_in(channel)
    Person.objects.update(blocked=True)
    message = reply.reply(ticket, by=sana, text="Hello?")
    delivery.deliver(channel.pk)
    message.refresh_from_db()
    assert (message.state, message.payload["fault"]) == ("failed", "blocked")
    assert Reach.objects.get().blocked_at is not None


@pytest.mark.servers
def test_long_text_and_files_leave_in_parts_once_each(channel: Channel, bot: Account, ana: Person, sana: Agent) -> None:
    """A refusal in the middle: what has left is never sent again, and Retry goes on behind it."""
    telegram_acts.text(bot, ana, Given(text="Hello"))
    ticket = taken_in(channel)
    file = uploads.upload(by=sana, name="label.png", content_type="image/png", content=PNG)
    text = "First. " + "a" * 4090 + "\n\nSecond."
    message = reply.reply(ticket, by=sana, text=text, attachments=[file.pk])
    bot.faults = [{"method": "sendPhoto", "status": 400, "body": {"ok": False, "description": "Bad Request: no"}}]
    bot.save()
    delivery.deliver(channel.pk)
    message.refresh_from_db()
    assert message.state == "failed"
    assert MessagePart.objects.count() == Line.objects.filter(ours=True).count() == 2
    messages.retry(message, by=sana)
    assert delivery.deliver(channel.pk) == 1
    lines = list(Line.objects.filter(ours=True).order_by("pk").values_list("kind", flat=True))
    assert lines == ["text", "text", "photo"]
    message.refresh_from_db()
    assert message.state == "sent"
    assert message.external_id == MessagePart.objects.get(position=0).external_id


@pytest.mark.servers
def test_no_answer_after_the_request_left_is_never_blindly_repeated(
    channel: Channel, bot: Account, ana: Person, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "SEND_SECONDS", 1.5)
    telegram_acts.text(bot, ana, Given(text="Hello"))
    ticket = taken_in(channel)
    first = reply.reply(ticket, by=sana, text="One")
    bot.faults = [{"method": "sendMessage", "after": True, "cut": True}]
    bot.save()
    delivery.deliver(channel.pk)
    first.refresh_from_db()
    channel.refresh_from_db()
    assert first.state == "unknown"
    assert channel.out_failing_since is not None  # and held: the next one would be lost in the same way
    assert Line.objects.filter(ours=True).count() == 1


@pytest.mark.servers
def test_too_many_rests_the_whole_bot_and_loses_nothing(
    channel: Channel, bot: Account, ana: Person, sana: Agent
) -> None:
    telegram_acts.text(bot, ana, Given(text="Hello"))
    ticket = taken_in(channel)
    message = reply.reply(ticket, by=sana, text="Hi")
    told = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 30}}
    bot.faults = [{"method": "sendMessage", "status": 429, "body": told}]
    bot.save()
    assert delivery.deliver(channel.pk) == 0
    message.refresh_from_db()
    channel.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 0)
    assert channel.out_failing_since is None  # busy, not sick
    assert delivery.deliver(channel.pk) == 0
    assert Line.objects.filter(ours=True).count() == 0


@pytest.mark.servers
def test_a_revoked_token_stops_the_channel_and_says_so(
    channel: Channel, bot: Account, ana: Person, sana: Agent
) -> None:
    telegram_acts.text(bot, ana, Given(text="Hello"))
    ticket = taken_in(channel)
    bot.secrets = {"token": "700:AAanother"}
    bot.save()
    message = reply.reply(ticket, by=sana, text="Hi")
    delivery.deliver(channel.pk)
    polling.poll(channel.pk)
    message.refresh_from_db()
    channel.refresh_from_db()
    assert message.state == "queued"
    assert "token" in channel.out_error
    assert "token" in channel.in_error
    assert str(channel.secrets["token"]) not in channel.out_error + channel.in_error


@pytest.mark.servers
def test_by_webhook(platforms: str, bot: Account, ana: Person, live_server: LiveServer) -> None:
    """Set by us, proven by the secret, stored once however often it is told."""
    channel = connect(platforms, bot, mode="webhook")
    lines = adapter_for("telegram").check(channel)
    assert all(line.ok for line in lines), lines
    telegram_acts.text(bot, ana, Given(text="By webhook"))
    assert core.push(bot) == 1
    receive.take_in_waiting()
    assert Message.objects.get().text == "By webhook"
    url = f"{live_server.url}/hooks/telegram/{channel.token}/"
    body = {"update_id": 1, "message": {}}
    for secret in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}, {"X-Telegram-Bot-Api-Secret-Token": ""}):
        assert requests.post(url, json=body, headers=secret, timeout=5).status_code == 403
    assert Receipt.objects.count() == 1
    right = {"X-Telegram-Bot-Api-Secret-Token": signing.sign("telegram webhook", channel.token)}
    for _again in range(2):
        assert requests.post(url, data=b"{not json", headers=right, timeout=5).status_code == 200
    receive.take_in_waiting()
    assert Receipt.objects.filter(state="failed").count() == 1  # kept once, and blocks nothing


def test_hooks_of_nobody_and_too_much(client: Client, db: None) -> None:
    assert client.post("/hooks/telegram/no-such-token/", b"{}", "application/json").status_code == 404
    assert client.post("/hooks/no-such-kind/x/", b"{}", "application/json").status_code == 404
    assert client.get("/hooks/telegram/no-such-token/").status_code == 404


@pytest.mark.parametrize(
    ("status", "description", "fault", "permanent", "channel"),
    [
        (429, "Too Many Requests: retry after 5", "rate", False, True),
        (500, "Internal Server Error: restart", "", False, False),
        (502, "", "", False, False),
        (401, "Unauthorized", "auth", False, True),
        (404, "Not Found", "auth", False, True),
        (409, "Conflict: terminated by other getUpdates request", "auth", False, True),
        (403, "Forbidden: bot was blocked by the user", "blocked", True, False),
        (403, "Forbidden: user is deactivated", "blocked", True, False),
        (403, "Forbidden: bot was kicked from the group chat", "blocked", True, False),
        (403, "Forbidden: bot is not a member of the channel chat", "blocked", True, False),
        (403, "Forbidden: bot can't initiate conversation with a user", "blocked", True, False),
        (400, "Bad Request: chat not found", "blocked", True, False),
        (400, "Bad Request: message to be replied not found", "", True, False),
        (400, "Bad Request: can't parse entities: x", "", True, False),
        (400, "Bad Request: message is too long", "", True, False),
        (400, "Bad Request: message text is empty", "", True, False),
        (400, "Bad Request: file is too big", "", True, False),
        (400, "Bad Request: wrong file_id or the file is temporarily unavailable", "", True, False),
    ],
)
def test_what_refusals_mean(status: int, description: str, fault: str, permanent: bool, channel: bool) -> None:
    told = {"ok": False, "error_code": status, "description": description}
    error = refusal(status, told)
    assert (error.fault, error.permanent, error.channel, error.unknown) == (fault, permanent, channel, False)
    assert len(str(error.reason)) > 10


def test_whoever_moves_while_sharing_their_place_changes_no_message() -> None:
    """Telegram tells of each step as of an edit, every few seconds and for hours."""
    shared = {"message_id": 5, "from": {"id": 1, "first_name": "A"}, "chat": {"id": 1, "type": "private"}}
    moved = {**shared, "date": 1760000000, "edit_date": 1760000060, "location": {"latitude": 1.0, "longitude": 2.0}}
    with pytest.raises(Ignore) as caught:
        parsing.parse({"update_id": 1, "edited_message": moved}, "channel:1", timezone.now())
    assert not caught.value.keep  # where somebody went is nobody's business
