"""What visitors' browsers ask for. Everything below `/chat/<token>/` is for strangers: no cookie, no agent."""

from django.urls import path

from channels_chat.views import widget

urlpatterns = [
    path("chat/<str:token>/", widget.page, name="chat_page"),
    path("chat/<str:token>/widget.js", widget.script, name="chat_script"),
    path("chat/<str:token>/files/", widget.upload, name="chat_upload"),
    path("chat/<str:token>/files/<str:signed>/", widget.file, name="chat_file"),
    path("chat/<str:token>/faces/<str:signed>/", widget.face, name="chat_face"),
]
