"""Who is told of what: a reader of the log that turns events into notifications, and their words.

Nobody is told of their own deeds, of what they may not see, of spam, or twice of one event. A notification keeps ids;
its words are made when it is shown, for whoever may see the ticket then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import access, frames, live, log, presence, wake
from inbox.adapters import AUTOMATIC
from inbox.models import (
    ActorKind,
    Agent,
    Direction,
    Event,
    Mention,
    Message,
    Notification,
    NotificationKind,
    Ticket,
    TicketFollower,
)

KEPT = timedelta(days=90)
MAX_AGE = timedelta(days=1)  # a log read again from the start tells nobody anew
WAYS = ("page", "push", "mail")
Kind = NotificationKind

# What somebody is told who has chosen nothing.
DEFAULTS: dict[str, tuple[str, ...]] = {
    Kind.MENTION: ("page", "push", "mail"),
    Kind.ASSIGNED: ("page", "push", "mail"),
    Kind.TEAM: (),
    Kind.REPLY: ("page", "push"),
    Kind.FOLLOWED: ("page",),
    Kind.FAILED: ("page", "push", "mail"),
    Kind.UNSOLVED: ("page", "push"),
    Kind.SNOOZE: ("page", "push"),
    Kind.SIDE: ("page", "push"),
    Kind.WINDOW: ("page", "push"),
    Kind.CHAT: ("push",),  # open pages show the offer itself, for as long as it stands
}
# Of one event somebody is told once: as the first of these that fits.
ORDER = (
    Kind.MENTION,
    Kind.ASSIGNED,
    Kind.FAILED,
    Kind.UNSOLVED,
    Kind.SIDE,
    Kind.REPLY,
    Kind.SNOOZE,
    Kind.WINDOW,
    Kind.TEAM,
    Kind.CHAT,
    Kind.FOLLOWED,
)
FOLLOWED = {"message_received", "message_added", "note_added", "status_changed", "assigned"}
HEARD = FOLLOWED | {
    "side_message_received",
    "message_failed",
    "message_unknown",
    "message_cancelled",
    "snoozed",
    "ticket_created",
    "not_solved",
    "chat_offered",
    "window_closes",
}


# Whoever has the ticket before their eyes sees these without being told.
SEEN = {Kind.REPLY, Kind.FOLLOWED}
SPOKEN = {"message_received", "message_added", "note_added"}


def ways(agent: Agent, kind: str) -> tuple[str, ...]:
    """How this agent wants to be told of this kind: any of "page", "push" and "mail"."""
    chosen = agent.notify.get(kind) if isinstance(agent.notify, dict) else None
    return tuple(way for way in WAYS if way in chosen) if isinstance(chosen, list) else DEFAULTS[kind]


@dataclass
class Around:
    """What the rows say of a batch of events."""

    tickets: Mapping[int, Ticket]
    messages: Mapping[int, Message]
    mentions: Mapping[int, list[int]] = field(default_factory=dict)  # by message
    followers: Mapping[int, list[int]] = field(default_factory=dict)  # by ticket
    members: Mapping[int, list[int]] = field(default_factory=dict)  # by team
    snoozed: Mapping[int, int] = field(default_factory=dict)  # by ticket: who put it away last
    handed_on: Mapping[int, list[Event]] = field(default_factory=dict)  # by ticket: since the first of these events

    def owner(self, event: Event) -> int | None:
        """Whose the ticket was when it happened: this log may be read some seconds later."""
        later = (one for one in self.handed_on.get(event.ticket_id or 0, ()) if one.pk > event.pk)
        first = next(later, None)
        return first.data.get("from") if first is not None else self.tickets[event.ticket_id or 0].assignee_id


def _grouped(rows: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for key, value in rows:
        found[key].append(value)
    return found


def _around(events: Sequence[Event]) -> Around:
    numbers = {event.ticket_id for event in events if event.ticket_id is not None}
    ids = {event.data["message"] for event in events if isinstance(event.data.get("message"), int)}
    tickets = Ticket.objects.select_related("customer").in_bulk(numbers)
    teams = {event.data.get("team_to") for event in events} | {ticket.team_id for ticket in tickets.values()}
    back = {event.ticket_id for event in events if _is_back(event)}
    handed_on: dict[int, list[Event]] = defaultdict(list)
    for one in Event.objects.filter(
        ticket__in=numbers, kind="assigned", pk__gte=min(event.pk for event in events)
    ).order_by("pk"):
        handed_on[one.ticket_id or 0].append(one)
    put_away = Event.objects.filter(ticket__in=back, kind="snoozed", actor_kind=ActorKind.AGENT).order_by("pk")
    return Around(
        tickets,
        Message.objects.select_related("side").in_bulk(ids),
        _grouped(Mention.objects.filter(message__in=ids).values_list("message_id", "agent_id")),
        _grouped(TicketFollower.objects.filter(ticket__in=numbers).values_list("ticket_id", "agent_id")),
        _grouped(Agent.objects.filter(teams__in=[one for one in teams if one]).values_list("teams", "pk")),
        {ticket: who for ticket, who in put_away.values_list("ticket_id", "actor_id") if ticket and who},  # the last
        handed_on,
    )


def _is_back(event: Event) -> bool:
    return event.kind == "snoozed" and not event.data.get("until") and event.actor_kind != ActorKind.AGENT


def _told(event: Event, around: Around) -> Iterable[tuple[str, int]]:
    """(kind, agent) for all whom an event concerns."""
    data = event.data
    ticket = around.tickets[event.ticket_id or 0]
    message = around.messages.get(data.get("message", 0))
    match event.kind:
        case "note_added" if message is not None:
            yield from ((Kind.MENTION, agent) for agent in around.mentions.get(message.pk, ()))
        case "assigned" if data.get("to") != data.get("from") and data.get("to"):
            yield Kind.ASSIGNED, data["to"]
        case "assigned" if data.get("team_to") and data.get("team_to") != data.get("team_from"):
            yield from ((Kind.TEAM, agent) for agent in around.members.get(data["team_to"], ()))
        case "ticket_created" if ticket.team_id and not ticket.assignee_id:
            yield from ((Kind.TEAM, agent) for agent in around.members.get(ticket.team_id, ()))
        case "message_received" if message is not None and message.kind not in AUTOMATIC:
            if owner := around.owner(event):
                yield Kind.REPLY, owner
        case "side_message_received" if message is not None and message.side is not None:
            yield from ((Kind.SIDE, who) for who in {message.side.created_by_id, around.owner(event)} if who)
        case "message_failed" | "message_unknown" if message is not None and message.direction == Direction.OUT:
            if message.agent_id:
                yield Kind.FAILED, message.agent_id
        case "message_cancelled" if message is not None and message.agent_id and data.get("cause") != message.agent_id:
            yield Kind.FAILED, message.agent_id
        case "not_solved" if message is not None and message.agent_id:
            yield Kind.UNSOLVED, message.agent_id
        case "chat_offered" if data.get("to"):
            yield Kind.CHAT, data["to"]
        case "window_closes":
            if owner := around.owner(event):
                yield Kind.WINDOW, owner
        case "snoozed" if _is_back(event):
            if who := around.snoozed.get(ticket.pk) or around.owner(event):
                yield Kind.SNOOZE, who
    if event.kind in FOLLOWED and (message is None or message.kind not in AUTOMATIC):
        yield from ((Kind.FOLLOWED, agent) for agent in around.followers.get(ticket.pk, ()))


@log.register_batch("notify")
def tell(events: list[Event]) -> None:
    """Write the notifications of these events."""
    now = timezone.now()
    fresh = [one for one in events if one.kind in HEARD and one.ticket_id is not None and now - one.at < MAX_AGE]
    if not fresh:
        return
    around = _around(fresh)
    wanted: dict[tuple[int, int], tuple[str, Event]] = {}
    for event in fresh:
        ticket = around.tickets.get(event.ticket_id or 0)
        if ticket is None:
            continue
        if (ticket.spam or ticket.trashed_at is not None) and event.kind != "message_cancelled":
            continue
        for kind, agent in _told(event, around):
            if event.actor_kind == ActorKind.AGENT and event.actor_id == agent:
                continue
            key = (agent, event.pk)
            if key not in wanted or ORDER.index(Kind(kind)) < ORDER.index(Kind(wanted[key][0])):
                wanted[key] = (kind, event)
    agents = {one.pk: one for one in frames.with_sight({pk for pk, _event in wanted}) if not one.is_bot}
    rows = [
        row
        for (pk, _event), (kind, event) in wanted.items()
        if pk in agents and (row := _row(agents[pk], kind, event, around)) is not None
    ]
    if not rows:
        return
    _leave_in_peace(rows, {event.pk for _kind, event in wanted.values() if event.kind in SPOKEN})
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    people = sorted({row.agent_id for row in rows if row.read_at is None})
    transaction.on_commit(partial(live.hint, people, notifications=1), robust=True)
    if any(row.push_due for row in rows):
        wake.run("inbox.tasks.push", [], "email")


def _row(agent: Agent, kind: str, event: Event, around: Around) -> Notification | None:
    """What this agent is told of this event; None where they chose not to be, or may not see the ticket."""
    chosen = ways(agent, kind)
    ticket = around.tickets[event.ticket_id or 0]
    if not chosen or not access.sees(agent, ticket):
        return None
    return Notification(
        agent=agent,
        kind=kind,
        ticket=ticket,
        message=around.messages.get(event.data.get("message", 0)),
        by_id=event.actor_id if event.actor_kind == ActorKind.AGENT else None,
        event=event.pk,
        created_at=event.at,
        read_at=None if "page" in chosen else timezone.now(),
        push_due="push" in chosen,
        mail_due="mail" in chosen,
    )


def _leave_in_peace(rows: Iterable[Notification], spoken: Collection[int]) -> None:
    """What was said before somebody's eyes is listed as read: no number, no notice, no push, no mail."""
    fitting = [one for one in rows if one.kind in SEEN and one.event in spoken]
    if not fitting:
        return
    here, now = presence.now(), timezone.now()
    for row in fitting:
        if here.looks_at(row.agent_id, row.ticket_id):
            row.read_at, row.push_due, row.mail_due = row.read_at or now, False, False


def title(kind: str, by: str, customer: str) -> str:
    """What happened, in one line; `by` is the colleague who did it, empty for nobody, `customer` who wrote."""
    who = by or _("Somebody")
    match kind:
        case Kind.MENTION:
            return _("%(who)s mentioned you") % {"who": who}
        case Kind.ASSIGNED:
            return _("%(who)s gave you a ticket") % {"who": who} if by else _("A ticket was given to you")
        case Kind.TEAM:
            return _("A ticket for your team")
        case Kind.REPLY:
            return _("%(who)s answered") % {"who": customer or _("The customer")}
        case Kind.FAILED:
            return _("Your message was not delivered")
        case Kind.UNSOLVED:
            return _("Your reply left, but its ticket is not solved: fields are empty")
        case Kind.SNOOZE:
            return _("Back from snooze")
        case Kind.WINDOW:
            return _("Answer soon: in less than an hour the messenger takes no free answer any more")
        case Kind.SIDE:
            return _("An answer in a side conversation")
        case Kind.CHAT:
            return _("A chat waits for you")
    return _("Something happened on a ticket that you follow")


def shown(agent: Agent, *, most: int = 40, before: int | None = None, after: int | None = None) -> list[Notification]:
    """This agent's newest notifications of tickets they may see, each with `title`; 1 query.

    `before` and `after` are ids: those older, or newer.
    """
    found = Notification.objects.filter(agent=agent, ticket__in=access.tickets(agent))
    if before is not None:
        found = found.filter(pk__lt=before)
    if after is not None:
        found = found.filter(pk__gt=after)
    rows = list(found.select_related("ticket", "ticket__customer", "by").order_by("-pk")[:most])
    for row in rows:
        row.title = title(row.kind, str(row.by) if row.by else "", row.ticket.customer.name)  # type: ignore[attr-defined]
    return rows


def unread(agent: Agent, most: int = 100) -> int:
    """How many are unread of tickets that this agent sees, counted to `most`."""
    theirs = Notification.objects.filter(agent=agent, ticket__in=access.tickets(agent))
    return theirs.filter(read_at__isnull=True)[:most].count()


def prune() -> int:
    """Forget notifications past their age."""
    return Notification.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]
