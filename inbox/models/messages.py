"""Messages, their keys and copies, and their files."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from inbox.adapters import AUTOMATIC


class Direction(models.TextChoices):
    IN = "in", _("In")
    OUT = "out", _("Out")
    NOTE = "note", _("Note")


class Origin(models.TextChoices):
    CHANNEL = "channel", _("Channel")
    LOGGED = "logged", _("Logged by hand")
    ECHO = "echo", _("Another app")
    IMPORT = "import", _("Import")


class AuthorKind(models.TextChoices):
    CUSTOMER = "customer", _("Customer")
    AGENT = "agent", _("Agent")
    BOT = "bot", _("Bot")
    SYSTEM = "system", _("System")


class DeliveryState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENDING = "sending", _("Sending")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    READ = "read", _("Read")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Not known")
    CANCELLED = "cancelled", _("Not sent")


# What a state may become ("The way out" in docs/architecture.md); all else is a late or wrong report, and left out.
NEXT_STATES: dict[str, frozenset[str]] = {
    DeliveryState.QUEUED: frozenset({DeliveryState.SENDING, DeliveryState.FAILED, DeliveryState.CANCELLED}),
    DeliveryState.SENDING: frozenset(
        {DeliveryState.SENT, DeliveryState.QUEUED, DeliveryState.FAILED, DeliveryState.UNKNOWN}
    ),
    DeliveryState.SENT: frozenset({DeliveryState.DELIVERED, DeliveryState.READ, DeliveryState.FAILED}),
    DeliveryState.DELIVERED: frozenset({DeliveryState.READ, DeliveryState.FAILED}),
    DeliveryState.READ: frozenset(),
    DeliveryState.UNKNOWN: frozenset(
        {
            DeliveryState.SENT,
            DeliveryState.DELIVERED,
            DeliveryState.READ,
            DeliveryState.FAILED,
            DeliveryState.QUEUED,
        }
    ),
    DeliveryState.FAILED: frozenset({DeliveryState.QUEUED, DeliveryState.CANCELLED}),
    DeliveryState.CANCELLED: frozenset({DeliveryState.QUEUED}),
}


class MessageQuerySet(models.QuerySet["Message"]):
    def said(self) -> "MessageQuerySet":
        """What was said: neither taken back nor still waiting for its time."""
        waiting = models.Q(state=DeliveryState.QUEUED, next_attempt_at__isnull=True)
        return self.filter(deleted_at__isnull=True).exclude(state=DeliveryState.CANCELLED).exclude(waiting)

    def conversation(self) -> "MessageQuerySet":
        """What passes between us and the customer, and our notes: all but side conversations with third parties."""
        return self.filter(side__isnull=True)

    def scheduled(self) -> "MessageQuerySet":
        """What waits for its time."""
        return self.filter(state=DeliveryState.QUEUED, next_attempt_at__isnull=True)


class Message(models.Model):
    """One utterance. Ids rise with time, so that the table can be partitioned by ranges of them.

    What must be unique lives in MessageKey for the same reason. Recipients, channel and body of an outgoing message
    are frozen when it is written; `payload` holds what its channel froze for the wire.
    """

    # db_index=False: an index of several columns below begins with it, or its few values would lead queries astray.
    ticket = models.ForeignKey("inbox.Ticket", on_delete=models.CASCADE, related_name="messages", db_index=False)
    first_ticket = models.ForeignKey("inbox.Ticket", on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=4, choices=Direction)
    origin = models.CharField(max_length=8, choices=Origin, default=Origin.CHANNEL)
    channel = models.ForeignKey("inbox.Channel", on_delete=models.PROTECT, related_name="messages", db_index=False)
    receipt = models.ForeignKey(
        "inbox.Receipt", on_delete=models.SET_NULL, null=True, blank=True, related_name="messages"
    )
    side = models.ForeignKey(
        "inbox.SideConversation",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="messages",
        db_index=False,
    )  # message_of_side
    answers = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="answered_by")

    author_kind = models.CharField(max_length=8, choices=AuthorKind)
    customer = models.ForeignKey(
        "inbox.Customer", on_delete=models.SET_NULL, null=True, blank=True, related_name="messages", db_index=False
    )  # message_of_customer
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages"
    )
    author_name = models.CharField(max_length=200, blank=True)
    author_address = models.CharField(max_length=320, blank=True)
    to = models.JSONField(default=list, blank=True)  # [{"name", "address"}]
    cc = models.JSONField(default=list, blank=True)
    bcc = models.JSONField(default=list, blank=True)
    reply_to = models.JSONField(default=list, blank=True)

    content_kind = models.CharField(max_length=20, default="text")
    subject = models.CharField(max_length=998, blank=True)
    text = models.TextField(blank=True)
    visible_text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    payload = models.JSONField(default=dict, blank=True)
    language = models.CharField(max_length=10, blank=True)
    kind = models.CharField(max_length=16, default="message")  # see inbox.adapters.Kind
    suppress_auto_reply = models.BooleanField(default=False)
    unverified = models.BooleanField(default=False)  # the sender was no participant when it came
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)  # taken back by one of us, before or after it left
    withdrawn_at = models.DateTimeField(null=True, blank=True)  # deleted on the platform: nothing of it is left
    reactions = models.JSONField(default=list, blank=True)

    external_id = models.CharField(max_length=998, blank=True)
    in_reply_to = models.CharField(max_length=998, blank=True)
    references = ArrayField(models.CharField(max_length=998), default=list, blank=True)
    thread_rule = models.CharField(max_length=30, blank=True)
    thread_detail = models.CharField(max_length=300, blank=True)

    state = models.CharField(max_length=10, choices=DeliveryState, blank=True)
    attempts = models.PositiveIntegerField(default=0)  # never counts back for a new claim: an outcome names its attempt
    trying_since = models.DateTimeField(null=True, blank=True)  # the first temporary error, since the last Retry
    lost_leases = models.PositiveSmallIntegerField(default=0)  # how often a worker died with it in hand
    next_attempt_at = models.DateTimeField(null=True, blank=True)  # queued without one: waits for `send_at`
    send_at = models.DateTimeField(null=True, blank=True)  # when an agent wants it to leave, if not at once
    lease_until = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    delayed = models.BooleanField(default=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    received_at = models.DateTimeField(default=timezone.now)

    objects = MessageQuerySet.as_manager()

    has_files: bool = True  # no column: a claim tells it with the row, so that sending need not ask

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = (
            models.Index(fields=["ticket", "id"], name="message_of_ticket"),
            models.Index(
                fields=["customer", "id"], name="message_of_customer", condition=models.Q(customer__isnull=False)
            ),
            models.Index(fields=["side", "id"], name="message_of_side", condition=models.Q(side__isnull=False)),
            models.Index(fields=["external_id"], name="message_external_id", condition=~models.Q(external_id="")),
            models.Index(
                fields=["channel", "next_attempt_at", "id"], name="message_queued", condition=models.Q(state="queued")
            ),
            models.Index(fields=["lease_until"], name="message_sending", condition=models.Q(state="sending")),
            models.Index(
                fields=["ticket", "channel", "id"],
                name="message_in_flight",
                condition=models.Q(state__in=["queued", "sending"]),
            ),
            models.Index(
                fields=["send_at"],
                name="message_scheduled",
                condition=models.Q(state="queued", next_attempt_at__isnull=True),
            ),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state="") | models.Q(direction="out"), name="only_outgoing_is_delivered"
            ),
        )

    def __str__(self) -> str:
        return f"{self.direction} {self.pk}"

    @property
    def is_public(self) -> bool:
        return self.direction != Direction.NOTE

    @property
    def is_scheduled(self) -> bool:
        """Whether it waits for its `send_at`."""
        return self.state == DeliveryState.QUEUED and self.next_attempt_at is None

    @property
    def is_held(self) -> bool:
        """Whether it waits for a moment, so that whoever sent it can undo that."""
        due = self.next_attempt_at
        return self.state == DeliveryState.QUEUED and not self.attempts and due is not None and due > timezone.now()

    @property
    def is_auto_reply(self) -> bool:
        return self.kind in AUTOMATIC

    @property
    def hidden_text(self) -> bool:
        """Whether quotes or a signature are folded away."""
        return bool(self.visible_text) and self.visible_text.strip() != self.text.strip()


class MessagePart(models.Model):
    """One of several messages of the platform that one of ours became, in their order; the first is 0.

    Rows are there for what was accepted: a try that ended in the middle goes on behind the last of them.
    """

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="parts", db_index=False)
    position = models.PositiveSmallIntegerField()
    external_id = models.CharField(max_length=998)
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.SENT)
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["message", "position"], name="message_part_once"),)
        indexes = (models.Index(fields=["external_id"], name="message_part_external_id"),)


class RemoteFile(models.Model):
    """A file of a message that its platform still has: fetched by a worker, it becomes an Attachment and this row goes.

    With `failed_at` it is given up, and `error` says why; somebody may ask for it once more, unless `ref` says `never`:
    then its platform will not give it to anybody.
    """

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="remote_files", db_index=False)
    position = models.PositiveSmallIntegerField()
    ref = models.JSONField()
    name = models.CharField(max_length=255, blank=True)
    content_type = models.CharField(max_length=127, blank=True)
    size = models.BigIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)  # while claimed: when the claim runs out
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["message", "position"], name="remote_file_once"),)
        indexes = (
            models.Index(
                fields=["next_attempt_at", "id"], name="remote_file_due", condition=models.Q(failed_at__isnull=True)
            ),
        )


class MessageKey(models.Model):
    """What makes a message once: a key within a scope ("email", "channel:7", "client:3" for what agents send)."""

    scope = models.CharField(max_length=40)
    key = models.CharField(max_length=200)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="keys")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["scope", "key"], name="message_once"),)


class MessageCopy(models.Model):
    """The same message as it reached another of our channels."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="copies", db_index=False)
    channel = models.ForeignKey("inbox.Channel", on_delete=models.PROTECT, related_name="+")
    receipt = models.ForeignKey("inbox.Receipt", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["message", "channel"], name="message_copy_once"),)


class Attachment(models.Model):
    """A file of a message. An upload waits without a message until it is named in one."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, blank=True, related_name="attachments")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=127)
    size = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    stored = models.CharField(max_length=255)  # its name in Django storage
    inline = models.BooleanField(default=False)
    content_id = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        indexes = (
            models.Index(fields=["created_at"], name="attachment_waiting", condition=models.Q(message__isnull=True)),
        )

    def __str__(self) -> str:
        return self.name
