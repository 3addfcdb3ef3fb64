"""`/sandbox/components/`: every piece of the design system on one page, for who builds screens."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from inbox import icons
from inbox.directory import Directory, Named
from inbox.models import (
    Agent,
    AuthorKind,
    Channel,
    Customer,
    DeliveryState,
    Direction,
    Message,
    Priority,
    Ticket,
)
from inbox.timeline import Shown
from inbox.views.shell import AgentRequest, agent_only

COLOURS = (
    "ink", "ink-2", "ink-3", "canvas", "surface", "raised", "hover", "line", "line-strong", "accent", "accent-strong",
    "accent-soft", "mine", "note", "note-line", "note-accent", "good", "good-soft", "warn", "warn-soft", "bad",
    "bad-soft",
)  # fmt: skip
SIZES = ("t-1", "t-2", "t-3", "t-4", "t-5", "t-6")
SPACES = ("s-1", "s-2", "s-3", "s-4", "s-5", "s-6")
LONG = "It said Tuesday, and nothing came. Could you please look where it is, and whether it still comes this week?"


def _rows(channel: Channel, agent: Agent) -> list[Ticket]:
    now = timezone.now()
    people = [Customer(pk=pk, name=name) for pk, name in enumerate(("Ayesha Khan", "بلال احمد", "Lena Vogt"), 1)]
    subjects = ("Where is my parcel?", "رقم کی واپسی", LONG)
    rows = [
        Ticket(number=number, customer=one, subject=subject, preview=LONG, channel=channel, reply_channel=channel)
        for number, (one, subject) in enumerate(zip(people, subjects, strict=True), 1)
    ]
    rows[0].waiting_since, rows[2].priority, rows[2].delivery_failed = now, Priority.URGENT, True
    for number, row in enumerate(rows):
        row.last_message_at = now - timedelta(minutes=7 * 60**number)
    rows[0].unread, rows[1].assignee = True, agent  # type: ignore[attr-defined]
    return rows


def _messages(channel: Channel, agent: Agent, ticket: Ticket) -> list[Shown]:
    said = {"ticket": ticket, "channel": channel, "created_at": timezone.now()}
    ours = {"author_kind": AuthorKind.AGENT, "agent": agent, "author_name": agent.name, "direction": Direction.OUT}
    reached = {"to": [{"name": "", "address": "ayesha@example.com"}], **ours}
    found = [
        Message(direction=Direction.IN, author_kind=AuthorKind.CUSTOMER, author_name="Ayesha Khan", text=LONG, **said),
        Message(**{**ours, "direction": Direction.NOTE}, text="The warehouse is checking.", **said),
        Message(text="On its way: it arrives on Thursday.", state=DeliveryState.READ, **reached, **said),
        Message(text="Second try.", state=DeliveryState.FAILED, error="550 no such user", **reached, **said),
    ]
    known = Directory(names={agent.pk: agent.name}, people=[Named(agent.pk, agent.name)])
    shown = []
    for number, message in enumerate(found, 1):
        message.pk = number
        message.file_rows, message.copy_channels, message.remote_rows = [], [], []  # type: ignore[attr-defined]
        shown.append(Shown(message, ticket, known, {}))
    return shown


@require_safe
@agent_only
def components(request: AgentRequest) -> HttpResponse:
    channel = Channel(pk=1, kind="email", name="Support", slug="support")
    rows = _rows(channel, request.user)
    context = {
        "colours": COLOURS,
        "sizes": SIZES,
        "spaces": SPACES,
        "icons": sorted(icons.ICONS),
        "rows": rows,
        "shown": _messages(channel, request.user, rows[0]),
        "hues": range(12),
    }
    return render(request, "sandbox/components.html", context)
