"""A follower of the log: writes one delivery for each event and each webhook that wants it and may see it.

Nothing but the ids is written here; what a delivery says is made at its first attempt (`payload`). With no webhook the
follower skips the log unread, so that an import costs nothing. Customers who are erased go out of what was told, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db.models import Prefetch, prefetch_related_objects
from django.utils import timezone

from api.actions.webhooks import QUEUE, TASK, forget_customers
from api.models import Webhook, WebhookDelivery, new_message_id
from api.webhooks import events
from inbox import access, log, wake
from inbox.models import Agent, Channel, Event, Team


def idle() -> bool:
    return not Webhook.objects.exists()


@log.register_batch("webhooks", idle=idle)
def tell(batch: Sequence[Event]) -> None:
    """Write the deliveries of these events. Read again, an event makes none twice: (webhook, event) is unique."""
    erased: set[int] = set()
    for event in batch:
        if event.kind == events.ERASED:
            erased.update([event.data["customer"], *event.data.get("customers", ())])
    if erased:
        forget_customers(erased)
    oldest = timezone.now() - timedelta(days=settings.WEBHOOK_DAYS)  # beyond it the first deliveries may be gone
    told = [(event, names) for event in batch if event.at > oldest and (names := events.names(event))]
    if not told:
        return
    prefetch_related_objects([event for event, _names in told], "ticket")
    hooks = Webhook.objects.filter(active=True).select_related("owner")
    ids = (
        Prefetch("channels", Channel.objects.only("pk")),
        Prefetch("teams", Team.objects.only("pk")),
    )
    owners: dict[int | None, Agent | None] = {}
    rows = []
    for hook in hooks.prefetch_related(*ids):
        hook.owner = owners.setdefault(hook.owner_id, hook.owner)  # whose sight is asked for once
        rows += _deliveries(hook, told)
    if rows:
        WebhookDelivery.objects.bulk_create(rows, ignore_conflicts=True)
        wake.run(TASK, [], QUEUE)


def _deliveries(hook: Webhook, told: list[tuple[Event, tuple[str, ...]]]) -> list[WebhookDelivery]:
    if hook.owner is None or not hook.owner_may:
        return []
    chosen = [
        (event, kind)
        for event, names in told
        if event.at >= hook.since
        and (kind := next((name for name in names if hook.wants(name)), None)) is not None
        and _passes(hook, event)
    ]
    seen = visible(hook.owner, [event for event, _kind in chosen])
    now = timezone.now()
    return [
        WebhookDelivery(
            webhook=hook,
            event_id=event.pk,
            kind=kind,
            message_id=new_message_id(),
            created_at=now,
            next_attempt_at=now,
        )
        for event, kind in chosen
        if event.pk in seen
    ]


def _passes(hook: Webhook, event: Event) -> bool:
    """Whether the webhook's filters let this event through; what belongs to no ticket and no channel passes none.

    A filter whose channels or teams are all gone lets nothing through.
    """
    channels = {channel.pk for channel in hook.channels.all()}
    teams = {team.pk for team in hook.teams.all()}
    if hook.by_channel:
        mine = {event.ticket.channel_id, *event.ticket.also_channels} if event.ticket else {event.data.get("channel")}
        if not channels & mine:
            return False
    return not hook.by_team or (event.ticket is not None and event.ticket.team_id in teams)


def visible(agent: Agent, batch: Sequence[Event]) -> set[int]:
    """Ids of those events whose ticket, customer or channel this person sees."""
    customers = {pk for event in batch if (pk := events.customer_of(event)) is not None}
    if customers:
        customers = set(access.customers(agent).filter(pk__in=customers).values_list("pk", flat=True))
    found = set()
    for event in batch:
        if event.ticket is not None:
            seen = access.sees(agent, event.ticket)
        elif event.kind == events.ERASED:
            seen = True  # nothing but an id is left; whoever was told of them has to forget them, too
        elif (customer := events.customer_of(event)) is not None:
            seen = customer in customers
        else:
            seen = event.data.get("channel") not in access.sight(agent).hidden_channels
        if seen:
            found.add(event.pk)
    return found
