"""What agents did on tickets, one at a time, by the log: the actions that handle time is spread over.

One click may leave several lines (a reply with a macro that tags and solves): what somebody does on a ticket within a
second is one action. What a long job does to many tickets is none, nor what the clock does in somebody's name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from inbox.models import ActorKind, Event

REPLIES = frozenset({"message_added", "message_scheduled", "message_logged", "side_message_added"})
OTHERS = frozenset({
    "note_added", "status_changed", "assigned", "chat_transferred", "priority_changed", "subject_changed",
    "fields_changed", "tags_changed", "merged_from",
})  # fmt: skip
KINDS = REPLIES | OTHERS
ONE_CLICK = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Deed:
    """One action on a ticket (as merged now); `api`: by a token, so that no page needs to have been looked at."""

    ticket: int
    agent: int
    at: datetime
    api: bool


def of(family: dict[int, int], agents: Collection[int] | None = None) -> list[Deed]:
    """What was done on these tickets; `family` says into which one each was merged. In no order."""
    log = Event.objects.filter(ticket__in=family, kind__in=KINDS, actor_kind=ActorKind.AGENT, actor_id__isnull=False)
    if agents is not None:
        log = log.filter(actor_id__in=agents)
    lines = log.order_by("at", "pk").values_list("ticket_id", "kind", "actor_id", "at", "data")
    return list(_clicks(((ticket or 0, kind, actor or 0, at, data) for ticket, kind, actor, at, data in lines), family))


def _clicks(lines: Iterable[tuple[int, str, int, datetime, dict[str, Any]]], family: dict[int, int]) -> Iterable[Deed]:
    last: dict[tuple[int, int], datetime] = {}
    waited: dict[int, set[Any]] = defaultdict(set)
    for number, kind, agent, at, data in lines:
        if data.get("bulk") or data.get("automatic"):
            continue
        if kind == "status_changed" and family[number] != number:
            continue  # of a ticket that was merged away
        if kind == "message_scheduled":
            waited[number].add(data.get("message"))
        elif kind == "message_added" and data.get("message") in waited[number]:
            continue  # it was written before, and left now
        key = (family[number], agent)
        if key in last and at - last[key] <= ONE_CLICK:
            last[key] = at
            continue
        last[key] = at
        yield Deed(family[number], agent, at, bool(data.get("api")))
