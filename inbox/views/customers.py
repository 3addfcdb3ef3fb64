"""`/customers/<id>/`: a person, how to reach them, what happened, and their tickets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from inbox import access, happenings, journey, lists, panel, person, seen
from inbox.actions import erasing
from inbox.customer_forms import IdentityForm
from inbox.models import Customer
from inbox.models.tickets import TicketQuerySet
from inbox.rights import Right, may, require
from inbox.sorting import EPOCH
from inbox.views.shell import AgentRequest, agent_only, wants_part

PAGE = 30  # lines of a journey
ANY_TICKET = {"merged_into__isnull": True, "trashed_at__isnull": True}


def tickets_of(request: AgentRequest, found: Customer) -> TicketQuerySet:
    return access.tickets(request.user).filter(customer=found, **ANY_TICKET)


@require_safe
@agent_only
def customer(request: AgentRequest, pk: int) -> HttpResponse:
    """The whole page. Who was merged into somebody leads there."""
    try:
        found = access.get_customer(request.user, pk)
    except Http404:
        gone = access.get_merged_customer(request.user, pk)
        assert gone.merged_into_id is not None
        return redirect("customer", gone.merged_into_id)
    page = lists.page(tickets_of(request, found), reverse("customer", args=[pk]), request.GET.get("before", ""))
    seen.mark(request.user, page.tickets)
    rows = panel.read_customer(request.user, found)
    context = {
        "page": page,
        **person.context(request.user, found, rows),
        "identity_form": IdentityForm(),
        "may_export": may(request.user, Right.EXPORT),
        "may_erase": may(request.user, Right.ERASE),
        "erase_word": erase_word(found),
    }
    return render(request, "inbox/customer.html", context)


@require_safe
@agent_only
def tickets(request: AgentRequest, pk: int) -> HttpResponse:
    """A page of the customer's tickets, for the panel."""
    found = access.get_customer(request.user, pk)
    if not wants_part(request):
        return redirect("customer", pk)
    here = reverse("customer-tickets", args=[pk])
    page = lists.page(tickets_of(request, found), here, request.GET.get("before", ""))
    return render(request, "inbox/_past_rows.html", {"past": page.tickets, "more_url": page.more})


@require_safe
@agent_only
def journey_of(request: AgentRequest, pk: int) -> HttpResponse:
    """A page of the customer's journey, newest first, from the place `before` on."""
    found = access.get_customer(request.user, pk)
    if not wants_part(request):
        return redirect("customer", pk)
    lines, more = journey.read(journey.told(request.user, found), PAGE, _place(request.GET.get("before", "")))
    url = ""
    if more:
        at, rank, row = lines[-1].place
        microseconds = (at - EPOCH) // timedelta(microseconds=1)
        url = f"{reverse('customer-journey', args=[pk])}?before={microseconds}-{rank}-{row}"
    return render(
        request,
        "inbox/_journey_rows.html",
        {"lines": happenings.folded(map(happenings.of_moment, lines)), "more_url": url},
    )


def _place(text: str) -> journey.Place | None:
    """Where a page of a journey begins; a broken one is its beginning."""
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and len(part) < 18 for part in parts):
        return None
    microseconds, rank, pk = map(int, parts)
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds), rank, pk
    except OverflowError:
        return None


def erase_word(found: Customer) -> str:
    """What is typed to erase a customer for ever: something that nobody types by mistake."""
    name = " ".join(found.name.split())
    return name if 0 < len(name) <= 40 and name.isprintable() else str(found.pk)


@require_POST
@agent_only
def erase(request: AgentRequest, pk: int) -> HttpResponse:
    """Erase a person for ever, once their name was typed."""
    found = access.get_customer(request.user, pk)
    require(request.user, Right.ERASE)
    if " ".join(request.POST.get("name", "").split()).casefold() != erase_word(found).casefold():
        messages.error(request, _("Nobody was erased: what you typed is not the name of this customer."))
        return redirect("customer", pk)
    erasing.erase(found, by=request.user)
    messages.success(request, _("This person is erased. Their tickets stay, as skeletons without words."))
    return redirect("customers")
