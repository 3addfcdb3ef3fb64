"""The customers' mailboxes of the demo: one row for each mail in each mailbox."""

from email.utils import getaddresses
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from sandbox.reading import ids_of, parse


class SandboxMail(models.Model):
    """A mail that came to `mailbox`, or was `sent` from it."""

    mailbox = models.CharField(max_length=320)
    sent = models.BooleanField(default=False)
    raw = models.BinaryField()
    sender = models.CharField(max_length=500, blank=True)
    subject = models.CharField(max_length=998, blank=True)
    message_id = models.CharField(max_length=998, blank=True)
    references = ArrayField(models.CharField(max_length=998), default=list, blank=True)
    seen = models.BooleanField(default=False)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "sandbox mail"
        indexes = (models.Index(fields=["mailbox", "-id"], name="sandbox_mailbox"),)

    def __str__(self) -> str:
        return f"{self.mailbox}: {self.subject}"

    @classmethod
    def put(cls, mailbox: str, raw: bytes, *, sent: bool = False) -> Self:
        """Put a mail into a mailbox."""
        message = parse(raw)
        found = getaddresses([str(message["From"] or "")])
        name, address = found[0] if found else ("", "")
        return cls.objects.create(
            mailbox=mailbox.lower(),
            sent=sent,
            seen=sent,
            raw=raw,
            sender=(name or address)[:500],
            subject=str(message["Subject"] or "")[:998],
            message_id=next(iter(ids_of(message["Message-ID"])), "")[:998],
            references=[one[:998] for one in (*ids_of(message["References"]), *ids_of(message["In-Reply-To"]))],
        )


class Review(models.Model):
    """What somebody says of a product on the shop's page, or below a review; and whether Rabta was told of it."""

    product = models.SlugField(max_length=40)
    about = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="comments")
    shopper = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    stars = models.PositiveSmallIntegerField(null=True, blank=True)
    text = models.TextField()
    at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.name}: {self.product}"

    @property
    def key(self) -> str:
        return f"review-{self.pk}"

    @property
    def said(self) -> list["Review"]:
        """What was said below it, oldest first."""
        return sorted(self.comments.all(), key=lambda one: one.pk)


class ReviewAnswer(models.Model):
    """What the shop answered, as Rabta brought it; `key` is what Rabta calls it, the same however often it comes."""

    review = models.ForeignKey(Review, on_delete=models.CASCADE, related_name="answers")
    key = models.CharField(max_length=60, unique=True)
    author = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    public = models.BooleanField(default=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.key


# Those of the emulated platforms have a room of their own.
from sandbox.phones.models import Account, Call, Line, Media, Person, Told  # noqa: E402, F401
