"""The views that every inbox has, those of teams and channels included: which tickets each shows, and their counts.

Counts stop at a thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, When
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import access, directory
from inbox.adapters import kinds
from inbox.models import Agent, Draft, Mention, Status, TicketFollower
from inbox.models.tickets import TicketQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST = 1000  # what a count says at most, as "1,000+"
MOST_OWN = 1000  # of an agent's mentions, drafts, and tickets followed: the newest, which their lists put in order
MOST_GROUPS = 20  # teams and channels that the sidebar lists
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
    page: str = ""  # the name of another page that this leads to, where it is no list of the inbox
    of_kind: str = ""  # stands only where a channel of this kind is seen

    @property
    def url(self) -> str:
        if self.page:
            return reverse(self.page)
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
        View("closed", gettext_lazy("Closed"), "archive", {"view": "closed"}, {**LIVE, "status": "closed"}, "l",
             counted=False, aside=True, nothing=gettext_lazy("No ticket is closed for good yet.")),
        View("all", gettext_lazy("All tickets"), "list", {"view": "all"}, LIVE, "a", counted=False, aside=True,
             nothing=gettext_lazy("There is no ticket yet.")),
        View("spam", gettext_lazy("Spam"), "spam", {"view": "spam"}, {**LIVE, "spam": "yes"}, counted=False,
             aside=True, sorts=BY_ACTIVITY, nothing=gettext_lazy("No spam.")),
        View("trash", gettext_lazy("Trash"), "trash", {"view": "trash"}, {"trashed": "yes"}, counted=False,
             aside=True, sorts=BY_ACTIVITY, nothing=gettext_lazy("The trash is empty.")),
    )
}  # fmt: skip
ADDED: list[View] = []  # by other apps: places that stand among the views
AFTER = "mentions"  # stand those
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
    kinds_seen = {one.kind for one in known.channels}
    added = [view for view in ADDED if not view.of_kind or view.of_kind in kinds_seen]
    views = [one for view in VIEWS.values() for one in ([view, *added] if view.key == AFTER else [view])]
    found: list[tuple[str, list[View]]] = [("", views)]
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
