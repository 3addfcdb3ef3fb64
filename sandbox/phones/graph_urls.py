"""Addresses of Meta's platforms, below /sandbox/phones/graph/."""

from django.urls import path, re_path

from sandbox.phones import facebook_api, files, graph, graph_apps, instagram_api, messenger_api, whatsapp_api

urlpatterns = [
    path("attachments/<path:name>", files.download),
    re_path(r"^(?:v(?P<version>\d{1,3}\.\d)/)?(?P<path>.+)$", graph.api),
]
ASKED = (facebook_api, graph_apps, instagram_api, messenger_api, whatsapp_api)  # imported for their routes
