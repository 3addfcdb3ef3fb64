"""Put back what sending a message did to its ticket, as far as nobody has changed it since."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from inbox import log
from inbox.actions import base, messages, states, tickets
from inbox.models import Agent, Message, Status, Team, Ticket


def put_back(ticket: Ticket, row: Message, *, by: Agent | None, acts: bool) -> None:
    """What a reply changed of its locked ticket by being sent, and with `acts` what its macros did.

    Another ticket, into which it was moved, stays as it is.
    """
    if ticket.is_locked:
        return
    done = [row.payload.pop("acts", {}) if acts else {}, row.payload.pop("changed", {})]  # the last one first
    if any(done):
        row.save(update_fields=["payload"])
    for changed in done if row.first_ticket_id == ticket.pk else ():
        now = states.of(ticket, changed)
        was = {name: before for name, (before, after) in changed.items() if now[name] == after}
        if was:
            _set(ticket, was, by)
            ticket.refresh_from_db()


def _set(ticket: Ticket, was: states.State, by: Agent | None) -> None:
    if "status" in was:
        _status(ticket, was, by)
    owners: dict[str, Any] = {}
    if "assignee_id" in was:
        owners["agent"] = Agent.objects.filter(pk=was["assignee_id"]).first()
    if "team_id" in was:
        owners["team"] = Team.objects.filter(pk=was["team_id"]).first()
    if owners:
        tickets.assign(ticket, by=by, **owners)
    if "priority" in was:
        tickets.set_priority(ticket, was["priority"], by=by)
    if "subject" in was:
        tickets.set_subject(ticket, was["subject"], by=by)
    if "tags" in was:
        tickets.set_tags(ticket, was["tags"], by=by)
    if fields := {name: value for name, value in was.items() if name in tickets.FIELDS}:
        if "due_at" in fields:
            fields["due_at"] = states.moment(fields["due_at"])
        tickets.set_fields(ticket, by=by, **fields)
    if "snoozed_until" in was:
        until = states.moment(was["snoozed_until"])
        tickets.snooze(ticket, until if until and until > timezone.now() else None, by=by)


def _status(ticket: Ticket, was: states.State, by: Agent | None) -> None:
    """As if it had not been changed: what solving and opening again count is put back, too."""
    if was["status"] == Status.OPEN:
        fields = messages.unanswered(ticket, by=by)
    else:
        log.record(ticket, "status_changed", by=by, undo=True, **{"from": ticket.status, "to": was["status"]})
        ticket.status, fields = was["status"], ["status"]
    ticket.solved_at = states.moment(was.get("solved_at"))
    ticket.reopen_count = was.get("reopen_count", ticket.reopen_count)
    base.save(ticket, *fields, "solved_at", "reopen_count")
