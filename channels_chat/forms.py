"""The settings of a chat channel, checked: JSON as docs/channels/chat.md describes it, or a part of it from a page.

`ChatSettings` is what the channel contract calls a form: `is_valid`, `errors` by dotted path, `cleaned_data`.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels_chat import config, flow_shapes
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
from inbox import schedule_shapes
from inbox.models import Channel, Team

SECRET = "identity_secret"
SECRET_FORM = re.compile(r"[\x21-\x7e]{32,200}")
MOST_BYTES = 500_000  # of all settings as JSON: the widget carries much of it to every page
FIELD_KINDS = ("text", "email", "phone", "area", "choice", "check")
OWN_KINDS = {"email": "email", "phone": "phone", "name": "text"}  # fields that say who somebody is
WIDGET_LANGUAGES = ("en", "ur")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
ORIGIN = re.compile(
    r"(https?)://(\*\.)?((?:[a-z0-9_-]+\.)*[a-z0-9_-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.IGNORECASE
)
MOST_ORIGINS = 100
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


def origin(value: Any, path: str, problems: Problems) -> str | None:
    """`https://shop.example`, `https://*.example.com`, `http://localhost:8000`; as browsers write it."""
    given = value.strip().rstrip("/") if isinstance(value, str) and len(value) <= 300 else ""
    scheme, sep, rest = given.partition("://")
    try:
        host = rest if rest.isascii() else rest.encode("idna").decode()
    except UnicodeError:
        host = ""
    found = ORIGIN.fullmatch(f"{scheme}{sep}{host}")
    if not found or (found[2] and "." not in found[3]) or (found[4] and not 0 < int(found[4]) < 65536):
        words = _("Give a site as https://www.example.com, without a path; https://*.example.com means all below it.")
        problems.say(path, words)
        return None
    port = f":{found[4]}" if found[4] and (found[1].lower(), found[4]) not in {("https", "443"), ("http", "80")} else ""
    return f"{found[1]}://{found[2] or ''}{found[3]}{port}".lower()


def hours(value: Any, path: str, problems: Problems) -> dict[str, Any]:
    """Hours of business, as anybody else has them."""
    found, wrong = schedule_shapes.checked(value)
    for place, texts in wrong.items():
        for one in texts:
            problems.say(below(path, place) if place else path, one)
    return found


LABEL = by_language(text(200))
OPTIONS = listed(text(120), 50, lines=True)
_field_shape = shape(
    {"key": key, "kind": one_of(*FIELD_KINDS), "label": LABEL, "required": flag, "options": OPTIONS},
    needs=["key", "label"],
)


def field(value: Any, path: str, problems: Problems) -> dict[str, Any] | None:
    """One field of a form."""
    found: dict[str, Any] | None = _field_shape(value, path, problems)
    if found is None:
        return None
    kind = found.get("kind", "text")
    options = [one for one in found.get("options", ()) if one]
    if kind == "choice" and len(options) < 2:
        problems.say(below(path, "options"), _("Give two options or more, one a line."))
    elif kind != "choice" and options:
        problems.say(below(path, "options"), _("Only a choice has options."))
    wanted = OWN_KINDS.get(str(found.get("key")))
    if wanted and kind != wanted:
        words = _("The field “%(key)s” says who somebody is: its kind is %(kind)s.")
        problems.say(below(path, "kind"), words % {"key": found["key"], "kind": wanted})
    return found


FIELDS = listed(field, 12, unique="key")
_continuity = shape({"channel": text(50), "after": number(10, 604_800)})
_route = shape(
    {"team": text(60), "page": proactive.pattern, "topic": key, "language": proactive.language}, needs=["team"]
)

SETTINGS: dict[str, Check] = {
    "name": text(120),
    "origins": listed(origin, MOST_ORIGINS, lines=True),
    "languages": listed(text(12, pattern=LANGUAGE, wrong=gettext_lazy("This is no language.")), 10, lines=True),
    "position": one_of("end", "start"),
    "colour": text(7, pattern=COLOUR, wrong=gettext_lazy("Give a colour as #0f766e.")),
    "theme": one_of("auto", "light", "dark"),
    "texts": by_language(shape({name: text(MOST_TEXT, lines=True) for name in TEXTS})),
    "hours": hours,
    "prechat": FIELDS,
    "topics": listed(shape({"key": key, "label": LABEL}, needs=["key", "label"]), 30, unique="key"),
    "offline": FIELDS,
    "forms": listed(
        shape({"key": key, "title": LABEL, "fields": FIELDS}, needs=["key", "title", "fields"]), 20, unique="key"
    ),
    "consent": flag,
    "files": flag,
    "file_mb": number(1, config.MOST_MB),
    "preview": flag,
    "transcript": flag,
    "rating": flag,
    "visitors": flag,
    "queue": shape({name: number(*bounds) for name, bounds in QUEUE.items()}),
    "routes": listed(_route, 50),
    "continuity": _continuity,
    "journeys": listed(proactive.journey, 50, unique="key"),
    "invitations": listed(proactive.invitation, 50, unique="key"),
    "flow": flow_shapes.flow,
    SECRET: text(200, pattern=SECRET_FORM, wrong=gettext_lazy("At least 32 letters, digits and signs, no spaces.")),
}


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
