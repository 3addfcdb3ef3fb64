"""What was said elsewhere and is kept here by hand: a call, a visit, a letter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import base, counts, customers, solving, uploads
from inbox.actions.errors import ActionError
from inbox.actions.once import already, client_key, digest_of, once
from inbox.actions.reply import change_status
from inbox.models import Agent, AuthorKind, Direction, Engagement, Message, Origin, Ticket


@transaction.atomic
def record(
    ticket: Ticket,
    *,
    by: Agent,
    direction: str,
    medium: str,
    text: str = "",
    at: datetime | None = None,
    seconds: int | None = None,
    outcome: str = "",
    attachments: Sequence[int] = (),
    status: str | None = None,
    client_id: str | None = None,
    digest: str = "",
) -> Message:
    """Keep a call, a visit or the like as a message of this ticket, with its engagement.

    `direction` says who called; `seconds` how long it took. It answers what the customer waits for, whoever called, but
    changes no status unless one is named. The same `client_id` again returns the first message, or is refused if it
    comes with something else: of what a ticket began with `digest` tells. Raises ActionError.
    """
    now = timezone.now()
    digest = digest or digest_of_call(direction, medium, text, at, seconds, outcome, attachments)
    at = at or now
    if at > now:
        raise ActionError(_("That has not happened yet."), "future")
    _keep_customer(ticket)
    with base.locked(ticket) as row:
        first = already(by, client_id, digest)
        if first is not None:
            return first
        if status is not None:
            solving.check(row, status, by=by)
        inward = direction == Direction.IN
        message = Message.objects.create(
            ticket=row,
            first_ticket=row,
            direction=direction,
            origin=Origin.LOGGED,
            channel=row.channel,
            author_kind=AuthorKind.CUSTOMER if inward else AuthorKind.AGENT,
            customer=row.customer if inward else None,
            agent=by,
            author_name=row.customer.name if inward else by.name,
            text=text.replace("\x00", ""),
            visible_text=text.replace("\x00", ""),
            payload={"medium": medium, "seconds": seconds, "outcome": outcome} | once(client_id, digest),
            created_at=at,
            received_at=now,
        )
        uploads.attach(message, attachments, by=by)
        client_key(message, by, client_id)
        ended = None if seconds is None else at + timedelta(seconds=seconds)
        engagement = Engagement.objects.create(
            ticket=row,
            channel=row.channel,
            kind=medium,
            agent=by,
            requested_at=at,
            accepted_at=at,
            ended_at=ended,
            external_id=f"message:{message.pk}",
        )
        if inward:
            customers.seen({row.customer_id: at})
        log.record(row, "message_logged", by=by, message=message.pk, engagement=engagement.pk, medium=medium)
        counts.recount(row)
        if status is not None and (fields := change_status(row, status, by=by)):
            base.save(row, *fields)
        base.said([row.pk], [message.pk])
        return message


def digest_of_call(
    direction: str,
    medium: str,
    text: str,
    at: datetime | None,
    seconds: int | None,
    outcome: str,
    attachments: Sequence[int] = (),
    about: Sequence[object] = (),
) -> str:
    """What a person asked to keep of a call, as `digest_of`; `about` is whom and what a new ticket is about."""
    return digest_of("call", text, "", (), attachments, [direction, medium, at, seconds, outcome, *about])


def _keep_customer(ticket: Ticket) -> None:
    """Lock the ticket's customer as a new reference to them does; before the ticket, as merging customers does."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM inbox_customer WHERE id = (SELECT customer_id FROM inbox_ticket WHERE number = %s)
            FOR KEY SHARE
            """,
            [ticket.pk],
        )


def engagements_of(ticket: Ticket, messages: Iterable[int]) -> QuerySet[Engagement]:
    """The engagements that these messages (ids) of a ticket were logged with; they go where their messages go."""
    return Engagement.objects.filter(ticket=ticket, external_id__in=[f"message:{pk}" for pk in messages])
