"""Files of a chat: the visitor's word for what they uploaded, and signed addresses that open files for a while.

Nothing here says who may see a file: `address` is handed out with the messages a visitor may see
(`channels_chat.history`), and whoever has it can fetch the file until it expires.
"""

from __future__ import annotations

from django.core import signing
from django.urls import reverse

from channels_chat.models import Visitor
from inbox.models import Agent, Attachment, Channel

UPLOAD = "channels_chat.upload"  # the purposes of signatures: one is never good for the other
FETCH = "channels_chat.file"
FACE = "channels_chat.face"
UPLOAD_AGE = 24 * 3600  # seconds; as long as an upload without a message is kept
FETCH_AGE = 12 * 3600  # a page that stays open longer is given new addresses when it connects again
FACE_AGE = 7 * 24 * 3600


def token_of(visitor: Visitor, attachment: Attachment) -> str:
    """What the visitor's browser names an upload by: good for this visitor alone."""
    return signing.dumps([attachment.pk, visitor.pk], salt=UPLOAD, compress=True)


def opened(visitor: Visitor, token: str) -> Attachment | None:
    """The upload that `token` names, if it is this visitor's and still there; None for anything else.

    One that is in a message already is given, too (`message_id`): a message that is sent again names it again.
    """
    try:
        pk, owner = signing.loads(token, salt=UPLOAD, max_age=UPLOAD_AGE)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Attachment.objects.filter(pk=pk, uploaded_by__isnull=True).first() if owner == visitor.pk else None


def address(channel: Channel, attachment: Attachment) -> str:
    """Path of a file for a visitor's browser, good for some hours; the widget puts our origin before it."""
    signed = signing.dumps([attachment.pk, channel.pk], salt=FETCH, compress=True)
    return reverse("chat_file", args=[channel.token, signed])


def fetched(channel: Channel, signed: str) -> Attachment | None:
    """The file that a signed address names, or None once it has expired, is erased, or was made for another channel."""
    pk = _signed_for(channel, signed, FETCH, FETCH_AGE)
    return Attachment.objects.filter(pk=pk).exclude(stored="").first() if pk else None


def face(channel: Channel, agent: Agent) -> str:
    """Path of an agent's picture for visitors; empty where they have none. Also good for some days alone."""
    if not agent.photo:
        return ""
    return reverse("chat_face", args=[channel.token, signing.dumps([agent.pk, channel.pk], salt=FACE)])


def photo_of(channel: Channel, signed: str) -> str:
    """The name in storage of the picture that a signed address of `face` names; empty if there is none."""
    pk = _signed_for(channel, signed, FACE, FACE_AGE)
    return (Agent.objects.filter(pk=pk).values_list("photo", flat=True).first() or "") if pk else ""


def _signed_for(channel: Channel, signed: str, salt: str, age: int) -> int:
    try:
        pk, owner = signing.loads(signed, salt=salt, max_age=age)
    except (signing.BadSignature, ValueError, TypeError):
        return 0
    return int(pk) if owner == channel.pk else 0
