"""What stands between a ticket and its being solved: the fields that must say something first."""

from __future__ import annotations

from django.utils.translation import gettext as _

from inbox import fields
from inbox.actions.errors import ActionError
from inbox.models import Agent, Field, FieldNoun, Status, Ticket


class FieldsMissing(ActionError):
    """Not solved: `fields` say nothing yet."""

    def __init__(self, missing: list[Field]) -> None:
        names = ", ".join(one.label for one in missing)
        super().__init__(_("Fill in first: %(names)s.") % {"names": names}, "fields_missing")
        self.fields = missing


def asks(ticket: Ticket, status: str, *, by: Agent | None) -> bool:
    """Whether this is a person who solves a ticket: it must say something first. Rules and the clock need not ask."""
    return by is not None and not by.is_bot and not ticket.is_done and status in {Status.SOLVED, Status.CLOSED}


def missing(ticket: Ticket) -> list[Field]:
    """The fields that a solved ticket must fill, and that say nothing in this one."""
    required = Field.objects.filter(noun=FieldNoun.TICKET, required=True).order_by("position", "pk")
    return fields.missing(required, ticket.attributes)


def require(ticket: Ticket) -> None:
    """Raises FieldsMissing unless the ticket says what it must."""
    if empty := missing(ticket):
        raise FieldsMissing(empty)


def check(ticket: Ticket, status: str, *, by: Agent | None) -> None:
    """Raises FieldsMissing where a person solves a ticket that does not say what it must."""
    if asks(ticket, status, by=by):
        require(ticket)
