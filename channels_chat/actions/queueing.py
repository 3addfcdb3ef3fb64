"""Who has a chat: it asks for a human, is taken, passed on, handed over, given back.

One owner at a time, under one order of locks, everywhere: customers, tickets by number, visitors, chats by id. Whatever
changes hands begins with `held`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from channels_chat import config, hub, queue
from channels_chat.actions import chats, flow
from channels_chat.models import LIVE, Chat, ChatState
from inbox import live, log, rights, wake
from inbox.actions import base, reply, tickets
from inbox.actions.errors import ActionError
from inbox.models import Agent, AuthorKind, Engagement, Message, Team, Ticket
from inbox.rights import Right

# What nobody is offered any more, once somebody has the chat or it waits anew.
FREE: dict[str, Any] = {"offered_to": None, "offer_until": None, "passed": [], "wanted": None}


@contextmanager
def held(chat: Chat) -> Iterator[tuple[Chat, Ticket]]:
    """The chat and its ticket, fresh and locked until the transaction ends: the ticket first, as whoever takes in a
    message or writes a reply has it already.
    """
    with transaction.atomic():
        number = Engagement.objects.values_list("ticket_id", flat=True).get(pk=chat.engagement_id)
        ticket = _lock(number)
        row = Chat.objects.select_for_update(no_key=True).get(pk=chat.pk)
        if row.engagement.ticket_id != number:  # it was merged while we waited
            ticket = _lock(row.engagement.ticket_id)
        row.engagement.ticket = ticket
        yield row, ticket


def _lock(number: int) -> Ticket:
    return Ticket.objects.select_for_update(no_key=True).get(pk=number)


def ask_for_human(chat: Chat, *, reason: str, by: Agent | None = None) -> None:
    """Put a chat into the queue of the team that its page, topic and language decide. `reason` is a code: wrote (no bot
    was on), asked, watchdog, or whatever the flow says. Nothing happens to one that waits, has an agent, or is over.
    """
    now = timezone.now()
    with held(chat) as (row, ticket):
        if row.state not in {ChatState.BOT, ChatState.WAITING} or row.queued_at is not None:
            return
        settings = config.of(row.channel)
        team = route(row, settings) or ticket.team
        if team is not None and team.pk != ticket.team_id and not _is_away(ticket):
            tickets.assign(ticket, by=None, team=team)
        row.state, row.team, row.queued_at, row.waits_since, row.bot_until = ChatState.WAITING, team, now, now, None
        row.reachable = bool(row.visitor.email or row.visitor.phone)
        row.place = (queue.place_of(row) or 1) if row.pk else 1
        if row.wanted_id is None:
            row.wanted_id = ticket.assignee_id  # who knows them already is asked first
        row.save()
        row.engagement.requested_at = now
        row.engagement.save(update_fields=["requested_at"])
        log.record(
            ticket,
            "chat_requested",
            by=by,
            engagement=row.engagement_id,
            reason=reason,
            team=team.pk if team else None,
            in_hours=queue.is_open(settings, now),
            agents_here=queue.someone_here(row.channel, team),
        )
        changed(row)
    _show(chat, row)


def route(chat: Chat, settings: config.Settings) -> Team | None:
    """The team of the first route whose given parts all fit this chat."""
    for one in settings.routes:
        if one.page and not fnmatchcase(chat.page.lower(), one.page.lower()):
            continue
        if one.topic and one.topic != chat.topic:
            continue
        if one.language and one.language != chat.language.split("-")[0]:
            continue
        found = Team.objects.filter(slug=one.team).first()
        if found is not None:
            return found
    return None


def accept(chat: Chat, *, by: Agent) -> Chat:
    """Take a chat that has no agent, offered or not; the bot is silent from then on. Returns it as it is now.

    Of two who accept at once the first has it; the second is told who. Raises ActionError (`taken`, `ended`, or what
    keeps the ticket from changing) and PermissionDenied.
    """
    rights.require(by, Right.ANSWER)
    with held(chat) as (row, ticket):
        _refuse_ended(row)
        if row.state == ChatState.ACTIVE:
            owner = row.engagement.agent
            if owner is None or owner.pk != by.pk:
                raise ActionError(_("%(name)s has this chat already.") % {"name": owner or _("Somebody")}, "taken")
            return row
        _take(row, ticket, by)
        return row


def _take(chat: Chat, ticket: Ticket, by: Agent) -> None:
    """Give the chat to this agent; both rows are locked."""
    flow.mute(chat)
    now, engagement = timezone.now(), chat.engagement
    offered = chat.offered_to_id
    waited = _seconds(engagement.requested_at, now) if chat.queued_at else 0
    first = engagement.accepted_at is None
    engagement.agent, engagement.accepted_at = by, engagement.accepted_at or now
    engagement.save(update_fields=["agent", "accepted_at"])
    _set(chat, **FREE, state=ChatState.ACTIVE, agent_gone_at=None, overflow_at=None, warned_at=None, bot_until=None)
    tickets.assign(ticket, by=by, agent=by)
    told = {"engagement": engagement.pk, "waited": waited, "offered": offered == by.pk, "first": first}
    log.record(ticket, "chat_accepted", by=by, **told)
    if offered is not None:
        offer_gone(offered, chat, ticket.pk, "taken")
    changed(chat)


def answered(message: Message) -> None:
    """An agent wrote to the visitor, from whichever screen: a chat that had no agent is theirs. The ticket is locked.

    What they solved in the same click has ended by now, and was answered all the same.
    """
    agent = message.agent
    if message.author_kind != AuthorKind.AGENT or agent is None:
        return
    found = Chat.objects.filter(engagement__ticket=message.ticket_id).order_by("-pk")
    chat = found.filter(LIVE).first() or found.filter(engagement__ended_at__gte=message.created_at).first()
    if chat is None:
        return
    with held(chat) as (row, ticket):
        took = row.state in {ChatState.BOT, ChatState.WAITING}
        if took:
            _take(row, ticket, agent)
        elif row.engagement.agent_id is None:
            row.engagement.agent, row.engagement.accepted_at = agent, message.created_at
            row.engagement.save(update_fields=["agent", "accepted_at"])
        first = row.first_human_at is None
        moved: dict[str, Any] = {"last_agent_at": message.created_at}
        if first:
            moved["first_human_at"] = message.created_at
        if row.is_live:
            moved["warned_at"] = None
        _set(row, **moved)
        if first:
            waited = _seconds(row.engagement.requested_at, message.created_at) if row.queued_at else 0
            told = {"engagement": row.engagement_id, "message": message.pk, "waited": waited, "took": took}
            log.record(ticket, "chat_answered", by=agent, **told)


def pass_on(chat: Chat, *, by: Agent) -> None:
    """Let an offer pass: the next is asked. Nothing happens where it is not offered to them any more."""
    with held(chat) as (row, ticket):
        if row.state != ChatState.WAITING or row.offered_to_id != by.pk:
            return
        # Where everybody has passed it begins anew, but not at once: who said no a moment ago is not asked again.
        pause = row.offer_until or timezone.now()
        wanted = None if row.wanted_id == by.pk else row.wanted
        _set(row, offered_to=None, passed=[*row.passed, by.pk], offer_until=pause, wanted=wanted)
        log.record(ticket, "chat_passed", by=by, engagement=row.engagement_id, agent=by.pk, why="passed")
        offer_gone(by.pk, row, ticket.pk, "passed")
        wake_queue()


def transfer(chat: Chat, *, by: Agent, to: Agent | None = None, team: Team | None = None, note: str = "") -> None:
    """Hand a chat to a colleague, who is asked first, or to a team; `note` is for whoever takes it.

    The visitor hears of it in a line and goes on writing. Raises ActionError and PermissionDenied.
    """
    rights.require(by, Right.ANSWER)
    if to is None and team is None:
        raise ActionError(_("Say to whom: a colleague or a team."), "nobody")
    if to is not None and (not to.is_active or to.is_bot or not to.may_write):
        raise ActionError(_("%(name)s cannot answer chats.") % {"name": to}, "cannot")
    with held(chat) as (row, ticket):
        _refuse_ended(row)
        flow.mute(row)
        owner, now = row.engagement.agent_id, timezone.now()
        if to is not None and to.pk == owner and row.state == ChatState.ACTIVE:
            return
        told = {"from": owner, "to": to.pk if to else None, "team": team.pk if team else None}
        left = reply.note(ticket, by=by, text=note).pk if note.strip() else None
        log.record(ticket, "chat_transferred", by=by, engagement=row.engagement_id, **told, note=left)
        engagement, was_active, offered = row.engagement, row.state == ChatState.ACTIVE, row.offered_to_id
        engagement.agent = None
        engagement.transfers = [*engagement.transfers, {**told, "at": now.isoformat()}]
        engagement.save(update_fields=["agent", "transfers"])
        if offered is not None:
            offer_gone(offered, row, ticket.pk, "transferred")
        new_team = team or row.team
        _set(
            row,
            **{**FREE, "wanted": to, "passed": [] if to == by else [by.pk]},
            state=ChatState.WAITING,
            team=new_team,
            queued_at=row.queued_at or now,
            waits_since=now,
            agent_gone_at=None,
            bot_until=None,
        )
        tickets.assign(ticket, by=by, agent=to, **({"team": team} if team is not None else {}))
        if to is not None and to.pk == by.pk:
            _take(row, ticket, by)
            return
        if was_active:
            with in_their_language(row):
                line = _("%(agent)s has asked %(other)s to help you.") % {"agent": by.name, "other": to or team}
            chats.say(row, line)
        changed(row)


def release(chat: Chat, *, reason: str, by: Agent | None = None) -> bool:
    """Back into the queue with everything so far, at the place of its age: its agent went. `reason` is a code: gone,
    away, off (switched off), back (gave it back). Returns whether it had an agent.
    """
    with held(chat) as (row, ticket):
        owner = row.engagement.agent
        if row.state != ChatState.ACTIVE:
            return False
        now = timezone.now()
        row.engagement.agent = None
        row.engagement.save(update_fields=["agent"])
        _set(
            row,
            **{**FREE, "passed": [owner.pk] if owner else []},
            state=ChatState.WAITING,
            queued_at=row.queued_at or row.engagement.requested_at,
            waits_since=now,
            agent_gone_at=None,
            warned_at=None,
            returned=row.returned + 1,
        )
        told = {"engagement": row.engagement_id, "from": owner.pk if owner else None, "reason": reason}
        log.record(ticket, "chat_returned", by=by, **told)
        if not _is_away(ticket):
            if owner is not None and ticket.assignee_id == owner.pk:
                tickets.assign(ticket, by=by, agent=None)
            with in_their_language(row):
                name = owner.name if owner else _("The agent")
                line = _("%(agent)s had to leave. Somebody else goes on with you in a moment.") % {"agent": name}
            chats.say(row, line)
        changed(row)
        return True


def offer_gone(agent: int, chat: Chat, ticket: int, why: str) -> None:
    """On commit, take an offer off the screens of this agent: taken, passed, expired, transferred, ended, withdrawn."""
    frame = {"chat": chat.pk, "ticket": ticket, "why": why}
    transaction.on_commit(partial(live.hint, [agent], chat_offer_gone=frame), robust=True)


def wake_queue() -> None:
    """On commit, let a worker look at the queue."""
    wake.run("channels_chat.tasks.tend", [], "chat")


@contextmanager
def in_their_language(chat: Chat) -> Iterator[None]:
    """Words within are in the visitor's language, where their channel speaks it."""
    languages = config.of(chat.channel).languages
    wanted = [chat.visitor.language, chat.language, *languages]
    with translation.override(next((one for one in wanted if one in languages), languages[0])):
        yield


def changed(chat: Chat) -> None:
    """On commit: screens of agents, the visitor's pages, those who wait behind, and the queue hear of it."""
    base.announce([chat.engagement.ticket_id])
    hub.tell([chat.visitor_id, *queue.behind(chat)], [chat.engagement.ticket_id])
    hub.changed([chat.engagement.ticket_id])
    wake_queue()


def _set(chat: Chat, **values: Any) -> None:
    for name, value in values.items():
        setattr(chat, name, value)
    chat.save(update_fields=list(values))


def _show(chat: Chat, row: Chat) -> None:
    """Let the object of whoever called say what the row says."""
    for field in Chat._meta.concrete_fields:
        setattr(chat, field.attname, getattr(row, field.attname))


def _refuse_ended(chat: Chat) -> None:
    if not chat.is_live:
        raise ActionError(_("This chat is over."), "ended")


def _is_away(ticket: Ticket) -> bool:
    """Whether the ticket takes no change."""
    return ticket.status == "closed" or ticket.trashed_at is not None or ticket.merged_into_id is not None


def _seconds(since: datetime, until: datetime) -> int:
    return max(0, int((until - since).total_seconds()))
