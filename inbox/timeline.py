"""A ticket's messages and events as one stream, with the days between them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, F, OuterRef, Q, Subquery, When
from django.db.models.functions import JSONObject, Left
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import additions, wording
from inbox.directory import Directory, Named
from inbox.files import PICTURES, PLAYED
from inbox.models import (
    ActorKind,
    Attachment,
    AuthorKind,
    Direction,
    Event,
    Message,
    MessageCopy,
    RemoteFile,
    SideConversation,
    Ticket,
)
from inbox.models.messages import MessageQuerySet
from inbox.threads import bare_subject
from lib import html, http

PAGE = 30
MOST_EVENTS = 200
MOST_STARS = 10  # that are drawn
TOGETHER = timedelta(seconds=5)  # what one person did at once is one line

CONTENTS = {
    kind: f"inbox/contents/_{kind}.html" for kind in ("button", "contact", "location", "start", "story", "unsupported")
}
ON_ITS_WAY = ("queued", "sending", "sent", "delivered", "read")
RULES = {
    "token": gettext_lazy("It answers to an address or a message id that we signed for this ticket."),
    "reference": gettext_lazy("It answers a message of this ticket, and its sender takes part in it."),
    "subject_number": gettext_lazy("Its subject names this ticket, and its sender takes part in it."),
    "session": gettext_lazy("It belongs to the conversation that was open on this channel."),
    "new": gettext_lazy("It answers nothing that we know, so it opened a ticket."),
    "follow_up": gettext_lazy("The ticket it answers is done, so it opened a follow-up."),
    "blocked": gettext_lazy("Its sender is blocked, so it was put among the spam."),
    "side": gettext_lazy("It answers in this side conversation."),
    "moved": gettext_lazy("Somebody moved it here."),
    "split": gettext_lazy("Somebody split it off from another ticket."),
    "manual": gettext_lazy("Somebody wrote it down here."),
}


@dataclass
class File:
    pk: int
    name: str
    size: int
    content_type: str

    @property
    def is_picture(self) -> bool:
        return self.content_type in PICTURES

    @property
    def plays(self) -> str:
        """ "audio" or "video" for what the page plays; empty for anything else."""
        return self.content_type.split("/")[0] if self.content_type in PLAYED else ""


@dataclass
class Missing:
    """A file that its platform still has, or did not give."""

    pk: int
    name: str
    size: int
    failed: bool
    error: str
    never: bool = False  # asking again is in vain


class Shown:
    """A message with what its template asks for."""

    def __init__(self, message: Message, ticket: Ticket, known: Directory, channels: dict[int, str]) -> None:
        self.message = message
        self.files = [
            File(row["pk"], row["name"], row["size"], row["content_type"])
            for row in message.file_rows  # type: ignore[attr-defined]
            if not (row["inline"] and message.html)
        ]
        self.missing = [
            Missing(row["pk"], row["name"], row["size"], row["failed_at"] is not None, row["error"], bool(row["never"]))
            for row in message.remote_rows  # type: ignore[attr-defined]
        ]
        self.story_url = http.opened((message.payload.get("story") or {}).get("url"))
        self.shown_reactions = [row for row in message.reactions if row.get("emoji")]
        self.versions = message.payload.get("versions", [])
        self.shown_author = self._author(known.names)
        agent = message.agent_id or 0
        self.speaker = Named(agent, self.shown_author, photo=known.photos.get(agent, ""))
        self.author_key = f"agent-{message.agent_id}" if message.agent_id else message.customer_id or self.shown_author
        self.why = RULES.get(message.thread_rule, "") if message.direction == Direction.IN else ""
        same = bare_subject(message.subject) == bare_subject(ticket.subject)
        self.other_subject = bool(message.subject) and not same
        self.copies = [channels[pk] for pk in message.copy_channels if pk in channels]  # type: ignore[attr-defined]
        self.rich = self._rich()
        self.mentions = message.payload.get("mentions", []) if message.direction == Direction.NOTE else []
        self.untold = message.payload.get("untold", []) if message.direction == Direction.NOTE else []
        self.added = additions.of_message(message)
        self.remote_images = html.remote_images(message.html) if message.html else 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.message, name)

    def _author(self, names: dict[int, str]) -> str:
        message = self.message
        if message.agent_id:
            return names.get(message.agent_id) or message.author_name
        if message.author_kind == AuthorKind.SYSTEM and not message.author_name:
            return _("Rabta")
        return message.author_name or message.author_address or _("Unknown")

    def _rich(self) -> str:
        """What one of us wrote with formatting, without its signature, fit for our own page; empty where a frame is
        needed, or nothing but the plain text was written."""
        if self.message.direction == Direction.IN or not self.message.html:
            return ""
        written = html.without_signature(self.message.html)
        if not html.is_simple(written) or not html.has_formatting(written):
            return ""
        rows = self.message.file_rows  # type: ignore[attr-defined]
        where = {row["content_id"]: f"{reverse('attachment', args=[row['pk']])}?show=inline" for row in rows}
        return html.with_inline_images(html.simple(written), where)

    @property
    def is_carried(self) -> bool:
        """It brings what stands here already to the customer by another way: one quiet line, unless it failed."""
        return "continues" in self.message.payload and self.message.state in ON_ITS_WAY

    @property
    def shows_html(self) -> bool:
        """HTML stands for itself unless its quotes fold away, or it holds no more than the plain text."""
        if not self.message.html or self.rich:
            return False
        if self.message.direction == Direction.OUT:
            return html.has_formatting(html.without_signature(self.message.html))
        return not self.message.hidden_text

    @property
    def content_template(self) -> str:
        """What shows a message that is more than words; empty where the words are all."""
        return CONTENTS.get(self.message.content_kind, "")

    @property
    def stars(self) -> list[str]:
        """A rating as stars: full, half, empty. None for one of very many, which is told in figures alone."""
        rating = self.message.payload.get("rating") or {"value": 0, "of": 0}
        if rating["of"] > MOST_STARS:
            return []
        left = [rating["value"] - place for place in range(int(rating["of"]))]
        return ["full" if one >= 0.75 else "half" if one >= 0.25 else "empty" for one in left]

    @property
    def raw_json(self) -> str:
        """The raw form of what nobody here knows how to show."""
        return json.dumps(self.message.payload.get("raw", {}), ensure_ascii=False, indent=1)[:20_000]

    @property
    def shown_text(self) -> str:
        return self.message.visible_text or self.message.text


@dataclass
class Entry:
    kind: Literal["day", "event", "message", "side"]
    id: str
    at: datetime
    text: str = ""
    message: Shown | None = None
    side: dict[str, Any] | None = None
    apart: int = 0  # the ticket that a merge brought in, as long as it can be taken out again


@dataclass
class Timeline:
    entries: list[Entry] = field(default_factory=list)
    first: int = 0  # id of the oldest message in it
    earlier: str = ""  # address of what came before, empty at the start
    newest: int = 0  # id of the newest message in it
    event: int = 0  # id of the newest line of the log in it


def _found(messages: MessageQuerySet) -> MessageQuerySet:
    """With what `Shown` asks for."""
    files = Attachment.objects.filter(message=OuterRef("pk")).order_by("pk")
    copies = MessageCopy.objects.filter(message=OuterRef("pk")).order_by("pk")
    remote = RemoteFile.objects.filter(message=OuterRef("pk")).order_by("position")
    missing = JSONObject(pk="pk", name="name", size="size", failed_at="failed_at", error="error", never="ref__never")
    # What a comment answers: two comments below each other tell nobody that.
    above = Message.objects.filter(channel=OuterRef("channel"), external_id=OuterRef("in_reply_to"))
    above = above.exclude(external_id="").order_by("pk")  # which its index leaves out
    quoted = above.values(row=JSONObject(name="author_name", text=Left("text", 160), gone="withdrawn_at"))[:1]
    row = JSONObject(pk="pk", name="name", size="size", content_type="content_type", inline="inline",
                     content_id="content_id")  # fmt: skip
    return (
        messages.filter(deleted_at__isnull=True)
        .select_related("channel")
        .annotate(
            file_rows=ArraySubquery(files.values(row=row)),
            copy_channels=ArraySubquery(copies.values("channel")),
            remote_rows=ArraySubquery(remote.values(row=missing)),
            picture=F("customer__picture"),
            answered=Case(When(~Q(in_reply_to=""), payload__public=True, then=Subquery(quoted))),
        )
    )


def of_side(side: SideConversation, known: Directory) -> list[Shown]:
    """What was said in a side conversation, oldest first; of a very long one the latest. One query."""
    channels = {one.pk: one.name for one in known.channels}
    found = list(_found(Message.objects.filter(side=side)).order_by("-pk")[: 5 * PAGE])[::-1]
    return [Shown(one, side.ticket, known, channels) for one in found]


def build(
    ticket: Ticket,
    known: Directory,
    *,
    since: int | None = None,
    before: int | None = None,
    sides: Sequence[dict[str, Any]] = (),
) -> Timeline:
    """The newest messages, all from `since` on, or a page before `before`; with the events among them. 2 queries.

    `sides` are the ticket's side conversations (`inbox.panel`); those stand in it that began or went on meanwhile.
    """
    names, channels = known.names, {one.pk: one.name for one in known.channels}
    found = _found(Message.objects.conversation().filter(ticket=ticket))
    if since is not None:
        messages = list(found.filter(pk__gte=since).order_by("-pk")[: 20 * PAGE])
    else:
        messages = list((found.filter(pk__lt=before) if before is not None else found).order_by("-pk")[: PAGE + 1])
    more = since is None and len(messages) > PAGE
    messages = messages[:PAGE] if more else messages
    messages.sort(key=lambda message: (message.created_at, message.pk))
    ids = [message.pk for message in messages]
    timeline = Timeline(first=min(ids, default=0), newest=max(ids, default=0))
    if more:
        timeline.earlier = f"{reverse('ticket-earlier', args=[ticket.number])}?before={timeline.first}"
    events = wording.shown(ticket)
    if more or since is not None or before is not None:
        if messages:
            events = events.filter(at__gte=messages[0].created_at)
    if before is not None and messages:
        events = events.filter(at__lt=messages[-1].created_at)
    entries = [
        Entry("message", f"m-{one.pk}", _stands_at(one), message=Shown(one, ticket, known, channels))
        for one in messages
    ]
    first = messages[0].created_at if messages and (more or since is not None or before is not None) else None
    entries += asides(sides, first, messages[-1].created_at if messages and before is not None else None)
    told = list(events[:MOST_EVENTS])[::-1]
    timeline.event = told[-1].pk if told else 0
    entries += lines(told, names)
    entries.sort(key=lambda entry: entry.at)
    timeline.entries = with_days(entries)
    return timeline


def asides(sides: Sequence[dict[str, Any]], first: datetime | None, until: datetime | None) -> list[Entry]:
    """Side conversations where they began; of those that began earlier than `first` where they went on last."""
    found = []
    for row in sides:
        at = row["started"] if first is None or row["started"] >= first else row["last_message_at"]
        if (first is None or at >= first) and (until is None or at < until):
            who = ", ".join(one.get("name") or one["address"] for one in row["to"] or ())
            found.append(Entry("side", f"side-{row['pk']}", at, side={**row, "who": who}))
    return found


def _stands_at(message: Message) -> datetime:
    """Where a message stands in the stream: what is to leave later, at its end."""
    return max(message.send_at or message.created_at, timezone.now()) if message.is_scheduled else message.created_at


def with_days(entries: list[Entry]) -> list[Entry]:
    """The entries with a mark before each first one of a day in the reader's zone."""
    out: list[Entry] = []
    day: date | None = None
    for entry in entries:
        today = timezone.localtime(entry.at).date()
        if today != day:
            day = today
            out.append(Entry("day", f"d-{today.isoformat()}-{entry.id}", entry.at))
        out.append(entry)
    return out


def lines(events: Sequence[Event], names: dict[int, str]) -> list[Entry]:
    """Events in words; what one actor did within seconds is one line."""
    out: list[Entry] = []
    last: Event | None = None
    apart = {event.data.get("source"): event.pk for event in events if event.kind == "unmerged_from"}
    for event in events:
        words = wording.sentence(event, names)
        if not words:
            continue
        together = last is not None and (last.actor_kind, last.actor_id) == (event.actor_kind, event.actor_id)
        if together and last is not None and event.at - last.at < TOGETHER and event.actor_kind == ActorKind.AGENT:
            out[-1].text = _("%(done)s, %(then)s") % {"done": out[-1].text, "then": words}
        else:
            out.append(Entry("event", f"e-{event.pk}", event.at, text=wording.started(event, words, names)))
        source = event.data.get("source", 0) if event.kind == "merged_from" else 0
        if source and apart.get(source, 0) < event.pk:
            out[-1].apart = source
        last = event
    return out
