"""What agents do with comments: hide and show again, like, delete. Written down with the message, and in the log."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social.meta import BEGINS, MetaAdapter
from channels_social.meta_events import REACTIONS
from inbox import additions, log, wording
from inbox.actions import base, changes
from inbox.actions.errors import ActionError
from inbox.adapters import DeliveryError, Hiding, Reaction, Withdrawal, kinds
from inbox.additions import Piece
from inbox.models import Agent, Direction, Event, Message
from inbox.rights import Right, require
from lib import http

LIKE = REACTIONS["like"]
# What each deed needs, and whether it does something or takes it back.
DEEDS: Mapping[str, tuple[Right, bool]] = {
    "hide": (Right.ANSWER, True),
    "unhide": (Right.ANSWER, False),
    "like": (Right.ANSWER, True),
    "unlike": (Right.ANSWER, False),
    "delete": (Right.CARE, True),
}


def adapter_of(message: Message) -> MetaAdapter | None:
    """The adapter of a message that is somebody's comment, still there."""
    if message.direction != Direction.IN or not message.payload.get("public") or message.withdrawn_at is not None:
        return None
    adapter = kinds().get(message.channel.kind)
    return adapter if isinstance(adapter, MetaAdapter) and message.external_id else None


def do(message: Message, deed: str, *, by: Agent) -> None:
    """Do it on the platform, then write it down. Raises PermissionDenied, and ActionError in words."""
    right, value = DEEDS[deed]
    require(by, right)
    adapter = adapter_of(message)
    if adapter is None or (deed in {"like", "unlike"} and not adapter.rules.likes):
        raise ActionError(_("This cannot be done with this message."), "deed")
    try:
        with http.Session() as session:
            comments = adapter.comments(adapter.api_of(message.channel, session))
            if deed in {"hide", "unhide"}:
                comments.hide(message.external_id, value)
            elif deed in {"like", "unlike"}:
                comments.like(message.external_id, value)
            else:
                comments.remove(message.external_id)
    except DeliveryError as error:
        raise ActionError(str(error.reason), "platform") from error
    now = timezone.now()
    with transaction.atomic():
        # As the platform tells it, which it does as well: what is later counts, whoever says it.
        if deed == "delete":
            changes.apply(message.channel, Withdrawal(message.external_id, now, ours=True))
        elif deed in {"like", "unlike"}:
            changes.apply(message.channel, Reaction(message.external_id, None, LIKE if value else "", now))
        else:
            changes.apply(message.channel, Hiding(message.external_id, value, now))
        log.record(message.ticket, "comment_changed", by=by, message=message.pk, deed=deed)
        base.announce([message.ticket_id], [message.pk])


def liked(message: Message) -> bool:
    """Whether we like it, by Rabta or by the platform's own app."""
    return any(row["by"] == "" and row.get("emoji") for row in message.reactions)


def within(message: Message) -> Piece | None:
    """Where a comment stands, and small buttons for it."""
    if not message.payload.get("public"):
        return None
    adapter = adapter_of(message)
    url = (message.payload.get("post") or {}).get("url")
    context = {
        "message": message.pk,
        "ticket": message.ticket_id,
        "ours": message.direction == Direction.OUT,
        "may_change": adapter is not None,
        "likes": adapter is not None and adapter.rules.likes,
        "hidden": bool(message.payload.get("hidden")),
        "liked": liked(message),
        "url": http.opened(url),
    }
    return Piece("channels_social/_comment.html", context)


def standing(message: Message) -> Piece | None:
    """What a comment stands under, where it begins its ticket; of another one what it answers."""
    if not message.payload.get("public") or message.withdrawn_at is not None:
        return None
    post = message.payload.get("post") or {}
    begins = message.thread_rule in BEGINS and (post.get("text") or post.get("picture"))
    answered = getattr(message, "answered", None)
    if not begins and not answered:
        return None
    context = {
        "answered": answered,
        "post": post if begins else None,
        "picture": bool(post.get("picture")) and begins,
        "url": http.opened(post.get("url")),
        "message": message.pk,
        "ticket": message.ticket_id,
    }
    return Piece("channels_social/_standing.html", context, first=True)


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
    additions.within(standing)
    additions.within(within)
    wording.register("comment_changed", _said)
