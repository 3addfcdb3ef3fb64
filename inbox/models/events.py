"""The log: one line for each change, and how far each reader has come."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.models.base import CurrentTransaction


class ActorKind(models.TextChoices):
    AGENT = "agent", _("Agent")
    CUSTOMER = "customer", _("Customer")
    BOT = "bot", _("Bot")
    SYSTEM = "system", _("System")


# What happens to customers day by day has no ticket, either, and is no change of settings or permissions. In its order
# it is part of an index: adding to it takes a migration.
OF_CUSTOMERS = (
    "customer_card_changed",
    "customer_changed",
    "customer_created",
    "customer_event_added",
    "customer_note_added",
    "customer_note_changed",
    "customer_note_deleted",
    "customers_told_apart",
    "identity_added",
    "identity_retired",
    "organisation_changed",
    "organisation_created",
)


class Event(models.Model):
    """One line of the log: ids and codes, never text or addresses.

    `xid` is the transaction that wrote it: a reader takes only events of transactions older than every running one,
    in the order (xid, id), so that a late commit is never skipped.
    """

    ticket = models.ForeignKey(
        "inbox.Ticket", on_delete=models.CASCADE, null=True, blank=True, related_name="events", db_index=False
    )  # event_of_ticket
    kind = models.CharField(max_length=40)
    actor_kind = models.CharField(max_length=8, choices=ActorKind, default=ActorKind.SYSTEM)
    actor_id = models.BigIntegerField(null=True, blank=True)
    at = models.DateTimeField(default=timezone.now)
    data = models.JSONField(default=dict, blank=True)
    xid = models.BigIntegerField(db_default=CurrentTransaction(), editable=False)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = (
            models.Index(fields=["xid", "id"], name="event_in_order"),
            models.Index(fields=["ticket", "id"], name="event_of_ticket"),
            models.Index(
                fields=["-id"], condition=Q(ticket__isnull=True) & ~Q(kind__in=OF_CUSTOMERS), name="event_of_settings"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.ticket_id}"


class Cursor(models.Model):
    """How far one follower of the log has read. Events that came with a dump have ids below 0 (`inbox.restoring`)."""

    START: ClassVar[int] = -(2**63)

    name = models.CharField(max_length=60, primary_key=True)
    xid = models.BigIntegerField(default=START)
    event_id = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(default=timezone.now)
    error = models.TextField(blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)


class Heartbeat(models.Model):
    """When a process last said that it lives."""

    name = models.CharField(max_length=100, primary_key=True)
    process = models.CharField(max_length=20)
    at = models.DateTimeField(default=timezone.now)
