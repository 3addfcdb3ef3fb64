"""Setting hours of business, and writing down from when on which of them hold.

Whatever may change the hours of a channel (its own, its brand's, another brand) calls `note` at the end of its
transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils import timezone

from inbox import locks, log, schedules
from inbox.models import Agent, Brand, Channel, ScheduleOf, ScheduleVersion, Setting, Team
from inbox.rights import Right, require
from inbox.schedule_shapes import checked

Given = Mapping[str, Any] | None


def set_of_organisation(hours: Given, *, by: Agent) -> None:
    """From now on these, or none. Raises ValidationError by dotted path, as the others here do."""
    require(by, Right.CHANNELS)
    value = _checked(hours)
    with transaction.atomic():
        row = Setting.objects.select_for_update().filter(pk=schedules.KEY).first()
        if (row.value if row else {}) == value:
            return
        Setting.objects.update_or_create(pk=schedules.KEY, defaults={"value": value})
        log.record(None, "organisation_hours_changed", by=by)
        _write_down(ScheduleOf.ORGANISATION, None, value)


def set_of_team(team: Team, hours: Given, *, by: Agent) -> None:
    require(by, Right.TEAMS)
    value = _checked(hours)
    with transaction.atomic():
        row = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
        if row.schedule == value:
            return
        row.schedule = value
        row.save(update_fields=["schedule"])
        log.record(None, "team_hours_changed", by=by, team=row.pk)
        _write_down(ScheduleOf.TEAM, row.pk, value)


def set_of_brand(brand: Brand, hours: Given, *, by: Agent) -> None:
    """They hold for the brand's channels without hours of their own."""
    require(by, Right.CHANNELS)
    value = _checked(hours)
    with transaction.atomic():
        row = Brand.objects.select_for_update(no_key=True).get(pk=brand.pk)
        if row.schedule == value:
            return
        row.schedule = value
        row.save(update_fields=["schedule"])
        log.record(None, "brand_hours_changed", by=by, brand=row.pk)
        note(Channel.objects.filter(brand=row).values_list("pk", flat=True))


def set_of_channel(channel: Channel, hours: Given, *, by: Agent) -> None:
    """Its own. Where its kind keeps them among its settings, the settings change."""
    from inbox.actions import channels  # which notes hours that its settings bring

    require(by, Right.CHANNELS)
    value = _checked(hours)
    with transaction.atomic():
        row = Channel.objects.select_for_update(no_key=True).get(pk=channel.pk)
        if schedules.own(row) == value:
            return
        if name := schedules.setting_of(row):
            channels.update(row, settings={**row.settings, name: value or None}, by=by)
            return
        row.schedule = value
        row.save(update_fields=["schedule"])
        log.record(None, "channel_hours_changed", by=by, channel=row.pk)
        note([row.pk])


def note(channels: Iterable[int]) -> None:
    """Write down what holds for these channels (ids) from now on, where it is something else than until now.

    One transaction at a time does that, so that of two that change a channel and its brand the second sees both. Take
    no other lock behind it.
    """
    _alone()
    found = {
        row.pk: schedules.of_channel(row) for row in Channel.objects.filter(pk__in=channels).select_related("brand")
    }
    versions = ScheduleVersion.objects.filter(of=ScheduleOf.CHANNEL, whose__in=found)
    newest = versions.order_by("whose", "-since", "-pk").distinct("whose")
    until_now = dict(newest.values_list("whose", "hours"))
    for pk, hours in found.items():
        if hours != (until_now.get(pk) or {}):
            _write_down(ScheduleOf.CHANNEL, pk, hours)


def _write_down(of: str, whose: int | None, hours: Mapping[str, Any]) -> None:
    ScheduleVersion.objects.create(of=of, whose=whose, hours=hours or None, since=timezone.now())


def _alone() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [locks.SCHEDULES])


def _checked(hours: Given) -> dict[str, Any]:
    if not hours:
        return {}
    value, wrong = checked(hours)
    if wrong:
        raise ValidationError({path or "hours": texts for path, texts in wrong.items()})
    return value
