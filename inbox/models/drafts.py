"""What an agent has written but not sent: kept on the server, so that it survives the browser."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DraftKind(models.TextChoices):
    REPLY = "reply", _("Reply")
    NOTE = "note", _("Note")
    SIDE = "side", _("Side conversation")
    NEW = "new", _("New ticket")


class Draft(models.Model):
    """One text being written: an agent has at most one on a ticket, one in a side conversation, one for a new ticket.

    `client_id` becomes the message's, so that sending it again after a lost answer sends nothing twice. `version`
    rises with each change: a tab that knows an older one does not overwrite a newer one.
    """

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts", db_index=False)
    ticket = models.ForeignKey("inbox.Ticket", on_delete=models.CASCADE, null=True, blank=True, related_name="drafts")
    side = models.ForeignKey("inbox.SideConversation", on_delete=models.CASCADE, null=True, blank=True)
    kind = models.CharField(max_length=8, choices=DraftKind, default=DraftKind.REPLY)
    channel = models.ForeignKey("inbox.Channel", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    subject = models.CharField(max_length=998, blank=True)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    # to, cc, bcc as typed, only what was changed; of a new ticket also customer, agent, team, tags; and `option.…`:
    # what stands in the fields that only its channel's kind has, such as a template
    recipients = models.JSONField(default=dict, blank=True)
    macros = ArrayField(models.BigIntegerField(), default=list, blank=True)  # that are to be applied when it is sent
    attachments = ArrayField(models.BigIntegerField(), default=list, blank=True)
    client_id = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=1)
    newest = models.BigIntegerField(null=True, blank=True)  # id of the last message it was written under
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("draft")
        verbose_name_plural = _("drafts")
        constraints = (
            models.UniqueConstraint(fields=["agent", "ticket", "side"], name="draft_once", nulls_distinct=False),
        )
