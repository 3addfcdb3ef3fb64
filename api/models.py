"""What the API keeps for itself: tokens, the answers it has already given to a POST, and outgoing webhooks."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.models import Agent, Channel, Team
from inbox.rights import Right, may
from lib import signing

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
    """The answer to a POST, given again for 24 hours when it is repeated with the same token under the same key.

    Written in the transaction of the POST itself: either both the change and its answer are there, or neither.
    The answer is kept encrypted, for it may hold a customer's words. It is empty where it held a secret, and since
    somebody was erased whom it may have named: that the change was made is known all the same.
    """

    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request = models.CharField(max_length=300)  # method and path
    digest = models.CharField(max_length=64)  # of the body
    status = models.PositiveSmallIntegerField(default=0)
    answer = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["token", "key"], name="idempotency_key_once"),)
        indexes = (models.Index(fields=["created_at"], name="idempotency_key_by_age"),)

    def __str__(self) -> str:
        return f"{self.token_id}:{self.key}"


OLD_SECRET_LASTS = timedelta(hours=24)
ALL_EVENTS = "*"


def new_message_id() -> str:
    """Without a full stop: that is what parts the signed content."""
    return f"msg_{secrets.token_hex(16)}"


class Stopped(models.TextChoices):
    """Why a webhook is off though nobody turned it off."""

    FAILING = "failing", _("Everything sent to it failed for five days.")
    GONE = "gone", _("Its receiver answered 410 Gone: it wants nothing more.")
    OWNER = "owner", _("Whoever it acts for may not send events to other systems any more.")
    FILTER = "filter", _("It was limited to channels or teams that are gone. Choose others, or none.")


class Webhook(models.Model):
    """An address of another system that is told what happens here.

    It acts for its owner: it tells what they may see, and stops when they may not have webhooks any more. Events from
    before `since`, when it was made or last turned on, make no deliveries. `failing_since` is the first failure after
    the last success; `held_until` what the receiver asked for with Retry-After.
    """

    name = models.CharField(_("name"), max_length=120)
    url = models.CharField(_("address"), max_length=2000)
    description = models.CharField(_("description"), max_length=500, blank=True)
    events = ArrayField(models.CharField(max_length=40), default=list)
    channels = models.ManyToManyField(Channel, related_name="+", blank=True)
    teams = models.ManyToManyField(Team, related_name="+", blank=True)
    # That a filter was chosen outlives what it named: one that has lost all of its rows lets nothing through.
    by_channel = models.BooleanField(default=False)
    by_team = models.BooleanField(default=False)
    sealed = models.TextField(editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="webhooks")
    active = models.BooleanField(_("on"), default=True)
    since = models.DateTimeField(default=timezone.now)
    failing_since = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=10, choices=Stopped, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name

    def wants(self, kind: str) -> bool:
        return kind in self.events or ALL_EVENTS in self.events

    @property
    def all_events(self) -> bool:
        return ALL_EVENTS in self.events

    @property
    def owner_may(self) -> bool:
        """Whether it may act for its owner still."""
        return self.owner is not None and self.owner.is_active and may(self.owner, Right.WEBHOOKS)

    @property
    def keys(self) -> list[dict[str, Any]]:
        """Its secrets, newest first: {"secret", "until"}; `until` (ISO 8601) is null for the one that is in force."""
        return list(signing.unseal(self.sealed))

    @keys.setter
    def keys(self, value: list[dict[str, Any]]) -> None:
        self.sealed = signing.seal(value)

    @property
    def readable_keys(self) -> list[dict[str, Any]]:
        """As `keys`; none where they were sealed under a key of this installation that is gone."""
        try:
            return self.keys
        except ValueError:
            return []

    def secrets_at(self, moment: datetime) -> list[str]:
        """The secrets to sign with, newest first; none where they cannot be read any more."""
        return [
            key["secret"]
            for key in self.readable_keys
            if key["until"] is None or datetime.fromisoformat(key["until"]) > moment
        ]

    @property
    def old_secret_until(self) -> datetime | None:
        """Until when an older secret signs as well."""
        ends = [datetime.fromisoformat(key["until"]) for key in self.readable_keys if key["until"]]
        return max((end for end in ends if end > timezone.now()), default=None)


class HookState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    SENDING = "sending", _("Under way")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")


class WebhookDelivery(models.Model):
    """One event on its way to one webhook.

    `payload` is made at the first attempt and stays the same from then on, as does `message_id`. What the receiver
    said last is kept: the first KiB of its answer, or why there was none.
    """

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event_id = models.BigIntegerField(null=True)  # of the log; null for a test
    message_id = models.CharField(max_length=40, unique=True)
    kind = models.CharField(max_length=40)
    payload = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=HookState, default=HookState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    lease_until = models.DateTimeField(null=True, blank=True)
    headers = models.JSONField(default=dict, blank=True)  # of the last request
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    response = models.TextField(blank=True)
    error = models.TextField(blank=True)
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    attempted_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = (models.UniqueConstraint(fields=["webhook", "event_id"], name="webhook_event_once"),)
        indexes = (
            models.Index(
                fields=["webhook", "next_attempt_at", "id"], name="webhook_delivery_due", condition=Q(state="queued")
            ),
            models.Index(fields=["webhook"], name="webhook_delivery_sending", condition=Q(state="sending")),
            models.Index(fields=["webhook", "-id"], name="webhook_delivery_list"),
            models.Index(fields=["created_at"], name="webhook_delivery_by_age"),
            models.Index(fields=["event_id"], name="webhook_delivery_of_event"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.message_id}"

    @property
    def pending(self) -> bool:
        return self.state in {HookState.QUEUED, HookState.SENDING}
