"""What the API keeps for itself: tokens, and the answers it has already given to a POST."""

import hashlib
import secrets
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.models import Agent

TOKEN_MARK = "rabta_"
PREFIX_LENGTH = len(TOKEN_MARK) + 6
USED_EVERY = timedelta(minutes=1)
KEPT_FOR = timedelta(hours=24)


class Scope(models.TextChoices):
    READ = "read", _("Read")
    WRITE = "write", _("Read and write")
    ADMIN = "admin", _("Administer")


SCOPE_RANK: dict[str, int] = {Scope.READ: 0, Scope.WRITE: 1, Scope.ADMIN: 2}


def digest_of(secret: str) -> str:
    """SHA-256 in hex. No salt or stretching: the secret is 256 random bits."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiTokenManager(models.Manager["ApiToken"]):
    def issue(self, agent: Agent, scope: str, name: str = "") -> "tuple[ApiToken, str]":
        """A new token and its secret, which is told this once and kept nowhere."""
        secret = TOKEN_MARK + secrets.token_urlsafe(32)
        token = self.create(
            agent=agent, scope=scope, name=name, prefix=secret[:PREFIX_LENGTH], digest=digest_of(secret)
        )
        return token, secret

    def find(self, secret: str) -> "ApiToken | None":
        """The live token of this secret with its agent; None when unknown or revoked, or its agent is switched off."""
        return (
            self.filter(digest=digest_of(secret), revoked_at__isnull=True, agent__is_active=True)
            .select_related("agent")
            .first()
        )


class ApiToken(models.Model):
    """A token acts as its agent, within its scope. Only the digest of its secret is kept."""

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=120, blank=True)
    scope = models.CharField(_("scope"), max_length=5, choices=Scope, default=Scope.READ)
    prefix = models.CharField(max_length=20)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[ApiTokenManager] = ApiTokenManager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        indexes = (models.Index(fields=["agent", "-id"], name="api_token_of_agent"),)

    def __str__(self) -> str:
        return f"{self.prefix}…"

    def allows(self, scope: str) -> bool:
        """Whether this token reaches `scope`; an agent who is no longer admin keeps no admin token."""
        if scope == Scope.ADMIN and not self.agent.is_admin:
            return False
        return SCOPE_RANK[self.scope] >= SCOPE_RANK[scope]

    def mark_used(self) -> None:
        """Note the use, at most once a minute so that a busy client does not write on every request."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at >= USED_EVERY:
            ApiToken.objects.filter(pk=self.pk).update(last_used_at=now)


class IdempotencyKey(models.Model):
    """The answer to a POST, given again for 24 hours when the same agent repeats it under the same key.

    Written in the transaction of the POST itself: either both the change and its answer are there, or neither.
    The answer is kept encrypted, for it may hold a new token or a customer's words.
    """

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request = models.CharField(max_length=300)  # method and path
    digest = models.CharField(max_length=64)  # of the body
    status = models.PositiveSmallIntegerField(default=0)
    answer = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["agent", "key"], name="idempotency_key_once"),)
        indexes = (models.Index(fields=["created_at"], name="idempotency_key_by_age"),)

    def __str__(self) -> str:
        return f"{self.agent_id}:{self.key}"
