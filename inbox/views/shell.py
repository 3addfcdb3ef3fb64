"""What every view of the workplace shares: who asks, how much of the page they need, and the frame around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import resolve_url

from inbox import default_views, kept, lists, seen, selection
from inbox.filtering.filters import joined
from inbox.found import Found
from inbox.models import Agent
from inbox.search.query import MOST_TYPED

P = ParamSpec("P")
MOST_COOKIE = 2_000
VIEW_COOKIE = "rabta_view"  # the list somebody had open: what a ticket's page shows beside it


class AgentRequest(HttpRequest):
    user: Agent


def agent_only(
    view: Callable[Concatenate[AgentRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """Decorator: people who are logged in only. The answer is private and differs for a part of the page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not request.user.is_authenticated:
            if "HX-Request" in request.headers:  # a redirect would land in a pane
                back = request.headers.get("HX-Current-URL", "/").partition(request.get_host())[2]
                login = f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': back or '/'})}"
                return HttpResponse(status=401, headers={"HX-Redirect": login})
            return redirect_to_login(request.get_full_path())
        response = view(request, *args, **kwargs)  # type: ignore[arg-type]
        response.headers.setdefault("Cache-Control", "private, no-store")
        response.headers.setdefault("Vary", "HX-Request, Cookie")
        return response

    return guarded  # type: ignore[return-value]  # positional by Django's custom


def wants_part(request: HttpRequest) -> bool:
    """Whether htmx asks for a pane rather than the page; going back in history asks for the page."""
    return request.headers.get("HX-Request-Type") == "partial" and "HX-History-Restore-Request" not in request.headers


def listing_of(request: AgentRequest, params: QueryDict) -> lists.Listing | Found:
    """The list that these parameters name: what `q` finds, else the view. A view that is not there, or not for this
    agent, is a 404.
    """
    query = joined(params)
    view = lists.of(request.user, query)
    typed = query.get("q", "").strip()
    return Found(request.user, typed[:MOST_TYPED], view) if typed else view


def remembered(request: AgentRequest) -> lists.Listing | Found:
    """The list this person had open, else all open tickets."""
    try:
        return listing_of(request, QueryDict(request.COOKIES.get(VIEW_COOKIE, "")[:MOST_COOKIE]))
    except Http404:
        return listing_of(request, QueryDict(""))


def sidebar(request: AgentRequest, listing: lists.Listing | Found) -> dict[str, Any]:
    """The views with their counts, all of them in one query; how many a narrowed list has, in another."""
    found = default_views.counts(
        {key: default_views.to_count(request.user, view) for key, view in default_views.counted(request.user).items()}
    )
    if isinstance(listing, Found):
        listing.count = listing.results.count_words if listing.results.query and not listing.results.slow else ""
    elif not listing.filters and listing.view.counted and listing.view.key != "mentions":
        listing.count = found.get(listing.key, "")
    else:
        listing.count = listing.counted()
    return {
        "sidebar": [
            {
                "label": label,
                "views": [shown(view, found) for view in views if not view.aside],
                "aside": [shown(view, found) for view in views if view.aside],
                "open": any(view.aside and view.key == listing.key for view in views),
            }
            for label, views in default_views.groups(request.user)
        ],
        **kept.sidebar(request.user, listing),
    }


def shown(view: default_views.View, counts: Mapping[str, str]) -> dict[str, Any]:
    """A view as the sidebar has it."""
    return {"key": view.key, "label": view.label, "icon": view.icon, "url": view.url, "go": view.go,
            "page": view.page, "count": counts.get(view.key, "")}  # fmt: skip


def frame(request: AgentRequest, listing: lists.Listing | Found, before: str = "") -> Mapping[str, Any]:
    """What stands beside a conversation: views and list."""
    bar, page = selection.bar(request.user, listing), page_of(request, listing, before)
    return {"listing": listing, "page": page, "bulk": bar, **sidebar(request, listing)}


def page_of(request: AgentRequest, listing: lists.Listing | Found, before: str = "") -> lists.Page:
    """One page of a list, its rows saying what this agent has not read."""
    page = listing.page(before)
    seen.mark(request.user, page.tickets)
    return page
