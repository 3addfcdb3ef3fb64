"""The agent's own language and time zone, for every request; and the second factor that an organisation demands."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import resolve
from django.utils import timezone, translation

from inbox import second_factor, sessions
from inbox.views import hooks
from lib import zones

ZONE_COOKIE = "zone"  # the browser's own zone, set by times.js


class HooksMiddleware:
    """Platforms that call `/hooks/…` need no session, language or page policy: they go straight to the view.

    The outermost of all, so that a call costs what verifying and storing it cost: they come by the hundred a second.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(hooks.PREFIX):
            return self.get_response(request)
        try:
            found = resolve(request.path_info)
            return found.func(request, *found.args, **found.kwargs)  # type: ignore[no-any-return]
        except Http404:
            return HttpResponse(status=404)


class AgentPreferencesMiddleware:
    """Activate what the logged-in agent chose; where nothing was chosen, the browser's language and zone hold."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        agent = request.user
        if agent.is_authenticated:
            if agent.language:
                translation.activate(agent.language)
                request.LANGUAGE_CODE = agent.language
            zone = agent.time_zone or request.COOKIES.get(ZONE_COOKIE, "")
            if zone in zones.names():
                timezone.activate(ZoneInfo(zone))
            sessions.note(request, agent)
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()


class SecondFactorMiddleware:
    """Whoever must have a second factor (REQUIRE_MFA) and has none yet sees the pages that set one up, nothing else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(second_factor.OPEN_PATHS) or not request.user.is_authenticated:
            return self.get_response(request)
        if second_factor.is_missing(request.user):
            if "HX-Request" in request.headers:
                return HttpResponse(status=401, headers={"HX-Redirect": "/settings/security/"})
            return redirect("mfa_index")
        return self.get_response(request)
