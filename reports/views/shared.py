"""What the pages of figures share: who may read them, and what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inbox.rights import Right, may
from inbox.views.shell import AgentRequest, agent_only, wants_part
from reports.pages import asked, once
from reports.pages.asked import Asked

P = ParamSpec("P")


def reading(
    view: Callable[Concatenate[AgentRequest, Asked, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Decorator of a page of figures: it is given what was asked for. Who answers nobody has none."""
    return _guarded(view, lambda request: asked.of(request.user, request.GET))


def reading_part(
    view: Callable[Concatenate[AgentRequest, Asked, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """The same for what a page fetches by itself: it shows no tickets, and takes what its page was asked for."""

    def wanted(request: AgentRequest) -> Asked:
        page = once.found(request.user, request.GET.get(once.PARAM, ""))
        return page or asked.of(request.user, request.GET)

    return _guarded(view, wanted)


def _guarded(
    view: Callable[Concatenate[AgentRequest, Asked, P], HttpResponse], wanted: Callable[[AgentRequest], Asked]
) -> Callable[..., HttpResponse]:
    @require_safe
    @agent_only
    @wraps(view)
    def guarded(request: AgentRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may(request.user, Right.ANSWER):
            return refused(request)
        return view(request, wanted(request), *args, **kwargs)

    return guarded


def refused(request: AgentRequest) -> HttpResponse:
    template = "reports/_refused.html" if wants_part(request) else "reports/refused.html"
    return render(request, template, status=403)
