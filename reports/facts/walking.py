"""What happened in one ticket, step by step in one order: runs of customer messages, solves and opening again.

At equal times what the customer wrote comes first, then who has the ticket, what we wrote, and the status. What we
wrote no later than a solve, but what left after it, lies just before that solve: one click answers and solves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from reports.facts.changing import DONE, Change, Key, settle
from reports.facts.owning import Hand
from reports.facts.saying import CUSTOMER, HUMAN, Said

Step = tuple[Key, Said | Hand | Change]


class Run(NamedTuple):
    """Customer messages that waited for a person together, from the first of them on.

    `asked_at` is where the human clock started, None where no person was asked. `answer` ended it, or a solve did.
    """

    began: Said
    asked_at: datetime | None
    ended_at: datetime
    answer: Said | None


@dataclass(slots=True)
class Course:
    """What came of it all."""

    opened: Said | None = None
    bot: bool = False  # a bot had it when the customer wrote first
    handed_at: datetime | None = None
    runs: list[Run] = field(default_factory=list)  # that are over
    since: datetime | None = None  # since when a person is wanted; nobody while a bot has it
    first: Said | None = None  # the first human public message that counts
    first_asked_at: datetime | None = None  # where its clock started; None: it was itself how a person took over
    answers: list[tuple[Key, Said]] = field(default_factory=list)  # all that count
    solves: list[tuple[Change, int]] = field(default_factory=list)  # that count, and how many answers came before each
    reopened_at: datetime | None = None  # the first time it was opened again and then answered
    done: bool = False
    taken: list[datetime] = field(default_factory=list)  # when a person took over from a bot by writing


def walk(said: Sequence[Said], hands: Sequence[Hand], begun: str, changes: list[Change]) -> tuple[Course, list[Change]]:
    """The course of a ticket, and the changes of its status as they count."""
    opened = next((one for one in said if one.who == CUSTOMER), None)
    solving = [change for change in changes if change.solves]
    steps: list[Step] = []
    people: list[tuple[Key, Said]] = []
    for one in said:
        if one.who == CUSTOMER:
            steps.append(((one.at, 0.0, one.id), one))
        elif one.who == HUMAN:
            key = _place(one, hands, solving)
            steps.append((key, one))
            if opened is not None and key > (opened.at, 0.0, opened.id):
                people.append((key, one))
    people.sort(key=_key)
    changes = settle(changes, people)
    steps += _in_turn(hands)
    steps += [(change.key, change) for change in changes]
    steps.sort(key=_key)
    walker = _Walker(Course(opened=opened, done=begun in DONE))
    for key, step in steps:
        walker.take(key, step)
    return walker.end(), changes


def _in_turn(hands: Sequence[Hand]) -> list[Step]:
    """A bot has a ticket before what is written at that instant, and gives it away after that; those of one instant are
    in the order of the log.
    """
    found: list[Step] = []
    for place, hand in enumerate(hands):
        rank = 1.0 if hand.bot is None else -1.0
        if found and found[-1][0][0] == hand.at:
            rank = max(rank, found[-1][0][1])
        found.append(((hand.at, rank, place), hand))
    return found


def _place(said: Said, hands: Sequence[Hand], solving: Sequence[Change]) -> Key:
    """Where something that we wrote lies: before the solve, or the hand-off, that came of writing it."""
    for hand in hands:
        if hand.bot is None and said.written <= hand.at <= said.at:
            return (hand.at, 0.5, said.id)
    for change in solving:
        if said.written <= change.told_at < said.at:
            return (change.told_at, 2.5, said.id)
    return (said.at, 2.0, said.id)


def _key(step: tuple[Key, object]) -> Key:
    return step[0]


class _Walker:
    def __init__(self, course: Course) -> None:
        self.course = course
        self.bot = False  # a bot has it
        self.run: Said | None = None
        self.asked: datetime | None = None  # its clock
        self.again: datetime | None = None  # it was opened again, and nobody has answered since
        self.last_hand: datetime | None = None

    def take(self, key: Key, step: Said | Hand | Change) -> None:
        if isinstance(step, Hand):
            self._hand(step)
        elif isinstance(step, Change):
            self._change(step)
        elif step.who == CUSTOMER:
            if self.course.opened is step:
                self.course.bot = self.bot
            if self.run is None:
                self.run, self.asked = step, None if self.bot else step.at
        else:
            self._answer(key, step)

    def end(self) -> Course:
        course = self.course
        if course.opened is not None and not self.bot:
            course.since = max(course.opened.at, self.last_hand or course.opened.at)
        return course

    def _hand(self, hand: Hand) -> None:
        if hand.bot is not None:
            self.bot, self.asked = True, None
        elif self.bot:
            self.bot, self.last_hand = False, hand.at
            self.course.handed_at = self.course.handed_at or hand.at
            if self.run is not None:
                self.asked = max(self.run.at, hand.at)

    def _answer(self, key: Key, said: Said) -> None:
        course = self.course
        took = self.bot
        if took:
            self.bot = False
            course.taken.append(said.at)
            course.handed_at = course.handed_at or said.at
        if course.opened is None or key < (course.opened.at, 0.0, course.opened.id):
            return
        course.answers.append((key, said))
        if course.first is None:
            course.first = said
            if not took:
                course.first_asked_at = max(course.opened.at, self.last_hand or course.opened.at)
        if self.run is not None:
            course.runs.append(Run(self.run, None if took else self.asked, said.at, said))
            self.run = None
        if self.again is not None:
            course.reopened_at = course.reopened_at or self.again
            self.again = None

    def _change(self, change: Change) -> None:
        course = self.course
        course.done = change.after in DONE
        if change.solves and course.opened is not None and change.key > (course.opened.at, 0.0, course.opened.id):
            course.solves.append((change, len(course.answers)))
            self.again = None
            if self.run is not None:
                course.runs.append(Run(self.run, None if self.bot else self.asked, change.at, None))
                self.run = None
        elif change.reopens and course.solves:
            self.again = change.at
