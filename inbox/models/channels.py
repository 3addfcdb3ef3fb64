"""Brands and channels: how we appear, and where we are connected."""

import secrets
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lib import signing

NOTICES = "_notices"  # in `Channel.condition`


def new_token() -> str:
    return secrets.token_urlsafe(24)


class Brand(models.Model):
    """How we appear: name, address, signature, look of the widget."""

    name = models.CharField(_("name"), max_length=120)
    from_address = models.EmailField(_("from address"), blank=True)
    signature = models.TextField(_("signature"), blank=True)
    look = models.JSONField(default=dict, blank=True)
    schedule = models.JSONField(default=dict, blank=True)  # hours of business of channels without their own

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")

    def __str__(self) -> str:
        return self.name


class Channel(models.Model):
    """One connected mailbox, page, bot, number or widget.

    Health is kept per direction. `next_send_at` holds back all sends while the far server is away, so that its being
    away costs no message an attempt; `cursor` is what the poller last committed.
    """

    kind = models.CharField(_("kind"), max_length=30)
    name = models.CharField(_("name"), max_length=120)
    slug = models.SlugField(_("slug"), unique=True)
    token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    brand = models.ForeignKey(Brand, on_delete=models.PROTECT, null=True, blank=True, related_name="channels")
    default_team = models.ForeignKey("inbox.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    teams = models.ManyToManyField("inbox.Team", related_name="channels", blank=True)
    addresses = ArrayField(models.CharField(max_length=320), default=list, blank=True)
    settings = models.JSONField(default=dict, blank=True)
    schedule = models.JSONField(
        default=dict, db_default={}, blank=True
    )  # its own hours; a chat's are among its settings
    credentials = models.TextField(blank=True, editable=False)
    paused = models.BooleanField(_("paused"), default=False)
    cursor = models.JSONField(default=dict, blank=True)
    condition = models.JSONField(default=dict, blank=True)  # what its platform said of it when it was looked after
    next_poll_at = models.DateTimeField(default=timezone.now)
    in_failing_since = models.DateTimeField(null=True, blank=True)
    in_error = models.TextField(blank=True)
    in_failures = models.PositiveIntegerField(default=0)
    last_in_at = models.DateTimeField(null=True, blank=True)
    out_failing_since = models.DateTimeField(null=True, blank=True)
    out_error = models.TextField(blank=True)
    out_failures = models.PositiveIntegerField(default=0)
    next_send_at = models.DateTimeField(default=timezone.now)
    last_out_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ("name",)
        indexes = (GinIndex(fields=["addresses"], name="channel_addresses"),)

    def __str__(self) -> str:
        return self.name

    @property
    def secrets(self) -> dict[str, Any]:
        """The decrypted credentials; empty when there are none. Raises ValueError when no key opens them."""
        return dict(signing.unseal(self.credentials)) if self.credentials else {}

    @secrets.setter
    def secrets(self, value: dict[str, Any]) -> None:
        self.credentials = signing.seal(value) if value else ""

    @property
    def failing(self) -> bool:
        return self.in_failing_since is not None or self.out_failing_since is not None

    @property
    def notices(self) -> dict[str, dict[str, Any]]:
        """What its platform has told of it, by name, and what still holds."""
        now = timezone.now()
        found = {name: told for name, told in (self.condition.get(NOTICES) or {}).items() if not told.get("over")}
        return {
            name: told
            for name, told in found.items()
            if not told.get("until") or datetime.fromisoformat(told["until"]) > now
        }

    @property
    def limited_until(self) -> datetime | None:
        """Until when its platform takes no more, which is no illness; None where it does, or the channel fails."""
        rests = self.out_failing_since is None and self.next_send_at > timezone.now()
        return self.next_send_at if rests else None

    @property
    def reopen_days(self) -> int | None:
        """The re-open window set for this channel, if it differs from its kind's."""
        days = self.settings.get("reopen_days")
        return int(days) if days is not None else None
