"""Answers for everybody: kept by caches in between, whoever asks and in whatever language."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class ForEverybodyMiddleware:
    """What middleware further in says of cookies and languages (`Vary`) does not hold for the widget's script.

    It would make each browser's log-in to Rabta a script of its own in every cache.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if getattr(response, "for_everybody", False):
            response["Vary"] = "Accept-Encoding"
        return response
