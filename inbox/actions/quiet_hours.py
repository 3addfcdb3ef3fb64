"""Setting the quiet hours."""

from __future__ import annotations

from django.db import transaction

from inbox import log
from inbox.models import Agent, Setting
from inbox.quiet import KEY, Hours
from inbox.rights import Right, require


def set_hours(hours: Hours | None, *, by: Agent) -> None:
    """From now on these, or none. What waits already leaves at the time that it says."""
    require(by, Right.CHANNELS)
    value = {"begins": f"{hours.begins:%H:%M}", "ends": f"{hours.ends:%H:%M}"} if hours else None
    with transaction.atomic():
        row = Setting.objects.select_for_update().filter(pk=KEY).first()
        if (row.value if row else None) == value:
            return
        if value is None:
            Setting.objects.filter(pk=KEY).delete()
            log.record(None, "quiet_hours_ended", by=by)
        else:
            Setting.objects.update_or_create(pk=KEY, defaults={"value": value})
            log.record(None, "quiet_hours_set", by=by, **value)
