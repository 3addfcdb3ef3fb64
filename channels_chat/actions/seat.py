"""The rules that every bot in a chat lives by: when it has the chat, when it loses it, and what remains of it.

Locks as everywhere: the ticket, then the chat. A bot's turn is a savepoint: where it fails, what it did in that turn is
undone, what the visitor wrote stays, and a human gets the chat.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from channels_chat import bots, config, hub
from channels_chat.actions import chats, endings, queueing
from channels_chat.bots import HUMAN, Bot
from channels_chat.models import Chat, ChatEnd, ChatState, FlowEntry
from inbox import log
from inbox.actions import base, reply, tickets
from inbox.models import Agent, Channel, Direction, Message, Role, Status, Ticket

logger = logging.getLogger(__name__)

MOST_WATCHED = 100  # chats that one look at silent bots takes
AGAIN = timedelta(seconds=30)  # until one that could not be taken from its bot is looked at once more
MOST_NOTE = 4000  # characters
MOST_STEPS = 100  # of a chat that a line of the log names
LONGEST_ANSWER = 300  # characters of a field in the note
HELD = "_held_ticket"
MENTION = re.compile(r"(?<!\w)@")


class Loop(Exception):
    """The bot has said as much as it may without a word of the visitor."""


# Who it is -----------------------------------------------------------------------------------------------------------


def agent_of(channel: Channel, bot: Bot) -> Agent:
    """The agent that this bot is on this channel: made when it is needed first. Nobody can log in as it."""
    email = f"{bot.name}.{channel.pk}@bot.invalid"
    found = Agent.objects.filter(email=email, is_bot=True).first()
    name = bot.title(channel, settings.LANGUAGE_CODE)[:200]
    if found is None:
        fields = {"name": name, "role": Role.LIGHT, "is_bot": True, "is_active": False, "password": "!"}
        found, _made = Agent.objects.get_or_create(email=email, defaults=fields)
    elif found.name != name:  # it was given another one in the settings
        found.name = name
        found.save(update_fields=["name"])
    return found


def _bot_of(chat: Chat) -> Bot | None:
    return bots.named(str(chat.flow.get("bot", "")))


def language_of(chat: Chat) -> str:
    languages = config.of(chat.channel).languages
    return chat.language if chat.language in languages else languages[0]


# Its turns -----------------------------------------------------------------------------------------------------------


def begin(chat: Chat) -> bool:
    """The channel's bot greets and has the chat from now on. False where there is none, it fails, or a human has the
    ticket already: then whoever calls asks for a human.
    """
    bot = bots.of(chat.channel)
    if bot is None:
        return False
    try:
        with _held(chat) as ticket:
            taken = chat.state in {ChatState.ACTIVE, ChatState.ENDED} or chat.wanted_id is not None
            if taken or _has_human(ticket) or ticket.is_locked:
                return False
            agent = agent_of(chat.channel, bot)
            chat.state, chat.flow = ChatState.BOT, {"bot": bot.name}
            _owes(chat, bot)
            tickets.assign(ticket, by=agent, agent=agent)
            log.record(ticket, "bot_started", by=agent, engagement=chat.engagement_id, bot=bot.name)
            first = Message.objects.filter(ticket=ticket, direction=Direction.IN).order_by("-pk").first()
            if first is not None and bots.asks_for_human(first.text, bot.asking(chat.channel)):
                handoff(chat, "asked")
            else:
                bot.start(chat, first)
    except Exception:
        logger.exception("a bot failed to begin chat %s", chat.pk)
        chat.refresh_from_db()
        return False
    return True


def hear(chat: Chat, message: Message) -> None:
    """The visitor wrote while the bot has the chat."""

    def turn(bot: Bot, ticket: Ticket) -> None:
        if bots.asks_for_human(message.text, bot.asking(chat.channel)):
            handoff(chat, "asked")
        else:
            bot.hear(chat, message)

    _turn(chat, turn)


def press(chat: Chat, message_id: int, button: str) -> bool:
    """The visitor pressed a button below this message. Only the newest ones count, and only once: false, and nothing
    happens, for any other.
    """
    with _held(chat) as ticket:
        if chat.state != ChatState.BOT or chat.flow.get("shown") != message_id:
            return False
        message = Message.objects.select_for_update(no_key=True).filter(pk=message_id, ticket=ticket).first()
        data = message.payload.get("chat", {}).get("data", {}) if message is not None else {}
        if message is None or data.get("pressed") or button not in {one["key"] for one in data.get("buttons", ())}:
            return False
        _turn(chat, partial(_pressed, chat, message, button))
        return True


def _pressed(chat: Chat, message: Message, button: str, bot: Bot, ticket: Ticket) -> None:
    message.payload["chat"]["data"]["pressed"] = button
    message.save(update_fields=["payload"])
    base.announce([ticket.pk], [message.pk])
    hub.tell([chat.visitor_id])
    if button == HUMAN:
        handoff(chat, "asked")
    else:
        bot.press(chat, message, button)


def human(chat: Chat) -> bool:
    """The visitor asked for a human by the widget's own means. False where no bot has the chat."""
    with _held(chat):
        if chat.state != ChatState.BOT or not chat.flow.get("bot"):
            return False
        handoff(chat, "asked")
        return True


def _turn(chat: Chat, turn: Callable[[Bot, Ticket], None]) -> None:
    """Let the bot answer, under the locks; nothing where it has the chat no more."""
    with _held(chat) as ticket:
        bot = _bot_of(chat)
        if chat.state != ChatState.BOT:
            return
        if bot is None:
            handoff(chat, "failed")
            return
        now = timezone.now()
        chat.flow["row"], chat.last_visitor_at, chat.warned_at = 0, now, None
        _owes(chat, bot)
        try:
            with transaction.atomic():
                turn(bot, ticket)
            return
        except Loop:
            why = "loop"
        except Exception:
            logger.exception("a bot failed in chat %s", chat.pk)
            why = "failed"
        _rescue(chat, ticket, why)


def _rescue(chat: Chat, ticket: Ticket, why: str) -> None:
    """A human gets the chat after a turn that was undone; should that fail too, the watchdog tries again at once."""
    chat.refresh_from_db()
    ticket.refresh_from_db()
    try:
        with transaction.atomic():
            handoff(chat, why)
    except Exception:
        logger.exception("chat %s could not be taken from its bot", chat.pk)
        chat.refresh_from_db()
        Chat.objects.filter(pk=chat.pk, state=ChatState.BOT).update(bot_until=timezone.now())


def _owes(chat: Chat, bot: Bot) -> None:
    """From now on the visitor waits for a word of the bot's."""
    chat.bot_until = timezone.now() + timedelta(seconds=bot.silent(chat.channel))
    chat.save(update_fields=["state", "flow", "bot_until", "last_visitor_at", "warned_at"])


@contextmanager
def _held(chat: Chat) -> Iterator[Ticket]:
    """The chat's ticket, and the chat itself fresh, both locked until the transaction ends.

    Within it, what changes on this very object stays there: it is not read again.
    """
    held = chat.__dict__.get(HELD)
    if held is not None:
        yield held
        return
    with transaction.atomic():
        pk = Chat.objects.filter(pk=chat.pk).values_list("engagement__ticket", flat=True).get()
        ticket = Ticket.objects.select_for_update(no_key=True).get(pk=pk)
        chat.refresh_from_db(from_queryset=Chat.objects.select_for_update(no_key=True, of=("self",)))
        chat.__dict__[HELD] = ticket
        try:
            yield ticket
        finally:
            chat.__dict__.pop(HELD, None)


def _has_human(ticket: Ticket) -> bool:
    return ticket.assignee is not None and not ticket.assignee.is_bot


# What bots do --------------------------------------------------------------------------------------------------------


def say(chat: Chat, text: str, *, buttons: Sequence[Mapping[str, str]] = (), waits: bool = True) -> Message | None:
    """Say something, with buttons [{"key", "label"}]; where the bot then `waits`, one for a human stands below.

    None, and nothing said, once the bot has the chat no more. Raises Loop.
    """
    with _held(chat):
        bot = _bot_of(chat)
        if chat.state != ChatState.BOT or bot is None:
            return None
        if chat.flow.get("row", 0) >= bots.MOST_IN_A_ROW:
            raise Loop
        shown = [{"key": one["key"], "label": one["label"]} for one in buttons]
        if waits:
            shown.append({"key": HUMAN, "label": words(chat, "bot_human")})
        kind, data = ("buttons", {"buttons": shown, "pressed": None}) if shown else ("text", {})
        message = _speak(chat, bot, text, kind=kind, data=data)
        chat.flow["row"] = chat.flow.get("row", 0) + 1
        if shown:
            chat.flow["shown"] = message.pk
        chat.bot_until = None
        chat.save(update_fields=["flow", "bot_until"])
        return message


def _speak(chat: Chat, bot: Bot | None, text: str, *, kind: str = "text", data: Any = None) -> Message:
    """A message in the name of the bot, as it is called in the chat's language."""
    if bot is None:
        return chats.say(chat, text, kind=kind, data=data)
    name = bot.title(chat.channel, language_of(chat))[:200]
    return chats.say(chat, text, kind=kind, data=data, by=agent_of(chat.channel, bot), name=name)


def handoff(chat: Chat, reason: str, summary: str = "", fields: Mapping[str, Any] | None = None) -> None:
    """Give the chat to a human: the visitor is told, the agent finds a note, the queue has it.

    `reason`: asked, flow, missed, unhelpful, watchdog, failed, loop. `fields` are what was collected, beside those that
    the chat has. Nothing where a human has it already.
    """
    with _held(chat) as ticket:
        bot = _bot_of(chat)
        if chat.state != ChatState.BOT:
            return
        agent = agent_of(chat.channel, bot) if bot else None
        if not ticket.is_locked:
            _speak(chat, bot, words(chat, "bot_handoff"))
            _leave_note(ticket, agent, reason, summary, {**chat.fields, **(fields or {})})
        mark(chat, "handoff", choice=reason)
        told = {"bot": bot.name if bot else "", "reason": reason, **_went(chat)}
        log.record(ticket, "bot_handoff", by=agent, engagement=chat.engagement_id, **told)
        _forget(chat)
        if not _has_human(ticket) and not ticket.is_locked:
            tickets.assign(ticket, by=agent, agent=None)
        queueing.ask_for_human(chat, reason=reason)
        chat.refresh_from_db()


def _leave_note(ticket: Ticket, agent: Agent | None, reason: str, summary: str, fields: Mapping[str, Any]) -> None:
    """The note that the agent who takes over reads first, in the organisation's language."""
    with translation.override(settings.LANGUAGE_CODE):
        lines = [REASONS.get(reason, REASONS["flow"])()]
        lines += [summary.strip()] if summary.strip() else []
        lines += [f"{key}: {str(value)[:LONGEST_ANSWER]}" for key, value in fields.items() if value not in ("", None)]
    # What a visitor wrote calls no colleague; addresses stay as they are.
    reply.note(ticket, by=agent, text=MENTION.sub("@\u2060", "\n".join(lines)[:MOST_NOTE]))


REASONS: dict[str, Callable[[], str]] = {
    "asked": lambda: _("The bot handed over: the visitor asked for a human."),
    "flow": lambda: _("The bot handed over, as its flow says."),
    "missed": lambda: _("The bot handed over: it did not understand the visitor."),
    "unhelpful": lambda: _("The bot handed over: the visitor said that it did not help."),
    "watchdog": lambda: _("The bot said nothing any more, so it handed over."),
    "failed": lambda: _("The bot failed, so it handed over."),
    "loop": lambda: _("The bot talked in circles, so it handed over."),
}


def finish(chat: Chat, *, confirmed: bool) -> None:
    """The bot is done: the visitor said that it helped (`confirmed`), or nothing is left to say. The chat ends."""
    with _held(chat) as ticket:
        bot = _bot_of(chat)
        if chat.state != ChatState.BOT or bot is None:
            return
        agent = agent_of(chat.channel, bot)
        if confirmed:
            _speak(chat, bot, words(chat, "bot_bye"))
        _contained(chat, ticket, agent, bot, "confirmed" if confirmed else "assumed")
        endings.end(chat, why=ChatEnd.SOLVED, by=agent)
        chat.refresh_from_db()


def _contained(chat: Chat, ticket: Ticket, agent: Agent, bot: Bot, outcome: str) -> None:
    told = {"bot": bot.name, "outcome": outcome, **_went(chat)}
    log.record(ticket, "bot_ended", by=agent, engagement=chat.engagement_id, **told)
    _forget(chat)
    if ticket.is_locked or _has_human(ticket):
        return
    if outcome == "left":  # it was no answer yet: somebody looks at it
        tickets.assign(ticket, by=agent, agent=None)
    elif not ticket.is_done:
        tickets.set_status(ticket, Status.SOLVED, by=agent)


def ended(chat: Chat) -> None:
    """The chat ends, whoever ends it: what the bot knew of it is forgotten. Where it had the chat, its part is told.

    Called inside the transaction that ends the chat, once its state is written.
    """
    bot = _bot_of(chat)
    if bot is None:
        return
    with _held(chat) as ticket:
        if not chat.flow.get("bot"):
            return
        enough = bot.left(chat)
        mark(chat, "left")
        _contained(chat, ticket, agent_of(chat.channel, bot), bot, "assumed" if enough else "left")


def mute(chat: Chat) -> None:
    """A human wrote, or took the chat: the bot says nothing any more. Their own words tell the visitor."""
    if not chat.flow.get("bot"):
        return
    with _held(chat) as ticket:
        bot = _bot_of(chat)
        if bot is None:
            return
        agent = agent_of(chat.channel, bot)
        mark(chat, "handoff", choice="takeover")
        told = {"bot": bot.name, "reason": "takeover", **_went(chat)}
        log.record(ticket, "bot_handoff", by=agent, engagement=chat.engagement_id, **told)
        _forget(chat)


def _forget(chat: Chat) -> None:
    """Nothing of what the bot kept in mind remains."""
    chat.flow, chat.bot_until = {}, None
    chat.save(update_fields=["flow", "bot_until"])


def overdue(chat: Chat) -> None:
    """The bot has been silent for too long."""
    with _held(chat):
        if chat.bot_until is not None and chat.bot_until <= timezone.now():
            handoff(chat, "watchdog")


def watch(now: datetime | None = None) -> int:
    """Hand over the chats whose bots have been silent for too long; returns how many."""
    late = Chat.objects.filter(state=ChatState.BOT, bot_until__lte=now or timezone.now()).order_by("bot_until")
    done = 0
    for chat in late.select_related("channel", "visitor")[:MOST_WATCHED]:
        try:
            with _held(chat):
                if chat.bot_until is not None and chat.bot_until <= (now or timezone.now()):
                    handoff(chat, "watchdog")
                    done += 1
        except Exception:
            logger.exception("chat %s could not be taken from its silent bot", chat.pk)
            Chat.objects.filter(pk=chat.pk, state=ChatState.BOT).update(bot_until=timezone.now() + AGAIN)
    return done


# What remains --------------------------------------------------------------------------------------------------------


def mark(chat: Chat, what: str, *, name: str = "", choice: str = "") -> None:
    """Write down what happened at a step of the bot: the one where it stands, unless named."""
    FlowEntry.objects.create(
        chat=chat, step=(name or str(chat.flow.get("step", "")))[:60], what=what[:12], choice=choice[:60]
    )


def _went(chat: Chat) -> dict[str, Any]:
    """For the log: the steps that the bot came to in this chat, in order, and how often it did not understand."""
    entries = FlowEntry.objects.filter(chat=chat, what__in=["entered", "fallback"]).order_by("pk")
    found = list(entries.values_list("step", "what"))
    steps = [step for step, what in found if what == "entered"]
    return {"steps": steps[:MOST_STEPS], "fallbacks": sum(what == "fallback" for _step, what in found)}


def words(chat: Chat, key: str) -> str:
    """The bot's own words: the organisation's, else ours, in the chat's language."""
    language = language_of(chat)
    with translation.override(language):
        return config.of(chat.channel).said(key, language, OWN[key]())


OWN: dict[str, Callable[[], str]] = {
    "bot_human": lambda: _("Talk to a human"),
    "bot_handoff": lambda: _("I am handing you over to a colleague. They see what you wrote here."),
    "bot_confused": lambda: _("I did not understand that. Please choose below, or talk to a human."),
    "bot_yes": lambda: _("Yes"),
    "bot_no": lambda: _("No"),
    "bot_bye": lambda: _("Glad to hear that. Write again whenever you need us."),
    "bot_again_text": lambda: _("Please write an answer in words."),
    "bot_again_email": lambda: _("That does not look like an e-mail address. Please write it again."),
    "bot_again_phone": lambda: _("That does not look like a telephone number. Please write it again."),
    "bot_again_choice": lambda: _("Please choose one of these."),
}
