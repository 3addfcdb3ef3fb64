"""Figures and the tickets behind them as files."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from inbox import rights
from inbox.actions import exporting
from inbox.actions.errors import ActionError
from inbox.rights import Right
from inbox.views.jobs import answer
from inbox.views.shell import AgentRequest, agent_only, wants_part
from reports import engine
from reports.pages import asked as asking
from reports.pages import tables
from reports.pages.asked import Asked
from reports.pages.behind import Behind
from reports.views.shared import reading


@reading
def figures(request: AgentRequest, asked: Asked) -> HttpResponse:
    """All figures of what was asked for, `by` what they are broken down, as a CSV file."""
    rights.require(request.user, Right.EXPORT)
    by = request.GET.get("by", "")
    if by and by not in engine.BREAKDOWNS:
        raise Http404
    response = HttpResponse(tables.file(asked, by), content_type="text/csv; charset=utf-8")
    name = f"figures-{asked.start}-{asked.last}{'-by-' if by else ''}{by}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@agent_only
@rights.needs(Right.EXPORT)
def tickets(request: AgentRequest) -> HttpResponse:
    """Begin a file of the tickets behind a number: a worker writes it, and the tray says how far it is."""
    params = QueryDict(request.POST.get("behind", "")[:4_000])
    try:
        behind = Behind.of(asking.of(request.user, params), params)
    except (KeyError, ValueError) as error:
        raise Http404 from error
    try:
        exporting.begin(
            request.user,
            request.POST.getlist("columns"),
            source=("figures", behind.frozen()),
            client_id=request.POST.get("client_id", "")[:64],
        )
    except ActionError as error:
        return answer(request, str(error))
    if wants_part(request):
        return answer(request)
    messages.success(request, _("The file is being written; the tray says how far it is."))
    return redirect(f"{reverse('reports-tickets')}?{urlencode(behind.pairs())}")
