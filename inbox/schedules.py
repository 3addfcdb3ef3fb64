"""Hours of business as they are set now: the organisation's, a team's, a brand's, a channel's. Which of them held when
is what `ScheduleVersion` tells; actions/schedules writes both.

For a ticket hold those of its team, else those of its channel (its own, else its brand's), else the organisation's.
Stored is what `lib.hours.read` takes; empty where there are none.
"""

from __future__ import annotations

from typing import Any

from inbox.adapters import kinds
from inbox.models import Brand, Channel, Setting, Team

KEY = "hours"
Stored = dict[str, Any]


def of_organisation() -> Stored:
    return Setting.objects.filter(pk=KEY).values_list("value", flat=True).first() or {}


def of_channel(channel: Channel) -> Stored:
    """Its own, else its brand's."""
    return own(channel) or (channel.brand.schedule if channel.brand else {})


def own(of: Team | Brand | Channel) -> Stored:
    """Its own alone."""
    if isinstance(of, Channel) and (name := setting_of(of)):
        return of.settings.get(name) or {}
    return of.schedule or {}


def setting_of(channel: Channel) -> str:
    """Which setting holds its hours; empty where they stand at the channel itself."""
    adapter = kinds().get(channel.kind)
    return adapter.hours_setting if adapter else ""
