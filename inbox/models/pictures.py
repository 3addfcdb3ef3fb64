"""The pictures that people have on their platforms."""

from django.db import models
from django.utils import timezone

from inbox.models.customers import Identity


class Picture(models.Model):
    """The picture that goes with an address, and when its platform is asked for it again.

    `stored` is its file, empty where none came yet, or they have none; `changed_at` when that last was another one.
    `source` is where it is to be had, where somebody tells us that instead of being asked.
    """

    identity = models.OneToOneField(Identity, on_delete=models.CASCADE, primary_key=True, related_name="picture")
    stored = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=2000, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=["stored"], name="picture_stored", condition=~models.Q(stored="")),)

    def __str__(self) -> str:
        return self.stored
