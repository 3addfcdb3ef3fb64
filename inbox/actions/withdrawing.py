"""Messages that are taken back before any worker had them: by an agent, or because something came first."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import base, counts
from inbox.models import Agent, DeliveryState, Message, Participant, Ticket


def put_away() -> str:
    return _("The ticket was put into the trash or marked as spam first, so this was not sent.")


def withdraw(ticket: Ticket, row: Message, *, by: Agent | None = None, reason: str = "", words: str = "") -> None:
    """Take back a locked message of a locked ticket. Without `by` it was overtaken: `reason` says by what in a code for
    the log, `words` to whoever reads it.
    """
    row.state, row.next_attempt_at, row.error = DeliveryState.CANCELLED, None, words
    row.save(update_fields=["state", "next_attempt_at", "error"])
    Participant.objects.filter(pk__in=row.payload.get("joined", []), ticket=ticket).update(until=timezone.now())
    told = {"reason": reason} if reason else {}
    log.record(ticket, "message_cancelled", by=by, message=row.pk, overtaken=bool(reason), **told)
    base.announce([ticket.pk], [row.pk])


def cancel_waiting(ticket: Ticket) -> None:
    """Take back what no worker has had of a ticket that is put away: what waits for its time, or is held for a moment.

    Call it before the ticket is locked.
    """
    waiting = Message.objects.filter(ticket=ticket.pk, state=DeliveryState.QUEUED, attempts=0)
    rows = list(waiting.select_for_update(no_key=True).order_by("pk"))
    if rows:
        locked = Ticket.objects.select_for_update(no_key=True).get(pk=ticket.pk)
        said = any(not row.is_scheduled for row in rows)
        for row in rows:
            withdraw(locked, row, reason="put_away", words=put_away())
        if said:
            counts.recount(locked)
