"""Whose second is it? An agent's time is shared out among tickets; each second goes to the first rule that applies.

1. focus: the ticket before them, used within the last minute (a longer pause counts so much).
2. call: a running call.
3. chat: equal shares of the accepted chats in which somebody wrote within the last five minutes.
4. wrap_up: the ticket before them, unused, whose chat or call ended within the last five minutes.

Pure: numbers in, numbers out. Instants are whole microseconds since 1970; a span holds its start, not its end.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal

Rule = Literal["focus", "call", "chat", "wrap_up"]
SECOND = 1_000_000
QUARTER = 900 * SECOND
LATELY = 300 * SECOND  # a chat in which somebody wrote, and what follows after its end


@dataclass(frozen=True, slots=True)
class Focus:
    """A ticket that was before the agent, on the page that had the focus; `idle`: unused for more than a minute."""

    ticket: int
    start: int
    end: int
    idle: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """A time in a call, in a chat in which somebody wrote lately, or just after one ended: `call`, `chat`, `after`."""

    ticket: int
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Held:
    """An agent had a chat or call from `start` until `end`, or still has it; `over`: it ended there for good."""

    agent: int
    start: int
    end: int | None
    over: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    agent: int
    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Share:
    """A stretch of time and the ticket that has one of `parts` equal shares of it."""

    ticket: int
    rule: Rule
    start: int
    end: int
    parts: int = 1


def chat_windows(held: Iterable[Held], messages: Sequence[int], longest: int) -> Iterator[Window]:
    """When each agent's second may belong to this chat; `messages` are the times of all that was said in it, sorted."""
    for one in held:
        last = one.end if one.end is not None else (messages[-1] + LATELY if messages else one.start)
        start = end = one.start
        # What was said up to five minutes before it was taken is still fresh.
        for at in messages[bisect_right(messages, one.start - LATELY) : bisect_left(messages, last)]:
            begins = max(at, one.start)
            if begins > end:
                yield from _cut(one.agent, "chat", start, end, longest)
                start = begins
            end = min(at + LATELY, last)
        yield from _cut(one.agent, "chat", start, end, longest)
        yield from _after(one)


def call_windows(held: Iterable[Held], longest: int) -> Iterator[Window]:
    for one in held:
        if one.end is not None:
            yield from _cut(one.agent, "call", one.start, one.end, longest)
            yield from _after(one)


def _after(one: Held) -> Iterator[Window]:
    if one.over and one.end is not None:
        yield Window(one.agent, "after", one.end, one.end + LATELY)


def _cut(agent: int, kind: str, start: int, end: int, longest: int) -> Iterator[Window]:
    while start < end:
        yield Window(agent, kind, start, min(end, start + longest))
        start += longest


def shares(
    start: int, end: int, focus: Iterable[Focus], talks: Iterable[Talk], cuts: Iterable[int] = ()
) -> Iterator[Share]:
    """How one agent's time from `start` to `end` is shared out, in order of time; no share reaches over a cut.

    Together the shares come to no more than the time that went by. Of two pages that both say that they have the focus
    (on two machines), and of two calls, the one begun later counts.
    """
    spans: list[Focus | Talk] = [*focus, *talks]
    spans = [one for one in spans if max(one.start, start) < min(one.end, end)]
    begin: dict[int, list[Focus | Talk]] = defaultdict(list)
    for one in spans:
        begin[max(one.start, start)].append(one)
    instants = {start, end, *(at for at in cuts if start < at < end)}
    instants.update(at for one in spans for at in (one.start, one.end) if start < at < end)
    there: list[Focus | Talk] = []
    for now, following in pairwise(sorted(instants)):
        there = [one for one in there if one.end > now] + [one for one in begin.get(now, ()) if one.end > now]
        if not there:
            continue
        rule, tickets = _whose(there)
        for ticket in tickets:
            yield Share(ticket, rule, now, following, len(tickets))


def _whose(there: list[Focus | Talk]) -> tuple[Rule, list[int]]:
    """Which rule has an instant, and for which tickets; `there` is what spans it."""
    before = [one for one in there if isinstance(one, Focus)]
    talks = [one for one in there if isinstance(one, Talk)]
    if used := [one for one in before if not one.idle]:
        return "focus", [_latest(used).ticket]
    if calls := [one for one in talks if one.kind == "call"]:
        return "call", [_latest(calls).ticket]
    if chats := sorted(one.ticket for one in talks if one.kind == "chat"):
        return "chat", chats
    ended = {one.ticket for one in talks if one.kind == "after"}
    if wrapped := [one for one in before if one.ticket in ended]:
        return "wrap_up", [_latest(wrapped).ticket]
    return "wrap_up", []


def _latest(spans: Sequence[Focus | Talk]) -> Focus | Talk:
    return max(spans, key=lambda one: (one.start, one.ticket))


def quarter_of(at: int) -> int:
    return at - at % QUARTER


def quarters(start: int, end: int) -> range:
    """The beginnings of all quarters of an hour (UTC) that a span touches."""
    return range(quarter_of(start), end, QUARTER)


def by_quarter(found: Iterable[Share]) -> dict[tuple[int, int], dict[Rule, Fraction]]:
    """Exact seconds per ticket and quarter of an hour, by rule; of shares that reach over none."""
    whole: dict[tuple[int, int], dict[Rule, Fraction]] = {}
    for one in found:
        of = whole.setdefault((one.ticket, quarter_of(one.start)), {})
        of[one.rule] = of.get(one.rule, Fraction(0)) + Fraction(one.end - one.start, one.parts * SECOND)
    return whole
