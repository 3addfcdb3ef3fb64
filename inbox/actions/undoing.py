"""Put back what sending a message did to its ticket, as far as nobody has changed it since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Max
from django.utils import timezone

from inbox import log
from inbox.actions import base, messages, states
from inbox.adapters import AUTOMATIC
from inbox.models import Agent, DeliveryState, Direction, Event, Message, Status, Ticket

Setter = Callable[[Ticket, states.State, Agent | None], object]
KINDS = {
    "status_changed": {"status", "solved_at", "reopen_count"},
    "reopened": {"status", "solved_at", "reopen_count"},
    "snoozed": {"snoozed_until"},
    "priority_changed": {"priority"},
    "subject_changed": {"subject"},
    "tags_changed": {"tags"},
    "fields_changed": set[str](),  # it names them
    "assigned": set[str](),  # to an agent, a team or both
}


def put_back(
    ticket: Ticket, row: Message, *, by: Agent | None, macros: Setter | None = None, keep_acts: bool = False
) -> None:
    """What a reply changed of its locked ticket by being sent, and by `macros`, which sets it, what its macros did.

    What stays once is not put back later, but for what `keep_acts` says. Another ticket, into which the reply was
    moved, stays as it is; so does one in which more was said: where that has not left either, it puts all of it back.
    """
    if ticket.is_locked:
        return
    spans = row.payload.pop("since", {})
    names = ("changed",) if keep_acts else ("acts", "changed")  # the last one first
    done = {name: row.payload.pop(name) for name in names if name in row.payload}
    if keep_acts and "acts" in spans:
        row.payload["since"] = {"acts": spans["acts"]}
    if done and row.first_ticket_id == ticket.pk:
        later = _said_since(ticket, row)
        if later is None:
            began = _newest(ticket)
            if macros is None:
                done.pop("acts", None)
            for name, changed in done.items():
                touched = _touched(ticket, spans[name][1], began) if name in spans else set()
                _undo(ticket, changed, touched, macros if name == "acts" and macros else _set, by)
            row.payload["undone"] = [*(spans[name] for name in done if name in spans), [began + 1, _newest(ticket)]]
        elif later.state == DeliveryState.QUEUED and later.attempts == 0:
            _hand_on(later, done, spans)
    if done:
        row.save(update_fields=["payload"])


def _newest(ticket: Ticket) -> int:
    return Event.objects.filter(ticket=ticket).aggregate(last=Max("pk"))["last"] or 0


def _said_since(ticket: Ticket, row: Message) -> Message | None:
    """What a person said in the ticket next after this message."""
    said = Message.objects.said().conversation().filter(ticket=ticket, deleted_at__isnull=True)
    said = said.exclude(direction=Direction.NOTE).exclude(kind__in=AUTOMATIC).exclude(pk=row.pk)
    return said.filter(received_at__gt=row.received_at).order_by("received_at", "pk").first()


def _hand_on(later: Message, done: dict[str, states.Changes], spans: dict[str, list[int]]) -> None:
    """A later reply answers for what this one changed: undone as well, the ticket is as it was before both."""
    locked = Message.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=later.pk).first()
    if locked is None:  # it is leaving in this very moment
        return
    for name, mine in done.items():
        theirs = locked.payload.setdefault(name, {})
        for column, (before, after) in mine.items():
            was, became = theirs.get(column, (after, after))
            if was == after:
                theirs[column] = [before, became]
        if name in spans:
            locked.payload.setdefault("since", {}).setdefault(name, spans[name])
    locked.save(update_fields=["payload"])


def _undo(ticket: Ticket, changed: states.Changes, touched: set[str], setter: Setter, by: Agent | None) -> None:
    now = states.of(ticket, changed)
    was = {name: before for name, (before, after) in changed.items() if now[name] == after and name not in touched}
    if was:
        setter(ticket, was, by)
        ticket.refresh_from_db()


def _touched(ticket: Ticket, since: int, until: int) -> set[str]:
    """What of the ticket was changed between two lines of the log, but for what sending did that was undone itself."""
    undone = Message.objects.filter(ticket=ticket, payload__has_key="undone").values_list("payload__undone", flat=True)
    spans = [span for one in undone for span in one]
    found = set[str]()
    lines = Event.objects.filter(ticket=ticket, pk__gt=since, pk__lte=until, kind__in=KINDS).order_by("pk")
    for pk, kind, data in lines.values_list("pk", "kind", "data"):
        if any(first <= pk <= last for first, last in spans):
            continue
        found |= KINDS[kind] | set(data.get("fields", ()))
        if data.get("from") != data.get("to") and kind == "assigned":
            found.add("assignee_id")
        if data.get("team_from") != data.get("team_to"):
            found.add("team_id")
    return found


def _set(ticket: Ticket, was: states.State, by: Agent | None) -> None:
    if "status" in was:
        _status(ticket, was, by)
    fields: list[str] = []
    if "assignee_id" in was:
        agent = Agent.objects.filter(pk=was["assignee_id"]).first()
        before, ticket.assignee = ticket.assignee_id, agent
        told: dict[str, Any] = {"from": before, "to": ticket.assignee_id}
        log.record(ticket, "assigned", by=by, **told, team_from=ticket.team_id, team_to=ticket.team_id)
        fields.append("assignee")
    if "snoozed_until" in was:
        until = states.moment(was["snoozed_until"])
        ticket.snoozed_until = until if until and until > timezone.now() else None
        log.record(ticket, "snoozed", by=by, until=was["snoozed_until"] if ticket.snoozed_until else None)
        fields.append("snoozed_until")
    if fields:
        base.save(ticket, *fields)


def _status(ticket: Ticket, was: states.State, by: Agent | None) -> None:
    """As if it had not been changed: what solving and opening again count is put back, too."""
    if was["status"] == Status.OPEN:
        fields = messages.unanswered(ticket, by=by, undo=True)
    else:
        log.record(ticket, "status_changed", by=by, undo=True, **{"from": ticket.status, "to": was["status"]})
        ticket.status, fields = was["status"], ["status"]
    ticket.solved_at = states.moment(was.get("solved_at"))
    ticket.reopen_count = was.get("reopen_count", ticket.reopen_count)
    base.save(ticket, *fields, "solved_at", "reopen_count")
