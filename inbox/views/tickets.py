"""`/tickets/<number>/`: a conversation, and what changes a ticket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from inbox import access, directory, panel, timeline
from inbox.actions import blocks, reply
from inbox.actions import merge as merging
from inbox.actions import tickets as actions
from inbox.actions import trash as trashing
from inbox.actions.base import KEEP
from inbox.actions.errors import ActionError
from inbox.adapters import kinds
from inbox.forms import (
    CHOSEN_STATUSES,
    AssignmentForm,
    ErasureForm,
    MergeForm,
    PriorityForm,
    SnoozeForm,
    SpamForm,
    StatusForm,
    SubjectForm,
    TagsForm,
    TrashForm,
    problem_of,
)
from inbox.models import Customer, Priority, Ticket
from inbox.panel import sides
from inbox.rights import Right, may, require
from inbox.views.shell import AgentRequest, agent_only, frame, remembered, wants_part


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
    }
    return render(request, "inbox/_earlier.html", context)


def may_change(request: AgentRequest, found: Ticket) -> bool:
    return request.user.may_write and not found.is_locked


def _integer(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() and len(value) < 19 else None


def conversation(request: AgentRequest, found: Ticket, *, since: int | None = None) -> dict[str, Any]:
    """Everything that the panes of one ticket show."""
    known = directory.of(request.user)
    beside = panel.read(request.user, found)
    return {
        "ticket": found,
        "current_number": found.number,
        "timeline": timeline.build(found, known, since=since, sides=beside["sides"]),
        "may_change": may_change(request, found),
        "may_erase": may(request.user, Right.ERASE),
        "people": known.people,
        "team_choices": known.teams,
        "statuses": CHOSEN_STATUSES,
        "priorities": Priority.choices,
        "client_id": uuid4().hex,
        "composer": {"kind": "reply"},
        "route": None if found.is_locked else route(found),
        "panel": beside,
        **customer_context(found.customer, beside["identities"]),
    }


def customer_context(customer: Customer, identities: list[dict[str, Any]]) -> dict[str, Any]:
    language = customer.language.partition("-")[0]
    try:
        name = translation.get_language_info(language)["name_translated"] if language else ""
    except KeyError:
        name = language
    return {"customer": customer, "identities": identities, "customer_language": name}


def route(found: Ticket) -> dict[str, Any]:
    """Where a reply would leave and why, whom it reaches, and what stands in its way."""
    channel, why = reply.choose_channel(found)
    adapter = kinds().get(channel.kind)
    if adapter is None:
        return {"channel": channel, "why": why, "to": [], "cc": [], "editable": False, "warning": ""}
    to, cc = reply.default_recipients(found, channel)
    verdicts = (adapter.may_reply(found), adapter.may_send(channel))
    warning = next((str(verdict.reason) for verdict in verdicts if not verdict.allowed), "")
    if not warning and channel.out_failing_since is not None:
        warning = channel.out_error
    editable = adapter.identity_kind == "email"
    return {
        "channel": channel,
        "why": why,
        "to": to,
        "cc": cc,
        "editable": editable,
        "warning": warning,
        "rich": adapter.rich_text,
    }


def regions(request: AgentRequest, number: int, *, problem: str = "", fresh_composer: bool = False) -> HttpResponse:
    """An htmx answer: the regions of this ticket's panes and its row. Gone from sight, its pane becomes empty."""
    found = (
        access.tickets(request.user)
        .select_related("customer", "customer__organisation", "channel", "reply_channel", "assignee", "team")
        .filter(number=number)
        .first()
    )
    if found is None:
        return render(request, "inbox/_gone.html", {"number": number, "problem": problem})
    since = _integer(request.GET.get("from") or request.POST.get("from"))
    context = conversation(request, found, since=since)
    context |= {"problem": problem, "fresh_composer": fresh_composer}
    return render(request, "inbox/_regions.html", context, status=422 if problem else 200)


def answer(request: AgentRequest, number: int, *, problem: str = "", fresh_composer: bool = False) -> HttpResponse:
    """What follows an action: regions for htmx, a redirect to the page for a plain form."""
    if wants_part(request):
        return regions(request, number, problem=problem, fresh_composer=fresh_composer)
    if problem:
        messages.error(request, problem)
    return redirect("ticket", number)


def act(
    request: AgentRequest, number: int, form: forms.Form, do: Callable[[Ticket, dict[str, Any]], object]
) -> HttpResponse:
    """Access, form, one action, answer."""
    found = access.writable_ticket(request.user, number)
    if not form.is_valid():
        return answer(request, number, problem=problem_of(form))
    try:
        do(found, form.cleaned_data)
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
    return act(
        request, number, StatusForm(request.POST), lambda t, d: actions.set_status(t, d["status"], by=request.user)
    )


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

    return act(request, number, TrashForm(request.POST), do)


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
    def do(found: Ticket, data: dict[str, Any]) -> object:
        until = timezone.now() + timedelta(hours=data["hours"]) if data["hours"] else None
        return actions.snooze(found, until, by=request.user)

    return act(request, number, SnoozeForm(request.POST), do)


@require_POST
@agent_only
def merge(request: AgentRequest, number: int) -> HttpResponse:
    def do(found: Ticket, data: dict[str, Any]) -> object:
        return merging.merge(found, access.writable_ticket(request.user, data["into"]), by=request.user)

    return act(request, number, MergeForm(request.POST), do)
