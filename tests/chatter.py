"""A messenger without a wire, for tests of the core: whatever a platform can tell, as JSON, and a history of it.

`history` makes up what many people say on many channels; `told` is the state that it leads to, whatever the order.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from channels_social import reading
from channels_social.messenger import Messenger, Part
from inbox.actions import receive
from inbox.adapters import (
    DeliveryUpdate,
    Edit,
    Inbound,
    Parsed,
    Party,
    RawReceipt,
    ReachUpdate,
    Reaction,
    Withdrawal,
    register,
)
from inbox.counting import Limit
from inbox.models import Channel, Message, Reach, Receipt, Ticket

BEGAN = datetime(2026, 3, 1, 9, tzinfo=UTC)
EMOJI = ("👍", "❤️", "")
Event = dict[str, Any]


@register
class Chatter(Messenger):
    kind = "chatter"
    label = "Chatter"
    identity_kind = "chatter"
    limit = Limit(100)
    window = timedelta(hours=24)

    def wire(self, channel: Channel, session: requests.Session) -> Any:
        return self

    def send_part(self, message: Message, part: Part) -> str:
        raise NotImplementedError

    def parse(self, receipt: Receipt, raw: bytes) -> Sequence[Parsed]:
        told = reading.load(raw)
        return [value(told, receipt.channel_id)]


def value(told: Event, channel: int) -> Parsed:
    """An event as the plain value that an adapter would make of it."""
    at = datetime.fromisoformat(told["at"])
    who = Party("chatter", told["who"], told.get("name", ""), f"channel:{channel}")
    about = told.get("about", "")
    match told["what"]:
        case "says" | "answers":
            echo = told["what"] == "answers"
            return Inbound(
                key=told["id"], external_id=told["id"], scope=f"channel:{channel}", sender=None if echo else who,
                to=(who,) if echo else (), echo=echo, text=told["text"], visible_text=told["text"], at=at,
            )  # fmt: skip
        case "edits":
            return Edit(about, told["text"], at)
        case "deletes":
            return Withdrawal(about, at)
        case "reacts":
            return Reaction(about, who, told["emoji"], at)
        case "state":
            return DeliveryUpdate(about, told["state"], at)
        case "blocks":
            return ReachUpdate(who, at, blocked=told["blocked"])
    raise ValueError(told["what"])


def history(events: int, channels: int, seed: int) -> list[tuple[int, Event]]:
    """So many events as (number of the channel, event), in the order in which they happened."""
    chance = random.Random(seed)
    found: list[tuple[int, Event]] = []
    said: dict[tuple[int, str], list[str]] = {}
    ours: list[tuple[int, str, str]] = []
    for number in range(events):
        channel, who = chance.randrange(channels), f"u{chance.randrange(max(events // (channels * 12), 2))}"
        at = (BEGAN + timedelta(seconds=37 * number)).isoformat()
        event: Event = {"id": f"e{number}", "who": who, "at": at}
        mine = said.setdefault((channel, who), [])
        kind = chance.choices(
            ("says", "answers", "edits", "deletes", "reacts", "state", "blocks"), (55, 12, 8, 3, 7, 12, 3)
        )[0]
        if kind in {"edits", "deletes", "reacts", "blocks"} and not mine or kind == "state" and not ours:
            kind = "says"
        event["what"] = kind
        if kind in {"says", "answers"}:
            event["text"] = f"{kind} {number} " + "x" * chance.randrange(40)
            if kind == "says":
                mine.append(event["id"])
            else:
                ours.append((channel, who, event["id"]))
        elif kind == "state":
            channel, event["who"], event["about"] = chance.choice(ours[-50:])
            event["state"] = chance.choice(("delivered", "read"))
        elif kind == "blocks":
            event["blocked"] = chance.random() < 0.6
        else:
            event |= {"about": chance.choice(mine[-10:]), "text": f"better {number}", "emoji": chance.choice(EMOJI)}
        found.append((channel, event))
    return found


def receipt(event: Event, copy: int = 0) -> RawReceipt:
    """An event as it would come; each `copy` is another call that tells the same."""
    return RawReceipt(json.dumps(event).encode(), f"{event['id']}:{copy}")


def make_channels(count: int) -> list[Channel]:
    return [Channel.objects.create(kind="chatter", slug=f"c{one}", name=f"C {one}") for one in range(count)]


def bring(
    channels: Sequence[Channel], events: Sequence[tuple[int, Event]], *, copies: float = 0, seed: int = 0
) -> None:
    """Store events in this order, some of them more than once: the same call again, or another one that says it."""
    chance = random.Random(seed)
    by_channel: dict[int, list[RawReceipt]] = {}
    for number, event in events:
        rows = by_channel.setdefault(number, [])
        rows.append(receipt(event))
        if chance.random() < copies:
            rows.append(receipt(event, chance.randrange(2)))
    for number, rows in by_channel.items():
        for place in range(0, len(rows), 200):
            receive.put(channels[number], rows[place : place + 200])


def settle() -> None:
    """Take in all there is, also what waits for what it is about: as if its time had passed."""
    while receive.take_in_waiting() or Receipt.objects.filter(state="new").exists():
        Receipt.objects.filter(state="new").update(next_attempt_at=datetime(2026, 1, 1, tzinfo=UTC))


def told(channels: Sequence[Channel]) -> dict[str, Any]:
    """What everything came to, apart from ids and the times of our own clock."""
    tickets = {}
    for ticket in Ticket.objects.filter(channel__in=channels).select_related("customer", "channel").order_by("pk"):
        who = ticket.customer.identities.get().value
        tickets[f"{ticket.channel.slug} {who} {ticket.created_at}"] = {
            "status": ticket.status, "messages": ticket.message_count, "preview": ticket.preview,
            "last": (ticket.last_message_at, ticket.last_direction), "waiting": ticket.waiting_since,
            "first": ticket.first_replied_at, "heard": ticket.last_customer_message_at,
        }  # fmt: skip
    messages = {
        f"{message.channel.slug} {message.external_id}": (
            message.direction, message.text, message.state, message.edited_at, message.withdrawn_at is not None,
            sorted((one["by"].rpartition(":")[2], one["emoji"]) for one in message.reactions if one["emoji"]),
        )
        for message in Message.objects.filter(channel__in=channels).select_related("channel")
    }  # fmt: skip
    reaches = {
        f"{one.channel.slug} {one.identity.value}": (one.last_in_at, one.closes_at, one.blocked_at)
        for one in Reach.objects.filter(channel__in=channels).select_related("channel", "identity")
    }
    return {"tickets": tickets, "messages": messages, "reaches": reaches}
