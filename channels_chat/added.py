"""What live chat adds to the screens of tickets: the state of the chat above the composer, where the visitor is beside
the conversation, forms and buttons within messages, and words for the log. Registered when the app is ready.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_chat import lines
from channels_chat.actions import continuity
from channels_chat.board import MOST_AT_ONCE, desk_of, page_of, seen_by, spoken
from channels_chat.models import Chat, ChatEnd, ChatState, JourneyRun
from inbox import additions, directory, fields, happenings, journey, wording
from inbox.additions import Piece
from inbox.directory import Named
from inbox.models import Agent, Customer, Event, Message, Ticket
from lib.language import language_name

if TYPE_CHECKING:
    from inbox.views.shell import AgentRequest

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]
MOST_PAGES = 8
HAS_CHATS = "rabta_chats"  # cookie: whether there is any chat channel, so that no page needs to ask for it
PRIVATE = "_"  # attributes of a visitor whose names begin so are ours, and no fact about them

HOW_ASKED = {
    "asked": gettext_lazy("asked for a human"),
    "watchdog": gettext_lazy("the bot fell silent; a human is asked"),
    "flow": gettext_lazy("the bot handed over; a human is asked"),
    "missed": gettext_lazy("the bot did not understand; a human is asked"),
    "unhelpful": gettext_lazy("the bot did not help; a human is asked"),
    "failed": gettext_lazy("the bot failed; a human is asked"),
    "loop": gettext_lazy("the bot failed; a human is asked"),
    "wrote": gettext_lazy("waits for somebody"),
}
HOW_RETURNED = {
    "gone": gettext_lazy("its agent lost the connection; the chat waits again"),
    "away": gettext_lazy("its agent went away; the chat waits again"),
    "off": gettext_lazy("its agent was switched off; the chat waits again"),
}


# What is read with the panel --------------------------------------------------------------------------------------


def chats(agent: Agent, ticket: Ticket) -> QuerySet[Chat, Any]:
    """The newest chats of a ticket, with what its page says of them."""
    found = Chat.objects.filter(engagement__ticket=ticket).order_by("-pk")
    return found.values(
        "id", "state", "queued_at", "offered_to", "offer_until", "end", "score", "comment", "topic", "language",
        "channel_id", "visitor_id", "fields", "engagement__agent", "engagement__accepted_at", "engagement__ended_at",
        "engagement__requested_at", "visitor__name", "visitor__email", "visitor__gone_at", "visitor__pages",
        "visitor__referrer", "visitor__visits", "visitor__attributes", "visitor__language", "visitor__time_zone",
    )[:3]  # fmt: skip


def journeys(agent: Agent, ticket: Ticket) -> QuerySet[JourneyRun, Any]:
    """How far the visitor got in the journeys that are declared."""
    found = JourneyRun.objects.filter(visitor__chats__engagement__ticket=ticket).order_by("-started_at").distinct()
    return found.values("id", "journey", "started_at", "completed_at")[:5]


# Above the composer, and beside the conversation ------------------------------------------------------------------


def banner(agent: Agent, ticket: Ticket, rows: Rows) -> Piece | None:
    """The chat's state: waiting, with the bot, with somebody, ended; and what can be done about it."""
    row = next(iter(rows["chat"]), None)
    if row is None or (row["state"] == ChatState.ENDED and not row["end"]):
        return None
    known = directory.of(agent)
    owner = row["engagement__agent"]
    context = {
        **row,
        "number": ticket.number,
        "owner": Named(owner, known.names.get(owner, ""), photo=known.photos.get(owner, "")) if owner else None,
        "is_mine": owner == agent.pk,
        "may_answer": agent.may_write and not ticket.is_locked,
        "is_live": row["state"] != ChatState.ENDED,
        "since": row["queued_at"] if row["state"] == ChatState.WAITING else ticket.waiting_since,
        "ended": str(ChatEnd(row["end"]).label) if row["end"] in ChatEnd.values else "",
        "stars": stars(row["score"]),
        "lasted": _lasted(row),
        "people": known.people,
        "teams": known.teams,
    }
    return Piece("channels_chat/ticket/_banner.html", context)


def _lasted(row: Row) -> str:
    began, ended = row["engagement__accepted_at"] or row["engagement__requested_at"], row["engagement__ended_at"]
    return spoken(int((ended - began).total_seconds())) if ended else ""


def stars(score: int | None) -> list[bool]:
    """A rating of 1 to 5 as five marks, each full or not."""
    return [place <= score for place in range(1, 6)] if score else []


def on_the_site(agent: Agent, ticket: Ticket, rows: Rows) -> Piece | None:
    """Where the visitor is, where they were before, and what the site told us of them."""
    row = next(iter(rows["chat"]), None)
    if row is None:
        return None
    pages = [
        {**page_of(one), "at": parse_datetime(str(one.get("at") or ""))}
        for one in reversed(row["visitor__pages"] or [])
    ]
    attributes = row["visitor__attributes"] or {}
    context = {
        "is_here": row["visitor__gone_at"] is None and row["state"] != ChatState.ENDED,
        "now": pages[0] if pages else None,
        "before": pages[1:MOST_PAGES],
        "unlisted": max(len(pages) - MOST_PAGES, 0),
        "referrer": row["visitor__referrer"],
        "visits": row["visitor__visits"],
        "language": language_name(row["visitor__language"]) if row["visitor__language"] else "",
        "zone": row["visitor__time_zone"],
        "attributes": [
            (key, fields.plain(value))
            for key, value in [*(row["fields"] or {}).items(), *attributes.items()]
            if not key.startswith(PRIVATE) and isinstance(value, str | int | float)
        ][:12],
        "journeys": rows["chat_journeys"],
    }
    return Piece("channels_chat/ticket/_site.html", context)


def within(message: Message) -> Piece | None:
    """A form, a page, or buttons that a message of a chat offered."""
    part = message.payload.get("chat") if isinstance(message.payload, Mapping) else None
    if not isinstance(part, Mapping) or part.get("kind") not in lines.KINDS:
        return None
    kind = str(part["kind"])
    return Piece("channels_chat/ticket/_within.html", {"kind": kind, "part": lines.shown(kind, part.get("data") or {})})


def route_hint(ticket: Ticket, beside: Rows) -> str:
    """What the composer says of the way: whoever left the site gets the answer by mail, where they gave an address."""
    row = next(iter(beside.get("chat", ())), None)
    if row is None or (row["visitor__gone_at"] is None and row["state"] != ChatState.ENDED):
        return ""
    if row["visitor__email"] and continuity.after(ticket.reply_channel) is not None:
        return _("The visitor has left: the answer also goes by e-mail to %(address)s.") % {
            "address": row["visitor__email"]
        }
    return _("The visitor has left: they see the answer when they come back to the site.")


# The log in words -------------------------------------------------------------------------------------------------


def _named(names: Mapping[int, str], pk: Any) -> str:
    return names.get(pk) or _("Somebody")


def _requested(event: Event, names: Mapping[int, str]) -> str:
    return str(HOW_ASKED.get(event.data.get("reason", ""), HOW_ASKED["wrote"]))


def _contained(event: Event, names: Mapping[int, str]) -> str:
    if event.data.get("outcome") == "confirmed":
        return _("the visitor said that the bot helped")
    if event.data.get("outcome") == "assumed":
        return _("the visitor left after an answer of the bot")
    return _("the visitor left before the bot could help")


def _accepted(event: Event, names: Mapping[int, str]) -> str:
    waited = event.data.get("waited")
    if not waited:
        return _("took the chat")
    return _("took the chat after %(time)s") % {"time": spoken(int(waited))}


def _returned(event: Event, names: Mapping[int, str]) -> str:
    return str(HOW_RETURNED.get(event.data.get("reason", ""), _("the chat waits again")))


def _transferred(event: Event, names: Mapping[int, str]) -> str:
    if event.data.get("to"):
        return _("handed the chat to %(name)s") % {"name": _named(names, event.data["to"])}
    return _("handed the chat to another team")


def _ended(event: Event, names: Mapping[int, str]) -> str:
    return {
        ChatEnd.SOLVED.value: _("the chat is over: solved"),
        ChatEnd.AGENT.value: _("ended the chat"),
        ChatEnd.VISITOR.value: _("the visitor ended the chat"),
        ChatEnd.INACTIVE.value: _("the chat ended: nobody wrote any more"),
        ChatEnd.LEFT.value: _("the visitor left before anybody answered"),
        ChatEnd.OFFLINE.value: _("the visitor left a message instead of waiting"),
    }.get(str(event.data.get("why")), _("the chat ended"))


def _rated(event: Event, names: Mapping[int, str]) -> str:
    return _("the visitor rated the chat %(score)s of 5") % {"score": event.data.get("score", "")}


WORDS: dict[str, wording.Words] = {
    "chat_started": lambda event, names: _("a chat began"),
    "chat_requested": _requested,
    "bot_ended": _contained,
    "chat_accepted": _accepted,
    "chat_transferred": _transferred,
    "chat_returned": _returned,
    "chat_ended": _ended,
    "chat_rated": _rated,
    "chat_warned": lambda event, names: _("the visitor was asked whether they are still there"),
    "chat_transcript_sent": lambda event, names: _("the visitor was sent a copy of the chat"),
}


# In the customer's journey -----------------------------------------------------------------------------------------


def chats_of(agent: Agent, customer: Customer) -> journey.Source:
    """The chats of a customer in tickets that this agent sees."""
    found = seen_by(agent).filter(engagement__ticket__customer=customer)
    return journey.Source("chat", found.annotate(at=F("engagement__requested_at")), "at")


def of_chat(chat: Chat) -> happenings.Line:
    """A chat as one line: with whom, how long, how it was rated."""
    engagement = chat.engagement
    began = engagement.accepted_at or engagement.requested_at
    said = [
        _("with %(name)s") % {"name": engagement.agent} if engagement.agent is not None else "",
        spoken(int((engagement.ended_at - began).total_seconds())) if engagement.ended_at else str(_("goes on")),
        str(ChatEnd(chat.end).label) if chat.end in ChatEnd.values else "",
        _("rated %(score)s of 5") % {"score": chat.score} if chat.score else "",
    ]
    number = engagement.ticket_id
    return happenings.Line(
        f"chat-{chat.pk}",
        engagement.requested_at,
        "chats",
        str(_("Chat")),
        " · ".join(filter(None, said)),
        reverse("ticket", args=[number]),
        number,
    )


def has_chats(request: HttpRequest) -> bool:
    """Whether the rail leads to the desk: what the browser was told last."""
    return request.COOKIES.get(HAS_CHATS) == "yes" or request.path.startswith("/chats/")


def profile(request: AgentRequest) -> Piece | None:
    """Whether one takes chats, and how many: below one's own profile."""
    if not has_chats(request) or not request.user.may_write:
        return None
    context = {"desk": desk_of(request.user), "most": MOST_AT_ONCE}
    return Piece("channels_chat/desk/_profile.html", context)


def register() -> None:
    """All of it; called once, when the app is ready."""
    from inbox import panel

    panel.register("chat", chats)
    panel.register("chat_journeys", journeys)
    journey.register(chats_of)
    happenings.register("chat", of_chat)
    additions.above(banner)
    additions.beside(on_the_site)
    additions.within(within)
    additions.profile(profile)
    additions.link(additions.Link("chats", gettext_lazy("Chats"), "chats", "chats", has_chats, "chats"))
    for kind, words in WORDS.items():
        wording.register(kind, words)
