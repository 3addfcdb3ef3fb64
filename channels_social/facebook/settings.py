"""The settings of a Facebook page: docs/channels/facebook.md."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from channels_social.meta_settings import AccountId, MetaSettings


class FacebookSettings(MetaSettings):
    needed = ("page_id", "token", "app_secret")
    kind = "facebook"
    own = "page_id"

    page_id = AccountId(
        label=gettext_lazy("Page ID"),
        max_length=30,
        required=False,
        help_text=gettext_lazy("On the page itself, below About → Page transparency."),
    )

    field_order = ("page_id", "token", "app_secret", "app_id")
