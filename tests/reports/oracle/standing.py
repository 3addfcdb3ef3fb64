"""For whom an unsolved ticket waits at a time, and since when it is unsolved."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

from inbox.models import Event, Message
from tests.reports.oracle.talk import DONE, Over, Said, is_solve, status_changes

WAITS = {"pending": "customer", "on_hold": "hold", "open": "us"}


class Standing:
    """Of one ticket. `begun` is when something was first said in it."""

    def __init__(
        self,
        begun: datetime,
        messages: Sequence[Message],
        events: Sequence[Event],
        said: Sequence[Said],
        bot: Over,
    ) -> None:
        self.begun, self.bot = begun, bot
        self.at_first = next((one.data["status"] for one in events if "status" in one.data and _opens(one)), "open")
        self.statuses = _statuses(events, said)
        self.away = _snoozes(messages, events, self.statuses)

    def at(self, when: datetime) -> tuple[str, datetime] | None:
        """The state then, and since when it was unsolved; None where it was not there, or done."""
        status, since = self.at_first, None if self.at_first in DONE else self.begun
        if when < self.begun:
            return None
        for at, steps in groupby((one for one in self.statuses if one[0] <= when), key=lambda one: one[0]):
            *_, (_, status) = steps
            since = None if status in DONE else since or max(at, self.begun)
        if since is None:
            return None
        snoozed = [away for at, away in self.away if at <= when]
        if snoozed and snoozed[-1]:
            return "snoozed", since
        if self.bot.at(when) is not None:
            return "bot", since
        return WAITS[status], since


def _opens(event: Event) -> bool:
    return event.kind == "ticket_created"


def _statuses(events: Sequence[Event], said: Sequence[Said]) -> list[tuple[datetime, str]]:
    """What it became when. What a rule solved was solved by our last word; what it was in between, it was not."""
    found: list[tuple[datetime, str]] = []
    asked = next((one for one in said if one.who == "customer"), None)
    for one in status_changes(events):
        ours = [
            word.at for word in said if word.who == "human" and asked and asked.place < word.place and word.at <= one.at
        ]
        at = one.at
        if is_solve(one) and one.actor_kind == "system" and not one.data.get("undo") and ours:
            at = ours[-1]
            while found and found[-1][0] > at:
                found.pop()
        found.append((at, one.data["to"]))
    return found


def _snoozes(
    messages: Sequence[Message], events: Sequence[Event], statuses: Sequence[tuple[datetime, str]]
) -> list[tuple[datetime, bool]]:
    """Put away and back: by hand, by the customer's word, by our answer, as no spam after all, where it is solved."""
    told = [(one.at, bool(one.data["until"])) for one in events if one.kind == "snoozed"]
    if not told:
        return []
    told += [(one.at, False) for one in events if one.kind == "spam_changed" and not one.data["spam"]]
    told += [
        (one.created_at, False)
        for one in messages
        if (one.direction, one.kind, one.author_kind, one.side_id) == ("out", "message", "agent", None)
        and one.origin == "channel"
    ]
    told += [(at, False) for at, status in statuses if status in DONE]
    return sorted(told, key=lambda one: one[0])
