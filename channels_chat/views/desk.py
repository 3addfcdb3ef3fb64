"""`/chats/`: several chats side by side, and what their page asks for while they go on."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from channels_chat import board, config, lines
from channels_chat.models import Chat, ChatState
from inbox import access, directory
from inbox.models import Ticket
from inbox.rights import Right, may
from inbox.views.shell import AgentRequest, agent_only


@require_safe
@agent_only
def desk(request: AgentRequest) -> HttpResponse:
    """The desk. `open` are tickets whose chats stand beside one's own, `focus` the one that takes the focus: without it
    the one that alone was opened, which is before a phone's own chats then.
    """
    agent = request.user
    rail = board.rail(agent)
    also = board.numbers_of([*request.GET.getlist("open"), *request.GET.getlist("focus")])
    cards = board.open_chats(agent, rail, also)
    opened = board.numbers_of(request.GET.getlist("open"))
    focus = board.numbers_of([request.GET.get("focus", "")]) or (opened if len(opened) == 1 else [])
    known = directory.of(agent)
    context = {
        "rail": rail,
        "cards": cards,
        "focus": focus[0] if focus else 0,
        "known": known,
        "has_chat": any(one.kind == "chat" for one in known.channels),
        "may_connect": may(agent, Right.CHANNELS),
        **shared(request),
    }
    return render(request, "channels_chat/desk/desk.html", context)


def shared(request: AgentRequest) -> dict[str, Any]:
    """What the parts of the desk ask for, whichever of them is drawn."""
    known = directory.of(request.user)
    return {
        "may_answer": request.user.may_write,
        "people": [one for one in known.people if one.pk != request.user.pk],
        "teams": known.teams,
        "most_at_once": board.MOST_AT_ONCE,
    }


@require_safe
@agent_only
def rail(request: AgentRequest) -> HttpResponse:
    """The rail as it is now. `open` are the tickets whose chats the page shows."""
    context = {"rail": board.rail(request.user), "open": board.numbers_of(request.GET.getlist("open"))}
    return render(request, "channels_chat/desk/_rail.html", {**context, **shared(request)})


@require_safe
@agent_only
def column(request: AgentRequest, number: int) -> HttpResponse:
    """One chat, as it stands on the desk."""
    card = board.card(request.user, board.get(request.user, number))
    board.fill(request.user, [card])
    return render(request, "channels_chat/desk/_chat.html", {"card": card, **shared(request)})


@require_safe
@agent_only
def head(request: AgentRequest, number: int) -> HttpResponse:
    """The head and what stands below the lines of a chat, as they are now; what is being typed stays."""
    return parts(request, board.get(request.user, number))


def parts(request: AgentRequest, chat: Chat | None, *, rail: bool = False, problem: str = "") -> HttpResponse:
    """The parts of an open chat as they are now and, with `rail`, the rail. `problem` is said in a notice."""
    card = board.card(request.user, chat) if chat is not None else None
    context = {"card": card, "problem": problem, "rail": board.rail(request.user) if rail else None}
    status = 422 if problem else 200
    return render(request, "channels_chat/desk/_parts.html", {**context, **shared(request)}, status=status)


@require_safe
@agent_only
def said(request: AgentRequest, number: int) -> HttpResponse:
    """Lines of a chat: those before `before`, or those after `after`, which a page asks for that was cut off."""
    ticket = access.get_ticket(request.user, number)
    before = board.numbers_of([request.GET.get("before", "")])
    after = board.numbers_of([request.GET.get("after", "")])
    if not Chat.objects.filter(engagement__ticket=ticket).exists():
        return HttpResponse(status=404)
    found = lines.newest(ticket.pk, after=after[0] if after else 0, before=before[0] if before else None)
    return render(request, "channels_chat/desk/_lines.html", {"lines": found})


@require_safe
@agent_only
def pages(request: AgentRequest, number: int) -> HttpResponse:
    """What can be sent into the visitor's window: the forms of the channel's settings, and any page."""
    chat = board.get(request.user, number)
    language = chat.language or chat.visitor.language or "en"
    forms = [
        {"key": one.get("key", ""), "title": title_of(one, language), "count": len(one.get("fields") or ())}
        for one in config.of(chat.channel).forms
    ]
    context = {"number": number, "forms": forms, "is_live": chat.state != ChatState.ENDED, **shared(request)}
    return render(request, "channels_chat/desk/_pages.html", context)


def title_of(form: Any, language: str) -> str:
    """The title of a form of the settings, in the visitor's language where it has one."""
    titles = form.get("title") or {}
    return str(titles.get(language) or titles.get("en") or next(iter(titles.values()), form.get("key", "")))


def ticket_of(chat: Chat) -> Ticket:
    return chat.engagement.ticket
