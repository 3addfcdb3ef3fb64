"""`/tickets/<number>/mentions/` and `/emoji/`: what the composer offers while somebody writes."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inbox import access, mentions
from inbox.emoji import EMOJI
from inbox.views.shell import AgentRequest, agent_only


@require_safe
@agent_only
def colleagues(request: AgentRequest, number: int) -> HttpResponse:
    """Whom a note on this ticket can name."""
    ticket = access.get_ticket(request.user, number)
    return render(request, "inbox/_mentions.html", {"offered": mentions.offered(request.user, ticket)})


@require_safe
@agent_only
def emoji(request: AgentRequest) -> HttpResponse:
    response = render(request, "inbox/_emoji.html", {"emoji": EMOJI})
    response["Cache-Control"] = "private, max-age=86400"
    response["Vary"] = "Cookie, Accept-Language"
    return response
