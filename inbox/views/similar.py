"""`/tickets/<number>/similar/`: solved tickets like this one, after the conversation stands there."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from inbox import access
from inbox.search import similar as search
from inbox.views.shell import AgentRequest, agent_only, wants_part


@require_safe
@agent_only
def similar(request: AgentRequest, number: int) -> HttpResponse:
    found = access.get_ticket(request.user, number)
    if not wants_part(request):
        return redirect("ticket", number)
    return render(request, "inbox/_similar.html", {"similar": search.to(request.user, found)})
