"""The automatic answer to a new ticket: on messengers where it may leave, and never where everybody reads it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inbox import acknowledge
from inbox.actions import channels, receive, reply
from inbox.actions.errors import ActionError
from inbox.adapters import RawReceipt, adapter_for
from inbox.models import Channel, Customer, Event, Message, Reach, Ticket
from tests.channels_social.meta import PAGE

WORDS = "We have your message."


@pytest.fixture
def page(db: None) -> Channel:
    channel = Channel(kind="facebook", slug="page", name="Shop", settings={"page_id": PAGE, "acknowledgement": WORDS})
    channel.secrets = {"token": "t", "app_secret": "s"}
    channel.save()
    return channel


@pytest.fixture
def reviews(db: None) -> Channel:
    given = {"webhook_url": "https://shop.example/rabta", "acknowledgement": WORDS}
    return channels.create("api", "reviews", given, by=None)


def take(channel: Channel, told: Any) -> Ticket:
    raw = json.dumps(told).encode()
    [stored] = receive.store(channel, [RawReceipt(raw, f"r{len(raw)}-{Event.objects.count()}")], claim=True)
    [outcome] = receive.take_in([stored.receipt_id])
    return Ticket.objects.get(pk=outcome.ticket)


def on_page(**one: Any) -> dict[str, Any]:
    return {"object": "page", "id": PAGE, "time": int(timezone.now().timestamp()), **one}


def written(who: str = "5550001", text: str = "Hello") -> dict[str, Any]:
    now = int(timezone.now().timestamp() * 1000)
    message = {"mid": f"m_{who}_{now}", "text": text}
    event = {"sender": {"id": who}, "recipient": {"id": PAGE}, "timestamp": now, "message": message}
    return on_page(messaging=event)


def commented() -> dict[str, Any]:
    value = {
        "item": "comment",
        "verb": "add",
        "post_id": f"{PAGE}_501",
        "comment_id": "501_777",
        "parent_id": f"{PAGE}_501",
        "from": {"id": "8880001", "name": "Ana Silva"},
        "message": "Price?",
    }
    return on_page(changes={"field": "feed", "value": value})


def said(identifier: str, **more: Any) -> dict[str, Any]:
    return {"type": "message.created", "id": identifier, "from": {"id": "ali", "name": "Ali"}, "text": "Hm", **more}


def answers(ticket: Ticket) -> list[str]:
    """What was answered by itself, and how far it is."""
    for event in Event.objects.filter(kind="ticket_created", ticket=ticket):
        acknowledge.acknowledge(event)
    return list(Message.objects.filter(ticket=ticket, direction="out").values_list("state", flat=True))


def test_it_leaves_where_a_window_is_open(page: Channel, reviews: Channel) -> None:
    assert answers(take(page, written())) == ["queued"]
    assert answers(take(reviews, said("r1"))) == ["queued"]


def test_never_under_a_comment_or_review(page: Channel, reviews: Channel) -> None:
    thread = {"id": "shawl"}
    assert answers(take(page, commented())) == []
    assert answers(take(reviews, said("r1", public=True, thread=thread))) == []
    # One who wrote in private, where by now somebody else has written in public: it would stand below that.
    mixed = {"id": "hat"}
    ticket = take(reviews, said("r2", thread=mixed))
    assert take(reviews, said("r3", thread=mixed, public=True)) == ticket
    assert answers(ticket) == []
    with pytest.raises(ActionError):  # whoever asks for it
        reply.reply(ticket, by=None, text=WORDS, automatic=True)
    assert reply.reply(ticket, by=None, text=WORDS).payload["public"]


@pytest.mark.parametrize("why", ["closed", "opted_out", "customer", "blocked", "paused", "nowhere"])
def test_not_where_it_could_not_leave(page: Channel, reviews: Channel, why: str) -> None:
    ticket = take(reviews, said("r1")) if why == "nowhere" else take(page, written())
    past = timezone.now() - timedelta(minutes=1)
    match why:
        case "closed":
            Reach.objects.update(closes_at=past)
        case "opted_out" | "blocked":
            Reach.objects.update(**{f"{why}_at": past})
        case "customer":
            Customer.objects.update(opt_outs=["facebook"])
        case "paused":
            channels.update(page, paused=True, by=None)
        case "nowhere":
            channels.update(reviews, settings={"acknowledgement": WORDS}, by=None)
    assert answers(Ticket.objects.get(pk=ticket.pk)) == []
    assert not Message.objects.filter(direction="out").exists()


def test_the_setting_says_where_it_is_not_sent() -> None:
    for kind in ("facebook", "instagram", "whatsapp", "telegram", "sms", "api"):
        assert "public comments" in str(adapter_for(kind).settings_form().fields["acknowledgement"].help_text)
