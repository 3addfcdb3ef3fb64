"""Saved views in the sidebar: which an agent has, which of them is open, how many tickets each holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _

from inbox import access, default_views, directory, lists
from inbox.models import Agent, SavedView
from inbox.rights import Right, may
from inbox.search.finding import TooSlow, bounded

if TYPE_CHECKING:
    from inbox.found import Found

MOST = 40  # that the sidebar lists
MOST_COUNTED = 20
PATIENCE = 0.8  # seconds for counting all of them; then for each by itself:
PATIENCE_EACH = 0.25
SLOW_FOR = 600  # seconds that one which took longer is not counted for


@dataclass(frozen=True)
class Shown:
    """A saved view as the sidebar has it."""

    pk: int
    label: str
    url: str
    key: str
    mine: bool


def views(agent: Agent, noun: str = "tickets") -> list[SavedView]:
    """Those that this agent has, in order: their own, their teams', everybody's. Kept for the request."""
    kept: dict[str, list[SavedView]] = agent.__dict__.setdefault("_saved_views", {})
    if noun not in kept:
        found = access.kept(SavedView, agent).filter(noun=noun).select_related("team")
        kept[noun] = list(found.order_by("position", "name", "pk")[:MOST])
    return kept[noun]


def words(view: SavedView) -> dict[str, str]:
    """The list that it keeps, as `lists.of` takes it. One kept without a view narrows all tickets."""
    return {"view": default_views.EVERYTHING.key, **{str(key): str(value) for key, value in view.query.items()}}


def address(view: SavedView) -> str:
    return f"{reverse('inbox')}?{urlencode({**words(view), 'saved': view.pk})}"


def sidebar(agent: Agent, listing: lists.Listing | Found) -> dict[str, Any]:
    """My views and shared ones; and of the list that is open, which of them it is and whether it was changed since."""
    found = views(agent)
    shown = [Shown(one.pk, one.name, address(one), f"saved-{one.pk}", one.owner_id == agent.pk) for one in found]
    current = None
    if isinstance(listing, lists.Listing):
        current = next((one for one in found if str(one.pk) == listing.saved), None)
        if current is not None:
            listing.name = current.name
            listing.altered = _read(agent, current) != listing.query
        else:
            listing.saved = ""
    return {
        "my_views": [one for one in shown if one.mine],
        "shared_views": [one for one in shown if not one.mine],
        "saved_view": current,
        "may_keep_views": may(agent, Right.ANSWER),
        "sharing": for_whom(agent) if may(agent, Right.SHARE) else [],
        "may_update_view": current is not None and may_change(agent, current),
    }


def for_whom(agent: Agent) -> list[tuple[str, str]]:
    """Whom this agent may keep a view for: themselves, and who may share, a team of theirs or everybody."""
    found = [("me", _("me alone"))]
    if may(agent, Right.SHARE):
        mine = access.sight(agent).teams
        found += [(str(one.pk), one.name) for one in directory.of(agent).teams if one.pk in mine]
        found.append(("all", _("everybody")))
    return found


def fields_for(agent: Agent, whom: str) -> dict[str, Any] | None:
    """The fields of a view that is kept for `whom`; None where that is none of `for_whom`."""
    if whom not in dict(for_whom(agent)):
        return None
    return {"team_id": int(whom) if whom.isdecimal() else None, "owner": agent if whom == "me" else None}


def may_change(agent: Agent, view: SavedView) -> bool:
    return may(agent, Right.ANSWER if view.owner_id == agent.pk else Right.SHARE)


def _read(agent: Agent, view: SavedView) -> dict[str, str]:
    try:
        return lists.of(agent, words(view)).query
    except Http404:  # of a team or channel that is gone
        return {}


def counts(agent: Agent) -> dict[str, str]:
    """How many tickets each saved view holds, by key, as the sidebar says it; one that takes too long says nothing."""
    wanted = {}
    for view in views(agent)[:MOST_COUNTED]:
        try:
            wanted[f"saved-{view.pk}"] = lists.of(agent, words(view)).tickets
        except Http404:
            continue
    slow = cache.get_many([f"slow-{key}" for key in wanted])
    wanted = {key: found for key, found in wanted.items() if f"slow-{key}" not in slow}
    try:
        with bounded(PATIENCE):
            return default_views.counts(wanted)
    except TooSlow:
        pass
    found: dict[str, str] = {}
    for key, tickets in wanted.items():
        try:
            with bounded(PATIENCE_EACH):
                found |= default_views.counts({key: tickets})
        except TooSlow:
            cache.set(f"slow-{key}", 1, SLOW_FOR)
    return found
