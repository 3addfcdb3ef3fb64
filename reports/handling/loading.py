"""What of an agent's time has to be known to share it out: pages and talks, in a few queries however many agents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from reports.handling import tickets
from reports.handling.sharing import QUARTER, Focus, Talk, quarters
from reports.handling.talking import instant
from reports.models.activity import LONGEST, LONGEST_TALK

# Times leave as whole microseconds: a rebuild reads millions of them.
TIMES = (
    "(extract(epoch FROM found.started_at) * 1000000)::bigint, (extract(epoch FROM found.ended_at) * 1000000)::bigint"
)
TALK = "(reports_talk found JOIN inbox_engagement engagement ON engagement.id = found.engagement_id)"
# OFFSET 0: each time is looked up by itself in the index of agents' times. Left to choose, the planner takes a thousand
# times as many rows to fit as do, and reads the whole table for every range of tickets.
ASKED = """
SELECT asked.place, of.* FROM unnest(%%s::int[], %%s::bigint[], %%s::timestamptz[], %%s::timestamptz[])
    AS asked (place, agent, starts, ends)
CROSS JOIN LATERAL (
    SELECT %s FROM %s WHERE found.agent_id = asked.agent AND found.started_at < asked.ends
    AND found.started_at > asked.starts - %%s::interval AND found.ended_at > asked.starts OFFSET 0
) AS of
"""
FOCUS = ASKED % (f"found.ticket_id, {TIMES}, found.idle", "reports_activity found")
TALKS = ASKED % (f"engagement.ticket_id, found.kind, {TIMES}", TALK)
WHEN = f"""
SELECT found.agent_id, {TIMES} FROM reports_activity found WHERE found.ticket_id = ANY(%(numbers)s)
UNION SELECT found.agent_id, {TIMES} FROM {TALK} WHERE engagement.ticket_id = ANY(%(numbers)s)
"""  # noqa: S608  of constants


@dataclass(slots=True)
class Spans:
    """Of one agent: what was before them, and their calls and chats. Tickets as merged now."""

    focus: list[Focus] = field(default_factory=list)
    talks: list[Talk] = field(default_factory=list)

    def numbers(self) -> set[int]:
        return {one.ticket for one in self.focus} | {one.ticket for one in self.talks}


def pairs_of(family: Mapping[int, int]) -> set[tuple[int, int]]:
    """The agents and quarters of an hour in which somebody may have spent time on these tickets."""
    with connection.cursor() as cursor:
        cursor.execute(WHEN, {"numbers": list(family)})
        return {(agent, at) for agent, start, end in cursor.fetchall() for at in quarters(start, end)}


def spans_of(pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int, int], Spans]:
    """All that happened in these quarters of these agents, by (agent, from, to): quarters in a row are one time."""
    times = _in_a_row(pairs)
    found = {one: Spans() for one in times}
    if not times:
        return found
    asked: tuple[Any, ...] = (
        list(range(len(times))),
        [agent for agent, _start, _end in times],
        [instant(start) for _agent, start, _end in times],
        [instant(end) for _agent, _start, end in times],
    )
    with connection.cursor() as cursor:
        cursor.execute(FOCUS, (*asked, str(LONGEST)))
        for place, ticket, start, end, idle in cursor.fetchall():
            found[times[place]].focus.append(Focus(ticket, start, end, idle))
        cursor.execute(TALKS, (*asked, str(LONGEST_TALK)))
        for place, ticket, kind, start, end in cursor.fetchall():
            found[times[place]].talks.append(Talk(ticket, kind, start, end))
    into = tickets.roots({number for of in found.values() for number in of.numbers()})
    if into:
        for of in found.values():
            of.focus = [Focus(into.get(f.ticket, f.ticket), f.start, f.end, f.idle) for f in of.focus]
            of.talks = [Talk(into.get(t.ticket, t.ticket), t.kind, t.start, t.end) for t in of.talks]
    return found


def _in_a_row(pairs: Collection[tuple[int, int]]) -> list[tuple[int, int, int]]:
    by_agent: dict[int, list[int]] = defaultdict(list)
    for agent, quarter in pairs:
        by_agent[agent].append(quarter)
    times: list[tuple[int, int, int]] = []
    for agent, found in by_agent.items():
        for quarter in sorted(found):
            if times and times[-1][0] == agent and times[-1][2] == quarter:
                times[-1] = (agent, times[-1][1], quarter + QUARTER)
            else:
                times.append((agent, quarter, quarter + QUARTER))
    return times
