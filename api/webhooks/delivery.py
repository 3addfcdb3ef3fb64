"""The way to the receivers: claim what is due, keep many requests under way at once, record what came of each.

One pump runs at a time. Its requests run in threads, so that a receiver that takes its time holds up nobody but
itself: at most IN_FLIGHT requests are under way to one webhook, FAILING_IN_FLIGHT to one that fails. Threads never
touch the database. A worker that dies leaves its claims to their leases; then they are sent again, under the same id.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime, timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from api.actions import webhooks as actions
from api.models import HookState, Stopped, Webhook, WebhookDelivery
from api.webhooks import payload, sending
from api.webhooks.follower import visible
from inbox import locks, wake
from inbox.models import Event

logger = logging.getLogger(__name__)

IN_FLIGHT = 4  # requests at a time to one webhook
FAILING_IN_FLIGHT = 1  # to one whose last request failed
MOST_IN_FLIGHT = 48  # in all
MOST_SECONDS = 300.0  # of one run; then another worker's turn, while this one waits for its last answers
POLL_SECONDS = 0.5  # how often a pump that waits for answers looks for new work
TEND_SECONDS = 5.0  # how often it looks for what dead workers left, and for webhooks whose owner may no more
REMEMBER_SECONDS = 60.0  # how long an outcome is kept that cannot be written down: the database is away
# Waits between attempts, as Standard Webhooks proposes; after the last one a delivery has failed for good.
RETRY_AFTER = [
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
]
DISABLE_AFTER = timedelta(days=5)

# First everybody's oldest, then everybody's second: a long queue of one webhook keeps no other one waiting.
CLAIM = """
UPDATE api_webhookdelivery SET state = 'sending', attempts = attempts + 1, lease_until = %(lease)s,
                               attempted_at = %(now)s
WHERE state = 'queued' AND id IN (
    SELECT due.id FROM api_webhook w CROSS JOIN LATERAL (
        SELECT d.id, d.next_attempt_at, row_number() OVER (ORDER BY d.next_attempt_at, d.id) AS turn
        FROM (
            SELECT id, next_attempt_at FROM api_webhookdelivery
            WHERE webhook_id = w.id AND state = 'queued' AND next_attempt_at <= %(now)s
            ORDER BY next_attempt_at, id
            LIMIT greatest(0, CASE WHEN w.failing_since IS NULL THEN %(most)s ELSE %(failing)s END
                              - (SELECT count(*) FROM api_webhookdelivery s
                                 WHERE s.webhook_id = w.id AND s.state = 'sending'))
        ) d
    ) due
    WHERE w.active AND (w.held_until IS NULL OR w.held_until <= %(now)s)
    ORDER BY due.turn, due.next_attempt_at LIMIT %(free)s
)
RETURNING id
"""


def lease() -> timedelta:
    return timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)


def run() -> int:
    """Deliver until nothing is due and nothing under way; returns how many deliveries arrived."""
    with ThreadPoolExecutor(MOST_IN_FLIGHT, thread_name_prefix="webhook") as pool:
        pump = Pump(pool)
        with locks.only_one(locks.WEBHOOKS, 0) as mine:
            if not mine:
                return 0
            pump.go(until=time.monotonic() + MOST_SECONDS)
        if pump.flying:  # the time is up: somebody else goes on while these come back
            wake.run(actions.TASK, [], actions.QUEUE)
            pump.land()
        return pump.arrived


class Pump:
    """The requests under way of one run."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pool = pool
        self.flying: dict[Future[sending.Answer], WebhookDelivery] = {}
        self.arrived = 0
        self.tended = self.renewed = float("-inf")

    def go(self, until: float) -> None:
        while time.monotonic() < until:
            if time.monotonic() - self.tended > TEND_SECONDS:
                self.tended = time.monotonic()
                recover()
                actions.stop_unfit()
            claimed = claim(MOST_IN_FLIGHT - len(self.flying)) if len(self.flying) < MOST_IN_FLIGHT else []
            self.launch(claimed)
            if not self.flying and not claimed:
                return
            self.collect()

    def land(self) -> None:
        while self.flying:
            self.collect()

    def launch(self, claimed: Sequence[WebhookDelivery]) -> None:
        for delivery, request in prepared(claimed):
            self.flying[self.pool.submit(sending.send, request)] = delivery

    def collect(self) -> None:
        """Record what has come back by now; waits a moment where nothing has."""
        done, _pending = wait(self.flying, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            self.arrived += remember(self.flying.pop(future), future.result())
        if time.monotonic() - self.renewed > settings.DELIVERY_LEASE_SECONDS / 3:
            self.renewed = time.monotonic()
            WebhookDelivery.objects.filter(
                pk__in=[delivery.pk for delivery in self.flying.values()], state=HookState.SENDING
            ).update(lease_until=timezone.now() + lease())


def claim(most: int) -> list[WebhookDelivery]:
    """Take up to so many due deliveries for this worker, in everybody's turn, with their webhooks and owners."""
    now = timezone.now()
    with transaction.atomic(), connection.cursor() as cursor:
        # One claim at a time, or two would count the same requests under way.
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 1)", [locks.WEBHOOKS])
        cursor.execute(
            CLAIM, {"lease": now + lease(), "now": now, "most": IN_FLIGHT, "failing": FAILING_IN_FLIGHT, "free": most}
        )
        ids = [pk for (pk,) in cursor.fetchall()]
    if not ids:
        return []
    return list(WebhookDelivery.objects.filter(pk__in=ids).select_related("webhook__owner").order_by("pk"))


def prepared(claimed: Sequence[WebhookDelivery]) -> list[tuple[WebhookDelivery, sending.Request]]:
    """As `prepare`; one that cannot be made, by a fault of ours, fails alone and visibly."""
    try:
        return prepare(claimed)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        if len(claimed) > 1:
            return [ready for one in claimed for ready in prepared([one])]
        logger.exception("delivery %s cannot be made", claimed[0].pk)
        _give_up(claimed[0], f"{type(error).__name__}: {error}"[:2000])
        return []


def prepare(claimed: Sequence[WebhookDelivery]) -> list[tuple[WebhookDelivery, sending.Request]]:
    """The requests of these deliveries. What the owner may not see by now, or is gone, is given up here."""
    by_owner: dict[int | None, list[WebhookDelivery]] = {}
    for delivery in claimed:
        by_owner.setdefault(delivery.webhook.owner_id, []).append(delivery)
    log_lines = Event.objects.filter(pk__in=[one.event_id for one in claimed if one.event_id]).select_related("ticket")
    found = {event.pk: event for event in log_lines} if claimed else {}
    ready, made = [], []
    for deliveries in by_owner.values():
        owner = deliveries[0].webhook.owner
        if owner is None or not deliveries[0].webhook.owner_may:
            _give_back(deliveries)  # `stop_unfit` turns the webhook off
            continue
        mine = [found[one.event_id] for one in deliveries if one.event_id in found]
        seen = visible(owner, mine)
        fresh = [found[one.event_id] for one in deliveries if not one.payload and one.event_id in seen]
        shown = payload.Shown.of(fresh, owner) if fresh else None
        for one in deliveries:
            if one.event_id is not None and one.event_id not in seen:
                _give_up(one, _("Whoever this webhook acts for does not see what this is about."))
                continue
            if not one.payload:
                said = (
                    shown.payload(one.kind, found[one.event_id])
                    if shown and one.event_id
                    else payload.ping(one.webhook)
                )
                if said is None:
                    _give_up(one, _("What this was about is no longer there."))
                    continue
                one.payload = payload.to_text(said)
                made.append(one)
            secrets = one.webhook.secrets_at(timezone.now())
            if not secrets:
                _give_up(one, _("The secret of this webhook cannot be read any more. Make a new one, then redeliver."))
                continue
            ready.append((one, sending.Request(one.webhook.url, one.message_id, one.payload, secrets)))
    WebhookDelivery.objects.bulk_update(made, ["payload"])  # before it leaves: a second attempt says the same
    return ready


def _held(delivery: WebhookDelivery) -> dict[str, object]:
    """What finds the row as long as this claim of it holds."""
    return {"pk": delivery.pk, "state": HookState.SENDING, "attempts": delivery.attempts}


def _give_back(deliveries: Sequence[WebhookDelivery]) -> None:
    WebhookDelivery.objects.filter(pk__in=[one.pk for one in deliveries], state=HookState.SENDING).update(
        state=HookState.QUEUED, lease_until=None, attempts=F("attempts") - 1
    )
    actions.stop_unfit()


def _give_up(delivery: WebhookDelivery, why: str) -> None:
    WebhookDelivery.objects.filter(**_held(delivery)).update(
        state=HookState.FAILED, lease_until=None, error=why, done_at=timezone.now(), payload=""
    )


def remember(delivery: WebhookDelivery, answer: sending.Answer) -> int:
    """Record an outcome, also when the database is away for a moment; returns 1 for an arrival."""
    began, pause = time.monotonic(), 0.05
    while True:
        try:
            return settle(delivery, answer)
        except (OperationalError, InterfaceError):
            if time.monotonic() - began > REMEMBER_SECONDS:
                raise
            connection.close()
            time.sleep(pause)
            pause = min(pause * 2, 2)


def settle(delivery: WebhookDelivery, answer: sending.Answer) -> int:
    """Write down what a receiver said, on the delivery and on its webhook's health."""
    now = timezone.now()
    said = {
        "lease_until": None,
        "headers": answer.headers,
        "status": answer.status,
        "response": answer.response,
        "error": answer.error,
        "duration_ms": answer.duration_ms,
    }
    with transaction.atomic():
        row = WebhookDelivery.objects.filter(**_held(delivery))
        if not answer.error:
            Webhook.objects.filter(pk=delivery.webhook_id, failing_since__isnull=False).update(
                failing_since=None, failures=0, last_error="", held_until=None
            )
            return row.update(state=HookState.DELIVERED, done_at=now, **said)
        # The webhook first, as everybody does who locks both: two in turn could wait for each other for ever.
        list(Webhook.objects.select_for_update(no_key=True).filter(pk=delivery.webhook_id).values_list("pk"))
        due = next_attempt(delivery.attempts, answer.retry_after)
        if answer.gone or due is None:
            known = row.update(state=HookState.FAILED, done_at=now, **said)
        else:
            known = row.update(state=HookState.QUEUED, next_attempt_at=due, **said)
        if known:
            _failed(delivery.webhook_id, answer, now)
        return 0


def _failed(webhook_id: int, answer: sending.Answer, now: datetime) -> None:
    held: dict[str, object] = {}
    if answer.retry_after:
        held["held_until"] = now + timedelta(seconds=answer.retry_after)
    Webhook.objects.filter(pk=webhook_id).update(
        failing_since=Coalesce("failing_since", now), failures=F("failures") + 1, last_error=answer.error[:2000], **held
    )
    if answer.gone:
        actions.stop(Webhook.objects.filter(pk=webhook_id), Stopped.GONE)
    else:
        long = Webhook.objects.filter(pk=webhook_id, failing_since__lte=now - DISABLE_AFTER)
        actions.stop(long, Stopped.FAILING)


def next_attempt(attempts: int, asked: float = 0.0) -> datetime | None:
    """When to try again after so many attempts, with jitter and never before what was asked for (seconds); or None."""
    if attempts > len(RETRY_AFTER):
        return None
    pause = RETRY_AFTER[attempts - 1] * random.uniform(0.8, 1.2)
    return timezone.now() + max(pause, timedelta(seconds=asked))


def recover() -> int:
    """Queue again what a worker that died had in hand; returns how many."""
    now = timezone.now()
    lost = WebhookDelivery.objects.filter(state=HookState.SENDING, lease_until__lt=now)
    return lost.update(state=HookState.QUEUED, lease_until=None, next_attempt_at=now)


def prune() -> int:
    """Forget deliveries past their age (WEBHOOK_DAYS); returns how many."""
    old = WebhookDelivery.objects.filter(created_at__lt=timezone.now() - timedelta(days=settings.WEBHOOK_DAYS))
    gone = 0
    while ids := list(old.values_list("pk", flat=True)[:1000]):
        gone += WebhookDelivery.objects.filter(pk__in=ids).delete()[0]
    return gone
