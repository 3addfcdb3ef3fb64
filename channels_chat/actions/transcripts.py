"""Whole chats that go by e-mail. Asked for in one transaction, which writes down that it is to go; a worker writes and
sends it. What a worker that died had in hand goes again: under the same Message-ID, if it had left already.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from email.utils import formataddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from channels_chat import config, history, letters
from channels_chat.actions import continuity
from channels_chat.models import Chat, Transcript
from inbox import post, wake
from inbox.actions.errors import ActionError
from inbox.models import AuthorKind, Identity, Message

logger = logging.getLogger(__name__)

MOST_SAID = 1000  # messages of one, the newest
LEASE = timedelta(minutes=2)  # until another worker sends it; twice as long after each failure
MOST_TRIES = 8  # over some hours; then nobody waits for it any more


def queue(chat: Chat, address: str, upto: int) -> Transcript:
    """Let a chat go to this address, as it was up to this message. In the transaction that decides it."""
    row = Transcript.objects.create(chat=chat, address=address, upto=upto)
    wake.run("channels_chat.tasks.transcripts", [], "email")
    return row


def said_in(chat: Chat) -> list[Message]:
    """What of this chat's ticket its visitor sees."""
    found = history.of(chat.visitor, most=MOST_SAID)
    return [one for one in found if one.ticket_id == chat.engagement.ticket_id]


def is_own(chat: Chat, address: str) -> bool:
    """Whether this address is known to be theirs: to others nothing goes that they typed as a link."""
    known = Identity.objects.active().filter(customer=chat.visitor.customer_id, kind="email", value=address)
    return chat.visitor.customer_id is not None and known.exists()


def speaks(said: list[Message], own: bool) -> bool:
    """Whether one of us has said something: no machine mails to strangers."""
    speakers = {AuthorKind.AGENT, AuthorKind.BOT} if own else {AuthorKind.AGENT}
    return any(one.author_kind in speakers for one in said)


def send_due() -> int:
    """Send what is due; returns how many left."""
    sent = 0
    while (row := _claim()) is not None:
        sent += _send(row)
    return sent


def _claim() -> Transcript | None:
    now = timezone.now()
    with transaction.atomic():
        due = Transcript.objects.select_for_update(skip_locked=True, of=("self",)).filter(next_at__lte=now)
        row = due.select_related("chat__engagement", "chat__visitor", "chat__channel").order_by("pk").first()
        if row is not None:
            row.tries += 1
            row.next_at = now + LEASE * 2 ** (row.tries - 1)
            row.save(update_fields=["tries", "next_at"])
    return row


def _send(row: Transcript) -> bool:
    try:
        letter = _letter(row)
        if letter is not None:
            post.send(letter)
    except Exception as error:  # one that cannot be sent stops no other
        if not isinstance(error, ActionError):  # which is logged where it is raised
            logger.exception("a chat was not sent by e-mail")
        if row.tries >= MOST_TRIES:
            row.delete()
        return False
    row.delete()
    return letter is not None


def _letter(row: Transcript) -> EmailMultiAlternatives | None:
    """The mail; None where there is nothing left to say: they were erased, or it was taken back."""
    chat, visitor, channel = row.chat, row.chat.visitor, row.chat.channel
    own = is_own(chat, row.address)
    said = [one for one in said_in(chat) if one.pk <= row.upto]
    if not speaks(said, own):
        return None
    shop = config.of(channel).name
    with translation.override(letters.language_of(visitor)):
        lines = letters.lines(visitor, said, tamed=not own)
        name = letters.name_of(visitor)
        opening = [
            _("Hello %(name)s,") % {"name": name} if name else _("Hello,"),
            _("this is your chat with %(shop)s:") % {"shop": shop},
        ]
        closing = [
            _("Go on in the chat: {}"),
            _("Somebody asked for this in a chat with %(shop)s. If that was not you, please ignore this mail.")
            % {"shop": shop},
        ]
        text, html = letters.write(opening, lines, closing, letters.page_of(visitor))
        subject = _("Your chat with %(shop)s") % {"shop": shop}
    box = continuity.mailbox(channel)
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    mail = EmailMultiAlternatives(
        " ".join(subject.split()),
        text,
        to=[row.address],
        reply_to=[formataddr((" ".join(shop.split()), box.addresses[0]))] if box and box.addresses else [],
        headers={
            "Auto-Submitted": "auto-replied",
            "X-Auto-Response-Suppress": "All",
            "Message-ID": f"<chat.{row.word.hex}@{host}>",
        },
    )
    mail.attach_alternative(f'<!DOCTYPE html>\n<html><body dir="auto">\n{html}\n</body></html>', "text/html")
    return mail
