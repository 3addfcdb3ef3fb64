"""Platforms keep no order after they failed, and tell twice: what comes of it is the same."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from inbox.actions import receive
from inbox.models import Message, Receipt
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
