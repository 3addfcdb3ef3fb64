"""A ticket's own properties, changed where they stand."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from inbox import access, fields, properties
from inbox.forms import problem_of
from inbox.models import FieldNoun
from inbox.views.shell import AgentRequest, agent_only
from inbox.views.tickets import act, answer


@require_POST
@agent_only
def change(request: AgentRequest, number: int) -> HttpResponse:
    """One property: `property` is its name, under which its value stands."""
    found = access.writable_ticket(request.user, number)
    name = request.POST.get("property", "")
    own = fields.of(FieldNoun.TICKET) if name.startswith(fields.PREFIX) else []
    form = properties.PropertiesForm(found, own, request.POST, only=name)
    if not form.is_valid():
        label = next((str(form[name].label) for name in form.errors if name in form.fields), "")
        return answer(request, number, problem=f"{label}: {problem_of(form)}")
    return act(request, number, form, lambda ticket, _data: properties.apply(form, ticket, by=request.user))
