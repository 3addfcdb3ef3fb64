"""`/profile/`, `/problems/` and `/signs/`: a person's own settings, and how the system is right now."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from inbox import health
from inbox.forms import ProfileForm, problem_of
from inbox.views.shell import AgentRequest, agent_only


@require_POST
@agent_only
def profile(request: AgentRequest) -> HttpResponse:
    """Keep language, look and time zone, and go back to where the person was."""
    form = ProfileForm(request.POST)
    if form.is_valid():
        agent = request.user
        for name in ("language", "theme", "time_zone"):
            setattr(agent, name, form.cleaned_data[name])
        agent.save(update_fields=["language", "theme", "time_zone"])
    else:
        messages.error(request, problem_of(form))
    back = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else "inbox")


@require_safe
@agent_only
def problems(request: AgentRequest) -> HttpResponse:
    """The strip on the main screen: late, dead or failing parts, in words. Empty when all is well."""
    return render(request, "inbox/_problems.html", {"problems": health.problems(request.user)})


@require_safe
@agent_only
def signs(request: AgentRequest) -> HttpResponse:
    """Every process and every queue, and how long its oldest has waited."""
    return render(request, "inbox/_signs.html", {"signs": health.signs(request.user)})
