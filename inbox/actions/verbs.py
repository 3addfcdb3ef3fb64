"""What can be done to many tickets at once: one row for each verb.

`VERBS["assign"]` says who may, what its argument means, how one ticket is changed, and how it is put back. To add one,
add a row: screens, jobs and undo read this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import access, log, seen, spoken
from inbox.actions import attention, base, merge, states, tickets, trash
from inbox.actions.errors import ActionError
from inbox.actions.states import State
from inbox.models import Agent, Priority, Status, Team, Ticket, TicketFollower
from inbox.rights import Right

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def same(argument: str) -> str:
    return argument


def unsaid(argument: str) -> str:
    return ""


def nothing(agent: Agent, argument: str) -> None:
    """The verb takes no argument."""


@dataclass(frozen=True)
class Verb:
    """`means` turns the argument into what `do` takes, and is asked again for each batch: it raises ActionError where
    this agent may not do that, or no longer. `fixed` is the argument as it holds for the whole job.

    `state` is what is compared and put back: `back` restores it. A verb that is `alone` locks more than its ticket, and
    gets a transaction for each. What is only the agent's own is done to `many` at once, so that their pages are told
    once; its state is {"is": the argument that makes it so}.
    """

    label: StrOrPromise
    do: Callable[[Ticket, Any, Agent], Ticket]
    state: Callable[[Ticket, Agent], State]
    back: Callable[[Ticket, State, Agent], object]
    means: Callable[[Agent, str], Any] = nothing
    fixed: Callable[[str], str] = same
    right: Right = Right.ANSWER
    alone: bool = False
    whole: bool = True  # whether it can be done to all that match, unseen
    many: Callable[[Agent, list[int], str], None] | None = None
    says: Callable[[str], StrOrPromise] = unsaid  # the argument, where it has a name that people know


def fields(*names: str) -> Callable[[Ticket, Agent], State]:
    """The state that these columns of the ticket make."""

    return lambda ticket, agent: states.of(ticket, names)


def _number(argument: str) -> int | None:
    if argument and not (argument.isascii() and argument.isdigit() and len(argument) < 19):
        raise ActionError(_("There is no such choice."), "argument")
    return int(argument) if argument else None


def _agent(agent: Agent, argument: str) -> Agent | None:
    pk = _number(argument)
    found = access.agents(agent).filter(pk=pk).first() if pk else None
    if pk and found is None:
        raise ActionError(_("Tickets cannot be given to this person."), "agent")
    return found


def _team(agent: Agent, argument: str) -> Team | None:
    pk = _number(argument)
    found = access.teams(agent).filter(pk=pk).first() if pk else None
    if pk and found is None:
        raise ActionError(_("There is no such team, or you may not see it."), "team")
    return found


def _one_of(choices: list[str]) -> Callable[[Agent, str], str]:
    def means(agent: Agent, argument: str) -> str:
        if argument not in choices:
            raise ActionError(_("There is no such choice."), "argument")
        return argument

    return means


def _names(agent: Agent, argument: str) -> list[str]:
    names = [" ".join(name.split()).removeprefix("#") for name in argument.replace("،", ",").split(",")]
    if not any(names):
        raise ActionError(_("Name a tag first."), "argument")
    return [name for name in names if name]


def _moment(agent: Agent, argument: str) -> datetime | None:
    until = parse_datetime(argument) if argument else None
    if argument and (until is None or until.tzinfo is None):
        raise ActionError(_("There is no such choice."), "argument")
    return until


AWAKE = "awake"  # the argument that ends a snooze


def _until(argument: str) -> str:
    """A time in words as the moment that it means now, in the zone of the page; nothing for AWAKE."""
    if argument == AWAKE:
        return ""
    if not argument.strip():
        raise ActionError(_("Say until when."), "argument")
    until = spoken.understand(argument, timezone.now(), timezone.get_current_timezone())
    if until is None:
        said = _("“%(text)s” is no time to come. Try “tomorrow 9” or “next monday”.")
        raise ActionError(said % {"text": argument[: spoken.LONGEST]}, "argument")
    return until.isoformat()


def _target(agent: Agent, argument: str) -> Ticket:
    number = _number(argument.strip().removeprefix("#"))
    found = access.tickets(agent).filter(pk=number).first() if number else None
    if found is None:
        raise ActionError(_("There is no such ticket, or you may not see it."), "into")
    return found


def _give_back(ticket: Ticket, was: State, by: Agent) -> object:
    return tickets.assign(
        ticket,
        by=by,
        agent=Agent.objects.filter(pk=was["assignee_id"]).first(),
        team=Team.objects.filter(pk=was["team_id"]).first(),
    )


def _status_back(ticket: Ticket, was: State, by: Agent) -> object:
    """As if it had not been changed: what solving and opening again count is put back, too."""
    with base.locked(ticket) as row:
        log.record(row, "status_changed", by=by, undo=True, **{"from": row.status, "to": was["status"]})
        for name, value in was.items():
            setattr(row, name, states.moment(value) if name.endswith(("_at", "_since", "_until")) else value)
        base.save(row, *was)
    return row


def _snooze_back(ticket: Ticket, was: State, by: Agent) -> object:
    until = states.moment(was["snoozed_until"])
    with transaction.atomic():
        row = tickets.snooze(ticket, until if until and until > timezone.now() else None, by=by)
        row.woke_at = states.moment(was.get("woke_at"))  # it had come back, and waits as it did
        base.save(row, "woke_at")
    return row


def _add_tags(ticket: Ticket, names: list[str], by: Agent) -> Ticket:
    return tickets.set_tags(ticket, [*ticket.tags, *names], by=by)


def _remove_tags(ticket: Ticket, names: list[str], by: Agent) -> Ticket:
    gone = {name.casefold() for name in names}
    return tickets.set_tags(ticket, [name for name in ticket.tags if name.casefold() not in gone], by=by)


def _merge(ticket: Ticket, into: Ticket, by: Agent) -> Ticket:
    if ticket.pk != into.pk:
        merge.merge(ticket, into, by=by)
        ticket.refresh_from_db()
    return ticket


def _unmerge(ticket: Ticket, was: State, by: Agent) -> object:
    return merge.unmerge(ticket, by=by)


def _reads(ticket: Ticket, agent: Agent) -> State:
    [until] = seen.until(agent, [ticket.pk]).values()
    return {"is": "no" if float(seen.moment(ticket.last_message_at)) > float(until) else "yes"}


def _read(agent: Agent, numbers: list[int], read: str) -> None:
    (attention.mark_read if read == "yes" else attention.mark_unread)(agent, numbers)


def _follows(ticket: Ticket, agent: Agent) -> State:
    return {"is": "yes" if TicketFollower.objects.filter(agent=agent, ticket=ticket).exists() else "no"}


def _alone(ticket: Ticket, value: Any, by: Agent) -> Ticket:
    raise NotImplementedError("done to many at once")


OWNERS = fields("assignee_id", "team_id")
TAGS = fields("tags")
SPAM = fields("spam", "status", "solved_at", "snoozed_until", "reopen_count")


def _spam_back(ticket: Ticket, was: State, by: Agent) -> object:
    row = tickets.set_spam(ticket, was["spam"], by=by, afresh=False)
    before = {name: value for name, value in was.items() if name != "spam"}
    if was["spam"] and SPAM(row, by) != was:  # it had come out as if it were new
        _status_back(row, before, by)
    return row


def _tags_back(ticket: Ticket, was: State, by: Agent) -> object:
    return tickets.set_tags(ticket, was["tags"], by=by)


VERBS: dict[str, Verb] = {
    "assign": Verb(
        gettext_lazy("Assign"),
        lambda ticket, agent, by: tickets.assign(ticket, by=by, agent=agent),
        OWNERS, _give_back, _agent,
    ),
    "team": Verb(
        gettext_lazy("Team"),
        lambda ticket, team, by: tickets.assign(ticket, by=by, team=team),
        OWNERS, _give_back, _team,
    ),
    "status": Verb(
        gettext_lazy("Status"),
        lambda ticket, status, by: tickets.set_status(ticket, status, by=by),
        fields("status", "solved_at", "waiting_since", "snoozed_until", "woke_at", "reopen_count"),
        _status_back, _one_of([value for value in Status.values if value != Status.CLOSED]),
        says=lambda status: Status(status).label,
    ),
    "priority": Verb(
        gettext_lazy("Priority"),
        lambda ticket, priority, by: tickets.set_priority(ticket, priority, by=by),
        fields("priority"),
        lambda ticket, was, by: tickets.set_priority(ticket, was["priority"], by=by),
        _one_of(list(Priority.values)), says=lambda priority: Priority(priority).label,
    ),
    "tag": Verb(gettext_lazy("Add tags"), _add_tags, TAGS, _tags_back, _names),
    "untag": Verb(gettext_lazy("Remove tags"), _remove_tags, TAGS, _tags_back, _names),
    "snooze": Verb(
        gettext_lazy("Snooze"),
        lambda ticket, until, by: tickets.snooze(ticket, until, by=by),
        fields("snoozed_until", "woke_at"), _snooze_back, _moment, _until,
    ),
    "spam": Verb(
        gettext_lazy("Spam"),
        lambda ticket, spam, by: tickets.set_spam(ticket, spam == "yes", by=by),
        SPAM, _spam_back, _one_of(["yes", "no"]), alone=True,
    ),
    "trash": Verb(
        gettext_lazy("Trash"),
        lambda ticket, away, by: (trash.trash if away == "yes" else trash.restore)(ticket, by=by),
        fields("trashed_at"),
        lambda ticket, was, by: (trash.trash if was["trashed_at"] else trash.restore)(ticket, by=by),
        _one_of(["yes", "no"]), alone=True,
    ),
    "merge": Verb(
        gettext_lazy("Merge"), _merge, fields("merged_into_id"), _unmerge, _target, alone=True, whole=False
    ),
    "follow": Verb(
        gettext_lazy("Follow"),
        _alone, _follows, _alone, _one_of(["yes", "no"]), right=Right.NOTE, many=attention.follow_many,
    ),
    "read": Verb(
        gettext_lazy("Read"),
        _alone, _reads, _alone, _one_of(["yes", "no"]), right=Right.NOTE, many=_read,
    ),
}  # fmt: skip
