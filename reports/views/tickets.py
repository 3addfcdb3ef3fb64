"""`/reports/tickets/`: the tickets behind a number."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from inbox import exports
from inbox.rights import Right, may
from inbox.views.shell import AgentRequest, wants_part
from reports.pages import words
from reports.pages.asked import Asked
from reports.pages.behind import PAGE, Behind
from reports.views.shared import reading


@reading
def behind(request: AgentRequest, asked: Asked) -> HttpResponse:
    """Their list, whose sum is the number; further ones come as one scrolls."""
    try:
        found = Behind.of(asked, request.GET)
    except (KeyError, ValueError) as error:
        raise Http404 from error
    typed = request.GET.get("at", "0")
    at = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0
    further = f"{reverse('reports-tickets')}?{urlencode([*found.pairs(), ('at', str(at + PAGE))])}"
    context = {
        "asked": asked,
        "behind": found,
        "tickets": found.page(at),
        "more": further if found.count > at + PAGE else "",
    }
    if wants_part(request) and at:
        return render(request, "reports/_behind_rows.html", context)
    context |= {
        "period": words.days(asked.start, asked.end),
        "may_export": may(request.user, Right.EXPORT),
        "columns": exports.columns() if may(request.user, Right.EXPORT) else {},
    }
    return render(request, "reports/behind.html", context)
