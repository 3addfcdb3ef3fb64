"""The settings of a channel of one's own software: docs/channels/api.md."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social.forms import Secret, SettingsForm
from inbox.models import Channel
from lib import standard_webhooks

LONGEST = 10_000  # characters of one answer, where nobody says another number
SECRET = "signing_secret"
READERS = [("no", gettext_lazy("Only who wrote and who answers")), ("yes", gettext_lazy("Everybody"))]


class ApiSettings(SettingsForm):
    further = (*SettingsForm.further, "limit", "window_hours", SECRET)

    webhook_url = forms.CharField(
        label=gettext_lazy("Address that answers are posted to"),
        max_length=1000,
        required=False,
        widget=forms.URLInput(attrs={"dir": "ltr", "placeholder": "https://"}),
        help_text=gettext_lazy("Your software listens there. Empty: messages come in, and answers wait."),
    )
    public = forms.ChoiceField(
        label=gettext_lazy("Who can read messages and answers"),
        choices=READERS,
        required=False,
        help_text=gettext_lazy("Where your software does not say it of a message itself."),
    )
    limit = forms.IntegerField(
        label=gettext_lazy("Characters that one answer may have"),
        min_value=20,
        max_value=100_000,
        required=False,
        help_text=gettext_lazy("A longer one is sent in several. Empty: 10000."),
    )
    window_hours = forms.IntegerField(
        label=gettext_lazy("Hours in which a message can be answered"),
        min_value=1,
        max_value=24 * 365,
        required=False,
        help_text=gettext_lazy("Where your platform takes no answers later. Empty: at any time."),
    )
    signing_secret = Secret(
        label=gettext_lazy("Secret that both sides sign with"),
        help_text=gettext_lazy("whsec_ and 24 to 64 bytes in base64. Empty: Rabta makes one, or keeps what there is."),
    )

    def clean_webhook_url(self) -> str:
        url = str(self.cleaned_data.get("webhook_url") or "").strip()
        if not url:
            return ""
        try:
            parts = urlsplit(url)
            usable = bool(parts.hostname) and not parts.fragment and not parts.username and (parts.port or 1) > 0
        except ValueError:
            usable = False
        if not usable or parts.scheme not in {"https", "http"}:
            raise ValidationError(_("Give an address such as https://shop.example.com/rabta."))
        if parts.scheme == "http" and not settings.ALLOW_PRIVATE_NETWORKS:
            raise ValidationError(_("The address has to begin with https://."))
        return url

    def clean_signing_secret(self) -> str:
        secret = str(self.cleaned_data.get(SECRET) or "")
        if secret:
            try:
                standard_webhooks.key_of(secret)
            except ValueError:
                raise ValidationError(_("This is no such secret: whsec_ and 24 to 64 bytes in base64.")) from None
        return secret

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if SECRET not in found and SECRET not in self.kept:
            found[SECRET] = standard_webhooks.new_secret()
        return found


def limit_of(channel: Channel) -> int:
    return int(channel.settings.get("limit") or LONGEST)


def is_public(channel: Channel) -> bool:
    """Whether what is said here can be read by everybody, where nothing says otherwise."""
    return bool(channel.settings.get("public") == "yes")
