"""`/settings/teams/`: who is in which team, and which channels it sees."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from inbox import access, schedule_words, schedules
from inbox.actions import teams as acting
from inbox.actions.errors import ActionError
from inbox.models import Agent, Channel, Team
from inbox.rights import Right, may, needs
from inbox.variables import KNOWN
from inbox.views.settings.forms import TeamForm
from inbox.views.shell import AgentRequest, agent_only

HERE = {"page_key": "teams"}


def managed(agent: Agent) -> QuerySet[Team]:
    """Whose settings somebody changes: whoever manages people all teams, others those that they see.

    Settings alone: a private team's tickets stay its members'.
    """
    return Team.objects.all() if may(agent, Right.PEOPLE) else access.teams(agent)


@require_safe
@agent_only
@needs(Right.TEAMS)
def teams(request: AgentRequest) -> HttpResponse:
    members = Prefetch("members", Agent.objects.filter(is_active=True).only("pk", "name", "photo").order_by("name"))
    channels = Prefetch("channels", access.channels(request.user).only("pk", "name"))
    found = managed(request.user).prefetch_related(members, channels)
    return render(request, "settings/teams/list.html", {**HERE, "teams": found})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.TEAMS)
def team(request: AgentRequest, pk: int | None = None) -> HttpResponse:
    """One team, or a new one."""
    found = None
    if pk is not None and (found := managed(request.user).filter(pk=pk).first()) is None:
        raise Http404
    form = TeamForm(request.POST if request.method == "POST" else None, request.user, found)
    if request.method == "POST" and form.is_valid():
        data = dict(form.cleaned_data)
        if found is not None:  # channels that whoever saves does not see stay as they are
            unseen = found.channels.exclude(pk__in=access.channels(request.user))
            data["channels"] = Channel.objects.filter(
                pk__in=[*(one.pk for one in data["channels"]), *(one.pk for one in unseen)]
            )
        try:
            if found is None:
                acting.create(by=request.user, **data)
            else:
                acting.change(found, by=request.user, **data)
        except ActionError as error:
            form.add_error("name", str(error.reason))
        else:
            messages.success(request, _("Saved."))
            return redirect("settings-teams")
    hours = schedule_words.told(schedules.own(found)) if found else None
    context = {**HERE, "form": form, "team": found, "variables": KNOWN, "hours": hours}
    return render(request, "settings/teams/team.html", context)
