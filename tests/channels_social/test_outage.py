"""A platform that is away for an hour, takes no more, or knows our token no more: nothing is lost or leaves twice,
nobody is hammered, and agents see how the channel is. Over the emulated platforms, in one thread; time is moved.
"""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from inbox import care, delivery, health, tending
from inbox.actions import channels, messages, reply
from inbox.models import Agent, Channel, Message, Receipt, Role
from lib import http
from tests.channels_social import wire as wires
from tests.channels_social.meta import meta_error
from tests.channels_social.wire import Side, Trouble, Wire, passes, sweep

pytestmark = pytest.mark.django_db
PEOPLE = ("Ali", "Bo", "Cy")
each = pytest.mark.parametrize("kind", Side.KINDS)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Wire:
    made = Wire()
    monkeypatch.setattr(http.GuardedAdapter, "send", lambda _self, request, **_options: made.send(request))
    monkeypatch.setattr("channels_social.telegram.adapter.LONG_POLL", 0)
    settings.BASE_URL = wires.HERE
    return made


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.ADMIN)


def stands(side: Side) -> care.Standing:
    (found,) = care.standings([Channel.objects.get(pk=side.channel.pk)])
    return found


def begun(kind: str, wire: Wire) -> Side:
    """A channel on which some people have written."""
    side = Side(kind, wire).subscribed()
    for who in PEOPLE:
        side.says(who, f"{who}: hello")
    sweep()
    return side


def answered(side: Side, by: Agent) -> list[tuple[str, str]]:
    """Two answers to each of them wait to leave: (to whom, text)."""
    found = []
    for number in (1, 2):
        for who in PEOPLE:
            reply.reply(side.ticket(who), by=by, text=f"{who}, answer {number}")
            found.append((who, f"{who}, answer {number}"))
    return found


def told(status: int, body: Any = None, **headers: str) -> Trouble:
    return lambda _request: (status, body or {}, headers)


def each_once(side: Side, expected: list[tuple[str, str]]) -> None:
    """Whatever the order among people: each answer once, and in each ticket in the order of writing."""
    there = side.there()
    assert Counter(there) == Counter(expected)
    for who in PEOPLE:
        assert [text for to, text in there if to == who] == [text for to, text in expected if to == who]


def until_all_left(span: timedelta = timedelta(minutes=10)) -> None:
    for _tick in range(15):
        sweep()
        if not Message.objects.filter(state__in=["queued", "sending"]).exists():
            return
        passes(span)
    raise AssertionError("something waits for ever")


def states() -> set[str]:
    return set(Message.objects.filter(direction="out").values_list("state", flat=True))


@each
def test_an_hour_away(wire: Wire, sana: Agent, kind: str) -> None:
    """Nobody there, then trouble of its own, then a page of some proxy's."""
    side = begun(kind, wire)
    expected = answered(side, sana)
    wire.calls.clear()
    for how in (wires.refused, told(500), told(503, "<html>", **{"Retry-After": "20"})):
        wire.trouble = how
        for _tick in range(3):
            assert sweep() == 0
            passes(timedelta(minutes=7))
        assert stands(side).tone in {"bad", "warn"}
        assert any(side.channel.name in one for one in health.problems(sana))
    for who in PEOPLE[:2]:
        side.says(who, f"{who}: are you there?")
    sweep()
    assert not side.there()
    assert states() == {"queued"}
    wire.trouble = None
    until_all_left()
    passes(timedelta(minutes=10))
    sweep()
    each_once(side, expected)
    assert states() <= {"sent", "delivered", "read"}
    assert stands(side).tone == "good"
    assert Message.objects.filter(text__endswith="are you there?").count() == 2
    assert not Receipt.objects.filter(state="failed").exists()


@pytest.mark.parametrize("kind", ["telegram", "api"])
def test_trouble_of_its_own_rests_the_channel(wire: Wire, sana: Agent, kind: str) -> None:
    """Not each of a long queue is tried on a platform that has stumbled over the ones before."""
    side = begun(kind, wire)
    answered(side, sana)
    wire.trouble = told(502)
    delivery.deliver(side.channel.pk)
    wire.calls.clear()
    for _minute in range(10):
        delivery.deliver(side.channel.pk)
        passes(timedelta(minutes=1))
    assert len(wire.calls) <= 3 * 8, "three at a time, after longer and longer pauses"
    side.channel.refresh_from_db()
    assert side.channel.out_failing_since is not None
    assert stands(side).tone == "warn" or stands(side).tone == "bad"
    wire.trouble = None
    until_all_left()
    assert len(side.there()) == 2 * len(PEOPLE)
    assert stands(side).tone == "good"


@pytest.mark.parametrize("kind", ["telegram", "whatsapp", "facebook", "instagram", "sms"])
def test_an_hour_without_answers_loses_one_message_from_sight(wire: Wire, sana: Agent, kind: str) -> None:
    """Nobody knows what became of the first; the others wait until the platform answers to something harmless."""
    side = begun(kind, wire)
    expected = answered(side, sana)
    wire.trouble = wires.silent
    for _tick in range(4):
        sweep()
        passes(timedelta(minutes=15))
    assert Counter(Message.objects.filter(direction="out").values_list("state", flat=True))["unknown"] == 1
    assert stands(side).tone == "bad"
    wire.trouble = None
    until_all_left()
    lost = Message.objects.get(state="unknown")
    there = side.there()
    assert (lost.text.split(",")[0], lost.text) not in there
    messages.retry(lost, by=sana)
    until_all_left()
    assert Counter(side.there()) == Counter(expected)
    assert stands(side).tone == "good"


def test_software_of_ones_own_is_simply_asked_again(wire: Wire, sana: Agent) -> None:
    """It knows a repeat: nothing is of unknown fate, and it rests all the same while nothing answers."""
    side = begun("api", wire)
    expected = answered(side, sana)
    wire.calls.clear()
    wire.trouble = wires.silent
    for _tick in range(8):
        sweep()
        passes(timedelta(seconds=75))
    assert states() == {"queued"}
    assert len(wire.calls) <= 10
    assert stands(side).tone in {"warn", "bad"}
    wire.trouble = None
    until_all_left()
    each_once(side, expected)


# Too many --------------------------------------------------------------------------------------------------------

BUSY = {"X-Business-Use-Case-Usage": '{"1": [{"type": "pages", "estimated_time_to_regain_access": 5}]}'}
STORMS: list[tuple[str, Trouble]] = [
    ("telegram", told(429, {"ok": False, "error_code": 429, "parameters": {"retry_after": 300}})),
    ("whatsapp", told(400, meta_error(130429), **{"Retry-After": "300"})),
    ("whatsapp", told(400, meta_error(80007), **BUSY)),
    ("facebook", told(400, meta_error(4), **{"Retry-After": "300"})),
    ("instagram", told(403, meta_error(80002), **BUSY)),
    ("sms", told(429, {"code": 20429, "status": 429}, **{"Retry-After": "300"})),
    ("api", told(429, "slower", **{"Retry-After": "300"})),
]


@pytest.mark.parametrize(("kind", "storm"), STORMS, ids=[f"{kind}-{number}" for number, (kind, _) in enumerate(STORMS)])
def test_a_storm_of_too_many(
    wire: Wire, sana: Agent, kind: str, storm: Trouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole channel rests for what it was told, in every process, and spends no attempt; others go on."""
    side = begun(kind, wire)
    beside = Side("telegram" if kind != "telegram" else "sms", wire).subscribed()
    beside.says("Ed", "Ed: hello")
    sweep()
    expected = answered(side, sana)
    path = urlsplit(side.channel.settings.get("api_url") or side.channel.settings["webhook_url"]).path
    wire.calls.clear()
    wire.trouble = lambda request: storm(request) if urlsplit(str(request.url)).path.startswith(path) else None
    for tick in range(5):
        monkeypatch.setattr(http, "rates", http.Rates())  # another process, which has not heard of it
        sweep()
        if tick == 2:
            reply.reply(beside.ticket("Ed"), by=sana, text="For Ed")
        passes(timedelta(seconds=59))
    stormed = [one for one in wire.calls if one.split()[1].startswith(path)]
    assert len(stormed) <= 3, "once each: what leaves, what is asked, what is looked after"
    assert beside.there() == [("Ed", "For Ed")]
    assert not side.there()
    assert set(Message.objects.filter(text__contains="answer").values_list("state", "attempts")) == {("queued", 0)}
    assert stands(side).tone == "warn" and not side.channel.failing, "busy, not sick"
    wire.trouble = None
    until_all_left(timedelta(minutes=3))
    each_once(side, expected)


def test_looking_after_rests_as_well(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side("whatsapp", wire)
    assert tending.due_channels() == [(side.channel.pk, "whatsapp")]  # whatever became of the first wake-up
    side.subscribed()
    assert not tending.due_channels()
    passes(tending.EVERY)
    wire.calls.clear()
    wire.trouble = told(400, meta_error(4), **{"Retry-After": "1800"})
    for _tick in range(5):
        monkeypatch.setattr(http, "rates", http.Rates())
        sweep()
        passes(tending.EVERY)
    assert len(wire.calls) == 1
    assert stands(side).tone == "good"
    wire.trouble = None
    passes(timedelta(minutes=10))
    assert tending.due_channels() == [(side.channel.pk, "whatsapp")]


@pytest.mark.parametrize(
    ("kind", "asked"),
    [*((kind, "9" * 400) for kind in ("telegram", "whatsapp", "sms", "api")),
     *(("sms", one) for one in ("Fri, 31 Dec 9999 23:59:59 GMT", "-5", "soon"))],
)  # fmt: skip
def test_no_wait_is_too_long_to_be_kept(wire: Wire, sana: Agent, kind: str, asked: str) -> None:
    """A day at most, however many digits it has; and what is no number of seconds is none."""
    side = Side(kind, wire).subscribed()
    side.says("Ali", "Ali: hello")
    sweep()
    message = reply.reply(side.ticket("Ali"), by=sana, text="One")
    seconds = int(asked) if asked.isdecimal() and kind == "telegram" else 5
    body = {"ok": False, "error_code": 429, "parameters": {"retry_after": seconds}, "error": {"code": 4}, "code": 20429}
    wire.trouble = told(429, body, **{"Retry-After": asked})
    assert delivery.deliver(side.channel.pk) == 0
    message.refresh_from_db()
    side.channel.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 0)
    assert timezone.now() < side.channel.next_send_at < timezone.now() + timedelta(hours=9)
    assert max(http.rates._until.values(), default=0.0) <= time.monotonic() + http.LONGEST_WAIT


# A token that is good no more ------------------------------------------------------------------------------------

REVOKED: list[tuple[str, Trouble, dict[str, Any]]] = [
    ("telegram", told(401, {"ok": False, "error_code": 401, "description": "Unauthorized"}),
     {"token": "700123:" + "B" * 35}),
    ("whatsapp", told(401, meta_error(190, 460)), {"token": "new-token"}),
    ("facebook", told(400, meta_error(190, 463)), {"token": "new-token"}),
    ("instagram", told(400, meta_error(190, 458)), {"token": "new-token"}),
    ("sms", told(401, {"code": 20003, "status": 401}), {"auth_token": "f" * 32}),
    ("api", told(410, "gone"), {"webhook_url": "http://shop.example/new"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "trouble", "new"), REVOKED, ids=[one[0] for one in REVOKED])
def test_a_token_revoked_in_mid_conversation(
    wire: Wire, sana: Agent, kind: str, trouble: Trouble, new: dict[str, Any], client: Client
) -> None:
    """Answers wait, the main screen says what to do, and with a new token each leaves once."""
    side = begun(kind, wire)
    expected = answered(side, sana)
    wire.trouble = trouble
    wire.calls.clear()
    for _tick in range(4):
        sweep()
        passes(timedelta(minutes=8))
    assert len(wire.calls) < 60
    assert set(Message.objects.filter(direction="out").values_list("state", "attempts")) == {("queued", 0)}
    standing = stands(side)
    assert standing.tone in {"bad", "warn"}
    assert any(word in str(standing.sending.error) for word in ("Give", "give", "Connect")), standing.sending.error
    client.force_login(sana)
    page = client.get("/problems/").content.decode()
    assert f"/settings/channels/{side.channel.slug}/" in page
    secrets = side.channel.secrets
    old = str(secrets.get("token") or secrets.get("auth_token") or "never said")
    assert old not in page + str(standing.sending.error) + str(standing.receiving.error)

    wire.trouble = None
    if side.account is not None:
        side.account.refresh_from_db()
        side.account.secrets = {**side.account.secrets, **new}
        side.account.save()
    channels.update(side.channel, settings={**side.channel.settings, **new}, by=sana)
    sweep()  # at once: whoever has mended it need not wait for anything
    each_once(side, expected)
    sweep()
    assert stands(side).tone == "good"
    assert not any(side.channel.name in one for one in health.problems(sana))


def test_a_channel_is_well_again_though_nothing_is_left_to_send(wire: Wire, sana: Agent) -> None:
    side = begun("telegram", wire)
    answered(side, sana)
    wire.trouble = wires.refused
    sweep()
    assert stands(side).sending.tone == "bad"
    Message.objects.filter(state="queued").update(state="cancelled")
    wire.trouble = None
    passes(timedelta(minutes=10))
    sweep()
    assert stands(side).tone == "good"


def test_news_that_nobody_can_read_keep_no_other_waiting(wire: Wire) -> None:
    """What a poll brings is not refused as a webhook's call would be: it would come for ever."""
    side = Side("telegram", wire)
    said = {"message_id": 1, "from": {"id": 1}, "chat": {"id": 1, "type": "private"}, "date": 1, "text": "Good"}
    for odd in ({"message": said}, {"update_id": True}, {"update_id": "7"}, {"update_id": None}):
        news: list[Any] = [odd, {"update_id": 7, "message": said}]
        wire.trouble = lambda _request, news=news: (200, {"ok": True, "result": news and [news.pop(0)]}, {})
        for _tick in range(2):
            sweep()
            passes(timedelta(minutes=1))
        assert not news
        assert stands(side).receiving.tone != "bad"
    assert Message.objects.get().text == "Good"
    assert Receipt.objects.filter(state__in=["failed", "ignored"], external_id__startswith="unread:").count() == 4
