"""`/reports/bots/`: how conversations with bots go."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from inbox.views.shell import AgentRequest
from reports.pages import bots
from reports.pages.asked import Asked
from reports.views.dashboard import frame
from reports.views.shared import reading, refused


@reading
def page(request: AgentRequest, asked: Asked) -> HttpResponse:
    """Bots are nobody's own: the page is for those who may read everybody's figures."""
    if asked.own:
        return refused(request)
    return render(
        request, "reports/bots.html", {"asked": asked, "bots": bots.read(asked), **frame(request.user, asked)}
    )
