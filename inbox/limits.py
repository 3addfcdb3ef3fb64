"""How often somebody may ask for what costs us or others something, and the page that says so."""

from allauth.core.internal import ratelimit
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

RETRY_AFTER = 60  # seconds: the period of every limit that ends in this page


def allow(request: HttpRequest, action: str) -> bool:
    """Whether LIMITS lets this through; it is counted. Reading never counts."""
    return bool(ratelimit.consume(request, app="inbox", action=action, config=settings.LIMITS))


def too_many(request: HttpRequest) -> HttpResponse:
    """handler429: also what allauth answers with."""
    answer = render(request, "429.html", {}, status=429)
    answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer
