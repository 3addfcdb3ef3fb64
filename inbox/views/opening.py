"""`/tickets/new/`: a ticket that we begin, with a message to the customer."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from inbox import access, directory
from inbox.actions import tickets, uploads
from inbox.actions.errors import ActionError
from inbox.adapters import Party, kinds
from inbox.forms import AddressesField
from inbox.models import Agent, Customer
from inbox.views.shell import AgentRequest, agent_only


class NewTicketForm(forms.Form):
    """What a new ticket says and to whom. `client_id` is made with the form: a second click opens nothing again."""

    channel = forms.ChoiceField(label=gettext_lazy("Channel"))
    to = forms.CharField(
        label=gettext_lazy("To"),
        max_length=320,
        widget=forms.TextInput(attrs={"dir": "auto", "data-suggest": "/people/", "autocomplete": "off"}),
    )
    cc = AddressesField(label=gettext_lazy("Cc"), required=False)
    bcc = AddressesField(label=gettext_lazy("Bcc"), required=False)
    subject = forms.CharField(label=gettext_lazy("Subject"), required=False, max_length=500)
    text = forms.CharField(
        label=gettext_lazy("Your text"),
        max_length=200_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "dir": "auto"}),
    )
    agent = forms.TypedChoiceField(label=gettext_lazy("Assignee"), required=False, coerce=int, empty_value=None)
    team = forms.TypedChoiceField(label=gettext_lazy("Team"), required=False, coerce=int, empty_value=None)
    tags = forms.CharField(label=gettext_lazy("Tags, with commas"), required=False, max_length=1000)
    client_id = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any, agent: Agent) -> None:
        super().__init__(data, initial={"client_id": uuid4().hex, "agent": agent.pk}, auto_id="new-%s")
        known = directory.of(agent)
        usable = [one for one in known.channels if one.kind in kinds()]
        self.fields["channel"].choices = [(one.slug, one.name) for one in usable]  # type: ignore[attr-defined]
        self.fields["agent"].choices = [("", _("Nobody")), *((one.pk, one.name) for one in known.people)]  # type: ignore[attr-defined]
        self.fields["team"].choices = [("", "—"), *((one.pk, one.name) for one in known.teams)]  # type: ignore[attr-defined]

    def clean_tags(self) -> list[str]:
        return [tag.strip() for tag in self.cleaned_data["tags"].replace("،", ",").split(",") if tag.strip()]


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def new(request: AgentRequest) -> HttpResponse:
    if not request.user.may_write:
        raise PermissionDenied
    form = NewTicketForm(request.POST if request.method == "POST" else None, request.user)
    if request.method == "GET" and request.GET.get("to"):
        form.initial["to"] = request.GET["to"][:320]
    if request.method == "POST" and form.is_valid():
        try:
            return redirect("ticket", _open(request, form.cleaned_data))
        except ActionError as error:
            form.add_error("to" if error.code in {"no_address", "own_address"} else None, str(error.reason))
    return render(request, "inbox/opening.html", {"form": form}, status=422 if form.errors else 200)


def _open(request: AgentRequest, data: dict[str, Any]) -> int:
    channel = access.get_channel(request.user, data["channel"])
    kind = kinds()[channel.kind].identity_kind
    customer, party = _recipient(request.user, data["to"], kind)
    files = [
        uploads.upload(by=request.user, name=one.name or "", content_type=one.content_type or "", content=one.read()).pk
        for one in request.FILES.getlist("files")
    ]
    made = tickets.open_ticket(
        by=request.user,
        channel=channel,
        customer=customer,
        identity=party,
        subject=data["subject"],
        text=data["text"],
        cc=data["cc"],
        bcc=data["bcc"],
        attachments=files,
        assignee=access.agents(request.user).filter(pk=data["agent"]).first() if data["agent"] else None,
        team=access.teams(request.user).filter(pk=data["team"]).first() if data["team"] else None,
        tags=data["tags"],
        client_id=data["client_id"],
    )
    return made.pk


def _recipient(agent: Agent, typed: str, kind: str) -> tuple[Customer | None, Party | None]:
    """The customer of an id (`#17`, as suggestions give it), or an address of the channel's kind."""
    typed = typed.strip()
    if typed.startswith("#") and typed[1:].isdecimal() and len(typed) < 19:
        found = access.customers(agent).filter(pk=int(typed[1:])).first()
        if found is not None:
            return found, None
    if kind != "email":
        return None, Party(kind, typed)
    try:
        [one] = AddressesField().clean(typed)
    except (forms.ValidationError, ValueError):
        raise ActionError(_("Name one address."), "no_address") from None
    return None, Party(kind, one["address"], one["name"])
