"""`/settings/blocked/`: whom we do not want to hear from."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import F
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from inbox import access
from inbox.actions import blocks
from inbox.actions.errors import ActionError
from inbox.forms import BlockForm, problem_of
from inbox.models import Agent, Block, BlockKind
from inbox.rights import Right, may, needs, require
from inbox.views.shell import AgentRequest, agent_only

HERE = {"page_key": "blocked"}
MOST = 500


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.ANSWER)
def blocked(request: AgentRequest) -> HttpResponse:
    """The list; a POST adds to it. A whole domain takes whoever may decide for all."""
    problem, typed = "", ""
    if request.method == "POST":
        form = BlockForm(request.POST)
        typed = request.POST.get("value", "")
        problem = problem_of(form)
        if form.is_valid():
            try:
                row = _add(request.user, form.cleaned_data["value"])
            except ActionError as error:
                problem = str(error)
            else:
                messages.success(request, _("Blocked: %(who)s") % {"who": row.value})
                return redirect("settings-blocked")
    found = (
        access.blocks(request.user).select_related("by").order_by(F("last_hit_at").desc(nulls_last=True), "-pk")[:MOST]
    )
    context = {**HERE, "blocks": found, "problem": problem, "typed": typed, "domains": may(request.user, Right.SHARE)}
    return render(request, "settings/blocked.html", context, status=422 if problem else 200)


def _add(agent: Agent, value: str) -> Block:
    value = value.strip()
    if "@" in value.lstrip("@"):
        return blocks.block(BlockKind.ADDRESS, value, by=agent)
    require(agent, Right.SHARE)
    return blocks.block(BlockKind.DOMAIN, value, by=agent)


@require_POST
@agent_only
@needs(Right.ANSWER)
def unblock(request: AgentRequest, pk: int) -> HttpResponse:
    row = access.blocks(request.user).filter(pk=pk).first()
    if row is None:
        raise Http404
    if row.kind == BlockKind.DOMAIN:
        require(request.user, Right.SHARE)
    blocks.unblock(row, by=request.user)
    messages.success(request, _("%(who)s may write again.") % {"who": row.value})
    return redirect("settings-blocked")
