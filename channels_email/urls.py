"""What a mailbox's page offers beyond any channel's. Consent by OAuth comes back to one address for all mailboxes."""

from django.urls import path

from channels_email import pages, views

urlpatterns = [
    path("settings/channels/<slug:slug>/oauth/", views.begin, name="mailbox-oauth"),
    path("settings/channels/<slug:slug>/way-back/", pages.way_back, name="mailbox-way-back"),
    path("settings/channels/<slug:slug>/audit/", pages.count, name="mailbox-audit"),
    path("settings/channels/<slug:slug>/domain/", pages.sending_domain, name="mailbox-domain"),
    path("settings/oauth/mail/callback/", views.callback, name="mailbox-oauth-callback"),
]
