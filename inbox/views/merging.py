"""`/tickets/<number>/merge/`, `…/unmerge/` and `…/split/`: two matters that are one, and one that is two."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as notices
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from inbox import access, search
from inbox.actions import merge as acting
from inbox.actions import split as splitting
from inbox.actions.errors import ActionError
from inbox.forms import MergeForm, SplitForm, problem_of
from inbox.models import Participant, SideConversation, Status, Ticket
from inbox.threads import bare_subject
from inbox.views.messages import pane_of
from inbox.views.shell import AgentRequest, agent_only, wants_part
from inbox.views.tickets import answer

MOST = 8  # suggestions of each kind


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def merge(request: AgentRequest, number: int) -> HttpResponse:
    """The sheet that asks into which ticket; a POST merges. `keep` turns it round: that one goes, this one stays."""
    found = access.writable_ticket(request.user, number)
    if request.method != "POST":
        return _sheet(request, found)
    form = MergeForm(request.POST)
    problem = problem_of(form)
    if not problem:
        try:
            other = access.writable_ticket(request.user, form.cleaned_data["into"])
            source, into = (other, found) if form.cleaned_data["keep"] else (found, other)
            acting.merge(source, into, by=request.user)
        except ActionError as error:
            problem = str(error)
        except Http404:
            problem = _("There is no such ticket, or you may not see it.")
    if problem:
        if wants_part(request):
            return render(request, "inbox/_sheet_refused.html", {"problem": problem}, status=422)
        return answer(request, number, problem=problem)
    response = answer(request, number)
    if wants_part(request):
        told = {"source": source, "into": into}
        response.content += render_to_string("inbox/_merged.html", told, request=request).encode()
    return response


def _sheet(request: AgentRequest, found: Ticket) -> HttpResponse:
    mine = _mergeable(request, found).filter(customer=found.customer_id).order_by("-last_message_at")
    own = sorted(mine[: 3 * MOST], key=lambda one: one.is_done)[:MOST]
    alike = _alike(request, found, {one.pk for one in own})
    here = Participant.objects.filter(ticket=found, until__isnull=True)
    context = {
        "ticket": found,
        "own": own,
        "alike": alike,
        "sides": SideConversation.objects.filter(ticket=found).count(),
        "participants": list(here.select_related("identity").order_by("pk")[:MOST]),
        "sheet": "inbox/_merge_sheet.html",
    }
    return render(request, "inbox/_merge_sheet.html" if wants_part(request) else "inbox/sheet.html", context)


def _mergeable(request: AgentRequest, found: Ticket) -> QuerySet[Ticket]:
    current = access.tickets(request.user).current().exclude(pk=found.pk).exclude(status=Status.CLOSED)
    return current.select_related("customer")


def _alike(request: AgentRequest, found: Ticket, without: set[int]) -> list[Ticket]:
    """Others' tickets of the same subject, as the search finds them."""
    subject = bare_subject(found.subject)
    if not subject:
        return []
    numbers = [one for one in search.find(request.user, subject).numbers[:50] if one not in without]
    rows = _mergeable(request, found).filter(pk__in=numbers).order_by("-last_message_at")
    return [one for one in rows if bare_subject(one.subject) == subject][:MOST]


@require_POST
@agent_only
def unmerge(request: AgentRequest, number: int) -> HttpResponse:
    """Take a merge apart: `number` is the ticket that was merged away. Answers for the page it was asked from."""
    found = access.writable_ticket(request.user, number)
    here = int(shown) if (shown := request.POST.get("shown", "")).isdecimal() and len(shown) < 19 else number
    try:
        acting.unmerge(found, by=request.user)
    except ActionError as error:
        return answer(request, here, problem=str(error))
    return answer(request, here)


@require_POST
@agent_only
def split(request: AgentRequest, number: int) -> HttpResponse:
    """Move the chosen messages into a new ticket, which opens."""
    found = access.writable_ticket(request.user, number)
    form = SplitForm(request.POST)
    if not form.is_valid():
        return answer(request, number, problem=problem_of(form))
    try:
        data: dict[str, Any] = form.cleaned_data
        new = splitting.split(found, data["messages"], by=request.user, subject=data["subject"])
    except ActionError as error:
        return answer(request, number, problem=str(error))
    if wants_part(request):
        return HttpResponse(headers={"HX-Location": pane_of(new.pk)})
    notices.success(request, _("Split off into #%(number)s.") % {"number": new.pk})
    return redirect("ticket", new.pk)
