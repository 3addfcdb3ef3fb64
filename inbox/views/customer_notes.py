"""`/customers/<id>/notes/`: what agents should know of a customer. Light agents write notes, too."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from inbox import access, panel
from inbox.actions import customer_notes as actions
from inbox.actions.errors import ActionError
from inbox.models import Customer, CustomerNote
from inbox.rights import Right, require
from inbox.views.shell import AgentRequest, agent_only, wants_part

MOST = 200


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def notes(request: AgentRequest, pk: int) -> HttpResponse:
    """All notes of a customer; posted, one more."""
    found = access.get_customer(request.user, pk)
    if request.method != "POST":
        return _answer(request, found, everything=True)
    require(request.user, Right.NOTE)
    text = request.POST.get("text", "")
    try:
        actions.add(found, text, by=request.user)
    except ActionError as error:
        return _answer(request, found, problem=str(error), typed=text)
    return _answer(request, found)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def note(request: AgentRequest, pk: int, note: int) -> HttpResponse:
    """One's own note: its form, posted its new text, or with `delete` its end."""
    found = access.get_customer(request.user, pk)
    row = CustomerNote.objects.filter(customer=found, pk=note).first()
    if row is None:
        raise Http404
    if row.agent_id != request.user.pk:
        raise PermissionDenied
    if request.method != "POST":
        editing = None if "shown" in request.GET else row.pk
        return _answer(request, found, everything="all" in request.GET, editing=editing)
    everything = "all" in request.POST
    try:
        if "delete" in request.POST:
            actions.delete(row, by=request.user)
        else:
            actions.change(row, request.POST.get("text", ""), by=request.user)
    except ActionError as error:
        return _answer(request, found, everything=everything, editing=row.pk, problem=str(error))
    return _answer(request, found, everything=everything)


def _answer(
    request: AgentRequest,
    found: Customer,
    *,
    everything: bool = False,
    editing: int | None = None,
    problem: str = "",
    typed: str = "",
) -> HttpResponse:
    if not wants_part(request) and (request.method == "POST" or editing is None):
        if problem:
            messages.error(request, problem)
        return redirect("customer", found.pk)
    shown = panel.customer.MOST_NOTES
    rows = list(panel.customer.notes_of(found)[: MOST if everything else shown + 1])
    context = {
        "customer": found,
        "notes": rows if everything else rows[:shown],
        "more_notes": not everything and len(rows) > shown,
        "all_notes": everything,
        "editing_note": editing,
        "note_problem": problem,
        "note_typed": typed,
        "part": wants_part(request),
    }
    template = "inbox/_notes_kept.html" if wants_part(request) else "inbox/customer_note.html"
    return render(request, template, context, status=422 if problem else 200)
