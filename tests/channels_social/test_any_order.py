"""Platforms keep no order after they failed, and tell twice: what comes of it is the same."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import combinations, permutations
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from inbox import delivery
from inbox.actions import messages, receive, reply
from inbox.adapters import DeliveryUpdate
from inbox.models import Agent, Message, MessagePart, Receipt, Role, Ticket
from tests import chatter


def run(events: list[tuple[int, chatter.Event]], channels: int, seed: int | None) -> dict[str, Any]:
    """The state that a history leads to: in order, or (seed) shuffled, a tenth repeated, a twentieth late."""
    rows = chatter.make_channels(channels)
    if seed is None:
        for place in range(0, len(events), 40):
            chatter.bring(rows, events[place : place + 40])
            chatter.settle()
    else:
        chance = random.Random(seed)
        mixed = chance.sample(events, len(events))
        late = [one for one in mixed if chance.random() < 0.05]
        chatter.bring(rows, [one for one in mixed if one not in late], copies=0.1, seed=seed)
        receive.take_in_waiting()
        chatter.bring(rows, late)
        chatter.settle()
    return chatter.told(rows)


@pytest.mark.django_db
def test_any_order_and_repeats_lead_to_the_same() -> None:
    events = chatter.history(250, 4, seed=5)
    found = []
    for seed in (None, 1, 2):
        with transaction.atomic():
            found.append(run(events, 4, seed))
            transaction.set_rollback(True)
    for other in found[1:]:
        for noun, rows in found[0].items():
            assert other[noun] == rows, noun


@pytest.mark.django_db
def test_news_of_nothing_is_let_go_of_after_a_while() -> None:
    (channel,) = chatter.make_channels(1)
    event = {"id": "x", "who": "u", "at": chatter.BEGAN.isoformat(), "what": "edits", "about": "nothing", "text": "?"}
    receive.put(channel, [chatter.receipt(event)])
    receive.take_in_waiting()
    receipt = Receipt.objects.get()
    assert receipt.state == "new"
    assert receipt.attempts == 0
    assert receipt.next_attempt_at > timezone.now()
    Receipt.objects.update(received_at=timezone.now() - chatter.Chatter.patience, next_attempt_at=timezone.now())
    receive.take_in_waiting()
    receipt.refresh_from_db()
    assert (receipt.state, receipt.reason) == ("ignored", "edit about no message of ours")


@pytest.mark.django_db
def test_a_flood_on_one_channel_leaves_others_their_share() -> None:
    flooded, quiet = chatter.make_channels(2)
    flood = [(0, {"id": f"f{n}", "who": "u", "at": chatter.BEGAN.isoformat(), "what": "says", "text": f"{n}"})
             for n in range(500)]  # fmt: skip
    chatter.bring([flooded, quiet], flood)
    receive.put(quiet, [chatter.receipt({**flood[0][1], "id": "q", "text": "And I?"})])
    receive.take_in_waiting(batches=1)
    assert Message.objects.filter(channel=quiet).exists()
    assert Message.objects.filter(channel=flooded).count() < 100


STATES = ("sent", "delivered", "read", "failed")


def after(message: Message, told: Iterable[tuple[str, str]], began: str) -> tuple[str, bool]:
    """Where these reports (id, state) lead a message that began so: its state, and whether its ticket has a failure."""
    with transaction.atomic():
        Message.objects.filter(pk=message.pk).update(state=began)
        for external_id, state in told:
            update = DeliveryUpdate(external_id, state, reference=message.pk)  # type: ignore[arg-type]
            assert messages.delivery_update(message.channel, update)
        found = Message.objects.select_related("ticket").get(pk=message.pk)
        transaction.set_rollback(True)
    return found.state, found.ticket.delivery_failed


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch, db: None) -> Message:
    """An answer that has left, or is just leaving: a report may overtake the platform's own answer."""
    (channel,) = chatter.make_channels(1)
    said = {"id": "x", "who": "u", "at": timezone.now().isoformat(), "what": "says", "text": "Hello"}
    chatter.bring([channel], [(0, said)])
    receive.take_in_waiting()
    monkeypatch.setattr(chatter.Chatter, "scope", lambda _self, channel: f"channel:{channel.pk}")
    monkeypatch.setattr(chatter.Chatter, "send_part", lambda _self, message, part: f"id-{part.text[:3]}")
    sana = Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.AGENT)
    message = reply.reply(Ticket.objects.get(), by=sana, text="one " + "x" * 80 + " two " + "x" * 80)
    assert delivery.deliver(channel.pk) == 1
    message.refresh_from_db()
    return message


@pytest.mark.parametrize("began", ["sent", "sending", "unknown"])
def test_reports_in_any_order_have_one_end(ours: Message, began: str) -> None:
    MessagePart.objects.all().delete()
    Message.objects.update(payload={})
    for count in range(1, 5) if began == "sent" else (2,):
        for some in combinations(STATES, count):
            ends = {after(ours, [("id-one", one) for one in order], began) for order in permutations(some)}
            assert len(ends) == 1, (some, ends)
            ((state, shown),) = ends
            assert (state == "failed") is ("failed" in some and "read" not in some) is shown
            assert state == "failed" or state == max(some, key=("failed", *STATES[:3]).index)


def test_reports_of_parts_in_any_order_have_one_end(ours: Message) -> None:
    """As far as the slowest part, and failed where one of them is, unless all were read."""
    ids = list(MessagePart.objects.order_by("position").values_list("external_id", flat=True))
    assert len(ids) == 2
    chance = random.Random(7)
    for one in STATES[1:]:
        for other in STATES[1:]:
            told = [(ids[0], "delivered"), (ids[0], one), (ids[1], "delivered"), (ids[1], other)]
            ends = {after(ours, chance.sample(told, len(told)), "sent") for _order in range(5)}
            assert len(ends) == 1, (one, other, ends)
            ((state, _shown),) = ends
            assert (state == "failed") is ("failed" in {one, other})


def test_what_never_left_as_a_whole_was_not_read(ours: Message) -> None:
    MessagePart.objects.filter(position=1).delete()
    assert after(ours, [("id-one", "failed"), ("id-one", "read")], "sent") == ("failed", True)
