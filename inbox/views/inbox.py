"""`/`: the list of a view or of a search, with an empty place where a conversation will open."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from inbox import first_run
from inbox.actions import people
from inbox.found import Found
from inbox.lists import Listing
from inbox.rights import Right, require
from inbox.views.shell import (
    MOST_COOKIE,
    VIEW_COOKIE,
    AgentRequest,
    agent_only,
    frame,
    listing_of,
    page_of,
    remembered,
    wants_part,
)

MOST_ASKED = 100  # numbers of tickets


def numbers_of(text: str) -> list[int]:
    words = text.split(",")[:MOST_ASKED]
    return [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19]


@require_safe
@agent_only
def inbox(request: AgentRequest) -> HttpResponse:
    """The page; for htmx the list pane, or with `before` just the next rows, or with `again` just the first ones.

    With `among`, which of these tickets are in the list: what screens ask whose rows do not say so themselves.

    A search, with `q`, changes what is below its field and nothing else; with an empty `q` the view is there again.
    """
    listing = listing_of(request, request.GET) if request.GET else remembered(request)
    if not request.GET and isinstance(listing, Found):
        listing = listing.back  # a search is remembered beside its conversations; who comes anew begins with a view
    if "among" in request.GET and isinstance(listing, Listing):
        return JsonResponse({"numbers": listing.among(numbers_of(request.GET["among"]))})
    before, part = request.GET.get("before", ""), wants_part(request)
    if part and (before or "again" in request.GET):
        return render(request, "inbox/_rows.html", {"page": page_of(request, listing, before)})
    searching = part and "q" in request.GET
    template = "inbox/_found.html" if searching else "inbox/_switch.html" if part else "inbox/inbox.html"
    context = {**frame(request, listing, before), "first_run": [] if searching else first_run.steps(request.user)}
    response = render(request, template, context)
    if part:
        # Without the filters that were left empty. Of what is typed each letter is a search, and all of it one step.
        typing = "q=" in request.headers.get("HX-Current-URL", "").partition("?")[2]
        response["HX-Replace-Url" if searching and (typing or not isinstance(listing, Found)) else "HX-Push-Url"] = (
            listing.url
        )
    kept = listing.url.partition("?")[2][:MOST_COOKIE]
    response.set_cookie(VIEW_COOKIE, kept, max_age=30 * 86400, httponly=True, samesite="Lax")
    return response


@require_POST
@agent_only
def first_steps(request: AgentRequest) -> HttpResponse:
    """Put the first steps away, for everybody."""
    require(request.user, Right.CHANNELS)
    first_run.put_away()
    return redirect("inbox")


@require_POST
@agent_only
def density(request: AgentRequest) -> HttpResponse:
    """How close rows stand, for this person on every device; answered with the list that is open."""
    people.set_density(request.user, request.POST.get("density", ""))
    if not wants_part(request):
        return redirect("inbox")
    return render(request, "inbox/_list.html", frame(request, remembered(request)))
