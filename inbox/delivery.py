"""The one way out: claim what is due, hand it to its channel's adapter, record what happened.

One message is claimed at a time, under a lease, and the outcome of one and the claim of the next share a transaction:
a worker that dies holds at most one message. Within a ticket and channel nothing overtakes, each side conversation
by itself. "Accepted by the server"
is committed before anything else happens.
"""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.db.models import JSONField
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from inbox import log, wake, wishes
from inbox.actions import base, messages, reach
from inbox.adapters import UNKNOWN_OUTCOME, Adapter, DeliveryError, Sent, adapter_for
from inbox.models import Channel, Customer, DeliveryState, Message

logger = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_RETRY = timedelta(seconds=20)
LONGEST_RETRY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=2)
LONGEST_HOLD = timedelta(minutes=5)  # how long a channel waits between tries to reach a server that is away
LONG_WAIT = timedelta(minutes=1)  # after which it is looked whether the customer still wants it
STORE_AGAIN = timedelta(seconds=2)  # after our own database was away in mid-send
MOST_LOST_LEASES = 5  # a message that stops its worker this often is not tried again by itself
MOST_SECONDS = 120.0  # of one run on one channel: others wait for this worker, too
MOST_TROUBLES = 3  # of its own, one after the other, that a platform has with messages before its channel rests
MESSENGER_SECONDS = 10.0  # the same on a messenger: each message is a call of its own, and there may be many channels
LONGEST_RATE = timedelta(hours=6)  # that a platform's "too many" is believed
REMEMBER_SECONDS = 600  # how long a worker keeps an outcome that it cannot write down: the database is away

# A subquery rather than NOT EXISTS: it is asked for one row after the other until one is free, whatever the planner
# knows; as a join it read the whole queue for each message as long as the table was not analysed.
FIELDS = [field for field in Message._meta.concrete_fields if field.column is not None]
COLUMNS = ", ".join(f'inbox_message."{field.column}"' for field in FIELDS)
CLAIM = f"""
UPDATE inbox_message SET state = 'sending', attempts = attempts + 1, lease_until = %(lease)s
WHERE id = (
    SELECT m.id FROM inbox_message m
    WHERE m.channel_id = %(channel)s AND m.state = 'queued' AND m.next_attempt_at <= %(now)s AND m.id <> %(message)s
      AND NOT (SELECT paused FROM inbox_channel WHERE id = %(channel)s)
      AND COALESCE((
          SELECT false FROM inbox_message e
          WHERE e.ticket_id = m.ticket_id AND e.channel_id = m.channel_id AND e.id < m.id
            AND e.side_id IS NOT DISTINCT FROM m.side_id
            AND (e.state = 'sending' OR e.state = 'queued' AND e.next_attempt_at IS NOT NULL)
          LIMIT 1
      ), true)
    ORDER BY m.next_attempt_at, m.id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING EXISTS (SELECT FROM inbox_attachment a WHERE a.message_id = inbox_message.id), {COLUMNS}
"""  # noqa: S608 (our own names)
ACCEPTED_AND_CLAIM = f"""
WITH {messages.ACCEPTED}, following AS ({CLAIM})
SELECT told.left_ticket, following.* FROM (VALUES (1)) AS one (n) LEFT JOIN told ON true LEFT JOIN following ON true
"""  # noqa: S608 (both are our own)


@dataclass(frozen=True, slots=True)
class Result:
    """What one attempt came to: either `sent` or `error`; `soon` when that was a fault of our own database, `ours` when
    it was one of our own at all.
    """

    sent: Sent | None = None
    error: DeliveryError | None = None
    soon: bool = False
    ours: bool = False


def lease() -> timedelta:
    return timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)


@contextmanager
def keeping(holding: list[Message]) -> Iterator[None]:
    """While the block runs, keep the lease on the message in `holding` from running out under a slow server.

    A thread of its own, so that only a worker that is dead loses its lease. It touches the database, over a connection
    of its own, when a send takes longer than a third of the lease.
    """
    ended = threading.Event()

    def renew() -> None:
        try:
            while not ended.wait(settings.DELIVERY_LEASE_SECONDS / 3):
                for message in list(holding):
                    mine = Message.objects.filter(pk=message.pk, state=DeliveryState.SENDING, attempts=message.attempts)
                    try:
                        mine.update(lease_until=timezone.now() + lease())
                    except (OperationalError, InterfaceError):
                        connections.close_all()
        finally:
            connections.close_all()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def claim(channel: Channel) -> Message | None:
    """Take the next due message of this channel for this worker."""
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {"lease": now + lease(), "channel": channel.pk, "now": now, "message": 0})
        row = cursor.fetchone()
    return None if row is None else _claimed(channel, row)


def _claimed(channel: Channel, row: Sequence[Any]) -> Message:
    """The message of a row that CLAIM returned. What `raw` does, at a fifth of its cost."""
    values = [
        json.loads(value) if isinstance(field, JSONField) else value
        for field, value in zip(FIELDS, row[1:], strict=True)
    ]
    message = Message.from_db(connection.alias, [field.attname for field in FIELDS], values)
    message.has_files, message.channel = row[0], channel
    return message


def deliver(channel_id: int, limit: int = 1000) -> int:
    """Send what is due on one channel over one connection; returns how many messages left."""
    channel = Channel.objects.get(pk=channel_id)
    adapter = adapter_for(channel.kind)
    if channel.paused or channel.next_send_at > timezone.now() or not adapter.may_send(channel).allowed:
        return 0
    message = claim(channel)
    if message is None:
        return 0
    count = troubles = 0
    held = False
    until = time.monotonic() + (MESSENGER_SECONDS if adapter.messenger else MOST_SECONDS)
    holding = [message]
    with override(settings.LANGUAGE_CODE), keeping(holding):
        try:
            with adapter.connection(channel) as wire:
                if channel.out_failing_since is not None:
                    adapter.probe(wire)
                while message is not None:
                    holding[:] = [message]
                    result = attempt(adapter, message, wire)
                    if result.error is not None and result.error.channel and not result.error.unknown:
                        if count:
                            reached(channel)  # until now
                        hand_back(channel, message, result.error)
                        return count
                    tried = message
                    troubles = troubles + 1 if has_trouble(adapter, result) else 0
                    held = _connection_lost(result) and (troubles > 0 or not adapter.repeat_safe)
                    held = held or troubles >= MOST_TROUBLES
                    more = not held and count + 1 < limit and time.monotonic() < until
                    message, left = settle(channel, adapter, message, result, more=more)
                    count += left
                    if left:
                        holding[:] = [message] if message is not None else []
                        afterwards(adapter, tried, wire)
                    if held:
                        # The next one would fare no better; without an answer, nobody would know whether it arrived.
                        hold(channel, result.error)
        except DeliveryError as error:
            # Raised by `connection` or `probe` alone: nothing of the message in hand has left.
            if message is not None:
                hand_back(channel, message, error)
    if count and not held:
        reached(channel)
    if time.monotonic() > until:
        wake.deliver(channel.pk, channel.kind)  # there is more; first somebody else's turn
    return count


def has_trouble(adapter: Adapter, result: Result) -> bool:
    """Whether a messenger's platform has stumbled over no fault of the message: the next one would meet that, too.

    Mail servers speak so of one recipient.
    """
    error = result.error
    if error is None or not adapter.messenger or result.ours or error.permanent or error.fault:
        return False
    return adapter.repeat_safe or not error.unknown


def afterwards(adapter: Adapter, message: Message, wire: Any) -> None:
    """A message has left, and that is written down: what its channel does then must not undo it."""
    try:
        adapter.left(message, wire)
    except (OperationalError, InterfaceError):
        connections.close_all()
    except Exception:
        logger.exception("message %s has left, but what follows it failed", message.pk)


def attempt(adapter: Adapter, message: Message, wire: Any) -> Result:
    """One try at one message. Only the adapter's own error tells anything; a fault of ours is tried again, visibly."""
    begun = False
    try:
        if unwanted := no_longer_wanted(message):
            return Result(error=DeliveryError(unwanted, permanent=True))
        begun = True
        return Result(sent=adapter.send(message, wire))
    except DeliveryError as error:
        return Result(error=error)
    except (OperationalError, InterfaceError) as error:
        logger.warning("message %s cannot be sent now: %s", message.pk, error)
        return Result(
            error=DeliveryError(_("Our database was away."), permanent=False, unknown=begun), soon=True, ours=True
        )
    except Exception as error:
        logger.exception("message %s cannot be sent", message.pk)
        return Result(error=DeliveryError(f"{type(error).__name__}: {error}", permanent=False), ours=True)


def no_longer_wanted(message: Message) -> str:
    """Why this must not leave any more: it had to wait, and its customer has opted out meanwhile; else empty."""
    if message.side_id is not None or message.created_at > timezone.now() - LONG_WAIT:
        return ""
    opted_out = Customer.objects.filter(tickets=message.ticket_id, opt_outs__contains=[message.channel.kind])
    if not opted_out.exists():
        return ""
    return wishes.refusal(message.ticket, message.channel, automatic=message.is_auto_reply)


def settle(
    channel: Channel, adapter: Adapter, message: Message, result: Result, *, more: bool
) -> tuple[Message | None, int]:
    """Record the outcome and claim the next message, in one transaction; returns it, and 1 if this one left."""

    def write() -> tuple[Message | None, int]:
        if result.sent is not None and not result.sent.rejected and more:
            return _accepted(channel, message, result.sent)
        with transaction.atomic():
            left = _record(adapter, message, result)
            following = claim(channel) if more and not _connection_lost(result) else None
        return following, left

    return _written_down(write)


def _written_down(write: Callable[[], T]) -> T:
    """What `write` returns, tried for as long as the database is away: what became of a message nobody else knows.

    As long as that is not written down it would be sent again, or be taken for one that may have left.
    """
    began, wait = time.monotonic(), 0.05
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if time.monotonic() - began > REMEMBER_SECONDS:
                raise
            connection.close()
            time.sleep(wait)
            wait = min(wait * 2, 2)


def _accepted(channel: Channel, message: Message, sent: Sent) -> tuple[Message | None, int]:
    """The ordinary case of `settle`: taken for everybody, and on with the next."""
    now = timezone.now()
    external_id = (*sent.external_ids, message.external_id)[0]
    with connection.cursor() as cursor:
        cursor.execute(
            ACCEPTED_AND_CLAIM,
            {**messages.accepted(message, external_id), "lease": now + lease(), "channel": channel.pk, "now": now},
        )
        ticket, *following = cursor.fetchone()
    mine = ticket is not None
    if ticket is not None:  # by now the message may lie in another one than when it was claimed
        base.announce([ticket], [message.pk])
    if following[0] is None:
        # Nothing else was free; what waited in the same ticket is free now, which one statement could not see yet.
        return claim(channel), int(mine)
    return _claimed(channel, following), int(mine)


def _connection_lost(result: Result) -> bool:
    return result.error is not None and result.error.unknown


def _record(adapter: Adapter, message: Message, result: Result) -> int:
    row = messages.lock(message.pk)
    if row.attempts == message.attempts and result.sent and row.state in {DeliveryState.QUEUED, DeliveryState.UNKNOWN}:
        row.state = DeliveryState.SENDING  # the lease ran out, but nobody has begun to send it again: take it back
    if row.state != DeliveryState.SENDING or row.attempts != message.attempts:
        return 0  # somebody else has it now
    if result.sent is not None:
        return _sent(row, result.sent)
    error = result.error
    assert error is not None
    reason = str(error.reason)
    if error.permanent:
        if error.fault:
            row.payload["fault"] = error.fault  # leads to what can be done about it
        messages.fail(row, reason, **({"payload": row.payload} if error.fault else {}))
        reach.refused(row, error.fault)
    elif error.unknown and not adapter.repeat_safe:
        messages.advance(row, DeliveryState.UNKNOWN, error=str(UNKNOWN_OUTCOME))
    elif row.trying_since is not None and timezone.now() - row.trying_since > GIVE_UP_AFTER:
        messages.fail(row, _("Tried for two days without success. Last answer: %(reason)s") % {"reason": reason})
    else:
        messages.advance(
            row,
            DeliveryState.QUEUED,
            error=reason[:2000],
            trying_since=row.trying_since or timezone.now(),
            next_attempt_at=timezone.now() + STORE_AGAIN
            if result.soon
            else next_attempt(row.trying_since, error.retry_after),
        )
    return 0


def _sent(row: Message, sent: Sent) -> int:
    fields: dict[str, Any] = {"error": ""}
    if sent.external_ids:
        fields["external_id"] = sent.external_ids[0]
    messages.advance(row, DeliveryState.SENT, **fields)
    if sent.rejected:
        people = "; ".join(f"{who}: {why}" for who, why in sent.rejected.items())
        messages.refused(row, _("Not accepted for %(people)s") % {"people": people}, len(sent.rejected))
    return 1


def jitter(wait: timedelta) -> timedelta:
    """A wait a little shorter or longer, so that what failed together does not try again together."""
    return wait * random.uniform(0.8, 1.2)


def next_attempt(trying_since: datetime | None, retry_after: float | None = None) -> datetime:
    """When to try again: after as long as it has been tried for, which doubles the wait each time, with jitter.

    Never before what the platform asked for (seconds).
    """
    now = timezone.now()
    tried = now - trying_since if trying_since else timedelta(0)
    wait = jitter(min(max(tried, FIRST_RETRY), LONGEST_RETRY))
    return now + max(wait, timedelta(seconds=retry_after or 0))


def hand_back(channel: Channel, message: Message, error: DeliveryError) -> None:
    """The server cannot be reached: give the message back as it was, and hold the channel back for a while."""

    def write() -> None:
        with transaction.atomic():
            row = messages.lock(message.pk)
            if row.state == DeliveryState.SENDING and row.attempts == message.attempts:
                row.state, row.lease_until, row.attempts = DeliveryState.QUEUED, None, max(0, row.attempts - 1)
                row.error = str(error.reason)[:2000]
                row.save(update_fields=["state", "lease_until", "attempts", "error"])
                base.announce([row.ticket_id], [row.pk])
            hold(channel, error)

    _written_down(write)


def hold(channel: Channel, error: DeliveryError | None) -> None:
    """Leave a channel alone for a while, after what its far side said. That it takes no more for now is no illness."""
    assert error is not None
    with transaction.atomic():
        held = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        asked = min(timedelta(seconds=error.retry_after or 0), LONGEST_RATE)
        if error.fault == "rate" and asked:
            held.next_send_at = timezone.now() + jitter(asked) + asked * 0.2  # never before it
            held.save(update_fields=["next_send_at"])
            return
        if held.out_failing_since is None:
            log.record(None, "channel_failing", channel=held.pk, direction="out")
        held.out_failures += 1
        held.out_failing_since = held.out_failing_since or timezone.now()
        held.out_error = str(error.reason)[:2000]
        wait = jitter(min(timedelta(seconds=2) * 2 ** min(held.out_failures - 1, 20), LONGEST_HOLD))
        held.next_send_at = timezone.now() + max(wait, asked)
        held.save(update_fields=["out_failures", "out_failing_since", "out_error", "next_send_at"])


def reached(channel: Channel) -> None:
    """The server took something: the channel is well."""
    well: dict[str, Any] = {"last_out_at": timezone.now(), "out_failures": 0, "out_failing_since": None}

    def write() -> None:
        with transaction.atomic():
            if Channel.objects.filter(pk=channel.pk, out_failing_since__isnull=False).update(out_error="", **well):
                log.record(None, "channel_recovered", channel=channel.pk, direction="out")
            else:
                Channel.objects.filter(pk=channel.pk).update(out_error="", **well)

    _written_down(write)  # there may be a message in hand


def recover() -> int:
    """Find messages whose worker died in mid-send; returns how many. Where a repeat is safe they are queued again."""
    now = timezone.now()
    found = 0
    for pk in Message.objects.filter(state=DeliveryState.SENDING, lease_until__lt=now).values_list("pk", flat=True)[
        :500
    ]:
        try:
            with transaction.atomic():
                found += _recover(messages.lock(pk))
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("message %s cannot be recovered", pk)  # the others can
    return found


def _recover(row: Message) -> int:
    now = timezone.now()
    if row.state != DeliveryState.SENDING or row.lease_until is None or row.lease_until > now:
        return 0
    row.lost_leases += 1
    if row.lost_leases >= MOST_LOST_LEASES:
        messages.fail(row, _("The worker died each time it tried to send this."), lost_leases=row.lost_leases)
    elif adapter_for(row.channel.kind).repeat_safe:
        messages.advance(row, DeliveryState.QUEUED, next_attempt_at=now, lost_leases=row.lost_leases)
    else:
        messages.advance(row, DeliveryState.UNKNOWN, error=str(UNKNOWN_OUTCOME), lost_leases=row.lost_leases)
    return 1


def due_channels() -> list[tuple[int, str]]:
    """Channels that have something to send right now: (id, kind)."""
    now = timezone.now()
    return list(
        Channel.objects.filter(
            paused=False,
            next_send_at__lte=now,
            pk__in=Message.objects.filter(state=DeliveryState.QUEUED, next_attempt_at__lte=now).values("channel"),
        ).values_list("pk", "kind")
    )
