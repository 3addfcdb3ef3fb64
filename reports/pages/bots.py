"""How conversations with bots go: how many stay with them, where people are lost, what was not understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils.safestring import SafeString

from inbox import access
from inbox.models import Ticket
from reports import engine
from reports.engine.figures import ratio
from reports.models import BotFact
from reports.pages import charts, words
from reports.pages.asked import Asked
from reports.pages.cards import Card, card

KEYS = ("containment_confirmed", "containment_assumed", "containment")
MOST_STEPS = 40


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a flow: how many came to it, and for how many it was the last before they fell silent."""

    name: str
    reached: int
    share: str
    bar: SafeString
    ended: int
    lost: str


@dataclass(frozen=True, slots=True)
class Bots:
    conversations: int
    handed: int
    handed_share: str
    alone: int
    fallbacks: int
    fallback_share: str
    steps: Sequence[Step] = ()
    cards: Sequence[Card] = field(default=())

    @property
    def has_any(self) -> bool:
        return bool(self.conversations)


def read(asked: Asked) -> Bots:
    """All of it, of the conversations that began in the period."""
    facts = _facts(asked)
    told = facts.aggregate(
        conversations=Count("pk"),
        handed=Count("pk", filter=Q(handed_at__isnull=False)),
        missed=Count("pk", filter=Q(fallbacks__gt=0)),
        times=Coalesce(Sum("fallbacks"), 0),
    )
    total = told["conversations"]
    return Bots(
        total,
        told["handed"],
        _share(told["handed"], total),
        total - told["handed"],
        told["times"],
        _share(told["missed"], total),
        _steps(facts, total),
        [card(key, asked) for key in KEYS if key in engine.MEASURES],
    )


def _share(part: int, whole: int) -> str:
    return words.said("ratio", part / whole if whole else None)


def _facts(asked: Asked) -> QuerySet[BotFact]:
    question = asked.question
    found = BotFact.objects.filter(began_at__gte=question.starts, began_at__lt=question.ends)
    found = found if question.imported else found.filter(imported=False)
    found = found.filter(ticket__in=access.tickets(asked.viewer)) if _is_hidden(asked) else found
    if question.channels:
        found = found.filter(channel_id__in=question.channels)
    if question.teams:
        found = found.filter(team_id__in=question.teams)
    if question.agents:
        found = found.filter(agent_id__in=question.agents)
    of_ticket = Q()
    if question.tags:
        of_ticket &= Q(tags__overlap=list(question.tags))
    if question.languages:
        of_ticket &= Q(language__in=question.languages)
    if question.priorities:
        of_ticket &= Q(priority__in=question.priorities)
    return found.filter(ticket__in=Ticket.objects.filter(of_ticket)) if of_ticket else found


def _is_hidden(asked: Asked) -> bool:
    sight = access.sight(asked.viewer)
    return bool(sight.hidden_channels or sight.hidden_teams)


def _steps(facts: QuerySet[BotFact], total: int) -> list[Step]:
    """How far conversations came, in the order of how many reached each step."""
    silent = Q(handed_at__isnull=True, confirmed_at__isnull=True)
    rows = facts.order_by().values_list("steps").annotate(every=Count("pk"), silent=Count("pk", filter=silent))
    reached: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    for steps, every, silent_ones in rows.iterator():
        for name in dict.fromkeys(steps):
            reached[name] += every
        if steps:
            ended[steps[-1]] += silent_ones
    found: list[Step] = []
    for name, count in reached.most_common(MOST_STEPS):
        lost = ratio("lost", ended[name], count)
        share = count / total if total else 0.0
        bar = charts.plots.span(f"step-{len(found)}", _share(count, total), min(share, 1.0), None, None)
        found.append(Step(name, count, _share(count, total), bar, ended[name], words.said("ratio", lost.value)))
    return found
