"""Lines as a phone shows them."""

from __future__ import annotations

from typing import Any

from sandbox.phones.acts import Platform
from sandbox.phones.models import Line, Media, Person

SHOWN_LINES, SHOWN_POSTS = 200, 10
TICKS = {
    "accepted": "◷",
    "queued": "◷",
    "sending": "◷",
    "sent": "✓",
    "delivered": "✓✓",
    "read": "✓✓",
    "failed": "!",
    "undelivered": "!",
}
# What a browser shows or plays in the page; all else is downloaded.
SHOWABLE = {"image/png", "image/jpeg", "image/gif", "image/webp"}


def chat(platform: Platform, person: Person) -> list[dict[str, Any]]:
    """What was said between a person and us, oldest first."""
    lines = Line.objects.filter(account=person.account, person=person, public=False).select_related("person")
    return _shown(platform, person, list(lines.order_by("-pk")[:SHOWN_LINES])[::-1])


def posts(platform: Platform, person: Person) -> list[dict[str, Any]]:
    """What hangs in public on our page, whoever said it: posts, the newest first, each with its `comments`."""
    public = Line.objects.filter(account=person.account, public=True).select_related("person")
    tops = list(public.filter(thread="").order_by("-pk")[:SHOWN_POSTS])
    below = list(public.filter(thread__in=[one.external_id for one in tops]).order_by("pk"))
    shown = {one["line"].pk: one for one in _shown(platform, person, [*tops, *below])}
    for post in tops:
        hanging = [shown[one.pk] for one in below if one.thread == post.external_id]
        for one in hanging:
            one["deeper"] = one["line"].reply_to not in {"", post.external_id}
        shown[post.pk]["comments"] = hanging
    return [shown[one.pk] for one in tops]


def _shown(platform: Platform, person: Person, lines: list[Line]) -> list[dict[str, Any]]:
    known = {line.external_id: line for line in lines}
    asked = [one for line in lines for one in line.payload.get("media", [])]
    files = {one.external_id: one for one in Media.objects.filter(external_id__in=asked).defer("content")}
    return [_one(platform, person, line, known.get(line.reply_to), files) for line in lines]


def _one(
    platform: Platform, person: Person, line: Line, answered: Line | None, files: dict[str, Media]
) -> dict[str, Any]:
    answers = any("line" in one.takes for one in platform.acts)
    return {
        "line": line,
        "mine": line.person_id == person.pk and not line.ours,
        "name": person.account.name if line.ours else (line.person.name if line.person else ""),
        "answered": answered,
        "media": [{"file": one, "as": _shown_as(one)} for one in map(files.get, line.payload.get("media", [])) if one],
        "place": line.payload.get("place"),
        "contact": line.payload.get("contact"),
        "buttons": line.payload.get("buttons", []),
        "known": bool(line.text or line.payload.get("media") or {"place", "contact"} & line.payload.keys()),
        "reactions": list(line.reactions.values()),
        "tick": TICKS.get(line.state, "") if line.ours else ("✓✓" if line.state == "read" else ""),
        "bad": line.state in {"failed", "undelivered"},
        "answerable": answers and not line.deleted_at and not line.public,
        "acts": [{"act": one, "choices": one.choices or one.choices_of(line)} for one in platform.at_line(line)],
    }


def _shown_as(file: Media) -> str:
    """image, audio, video, or file."""
    family = file.content_type.partition("/")[0]
    if file.content_type in SHOWABLE:
        return "image"
    return family if family in {"audio", "video"} and file.size < 50_000_000 else "file"
