"""Buttons under messages of ours: what stands on them, and who hears when a customer presses one.

A message is given its buttons when it is written (`reply.reply`); each kind of channel shows as many as its adapter
says (`Adapter.buttons`). A press comes back as a `Press`, never as a message: it answers us, and nobody has to answer
it. Whoever has buttons shown hears of them under a name of their own:

from inbox import presses
presses.register("survey", pressed)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from inbox.actions import base, reach
from inbox.adapters import Press, ReachUpdate, adapter_for
from inbox.models import Channel, Direction, Message, Ticket

MARK = "rabta:"  # before what our buttons carry on platforms
LONGEST_KEY = 20

Pressed = Callable[[Message, str, datetime], None]
_handlers: dict[str, Pressed] = {}


@dataclass(frozen=True, slots=True)
class Buttons:
    """(key, label) of each button, in their order; `owner` is the name under which presses are heard of, `opens` what
    stands on what unfolds them, where they come as a list.
    """

    owner: str
    shown: Sequence[tuple[str, str]]
    opens: str = ""

    def as_payload(self) -> dict[str, Any]:
        return {
            "buttons": {
                "of": self.owner,
                "shown": [{"key": key[:LONGEST_KEY], "label": label} for key, label in self.shown],
                "pressed": None,
                "opens": self.opens,
            }
        }


def register(owner: str, handler: Pressed) -> None:
    """Let this be called with the message, the key of the button and the time, in the transaction that takes it in."""
    _handlers[owner] = handler


def under(message: Message) -> list[dict[str, str]]:
    """The buttons below a message of ours, [{"key", "label"}]."""
    return list(message.payload.get("buttons", {}).get("shown", ()))


def data(message: Message, key: str) -> str:
    """What a button carries, and its platform tells when it is pressed; at most 46 bytes."""
    return f"{MARK}{message.pk}:{key}"


def read(carried: str) -> tuple[int, str] | None:
    """The message (id) and the key that a button of ours carries; None for a button of somebody else."""
    if not carried.startswith(MARK):
        return None
    number, _colon, key = carried.removeprefix(MARK).partition(":")
    return (int(number), key) if number.isdecimal() and len(number) < 19 and key else None


def apply(channel: Channel, press: Press) -> bool:
    """Take a press in, in the transaction around; false where this person has no such message from this channel."""
    found = Message.objects.filter(pk=press.message, channel=channel, direction=Direction.OUT)
    # To them alone: what a button carries, programs of its platform may make up.
    theirs = found.values_list("to", flat=True).first() or []
    if not {one["address"] for one in theirs} & {press.by.value, *(one.value for one in press.by.also)}:
        return False
    if adapter_for(channel.kind).messenger:
        reach.change(channel, ReachUpdate(press.by, press.at, acted=True))
    press_button(press.message, press.key, press.at)
    adapter_for(channel.kind).pressed(channel, press)
    return True


def press_button(message_id: int, key: str, at: datetime) -> bool:
    """Note which button is pressed, and tell whoever has it there; false where the message has no such button.

    Pressed again, or another one, it counts anew: what that means is its owner's business.
    """
    stands_in = Message.objects.filter(pk=message_id).values_list("ticket", flat=True).first()
    if stands_in is None:
        return False
    list(Ticket.objects.select_for_update(no_key=True).filter(pk=stands_in).values_list("pk"))  # before its messages
    message = Message.objects.select_for_update(no_key=True).filter(pk=message_id).first()
    if message is None or key not in {one["key"] for one in under(message)}:
        return False
    message.payload["buttons"]["pressed"] = key
    adapter_for(message.channel.kind).shows_press(message, key)
    message.save(update_fields=["payload"])
    base.announce([message.ticket_id], [message.pk])
    if (handler := _handlers.get(message.payload["buttons"]["of"])) is not None:
        handler(message, key, at)
    return True
