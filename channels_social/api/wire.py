"""What leaves to an integrator's software: signed events, and what its answers mean."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from django.utils.translation import gettext as _

from channels_social import errors, public, reading
from channels_social.api import shapes
from channels_social.api.events import PING
from channels_social.messenger import Part
from inbox.adapters import DeliveryError
from inbox.models import Attachment, Message
from lib import http, net, standard_webhooks

SECONDS = 20.0  # for one call in all, however their software dawdles
MOST_SAID = 300  # characters of their own words that agents read


@dataclass(frozen=True, slots=True)
class Piece(Part):
    """One event of an answer: the first brings the files, too. `place` counts from 0."""

    place: int = 0
    files: tuple[Attachment, ...] = ()


def name_of(message: Message, place: int = 0) -> str:
    """How Rabta calls a message, or a further part of it: the same at each try, so that a repeat is known as one."""
    return f"m{message.pk}-{place + 1}" if place else f"m{message.pk}"


def event_of(message: Message, piece: Piece) -> dict[str, Any]:
    """What is posted of an answer."""
    thread = message.payload.get("thread") or {}
    found: dict[str, Any] = {
        "type": "message.created",
        "id": name_of(message, piece.place),
        "to": {"id": message.to[0]["address"] if message.to else ""},
        "text": piece.text,
        "thread": {"id": thread["id"]} if thread.get("id") else None,
        "in_reply_to": message.in_reply_to or None,
        "public": bool(message.payload.get("public")),
        "attachments": [
            {"name": one.name, "content_type": one.content_type, "size": one.size, "url": public.url_of(one)}
            for one in piece.files
        ],
        "author": {"name": message.author_name},
    }
    return found


class Integrator:
    """One channel's receiver, for whom calls are signed with all `secrets`, the newest first.

    Raises DeliveryError for all that goes wrong.
    """

    def __init__(self, session: requests.Session, url: str, secrets: Sequence[str]) -> None:
        self.session = session
        self.url = url
        self.secrets = secrets

    def send_part(self, message: Message, part: Part) -> str:
        assert isinstance(part, Piece)
        ours = name_of(message, part.place)
        theirs = reading.text(self.post(ours, event_of(message, part)).get("external_id"), shapes.LONGEST_ID).strip()
        # One that looks like ours would be taken for another message.
        return theirs if theirs and theirs.isprintable() and not shapes.OURS.fullmatch(theirs) else ours

    def probe(self) -> None:
        """Nothing: what is posted twice is known as one."""

    def ping(self) -> None:
        """Try whether they take what we sign."""
        self.post(f"ping_{int(time.time() * 1000)}", {"type": PING})

    def post(self, message_id: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """Post an event; returns what was answered, where that is JSON."""
        body = json.dumps(event, ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Accept-Encoding": "identity",
            "User-Agent": f"Rabta-Channel/1 (+{settings.BASE_URL})",
            **standard_webhooks.headers(self.secrets, message_id, int(time.time()), body),
        }
        try:
            with (
                net.cut_after(SECONDS) as deadline,
                self.session.post(self.url, data=body, headers=headers, stream=True) as response,
            ):
                if deadline.cut:
                    raise TimeoutError
                return self._answer(response)
        except (requests.RequestException, OSError) as error:
            raise errors.of_request(error, _("The channel's software")) from None

    def _answer(self, response: requests.Response) -> Mapping[str, Any]:
        status = response.status_code
        try:
            content = http.body(response, 64 * 1024)
        except (requests.RequestException, OSError):
            content = b""  # it has answered: the status line is what counts
        if 200 <= status < 300:
            return reading.table(_json(content))
        raise refusal(status, _said(content), http.retry_after(response.headers.get("Retry-After", "")))


def refusal(status: int, said: str, wait: float = 0.0) -> DeliveryError:
    """What a status that is no success means."""
    told = {"status": status, "said": said or "—"}
    if status == 410:
        return errors.auth(_("The channel's software wants nothing more (410 Gone). Give another address."))
    if 300 <= status < 400:
        return errors.auth(_("The channel's address leads elsewhere (%(status)s): give the final one.") % told)
    if status == 429:
        return errors.rate(_("The channel's software takes no more for the moment."), wait or 30.0)
    if status >= 500 or status == 408:
        reason = _("The channel's software has trouble of its own (%(status)s): %(said)s") % told
        return DeliveryError(reason, permanent=False, retry_after=wait or None)
    return errors.permanent(_("The channel's software refused this (%(status)s): %(said)s") % told)


def _json(content: bytes) -> Any:
    try:
        return reading.load(content)
    except ValueError:
        return None


def _said(content: bytes) -> str:
    """Their reason in words: of problem+json its detail, of other JSON what is called so, else the text as it is."""
    told = _json(content)
    if isinstance(told, Mapping):
        named = (reading.text(told.get(name), MOST_SAID) for name in ("detail", "message", "error", "title"))
        return " ".join(next((one for one in named if one), "").split())
    text = content.decode(errors="replace").strip()
    return "" if text.startswith("<") else " ".join(reading.text(text, MOST_SAID).split())
