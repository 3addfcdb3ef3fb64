"""`/views/`: keeping the list that is open as a view, and how many tickets the kept ones hold."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from inbox import access, kept, lists
from inbox.actions import keeping
from inbox.filtering.filters import joined
from inbox.models import SavedView
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only

MOST_NAME = 120


def listed(request: AgentRequest) -> dict[str, str]:
    """The list that a form carries, in a few words, without what means nothing."""
    given = QueryDict(mutable=True)
    for name in request.POST:
        if name not in {"csrfmiddlewaretoken", "view-name", "view-for"}:
            given.setlist(name, request.POST.getlist(name))
    return lists.of(request.user, joined(given)).query


@require_POST
@agent_only
@needs(Right.ANSWER)
def create(request: AgentRequest) -> HttpResponse:
    """Keep the list that is open under a name, and show it as that view."""
    query = listed(request)
    name = " ".join(request.POST.get("view-name", "").replace("\x00", "").split())[:MOST_NAME]
    fields = kept.fields_for(request.user, request.POST.get("view-for", "me"))
    if not name or fields is None:
        messages.error(request, _("Give the view a name.") if fields else _("You cannot keep a view for them."))
        return redirect(lists.of(request.user, query).url)
    made = keeping.create(SavedView, by=request.user, name=name, query=query, **fields)
    return redirect(kept.address(made))


@require_POST
@agent_only
@needs(Right.ANSWER)
def change(request: AgentRequest, pk: int) -> HttpResponse:
    """Keep the list that is open in a view that there is."""
    found = access.get_kept(SavedView, request.user, pk)
    if found.noun != "tickets":
        raise Http404
    return redirect(kept.address(keeping.update(found, by=request.user, query=listed(request))))


@require_safe
@agent_only
def counts(request: AgentRequest) -> HttpResponse:
    """How many tickets each saved view of the sidebar holds."""
    return JsonResponse({"counts": kept.counts(request.user)})
