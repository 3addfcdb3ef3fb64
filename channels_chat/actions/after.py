"""What comes after a chat: how it was, and the whole of it by e-mail."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import formataddr

from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from channels_chat import config, history, hub, letters
from channels_chat.actions import continuity
from channels_chat.models import Chat
from inbox import log, post
from inbox.actions import base
from inbox.actions.errors import ActionError
from inbox.actions.work import is_ours, our_addresses
from inbox.addresses import usable
from inbox.models import AuthorKind, Event, Identity

SCORES = range(1, 6)
LONGEST_COMMENT = 2000
RATE_UNTIL = timedelta(days=14)  # after the chat's end, or the first rating
MOST_TRANSCRIPTS = 3  # of one chat
MOST_SAID = 1000  # messages of one transcript, the newest


def rate(chat: Chat, score: int, comment: str = "") -> None:
    """How it was, 1 to 5, in the visitor's words if they like; said again, it replaces what was said before.

    The event holds the score and no text: surveys read it. Raises ActionError.
    """
    if score not in SCORES:
        raise ActionError(_("Choose one to five."), "score")
    words = comment.replace("\x00", "").strip()[:LONGEST_COMMENT]
    with base.locked(chat.engagement.ticket, even_if_closed=True) as ticket:
        row = Chat.objects.select_for_update(no_key=True, of=("self",)).select_related("engagement").get(pk=chat.pk)
        now = timezone.now()
        if _since(row) < now - RATE_UNTIL:
            raise ActionError(_("It is too long ago to be rated."), "late")
        if (row.score, row.comment) == (score, words):
            return
        first = row.score is None
        row.score, row.comment, row.rated_at = score, words, row.rated_at or now
        row.save(update_fields=["score", "comment", "rated_at"])
        ticket.csat = score
        base.save(ticket, "csat")
        log.record(ticket, "chat_rated", engagement=row.engagement_id, score=score, first=first)
        hub.tell([row.visitor_id])


def _since(chat: Chat) -> datetime:
    """From when on the time for rating counts."""
    return chat.rated_at or chat.engagement.ended_at or timezone.now()


def send_transcript(chat: Chat, email: str) -> None:
    """The whole conversation by mail, as the visitor sees it. No message of the ticket: whoever answers it writes anew.

    To an address that is not known to be theirs nothing goes that they typed as a link, and nothing at all before one
    of us has spoken. Raises ActionError.
    """
    channel = chat.channel
    settings = config.of(channel)
    visitor = chat.visitor
    try:
        address = usable("email", email)
    except ValidationError as error:
        raise ActionError(_("This is no e-mail address."), "address") from error
    if is_ours(address, our_addresses()):
        raise ActionError(_("That is one of our own addresses."), "own_address")
    if not settings.transcript or not post.available():
        raise ActionError(_("Chats are not sent by e-mail here."), "off")
    with base.locked(chat.engagement.ticket, even_if_closed=True) as ticket:
        sent = Event.objects.filter(ticket=ticket, kind="chat_transcript_sent", data__engagement=chat.engagement_id)
        if sent.count() >= MOST_TRANSCRIPTS:
            raise ActionError(_("This chat was sent by e-mail a few times already."), "often")
        said = [one for one in history.of(visitor, most=MOST_SAID) if one.ticket_id == ticket.pk]
        own = Identity.objects.active().filter(customer=visitor.customer_id, kind="email", value=address).exists()
        speakers = {AuthorKind.AGENT, AuthorKind.BOT} if own else {AuthorKind.AGENT}  # no machine mails to strangers
        if not any(one.author_kind in speakers for one in said):
            raise ActionError(_("There is nothing to send yet."), "empty")
        with translation.override(letters.language_of(visitor)):
            lines = letters.lines(visitor, said, tamed=not own)
            name = letters.name_of(visitor)
            opening = [
                _("Hello %(name)s,") % {"name": name} if name else _("Hello,"),
                _("this is your chat with %(shop)s:") % {"shop": settings.name},
            ]
            closing = [
                _("Go on in the chat: {}"),
                _("Somebody asked for this in a chat with %(shop)s. If that was not you, please ignore this mail.")
                % {"shop": settings.name},
            ]
            text, html = letters.write(opening, lines, closing, letters.page_of(visitor))
            subject = _("Your chat with %(shop)s") % {"shop": settings.name}
        box = continuity.mailbox(channel)
        mail = EmailMultiAlternatives(
            " ".join(subject.split()),
            text,
            to=[address],
            reply_to=[formataddr((" ".join(settings.name.split()), box.addresses[0]))] if box and box.addresses else [],
            headers={"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"},
        )
        mail.attach_alternative(f'<!DOCTYPE html>\n<html><body dir="auto">\n{html}\n</body></html>', "text/html")
        log.record(ticket, "chat_transcript_sent", engagement=chat.engagement_id)
        base.announce([ticket.pk])
        transaction.on_commit(lambda: post.soon(mail), robust=True)
