"""Who has seen what, who follows what, and who was told of what."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class TicketSeen(models.Model):
    """How far an agent has read a ticket: up to its `last_message_at` of then.

    What is older than `Agent.read_before` counts as read without a row. `unread` is set by hand (u), and wins.
    """

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    ticket = models.ForeignKey("inbox.Ticket", on_delete=models.CASCADE, related_name="seen_by")
    at = models.DateTimeField()
    unread = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["agent", "ticket"], name="ticket_seen_once"),)


class TicketFollower(models.Model):
    """An agent who wants to hear of a ticket that is not theirs."""

    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="following", db_index=False
    )
    ticket = models.ForeignKey("inbox.Ticket", on_delete=models.CASCADE, related_name="followers")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["agent", "ticket"], name="ticket_follower_once"),)
        indexes = (models.Index(fields=["agent", "-created_at"], name="ticket_follower_newest"),)


class Mention(models.Model):
    """An agent whom a colleague's note names. Done once they have seen it."""

    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mentions", db_index=False
    )
    ticket = models.ForeignKey("inbox.Ticket", on_delete=models.CASCADE, related_name="mentions")
    message = models.ForeignKey("inbox.Message", on_delete=models.CASCADE, related_name="mentions")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")
        constraints = (models.UniqueConstraint(fields=["agent", "message"], name="mention_once"),)
        indexes = (
            models.Index(fields=["agent", "-created_at"], name="mention_newest"),
            models.Index(fields=["agent", "ticket"], name="mention_unseen", condition=models.Q(seen_at__isnull=True)),
        )


class NotificationKind(models.TextChoices):
    MENTION = "mention", _("Somebody mentions me")
    ASSIGNED = "assigned", _("A ticket is given to me")
    TEAM = "team", _("A ticket is given to one of my teams")
    REPLY = "reply", _("A customer answers on a ticket of mine")
    FOLLOWED = "followed", _("Something happens on a ticket that I follow")
    FAILED = "failed", _("A message of mine was not delivered")
    SNOOZE = "snooze", _("A ticket that I put away comes back")
    UNSOLVED = "unsolved", _("A reply of mine left, but did not solve its ticket")
    SIDE = "side", _("A third party answers in a side conversation of mine")
    CHAT = "chat", _("A chat is offered to me")
    WINDOW = "window", _("A ticket of mine can soon be answered freely no more")


class Notification(models.Model):
    """Something an agent is told. Ids and codes only: its words are made when it is shown, by who may see it then."""

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=10, choices=NotificationKind)
    ticket = models.ForeignKey("inbox.Ticket", on_delete=models.CASCADE, related_name="+")
    message = models.ForeignKey("inbox.Message", on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    event = models.BigIntegerField()  # of the log, by which a repeat is known
    created_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True, blank=True)
    push_due = models.BooleanField(default=False)  # chosen for the browser, and not sent yet
    mail_due = models.BooleanField(default=False)  # chosen for the next digest

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        constraints = (models.UniqueConstraint(fields=["agent", "event"], name="notification_once"),)
        indexes = (
            models.Index(fields=["agent", "-id"], name="notification_newest"),
            models.Index(fields=["agent"], name="notification_unread", condition=models.Q(read_at__isnull=True)),
            models.Index(fields=["id"], name="notification_to_push", condition=models.Q(push_due=True)),
            models.Index(fields=["agent", "id"], name="notification_to_mail", condition=models.Q(mail_due=True)),
        )


class PushSubscription(models.Model):
    """A browser that an agent allowed to show notifications (RFC 8030; keys of RFC 8291)."""

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="push_subscriptions")
    endpoint = models.URLField(max_length=1000, unique=True)
    p256dh = models.CharField(max_length=200)
    auth = models.CharField(max_length=100)
    language = models.CharField(max_length=10, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, blank=True)
