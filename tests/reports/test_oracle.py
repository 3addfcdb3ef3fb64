"""The engine against the oracle: a thousand random histories, every figure, whatever is asked.

Twenty histories lie beside each other in one database, so that filters have something to leave out. They are the same
at every run, half of them here and half in `test_oracle_again.py`, beside an organisation in which nothing happens;
ORACLE_EXAMPLES=200 takes 200 times twenty others.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from reports import engine
from reports.engine import Question
from tests.reports import oracle
from tests.reports.counted import rebuild
from tests.reports.histories import SIZE, ZONES, live
from tests.reports.oracle import Asked, Book
from tests.reports.scribe import Scribe

pytestmark = pytest.mark.django_db
EXAMPLES = int(os.environ.get("ORACLE_EXAMPLES", "0"))  # of twenty histories each; 0: those of every run
SIDE_BY_SIDE = 20
KEYS = [key for key in oracle.FIGURES if key in engine.KEYS]
BY_TIME = ("day", "week", "month", "hour_of_week")
BREAKDOWNS = (*BY_TIME, "channel", "team", "agent")
FEW = BREAKDOWNS[1:3] + BREAKDOWNS[4:]
NOW = datetime(2026, 3, 30, tzinfo=UTC)  # some of what happened can still change
STARTS = tuple(
    date.fromisoformat(one)
    for one in ("2025-01-01", "2025-10-26", "2025-11-02", "2026-01-01", "2026-01-05", "2026-02-01", "2026-03-29")
)
MOST_DAYS = {"day": 31, "hour_of_week": 31}  # of breakdowns into very many parts
DAYS = (800, 400, 31, 7, 800, 1)
FILTERS = ("channels", "teams", "agents", "priorities", "tags", "languages")

WISH = 9  # bytes
# Of an organisation everything in one draw: of several alike hypothesis makes many that are almost the same.
ORGANISATIONS = st.binary(min_size=SIDE_BY_SIDE * SIZE + 2 * WISH, max_size=SIDE_BY_SIDE * SIZE + 2 * WISH)


def wish_of(told: bytes, *, whole: bool) -> dict[str, Any]:
    """What is asked for, from so many bytes; `whole`: all that there is, by something that has few parts."""
    zone, start, days, window, business, imported, by, only, which = told
    filters = {FILTERS[only // 3 % 6], FILTERS[only // 18 % 6]}
    if whole:
        start, days, only = 0, 0, 0
        by = BREAKDOWNS.index(FEW[by % len(FEW)])
    return {
        "zone": ZONES[zone % len(ZONES)],
        "start": STARTS[start % len(STARTS)],
        "days": DAYS[days % len(DAYS)],
        "window": (7, 7, 1, 30)[window % 4],
        "business": business % 2 == 1,
        "imported": imported % 3 == 2,
        "by": BREAKDOWNS[by % len(BREAKDOWNS)],
        "only": filters if only % 3 == 2 else set(),
        "which": which % 6,
    }


def asked(scribe: Scribe, wish: dict[str, Any]) -> dict[str, Any]:
    """What is asked of oracle and engine alike."""
    rows, which = scribe.rows, wish["which"]
    values: dict[str, tuple[Any, ...]] = {
        "channels": tuple(one.pk for one in rows.channels[which::4]),
        "teams": tuple(one.pk for one in scribe.teams[which % 2 :: 2]),
        "agents": tuple(one.pk for one in rows.agents[which % 3 :: 3]),
        "priorities": (("urgent", "high"), ("normal",))[which % 2],
        "tags": (("vip",), ("late", "nothing"))[which % 2],
        "languages": (("en",), ("ur", "de"))[which % 2],
    }
    days = timedelta(days=min(wish["days"], MOST_DAYS.get(wish["by"], 800)))
    plain = {name: wish[name] for name in ("start", "zone", "window", "business", "imported")}
    return plain | {"end": wish["start"] + days, "now": NOW} | {name: values[name] for name in wish["only"]}


def plain(figure: Any) -> dict[str, Any]:
    """The parts of a figure that both tell."""
    ratio = figure.denominator is not None
    names = ("numerator", "denominator", "value", "provisional") if ratio else ("n", "median", "p90", "mean")
    told = {name: getattr(figure, name) for name in names}
    if figure.extra and "snoozed" in figure.extra:
        told |= figure.extra
    return {name: round(one, 6) if isinstance(one, float) else one for name, one in told.items()}


def check(histories: Sequence[bytes], wishes: Sequence[dict[str, Any]]) -> None:
    scribe = Scribe()
    for history in histories:
        live(scribe, history)
    scribe.save()
    rebuild()
    book = Book(scribe.rows)
    for wish in wishes:
        chosen = asked(scribe, wish)
        question, same = Question(**chosen), Asked(**chosen)
        note(f"{chosen}, by {wish['by']}")
        told = engine.figures(KEYS, question)
        groups = {one.key: one.figures for one in engine.grouped(KEYS, question, wish["by"])}
        for key in KEYS:
            assert plain(told[key]) == plain(oracle.figure(book, key, same)), key
            ours, theirs = parts(book, key, same, groups, wish["by"])
            assert theirs == ours, (key, wish["by"])


def parts(book: Book, key: str, same: Asked, groups: dict[Any, Any], by: str) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """The figure broken down, by the oracle and by the engine; without groups in which there is nothing."""
    ours = {_name(name, by): plain(one) for name, one in oracle.grouped(book, key, same, by).items()}
    theirs = {name: plain(figures[key]) for name, figures in groups.items()}
    return tuple(  # type: ignore[return-value]
        {name: one for name, one in found.items() if one.get("n") or one.get("denominator")} for found in (ours, theirs)
    )


def _name(group: Any, by: str) -> Any:
    if isinstance(group, date):
        return f"{group:%Y-%m}" if by == "month" else group.isoformat()
    return group


def agree(examples: int, chance: int) -> None:
    """Check so many organisations, the same for each `chance`; with ORACLE_EXAMPLES, so many others."""

    @seed(random.randrange(2**32) if EXAMPLES else chance)
    @settings(
        max_examples=EXAMPLES or examples,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # making a thousand bytes smaller takes longer than looking at what is told
    )
    @given(ORGANISATIONS)
    def agrees(told: bytes) -> None:
        point = transaction.savepoint()
        lives, wishes = told[: SIDE_BY_SIDE * SIZE], told[SIDE_BY_SIDE * SIZE :]
        try:
            check(
                [lives[place : place + SIZE] for place in range(0, len(lives), SIZE)],
                [wish_of(wishes[:WISH], whole=True), wish_of(wishes[WISH:], whole=False)],
            )
        finally:
            transaction.savepoint_rollback(point)

    agrees()


@pytest.mark.timeout(600)
def test_the_engine_agrees_with_the_oracle() -> None:
    agree(26, 1)
