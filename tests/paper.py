"""A channel without a wire, for tests of the core: what is received is JSON, what is sent lands in a list.

`Paper.answers` scripts what the far server says: each entry is raised, or None for accepted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import uuid4

from inbox.adapters import (
    Adapter,
    DeliveryError,
    DeliveryUpdate,
    Ignore,
    Inbound,
    Parsed,
    Party,
    RawReceipt,
    Sent,
    register,
)
from inbox.models import Channel, Message, Receipt


@register
class Paper(Adapter):
    kind = "paper"
    label = "Paper"
    identity_kind = "email"
    repeat_safe: ClassVar[bool] = True
    reopen_days = 14
    joins_open_ticket = False
    sent: ClassVar[list[int]] = []
    answers: ClassVar[list[Exception | None]] = []
    away: ClassVar[bool] = False

    def parse(self, receipt: Receipt, raw: bytes) -> Sequence[Parsed]:
        told = json.loads(raw)
        if "ignore" in told:
            raise Ignore(told["ignore"])
        if "update" in told:
            return [DeliveryUpdate(**told["update"])]
        return [inbound(**told)]

    @contextmanager
    def connection(self, channel: Channel) -> Iterator[Any]:
        if Paper.away:
            raise DeliveryError("Nobody answers.", permanent=False)
        yield None

    def freeze(self, message: Message, answered: Message | None) -> None:
        message.external_id = f"ours-{message.ticket_id}-{uuid4()}"

    def send(self, message: Message, connection: Any) -> Sent:
        answer = Paper.answers.pop(0) if Paper.answers else None
        if answer is not None:
            raise answer
        Paper.sent.append(message.pk)
        return Sent()


def inbound(key: str, sender: str = "ayesha@example.com", **told: Any) -> Inbound:
    """An Inbound with sensible rest; addresses are plain strings."""
    for name in ("to", "cc", "reply_to"):
        told[name] = tuple(Party("email", value) for value in told.get(name, ()))
    for name in ("references", "tokens"):
        told[name] = tuple(told.get(name, ()))
    told.setdefault("text", "Where is my parcel?")
    told.setdefault("external_id", key)
    told.setdefault("scope", "paper")
    return Inbound(key=key, sender=Party("email", sender, sender.split("@")[0].title()) if sender else None, **told)


def raw(key: str, **told: Any) -> RawReceipt:
    body = json.dumps({"key": key, **told}).encode()
    return RawReceipt(body, external_id=f"{key}:{hash(body)}", key=key)
