"""Brands: how we appear, and on which channels."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction

from inbox import log
from inbox.actions import schedules
from inbox.models import Agent, Brand, Channel
from inbox.rights import Right, require

FIELDS = ("name", "from_address", "signature")


def create(*, by: Agent, channels: Collection[Channel] = (), **fields: Any) -> Brand:
    require(by, Right.CHANNELS)
    with transaction.atomic():
        row = Brand.objects.create(**fields)
        log.record(None, "brand_created", by=by, brand=row.pk)
        _wear(row, channels, by)
    return row


def change(brand: Brand, *, by: Agent, channels: Collection[Channel] | None = None, **changes: Any) -> Brand:
    """Change what is named; `channels` are all that wear the brand from now on. Mail on its way stays as it is."""
    require(by, Right.CHANNELS)
    with transaction.atomic():
        row = Brand.objects.select_for_update().get(pk=brand.pk)
        changed = [name for name in FIELDS if name in changes and getattr(row, name) != changes[name]]
        for name in changed:
            setattr(row, name, changes[name])
        if changed:
            row.save(update_fields=changed)
            log.record(None, "brand_changed", by=by, brand=row.pk, fields=changed)
        if channels is not None:
            _wear(row, channels, by)
    return row


def delete(brand: Brand, *, by: Agent) -> None:
    """Take a brand away; its channels go on under their own names."""
    require(by, Right.CHANNELS)
    with transaction.atomic():
        wore = list(Channel.objects.filter(brand=brand).values_list("pk", flat=True))
        Channel.objects.filter(pk__in=wore).update(brand=None)
        log.record(None, "brand_deleted", by=by, brand=brand.pk)
        brand.delete()
        schedules.note(wore)


def _wear(brand: Brand, channels: Collection[Channel], by: Agent) -> None:
    wanted = {one.pk for one in channels}
    now = set(Channel.objects.filter(brand=brand).values_list("pk", flat=True))
    if wanted == now:
        return
    Channel.objects.filter(pk__in=now - wanted).update(brand=None)
    Channel.objects.filter(pk__in=wanted - now).update(brand=brand)
    log.record(None, "brand_channels_changed", by=by, brand=brand.pk, channels=sorted(wanted ^ now))
    schedules.note(wanted ^ now)
