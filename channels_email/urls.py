"""Consent by OAuth: it begins at the mailbox's own page, and every provider sends people back to one address."""

from django.urls import path

from channels_email import views

urlpatterns = [
    path("settings/channels/<slug:slug>/oauth/", views.begin, name="mailbox-oauth"),
    path("settings/oauth/mail/callback/", views.callback, name="mailbox-oauth-callback"),
]
