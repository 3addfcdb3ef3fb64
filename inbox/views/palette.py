"""`/palette/`: what the command palette offers beside the actions of the page: places, tickets and customers."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from inbox import access, default_views, lists, preferences
from inbox.found import Found
from inbox.search.query import MOST_TYPED
from inbox.views.shell import AgentRequest, agent_only

MOST = 6  # tickets found


@dataclass(frozen=True)
class Place:
    label: str
    group: str
    icon: str
    url: str
    key: str = ""


def places(request: AgentRequest) -> list[Place]:
    """Every page this person may open, by its group."""
    views = [
        Place(str(view.label), str(label or _("Inbox")), view.icon, view.url, f"g {view.go}" if view.go else "")
        for label, group in default_views.groups(request.user)
        for view in group
    ]
    pages = [
        Place(str(page.label), f"{_('Settings')} · {group}", page.icon, reverse(page.url_name))
        for group, of_group in preferences.groups(request.user)
        for page in of_group
    ]
    return [*views, *pages, Place(_("Settings"), "", "settings", reverse("settings"))]


@require_safe
@agent_only
def palette(request: AgentRequest) -> HttpResponse:
    """The options of the palette; with `q` what a quick search finds, in which a number opens its ticket."""
    typed = request.GET.get("q", "").strip()[:MOST_TYPED]
    if not typed:
        return render(request, "inbox/_palette_places.html", {"places": places(request)})
    agent = request.user
    found = Found(agent, typed, lists.of(agent, {"view": "open"}))
    number = typed.removeprefix("#")
    is_number = number.isdecimal() and len(number) < 19
    named = is_number and number != typed  # `#12` is that ticket and nothing else
    numbers = [] if named else found.results.numbers[:MOST]
    if is_number:
        numbers = [int(number), *numbers]
    rows = {row.number: row for row in access.tickets(agent).filter(pk__in=numbers).select_related("customer")}
    tickets = [rows[one] for one in dict.fromkeys(numbers) if one in rows]
    context = {"typed": typed, "tickets": tickets, "people": [] if named else found.people[:MOST], "url": found.url}
    return render(request, "inbox/_palette_found.html", context)
