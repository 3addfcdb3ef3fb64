"""The settings of a Telegram channel: docs/channels/telegram.md."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_social.forms import Activity, Secret, ServerAddress, SettingsForm
from inbox.models import Channel

TOKEN = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,100}")
MODES = [("webhook", gettext_lazy("Telegram calls Rabta (webhook)")), ("poll", gettext_lazy("Rabta asks Telegram"))]


class TelegramSettings(SettingsForm):
    needed = ("token",)

    token = Secret(
        label=gettext_lazy("Token of the bot"),
        help_text=gettext_lazy("@BotFather gives it to you, as 123456:ABC-DEF…"),
    )
    mode = forms.ChoiceField(
        label=gettext_lazy("How news come"),
        choices=MODES,
        required=False,
        help_text=gettext_lazy("A webhook needs Rabta to be reachable from the internet by https. Empty: what works."),
    )
    show_activity = Activity(reading=False)
    api_url = ServerAddress(
        label=gettext_lazy("Address of the API"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("For a Bot API server of your own. Empty: Telegram's."),
    )

    def clean_token(self) -> str:
        token = str(self.cleaned_data.get("token") or "")
        if token and not TOKEN.fullmatch(token):
            raise ValidationError(_("This is no token of a bot: it looks like 123456789:AAF….")) from None
        return token

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        found.setdefault("mode", "webhook" if settings.BASE_URL.startswith("https://") else "poll")
        return found


def api_url(channel: Channel) -> str:
    return str(channel.settings.get("api_url") or settings.TELEGRAM_API_URL)


def polls(channel: Channel) -> bool:
    return bool(channel.settings.get("mode") != "webhook")
