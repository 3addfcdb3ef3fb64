"""Where rows to count come from: a table of facts, the date their day goes by, and whom they are credited to."""

from __future__ import annotations

from dataclasses import dataclass

from inbox import access
from reports.engine.hiding import is_hidden
from reports.engine.question import Question

# What a ticket has now, by the filter that asks for it.
OF_TICKET = {
    "tags": "t.tags && %(tags)s::varchar[]",
    "languages": "t.language = ANY(%(languages)s)",
    "types": "t.type = ANY(%(types)s)",
    "topics": "t.topic = ANY(%(topics)s)",
    "severities": "t.severity = ANY(%(severities)s)",
}
LEFT_OUT = "SELECT t.number FROM inbox_ticket t WHERE t.tags && %(left_out)s::varchar[]"


@dataclass(frozen=True, slots=True)
class Source:
    """Rows of `table` (as `f`), of the days that their `at` falls in; where there is none, whenever.

    `inner` makes of them the rows that are counted (one a customer, one a ticket): a SELECT with places for `{g}`, what
    they are grouped by, and `{rows}`, all from FROM on. It has to give `ticket_id` and `g`.
    """

    table: str
    at: str = ""
    base: str = ""  # a further condition
    channel: str = "channel_id"
    team: str = "team_id"
    agent: str = "agent_id"
    priority: str = "priority"  # none: the ticket's, as it is now
    inner: str = ""

    def conditions(self, question: Question, starts: str = "%(starts)s", ends: str = "%(ends)s") -> str:
        """SQL of what is counted, from one instant up to another; its parameters are those of the question."""
        found = [self.base] if self.base else []
        if self.at:
            found.append(f"f.{self.at} >= {starts} AND f.{self.at} < {ends}")
        if not question.imported:
            found.append("NOT f.imported")
        if question.channels:
            found.append(f"f.{self.channel} = ANY(%(channels)s)")
        if question.teams:
            found.append(f"f.{self.team} = ANY(%(teams)s)")
        if question.agents:
            found.append(f"f.{self.agent} = ANY(%(agents)s)")
        if question.left_out:
            found.append(f"(f.ticket_id IS NULL OR f.ticket_id NOT IN ({LEFT_OUT}))")
        found += self._of_tickets(question)
        return " AND ".join(found) or "TRUE"

    def _of_tickets(self, question: Question) -> list[str]:
        asked = [sql for name, sql in OF_TICKET.items() if getattr(question, name)]
        found = []
        if question.priorities:
            if self.priority:
                found.append(f"f.{self.priority} = ANY(%(priorities)s)")
            else:
                asked.append("t.priority = ANY(%(priorities)s)")
        if asked:
            of_those = " AND ".join(asked)
            found.append(f"f.ticket_id IN (SELECT t.number FROM inbox_ticket t WHERE {of_those})")  # noqa: S608
        if restricted(question):
            found.append(self._seen(question))
        return found

    def _seen(self, question: Question) -> str:
        assert question.viewer is not None
        seen = f"f.ticket_id IS NOT NULL AND NOT {is_hidden(question.viewer, 'f.ticket_id')}"
        if self.table == "reports_answerfact":  # what was asked about no ticket is seen with its customer
            any_seen = f"SELECT bool_or(NOT {is_hidden(question.viewer, 't.number')}) FROM inbox_ticket t"  # noqa: S608
            theirs = f"({any_seen} WHERE t.customer_id = f.customer_id) IS NOT FALSE"  # null where they have none
            seen = f"({seen} OR f.ticket_id IS NULL AND f.customer_id IS NOT NULL AND {theirs})"
        return seen


def restricted(question: Question) -> bool:
    """Whether something is hidden from whoever asks."""
    if question.viewer is None:
        return False
    hidden = access.sight(question.viewer)
    return bool(hidden.hidden_channels or hidden.hidden_teams)
