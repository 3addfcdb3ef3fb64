"""What people set on the pages of figures: targets, and the weekly mail."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from inbox import rights
from inbox.actions.errors import ActionError
from inbox.rights import Right
from inbox.views.shell import AgentRequest, agent_only
from reports.actions import targets
from reports.actions import weekly as subscribing
from reports.definitions import DEFINITIONS
from reports.pages.cards import KEYS, TYPED


def _back(request: AgentRequest) -> HttpResponse:
    target = request.POST.get("next", "")
    safe = target and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return redirect(target if safe else "reports")


@require_POST
@agent_only
@rights.needs(Right.REPORTS)
def target(request: AgentRequest, key: str) -> HttpResponse:
    """Set the target of a figure, typed in per cent, minutes or points; nothing typed takes it away."""
    if key not in KEYS:
        raise Http404
    typed = request.POST.get("target", "").strip().replace(",", ".")
    try:
        value = float(typed) * TYPED[DEFINITIONS[key].unit][0] if typed else None
        targets.set_target(key, value, by=request.user)
    except ValueError:
        messages.error(request, _("“%(typed)s” is no number for a target.") % {"typed": typed[:40]})
    except ActionError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The target is set.") if typed else _("There is no target any more."))
    return _back(request)


@require_POST
@agent_only
@rights.needs(Right.ANSWER)
def weekly(request: AgentRequest) -> HttpResponse:
    """Have the weekly mail on a weekday, or no longer (none of them)."""
    chosen = request.POST.get("weekday", "")
    try:
        subscribing.want(request.user, int(chosen) if chosen in set("0123456") else None)
    except ActionError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Saved."))
    return _back(request)
