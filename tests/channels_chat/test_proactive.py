"""What browsers say of journeys, invitations, pages and events; and chats that agents start."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.test import TestCase
from django.utils import timezone
from redis.backoff import NoBackoff
from redis.retry import Retry

from channels_chat import hub, memory, site, trails
from channels_chat.actions import proactive
from channels_chat.models import Chat, ChatState, InvitationRun, JourneyRun, Visitor
from inbox.actions import journey
from inbox.actions.errors import ActionError
from inbox.models import Agent, Channel, Customer, CustomerEvent, Message
from inbox.models.base import Stage
from tests.cast import lena, omar, sana, team
from tests.channels_chat.cast import says, visitor_of

__all__ = ["lena", "omar", "sana", "team"]

VISIT = "v" * 32
SETTINGS = {
    "journeys": [{"key": "checkout", "start": {"url": "*/cart*"}, "done": {"url": "*/thanks*"}}],
    "invitations": [
        {"key": "cart", "on": True, "text": {"en": "Questions?"}, "goal": "checkout"},
        {"key": "hello", "on": True, "text": {"en": "Hello"}},
    ],
}


@pytest.fixture
def channel(db: None) -> Iterator[Channel]:
    yield Channel.objects.create(kind="chat", name="Shop", slug="shop", settings=SETTINGS)
    with redis.Redis.from_url(settings.REDIS_URL) as line:
        for key in line.scan_iter(f"{trails.PREFIX}*"):
            line.delete(key)


@pytest.fixture
def visitor(channel: Channel) -> Visitor:
    public = uuid.uuid4()
    return Visitor.objects.create(
        channel=channel,
        public=public,
        digest=public.hex,
        address=f"v:{public}",
        customer=Customer.objects.create(name="Ayesha"),
    )


def run(key: str = "cart") -> InvitationRun:
    return InvitationRun.objects.get(invitation=key)


def test_a_journey_is_started_and_done_once(channel: Channel, visitor: Visitor) -> None:
    proactive.journey(channel, VISIT, None, "checkout", "done")
    assert not JourneyRun.objects.exists()
    for _again in range(2):
        proactive.journey(channel, VISIT, None, "checkout", "start")
    one = JourneyRun.objects.get()
    assert one.completed_at is None
    proactive.journey(channel, VISIT, None, "checkout", "done")
    first = JourneyRun.objects.get().completed_at
    proactive.journey(channel, VISIT, None, "checkout", "done")
    proactive.journey(channel, VISIT, None, "checkout", "start")
    assert JourneyRun.objects.get().completed_at == first


def test_how_far_a_visit_is_in_its_journeys(channel: Channel) -> None:
    journeys = [{"key": "buy", "stalled": 60}, {"key": "read"}, {"key": "join", "stalled": 60}, {"key": "pay"}]
    channel.settings = {"journeys": journeys}
    for key in ("buy", "read", "join"):
        proactive.journey(channel, VISIT, None, key, "start")
    proactive.journey(channel, VISIT, None, "join", "done")
    began = JourneyRun.objects.get(journey="buy").started_at.timestamp()
    found = proactive.under_way(channel, VISIT)
    assert found == {"buy": began + 60, "read": "started", "join": "done"}
    soon = site.Here(VISIT, channel.pk, journeys=found)
    late = site.Here(VISIT, channel.pk, journeys={**found, "buy": began})
    assert (soon.stalled, late.stalled) == ([], ["buy"])
    assert proactive.under_way(channel, "short") == {}


@pytest.mark.parametrize(
    ("visit", "key", "what"),
    [
        (VISIT, "nowhere", "start"),
        (VISIT, "", "start"),
        (VISIT, "checkout", "explode"),
        ("short", "checkout", "start"),
        ("x" * 400, "checkout", "start"),
        ("'; drop table--" * 2, "checkout", "start"),
    ],
)
def test_what_no_channel_declares_is_nothing(channel: Channel, visit: str, key: str, what: str) -> None:
    proactive.journey(channel, visit, None, key, what)
    proactive.invite(channel, visit, None, key, what)
    proactive.invite(channel, visit, None, "cart", what if what == "explode" else "")
    assert not JourneyRun.objects.exists()
    assert not InvitationRun.objects.exists()


def test_invitations_move_forward_only(channel: Channel) -> None:
    for what in ("shown", "opened", "answered"):
        proactive.invite(channel, VISIT, None, "cart", what)
    one = run()
    assert None not in (one.shown_at, one.opened_at, one.answered_at)
    for what in ("held", "shown", "opened", "answered"):
        proactive.invite(channel, VISIT, None, "cart", what)
    again = run()
    assert (again.held, again.shown_at, again.answered_at) == (False, one.shown_at, one.answered_at)


def test_what_was_held_back_is_never_shown(channel: Channel) -> None:
    proactive.invite(channel, VISIT, None, "cart", "held")
    proactive.invite(channel, VISIT, None, "cart", "shown")
    proactive.invite(channel, VISIT, None, "cart", "answered")
    assert run().held
    assert run().shown_at is None
    proactive.invite(channel, VISIT, None, "cart", "converted")
    assert run().converted_at is not None


def test_a_lost_word_is_made_up_for(channel: Channel) -> None:
    proactive.invite(channel, VISIT, None, "cart", "answered")
    assert run().shown_at is not None
    proactive.invite(channel, VISIT, None, "hello", "converted")
    assert not InvitationRun.objects.filter(invitation="hello").exists()


def test_the_goal_of_an_invitation_converts_it_and_nothing_else(channel: Channel) -> None:
    proactive.journey(channel, VISIT, None, "checkout", "start")
    proactive.invite(channel, VISIT, None, "cart", "shown")
    proactive.invite(channel, VISIT, None, "hello", "shown")
    proactive.invite(channel, "w" * 32, None, "cart", "held")
    proactive.journey(channel, VISIT, None, "checkout", "done")
    found = dict(InvitationRun.objects.values_list("visit", "invitation").filter(converted_at__isnull=False))
    assert found == {VISIT: "cart"}


def test_whoever_writes_or_answers_was_contacted(channel: Channel, visitor: Visitor) -> None:
    proactive.journey(channel, VISIT, None, "checkout", "start")
    assert JourneyRun.objects.get().contacted_at is None
    proactive.wrote(channel, VISIT, visitor)
    one = JourneyRun.objects.get()
    assert one.contacted_at is not None
    assert one.visitor == visitor
    other = "w" * 32
    proactive.journey(channel, other, None, "checkout", "start")
    proactive.invite(channel, other, None, "cart", "answered")
    assert JourneyRun.objects.get(visit=other).contacted_at is not None
    late = "x" * 32
    proactive.journey(channel, late, None, "checkout", "start")
    proactive.journey(channel, late, None, "checkout", "done")
    proactive.wrote(channel, late, visitor)
    assert JourneyRun.objects.get(visit=late).contacted_at is None


def test_what_was_done_before_they_wrote_is_part_of_their_journey(channel: Channel, visitor: Visitor) -> None:
    at = timezone.now().timestamp() - 60
    for number, url in enumerate(["https://shop.example/", "https://shop.example/cart", "https://shop.example/cart"]):
        memory.line().rpush(trails.key(channel.pk, VISIT), trails.page(url, f"Page {number}", at + number))
    proactive.track(channel, VISIT, None, "cid-1", "cart", {"value": 5200, "deep": {"x": 1}, "note": "x" * 900})
    assert not CustomerEvent.objects.exists()
    with TestCase.captureOnCommitCallbacks(execute=True):
        proactive.wrote(channel, VISIT, visitor)
    found = list(CustomerEvent.objects.filter(customer=visitor.customer).order_by("at").values_list("kind", "data"))
    assert [kind for kind, _data in found] == ["page_view", "page_view", "cart"]
    assert found[0][1] == {"url": "https://shop.example/", "title": "Page 0"}
    assert found[2][1]["value"] == 5200
    assert set(found[2][1]) == {"value", "note"}
    assert len(found[2][1]["note"]) == proactive.LONGEST
    assert trails.of(channel.pk, VISIT) == []
    proactive.track(channel, VISIT, visitor, "cid-1", "cart", {"value": 5200})
    assert CustomerEvent.objects.filter(kind="cart").count() == 1


def test_events_are_bounded_and_make_nobody_a_customer(
    channel: Channel, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proactive, "MOST_EVENTS", 3)
    for number in range(6):
        proactive.track(channel, VISIT, visitor, f"cid-{number}", "Order Placed", {"total": number})
    assert list(CustomerEvent.objects.values_list("kind", flat=True)) == ["order_placed"] * 3
    for name in ("", "<b>", "../x", "x" * 61, "page_view"):
        proactive.track(channel, VISIT, visitor, "cid-x", name, {})
    assert CustomerEvent.objects.count() == 3
    customer = Customer.objects.get()
    assert customer.stage == Stage.LEAD
    journey.add(customer, [journey.Happening("order")], by=None)
    assert Customer.objects.get().stage == Stage.CUSTOMER


def test_the_newest_pages_of_a_visit_are_kept(
    channel: Channel, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proactive, "MOST_PAGES", 3)
    for number in range(6):
        proactive.visited(visitor, f"https://shop.example/{number}", "")
    kept = CustomerEvent.objects.filter(kind="page_view").order_by("at").values_list("data__url", flat=True)
    assert [url[-1] for url in kept] == ["3", "4", "5"]


def test_attributes_have_bounds_and_leave_our_own(visitor: Visitor) -> None:
    Visitor.objects.filter(pk=visitor.pk).update(attributes={"_start": {"topic": "x"}, "plan": "basic"})
    proactive.attributes(visitor, {"_start": "forged", "plan": None, "cart": 5})
    visitor.refresh_from_db()
    assert visitor.attributes == {"_start": {"topic": "x"}, "cart": 5}
    proactive.attributes(visitor, {f"a{number}": number for number in range(90)})
    visitor.refresh_from_db()
    assert len(visitor.attributes) == proactive.MOST_ATTRIBUTES + 1


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Frames that were put before pages of visits."""
    found: list[Any] = []
    monkeypatch.setattr(hub, "invite_visit", lambda *said: found.append(said))
    return found


def here(monkeypatch: pytest.MonkeyPatch, channel: Channel, **known: Any) -> None:
    one = site.Here(VISIT, channel.pk, page="https://shop.example/", since=timezone.now(), **known)
    monkeypatch.setattr(site, "find", lambda asked, visit: one if (asked, visit) == (channel.pk, VISIT) else None)


def test_an_agent_asks_somebody_on_the_site(
    channel: Channel, sana: Agent, omar: Agent, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    here(monkeypatch, channel)
    with TestCase.captureOnCommitCallbacks(execute=True):
        proactive.start(channel, VISIT, by=sana, text=" Can I help? ")
    [(where, visit, frame)] = told
    assert (where, visit) == (channel.pk, VISIT)
    assert frame == {"t": "invite", "key": f"agent:{sana.pk}", "text": "Can I help?", "name": "Sana", "face": ""}
    assert run(f"agent:{sana.pk}").shown_at is not None
    assert proactive.wanted(channel, VISIT, f"agent:{sana.pk}") == sana
    assert trails.invitation(channel.pk, VISIT, sana.pk) == "Can I help?"
    # Nobody else's, and nobody whom the visit was not asked by.
    assert proactive.wanted(channel, VISIT, f"agent:{omar.pk}") is None
    assert proactive.wanted(channel, "w" * 32, f"agent:{sana.pk}") is None
    for forged in ("agent:", "agent:x", f"agent:{10**30}", "cart", "agent:-1"):
        assert proactive.wanted(channel, VISIT, forged) is None


def test_whoever_wants_nothing_by_chat_is_not_asked(
    channel: Channel, sana: Agent, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = Visitor.objects.create(channel=channel, customer=Customer.objects.create(opt_outs=["chat"]))
    here(monkeypatch, channel, visitor=visitor.pk)
    with pytest.raises(ActionError) as error:
        proactive.start(channel, VISIT, by=sana, text="Hello")
    assert error.value.code == "opted_out"
    Customer.objects.update(opt_outs=[])
    proactive.start(channel, VISIT, by=sana, text="Hello")


def test_why_an_agent_may_not(
    channel: Channel, sana: Agent, lena: Agent, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(text: str) -> str:
        with pytest.raises(ActionError) as error:
            proactive.start(channel, VISIT, by=sana, text=text)
        return error.value.code

    assert refused("Hello") == "gone"
    here(monkeypatch, channel)
    assert refused("  ") == "empty"
    assert refused("x" * 1001) == "too_long"
    here(monkeypatch, channel, chat=5)
    assert refused("Hello") == "busy"
    with pytest.raises(PermissionDenied):
        proactive.start(channel, VISIT, by=lena, text="Hello")
    assert told == []
    assert not InvitationRun.objects.exists()


def test_nothing_of_it_needs_redis(channel: Channel, visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    away = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    monkeypatch.setattr(memory, "line", lambda: away)
    proactive.track(channel, VISIT, None, "cid", "cart", {})
    proactive.wrote(channel, VISIT, visitor)
    assert trails.of(channel.pk, VISIT) == []
    assert trails.invitation(channel.pk, VISIT, 1) == ""


def test_what_they_answer_begins_a_chat_with_that_agent(
    channel: Channel, sana: Agent, omar: Agent, told: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    here(monkeypatch, channel)
    channel.settings = {**SETTINGS, "flow": {"on": True, "steps": [{"key": "hello", "say": {"en": "Hi, I am a bot."}}]}}
    channel.save(update_fields=["settings"])
    proactive.start(channel, VISIT, by=sana, text="Can I help?")
    proactive.journey(channel, VISIT, None, "checkout", "start")
    guest = visitor_of(channel)
    message = says(guest, "Yes, please", visit=VISIT, invitation=f"agent:{sana.pk}", language="en")
    chat = Chat.objects.get(visitor=guest)
    assert (chat.state, chat.wanted) == (ChatState.WAITING, sana)
    notes = Message.objects.filter(ticket=message.ticket, direction="note")
    assert [(one.agent, one.text) for one in notes] == [(sana, "Asked on the site: “Can I help?”")]
    assert not Message.objects.filter(ticket=message.ticket, author_kind="bot").exists()
    assert JourneyRun.objects.get().contacted_at is not None
    # An agent who did not ask is nobody to answer: the bot is.
    other = visitor_of(channel, "Bilal")
    says(other, "Hello", visit="w" * 32, invitation=f"agent:{omar.pk}", language="en")
    assert Chat.objects.get(visitor=other).wanted is None
    assert Message.objects.filter(text="Hi, I am a bot.").exists()
