"""What the settings' pages show of a chat channel that no other kind has. The adapter hands on to this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from channels_chat import choices, config, posting
from channels_chat.actions import continuity
from channels_chat.parts import Part
from channels_chat.sections import SECTIONS
from inbox.adapters import Panel
from inbox.models import Agent, Channel
from inbox.rights import Right, may

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

FOLDER = "channels_chat/settings/"


def posted(data: Mapping[str, str]) -> dict[str, Any]:
    """What the channel's first page says: some of the settings."""
    return Part(posting.tidy(posting.unfold(data)))


def facts(channel: Channel) -> list[tuple[StrOrPromise, str]]:
    """The settings that tell most."""
    settings = config.of(channel)
    found: list[tuple[StrOrPromise, str]] = [
        (_("Name customers see"), settings.name),
        (_("Sites"), ", ".join(settings.origins) or _("every site")),
        (_("Languages"), ", ".join(settings.languages)),
        (_("Hours"), str(settings.hours["zone"]) if settings.hours else _("always open")),
    ]
    if settings.routes:
        count = len(settings.routes)
        found.append((_("Routes"), ngettext("%(count)d route", "%(count)d routes", count) % {"count": count}))
    if (box := continuity.mailbox(channel)) and continuity.after(channel) is not None:
        found.append((_("Answers go on by e-mail"), box.name))
    live = sum(1 for one in settings.invitations if one.get("on", True))
    if live:
        found.append((_("Invitations"), ngettext("%(count)d is on", "%(count)d are on", live) % {"count": live}))
    if settings.flow:
        found.append((_("Greeting bot"), _("on") if settings.flow.get("on") else _("off")))
    return found


def panels(channel: Channel, agent: Agent) -> list[Panel]:
    """The sections of its settings, for those who may change them; where its figures are, for those who read these."""
    found = []
    if may(agent, Right.CHANNELS):
        found.append(Panel(FOLDER + "panel.html", {"sections": SECTIONS, "seen": choices.seen(channel)}))
    if may(agent, Right.REPORTS):
        found.append(Panel("channels_chat/numbers/panel.html"))
    return found
