"""What visitors write goes the one way in: stored, taken in, and only then acknowledged.

In each web process one thread does it for all its sockets: what was said while it was busy is taken in together, so
that a hundred visitors cost few transactions. A repeat of a message (same visitor, same client id) is answered with the
first one.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from channels_chat.models import Visitor
from inbox.actions import receive
from inbox.adapters import RawReceipt
from inbox.models import Channel, Message

logger = logging.getLogger(__name__)

MOST = 50  # messages taken in together


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


def take(saids: Sequence[Said]) -> list[Took | None]:
    """Store and take in, in this order; None for what could not be read, which is kept as a failed receipt.

    Database errors pass through: then nobody is told that it arrived, and they say it again.
    """
    by_channel: dict[int, list[int]] = defaultdict(list)
    for place, said in enumerate(saids):
        by_channel[said.channel.pk].append(place)
    answers: list[Took | None] = [None] * len(saids)
    for places in by_channel.values():
        channel = saids[places[0]].channel
        raws = [raw_of(saids[place]) for place in places]
        for place, took in zip(places, _take(channel, raws), strict=True):
            answers[place] = took
    return answers


def _take(channel: Channel, raws: Sequence[RawReceipt]) -> list[Took | None]:
    try:
        with transaction.atomic():  # one commit for both steps
            stored = receive.store(channel, raws, claim=True)
            outcomes = receive.take_in([one.receipt_id for one in stored], patient=False)
    except Exception:
        # Whatever is wrong with taking in, what was said is kept first.
        logger.exception("chat messages are taken in one step after the other")
        stored = receive.store(channel, raws, claim=True)
        outcomes = receive.take_in([one.receipt_id for one in stored], patient=False)
    found = {outcome.receipt_id: outcome for outcome in outcomes}
    times = dict(
        Message.objects.filter(pk__in=[one.message for one in outcomes if one.message]).values_list("pk", "created_at")
    )
    answers: list[Took | None] = []
    for one in stored:
        outcome = found.get(one.receipt_id)
        if outcome is None or not outcome.message or not outcome.ticket or outcome.message not in times:
            answers.append(None)
            continue
        repeated = outcome.status == "duplicate"
        answers.append(Took(outcome.message, outcome.ticket, times[outcome.message], repeated))
    return answers


class Intake:
    """The one of a web process: `say` from its event loop."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1, "chat-intake")
        self.waiting: list[tuple[Said, asyncio.Future[Took | None]]] = []
        self.task: asyncio.Task[None] | None = None

    async def say(self, said: Said) -> Took | None:
        """As `take`, for one. Raises what the database raised."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Took | None] = loop.create_future()
        self.waiting.append((said, answer))
        if self.task is None:
            self.task = loop.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self.waiting:
                batch, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
                try:
                    answers = await loop.run_in_executor(self.thread, _in_thread, [said for said, _ in batch])
                except Exception as error:  # noqa: BLE001 - each of those who wait is told
                    for _said, answer in batch:
                        if not answer.done():
                            answer.set_exception(error)
                    continue
                for (_said, answer), took in zip(batch, answers, strict=True):
                    if not answer.done():
                        answer.set_result(took)
        finally:
            self.task = None


def _in_thread(saids: Sequence[Said]) -> list[Took | None]:
    try:
        return take(saids)
    finally:
        connection.close()  # back into the pool of the web process
