"""`/chats/visitors/`: who is on the site now, and starting a chat with one of them. No IP address is known here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages as notices
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from channels_chat import board, config, site
from channels_chat.models import Chat, ChatState, Visitor
from inbox import access
from inbox.actions.errors import ActionError
from inbox.models import Channel
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only, wants_part
from lib.language import language_name

MOST = 200  # visits that the list shows
MOST_TEXT = 1000
VISIT = re.compile(r"[0-9A-Za-z]{8,64}")


@dataclass(slots=True)
class Guest:
    """One visit, as the list shows it."""

    here: site.Here
    channel: Channel
    visitor: Visitor | None
    chat: Chat | None
    ticket: int

    @property
    def key(self) -> str:
        return self.here.visit

    @property
    def name(self) -> str:
        known = self.visitor
        return (known.name or known.email if known else "") or self.here.name or _("Visitor")

    @property
    def page(self) -> dict[str, str]:
        return board.page_of({"url": self.here.page, "title": self.here.title})

    @property
    def referrer(self) -> str:
        """The site they came from."""
        return urlsplit(self.here.ref).netloc.removeprefix("www.") if "//" in self.here.ref else ""

    @property
    def language(self) -> str:
        return language_name(self.here.lang) if self.here.lang else ""

    @property
    def since(self) -> datetime | None:
        return self.here.since

    @property
    def state(self) -> str:
        return self.chat.state if self.chat is not None else ""

    @property
    def state_words(self) -> str:
        return str(ChatState(self.chat.state).label) if self.chat is not None else ""

    @property
    def stalled(self) -> list[str]:
        """The journeys that they got stuck in, by their names."""
        names = {one.get("key"): one.get("name") or one.get("key") for one in config.of(self.channel).journeys}
        return [str(names.get(key, key)) for key in self.here.stalled]


def channels_of(request: AgentRequest) -> list[Channel]:
    """The chat channels whose visitors this agent may see."""
    found = access.channels(request.user).filter(kind="chat").order_by("name", "pk")
    return [one for one in found if config.of(one).visitors]


@require_safe
@agent_only
def visitors(request: AgentRequest) -> HttpResponse:
    """The list; for htmx its rows alone. Narrowed by `channel` (id), `page` (a part of the address) and `language`."""
    channels = channels_of(request)
    found = site.now(*[one.pk for one in channels]) if channels else []
    asked = {name: request.GET.get(name, "").strip()[:200] for name in ("channel", "page", "language")}
    languages = sorted({one.lang for one in found if one.lang})
    shown = [one for one in found if _fits(one, asked)]
    context = {
        "guests": _guests(request, shown[:MOST], channels),
        "total": len(found),
        "more": max(len(shown) - MOST, 0),
        "channels": channels,
        "languages": [(code, language_name(code)) for code in languages],
        "asked": asked,
        "narrowed": any(asked.values()),
        "may_answer": request.user.may_write,
    }
    template = "_guests.html" if wants_part(request) else "visitors.html"
    return render(request, f"channels_chat/desk/{template}", context)


def _fits(one: site.Here, asked: dict[str, str]) -> bool:
    if asked["channel"] and str(one.channel) != asked["channel"]:
        return False
    if asked["language"] and one.lang != asked["language"]:
        return False
    return asked["page"].casefold() in f"{one.page} {one.title}".casefold()


def _guests(request: AgentRequest, found: list[site.Here], channels: list[Channel]) -> list[Guest]:
    """With who they are and the chat they are in: two queries however many there are."""
    by_pk = {one.pk: one for one in channels}
    known = Visitor.objects.in_bulk([one.visitor for one in found if one.visitor])
    chats = {
        chat.visitor_id: chat
        for chat in board.seen_by(request.user)
        .filter(visitor__in=list(known), state__in=[ChatState.BOT, ChatState.WAITING, ChatState.ACTIVE])
        .order_by("pk")
    }
    return [
        Guest(
            here=one,
            channel=by_pk[one.channel],
            visitor=known.get(one.visitor or 0),
            chat=chats.get(one.visitor or 0),
            ticket=chats[one.visitor].engagement.ticket_id if one.visitor in chats else 0,
        )
        for one in found
    ]


@require_POST
@agent_only
@needs(Right.ANSWER)
def start(request: AgentRequest) -> HttpResponse:
    """Write to a visitor who has not written: `visit` of `channel`, `text`."""
    asked = request.POST.get("channel", "")
    channel = next((one for one in channels_of(request) if str(one.pk) == asked), None)
    visit, text = request.POST.get("visit", ""), request.POST.get("text", "").strip()
    if channel is None or not VISIT.fullmatch(visit):
        raise Http404
    problem = ""
    try:
        if not text or len(text) > MOST_TEXT:
            raise ActionError(_("Write something first."), "empty")
        _start()(channel, visit, by=request.user, text=text.replace("\x00", ""))
    except ActionError as error:
        problem = str(error)
    said = problem or _("Shown to the visitor. The chat is yours as soon as they answer.")
    if wants_part(request):
        return render(request, "channels_chat/desk/_said.html", {"text": said}, status=422 if problem else 200)
    (notices.error if problem else notices.success)(request, said)
    return redirect("chat-visitors")


def _start() -> Any:
    return import_module("channels_chat.actions.proactive").start
