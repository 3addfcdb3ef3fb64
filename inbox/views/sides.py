"""`/tickets/<number>/sides/` and `/sides/<id>/`: side conversations with third parties, and forwarding."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.views.decorators.http import require_http_methods, require_POST

from inbox import access, directory, forwarding, timeline
from inbox.actions import side as actions
from inbox.actions.errors import ActionError
from inbox.forms import SideAnswerForm, SideClosedForm, SideForm, problem_of
from inbox.models import Message, Ticket
from inbox.views.files import uploaded
from inbox.views.shell import AgentRequest, agent_only, wants_part
from inbox.views.tickets import answer, may_change


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def start(request: AgentRequest, number: int) -> HttpResponse:
    """The sheet for a new side conversation, with `message` or `all` a forward; a POST begins it."""
    found = access.writable_ticket(request.user, number)
    if request.method != "POST":
        return _sheet(request, found, _forwards(request, found))
    form = SideForm(request.POST)
    if not form.is_valid():
        return _refused(request, found, problem_of(form))
    data = form.cleaned_data
    try:
        actions.start(
            found,
            by=request.user,
            to=data["to"],
            cc=data["cc"],
            subject=data["subject"],
            text=data["text"],
            attachments=uploaded(request),
            forwards=_forwards(request, found),
            client_id=data["client_id"] or None,
        )
    except ActionError as error:
        return _refused(request, found, str(error))
    response = answer(request, number)
    if wants_part(request):
        response.content += render_to_string("inbox/_sheet_done.html").encode()
    return response


def _forwards(request: AgentRequest, found: Ticket) -> list[Message]:
    """What the address or the form names to be forwarded, oldest first."""
    asked = request.POST if request.method == "POST" else request.GET
    said = found.messages.conversation().filter(deleted_at__isnull=True).exclude(direction="note").order_by("-pk")
    if asked.get("all"):
        return list(said[: actions.MOST_FORWARDED])[::-1]
    ids = [int(pk) for pk in asked.getlist("message") if pk.isdecimal() and len(pk) < 19]
    chosen = list(said.filter(pk__in=ids))[::-1] if ids else []
    if len(chosen) != len(set(ids)):
        raise Http404
    return chosen


def _sheet(request: AgentRequest, found: Ticket, forwards: list[Message], **typed: Any) -> HttpResponse:
    context = {
        "ticket": found,
        "forwards": forwards,
        "all": bool(request.GET.get("all") or request.POST.get("all")),
        "subject": forwarding.subject(found, forwards),
        "client_id": uuid4().hex,
        "sheet": "inbox/_side_new.html",
        **typed,
    }
    status = 422 if typed.get("problem") else 200
    template = "inbox/_side_new.html" if wants_part(request) else "inbox/sheet.html"
    return render(request, template, context, status=status)


def _refused(request: AgentRequest, found: Ticket, problem: str) -> HttpResponse:
    """What was typed stays, with the reason."""
    if wants_part(request):
        return render(request, "inbox/_sheet_refused.html", {"problem": problem}, status=422)
    names = ("to", "cc", "subject", "text", "client_id")
    typed = {name: request.POST.get(name, "") for name in names}
    return _sheet(request, found, _forwards(request, found), **typed, problem=problem)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def side(request: AgentRequest, pk: int) -> HttpResponse:
    """What was said in it, with `whole` the field to answer in, too; a POST answers."""
    held = access.get_side(request.user, pk)
    if request.method == "POST":
        return _answer(request, held.pk)
    if not wants_part(request):
        return redirect("ticket", held.ticket_id)
    known = directory.of(request.user)
    to, cc = actions.recipients(held)
    context = {
        "side": held,
        "ticket": held.ticket,
        "messages_of_side": timeline.of_side(held, known),
        "whole": "whole" in request.GET,
        "to": to,
        "cc": cc,
        "may_change": may_change(request, held.ticket),
        "may_write": request.user.may_write,
        "client_id": uuid4().hex,
    }
    return render(request, "inbox/_side_parts.html", context)


def _answer(request: AgentRequest, pk: int) -> HttpResponse:
    held = access.get_side(request.user, pk)
    if not request.user.may_write:
        raise PermissionDenied
    form = SideAnswerForm(request.POST)
    number = held.ticket_id
    if not form.is_valid():
        return _kept(request, pk, number, problem_of(form))
    data = form.cleaned_data
    try:
        actions.answer(
            held,
            by=request.user,
            text=data["text"],
            to=data["to"] if "to" in request.POST else None,
            cc=data["cc"] if "cc" in request.POST else None,
            attachments=uploaded(request),
            client_id=data["client_id"] or None,
        )
    except ActionError as error:
        return _kept(request, pk, number, str(error))
    response = answer(request, number)
    if wants_part(request):
        response.content += render_to_string("inbox/_side_sent.html", {"pk": pk, "client_id": uuid4().hex}).encode()
    return response


def _kept(request: AgentRequest, pk: int, number: int, problem: str) -> HttpResponse:
    if wants_part(request):
        return render(request, "inbox/_side_refused.html", {"pk": pk, "problem": problem}, status=422)
    return answer(request, number, problem=problem)


@require_POST
@agent_only
def closed(request: AgentRequest, pk: int) -> HttpResponse:
    """Close it, or open it again."""
    held = access.get_side(request.user, pk)
    if not request.user.may_write:
        raise PermissionDenied
    form = SideClosedForm(request.POST)
    if not form.is_valid():
        return answer(request, held.ticket_id, problem=problem_of(form))
    try:
        actions.set_closed(held, form.cleaned_data["closed"] == "yes", by=request.user)
    except ActionError as error:
        return answer(request, held.ticket_id, problem=str(error))
    return answer(request, held.ticket_id)
