"""The generic channel: strict about what it takes, and only what is signed."""

from __future__ import annotations

import contextlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from django.test import Client
from django.utils import timezone
from standardwebhooks import Webhook as Verifier

from channels_social.api import events
from inbox import directory, timeline
from inbox.actions import channels
from inbox.adapters import RawReceipt, adapter_for
from inbox.models import Agent, Channel, Identity, Message, Reach, Receipt, RemoteFile, Ticket
from tests.adapter_contract import AdapterContract
from tests.channels_social.api import SECRET, channel, connect, far_side, post, said, sana, take

__all__ = ["channel", "sana"]


class TestContract(AdapterContract):
    kind = "api"
    good_settings: ClassVar[dict[str, Any]] = {"webhook_url": "https://shop.example.com/rabta", "public": "yes"}

    def make_channel(self, port: int) -> Channel:
        self.numbers = iter(range(1, 1000))
        return connect(f"http://127.0.0.1:{port or 1}/rabta")

    def utterance(self, text: str, *, sender: str = "ali", answers: Message | None = None) -> RawReceipt:
        event = said(f"r{next(self.numbers)}", text, sender)
        if answers is not None:
            event["in_reply_to"] = answers.external_id
        return RawReceipt(json.dumps(event).encode(), f"message:{event['id']}", key=event["id"])

    def garbage(self) -> RawReceipt:
        return RawReceipt(b'{"type": "message.created", "id": "\xff', "garbage")

    def far_side(self, answer: str) -> contextlib.AbstractContextManager[Any]:
        said = {"accept": (200, {}), "refuse": (400, {"detail": "This review is gone."}), "later": (503, "busy")}
        return far_side(said[answer])


def test_only_what_is_signed_now_is_taken(channel: Channel) -> None:
    now, other = datetime.now(UTC), "whsec_" + "A" * 44
    event = said("r1")
    assert post(channel, event, secret=other).status_code == 403
    assert post(channel, event, signed=json.dumps(said("r2"))).status_code == 403
    assert post(channel, event, at=now - timedelta(minutes=6)).status_code == 403
    assert post(channel, event, at=now + timedelta(minutes=6)).status_code == 403
    for headers in ({"webhook-signature": ""}, {"webhook-id": "another"}, {"webhook-timestamp": "soon"}):
        assert post(channel, event, headers=headers).status_code == 403
    assert Client().post(f"/hooks/api/{channel.token}/", event, "application/json").status_code == 403
    assert not Receipt.objects.exists()
    both = f"v1,{'A' * 43}= {Verifier(SECRET).sign('call-1', now, json.dumps(event))}"  # as while a secret changes
    assert post(channel, event, at=now, headers={"webhook-signature": both}).status_code == 200
    assert post(channel, event, at=now).json() == {"received": 1}  # a replay: proven, and known already
    assert Receipt.objects.count() == 1


def test_a_repeat_is_harmless_whatever_call_it_comes_in(channel: Channel) -> None:
    take(channel, said("r1"))
    take(channel, [said("r1"), said("r2", "Again")], call="call-2")
    take(channel, said("r1", "Other words"), call="call-3")
    assert list(Message.objects.order_by("pk").values_list("text", flat=True)) == ["Too small", "Again"]
    for text, call in (("B", "4"), ("A", "5"), ("B", "6"), ("B", "6")):
        take(channel, {"type": "message.updated", "id": "r1", "text": text}, call=call)
    message = Message.objects.get(external_id="r1")
    assert (message.text, [one["text"] for one in message.payload["versions"]]) == ("B", ["Too small", "B", "A"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": None}, "id"),
        ({"id": 7}, "id"),
        ({"id": "m12"}, "id"),
        ({"id": " r1"}, "id"),
        ({"id": "r" * 201}, "id"),
        ({"from": None}, "from"),
        ({"from": "ali"}, "from"),
        ({"from": {"name": "Ali"}}, "from.id"),
        ({"from": {"id": "ali", "nick": "A"}}, "from.nick"),
        ({"text": "  "}, "text"),
        ({"text": 5}, "text"),
        ({"thread": {"title": "x"}}, "thread.id"),
        ({"thread": {"id": "t", "kind": "post"}}, "thread.kind"),
        ({"thread": {"id": "t", "url": "javascript:alert(1)"}}, "thread.url"),
        ({"rating": {"value": 6}}, "rating.value"),
        ({"rating": {"value": True}}, "rating.value"),
        ({"rating": {"of": 5}}, "rating.value"),
        ({"rating": {"value": 0, "of": 0}}, "rating.value"),
        ({"public": "yes"}, "public"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-11-27T09:30:00"}, "at"),
        ({"at": "2026-13-27T09:30:00Z"}, "at"),
        ({"attachments": [{"name": "x"}]}, "attachments.0.url"),
        ({"attachments": [{"url": "file:///etc/passwd"}]}, "attachments.0.url"),
        ({"attachments": {}}, "attachments"),
        ({"metadata": {"x": "y" * 9000}}, "metadata"),
        ({"ratng": {}}, "ratng"),
        ({"type": None}, "type"),
        ({"type": 5}, "type"),
    ],
)
def test_what_is_malformed_is_told_by_its_field(channel: Channel, change: dict[str, Any], field: str) -> None:
    wrong = {name: value for name, value in {**said("r1"), **change}.items() if value is not None}
    alone = post(channel, wrong)
    assert (alone.status_code, alone["Content-Type"]) == (422, "application/problem+json")
    assert list(alone.json()["errors"]) == [field]
    assert alone.json()["detail"].startswith(f"{field}: ")
    listed = post(channel, [said("r0"), wrong])
    assert list(listed.json()["errors"]) == [f"1.{field}"]
    assert not Receipt.objects.exists()  # nothing of the whole


@pytest.mark.parametrize("body", ["", "{", "5", "[]", "[5]", json.dumps([{"type": "ping"}] * 101), "[" * 100_000])
def test_what_is_no_event_at_all(channel: Channel, body: str) -> None:
    answer = post(channel, body)
    assert answer.status_code == 422, answer.content
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"type": "message.updated", "id": "r1"}, "text"),
        ({"type": "message.deleted"}, "id"),
        ({"type": "reaction", "message": "r1", "from": {"id": "ali"}}, "emoji"),
        ({"type": "delivery", "message": "m1", "status": "lost"}, "status"),
        ({"type": "delivery", "status": "read"}, "message"),
        ({"type": "contact.blocked", "from": {"id": "ali"}, "value": 1}, "value"),
    ],
)
def test_news_are_checked_as_well(channel: Channel, event: dict[str, Any], field: str) -> None:
    assert list(post(channel, event).json()["errors"]) == [field]


def test_what_nobody_knows_yet(channel: Channel) -> None:
    take(channel, [{**said("r1"), "type": "poll.created"}, {"type": "shop.closed"}, {"type": "ping", "x": 1}])
    message = Message.objects.get()
    assert (message.content_kind, message.payload["kind"]) == ("unsupported", "poll.created")
    assert message.payload["raw"]["text"] == "Too small"
    left = Receipt.objects.exclude(pk=message.receipt_id).get()
    assert (left.state, "shop.closed" in left.reason) == ("ignored", True)


def test_a_thread_is_one_ticket_whoever_writes_in_it(channel: Channel) -> None:
    thread = {"id": "shawl", "title": "Hand-woven shawl", "url": "https://shop.example/shawl", "kind": "review"}
    take(channel, [said("r1", thread=thread), said("r2", "Mine fits", "carol", thread=thread, in_reply_to="r1")])
    take(channel, said("r3", "And where is my order?"), call="2")
    take(channel, said("r4", "Hello?"), call="3")
    shawl, order = Ticket.objects.order_by("pk")
    assert (shawl.message_count, shawl.subject, shawl.thread_key) == (2, "Hand-woven shawl", "shawl")
    assert (order.message_count, order.subject) == (2, "And where is my order?")
    assert shawl.customer == order.customer
    other = channels.create("api", "app", {"signing_secret": SECRET}, by=None)
    take(other, said("r1", thread=thread))
    assert Ticket.objects.count() == 3
    assert Identity.objects.filter(kind="api", value="ali").count() == 2  # another "ali"


def test_a_rating_is_shown(channel: Channel, sana: Agent) -> None:
    take(channel, [said("r1", rating={"value": 2}), said("r2", "", "carol", rating={"value": 3.5, "of": 5})])
    two, half = Ticket.objects.order_by("pk")
    assert (two.preview, two.subject) == ("★ 2/5 Too small", "★ 2/5 Too small")
    assert half.preview == "★ 3.5/5"
    (entry,) = [one for one in timeline.build(half, directory.of(sana)).entries if one.kind == "message"]
    assert entry.message.stars == ["full"] * 3 + ["half", "empty"]
    client = Client()
    client.force_login(sana)
    page = client.get(f"/tickets/{two.pk}/").content.decode()
    assert "Rated 2 of 5" in page
    assert page.count('<span class="star-full">') == 2
    take(channel, {"type": "message.deleted", "id": "r1"}, call="2")
    two.refresh_from_db()
    assert "★" not in two.preview
    assert "Rated" not in client.get(f"/tickets/{two.pk}/").content.decode()


def test_what_else_comes_with_a_message(channel: Channel) -> None:
    at = timezone.now().replace(microsecond=0) - timedelta(days=3)
    file = {"url": "https://shop.example/1.jpg", "name": "1.jpg", "content_type": "image/jpeg", "size": 5}
    take(
        channel,
        said(
            "r1",
            "یہ بہت چھوٹا ہے",
            at=at.isoformat(),
            public=True,
            language="ur",
            attachments=[file],
            metadata={"a": 1},
        )
        | {
            "from": {
                "id": "ali",
                "name": "Ali\x00",
                "email": "ali@example.com",
                "picture": "https://shop.example/a.png",
            }
        },
    )
    message = Message.objects.get()
    assert (message.created_at, message.language, message.author_name) == (at, "ur", "Ali")
    assert (message.payload["public"], message.payload["metadata"]) == (True, {"a": 1})
    assert RemoteFile.objects.get().ref == {"url": file["url"]}
    assert [one.verified for one in Identity.objects.filter(kind="email")] == [False]  # a claim that finds nobody


def test_reactions_blocks_and_opting_out(channel: Channel, sana: Agent) -> None:
    take(channel, said("r1"))
    ali, adapter = {"id": "ali"}, adapter_for("api")
    take(channel, {"type": "reaction", "message": "r1", "from": ali, "emoji": "👍"}, call="2")
    assert Message.objects.get().reactions[0]["emoji"] == "👍"
    ticket = Ticket.objects.get()
    for place, (kind, value, may) in enumerate(
        [("blocked", True, False), ("blocked", False, True), ("opted_out", True, False), ("opted_out", False, True)]
    ):
        take(channel, {"type": f"contact.{kind}", "from": ali, "value": value}, call=f"c{place}")
        ticket = Ticket.objects.get()
        assert adapter.may_reply(ticket, channel).allowed is may, kind
    assert Reach.objects.count() == 1


def test_it_reads_two_thousand_events_in_seconds() -> None:
    known = events.Known("channel:1", timezone.now(), False)
    event = said("r1", rating={"value": 2}, thread={"id": "t"})
    began = time.monotonic()
    for _again in range(2000):
        events.parse(event, known)
    assert time.monotonic() - began < 4
