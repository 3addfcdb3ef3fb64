"""The ordinary line of a chat, both ways, in three round trips however many lines there are.

Somebody and an agent talk: their chat is active, their ticket open, nothing else is to be decided. Then what
`inbox.actions.receive` and `inbox.actions.reply` do comes to a known handful of rows, and they are written in one
statement, many chats together. Whatever is not that ordinary (a first line, a file, a solved ticket, a repeat) is left
to those two; a test holds the outcome of both ways against each other, row by row.

Two people wait for each other here: the long way costs 20 ms of a processor for a line, this one 3.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import DatabaseError, IntegrityError, OperationalError, connection, models, transaction
from django.utils import timezone

from channels_chat import hub
from channels_chat.intake_values import Said, Took, raw_of
from inbox import bulk, live, locks, seen
from inbox.actions import base
from inbox.actions.once import once
from inbox.actions.reply import asked_by
from inbox.actions.work import one_line
from inbox.models import (
    PREVIEW_LENGTH,
    Agent,
    AuthorKind,
    DeliveryState,
    Direction,
    Message,
    Receipt,
    ReceiptState,
)
from lib import language

logger = logging.getLogger(__name__)

# Locked are tickets in the order of their numbers; chats of them are written by whoever holds the ticket.
TALKING = """
JOIN inbox_engagement engagement ON engagement.id = chat.engagement_id
JOIN inbox_ticket ticket ON ticket.number = engagement.ticket_id
JOIN channels_chat_visitor visitor ON visitor.id = chat.visitor_id
JOIN inbox_channel channel ON channel.id = chat.channel_id
WHERE chat.state = 'active' AND chat.first_human_at IS NOT NULL AND ticket.status = 'open' AND NOT ticket.spam
  AND ticket.trashed_at IS NULL AND ticket.merged_into_id IS NULL AND ticket.snoozed_until IS NULL
  AND ticket.erased_at IS NULL AND NOT ticket.delivery_failed AND ticket.channel_id = chat.channel_id
  AND ticket.reply_channel_id = chat.channel_id AND ticket.thread_key = visitor.address
  AND visitor.ended_at IS NULL AND visitor.customer_id = ticket.customer_id AND NOT channel.paused
"""
HEARD = f"""
SELECT said.place, chat.id, ticket.number, ticket.customer_id, ticket.language_chosen
FROM unnest(%(places)s::int[], %(visitors)s::bigint[], %(keys)s::text[]) AS said (place, visitor, key)
JOIN channels_chat_chat chat ON chat.visitor_id = said.visitor
{TALKING}
  AND chat.last_visitor_at > now() - interval '30 seconds'
  AND NOT EXISTS (SELECT FROM inbox_messagekey known
                  WHERE known.scope = 'channel:' || chat.channel_id AND known.key = said.key)
  AND NOT EXISTS (SELECT FROM inbox_receipt known
                  WHERE known.channel_id = chat.channel_id AND known.external_id = said.key)
  AND NOT EXISTS (SELECT FROM inbox_block block WHERE block.identity_kind = 'chat' AND block.value = visitor.address)
ORDER BY ticket.number, said.place FOR NO KEY UPDATE OF ticket
"""  # noqa: S608 (our own)
ANSWERED = f"""
SELECT said.place, chat.id, ticket.number, visitor.id, visitor.address, visitor.name, chat.channel_id, agent.name,
    agent.photo,
    (SELECT last.id FROM inbox_message last WHERE last.ticket_id = ticket.number AND last.channel_id = chat.channel_id
        AND last.direction = 'in' AND last.side_id IS NULL ORDER BY last.id DESC LIMIT 1)
FROM unnest(%(places)s::int[], %(agents)s::bigint[], %(tickets)s::bigint[], %(keys)s::text[])
    AS said (place, agent, ticket, key)
JOIN inbox_agent agent ON agent.id = said.agent AND agent.is_active AND NOT agent.is_bot AND agent.role <> 'light'
JOIN channels_chat_chat chat ON chat.engagement_id IN (SELECT id FROM inbox_engagement WHERE ticket_id = said.ticket)
{TALKING}
  AND ticket.assignee_id = said.agent AND engagement.agent_id = said.agent AND ticket.first_replied_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM inbox_messagekey known
                  WHERE known.scope = 'client:' || said.agent AND known.key = said.key)
ORDER BY ticket.number, said.place FOR NO KEY UPDATE OF ticket
"""  # noqa: S608 (our own)
ROWS = """
messages AS (INSERT INTO inbox_message SELECT * FROM json_populate_recordset(null::inbox_message, %(messages)s)),
keys AS (
    INSERT INTO inbox_messagekey (scope, key, message_id)
    SELECT scope, key, message FROM json_to_recordset(%(keys)s) AS new (scope text, key text, message bigint)
),
events AS (
    INSERT INTO inbox_event (ticket_id, kind, actor_kind, actor_id, at, data)
    SELECT ticket, kind, actor_kind, actor, at, data FROM json_to_recordset(%(events)s)
        AS new (ticket bigint, kind text, actor_kind text, actor bigint, at timestamptz, data jsonb)
),
"""
TAKE = f"""
WITH {ROWS}
receipts AS (INSERT INTO inbox_receipt SELECT * FROM json_populate_recordset(null::inbox_receipt, %(receipts)s)),
spoke AS (
    UPDATE inbox_customer SET last_seen_at = new.at
    FROM json_to_recordset(%(tickets)s) AS new (customer bigint, at timestamptz)
    WHERE inbox_customer.id = new.customer AND (last_seen_at IS NULL OR last_seen_at < new.at)
      AND inbox_customer.id IN (
          SELECT id FROM inbox_customer WHERE id IN (SELECT customer FROM json_to_recordset(%(tickets)s)
              AS who (customer bigint)) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
      )
),
chats AS (
    UPDATE channels_chat_chat SET last_visitor_at = new.at, warned_at = NULL
    FROM json_to_recordset(%(tickets)s) AS new (chat bigint, at timestamptz) WHERE channels_chat_chat.id = new.chat
)
UPDATE inbox_ticket SET
    message_count = message_count + new.count, last_direction = 'in', preview = new.preview,
    last_message_at = greatest(last_message_at, new.at),
    last_customer_message_at = greatest(last_customer_message_at, new.at),
    waiting_since = least(waiting_since, new.first),
    language = CASE WHEN language_chosen OR new.language = '' THEN inbox_ticket.language ELSE new.language END,
    updated_at = new.now
FROM json_to_recordset(%(tickets)s) AS new (ticket bigint, count int, preview text, at timestamptz,
    first timestamptz, language text, now timestamptz)
WHERE number = new.ticket
"""  # noqa: S608 (our own)
ANSWER = f"""
WITH {ROWS}
seen AS (
    INSERT INTO inbox_ticketseen (agent_id, ticket_id, at, unread)
    SELECT agent, ticket, at, false FROM json_to_recordset(%(tickets)s)
        AS new (agent bigint, ticket bigint, at timestamptz)
    ON CONFLICT (agent_id, ticket_id) DO UPDATE SET at = excluded.at, unread = false
),
chats AS (
    UPDATE channels_chat_chat SET last_agent_at = new.at, warned_at = NULL
    FROM json_to_recordset(%(tickets)s) AS new (chat bigint, at timestamptz) WHERE channels_chat_chat.id = new.chat
)
UPDATE inbox_ticket SET
    message_count = message_count + new.count, last_direction = 'out', preview = new.preview,
    last_message_at = greatest(last_message_at, new.at), waiting_since = NULL, woke_at = NULL, updated_at = new.now
FROM json_to_recordset(%(tickets)s) AS new (ticket bigint, count int, preview text, at timestamptz, now timestamptz)
WHERE number = new.ticket
"""  # noqa: S608 (our own)


@dataclass(frozen=True, slots=True)
class Answer:
    """A line of an agent (id) to the visitor of a ticket (number)."""

    agent: int
    ticket: int
    text: str
    cid: str


def take(saids: Sequence[Said], origin: str = "") -> list[Took | None]:
    """Take in what of these is ordinary; None for what has to go the long way. In their order, but for what is said in
    one chat behind something that is not ordinary. `origin` is the room that tells its own pages.
    """
    answers: list[Took | None] = [None] * len(saids)
    places = [n for n, said in enumerate(saids) if not (said.files or said.chat)]
    late = {said.visitor.pk for said in saids if said.files or said.chat}
    places = [n for n in places if saids[n].visitor.pk not in late]
    if not places:
        return answers
    raws = {n: raw_of(saids[n]) for n in places}
    with transaction.atomic():
        asked = {
            "places": places,
            "visitors": [saids[n].visitor.pk for n in places],
            "keys": [raws[n].external_id for n in places],
        }
        found = {row[0]: row[1:] for row in _rows(HEARD, asked)}
        fresh = _once_each([n for n in places if n in found], [raws[n].external_id for n in places if n in found])
        if not fresh:
            return answers
        now = timezone.now()
        message_ids, receipt_ids = bulk.draw((Message, len(fresh)), (Receipt, len(fresh)))
        rows: dict[str, list[Any]] = {"messages": [], "keys": [], "events": [], "receipts": []}
        tickets: dict[int, dict[str, Any]] = {}
        for n, message_id, receipt_id in zip(fresh, message_ids, receipt_ids, strict=True):
            chat, number, customer, _chosen = found[n]
            said, raw = saids[n], raws[n]
            at = min(said.at, now)
            text = said.text.replace("\x00", "")
            spoken = language.detect(text, said.visitor.language)
            receipt = Receipt(
                pk=receipt_id, channel_id=said.channel.pk, external_id=raw.external_id, raw=raw.raw, size=len(raw.raw),
                meta=dict(raw.meta), at=at, received_at=now, state=ReceiptState.DONE, attempts=1, next_attempt_at=now,
                done_at=now,
            )  # fmt: skip
            message = Message(
                pk=message_id, ticket_id=number, first_ticket_id=number, direction=Direction.IN,
                channel_id=said.channel.pk, receipt_id=receipt_id, author_kind=AuthorKind.CUSTOMER,
                customer_id=customer, author_name=said.visitor.name[:200], author_address=said.visitor.address,
                text=text, visible_text=text, payload={"cid": said.cid, "visitor": said.visitor.pk},
                language=spoken, external_id=raw.external_id, thread_rule="session",
                thread_detail=said.visitor.address[:200], created_at=at, received_at=now,
            )  # fmt: skip
            rows["receipts"].append(_columns(receipt))
            rows["messages"].append(_columns(message))
            key = {"scope": f"channel:{said.channel.pk}", "key": raw.external_id, "message": message_id}
            rows["keys"].append(key)
            told = {"channel": said.channel.pk, "kind": "message", "message": message_id}
            rows["events"].append(_event(number, "message_received", "customer", customer, now, told))
            row = tickets.setdefault(number, {"ticket": number, "count": 0, "first": at, "now": now, "chat": chat})
            row |= {"count": row["count"] + 1, "at": at, "customer": customer, "language": spoken}
            row["preview"] = one_line(text, PREVIEW_LENGTH)
            answers[n] = Took(message_id, number, at, line=message)
        _write(TAKE, {**rows, "tickets": list(tickets.values())})
        said_here = [saids[n] for n in fresh]
        base.announce(tickets, message_ids)
        hub.tell({said.visitor.pk for said in said_here}, tickets, by=origin)
    return answers


def answer(answers: Sequence[Answer], origin: str = "") -> list[Took | None]:
    """Send what of these is ordinary; None for what has to go the long way (`inbox.actions.reply`)."""
    took: list[Took | None] = [None] * len(answers)
    places = [n for n, one in enumerate(answers) if one.text.strip() and len(one.text) <= LONGEST]
    if not places:
        return took
    with transaction.atomic():
        asked = {
            "places": places,
            "agents": [answers[n].agent for n in places],
            "tickets": [answers[n].ticket for n in places],
            "keys": [answers[n].cid for n in places],
        }
        found: dict[int, Any] = {}
        twice: set[int] = set()
        for place, *row in _rows(ANSWERED, asked):
            twice |= {place} & found.keys()  # a merge brought two chats into one ticket
            found[place] = row
        fresh = [n for n in places if n in found and n not in twice]
        fresh = _once_each(fresh, [f"{answers[n].agent}:{answers[n].cid}" for n in fresh])
        if not fresh:
            return took
        now = timezone.now()
        (message_ids,) = bulk.draw((Message, len(fresh)))
        rows: dict[str, list[Any]] = {"messages": [], "keys": [], "events": []}
        tickets: dict[int, dict[str, Any]] = {}
        visitors: set[int] = set()
        for n, message_id in zip(fresh, message_ids, strict=True):
            one = answers[n]
            chat, number, visitor, address, name, channel, agent_name, photo, last = found[n]
            text = one.text.replace("\x00", "")
            message = Message(
                pk=message_id, ticket_id=number, first_ticket_id=number, direction=Direction.OUT, channel_id=channel,
                answers_id=last, author_kind=AuthorKind.AGENT, agent_id=one.agent, author_name=agent_name,
                to=[{"name": name, "address": address}], text=text, visible_text=text,
                payload=once(one.cid, asked_by(text, "", (None, None, None), (), None)), state=DeliveryState.SENT,
                sent_at=now, external_id=f"chat-{number}-{message_id}", created_at=now, received_at=now,
            )  # fmt: skip
            rows["messages"].append(_columns(message))
            rows["keys"].append({"scope": f"client:{one.agent}", "key": one.cid, "message": message_id})
            told = {"message": message_id, "channel": channel, "automatic": False}
            rows["events"].append(_event(number, "message_added", "agent", one.agent, now, told))
            rows["events"].append(_event(number, "message_sent", "system", None, now, {"message": message_id}))
            row = tickets.setdefault(number, {"ticket": number, "count": 0, "now": now, "chat": chat})
            row |= {"count": row["count"] + 1, "at": now, "agent": one.agent}
            row["preview"] = one_line(text, PREVIEW_LENGTH)
            visitors.add(visitor)
            took[n] = Took(message_id, number, now, line=message, visitor=visitor)
            message.agent = Agent(pk=one.agent, name=agent_name, photo=photo)
        _write(ANSWER, {**rows, "tickets": list(tickets.values())})
        base.announce(tickets, message_ids)
        hub.tell(visitors, tickets, by=origin)
        for row in tickets.values():
            told = {str(row["ticket"]): seen.moment(row["at"])}
            transaction.on_commit(partial(live.hint, [row["agent"]], seen=told), robust=True)
    return took


def is_away(error: DatabaseError) -> bool:
    """Whether the database is away. Anything else is no reason to lose a line: it goes the long way, and is logged
    unless somebody else was only quicker.
    """
    if isinstance(error, OperationalError) and not locks.lost_race(error):
        return True
    if not isinstance(error, IntegrityError | OperationalError):
        logger.exception("lines of chats go the long way")
    return False


LONGEST = 5000  # characters of an ordinary answer


def _rows(statement: str, asked: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        return list(cursor.fetchall())


def _write(statement: str, rows: Mapping[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, {name: json.dumps(value, default=_plain) for name, value in rows.items()})


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return "\\x" + bytes(value).hex()  # as PostgreSQL reads bytea


def _columns(row: models.Model) -> dict[str, Any]:
    """An unsaved object as JSON that `json_populate_recordset` reads."""
    return {str(field.column): getattr(row, field.attname) for field in row._meta.concrete_fields}


def _event(ticket: int, kind: str, actor: str, who: int | None, at: datetime, data: dict[str, Any]) -> dict[str, Any]:
    return {"ticket": ticket, "kind": kind, "actor_kind": actor, "actor": who, "at": at, "data": data}


def _once_each(places: Sequence[int], keys: Sequence[str]) -> list[int]:
    """The places whose keys stand there first: a repeat within one batch is the long way's."""
    first: dict[str, int] = {}
    for place, key in zip(places, keys, strict=True):
        first.setdefault(key, place)
    return sorted(first.values())
