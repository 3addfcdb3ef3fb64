"""`/metrics` for Prometheus: what django-prometheus counts in this process, and what the database says about all.

The gauges are computed from PostgreSQL when asked, so every web process tells the same. Only indexed states are
counted: the cost does not grow with the history.
"""

import hmac
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError
from django.db.models import Count, Max, Min, Q
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily

from api import channel_metrics
from api.models import HookState, Webhook, WebhookDelivery
from inbox import health, log
from inbox.models import Channel, Cursor, DeliveryState, Heartbeat, Message, Receipt, ReceiptState

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything in the text format of Prometheus. 403 to whom `allowed` does not know."""
    if not allowed(request):
        raise PermissionDenied
    own = CollectorRegistry()
    own.register(Gauges())
    response: HttpResponse = ExportToDjangoView(request)
    response.content += generate_latest(own)
    return response


def allowed(request: HttpRequest) -> bool:
    """Whether this request bears METRICS_TOKEN; where none is set, whether it comes from this machine.

    A proxy on this machine comes from here too, and need not say for whom it asks: then the name it asks for tells,
    which is that of the public site.
    """
    if token := settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), token.encode())
    if any(header in request.headers for header in FORWARDED):
        return False
    name = request.META.get("HTTP_HOST", "")
    return is_loopback(request.META.get("REMOTE_ADDR", "")) and is_loopback(split_domain_port(name)[0].strip("[]"))


def is_loopback(name: str) -> bool:
    """Whether an address, or a host name without its port, means this machine."""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def gauge(name: str, says: str, label: str, values: Iterable[tuple[str, float]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"rabta_{name}", says, labels=[label])
    for key, value in values:
        family.add_metric([key], value)
    return family


class Gauges:
    """What PostgreSQL says; where it does not answer, `rabta_database_up` is 0 and the rest is missing."""

    def collect(self) -> Iterator[Metric]:
        try:
            found = [*self.receipts(), *self.messages(), *self.processes(), *self.followers(), *self.channels()]
            found += [*channel_metrics.collect(), *self.webhooks()]
        except (DatabaseError, InterfaceError):
            found = []
        yield GaugeMetricFamily("rabta_database_up", "Whether PostgreSQL answered.", value=1.0 if found else 0.0)
        yield GaugeMetricFamily("rabta_redis_up", "Whether Redis answered.", value=float(health.redis_answers()))
        yield from found

    def describe(self) -> list[Metric]:
        return []  # so that registering asks the database nothing

    def receipts(self) -> Iterator[Metric]:
        rows = {
            state: Receipt.objects.filter(state=state).aggregate(n=Count("pk"), oldest=Min("received_at"))
            for state in (ReceiptState.NEW, ReceiptState.FAILED)
        }
        yield gauge("receipts", "Receipts not taken in, by state.", "state", ((s, row["n"]) for s, row in rows.items()))
        yield gauge(
            "receipt_oldest_seconds",
            "Age of the oldest receipt not taken in, by state.",
            "state",
            ((state, age(row["oldest"])) for state, row in rows.items()),
        )

    def messages(self) -> Iterator[Metric]:
        now = timezone.now()
        rows = {
            state: Message.objects.filter(state=state).aggregate(n=Count("pk"), due=Min("next_attempt_at"))
            for state in (DeliveryState.QUEUED, DeliveryState.SENDING)
        }
        yield gauge("messages", "Messages on their way out, by state.", "state", ((s, r["n"]) for s, r in rows.items()))
        yield gauge(
            "message_overdue_seconds",
            "For how long the oldest message of a state has been due.",
            "state",
            ((state, age(row["due"]) if row["due"] and row["due"] < now else 0.0) for state, row in rows.items()),
        )

    def processes(self) -> Iterator[Metric]:
        last = dict(Heartbeat.objects.values_list("process").annotate(at=Max("at")).order_by())
        yield gauge(
            "heartbeat_age_seconds",
            "Time since any process of a kind last said that it lives.",
            "process",
            ((process, age(at)) for process, at in last.items()),
        )
        yield gauge(
            "process_up",
            "Whether at least one process of a kind lives.",
            "process",
            ((process, float(lives)) for process, lives in health.processes().items()),
        )

    def followers(self) -> Iterator[Metric]:
        failing = set(Cursor.objects.filter(failing_since__isnull=False).values_list("name", flat=True))
        late = log.lag()
        yield gauge(
            "follower_lag_seconds",
            "Age of the oldest event a reader of the log has not read.",
            "follower",
            late.items(),
        )
        yield gauge(
            "follower_failing",
            "Whether a reader of the log has stopped.",
            "follower",
            ((n, float(n in failing)) for n in late),
        )

    def channels(self) -> Iterator[Metric]:
        failing = GaugeMetricFamily(
            "rabta_channel_failing", "Whether a channel fails, by direction.", labels=["channel", "kind", "direction"]
        )
        rows = Channel.objects.annotate(
            no_in=Q(in_failing_since__isnull=False), no_out=Q(out_failing_since__isnull=False)
        ).values_list("slug", "kind", "no_in", "no_out")
        for slug, kind, no_in, no_out in rows:
            failing.add_metric([slug, kind, "in"], float(no_in))
            failing.add_metric([slug, kind, "out"], float(no_out))
        yield failing

    def webhooks(self) -> Iterator[Metric]:
        hooks = Webhook.objects.values_list("active", "failing_since", "disabled_reason")
        states = Counter(
            ("failing" if failing else "on") if active else "stopped" if reason else "off"
            for active, failing, reason in hooks
        )
        names = ("on", "failing", "stopped", "off")
        yield gauge("webhooks", "Outgoing webhooks, by how they do.", "state", ((n, states[n]) for n in names))
        yield gauge(
            "webhook_deliveries",
            "Deliveries to webhooks on their way, by state.",
            "state",
            ((s, WebhookDelivery.objects.filter(state=s).count()) for s in (HookState.QUEUED, HookState.SENDING)),
        )


def age(since: datetime | None) -> float:
    return max(0.0, (timezone.now() - since).total_seconds()) if since else 0.0
