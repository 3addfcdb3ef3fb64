"""`/settings/brands/`: under which names, addresses and signatures we answer."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox import access, variables
from inbox.actions import brands as acting
from inbox.models import Agent, Brand, Channel
from inbox.rights import Right, needs
from inbox.views.settings.forms import SignatureField
from inbox.views.shell import AgentRequest, agent_only

HERE = {"page_key": "brands"}


class BrandForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=120, help_text=gettext_lazy("Customers read it beside who answers.")
    )
    from_address = forms.EmailField(
        label=gettext_lazy("From address"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("One of a channel’s own addresses; others are not used, since answers would get lost."),
    )
    signature = SignatureField(
        label=gettext_lazy("Signature"), help_text=gettext_lazy("Where neither the agent nor the team has one.")
    )
    channels = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Channels"),
        queryset=Channel.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: Any, agent: Agent, brand: Brand | None = None) -> None:
        initial: dict[str, Any] = {}
        if brand is not None:
            initial = {name: getattr(brand, name) for name in acting.FIELDS} | {"channels": brand.channels.all()}
        super().__init__(data, initial=initial)
        self.fields["channels"].queryset = access.channels(agent)  # type: ignore[attr-defined]


@require_safe
@agent_only
@needs(Right.CHANNELS)
def brands(request: AgentRequest) -> HttpResponse:
    found = Brand.objects.order_by("name", "pk").prefetch_related(Prefetch("channels", access.channels(request.user)))
    return render(request, "settings/brands/list.html", {**HERE, "brands": found})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.CHANNELS)
def brand(request: AgentRequest, pk: int | None = None) -> HttpResponse:
    """One brand, or a new one."""
    found = _get(pk) if pk is not None else None
    form = BrandForm(request.POST if request.method == "POST" else None, request.user, found)
    if request.method == "POST" and form.is_valid():
        if found is None:
            acting.create(by=request.user, **form.cleaned_data)
        else:
            acting.change(found, by=request.user, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("settings-brands")
    context = {**HERE, "form": form, "brand": found, "variables": variables.KNOWN}
    return render(request, "settings/brands/brand.html", context)


@require_POST
@agent_only
@needs(Right.CHANNELS)
def delete(request: AgentRequest, pk: int) -> HttpResponse:
    acting.delete(_get(pk), by=request.user)
    messages.success(request, _("The brand is deleted."))
    return redirect("settings-brands")


def _get(pk: int) -> Brand:
    found = Brand.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
