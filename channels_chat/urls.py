"""What visitors' browsers ask for. Everything below `/chat/<token>/` is for strangers: no cookie, no agent. Below
`/settings/` are the pages of a chat's settings, for those who may change channels.
"""

from django.urls import path

from channels_chat.views import preview, settings, widget

urlpatterns = [
    path("chat/<str:token>/", widget.page, name="chat_page"),
    path("chat/<str:token>/widget.js", widget.script, name="chat_script"),
    path("chat/<str:token>/files/", widget.upload, name="chat_upload"),
    path("chat/<str:token>/files/<str:signed>/", widget.file, name="chat_file"),
    path("chat/<str:token>/faces/<str:signed>/", widget.face, name="chat_face"),
    path("settings/channels/<slug:slug>/chat/preview/", preview.preview, name="chat-preview"),
    path("settings/channels/<slug:slug>/chat/preview/widget.js", preview.script, name="chat-preview-script"),
    path("settings/channels/<slug:slug>/chat/secret/", settings.secret, name="chat-secret"),
    path("settings/channels/<slug:slug>/chat/<slug:key>/", settings.section, name="chat-settings"),
    path("settings/channels/<slug:slug>/chat/new/<slug:what>/", settings.item, name="chat-settings-new-item"),
    path("settings/channels/<slug:slug>/chat/<slug:what>/<slug:key>/", settings.item, name="chat-settings-item"),
    path(
        "settings/channels/<slug:slug>/chat/<slug:what>/<slug:key>/arrange/",
        settings.arrange,
        name="chat-settings-arrange",
    ),
]
