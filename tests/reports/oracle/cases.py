"""One case is one thing that a figure counts: a response, a solved ticket, an answer. Each figure has its cases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from inbox.models import Event, Message, Ticket
from reports.models import Answer
from tests.reports.oracle.hours import Wall
from tests.reports.oracle.outcome import Outcome, Stretch, outcome
from tests.reports.oracle.rows import Rows
from tests.reports.oracle.talk import ARRIVED, NO_WORDS, time_of


@dataclass(frozen=True)
class Case:
    """`value` is seconds, a score, or whether it is in the numerator; `at` decides on its day."""

    at: datetime
    value: int
    ticket: Ticket | None
    channel: int | None
    team: int | None
    agent: int | None
    priority: str
    customer: int
    imported: bool
    open_until: datetime | None = None  # what it is counted as can change until then
    kind: str = ""  # of what counts several sorts of a thing


def _is_said(one: Message) -> bool:
    """In words, and not only tried: what never left was never said, nor does a button say anything that is pressed."""
    if one.content_kind in NO_WORDS:
        return False
    return one.direction == "in" or one.direction == "out" and (one.origin == "logged" or one.state in ARRIVED)


class Book:
    """All tickets of an organisation, counted."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.channels = {one.pk: one for one in rows.channels}
        self.bots = {one.pk for one in rows.agents if one.is_bot}
        self.merged = {one.pk: one.merged_into_id for one in rows.tickets}
        self.into = {one.pk: one.merged_into_id for one in rows.customers}
        messages: dict[int, list[Message]] = defaultdict(list)
        events: dict[int, list[Event]] = defaultdict(list)
        for message in rows.messages:
            messages[message.ticket_id].append(message)
        for event in rows.events:
            if event.ticket_id is not None:
                events[event.ticket_id].append(event)
        self.lines: dict[int, list[Event]] = defaultdict(list)  # of each chat, in whichever ticket they were written
        for event in sorted(rows.events, key=lambda one: one.pk):
            if "engagement" in event.data:
                self.lines[event.data["engagement"]].append(event)
        here: dict[int, list[int]] = defaultdict(list)  # the chats that lie in a ticket now
        for row in rows.engagements:
            if row.kind == "chat":
                here[row.ticket_id].append(row.pk)
        self.wall = Wall(rows.schedules)
        self.outcomes: dict[int, Outcome] = {}
        self.imported: set[int] = set()
        for ticket in rows.tickets:
            if ticket.spam or ticket.trashed_at is not None or ticket.merged_into_id is not None:
                continue
            own = messages[ticket.pk]
            public = [one for one in own if one.side_id is None and _is_said(one)]
            if public and min(public, key=lambda one: (time_of(one), one.pk)).origin == "import":
                self.imported.add(ticket.pk)
            log = sorted(events[ticket.pk], key=lambda one: one.pk)
            chats = [line for chat in here[ticket.pk] for line in self.lines[chat]]
            self.outcomes[ticket.pk] = outcome(ticket, own, log, self.channels, self.bots, chats)
        self.counted = {pk for pk, one in self.outcomes.items() if one.began is not None}

    def root(self, number: int) -> int:
        """What a ticket is part of, as merged now."""
        while (into := self.merged.get(number)) is not None:
            number = into
        return number

    def home(self, answer: Answer) -> Outcome | None:
        """Of the ticket that an answer is about, as merged now; None where that is none, or one that does not count."""
        return self.outcomes.get(self.root(answer.ticket_id)) if answer.ticket_id is not None else None

    def customer(self, pk: int) -> int:
        """As merged now."""
        while (into := self.into.get(pk)) is not None:
            pk = into
        return pk

    @cached_property
    def followed(self) -> dict[int, list[Outcome]]:
        """The follow-up tickets of each ticket."""
        found: dict[int, list[Outcome]] = defaultdict(list)
        for link in self.rows.links:
            if link.kind == "follow_up" and link.source_id in self.outcomes:
                found[link.target_id].append(self.outcomes[link.source_id])
        return found

    @cached_property
    def unrelated(self) -> set[tuple[int, int]]:
        """Those of which somebody has said so, either way round."""
        pairs = [(link.source_id, link.target_id) for link in self.rows.links if link.kind == "unrelated"]
        return {*pairs, *((target, source) for source, target in pairs)}

    @cached_property
    def related(self) -> dict[int, list[Outcome]]:
        """The tickets of each customer."""
        found: dict[int, list[Outcome]] = defaultdict(list)
        for one in self.outcomes.values():
            found[self.customer(one.ticket.customer_id)].append(one)
        return found

    # Cases of each figure ---------------------------------------------------------------------------------------------

    def seconds(self, one: Outcome, stretches: Sequence[Stretch], business: bool, channel: int | None = None) -> int:
        """Of the calendar, or those in which somebody was at work."""
        if business:
            return sum(self.wall.seconds(a, b, one.team, channel or one.channel) for a, b in stretches)
        return sum(int((end - start).total_seconds()) for start, end in stretches)

    def responses(self, *, which: str, business: bool, total: bool = False) -> Iterator[Case]:
        """`total`: from the customer's first message, whoever had the ticket."""
        for one in self.outcomes.values():
            first = [one.first_response] if one.first_response is not None else []
            for response in first if which == "first" else one.responses:
                if which != "next" or not response.first:
                    start, end = response.asked.at if total else response.start, response.answer.at
                    taken = self.seconds(one, [(start, end)], business, response.asked.channel)
                    yield self._case(one, end, taken, agent=response.answer.writer, channel=response.channel)

    def resolutions(self, *, which: str, business: bool) -> Iterator[Case]:
        for one in self.outcomes.values():
            solve = one.first if which == "first" else one.last
            if solve is not None and one.opened is not None:
                taken = self.seconds(one, [(one.opened, solve.at)], business)
                yield self._case(one, solve.at, taken, agent=one.credit(solve))

    def waits(self, *, business: bool) -> Iterator[Case]:
        for one in self.outcomes.values():
            if one.last is not None:
                taken = self.seconds(one, one.waits, business)
                yield self._case(one, one.last.at, taken, agent=one.credit(one.last))

    def touches(self) -> Iterator[Case]:
        for one, agent in self._eligible():
            assert one.first is not None
            yield self._case(one, one.first.at, int(one.one_touch), agent=agent)

    def first_contacts(self, window: int) -> Iterator[Case]:
        """FCR, with its conditions (a) to (d)."""
        days = timedelta(days=window)
        for one, agent in self._eligible():
            assert one.first is not None
            until = one.first.at + days
            reopened = self._reopened(one)
            good = (
                one.one_contact
                and not (reopened is not None and reopened < until)
                and not any(came < until for came in self._came_again(one))
                and not any(denied <= until for denied in self._denied(one))
            )
            yield self._case(one, one.first.at, int(good), agent=agent, open_until=until)

    def reopens(self, window: int) -> Iterator[Case]:
        for one in self.outcomes.values():
            if one.first is not None:
                until = one.first.at + timedelta(days=window)
                reopened = self._reopened(one)
                good = reopened is not None and reopened < until
                yield self._case(one, one.first.at, int(good), agent=one.credit(one.first), open_until=until)

    def opened(self) -> Iterator[Case]:
        for one in self.outcomes.values():
            if one.opened is not None:
                yield self._case(one, one.opened, 1, agent=one.ticket.assignee_id, now=True)

    def solved(self) -> Iterator[Case]:
        for one in self.outcomes.values():
            if one.first is not None:
                yield self._case(one, one.first.at, 1, agent=one.credit(one.first))

    def ours_only(self) -> Iterator[Case]:
        for one in self.outcomes.values():
            if one.opened is None and one.begun is not None:
                yield self._case(one, one.begun, 1, agent=one.ticket.assignee_id, now=True)

    def waiting(self) -> Iterator[Case]:
        """Unsolved, and no person has answered so far; what a bot has waits for nobody."""
        for one in self.outcomes.values():
            if one.opened is not None and not one.done and not one.answered and not one.with_bot:
                since = max(one.opened, one.handed or one.opened)
                yield self._case(one, since, 1, agent=one.ticket.assignee_id, now=True)

    def messages(self, who: str) -> Iterator[Case]:
        for one in self.outcomes.values():
            for word in one.said:
                if word.who == who:
                    yield self._case(one, word.at, 1, agent=word.writer, channel=word.channel)

    def scores(self, kind: str, *, asked: bool = False, about: bool | None = None) -> Iterator[Case]:
        """Answers by the day of the first one; or, `asked`, askings by their day, and whether they were answered."""
        kinds = {one.pk: one.kind for one in self.rows.surveys}
        for answer in self.rows.answers:
            one = self.home(answer)
            if about is not None and about != (answer.ticket_id is not None):
                continue  # NPS is asked apart from any ticket, or after one
            if kinds.get(answer.survey_id) != kind or (answer.ticket_id is not None and one is None):
                continue
            until = (answer.answered_at or answer.asked_at) + timedelta(days=14)
            if asked and answer.failed_at is None:
                came = answer.answered_at is not None
                yield self._answer(answer, one, answer.asked_at, int(came), kind, None if came else until)
            elif not asked and answer.answered_at is not None and answer.value is not None:
                yield self._answer(answer, one, answer.answered_at, answer.value, kind, until)

    def automatic(self) -> Iterator[Case]:
        for one in self.outcomes.values():
            for at, channel in one.machines:
                yield self._case(one, at, 1, agent=None, channel=channel)

    def unsolved(self, when: datetime) -> Iterator[Case]:
        """What was unsolved then: its value are the seconds since it has been, its kind is for whom it waited."""
        for one in self.outcomes.values():
            found = one.standing.at(when) if one.standing is not None else None
            if found is not None:
                age = int((when - found[1]).total_seconds())
                yield self._case(one, when, age, agent=one.owner.at(when), kind=found[0])

    @cached_property
    def worked(self) -> list[Case]:
        from tests.reports.oracle.spent import worked

        return worked(self)

    # What they are made of --------------------------------------------------------------------------------------------

    def _eligible(self) -> Iterator[tuple[Outcome, int | None]]:
        for one in self.outcomes.values():
            if one.first is not None and one.counted(one.first.place):
                yield one, one.credit(one.first)

    def _reopened(self, one: Outcome) -> datetime | None:
        """The first re-open that counts, of its own or by a follow-up ticket that a person answered."""
        assert one.first is not None
        own = one.counting_reopen()
        again = [
            later.opened
            for later in self.followed[one.ticket.pk]
            if later.opened is not None
            and later.opened > one.first.at
            and later.answers_as_follow_up
            and (one.ticket.pk in self.imported or later.ticket.pk not in self.imported)
        ]
        return min([*again, *([own] if own is not None else [])], default=None)

    def _came_again(self, one: Outcome) -> Iterator[datetime]:
        """When the same customer came with what may be the same matter: condition (c)."""
        follow_ups = {later.ticket.pk for later in self.followed[one.ticket.pk]}
        assert one.opened is not None
        for other in self.related[self.customer(one.ticket.customer_id)]:
            if other.opened is None or other.opened <= one.opened or other.ticket.pk in follow_ups:
                continue
            if other.done and not other.answered:
                continue  # solved without a word
            mine, theirs = one.ticket, other.ticket
            if mine.topic and theirs.topic and mine.topic != theirs.topic:
                continue
            order, another = mine.attributes.get("order"), theirs.attributes.get("order")
            if order and another and order != another:
                continue
            if (theirs.pk, mine.pk) in self.unrelated or theirs.pk in self.imported and mine.pk not in self.imported:
                continue
            yield other.opened

    def _denied(self, one: Outcome) -> Iterator[datetime]:
        kinds = {survey.pk: survey.kind for survey in self.rows.surveys}
        for answer in self.rows.answers:
            if self.home(answer) is one and kinds.get(answer.survey_id) == "solved" and answer.value == 0:
                at = answer.changed_at or answer.answered_at
                if at is not None:
                    yield at

    def _case(
        self,
        one: Outcome,
        at: datetime,
        value: int,
        *,
        agent: int | None,
        channel: int | None = None,
        open_until: datetime | None = None,
        now: bool = False,
        kind: str = "",
    ) -> Case:
        return Case(
            at,
            value,
            one.ticket,
            channel or one.channel,
            one.ticket.team_id if now else one.team.at(at),
            agent,
            one.ticket.priority if now else one.priority.at(at),
            self.customer(one.ticket.customer_id),
            one.ticket.pk in self.imported,
            open_until,
            kind,
        )

    def _answer(
        self,
        answer: Answer,
        one: Outcome | None,
        at: datetime,
        value: int,
        kind: str,
        open_until: datetime | None = None,
    ) -> Case:
        before = [word for word in one.counted() if word.at <= answer.asked_at] if one is not None else []
        return Case(
            at,
            value,
            one.ticket if one is not None else None,
            answer.channel_id,
            one.team.at(answer.asked_at) if one is not None else None,
            before[-1].writer if before and kind != "nps" else None,
            one.priority.at(answer.asked_at) if one is not None else "",
            self.customer(answer.customer_id),
            one is not None and one.ticket.pk in self.imported,
            open_until,
        )
