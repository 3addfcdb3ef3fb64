"""What handle time is made from: what agents had before them and used, and when they were in a call or a chat.

No key, click or word is kept: a row says which ticket was before whom, from when to when, and whether they did
something meanwhile. Calls and chats are made from the log and can be made again from it (`reports.handling.talking`);
what was before somebody's eyes is told by their page, once.
"""

from datetime import timedelta

from django.conf import settings
from django.db import models

LONGEST = timedelta(minutes=15)  # of one row: what overlaps a time began at most so long before it
LONGEST_TALK = timedelta(hours=1)


class Activity(models.Model):
    """A ticket was before an agent's eyes, on a page that had the focus.

    `idle`: without a sign of use for more than a minute. A page numbers what it tells; said again, it is the same row.
    """

    id = models.BigAutoField(primary_key=True)
    agent = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    ticket = models.ForeignKey("inbox.Ticket", on_delete=models.CASCADE, db_constraint=False, related_name="+")
    page = models.CharField(max_length=16)
    seq = models.PositiveIntegerField()
    idle = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["agent", "page", "seq"], name="activity_said_once"),)
        indexes = (models.Index(fields=["agent", "started_at"], name="activity_of_agent"),)


class TalkKind(models.TextChoices):
    CALL = "call", "a call was running"
    CHAT = "chat", "an accepted chat in which somebody had written lately"
    AFTER = "after", "a chat or call had ended just before"


class Talk(models.Model):
    """A time in which an agent was in a call or chat, or just out of it. The ticket is that of the engagement."""

    id = models.BigAutoField(primary_key=True)
    engagement = models.ForeignKey("inbox.Engagement", on_delete=models.CASCADE, related_name="+")
    agent_id = models.BigIntegerField()
    kind = models.CharField(max_length=5, choices=TalkKind)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["agent_id", "started_at"], name="talk_of_agent"),)


class Unshared(models.Model):
    """A quarter of an hour of an agent whose seconds have to be shared out anew."""

    id = models.BigAutoField(primary_key=True)
    agent_id = models.BigIntegerField()
    quarter = models.DateTimeField()
    since = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["agent_id", "quarter"], name="unshared_once"),)
        indexes = (models.Index(fields=["since"], name="unshared_since"),)
