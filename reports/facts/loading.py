"""Reads the histories of many tickets at once: a fixed number of queries, and no objects of models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, cast

from django.db.models import QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Length

from inbox.adapters import kinds
from inbox.models import Agent, Channel, Engagement, EngagementKind, Event, LinkKind, Message, Ticket, TicketLink
from inbox.models.tickets import CURRENT
from reports.facts.business import Schedules
from reports.facts.history import Asking, History, Line, Talk, Words, World
from reports.models import Answer

CHAT_LINES = ("chat_requested", "chat_answered", "chat_abandoned", "chat_ended", "bot_started", "bot_handoff",
              "bot_ended")  # fmt: skip
LINES = ("ticket_created", "status_changed", "reopened", "assigned", "priority_changed", "snoozed", "spam_changed",
         "merged_from", "trashed", "restored", "ticket_erased")  # fmt: skip
MATTER = "order"  # the attribute that says which order a ticket is about


def world() -> World:
    live = {kind for kind, adapter in kinds().items() if adapter.live or adapter.messenger}
    channels = Channel.objects.filter(kind__in=live).values_list("pk", flat=True)
    bots = Agent.objects.filter(is_bot=True).values_list("pk", flat=True)
    return World(frozenset(channels), frozenset(bots), Schedules.load())


def histories(numbers: Iterable[int]) -> list[History]:
    """The histories of those of these tickets that count: neither spam nor in the trash nor merged away."""
    return _Loader(numbers).load()


def askings_without_ticket(answers: QuerySet[Answer]) -> list[Asking]:
    return [asking for _ticket, asking in _askings(answers.filter(ticket__isnull=True))]


def been_in(numbers: Collection[int]) -> set[int]:
    """The tickets that these were part of once, over several merges that were undone: their chats went on there."""
    found, fresh = set(numbers), set(numbers)
    while fresh:
        undone = Event.objects.filter(ticket__in=fresh, kind="unmerged").values_list("data__from", flat=True)
        fresh = {number for number in undone if isinstance(number, int)} - found
        found |= fresh
    return found.difference(numbers)


class _Loader:
    def __init__(self, numbers: Iterable[int]) -> None:
        columns = ("number", "customer_id", "channel_id", "team_id", "assignee_id", "priority", "topic")
        found = Ticket.objects.filter(CURRENT, number__in=list(numbers)).order_by("number")
        self.rows: list[tuple[Any, ...]] = list(found.values_list(*columns, KT(f"attributes__{MATTER}")))
        self.numbers = [row[0] for row in self.rows]

    def load(self) -> list[History]:
        if not self.numbers:
            return []
        said, elsewhere = self._said()
        home = self._merged()
        talks = self._talks(elsewhere | set(home))
        lines = self._lines()
        before = self._follow_ups()
        askings: dict[int, list[Asking]] = defaultdict(list)
        for number, asking in _askings(Answer.objects.filter(ticket__in=[*self.numbers, *home])):
            askings[home.get(number, number)].append(asking)
        return [
            History(
                number, customer, channel, team, agent, priority, topic, str(matter or "")[:200],
                before.get(number), tuple(said.get(number, ())), tuple(lines.get(number, ())),
                tuple(talks.get(number, ())), tuple(sorted(askings.get(number, ()), key=lambda one: one.id)),
            )
            for number, customer, channel, team, agent, priority, topic, matter in self.rows
        ]  # fmt: skip

    def _said(self) -> tuple[dict[int, list[Words]], set[int]]:
        """What lies in each ticket, and other tickets in which some of it lay first."""
        found: dict[int, list[Words]] = {}
        elsewhere: set[int] = set()
        rows = Message.objects.filter(ticket__in=self.numbers).exclude(direction="note").values_list(
            "ticket_id", "id", "direction", "author_kind", "channel_id", "created_at", "received_at", "sent_at",
            "state", "kind", "content_kind", "origin", "agent_id", "first_ticket_id", "side_id", KT("payload__medium"),
            KT("payload__public"), KT("payload__survey"),
        )  # fmt: skip
        for number, *columns, medium, public, survey in cast("Iterable[tuple[Any, ...]]", rows.iterator()):
            told: list[Any] = [*columns, medium == EngagementKind.CALL, public == "true", survey is not None]
            words = Words(*told)
            found.setdefault(number, []).append(words)
            if words.first_ticket_id != number:
                elsewhere.add(words.first_ticket_id)
        return found, elsewhere

    def _lines(self) -> dict[int, list[Line]]:
        found: dict[int, list[Line]] = {}
        columns = ("id", "kind", "at", "actor_kind", "actor_id", "data")
        rows = Event.objects.filter(ticket__in=self.numbers, kind__in=LINES).values_list("ticket_id", *columns)
        for number, *told in rows.iterator():
            found.setdefault(number, []).append(Line(*told))
        return found

    def _talks(self, elsewhere: set[int]) -> dict[int, list[Talk]]:
        chats = list(
            Engagement.objects.filter(ticket__in=self.numbers, kind=EngagementKind.CHAT)
            .order_by("id")
            .values_list("id", "ticket_id", "channel_id")
        )
        if not chats:
            return {}
        lines: dict[int, list[Line]] = defaultdict(list)
        places = {*self.numbers, *elsewhere, *been_in({number for _pk, number, _channel in chats})}
        rows = Event.objects.filter(ticket__in=places, kind__in=CHAT_LINES).order_by("id")
        for told in rows.values_list("id", "kind", "at", "actor_kind", "actor_id", "data"):
            line = Line(*told)
            lines[line.data.get("engagement", 0)].append(line)
        found: dict[int, list[Talk]] = defaultdict(list)
        for engagement, number, channel in chats:
            found[number].append(Talk(engagement, channel, tuple(lines.get(engagement, ()))))
        return found

    def _merged(self) -> dict[int, int]:
        """The tickets that were merged into these, over several steps: {its number: where it lies now}."""
        home: dict[int, int] = {}
        there = {number: number for number in self.numbers}
        while there:
            rows = Ticket.objects.filter(merged_into__in=list(there)).values_list("number", "merged_into")
            there = {number: there[into] for number, into in rows if number not in home}
            home |= there
        return home

    def _follow_ups(self) -> dict[int, int]:
        links = TicketLink.objects.filter(source__in=self.numbers, kind=LinkKind.FOLLOW_UP).order_by("-target")
        return dict(links.values_list("source_id", "target_id"))  # the first of several


def _askings(answers: QuerySet[Answer]) -> list[tuple[int, Asking]]:
    rows = answers.annotate(said=Length("comment")).values_list(
        "ticket_id", "id", "survey__kind", "survey_id", "customer_id", "channel_id", "asked_at", "failed_at",
        "answered_at", "changed_at", "value", "said",
    )  # fmt: skip
    found: list[tuple[int, Asking]] = []
    for ticket, pk, kind, survey, customer, channel, asked, failed, answered, changed, value, said in rows:
        asking = Asking(
            pk, kind, survey, customer, channel, asked, failed is not None, answered, changed, value, said > 0
        )
        found.append((ticket or 0, asking))
    return found
