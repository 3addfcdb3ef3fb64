"""What an emulated platform keeps: our accounts there, the people, what was said, and what it has still to tell us."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils import timezone


class Platform(models.TextChoices):
    TELEGRAM = "telegram", "Telegram"
    WHATSAPP = "whatsapp", "WhatsApp"
    FACEBOOK = "facebook", "Facebook"
    INSTAGRAM = "instagram", "Instagram"
    SMS = "sms", "SMS"


class Account(models.Model):
    """A bot, a number or a page of ours, as its platform knows it.

    `external_id` is the platform's id of it (bot id, phone_number_id, page id, Instagram account id, own number in
    E.164). `secrets` is what its owner was given (token, app_secret…), `settings` what the owner or the platform has
    set (webhook url, subscribed fields, templates, limits). `faults` says what fails next, see `core.fault`.
    """

    platform = models.CharField(max_length=12, choices=Platform)
    external_id = models.CharField(max_length=100)
    name = models.CharField(max_length=120)
    secrets: Any = models.JSONField(default=dict)
    settings: Any = models.JSONField(default=dict)
    faults: Any = models.JSONField(default=list)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["platform", "external_id"], name="sandbox_account_once"),)

    def __str__(self) -> str:
        return f"{self.platform}: {self.name}"


class Person(models.Model):
    """Somebody on a platform, as one account of ours knows them: ids of pages and bots mean somebody there alone."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="people")
    external_id = models.CharField(max_length=100)
    name = models.CharField(max_length=120)
    handle = models.CharField(max_length=100, blank=True)
    phone = models.CharField(max_length=20, blank=True)
    blocked = models.BooleanField(default=False)  # has blocked us, or opted out
    attributes: Any = models.JSONField(default=dict)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "external_id"], name="sandbox_person_once"),)

    def __str__(self) -> str:
        return self.name


class Line(models.Model):
    """One thing said: in a chat with a person, or under a post (`thread` is what it hangs under)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="lines")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, null=True, blank=True, related_name="lines")
    ours = models.BooleanField(default=False)
    public = models.BooleanField(default=False)
    hidden = models.BooleanField(default=False)
    kind = models.CharField(max_length=30, default="text")
    external_id = models.CharField(max_length=200)
    thread = models.CharField(max_length=200, blank=True)
    reply_to = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    payload: Any = models.JSONField(default=dict)  # of its kind: media ids, a place, a contact, buttons
    state = models.CharField(max_length=12, blank=True)  # of what we sent: sent, delivered, read, failed
    reactions: Any = models.JSONField(default=dict)  # by whom ("us", or a person's external id): which
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["account", "person", "external_id"], name="sandbox_line_once"),)
        indexes = (models.Index(fields=["account", "person", "id"], name="sandbox_line_of"),)

    def __str__(self) -> str:
        return self.text[:60]


class Media(models.Model):
    """A file on the platform's servers. `size` may be more than there is: one that is too large to keep here."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="media")
    external_id = models.CharField(max_length=200, unique=True)
    content = models.BinaryField()
    content_type = models.CharField(max_length=127)
    name = models.CharField(max_length=255, blank=True)
    size = models.BigIntegerField()
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name or self.external_id


class Told(models.Model):
    """What the platform has to tell the account's owner: a webhook's body, or an update to be polled.

    Rows with the same `order` go one after the other; an empty one waits for none. `state`: waiting, told, gone (given
    up) or dropped.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="told")
    payload: Any = models.JSONField()
    order = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=8, default="waiting")
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    answer = models.CharField(max_length=200, blank=True)  # to the last attempt: the status, or what went wrong
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=["account", "state", "id"], name="sandbox_told_waiting"),)

    def __str__(self) -> str:
        return f"{self.state} {self.pk}"


class Call(models.Model):
    """One request to the platform's API, for its page and for tests: what came, and what was answered."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="calls")
    method = models.CharField(max_length=200)
    asked: Any = models.JSONField(default=dict)
    status = models.PositiveIntegerField(default=200)
    answer: Any = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.method} {self.status}"
