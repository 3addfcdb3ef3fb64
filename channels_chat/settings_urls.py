"""The pages of a chat's settings, for those who may change channels."""

from django.urls import path

from channels_chat.views import numbers, preview, settings

urlpatterns = [
    path("settings/channels/<slug:slug>/chat/preview/", preview.preview, name="chat-preview"),
    path("settings/channels/<slug:slug>/chat/preview/widget.js", preview.script, name="chat-preview-script"),
    path("settings/channels/<slug:slug>/chat/secret/", settings.secret, name="chat-secret"),
    path("settings/channels/<slug:slug>/chat/numbers/", numbers.page, name="chat-settings-numbers"),
    path("settings/channels/<slug:slug>/chat/<slug:key>/", settings.section, name="chat-settings"),
    path("settings/channels/<slug:slug>/chat/new/<slug:what>/", settings.item, name="chat-settings-new-item"),
    path("settings/channels/<slug:slug>/chat/<slug:what>/<slug:key>/", settings.item, name="chat-settings-item"),
    path(
        "settings/channels/<slug:slug>/chat/<slug:what>/<slug:key>/arrange/",
        settings.arrange,
        name="chat-settings-arrange",
    ),
]
