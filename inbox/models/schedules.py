"""Hours of business over time: what held for whom, and from when on."""

from typing import Any

from django.db import models
from django.utils import timezone


class ScheduleOf(models.TextChoices):
    ORGANISATION = "organisation", "the organisation"
    TEAM = "team", "a team"
    CHANNEL = "channel", "a channel: its own hours, else its brand's"


class ScheduleVersion(models.Model):
    """From `since` on, until the next of the same, these hours hold: none where it has none any more.

    Written with each change of hours and never changed again, so that figures of the past stay what they were. Ids are
    plain numbers: a team that is gone keeps its history.
    """

    of = models.CharField(max_length=12, choices=ScheduleOf)
    whose = models.BigIntegerField(null=True)  # the team's or channel's id
    hours: Any = models.JSONField(null=True)  # as `lib.hours.read` takes them
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("since", "pk")
        indexes = (models.Index(fields=["of", "whose", "since"], name="schedule_of"),)
