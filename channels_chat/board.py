"""The chat desk as screens show it: who waits, whose chats there are, and the chats that stand side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db.models import F, OuterRef, QuerySet, Subquery, Window
from django.db.models.functions import Left, RowNumber
from django.http import Http404
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from channels_chat import config, lines
from channels_chat.models import LIVE, Chat, ChatEnd, ChatState, Desk
from inbox import access, composing
from inbox.bundle import together
from inbox.directory import Named
from inbox.models import Agent, Message, Ticket
from inbox.panel import draft as drafted
from lib.language import language_name

MOST_LISTED = 200  # live chats that the rail holds
MOST_OPEN = 9  # chats side by side: there is a key for each
MOST_AT_ONCE = 20  # what somebody may set as their capacity
LETTERS = 160  # of what the visitor said last
LATE, VERY_LATE = 60, 180  # seconds of waiting; a chat's clock changes its colour there


@dataclass(slots=True)
class Card:
    """One chat: what its row in the rail and its head say."""

    chat: Chat
    ticket: Ticket
    me: int
    place: int = 0
    lines: list[lines.Line] = field(default_factory=list)
    composer: dict[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> int:
        return self.ticket.number

    @property
    def state(self) -> str:
        return self.chat.state

    @property
    def name(self) -> str:
        visitor, customer = self.chat.visitor, self.ticket.customer.name
        return visitor.name or (customer if customer != visitor.address else "") or visitor.email or _("Visitor")

    @property
    def agent(self) -> Named | None:
        """Who has it."""
        one = self.chat.engagement.agent
        return Named(one.pk, str(one), photo=one.photo) if one is not None else None

    @property
    def is_mine(self) -> bool:
        return self.chat.state == ChatState.ACTIVE and self.chat.engagement.agent_id == self.me

    @property
    def is_offered(self) -> bool:
        """Whether it is offered to whoever looks, right now."""
        until = self.chat.offer_until
        return self.chat.offered_to_id == self.me and until is not None and until > timezone.now()

    @property
    def since(self) -> datetime | None:
        """Since when the visitor waits: in the queue, or for an answer to the oldest thing that nobody answered."""
        if self.chat.state == ChatState.WAITING:
            return self.chat.queued_at or self.chat.engagement.requested_at
        return self.ticket.waiting_since if self.chat.state == ChatState.ACTIVE else None

    @property
    def clock(self) -> str:
        """The words of the clock as the page comes; its script counts on."""
        return spoken(int((timezone.now() - self.since).total_seconds())) if self.since else ""

    @property
    def lateness(self) -> str:
        waited = (timezone.now() - self.since).total_seconds() if self.since else 0
        return "very-late" if waited >= VERY_LATE else "late" if waited >= LATE else ""

    @property
    def language(self) -> str:
        code = self.chat.language or self.chat.visitor.language
        return language_name(code) if code else ""

    @property
    def topic(self) -> str:
        return topic_of(self.chat)

    @property
    def page(self) -> dict[str, str]:
        """The page they are on now."""
        pages = self.chat.visitor.pages or [{"url": self.chat.page}]
        return page_of(pages[-1])

    @property
    def is_gone(self) -> bool:
        """Whether no page of the visitor is open."""
        return self.chat.visitor.gone_at is not None

    @property
    def heard(self) -> str:
        """What the visitor said last, where many chats are listed."""
        return str(getattr(self.chat, "heard", None) or "")

    @property
    def end(self) -> str:
        """How it ended, in words."""
        return str(ChatEnd(self.chat.end).label) if self.chat.end in ChatEnd.values else ""


def page_of(row: Mapping[str, Any]) -> dict[str, str]:
    """A page as screens show it: `url` only where it is one of the web, and where on the site that is."""
    url = str(row.get("url") or "")
    parts = urlsplit(url) if url.startswith(("https://", "http://")) else None
    path = (parts.path or "/") if parts else ""
    return {"url": url if parts else "", "path": path, "title": str(row.get("title") or "") or path}


def spoken(seconds: int) -> str:
    """A length of time as a clock shows it: 0:07, 12:40, 1:02:03."""
    hours, rest = divmod(max(seconds, 0), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def topic_of(chat: Chat) -> str:
    """The topic that was chosen before the chat, in the reader's language."""
    if not chat.topic:
        return ""
    for one in config.of(chat.channel).topics:
        if one.get("key") == chat.topic:
            label = one.get("label") or {}
            return str(label.get(get_language() or "en") or label.get("en") or next(iter(label.values()), chat.topic))
    return chat.topic


def seen_by(agent: Agent) -> QuerySet[Chat]:
    """The chats of tickets that this agent sees, with what a card says of them."""
    found = Chat.objects.select_related(
        "engagement__agent",
        "engagement__ticket__customer",
        "engagement__ticket__assignee",
        "visitor",
        "channel",
        "team",
    ).order_by("pk")
    said = Message.objects.filter(ticket=OuterRef("engagement__ticket"), direction="in", deleted_at__isnull=True)
    found = found.annotate(heard=Subquery(said.order_by("-pk").values(short=Left("visible_text", LETTERS))[:1]))
    hidden = access.sight(agent)
    if hidden.hidden_channels or hidden.hidden_teams:
        found = found.filter(engagement__ticket__in=access.tickets(agent))
    return found


def get(agent: Agent, number: int) -> Chat:
    """The chat of a ticket: the one that goes on, else the last one. A foreign one is a 404."""
    ticket = access.get_ticket(agent, number)
    found = Chat.objects.select_related("engagement__agent", "visitor", "channel", "team").filter(
        engagement__ticket=ticket
    )
    chat = found.filter(LIVE).order_by("-pk").first() or found.order_by("-pk").first()
    if chat is None:
        raise Http404
    chat.engagement.ticket = ticket
    return chat


def card(agent: Agent, chat: Chat) -> Card:
    return Card(chat, chat.engagement.ticket, agent.pk)


@dataclass(slots=True)
class Rail:
    """The live chats that somebody sees. `waiting` is in the order in which they are answered."""

    waiting: list[Card] = field(default_factory=list)
    mine: list[Card] = field(default_factory=list)
    others: list[Card] = field(default_factory=list)
    desk: Desk | None = None

    @property
    def numbers(self) -> list[int]:
        return [one.number for one in self.mine]


def desk_of(agent: Agent) -> Desk:
    """Whether they take chats, and how many; what holds for everybody where they never said."""
    return Desk.objects.filter(agent=agent).first() or Desk(agent=agent)


def rail(agent: Agent) -> Rail:
    """The rail of the desk: two queries."""
    found = Rail(desk=desk_of(agent))
    for chat in seen_by(agent).filter(LIVE)[:MOST_LISTED]:
        one = card(agent, chat)
        group = found.mine if one.is_mine else found.waiting if chat.state == ChatState.WAITING else found.others
        group.append(one)
    found.waiting.sort(key=lambda one: (one.since or timezone.now(), one.chat.pk))
    found.mine.sort(key=lambda one: (one.chat.engagement.accepted_at or one.chat.engagement.requested_at, one.chat.pk))
    for place, one in enumerate(found.waiting, 1):
        one.place = place
    return found


def open_chats(agent: Agent, found: Rail, also: Collection[int] = ()) -> list[Card]:
    """The chats that stand side by side: one's own, then those (by their tickets) that were opened to be watched."""
    wanted = [number for number in also if number not in found.numbers]
    watched = {}
    if wanted:
        newest = Chat.objects.filter(engagement__ticket=OuterRef("engagement__ticket")).order_by("-pk").values("pk")[:1]
        rows = seen_by(agent).filter(engagement__ticket__in=wanted[:MOST_OPEN], pk=Subquery(newest))
        watched = {chat.engagement.ticket_id: card(agent, chat) for chat in rows}
    cards = [*found.mine, *(watched[number] for number in wanted if number in watched)][:MOST_OPEN]
    fill(agent, cards)
    return cards


def fill(agent: Agent, cards: Sequence[Card]) -> None:
    """What was said in these chats, and what this agent has begun to write there: two queries for all of them."""
    numbers = [one.number for one in cards]
    if not numbers:
        return
    place = Window(RowNumber(), partition_by=F("ticket"), order_by=F("pk").desc())
    rows = lines.said(Message.objects.filter(ticket__in=numbers)).annotate(back=place).filter(back__lte=lines.MOST)
    by_ticket: dict[int, list[lines.Line]] = {number: [] for number in numbers}
    for line in lines.of(rows.order_by("pk")):
        by_ticket[line.ticket].append(line)
    parts = {"draft": drafted.draft, "draft_files": drafted.files, "draft_macros": drafted.macros}
    kept = together({
        f"{key} {one.number}": part(agent, one.ticket) for one in cards for key, part in parts.items()
    })  # fmt: skip
    for one in cards:
        one.lines = by_ticket[one.number]
        newest = one.lines[-1].pk if one.lines else 0
        one.composer = composing.composer({key: kept[f"{key} {one.number}"] for key in parts}, newest, agent)


def offers(agent: Agent) -> list[Card]:
    """The chats that are offered to this agent right now, oldest first. One query beside those of rights."""
    now = timezone.now()
    found = seen_by(agent).filter(state=ChatState.WAITING, offered_to=agent, offer_until__gt=now)
    return [card(agent, one) for one in found.order_by("queued_at", "pk")[:MOST_OPEN]]


def numbers_of(text: Iterable[str]) -> list[int]:
    """Numbers of tickets as they stand in an address, once each."""
    words = [word for part in text for word in part.split(",")][: 2 * MOST_OPEN]
    return list(dict.fromkeys(int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19))
