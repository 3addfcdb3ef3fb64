"""What comes after a chat: how it was, and the whole of it by e-mail."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from channels_chat import config, hub
from channels_chat.actions import transcripts
from channels_chat.models import Chat
from inbox import log, post, ratings
from inbox.actions import base
from inbox.actions.errors import ActionError
from inbox.actions.work import is_ours, our_addresses
from inbox.addresses import usable
from inbox.models import Event

SCORES = range(1, 6)
LONGEST_COMMENT = 2000
RATE_UNTIL = timedelta(days=14)  # after the chat's end, or the first rating
MOST_TRANSCRIPTS = 3  # of one chat


def rate(chat: Chat, score: int, comment: str = "") -> None:
    """How it was, 1 to 5, in the visitor's words if they like; said again, it replaces what was said before.

    The event holds the score and no text; whoever keeps answers hears both (`inbox.ratings`). Raises ActionError.
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
        before = row.score
        row.score, row.comment, row.rated_at = score, words, row.rated_at or now
        row.save(update_fields=["score", "comment", "rated_at"])
        ticket.csat = score
        base.save(ticket, "csat")
        if score != before:  # words that are added later are no second rating
            log.record(ticket, "chat_rated", engagement=row.engagement_id, score=score, first=before is None)
        hub.tell([row.visitor_id])
        ratings.tell(ticket, row.engagement_id, score, words)


def _since(chat: Chat) -> datetime:
    """From when on the time for rating counts."""
    return chat.rated_at or chat.engagement.ended_at or timezone.now()


def send_transcript(chat: Chat, email: str) -> None:
    """The whole conversation by mail, as the visitor sees it. No message of the ticket: whoever answers it writes anew.

    To an address that is not known to be theirs nothing goes that they typed as a link, and nothing at all before one
    of us has spoken. Raises ActionError.
    """
    try:
        address = usable("email", email)
    except ValidationError as error:
        raise ActionError(_("This is no e-mail address."), "address") from error
    if is_ours(address, our_addresses()):
        raise ActionError(_("That is one of our own addresses."), "own_address")
    if not config.of(chat.channel).transcript or not post.available():
        raise ActionError(_("Chats are not sent by e-mail here."), "off")
    with base.locked(chat.engagement.ticket, even_if_closed=True) as ticket:
        sent = Event.objects.filter(ticket=ticket, kind="chat_transcript_sent", data__engagement=chat.engagement_id)
        if sent.count() >= MOST_TRANSCRIPTS:
            raise ActionError(_("This chat was sent by e-mail a few times already."), "often")
        said = transcripts.said_in(chat)
        if not transcripts.speaks(said, transcripts.is_own(chat, address)):
            raise ActionError(_("There is nothing to send yet."), "empty")
        transcripts.queue(chat, address, max(one.pk for one in said))
        log.record(ticket, "chat_transcript_sent", engagement=chat.engagement_id)
        base.announce([ticket.pk])
