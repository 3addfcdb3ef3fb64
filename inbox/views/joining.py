"""`/customers/<id>/merge/<other>/`: two customers side by side, joined or told apart; and taken apart again."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox import access, default_views, panel, person
from inbox.actions import joining
from inbox.actions.errors import ActionError
from inbox.customer_forms import NUMBERED
from inbox.models import Card, Customer, CustomerEvent, CustomerNote, FieldNoun, Identity, Ticket
from inbox.views.facts import writable
from inbox.views.shell import AgentRequest, agent_only

MOST_TICKETS = 4


@require_safe
@agent_only
def choose(request: AgentRequest, pk: int) -> HttpResponse:
    """Find whom to compare a customer with: by what an option says, by number, or by the whole of an address."""
    one = writable(request, pk)
    typed = " ".join(request.GET.get("other", "").replace("\0", "").split())
    seen = access.customers(request.user).exclude(pk=pk)
    if number := NUMBERED.search(f"({typed})" if typed.startswith("#") else typed):
        found = list(seen.filter(pk=int(number[1])))
    else:
        theirs = Identity.objects.filter(value=typed.lower(), retired_at__isnull=True).exclude(customer=pk)
        found = list(seen.filter(pk__in=theirs.values("customer"))[:2])
    if len(found) != 1:
        messages.error(request, _("Choose a customer from the list, or type the whole of an address."))
        return redirect("customer", pk)
    return redirect("customer-merge", one.pk, found[0].pk)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def merge(request: AgentRequest, pk: int, other: int) -> HttpResponse:
    """Both side by side, what would move, and which of the two stays; posted, the merge."""
    one, two = writable(request, pk), writable(request, other)
    against = joining.contradictions(one, two)
    if request.method == "POST":
        return _join(request, one, two, against)
    chosen = two.pk if len(one.name) < len(two.name) or two.created_at < one.created_at else one.pk
    context = {
        "sides": [_side(request, one), _side(request, two)],
        "chosen": chosen,
        "against": [_("an id of your own system") if kind == "external_id" else person.kind_label(kind)
                    for kind in against],
        "ticket": _ticket(request),
        "one": one,
        "two": two,
    }  # fmt: skip
    return render(request, "inbox/customer_merge.html", context)


def _ticket(request: AgentRequest) -> str:
    """The number of the ticket from which somebody came, to go back to."""
    given = request.GET.get("ticket") or request.POST.get("ticket") or ""
    return given if given.isascii() and given.isdigit() and len(given) < 19 else ""


def _join(request: AgentRequest, one: Customer, two: Customer, against: list[str]) -> HttpResponse:
    into, source = (two, one) if request.POST.get("into") == str(two.pk) else (one, two)
    if against and "sure" not in request.POST:
        messages.error(request, _("Say that both are the same person all the same, or leave them apart."))
        return redirect(f"{reverse('customer-merge', args=[one.pk, two.pk])}?ticket={_ticket(request)}")
    name = str(source)
    try:
        joining.merge(source, into, by=request.user)
    except ActionError as error:
        messages.error(request, str(error))
        return redirect("customer", into.pk)
    undo = reverse("customer-unmerge", args=[source.pk])
    messages.success(request, _("%(name)s was merged into this customer.") % {"name": name}, extra_tags=undo)
    return _back(request, into.pk)


def _back(request: AgentRequest, pk: int) -> HttpResponse:
    number = _ticket(request)
    if number and access.tickets(request.user).filter(number=number).exists():
        return redirect("ticket", number)
    return redirect("customer", pk)


def _side(request: AgentRequest, found: Customer) -> dict[str, Any]:
    rows = panel.read_customer(request.user, found, "identities", "fields")
    tickets = access.tickets(request.user).filter(customer=found, merged_into__isnull=True, trashed_at__isnull=True)
    counts = default_views.counts({
        "tickets": tickets,
        "identities": Identity.objects.filter(customer=found),
        "events": CustomerEvent.objects.filter(customer=found),
        "notes": CustomerNote.objects.filter(customer=found),
        "cards": Card.objects.filter(customer=found),
    })  # fmt: skip
    newest: list[Ticket] = list(tickets.order_by("-last_message_at")[:MOST_TICKETS])
    return {
        "customer": found,
        "identities": [person.identity(row) for row in rows["identities"]],
        "facts": [fact for fact in person.facts(request.user, found) if fact.text],
        "attributes": person.attributes(found, rows["fields"], FieldNoun.CUSTOMER),
        "tickets": newest,
        "counts": counts,
    }


@require_POST
@agent_only
def different(request: AgentRequest, pk: int, other: int) -> HttpResponse:
    """They are not the same person: nobody is asked again."""
    one, two = writable(request, pk), writable(request, other)
    joining.tell_apart(one, two, by=request.user)
    messages.success(request, _("Understood: two people. You will not be asked again."))
    return _back(request, one.pk)


@require_POST
@agent_only
def unmerge(request: AgentRequest, pk: int) -> HttpResponse:
    """Take apart who was merged."""
    source = access.get_merged_customer(request.user, pk)
    into = source.merged_into_id
    assert into is not None
    writable(request, into)
    try:
        joining.unmerge(source, by=request.user)
    except ActionError as error:
        messages.error(request, str(error))
        return redirect("customer", into)
    messages.success(request, _("Taken apart. What came since stays where it is."))
    return redirect("customer", pk)
