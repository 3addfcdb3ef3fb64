"""The API's pages below /settings/."""

from django.utils.translation import gettext_lazy as _

from inbox import preferences
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
