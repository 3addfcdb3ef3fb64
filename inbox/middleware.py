"""The agent's own language and time zone, for every request."""

from collections.abc import Callable
from zoneinfo import ZoneInfo, available_timezones

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

ZONE_COOKIE = "zone"  # the browser's own zone, set by times.js


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
            if zone in available_timezones():
                timezone.activate(ZoneInfo(zone))
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()
