"""Addresses of health, metrics and the API, from the root."""

from django.urls import include, path, re_path

from api import health, metrics
from api.docs import DocsView, SchemaView
from api.routing import register, urls
from api.views import export
from api.views.agents import AgentView, TeamView
from api.views.base import NotFound
from api.views.channels import ChannelView, ReceiptView
from api.views.customers import CustomerView
from api.views.fields import FieldView
from api.views.keeping import MacroView, SavedViewView, TagView
from api.views.messages import AttachmentView, MessageView
from api.views.organisations import OrganisationView
from api.views.settings import tokens, webhooks
from api.views.sides import SideView
from api.views.tickets import TicketView
from api.views.tokens import TokenView
from api.views.webhooks import WebhookView

register("tickets", TicketView)
register("messages", MessageView)
register("sides", SideView)
register("attachments", AttachmentView)
register("customers", CustomerView)
register("organisations", OrganisationView)
register("agents", AgentView)
register("teams", TeamView)
register("tags", TagView)
register("fields", FieldView)
register("macros", MacroView)
register("views", SavedViewView)
register("channels", ChannelView)
register("receipts", ReceiptView)
register("tokens", TokenView)
register("webhooks", WebhookView)

urlpatterns = [
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("api/v1/", include(urls())),
    path("api/schema/", SchemaView.as_view(), name="api-schema"),
    path("api/docs/", DocsView.as_view(), name="api-docs"),
    path("customers/<int:pk>/export/", export.customer, name="customer-export"),
    path("settings/tokens/", tokens.tokens, name="settings-tokens"),
    path("settings/tokens/<int:pk>/revoke/", tokens.revoke, name="settings-token-revoke"),
    path("settings/webhooks/", webhooks.webhooks, name="settings-webhooks"),
    path("settings/webhooks/new/", webhooks.new, name="settings-webhook-new"),
    path("settings/webhooks/<int:pk>/", webhooks.webhook, name="settings-webhook"),
    path("settings/webhooks/<int:pk>/edit/", webhooks.edit, name="settings-webhook-edit"),
    path("settings/webhooks/<int:pk>/switch/", webhooks.switch, name="settings-webhook-switch"),
    path("settings/webhooks/<int:pk>/rotate/", webhooks.rotate, name="settings-webhook-rotate"),
    path("settings/webhooks/<int:pk>/test/", webhooks.test, name="settings-webhook-test"),
    path("settings/webhooks/<int:pk>/delete/", webhooks.delete, name="settings-webhook-delete"),
    path("settings/webhooks/<int:pk>/now/", webhooks.now, name="settings-webhook-now"),
    path("settings/webhooks/deliveries/<int:pk>/", webhooks.delivery, name="settings-delivery"),
    path("settings/webhooks/deliveries/<int:pk>/redeliver/", webhooks.redeliver, name="settings-redeliver"),
    re_path(r"^api/", NotFound.as_view()),
]
