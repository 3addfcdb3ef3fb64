"""A reader of the log that decides who is to be asked: what is decided stands in rows of `Asking`, with their time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.utils import timezone

from inbox import log
from inbox.models import Event, Ticket
from reports.actions import answering
from reports.models import Answer, Asking, AskingState, Survey
from reports.surveys import reasons, rules
from reports.surveys.rules import When

MAX_AGE = timedelta(days=1)  # a log read again from the start asks nobody
LOST = {"message_failed": True, "message_cancelled": True, "message_sent": False, "message_delivered": False}


@log.register_batch("surveys")
def hear(events: list[Event]) -> None:
    """Plan askings for what was solved or has ended, and note which askings never reached anybody."""
    now = timezone.now()
    _lost([one for one in events if one.kind in LOST])
    for rated in (one for one in events if one.kind == "chat_rated"):
        answering.rated_before(rated)
    fresh = [one for one in events if one.ticket_id is not None and now - one.at < MAX_AGE]
    found = [(one, what) for one in fresh if (what := _means(one))]
    if not found:
        return
    active = list(Survey.objects.filter(active=True, of_chats=False).order_by("pk"))
    wanted = {when for _event, moments in found for when in moments}
    active = [one for one in active if rules.of(one).when in wanted]
    if not active:
        return
    tickets = Ticket.objects.select_related("customer").in_bulk({one.ticket_id for one, _ in found})
    rows = [
        row
        for event, moments in found
        if (ticket := tickets.get(event.ticket_id or 0)) is not None
        for row in plan(event, ticket, [one for one in active if rules.of(one).when in moments], now)
    ]
    Asking.objects.bulk_create(rows, ignore_conflicts=True)


def _means(event: Event) -> tuple[str, ...]:
    """Which moments of surveys an event is."""
    if event.kind == "chat_ended":
        return (When.CHAT_ENDED,)
    if event.kind != "status_changed" or event.data.get("undo"):
        return ()
    solves = event.data.get("to") in reasons.DONE and event.data.get("from") not in reasons.DONE
    return (When.SOLVED, When.LATER) if solves else ()


def plan(event: Event, ticket: Ticket, surveys: Iterable[Survey], now: datetime) -> list[Asking]:
    """What follows for these surveys: nobody is noted where a ticket is none of those that a survey is for."""
    key = f"event:{event.pk}"
    rows: list[Asking] = []
    why = None
    for survey in surveys:
        chosen = rules.of(survey)
        if not chosen.concerns(ticket):
            continue
        why = reasons.of_ticket(ticket) if why is None else why
        reason = why or ("" if reasons.in_sample(survey, key) else "sample")
        waits = timedelta(days=chosen.days) if chosen.when == When.LATER else timedelta(minutes=chosen.delay)
        rows.append(
            Asking(
                survey=survey,
                key=key,
                ticket=ticket,
                customer_id=ticket.customer_id,
                event=event.pk,
                due_at=event.at + waits,
                state=AskingState.SKIPPED if reason else AskingState.WAITING,
                reason=reason,
                decided_at=now if reason else None,
            )
        )
    return rows


def _lost(events: Sequence[Event]) -> None:
    """Askings whose message failed; that of one that leaves after all counts again."""
    last = {event.data.get("message"): event for event in events}
    for answer in Answer.objects.filter(message__in=[one for one in last if one]).select_related("message"):
        event = last[answer.message_id]
        with contextlib.suppress(Answer.DoesNotExist):  # gone meanwhile, with its customer
            answering.reached(answer, failed=LOST[event.kind], at=event.at)
