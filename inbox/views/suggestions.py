"""What fields offer while somebody types: tags, topics, other tickets. Each answers with a few options as HTML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, Max, Q, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from inbox import access, search, spoken
from inbox.actions.work import typed as spelled
from inbox.models import Identity, SearchPerson, Tag, Ticket
from inbox.search.query import parse
from inbox.views.shell import AgentRequest, agent_only
from lib import folding

MOST = 8
NAMED = 100  # people of whom a part of the name fits
LOOKED_AT = 5_000  # of the newest tickets, in which topics are looked for


@dataclass(frozen=True)
class Option:
    value: str
    label: str
    about: str = ""
    colour: str = ""
    customer: int = 0


def typed(request: HttpRequest) -> str:
    return " ".join(request.GET.get("q", "").replace("\x00", "").split())[:100]


def answer(request: HttpRequest, options: Iterable[Option]) -> HttpResponse:
    return render(request, "inbox/_suggestions.html", {"options": list(options)[:MOST]})


@require_safe
@agent_only
def tags(request: AgentRequest) -> HttpResponse:
    """Tags whose name holds what was typed, those that begin so first."""
    asked = typed(request)
    begins = list(Tag.objects.filter(name__istartswith=asked).order_by("name")[:MOST])
    inside = Tag.objects.filter(name__icontains=asked).exclude(name__istartswith=asked).order_by("name")
    found = begins + (list(inside[: MOST - len(begins)]) if asked and len(begins) < MOST else [])
    return answer(request, [Option(one.name, one.name, colour=one.colour) for one in found])


@require_safe
@agent_only
def topics(request: AgentRequest) -> HttpResponse:
    """Topics of the newest tickets that this agent sees, however many tickets there are."""
    newest = Ticket.objects.aggregate(newest=Max("number"))["newest"] or 0
    recent = access.tickets(request.user).filter(number__gt=newest - LOOKED_AT).exclude(topic="")
    if asked := typed(request):
        recent = recent.filter(topic__icontains=asked)
    found = recent.order_by("topic").values_list("topic", flat=True).distinct()[:MOST]
    return answer(request, [Option(one, one) for one in found])


@require_safe
@agent_only
def people(request: AgentRequest) -> HttpResponse:
    """E-mail addresses of customers that this agent sees: how one begins, or a part of the name, from three letters."""
    asked = typed(request)
    if len(asked) < 2:
        return answer(request, [])
    known = Identity.objects.active().filter(kind="email", customer__in=access.customers(request.user))
    wanted = Q(value__startswith=asked.lower())
    if len(asked) > 2:  # what its index can look for
        named = SearchPerson.objects.filter(short__contains=folding.fold(asked)).values_list("customer", flat=True)
        wanted |= Q(customer__in=list(named[:NAMED]))
    rows = known.filter(wanted).select_related("customer").order_by("pk")[:MOST]
    return answer(request, [Option(one.value, one.customer.name or one.value, one.value) for one in rows])


@require_safe
@agent_only
def customers(request: AgentRequest) -> HttpResponse:
    """Customers whom search finds by a name, an address or a telephone number, as filters take them."""
    found = search.people(request.user, parse(typed(request)), MOST)
    return answer(request, [Option(f"{one} (#{one.pk})", str(one), str(one.organisation or "")) for one in found])


@require_safe
@agent_only
def organisations(request: AgentRequest) -> HttpResponse:
    """Organisations whose name holds what was typed, those that begin so first."""
    asked = typed(request)
    if not asked:
        return answer(request, [])
    begins = Case(When(name__istartswith=asked, then=0), default=1)
    found = access.organisations(request.user).filter(name__icontains=asked).order_by(begins, "name", "pk")
    return answer(request, [Option(one.name, one.name, ", ".join(one.domains[:2])) for one in found[:MOST]])


@require_safe
@agent_only
def recipients(request: AgentRequest) -> HttpResponse:
    """Customers as somebody to be written to: those whose e-mail address begins so, then those whom search finds."""
    asked = typed(request)
    if len(asked) < 2:
        return answer(request, [])
    known = Identity.objects.active().filter(kind__in=["email", "phone"]).order_by("-pk")
    begins = list(known.filter(kind="email", value__startswith=asked.lower()).values_list("customer", flat=True)[:MOST])
    found = {one.pk: one for one in access.customers(request.user).filter(pk__in=begins).order_by("pk")}
    found |= {one.pk: one for one in search.people(request.user, parse(asked), MOST)}
    values: dict[int, dict[str, str]] = {}
    for pk, kind, value in known.filter(customer__in=found).values_list("customer", "kind", "value"):
        values.setdefault(pk, {})[kind] = value  # the oldest of each stays
    options = []
    for one in found.values():
        mail, phone = (values.get(one.pk, {}).get(kind, "") for kind in ("email", "phone"))
        shown = spelled([{"name": one.name, "address": mail}]) if mail else one.name or phone
        options.append(Option(shown, one.name or mail or phone, mail or phone, customer=one.pk))
    return answer(request, [one for one in options if one.value])


@require_safe
@agent_only
def moment(request: AgentRequest) -> HttpResponse:
    """What is understood of a time in words."""
    asked = typed(request)
    at = spoken.understand(asked, timezone.now(), timezone.get_current_timezone())
    return render(request, "inbox/_moment.html", {"asked": asked, "at": at})


@require_safe
@agent_only
def tickets(request: AgentRequest) -> HttpResponse:
    """The ticket of a number and the newest whose number begins so, or what words find: to see what would be linked or
    merged.
    """
    asked = typed(request).removeprefix("#").strip()
    seen = access.tickets(request.user).select_related("customer")
    if asked.isdecimal() and len(asked) <= 18:
        wanted = Q(number=int(asked))
        for digits in range(1, 4):
            low = int(asked) * 10**digits
            wanted |= Q(number__gte=low, number__lt=low + 10**digits)
        found = list(seen.filter(wanted).order_by("number")[:MOST])
    else:
        numbers = search.find(request.user, asked).numbers[:MOST]
        found = sorted(seen.filter(pk__in=numbers), key=lambda one: numbers.index(one.pk))
    return answer(
        request,
        [Option(str(one.number), f"#{one.number} {one.subject}", f"{one.customer} · {one.get_status_display()}")
         for one in found],
    )  # fmt: skip
