"""The rhythm that all actions share: lock, return if nothing changes, write, append the event, and on commit tell."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import live
from inbox.actions.errors import ActionError
from inbox.adapters import kinds
from inbox.models import Ticket


class Keep(Enum):
    """The default of a field that a call leaves as it is, where None means nobody."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


class Announcement:
    """What one transaction has changed, told once when it is committed, however many steps changed it."""

    def __init__(self) -> None:
        self.tickets: set[int] = set()
        self.messages: set[int] = set()

    def tell(self) -> None:
        live.announce(sorted(self.tickets), messages=sorted(self.messages))


def announce(tickets: Iterable[int], messages: Iterable[int] = ()) -> None:
    """On commit, tell open screens what changed. Never an error: a screen asks again by itself."""
    waiting = _waiting()
    telling = waiting or Announcement()
    telling.tickets.update(tickets)
    telling.messages.update(messages)
    if waiting is None:
        transaction.on_commit(telling.tell, robust=True)


def said(tickets: Iterable[int], messages: Iterable[int]) -> None:
    """As `announce`, of messages that are new where they stand: what is live (`Adapter.said`) hears of it, too."""
    numbers = set(tickets)
    announce(numbers, messages)
    if numbers:
        for adapter in kinds().values():
            adapter.said(numbers)


def _waiting() -> Announcement | None:
    """What waits to be told already. A rollback that would forget it is one to a savepoint that we stand in as well."""
    for _savepoints, told, *_robust in transaction.get_connection().run_on_commit:
        telling = getattr(told, "__self__", None)
        if isinstance(telling, Announcement):
            return telling
    return None


@contextmanager
def locked(ticket: Ticket, *, even_if_closed: bool = False, even_if_trashed: bool = False) -> Iterator[Ticket]:
    """The ticket's row, fresh and locked until the transaction ends. Raises ActionError when it may not change."""
    with transaction.atomic():
        # No join: had a related key changed while we waited, PostgreSQL would find no row at all.
        row = Ticket.objects.select_for_update(no_key=True).get(pk=ticket.pk)
        if row.merged_into_id is not None:
            raise ActionError(
                _("This ticket was merged into #%(number)s; go on there.") % {"number": row.merged_into_id}, "merged"
            )
        if row.status == "closed" and not even_if_closed:
            raise ActionError(_("This ticket is closed; open a follow-up instead."), "closed")
        if row.trashed_at is not None and not even_if_trashed:
            raise ActionError(_("This ticket is in the trash; restore it first."), "trashed")
        yield row


def save(ticket: Ticket, *fields: str) -> None:
    """Save these fields and when they changed; screens hear of it on commit."""
    ticket.updated_at = timezone.now()
    ticket.save(update_fields=[*fields, "updated_at"])
    announce([ticket.pk])
