"""Receipts: raw inbound bytes, committed before anything else happens to them."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

MAX_INLINE_BYTES = 256 * 1024  # larger ones are written to storage first, and only their digest stands in the row


class ReceiptState(models.TextChoices):
    NEW = "new", _("New")
    DONE = "done", _("Done")
    IGNORED = "ignored", _("Ignored")
    FAILED = "failed", _("Failed")


class Receipt(models.Model):
    """One thing that arrived. Unique in its channel by `external_id`, so that a repeat is harmless."""

    channel = models.ForeignKey("inbox.Channel", on_delete=models.PROTECT, related_name="receipts", db_index=False)
    external_id = models.CharField(max_length=200)
    key = models.CharField(max_length=500, blank=True)
    raw = models.BinaryField(null=True, blank=True)
    stored = models.CharField(max_length=255, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    size = models.BigIntegerField(default=0)
    meta = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(default=timezone.now)  # the border's stamp
    received_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=ReceiptState, default=ReceiptState.NEW)
    reason = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)  # while claimed: when the claim runs out
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")
        constraints = (models.UniqueConstraint(fields=["channel", "external_id"], name="receipt_once"),)
        indexes = (
            models.Index(fields=["next_attempt_at", "id"], name="receipt_new", condition=models.Q(state="new")),
            models.Index(
                fields=["channel", "next_attempt_at", "id"], name="receipt_new_of", condition=models.Q(state="new")
            ),
            models.Index(fields=["key"], name="receipt_awaited", condition=models.Q(state="new") & ~models.Q(key="")),
            models.Index(fields=["channel", "-id"], name="receipt_failed", condition=models.Q(state="failed")),
            models.Index(fields=["received_at"], name="receipt_by_age"),
        )

    def __str__(self) -> str:
        return f"{self.channel_id}:{self.external_id}"
