"""Addresses of Meta's platforms, below /sandbox/phones/graph/."""

from django.urls import path, re_path

from sandbox.phones import files, graph, graph_apps, whatsapp_api

urlpatterns = [
    path("attachments/<str:name>", files.download),
    re_path(r"^(?:v(?P<version>\d{1,3}\.\d)/)?(?P<path>.+)$", graph.api),
]
__all__ = ["graph_apps", "urlpatterns", "whatsapp_api"]  # imported for what they add to `graph`
