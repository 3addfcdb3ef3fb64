"""Who floods gains nothing by connecting again, or with many tabs; who does not is not held up."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import sync_to_async

from channels_chat import allowances, consumers, deeds, doors, reading
from channels_chat.models import Chat, InvitationRun, JourneyRun, Visitor
from inbox.models import Channel, Message
from tests.channels_chat import inner
from tests.channels_chat.cast import chat_channel

pytestmark = pytest.mark.django_db(transaction=True)
call = sync_to_async


@pytest.fixture
def shop(transactional_db: None) -> Channel:
    return chat_channel()


@pytest.fixture(autouse=True)
async def _time_stands_still(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """What was spent comes back in hours."""
    for name in ("SAYS_PER_SECOND", "FRAMES_PER_SECOND"):
        monkeypatch.setattr(consumers, name, 0.001)
    for name, value in (("_addresses", {}), ("_purses", allowances.Kept(100, 120)), ("_crowds", allowances.Kept(9, 9))):
        monkeypatch.setattr(allowances, name, value)
    yield
    await inner.quiet()


async def says(page: inner.Socket, text: str) -> str:
    """How it was answered: "took", or why not."""
    cid = uuid.uuid4().hex
    await page.put(t="say", cid=cid, text=text)
    while True:
        told = await page.hear_any("took", "no")
        if told["cid"] == cid:
            return str(told.get("why", told["t"]))


async def test_who_connects_again_is_still_refused(shop: Channel) -> None:
    page = await inner.visitor(shop)
    answers = [await says(page, "spam") for _ in range(4)]
    key = page.key
    for _ in range(5):
        await page.close()
        page = await inner.visitor(shop, key=key)
        answers += [await says(page, "spam") for _ in range(4)]
    most = int(allowances.SAYS)
    assert answers == ["took"] * most + ["flood"] * (24 - most)
    assert await call(Message.objects.count)() == most
    other = await inner.visitor(shop)
    assert await says(other, "I only have a question") == "took"
    for one in (page, other):
        await one.close()


async def test_who_logs_out_again_and_again_begins_few_sessions(shop: Channel) -> None:
    page = await inner.visitor(shop)
    most = int(allowances.SAYS)
    for number in range(most * 2):
        assert await says(page, "Hello") == ("took" if number < most else "flood")
        await page.put(t="user", user=None)
    assert await call(Visitor.objects.count)() == most
    await page.close()


async def test_what_comes_too_fast_is_asked_for_again(shop: Channel) -> None:
    page = await inner.visitor(shop)
    assert await says(page, "Hello") == "took"
    nobodys = (await call(Chat.objects.get)()).pk + 1000
    cids = [uuid.uuid4().hex for _ in range(100)]
    for cid in cids:
        await page.put(t="end", cid=cid, chat=nobodys)
    answers = [await page.hear_any("ok", "no") for _cid in cids]
    assert {one["cid"] for one in answers} == set(cids)
    late = [one for one in answers if one.get("why") == "flood"]
    assert len(late) == 100 - (int(allowances.FRAMES) - 2) and all(one["after"] >= 1 for one in late)
    assert (await call(Chat.objects.get)()).is_live
    await page.close()


async def test_ten_tabs_share_one_allowance_and_two_are_enough_for_it(shop: Channel) -> None:
    first = await inner.visitor(shop)
    assert await says(first, "Hello") == "took"
    second = await inner.visitor(shop, key=first.key)
    for page in (first, second, first, second):
        await page.put(t="typing", text="My")
        assert await says(page, "My parcel") == "took"
        await page.put(t="seen", delivered=1, read=1)
    more = [await inner.visitor(shop, key=first.key) for _ in range(8)]
    told = [await says(page, "spam") for page in (*more, first, second)]
    assert told == ["took"] * 5 + ["flood"] * 5
    for page in (first, second, *more):
        await page.close()


@pytest.mark.parametrize(
    "frame",
    [{"t": "seen", "delivered": 1, "read": 1}, {"t": "more", "before": 9}, {"t": "page", "url": "https://a.b/"}],
)
async def test_what_costs_queries_is_counted_twice(
    frame: dict[str, object], shop: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    for module, name in ((reading, "seen_by_visitor"), (deeds, "older"), (deeds, "visited")):
        monkeypatch.setattr(module, name, lambda *args: done.append(args))
    page = await inner.visitor(shop)
    await says(page, "Hello")
    for _ in range(int(allowances.FRAMES)):
        await page.put(**frame)
    assert await says(page, "And?") == "flood"
    assert len(done) == int(allowances.FRAMES - 2) // 2
    await page.close()


async def test_made_up_visits_leave_few_rows(shop: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many visits a script makes up; another address is not held up by it, and the script may still chat."""
    monkeypatch.setattr(allowances, "REPORTS", 5.0)
    monkeypatch.setattr(allowances, "_reports", allowances.Kept(9, allowances.REPORTS_KEPT))
    part = {"name": "Cart", "text": {"en": "Questions?"}, "all": [{"is": "time", "value": 1}]}
    shop.settings = {
        "journeys": [{"key": "buy", "name": "Buy", "start": {"url": "*"}, "done": {"url": "*/thanks"}}],
        "invitations": [{"key": "cart", **part}],
    }
    await call(shop.save)()
    doors.forget()
    for _ in range(6):
        page = await inner.visitor(shop)
        for what in ("start", "start", "done"):
            await page.put(t="journey", key="buy", what=what)
        await page.put(t="invite", key="cart", what="shown")
        await page.close()
    assert await call(JourneyRun.objects.count)() + await call(InvitationRun.objects.count)() == 3
    page = await inner.visitor(shop)
    assert await says(page, "Hello") == "took"
    other = await inner.visitor(shop, address="198.51.100.7")
    await other.put(t="journey", key="buy", what="start")
    assert await says(other, "Hello") == "took"
    assert await call(JourneyRun.objects.count)() == 3
    for one in (page, other):
        await one.close()


async def test_a_visit_leaves_one_row_for_each_that_is_declared(shop: Channel) -> None:
    shop.settings = {"journeys": [{"key": "buy", "name": "Buy", "start": {"url": "*"}, "done": {"url": "*/thanks"}}]}
    await call(shop.save)()
    doors.forget()
    visit = uuid.uuid4().hex
    for _ in range(3):
        page = await inner.visitor(shop, visit=visit)
        for key in ("buy", "made-up", "buy", "nothing"):
            await page.put(t="journey", key=key, what="start")
        assert await says(page, "Hello") == "took"
        await page.close()
    assert await call(JourneyRun.objects.count)() == 1
