"""What the main screen says of webhooks: one that was stopped, or fails, to its owner and whoever looks after them."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from api.models import HookState, Stopped, Webhook, WebhookDelivery
from inbox import health
from inbox.models import Agent
from inbox.rights import Right, may

FAILING_AFTER = timedelta(minutes=30)  # a receiver that is restarted is no news
MOST = 5


@health.tell_problems
def problems(agent: Agent) -> list[health.Problem]:
    mine = Webhook.objects.all() if may(agent, Right.WEBHOOKS) else Webhook.objects.filter(owner=agent)
    failing = Q(active=True, failing_since__lt=timezone.now() - FAILING_AFTER)
    found = mine.filter(failing | Q(active=False) & ~Q(disabled_reason="")).order_by("pk")[:MOST]
    said = [health.Problem(_sentence(hook), reverse("settings-webhook", args=[hook.pk])) for hook in found]
    if may(agent, Right.WEBHOOKS) and late():
        late_words = _("What webhooks are to be told is late: no worker takes from the queue “webhooks”.")
        said.append(health.Problem(late_words))
    return said


def late() -> bool:
    """Whether something has been due for long at a receiver that is well: nobody delivers."""
    due = WebhookDelivery.objects.filter(
        webhook=OuterRef("pk"), state=HookState.QUEUED, next_attempt_at__lt=timezone.now() - health.LATE_AFTER
    )
    busy = WebhookDelivery.objects.filter(webhook=OuterRef("pk"), state=HookState.SENDING)
    return Webhook.objects.filter(Exists(due), ~Exists(busy), active=True, held_until__isnull=True).exists()


def _sentence(hook: Webhook) -> str:
    if hook.active:
        return _("Webhook “%(name)s” fails, and is tried again. %(error)s") % {
            "name": hook.name,
            "error": hook.last_error,
        }
    return _("Webhook “%(name)s” was turned off. %(reason)s See Settings, Webhooks.") % {
        "name": hook.name,
        "reason": Stopped(hook.disabled_reason).label,
    }
