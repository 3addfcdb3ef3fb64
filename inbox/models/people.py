"""Who is asked to join, and from where people are logged in."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.models.agents import Role, Team

USER_AGENT_LENGTH = 400


class Invitation(models.Model):
    """An invitation that waits. Accepted or withdrawn it is gone, so that its link works once.

    Only a digest of the link's token is kept.
    """

    email = models.EmailField(_("e-mail"))
    name = models.CharField(_("name"), max_length=200, blank=True)
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.AGENT)
    teams = models.ManyToManyField(Team, related_name="+", blank=True)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = (models.UniqueConstraint(Lower("email"), name="invitation_email_once"),)

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def has_expired(self) -> bool:
        return self.expires_at <= timezone.now()


class LogIn(models.Model):
    """One browser that is logged in. The row, and with it the address, goes when the session does."""

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="log_ins")
    session = models.CharField(max_length=40, unique=True)
    user_agent = models.CharField(max_length=USER_AGENT_LENGTH, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("log-in")
        verbose_name_plural = _("log-ins")

    def __str__(self) -> str:
        return f"{self.agent_id} {self.seen_at:%Y-%m-%d %H:%M}"
