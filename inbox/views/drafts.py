"""`…/draft/`: what somebody has begun to write, on a ticket, in a side conversation, or for a new ticket.

Read by GET; kept as it is typed by POST, and thrown away when nothing is left. 409 where another tab was first, with
what stands now.
"""

from __future__ import annotations

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from inbox import access, composing
from inbox.actions import drafts
from inbox.draft_forms import DraftForm, NewDraftForm, SideDraftForm
from inbox.forms import problem_of
from inbox.models import SideConversation, Ticket
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only


@require_http_methods(["GET", "POST"])
@agent_only
def of_ticket(request: AgentRequest, number: int) -> HttpResponse:
    """The answer, or the note, that this person writes on a ticket."""
    found = access.get_ticket(request.user, number)
    return _draft(request, DraftForm(request.POST), found)


@require_http_methods(["GET", "POST"])
@agent_only
@needs(Right.ANSWER)
def of_side(request: AgentRequest, pk: int) -> HttpResponse:
    held = access.get_side(request.user, pk)
    return _draft(request, SideDraftForm(request.POST), held.ticket, held)


@require_http_methods(["GET", "POST"])
@agent_only
@needs(Right.ANSWER)
def of_new(request: AgentRequest) -> HttpResponse:
    """What is written on the page of a new ticket: one for each person."""
    form = NewDraftForm(request.POST)
    if request.method == "POST" and form.is_valid():
        channel = access.channels(request.user).filter(slug=form.cleaned_data["channel"]).first()
        form.cleaned_data["channel"] = channel.pk if channel else None
    return _draft(request, form, None)


def _draft(
    request: AgentRequest, form: DraftForm, ticket: Ticket | None, side: SideConversation | None = None
) -> HttpResponse:
    agent = request.user
    if request.method == "GET":
        return JsonResponse(composing.as_json(drafts.of(agent, ticket, side).first(), agent))
    if not form.is_valid():
        return JsonResponse({"problem": problem_of(form)}, status=400)
    version = form.cleaned_data["version"]
    channel = form.cleaned_data["channel"]
    if channel and not access.channels(agent).filter(pk=channel).exists():
        form.cleaned_data["channel"] = None
    try:
        if form.is_empty:
            drafts.discard(agent, ticket, side, version=version)
            return JsonResponse({"version": 0})
        return JsonResponse({"version": drafts.save(agent, ticket, form.written, version=version, side=side).version})
    except drafts.Superseded as newer:
        return JsonResponse(composing.as_json(newer.draft, agent), status=409)
