"""Tickets, who takes part in them, and how they hang together."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Coalesce, Upper
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

SUBJECT_LENGTH = 500
PREVIEW_LENGTH = 200


class Status(models.TextChoices):
    OPEN = "open", _("Open")
    PENDING = "pending", _("Pending")  # on the customer
    ON_HOLD = "on_hold", _("On hold")  # on a third party
    SOLVED = "solved", _("Solved")
    CLOSED = "closed", _("Closed")  # the re-open window is over


class Priority(models.TextChoices):
    LOW = "low", _("Low")
    NORMAL = "normal", _("Normal")
    HIGH = "high", _("High")
    URGENT = "urgent", _("Urgent")


class TicketType(models.TextChoices):
    QUESTION = "question", _("Question")
    PROBLEM = "problem", _("Problem")
    COMPLAINT = "complaint", _("Complaint")
    SUGGESTION = "suggestion", _("Suggestion")
    PRAISE = "praise", _("Praise")
    REQUEST = "request", _("Request")


class Tag(models.Model):
    """A word that tickets carry. Tickets keep the names; this row keeps what belongs to the name."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    colour = models.CharField(_("colour"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


# What every ordinary view starts from; its indexes say the same.
CURRENT = models.Q(spam=False, merged_into__isnull=True, trashed_at__isnull=True)
UNDONE = (Status.OPEN.value, Status.PENDING.value, Status.ON_HOLD.value)
# What people work on: few of all there are, so that what is asked of these has small indexes of its own.
AT_WORK = CURRENT & models.Q(status__in=UNDONE)


# What lists are ordered by, as their indexes have it: what is empty counts as far away, and priorities have a rank.
FAR = datetime(9999, 12, 31, tzinfo=UTC)
RANKS = {Priority.LOW.value: 0, Priority.NORMAL.value: 1, Priority.HIGH.value: 2, Priority.URGENT.value: 3}
WAITING = Coalesce("waiting_since", models.Value(FAR, output_field=models.DateTimeField()))
DUE = Coalesce("due_at", models.Value(FAR, output_field=models.DateTimeField()))
RANK = models.Case(
    *(models.When(priority=priority, then=models.Value(rank)) for priority, rank in RANKS.items()),
    default=models.Value(1),
    output_field=models.SmallIntegerField(),
)


class TicketQuerySet(models.QuerySet["Ticket"]):
    def current(self) -> "TicketQuerySet":
        """Neither spam nor in the trash nor merged away: what every ordinary view starts from."""
        return self.filter(CURRENT)

    def unassigned(self) -> "TicketQuerySet":
        return self.current().filter(status=Status.OPEN, assignee__isnull=True)

    def of(self, agent: Any) -> "TicketQuerySet":
        return self.current().filter(assignee=agent, status=Status.OPEN)


class Ticket(models.Model):
    """One matter of one customer. What lists show of its messages is kept on the row by the actions."""

    number = models.BigAutoField(_("number"), primary_key=True)
    customer = models.ForeignKey(
        "inbox.Customer", on_delete=models.PROTECT, related_name="tickets", db_index=False
    )  # ticket_of_customer
    organisation = models.ForeignKey(
        "inbox.Organisation",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="tickets",
        db_index=False,
    )  # ticket_of_organisation
    channel = models.ForeignKey(
        "inbox.Channel", on_delete=models.PROTECT, related_name="tickets", db_index=False
    )  # ticket_channel_updated
    subject = models.CharField(_("subject"), max_length=SUBJECT_LENGTH, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.OPEN)
    priority = models.CharField(_("priority"), max_length=10, choices=Priority, default=Priority.NORMAL)
    type = models.CharField(_("type"), max_length=12, choices=TicketType, blank=True)
    severity = models.PositiveSmallIntegerField(_("severity"), null=True, blank=True)
    topic = models.CharField(_("topic"), max_length=120, blank=True)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="tickets",
        db_index=False,
    )  # ticket_assignee_updated
    team = models.ForeignKey(
        "inbox.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="tickets", db_index=False
    )  # ticket_team_updated
    tags = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    external_id = models.CharField(max_length=200, null=True, blank=True, unique=True)
    language = models.CharField(_("language"), max_length=10, blank=True)
    language_chosen = models.BooleanField(default=False)
    spam = models.BooleanField(_("spam"), default=False)
    trashed_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)  # nothing is left of it but ids, times and codes
    snoozed_until = models.DateTimeField(null=True, blank=True)
    woke_at = models.DateTimeField(null=True, blank=True)  # the clock or a customer ended its snooze, unanswered since
    due_at = models.DateTimeField(null=True, blank=True)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged")
    also_channels = ArrayField(models.BigIntegerField(), default=list, blank=True)  # ids of channels that got copies
    thread_key = models.CharField(max_length=200, blank=True)  # the chat session or the root of the comment thread

    message_count = models.PositiveIntegerField(default=0)
    last_message_at = models.DateTimeField(default=timezone.now)
    last_direction = models.CharField(max_length=4, blank=True)
    preview = models.CharField(max_length=PREVIEW_LENGTH, blank=True)
    reply_channel = models.ForeignKey("inbox.Channel", on_delete=models.PROTECT, related_name="+", db_index=False)
    waiting_since = models.DateTimeField(null=True, blank=True)  # the oldest unanswered customer message
    last_customer_message_at = models.DateTimeField(null=True, blank=True)
    first_replied_at = models.DateTimeField(null=True, blank=True)
    solved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    reopen_count = models.PositiveIntegerField(default=0)
    delivery_failed = models.BooleanField(default=False)
    csat = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        indexes = (
            models.Index(
                fields=["status", "-last_message_at", "-number"],
                name="ticket_by_status",
                condition=CURRENT,
            ),
            # The other orders of lists (inbox/sorting.py).
            models.Index(fields=["status", "-created_at", "-number"], name="ticket_by_created", condition=CURRENT),
            models.Index(models.F("status"), WAITING, models.F("number"), name="ticket_by_waiting", condition=CURRENT),
            models.Index(models.F("status"), DUE, models.F("number"), name="ticket_by_due", condition=CURRENT),
            models.Index(
                models.F("status"),
                models.OrderBy(RANK, descending=True),
                models.OrderBy(models.F("last_message_at"), descending=True),
                models.OrderBy(models.F("number"), descending=True),
                name="ticket_by_priority",
                condition=CURRENT,
            ),
            models.Index(
                fields=["assignee", "status", "-last_message_at", "-number"],
                name="ticket_by_assignee",
                condition=CURRENT & models.Q(assignee__isnull=False),
            ),
            models.Index(
                fields=["-last_message_at", "-number"],
                name="ticket_unassigned",
                condition=CURRENT & models.Q(assignee__isnull=True, status="open"),
            ),
            models.Index(
                fields=["team", "status", "-last_message_at", "-number"],
                name="ticket_by_team",
                condition=CURRENT & models.Q(team__isnull=False),
            ),
            models.Index(
                fields=["channel", "status", "-last_message_at", "-number"],
                name="ticket_by_channel",
                condition=CURRENT,
            ),
            # What the sidebar counts, without a look at the table: of these two, one for each column it narrows by.
            models.Index(
                fields=["status", "assignee"],
                include=["priority", "team", "channel", "also_channels", "snoozed_until", "number"],
                name="ticket_count_of_assignee",
                condition=AT_WORK,
            ),
            models.Index(
                fields=["status", "team", "channel"],
                include=["priority", "assignee", "also_channels", "snoozed_until", "number"],
                name="ticket_count_of_team",
                condition=AT_WORK,
            ),
            models.Index(
                fields=["-last_message_at", "-number"],
                name="ticket_spam",
                condition=models.Q(spam=True, trashed_at__isnull=True),
            ),
            models.Index(
                fields=["-last_message_at", "-number"],
                name="ticket_trash",
                condition=models.Q(trashed_at__isnull=False),
            ),
            models.Index(fields=["-updated_at", "-number"], name="ticket_updated"),
            # Lists of the API, which leave nothing out and come in the order of change.
            models.Index(fields=["status", "-updated_at", "-number"], name="ticket_status_updated"),
            models.Index(fields=["status", "priority", "-updated_at", "-number"], name="ticket_priority_updated"),
            models.Index(fields=["assignee", "status", "-updated_at", "-number"], name="ticket_assignee_updated"),
            models.Index(fields=["team", "status", "-updated_at", "-number"], name="ticket_team_updated"),
            models.Index(fields=["channel", "status", "-updated_at", "-number"], name="ticket_channel_updated"),
            models.Index(fields=["-updated_at", "-number"], name="ticket_spam_updated", condition=models.Q(spam=True)),
            models.Index(fields=["created_at", "number"], name="ticket_created"),
            models.Index(fields=["customer", "-last_message_at"], name="ticket_of_customer"),
            models.Index(
                fields=["organisation", "-last_message_at", "-number"],
                name="ticket_of_organisation",
                condition=models.Q(organisation__isnull=False),
            ),
            models.Index(
                fields=["customer"], name="ticket_open_of_customer", condition=CURRENT & models.Q(status="open")
            ),
            models.Index(fields=["solved_at"], name="ticket_to_close", condition=models.Q(status="solved")),
            models.Index(
                fields=["channel", "thread_key"], name="ticket_thread_key", condition=~models.Q(thread_key="")
            ),
            models.Index(
                fields=["-last_message_at", "-number"],
                name="ticket_put_away",
                condition=CURRENT & models.Q(status="open", snoozed_until__isnull=False),
            ),
            models.Index(
                fields=["snoozed_until"], name="ticket_snoozed", condition=models.Q(snoozed_until__isnull=False)
            ),
            models.Index(
                Upper("topic"),
                models.F("status"),
                models.OrderBy(models.F("last_message_at"), descending=True),
                models.OrderBy(models.F("number"), descending=True),
                name="ticket_by_topic",
                condition=CURRENT & ~models.Q(topic=""),
            ),
            GinIndex(fields=["tags"], name="ticket_tags"),
            GinIndex(fields=["tags"], name="ticket_tags_at_work", condition=AT_WORK & ~models.Q(tags=[])),
            GinIndex(
                fields=["attributes"],
                opclasses=["jsonb_path_ops"],
                name="ticket_attributes",
                condition=~models.Q(attributes={}),
            ),
            GinIndex(
                fields=["attributes"],
                opclasses=["jsonb_path_ops"],
                name="ticket_attributes_at_work",
                condition=AT_WORK & ~models.Q(attributes={}),
            ),
        )

    def __str__(self) -> str:
        return f"#{self.number} {self.subject}"

    def get_absolute_url(self) -> str:
        return reverse("ticket", args=[self.number])

    @property
    def is_open(self) -> bool:
        return self.status == Status.OPEN

    @property
    def is_done(self) -> bool:
        return self.status in {Status.SOLVED, Status.CLOSED}

    @property
    def is_back(self) -> bool:
        """Whether it was put away, and waits again."""
        return self.woke_at is not None and self.is_open and self.snoozed_until is None

    @property
    def is_locked(self) -> bool:
        """Closed, merged away or in the trash: nothing may change as it is."""
        return self.status == Status.CLOSED or self.merged_into_id is not None or self.trashed_at is not None

    @property
    def is_erased(self) -> bool:
        """Whether nothing of what was said in it is left."""
        return self.erased_at is not None or self.customer.erased_at is not None


class ParticipantRole(models.TextChoices):
    REQUESTER = "requester", _("Requester")
    CC = "cc", _("In copy")
    FOLLOWER = "follower", _("Follower")


class Participant(models.Model):
    """An identity on a ticket: the proof that threading asks for. Unconfirmed ones get no answers."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="participants", db_index=False)
    identity = models.ForeignKey("inbox.Identity", on_delete=models.PROTECT, related_name="participations")
    role = models.CharField(max_length=10, choices=ParticipantRole, default=ParticipantRole.CC)
    confirmed = models.BooleanField(default=True)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True)
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["ticket", "identity"], name="participant_once"),)


class LinkKind(models.TextChoices):
    FOLLOW_UP = "follow_up", _("Follow-up")
    DUPLICATE = "duplicate", _("Duplicate")
    INCIDENT = "incident", _("Incident of a problem")
    CHILD = "child", _("Child")
    UNRELATED = "unrelated", _("Another matter")
    MERGED = "merged", _("Merged")


class TicketLink(models.Model):
    """`source` is a follow-up, duplicate, incident or child of `target`, another matter, or was merged into it."""

    source = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="links", db_index=False)
    target = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="linked")
    kind = models.CharField(max_length=10, choices=LinkKind)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["source", "target", "kind"], name="ticket_link_once"),)


class EngagementKind(models.TextChoices):
    CHAT = "chat", _("Chat")
    CALL = "call", _("Call")
    VISIT = "visit", _("Visit")
    MEETING = "meeting", _("Meeting")
    LETTER = "letter", _("Letter")
    OTHER = "other", _("Something else")


class Engagement(models.Model):
    """A live session or call inside a ticket."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="engagements")
    channel = models.ForeignKey("inbox.Channel", on_delete=models.PROTECT, related_name="engagements")
    kind = models.CharField(max_length=10, choices=EngagementKind)
    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    requested_at = models.DateTimeField(default=timezone.now)
    offered_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=10, blank=True)
    transfers = models.JSONField(default=list, blank=True)
    external_id = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (models.Index(fields=["ticket", "requested_at"], name="engagement_of_ticket"),)
