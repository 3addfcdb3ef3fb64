"""`/settings/`: what there is to set."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inbox import first_run
from inbox.views.shell import AgentRequest, agent_only


@require_safe
@agent_only
def overview(request: AgentRequest) -> HttpResponse:
    return render(request, "settings/overview.html", {"first_run": first_run.steps(request.user)})
