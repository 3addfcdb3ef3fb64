"""The settings of an Instagram account: docs/channels/instagram.md."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from channels_social.meta_settings import AccountId, MetaSettings


class InstagramSettings(MetaSettings):
    needed = ("ig_id", "token", "app_secret")
    kind = "instagram"
    own = "ig_id"

    ig_id = AccountId(
        label=gettext_lazy("Instagram account ID"),
        max_length=30,
        required=False,
        help_text=gettext_lazy("The number that the app dashboard shows beside the account, not its name."),
    )

    field_order = ("ig_id", "token", "app_secret", "app_id")
