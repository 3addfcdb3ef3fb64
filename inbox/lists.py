"""The ticket list: a view narrowed by filters, and its pages by cursor.

Every filter and the order are in the address, so that a list can be linked, saved, and worked through elsewhere: `of`
makes the list again from the same few words. A page costs the same at a hundred and at a million tickets: each view is
a range of an index for each status it shows, read from the last row of the page before; counts stop at a thousand, and
what is looked for by filters is given up in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import OuterRef
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from inbox import access, directory
from inbox.bundle import there_is
from inbox.default_views import BY_ACTIVITY, EVERYTHING, VIEWS, View, counts, of_channel, of_team, select
from inbox.filtering import Filters
from inbox.filtering import tickets as filtering
from inbox.models import Agent, SideConversation, Status, Ticket
from inbox.models.tickets import TicketQuerySet
from inbox.search.finding import TooSlow, bounded
from inbox.sorting import NEWEST, SORTS, Sort

if TYPE_CHECKING:
    pass

PAGE = 40
COUNTING = 0.5  # seconds for counting what filters leave
BESIDE = frozenset({"view", "sort", "before", "again", "q", "among", "saved"})  # parameters that are no filters


@dataclass
class Page:
    tickets: list[Ticket]
    more: str = ""  # address of the next page, empty at the end
    slow: bool = False  # it was given up


def page(
    found: TicketQuerySet,
    url: str,
    before: str = "",
    sort: Sort = NEWEST,
    statuses: tuple[str, ...] = (),
    agent: Agent | None = None,
) -> Page:
    """One page of a list in its order, from the row that `before` names. A broken cursor is the first page.

    For an `agent` each row says what is `beside` it.

    With `statuses` each of them is read from its own range of an index, and the pages are laid together: as many rows
    are read as there are statuses times a page, whatever there is.
    """
    found = sort.ordered(sort.after(found, before))
    if len(statuses) > 1:
        found = sort.ordered(Ticket.objects.filter(pk__in=_first(found, statuses)))
    elif statuses:
        found = found.filter(status=statuses[0])
    if agent is not None:
        found = beside(agent, found)
    rows = list(found.select_related("customer", "reply_channel", "assignee")[: PAGE + 1])
    join = "&" if "?" in url else "?"
    more = f"{url}{join}before={sort.cursor(rows[PAGE - 1])}" if len(rows) > PAGE else ""
    return Page(rows[:PAGE], more)


def beside(agent: Agent, found: TicketQuerySet) -> TicketQuerySet:
    """Rows that say in `siblings` whether their customer has another open ticket that this agent sees."""
    return answered_beside(found.annotate(siblings=there_is(_siblings(agent))))


def answered_beside(found: TicketQuerySet) -> TicketQuerySet:
    """Rows that say in `side_answered` whether a third party has answered, and nobody has gone on with that yet."""
    return found.annotate(side_answered=there_is(SideConversation.objects.filter(ticket=OuterRef("pk"), answered=True)))


def _siblings(agent: Agent) -> TicketQuerySet:
    others = access.tickets(agent).current().filter(status=Status.OPEN, customer=OuterRef("customer"))
    return others.exclude(pk=OuterRef("pk"))


def _first(found: TicketQuerySet, statuses: tuple[str, ...]) -> list[int]:
    """Numbers of the first rows of each status, more than a page of each, in one query."""
    parts: list[str] = []
    params: list[Any] = []
    for status in statuses:
        try:
            sql, values = found.filter(status=status).values("pk")[: PAGE + 1].query.sql_with_params()
        except EmptyResultSet:
            continue
        parts.append(f"({sql})")
        params += values
    if not parts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), params)
        return [row[0] for row in cursor.fetchall()]


@dataclass
class Listing:
    """The list that an address asks for: a view, narrowed by filters, in an order."""

    agent: Agent
    view: View
    filters: Filters
    sort: Sort = NEWEST
    wrong: dict[str, str] = field(default_factory=dict)  # what of its address means nothing, and why
    saved: str = ""  # id of the saved view that it was opened from
    name: str = ""  # how that is called
    altered: bool = False  # since then
    count: str = ""

    @property
    def problems(self) -> list[str]:
        return list(self.wrong.values())

    @property
    def key(self) -> str:
        """Which place of the sidebar it is."""
        if self.saved:
            return f"saved-{self.saved}"
        return self.view.key if not self.filters else ""

    @property
    def label(self) -> str:
        return self.name or str(self.view.label)

    @property
    def nothing(self) -> str:
        return _("No ticket fits these filters.") if self.filters else str(self.view.nothing)

    @property
    def fixed(self) -> Mapping[str, str]:
        """What a search keeps of this list."""
        return self.view.query

    @cached_property
    def base(self) -> dict[str, str]:
        """The view's match, but for spam and trash where a filter asks for them."""
        over = {"spam", "trashed"} & set(self.filters.values)
        return {name: value for name, value in self.view.match.items() if name not in over}

    @cached_property
    def match(self) -> dict[str, str] | None:
        """Which values of each attribute keep a row in this list, parted by spaces; None: only the database knows."""
        found = {name: [value] for name, value in self.base.items()}
        narrowed = self.filters.in_row()
        if narrowed is None or self.view.among:
            return None
        for name, values in narrowed.items():
            found[name] = [one for one in found.get(name, values) if one in values]
        mine = str(self.agent.pk)
        return {name: " ".join(mine if one == "me" else one for one in values) for name, values in found.items()}

    @cached_property
    def tickets(self) -> TicketQuerySet:
        """All of the list, in no order."""
        found = select(self.agent, self.base)
        if self.view.among:
            found = self.view.among(self.agent, found)
        return found.filter(self.filters.q) if self.filters else found

    @property
    def statuses(self) -> tuple[str, ...]:
        """Which statuses it has; empty where it is read from an index without them."""
        if self.view.among or "yes" in (self.base.get("spam"), self.base.get("trashed")) or "spam" not in self.base:
            return ()
        chosen = self.filters.values.get("status", "")
        wanted = self.view.statuses
        return tuple(one for one in wanted if one in chosen.split(",")) or wanted if chosen else wanted

    def page(self, before: str = "") -> Page:
        """A page of it. What is narrowed by filters may find little in much: then it is given up, and says so."""
        if not self.filters:
            return page(self.tickets, self.url, before, self.sort, self.statuses, self.agent)
        try:
            with bounded():
                return page(self.tickets, self.url, before, self.sort, self.statuses, self.agent)
        except TooSlow:
            return Page([], slow=True)

    def counted(self) -> str:
        """How many it has, bounded as all counts; nothing where that would take too long, or views never say."""
        if not self.filters:
            return counts({"": self.tickets})[""] if self.view.counted else ""
        try:
            with bounded(COUNTING):
                return counts({"": self.tickets})[""]
        except TooSlow:
            return ""

    def among(self, numbers: list[int]) -> list[int]:
        """Which of these tickets are in the list."""
        return list(self.tickets.filter(pk__in=numbers).values_list("pk", flat=True))

    @property
    def query(self) -> dict[str, str]:
        """The list in a few words, from which `of` makes it again: what addresses, saved views and jobs keep."""
        order = {"sort": self.sort.key} if self.sort != default_sort(self.view) else {}
        return {**self.view.query, **self.filters.values, **order}

    @property
    def kept(self) -> dict[str, str]:
        """All that its address says: the list, and the saved view that it was opened from."""
        return {**self.query, **({"saved": self.saved} if self.saved else {})}

    @property
    def words(self) -> str:
        return urlencode(self.kept)

    def address(self, without: str = "", **changed: str) -> str:
        kept = {**self.kept, **changed}
        kept.pop(without, None)
        return f"{reverse('inbox')}?{urlencode(kept)}"

    @property
    def url(self) -> str:
        return self.address()

    @property
    def chips(self) -> list[dict[str, Any]]:
        return [
            {"key": one.key, "group": one.group, "label": one.label, "words": one.words,
             "url": self.address(without=one.key)}
            for one in self.filters.chips
        ]  # fmt: skip

    @property
    def sorts(self) -> list[dict[str, Any]]:
        """The orders it can have, each with the address that gives it."""
        return [
            {"key": key, "label": SORTS[key].label, "url": self.address(sort=key), "current": key == self.sort.key}
            for key in self.view.sorts
        ]

    @property
    def hidden(self) -> frozenset[str]:
        """Filters that say nothing here, since the view says it already."""
        kept = {name for name in self.view.match if name not in {"merged", "spam", "trashed"}}
        return frozenset(kept | ({"spam", "trashed"} if self.view.sorts == BY_ACTIVITY else set()))


def default_sort(view: View) -> Sort:
    return SORTS[view.sorts[0]]


def of(agent: Agent, query: Mapping[str, str]) -> Listing:
    """The list of tickets that these words name, as this agent sees it; what means nothing stands in `wrong`.

    A team or channel without a view is its view: open tickets. Raises Http404 for a view that is not there, or not
    for this agent.
    """
    narrowed = [name for name in query if name not in BESIDE and query[name].strip()]
    view = _named(agent, query, narrowed)
    filters = Filters.read(
        agent, query, filtering.conditions(agent, query), but=lambda key: key in BESIDE or key in view.query
    )
    wrong = dict(filters.wrong)
    key = query.get("sort", "") or default_sort(view).key
    if key not in view.sorts:
        wrong["sort"] = _("This list has no such order.")
    return Listing(
        agent, view, filters, SORTS[key] if key in view.sorts else default_sort(view), wrong, query.get("saved", "")
    )


def _named(agent: Agent, query: Mapping[str, str], narrowed: list[str]) -> View:
    name = query.get("view", "")
    view = VIEWS.get(name) if name else EVERYTHING if narrowed else VIEWS["open"]
    if name == "open" or (not name and "status" not in narrowed):
        if slug := _single(query, "team"):
            teams = (one for one in directory.of(agent).teams if slug in (one.slug, str(one.pk)))
            view = next((of_team(one.pk, one.name, one.slug) for one in teams), None)
        elif slug := _single(query, "channel"):
            channels = (one for one in directory.of(agent).channels if slug in (one.slug, str(one.pk)))
            view = next((of_channel(one.pk, one.name, one.slug, one.kind) for one in channels), None)
    if view is None:
        raise Http404
    return view


def _single(query: Mapping[str, str], name: str) -> str:
    """The one team or channel that is named; empty for none, or several."""
    value = query.get(name, "").strip()
    return "" if "," in value or value == "none" else value
