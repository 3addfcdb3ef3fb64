"""What people want of figures: where they are to be, and a mail with them."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class Target(models.Model):
    """Where a figure is to be: its value in the figure's own unit (seconds, a share of 1, points, a count)."""

    figure = models.CharField(max_length=40, unique=True)
    value = models.FloatField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    set_at = models.DateTimeField(default=timezone.now)


class WeeklyMail(models.Model):
    """Somebody wants the figures of the week before by mail, on the morning of this weekday (Monday is 0)."""

    agent = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    weekday = models.PositiveSmallIntegerField(default=0)
    sent_for = models.DateField(null=True)  # the morning whose mail has left: each leaves once

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(weekday__lt=7), name="weekly_mail_weekday"),)
