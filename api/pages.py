"""The API's pages below /settings/."""

from django.utils.translation import gettext_lazy as _

from inbox import audit, preferences
from inbox.preferences import Page
from inbox.rights import Right

TOKENS = Page(
    "tokens",
    _("API tokens"),
    "lock",
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
    "token_created": _("%(who)s made an API token of %(agent)s"),
    "token_revoked": _("%(who)s revoked an API token of %(agent)s"),
    "webhook_created": _("%(who)s made a webhook"),
    "webhook_changed": _("%(who)s changed a webhook: %(fields)s"),
    "webhook_rotated": _("%(who)s gave a webhook a new secret"),
    "webhook_enabled": _("%(who)s turned a webhook on"),
    "webhook_disabled": _("%(who)s turned a webhook off"),
    "webhook_deleted": _("%(who)s deleted a webhook"),
}.items():
    audit.says(kind, sentence)
