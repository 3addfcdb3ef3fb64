"""What agents do with comments: hide and show again, like, delete. Written down with the message, and in the log."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social.meta import MetaAdapter
from inbox import additions, log, wording
from inbox.actions import base, changes
from inbox.actions.errors import ActionError
from inbox.adapters import DeliveryError, Withdrawal, kinds
from inbox.additions import Piece
from inbox.models import Agent, Direction, Event, Message
from inbox.rights import Right
from lib import http

# What each deed needs, and what it makes of the comment: the name in its payload, and the value there.
DEEDS: Mapping[str, tuple[Right, str, bool]] = {
    "hide": (Right.ANSWER, "hidden", True),
    "unhide": (Right.ANSWER, "hidden", False),
    "like": (Right.ANSWER, "liked", True),
    "unlike": (Right.ANSWER, "liked", False),
    "delete": (Right.CARE, "", True),
}


def adapter_of(message: Message) -> MetaAdapter | None:
    """The adapter of a message that is somebody's comment, still there."""
    if message.direction != Direction.IN or not message.payload.get("public") or message.withdrawn_at is not None:
        return None
    adapter = kinds().get(message.channel.kind)
    return adapter if isinstance(adapter, MetaAdapter) and message.external_id else None


def do(message: Message, deed: str, *, by: Agent) -> None:
    """Do it on the platform, then write it down. Raises ActionError, in words."""
    adapter = adapter_of(message)
    if adapter is None or (deed in {"like", "unlike"} and not adapter.rules.likes):
        raise ActionError(_("This cannot be done with this message."), "deed")
    _right, name, value = DEEDS[deed]
    try:
        with http.Session() as session:
            comments = adapter.comments(adapter.api_of(message.channel, session))
            if name == "hidden":
                comments.hide(message.external_id, value)
            elif name == "liked":
                comments.like(message.external_id, value)
            else:
                comments.remove(message.external_id)
    except DeliveryError as error:
        raise ActionError(str(error.reason), "platform") from error
    with transaction.atomic():
        if name:
            row = Message.objects.select_for_update(no_key=True).get(pk=message.pk)
            row.payload[name] = value
            row.save(update_fields=["payload"])
        else:
            changes.apply(message.channel, Withdrawal(message.external_id, timezone.now()))
        log.record(message.ticket, "comment_changed", by=by, message=message.pk, deed=deed)
        base.announce([message.ticket_id], [message.pk])


def within(message: Message) -> Piece | None:
    """Where a comment stands, and small buttons for it."""
    if not message.payload.get("public"):
        return None
    adapter = adapter_of(message)
    url = str((message.payload.get("post") or {}).get("url") or "")
    context = {
        "message": message.pk,
        "ticket": message.ticket_id,
        "ours": message.direction == Direction.OUT,
        "may_change": adapter is not None,
        "likes": adapter is not None and adapter.rules.likes,
        "hidden": bool(message.payload.get("hidden")),
        "liked": bool(message.payload.get("liked")),
        "url": url if url.startswith("https://") else "",
    }
    return Piece("channels_social/_comment.html", context)


WORDS = {
    "hide": gettext_lazy("hid a comment"),
    "unhide": gettext_lazy("showed a comment again"),
    "like": gettext_lazy("liked a comment"),
    "unlike": gettext_lazy("took back a like"),
    "delete": gettext_lazy("deleted a comment"),
}


def _said(event: Event, names: Mapping[int, str]) -> str:
    return str(WORDS.get(str(event.data.get("deed")), ""))


def register() -> None:
    """Called once, when the app is ready."""
    additions.within(within)
    wording.register("comment_changed", _said)
