"""Whose second it is, against a plain look at each second by itself."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reports.handling.sharing import (
    LATELY,
    SECOND,
    Focus,
    Held,
    Talk,
    by_quarter,
    call_windows,
    chat_windows,
    quarter_of,
    quarters,
    shares,
)

END = 2400  # seconds that are looked at: from the 100th on, so that there is a before and an after
START = 100
LONGEST = 3600 * SECOND

times = st.integers(0, END + 400)
tickets = st.integers(1, 4)


def _span(longest: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(times, st.integers(0, longest)).map(lambda one: (one[0], one[0] + one[1]))


focuses = st.lists(st.tuples(tickets, _span(700), st.booleans()), max_size=8)
calls = st.lists(st.tuples(tickets, _span(700)), max_size=2)
chats = st.lists(
    st.tuples(tickets, times, st.none() | st.integers(0, 1500), st.booleans(), st.lists(times, max_size=6)), max_size=4
)


def shared(focused: Any, called: Any, chatted: Any, lately: int = LATELY) -> dict[tuple[int, int], dict[Any, Fraction]]:
    """The same by the code: seconds by (ticket, quarter) and rule."""
    talks = []
    for ticket, (begins, ends) in called:
        windows = call_windows([Held(1, begins * SECOND, ends * SECOND, True)], LONGEST)
        talks += [Talk(ticket, one.kind, one.start, one.end) for one in windows]
    for ticket, begins, lasts, over, said in chatted:
        end = None if lasts is None else (begins + lasts) * SECOND
        held = [Held(1, begins * SECOND, end, over and end is not None)]
        windows = chat_windows(held, sorted(at * SECOND for at in said), LONGEST)
        talks += [Talk(ticket, one.kind, one.start, one.end) for one in windows]
    focus = [Focus(ticket, begins * SECOND, ends * SECOND, idle) for ticket, (begins, ends), idle in focused]
    start, end = START * SECOND, END * SECOND
    return by_quarter(shares(start, end, focus, talks, quarters(start, end)))


def naive(focused: Any, called: Any, chatted: Any) -> dict[tuple[int, int], dict[str, Fraction]]:
    whole: dict[tuple[int, int], dict[str, Fraction]] = defaultdict(dict)

    def give(ticket: int, rule: str, second: int, parts: int = 1) -> None:
        of = whole[ticket, quarter_of(second * SECOND)]
        of[rule] = of.get(rule, Fraction(0)) + Fraction(1, parts)

    for second in range(START, END):
        before = [(begins, ticket, idle) for ticket, (begins, ends), idle in focused if begins <= second < ends]
        used = [(begins, ticket) for begins, ticket, idle in before if not idle]
        running = [(begins, ticket) for ticket, (begins, ends) in called if begins <= second < ends]
        fresh = [
            ticket
            for ticket, begins, lasts, _over, said in chatted
            if begins <= second
            and (lasts is None or second < begins + lasts)
            and any(second - 300 < at <= second for at in said)
        ]
        ended = {ticket for ticket, (_begins, ends) in called if ends <= second < ends + 300}
        ended |= {
            ticket
            for ticket, begins, lasts, over, _said in chatted
            if over and lasts is not None and begins + lasts <= second < begins + lasts + 300
        }
        wrapped = [(begins, ticket) for begins, ticket, _idle in before if ticket in ended]
        if used:
            give(max(used)[1], "focus", second)
        elif running:
            give(max(running)[1], "call", second)
        elif fresh:
            for ticket in fresh:
                give(ticket, "chat", second, len(fresh))
        elif wrapped:
            give(max(wrapped)[1], "wrap_up", second)
    return dict(whole)


@settings(max_examples=60, deadline=None)
@given(focuses, calls, chats)
def test_each_second_goes_to_the_first_rule_that_applies(focused: Any, called: Any, chatted: Any) -> None:
    found = shared(focused, called, chatted)
    assert found == naive(focused, called, chatted)
    whole = sum((sum(of.values(), Fraction(0)) for of in found.values()), Fraction(0))
    assert whole <= END - START


def test_two_active_chats_of_ten_minutes_are_five_minutes_each() -> None:
    said = [900, 1100, 1300]
    both = [(1, 900, 600, True, said), (2, 900, 600, True, said)]
    assert shared([], [], both) == {(1, 900 * SECOND): {"chat": 300}, (2, 900 * SECOND): {"chat": 300}}


def test_no_second_counts_twice_on_two_machines() -> None:
    found = shared([(1, (900, 1200), False), (2, (1000, 1100), False)], [], [])
    assert found == {(1, 900 * SECOND): {"focus": 200}, (2, 900 * SECOND): {"focus": 100}}


def test_long_windows_are_cut_and_join_without_a_gap() -> None:
    windows = list(call_windows([Held(1, 0, 10_000 * SECOND)], LONGEST))
    assert [(one.start // SECOND, one.end // SECOND) for one in windows] == [(0, 3600), (3600, 7200), (7200, 10_000)]
    said = list(range(0, 8000 * SECOND, 200 * SECOND))
    talked = [one for one in chat_windows([Held(1, 0, None)], said, LONGEST) if one.kind == "chat"]
    assert talked[0].start == 0 and talked[-1].end == said[-1] + LATELY
    assert all(one.end == following.start for one, following in pairwise(talked))
