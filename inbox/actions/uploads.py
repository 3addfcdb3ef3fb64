"""Files that agents put into messages."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from inbox import files
from inbox.actions.errors import ActionError
from inbox.files import PICTURES
from inbox.models import Agent, Attachment, Message
from lib import html


def upload(*, by: Agent | None, name: str, content_type: str, content: bytes) -> Attachment:
    """Store a file that waits until a message names its id; what is never named is pruned."""
    stored, digest = files.put("uploads", content)
    safe = "".join(c for c in name.replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable()).strip(". ") or "file"
    row = Attachment.objects.create(
        uploaded_by=by,
        name=safe[-200:],
        content_type=content_type[:127] or "application/octet-stream",
        size=len(content),
        digest=digest,
        stored=stored,
    )
    if row.content_type in PICTURES:  # it may come to stand in a text, which names it so
        row.content_id = f"{row.pk}-{digest[:16]}@rabta"
        row.save(update_fields=["content_id"])
    return row


def attach(message: Message, ids: Sequence[int], *, by: Agent | None) -> None:
    """Put waiting uploads of this agent into a message. Raises ActionError when one is not theirs, or is used."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return
    taken = Attachment.objects.filter(pk__in=wanted, message__isnull=True, uploaded_by=by).update(message=message)
    if taken != len(wanted):
        raise ActionError(_("A file is no longer there; add it again."), "attachment_gone")
    if message.html and (shown := html.content_ids(message.html)):
        Attachment.objects.filter(message=message, content_id__in=shown, content_type__in=PICTURES).update(inline=True)


def again(message: Message, *, by: Agent) -> list[int]:
    """The files of a message as waiting uploads of this agent: rows of their own for the same bytes. Returns ids."""
    copies = [
        Attachment(
            uploaded_by=by,
            name=one.name,
            content_type=one.content_type,
            size=one.size,
            digest=one.digest,
            stored=one.stored,
            inline=one.inline,
            content_id=one.content_id,
        )
        for one in message.attachments.order_by("pk")
    ]
    return [one.pk for one in Attachment.objects.bulk_create(copies)]
