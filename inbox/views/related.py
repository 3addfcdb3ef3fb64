"""What hangs together with a ticket: other tickets, people, and calls that are written down."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from inbox import access
from inbox.actions import calls, links, taking_part
from inbox.actions import incidents as acting
from inbox.actions.errors import ActionError
from inbox.adapters import Party
from inbox.forms import CHOSEN_STATUSES, AddressesField, NumberField
from inbox.models import Ticket, TicketLink
from inbox.properties import MEDIA, MOMENT, RELATIONS
from inbox.views.shell import AgentRequest, agent_only, wants_part
from inbox.views.tickets import act


class LinkForm(forms.Form):
    relation = forms.ChoiceField(choices=RELATIONS)
    number = NumberField()


class PersonForm(forms.Form):
    """One address, as people write it."""

    address = AddressesField()

    def clean_address(self) -> Party:
        found = self.cleaned_data["address"]
        if len(found) != 1:
            raise ValidationError(_("Name one address."))
        return Party("email", found[0]["address"], found[0]["name"])


class ParticipantForm(forms.Form):
    take_out = forms.IntegerField(required=False)
    confirm = forms.IntegerField(required=False)


class IncidentsForm(forms.Form):
    text = forms.CharField(required=False, max_length=100_000, strip=False)
    solve = forms.ChoiceField(required=False, choices=[("yes", "")])
    client_id = forms.CharField(max_length=40)

    def clean(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        if not (data.get("text") or "").strip() and not data.get("solve") and not self.errors:
            raise ValidationError(_("Write something first."))
        return data


class CallForm(forms.Form):
    """A call, a visit or the like that took place elsewhere."""

    medium = forms.ChoiceField(label=gettext_lazy("What"), choices=MEDIA)
    direction = forms.ChoiceField(
        label=gettext_lazy("Who began"), choices=[("in", gettext_lazy("The customer")), ("out", gettext_lazy("We"))]
    )
    at = forms.DateTimeField(label=gettext_lazy("When"), required=False, input_formats=[MOMENT, f"{MOMENT}:%S"])
    minutes = forms.IntegerField(label=gettext_lazy("Minutes"), required=False, min_value=0, max_value=24 * 60)
    outcome = forms.CharField(label=gettext_lazy("Outcome"), required=False, max_length=200)
    text = forms.CharField(
        label=gettext_lazy("What was said"), required=False, max_length=100_000, strip=False, widget=forms.Textarea
    )
    status = forms.ChoiceField(
        label=gettext_lazy("Then"), required=False, choices=[("", gettext_lazy("leave the status")), *CHOSEN_STATUSES]
    )
    client_id = forms.CharField(required=False, max_length=64)

    def clean(self) -> dict[str, Any]:
        data = dict(self.cleaned_data)
        if not (data.get("text") or "").strip() and not data.get("outcome") and not self.errors:
            raise ValidationError(_("Write what was said, or what came of it."))
        if data.get("at") and timezone.now() < data["at"] < timezone.now() + timedelta(minutes=1):
            data["at"] = None  # this very minute, which has not ended
        return data


@require_POST
@agent_only
def link(request: AgentRequest, number: int) -> HttpResponse:
    def do(found: Ticket, data: dict[str, Any]) -> object:
        other = access.writable_ticket(request.user, data["number"])
        kind = data["relation"]
        pair = (other, found) if kind.startswith("-") else (found, other)
        return links.link(*pair, kind.removeprefix("-"), by=request.user)

    return act(request, number, LinkForm(request.POST), do)


@require_POST
@agent_only
def unlink(request: AgentRequest, number: int, link: int) -> HttpResponse:
    def do(found: Ticket, data: dict[str, Any]) -> None:
        row = TicketLink.objects.select_related("source", "target").filter(pk=link).first()
        if row is None or found.pk not in {row.source_id, row.target_id}:
            raise Http404
        access.get_ticket(request.user, row.target_id if row.source_id == found.pk else row.source_id)
        links.unlink(row, by=request.user)

    return act(request, number, forms.Form(request.POST), do)


@require_POST
@agent_only
def incidents(request: AgentRequest, number: int) -> HttpResponse:
    """One text to all incidents of this problem that the agent sees, each on its own channel; `solve` solves them."""

    def do(found: Ticket, data: dict[str, Any]) -> None:
        solve = data["solve"] == "yes"
        job = acting.update(found, by=request.user, text=data["text"], solve=solve, client_id=data["client_id"])
        if job.is_over and job.failed:
            left = job.items.exclude(error="").order_by("ticket").values_list("ticket", "error")[:5]
            which = ", ".join(f"#{number} ({why})" for number, why in left)
            raise ActionError(_("Some were not reached: %(which)s") % {"which": which}, "in_use")

    return act(request, number, IncidentsForm(request.POST), do)


@require_POST
@agent_only
def requester(request: AgentRequest, number: int) -> HttpResponse:
    form = PersonForm(request.POST)
    return act(request, number, form, lambda t, d: taking_part.set_requester(t, d["address"], by=request.user))


@require_POST
@agent_only
def participants(request: AgentRequest, number: int) -> HttpResponse:
    """Add an `address`, or `take_out` or `confirm` somebody who takes part."""
    if "address" in request.POST:
        form: forms.Form = PersonForm(request.POST)
        return act(request, number, form, lambda t, d: taking_part.add(t, d["address"], by=request.user))

    def do(found: Ticket, data: dict[str, Any]) -> None:
        if data["confirm"]:
            taking_part.confirm(found, data["confirm"], by=request.user)
        else:
            taking_part.remove(found, data["take_out"] or 0, by=request.user)

    return act(request, number, ParticipantForm(request.POST), do)


@require_POST
@agent_only
def call(request: AgentRequest, number: int) -> HttpResponse:
    other: list[ActionError] = []  # its id has become a call that says something else

    def do(found: Ticket, data: dict[str, Any]) -> object:
        try:
            return calls.record(found, by=request.user, client_id=data["client_id"] or None, **call_of(data))
        except ActionError as error:
            other.extend([error] if error.code == "already_sent" else [])
            raise

    response = act(request, number, CallForm(request.POST), do)
    if wants_part(request) and (response.status_code == 200 or other):  # the next one is another call
        response.content += render_to_string("inbox/_call_id.html", {"client_id": uuid4().hex}).encode()
    return response


def call_of(data: dict[str, Any]) -> dict[str, Any]:
    """What a valid CallForm says of the call, as the actions take it."""
    return {
        "direction": data["direction"],
        "medium": data["medium"],
        "text": data["text"],
        "at": data["at"],
        "seconds": None if data["minutes"] is None else data["minutes"] * 60,
        "outcome": data["outcome"],
        "status": data["status"] or None,
    }
