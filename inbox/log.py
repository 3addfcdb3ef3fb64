"""The log: append an event in the transaction of the change, and follow the log with a cursor.

Every reader (live rules, facts, webhooks…) is a follower: it has its own cursor, may be started over from zero, and
moves its cursor in the same transaction as its effects, so that each event has its effects exactly once.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import DatabaseError, OperationalError, connection, models, transaction
from django.db.models import Func
from django.utils import timezone

from inbox import locks
from inbox.models import ActorKind, Agent, Cursor, Event, Ticket

logger = logging.getLogger(__name__)

Handler = Callable[[Event], None]
BatchHandler = Callable[[list[Event]], None]
_followers: dict[str, Handler | BatchHandler] = {}
_batched: set[str] = set()
_idle: dict[str, Callable[[], bool]] = {}

BATCH = 500
MOVED = ("xid", "event_id", "moved_at", "error", "failing_since")
_how: ContextVar[dict[str, Any]] = ContextVar("how")
MOST_SECONDS = 4.0  # of one round: a log that grew long is read on in the next


class SnapshotXmin(Func):
    """The oldest transaction that still runs: every event written by an older one is there for good."""

    template = "((pg_snapshot_xmin(pg_current_snapshot()))::text)::bigint"
    output_field = models.BigIntegerField()


def line(
    ticket: Ticket | None,
    kind: str,
    /,
    *,
    by: Agent | None = None,
    actor: tuple[str, int | None] | None = None,
    at: datetime | None = None,
    **data: Any,
) -> Event:
    """An event not yet saved. `data` holds ids and codes, never text; `by` is the agent, None the system."""
    if actor is None:
        actor = (ActorKind.SYSTEM, None) if by is None else (ActorKind.BOT if by.is_bot else ActorKind.AGENT, by.pk)
    if ticket is not None and actor[0] == ActorKind.AGENT:
        data = {**data, **_how.get({})}
    return Event(ticket=ticket, kind=kind, actor_kind=actor[0], actor_id=actor[1], at=at or timezone.now(), data=data)


@contextmanager
def how(**codes: Any) -> Iterator[None]:
    """What agents do to tickets within says in the log how: `bulk` (to many at once), `api` (by a token)."""
    before = _how.set({**_how.get({}), **codes})
    try:
        yield
    finally:
        _how.reset(before)


def record(ticket: Ticket | None, kind: str, /, *, by: Agent | None = None, **data: Any) -> Event:
    """Append one event; call it inside the transaction that makes the change."""
    event = line(ticket, kind, by=by, **data)
    event.save(force_insert=True)
    return event


def register(name: str) -> Callable[[Handler], Handler]:
    """Decorator: this function reads the log under `name`. It runs inside the transaction that moves its cursor."""

    def known(handler: Handler) -> Handler:
        _followers[name] = handler
        return handler

    return known


def register_batch(name: str, *, idle: Callable[[], bool] | None = None) -> Callable[[BatchHandler], BatchHandler]:
    """As `register`, for a reader that takes many events at once, such as one that looks at each ticket once.

    While `idle()` says that nobody is interested, the events that are there are skipped unread.
    """

    def known(handler: BatchHandler) -> BatchHandler:
        _followers[name] = handler
        _batched.add(name)
        if idle is not None:
            _idle[name] = idle
        return handler

    return known


def followers() -> dict[str, Handler | BatchHandler]:
    return dict(_followers)


@contextmanager
def only_one(name: str) -> Iterator[bool]:
    """Whether this is the only transaction working as `name` right now (an advisory lock, held to the end of it)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [locks.FOLLOWER, zlib.crc32(name.encode()) - 2**31])
        (mine,) = cursor.fetchone()
    yield mine


def waiting_events(cursor: Cursor) -> models.QuerySet[Event]:
    """The events after this cursor that no running transaction can still get in front of, in order."""
    # A comparison of rows is a place in the index; as two comparisons, each batch would pass over all events that a
    # long transaction wrote before.
    return (
        Event.objects.extra(
            where=["(inbox_event.xid, inbox_event.id) > (%s, %s)"], params=[cursor.xid, cursor.event_id]
        )
        .filter(xid__lt=SnapshotXmin())
        .order_by("xid", "id")
    )


def follow(name: str, handler: Handler | BatchHandler, limit: int = BATCH) -> int:
    """Hand the next events to `handler`; returns how many it took. One it fails on stops this follower, visibly."""
    with transaction.atomic(), only_one(f"follow:{name}") as mine:
        if not mine:
            return 0
        cursor, _ = Cursor.objects.get_or_create(name=name)
        if name in _idle and _skipped(cursor, _idle[name]):
            return 0
        waiting = waiting_events(cursor)
        if name in _batched:
            events = list(waiting[:limit])
            steps = [events] if events else []
        else:
            steps = [[event] for event in waiting.select_related("ticket")[:limit]]
        if not steps and not cursor.error or not _held(cursor):
            return 0
        done = 0
        while steps:
            step = steps.pop(0)
            try:
                with transaction.atomic():
                    handler(step if name in _batched else step[0])  # type: ignore[arg-type]
            except Exception as error:
                if _passing(error):
                    raise
                if len(step) > 1:  # which of them?
                    steps = [[event] for event in step]
                    continue
                logger.exception("follower %s stopped at event %s", name, step[0].pk)
                cursor.error = f"event {step[0].pk}: {error!r}"[:2000]
                cursor.failing_since = cursor.failing_since or timezone.now()
                cursor.save(update_fields=MOVED)
                return done
            cursor.xid, cursor.event_id = step[-1].xid, step[-1].pk
            done += len(step)
        cursor.error, cursor.failing_since, cursor.moved_at = "", None, timezone.now()
        cursor.save(update_fields=MOVED)
        return done


def _held(cursor: Cursor) -> bool:
    """Hold the cursor to the end of the transaction: whoever rewinds it waits, and moves it after us.

    False where somebody moved it since it was read. Called only where there is something to do: a lock takes a number
    of a transaction, which every follower would have to wait for.
    """
    there = Cursor.objects.select_for_update().filter(pk=cursor.pk, xid=cursor.xid, event_id=cursor.event_id)
    return bool(there.values_list("pk"))


def _passing(error: Exception) -> bool:
    """Whether trying again is all there is to do: the connection broke, others were in the way, or the server stops.

    https://www.postgresql.org/docs/current/errcodes-appendix.html
    """
    code = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, OperationalError) and code is None:
        return True  # no answer came
    return isinstance(error, DatabaseError) and (str(code)[:2] in ("08", "40", "57") or code == "55P03")


def _skipped(cursor: Cursor, idle: Callable[[], bool]) -> bool:
    """Whether the follower is idle; its cursor then stands behind the newest event that can be read."""
    # In this order: whoever takes an interest before an event is written is seen by the time the event is.
    last = waiting_events(cursor).reverse().values_list("xid", "id").first()
    if not idle():
        return False
    if (last is not None or cursor.error) and _held(cursor):
        cursor.xid, cursor.event_id = last or (cursor.xid, cursor.event_id)
        cursor.error, cursor.failing_since, cursor.moved_at = "", None, timezone.now()
        cursor.save(update_fields=MOVED)
    return True


def follow_all() -> int:
    """Let every registered follower read on for a few seconds; returns how many events were handled.

    One that is interrupted holds up none of the others; the first such error is raised when all had their turn.
    """
    done = 0
    until = time.monotonic() + MOST_SECONDS
    first: Exception | None = None
    for name, handler in followers().items():
        try:
            while taken := follow(name, handler):
                done += taken
                if taken < BATCH or time.monotonic() > until:
                    break
        except Exception as error:  # noqa: BLE001 - raised below
            logger.error("follower %s was interrupted: %r", name, error)
            first = first or error
    if first is not None:
        raise first
    return done


def lag() -> dict[str, float]:
    """Seconds between now and the oldest event that each follower has not read; 0 when it has read all."""
    cursors = {cursor.name: cursor for cursor in Cursor.objects.all()}
    now = timezone.now()
    late = {}
    for name in followers():
        oldest = waiting_events(cursors.get(name, Cursor(name=name))).first()
        late[name] = (now - oldest.at).total_seconds() if oldest else 0.0
    return late


def rewind(name: str) -> None:
    """Let a follower start over from the first event."""
    Cursor.objects.update_or_create(
        name=name,
        defaults={
            "xid": Cursor.START,
            "event_id": 0,
            "error": "",
            "failing_since": None,
            "moved_at": timezone.now(),
        },
    )
