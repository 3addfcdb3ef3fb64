"""What a mailbox keeps beside its channel: consent by OAuth, what was moved where, and how it was counted."""

from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lib import signing


class OAuthGrant(models.Model):
    """What the mailbox's owner permitted at Google or Microsoft, and the tokens that prove it.

    `expires_at` is the end of the access token, which we renew by ourselves; `ends_at` that of the consent, where the
    provider tells it. `refused` means that only a person can mend it, by consenting again; `error` says so in words.
    """

    channel = models.OneToOneField("inbox.Channel", on_delete=models.CASCADE, related_name="oauth_grant")
    provider = models.CharField(_("provider"), max_length=20)
    account = models.CharField(_("account"), max_length=320, blank=True)
    sealed = models.TextField(editable=False)
    expires_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    granted_at = models.DateTimeField(default=timezone.now)
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    refreshed_at = models.DateTimeField(default=timezone.now)
    failing_since = models.DateTimeField(null=True, blank=True)
    refused = models.BooleanField(default=False)
    error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.provider} {self.channel_id}"

    @property
    def tokens(self) -> dict[str, Any]:
        """`access` and `refresh`. Raises ValueError when no key opens them."""
        return dict(signing.unseal(self.sealed))

    @tokens.setter
    def tokens(self, value: dict[str, Any]) -> None:
        self.sealed = signing.seal(value)


class MovedMails(models.Model):
    """Mails that we moved into a folder: a run of UIDs there, as the server told them (COPYUID, RFC 4315).

    While a move is under way, `last` is empty: what lies there from `first` on has to be looked at if it gets lost.
    """

    channel = models.ForeignKey("inbox.Channel", on_delete=models.CASCADE, related_name="+", db_index=False)
    folder = models.CharField(max_length=500)
    uidvalidity = models.BigIntegerField()
    first = models.BigIntegerField()
    last = models.BigIntegerField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["channel", "folder", "uidvalidity", "first"], name="moved_mails_once"),
        )


class MailboxAudit(models.Model):
    """One count of a mailbox against the database.

    `on_server` are the mails which the cursors have passed and the server still has; `known` those of them that we
    have; `missing` the others, of which `caught_up` were taken in again. `folders` has the same figures for each:
    [{"name", "on_server", "known", "missing", "caught_up", "error"}].
    """

    channel = models.ForeignKey("inbox.Channel", on_delete=models.CASCADE, related_name="audits", db_index=False)
    started_at = models.DateTimeField(default=timezone.now)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)
    on_server = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    caught_up = models.PositiveIntegerField(default=0)
    folders = models.JSONField(default=list, blank=True)
    error = models.TextField(blank=True)
    position = models.JSONField(default=dict, blank=True)  # where the next slice begins

    class Meta:
        indexes = (models.Index(fields=["channel", "-id"], name="mailbox_audit_latest"),)
        constraints = (
            models.UniqueConstraint(
                fields=["channel"], condition=models.Q(finished_at__isnull=True), name="mailbox_audit_one_at_a_time"
            ),
        )

    @property
    def running(self) -> bool:
        return self.finished_at is None
