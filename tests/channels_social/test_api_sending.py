"""The generic channel: answers are signed, and sent once whatever the other side does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from channels_social.api.wire import refusal
from inbox import delivery
from inbox.actions import channels, receive, reply, uploads
from inbox.actions.errors import ActionError
from inbox.adapters import adapter_for
from inbox.models import Agent, Channel, Message, Receipt, Ticket
from sandbox import reviews
from sandbox.models import Review
from tests.channels_social.api import SECRET, Far, channel, connect, far, said, sana, take

__all__ = ["channel", "far", "sana"]


def answered(channel: Channel, by: Agent, text: str = "We are sorry.", **more: Any) -> Message:
    message = reply.reply(Ticket.objects.latest("pk"), by=by, text=text, **more)
    delivery.deliver(channel.pk)
    message.refresh_from_db()
    return message


def due(channel: Channel) -> None:
    """As if the time of the next try had come."""
    Message.objects.filter(state="queued").update(next_attempt_at=timezone.now())
    Channel.objects.filter(pk=channel.pk).update(next_send_at=timezone.now())
    delivery.deliver(channel.pk)


def test_an_answer_says_where_it_belongs(far: Far, sana: Agent) -> None:
    channel = connect(far.url)
    take(channel, said("r1", thread={"id": "shawl"}, public=True))
    take(channel, said("r2", "Mine, too", "carol", thread={"id": "shawl"}, public=True), call="2")
    file = uploads.upload(by=sana, name="label.png", content_type="image/png", content=b"\x89PNG\r\n\x1a\n" + b"0" * 9)
    message = answered(channel, sana, attachments=[file.pk])
    (told,) = far.told()
    fetched = Client().get(urlsplit(told["attachments"][0].pop("url")).path)
    assert b"".join(fetched.streaming_content).startswith(b"\x89PNG")  # type: ignore[attr-defined]
    assert told == {
        "type": "message.created",
        "id": f"m{message.pk}",
        "to": {"id": "carol"},
        "text": "We are sorry.",
        "thread": {"id": "shawl"},
        "in_reply_to": "r2",
        "public": True,
        "attachments": [{"name": "label.png", "content_type": "image/png", "size": file.size}],
        "author": {"name": "Sana"},
    }
    assert far.came[0][0]["webhook-id"] == message.external_id == f"m{message.pk}"
    assert message.payload["public"] is True
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(far.came[0][1] + " ", far.came[0][0])
    quoted = Message.objects.get(external_id="r1").pk
    answered(channel, sana, "And you", options={"quotes": quoted, "public": "no"})
    assert (far.told()[1]["in_reply_to"], far.told()[1]["public"]) == ("r1", False)
    with pytest.raises(ActionError):
        answered(channel, sana, options={"public": "perhaps"})


def test_their_id_of_it_is_kept_and_both_name_it(far: Far, sana: Agent) -> None:
    channel = connect(far.url)
    take(channel, said("r1"))
    far.answers = [(201, {"external_id": "answer-9"}), (201, {"external_id": "m1"}), (200, "fine")]
    first, second, third = (answered(channel, sana, text) for text in "123")
    assert [one.external_id for one in (first, second, third)] == ["answer-9", f"m{second.pk}", f"m{third.pk}"]
    take(channel, {"type": "delivery", "message": "answer-9", "status": "read"}, call="2")
    take(channel, {"type": "delivery", "message": f"m{first.pk}", "status": "delivered"}, call="3")
    failed = {"type": "delivery", "message": f"m{second.pk}", "status": "failed", "error": "The review is gone."}
    take(channel, failed, call="4")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state, second.error) == ("read", "failed", "The review is gone.")


def test_a_retry_carries_the_same_id_and_is_sent_at_last(far: Far, sana: Agent) -> None:
    channel = connect(far.url)
    take(channel, said("r1"))
    far.answers = [(500, "oops"), (0, ""), (408, ""), (200, {})]
    message = answered(channel, sana)
    assert (message.state, message.attempts) == ("queued", 1)
    for _again in range(3):
        due(channel)
    message.refresh_from_db()
    assert message.state == "sent"
    assert {headers["webhook-id"] for headers, _ in far.came} == {f"m{message.pk}"}
    assert len({body for _, body in far.came}) == 1
    assert len(far.told()) == 4


def test_too_many_and_gone_rest_the_channel(far: Far, sana: Agent) -> None:
    channel = connect(far.url)
    take(channel, said("r1"))
    far.answers, far.headers = [(429, "")], {"Retry-After": "60"}
    message = answered(channel, sana)
    channel.refresh_from_db()
    assert (message.state, message.attempts, channel.out_failing_since) == ("queued", 0, None)
    assert channel.next_send_at > timezone.now() + timedelta(seconds=50)
    far.answers = [(410, "")]
    due(channel)
    channel.refresh_from_db()
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 0)
    assert "410" in channel.out_error
    far.answers = [(200, {})]
    channels.update(channel, settings={**channel.settings, "webhook_url": far.url + "/new"}, by=None)
    delivery.deliver(channel.pk)
    message.refresh_from_db()
    assert message.state == "sent"


def test_what_is_too_long_leaves_in_parts(far: Far, sana: Agent) -> None:
    channel = connect(far.url, limit=20)
    take(channel, said("r1"))
    message = answered(channel, sana, "One two three four. Five six seven eight.")
    told = far.told()
    assert [one["id"] for one in told] == [f"m{message.pk}", f"m{message.pk}-2", f"m{message.pk}-3"][: len(told)]
    assert len(told) > 1
    assert " ".join(one["text"] for one in told) == message.text
    assert message.state == "sent"


def test_a_window_closes(channel: Channel, sana: Agent) -> None:
    late = (timezone.now() - timedelta(hours=49)).isoformat()
    channel.settings = {**channel.settings, "window_hours": 48, "webhook_url": "http://127.0.0.1:1/"}
    channel.save()
    take(channel, said("r1", at=late))
    ticket, adapter = Ticket.objects.get(), adapter_for("api")
    assert not adapter.may_reply(ticket, channel).allowed
    take(channel, said("r2"), call="2")
    verdict = adapter.may_reply(Ticket.objects.latest("pk"), channel)
    assert verdict.allowed
    assert verdict.until is not None


@pytest.mark.parametrize(
    ("status", "fault", "permanent", "channel"),
    [
        (400, "", True, False),
        (401, "", True, False),
        (404, "", True, False),
        (422, "", True, False),
        (408, "", False, False),
        (500, "", False, False),
        (503, "", False, False),
        (429, "rate", False, True),
        (301, "auth", False, True),
        (410, "auth", False, True),
    ],
)
def test_what_refusals_mean(status: int, fault: str, permanent: bool, channel: bool) -> None:
    error = refusal(status, "No such review.", 7.0 if status in {429, 503} else 0.0)
    assert (error.fault, error.permanent, error.channel, error.unknown) == (fault, permanent, channel, False)
    assert len(str(error.reason)) > 10
    assert ("No such review." in str(error.reason)) is (permanent or status in {408, 500, 503})
    assert error.retry_after == (7.0 if status in {429, 503} else None)


# The shop's reviews: an integrator as they are ------------------------------------------------------------------------


@pytest.fixture
def shop(transactional_db: None, live_server: LiveServer, settings: Settings) -> Channel:
    settings.BASE_URL = live_server.url
    url = f"{live_server.url}/sandbox/shop/reviews/hook/"
    return connect(url, public="yes")


def written(**given: Any) -> Review:
    """Somebody writes on the page of the shawl, and Rabta is told."""
    answer = Client().post("/sandbox/shop/product/shawl/review/", given)
    review = Review.objects.latest("pk")
    assert answer["Location"] == f"/sandbox/shop/product/shawl/#r{review.pk}"
    assert reviews.push() == 1
    receive.take_in_waiting()
    assert not Receipt.objects.filter(state="failed").values_list("reason", flat=True)
    return review


@pytest.mark.servers
def test_an_answer_stands_below_the_review(shop: Channel, sana: Agent) -> None:
    review = written(name="Nadia", stars="2", text="Too small.")
    comment = written(name="Carol", text="Mine fits.", about=review.pk)
    assert reviews.push() == 0
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.message_count, ticket.preview) == ("Hand-woven shawl", 2, "Mine fits.")
    first = Message.objects.get(external_id=review.key)
    assert (first.payload["rating"], first.payload["thread"]["id"]) == ({"value": 2, "of": 5}, review.key)
    to_carol = answered(shop, sana, "Good to hear!")
    to_nadia = answered(shop, sana, "There is a larger one.", options={"quotes": first.pk})
    quietly = answered(shop, sana, "For you alone", options={"public": "no"})
    assert [one.state for one in (to_carol, to_nadia, quietly)] == ["sent"] * 3
    assert comment.answers.first().text == "Good to hear!"
    assert review.answers.get().text == "There is a larger one."
    assert to_nadia.external_id == f"answer-{review.answers.get().pk}"
    page = Client().get("/sandbox/shop/product/shawl/").content.decode()
    assert page.index("Too small.") < page.index("There is a larger one.") < page.index("Mine fits.")
    assert page.index("Mine fits.") < page.index("Good to hear!")
    assert "For you alone" not in page
    assert all(one.ok for one in adapter_for("api").check(shop))
    Message.objects.filter(pk=to_nadia.pk).update(state="queued", next_attempt_at=timezone.now())
    delivery.deliver(shop.pk)
    assert review.answers.count() == 1  # the same id once more


@pytest.mark.servers
def test_the_shop_takes_only_what_is_signed(shop: Channel, sana: Agent) -> None:
    review = written(name="Nadia", stars="2", text="Too small.")
    hook = "/sandbox/shop/reviews/hook/"
    assert Client().post(hook, {"type": "ping"}, "application/json").status_code == 401
    Review.objects.all().delete()
    message = answered(shop, sana)
    assert (message.state, "not here any more" in message.error) == ("failed", True)
    assert not review.answers.exists()
