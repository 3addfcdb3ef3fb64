"""The automatic "we have your message": a follower of the log, so that each new ticket gets it once, and no robot ever.

A channel sends one when its settings have `acknowledgement`, the text. Loops end here: automatic and list mail is not
answered, and nobody gets more than MAX_PER_HOUR. Nothing automatic is ever said where everybody reads it, nor to
somebody who asked for no more, nor after a window: the form of the setting says so, and the ticket is as any other.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from inbox import log
from inbox.actions import reply
from inbox.actions.errors import ActionError
from inbox.adapters import adapter_for
from inbox.models import AuthorKind, Channel, Direction, Event, Message

MAX_PER_HOUR = 3
MAX_AGE = timedelta(days=1)  # an archive taken in, or a log read again from the start, answers nobody


def may_answer(message: Message) -> bool:
    """Whether an automatic reply to this message could harm nobody (RFC 3834, section 2)."""
    if message.kind != "message" or message.suppress_auto_reply or message.unverified or not message.author_address:
        return False
    recent = Message.objects.filter(
        direction=Direction.OUT,
        author_kind=AuthorKind.SYSTEM,
        ticket__customer=message.customer_id,
        created_at__gt=timezone.now() - timedelta(hours=1),
    )
    return recent[:MAX_PER_HOUR].count() < MAX_PER_HOUR


@log.register("acknowledge")
def acknowledge(event: Event) -> None:
    """Answer the first message of a new ticket; of spam once it has turned out to be none."""
    released = event.kind == "spam_changed" and not event.data.get("spam")
    if not (released or event.kind == "ticket_created") or event.ticket is None or timezone.now() - event.at > MAX_AGE:
        return
    text = event.ticket.channel.settings.get("acknowledgement", "")
    if not text or event.ticket.spam:
        return
    first = Message.objects.conversation().filter(ticket=event.ticket).order_by("pk").first()
    if released and Message.objects.conversation().filter(ticket=event.ticket, direction=Direction.OUT).exists():
        return
    if first is None or first.direction != Direction.IN or timezone.now() - first.created_at > MAX_AGE:
        return
    if not may_answer(first) or not _can_leave(event.ticket.channel):
        return
    try:
        key = f"ack:{event.ticket.pk}"
        reply.reply(event.ticket, by=None, channel=event.ticket.channel, text=text, automatic=True, client_id=key)
    except ActionError:
        return  # nobody to write to, in public, too late, or closed or merged by now: there is nothing to acknowledge


def _can_leave(channel: Channel) -> bool:
    """Not on a messenger that sends nothing now: it would leave days later, or wait until its window has closed."""
    adapter = adapter_for(channel.kind)
    return not adapter.messenger or (not channel.paused and adapter.may_send(channel).allowed)
