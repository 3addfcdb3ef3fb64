"""`/organisations/<id>/`: a company, its people and their tickets."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from inbox import access, fields, lists, seen
from inbox.actions import organisations as actions
from inbox.customer_forms import OrganisationForm
from inbox.customer_lists import CustomerListing
from inbox.models import FieldNoun
from inbox.views.shell import AgentRequest, agent_only

MOST_PEOPLE = 10


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def organisation(request: AgentRequest, pk: int) -> HttpResponse:
    """The page; posted, its name and domains."""
    found = access.get_organisation(request.user, pk)
    form = OrganisationForm(
        request.POST if request.method == "POST" else None,
        initial={"name": found.name, "domains": ", ".join(found.domains)},
    )
    known = fields.of(FieldNoun.ORGANISATION)
    own = fields.AttributesForm(known, found.attributes, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not request.user.may_write:
            raise PermissionDenied
        if form.is_valid() and own.is_valid():
            actions.update(found, by=request.user, **form.cleaned_data, attributes=own.attributes())
            return redirect("organisation", pk)
    people = CustomerListing(request.user, {"f_organisation": str(pk)})
    tickets = access.tickets(request.user).filter(organisation=found, merged_into__isnull=True, trashed_at__isnull=True)
    page = lists.page(tickets, reverse("organisation", args=[pk]), request.GET.get("before", ""))
    seen.mark(request.user, page.tickets)
    listed = people.page()
    context = {
        "organisation": found,
        "form": form,
        "may_edit": request.user.may_write,
        "own": own,
        "attributes": fields.shown(known, found.attributes),
        "people_page": {"customers": listed.customers[:MOST_PEOPLE], "more": ""},
        "more_people": people.url if len(listed.customers) > MOST_PEOPLE else "",
        "page": page,
    }
    return render(request, "inbox/organisation.html", context, status=422 if form.errors or own.errors else 200)
