"""What makes a second click harmless: the id that a form was made with, and a digest of what it asked for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256

from django.utils.translation import gettext as _

from inbox.actions.errors import ActionError
from inbox.actions.recipients import Recipients
from inbox.models import (
    Agent,
    Attachment,
    Message,
    MessageKey,
)


def already(by: Agent | None, client_id: str | None, digest: str = "") -> Message | None:
    """The message that a client-made id has become: what makes a second click harmless.

    Raises ActionError when it has become a message of another `digest`: that one must not pass for this one.
    """
    if not client_id:
        return None
    scope = f"client:{by.pk if by else 0}"
    key = MessageKey.objects.filter(scope=scope, key=client_id[:200]).select_related("message__ticket").first()
    if key is None:
        return None
    first = key.message.payload.get("client_digest", "")
    if first and digest and first != digest:
        raise ActionError(
            _("An earlier version of this was already sent; this one was not. Send again if it shall go out as well."),
            "already_sent",
        )
    return key.message


def digest_of(
    kind: str, text: str, html: str = "", recipients: Sequence[Recipients | None] = (), attachments: Sequence[int] = ()
) -> str:
    """What a person asked to send, as a hash in hex; a file is the same file when it was uploaded again."""
    people = [None if some is None else sorted(one["address"].lower() for one in some) for some in recipients]
    files = sorted(Attachment.objects.filter(pk__in=attachments).values_list("name", "digest")) if attachments else []
    asked = [kind, " ".join(text.split()), html, people, files]
    return sha256(json.dumps(asked).encode()).hexdigest()


def once(client_id: str | None, digest: str) -> dict[str, str]:
    """What a message's payload keeps of the client-made id it came with."""
    return {"client_id": client_id[:200], "client_digest": digest} if client_id else {}


def client_key(message: Message, by: Agent | None, client_id: str | None) -> None:
    if client_id:
        MessageKey.objects.create(scope=f"client:{by.pk if by else 0}", key=client_id[:200], message=message)
