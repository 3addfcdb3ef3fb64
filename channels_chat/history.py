"""What a visitor may see of what was said, and how it goes over the wire (docs/channels/chat.md, "The wire").

They see what they said here and what was said to them, wherever an agent moved it; and what went by e-mail in tickets
that began as their chat. What else is in a ticket that theirs was merged into is not theirs to see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper, Q, Subquery

from channels_chat import config, queue, uploads
from channels_chat.models import Chat, ChatState, Visitor
from inbox.files import PICTURES
from inbox.models import AuthorKind, Channel, Direction, Message, Ticket

MERGE_HOPS = 20
LATE = timedelta(seconds=20)  # longer than a transaction takes from its clock to its commit
MOST_BROWSERS = 50  # of one person
KINDS = ("text", "buttons", "form", "page")


def addresses_of(visitor: Visitor) -> list[str]:
    """What this visitor is called: as a browser, and as who the site vouched for, in whatever browser of theirs."""
    names = [visitor.address, f"v:{visitor.public}"]
    if visitor.user:
        theirs = Visitor.objects.filter(channel=visitor.channel_id, user=visitor.user)
        names += [f"u:{visitor.user}", *theirs.values_list("address", flat=True)[:MOST_BROWSERS]]
    return list(dict.fromkeys(names))


def said_to(visitor: Visitor, names: Sequence[str] = ()) -> Q:
    """Messages that went to this visitor; `names` where they are known, as `addresses_of` has them."""
    to_them = Q()
    for name in names or addresses_of(visitor):
        to_them |= Q(to__contains=[{"address": name}])
    return to_them


def tickets_of(visitor: Visitor) -> tuple[set[int], set[int]]:
    """Numbers of the tickets that began as chats of theirs, and of those with what these were merged into and split
    into.
    """
    rows = Ticket.objects.filter(channel=visitor.channel_id, thread_key__in=addresses_of(visitor))
    found = dict(rows.values_list("number", "merged_into"))
    own = set(found)
    moved = Message.objects.filter(first_ticket__in=own).exclude(ticket__in=own).values_list("ticket", flat=True)
    found.update(Ticket.objects.filter(number__in=moved).values_list("number", "merged_into"))
    missing = {one for one in found.values() if one and one not in found}
    for _hop in range(MERGE_HOPS):
        if not missing:
            break
        more = dict(Ticket.objects.filter(number__in=missing).values_list("number", "merged_into"))
        found.update(more)
        missing = {one for one in more.values() if one and one not in found}
    return own, set(found)


def of(
    visitor: Visitor, *, after: int = 0, before: int | None = None, most: int = 50, told: Collection[int] = ()
) -> list[Message]:
    """Messages with ids above `after`, and below `before`: the newest of them, oldest first.

    With those above `after` come others that may have become visible later than it did: a reply whose transaction took
    longer, one that waited for its time. `told` are the ids of those that are known.
    """
    own, tickets = tickets_of(visitor)
    if not tickets:
        return []
    names = addresses_of(visitor)
    here = Q(channel=visitor.channel_id)
    theirs = here & (
        Q(direction=Direction.IN, author_address__in=names) | (Q(direction=Direction.OUT) & said_to(visitor, names))
    )
    by_mail = ~here & Q(first_ticket__in=own, direction__in=[Direction.IN, Direction.OUT], unverified=False)
    found = (
        Message.objects.conversation()
        .said()
        .filter(theirs | by_mail, ticket__in=tickets)
        .exclude(payload__has_key="continues")  # the mail of what stands here already
        .select_related("agent")
        .prefetch_related("attachments")
        .order_by("-pk")
    )
    if after:
        known = Subquery(Message.objects.filter(pk=after).values("created_at"))
        edge = ExpressionWrapper(known - LATE, output_field=DateTimeField())
        found = found.filter(Q(pk__gt=after) | Q(created_at__gt=edge) | Q(sent_at__gt=edge))
    if told:
        found = found.exclude(pk__in=told)
    if before is not None:
        found = found.filter(pk__lt=before)
    return list(found[:most])[::-1]


def moment(at: datetime) -> int:
    """Milliseconds since 1970, as scripts count."""
    return int(at.timestamp() * 1000)


def wire(messages: Iterable[Message], channel: Channel, language: str = "") -> list[dict[str, Any]]:
    """Messages as the widget reads them."""
    return [_one(message, channel, language) for message in messages]


def _one(message: Message, channel: Channel, language: str) -> dict[str, Any]:
    chat: Mapping[str, Any] = message.payload.get("chat") or {}
    inward = message.direction == Direction.IN
    by = {
        AuthorKind.CUSTOMER.value: "visitor",
        AuthorKind.AGENT.value: "agent",
        AuthorKind.BOT.value: "bot",
    }.get(message.author_kind, "system")
    told: dict[str, Any] = {
        "id": message.pk,
        "dir": "in" if inward else "out",
        "by": by,
        "name": "" if inward or by == "system" else message.author_name,
        "face": uploads.face(channel, message.agent) if not inward and by == "agent" and message.agent else "",
        "text": message.visible_text or message.text,
        "at": moment(message.created_at),
        "kind": chat.get("kind") if chat.get("kind") in KINDS else "text",
        "data": chat.get("data") or {},
        "files": [_file(channel, one) for one in message.attachments.all()],
    }
    if inward and message.payload.get("cid"):
        told["cid"] = message.payload["cid"]
    return told


def _file(channel: Channel, file: Any) -> dict[str, Any]:
    return {
        "name": file.name,
        "type": file.content_type,
        "size": file.size,
        "url": uploads.address(channel, file),
        "image": file.content_type in PICTURES,
    }


def state(chat: Chat | None, channel: Channel, language: str = "") -> dict[str, Any] | None:
    """How the visitor's chat stands, as the widget reads it; None where they never had one."""
    if chat is None:
        return None
    settings = config.of(channel)
    agent = chat.engagement.agent if chat.state == ChatState.ACTIVE else None
    waiting = chat.state == ChatState.WAITING
    place, wait, overflow = _queue(chat, channel, settings) if waiting else (None, None, "")
    ended = chat.state == ChatState.ENDED
    return {
        "id": chat.pk,
        "state": chat.state,
        "place": place,
        "wait": wait,
        "agent": {"name": agent.name, "face": uploads.face(channel, agent)} if agent else None,
        "end": chat.end,
        "rate": ended and settings.rating and chat.score is None and chat.first_human_at is not None,
        "score": chat.score,
        "warned": chat.warned_at is not None and not ended,
        "overflow": overflow,
    }


def _queue(chat: Chat, channel: Channel, settings: config.Settings) -> tuple[int | None, int | None, str]:
    """Its place, the seconds that it is expected to take, and why its visitor is asked for a message, if so: it takes
    too long ("late"), or who could answer is not there ("nobody"). Then no time is promised.
    """
    place = queue.place_of(chat)
    if not queue.overflows(chat):
        return place, queue.expected_wait(channel, chat.team, place), ""
    here = queue.is_open(settings) and queue.someone_here(channel, chat.team)
    return place, None, "late" if here else "nobody"


def newest(visitor: Visitor) -> Chat | None:
    """Their chat that is under way, else their last."""
    found = Chat.objects.filter(visitor=visitor).select_related("engagement__agent", "engagement__ticket", "team")
    return found.order_by("-pk").first()
