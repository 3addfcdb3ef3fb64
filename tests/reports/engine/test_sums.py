"""The engine over facts that are written down here: every figure is the sum of its tickets, whatever is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from inbox.models import Agent, Channel, Team
from reports import engine
from reports.engine import Figure, Question
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
        **figure.extra,
    }
    found = told[part]
    assert isinstance(found, int | float), (figure, part)
    return found


def adds_up(key: str, question: Question, figure: Figure, group: tuple[str, str | int | None] | None = None) -> int:
    """How many tickets stood behind it; each part is the sum of its tickets."""
    opened = 0
    for part in engine.parts(key):
        shares = engine.shares(key, question, part, group)
        total = sum((Decimal(amount) for _, amount in shares), Decimal())
        assert float(total) == number(figure, part), (key, part, question, group)
        behind = {one.pk for one in engine.tickets(key, question, part, group)}
        assert behind == {ticket for ticket, _ in shares if ticket is not None}, (key, part, question, group)
        opened += len(behind)
    return opened


def test_every_figure_is_the_sum_of_its_tickets(
    sana: Agent, omar: Agent, bilal: Agent, team: Team, support: Channel
) -> None:
    open_to_all = Channel.objects.create(kind="chat", name="Chat", slug="chat")
    second = Team.objects.create(name="Second", slug="second")
    tickets = write_down([support, open_to_all], [team, second, None], [sana, omar, None])
    karachi = ZoneInfo("Asia/Karachi")
    asked = {
        "all": JANUARY,
        "zone": replace(JANUARY, zone=karachi),
        "early": replace(JANUARY, now=datetime(2026, 1, 20, tzinfo=UTC), imported=True, business=True),
        "channel": replace(JANUARY, channels=(open_to_all.pk,)),
        "team": replace(JANUARY, teams=(second.pk,), window=3),
        "agent": replace(JANUARY, agents=(sana.pk, omar.pk)),
        "tag": replace(JANUARY, tags=("broken",)),
        "ticket": replace(JANUARY, languages=("ur", "en"), types=("problem",)),
        "priority": replace(JANUARY, priorities=("high", "low")),
        "outsider": replace(JANUARY, viewer=bilal),
        "insider": replace(JANUARY, viewer=sana),
    }
    found = {name: engine.figures(engine.KEYS, question) for name, question in asked.items()}
    behind = {name: {key: adds_up(key, asked[name], figures[key]) for key in SUMMED} for name, figures in found.items()}
    assert not [key for key, opened in behind["all"].items() if not opened]
    for name in asked:
        if name not in ("all", "zone", "insider", "agent"):
            assert found[name] != found["all"], name
    seen = {one.pk for one in engine.tickets("volume", asked["outsider"])}
    assert seen and seen < {one.pk for one in tickets if one.channel_id == open_to_all.pk}
    for by in engine.BREAKDOWNS:
        groups = engine.grouped(SUMMED, JANUARY, by)
        for group in groups[:: max(1, len(groups) // 4)]:
            for key in SUMMED:
                if by in ("day", "week", "month", "hour_of_week") and (key == "waiting" or by == "hour_of_week"):
                    continue
                adds_up_one(key, JANUARY, group.figures[key], (by, group.key))


def adds_up_one(key: str, question: Question, figure: Figure, group: tuple[str, str | int | None]) -> None:
    total = sum((Decimal(amount) for _, amount in engine.shares(key, question, "denominator", group)), Decimal())
    assert float(total) == (figure.n if figure.denominator is None else figure.denominator), (key, group)
