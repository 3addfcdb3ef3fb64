"""The values of a chat's intake: what a visitor said, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from channels_chat.models import Visitor
from inbox.adapters import RawReceipt
from inbox.models import Channel, Message


@dataclass(frozen=True, slots=True)
class Said:
    """One utterance of a visitor. `files` are ids of uploads; `meta` what a first message brings of the visit (fields,
    topic, page, language, invitation)."""

    channel: Channel
    visitor: Visitor
    cid: str
    text: str
    files: tuple[int, ...] = ()
    chat: Mapping[str, Any] | None = None
    at: datetime = field(default_factory=timezone.now)
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Took:
    """It is stored: as this message, in this ticket; `repeated` if it was there before."""

    message: int
    ticket: int
    at: datetime
    repeated: bool = False
    line: Message | None = None  # the message as it was written, if this process has it at hand
    visitor: int = 0  # whom it was written to
    changed: datetime | None = None  # what the ticket's row says of its last change, then


def raw_of(said: Said) -> RawReceipt:
    visitor = said.visitor
    body = {
        "cid": said.cid,
        "visitor": visitor.pk,
        "address": visitor.address,
        "name": visitor.name,
        "language": visitor.language,
        "text": said.text,
        **({"files": list(said.files)} if said.files else {}),
        **({"chat": dict(said.chat)} if said.chat else {}),
    }
    name = f"{visitor.public}:{said.cid}"
    return RawReceipt(json.dumps(body, ensure_ascii=False).encode(), name, at=said.at, meta=dict(said.meta))
