"""What a platform tells later of a message that is here: another text, deleted, reactions, how far ours has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q

from inbox import log, presses
from inbox.actions import base, channel_news, counts, messages, reach
from inbox.actions.erased_receipts import EDITED_IN, delete_files
from inbox.adapters import (
    AddressChange,
    Change,
    ChannelNews,
    DeliveryUpdate,
    Edit,
    Hiding,
    Party,
    Press,
    ReachUpdate,
    Reaction,
    Withdrawal,
    adapter_for,
)
from inbox.models import (
    ActorKind,
    Attachment,
    Channel,
    DeliveryState,
    Direction,
    Message,
    MessagePart,
    Receipt,
    RemoteFile,
)
from inbox.previews import title

MOST_VERSIONS = 20  # earlier texts that are kept of one message


def apply(channel: Channel, change: Change, receipt: Receipt | None = None) -> bool:
    """Do what a change says, in the transaction around; false when its message is not here (yet).

    What is older than what is known already changes nothing, and is known all the same. Which message it is about is
    noted in the `meta` of the `receipt` that told it (of this object: it is not saved).
    """
    if isinstance(change, DeliveryUpdate):
        return messages.delivery_update(channel, change)
    if isinstance(change, ReachUpdate):
        return reach.change(channel, change)
    if isinstance(change, AddressChange):
        return reach.moved(channel, change)
    if isinstance(change, Press):
        return presses.apply(channel, change)
    if isinstance(change, ChannelNews):
        return channel_news.note(channel, change)
    if isinstance(change, Reaction) and change.opens and change.by is not None and change.emoji:
        reach.change(channel, ReachUpdate(change.by, change.at, acted=True))
    message = find(channel, change.external_id)
    if message is None:
        return False
    if receipt is not None:
        receipt.meta = {**receipt.meta, "ticket": message.ticket_id, "message": message.pk}
    if isinstance(change, Edit):
        _edit(message, change, receipt)
    elif isinstance(change, Withdrawal):
        _withdraw(message, change)
    elif isinstance(change, Hiding):
        _hide(message, change)
    else:
        _react(message, change)
    return True


def find(channel: Channel, external_id: str) -> Message | None:
    """The message that the platform calls so on this channel, locked; also by one of the parts it was sent in."""
    if not external_id:
        return None
    named = Message.objects.filter(external_id=external_id)
    if not adapter_for(channel.kind).global_ids:
        named = named.filter(channel=channel)
    found = named.order_by("pk").values_list("pk", flat=True).first()
    if found is None:
        parts = MessagePart.objects.filter(external_id=external_id, message__channel=channel)
        found = parts.order_by("pk").values_list("message", flat=True).first()
    return None if found is None else messages.lock(found)


def _edit(message: Message, edit: Edit, receipt: Receipt | None) -> None:
    if message.withdrawn_at is not None:
        if receipt is not None:
            forget(receipt)
        return
    if receipt is not None and receipt.pk not in message.payload.get(EDITED_IN, []):
        message.payload[EDITED_IN] = [*message.payload.get(EDITED_IN, []), receipt.pk]
    if message.edited_at is not None and message.edited_at > edit.at:
        message.save(update_fields=["payload"])
        return
    was = title(message)
    if message.text != edit.text:
        before = {"text": message.text, "at": (message.edited_at or message.created_at).isoformat()}
        message.payload["versions"] = [*message.payload.get("versions", []), before][-MOST_VERSIONS:]
        message.text = message.visible_text = edit.text.replace("\x00", "")
    message.edited_at = edit.at
    message.save(update_fields=["payload", "text", "visible_text", "edited_at"])
    _tell(message, "message_edited")
    counts.refresh_preview(message, was)


def _withdraw(message: Message, withdrawal: Withdrawal) -> None:
    """Nothing is left of what it said: whoever deletes on the platform deletes it with us."""
    if message.withdrawn_at is not None:
        return
    was = title(message)
    told = [*message.payload.get(EDITED_IN, []), *([message.receipt_id] if message.receipt_id else [])]
    message.withdrawn_at, message.edited_at = withdrawal.at, None
    message.text = message.visible_text = message.html = ""
    message.payload = {key: value for key, value in message.payload.items() if key in {"public", "thread"}}
    if withdrawal.ours:
        message.payload["deleted_by_us"] = True
    message.save(update_fields=["withdrawn_at", "edited_at", "text", "visible_text", "html", "payload"])
    RemoteFile.objects.filter(message=message).delete()
    held = Attachment.objects.filter(message=message)
    stored = set(held.values_list("stored", flat=True)) - {""}
    held.delete()
    stored |= _forget(told)
    transaction.on_commit(partial(delete_files, stored), robust=True)
    _tell(message, "message_withdrawn", ours=withdrawal.ours)
    counts.refresh_preview(message, was)


def forget(receipt: Receipt) -> None:
    """What a receipt tells is about nothing that is here (any more): its bytes go."""
    transaction.on_commit(partial(delete_files, _forget([receipt.pk])), robust=True)


def _forget(receipts: Sequence[int]) -> set[str]:
    """Of these receipts (ids) the bytes go; returns the files that they were in."""
    rows = Receipt.objects.filter(pk__in=receipts)
    stored = set(rows.values_list("stored", flat=True)) - {""} if receipts else set()
    if receipts:
        rows.update(raw=None, stored="", size=0)
    return stored


def _hide(message: Message, hiding: Hiding) -> None:
    """Of two that contradict each other the later one counts, in whatever order they come."""
    known = message.payload.get("hiding_at")
    if message.withdrawn_at is not None or (known and datetime.fromisoformat(known) > hiding.at):
        return
    was = bool(message.payload.get("hidden"))
    message.payload |= {"hidden": hiding.hidden, "hiding_at": hiding.at.isoformat()}
    message.save(update_fields=["payload"])
    if was != hiding.hidden:
        _tell(message, "message_hidden" if hiding.hidden else "message_unhidden", ours=True)


def _react(message: Message, reaction: Reaction) -> None:
    who = _key(reaction.by)
    rows: list[dict[str, Any]] = list(message.reactions)
    mine = next((row for row in rows if row["by"] == who), None)
    if mine is not None and datetime.fromisoformat(mine["at"]) > reaction.at:
        return
    row = {
        "by": who,
        "name": reaction.by.name if reaction.by else "",
        "emoji": reaction.emoji[:32],
        "at": reaction.at.isoformat(),
    }
    # One that was taken back stays as an empty row: an older one that comes late must not bring it back.
    message.reactions = [one for one in rows if one["by"] != who] + [row]
    message.save(update_fields=["reactions"])
    _tell(message, "message_reacted")


def _key(party: Party | None) -> str:
    return "" if party is None else f"{party.kind}:{party.scope}:{party.value}"


def _tell(message: Message, kind: str, *, ours: bool = False) -> None:
    theirs = message.direction == Direction.IN and message.customer_id is not None and not ours
    actor = (ActorKind.CUSTOMER, message.customer_id) if theirs else (ActorKind.SYSTEM, None)
    event = log.line(message.ticket, kind, actor=actor, message=message.pk)
    event.save(force_insert=True)
    base.announce([message.ticket_id], [message.pk])


def reconciled(channel: Channel, person: str, text: str, reference: int, external_id: str) -> Message | bool | None:
    """Which message of ours an echo is of: the message, None for none, True for one that may be but is still leaving.

    By our own id or the platform's, where either is known; else by the same words to the same person, of unknown fate.
    """
    mine = Message.objects.filter(channel=channel, direction=Direction.OUT)
    if reference and (found := mine.filter(pk=reference).first()) is not None:
        return found
    known = Q(external_id=external_id) | Q(parts__external_id=external_id)
    if external_id and (found := mine.filter(known).first()) is not None:
        return found
    theirs = mine.filter(to__contains=[{"address": person}])
    unsure = theirs.filter(state=DeliveryState.UNKNOWN).order_by("-pk")[:20]
    if (found := next((one for one in unsure if _same(one.text, text)), None)) is not None:
        return found
    return theirs.filter(state=DeliveryState.SENDING).exists()


def _same(whole: str, part: str) -> bool:
    """Whether an echo says what a message of ours says, or one part of it."""
    return bool(part.strip()) and " ".join(part.split()) in " ".join(whole.split())
