"""The settings of a chat channel, checked: JSON as docs/channels/chat.md describes it, or a part of it from a page.

`ChatSettings` is what the channel contract calls a form: `is_valid`, `errors` by dotted path, `cleaned_data`.
"""

from __future__ import annotations

import itertools
import json
import re
import secrets
from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_chat import flow_shapes
from channels_chat import proactive_shapes as proactive
from channels_chat.drafts import Draft
from channels_chat.parts import Part
from channels_chat.shapes import (
    LANGUAGE,
    Check,
    Problems,
    below,
    by_language,
    flag,
    key,
    listed,
    number,
    one_of,
    shape,
    text,
)
from channels_chat.words import WORDS
from inbox.models import Channel, Team

SECRET = "identity_secret"
SECRET_FORM = re.compile(r"[\x21-\x7e]{32,200}")
MOST_BYTES = 500_000  # of all settings as JSON: the widget carries much of it to every page
FIELD_KINDS = ("text", "email", "phone", "area", "choice", "check")
OWN_KINDS = {"email": "email", "phone": "phone", "name": "text"}  # fields that say who somebody is
WIDGET_LANGUAGES = ("en", "ur")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
ORIGIN = re.compile(
    r"(https?)://(\*\.)?((?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.IGNORECASE
)
MOST_ORIGINS = 100
MOST_SPANS = 6
# Seconds: the least and the most of each part of `queue`.
QUEUE = {
    "offer": (5, 600),
    "most_wait": (15, 7200),
    "agent_gone": (10, 3600),
    "visitor_gone": (10, 3600),
    "warn": (30, 86_400),
    "close": (10, 86_400),
}
# The organisation's own words: what may be said differently.
BOT_WORDS = ("bot_human", "bot_handoff", "bot_confused", "bot_yes", "bot_no", "bot_bye",
             "bot_again_text", "bot_again_email", "bot_again_phone", "bot_again_choice")  # fmt: skip
TEXTS = (*WORDS, *BOT_WORDS)
MOST_TEXT = 1000


class ChatSettings(forms.Form):
    """All settings, or with a `Part` and a channel those that it names, put among the ones that are there."""

    def __init__(self, data: Mapping[str, Any] | None = None, channel: Channel | None = None) -> None:
        stored = dict(channel.settings) if channel else {}
        self.channel = channel
        self.kept: dict[str, Any] = {}  # what stays as it is
        given = None if data is None else dict(data)
        if isinstance(data, Part):
            given = data.over(stored)
            self.kept = {name: one for name, one in stored.items() if name not in given}
        super().__init__(data=given, initial=stored)
        self.problems = Problems()
        self._draft = Draft({**self.initial, **self.data})

    def value(self, path: str) -> Any:
        """What a page shows at this path: what was posted, else what is stored; None where there is nothing."""
        return self._draft.value(path)

    def wrong(self, path: str) -> list[str]:
        """What is wrong at this path, in sentences."""
        return self.problems.found.get(path, []) if self.is_bound and self.errors else []

    def full_clean(self) -> None:
        """Read what was given; what is wrong stands in `errors`, under its dotted path."""
        super().full_clean()
        if not self.is_bound:
            return
        cleaned = shape(SETTINGS)(dict(self.data), "", self.problems) or {}
        if not self.problems.found:
            self._refer(cleaned)
        if len(json.dumps(cleaned)) > MOST_BYTES:
            self.problems.say("", _("These settings are too large: the widget carries them to every page."))
        cleaned = {**self.kept, **cleaned}
        if SECRET not in cleaned and not (self.channel and self.channel.secrets.get(SECRET)):
            cleaned[SECRET] = self.new_secret()
        self.cleaned_data = cleaned
        for path, texts in self.problems.found.items():
            errors = [ValidationError(one, code="invalid") for one in texts]
            self.errors[path or NON_FIELD_ERRORS] = self.error_class(errors, renderer=self.renderer)

    @staticmethod
    def new_secret() -> str:
        """What sites sign with who is logged in there."""
        return secrets.token_hex(32)

    def _refer(self, cleaned: Mapping[str, Any]) -> None:
        """Whether what is named is there: teams, a mailbox, topics, journeys."""
        whole = {**self.kept, **cleaned}
        topics = {one["key"] for one in whole.get("topics") or ()}
        routes = cleaned.get("routes") or ()
        teams = set(Team.objects.filter(slug__in=[one["team"] for one in routes]).values_list("slug", flat=True))
        for at, one in enumerate(routes):
            if one["team"] not in teams:
                self._say(f"routes.{at}.team", _("There is no team “%(name)s”."), one["team"])
            if one.get("topic") and one["topic"] not in topics:
                self._say(f"routes.{at}.topic", _("There is no topic “%(name)s”."), one["topic"])
        mailbox = (cleaned.get("continuity") or {}).get("channel")
        if mailbox and not Channel.objects.filter(slug=mailbox, kind="email").exists():
            self._say("continuity.channel", _("There is no mailbox “%(name)s”."), mailbox)
        proactive.refer(cleaned, {one["key"] for one in whole.get("journeys") or ()}, self.problems)

    def _say(self, path: str, words: str, name: str) -> None:
        self.problems.say(path, words % {"name": name})
