"""`/filters/`: what a list can be narrowed by, and the editor of each; the list itself is `/`."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from inbox import lists
from inbox.filtering import tickets as filtering
from inbox.filtering.conditions import Condition, Option
from inbox.filtering.filters import groups, joined
from inbox.views.shell import AgentRequest, agent_only


@dataclass
class Part:
    """One condition in an editor, with what it is now."""

    condition: Condition
    value: str
    typed: str
    options: list[Option] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.key, self.label, self.editor = self.condition.key, self.condition.label, self.condition.editor
        self.help = getattr(self.condition, "help", "")
        self.suggestions = self.condition.suggestions
        self.chosen = self.value.split(",")


@require_safe
@agent_only
def menu(request: AgentRequest) -> HttpResponse:
    """What the list that the address names can be narrowed by."""
    listing = lists.of(request.user, joined(request.GET))
    known = filtering.conditions(request.user)
    return render(request, "inbox/_filters.html", {"listing": listing, "menu": groups(known, without=listing.hidden)})


@require_safe
@agent_only
def editor(request: AgentRequest, group: str) -> HttpResponse:
    """The form that sets or changes the conditions of a group; what else narrows the list goes with it."""
    listing = lists.of(request.user, joined(request.GET))
    here = [one for one in filtering.conditions(request.user).values() if one.together == group]
    if not here:
        raise Http404
    parts = []
    for one in here:
        value = listing.filters.values.get(one.key, "")
        shown = one.typed(request.user, value) if value else ""
        parts.append(Part(one, value, shown, _offered(request, one, listing)))
    keys = {one.key for one in here}
    others = {name: value for name, value in listing.kept.items() if name not in keys or name in listing.view.query}
    suggested = next((part.options for part in parts if part.editor == "words"), [])
    context = {"parts": parts, "others": others, "suggested": suggested, "listing": listing}
    return render(request, "inbox/_filter.html", context)


def _offered(request: AgentRequest, condition: Condition, listing: lists.Listing) -> list[Option]:
    found = list(condition.options(request.user))
    value = listing.filters.values.get(condition.key, "")
    if condition.editor == "age" and value and all(one.value != value for one in found):
        found.append(Option(value, condition.words(request.user, value)))
    return found
