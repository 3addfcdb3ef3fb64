"""Addresses of the emulated platforms' APIs, and of the pages where one plays their people."""

from django.urls import include, path

from sandbox.phones import telegram, twilio

urlpatterns = [
    path("telegram/", include(telegram.urlpatterns)),
    path("twilio/", include(twilio.urlpatterns)),
]
