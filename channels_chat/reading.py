"""What the room asks the database, and what it writes down for its pages: synchronous, a few queries for many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Min, Q
from django.utils import timezone, translation

from channels_chat import config, history, hub, lines, patience
from channels_chat.models import LIVE, Chat, Visitor
from inbox import access, frames
from inbox.models import Agent, Direction, Message, Ticket

LOOK_BACK = timedelta(seconds=20)  # longer than a transaction takes from its clock to its commit
SILENT = timedelta(seconds=90)  # after which a visitor of whom no process says anything is gone


@dataclass(slots=True)
class News:
    """What one visitor is told: messages as they go over the wire, how their chat stands, whether they still exist."""

    exists: bool = True
    messages: list[dict[str, Any]] = field(default_factory=list)
    chat: dict[str, Any] | None = None


def news_of(known: Mapping[int, tuple[int, Collection[int]]]) -> dict[int, News]:
    """What is new for these visitors (ids), each with the newest message that all their pages have, and the ids of
    those that they were told lately.
    """
    rows = {one.pk: one for one in Visitor.objects.filter(pk__in=known).select_related("channel")}
    back = [one.pk for one in rows.values() if one.gone_at is not None]
    if back:  # another process took them for gone: their page is here
        returned(back)
    found: dict[int, News] = {}
    for pk, (after, told) in known.items():
        visitor = rows.get(pk)
        if visitor is None or visitor.ended_at is not None:
            found[pk] = News(exists=False)
            continue
        channel, language = visitor.channel, visitor.language
        with translation.override(language_of(visitor)):
            messages = history.wire(history.of(visitor, after=after, told=told), channel, language)
            found[pk] = News(True, messages, history.state(history.newest(visitor), channel, language))
    return found


def language_of(visitor: Visitor) -> str:
    """The language that Rabta's own words to this visitor are in."""
    languages = config.of(visitor.channel).languages
    return visitor.language if visitor.language in languages else languages[0]


def lately(visitors: set[int], tickets: set[int]) -> tuple[dict[int, datetime], list[tuple[int, int]]]:
    """Tickets of these, or that these visitors chat in, that changed in the last seconds, and when; and who of the
    visitors chats in which of them: found though nobody told of it.
    """
    since = timezone.now() - LOOK_BACK
    changed = dict(
        Ticket.objects.filter(updated_at__gt=since)
        .filter(Q(pk__in=tickets) | Q(engagements__chat__visitor__in=visitors))
        .values_list("pk", "updated_at")
    )
    talks = Chat.objects.filter(visitor__in=visitors, engagement__ticket__in=changed)
    return changed, list(talks.values_list("visitor", "engagement__ticket")) if changed else []


def connected(visitors: Iterable[int]) -> None:
    """Note that pages of these visitors are connected; a process that dies says nothing more."""
    now, rows = timezone.now(), Visitor.objects.filter(pk__in=sorted(visitors))
    with transaction.atomic():  # whoever is held by somebody is here, too, and noted next time
        free = rows.order_by("pk").select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)
        Visitor.objects.filter(pk__in=list(free)).update(last_seen_at=now)
    returned(Visitor.objects.filter(pk__in=sorted(visitors), gone_at__isnull=False).values_list("pk", flat=True))


@patience.bounded
def left(visitors: Iterable[int], asked_at: datetime) -> None:
    """No page of these visitors is connected to this process any more, and the others were asked at that time."""
    from channels_chat.actions import presence

    presence.left(visitors, asked_at)


@patience.bounded
def returned(visitors: Iterable[int]) -> None:
    """Pages of these visitors, who were gone, are connected again."""
    from channels_chat.actions import presence

    for one in visitors:
        presence.back(one)


def lines_of(
    known: Mapping[int, int], ways: set[tuple[int, str]], have: Mapping[int, Collection[int]]
) -> dict[tuple[int, int, str], list[dict[str, Any]] | None]:
    """New lines of tickets, each after the id it is known up to and without those that they have, rendered for agents
    in their languages: {(ticket, agent, language): lines}; a ticket that an agent does not see is missing.
    """
    sees = frames.who_sees(set(known), {agent for agent, _language in ways})
    behind = Q()
    for ticket, after in known.items():
        behind |= Q(ticket=ticket, pk__gt=after)
    rows: dict[int, list[Message]] = defaultdict(list)
    theirs = [pk for ids in have.values() for pk in ids]
    for row in lines.said(Message.objects.filter(behind).exclude(pk__in=theirs)).order_by("pk"):
        rows[row.ticket_id].append(row)
    made: dict[tuple[int, str], list[dict[str, Any]]] = {}
    found: dict[tuple[int, int, str], list[dict[str, Any]] | None] = {}
    for agent, language in ways:
        for ticket in sees.get(agent, frozenset()):
            if (ticket, language) not in made:
                with translation.override(language):
                    made[ticket, language] = [
                        {"id": one.pk, "dir": one.direction, "cid": one.cid, "html": lines.html(one)}
                        for one in lines.of(rows[ticket][-lines.MOST :])
                    ]
            found[ticket, agent, language] = made[ticket, language]
    return found


def since(known: Mapping[int, int]) -> dict[int, int]:
    """Where desks go on that know these tickets up to these messages: a little earlier. Their own lines are
    acknowledged at once, before those that came just before them are told.
    """
    times = dict(Message.objects.filter(pk__in=known.values()).values_list("pk", "created_at"))
    late = Q()
    for ticket, message in known.items():
        if message in times:
            late |= Q(ticket=ticket, pk__lte=message, created_at__gt=times[message] - history.LATE)
    if not late:
        return dict(known)
    first = dict(Message.objects.filter(late).values("ticket").values_list("ticket", Min("pk")))
    return {ticket: min(message, first.get(ticket, message + 1) - 1) for ticket, message in known.items()}


@patience.bounded
def seen_by_visitor(visitor: int, delivered: int, read: int) -> None:
    """The visitor's page has what we wrote up to the message `delivered`, and shows it up to `read`."""
    from inbox.actions import messages

    person = Visitor.objects.filter(pk=visitor).first()
    if person is None:
        return
    _own, tickets = history.tickets_of(person)
    mine = Message.objects.filter(
        history.said_to(person), ticket__in=tickets, channel=person.channel_id, direction=Direction.OUT
    )
    told: set[int] = set()
    for upto, states, state in ((read, ["sent", "delivered"], "read"), (delivered, ["sent"], "delivered")):
        if upto and (state == "read" or delivered > read):
            rows = dict(mine.filter(pk__lte=upto, state__in=states).values_list("pk", "ticket"))
            messages.reported(list(rows), state)
            told.update(rows.values())
    if told:
        hub.shown(told, max(delivered, read), read)


@patience.bounded
def seen_by(agent: int, ticket: int, message: int) -> int | None:
    """An agent has read what the visitor wrote up to this message; the visitor's id, where that is news."""
    person = Agent.objects.filter(pk=agent, is_active=True).first()
    if person is None or not access.tickets(person).filter(pk=ticket).exists():
        return None
    chat = Chat.objects.filter(LIVE, engagement__ticket=ticket, seen_id__lt=message).order_by("-pk").first()
    if chat is None:
        return None
    Chat.objects.filter(pk=chat.pk, seen_id__lt=message).update(seen_id=message)
    return chat.visitor_id


def ticket_of(visitor: int) -> int | None:
    """The ticket that this visitor chats in now."""
    found = Chat.objects.filter(LIVE, visitor=visitor).values_list("engagement__ticket", flat=True)
    return found.first()
