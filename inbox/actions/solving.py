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


def check(ticket: Ticket, status: str, *, by: Agent | None) -> None:
    """Raises FieldsMissing where a person solves a ticket that does not say what it must. Rules and the clock may."""
    if by is None or by.is_bot or ticket.is_done or status not in {Status.SOLVED, Status.CLOSED}:
        return
    required = Field.objects.filter(noun=FieldNoun.TICKET, required=True).order_by("position", "pk")
    if missing := fields.missing(required, ticket.attributes):
        raise FieldsMissing(missing)
