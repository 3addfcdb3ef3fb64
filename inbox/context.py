"""What the page's shell needs on every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"DEMO": settings.DEMO, "ORGANISATION_NAME": settings.ORGANISATION_NAME}
