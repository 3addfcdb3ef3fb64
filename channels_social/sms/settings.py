"""The settings of an SMS channel: docs/channels/sms.md."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social.forms import Secret, ServerAddress, SettingsForm
from inbox import addresses
from inbox.models import Channel

HEX = "[0-9a-fA-F]{32}"


class Sid(forms.CharField):
    """An id of Twilio's: two letters and 32 hexadecimal digits."""

    def __init__(self, letters: str, **options: Any) -> None:
        self.letters = letters
        super().__init__(max_length=60, **options)

    def to_python(self, value: Any) -> str:
        found = str(super().to_python(value) or "").strip()
        if found and not re.fullmatch(self.letters + HEX, found):
            raise ValidationError(_("This begins with %(letters)s and has 34 characters.") % {"letters": self.letters})
        return found


class SmsSettings(SettingsForm):
    needed = ("auth_token",)

    account_sid = Sid(
        "AC",
        label=gettext_lazy("Account SID"),
        help_text=gettext_lazy("On the first page of Twilio's console, as ACxxxxxxxx…"),
    )
    auth_token = Secret(
        label=gettext_lazy("Auth token"),
        help_text=gettext_lazy("Beside the SID. Twilio signs by it what it tells Rabta: it is needed with a key, too."),
    )
    number = forms.CharField(
        label=gettext_lazy("Number"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("The number that customers write to, with its country: +15550002222."),
    )
    messaging_service_sid = Sid(
        "MG",
        label=gettext_lazy("Messaging service SID"),
        required=False,
        help_text=gettext_lazy("If messages leave by a messaging service. With a number, they leave from that."),
    )
    api_key_sid = Sid(
        "SK",
        label=gettext_lazy("API key SID"),
        required=False,
        help_text=gettext_lazy("A key of its own for sending, which can be taken back alone. Empty: the auth token."),
    )
    api_key_secret = Secret(label=gettext_lazy("API key secret"))
    api_url = ServerAddress(
        label=gettext_lazy("Address of the API"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Empty: Twilio's."),
    )

    def clean_number(self) -> str:
        typed = str(self.cleaned_data.get("number") or "")
        return addresses.usable("phone", typed) if typed else ""

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if not found.get("number") and not found.get("messaging_service_sid") and not self.errors:
            self.add_error("number", ValidationError(_("Give a number, or a messaging service.")))
        key, secret = found.get("api_key_sid"), found.get("api_key_secret") or "api_key_secret" in self.kept
        if key and not secret:
            self.add_error("api_key_secret", ValidationError(_("A key needs its secret.")))
        if found.get("api_key_secret") and not key and "api_key_sid" not in self.errors:
            self.add_error("api_key_sid", ValidationError(_("A secret needs its key.")))
        return found


def keeps_secret(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Never to another server, another account there, or another key."""
    same = ["api_url", "account_sid"] + (["api_key_sid"] if name == "api_key_secret" else [])
    return all(old.get(one) == new.get(one) for one in same)


def api_url(channel: Channel) -> str:
    return str(channel.settings.get("api_url") or settings.TWILIO_API_URL)


def number_of(channel: Channel) -> str:
    return str(channel.settings.get("number") or "")
