"""What the hub has to ask the database: what changed, who still has which rights, rows and counts as they see them.

All of it runs in the hub's one thread, a few queries for a frame however many pages are open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.sessions.models import Session
from django.template.loader import render_to_string
from django.utils import timezone, translation

from inbox import access, lists
from inbox.models import Agent, Role, Ticket

LOOK_BACK = timedelta(seconds=20)  # longer than a transaction takes from its clock to its commit


@dataclass
class Row:
    at: datetime
    html: dict[str, str]


def lately() -> list[tuple[int, datetime]]:
    """Tickets that changed within the last seconds."""
    since = timezone.now() - LOOK_BACK
    return list(
        Ticket.objects.filter(updated_at__gt=since).order_by("-updated_at").values_list("number", "updated_at")[:500]
    )


def logged_in(sessions: dict[str, int]) -> set[str]:
    """Of these sessions, each with its agent, those that still stand, their agent still being active."""
    standing = Session.objects.filter(session_key__in=sessions, expire_date__gt=timezone.now())
    active = set(Agent.objects.filter(pk__in=set(sessions.values()), is_active=True).values_list("pk", flat=True))
    return {key for key in standing.values_list("pk", flat=True) if sessions[key] in active}


def with_sight(agents: set[int]) -> list[Agent]:
    """These agents as they are now, those of equal permission sharing what they see: two queries a group."""
    sights: dict[tuple[bool, frozenset[int]], access.Sight] = {}
    found = list(Agent.objects.filter(pk__in=agents, is_active=True).prefetch_related("teams"))
    for agent in found:
        key = (agent.role == Role.ADMIN, frozenset(team.pk for team in agent.teams.all()))
        if key not in sights:
            sights[key] = access.Sight(agent)
        agent._sight = sights[key]  # type: ignore[attr-defined]
    return found


def prepare(batch: set[int], agents: set[int], languages: set[str]) -> tuple[dict[int, Row], dict[int, frozenset[int]]]:
    """The rows of these tickets in each language, and which of them each agent sees; an agent who left is missing."""
    tickets = list(Ticket.objects.filter(pk__in=batch).select_related("customer", "reply_channel", "assignee"))
    rows = {ticket.number: Row(ticket.updated_at, {}) for ticket in tickets}
    for language in languages:
        with translation.override(language):
            for ticket in tickets:
                rows[ticket.number].html[language] = render_to_string("inbox/_row.html", {"ticket": ticket})
    visible = {
        agent.pk: frozenset(ticket.number for ticket in tickets if access.sees(agent, ticket))
        for agent in with_sight(agents)
    }
    return rows, visible


def count_for(agents: set[int]) -> dict[int, dict[str, str]]:
    """The sidebar's counts of each agent: what agents of equal permission share is counted once, theirs beside it."""
    found: dict[int, dict[str, str]] = {}
    shared: dict[int, dict[str, str]] = {}
    people = with_sight(agents)
    own = lists.counts({str(agent.pk): lists.select(agent, lists.VIEWS["mine"].match) for agent in people})
    for agent in people:
        sight = access.sight(agent)
        if id(sight) not in shared:
            views = {key: view for key, view in lists.counted(agent).items() if key != "mine"}
            shared[id(sight)] = lists.counts({key: lists.select(agent, view.match) for key, view in views.items()})
        found[agent.pk] = {**shared[id(sight)], "mine": own[str(agent.pk)]}
    return found
