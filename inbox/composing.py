"""What the composer shows: the draft that stands in it, and the way an answer would take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import access, directory, fitting, macros, quiet, wishes, writing
from inbox.actions import recipients
from inbox.actions.work import typed as people_typed
from inbox.adapters import Panel, adapter_for, kinds
from inbox.bundle import Row, together
from inbox.models import Agent, Channel, Draft, DraftKind, SideConversation, Ticket
from inbox.panel import draft as reading

Beside = Mapping[str, list[Row]]


def composer(beside: Beside, newest: int, agent: Agent) -> dict[str, Any]:
    """The fields of the composer: what its draft says, else empty; `newest` is the last message that is shown."""
    row: Row | None = next(iter(beside["draft"]), None)
    if row is None:
        return {"kind": "reply", "client_id": uuid4().hex, "version": 0, "newest": newest, "recipients": {}}
    return {
        **row,
        "newest": row["newest"] or newest,
        "files": beside["draft_files"],
        "chips": chips(agent, row["macros"], beside["draft_macros"]),
    }


def chips(agent: Agent, wanted: Sequence[int], rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The macros that a draft names, as they stand in the composer, in their order."""
    found = {row["pk"]: row for row in rows}
    named = (found[pk] for pk in wanted if pk in found)
    return [
        {"pk": one["pk"], "name": one["name"], "deeds": " · ".join(macros.deeds(one["actions"], agent))}
        for one in named
    ]


def kept(agent: Agent, ticket: Ticket | None, side: SideConversation | None = None) -> dict[str, Any]:
    """What stands in the composer of a side conversation or (neither) of a new ticket, by its draft."""
    read = {"draft": reading.draft, "draft_files": reading.files, "draft_macros": reading.macros}
    return composer(together({key: part(agent, ticket, side) for key, part in read.items()}), 0, agent)


def as_json(draft: Draft | None, agent: Agent) -> dict[str, Any]:
    """A draft as the browser keeps one; without one, its version is 0."""
    if draft is None:
        return {"version": 0}
    read = {"files": reading.files, "macros": reading.macros}
    rows = together({key: part(agent, draft.ticket, draft.side) for key, part in read.items()})
    options = {name: said for name, said in draft.recipients.items() if name.startswith(writing.OPTION)}
    return {
        "version": draft.version,
        "kind": draft.kind,
        "text": draft.text,
        "html": draft.html,
        "subject": draft.subject,
        "channel": draft.channel.slug if draft.channel and draft.kind == DraftKind.NEW else draft.channel_id,
        "people": {name: said for name, said in draft.recipients.items() if name not in options},
        "options": options,
        "files": [
            [row["pk"], row["name"], filesizeformat(row["size"]), row["content_id"], row["content_type"], row["size"]]
            for row in rows["files"]
        ],
        "macros": [[one["pk"], one["name"], one["deeds"]] for one in chips(agent, draft.macros, rows["macros"])],
        "client_id": draft.client_id,
        "newest": draft.newest,
    }


def ways(agent: Agent, ticket: Ticket, beside: Beside) -> list[directory.Named]:
    """The channels that this agent sees and on which the customer has an address; first the one they prefer."""
    known = {row["kind"] for row in beside["identities"] if row["retired_at"] is None}
    adapters = kinds()
    found = [
        one
        for one in directory.of(agent).channels
        if one.kind in adapters and (adapters[one.kind].identity_kind in known or one.pk == ticket.reply_channel_id)
    ]
    return sorted(found, key=lambda one: one.pk != ticket.customer.preferred_channel_id)


def _open_now(agent: Agent, ticket: Ticket, others: Sequence[directory.Named]) -> list[directory.Named]:
    """Of these channels those on which an answer may leave now: another way out that is closed, too, is none."""
    found = access.channels(agent).filter(pk__in=[one.pk for one in others], paused=False)
    free = {
        one.pk for one in found if wishes.verdict(ticket, one).allowed and adapter_for(one.kind).may_send(one).allowed
    }
    return [one for one in others if one.pk in free]


def chosen(agent: Agent, ticket: Ticket, beside: Beside, pk: int | None) -> Channel | None:
    """The channel with this id, if an answer may take it; None is the one that it takes by itself."""
    if (
        pk is None
        or pk == recipients.choose_channel(ticket)[0].pk
        or pk not in {one.pk for one in ways(agent, ticket, beside)}
    ):
        return None
    return access.channels(agent).select_related("brand").filter(pk=pk).first()


def night(ticket: Ticket, until: datetime | None) -> dict[str, Any] | None:
    """Until when what is begun now waits, and by which clock; None where it leaves at once."""
    return {"until": until, "zone": str(quiet.zone_of(ticket.customer))} if until else None


def beside_text(part: Panel | None, url: str) -> dict[str, Any]:
    """What is chosen beside the text, and what each way that is chosen there takes; `url` is asked for it anew."""
    by_way = {way: fitting.data(takes) for way, takes in part.takes.items()} if part else {}
    return {"panel": part, "by_way": by_way, "way_url": url}


def route(
    agent: Agent,
    ticket: Ticket,
    beside: Beside,
    pk: int | None = None,
    draft: Mapping[str, Any] | None = None,
    options: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Where a reply would leave and why, whom it reaches, and what stands in its way.

    `pk` is a channel that was chosen, `draft` is what stands in the composer (`composer`), with recipients in place of
    the usual ones. `options` are the fields that only its channel's kind has; None: what the draft says in them.
    """
    usual, why = recipients.choose_channel(ticket)
    channel = usual
    draft = draft or {}
    typed = draft.get("recipients", {})
    if other := chosen(agent, ticket, beside, pk):
        channel, why = other, _("You chose this channel")
    if options is None:  # on another channel they would mean something else
        here = (draft.get("channel_id") or usual.pk) == channel.pk
        options = writing.options_of(typed) if here else {}
    found: dict[str, Any] = {"channel": channel, "why": why, "ways": ways(agent, ticket, beside)}
    found["preferred"] = ticket.customer.preferred_channel_id
    if channel.kind not in kinds():
        return {**found, "to": [], "cc": [], "editable": False, "warning": "", "hint": "", "rich": False, "known": []}
    adapter = adapter_for(channel.kind)
    to, cc = recipients.default_recipients(ticket, channel)
    reply, verdicts = wishes.verdict(ticket, channel), adapter.may_send(channel)
    warning = next((str(verdict.reason) for verdict in (reply, verdicts) if not verdict.allowed), "")
    if not warning and channel.out_failing_since is not None:
        warning = channel.out_error
    verified = {row["kind"] for row in beside["identities"] if row["verified_at"] and row["retired_at"] is None}
    others = [one for one in found["ways"] if one.pk != channel.pk and adapter_for(one.kind).identity_kind in verified]
    hint = adapter.route_hint(ticket, beside)
    waits = quiet.held(ticket, channel, timezone.now())
    fields = [("to", _("To"), to), ("cc", _("Cc"), cc), ("bcc", _("Bcc"), [])]
    # Where nothing at all gets through, nothing is offered that would be refused.
    part = adapter.composer_panel(ticket, channel, agent, options) if reply.allowed or reply.allows else None
    theirs = [row["value"] for row in beside["identities"] if row["retired_at"] is None]
    return {
        **found,
        "to": to,
        "cc": cc,
        "editable": adapter.identity_kind == "email",
        "fields": [
            {"name": name, "label": label, "usual": people_typed(people), "shown": typed.get(name)}
            for name, label, people in fields
        ],
        "warning": warning,
        "verdict": reply,
        "instead": [] if reply.allowed else _open_now(agent, ticket, others),
        **beside_text(part, f"{reverse('ticket-way', args=[ticket.pk])}?channel={channel.pk}"),
        "hint": hint,
        "quiet": night(ticket, waits),
        **writing.told(ticket, channel, agent),
        "known": sorted(
            {*theirs, *(row["identity__value"] for row in beside["others"]), *(one["address"] for one in to)}
        ),
    }
