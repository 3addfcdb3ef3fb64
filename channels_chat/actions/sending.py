"""Pages that an agent sends into the visitor's window: a form of the channel's settings, or an address on the web."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils.translation import gettext as _

from channels_chat import config
from channels_chat.actions import chats, continuity, queueing
from channels_chat.models import Chat, ChatState
from inbox.actions import base
from inbox.actions.errors import ActionError
from inbox.models import Agent, Message

MOST_TITLE, MOST_URL, MOST_WORDS = 200, 1000, 2000


def send_form(chat: Chat, key: str, *, by: Agent) -> Message:
    """Send the form with this key of the channel's settings, to be filled in where the visitor writes."""
    form = next((one for one in config.of(chat.channel).forms if one.get("key") == key), None)
    if form is None:
        raise ActionError(_("There is no such form any more."), "no_form")
    language = chat.language or chat.visitor.language or "en"
    fields = [
        {
            "key": one["key"],
            "kind": one.get("kind", "text"),
            "label": _said(one.get("label"), language) or one["key"],
            "required": bool(one.get("required")),
            "options": list(one.get("options") or ()),
        }
        for one in form.get("fields") or ()
    ]
    title = _said(form.get("title"), language) or key
    return _send(chat, title, "form", {"form": key, "title": title, "fields": fields, "values": None}, by)


def send_page(chat: Chat, *, title: str, url: str, text: str = "", by: Agent) -> Message:
    """Show a page in the visitor's window: its title, its address, and a few words."""
    title, url, text = title.strip()[:MOST_TITLE], url.strip(), text.strip()[:MOST_WORDS]
    parts = urlsplit(url) if url else None
    if url and (parts is None or parts.scheme not in {"https", "http"} or not parts.netloc or len(url) > MOST_URL):
        raise ActionError(_("Give a whole address that begins with https://."), "bad_url")
    if not url and not text:
        raise ActionError(_("Give an address, or some words."), "empty")
    title = title or (parts.netloc + parts.path if parts else text[:60])
    return _send(chat, title, "page", {"title": title, "url": url, "text": text}, by)


def _said(texts: Any, language: str) -> str:
    if isinstance(texts, Mapping):
        return str(texts.get(language) or texts.get("en") or next(iter(texts.values()), ""))
    return str(texts or "")


def _send(chat: Chat, text: str, kind: str, data: Mapping[str, Any], by: Agent) -> Message:
    """Write it in the agent's name; it answers the visitor, whose clock stops."""
    with transaction.atomic(), queueing.held(chat) as (row, ticket):
        if row.state == ChatState.ENDED:
            raise ActionError(_("This chat is over."), "ended")
        message = chats.say(row, text, kind=kind, data=data, by=by)
        ticket.refresh_from_db()
        if ticket.waiting_since is not None:
            ticket.waiting_since = None
            base.save(ticket, "waiting_since")
        queueing.answered(message)
        continuity.owe(message)
    return message
