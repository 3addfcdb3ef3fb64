"""The agent's own language and time zone, for every request."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation


class AgentPreferencesMiddleware:
    """Activate what the agent chose; where nothing was chosen, the browser's language and the default zone stay."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        agent = request.user
        if agent.is_authenticated:
            if agent.language:
                translation.activate(agent.language)
                request.LANGUAGE_CODE = agent.language
            if agent.time_zone:
                timezone.activate(ZoneInfo(agent.time_zone))
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()
