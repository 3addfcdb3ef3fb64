"""The orders of the ticket list. Each is read from an index, from behind the last row of the page before.

The columns of an order all run the same way, the number last, so that one comparison of rows finds the next page; what
is empty counts as far away. The indexes that go with them are those of `Ticket`, each beginning with the status.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, DateTimeField, F, Func, IntegerField, OrderBy, Value
from django.utils.translation import gettext_lazy as _

from inbox.models import Ticket
from inbox.models.tickets import DUE, FAR, RANK, RANKS, WAITING, TicketQuerySet

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Column:
    """One column of an order: as the database has it, and as a row at hand has it."""

    expression: Any
    of: Callable[[Ticket], Any]
    is_time: bool = False

    def text(self, ticket: Ticket) -> str:
        value = self.of(ticket)
        return str((value - EPOCH) // timedelta(microseconds=1) if self.is_time else int(value))

    def value(self, text: str) -> Value:
        """What `text` stood for. Raises ValueError."""
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise ValueError(text)
        if not self.is_time:
            return Value(int(text), output_field=IntegerField())
        try:
            return Value(EPOCH + timedelta(microseconds=int(text)), output_field=DateTimeField())
        except OverflowError as error:
            raise ValueError(text) from error


@dataclass(frozen=True)
class Sort:
    key: str
    label: StrOrPromise
    columns: tuple[Column, ...]
    descending: bool = True

    def ordered(self, found: TicketQuerySet) -> TicketQuerySet:
        return found.order_by(*(OrderBy(column.expression, descending=self.descending) for column in self.columns))

    def after(self, found: TicketQuerySet, cursor: str) -> TicketQuerySet:
        """What stands behind the row that `cursor` names. A broken cursor is the first page."""
        texts = cursor.split("-")
        if not cursor or len(texts) != len(self.columns):
            return found
        try:
            values = [column.value(text) for column, text in zip(self.columns, texts, strict=True)]
        except ValueError:
            return found
        rows = [Func(*row, function="ROW") for row in ([column.expression for column in self.columns], values)]
        sign = " < " if self.descending else " > "
        behind = Func(*rows, template="(%(expressions)s)", arg_joiner=sign, output_field=BooleanField())
        return found.filter(behind)

    def cursor(self, ticket: Ticket) -> str:
        return "-".join(column.text(ticket) for column in self.columns)

    def position(self, ticket: Ticket) -> tuple[Any, ...]:
        return tuple(column.of(ticket) for column in self.columns)


NUMBER = Column(F("number"), lambda ticket: ticket.number)
ACTIVITY = Column(F("last_message_at"), lambda ticket: ticket.last_message_at, is_time=True)

SORTS = {
    one.key: one
    for one in (
        Sort("newest", _("Newest activity"), (ACTIVITY, NUMBER)),
        Sort("oldest", _("Oldest activity"), (ACTIVITY, NUMBER), descending=False),
        Sort("waiting", _("Waiting longest"),
             (Column(WAITING, lambda ticket: ticket.waiting_since or FAR, is_time=True), NUMBER), descending=False),
        Sort("created", _("Newest created"),
             (Column(F("created_at"), lambda ticket: ticket.created_at, is_time=True), NUMBER)),
        Sort("priority", _("Priority"), (Column(RANK, lambda ticket: RANKS[ticket.priority]), ACTIVITY, NUMBER)),
        Sort("due", _("Due first"), (Column(DUE, lambda ticket: ticket.due_at or FAR, is_time=True), NUMBER),
             descending=False),
        Sort("unseen", _("Unseen first"),  # of lists that say which are
             (Column(F("unseen"), lambda ticket: ticket.unseen), ACTIVITY, NUMBER)),  # type: ignore[attr-defined]
    )
}  # fmt: skip
NEWEST = SORTS["newest"]
