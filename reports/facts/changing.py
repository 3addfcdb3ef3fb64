"""How the status of a ticket changed, as figures count it: without what was undone, each change with what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from inbox.models import ActorKind, Status
from reports.facts.history import Line
from reports.facts.saying import Said

UNDONE_WITHIN = timedelta(minutes=5)
AT_ONCE = timedelta(seconds=1)  # what an action writes in one go; nobody does two things so fast
DONE = frozenset({Status.SOLVED.value, Status.CLOSED.value})
ASIDE = frozenset({"spam", "merge", "erased"})  # causes by which nothing is solved or opened again
Key = tuple[datetime, float, int]


@dataclass(slots=True)
class Change:
    """One change of the status. `at` is when it counts, `key` its place among all that happened."""

    told_at: datetime
    id: int
    before: str
    after: str
    actor_kind: str
    why: str
    at: datetime
    key: Key

    @property
    def solves(self) -> bool:
        """Whether it is a solve: by a person, the customer, or a rule."""
        done = self.after in DONE and self.before not in DONE
        return done and self.actor_kind != ActorKind.BOT and self.why not in ASIDE

    @property
    def by_rule(self) -> bool:
        return self.actor_kind == ActorKind.SYSTEM

    @property
    def reopens(self) -> bool:
        opened = self.before in DONE and self.after not in DONE
        return opened and self.actor_kind in (ActorKind.AGENT, ActorKind.CUSTOMER) and self.why not in ASIDE


def changes_in(lines: Sequence[Line]) -> tuple[str, list[Change]]:
    """The status that the ticket began with, and its changes in order."""
    begun, kept, last = Status.OPEN.value, list[Change](), None
    for line in lines:
        if line.kind == "ticket_created":
            begun = str(line.data.get("status", begun))
        elif line.kind == "status_changed":
            _take(kept, line, _why(line, last))
        if line.kind != "reopened":
            last = line
    return begun, kept


def _why(line: Line, before: Line | None) -> str:
    """Why it changed, where that was no wish that it changes; older lines tell it by the line before them alone.

    A merge and the way back from spam only ever open, and whoever did the one did the other.
    """
    if "why" in line.data:
        return str(line.data["why"])
    opens = line.data.get("from") in DONE and line.data.get("to") not in DONE
    if opens and before is not None and line.at - before.at < AT_ONCE and _same_actor(line, before):
        if before.kind == "merged_from":
            return "merge"
        if before.kind == "spam_changed" and not before.data.get("spam"):
            return "spam"
    return ""


def _same_actor(one: Line, other: Line) -> bool:
    return (one.actor_kind, one.actor_id) == (other.actor_kind, other.actor_id)


def _take(kept: list[Change], line: Line, why: str) -> None:
    before, after = str(line.data.get("from", "")), str(line.data.get("to", ""))
    if line.data.get("undo"):
        for place in range(len(kept) - 1, -1, -1):
            one = kept[place]
            lasting = one.why in ("merge", "spam")  # what these did is undone with them, however late
            if not lasting and line.at - one.told_at > UNDONE_WITHIN:
                break
            if one.before == after and kept[-1].after == before:
                del kept[place:]
                return
    kept.append(Change(line.at, line.id, before, after, line.actor_kind, why, line.at, (line.at, 3.0, line.id)))


def settle(changes: list[Change], people: Sequence[tuple[Key, Said]]) -> list[Change]:
    """Move what a rule solved to the last of `people`, what people here said and counts, that came before it.

    What the status did in between, without being solved or opened again, is then nothing that happened.
    """
    done: list[Change] = []
    for change in changes:
        if change.solves and change.by_rule:
            earlier = [one for one in people if one[0] < change.key]
            if earlier:
                key, said = earlier[-1]
                change.at = said.at
                while done and done[-1].key > key and (done[-1].before in DONE) == (done[-1].after in DONE):
                    change.before = done.pop().before
                place = max(key, done[-1].key) if done else key
                change.key = (place[0], place[1] + 0.25, place[2])
        done.append(change)
    return done
