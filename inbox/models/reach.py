"""How somebody can be reached on a messenger: until when freely, and what stands in the way."""

from django.db import models
from django.utils import timezone


class Reach(models.Model):
    """One person's address on one channel, as long as that matters.

    `last_in_at` is when they wrote last, `closes_at` when answers stop being free (null: never). `blocked_at` and
    `opted_out_at` say that nothing gets through, and that they asked for no more; `changed_at` is the newest news that
    either came of.
    """

    channel = models.ForeignKey("inbox.Channel", on_delete=models.CASCADE, related_name="reaches", db_index=False)
    identity = models.ForeignKey("inbox.Identity", on_delete=models.CASCADE, related_name="reaches")
    last_in_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)  # that it closes soon
    blocked_at = models.DateTimeField(null=True, blank=True)
    opted_out_at = models.DateTimeField(null=True, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["channel", "identity"], name="reach_once"),)
        indexes = (
            models.Index(
                fields=["closes_at"],
                name="reach_closes",
                condition=models.Q(closes_at__isnull=False, reminded_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.channel_id}: {self.identity_id}"

    @property
    def open(self) -> bool:
        """Whether an answer may be free now."""
        return self.closes_at is None or self.closes_at > timezone.now()
