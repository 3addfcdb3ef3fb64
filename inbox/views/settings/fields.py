"""`/settings/fields/`: which fields of the organisation's own tickets, customers and organisations have."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox.actions import fields as acting
from inbox.actions.errors import ActionError
from inbox.models import Field, FieldKind, FieldNoun
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only

HERE = {"page_key": "fields"}
MOST_CHOICES = 200


class FieldForm(forms.Form):
    """A field. Its key is asked for once: values stand under it."""

    noun = forms.ChoiceField(label=gettext_lazy("Belongs to"), choices=FieldNoun.choices)
    label = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    key = forms.SlugField(
        label=gettext_lazy("Key"),
        max_length=60,
        help_text=gettext_lazy("What programs call it. It stays as it is for ever: values stand under it."),
    )
    help = forms.CharField(label=gettext_lazy("Help"), max_length=200, required=False)
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=FieldKind.choices,
        widget=forms.Select(attrs={"data-shows": "field-kind"}),
    )
    choices = forms.CharField(
        label=gettext_lazy("Choices, one a line"),
        required=False,
        max_length=MOST_CHOICES * 121,
        widget=forms.Textarea(attrs={"rows": 6, "dir": "auto"}),
    )
    required = forms.BooleanField(
        label=gettext_lazy("Needed to solve a ticket"),
        required=False,
        help_text=gettext_lazy("Nobody solves a ticket before this is filled in. Rules and the clock still do."),
    )
    searchable = forms.BooleanField(label=gettext_lazy("Found by search"), required=False)

    def __init__(self, data: Any, field: Field | None = None, noun: str = "") -> None:
        initial: dict[str, Any] = {"searchable": True, "noun": noun or FieldNoun.TICKET}
        if field is not None:
            initial = {name: getattr(field, name) for name in acting.EDITABLE}
            initial["choices"] = "\n".join(field.choices)
        super().__init__(data, initial=initial)
        if field is not None:
            del self.fields["noun"], self.fields["key"]
        if (field.noun if field is not None else FieldNoun.TICKET) != FieldNoun.TICKET:
            del self.fields["required"]

    def clean_choices(self) -> list[str]:
        typed = [clean for line in self.cleaned_data["choices"].splitlines() if (clean := " ".join(line.split()))]
        if len(typed) > MOST_CHOICES or any(len(one) > 120 for one in typed):
            raise forms.ValidationError(_("At most 200 choices of at most 120 characters each."))
        return typed


def get_field(pk: int) -> Field:
    found = Field.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


@require_safe
@agent_only
@needs(Right.FIELDS)
def fields(request: AgentRequest) -> HttpResponse:
    found = list(Field.objects.order_by("position", "pk"))
    groups = [(noun, noun.label, [one for one in found if one.noun == noun]) for noun in FieldNoun]
    return render(request, "settings/fields/list.html", {**HERE, "groups": groups})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.FIELDS)
def field(request: AgentRequest, pk: int | None = None) -> HttpResponse:
    """One field, or a new one."""
    found = None if pk is None else get_field(pk)
    form = FieldForm(request.POST if request.method == "POST" else None, found, request.GET.get("noun", ""))
    if request.method == "POST" and form.is_valid():
        try:
            if found is None:
                data = dict(form.cleaned_data)
                data["required"] = data["required"] and data["noun"] == FieldNoun.TICKET
                acting.create(by=request.user, **data)
            else:
                acting.update(found, by=request.user, **form.cleaned_data)
        except ActionError as error:
            form.add_error("choices" if error.code == "no_choices" else "key", str(error.reason))
        else:
            messages.success(request, _("Saved."))
            return redirect("settings-fields")
    return render(request, "settings/fields/field.html", {**HERE, "form": form, "field": found})


@require_POST
@agent_only
@needs(Right.FIELDS)
def delete(request: AgentRequest, pk: int) -> HttpResponse:
    acting.delete(get_field(pk), by=request.user)
    messages.success(request, _("Deleted. What was entered stays among the attributes."))
    return redirect("settings-fields")


@require_POST
@agent_only
@needs(Right.FIELDS)
def move(request: AgentRequest, pk: int) -> HttpResponse:
    """One place up, or down."""
    found = get_field(pk)
    pks = list(Field.objects.filter(noun=found.noun).order_by("position", "pk").values_list("pk", flat=True))
    at = pks.index(found.pk)
    to = at + (-1 if request.POST.get("to") == "up" else 1)
    if 0 <= to < len(pks):
        pks[at], pks[to] = pks[to], pks[at]
        acting.order(found.noun, pks, by=request.user)
    return redirect("settings-fields")
