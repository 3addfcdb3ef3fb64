"""Webhooks: made, changed, turned on and off, tested; what was sent is sent again on request.

A webhook acts for its owner. Whoever changes where it sends to, or what, becomes the owner: else an administrator
could have the tickets of somebody else's private team sent to a place of their own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from api.models import (
    OLD_SECRET_LASTS,
    HookState,
    Stopped,
    Webhook,
    WebhookDelivery,
    new_message_id,
)
from api.webhooks.events import PING
from inbox import log, wake
from inbox.actions.errors import ActionError
from inbox.models import Agent, Event, Participant, Ticket
from inbox.rights import RIGHTS, Right, require
from lib.standard_webhooks import new_secret

TASK, QUEUE = "api.tasks.deliver_webhooks", "webhooks"
FIELDS = ("name", "url", "description", "events")
FILTERS = {"channels": "by_channel", "teams": "by_team"}  # and where it is kept that there is one
OWNERS_ALONE = {"url", "events", *FILTERS}
ABLE = [role for role, rights in RIGHTS.items() if Right.WEBHOOKS in rights]
EMPTIED = Q(by_channel=True) & ~Exists(Webhook.channels.through.objects.filter(webhook=OuterRef("pk"))) | Q(
    by_team=True
) & ~Exists(Webhook.teams.through.objects.filter(webhook=OuterRef("pk")))


def create(*, by: Agent, channels: Sequence[Any] = (), teams: Sequence[Any] = (), **fields: Any) -> tuple[Webhook, str]:
    """A new webhook, turned on unless `active` says otherwise, and its secret, told this once."""
    require(by, Right.WEBHOOKS)
    secret = new_secret()
    hook = Webhook(owner=by, by_channel=bool(channels), by_team=bool(teams), **fields)
    hook.keys = [{"secret": secret, "until": None}]
    with transaction.atomic():
        hook.save(force_insert=True)
        hook.channels.set(channels)
        hook.teams.set(teams)
        log.record(None, "webhook_created", by=by, webhook=hook.pk)
    return hook, secret


def update(hook: Webhook, changes: Mapping[str, Any], *, by: Agent) -> Webhook:
    """Change what is named: fields, filters, and `active`.

    Raises ActionError for turning on one with a filter of which nothing is left.
    """
    require(by, Right.WEBHOOKS)
    with transaction.atomic():
        row = locked(hook)
        changed = [name for name in FIELDS if name in changes and getattr(row, name) != changes[name]]
        for name in changed:
            setattr(row, name, changes[name])
        flags: list[str] = []
        for name, flag in FILTERS.items():
            if name not in changes:
                continue
            related = getattr(row, name)
            before = getattr(row, flag), {one.pk for one in related.all()}
            if before != (bool(changes[name]), {one.pk for one in changes[name]}):
                related.set(changes[name])
                setattr(row, flag, bool(changes[name]))
                changed.append(name)
                flags.append(flag)
        if OWNERS_ALONE & set(changed) and row.owner_id != by.pk:
            row.owner = by
            changed.append("owner")
        if changed:
            row.save(update_fields=[*flags, *(name for name in changed if name not in FILTERS)])
            if "url" in changed:
                _afresh(row)
            log.record(None, "webhook_changed", by=by, webhook=row.pk, fields=changed)
        if "active" in changes:
            _switch(row, changes["active"], by)
        return row


def locked(hook: Webhook) -> Webhook:
    """The row, fresh and locked. Raises ActionError when it is there no more."""
    row = Webhook.objects.select_for_update(no_key=True).filter(pk=hook.pk).first()
    if row is None:
        raise ActionError(_("This webhook is no longer there."), "gone")
    return row


def switch(hook: Webhook, on: bool, *, by: Agent) -> Webhook:
    """Turn it on or off. What happens while it is off is not kept for it; what waited goes on waiting."""
    return update(hook, {"active": on}, by=by)


def _afresh(row: Webhook) -> None:
    """Somebody put it right: forget the failures, and try what waits now."""
    row.failing_since, row.failures, row.last_error, row.held_until = None, 0, "", None
    row.save(update_fields=["failing_since", "failures", "last_error", "held_until"])
    row.deliveries.filter(state=HookState.QUEUED).update(next_attempt_at=timezone.now())
    wake.run(TASK, [], QUEUE)


def _switch(row: Webhook, on: bool, by: Agent) -> None:
    if row.active == on and not row.disabled_reason:
        return
    fields = ["active", "disabled_at", "disabled_reason"]
    row.disabled_at, row.disabled_reason = (None, "") if on else (timezone.now(), "")
    if on and not row.active:
        if Webhook.objects.filter(EMPTIED, pk=row.pk).exists():
            words = _("The channels or teams this webhook was limited to are gone. Choose others first, or none.")
            raise ActionError(words, "filter_gone")
        row.since = timezone.now()
        fields.append("since")
        _afresh(row)
        if not row.owner_may:
            row.owner = by
            fields.append("owner")
    row.active = on
    row.save(update_fields=fields)
    log.record(None, "webhook_enabled" if on else "webhook_disabled", by=by, webhook=row.pk)


def stop(hooks: QuerySet[Webhook], reason: Stopped) -> int:
    """Turn off those of these that are on, because of what happened; the main screen says so. Returns how many."""
    with transaction.atomic():
        rows = list(hooks.filter(active=True).select_for_update(no_key=True, of=("self",)))
        for row in rows:
            row.active, row.disabled_at, row.disabled_reason = False, timezone.now(), reason
            row.save(update_fields=["active", "disabled_at", "disabled_reason"])
            log.record(None, "webhook_disabled", webhook=row.pk, reason=str(reason))
    return len(rows)


def stop_unfit() -> int:
    """Turn off webhooks whose owner was switched off or may not have webhooks any more, and those with a filter of
    which nothing is left."""
    able = Q(owner__is_active=True, owner__role__in=ABLE)
    if not Webhook.objects.filter(~able | EMPTIED, active=True).exists():
        return 0
    return stop(Webhook.objects.exclude(able), Stopped.OWNER) + stop(Webhook.objects.filter(EMPTIED), Stopped.FILTER)


def rotate(hook: Webhook, *, by: Agent) -> str:
    """A new secret, told this once. The one in force so far signs as well for 24 hours; older ones end now."""
    require(by, Right.WEBHOOKS)
    secret = new_secret()
    with transaction.atomic():
        row = locked(hook)
        until = (timezone.now() + OLD_SECRET_LASTS).isoformat()
        former = [{"secret": key["secret"], "until": until} for key in row.readable_keys if key["until"] is None]
        row.keys = [{"secret": secret, "until": None}, *former]
        row.save(update_fields=["sealed"])
        log.record(None, "webhook_rotated", by=by, webhook=row.pk)
    return secret


def delete(hook: Webhook, *, by: Agent) -> None:
    require(by, Right.WEBHOOKS)
    with transaction.atomic():
        row = Webhook.objects.select_for_update().filter(pk=hook.pk).first()
        if row is not None:
            pk = row.pk
            row.delete()
            log.record(None, "webhook_deleted", by=by, webhook=pk)


def test(hook: Webhook, *, by: Agent) -> WebhookDelivery:
    """Send a `ping`. Raises ActionError while the webhook is off."""
    require(by, Right.WEBHOOKS)
    _on(hook)
    delivery = WebhookDelivery.objects.create(webhook=hook, kind=PING, message_id=new_message_id())
    wake.run(TASK, [], QUEUE)
    return delivery


def redeliver(delivery: WebhookDelivery, *, by: Agent) -> WebhookDelivery:
    """Send once more what was sent or given up, under the same id. Raises ActionError while the webhook is off."""
    require(by, Right.WEBHOOKS)
    _on(delivery.webhook)
    with transaction.atomic():
        row = WebhookDelivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
        if row.state == HookState.SENDING:
            return row
        row.state, row.attempts, row.next_attempt_at, row.done_at = HookState.QUEUED, 0, timezone.now(), None
        row.save(update_fields=["state", "attempts", "next_attempt_at", "done_at"])
        wake.run(TASK, [], QUEUE)
        return row


def _on(hook: Webhook) -> None:
    if not hook.active:
        raise ActionError(_("This webhook is off. Turn it on first."), "webhook_off")


def forget_customers(ids: Collection[int]) -> int:
    """Take what deliveries said of these customers out of them: they are erased. Returns how many it was.

    Query by query, all for all of them: as one condition, each event of the log would be looked at.
    """
    tickets = set(Ticket.objects.filter(customer__in=ids).values_list("pk", flat=True))
    tickets.update(Participant.objects.filter(identity__customer__in=ids).values_list("ticket", flat=True))
    of_delivery = Event.objects.filter(pk=OuterRef("event_id"))
    told = WebhookDelivery.objects.exclude(payload="").filter(event_id__isnull=False)
    about = (
        Q(event_id__in=Event.objects.filter(ticket__in=tickets).values("pk")),
        Q(Exists(of_delivery.filter(ticket=None, data__customer__in=list(ids)))),
        Q(~Exists(of_delivery)),  # gone together with its ticket
    )
    return sum(told.filter(one).update(payload="", response="") for one in about)
