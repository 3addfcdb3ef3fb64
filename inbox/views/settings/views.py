"""`/settings/views/`: the saved views that somebody has, their order, and what each keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox import access, kept, lists
from inbox.actions import keeping
from inbox.models import Agent, SavedView
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only

HERE = {"page_key": "views"}


class ViewForm(forms.Form):
    """What a view is called, and whom it is for."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    whom = forms.ChoiceField(label=gettext_lazy("For whom"))

    def __init__(self, data: Any, agent: Agent, view: SavedView) -> None:
        whom = "me" if view.owner_id else str(view.team_id) if view.team_id else "all"
        super().__init__(data, initial={"name": view.name, "whom": whom})
        self.fields["whom"].choices = kept.for_whom(agent)  # type: ignore[attr-defined]


@dataclass
class Line:
    """A view as the page lists it."""

    view: SavedView
    url: str
    listing: lists.Listing | None  # None: of a team or channel that is gone
    changeable: bool


def line(agent: Agent, view: SavedView) -> Line:
    try:
        listing = lists.of(agent, kept.words(view))
    except Http404:
        listing = None
    return Line(view, kept.address(view), listing, kept.may_change(agent, view))


def group_of(agent: Agent, view: SavedView) -> list[SavedView]:
    """The views among which one is moved: somebody's own, or all shared ones."""
    return [one for one in kept.views(agent) if (one.owner_id == agent.pk) == (view.owner_id == agent.pk)]


@require_safe
@agent_only
@needs(Right.ANSWER)
def views(request: AgentRequest) -> HttpResponse:
    lines = [line(request.user, one) for one in kept.views(request.user)]
    groups = [
        (_("My views"), [one for one in lines if one.view.owner_id == request.user.pk]),
        (_("Shared views"), [one for one in lines if one.view.owner_id != request.user.pk]),
    ]
    return render(request, "settings/views/list.html", {**HERE, "groups": groups, "none": not lines})


def changeable(request: AgentRequest, pk: int) -> SavedView:
    """A ticket view that this person may change. Raises Http404, or PermissionDenied."""
    found = access.get_kept(SavedView, request.user, pk)
    if found.noun != "tickets":
        raise Http404
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.ANSWER)
def view(request: AgentRequest, pk: int) -> HttpResponse:
    """Its name and whom it is for; what it shows is changed where the list is."""
    found = changeable(request, pk)
    form = ViewForm(request.POST if request.method == "POST" else None, request.user, found)
    if request.method == "POST" and form.is_valid():
        fields = kept.fields_for(request.user, form.cleaned_data["whom"]) or {}
        keeping.update(found, by=request.user, name=form.cleaned_data["name"], **fields)
        messages.success(request, _("Saved."))
        return redirect("settings-views")
    return render(request, "settings/views/view.html", {**HERE, "form": form, "line": line(request.user, found)})


@require_POST
@agent_only
@needs(Right.ANSWER)
def move(request: AgentRequest, pk: int) -> HttpResponse:
    """One place up or down among the views beside it."""
    found = changeable(request, pk)
    step = -1 if request.POST.get("to") == "up" else 1
    keeping.move(found, step, by=request.user, among=group_of(request.user, found))
    return redirect("settings-views")


@require_POST
@agent_only
@needs(Right.ANSWER)
def delete(request: AgentRequest, pk: int) -> HttpResponse:
    keeping.delete(changeable(request, pk), by=request.user)
    messages.success(request, _("The view is deleted. Its tickets are where they were."))
    return redirect("settings-views")
