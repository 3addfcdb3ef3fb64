"""Mails to visitors: what they missed, and what was said. As text and as plain HTML, in their language.

What a visitor typed is nobody's link: their name and words go to an address that they typed as well, so that a stranger
could be sent anything through us.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from channels_chat import config
from channels_chat.doors import Door
from channels_chat.models import Visitor
from inbox.models import AuthorKind, Direction, Message

LINK = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:)?//\S+|www\.\S+|\b(?:mailto|tel|javascript|data):\S+|\S+@\S+"
    r"|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:[/?#:]\S*)?",
    re.IGNORECASE,
)
SUBJECT_LENGTH = 80
NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was said."""

    who: str
    when: str
    text: str
    files: tuple[str, ...] = ()


def language_of(visitor: Visitor) -> str:
    """The language of our own words to this visitor."""
    return visitor.language if visitor.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def without_links(text: str) -> str:
    """What somebody typed, with everything taken out that a mail program could make a link of."""
    return LINK.sub("…", text)


def name_of(visitor: Visitor) -> str:
    """What to call a visitor in a mail; empty where their name is none."""
    name = " ".join(visitor.name.split())
    return "" if len(name) > NAME_LENGTH or LINK.search(name) or re.search(r"[<>@/\\]", name) else name


def subject_of(first: str, shop: str) -> str:
    """A subject as a person would write it: what the visitor asked, else whose chat it was."""
    line = " ".join(without_links(first).split())
    if len(line) > SUBJECT_LENGTH:
        line = f"{line[:SUBJECT_LENGTH].rsplit(' ', 1)[0]}…"
    if len(line.strip("….,!? ")) < 4:
        return _("Your chat with %(shop)s") % {"shop": shop}
    return f"Re: {line}"


def lines(visitor: Visitor, messages: Iterable[Message], *, tamed: bool) -> list[Line]:
    """Messages as they stand in a mail; `tamed`: nothing of what the visitor typed becomes a link."""
    zone = _zone(visitor)
    found = []
    for one in messages:
        theirs = one.direction == Direction.IN
        text = (one.visible_text or one.text).strip()
        found.append(
            Line(
                who=(name_of(visitor) or _("You")) if theirs else one.author_name or _("Us"),
                when=date_format(timezone.localtime(one.created_at, zone), "SHORT_DATETIME_FORMAT"),
                text=without_links(text) if theirs and tamed else text,
                files=tuple(without_links(file.name) if theirs else file.name for file in one.attachments.all()),
            )
        )
    return found


def _zone(visitor: Visitor) -> ZoneInfo:
    try:
        return ZoneInfo(visitor.time_zone or settings.TIME_ZONE)
    except (KeyError, ValueError, OSError):
        return ZoneInfo(settings.TIME_ZONE)


def page_of(visitor: Visitor) -> str:
    """Where they can go on: the page they were on, if the channel names its site, else the chat's own page."""
    channel = visitor.channel
    own = f"{settings.BASE_URL}{reverse('chat_page', args=[channel.token])}"
    named = config.of(channel)
    if not named.origins or not visitor.pages:
        return own
    url = str(visitor.pages[-1].get("url") or "")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.username or not url.isprintable():
        return own
    fits = Door(channel, named).admits(f"{parts.scheme}://{parts.netloc}")
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if fits else own


def write(opening: Sequence[str], said: Sequence[Line], closing: Sequence[str], link: str = "") -> tuple[str, str]:
    """(text, HTML) of a mail: words before, what was said, words after; `link` stands among the closing words."""
    text, html = list(opening), [f'<p dir="auto">{escape(one)}</p>' for one in opening]
    for one in said:
        files = f"[{_('Files')}: {', '.join(one.files)}]" if one.files else ""
        text.append("\n".join(part for part in (f"{one.who}, {one.when}:", one.text, files) if part))
        shown = "<br>".join(escape(part) for part in [*one.text.splitlines(), *([files] if files else [])])
        head = f"<b>{escape(one.who)}</b>, {escape(one.when)}"
        html.append(f'<p dir="auto">{head}</p><blockquote dir="auto">{shown}</blockquote>')
    for words in closing:
        text.append(words.replace("{}", link))
        before, mark, after = words.partition("{}")
        anchor = f'<a href="{escape(link)}">{escape(link)}</a>' if mark else ""
        html.append(f'<p dir="auto">{escape(before)}{anchor}{escape(after)}</p>')
    return "\n\n".join(text), "\n".join(html)


def first_words(messages: Iterable[Message]) -> str:
    """What the visitor said first."""
    return next((one.visible_text or one.text for one in messages if one.author_kind == AuthorKind.CUSTOMER), "")
