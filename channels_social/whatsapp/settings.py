"""The settings of a WhatsApp channel: docs/channels/whatsapp.md."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social.forms import Activity, Secret, ServerAddress, SettingsForm
from inbox.models import Channel

VERSION = re.compile(r"v\d{2}\.\d")


class Number(forms.CharField):
    """An id of Meta's: digits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=30,
            required=False,
            widget=forms.TextInput(attrs={"inputmode": "numeric", "dir": "ltr"}),
            **options,
        )

    def to_python(self, value: Any) -> str:
        found = str(super().to_python(value) or "").strip()
        if found and not (found.isascii() and found.isdecimal()):
            raise ValidationError(_("This is an id of digits alone, not the number itself."))
        return found


class WhatsAppSettings(SettingsForm):
    needed = ("phone_number_id", "waba_id", "token", "app_secret")

    phone_number_id = Number(
        label=gettext_lazy("Phone number ID"),
        help_text=gettext_lazy("In the app at developers.facebook.com: WhatsApp → API setup."),
    )
    waba_id = Number(
        label=gettext_lazy("WhatsApp Business account ID"), help_text=gettext_lazy("It stands on the same page.")
    )
    token = Secret(
        label=gettext_lazy("Access token"),
        help_text=gettext_lazy(
            "Of a system user, so that it does not expire, with whatsapp_business_messaging and "
            "whatsapp_business_management."
        ),
    )
    app_secret = Secret(
        label=gettext_lazy("App secret"),
        help_text=gettext_lazy("In the app: Settings → Basic. It proves that news come from WhatsApp."),
    )
    show_activity = Activity()
    api_url = ServerAddress(
        label=gettext_lazy("Address of the API"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Empty: Meta's."),
    )
    api_version = forms.CharField(
        label=gettext_lazy("Version of the API"),
        required=False,
        max_length=10,
        help_text=gettext_lazy("Such as v26.0. Empty: the one that Rabta knows."),
    )

    def clean_phone_number_id(self) -> str:
        found = str(self.cleaned_data.get("phone_number_id") or "")
        others = Channel.objects.filter(kind="whatsapp", settings__phone_number_id=found)
        if self.channel is not None and self.channel.pk:
            others = others.exclude(pk=self.channel.pk)
        if found and others.exists():
            raise ValidationError(_("This number is connected already."))
        return found

    def clean_api_version(self) -> str:
        found = str(self.cleaned_data.get("api_version") or "").strip()
        if found and not VERSION.fullmatch(found):
            raise ValidationError(_("This is no version: it looks like v26.0."))
        return found
