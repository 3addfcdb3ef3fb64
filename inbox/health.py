"""What is late, dead or failing: said on the main screen, by /readyz and by `check_channels`."""

from __future__ import annotations

import os
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, connections
from django.db.models import Count, Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inbox import access, care, log
from inbox.models import Agent, Channel, Cursor, DeliveryState, Heartbeat, Message, Receipt, ReceiptState
from inbox.rights import Right, may

BEAT_EVERY = 5.0  # seconds between heartbeats of a process
DEAD_AFTER = timedelta(seconds=30)
LATE_AFTER = timedelta(seconds=60)
FORGET_AFTER = timedelta(hours=1)
MOST_COUNTED = 1000
PROCESSES = ("worker", "beat", "mail")


class Problem(str):
    """What is wrong, in a short sentence. `url` is the page where its reader can mend it; empty where there is none."""

    url: str

    def __new__(cls, text: str, url: str = "") -> Problem:
        problem = super().__new__(cls, text)
        problem.url = url
        return problem


Teller = Callable[[Agent], Sequence[str]]
_tellers: list[Teller] = []


def tell_problems(teller: Teller) -> Teller:
    """Decorator: this function knows of problems of another app, in short sentences for this person.

    A `Problem` among them leads to its page.
    """
    _tellers.append(teller)
    return teller


def beat(process: str, name: str = "") -> None:
    """Say that this process lives. Database errors pass through."""
    name = name or f"{process}:{socket.gethostname()}:{os.getpid()}"
    Heartbeat.objects.update_or_create(name=name, defaults={"process": process, "at": timezone.now()})


def keep_beating(process: str) -> threading.Event:
    """Beat from a thread of its own until the event is set; a database that is away is waited for."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                beat(process)
            except Exception:  # noqa: BLE001 (the missing beat is what says so)
                connections.close_all()
            stop.wait(BEAT_EVERY)
        connections.close_all()

    threading.Thread(target=run, name=f"heartbeat-{process}", daemon=True).start()
    return stop


def processes() -> dict[str, bool]:
    """Which kinds of process have at least one that lives."""
    alive = set(
        Heartbeat.objects.filter(at__gt=timezone.now() - DEAD_AFTER).values_list("process", flat=True).distinct()
    )
    return {process: process in alive for process in PROCESSES}


def queues() -> dict[str, dict[str, Any]]:
    """How much waits in each queue and for how long the oldest has been due: {"name": {"waiting", "seconds"}}.

    Counted up to MOST_COUNTED in all, so that it is not dearest when the most is waiting.
    """
    now = timezone.now()
    receipts = (
        Receipt.objects.filter(state=ReceiptState.NEW)
        .order_by("next_attempt_at", "id")
        .values_list("received_at", flat=True)[:MOST_COUNTED]
    )
    found: dict[str, dict[str, Any]] = {"receipts": _waiting(list(receipts))}
    due: dict[str, list[datetime]] = defaultdict(list)
    # What waits behind a message whose recipient refuses it for now is not late: nothing overtakes within a ticket.
    tried = Message.objects.filter(
        ticket=OuterRef("ticket"), channel=OuterRef("channel"), pk__lt=OuterRef("pk"),
        state=DeliveryState.QUEUED, attempts__gt=0, next_attempt_at__gt=now,
    )  # fmt: skip
    for slug, at in (
        Message.objects.filter(state__in=[DeliveryState.QUEUED, DeliveryState.SENDING], next_attempt_at__lte=now)
        .exclude(Exists(tried))
        .order_by("next_attempt_at")
        .values_list("channel__slug", "next_attempt_at")[:MOST_COUNTED]
    ):
        due[slug].append(at or now)
    released = Message.objects.scheduled().filter(send_at__lte=now).order_by("send_at")  # by the sweep, at their time
    for slug, at in released.values_list("channel__slug", "send_at")[:MOST_COUNTED]:
        due[slug].append(at or now)
    found |= {f"delivery:{slug}": _waiting(times) for slug, times in sorted(due.items())}
    for name, seconds in log.lag().items():
        found[f"log:{name}"] = {"waiting": None, "seconds": round(seconds, 1)}
    return found


def _waiting(since: Sequence[datetime]) -> dict[str, Any]:
    return {"waiting": len(since), "seconds": _age(min(since, default=None))}


def _age(since: datetime | None) -> float:
    return round((timezone.now() - since).total_seconds(), 1) if since else 0.0


def channels() -> list[dict[str, Any]]:
    """The health of every channel."""
    failed = dict(
        Receipt.objects.filter(state=ReceiptState.FAILED).values_list("channel").annotate(n=Count("pk")).order_by()
    )
    found = []
    for channel in Channel.objects.all():
        sending = care.may_send(channel)
        found.append(
            {
                "id": channel.pk,
                "kind": channel.kind,
                "slug": channel.slug,
                "name": channel.name,
                "ok": not channel.failing and not channel.paused,
                "paused": channel.paused,
                "in_error": channel.in_error,
                "in_failing_since": channel.in_failing_since,
                "out_error": channel.out_error,
                "out_failing_since": channel.out_failing_since,
                "cannot_send": str(sending.reason) if sending and not sending.allowed else "",
                "warnings": care.warnings(channel),
                "failed_receipts": failed.get(channel.pk, 0),
                "last_in_at": channel.last_in_at,
                "last_out_at": channel.last_out_at,
                "limited_until": channel.limited_until,
            }
        )
    return found


def redis_answers() -> bool:
    """Whether Redis takes a command within a second."""
    import redis
    from django.conf import settings

    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        return bool(client.ping())
    except redis.RedisError:
        return False


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def report() -> dict[str, Any]:
    """Everything at once, for machines."""
    if not database_answers():
        return {"database": False, "redis": redis_answers(), "processes": {}, "queues": {}, "channels": []}
    return {
        "database": True,
        "redis": redis_answers(),
        "processes": processes(),
        "queues": queues(),
        "channels": channels(),
        "followers": {cursor.name: cursor.error for cursor in Cursor.objects.filter(failing_since__isnull=False)},
    }


def problems(agent: Agent) -> list[str]:
    """What is wrong right now, in short sentences for the main screen; empty when all is well.

    Those of a channel are `Problem`s that lead to its page, for whoever may open it.
    """
    found: list[str] = []
    alive = processes()
    if not redis_answers():
        found.append(_("Redis is away: new messages appear late."))
    if not alive["worker"]:
        found.append(_("No worker is running: mail is neither taken in nor sent."))
    if not alive["beat"]:
        found.append(_("The clock process is not running: late work is not picked up."))
    if not alive["mail"]:
        found.append(_("The mail receiver is not running: senders are asked to try again later."))
    waiting = queues()
    if waiting["receipts"]["seconds"] > LATE_AFTER.total_seconds():
        found.append(
            _("%(count)s received messages wait to be taken in, the oldest for %(minutes)s min.")
            % {"count": waiting["receipts"]["waiting"], "minutes": int(waiting["receipts"]["seconds"] // 60)}
        )
    stuck = Receipt.objects.filter(state=ReceiptState.NEW).exclude(reason="").values_list("reason", flat=True).first()
    if stuck:
        found.append(_("Messages wait to be taken in. %(error)s") % {"error": stuck})
    seen = set(access.channels(agent).values_list("slug", flat=True))
    cares = may(agent, Right.CARE)
    for channel in channels():
        if channel["slug"] in seen:
            url = reverse("settings-channel", args=[channel["slug"]]) if cares else ""
            said = _channel_problems(channel, waiting.get(f"delivery:{channel['slug']}"))
            found += [Problem(sentence, url) for sentence in said]
    for name, error in report_followers().items():
        found.append(_("A reader of the log has stopped (%(name)s): %(error)s") % {"name": name, "error": error})
    for teller in _tellers:
        found += teller(agent)
    return found


@dataclass(frozen=True, slots=True)
class Sign:
    """One line of what the main screen tells of the system: what it is, how it stands, and whether that is well."""

    label: str
    text: str
    ok: bool


def signs(agent: Agent) -> list[Sign]:
    """How every process and every queue stands: heartbeats, and how long the oldest has been waiting."""
    names = {"worker": _("Workers"), "beat": _("Clock"), "mail": _("Mail receiver")}
    found = [
        Sign(names[process], _("running") if alive else _("not running"), alive)
        for process, alive in processes().items()
    ]
    waiting = queues()
    found.append(_queue_sign(_("Mail to take in"), waiting["receipts"]))
    for slug, name in access.channels(agent).values_list("slug", "name"):
        queue = waiting.get(f"delivery:{slug}", {"waiting": 0, "seconds": 0.0})
        found.append(_queue_sign(_("Replies on %(channel)s") % {"channel": name}, queue))
    behind = max((row["seconds"] for name, row in waiting.items() if name.startswith("log:")), default=0.0)
    found.append(_queue_sign(_("Readers of the log"), {"waiting": None, "seconds": behind}))
    return found


def _queue_sign(label: str, queue: dict[str, Any]) -> Sign:
    late = queue["seconds"] > LATE_AFTER.total_seconds()
    if not queue["seconds"] and not queue["waiting"]:
        return Sign(label, _("nothing waits"), True)
    seconds = int(queue["seconds"])
    age = _("%(n)s s") % {"n": seconds} if seconds < 120 else _("%(n)s min") % {"n": seconds // 60}
    if queue["waiting"] is None:
        return Sign(label, _("%(age)s behind") % {"age": age}, not late)
    return Sign(label, _("%(count)s, oldest %(age)s") % {"count": queue["waiting"], "age": age}, not late)


def report_followers() -> dict[str, str]:
    return dict(Cursor.objects.filter(failing_since__isnull=False).values_list("name", "error"))


def _channel_problems(channel: dict[str, Any], waiting: dict[str, Any] | None) -> list[str]:
    # Also of a channel that is paused: what ends meanwhile is missed when it is to go on.
    found = [
        _("%(channel)s: %(error)s") % {"channel": channel["name"], "error": warning}
        for warning in channel["warnings"]
        if warning not in (channel["in_error"], channel["out_error"])
    ]
    if channel["paused"]:
        return found
    if channel["in_failing_since"]:
        said = (
            _("%(channel)s: new mail cannot be fetched. %(error)s")
            if channel["kind"] == "email"
            else _("%(channel)s: new messages cannot be fetched. %(error)s")
        )
        found.append(said % {"channel": channel["name"], "error": channel["in_error"]})
    if channel["out_failing_since"]:
        found.append(
            _("%(channel)s: replies cannot be sent, and are kept. %(error)s")
            % {"channel": channel["name"], "error": channel["out_error"]}
        )
    elif _is_limited(channel["limited_until"], waiting):
        found.append(
            _("%(channel)s: the platform takes no more for the moment. %(error)s")
            % {"channel": channel["name"], "error": care.limited(channel["limited_until"])}
        )
    elif waiting and channel["cannot_send"]:
        found.append(
            ngettext(
                "%(channel)s: %(count)s reply waits. %(error)s",
                "%(channel)s: %(count)s replies wait. %(error)s",
                waiting["waiting"],
            )
            % {"channel": channel["name"], "count": waiting["waiting"], "error": channel["cannot_send"]}
        )
    elif waiting and waiting["seconds"] > LATE_AFTER.total_seconds():
        found.append(
            ngettext(
                "%(channel)s: %(count)s reply is late.", "%(channel)s: %(count)s replies are late.", waiting["waiting"]
            )
            % {"channel": channel["name"], "count": waiting["waiting"]}
        )
    if channel["failed_receipts"]:
        found.append(
            _("%(channel)s: %(count)s messages could not be read; they are kept.")
            % {"channel": channel["name"], "count": channel["failed_receipts"]}
        )
    return found


def _is_limited(until: datetime | None, waiting: dict[str, Any] | None) -> bool:
    """Whether a platform's "too many" is worth telling: not of seconds, unless replies are late for it."""
    if until is None:
        return False
    late = waiting is not None and waiting["seconds"] > LATE_AFTER.total_seconds()
    return late or until > timezone.now() + LATE_AFTER


def prune() -> None:
    """Forget processes that ended long ago."""
    Heartbeat.objects.filter(at__lt=timezone.now() - FORGET_AFTER).delete()
