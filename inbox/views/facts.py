"""`/customers/<id>/facts/`, `…/identities/`: what is known of a customer, changed where it stands."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox import access, fields, panel, person
from inbox.actions import customers, organisations
from inbox.actions.errors import ActionError
from inbox.adapters import Party
from inbox.customer_forms import FactForm, IdentityForm
from inbox.forms import problem_of
from inbox.models import Customer, FieldNoun, Identity
from inbox.views.shell import AgentRequest, agent_only, wants_part

MOST_OPTIONS = 8


def writable(request: AgentRequest, pk: int) -> Customer:
    """Raises Http404, and PermissionDenied for light agents."""
    found = access.get_customer(request.user, pk)
    if not request.user.may_write:
        raise PermissionDenied
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def fact(request: AgentRequest, pk: int, name: str) -> HttpResponse:
    """The form of one fact, or with `shown` the fact as it is; posted, all facts as they are then."""
    if name != "name" and name not in person.FACTS:
        raise Http404
    found = writable(request, pk)
    if request.method == "POST":
        return _keep(request, found, name)
    if "shown" in request.GET:
        one = person.fact(request.user, found, name)
        return render(request, "inbox/_fact.html", {"customer": found, "fact": one, "may_edit": True})
    return _asking(request, found, FactForm(None, request.user, found, name))


def _asking(request: AgentRequest, found: Customer, form: FactForm) -> HttpResponse:
    one = person.fact(request.user, found, form.name)
    context = {"customer": found, "fact": one, "form": form, "part": wants_part(request)}
    posted = request.method == "POST"
    part = "inbox/_fact_wrong.html" if posted else "inbox/_fact_form.html"
    return render(request, part if wants_part(request) else "inbox/customer_fact.html", context,
                  status=422 if posted else 200)  # fmt: skip


def _keep(request: AgentRequest, found: Customer, name: str) -> HttpResponse:
    form = FactForm(request.POST, request.user, found, name)
    if not form.is_valid():
        return _asking(request, found, form)
    changes = form.changes()
    typed = form.cleaned_data["value"]
    if name == "organisation" and typed and changes["organisation"] is None:
        changes["organisation"] = organisations.create(by=request.user, name=typed[:200])
    customers.update(found, by=request.user, **changes)
    return _kept(request, found.pk, name)


def _kept(request: AgentRequest, pk: int, name: str = "") -> HttpResponse:
    """All facts as they are now."""
    if not wants_part(request):
        return redirect("customer", pk)
    found = access.get_customer(request.user, pk)
    rows = panel.read_customer(request.user, found, "fields", "colleagues")
    known = person.facts(request.user, found)
    context = {
        "customer": found,
        "may_edit": True,
        "facts": [one for one in known if one.text],
        "blank_facts": [one for one in known if not one.text],
        "attributes": person.attributes(found, rows["fields"], FieldNoun.CUSTOMER),
        "blank_attributes": person.blank_attributes(found, rows["fields"], FieldNoun.CUSTOMER),
        "colleagues": rows["colleagues"][: panel.customer.MOST_COLLEAGUES],
        "more_colleagues": len(rows["colleagues"]) > panel.customer.MOST_COLLEAGUES,
        "name_fact": person.fact(request.user, found, "name") if name == "name" else None,
    }
    return render(request, "inbox/_facts_kept.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def attribute(request: AgentRequest, pk: int, key: str) -> HttpResponse:
    """The form of one of our own fields, or with `shown` its value; posted, all facts as they are then."""
    found = writable(request, pk)
    known = [one for one in fields.of(FieldNoun.CUSTOMER) if one.key == key]
    if not known:
        raise Http404
    posted = request.method == "POST"
    if not posted and "shown" in request.GET:
        [one] = fields.shown(known, {key: found.attributes.get(key)}, empty=True)
        return render(request, "inbox/_attribute.html", {"customer": found, "one": one, "may_edit": True})
    form = fields.AttributesForm(known, found.attributes, request.POST if posted else None, auto_id="own-%s")
    if posted and form.is_valid():
        customers.update(found, by=request.user, attributes=form.attributes())
        return _kept(request, pk)
    for bound in form.fields.values():
        bound.widget.attrs |= {"class": "input", "autofocus": True}
    context = {"customer": found, "key": key, "form": form, "part": wants_part(request)}
    part = "inbox/_attribute_wrong.html" if posted else "inbox/_attribute_form.html"
    return render(request, part if wants_part(request) else "inbox/customer_fact.html", context,
                  status=422 if posted else 200)  # fmt: skip


@require_safe
@agent_only
def organisation_options(request: AgentRequest) -> HttpResponse:
    """What begins or goes on as what was typed, as options of a field."""
    typed = " ".join(request.GET.get("value", "").replace("\x00", "").split())[:200]
    found = access.organisations(request.user).filter(name__icontains=typed) if len(typed) > 1 else None
    rows = [(one.pk, one.name, ", ".join(one.domains[:2])) for one in found[:MOST_OPTIONS]] if found is not None else []
    names = [name for _pk, name, _domains in rows]
    options = [(name if names.count(name) == 1 else f"{name} (#{pk})", domains) for pk, name, domains in rows]
    return render(request, "inbox/_options.html", {"options": options})


@require_POST
@agent_only
def identities(request: AgentRequest, pk: int) -> HttpResponse:
    """One more address."""
    found = writable(request, pk)
    form = IdentityForm(request.POST)
    problem = ""
    if form.is_valid():
        party = Party(form.cleaned_data["kind"], form.cleaned_data["value"])
        try:
            customers.add_identity(found, party, by=request.user)
        except ActionError as error:
            problem = str(error)
    else:
        problem = problem_of(form)
    return _addresses(request, found, problem, form if problem else None)


@require_POST
@agent_only
def identity(request: AgentRequest, pk: int, identity: int) -> HttpResponse:
    """An address is theirs for certain (`confirm`), `shared` by several people or not, or no longer theirs."""
    found = writable(request, pk)
    theirs = get_object_or_404(Identity, customer=found, pk=identity)
    problem = ""
    try:
        if "confirm" in request.POST:
            customers.add_identity(found, Party(theirs.kind, theirs.value, theirs.name, theirs.scope), by=request.user)
        elif "shared" in request.POST:
            customers.share_identity(theirs, request.POST["shared"] == "yes", by=request.user)
        elif "retire" in request.POST:
            customers.retire_identity(theirs, by=request.user)
    except ActionError as error:
        problem = str(error)
    return _addresses(request, found, problem)


def _addresses(request: AgentRequest, found: Customer, problem: str, form: IdentityForm | None = None) -> HttpResponse:
    if not wants_part(request):
        if problem:
            messages.error(request, problem)
        return redirect("customer", found.pk)
    rows = panel.read_customer(request.user, found, "identities")
    context: dict[str, Any] = {
        "customer": found,
        "may_edit": True,
        "identities": [person.identity(row) for row in rows["identities"]],
        "identity_form": form,
        "identity_problem": problem,
    }
    return render(request, "inbox/_identities_kept.html", context, status=422 if problem else 200)
