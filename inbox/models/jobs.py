"""Long work that an agent started: changes of many tickets, and exports. It runs in a worker and says how far it is."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class JobKind(models.TextChoices):
    BULK = "bulk", _("Change of many tickets")
    UNDO = "undo", _("Undo of a change of many tickets")
    EXPORT = "export", _("Export")
    ANSWER = "answer", _("Answer to all incidents")
    IMPORT = "import", _("Import")


class JobState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


TO_DO = (JobState.QUEUED, JobState.RUNNING)


class Job(models.Model):
    """`what` says what is to be done and to which tickets; `stored` is the file that an export made."""

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=8, choices=JobKind)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    what = models.JSONField(default=dict)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)  # changed, or left alone since nothing was to change
    changed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    after = models.BigIntegerField(default=0)  # how far it came: it goes on behind this id after a kill
    client_id = models.CharField(max_length=64, blank=True)  # made with the form: a second click begins nothing
    attempts = models.PositiveSmallIntegerField(default=0)  # since it last came a step further
    hidden = models.BooleanField(default=False)  # its agent has read how it ended
    undoes = models.OneToOneField("self", on_delete=models.CASCADE, null=True, blank=True, related_name="undone_by")
    stored = models.CharField(max_length=255, blank=True)
    error = models.TextField(blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["agent", "client_id"], name="job_client_id_once", condition=~models.Q(client_id="")
            ),
        )
        indexes = (
            models.Index(fields=["id"], name="job_to_do", condition=models.Q(state__in=["queued", "running"])),
            models.Index(fields=["created_at"], name="job_old"),
        )

    @property
    def is_over(self) -> bool:
        return self.state not in TO_DO


class JobItem(models.Model):
    """One ticket of a job: what it was before, for undo; or why it was left alone."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="items", db_index=False)
    ticket = models.ForeignKey("inbox.Ticket", on_delete=models.CASCADE, related_name="+")
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)  # as the job left it: undo touches only what is still so
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["job", "ticket"], name="job_item_once"),)
