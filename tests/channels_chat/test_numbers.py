"""Figures of the bot, invitations and journeys, against histories made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from channels_chat import numbers
from channels_chat.models import Chat, FlowEntry, InvitationRun, JourneyRun
from inbox.models import Agent, Channel
from tests.channels_chat.cast import chat_channel, chosen, waiting

SINCE, UNTIL = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PAGE = "/settings/channels/shop/chat/numbers/"


def run(
    channel: Channel, visit: str, *, on: int = 5, done: bool = False, talked: bool = False, key: str = "buy"
) -> None:
    at = SINCE + on * DAY
    JourneyRun.objects.create(
        channel=channel,
        journey=key,
        visit=visit,
        started_at=at,
        completed_at=at + DAY if done else None,
        contacted_at=at if talked else None,
    )


def test_journey_abandonment(shop: Channel) -> None:
    for number, (done, talked) in enumerate([(1, 1), (1, 1), (0, 1), (1, 0), (0, 0), (0, 0), (0, 0)]):
        run(shop, f"visit-{number}", done=bool(done), talked=bool(talked))
    run(shop, "before", on=-1)
    run(shop, "after", on=31)
    run(shop, "other", key="signup", on=0, done=True)
    run(chat_channel("Elsewhere"), "visit-0")
    found = numbers.journey_abandonment([shop.pk], SINCE, UNTIL)
    buy = found["buy"]
    assert (buy.started, buy.completed) == (7, 3)
    assert buy.abandonment.value == pytest.approx(1 - 3 / 7)
    assert (buy.abandonment_contacted.hits, buy.abandonment_contacted.of) == (1, 3)
    assert (buy.abandonment_alone.hits, buy.abandonment_alone.of) == (3, 4)
    assert found["signup"].abandonment.value == 0
    assert found["signup"].abandonment_contacted.value is None  # no data is no zero
    assert numbers.journey_abandonment([], SINCE, UNTIL) == {}


def test_the_interval_is_wilsons() -> None:
    low, high = numbers.wilson(8, 10) or (0, 0)
    assert (round(low, 4), round(high, 4)) == (0.4902, 0.9433)
    assert numbers.wilson(0, 0) is None
    assert numbers.wilson(0, 5)[0] == 0
    assert numbers.wilson(5, 5)[1] == pytest.approx(1)


def invited(channel: Channel, visit: str, *, held: bool = False, **at: bool) -> None:
    moment = SINCE + DAY
    InvitationRun.objects.create(
        channel=channel,
        invitation="cart",
        visit=visit,
        held=held,
        due_at=moment,
        **{f"{name}_at": moment for name, happened in at.items() if happened},
    )


def test_invitations_beside_those_who_were_not_shown_them(shop: Channel) -> None:
    for number in range(40):
        invited(shop, f"shown-{number}", shown=True, opened=number < 20, answered=number < 10, converted=number < 24)
    for number in range(20):
        invited(shop, f"held-{number}", held=True, converted=number < 4)
    invited(shop, "gone", shown=True, dismissed=True)
    InvitationRun.objects.create(channel=shop, invitation="agent:5", visit="x", due_at=SINCE, shown_at=SINCE)
    [cart] = numbers.invitations([shop.pk], SINCE, UNTIL).values()
    assert (cart.due, cart.held, cart.shown, cart.opened, cart.answered, cart.dismissed) == (61, 20, 41, 20, 10, 1)
    assert (cart.converted, cart.held_converted) == (24, 4)
    assert cart.effect == pytest.approx(24 / 41 - 4 / 20)
    assert cart.is_certain
    assert numbers.Invitation("new").effect is None
    assert not numbers.Invitation("new").is_certain


def entry(chat: Chat, step: str, what: str, choice: str = "") -> None:
    FlowEntry.objects.create(chat=chat, step=step, what=what, choice=choice, at=SINCE + DAY)


def history(channel: Channel) -> None:
    """Three chats: one helped, one who was not understood twice, one who left."""
    one, two, three = (waiting(channel, name) for name in ("A", "B", "C"))
    for chat in (one, two, three):
        entry(chat, "hello", "entered")
    entry(one, "hello", "chosen", "returns")
    entry(one, "hello", "entered")  # a second time
    entry(one, "help", "entered")
    entry(one, "help", "helped")
    for _again in range(2):
        entry(two, "hello", "fallback")
    entry(two, "hello", "handoff", "missed")
    entry(three, "hello", "left")


def test_the_flow(shop: Channel) -> None:
    history(shop)
    found = numbers.flow([shop.pk], SINCE, UNTIL)
    assert (found.chats, found.confirmed, found.handed_over, found.left) == (3, 1, 1, 1)
    assert found.reasons == {"missed": 1}
    hello = found.steps["hello"]
    assert (hello.entered, hello.went_on, hello.fallback, hello.handoff, hello.left) == (3, 1, 1, 1, 1)
    assert hello.shares["fallback"].value == pytest.approx(1 / 3)
    assert found.steps["help"].helped == 1
    assert numbers.flow([shop.pk], UNTIL, UNTIL + DAY) == numbers.FlowNumbers()


def test_the_page(shop: Channel, client: Client, zoya: Agent, sana: Agent, django_assert_max_num_queries: Any) -> None:
    client.force_login(zoya)
    empty = client.get(PAGE)
    assert "No bot answers here." in empty.content.decode()
    chosen(
        shop,
        flow={"on": True, "steps": [{"key": "hello", "say": {"en": "<b>Hello</b>"}}]},
        journeys=[{"key": "buy", "name": "Checkout", "start": {"url": "*"}, "done": {"event": "x"}}],
        invitations=[{"key": "cart", "name": "Full cart"}],
    )
    history(shop)
    now = timezone.now()
    FlowEntry.objects.update(at=now)
    run(shop, "visit-1")
    invited(shop, "visit-1", shown=True, converted=True)
    JourneyRun.objects.update(started_at=now)
    InvitationRun.objects.update(due_at=now)
    with django_assert_max_num_queries(15):
        page = client.get(PAGE + "?days=7").content.decode()
    for words in ("&lt;b&gt;Hello", "Checkout", "Full cart", "Not understood", "33%", "100%"):
        assert words in page, words
    assert client.get(PAGE + "?days=<script>").status_code == 200
    assert client.get("/settings/channels/shop/").status_code == 200
    client.force_login(sana)
    assert client.get(PAGE).status_code == 403


def test_only_chats_have_it(support: Channel, shop: Channel, client: Client, zoya: Agent) -> None:
    client.force_login(zoya)
    assert client.get(f"/settings/channels/{support.slug}/chat/numbers/").status_code == 404
    assert client.get("/settings/channels/nowhere/chat/numbers/").status_code == 404
