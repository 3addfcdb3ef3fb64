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

from inbox import directory, lists, selection
from inbox.forms import FilterForm
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
    """The list that these parameters name: what `q` finds, else the view."""
    view = view_of(request, params)
    typed = params.get("q", "").strip()
    return Found(request.user, typed[:MOST_TYPED], view) if typed else view


def view_of(request: AgentRequest, params: QueryDict) -> lists.Listing:
    """The view that these parameters name. A team or channel that is not there, or not for this agent, is a 404."""
    known = directory.of(request.user)
    if slug := params.get("team"):
        view = next((lists.of_team(one.pk, one.name, one.slug) for one in known.teams if one.slug == slug), None)
    elif slug := params.get("channel"):
        view = next(
            (lists.of_channel(one.pk, one.name, one.slug, one.kind) for one in known.channels if one.slug == slug), None
        )
    else:
        view = lists.VIEWS.get(params.get("view", "open"))
    if view is None:
        raise Http404
    form = FilterForm(params, known.people, set(view.match))
    listing = lists.Listing(request.user, view, form=form)
    if form.is_valid():
        for name, value in form.cleaned_data.items():
            if value:
                listing.filters[name.removeprefix("f_")] = value
                shown = dict(form.fields[name].choices)[value]  # type: ignore[attr-defined]
                listing.names[name.removeprefix("f_")] = f"{form.fields[name].label}: {shown}"
    return listing


def remembered(request: AgentRequest) -> lists.Listing | Found:
    """The list this person had open, else all open tickets."""
    try:
        return listing_of(request, QueryDict(request.COOKIES.get(VIEW_COOKIE, "")[:MOST_COOKIE]))
    except Http404:
        return listing_of(request, QueryDict(""))


def sidebar(request: AgentRequest, listing: lists.Listing | Found) -> dict[str, Any]:
    """The views with their counts, all of them in one query."""
    groups = lists.groups(request.user)
    wanted = {
        view.key: lists.select(request.user, view.match) for _label, views in groups for view in views if view.counted
    }
    if isinstance(listing, lists.Listing) and listing.filters:
        wanted["listing"] = listing.tickets
    found = lists.counts(wanted)
    if isinstance(listing, Found):
        listing.count = listing.results.count_words if listing.results.query and not listing.results.slow else ""
    else:
        listing.count = found.get(listing.key or "listing", "")
    return {
        "sidebar": [
            {"label": label, "views": [{"key": view.key, "label": view.label, "icon": view.icon, "url": view.url,
                                        "go": view.go, "count": found.get(view.key, "")} for view in views]}
            for label, views in groups
        ]
    }  # fmt: skip


def frame(request: AgentRequest, listing: lists.Listing | Found, before: str = "") -> Mapping[str, Any]:
    """What stands beside a conversation: views and list."""
    bar = selection.bar(request.user, listing)
    return {"listing": listing, "page": listing.page(before), "bulk": bar, **sidebar(request, listing)}
