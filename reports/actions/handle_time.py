"""Whether it is recorded what agents have before them, and forgetting what was."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from inbox import log
from inbox.models import Agent, Event, Setting
from inbox.models.events import OF_CUSTOMERS
from inbox.rights import Right, require
from reports.handling import refreshing
from reports.handling.keeping import LOST
from reports.handling.switch import KEY, is_on
from reports.models import Activity


def switch(on: bool, *, by: Agent) -> None:
    """From now on it is recorded, or nothing is."""
    require(by, Right.PEOPLE)
    with transaction.atomic():
        if is_on() != on:
            Setting.objects.update_or_create(pk=KEY, defaults={"value": {"on": on}})
            log.record(None, "handle_time_switched_on" if on else "handle_time_switched_off", by=by)


def forget(*, by: Agent) -> int:
    """Delete all that was recorded, of everybody; the figures are made again without it. Returns how many rows it was.

    Raises PermissionDenied.
    """
    require(by, Right.PEOPLE)
    with transaction.atomic():
        count, _ = Activity.objects.all().delete()
        if count:
            refreshing.mark_all()
            log.record(None, "handle_time_deleted", by=by, count=count)
    return count


def lost(within: timedelta) -> int:
    """How many stretches of time were given up lately, because they could not be kept."""
    told = Event.objects.filter(ticket__isnull=True, kind=LOST, at__gt=timezone.now() - within)
    told = told.exclude(kind__in=OF_CUSTOMERS)  # which the index of such lines says, too
    return sum(told.values_list("data__count", flat=True))
