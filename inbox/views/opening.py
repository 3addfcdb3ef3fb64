"""`/tickets/new/`: a ticket that we begin, with a message to the customer, or with a call of theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlencode
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from inbox import access, addresses, composing, directory, quiet, wishes, writing
from inbox.actions import customers, drafts, phoned, tickets
from inbox.actions.errors import ActionError
from inbox.actions.work import typed
from inbox.adapters import Party, kinds
from inbox.forms import CHOSEN_STATUSES, AddressesField, WrittenForm, problem_of
from inbox.models import Agent, Customer, Ticket
from inbox.properties import MEDIA
from inbox.rights import Right, may, needs
from inbox.views.files import uploaded
from inbox.views.related import CallForm, call_of
from inbox.views.shell import AgentRequest, agent_only, wants_part
from inbox.writing import options_of

# The fields that refusals are about; all others are about the whole.
AT_FAULT = {"no_address": "to", "own_address": "to", "opted_out": "channel"}


class BeginningForm(forms.Form):
    """Whose a new ticket is. `client_id` is made with the form: a second click opens nothing again."""

    channel = forms.ChoiceField(label=gettext_lazy("Channel"))
    customer = forms.CharField(required=False, max_length=20, widget=forms.HiddenInput)  # who was picked
    subject = forms.CharField(label=gettext_lazy("Subject"), required=False, max_length=500)
    agent = forms.TypedChoiceField(label=gettext_lazy("Assignee"), required=False, coerce=int, empty_value=None)
    team = forms.TypedChoiceField(label=gettext_lazy("Team"), required=False, coerce=int, empty_value=None)
    tags = forms.CharField(label=gettext_lazy("Tags, with commas"), required=False, max_length=1000)
    client_id = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, data: Any, agent: Agent, start: dict[str, Any]) -> None:
        usable = [one for one in directory.of(agent).channels if one.kind in kinds()]
        usual = {"client_id": uuid4().hex, "agent": agent.pk, "channel": _usual(usable)}
        super().__init__(data, initial=usual | start, auto_id="new-%s")
        known = directory.of(agent)
        self.fields["channel"].choices = [(one.slug, one.name) for one in usable]  # type: ignore[attr-defined]
        self.fields["agent"].choices = [("", _("Nobody")), *((one.pk, one.name) for one in known.people)]  # type: ignore[attr-defined]
        self.fields["team"].choices = [("", "—"), *((one.pk, one.name) for one in known.teams)]  # type: ignore[attr-defined]
        usual = {"to": "", "cc": "", "bcc": "", "customer": "", "tags": "", "agent": str(agent.pk), "team": ""}
        for name, value in usual.items():
            if name in self.fields:
                self.fields[name].widget.attrs["data-usual"] = value

    def clean_tags(self) -> list[str]:
        return [tag.strip() for tag in self.cleaned_data["tags"].replace("،", ",").split(",") if tag.strip()]

    def renewed(self, refused: ActionError) -> str:
        """The form's new `client_id`, where its own has become something else: what stands in it can still be sent."""
        if refused.code != "already_sent":
            return ""
        data = cast("QueryDict", self.data).copy()
        data["client_id"] = fresh = uuid4().hex
        self.data = data
        return fresh

    def for_whom(self, agent: Agent) -> dict[str, Any]:
        """Assignee, team and tags, as the actions take them."""
        data = self.cleaned_data
        return {
            "assignee": access.agents(agent).filter(pk=data["agent"]).first() if data["agent"] else None,
            "team": access.teams(agent).filter(pk=data["team"]).first() if data["team"] else None,
            "tags": data["tags"],
            "client_id": data["client_id"],
        }


def _usual(usable: Sequence[directory.Named]) -> str:
    """The channel that stands there until somebody is named: mail, which reaches whoever has an address."""
    by_mail = (one for one in usable if kinds()[one.kind].identity_kind == "email")
    return min(by_mail, key=lambda one: one.pk, default=usable[0]).slug if usable else ""


def _who(label: Any, **taken: str) -> forms.CharField:
    widget = forms.TextInput(
        attrs={"dir": "auto", "data-suggest": "/people/recipients/", "autocomplete": "off", **taken}
    )
    return forms.CharField(label=label, max_length=320, widget=widget)


class NewTicketForm(BeginningForm, WrittenForm):
    """What a new ticket says, as an answer does, and to whom."""

    to = _who(gettext_lazy("To"), **{"data-suggest-takes": ""})
    cc = AddressesField(label=gettext_lazy("Cc"), required=False)
    bcc = AddressesField(label=gettext_lazy("Bcc"), required=False)
    status = forms.ChoiceField(required=False, choices=CHOSEN_STATUSES)


class NewCallForm(BeginningForm, CallForm):
    """A call, or a visit, about something new; who it was may be a name alone."""

    to = _who(gettext_lazy("Who it was"))


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.ANSWER)
def new(request: AgentRequest) -> HttpResponse:
    """The page with this person's draft in it; a POST sends, once for each `client_id`."""
    if request.method == "POST" and "afresh" in request.POST:
        drafts.discard(request.user, None)
        return redirect(request.get_full_path())
    draft = composing.kept(request.user, None)
    form = NewTicketForm(request.POST if request.method == "POST" else None, request.user, _start(request, draft))
    fresh = ""
    if request.method == "POST" and form.is_valid():
        try:
            return _went(request, _open(request, form.cleaned_data, form.for_whom(request.user)))
        except ActionError as error:
            form.add_error(AT_FAULT.get(error.code), str(error.reason))
            fresh = form.renewed(error)
    if form.errors and wants_part(request):
        field = next((name for name in form.errors if name in form.fields), "")
        told = {"problem": problem_of(form), "field": field, "client_id": fresh}
        return render(request, "inbox/_refused.html", told, status=422)
    asked = _asked(request)
    context = {
        "form": form,
        "composer": draft,
        "cut_off": _cut_off(request.user, form),
        "unsent": asked and draft["version"] and (draft["recipients"].get("to") or "") != asked["to"],
        **_way(
            request.user,
            form["channel"].value(),
            form["customer"].value(),
            options_of(request.POST if request.method == "POST" else draft["recipients"]),
        ),
    }
    return render(request, "inbox/opening.html", context, status=422 if form.errors else 200)


def _cut_off(agent: Agent, form: BeginningForm) -> str:
    """Where no channel is left to choose: `connect` for who may connect one, else `ask`."""
    if form.fields["channel"].choices:  # type: ignore[attr-defined]
        return ""
    return "connect" if may(agent, Right.CHANNELS) else "ask"


def _start(request: AgentRequest, draft: dict[str, Any]) -> dict[str, Any]:
    """What the fields begin with: a draft as it stands, else whom the address names."""
    if not draft["version"]:
        return _asked(request)
    channel = access.channels(request.user).filter(pk=draft["channel_id"] or 0).values_list("slug", flat=True).first()
    fields = {name: draft[name] for name in ("text", "html", "subject", "client_id")}
    return {**fields, **draft["recipients"], **({"channel": channel} if channel else {})}


def _asked(request: AgentRequest) -> dict[str, Any]:
    """Whom the page is opened for: `to` an address, or `customer` the id of somebody this person sees."""
    pk = request.GET.get("customer", "")
    if pk.isdecimal() and len(pk) < 19 and (found := access.customers(request.user).filter(pk=int(pk)).first()):
        channel = wishes.begins(found, access.channels(request.user).order_by("pk"), None)
        return {"customer": str(found.pk), "to": named(found), **({"channel": channel.slug} if channel else {})}
    return {"to": request.GET["to"][:320]} if request.GET.get("to") else {}


def named(customer: Customer) -> str:
    """A customer as they stand in To: their name with their e-mail address, else what there is."""
    values = customers.active_values(customer.pk, "email")
    if values:
        return typed([{"name": customer.name, "address": values[0]}])
    return customer.name or next(iter(customers.active_values(customer.pk, "phone")), "")


@require_safe
@agent_only
@needs(Right.ANSWER)
def way(request: AgentRequest) -> HttpResponse:
    """What the chosen channel takes: its signature, formatting, lengths.

    For a customer who was `picked` just now it is the one that they prefer, or another where this does not reach.
    """
    asked = request.GET
    told = _way(
        request.user, asked.get("channel", ""), asked.get("customer", ""), options_of(asked), picked="picked" in asked
    )
    return render(request, "inbox/_new_way.html", told)


def _way(
    agent: Agent, slug: Any, customer: Any = "", options: Mapping[str, str] | None = None, *, picked: bool = False
) -> dict[str, Any]:
    seen = access.channels(agent).select_related("brand", "default_team").order_by("pk")
    whom = _picked(agent, str(customer or ""))
    prefers = wishes.preferred(whom, seen) if whom else None
    stands = seen.filter(slug=str(slug or "")).first()
    channel = wishes.begins(whom, seen, stands) if picked and whom else stands
    picked = channel is not None and channel != stands
    channel = channel or stands or next((one for one in seen if one.kind in kinds()), None)
    if channel is None or channel.kind not in kinds():
        return {"route": None}
    begun = Ticket(channel=channel, team=channel.default_team, customer=whom or Customer())
    waits = composing.night(begun, quiet.held(begun, channel, timezone.now())) if whom else None
    mail = kinds()[channel.kind].identity_kind == "email"
    may_begin = wishes.verdict(begun, channel)
    goes_to = customers.address_on(whom, channel) if whom and not mail else None
    wish: dict[str, Any] = {"prefers": prefers, "picked": picked, "quiet": waits, "goes_to": goes_to}
    if not may_begin.allowed:  # what gets through all the same, such as a template, is chosen here
        wish["warning"] = may_begin.reason
        if may_begin.allows:
            asked = urlencode({"channel": channel.slug, "customer": whom.pk if whom else ""})
            part = kinds()[channel.kind].composer_panel(begun, channel, agent, options)
            wish |= composing.beside_text(part, f"{reverse('new-ticket-way')}?{asked}")
    return {"route": {"channel": channel, "mail": mail, **wish, **writing.told(begun, channel, agent)}}


def _went(request: AgentRequest, number: int) -> HttpResponse:
    if wants_part(request):
        return HttpResponse(headers={"HX-Redirect": reverse("ticket", args=[number])})
    return redirect("ticket", number)


def _open(request: AgentRequest, data: dict[str, Any], whom: dict[str, Any]) -> int:
    channel = access.get_channel(request.user, data["channel"])
    customer, party = _recipient(request.user, data, kinds()[channel.kind].identity_kind)
    files = uploaded(request)
    made = tickets.open_ticket(
        by=request.user,
        channel=channel,
        customer=customer,
        identity=party,
        subject=data["subject"],
        text=data["text"],
        html=data["html"],
        cc=data["cc"],
        bcc=data["bcc"],
        attachments=[*data["attachments"], *files],
        status=data["status"] or None,
        signed=not data["unsigned"],
        undoable=True,
        draft=data["version"],
        options=options_of(request.POST),
        **whom,
    )
    return made.pk


def _picked(agent: Agent, pk: str) -> Customer | None:
    if not pk.isdecimal() or len(pk) > 18:
        return None
    return access.customers(agent).filter(pk=int(pk)).first()


def _recipient(agent: Agent, data: dict[str, Any], kind: str) -> tuple[Customer | None, Party | None]:
    """The customer who was picked, by the address that stands there if it is theirs; else whoever has that address."""
    words = data["to"].strip()
    picked = _picked(agent, data["customer"])
    if kind != "email":
        return (picked, None) if picked else (None, Party(kind, words))
    try:
        [one] = AddressesField().clean(words)
    except (ValidationError, ValueError):
        if picked is not None:
            return picked, None
        raise ActionError(_("Name one address."), "no_address") from None
    theirs = picked is not None and one["address"].lower() in customers.active_values(picked.pk, kind)
    return (picked if theirs else None), Party(kind, one["address"], one["name"])


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.ANSWER)
def call(request: AgentRequest) -> HttpResponse:
    """A call or a visit about something new; a POST opens its ticket, once for each `client_id`."""
    form = NewCallForm(request.POST if request.method == "POST" else None, request.user, _asked(request))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            made = phoned.open_ticket(
                by=request.user,
                channel=access.get_channel(request.user, data["channel"]),
                subject=data["subject"],
                **_caller(request.user, data),
                **call_of(data),
                **form.for_whom(request.user),
            )
            return redirect("ticket", made.pk)
        except ActionError as error:
            form.add_error(None, str(error.reason))
            form.renewed(error)
    context = {"form": form, "media": MEDIA, "cut_off": _cut_off(request.user, form)}
    return render(request, "inbox/opening_call.html", context, status=422 if form.errors else 200)


def _caller(agent: Agent, data: dict[str, Any]) -> dict[str, Any]:
    """Who it was: a customer who was picked; else of what was typed an address, a number, or somebody's name."""
    words = " ".join(data["to"].split())
    if picked := _picked(agent, data["customer"]):
        return {"customer": picked, "identity": None, "name": ""}
    with suppress(ValidationError, ValueError):
        [one] = AddressesField().clean(words)
        return {"customer": None, "identity": Party("email", one["address"], one["name"]), "name": ""}
    with suppress(ValidationError):
        return {"customer": None, "identity": Party("phone", addresses.usable("phone", words)), "name": ""}
    return {"customer": None, "identity": None, "name": words[:200]}
