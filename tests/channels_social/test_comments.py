"""Comments: their state, whoever changes it and in whatever order it is told; what may be done, by page and by API."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils.html import escape

from channels_social import comments, errors, posts
from channels_social.meta import MetaAdapter
from inbox import previews
from inbox.actions import changes, channels, counts, receive
from inbox.adapters import DeliveryError, Hiding, RawReceipt, Withdrawal
from inbox.models import Agent, Channel, Event, Message, Role
from tests.api.conftest import Api, problem
from tests.channels_social.meta import IG, PAGE, PNG

NOON = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)  # whatever the clock says
WORDS = {"facebook": "message", "instagram": "text"}
OWN = {"facebook": PAGE, "instagram": IG}


@pytest.fixture(params=["facebook", "instagram"])
def channel(request: pytest.FixtureRequest, db: None) -> Channel:
    return connect(request.param)


@pytest.fixture
def page(db: None) -> Channel:
    return connect("facebook")


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.AGENT)


@pytest.fixture(autouse=True)
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What was asked of the platform; it takes everything."""
    found: list[tuple[str, Any]] = []

    def post(name: str) -> dict[str, str]:
        found.append(("post", name))
        return {"text": "New shoes", "url": "https://f.example/1", "picture": "https://cdn.example/p.png"}

    platform = SimpleNamespace(
        hide=lambda _id, value: found.append(("hide", value)),
        like=lambda _id, value: found.append(("like", value)),
        remove=lambda _id: found.append(("remove", True)),
        post=post,
    )
    monkeypatch.setattr(MetaAdapter, "api_of", lambda *_: None)
    for kind in ("facebook", "instagram"):
        monkeypatch.setattr(f"channels_social.{kind}.adapter.{kind.title()}Adapter.comments", lambda *_: platform)
    return found


def connect(kind: str) -> Channel:
    own = "page_id" if kind == "facebook" else "ig_id"
    return Channel.objects.create(kind=kind, slug=kind, name="Shop", settings={own: OWN[kind]})


def tell(channel: Channel, *, at: datetime = NOON, **value: Any) -> None:
    """One change, as Meta tells it."""
    facebook = channel.kind == "facebook"
    known = {
        "item": "comment", "verb": "add", "post_id": f"{PAGE}_501", "comment_id": "501_777",
        "parent_id": f"{PAGE}_501", "from": {"id": "8880001", "name": "Ana Silva"}, "message": "Price?",
    } if facebook else {
        "id": "17901", "text": "Price?", "from": {"id": "77", "username": "ana.s"}, "media": {"id": "1789"}
    }  # fmt: skip
    change = {"field": "feed" if facebook else "comments", "value": {**known, **value}}
    body = {"object": "page", "id": OWN[channel.kind], "time": int(at.timestamp()), "changes": change}
    raw = json.dumps(body).encode()
    [stored] = receive.store(channel, [RawReceipt(raw, hashlib.sha256(raw).hexdigest())], claim=True)
    receive.take_in([stored.receipt_id])


def commented(channel: Channel) -> Message:
    tell(channel)
    return Message.objects.get()


def hidden(message: Message) -> bool:
    message.refresh_from_db()
    return bool(message.payload.get("hidden"))


def test_the_later_word_counts_whoever_says_it(page: Channel, sana: Agent) -> None:
    message = commented(page)
    later = datetime.now(UTC) + timedelta(minutes=1)
    tell(page, verb="hide")  # in Facebook's own app
    assert hidden(message)
    comments.do(message, "unhide", by=sana)
    tell(page, verb="hide", at=NOON + timedelta(seconds=1))  # comes late
    assert not hidden(message)
    tell(page, verb="hide", at=later)
    assert hidden(message)
    told = Event.objects.filter(kind__startswith="message_").order_by("pk")
    assert list(told.values_list("kind", "actor_kind"))[-3:] == [
        ("message_hidden", "system"), ("message_unhidden", "system"), ("message_hidden", "system"),
    ]  # fmt: skip


def test_a_like_of_ours_is_one_however_it_was_given(page: Channel, sana: Agent) -> None:
    message = commented(page)
    whose: dict[str, Any] = {"item": "reaction", "reaction_type": "like", "from": {"id": PAGE, "name": "Shop"}}
    tell(page, **whose)
    message.refresh_from_db()
    assert comments.liked(message)
    comments.do(message, "unlike", by=sana)
    tell(page, **whose, created_time=int(NOON.timestamp()))  # the same once more
    message.refresh_from_db()
    assert not comments.liked(message)
    comments.do(message, "like", by=sana)
    message.refresh_from_db()
    assert comments.liked(message) and len(message.reactions) == 1


@pytest.mark.parametrize("deeds", [["hide", "unhide"], ["like", "unlike"], ["delete"]])
def test_by_page_and_by_api_alike(channel: Channel, sana: Agent, done: list[Any], deeds: list[str]) -> None:
    message = commented(channel)
    client, api = Client(), Api(sana)
    client.force_login(sana)
    page = f"/tickets/{message.ticket_id}/messages/{message.pk}/comment"
    may = channel.kind == "facebook" or deeds[0] != "like"
    if deeds == ["delete"]:
        problem(api.delete(f"/comments/{message.pk}/"), 403)
        assert client.post(f"{page}/delete/").status_code == 403 and not done
        assert "comment/delete" not in client.get(f"/tickets/{message.ticket_id}/").text
        Agent.objects.update(role=Role.MANAGER)
        api.token.agent.refresh_from_db()
        assert api.delete(f"/comments/{message.pk}/").json()["withdrawn_at"]
        assert "We deleted this comment." in client.get(f"/tickets/{message.ticket_id}/").text
        problem(api.post(f"/comments/{message.pk}/hide/"), 422, "deed")
        assert done == [("remove", True)]
        return
    for deed, name in zip(deeds, (True, False), strict=True):
        answer = api.post(f"/comments/{message.pk}/{deed}/")
        if not may:
            problem(answer, 422, "deed")
            continue
        assert answer.json()["comment"]["hidden" if "hide" in deed else "liked"] is name
    assert done == ([(deeds[0], True), (deeds[0], False)] if may else [])
    light = Agent.objects.create_user("lena@desk.example", name="Lena", role=Role.LIGHT)
    problem(Api(light).post(f"/comments/{message.pk}/{deeds[0]}/"), 403)
    client.force_login(light)
    assert client.post(f"{page}/{deeds[0]}/").status_code == 403


def test_what_a_comment_is_in_the_api(page: Channel, sana: Agent) -> None:
    tell(page, post={"permalink_url": "https://f.example/1", "message": "New shoes"})
    shown = Api(sana).get(f"/messages/{Message.objects.get().pk}/").json()
    assert (shown["public"], shown["comment"]) == (
        True,
        {
            "thread": "501_777",
            "post": {"id": f"{PAGE}_501", "text": "New shoes", "url": "https://f.example/1", "picture": ""},
            "hidden": False,
            "liked": False,
        },
    )


def test_what_it_stands_under_is_asked_once_and_shown_above_it(
    channel: Channel, sana: Agent, done: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[Any] = []
    monkeypatch.setattr("channels_social.meta.wake.run", lambda task, args, _queue: woken.append((task, args)))
    message = commented(channel)
    ids = {"facebook": ("501_777", "comment_id", "501_778"), "instagram": ("17901", "id", "17902")}
    parent, name, own = ids[channel.kind]
    answer: dict[str, Any] = {"parent_id": parent, name: own, WORDS[channel.kind]: "Size?"}
    tell(channel, **answer)
    asked = [("post", message.payload["post"]["id"])]
    assert posts.fetch(channel.pk, [message.pk]) == 1 and done == asked
    client = Client()
    client.force_login(sana)
    whole = client.get(f"/tickets/{message.ticket_id}/").text
    page = whole[whole.index(f'id="m-{message.pk}"') :]
    assert page.index("New shoes") < page.index(">Price?<") and page.count("New shoes") == 1
    assert f"/tickets/{message.ticket_id}/messages/{message.pk}/post/" in page and "cdn.example" not in page
    assert "https://f.example/1" in page
    quote = page[page.index('<p class="standing') :]
    assert quote.index("Price?") < quote.index(">Size?<")  # what the second one answers
    assert [args for task, args in woken if task.endswith("posts")] == [[channel.pk, message.pk]]
    assert posts.fetch(channel.pk, [0]) == 0 and done == asked


def test_the_picture_of_a_post_comes_by_us(page: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    message = commented(page)
    client = Client()
    client.force_login(sana)
    url = f"/tickets/{message.ticket_id}/messages/{message.pk}/post/"
    assert client.get(url).status_code == 404  # none is known
    message.payload["post"]["picture"] = "https://cdn.example/p.png"
    message.save()
    answers: list[Any] = [(200, PNG, ""), (200, b"<html>", "image/png"), (404, b"", ""), OSError("away")]

    asked: list[Any] = []

    def download(_session: Any, url: str, **limits: Any) -> Any:
        asked.append(limits)
        assert url == "https://cdn.example/p.png"
        given = answers.pop(0)
        if isinstance(given, OSError):
            raise given
        return given

    monkeypatch.setattr("channels_social.views.http.download", download)
    shown = client.get(url)
    assert (shown.status_code, shown["Content-Type"], shown["X-Content-Type-Options"]) == (200, "image/png", "nosniff")
    assert shown["Cache-Control"] == "private, max-age=86400"
    assert shown["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert shown["Cross-Origin-Resource-Policy"] == "same-origin"
    assert asked == [{"most": 4 * 1024 * 1024, "seconds": 3.0}]
    assert [client.get(url).status_code for _ in range(3)] == [404, 404, 404]
    assert client.get(url.replace(f"/tickets/{message.ticket_id}/", "/tickets/99999/")).status_code == 404


@pytest.mark.parametrize("kind", ["facebook", "instagram"])
def test_how_a_post_is_asked_for(kind: str) -> None:
    told = {
        "message": "New shoes", "permalink_url": "https://f.example/1", "full_picture": "javascript:alert(1)",
        "caption": "New shoes", "permalink": "https://f.example/1", "media_type": "VIDEO",
        "media_url": "https://f.example/film.mp4",
    }  # fmt: skip
    module = import_module(f"channels_social.{kind}.api")
    known = module.Comments(SimpleNamespace(get=lambda _id, fields: told)).post("1")
    assert known == {"text": "New shoes", "url": "https://f.example/1"}  # a film is no picture
    asked: list[str] = []

    def get(_id: str, fields: str) -> Any:
        asked.append(fields)
        if "media_url" in fields or "full_picture" in fields:
            raise errors.permanent("Tried accessing nonexisting field")
        return told

    assert module.Comments(SimpleNamespace(get=get)).post("1") | {"picture": ""} == {**known, "picture": ""}
    assert len(asked) == 2  # one field that is refused costs neither words nor link

    def gone(_id: str, fields: str) -> Any:
        asked.append(fields)
        raise errors.transient("Later")

    with pytest.raises(DeliveryError):
        module.Comments(SimpleNamespace(get=gone)).post("1")
    assert len(asked) == 3


@pytest.mark.parametrize(("public", "says"), [(True, "Deleted comment"), (False, "Deleted message")])
def test_lists_say_what_was_deleted_and_none_of_its_words(page: Channel, sana: Agent, public: bool, says: str) -> None:
    message = commented(page)
    message.payload["public"] = public
    message.save()
    ticket = message.ticket
    assert (ticket.subject, ticket.preview) == ("Price?", "Price?")
    assert changes.apply(page, Withdrawal(message.external_id, NOON))
    ticket.refresh_from_db()
    assert (ticket.subject, ticket.preview) == (says, says)
    counts.recount(ticket)
    assert ticket.preview == says
    client = Client()
    client.force_login(sana)
    shown = client.get(f"/tickets/{ticket.pk}/").text
    assert shown.count(says) >= 3 and "Price?" not in shown and "(no subject)" not in shown
    with mock.patch("inbox.previews._", lambda text: f"<{text}>"):  # stored in one language, read in another
        assert escape(f"<{says}>") in client.get(f"/tickets/{ticket.pk}/").text
        assert previews.told("Price?") == "Price?"


def test_news_of_what_is_gone_change_nothing(page: Channel) -> None:
    message = commented(page)
    tell(page, verb="remove")
    tell(page, verb="hide", at=NOON + timedelta(hours=1))
    message.refresh_from_db()
    assert not message.payload.get("hidden") and message.withdrawn_at is not None
    assert not changes.apply(page, Hiding("501_999", True, NOON))


@pytest.mark.parametrize(("kind", "own"), [("facebook", "page_id"), ("instagram", "ig_id")])
def test_a_page_is_connected_once(db: None, kind: str, own: str) -> None:
    """Two channels of one page would each be told the half of it."""
    given = {own: OWN[kind], "token": "t", "app_secret": "s"}
    first = channels.create(kind, "first", given, by=None)
    with pytest.raises(ValidationError, match="connected already, as the channel “first”"):
        channels.create(kind, "second", given, by=None)
    assert channels.update(first, settings={**given, "name": "Shop"}, by=None).name == "Shop"
    channels.create(kind, "second", {**given, own: "4711"}, by=None)
