"""What visitors write goes the one way in: stored, taken in, and only then acknowledged.

In each web process one thread does it for all its sockets: what was said while it was busy is taken in together, so
that a hundred visitors cost few transactions. A repeat of a message (same visitor, same client id) is answered with the
first one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from django.db import DatabaseError, OperationalError, connection, transaction

from channels_chat import patience
from channels_chat.actions import quick
from channels_chat.intake_values import Said, Took, raw_of
from channels_chat.patience import Held
from inbox.actions import receive
from inbox.actions.receive import Stored
from inbox.actions.work import Outcome
from inbox.adapters import RawReceipt
from inbox.models import Channel, Message

__all__ = ["Batcher", "Held", "Said", "Took", "each", "raw_of", "take"]

logger = logging.getLogger(__name__)

MOST = 50  # messages taken in together
IDLE = 0.5  # seconds that a thread keeps its connection for what may come
T = TypeVar("T")
A = TypeVar("A")


def take(saids: Sequence[Said], origin: str = "") -> list[Took | None]:
    """Store and take in, in this order; None for what could not be read, which is kept as a failed receipt.

    Database errors pass through: then nobody is told that it arrived, and they say it again. So does Held.
    """
    took: list[Took | None] = []
    for one in each(saids, origin):
        if isinstance(one, Held):
            raise one
        took.append(one)
    return took


def each(saids: Sequence[Said], origin: str = "") -> list[Took | Held | None]:
    """As `take`; but what needs a ticket that somebody holds is answered with Held, and those beside it are taken."""
    answers: list[Took | Held | None] = [*_quickly(saids, origin)]
    by_channel: dict[int, list[int]] = defaultdict(list)
    for place, said in enumerate(saids):
        if answers[place] is None:
            by_channel[said.channel.pk].append(place)
    for places in by_channel.values():
        channel = saids[places[0]].channel
        raws = [raw_of(saids[place]) for place in places]
        for place, took in zip(places, _take(channel, raws), strict=True):
            answers[place] = took
    return answers


def _quickly(saids: Sequence[Said], origin: str) -> list[Took | None]:
    """What of it is an ordinary line of a talk. Where that fails, all of it goes the long way."""
    try:
        return quick.take(saids, origin)
    except DatabaseError as error:
        if quick.is_away(error):
            raise
        return [None] * len(saids)


def _take(channel: Channel, raws: Sequence[RawReceipt]) -> Sequence[Took | Held | None]:
    try:
        stored, outcomes = _both_steps(channel, raws)
    except OperationalError as error:
        if not patience.is_held(error):
            raise
        patience.in_vain()
        return [took for raw in raws for took in _take(channel, [raw])] if len(raws) > 1 else [Held()]
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


def _both_steps(channel: Channel, raws: Sequence[RawReceipt]) -> tuple[list[Stored], list[Outcome]]:
    try:
        with transaction.atomic():  # one commit for both
            patience.bound()
            stored = receive.store(channel, raws, claim=True)
            return stored, receive.take_in([one.receipt_id for one in stored], patient=False)
    except Exception as error:
        if patience.is_held(error):
            raise
        # Whatever is wrong with taking in, what was said is kept first.
        logger.exception("chat messages are taken in one step after the other")
        stored = receive.store(channel, raws, claim=True)
        with transaction.atomic():
            patience.bound()
            return stored, receive.take_in([one.receipt_id for one in stored], patient=False)


def give_back() -> None:
    """The connection of this thread goes back into the pool of the web process."""
    connection.close()


class Batcher(Generic[T, A]):
    """Work that comes one by one to an event loop, and is done by one thread, whatever waits together.

    The thread keeps its connection to the database, and gives it back once there is nothing to do for a moment. Between
    one line and its answer there are as few turns of the loop as can be: people wait for each other's words. An answer
    that is Held is raised where it was asked for.
    """

    def __init__(self, name: str, work: Callable[[list[T]], Sequence[A | Held]]) -> None:
        self.thread = ThreadPoolExecutor(1, name)
        self.work = work
        self.waiting: list[tuple[T, asyncio.Future[A]]] = []
        self.busy = False
        self.resting: asyncio.TimerHandle | None = None

    async def do(self, one: T) -> A:
        """What `work` answers for this one. Raises what it raised."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[A] = loop.create_future()
        self.waiting.append((one, answer))
        if not self.busy:
            self._hand_over(loop)
        return await answer

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        if self.resting is not None:
            self.resting.cancel()
        batch, self.waiting = self.waiting[:MOST], self.waiting[MOST:]
        self.busy = True
        self.thread.submit(self._in_thread, loop, batch)

    def _in_thread(self, loop: asyncio.AbstractEventLoop, batch: list[tuple[T, asyncio.Future[A]]]) -> None:
        answers: Sequence[A | Held] | Exception
        try:
            answers = self.work([one for one, _answer in batch])
        except Exception as error:  # noqa: BLE001 - each of those who wait is told
            answers = error
            connection.close()  # whatever is wrong with it, the next one is new
        with contextlib.suppress(RuntimeError):  # the loop is over, and nobody waits
            loop.call_soon_threadsafe(self._told, loop, batch, answers)

    def _told(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[tuple[T, asyncio.Future[A]]],
        answers: Sequence[A | Held] | Exception,
    ) -> None:
        for place, (_one, answer) in enumerate(batch):
            if answer.done():  # whoever waited has gone
                continue
            told = answers if isinstance(answers, Exception) else answers[place]
            if isinstance(told, Exception):
                answer.set_exception(told)
            else:
                answer.set_result(told)
        self.busy = False
        if self.waiting:
            self._hand_over(loop)
        else:
            self.resting = loop.call_later(IDLE, self._rest)

    def _rest(self) -> None:
        if not self.busy:
            self.thread.submit(give_back)
