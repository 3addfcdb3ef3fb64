"""The trash: tickets put there leave every list, and nothing is sent from them; they come back as they were, or are
erased for good, by hand or after TRASH_DAYS.

What a customer writes to one brings it back by itself (`inbox.actions.intake`): nothing they say is lost.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import base, erasing, withdrawing
from inbox.actions.errors import ActionError
from inbox.models import Agent, Ticket

logger = logging.getLogger(__name__)
BATCH = 100


def trash(ticket: Ticket, *, by: Agent | None) -> Ticket:
    """Put a ticket into the trash; what has not left is taken back. Raises ActionError when merged."""
    with transaction.atomic():
        withdrawing.cancel_waiting(ticket)
        with base.locked(ticket, even_if_closed=True, even_if_trashed=True) as row:
            if row.trashed_at is None:
                log.record(row, "trashed", by=by)
                row.trashed_at = timezone.now()
                base.save(row, "trashed_at")
            return row


def restore(ticket: Ticket, *, by: Agent | None) -> Ticket:
    """Take a ticket out of the trash, as it was."""
    with base.locked(ticket, even_if_closed=True, even_if_trashed=True) as row:
        if row.trashed_at is not None:
            log.record(row, "restored", by=by)
            row.trashed_at = None
            base.save(row, "trashed_at")
        return row


def erase(ticket: Ticket, *, by: Agent | None) -> None:
    """Erase for good what was said in a ticket that lies in the trash. Raises ActionError when it does not."""
    with transaction.atomic():
        erasing.lock_messages(ticket)
        with base.locked(ticket, even_if_closed=True, even_if_trashed=True) as row:
            if row.trashed_at is None:
                raise ActionError(_("Only what lies in the trash can be erased."), "not_trashed")
            erasing.erase_ticket(row, by=by)


def empty() -> int:
    """Erase what has been in the trash for TRASH_DAYS; returns how many tickets. Each in a transaction of its own."""
    if not settings.TRASH_DAYS:
        return 0
    old = timezone.now() - timedelta(days=settings.TRASH_DAYS)
    done, failed = 0, set[int]()
    while due := list(Ticket.objects.filter(trashed_at__lt=old).exclude(pk__in=failed).order_by("trashed_at")[:BATCH]):
        for ticket in due:
            try:
                erase(ticket, by=None)
                done += 1
            except ActionError:
                failed.add(ticket.pk)  # somebody restored it, or merged it away, in this very moment
            except (OperationalError, InterfaceError):
                raise
            except Exception:
                logger.exception("ticket %s cannot be erased from the trash", ticket.pk)
                failed.add(ticket.pk)
    return done
