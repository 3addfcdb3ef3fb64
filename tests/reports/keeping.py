"""What facts there are, and the follower's turn, within one transaction of a test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db.models import Max

from inbox.models import DeliveryState, Event, Message
from reports.facts import follower, rebuilding
from reports.handling import refreshing

NAMES = ("TicketFact", "ResponseFact", "SpanFact", "TrafficFact", "HandlingFact", "AnswerFact", "ChatFact", "BotFact")


def facts() -> dict[str, list[tuple[Any, ...]]]:
    """All rows, ids aside."""
    found = {}
    for name in NAMES:
        model = apps.get_model("reports", name)
        columns = [field.attname for field in model._meta.concrete_fields if field.attname != "id"]
        found[name] = sorted(model._default_manager.values_list(*columns), key=repr)
    return found


def rebuilt() -> dict[str, list[tuple[Any, ...]]]:
    rebuilding.everything(0, lambda *_step: None)
    return facts()


class Reader:
    """Reads the log as the follower does, which sees no event of a transaction that still runs."""

    def __init__(self) -> None:
        self.last = Event.objects.aggregate(last=Max("pk"))["last"] or 0

    def reads(self, size: int = 500) -> int:
        """Follow to the end, so many events at once."""
        done = 0
        for some in self._batches(size):
            follower.keep(some)
            refreshing.follow(some)
            done += len(some)
        refreshing.refresh(rest=timedelta())
        return done

    def _batches(self, size: int) -> Iterator[list[Event]]:
        while some := list(Event.objects.filter(pk__gt=self.last).order_by("pk")[:size]):
            self.last = some[-1].pk
            yield some


def leaves(message: Message, state: str = DeliveryState.SENT) -> None:
    """The message leaves now."""
    from inbox.actions import messages

    row = messages.lock(message.pk)
    if row.state == DeliveryState.QUEUED:
        messages.advance(row, DeliveryState.SENDING)
    if state == DeliveryState.FAILED:
        messages.fail(row, "No such mailbox.")
    else:
        messages.advance(row, state)
