"""Small pieces of markup that templates share: icons, avatars, times, prose."""

import re
import unicodedata
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms, template
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inbox import mentions, preferences, previews
from inbox import shortcuts as keyboard
from inbox.actions.work import typed
from inbox.adapters import kinds
from inbox.models import Channel, EngagementKind, Status
from inbox.wording import retold
from lib import html

register = template.Library()
register.filter(retold)
register.filter("told", previews.told)

HUES = 12
READABLE = re.compile(r"\+?[\d ()-]{3,}")
MADE_UP = re.compile(r"v:[0-9a-f]{8}-")  # of a browser, which nobody gave a name
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
FORMATS = {
    "short": "DATE_FORMAT",
    "ago": "DATE_FORMAT",
    "left": "DATETIME_FORMAT",
    "date": "DATE_FORMAT",
    "clock": "TIME_FORMAT",
    "full": "DATETIME_FORMAT",
}


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A drawing of our own sprite; always beside words or in something labelled, hence hidden from screen readers."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>', extra, static("inbox/icons.svg"), name
    )


def initials(name: str) -> str:
    """Up to two letters that stand for a name; one for scripts written without spaces, a mark for numbers."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    if not words:
        return name[:1] if name[:1].isalnum() else "?"
    if words[0][0].isdigit():
        return "#"
    first = words[0][0].upper()
    if unicodedata.category(words[0][0]) == "Lo" or len(words) == 1:
        return first if unicodedata.category(words[0][0]) == "Lo" else words[0][:2].upper()
    return first + words[-1][0].upper()


@register.simple_tag
def avatar(name: object, key: object = "", size: str = "", picture: str | None = None) -> SafeString:
    """A round mark with initials; the hue comes from `key`, so that a person keeps it through a change of name.

    A customer whose `key` is their id has their picture above it: `picture` of the row, where `name` is not the row.
    """
    shown = str(name)
    hue = zlib.crc32(str(key or shown).encode()) % HUES
    stored = picture or str(getattr(name, "picture", "") or "")
    above = mark_safe("")
    if stored:
        url = f"{reverse('customer-picture', args=[key])}?v={stored.rpartition('/')[2][:12]}"
        above = format_html('<img src="{}" alt="" width="28" height="28" loading="lazy">', url)
    return format_html(
        '<span class="avatar {} hue-{}" aria-hidden="true">{}{}</span>', size, hue, initials(shown), above
    )


@register.simple_tag
def face(name: object, key: object, size: str = "") -> SafeString:
    """The avatar of an agent: their photo, else initials in a hue of their own beside the customer's of the same id."""
    photo = str(getattr(name, "photo", "") or "")
    if not photo:
        return avatar(name, f"agent-{key}", size)
    url = f"{reverse('agent-photo', args=[key])}?v={photo.rpartition('/')[2][:12]}"
    return format_html('<img class="avatar {}" src="{}" alt="" width="28" height="28" loading="lazy">', size, url)


@register.simple_tag
def moment(value: datetime | None, form: str = "short") -> SafeString:
    """A time in the reader's zone. Scripts rewrite it ("3m", "09:12"); without them the date stands there."""
    if value is None:
        return mark_safe("")
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" data-time="{}" title="{}">{}</time>',
        value.isoformat(timespec="seconds"),
        form,
        date_format(local, "DATETIME_FORMAT"),
        date_format(local, FORMATS[form]),
    )


@register.simple_tag
def their_clock(value: datetime, zone: str) -> str:
    """What a clock shows then in another zone."""
    return date_format(timezone.localtime(value, ZoneInfo(zone)), "TIME_FORMAT")


@register.simple_tag
def swatch(colour: str) -> SafeString:
    """A dot in a colour of somebody's choice: a drawing, whose fill no style policy forbids. Nothing without one."""
    if not COLOUR.fullmatch(colour):
        return mark_safe("")
    dot = (
        '<svg class="swatch" viewBox="0 0 8 8" aria-hidden="true"><circle cx="4" cy="4" r="4" fill="{}"></circle></svg>'
    )
    return format_html(dot, colour)


@register.simple_tag
def tag_chip(name: str, colour: str = "") -> SafeString:
    """A tag as tickets show it."""
    return format_html('<span class="chip" dir="auto">{}<span class="truncate">{}</span></span>', swatch(colour), name)


@register.filter
def as_one_line(text: str) -> str:
    """Lines as one, where only one has room."""
    return " · ".join(line.strip() for line in text.splitlines() if line.strip())


@register.filter
def at(found: dict[str, str], key: str) -> str:
    """What a dictionary has at a key that a template cannot write; empty where nothing."""
    return found.get(key, "")


@register.filter
def relation(link: dict[str, str]) -> str:
    """What a ticket is of the one beside whose conversation the link stands."""
    ours = {"follow_up": _("Follow-up of"), "duplicate": _("Duplicate of"), "incident": _("Incident of the problem"),
            "child": _("Child of"), "unrelated": _("Another matter than"), "merged": _("Merged into")}  # fmt: skip
    theirs = {"follow_up": _("Its follow-up"), "duplicate": _("Its duplicate"), "incident": _("Its incident"),
              "child": _("Its child"), "unrelated": _("Another matter than"),
              "merged": _("Merged into this")}  # fmt: skip
    return (ours if link["way"] == "to" else theirs).get(link["kind"], link["kind"])


@register.filter
def medium_label(medium: str) -> str:
    return str(EngagementKind(medium).label) if medium in EngagementKind.values else str(medium)


@register.filter
def minutes(seconds: int) -> str:
    """How long something took."""
    count = max(round(seconds / 60), 1)
    return ngettext("%(count)s minute", "%(count)s minutes", count) % {"count": count}


@register.filter
def tag_query(name: str) -> str:
    """The search that finds a tag's tickets."""
    return f'tag:"{name}"' if not name.isalnum() else f"tag:{name}"


@register.filter
def prose(text: str, said: Sequence[dict[str, Any]] = ()) -> SafeString:
    """Plain text as paragraphs with links; everything else is escaped. `said` are the colleagues that a note names."""
    markup = html.from_text(text)
    return mark_safe(mentions.marked(markup, said) if said else markup)  # noqa: S308 - both escape


@register.filter
def channel_icon(channel: Channel) -> str:
    adapter = kinds().get(channel.kind)
    return adapter.icon if adapter else "message"


@register.filter
def status_label(status: str) -> str:
    """What a status is called."""
    return str(Status(status).label) if status in Status.values else status


@register.filter
def channel_label(channel: Channel) -> str:
    adapter = kinds().get(channel.kind)
    return str(adapter.label) if adapter else channel.kind


@register.filter
def addresses(people: list[dict[str, str]]) -> str:
    """A list of recipients as one line. A number keeps its order among Urdu words: else its "+" stands behind it."""
    lines = (spelled(person.get("address", ""), person.get("name", "")) for person in people)
    return ", ".join(f"\u2066{line}\u2069" if line.startswith("+") else line for line in lines)


@register.filter
def spelled(address: str, name: str = "") -> str:
    """An address as people read one: of mail, or a number; a name in place of what only machines tell apart."""
    if "@" in address or (READABLE.fullmatch(address) and (address.startswith("+") or not name)):
        return address
    return name or (_("the visitor") if MADE_UP.match(address) else address) or _("unknown")


@register.filter
def joined(people: list[dict[str, str]]) -> str:
    """A list of recipients as a form field shows it."""
    return typed(people)


@register.filter
def named(form: forms.BaseForm, name: str) -> forms.BoundField | None:
    """A field whose name has a dot, which templates cannot write: `form|named:"imap.host"`. None when there is none."""
    return form[name] if name in form.fields else None


@register.simple_tag(takes_context=True)
def settings_nav(context: template.Context, current: str) -> list[tuple[object, list[preferences.Page]]]:
    """The settings pages that whoever looks may open, in groups."""
    return [(group, pages) for group, pages in preferences.groups(context["user"])]


def _is_first_wrong(context: template.Context) -> bool:
    """Whether no field before was wrong, of whatever form: remembered in what all parts of a page are rendered with."""
    known = "wrong field" in context.dicts[0]
    context.dicts[0]["wrong field"] = True
    return not known


@register.inclusion_tag("settings/_field.html", takes_context=True)
def field(context: template.Context, bound: forms.BoundField, quiet: bool = False, **attrs: str) -> dict[str, object]:
    """One form field with label, help and errors, tied together for screen readers. `quiet` leaves "(optional)" out.

    Further words become attributes of the widget, `_` standing for `-`: `{% field form.host dir="ltr" %}`. The first
    one of a page that has errors takes the focus.
    """
    widget = bound.field.widget
    is_check = isinstance(widget, forms.CheckboxInput)
    is_group = isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple)
    told = [f"{bound.auto_id}-help"] * bool(bound.help_text) + [f"{bound.auto_id}-error"] * bool(bound.errors)
    given: dict[str, str | bool] = {name.replace("_", "-"): value for name, value in attrs.items()}
    if not (is_check or is_group):
        given["class"] = f"input {widget.attrs.get('class', '')} {given.get('class', '')}".strip()
    if told:
        given["aria-describedby"] = " ".join(told)
    if bound.errors:
        given["aria-invalid"] = "true"
        if not is_group and _is_first_wrong(context):
            given["autofocus"] = True
    return {
        "field": bound,
        "widget": bound.as_widget(attrs=given),
        "is_check": is_check,
        "is_group": is_group,
        "quiet": quiet,
    }


@register.inclusion_tag("inbox/_shortcuts.html")
def shortcuts() -> dict[str, Any]:
    """The help on `?`."""
    return {"groups": keyboard.groups()}
