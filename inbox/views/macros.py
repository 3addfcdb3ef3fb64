"""`/tickets/<number>/macros/`: the macros for one ticket, and doing at once what some of them say."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from inbox import access, macros
from inbox.actions import macros as actions
from inbox.forms import MacrosForm
from inbox.views.shell import AgentRequest, agent_only
from inbox.views.tickets import act


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def of_ticket(request: AgentRequest, number: int) -> HttpResponse:
    """The list with everything filled in for this ticket; POST applies what `macro` names."""
    if request.method == "POST":
        return act(
            request,
            number,
            MacrosForm(request.POST),
            lambda ticket, data: actions.apply(ticket, actions.wanted(request.user, data["macro"]), by=request.user),
        )
    ticket = access.writable_ticket(request.user, number)
    channel = request.GET.get("channel", "")
    on = access.channels(request.user).filter(slug=channel).select_related("brand").first() if channel else None
    found = macros.offered(request.user, ticket, on)
    return render(request, "inbox/_macros.html", {"ticket": ticket, "offered": found})
