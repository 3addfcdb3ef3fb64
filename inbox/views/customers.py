"""`/customers/<id>/`: a person, how to reach them, and their tickets."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from inbox import access, lists, seen
from inbox.panel.people import identities_of
from inbox.views.shell import AgentRequest, agent_only
from inbox.views.tickets import customer_context


@require_safe
@agent_only
def customer(request: AgentRequest, pk: int) -> HttpResponse:
    found = access.get_customer(request.user, pk)
    tickets = access.tickets(request.user).filter(customer=found, merged_into__isnull=True)
    page = lists.page(tickets, reverse("customer", args=[pk]), request.GET.get("before", ""))
    seen.mark(request.user, page.tickets)
    return render(request, "inbox/customer.html", {"page": page, **customer_context(found, identities_of(found))})
