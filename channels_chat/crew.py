"""Who may be offered chats: agents who are here, and what each sees, speaks and has room for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Max, OuterRef, Q

from channels_chat.models import Chat, ChatState, Desk
from inbox import access, presence
from inbox.access import Sight
from inbox.models import Agent, Role, Team, Ticket

IDLE_BACK = timedelta(hours=12)  # how far back it is looked when somebody had a chat last


@dataclass(slots=True)
class Hand:
    """One agent who takes chats. `load` is what they have and are offered, `last` when a chat of theirs began or ended
    last.
    """

    agent: int
    teams: frozenset[int]
    languages: frozenset[str]
    sight: Sight
    most: int
    load: int = 0
    last: datetime | None = None

    @property
    def has_room(self) -> bool:
        return self.load < self.most

    def takes(self, team: int | None, ticket: Ticket) -> bool:
        """Whether a chat of this team (None: of no team) is theirs to take: of its members, whoever sees its ticket."""
        return (team is None or team in self.teams) and self.sight.shows(ticket)

    def speaks(self, language: str) -> bool:
        return language.split("-")[0] in self.languages


def here(state: presence.State) -> set[int]:
    """Ids of those who sit before an open page."""
    return {agent for agent, where in state.here.items() if where == presence.HERE}


def of(agents: Collection[int]) -> dict[int, Hand]:
    """Those of these agents who take chats, by id; two queries, three without Desk rows."""
    if not agents:
        return {}
    people = (
        Agent.objects.filter(pk__in=agents, is_active=True, is_bot=False, away=False)
        .exclude(role=Role.LIGHT)
        .exclude(desk__takes=False)
        .annotate(most=F("desk__most"))
        .annotate(mine=ArraySubquery(Team.objects.filter(members=OuterRef("pk")).order_by().values("pk")))
    )
    rows = access.team_rows()
    found = {}
    for one in people.only("pk", "role", "languages"):
        mine: list[int] = one.mine
        sight = Sight.of(mine, one.is_admin, rows)
        most = one.most if one.most is not None else Desk.MOST
        languages = frozenset(language.split("-")[0] for language in one.languages)
        found[one.pk] = Hand(one.pk, frozenset(mine), languages, sight, most)
    return found


def weigh(hands: Iterable[Hand], now: datetime) -> None:
    """Fill in what each has and is offered, and since when they had nothing new; one query."""
    by_agent = {one.agent: one for one in hands}
    load: Counter[int] = Counter()
    last: dict[int, datetime] = {}
    active = Q(state=ChatState.ACTIVE) & Q(engagement__agent__in=by_agent)
    offered = Q(state=ChatState.WAITING) & Q(offered_to__in=by_agent)
    for owner, asked, state in Chat.objects.filter(active | offered).values_list(
        "engagement__agent", "offered_to", "state"
    ):
        load[owner if state == ChatState.ACTIVE else asked] += 1
    recent = Q(engagement__accepted_at__gt=now - IDLE_BACK) | Q(engagement__ended_at__gt=now - IDLE_BACK)
    for owner, began, ended in (
        Chat.objects.filter(recent, queued_at__gt=now - IDLE_BACK * 2, engagement__agent__in=by_agent)
        .values("engagement__agent")
        .annotate(began=Max("engagement__accepted_at"), ended=Max("engagement__ended_at"))
        .values_list("engagement__agent", "began", "ended")
    ):
        last[owner] = max(one for one in (began, ended) if one is not None)
    for agent, hand in by_agent.items():
        hand.load, hand.last = load[agent], last.get(agent)


def best(hands: Iterable[Hand], language: str) -> Hand | None:
    """Of these: who speaks the language, if somebody does; then with the fewest chats; then the longest without."""
    found = list(hands)
    speaking = [one for one in found if one.speaks(language)] if language else []
    never = datetime.min.replace(tzinfo=UTC)
    return min(
        speaking or found,
        key=lambda one: (one.load, one.last or never, one.agent),
        default=None,
    )
