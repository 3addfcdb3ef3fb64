"""The ticket list: which tickets a view shows, its counts, and its pages by cursor.

Every filter is in the address, so that a view can be linked. A page costs the same at a hundred and at a million
tickets: each view is one range of an index, read from the last row of the page before; counts stop at 999.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import access, directory
from inbox.adapters import kinds
from inbox.models import Agent, Status, Ticket
from inbox.models.tickets import TicketQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAGE = 40
MOST = 999  # what a count says at most, as "999+"
MOST_GROUPS = 20  # teams and channels that the sidebar lists
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class View:
    """A named range of tickets. `match` is what a row must carry to be in it, by which open screens keep their list."""

    key: str
    label: StrOrPromise
    icon: str
    query: Mapping[str, str]
    match: Mapping[str, str]
    go: str = ""  # the key after g that leads here
    counted: bool = True
    nothing: StrOrPromise = ""
    count: str = ""

    @property
    def url(self) -> str:
        return f"{reverse('inbox')}?{urlencode(self.query)}"


LIVE = {"spam": "no", "merged": "no", "trashed": "no"}
OPEN = {**LIVE, "status": Status.OPEN.value, "snoozed": "no"}

VIEWS = {
    view.key: view
    for view in (
        View("mine", gettext_lazy("Mine"), "person", {"view": "mine"}, {**OPEN, "assignee": "me"}, "m",
             nothing=gettext_lazy("No open ticket is yours. Take one from Unassigned.")),
        View("unassigned", gettext_lazy("Unassigned"), "inbox", {"view": "unassigned"},
             {**OPEN, "assignee": "none"}, "u",
             nothing=gettext_lazy("Every open ticket has somebody who looks after it.")),
        View("open", gettext_lazy("Open"), "message", {"view": "open"}, OPEN, "o",
             nothing=gettext_lazy("Nobody waits for an answer. New tickets appear here by themselves.")),
        View("pending", gettext_lazy("Pending"), "pause", {"view": "pending"}, {**LIVE, "status": "pending"}, "p",
             nothing=gettext_lazy("No ticket waits for its customer.")),
        View("snoozed", gettext_lazy("Snoozed"), "clock", {"view": "snoozed"}, {**OPEN, "snoozed": "yes"},
             counted=False, nothing=gettext_lazy("Nothing is put away for later.")),
        View("solved", gettext_lazy("Solved"), "check", {"view": "solved"}, {**LIVE, "status": "solved"}, "s",
             counted=False, nothing=gettext_lazy("No ticket is solved yet.")),
        View("spam", gettext_lazy("Spam"), "spam", {"view": "spam"}, {**LIVE, "spam": "yes"},
             counted=False, nothing=gettext_lazy("No spam.")),
    )
}  # fmt: skip


def of_team(pk: int, name: str, slug: str) -> View:
    return View(f"team-{pk}", name, "team", {"team": slug}, {**OPEN, "team": str(pk)})


def of_channel(pk: int, name: str, slug: str, kind: str) -> View:
    adapter = kinds().get(kind)
    icon = adapter.icon if adapter else "message"
    return View(f"channel-{pk}", name, icon, {"channel": slug}, {**OPEN, "channel": str(pk)})


def groups(agent: Agent) -> list[tuple[str, list[View]]]:
    """The sidebar: views, then those of the agent's teams and channels, each group with its heading."""
    known = directory.of(agent)
    found: list[tuple[str, list[View]]] = [("", list(VIEWS.values()))]
    if known.teams:
        found.append((_("Teams"), [of_team(one.pk, one.name, one.slug) for one in known.teams[:MOST_GROUPS]]))
    if known.channels:
        channels = known.channels[:MOST_GROUPS]
        found.append((_("Channels"), [of_channel(one.pk, one.name, one.slug, one.kind) for one in channels]))
    return found


def counted(agent: Agent) -> dict[str, View]:
    """The views of the sidebar that say how many tickets they hold, by key."""
    return {view.key: view for _label, views in groups(agent) for view in views if view.counted}


def select(agent: Agent, match: Mapping[str, str]) -> TicketQuerySet:
    """The tickets that carry what `match` says, as far as this agent sees them. `me` is the agent, `none` nobody."""
    found = access.tickets(agent)
    conditions: dict[str, Any] = {}
    for name, value in match.items():
        if name in {"spam"}:
            conditions[name] = value == "yes"
        elif name == "merged":
            conditions["merged_into__isnull"] = value == "no"
        elif name == "snoozed":
            conditions["snoozed_until__isnull"] = value == "no"
        elif name == "trashed":
            conditions["trashed_at__isnull"] = value == "no"
        elif value == "none":
            conditions[f"{name}__isnull"] = True
        elif name == "assignee" and value == "me":
            conditions[name] = agent.pk
        else:
            conditions[name] = value
    return found.filter(**conditions)


def resolved(agent: Agent, match: Mapping[str, str]) -> dict[str, str]:
    """`match` with this agent in place of `me`: what the page compares a row with."""
    return {name: str(agent.pk) if value == "me" else value for name, value in match.items()}


def counts(wanted: Mapping[str, QuerySet[Any]]) -> dict[str, str]:
    """How many rows each query finds, up to 999 and then "999+", in one round trip whatever their number."""
    if not wanted:
        return {}
    parts: list[str] = []
    params: list[Any] = []
    for found in wanted.values():
        try:
            sql, values = found.order_by().values("pk")[: MOST + 1].query.sql_with_params()
        except EmptyResultSet:
            sql, values = "SELECT 1 WHERE false", ()
        parts.append(f"(SELECT count(*) FROM ({sql}) counted)")  # noqa: S608 - Django's own SQL
        params += values
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(parts)}", params)
        row = cursor.fetchone()
    return {key: spoken(number) for key, number in zip(wanted, row, strict=True)}


def spoken(number: int) -> str:
    """A count as the sidebar says it; nothing at all for none."""
    return f"{MOST}+" if number > MOST else str(number) if number else ""


@dataclass
class Page:
    tickets: list[Ticket]
    more: str  # address of the next page, empty at the end


def cursor_of(ticket: Ticket) -> str:
    microseconds = (ticket.last_message_at - EPOCH) // timedelta(microseconds=1)
    return f"{microseconds}-{ticket.number}"


def page(found: TicketQuerySet, url: str, before: str = "") -> Page:
    """One page of a list, newest first, from the row that `before` names. A broken cursor is the first page."""
    at, _dash, number = before.partition("-")
    if at.isdecimal() and number.isdecimal() and len(at) < 18 and len(number) < 19:
        moment = EPOCH + timedelta(microseconds=int(at))
        found = found.filter(last_message_at__lte=moment).exclude(last_message_at=moment, number__gte=int(number))
    rows = list(
        found.select_related("customer", "reply_channel", "assignee").order_by("-last_message_at", "-number")[
            : PAGE + 1
        ]
    )
    join = "&" if "?" in url else "?"
    more = f"{url}{join}before={cursor_of(rows[PAGE - 1])}" if len(rows) > PAGE else ""
    return Page(rows[:PAGE], more)


@dataclass
class Listing:
    """The list that an address asks for: a view, narrowed by filters."""

    agent: Agent
    view: View
    filters: dict[str, str] = field(default_factory=dict)  # cleaned: status, assignee, team, channel, priority
    names: dict[str, str] = field(default_factory=dict)  # how each filter is called on screen
    form: Any = None
    count: str = ""

    @property
    def key(self) -> str:
        return self.view.key if not self.filters else ""

    @property
    def label(self) -> str:
        return str(self.view.label)

    @property
    def nothing(self) -> str:
        return _("No ticket fits these filters.") if self.filters else str(self.view.nothing)

    @property
    def fixed(self) -> Mapping[str, str]:
        return self.view.query

    @cached_property
    def match(self) -> dict[str, str]:
        return resolved(self.agent, {**self.view.match, **self.filters})

    @property
    def tickets(self) -> TicketQuerySet:
        return select(self.agent, {**self.view.match, **self.filters})

    def page(self, before: str = "") -> Page:
        return page(self.tickets, self.url, before)

    def address(self, without: str = "") -> str:
        kept = {f"f_{name}": value for name, value in self.filters.items() if name != without}
        return f"{reverse('inbox')}?{urlencode({**self.view.query, **kept})}"

    @property
    def url(self) -> str:
        return self.address()

    @property
    def chips(self) -> list[dict[str, str]]:
        return [
            {"label": self.names.get(name, value), "url": self.address(without=name)}
            for name, value in self.filters.items()
        ]
