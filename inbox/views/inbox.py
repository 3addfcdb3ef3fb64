"""`/`: the list of a view, with an empty place where a conversation will open."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inbox import lists
from inbox.views.shell import VIEW_COOKIE, AgentRequest, agent_only, frame, listing_of, remembered, wants_part


@require_safe
@agent_only
def inbox(request: AgentRequest) -> HttpResponse:
    """The page; for htmx the list pane, or with `before` just the next rows, or with `again` just the first ones."""
    listing = listing_of(request, request.GET) if request.GET else remembered(request)
    before = request.GET.get("before", "")
    if wants_part(request) and (before or "again" in request.GET):
        return render(request, "inbox/_rows.html", {"page": lists.page(listing.tickets, listing.url, before)})
    template = "inbox/_switch.html" if wants_part(request) else "inbox/inbox.html"
    context = {**frame(request, listing)}
    if before:
        context["page"] = lists.page(listing.tickets, listing.url, before)
    response = render(request, template, context)
    if wants_part(request):
        response["HX-Push-Url"] = listing.url  # without the filters that were left empty
    response.set_cookie(VIEW_COOKIE, listing.url.partition("?")[2], max_age=30 * 86400, httponly=True, samesite="Lax")
    return response
