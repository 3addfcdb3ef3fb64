"""The facts of one ticket from its history: a pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from reports.facts import bots, spans
from reports.facts.changing import Change, changes_in
from reports.facts.history import Asking, History, World
from reports.facts.owning import hands_of
from reports.facts.rows import AnswerRow, Facts, ResponseRow, TicketRow, TrafficRow
from reports.facts.saying import AUTO, BOT, CUSTOMER, HUMAN, Said, said_in
from reports.facts.standing import Standings
from reports.facts.walking import walk
from reports.models import SurveyKind

SESSION = timedelta(minutes=60)  # a longer pause begins another one
QUARTER = 15 * 60


def facts_of(history: History, world: World) -> Facts:
    """All rows of this ticket but `reopened_at` and `repeat_at`, in which other tickets have a say."""
    return _Calculation(history, world).facts()


def seconds(start: datetime, end: datetime) -> int:
    """Whole seconds from one instant to another, never below 0."""
    return max(0, int((end - start).total_seconds()))


class _Calculation:
    def __init__(self, history: History, world: World) -> None:
        self.history, self.world = history, world
        self.lines = sorted(history.lines, key=lambda line: (line.at, line.id))
        self.standings = Standings(history, self.lines)
        self.said = said_in(history.said)
        self.hands = hands_of(history, self.lines, self.said, world)
        self.begun, changes = changes_in(self.lines)
        self.course, self.changes = walk(self.said, self.hands, self.begun, changes)
        opened = self.course.opened
        self.channel_id = history.channel_id if opened is None else opened.channel_id
        self.live = opened is not None and (opened.call or (opened.channel_id in world.live and not opened.public))
        self.imported = any(one.imported for one in self.said[:1])

    def facts(self) -> Facts:
        history, course = self.history, self.course
        if self._is_gone():
            return Facts()
        if not self.said:  # nothing left, or nothing lies here any more: nobody waits in it
            return Facts(answers=[self._answer(asking) for asking in history.askings])
        began_at = self.said[0].at
        cut = spans.Spans(history.number, self.imported, self.channel_id, self.standings)
        snoozes = spans.snoozes_in(history, self.lines)
        return Facts(
            [self._ticket(began_at)],
            self._responses(),
            cut.cut(began_at, self.begun, self.changes, self.hands, course.taken, snoozes),
            self._traffic(),
            [self._answer(asking) for asking in history.askings],
            bots.chats_of(history, self.imported),
            bots.bots_of(
                history, self.imported, self.channel_id, self.said, self.hands, course.taken, self.standings
            ),
        )  # fmt: skip

    def _is_gone(self) -> bool:
        """Whether it was erased out of the trash: it counts no more than what lies there. Erasing a person is no such
        thing."""
        trashed = False
        for line in self.lines:
            if line.kind in ("trashed", "restored"):
                trashed = line.kind == "trashed"
            elif line.kind == "ticket_erased":
                return trashed
        return False

    def _business(self, start: datetime, end: datetime, channel_id: int) -> int:
        if end <= start:
            return 0
        return self.world.schedules.seconds(start, end, channel_id, self.standings.teams)

    # The ticket ------------------------------------------------------------------------------------------------------

    def _ticket(self, began_at: datetime) -> TicketRow:
        history, course, now = self.history, self.course, self.standings.now
        opened_at = course.opened.at if course.opened else None
        waits = not course.done and opened_at is not None and not course.answers
        row = TicketRow(
            ticket_id=history.number,
            customer_id=history.customer_id,
            imported=self.imported,
            channel_id=self.channel_id,
            live=self.live,
            began_at=began_at,
            opened_at=opened_at,
            ours_at=self._ours_at() if opened_at is None else None,
            bot=course.bot,
            handed_at=course.handed_at,
            topic=history.topic,
            matter=history.matter,
            follow_up_of=history.follow_up_of,
            waiting_since=course.since if waits else None,
            team_id=now.team_id,
            agent_id=now.agent_id,
            priority=now.priority,
            done=course.done,
            denied_at=self._denied_at(),
            unanswered=course.done and not course.answers,
            answers_reopen=bool(course.answers) if not course.solves else course.solves[0][1] > 0,
        )
        if opened_at is None or not course.solves:
            return row
        return row._replace(**self._first(opened_at), **(self._last(opened_at) if course.done else {}))

    def _ours_at(self) -> datetime | None:
        return next((one.at for one in self.said if one.who in (HUMAN, BOT)), None)

    def _first(self, opened_at: datetime) -> dict[str, Any]:
        course = self.course
        solve, answers = course.solves[0]
        sessions = self._sessions(solve) if self.live else 0
        asked_again = answers > 0 and any(
            one.who == CUSTOMER and course.answers[0][0] < (one.at, 0.0, one.id) < solve.key for one in self.said
        )
        standing = self.standings.at(solve.at)
        return {
            "first_solved_at": solve.at,
            "first_agent_id": course.answers[answers - 1][1].agent_id if answers else None,
            "first_team_id": standing.team_id,
            "first_priority": standing.priority,
            "resolution_first": seconds(opened_at, solve.at),
            "resolution_first_business": self._business(opened_at, solve.at, self.channel_id),
            "answers_before": answers,
            "one_touch": answers > 0 and sessions == 1 if self.live else answers == 1,
            "one_contact": answers > 0 and (sessions == 1 if self.live else not asked_again),
            "own_reopened_at": course.reopened_at,
        }

    def _last(self, opened_at: datetime) -> dict[str, Any]:
        course = self.course
        solve, answers = course.solves[-1]
        standing = self.standings.at(solve.at)
        waits = [(run.asked_at, run.ended_at) for run in course.runs if run.asked_at is not None]
        return {
            "last_solved_at": solve.at,
            "last_agent_id": course.answers[answers - 1][1].agent_id if answers else None,
            "last_team_id": standing.team_id,
            "last_priority": standing.priority,
            "resolution_full": seconds(opened_at, solve.at),
            "resolution_full_business": self._business(opened_at, solve.at, self.channel_id),
            "customer_wait": sum(seconds(start, end) for start, end in waits),
            "customer_wait_business": sum(self._business(start, end, self.channel_id) for start, end in waits),
        }

    def _sessions(self, solve: Change) -> int:
        """How many sessions there were from the first customer message to a solve."""
        places = {one.id: key for key, one in self.course.answers}
        opened, count, last = self.course.opened, 0, None
        for one in self.said:
            if one.who == AUTO or opened is None or one.at < opened.at:
                continue
            if places.get(one.id, (one.at, 0.0, one.id)) > solve.key:
                continue
            if last is None or one.at - last > SESSION:
                count += 1
            last = one.at
        return count

    def _denied_at(self) -> datetime | None:
        said_no = [
            asking.changed_at or asking.answered_at
            for asking in self.history.askings
            if asking.kind == SurveyKind.SOLVED and asking.value == 0
        ]
        return min((at for at in said_no if at is not None), default=None)

    # Responses -------------------------------------------------------------------------------------------------------

    def _responses(self) -> list[ResponseRow]:
        course = self.course
        rows = [
            self._response(run.began, run.asked_at, run.answer)
            for run in course.runs
            if run.answer is not None and run.asked_at is not None
        ]
        first, asked = course.first, course.first_asked_at
        if first is None or asked is None or course.opened is None:
            return rows
        told: dict[str, Any] = {
            "first": True,
            "first_seconds": seconds(asked, first.at),
            "first_business": self._business(asked, first.at, course.opened.channel_id),
            "first_total": seconds(course.opened.at, first.at),
        }
        for place, run in enumerate(one for one in course.runs if one.answer is not None and one.asked_at is not None):
            if run.answer is first:
                rows[place] = rows[place]._replace(**told)
                return rows
        # What was asked was solved without a word, and the word came later: it answers no run.
        row = self._response(course.opened, asked, first)
        return [row._replace(seconds=None, business=None, total=None, **told), *rows]

    def _response(self, began: Said, asked: datetime, answer: Said) -> ResponseRow:
        standing = self.standings.at(answer.at)
        return ResponseRow(
            self.history.number, self.imported, began.channel_id, standing.team_id, answer.agent_id, False, asked,
            answer.at, seconds(asked, answer.at), self._business(asked, answer.at, began.channel_id),
            seconds(began.at, answer.at), None, None, None, standing.priority,
        )  # fmt: skip

    # What was said, and answers to surveys ---------------------------------------------------------------------------

    def _traffic(self) -> list[TrafficRow]:
        count: Counter[tuple[int, int | None, int | None, str, datetime, str]] = Counter()
        for one in self.said:
            standing = self.standings.at(one.at)
            count[one.channel_id, standing.team_id, one.agent_id, one.who, quarter_of(one.at), standing.priority] += 1
        return [
            TrafficRow(self.history.number, self.imported, *parts, number) for parts, number in count.items()
        ]  # fmt: skip

    def _answer(self, asking: Asking) -> AnswerRow:
        standing = self.standings.at(asking.asked_at)
        before = [said for _key, said in self.course.answers if said.at <= asking.asked_at]
        credited = before[-1].agent_id if before and asking.kind != SurveyKind.NPS else None
        return AnswerRow(
            asking.id, asking.kind, asking.survey_id, self.history.number, asking.customer_id, self.imported,
            asking.channel_id or self.channel_id, standing.team_id, credited, standing.priority, asking.asked_at,
            asking.failed, asking.answered_at, asking.value, asking.commented,
        )  # fmt: skip


def quarter_of(at: datetime) -> datetime:
    """The quarter of an hour in which an instant lies."""
    stamp = int(at.timestamp())
    return datetime.fromtimestamp(stamp - stamp % QUARTER, UTC)


def answer_without_ticket(asking: Asking) -> AnswerRow:
    """The row of an asking that is about no ticket."""
    return AnswerRow(
        asking.id, asking.kind, asking.survey_id, None, asking.customer_id, False, asking.channel_id, None, None, "",
        asking.asked_at, asking.failed, asking.answered_at, asking.value, asking.commented,
    )  # fmt: skip


def facts_of_all(histories: Sequence[History], world: World) -> Facts:
    found = Facts()
    for history in histories:
        found.add(facts_of(history, world))
    return found
