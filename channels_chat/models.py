"""What live chat keeps beside tickets: visitors, chats and their queue, journeys, invitations, the flow's steps.

What is said lies in tickets as on every channel. Nobody who only looks at a site has a row here: who is on the site is
known to Redis alone, for as long as they are (`channels_chat.site`).
"""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Visitor(models.Model):
    """One browser that wrote to us, or one person whom the site vouched for (HMAC), in all browsers of theirs.

    `digest` is the SHA-256 of the session key that the browser holds; the key itself is nowhere. `address` is what the
    visitor is called as an identity of kind "chat": `v:<public>`, or `u:<user>` if they were vouched for from the
    start. `customer` is known once they have written.
    """

    channel = models.ForeignKey("inbox.Channel", on_delete=models.CASCADE, related_name="visitors")
    public = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    digest = models.CharField(max_length=64, unique=True)
    address = models.CharField(max_length=320)
    customer = models.ForeignKey(
        "inbox.Customer", on_delete=models.CASCADE, null=True, blank=True, related_name="visitors"
    )
    user = models.CharField(max_length=200, blank=True)  # the site's own id of them, proven by HMAC
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=320, blank=True)  # as typed, or as the site says: a claim unless `user` is set
    phone = models.CharField(max_length=40, blank=True)
    language = models.CharField(max_length=10, blank=True)
    time_zone = models.CharField(max_length=60, blank=True)
    attributes = models.JSONField(default=dict, blank=True)
    pages = models.JSONField(default=list, blank=True)  # [{"url", "title", "at"}] of the visit, the newest last
    referrer = models.CharField(max_length=500, blank=True)
    visits = models.PositiveIntegerField(default=1)
    consented_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)  # no index: it is written every few seconds
    gone_at = models.DateTimeField(null=True, blank=True)  # since when no page of theirs is connected
    ended_at = models.DateTimeField(null=True, blank=True)  # its key opens nothing any more (logged out, erased)
    owed_at = models.DateTimeField(null=True, blank=True)  # since when a person's answer may have to go by e-mail

    class Meta:
        verbose_name = _("visitor")
        verbose_name_plural = _("visitors")
        indexes = (
            models.Index(fields=["channel", "address"], name="visitor_address"),
            models.Index(fields=["channel", "user"], name="visitor_user", condition=~Q(user="")),
            models.Index(fields=["gone_at"], name="visitor_gone", condition=Q(gone_at__isnull=False)),
            models.Index(fields=["channel", "owed_at"], name="visitor_owed", condition=Q(owed_at__isnull=False)),
        )

    def __str__(self) -> str:
        return self.name or self.email or str(_("Visitor"))


class VisitorKey(models.Model):
    """One more browser of a visitor whom the site vouched for: its session key, as `Visitor.digest` has the first."""

    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, related_name="keys")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("session key")
        verbose_name_plural = _("session keys")

    def __str__(self) -> str:
        return str(self.visitor)


class ChatState(models.TextChoices):
    BOT = "bot", _("With the bot")
    WAITING = "waiting", _("Waiting")  # for an agent
    ACTIVE = "active", _("With an agent")
    ENDED = "ended", _("Ended")


class ChatEnd(models.TextChoices):
    SOLVED = "solved", _("Solved")
    AGENT = "agent", _("Ended by the agent")
    VISITOR = "visitor", _("Ended by the visitor")
    INACTIVE = "inactive", _("Nobody wrote any more")
    LEFT = "left", _("The visitor left")  # before anybody answered
    OFFLINE = "offline", _("Became a message")  # nobody was there, or not soon enough


LIVE = Q(state__in=[ChatState.BOT.value, ChatState.WAITING.value, ChatState.ACTIVE.value])


class Chat(models.Model):
    """One live session of a visitor, from asking to the end: what `Engagement` keeps for every channel, and the queue.

    The ticket is the engagement's: it follows merges and moves. A visitor has one that is not ended at most.
    """

    engagement = models.OneToOneField("inbox.Engagement", on_delete=models.CASCADE, related_name="chat")
    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, related_name="chats")
    channel = models.ForeignKey("inbox.Channel", on_delete=models.CASCADE, related_name="+", db_index=False)
    state = models.CharField(max_length=8, choices=ChatState, default=ChatState.WAITING)
    team = models.ForeignKey("inbox.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    topic = models.CharField(max_length=60, blank=True)
    language = models.CharField(max_length=10, blank=True)
    page = models.CharField(max_length=1000, blank=True)  # where it began
    invitation = models.CharField(max_length=60, blank=True)  # key of the invitation that it answers
    fields = models.JSONField(default=dict, blank=True)  # of the form before the chat, and what the flow asked

    queued_at = models.DateTimeField(null=True, blank=True)  # asked for a human, or wrote while no bot was on
    waits_since = models.DateTimeField(null=True, blank=True)  # in the queue this time: it may have come back
    place = models.PositiveSmallIntegerField(null=True, blank=True)  # in its line when it was queued
    reachable = models.BooleanField(default=False)  # an address was known by then
    overflow_at = models.DateTimeField(null=True, blank=True)  # was asked to leave a message instead
    offered_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    offer_until = models.DateTimeField(null=True, blank=True)  # offered to nobody: who passed is not asked again before
    passed = ArrayField(models.BigIntegerField(), default=list, blank=True)  # agents who let an offer pass this time
    wanted = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )  # the colleague it was handed to
    returned = models.PositiveSmallIntegerField(default=0)  # how often its agent went away

    last_visitor_at = models.DateTimeField(null=True, blank=True)
    last_agent_at = models.DateTimeField(null=True, blank=True)
    first_human_at = models.DateTimeField(null=True, blank=True)
    agent_gone_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)  # was told that it ends soon
    seen_id = models.BigIntegerField(default=0)  # newest message that the agent has read: the visitor's tick

    flow = models.JSONField(default=dict, blank=True)  # where the bot stands
    bot_until = models.DateTimeField(null=True, blank=True)  # a human takes over if the bot says nothing by then

    end = models.CharField(max_length=8, choices=ChatEnd, blank=True)
    score = models.PositiveSmallIntegerField(null=True, blank=True)
    comment = models.TextField(blank=True)
    rated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("chat")
        verbose_name_plural = _("chats")
        constraints = (models.UniqueConstraint(fields=["visitor"], condition=LIVE, name="chat_live_once"),)
        indexes = (
            models.Index(fields=["queued_at", "id"], name="chat_waiting", condition=Q(state="waiting")),
            models.Index(fields=["channel", "state"], name="chat_live", condition=LIVE),
            models.Index(fields=["channel", "queued_at"], name="chat_queued", condition=Q(queued_at__isnull=False)),
        )

    def __str__(self) -> str:
        return f"chat {self.pk}"

    @property
    def is_live(self) -> bool:
        return self.state != ChatState.ENDED


class Desk(models.Model):
    """Whether an agent takes chats, and how many at once. Without a row: yes, three."""

    MOST = 3

    agent = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="desk")
    takes = models.BooleanField(_("takes chats"), default=True)
    most = models.PositiveSmallIntegerField(_("chats at once"), default=MOST)


class JourneyRun(models.Model):
    """One visit that started a declared journey, and how it went. `visit` is the browser's word for this visit."""

    channel = models.ForeignKey("inbox.Channel", on_delete=models.CASCADE, related_name="+", db_index=False)
    journey = models.CharField(max_length=60)
    visit = models.CharField(max_length=40)
    visitor = models.ForeignKey(Visitor, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    started_at = models.DateTimeField(default=timezone.now)
    completed_at = models.DateTimeField(null=True, blank=True)
    contacted_at = models.DateTimeField(null=True, blank=True)  # they wrote, or answered an invitation, in between

    class Meta:
        constraints = (models.UniqueConstraint(fields=["channel", "journey", "visit"], name="journey_run_once"),)
        indexes = (models.Index(fields=["channel", "journey", "started_at"], name="journey_run_by_day"),)


class InvitationRun(models.Model):
    """One invitation that was due for one visit: shown, or held back so that its effect can be measured."""

    channel = models.ForeignKey("inbox.Channel", on_delete=models.CASCADE, related_name="+", db_index=False)
    invitation = models.CharField(max_length=60)
    visit = models.CharField(max_length=40)
    visitor = models.ForeignKey(Visitor, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    held = models.BooleanField(default=False)
    due_at = models.DateTimeField(default=timezone.now)
    shown_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField(null=True, blank=True)
    converted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["channel", "invitation", "visit"], name="invitation_run_once"),)
        indexes = (models.Index(fields=["channel", "invitation", "due_at"], name="invitation_run_by_day"),)


class FlowEntry(models.Model):
    """What happened at a step of the flow: entered, answered, not understood, left, said that it did not help."""

    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="entries")
    step = models.CharField(max_length=60)
    what = models.CharField(max_length=12)  # entered, chosen, answered, fallback, handoff, left, helped, unhelpful
    choice = models.CharField(max_length=60, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=["step", "what", "at"], name="flow_entry_by_step"),)


class Transcript(models.Model):
    """A whole chat that is to go by e-mail. It is gone once the mail was handed over, or the person is erased."""

    chat = models.ForeignKey(Chat, on_delete=models.CASCADE, related_name="transcripts")
    address = models.CharField(max_length=320)
    upto = models.BigIntegerField()  # the newest message of it
    word = models.UUIDField(default=uuid.uuid4, editable=False)  # of its Message-ID, the same at each try
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)  # no index: there are a handful of rows
    created_at = models.DateTimeField(default=timezone.now)
