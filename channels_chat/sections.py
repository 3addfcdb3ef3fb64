"""The sections of a chat channel's settings: each is a page, and saves what it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Section:
    """One page. `names` are the settings that it saves, whole; `preview` says that the widget stands beside it."""

    key: str
    label: StrOrPromise
    icon: str
    about: StrOrPromise
    names: tuple[str, ...] = ()
    preview: bool = False
    short: StrOrPromise = ""  # its name among the others


SECTIONS = (
    Section(
        "look",
        _("Appearance"),
        "image",
        _("Name, colour, place and languages of the chat, as visitors see it."),
        ("name", "colour", "position", "theme", "languages"),
        preview=True,
    ),
    Section(
        "texts",
        _("Texts"),
        "pencil",
        _("What the chat says, in each of its languages."),
        ("texts",),
        preview=True,
    ),
    Section("hours", _("Hours"), "clock", _("When somebody is there to answer."), ("hours",)),
    Section(
        "before",
        _("Before the chat"),
        "fields",
        _("What visitors are asked before they chat, or when nobody is there."),
        ("prechat", "topics", "consent", "offline"),
        preview=True,
        short=_("Before"),
    ),
    Section(
        "during",
        _("During the chat"),
        "message",
        _("Files, what agents see while visitors type, ratings, forms that agents can send."),
        ("files", "file_mb", "preview", "visitors", "transcript", "rating", "forms"),
        short=_("During"),
    ),
    Section(
        "queue",
        _("Queue and teams"),
        "people",
        _("How long a chat waits for whom, and which team takes it."),
        ("queue", "routes"),
        short=_("Queue"),
    ),
    Section(
        "continuity",
        _("Continuity by e-mail"),
        "mail",
        _("Visitors who left get the answer by e-mail, and can go on from there."),
        ("continuity",),
        short=_("E-mail"),
    ),
    Section(
        "proactive",
        _("Invitations and journeys"),
        "follow",
        _("Offer help at the right moment, and see whether it helps."),
        ("journeys",),
        short=_("Invitations"),
    ),
    Section(
        "bot",
        _("Greeting bot"),
        "macro",
        _("Answers first, asks what your team would ask anyway, hands over."),
        short=_("Bot"),
    ),
    Section(
        "install",
        _("Installation"),
        "code",
        _("Put the chat on your website, and check that it is there."),
        ("origins",),
    ),
)
BY_KEY = {one.key: one for one in SECTIONS}
