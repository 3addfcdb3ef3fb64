"""Random small organisations, lived through step by step by the scribe.

A history is so many bytes: three of its beginning, and three of each step: what is done, how long after the step
before, and to what. Whatever they say becomes something that can happen; a step of zeros is none.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from tests.reports.histories.changing import (
    assigns,
    clock_solves,
    hides,
    joins,
    links,
    merges,
    moves,
    moves_status,
    prioritises,
    snoozes,
    solves,
    undoes,
    unmerges,
)
from tests.reports.histories.life import BEGINNINGS, ZONES, Life, begin, later, works
from tests.reports.histories.saying import (
    answers,
    answers_late,
    begins,
    echoes,
    fails,
    nobody_says,
    promotes,
    surveys,
    writes,
)
from tests.reports.histories.working import calls, chats, looks
from tests.reports.scribe import Scribe

__all__ = ["SIZE", "ZONES", "live"]
STEPS = 14
SIZE = 3 + 3 * STEPS  # of a history, in bytes


def rests(life: Life, arg: int) -> None:
    """Nothing happens, which is what hypothesis makes of a step that does not matter."""


Verb = Callable[[Life, int], None]
# What happens often stands there more than once.
VERBS: tuple[Verb, ...] = (
    rests, writes, answers, solves, writes, answers, moves_status, nobody_says, assigns, merges, unmerges, undoes,
    surveys, clock_solves, moves, echoes, fails, answers_late, snoozes, prioritises, hides, links, joins, begins,
    surveys, writes, chats, looks, chats, looks, looks, calls,
)  # fmt: skip
# What may share its instant with the step before it: all else has a moment of its own.
AT_ONCE: frozenset[Verb] = frozenset({writes, answers, solves, nobody_says, echoes})


def live(scribe: Scribe, history: bytes) -> Life:
    """Live through a history."""
    beginning, kind, hours, *steps = history
    life = begin(scribe)
    scribe.now = datetime(2025, 10, 1, tzinfo=UTC)
    works(life, hours)
    scribe.now = BEGINNINGS[beginning % len(BEGINNINGS)]
    writes(life, kind)
    promotes(life, hours)
    before: Verb = rests
    for verb_at, gap_at, arg in zip(*(steps[place::3] for place in range(3)), strict=False):
        verb = VERBS[verb_at % len(VERBS)]
        scribe.now = later(scribe.now, gap_at, at_once=verb in AT_ONCE and before in AT_ONCE)
        verb(life, arg)
        before = verb
    return life
