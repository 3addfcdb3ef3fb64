"""Tickets as CSV: which columns there are, and the file, part by part.

RFC 4180 in UTF-8 with a byte order mark, as spreadsheets want it; times in the zone of who asks, with its offset;
headings in their language. A cell that a spreadsheet would take for a formula begins with an apostrophe.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from inbox.models import Agent, Field, Identity, Ticket
from inbox.models.fields import FieldNoun

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

BOM = "\ufeff"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
OWN = "field:"  # before the key of a field that the organisation made

Read = Callable[[Ticket], Any]


@dataclass(frozen=True)
class Column:
    label: StrOrPromise
    read: Read
    usual: bool = True  # chosen unless somebody says otherwise


def _address(ticket: Ticket) -> str:
    return getattr(ticket, "customer_address", "")


COLUMNS: dict[str, Column] = {
    "number": Column(_("Number"), lambda t: t.pk),
    "subject": Column(_("Subject"), lambda t: t.subject),
    "status": Column(_("Status"), lambda t: t.get_status_display()),
    "priority": Column(_("Priority"), lambda t: t.get_priority_display()),
    "customer": Column(_("Customer"), lambda t: str(t.customer)),
    "address": Column(_("Address"), _address),
    "organisation": Column(_("Organisation"), lambda t: t.organisation or "", usual=False),
    "channel": Column(_("Channel"), lambda t: t.channel.name),
    "assignee": Column(_("Assignee"), lambda t: t.assignee or ""),
    "team": Column(_("Team"), lambda t: t.team or ""),
    "tags": Column(_("Tags"), lambda t: ", ".join(t.tags)),
    "created_at": Column(_("Created"), lambda t: t.created_at),
    "last_message_at": Column(_("Last message"), lambda t: t.last_message_at),
    "first_replied_at": Column(_("First answer"), lambda t: t.first_replied_at),
    "solved_at": Column(_("Solved at"), lambda t: t.solved_at),
    "type": Column(_("Type"), lambda t: t.get_type_display(), usual=False),
    "severity": Column(_("Severity"), lambda t: t.severity, usual=False),
    "topic": Column(_("Topic"), lambda t: t.topic, usual=False),
    "language": Column(_("Language"), lambda t: t.language, usual=False),
    "waiting_since": Column(_("Waiting since"), lambda t: t.waiting_since, usual=False),
    "snoozed_until": Column(_("Snoozed until"), lambda t: t.snoozed_until, usual=False),
    "due_at": Column(_("Due"), lambda t: t.due_at, usual=False),
    "closed_at": Column(_("Closed at"), lambda t: t.closed_at, usual=False),
    "messages": Column(_("Messages"), lambda t: t.message_count, usual=False),
    "reopened": Column(_("Opened again"), lambda t: t.reopen_count, usual=False),
    "csat": Column(_("Rating"), lambda t: t.csat, usual=False),
    "external_id": Column(_("External id"), lambda t: t.external_id, usual=False),
    "url": Column(_("Link"), lambda t: f"{settings.BASE_URL}{t.get_absolute_url()}", usual=False),
}


def _own(key: str) -> Read:
    def read(ticket: Ticket) -> Any:
        value = ticket.attributes.get(key)
        return ", ".join(str(one) for one in value) if isinstance(value, list) else value

    return read


def columns() -> dict[str, Column]:
    """All there are now, those of the organisation's own fields last."""
    fields = Field.objects.filter(noun=FieldNoun.TICKET).order_by("position", "pk")
    return COLUMNS | {f"{OWN}{field.key}": Column(field.label, _own(field.key), usual=False) for field in fields}


def zone_of(agent: Agent) -> tzinfo:
    return ZoneInfo(agent.time_zone or settings.TIME_ZONE)


def heading(wanted: Sequence[Column]) -> bytes:
    return f"{BOM}{_written([[_cell(str(column.label), None) for column in wanted]])}".encode()


def rows(tickets: Sequence[Ticket], wanted: Sequence[Column], zone: tzinfo) -> bytes:
    """The lines of these tickets, whose related rows are at hand."""
    if any(column.read is _address for column in wanted):
        found = Identity.objects.filter(
            customer__in={ticket.customer_id for ticket in tickets}, retired_at__isnull=True
        )
        addresses: dict[int | None, str] = {}
        for customer, value in found.order_by("pk").values_list("customer", "value"):
            addresses.setdefault(customer, value)
        for ticket in tickets:
            ticket.customer_address = addresses.get(ticket.customer_id, "")  # type: ignore[attr-defined]
    return _written([_cell(column.read(ticket), zone) for column in wanted] for ticket in tickets).encode()


def _written(lines: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)  # quotes and line ends as RFC 4180 has them
    return text.getvalue()


def _cell(value: Any, zone: tzinfo | None) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="seconds")
    if isinstance(value, int | float):
        return value  # a number is no formula, though it may begin with a minus
    return safe(str(value).replace("\x00", ""))


def safe(text: str) -> str:
    """A cell that a spreadsheet would take for a formula begins with an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA) else text
