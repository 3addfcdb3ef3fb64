"""`/tickets/<number>/seen/`, `…/follower/`, `/drafts/`: what one agent has read, follows, has begun to write."""

from __future__ import annotations

import json

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from inbox import access, focus
from inbox import seen as reading
from inbox.actions import attention
from inbox.lists import PAGE
from inbox.views.shell import AgentRequest, agent_only, wants_part
from inbox.views.tickets import answer

MOST_SAID, MOST_STRETCHES = 20_000, 100  # characters and stretches of a page that is being closed


@require_POST
@agent_only
def seen(request: AgentRequest, number: int) -> HttpResponse:
    """Mark as unread (`seen=no`) or as read. The agent's open pages hear of it by themselves."""
    found = access.get_ticket(request.user, number)
    change = attention.mark_unread if request.POST.get("seen") == "no" else attention.mark_read
    change(request.user, [found.pk])
    return HttpResponse(status=204) if wants_part(request) else redirect("inbox")


@require_POST
@agent_only
def follower(request: AgentRequest, number: int) -> HttpResponse:
    """Follow (`follow=yes`), or no longer."""
    found = access.get_ticket(request.user, number)
    (attention.follow if request.POST.get("follow") == "yes" else attention.unfollow)(request.user, found)
    return answer(request, number)


@require_safe
@agent_only
def moments(request: AgentRequest) -> HttpResponse:
    """Up to when this agent has read the tickets `number`: {number: seconds}. It says nothing of what they may see."""
    numbers = [int(one) for one in request.GET.getlist("number")[: 5 * PAGE] if one.isdecimal() and len(one) < 19]
    return JsonResponse(reading.until(request.user, numbers))


@require_POST
@agent_only
def focused(request: AgentRequest) -> HttpResponse:
    """What a page that is being closed says last of what was before its agent: JSON, as over the websocket."""
    try:
        said = json.loads(request.POST.get("focus", "")[:MOST_SAID])
    except (ValueError, RecursionError):
        return HttpResponse(status=400)
    focus.heard(request.user.pk, said[:MOST_STRETCHES] if isinstance(said, list) else said, now=True)
    return HttpResponse(status=204)


@require_safe
@agent_only
def drafted(request: AgentRequest) -> HttpResponse:
    """The tickets on which this agent has a draft: {numbers}. Of rows that come by themselves the page looks here."""
    found = reading.drafted(request.user).order_by("-ticket_id")[: reading.MOST_DRAFTS]
    return JsonResponse({"numbers": [row["ticket_id"] for row in found]})
