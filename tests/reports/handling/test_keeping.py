"""What pages say over their websocket, or when they are closed, becomes rows; what cannot be so is left unread."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from inbox import consumers, focus
from inbox.models import Agent, Channel, Event
from reports.handling import keeping
from reports.handling.switch import is_on
from reports.models import Activity, HandlingFact, Unshared
from tests.cast import question
from tests.inbox.live.test_hub import call, connect, say

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
PAGE = "page00000001"


def ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def ago(seconds: float) -> int:
    return ms(NOW - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "wrong",
    [None, 1, "x", {}, [1], [[PAGE]], [[PAGE, 1, 7, 0, ago(9), ago(9)]], [[PAGE, 1, 7, 0, ago(5), ago(9)]],
     [["x", 1, 7, 0, ago(9), ago(5)]], [["<script>alert", 1, 7, 0, ago(9), ago(5)]], [[PAGE, -1, 7, 0, ago(9), ago(5)]],
     [[PAGE, 2**31, 7, 0, ago(9), ago(5)]], [[PAGE, 1, 2**63, 0, ago(9), ago(5)]], [[PAGE, 1, True, 0, ago(9), ago(5)]],
     [[PAGE, 1, 7, 0, 2**60, 2**61]], [[PAGE, 1, 7, 0, 1e9, 1e10]], [[PAGE, 1, 7, 0, ago(1000), ago(5)]],
     [[PAGE, 1, 7, 0, ago(8 * 86400), ago(8 * 86400 - 9)]], [[PAGE, 1, 7, 0, ago(-5), ago(-9)]]],
)  # fmt: skip
def test_what_cannot_be_so_is_left_unread(wrong: object) -> None:
    assert list(focus.read(1, wrong, NOW)) == []


def test_a_page_that_is_a_little_fast_is_understood() -> None:
    [one] = focus.read(1, [[PAGE, 0, 7, 1, ago(9), ago(-3)], "x"], NOW)
    assert (one.started_at, one.ended_at, one.idle) == (NOW - timedelta(seconds=9), NOW, True)


@pytest.mark.django_db(transaction=True)
async def test_pages_are_heard_and_written_down_together(
    support: Channel, sana: Agent, bilal: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "EVERY", 0.3)
    monkeypatch.setattr(consumers, "BURST", 50)
    ticket = await call(question)(support, "Where is my parcel?")
    hers, his = await connect(sana), await connect(bilal)
    start = ms(datetime.now(UTC)) - 50_000
    for grown in (4, 8, 8, 3):
        await say(hers, focus=[[PAGE, 1, ticket.pk, 0, start, start + grown * 1000]])
    await say(hers, focus=[[PAGE, 2, ticket.pk, 1, start + 8000, start + 9000], "nonsense"])
    await say(his, focus=[[PAGE, 1, ticket.pk, 0, start, start + 9000]])

    async def kept() -> list[Any]:
        rows = Activity.objects.order_by("seq").values_list("agent_id", "seq", "idle", "ended_at")
        return await call(lambda: [(*one[:3], ms(one[3]) - start) for one in rows])()

    for _again in range(200):
        if len(await kept()) == 2:
            break
        await asyncio.sleep(0.05)
    assert await kept() == [(sana.pk, 1, False, 8000), (sana.pk, 2, True, 9000)]
    assert await call(Unshared.objects.filter(agent_id=sana.pk).exists)()
    for socket in (hers, his):
        await socket.disconnect()


def stretch(seq: int, seconds: float) -> focus.Stretch:
    return focus.Stretch(1, PAGE, seq, 7, False, NOW, NOW + timedelta(seconds=seconds))


async def test_what_comes_while_others_are_written_is_not_lost_and_what_is_refused_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keeping, "EVERY", 0.0)
    monkeypatch.setattr(keeping, "TRIES_AWAY", 30)
    counted: list[int] = []
    monkeypatch.setattr(keeping, "_count_lost", counted.append)
    rows: dict[int, float] = {}
    asked: Counter[int] = Counter()
    begun, told = threading.Event(), threading.Event()
    away = [True]

    def write(stretches: Collection[focus.Stretch], *, patience: str) -> int:
        asked.update(one.seq for one in stretches)
        begun.set()
        assert told.wait(10)
        if away:
            raise OperationalError(away.pop())
        if any(one.seq == 3 for one in stretches):
            raise ValueError("refused")
        rows.update({one.seq: (one.ended_at - NOW).total_seconds() for one in stretches})
        return len(stretches)

    monkeypatch.setattr(keeping, "write", write)
    waiting = keeping.Waiting()
    waiting.add([stretch(1, 8), stretch(2, 4), stretch(3, 1)])
    await asyncio.to_thread(begun.wait, 10)
    waiting.add([stretch(1, 3), stretch(2, 9), stretch(4, 5)])  # the writing that is under way knows nothing of these
    assert asked == {1: 1, 2: 1, 3: 1}
    told.set()
    assert waiting.task is not None
    await asyncio.wait_for(waiting.task, 10)
    # What came later is there, the longer of both counts, and the one that is refused took no other with it.
    assert rows == {1: 8, 2: 9, 4: 5} and not waiting.told and not waiting.tries
    assert counted == [1] and [one.levelname for one in caplog.records if "given up" in one.message] == ["ERROR"]
    # A database that is away is waited for longer, and not for ever; what does not find room is counted, too.
    away.extend([True] * 30)
    monkeypatch.setattr(keeping, "MOST", 1)
    asked.clear()
    waiting.add([stretch(5, 1), stretch(6, 1)])
    await asyncio.wait_for(waiting.task, 10)
    assert asked == {5: 30} and sum(counted) == 3 and 5 not in rows


@pytest.mark.django_db
def test_pages_that_are_closed_and_the_pages_about_it(support: Channel, sana: Agent, zoya: Agent) -> None:
    ticket = question(support, "Where is my parcel?")
    browser = Client()
    browser.force_login(sana)
    start = ms(datetime.now(UTC)) - 50_000
    said = [[PAGE, 1, ticket.pk, 0, start, start + 42_000]]
    assert browser.post("/focus/", {"focus": json.dumps(said)}).status_code == 204
    assert browser.post("/focus/", {"focus": "{"}).status_code == 400
    assert Activity.objects.get().agent_id == sana.pk
    HandlingFact.objects.create(
        ticket=ticket,
        channel_id=support.pk,
        agent_id=sana.pk,
        quarter=datetime.fromtimestamp(start // 1000, UTC),
        focus=42,
    )
    # She reads all of it, on the day it was; another reads nothing of it.
    day = datetime.fromtimestamp(start // 1000, UTC).date()
    page = browser.get(f"/settings/profile/time/?day={day}").content.decode()
    assert page.count("0:42") >= 4 and f"#{ticket.pk}" in page and "Where is my parcel?" in page
    assert browser.get("/settings/profile/time/?day=nonsense").status_code == 200
    assert b"/settings/profile/time/" in browser.get("/settings/profile/").content
    assert browser.get("/settings/handle-time/").status_code == 403
    assert browser.post("/settings/handle-time/delete/").status_code == 403
    browser.force_login(zoya)
    assert "0:42" not in browser.get(f"/settings/profile/time/?day={day}").content.decode()
    assert "Kept since" in browser.get("/settings/handle-time/").content.decode()
    # Switched off, nothing comes; deleted, nothing is left, and what was counted is made again.
    assert browser.post("/settings/handle-time/", {}).status_code == 302 and not is_on()
    browser.force_login(sana)
    browser.post("/focus/", {"focus": json.dumps([[PAGE, 2, ticket.pk, 0, start, start + 42_000]])})
    assert Activity.objects.count() == 1
    assert "switched it off" in browser.get("/settings/profile/time/").content.decode()
    browser.force_login(zoya)
    Unshared.objects.all().delete()
    assert browser.post("/settings/handle-time/delete/").status_code == 302
    assert not Activity.objects.exists() and Unshared.objects.get().agent_id == sana.pk
    assert browser.post("/settings/handle-time/", {"on": "on"}).status_code == 302 and is_on()
    kinds = Event.objects.filter(ticket__isnull=True, kind__startswith="handle_time").order_by("pk")
    assert [one.kind[12:] for one in kinds] == ["switched_off", "deleted", "switched_on"]
    assert "could not be kept" not in browser.get("/settings/handle-time/").content.decode()
    keeping._count_lost(3)
    assert "3 stretches of time could not be kept" in browser.get("/settings/handle-time/").content.decode()
    audit = browser.get("/settings/audit/").content.decode()
    assert "3 stretches of handle time could not be kept" in audit
    assert "Zoya switched the recording of handle time off" in audit
