"""The chat channel. Its far side is Rabta itself: what is stored has arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from channels_chat import checks, screens
from channels_chat.forms import SECRET, ChatSettings
from inbox.adapters import Adapter, Check, Panel, register
from inbox.models import Agent, Channel

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@register
class ChatAdapter(Adapter):
    kind = "chat"
    label = _("Live chat")
    icon = "message"
    identity_kind = "chat"
    live = True
    secrets = (SECRET,)
    connect_label = _("Put a chat on your website")
    settings_template = "channels_chat/settings/start.html"

    def settings_form(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> ChatSettings:
        return ChatSettings(data, channel)

    def keeps_secret(self, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        """It belongs to the channel, whatever its settings: sites sign with it."""
        return True

    def posted(self, data: Mapping[str, str]) -> dict[str, Any]:
        return screens.posted(data)

    def facts(self, channel: Channel) -> list[tuple[StrOrPromise, str]]:
        return screens.facts(channel)

    def panels(self, channel: Channel, agent: Agent) -> list[Panel]:
        return screens.panels(channel, agent)

    def check(self, channel: Channel) -> list[Check]:
        return checks.check(channel)

    def warnings(self, channel: Channel) -> list[str]:
        return checks.warnings(channel)
