"""The ticket list: which tickets a view shows, its counts, and its pages by cursor.

Every filter and the order are in the address, so that a list can be linked, saved, and worked through elsewhere: `of`
makes the list again from the same few words. A page costs the same at a hundred and at a million tickets: each view is
a range of an index for each status it shows, read from the last row of the page before; counts stop at a thousand, and
what is looked for by filters is given up in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, When
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import access, directory
from inbox.adapters import kinds
from inbox.bundle import there_is
from inbox.filtering import Filters
from inbox.filtering import tickets as filtering
from inbox.models import Agent, Draft, Mention, Status, Ticket, TicketFollower
from inbox.models.tickets import TicketQuerySet
from inbox.search.finding import TooSlow, bounded
from inbox.sorting import NEWEST, SORTS, Sort

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAGE = 40
MOST = 1000  # what a count says at most, as "1,000+"
MOST_OWN = 1000  # of an agent's mentions, drafts, and tickets followed: the newest, which their lists put in order
COUNTING = 0.5  # seconds for counting what filters leave
MOST_GROUPS = 20  # teams and channels that the sidebar lists
BESIDE = frozenset({"view", "sort", "before", "again", "q", "among", "saved"})  # parameters that are no filters
ORDERS = ("newest", "oldest", "waiting", "created", "priority", "due")
BY_ACTIVITY = ("newest", "oldest")
ALL_STATUSES: tuple[str, ...] = tuple(Status.values)


@dataclass(frozen=True)
class View:
    """A named range of tickets. `match` is what a row must carry to be in it, by which open screens keep their list;
    `among` narrows it to tickets that only the database knows: such a list is told how many are new.
    """

    key: str
    label: StrOrPromise
    icon: str
    query: Mapping[str, str]
    match: Mapping[str, str]
    go: str = ""  # the key after g that leads here
    counted: bool = True
    nothing: StrOrPromise = ""
    among: Callable[[Agent, TicketQuerySet], TicketQuerySet] | None = None
    own: bool = False  # each agent's is another one
    aside: bool = False  # stands below "More"
    sorts: tuple[str, ...] = ORDERS

    @property
    def url(self) -> str:
        return f"{reverse('inbox')}?{urlencode(self.query)}"

    @property
    def statuses(self) -> tuple[str, ...]:
        return (self.match["status"],) if "status" in self.match else ALL_STATUSES


def mentioned(agent: Agent, found: TicketQuerySet) -> TicketQuerySet:
    """Those with a note that mentions this agent; `unseen` is 1 where they have not seen it yet."""
    mine = Mention.objects.filter(agent=agent)
    waits = When(Exists(mine.filter(ticket=OuterRef("pk"), seen_at__isnull=True)), then=1)
    found = found.filter(pk__in=mine.order_by("-created_at").values("ticket")[:MOST_OWN])
    return found.annotate(unseen=Case(waits, default=0, output_field=IntegerField()))


def unseen(agent: Agent, found: TicketQuerySet) -> TicketQuerySet:
    """Of those that mention somebody the ones they have not seen: what the sidebar counts."""
    return found.filter(pk__in=Mention.objects.filter(agent=agent, seen_at__isnull=True).values("ticket"))


def followed(agent: Agent, found: TicketQuerySet) -> TicketQuerySet:
    newest = TicketFollower.objects.filter(agent=agent).order_by("-created_at").values("ticket")
    return found.filter(pk__in=newest[:MOST_OWN])


def drafted(agent: Agent, found: TicketQuerySet) -> TicketQuerySet:
    newest = Draft.objects.filter(agent=agent, ticket__isnull=False).order_by("-pk").values("ticket")
    return found.filter(pk__in=newest[:MOST_OWN])


LIVE = {"spam": "no", "merged": "no", "trashed": "no"}
OPEN = {**LIVE, "status": Status.OPEN.value, "snoozed": "no"}

VIEWS = {
    view.key: view
    for view in (
        View("mine", gettext_lazy("Mine"), "person", {"view": "mine"}, {**OPEN, "assignee": "me"}, "m", own=True,
             nothing=gettext_lazy("No open ticket is yours. Take one from Unassigned.")),
        View("unassigned", gettext_lazy("Unassigned"), "inbox", {"view": "unassigned"},
             {**OPEN, "assignee": "none"}, "u",
             nothing=gettext_lazy("Every open ticket has somebody who looks after it.")),
        View("open", gettext_lazy("Open"), "message", {"view": "open"}, OPEN, "o",
             nothing=gettext_lazy("Nobody waits for an answer. New tickets appear here by themselves.")),
        View("mentions", gettext_lazy("Mentions"), "at", {"view": "mentions"}, LIVE, "i", own=True, among=mentioned,
             nothing=gettext_lazy("Nobody has mentioned you in a note."), sorts=("unseen", *BY_ACTIVITY)),
        View("pending", gettext_lazy("Pending"), "pause", {"view": "pending"}, {**LIVE, "status": "pending"}, "p",
             nothing=gettext_lazy("No ticket waits for its customer.")),
        View("snoozed", gettext_lazy("Snoozed"), "snooze", {"view": "snoozed"}, {**OPEN, "snoozed": "yes"}, "z",
             counted=False, nothing=gettext_lazy("Nothing is put away for later.")),
        View("solved", gettext_lazy("Solved"), "check", {"view": "solved"}, {**LIVE, "status": "solved"}, "s",
             counted=False, nothing=gettext_lazy("No ticket is solved yet.")),
        View("following", gettext_lazy("Following"), "follow", {"view": "following"}, LIVE, "f", counted=False,
             own=True, among=followed, aside=True,
             nothing=gettext_lazy("You follow no ticket. Follow one to hear of it though it is not yours.")),
        View("drafts", gettext_lazy("Drafts"), "pencil", {"view": "drafts"}, LIVE, "d", counted=False, own=True,
             among=drafted, aside=True, nothing=gettext_lazy("You have begun nothing that is not sent.")),
        View("on_hold", gettext_lazy("On hold"), "lock", {"view": "on_hold"}, {**LIVE, "status": "on_hold"}, "h",
             counted=False, aside=True, nothing=gettext_lazy("No ticket waits for somebody else.")),
        View("closed", gettext_lazy("Closed"), "archive", {"view": "closed"}, {**LIVE, "status": "closed"}, "c",
             counted=False, aside=True, nothing=gettext_lazy("No ticket is closed for good yet.")),
        View("all", gettext_lazy("All tickets"), "list", {"view": "all"}, LIVE, "a", counted=False, aside=True,
             nothing=gettext_lazy("There is no ticket yet.")),
        View("spam", gettext_lazy("Spam"), "spam", {"view": "spam"}, {**LIVE, "spam": "yes"}, counted=False,
             aside=True, sorts=BY_ACTIVITY, nothing=gettext_lazy("No spam.")),
        View("trash", gettext_lazy("Trash"), "trash", {"view": "trash"}, {"trashed": "yes"}, counted=False,
             aside=True, sorts=BY_ACTIVITY, nothing=gettext_lazy("The trash is empty.")),
    )
}  # fmt: skip
EVERYTHING = VIEWS["all"]  # what filters narrow when no view is named


def of_team(pk: int, name: str, slug: str) -> View:
    return View(f"team-{pk}", name, "team", {"view": "open", "team": slug}, {**OPEN, "team": str(pk)})


def of_channel(pk: int, name: str, slug: str, kind: str) -> View:
    adapter = kinds().get(kind)
    icon = adapter.icon if adapter else "message"
    return View(f"channel-{pk}", name, icon, {"view": "open", "channel": slug}, {**OPEN, "channel": str(pk)})


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


def counted(agent: Agent, *, own: bool | None = None) -> dict[str, View]:
    """The views of the sidebar that say how many tickets they hold, by key; only each agent's own, or all but those."""
    return {
        view.key: view
        for _label, views in groups(agent)
        for view in views
        if view.counted and (own is None or view.own == own)
    }


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


def to_count(agent: Agent, view: View) -> TicketQuerySet:
    """What the number beside a view counts: of mentions only those that wait to be seen."""
    found = select(agent, view.match)
    return unseen(agent, found) if view.key == "mentions" else view.among(agent, found) if view.among else found


def counts(wanted: Mapping[str, QuerySet[Any]]) -> dict[str, str]:
    """How many rows each query finds, up to a thousand and then "1,000+", in one round trip for all of them."""
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
    return f"{MOST:,}+" if number > MOST else f"{number:,}" if number else ""


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
    return found.annotate(siblings=there_is(_siblings(agent)))


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
