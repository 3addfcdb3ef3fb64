"""`/reports/pains/`: what hurts customers; its parts are fetched by themselves."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy

from inbox.views.shell import AgentRequest
from reports.pages.asked import Asked
from reports.pains import rising, table, wanted, ways
from reports.views.dashboard import frame
from reports.views.shared import reading, refused

PARTS = {
    "rising": gettext_lazy("Rising this week"),
    "pains": gettext_lazy("What customers write about"),
    "ways": gettext_lazy("Ways to a solution"),
}


@reading
def page(request: AgentRequest, asked: Asked) -> HttpResponse:
    """The frame. What hurts customers is nobody's own: the page is for those who may read everybody's figures."""
    if asked.own:
        return refused(request)
    found = wanted.of(asked, request.GET)
    context = {"asked": asked, "wanted": found, "kept": found.kept, "parts": PARTS.items()}
    return render(request, "reports/pains.html", {**context, **frame(request.user, asked)})


@reading
def part(request: AgentRequest, asked: Asked, key: str) -> HttpResponse:
    if asked.own:
        return refused(request)
    if key not in PARTS:
        raise Http404
    context: dict[str, Any] = {"asked": asked, "key": key, "name": PARTS[key]}
    if key == "ways":
        context["ways"] = ways.read(asked)
        return render(request, "reports/_ways.html", context)
    context["wanted"] = found = wanted.of(asked, request.GET)
    if key == "rising":
        context |= {"rising": rising.read(found), "least": rising.LEAST}
    else:
        context["pains"] = table.read(found)
    return render(request, f"reports/_{key}.html", context)
