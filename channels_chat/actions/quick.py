"""The ordinary line of a chat, both ways, in one statement however many lines there are.

Somebody and an agent talk: their chat is active, their ticket open, nothing else is to be decided. Then what
`inbox.actions.receive` and `inbox.actions.reply` do comes to a known handful of rows, and they are written in one
statement, many chats together, which is a transaction by itself. Whatever is not that ordinary (a first line, a file,
a solved ticket, a repeat) is left to those two; a test holds the outcome of both ways against each other, row by row.

Two people wait for each other here: the long way costs 20 ms of a processor for a line, this one 3.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from weakref import WeakSet

import psycopg
from django.db import DatabaseError, IntegrityError, OperationalError, connection, models, transaction
from django.utils import timezone

from channels_chat import hub, patience
from channels_chat.intake_values import Said, Took, raw_of
from inbox import live, locks, seen
from inbox.actions import base, drafts
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

# Locked are tickets in the order of their numbers, each with its chat: one that ends meanwhile is ordinary no more.
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
  AND visitor.gone_at IS NULL AND visitor.owed_at IS NOT NULL -- else what we say may have to go by e-mail
"""
TAKE = f"""
WITH said AS MATERIALIZED (
    SELECT one.* FROM (SELECT set_config('lock_timeout', %(wait)s, true) AS wait) bound,
        json_to_recordset(%(lines)s::json) AS one (place int, visitor bigint, key text, at timestamptz,
        preview text, language text, message jsonb, receipt jsonb)
    WHERE bound.wait IS NOT NULL -- before anything is locked
),
talk AS MATERIALIZED (
    SELECT said.place, chat.id AS chat, ticket.number, ticket.customer_id AS customer, chat.channel_id AS channel
    FROM said JOIN channels_chat_chat chat ON chat.visitor_id = said.visitor
    {TALKING}
      AND chat.last_visitor_at > now() - interval '30 seconds'
      AND NOT EXISTS (SELECT FROM inbox_messagekey known
                      WHERE known.scope = 'channel:' || chat.channel_id AND known.key = said.key)
      AND NOT EXISTS (SELECT FROM inbox_receipt known
                      WHERE known.channel_id = chat.channel_id AND known.external_id = said.key)
      AND NOT EXISTS (SELECT FROM inbox_block block
                      WHERE block.identity_kind = 'chat' AND block.scope IN ('', 'channel:' || chat.channel_id)
                        AND block.value IN (lower(visitor.address), lower('u:' || visitor.user)))
    ORDER BY ticket.number, said.place FOR NO KEY UPDATE OF ticket, chat
),
made AS MATERIALIZED (
    SELECT ordered.*, nextval('inbox_message_id_seq') AS message_id, nextval('inbox_receipt_id_seq') AS receipt_id
    FROM (SELECT talk.*, said.key, said.at, said.preview, said.language, said.message, said.receipt
          FROM talk JOIN said USING (place) ORDER BY place) ordered
),
receipts AS (
    INSERT INTO inbox_receipt SELECT filled.* FROM made,
        jsonb_populate_record(null::inbox_receipt, made.receipt || jsonb_build_object('id', receipt_id)) filled
),
messages AS (
    INSERT INTO inbox_message SELECT filled.* FROM made,
        jsonb_populate_record(null::inbox_message, made.message || jsonb_build_object('id', message_id,
            'ticket_id', number, 'first_ticket_id', number, 'customer_id', customer, 'receipt_id', receipt_id)) filled
),
keys AS (
    INSERT INTO inbox_messagekey (scope, key, message_id) SELECT 'channel:' || channel, key, message_id FROM made
),
events AS (
    INSERT INTO inbox_event (ticket_id, kind, actor_kind, actor_id, at, data)
    SELECT number, 'message_received', 'customer', customer, %(now)s,
        jsonb_build_object('channel', channel, 'kind', 'message', 'message', message_id) FROM made ORDER BY place
),
talked AS MATERIALIZED (
    SELECT number, chat, customer, count(*) AS count, max(at) AS at, min(at) AS first,
        (array_agg(preview ORDER BY place DESC))[1] AS preview, (array_agg(language ORDER BY place DESC))[1] AS language
    FROM made GROUP BY number, chat, customer
),
spoke AS (
    UPDATE inbox_customer SET last_seen_at = talked.at FROM talked
    WHERE id = talked.customer AND (last_seen_at IS NULL OR last_seen_at < talked.at) AND id IN (
        SELECT id FROM inbox_customer WHERE id IN (SELECT customer FROM talked)
        ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
    )
),
chats AS (
    UPDATE channels_chat_chat SET last_visitor_at = talked.at, warned_at = NULL FROM talked WHERE id = talked.chat
),
tickets AS (
    UPDATE inbox_ticket SET
        message_count = message_count + talked.count, last_direction = 'in', preview = talked.preview,
        last_message_at = greatest(last_message_at, talked.at),
        last_customer_message_at = greatest(last_customer_message_at, talked.at),
        waiting_since = least(waiting_since, talked.first), updated_at = %(now)s,
        language = CASE WHEN language_chosen OR talked.language = '' THEN inbox_ticket.language
                        ELSE talked.language END
    FROM talked WHERE inbox_ticket.number = talked.number
)
SELECT place, message_id, number, customer FROM made
"""  # noqa: S608 (our own)
ANSWER = f"""
WITH said AS MATERIALIZED (
    SELECT one.* FROM (SELECT set_config('lock_timeout', %(wait)s, true) AS wait) bound,
        json_to_recordset(%(lines)s::json)
        AS one (place int, agent bigint, ticket bigint, key text, draft int, preview text, message jsonb)
    WHERE bound.wait IS NOT NULL
),
talk AS MATERIALIZED (
    SELECT said.place, chat.id AS chat, ticket.number, visitor.id AS visitor, visitor.address, visitor.name,
        chat.channel_id AS channel, agent.id AS agent, agent.name AS agent_name, agent.photo,
        (SELECT last.id FROM inbox_message last WHERE last.ticket_id = ticket.number
            AND last.channel_id = chat.channel_id AND last.direction = 'in' AND last.side_id IS NULL
         ORDER BY last.id DESC LIMIT 1) AS answers
    FROM said
    JOIN inbox_agent agent ON agent.id = said.agent AND agent.is_active AND NOT agent.is_bot AND agent.role <> 'light'
    JOIN channels_chat_chat chat ON chat.engagement_id IN (
        SELECT id FROM inbox_engagement WHERE ticket_id = said.ticket)
    {TALKING}
      AND ticket.assignee_id = said.agent AND engagement.agent_id = said.agent AND ticket.first_replied_at IS NOT NULL
      AND NOT EXISTS (SELECT FROM inbox_messagekey known
                      WHERE known.scope = 'client:' || said.agent AND known.key = said.key)
      AND NOT EXISTS (SELECT FROM inbox_draft newer -- what another tab has added stays: `drafts.sent` tells it apart
                      WHERE newer.agent_id = said.agent AND newer.client_id = said.key AND newer.version > said.draft)
      AND NOT EXISTS (SELECT FROM channels_chat_chat twin JOIN inbox_engagement theirs ON theirs.id = twin.engagement_id
                      WHERE theirs.ticket_id = said.ticket AND twin.state = 'active' AND twin.id <> chat.id)
    ORDER BY ticket.number, said.place FOR NO KEY UPDATE OF ticket, chat
),
made AS MATERIALIZED (
    SELECT ordered.*, nextval('inbox_message_id_seq') AS message_id
    FROM (SELECT talk.*, said.key, said.preview, said.message FROM talk JOIN said USING (place) ORDER BY place) ordered
),
messages AS (
    INSERT INTO inbox_message SELECT filled.* FROM made,
        jsonb_populate_record(null::inbox_message, made.message || jsonb_build_object('id', message_id,
            'ticket_id', number, 'first_ticket_id', number, 'channel_id', channel, 'answers_id', answers,
            'author_name', agent_name, 'external_id', 'chat-' || number || '-' || message_id,
            'to', jsonb_build_array(jsonb_build_object('name', name, 'address', address)))) filled
),
keys AS (
    INSERT INTO inbox_messagekey (scope, key, message_id) SELECT 'client:' || agent, key, message_id FROM made
),
events AS (
    INSERT INTO inbox_event (ticket_id, kind, actor_kind, actor_id, at, data)
    SELECT number, told.kind, told.actor, CASE WHEN told.n = 1 THEN agent END, %(now)s, CASE told.n
        WHEN 1 THEN jsonb_build_object('message', message_id, 'channel', channel, 'automatic', false)
        ELSE jsonb_build_object('message', message_id) END
    FROM made, (VALUES (1, 'message_added', 'agent'), (2, 'message_sent', 'system')) AS told (n, kind, actor)
    ORDER BY place, told.n
),
drafts AS (
    DELETE FROM inbox_draft USING made WHERE inbox_draft.agent_id = made.agent AND client_id = made.key
    RETURNING inbox_draft.id, place
),
talked AS MATERIALIZED (
    SELECT number, chat, agent, count(*) AS count, (array_agg(preview ORDER BY place DESC))[1] AS preview
    FROM made GROUP BY number, chat, agent
),
seen AS (
    INSERT INTO inbox_ticketseen (agent_id, ticket_id, at, unread) SELECT agent, number, %(now)s, false FROM talked
    ON CONFLICT (agent_id, ticket_id) DO UPDATE SET at = excluded.at, unread = false
),
chats AS (
    UPDATE channels_chat_chat SET last_agent_at = %(now)s, warned_at = NULL FROM talked WHERE id = talked.chat
),
tickets AS (
    UPDATE inbox_ticket SET
        message_count = message_count + talked.count, last_direction = 'out', preview = talked.preview,
        last_message_at = greatest(last_message_at, %(now)s), waiting_since = NULL, woke_at = NULL,
        updated_at = %(now)s
    FROM talked WHERE inbox_ticket.number = talked.number
)
SELECT place, message_id, number, visitor, channel, agent_name, photo, place IN (SELECT place FROM drafts),
    EXISTS (SELECT FROM inbox_draft other WHERE other.agent_id = agent AND other.ticket_id = number
            AND other.id NOT IN (SELECT id FROM drafts))
FROM made
"""  # noqa: S608 (our own)


@dataclass(frozen=True, slots=True)
class Answer:
    """A line of an agent (id) to the visitor of a ticket (number)."""

    agent: int
    ticket: int
    text: str
    cid: str
    draft: int = 0  # the version of their draft that they knew


def take(saids: Sequence[Said], origin: str = "") -> list[Took | None]:
    """Take in what of these is ordinary; None for what has to go the long way. In their order, but for what is said in
    one chat behind something that is not ordinary. `origin` is the room that tells its own pages.
    """
    answers: list[Took | None] = [None] * len(saids)
    late = {said.visitor.pk for said in saids if said.files or said.chat}
    raws = {n: raw_of(said) for n, said in enumerate(saids) if said.visitor.pk not in late}
    now = timezone.now()
    messages: dict[int, Message] = {}
    lines = []
    for n in _once_each(raws, [raw.external_id for raw in raws.values()]):
        said, raw = saids[n], raws[n]
        at, text = min(said.at, now), said.text.replace("\x00", "")
        spoken = language.detect(text, said.visitor.language)
        receipt = Receipt(
            channel_id=said.channel.pk, external_id=raw.external_id, raw=raw.raw, size=len(raw.raw),
            meta=dict(raw.meta), at=at, received_at=now, state=ReceiptState.DONE, attempts=1, next_attempt_at=now,
            done_at=now,
        )  # fmt: skip
        messages[n] = Message(
            direction=Direction.IN, channel_id=said.channel.pk, author_kind=AuthorKind.CUSTOMER,
            author_name=said.visitor.name[:200], author_address=said.visitor.address, text=text, visible_text=text,
            payload={"cid": said.cid, "visitor": said.visitor.pk}, language=spoken, external_id=raw.external_id,
            thread_rule="session", thread_detail=said.visitor.address[:200], created_at=at, received_at=now,
        )  # fmt: skip
        lines.append({
            "place": n, "visitor": said.visitor.pk, "key": raw.external_id, "at": at, "language": spoken,
            "preview": one_line(text, PREVIEW_LENGTH), "message": _columns(messages[n]), "receipt": _columns(receipt),
        })  # fmt: skip
    if not lines:
        return answers
    _plan_once()

    def write(statement: str) -> list[Took | None]:
        for n, pk, number, customer in _write(statement, lines, now):
            message = messages[n]
            message.pk, message.ticket_id, message.customer_id = pk, number, customer
            answers[n] = Took(pk, number, message.created_at, line=message, changed=now)
        took = [one for one in answers if one is not None]
        if took:
            tickets = {one.ticket for one in took}
            base.announce(tickets, [one.message for one in took])
            hub.tell({saids[n].visitor.pk for n, one in enumerate(answers) if one}, tickets, by=origin)
        return answers

    return _around_what_is_held(write, TAKE)


def answer(answers: Sequence[Answer], origin: str = "") -> list[Took | None]:
    """Send what of these is ordinary; None for what has to go the long way (`inbox.actions.reply`)."""
    took: list[Took | None] = [None] * len(answers)
    now = timezone.now()
    messages: dict[int, Message] = {}
    lines = []
    places = [n for n, one in enumerate(answers) if one.text.strip() and len(one.text) <= LONGEST]
    for n in _once_each(places, [f"{answers[n].agent}:{answers[n].cid}" for n in places]):
        one = answers[n]
        text = one.text.replace("\x00", "")
        messages[n] = Message(
            direction=Direction.OUT, author_kind=AuthorKind.AGENT, agent_id=one.agent, text=text, visible_text=text,
            payload=once(one.cid, asked_by(text, "", (None, None, None), (), None)), state=DeliveryState.SENT,
            sent_at=now, created_at=now, received_at=now,
        )  # fmt: skip
        lines.append({
            "place": n, "agent": one.agent, "ticket": one.ticket, "key": one.cid, "draft": one.draft,
            "preview": one_line(text, PREVIEW_LENGTH), "message": _columns(messages[n]),
        })  # fmt: skip
    if not lines:
        return took
    _plan_once()

    def write(statement: str) -> list[Took | None]:
        visitors, tickets = set(), {}
        for n, pk, number, visitor, channel, name, photo, drafted, others in _write(statement, lines, now):
            message = messages[n]
            message.pk, message.ticket_id, message.channel_id, message.author_name = pk, number, channel, name
            message.agent = Agent(pk=answers[n].agent, name=name, photo=photo)
            took[n] = Took(pk, number, now, line=message, visitor=visitor, changed=now)
            visitors.add(visitor)
            tickets[number] = answers[n].agent
            if drafted:
                drafts.gone(answers[n].agent, number, drafted=others)
        if tickets:
            base.announce(tickets, [one.message for one in took if one is not None])
            hub.tell(visitors, tickets, by=origin)
        for number, agent in tickets.items():
            told = {str(number): seen.moment(now)}
            transaction.on_commit(partial(live.hint, [agent], seen=told), robust=True)
        return took

    return _around_what_is_held(write, ANSWER)


def _around_what_is_held(write: Callable[[str], list[Took | None]], statement: str) -> list[Took | None]:
    """Write all lines, once their tickets are free. Where one is held for long, those beside it go on without it."""
    if not patience.careful():
        try:
            return write(statement)
        except OperationalError as error:
            if not patience.is_held(error):
                raise
            patience.in_vain()
    return write(statement.replace("OF ticket, chat", "OF ticket, chat SKIP LOCKED"))


def is_away(error: DatabaseError) -> bool:
    """Whether the database is away. Anything else is no reason to lose a line: it goes the long way, and is logged
    unless somebody else was only quicker.
    """
    if isinstance(error, OperationalError) and not (locks.lost_race(error) or patience.is_held(error)):
        return True
    if not isinstance(error, IntegrityError | OperationalError):
        logger.exception("lines of chats go the long way")
    return False


LONGEST = 5000  # characters of an ordinary answer


_planned: WeakSet[Any] = WeakSet()


def _plan_once() -> None:
    """Plan these statements once for each connection, whatever lines they are given: PostgreSQL would plan them anew
    each time, which takes longer than all the rest. Nothing else is prepared on these connections.
    """
    connection.ensure_connection()
    if connection.connection not in _planned and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SET plan_cache_mode TO force_generic_plan; SET jit TO off")
        connection.connection.prepare_threshold = 1  # Django switches it off; its own cursors prepare nothing anyway
        _planned.add(connection.connection)


def _write(statement: str, lines: Sequence[Mapping[str, Any]], now: datetime) -> list[Any]:
    """Run it, prepared: planning it takes longer than doing it. Django's own cursor puts values into the text, which
    would be planned anew each time.
    """
    # By itself it is a transaction: two turns less to the database. In another one it may fail alone.
    around = transaction.atomic() if connection.in_atomic_block else nullcontext()
    values = {"lines": json.dumps(lines, default=_plain), "now": now, "wait": patience.most()}
    with around, connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, values, prepare=True)
        return sorted(cursor.fetchall())


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    return "\\x" + bytes(value).hex()  # as PostgreSQL reads bytea


def _columns(row: models.Model) -> dict[str, Any]:
    """An unsaved object as JSON that `json_populate_recordset` reads."""
    return {str(field.column): getattr(row, field.attname) for field in row._meta.concrete_fields}


def _once_each(places: Iterable[int], keys: Sequence[str]) -> list[int]:
    """The places whose keys stand there first: a repeat within one batch is the long way's."""
    first: dict[str, int] = {}
    for place, key in zip(places, keys, strict=True):
        first.setdefault(key, place)
    return sorted(first.values())
