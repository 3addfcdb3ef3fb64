"""Addresses of what is recorded for handle time: whether it is, and what of oneself."""

from django.urls import path

from reports.views import handle_time

urlpatterns = [
    path("settings/handle-time/", handle_time.settings, name="settings-handle-time"),
    path("settings/handle-time/delete/", handle_time.forget, name="settings-handle-time-delete"),
    path("settings/profile/time/", handle_time.mine, name="settings-profile-time"),
]
