"""The queue under any order of deeds: rows stay consistent, the oldest is first, nobody has more than their room; and
the same with everybody at once.
"""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels_chat import crew, queue
from channels_chat.actions import endings, queueing
from channels_chat.models import Chat, ChatEnd, ChatState, Desk
from inbox.actions import tickets
from inbox.actions.errors import ActionError
from inbox.models import Agent, Channel, Event
from tests.channels_chat.cast import fresh, here, set_back, waiting, with_bot

MOST = 2


def consistent() -> None:
    """What holds of every chat and its engagement, at any time."""
    for chat in Chat.objects.select_related("engagement"):
        engagement = chat.engagement
        assert (chat.state == ChatState.ENDED) == (engagement.ended_at is not None) == bool(chat.end)
        assert (chat.state == ChatState.ACTIVE) <= (engagement.agent_id is not None)
        assert (engagement.agent_id is not None) <= (engagement.accepted_at is not None)
        if chat.state in {ChatState.BOT, ChatState.WAITING}:
            assert engagement.agent_id is None
        if chat.state == ChatState.WAITING:
            assert chat.queued_at is not None and chat.waits_since is not None
            assert chat.queued_at <= chat.waits_since and engagement.requested_at <= chat.waits_since
        else:
            assert chat.offered_to_id is None and chat.offer_until is None and not chat.passed
            assert chat.overflow_at is None and chat.wanted_id is None
        if chat.offered_to_id is not None:
            assert chat.offer_until is not None and engagement.offered_at is not None
            assert chat.offered_to_id not in chat.passed
        if engagement.accepted_at is not None and engagement.ended_at is not None:
            assert engagement.accepted_at <= engagement.ended_at


def fair(present: list[Agent], before: dict[int, int | None]) -> None:
    """After a round: nobody waits whom somebody could take, no younger one came first, nobody was offered too much."""
    hands = crew.of({one.pk for one in present})
    crew.weigh(hands.values(), fresh(Chat.objects.earliest("pk")).engagement.requested_at)
    line = list(Chat.objects.filter(state=ChatState.WAITING).order_by("queued_at", "pk"))
    new = [chat for chat in line if chat.offered_to_id and before.get(chat.pk) != chat.offered_to_id]
    for chat in new:
        assert hands[chat.offered_to_id or 0].load <= MOST
    for place, chat in enumerate(line):
        if chat.offered_to_id is None:
            free = {one.agent for one in hands.values() if one.has_room}
            assert free <= set(chat.passed)
            assert not {one.offered_to_id for one in line[place:] if one in new} - set(chat.passed)


DEEDS = st.tuples(
    st.sampled_from(
        ["comes", "bot", "round", "round", "accept", "take", "pass", "transfer", "release", "end", "solve", "goes",
         "returns", "leaves", "later"]
    ),
    st.integers(0, 5),
    st.integers(0, 2),
)  # fmt: skip


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DEEDS, min_size=10, max_size=24))
def test_any_order_of_deeds(shop: Channel, sana: Agent, omar: Agent, zoya: Agent, deeds: list[Any]) -> None:
    people = [sana, omar, zoya]
    with transaction.atomic():
        Desk.objects.bulk_create(Desk(agent=one, most=MOST) for one in people)
        present = list(people)
        waiting(shop, "First")
        for what, which, who in deeds:
            _do(shop, people[who], people, present, what, which)
            consistent()
        transaction.set_rollback(True)


def _do(shop: Channel, agent: Agent, people: list[Agent], present: list[Agent], what: str, which: int) -> None:
    chats = list(Chat.objects.select_related("engagement__ticket").order_by("pk"))
    chat = chats[which % len(chats)]
    offered = next((one for one in chats if one.offered_to_id == agent.pk), chat)
    before = {one.pk: one.offered_to_id for one in chats}
    match what:
        case "comes" if len(chats) < 8:
            waiting(shop, f"V{len(chats)}")
        case "bot" if len(chats) < 8:
            with_bot(shop, f"V{len(chats)}")
        case "goes" if agent in present:
            present.remove(agent)
        case "returns" if agent not in present:
            present.append(agent)
        case "round":
            here(*present)
            queue.tend()
            fair(present, before)
        case "later":
            for one in chats:
                set_back(one, 31)
        case "leaves":
            endings.end(chat, why=ChatEnd.VISITOR)
        case "end":
            endings.end(chat, why=ChatEnd.AGENT, by=agent)
        case "release":
            queueing.release(chat, reason="back", by=agent)
        case "solve":
            tickets.set_status(chat.engagement.ticket, "solved", by=agent)
        case "pass":
            queueing.pass_on(offered, by=agent)
        case "accept" | "take" | "transfer":
            try:
                if what == "transfer":
                    queueing.transfer(chat, by=agent, to=people[which % 3])
                elif what == "take" or offered.offered_to_id == agent.pk:
                    queueing.accept(offered if what == "accept" else chat, by=agent)
            except ActionError as refused:
                assert refused.code in {"taken", "ended"}


@pytest.mark.django_db(transaction=True)
def test_everybody_at_once(shop: Channel, sana: Agent, omar: Agent, zoya: Agent) -> None:
    """Agents accept, pass and end what they are offered, visitors come and leave, rounds run: all in parallel."""
    people = [sana, omar, zoya]
    Desk.objects.bulk_create(Desk(agent=one, most=MOST) for one in people)
    here(*people)
    over, wrong = threading.Event(), []
    chats = [waiting(shop, f"V{number}") for number in range(6)]

    def keep_on(step: Any) -> None:
        chance = random.Random(str(step))
        try:
            while not over.is_set():
                step(chance)
        except Exception as error:
            wrong.append(error)
            raise
        finally:
            connection.close()

    def works(agent: Agent) -> Any:
        def step(chance: random.Random) -> None:
            for chat in Chat.objects.filter(offered_to=agent):
                if chance.random() < 0.3:
                    queueing.pass_on(chat, by=agent)
                elif Chat.objects.filter(pk=chat.pk, offered_to=agent).exists():
                    try:
                        queueing.accept(chat, by=agent)
                    except ActionError:  # they left meanwhile
                        continue
            for chat in Chat.objects.filter(state=ChatState.ACTIVE, engagement__agent=agent)[:1]:
                endings.end(chat, why=ChatEnd.AGENT, by=agent)

        return step

    def comes(chance: random.Random) -> None:
        chats.append(waiting(shop, f"V{len(chats)}"))
        if chance.random() < 0.3:
            endings.end(chance.choice(chats), why=ChatEnd.VISITOR)
        if len(chats) >= 14:
            over.set()

    steps = [*(works(one) for one in people), comes, lambda _chance: queue.tend(), lambda _chance: queue.tend()]
    threads = [threading.Thread(target=keep_on, args=[step]) for step in steps]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert not wrong
    consistent()
    for _ in range(60):  # nobody is lost: what is left is answered in the end
        queue.tend()
        for chat in Chat.objects.filter(state=ChatState.WAITING).exclude(offered_to=None):
            owner = queueing.accept(chat, by=chat.offered_to).engagement.agent  # type: ignore[arg-type]
            endings.end(chat, why=ChatEnd.AGENT, by=owner)
        for chat in Chat.objects.filter(state=ChatState.ACTIVE):
            endings.end(chat, why=ChatEnd.AGENT)
        Chat.objects.filter(state=ChatState.WAITING).update(offer_until=None)
    assert set(Chat.objects.values_list("state", flat=True)) == {ChatState.ENDED}
    _replay()


def _replay() -> None:
    """The log of it: one offer at a time, one owner, never more than there is room for."""
    offered: dict[int, int] = {}
    owner: dict[int, int] = {}
    load: dict[int, int] = defaultdict(int)
    for event in Event.objects.filter(kind__startswith="chat_").order_by("pk"):
        chat = event.data["engagement"]
        match event.kind:
            case "chat_offered":
                assert chat not in offered and chat not in owner
                offered[chat] = event.data["to"]
                load[event.data["to"]] += 1
                assert load[event.data["to"]] <= MOST
            case "chat_passed":
                load[offered.pop(chat)] -= 1
            case "chat_accepted":
                assert chat not in owner
                assert event.actor_id is not None
                owner[chat] = event.actor_id
                if offered.pop(chat, None) != event.actor_id:
                    load[event.actor_id] += 1
            case "chat_ended":
                gone = owner.pop(chat, None) or offered.pop(chat, None)
                if gone is not None:
                    load[gone] -= 1
    assert not owner and not offered
