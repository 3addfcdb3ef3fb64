"""`/tickets/<number>/`: a conversation, and what changes a ticket."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from inbox import access, additions, composing, directory, fields, moments, panel, properties, timeline
from inbox.actions import blocks, jobs, mentions
from inbox.actions import tickets as actions
from inbox.actions import trash as trashing
from inbox.actions.base import KEEP
from inbox.actions.errors import ActionError
from inbox.actions.solving import FieldsMissing
from inbox.forms import (
    CHOSEN_STATUSES,
    AssignmentForm,
    ErasureForm,
    PriorityForm,
    SnoozeForm,
    SpamForm,
    StatusForm,
    SubjectForm,
    TagForm,
    TagsForm,
    TrashForm,
    problem_of,
)
from inbox.models import FieldNoun, Message, Priority, Ticket
from inbox.panel import related, sides
from inbox.person import context as person_context
from inbox.properties import MEDIA, RELATIONS
from inbox.rights import Right, may, require
from inbox.views.shell import AgentRequest, agent_only, frame, remembered, wants_part
from inbox.writing import options_of

AFTER_SEND = [("stay", gettext_lazy("Stay")), ("next", gettext_lazy("Next ticket")), ("list", gettext_lazy("List"))]


@require_safe
@agent_only
def ticket(request: AgentRequest, number: int) -> HttpResponse:
    """The conversation: the whole page with its list, or for htmx the panes right of it."""
    found = access.get_ticket(request.user, number)
    context = conversation(request, found)
    if wants_part(request):
        return render(request, "inbox/_conversation.html", context)
    return render(request, "inbox/inbox.html", {**frame(request, remembered(request)), **context})


@require_safe
@agent_only
def changes(request: AgentRequest, number: int) -> HttpResponse:
    """The regions of an open conversation as they are now, from the message `from` on; what is being typed stays."""
    return regions(request, number)


@require_safe
@agent_only
def earlier(request: AgentRequest, number: int) -> HttpResponse:
    """A page of older messages, before the message `before`."""
    found = access.get_ticket(request.user, number)
    before = _integer(request.GET.get("before"))
    known = directory.of(request.user)
    context = {
        "ticket": found,
        "timeline": timeline.build(found, known, before=before, sides=list(sides.sides(request.user, found))),
        "may_change": may_change(request, found),
        "later": moments.ahead(),
    }
    return render(request, "inbox/_earlier.html", context)


@require_safe
@agent_only
def way(request: AgentRequest, number: int) -> HttpResponse:
    """The way that an answer would take on the channel `channel`: what the composer shows once another is chosen."""
    found = access.get_ticket(request.user, number)
    beside = panel.read(request.user, found)
    draft = composing.composer(beside, 0, request.user)
    channel = _integer(request.GET.get("channel"))
    context = {
        "ticket": found,
        "route": composing.route(request.user, found, beside, channel, draft, options_of(request.GET)),
        "composer": draft,
    }
    return render(request, "inbox/_route.html", context)


def may_change(request: AgentRequest, found: Ticket) -> bool:
    return request.user.may_write and not found.is_locked


def _integer(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() and len(value) < 19 else None


def conversation(
    request: AgentRequest,
    found: Ticket,
    *,
    since: int | None = None,
    channel: int | None = None,
    missing: Sequence[str] = (),
    options: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Everything that the panes of one ticket show. `channel` is the one that was chosen for the answer, `missing` are
    keys of fields that it cannot be solved without, `options` what its channel's own fields say (None: as its draft
    has them).
    """
    known = directory.of(request.user)
    beside = panel.read(request.user, found)
    if beside["mentioned"]:
        mentions.seen(request.user, found)
    found.side_answered = any(row["answered"] for row in beside["sides"])  # type: ignore[attr-defined]
    stream = timeline.build(found, known, since=since, sides=beside["sides"])
    draft = composing.composer(beside, stream.newest, request.user)
    way = composing.route(request.user, found, beside, channel or draft.get("channel_id"), draft, options)
    return {
        "ticket": found,
        "current_number": found.number,
        "timeline": stream,
        "may_change": may_change(request, found),
        "may_erase": may(request.user, Right.ERASE),
        "people": known.people,
        "team_choices": known.teams,
        "statuses": CHOSEN_STATUSES,
        "priorities": Priority.choices,
        "composer": draft,
        "later": moments.ahead(),
        "after_send": AFTER_SEND,
        "route": None if found.is_locked else way,
        "panel": beside,
        "added": additions.of_ticket(request.user, found, beside),
        **ticket_context(found, beside, missing),
        **person_context(request.user, found.customer, beside, found),
    }


def ticket_context(found: Ticket, beside: dict[str, list[dict[str, Any]]], missing: Sequence[str]) -> dict[str, Any]:
    own = fields.from_rows(beside["fields"], FieldNoun.TICKET)
    return {
        "properties": properties.lines(found, own, missing),
        "incidents_unlisted": len(beside["linked"]) >= related.MOST,
        "incident_count": sum(one["kind"] == "incident" for one in beside["linked"]),
        "incidents_id": uuid4().hex,
        "call_id": uuid4().hex,
        "relations": RELATIONS,
        "media": MEDIA,
        "snooze_presets": properties.snooze_presets(),
        "free_attributes": [one for one in fields.shown(own, found.attributes) if not one.key],
        "tag_colours": {one["name"]: one["colour"] for one in beside["tag_colours"]},
    }


def regions(
    request: AgentRequest,
    number: int,
    *,
    problem: str = "",
    fresh_composer: bool = False,
    sent: Message | None = None,
    missing: Sequence[str] = (),
) -> HttpResponse:
    """An htmx answer: the regions of this ticket's panes and its row. Gone from sight, its pane becomes empty."""
    found = access.tickets(request.user).select_related(*access.BESIDE_TICKET).filter(number=number).first()
    if found is None:
        return render(request, "inbox/_gone.html", {"number": number, "problem": problem})
    since = _integer(request.GET.get("from") or request.POST.get("from"))
    # What was sent leaves an empty composer behind; all else finds it on the channel that was chosen in it.
    channel = None if fresh_composer else _integer(request.GET.get("channel") or request.POST.get("channel"))
    context = conversation(request, found, since=since, channel=channel, missing=missing)
    context |= {"problem": problem, "fresh_composer": fresh_composer, "sent": sent}
    return render(request, "inbox/_regions.html", context, status=422 if problem else 200)


def answer(
    request: AgentRequest,
    number: int,
    *,
    problem: str = "",
    fresh_composer: bool = False,
    sent: Message | None = None,
    missing: Sequence[str] = (),
) -> HttpResponse:
    """What follows an action: regions for htmx, a redirect to the page for a plain form.

    `sent` is a message of which a notice tells, because its writer goes on to something else.
    """
    if wants_part(request):
        return regions(request, number, problem=problem, fresh_composer=fresh_composer, sent=sent, missing=missing)
    if problem:
        messages.error(request, problem)
    return redirect("inbox") if sent is not None else redirect("ticket", number)


def act(
    request: AgentRequest, number: int, form: forms.Form, do: Callable[[Ticket, dict[str, Any]], object]
) -> HttpResponse:
    """Access, form, one action, answer."""
    found = access.writable_ticket(request.user, number)
    if not form.is_valid():
        return answer(request, number, problem=problem_of(form))
    try:
        do(found, form.cleaned_data)
    except FieldsMissing as error:
        return answer(request, number, problem=str(error), missing=[one.key for one in error.fields])
    except ActionError as error:
        return answer(request, number, problem=str(error))
    except Http404:  # of the other ticket that the form names
        return answer(request, number, problem=_("There is no such ticket, or you may not see it."))
    return answer(request, number)


@require_POST
@agent_only
def assignment(request: AgentRequest, number: int) -> HttpResponse:
    def do(found: Ticket, data: dict[str, Any]) -> object:
        keep = KEEP
        agent = access.agents(request.user).get(pk=data["agent"]) if data["agent"] else None
        team = access.teams(request.user).get(pk=data["team"]) if data["team"] else None
        return actions.assign(
            found,
            by=request.user,
            agent=agent if "agent" in request.POST else keep,
            team=team if "team" in request.POST else keep,
        )

    return act(request, number, AssignmentForm(request.POST, request.user), do)


@require_POST
@agent_only
def status(request: AgentRequest, number: int) -> HttpResponse:
    def do(found: Ticket, data: dict[str, Any]) -> object:
        return jobs.by_hand(request.user, "status", data["status"], found, data["status"])

    return act(request, number, StatusForm(request.POST), do)


@require_POST
@agent_only
def priority(request: AgentRequest, number: int) -> HttpResponse:
    return act(
        request,
        number,
        PriorityForm(request.POST),
        lambda t, d: actions.set_priority(t, d["priority"], by=request.user),
    )


@require_POST
@agent_only
def tags(request: AgentRequest, number: int) -> HttpResponse:
    """All tags (`tags`), or some to `add` or one to `take_off`."""
    if "tags" not in request.POST:

        def do(found: Ticket, data: dict[str, Any]) -> object:
            return actions.change_tags(found, by=request.user, add=data["add"], remove=[data["take_off"]])

        return act(request, number, TagForm(request.POST), do)
    return act(request, number, TagsForm(request.POST), lambda t, d: actions.set_tags(t, d["tags"], by=request.user))


@require_POST
@agent_only
def subject(request: AgentRequest, number: int) -> HttpResponse:
    return act(
        request, number, SubjectForm(request.POST), lambda t, d: actions.set_subject(t, d["subject"], by=request.user)
    )


@require_POST
@agent_only
def spam(request: AgentRequest, number: int) -> HttpResponse:
    """Among the spam, with `block` its sender, too; or out of it."""

    def do(found: Ticket, data: dict[str, Any]) -> object:
        if data["spam"] == "no":
            return blocks.release(found, by=request.user)
        if data["block"]:
            return blocks.block_sender(found, by=request.user)
        return actions.set_spam(found, True, by=request.user)

    return act(request, number, SpamForm(request.POST), do)


@require_POST
@agent_only
def trash(request: AgentRequest, number: int) -> HttpResponse:
    """Into the trash, or out of it."""

    def do(found: Ticket, data: dict[str, Any]) -> object:
        return (trashing.trash if data["trashed"] == "yes" else trashing.restore)(found, by=request.user)

    response = act(request, number, TrashForm(request.POST), do)
    if wants_part(request) and response.status_code == 200 and request.POST.get("trashed") == "yes":
        response.content += render_to_string("inbox/_trashed.html", {"number": number}, request).encode()
    return response


@require_POST
@agent_only
def erasure(request: AgentRequest, number: int) -> HttpResponse:
    """Erase for good what was said in a ticket that lies in the trash. The form names it: nothing goes by a slip."""

    def do(found: Ticket, data: dict[str, Any]) -> object:
        require(request.user, Right.ERASE)
        if data["confirm"] != found.pk:
            raise ActionError(_("Name the ticket that is to go."), "not_confirmed")
        trashing.erase(found, by=request.user)
        return None

    return act(request, number, ErasureForm(request.POST), do)


@require_POST
@agent_only
def snooze(request: AgentRequest, number: int) -> HttpResponse:
    """Until `when`, in words; or `hours`, of which none wakes it up."""
    form = SnoozeForm(request.POST)

    def do(found: Ticket, data: dict[str, Any]) -> object:
        until = data["until"]
        return jobs.by_hand(request.user, "snooze", until.isoformat() if until else "", found, until)

    return act(request, number, form, do)
