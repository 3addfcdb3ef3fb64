"""What was said in a chat, as the chat desk shows it: one `<li>` a message, alike from the page and from the socket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Q
from django.db.models.functions import JSONObject
from django.template.loader import get_template
from django.utils.translation import gettext as _

from inbox.directory import Named
from inbox.models import Attachment, AuthorKind, Direction, Message
from inbox.models.messages import MessageQuerySet
from inbox.timeline import File

MOST = 50  # messages of one chat that are shown at once
KINDS = ("buttons", "form", "page")


@dataclass(frozen=True, slots=True)
class Line:
    """One message. `by`: visitor, agent, bot or system; `who` is the same for all that one speaker says, `hue` gives
    the colour of their avatar."""

    pk: int
    ticket: int
    direction: str
    by: str
    name: str
    who: str
    hue: int | str
    speaker: Named | None  # an agent, for their face
    at: datetime
    text: str
    state: str
    cid: str
    kind: str = ""
    part: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[File, ...] = ()

    @property
    def is_quiet(self) -> bool:
        return self.by == "system"


def said(found: MessageQuerySet) -> MessageQuerySet:
    """Of these messages what a chat shows, with all that `of` asks for: one query."""
    files = Attachment.objects.filter(message=OuterRef("pk")).order_by("pk")
    row = JSONObject(pk="pk", name="name", size="size", content_type="content_type")
    return (
        found.conversation()
        .said()
        .select_related("agent")
        .defer("html", "references")
        .annotate(file_rows=ArraySubquery(files.values(row=row)))
    )


def newest(ticket: int, *, after: int = 0, before: int | None = None, most: int = MOST) -> list[Line]:
    """The newest lines of a ticket beyond the message `after`, oldest first. One query."""
    found = Message.objects.filter(Q(ticket=ticket, pk__gt=after))
    if before is not None:
        found = found.filter(pk__lt=before)
    return of(list(said(found).order_by("-pk")[:most])[::-1])


def of(messages: Iterable[Message]) -> list[Line]:
    """Lines of messages that `said` found; no query."""
    return [_line(one) for one in messages]


def _line(message: Message) -> Line:
    agent = message.agent
    name = str(agent) if agent is not None else message.author_name
    by = {AuthorKind.CUSTOMER.value: "visitor", AuthorKind.AGENT.value: "agent"}.get(
        message.author_kind, message.author_kind
    )
    if not name or name.startswith("v:"):  # what only machines tell apart
        name = _("Visitor") if by == "visitor" else _("Bot") if by == "bot" else ""
    part = message.payload.get("chat") or {}
    kind = part.get("kind", "") if part.get("kind") in KINDS else ""
    more = shown(kind, part.get("data") or {})
    text = _carried(message) or message.visible_text or message.text
    return Line(
        pk=message.pk,
        ticket=message.ticket_id,
        direction=message.direction,
        by=by,
        name=name,
        who=f"{message.direction}-{by}-{message.agent_id or message.customer_id or ''}",
        hue=message.customer_id or by,
        speaker=Named(agent.pk, name, photo=agent.photo) if agent is not None else None,
        at=message.created_at,
        text="" if text and text == more.get("title") else text,  # the card says it
        state=message.state if message.direction == Direction.OUT else "",
        cid=str(message.payload.get("client_id") or ""),
        kind=kind,
        part=more,
        files=tuple(
            File(row["pk"], row["name"], row["size"], row["content_type"])
            for row in message.file_rows  # type: ignore[attr-defined]
        ),
    )


def _carried(message: Message) -> str:
    """Of a mail that brought a visitor what stands here already: that it went."""
    if "continues" not in message.payload:
        return ""
    return _("Sent to %(to)s by e-mail") % {"to": ", ".join(one["address"] for one in message.to)}


def shown(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a message that is more than words, as `_part.html` reads it: what was offered, and what came back."""
    if kind == "buttons":
        pressed = data.get("pressed")
        rows = [one for one in data.get("buttons") or () if isinstance(one, Mapping)]
        return {"buttons": [{"label": one.get("label", ""), "pressed": one.get("key") == pressed} for one in rows]}
    if kind == "form":
        values = data.get("values")
        given = values if isinstance(values, Mapping) else {}
        rows = [one for one in data.get("fields") or () if isinstance(one, Mapping)]
        fields = [{"label": one.get("label") or one.get("key"), "value": given.get(one.get("key"), "")} for one in rows]
        return {"title": data.get("title", ""), "fields": fields, "answered": isinstance(values, Mapping)}
    if kind == "page":
        url = str(data.get("url", ""))
        web = url.startswith(("https://", "http://"))
        return {"title": data.get("title") or url, "url": url if web else "", "text": data.get("text", "")}
    return {}


def html(line: Line) -> str:
    """The `<li>` of a line, in the language that is active."""
    return get_template("channels_chat/_line.html").render({"line": line})
