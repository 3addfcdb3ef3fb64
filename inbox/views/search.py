"""`/search/help/`: what can be typed next into the field of the search."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inbox.search import operators
from inbox.search.query import MOST_TYPED
from inbox.views.shell import AgentRequest, agent_only


@require_safe
@agent_only
def help_with(request: AgentRequest) -> HttpResponse:
    """The operators, or the values of the one that was begun; empty where nothing fits."""
    typed = request.GET.get("q", "")[:MOST_TYPED]
    offered = operators.offered(request.user, typed)
    begun = ":" in typed.rsplit(" ", 1)[-1]
    return render(request, "inbox/_search_help.html", {"offered": offered, "begun": begun})
