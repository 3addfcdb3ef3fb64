"""Addresses: `api` brings health, metrics and the API; the sandbox is there in a demo alone."""

from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("", include("api.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("inbox.urls")),
]
if settings.DEMO or settings.DEBUG:
    urlpatterns.insert(0, path("sandbox/", include("sandbox.urls")))

handler500 = "config.errors.server_error"
