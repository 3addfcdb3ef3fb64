"""A customer phoned or came by about something new: a ticket that begins with that call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from inbox.actions import calls, customers, tickets
from inbox.actions.once import already
from inbox.adapters import Party, adapter_for
from inbox.models import Agent, Channel, Customer, Team, Ticket


def open_ticket(
    *,
    by: Agent,
    channel: Channel,
    customer: Customer | None,
    identity: Party | None,
    name: str,
    subject: str,
    direction: str,
    medium: str,
    text: str,
    outcome: str,
    at: datetime | None = None,
    seconds: int | None = None,
    status: str | None = None,
    assignee: Agent | None = None,
    team: Team | None = None,
    tags: Sequence[str] = (),
    client_id: str | None = None,
) -> Ticket:
    """Open a ticket with what was said; an answer in writing will leave on `channel`.

    The customer is given, or found or made by `identity`, or by `name` alone somebody new. The same `client_id` again
    returns the first ticket. Raises ActionError.
    """
    try:
        with transaction.atomic():
            first = already(by, client_id)
            if first is not None:
                return first.ticket
            if customer is None:
                customer = (
                    customers.ensure_identity(identity).customer if identity else customers.create(by=by, name=name)
                )
            kind = adapter_for(channel.kind).identity_kind
            values = customers.active_values(customer.pk, kind)
            ticket = tickets.begin(
                by=by,
                channel=channel,
                customer=customer,
                party=Party(kind, values[0], customer.name) if values else None,
                subject=subject,
                assignee=assignee,
                team=team,
                tags=tags,
            )
            calls.record(
                ticket,
                by=by,
                direction=direction,
                medium=medium,
                text=text,
                at=at,
                seconds=seconds,
                outcome=outcome,
                status=status,
                client_id=client_id,
            )
    except IntegrityError:  # of two clicks at once the second met the first one's id
        first = already(by, client_id)
        if first is None:
            raise
        return first.ticket
    ticket.refresh_from_db()
    return ticket
