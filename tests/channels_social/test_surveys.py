"""Surveys on messengers of the sandbox: asked by buttons, pressed there, and no message of the customer's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django.live_server_helper import LiveServer

from channels_social import tasks
from inbox import delivery, wake
from inbox.actions import reply
from inbox.adapters import adapter_for
from inbox.models import Agent, Channel, Event, Message, Reach, Receipt, Ticket
from reports.actions import asking
from reports.models import Answer, Asking, Survey
from reports.surveys import follower
from sandbox.phones import messenger, telegram_acts, whatsapp
from sandbox.phones.acts import Given
from sandbox.phones.models import Account, Line, Person
from sandbox.phones.telegram_base import add_line, open_bot
from tests.channels_social import meta
from tests.channels_social import test_telegram as telegram
from tests.channels_social import whatsapp as number

pytestmark = pytest.mark.servers


def asked(ticket: Ticket, by: Agent, kind: str) -> Line:
    """It is solved with an answer, and a survey of this kind arrives."""
    Survey.objects.create(name="After", kind=kind, active=True, rules={"delay": 0, "low": 0, "reopen": True})
    reply.reply(ticket, by=by, text="It is on its way.", status="solved")
    delivery.deliver(ticket.channel_id)
    follower.hear(list(Event.objects.select_related("ticket").order_by("pk")))
    Asking.objects.update(due_at=F("due_at") - timedelta(minutes=1))
    assert asking.sweep() == 1
    delivery.deliver(ticket.channel_id)
    return Line.objects.filter(ours=True).latest("pk")


def test_telegram(platforms: str, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    bot = open_bot("Shop", "shop_bot")
    channel = telegram.connect(platforms, bot)
    ana = telegram_acts.meet(bot, "Ana Silva")
    woken: list[list[object]] = []
    monkeypatch.setattr(wake, "run", lambda task, args, queue: woken.append([task, *args]))
    telegram_acts.text(bot, ana, Given(text="Is order 12 shipped?"))
    line = asked(telegram.taken_in(channel), sana, "nps")
    keys = [data for _label, data in line.payload["buttons"]]
    assert len(keys) == 11 and [len(row) for row in line.payload["fields"]["reply_markup"]["inline_keyboard"]] == [6, 5]
    telegram_acts.press(bot, ana, Given(line=line, choice=keys[9]))
    ticket = telegram.taken_in(channel)
    answer = Answer.objects.get()
    assert (answer.value, ticket.status, ticket.messages.filter(direction="in").count()) == (9, "solved", 1)
    _task, *rest = next(one for one in woken if one[0] == "channels_social.tasks.answer_press")
    assert tasks.answer_press(*rest) == 1 and telegram.open_presses(bot) == []  # type: ignore[arg-type]
    assert Receipt.objects.latest("pk").reason == "button"
    delivery.deliver(channel.pk)
    assert "/survey/" in Line.objects.filter(ours=True).latest("pk").text  # where to say more
    eve = telegram_acts.meet(bot, "Eve")
    telegram_acts.text(bot, eve, Given(text="Hi"))
    telegram.taken_in(channel)
    stolen = add_line(bot, eve, text="?", ours=True)
    telegram_acts.press(bot, eve, Given(line=stolen, choice=keys[0]))  # made up: it was not asked of them
    telegram.taken_in(channel)
    answer.refresh_from_db()
    assert answer.value == 9


@pytest.fixture
def account(platforms: str) -> Account:
    return number.open_number(platforms, require_proof=True)


def test_whatsapp(platforms: str, account: Account, sana: Agent) -> None:
    channel: Channel = number.connect(platforms)
    adapter_for("whatsapp").check(channel)
    account.refresh_from_db()
    ana: Person = whatsapp.meet(account, "Ana Silva", "351910000001", handle="ana.s", country="PT")
    whatsapp.text(account, ana, "Is order 12 shipped?")
    line = asked(number.taken_in(account), sana, "solved")
    yes, no = line.payload["buttons"]
    assert (yes[0], no[0]) == ("Yes", "No")
    closes = Reach.objects.get().closes_at
    whatsapp.press(account, ana, line, yes[1])
    ticket = number.taken_in(account)
    assert (Answer.objects.get().value, ticket.status) == (1, "solved")
    assert Reach.objects.get().closes_at >= closes  # type: ignore[operator]
    whatsapp.press(account, ana, line, no[1])
    ticket = number.taken_in(account)
    assert (Answer.objects.get().value, ticket.status, Ticket.objects.count()) == (0, "open", 1)
    assert Message.objects.filter(direction="in").count() == 1

    Survey.objects.all().update(active=False)
    Asking.objects.all().delete()
    Answer.objects.update(asked_at=F("asked_at") - timedelta(days=1))  # one kind of question a day
    line = asked(ticket, sana, "csat")
    assert line.payload["interactive"]["type"] == "list" and len(line.payload["buttons"]) == 5
    whatsapp.press(account, ana, line, line.payload["buttons"][3][1])
    number.taken_in(account)
    assert Ticket.objects.get().csat == 4


@pytest.mark.parametrize("platform", ["facebook", "instagram"])
def test_quick_replies(platforms: str, live_server: LiveServer, sana: Agent, platform: str) -> None:
    """On Meta's platforms a press is a message of the customer's, told by what it carries: here it is none."""
    account = meta.open_account(platform, platforms)
    channel = meta.connect(platforms, account)
    meta.subscribe(channel, account, live_server.url)
    ana = messenger.meet(account, "Ana Silva")
    messenger.text(account, ana, "Is order 12 shipped?")
    line = asked(meta.taken_in(account), sana, "nps")
    keys = [value for _label, value in line.payload["buttons"]]
    assert len(keys) == 11 and line.payload["quick"]
    messenger.press(account, ana, line, keys[9])
    ticket = meta.taken_in(account)
    answer = Answer.objects.get()
    assert (answer.value, ticket.status, ticket.messages.filter(direction="in").count()) == (9, "solved", 1)
    delivery.deliver(channel.pk)
    assert "/survey/" in Line.objects.filter(ours=True).latest("pk").text  # where to say more
    messenger.press(account, ana, line, keys[0])  # they think better of it
    ticket = meta.taken_in(account)
    answer.refresh_from_db()
    assert (answer.value, ticket.status, Ticket.objects.count()) == (0, "open", 1)
    assert Message.objects.filter(direction="in").count() == 1
