"""What macros do to a ticket: with the reply that they came with, or at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from inbox import access, log, variables
from inbox.actions import base, tickets
from inbox.actions.errors import ActionError
from inbox.actions.reply import note
from inbox.models import Agent, Macro, Team, Ticket

Action = dict[str, Any]


def status_of(macros: Sequence[Macro]) -> str | None:
    """The status that these macros end in: a reply sets it by its own rules, so that taking it back undoes it, too."""
    wanted = [str(one["to"]) for macro in macros for one in macro.actions if one.get("set") == "status"]
    return wanted[-1] if wanted else None


def apply(ticket: Ticket, macros: Sequence[Macro], *, by: Agent, status: bool = True) -> Ticket:
    """Do all that these macros say, in one transaction: all of it, or nothing (ActionError says why).

    `by` must be allowed to change the ticket. Without `status`, the status is left to the reply they come with; else it
    comes last: solving asks for fields that a macro may fill.
    """
    with base.locked(ticket) as row:
        for macro in macros:
            for action in macro.actions:
                if action.get("set") != "status":
                    _do(row, action, by)
            log.record(row, "macro_applied", by=by, macro=macro.pk)
        if status and (to := status_of(macros)):
            tickets.set_status(row, to, by=by)
    row.refresh_from_db()
    return row


def _do(ticket: Ticket, action: Action, by: Agent) -> None:
    name, to = str(action.get("set")), action.get("to")
    match name:
        case "priority":
            tickets.set_priority(ticket, str(to), by=by)
        case "assignee":
            tickets.assign(ticket, by=by, agent=_agent(to, by))
        case "team":
            tickets.assign(ticket, by=by, team=_team(to, by))
        case "tags" | "add_tags" | "remove_tags":
            tickets.set_tags(ticket, _tags(ticket, name, [str(one) for one in to or []]), by=by)
        case "subject":
            tickets.set_subject(ticket, str(to), by=by)
        case "spam":
            tickets.set_spam(ticket, bool(to), by=by)
        case "snooze":
            tickets.snooze(ticket, timezone.now() + timedelta(hours=int(to or 0)), by=by)
        case "snoozed_until":
            tickets.snooze(ticket, _time(to), by=by)
        case "note":
            _note(ticket, str(to), by)
        case _ if name in tickets.FIELDS:
            tickets.set_fields(ticket, by=by, **{name: _time(to) if name == "due_at" else to})
        case _:
            raise ActionError(
                _("This macro does something that is not known here: %(what)s.") % {"what": name}, "macro"
            )


def _note(ticket: Ticket, text: str, by: Agent) -> None:
    row = Ticket.objects.select_related("customer__organisation", "team", "reply_channel__brand").get(pk=ticket.pk)
    note(ticket, by=by, text=variables.render(text, variables.values(row, by, row.reply_channel)).text)


def _tags(ticket: Ticket, name: str, tags: list[str]) -> list[str]:
    now = Ticket.objects.values_list("tags", flat=True).get(pk=ticket.pk)
    if name == "add_tags":
        return [*now, *tags]
    return [tag for tag in now if tag not in tags] if name == "remove_tags" else tags


def _time(to: Any) -> datetime | None:
    return parse_datetime(str(to)) if to else None


def _agent(to: Any, by: Agent) -> Agent | None:
    if to in (None, ""):
        return None
    if to == "me":
        return by
    found = access.agents(by).filter(pk=int(to)).first() if str(to).isdecimal() else None
    if found is None:
        raise ActionError(_("The macro gives the ticket to somebody who is no longer here."), "macro")
    return found


def _team(to: Any, by: Agent) -> Team | None:
    if to in (None, ""):
        return None
    found = access.teams(by).filter(Q(slug=str(to)) | Q(pk=int(to)) if str(to).isdecimal() else Q(slug=str(to))).first()
    if found is None:
        raise ActionError(_("The macro gives the ticket to a team that is no longer there."), "macro")
    return found


def wanted(agent: Agent, ids: Sequence[int]) -> list[Macro]:
    """Macros that somebody names, in their order. Raises ActionError where one is gone, or never was theirs."""
    try:
        return [access.get_kept(Macro, agent, pk) for pk in dict.fromkeys(ids)]
    except Http404:
        raise ActionError(_("A macro is no longer there; take it away and choose again."), "macro") from None
