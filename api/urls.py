"""Addresses of health, metrics and the API, from the root."""

from django.urls import include, path, re_path

from api import health, metrics
from api.docs import DocsView, SchemaView
from api.routing import register, urls
from api.views.agents import AgentView, TeamView
from api.views.base import NotFound
from api.views.channels import ChannelView, ReceiptView
from api.views.customers import CustomerView
from api.views.keeping import MacroView, SavedViewView, TagView
from api.views.messages import AttachmentView, MessageView
from api.views.organisations import OrganisationView
from api.views.tickets import TicketView
from api.views.tokens import TokenView

register("tickets", TicketView)
register("messages", MessageView)
register("attachments", AttachmentView)
register("customers", CustomerView)
register("organisations", OrganisationView)
register("agents", AgentView)
register("teams", TeamView)
register("tags", TagView)
register("macros", MacroView)
register("views", SavedViewView)
register("channels", ChannelView)
register("receipts", ReceiptView)
register("tokens", TokenView)

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("api/v1/", include(urls())),
    path("api/schema/", SchemaView.as_view(), name="api-schema"),
    path("api/docs/", DocsView.as_view(), name="api-docs"),
    re_path(r"^api/", NotFound.as_view()),
]
