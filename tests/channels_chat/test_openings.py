"""Windows that are open learn that somebody came or went, and that hours began or ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from channels_chat import greeting, openings, queue
from channels_chat.doors import Door
from channels_chat.pages import Page
from inbox.models import Agent, Channel
from tests.channels_chat import cast
from tests.channels_chat.visitor import VisitorPage
from tests.servers.web import Server


@pytest.mark.django_db(transaction=True)
def test_a_page_hears_who_came_and_who_went(server: Server, shop: Channel, sana: Agent) -> None:
    cast.here()
    with VisitorPage(server.url, shop) as page:
        assert (page.welcome["open"], page.welcome["here"]) == (True, False)
        cast.here(sana)
        told = page.wait("here", 15)
        assert (told["open"], told["here"], told["wait"]) == (True, True, None)
        assert [one["name"] for one in told["team"]] == [sana.name]
        with VisitorPage(server.url, shop) as later:
            assert later.welcome["here"]
            cast.here()
            assert not page.wait("here", 15)["here"] and not later.wait("here", 15)["here"]
            cast.chosen(shop, hours={"zone": "UTC", "days": [[]] * 7})
            assert not page.wait("here", 15)["open"]


class Told(Page):
    """A page that keeps what it is told."""

    def put(self, message: Any) -> None:
        self.about.setdefault("told", []).append(message)


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """One look at what is said here; what the page of shop 1 is told then: (open, here) of each frame."""
    door: Any = SimpleNamespace(channel=SimpleNamespace(pk=1, token=""), settings=None)
    page = Told(0, "", "en", None, None, door=door)  # type: ignore[arg-type]
    openings.told(page, [{"t": "key"}, {"t": "welcome", "open": True, "here": False}])
    visits = {(1, "visit"): {page}}
    empty: set[int] = set()

    async def in_thread(work: Callable[[], Any]) -> Any:
        return work()

    def looked(opened: bool, here: bool | None) -> list[Any]:
        nonlocal empty
        monkeypatch.setattr(queue, "is_open", lambda _settings: opened)
        monkeypatch.setattr(queue, "who_has_somebody", lambda _channels: None if here is None else {1: here})
        monkeypatch.setattr(greeting, "around", lambda _door, _language: {"open": 7, "here": 7, "wait": 30, "team": []})
        room: Any = SimpleNamespace(visits=visits, in_thread=in_thread)
        empty = asyncio.run(openings.look(room, empty))
        frames = [json.loads(one["text"]) for one in page.about.pop("told", [])]
        assert all((one["t"], one["wait"]) == ("here", 30) for one in frames)
        return [(one["open"], one["here"]) for one in frames]

    return looked


def test_only_what_changed_is_told(look: Callable[..., list[Any]]) -> None:
    assert look(True, False) == []
    assert look(True, True) == [(True, True)]
    assert look(True, True) == []
    assert look(False, True) == [(False, True)]
    assert look(False, True) == []
    assert look(True, True) == [(True, True)]


def test_nobody_is_gone_who_is_back_at_the_next_look(look: Callable[..., list[Any]]) -> None:
    assert look(True, True) == [(True, True)]
    assert look(True, False) == []  # their page loads anew
    assert look(True, True) == []
    assert look(True, False) == []
    assert look(True, False) == [(True, False)]
    assert look(True, False) == []
    assert look(True, True) == [(True, True)]


def test_while_redis_is_away_nobody_came_or_went(look: Callable[..., list[Any]]) -> None:
    assert look(True, None) == []
    assert look(True, True) == [(True, True)]
    assert look(True, None) == look(True, None) == look(True, None) == []
    assert look(False, None) == [(False, True)]
    assert look(False, False) == []
    assert look(False, False) == [(False, False)]


@pytest.mark.django_db
def test_many_channels_are_one_look(sana: Agent, shop: Channel, django_assert_num_queries: Any) -> None:
    cast.here(sana)
    others = [cast.chat_channel(f"Shop{number}") for number in range(5)]
    with django_assert_num_queries(2):
        found = queue.who_has_somebody([shop, *others])
    assert found == {one.pk: True for one in [shop, *others]}
    cast.here()
    assert queue.who_has_somebody([shop]) == {shop.pk: queue.someone_here(shop)} == {shop.pk: False}


@pytest.mark.django_db
def test_a_look_goes_by_the_settings_of_now(shop: Channel) -> None:
    from channels_chat import config, doors

    doors.forget()
    old = Door(Channel.objects.get(pk=shop.pk), config.of(shop))
    cast.here()
    assert openings._read([old]) == {shop.pk: (True, False)}
    cast.chosen(shop, hours={"zone": "UTC", "days": [[]] * 7})
    doors.forget()
    assert openings._read([old]) == {shop.pk: (False, False)}
