"""The API's pages below /settings/."""

from django.utils.translation import gettext_lazy as _

from api.models import ApiToken, Webhook
from inbox import audit, preferences
from inbox.preferences import Page
from inbox.rights import Right

TOKENS = Page(
    "tokens",
    _("API tokens"),
    "key",
    "settings-tokens",
    preferences.MINE,
    40,
    about=_("Let a program act for you."),
)
WEBHOOKS = Page(
    "webhooks",
    _("Webhooks"),
    "source",
    "settings-webhooks",
    preferences.SYSTEMS,
    20,
    Right.WEBHOOKS,
    _("Tell other systems what happens here, as it happens."),
)
for page in (TOKENS, WEBHOOKS):
    preferences.register(page)

for kind, sentence in {
    "token_created": _("%(who)s made the API token %(token)s of %(agent)s"),
    "token_revoked": _("%(who)s revoked the API token %(token)s of %(agent)s"),
    "webhook_created": _("%(who)s made the webhook %(webhook)s"),
    "webhook_changed": _("%(who)s changed the webhook %(webhook)s: %(fields)s"),
    "webhook_rotated": _("%(who)s gave the webhook %(webhook)s a new secret"),
    "webhook_enabled": _("%(who)s turned the webhook %(webhook)s on"),
    "webhook_disabled": _("%(who)s turned the webhook %(webhook)s off"),
    "webhook_deleted": _("%(who)s deleted a webhook"),
}.items():
    audit.says(kind, sentence)
audit.names("webhook", Webhook.objects)
audit.names("token", ApiToken.objects, "prefix")
