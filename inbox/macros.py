"""Macros as people meet them: which are offered, in which order, what they say, and what they do in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from inbox import access, directory, variables
from inbox.models import Agent, Channel, Macro, Priority, Status, Ticket
from lib import html
from lib.language import language_name

MOST = 500
Action = dict[str, Any]


@dataclass
class Offered:
    """One macro for one ticket: its words with the variables filled in, and what it does."""

    macro: Macro
    text: str
    html: str
    gaps: list[str] = field(default_factory=list)
    deeds: list[str] = field(default_factory=list)
    fits: bool = False  # it is in the customer's language

    @property
    def preview(self) -> str:
        return self.html or html.from_text(self.text, links=False)

    @property
    def language(self) -> str:
        return language_name(self.macro.language, own=True)


def language_of(ticket: Ticket) -> str:
    """The language to answer in: that of the ticket, else the customer's."""
    return (ticket.language or ticket.customer.language or "").partition("-")[0]


def offered(agent: Agent, ticket: Ticket, channel: Channel | None = None) -> list[Offered]:
    """Every macro of this agent, filled in: those in the customer's language first, then those in none, by name."""
    found = access.kept(Macro, agent).select_related("team").order_by("name", "pk")[:MOST]
    values = variables.values(ticket, agent, channel or ticket.reply_channel)
    wanted = language_of(ticket)
    out = [fill(macro, values, agent, wanted) for macro in found]
    return sorted(out, key=lambda one: 0 if one.fits else 1 if not one.macro.language else 2)


def fill(macro: Macro, values: dict[str, str], agent: Agent, wanted: str = "") -> Offered:
    text = variables.render(macro.text, values)
    markup = variables.render_html(macro.html, values) if macro.html else None
    return Offered(
        macro,
        text.text,
        html.simple(markup.text) if markup else "",
        markup.gaps if markup else text.gaps,
        deeds(macro.actions, agent),
        bool(wanted) and macro.language.partition("-")[0] == wanted,
    )


def deeds(actions: Iterable[Action], agent: Agent) -> list[str]:
    """What actions do, each in a few words."""
    return [words for action in actions if (words := deed(action, agent))]


def deed(action: Action, agent: Agent) -> str:
    name, to = str(action.get("set")), action.get("to")
    match name:
        case "status":
            return _("Status: %(status)s") % {"status": _label(Status, to)}
        case "priority":
            return _("Priority: %(priority)s") % {"priority": _label(Priority, to)}
        case "assignee":
            return _("Assignee: %(name)s") % {"name": _assignee(to, agent)}
        case "team":
            return _("Team: %(name)s") % {"name": _team(to, agent)}
        case "tags":
            return _("Tags: %(tags)s") % {"tags": _listed(to)}
        case "add_tags":
            return _("Add tags: %(tags)s") % {"tags": _listed(to)}
        case "remove_tags":
            return _("Take tags away: %(tags)s") % {"tags": _listed(to)}
        case "snooze":
            return _("Snooze for %(hours)s hours") % {"hours": to}
        case "snoozed_until":
            at = parse_datetime(str(to)) if to else None
            return (
                _("Snooze until %(time)s") % {"time": date_format(localtime(at), "DATETIME_FORMAT")}
                if at
                else _("End the snooze")
            )
        case "note":
            return _("Note: %(text)s") % {"text": " ".join(str(to).split())[:120]}
        case "spam":
            return _("Mark as spam") if to else _("Not spam")
    return f"{name}: {'' if to is None else to}"


def _label(choices: type[Status] | type[Priority], value: Any) -> str:
    return str(choices(value).label) if value in choices.values else str(value)


def _listed(to: Any) -> str:
    return ", ".join(str(one) for one in to) if isinstance(to, Sequence) and not isinstance(to, str) else str(to)


def _assignee(to: Any, agent: Agent) -> str:
    if to in (None, ""):
        return _("nobody")
    if to == "me":
        return _("whoever applies it")
    return directory.of(agent).names.get(int(to), _("somebody who is gone")) if str(to).isdecimal() else str(to)


def _team(to: Any, agent: Agent) -> str:
    if to in (None, ""):
        return _("none")
    found = (one.name for one in directory.of(agent).teams if str(to) in {one.slug, str(one.pk)})
    return next(found, str(to))
