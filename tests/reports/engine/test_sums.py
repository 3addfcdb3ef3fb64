"""The engine over facts that are written down here: every figure is the sum of its tickets, whatever is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from inbox.models import Agent, Channel, Team
from reports import engine
from reports.engine import Figure, Question
from reports.engine.groups import TIMES
from reports.engine.measures import Own
from tests.reports.engine.rows import write_down

NOW = datetime(2026, 2, 20, tzinfo=UTC)
JANUARY = Question(date(2026, 1, 1), date(2026, 2, 1), ZoneInfo("UTC"), NOW)
SUMMED = [key for key in engine.KEYS if not isinstance(engine.MEASURES[key], Own)]


def number(figure: Figure, part: str) -> float:
    """What the shares of this part have to add up to."""
    told = {
        "n": figure.n,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "provisional": figure.provisional,
        "rest": (figure.denominator or 0) - (figure.numerator or 0),
        "without_rate": 0,  # told where there are some
        **figure.extra,
    }
    found = told[part]
    assert isinstance(found, int | float), (figure, part)
    return found


def adds_up(key: str, question: Question, figure: Figure) -> int:
    """How many tickets stood behind it; each part is the sum of its tickets."""
    opened = 0
    parts = engine.parts(key)
    for part in parts if question.viewer or len(parts) > 4 else parts[:2]:
        shares = engine.shares(key, question, part)
        total = sum((Decimal(amount) for _, amount in shares), Decimal())
        assert float(total) == number(figure, part), (key, part, question)
        opened += len(shares)
        if question.viewer is not None or question.tags:
            behind = {one.pk for one in engine.tickets(key, question, part)}
            assert behind == {ticket for ticket, _ in shares if ticket is not None}, (key, part, question)
    return opened


def test_every_figure_is_the_sum_of_its_tickets(
    sana: Agent, omar: Agent, bilal: Agent, team: Team, support: Channel
) -> None:
    open_to_all = Channel.objects.create(kind="chat", name="Chat", slug="chat")
    second = Team.objects.create(name="Second", slug="second")
    tickets = write_down([support, open_to_all], [team, second, None], [sana, omar, None])
    asked = {
        "all": replace(JANUARY, zone=ZoneInfo("Asia/Karachi")),
        "early": replace(JANUARY, now=datetime(2026, 1, 20, tzinfo=UTC), imported=True, business=True),
        "place": replace(JANUARY, channels=(open_to_all.pk,), priorities=("high", "low")),
        "team": replace(JANUARY, teams=(second.pk,), window=3),
        "agent": replace(JANUARY, agents=(sana.pk, omar.pk)),
        "ticket": replace(JANUARY, tags=("broken", "late"), languages=("ur", "en"), types=("problem",)),
        "outsider": replace(JANUARY, viewer=bilal),
    }
    found = {name: engine.figures(engine.KEYS, question) for name, question in asked.items()}
    behind = {name: {key: adds_up(key, asked[name], figures[key]) for key in SUMMED} for name, figures in found.items()}
    assert not [key for key, opened in behind["all"].items() if not opened]
    for name in asked:
        assert name == "all" or found[name] != found["all"], name
    seen = {one.pk for one in engine.tickets("volume", asked["outsider"])}
    assert seen and seen < {one.pk for one in tickets if one.channel_id == open_to_all.pk}
    for place, by in enumerate(engine.BREAKDOWNS):
        some = SUMMED if by in ("day", "agent", "tag") else SUMMED[place :: len(engine.BREAKDOWNS)]
        groups = engine.grouped(some, JANUARY, by)
        for key in some:
            group = groups[len(groups) * len(key) // 20 % len(groups)]
            if by not in TIMES or key not in ("waiting", "backlog") or (key, by) == ("backlog", "day"):
                figure = group.figures[key]
                total = sum(Decimal(amount) for _, amount in engine.shares(key, JANUARY, group=(by, group.key)))
                assert float(total) == (figure.n if figure.denominator is None else figure.denominator), (key, group)
