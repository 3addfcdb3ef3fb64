"""The facts of handle time: what each agent did on each ticket in each quarter of an hour.

They follow from rows and the log alone, never from the time of making them: made again, they are equal to the last bit.
A chat in which somebody has just written is counted until five minutes from then; if it ends before, it is made anew.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from inbox.models import Event, Ticket
from reports.handling import deeds, tickets
from reports.handling.loading import Spans, pairs_of, spans_of
from reports.handling.sharing import SECOND, Rule, quarter_of, quarters, shares
from reports.handling.talking import instant, whole
from reports.models import HandlingFact, TicketFact

Pair = tuple[int, int]  # an agent, and the beginning of a quarter of an hour
ESTIMATE = 60.0  # seconds for an action by the API without the page


@dataclass(slots=True)
class _Row:
    spent: dict[tuple[Rule, int], int] = field(default_factory=lambda: defaultdict(int))
    actions: int = 0
    api: int = 0

    def seconds(self, rule: Rule) -> float:
        of_rule = [(spent, parts) for (which, parts), spent in self.spent.items() if which == rule]
        if all(parts == 1 for _spent, parts in of_rule):
            return sum(spent for spent, _parts in of_rule) / SECOND
        return float(sum((Fraction(spent, parts * SECOND) for spent, parts in of_rule), Fraction(0)))


class Teams:
    """Which team a ticket was with at a time, by the log."""

    def __init__(self, numbers: Collection[int]) -> None:
        self.changes: dict[int, list[tuple[int, int | None]]] = defaultdict(list)
        self.first: dict[int, int | None] = dict(Ticket.objects.filter(pk__in=numbers).values_list("pk", "team_id"))
        log = Event.objects.filter(ticket__in=numbers, kind="assigned", data__has_key="team_to").order_by("at", "pk")
        for number, at, data in log.values_list("ticket_id", "at", "data"):
            if data.get("team_from") == data["team_to"]:
                continue
            if not self.changes[number]:
                self.first[number] = data.get("team_from")
            self.changes[number].append((whole(at), data["team_to"]))

    def at(self, number: int, moment: int) -> int | None:
        of = self.changes.get(number, ())
        place = bisect_right(of, moment, key=lambda change: change[0])
        return of[place - 1][1] if place else self.first.get(number)

    def cuts(self) -> list[int]:
        return [at for of in self.changes.values() for at, _team in of]


def of_tickets(numbers: Collection[int], facts: Mapping[int, TicketFact] | None = None) -> list[HandlingFact]:
    """All facts of handle time of these tickets, not saved. `facts` are theirs, where the caller has them already:
    a ticket without one counts nowhere.
    """
    facts = _counted(numbers, facts)
    if not facts:
        return []
    family = tickets.family(facts.keys())
    done = deeds.of(family)
    return _made(facts, pairs_of(family), done)


def of_agents(pairs: Collection[tuple[int, datetime]], numbers: Collection[int] = ()) -> list[HandlingFact]:
    """All facts of these agents in these quarters of an hour, not saved: of the tickets that they spent time on then,
    and of `numbers`, those that they did something on without.
    """
    wanted = {(agent, quarter_of(whole(quarter))) for agent, quarter in pairs}
    spans = spans_of(wanted)
    facts = _counted({*numbers, *(number for of in spans.values() for number in of.numbers())}, None)
    done = deeds.of(tickets.family(facts.keys()), {agent for agent, _ in wanted})
    return _made(facts, wanted, (one for one in done if (one.agent, quarter_of(whole(one.at))) in wanted), spans)


def _counted(numbers: Collection[int], facts: Mapping[int, TicketFact] | None) -> Mapping[int, TicketFact]:
    if facts is None:
        return TicketFact.objects.only("ticket_id", "channel_id", "imported").in_bulk(list(numbers))
    return {number: facts[number] for number in numbers if number in facts}


def _made(
    facts: Mapping[int, TicketFact],
    pairs: set[Pair],
    done: Iterable[deeds.Deed],
    spans: Mapping[tuple[int, int, int], Spans] | None = None,
) -> list[HandlingFact]:
    teams = Teams(facts.keys())
    rows: dict[tuple[int, int, int, int | None], _Row] = defaultdict(_Row)
    cuts = teams.cuts()
    for (agent, start, end), of in (spans_of(pairs) if spans is None else spans).items():
        within = [at for at in cuts if start < at < end]
        for share in shares(start, end, of.focus, of.talks, [*quarters(start, end), *within]):
            if share.ticket in facts:
                row = rows[share.ticket, agent, quarter_of(share.start), teams.at(share.ticket, share.start)]
                row.spent[share.rule, share.parts] += share.end - share.start
    for one in done:
        at = whole(one.at)
        row = rows[one.ticket, one.agent, quarter_of(at), teams.at(one.ticket, at)]
        row.actions += 1
        row.api += one.api
    return [_fact(facts[key[0]], key, rows[key]) for key in sorted(rows, key=lambda key: (*key[:3], key[3] or 0))]


def _fact(of: TicketFact, key: tuple[int, int, int, int | None], row: _Row) -> HandlingFact:
    number, agent, quarter, team = key
    return HandlingFact(
        ticket_id=number,
        imported=of.imported,
        channel_id=of.channel_id,
        team_id=team,
        agent_id=agent,
        quarter=instant(quarter),
        focus=row.seconds("focus"),
        call=row.seconds("call"),
        chat=row.seconds("chat"),
        wrap_up=row.seconds("wrap_up"),
        estimated=0.0 if row.spent else ESTIMATE * row.api,
        actions=row.actions,
    )


def touched(start: datetime, end: datetime) -> list[datetime]:
    """The quarters of an hour that a time touches."""
    return [instant(at) for at in quarters(whole(start), whole(end))]
