"""What the hub has to ask the database: what changed, who still has which rights, rows and counts as they see them.

All of it runs in the hub's one thread, a few queries for a frame however many pages are open.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare

from inbox import access, lists, second_factor
from inbox.models import Agent, Event, Role, Ticket

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
    hashes = {
        agent.pk: agent.get_session_auth_hash()
        for agent in Agent.objects.filter(pk__in=set(sessions.values()), is_active=True)
    }
    found = set()
    for session in standing:
        expected = hashes.get(sessions[session.pk])
        # A new password ends the sessions of the old one, though their rows stay.
        if expected and constant_time_compare(session.get_decoded().get(HASH_SESSION_KEY, ""), expected):
            found.add(session.pk)
    return found


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


Rights = tuple[frozenset[int], frozenset[int]]


def rights_by(agent: Agent) -> Rights:
    """What decides what this person sees, to compare with what it was."""
    sight = access.sight(agent)
    return frozenset(sight.hidden_teams), frozenset(sight.hidden_channels)


def rights_of(agents: set[int]) -> dict[int, Rights]:
    """The same of several; missing is who is switched off, or has to set up a second factor first."""
    return {agent.pk: rights_by(agent) for agent in with_sight(agents) if not second_factor.is_missing(agent)}


@dataclass(frozen=True)
class Sees:
    """What one agent is told of a batch: tickets they see, tickets they saw until a moment ago, and by which rights."""

    visible: frozenset[int]
    lost: frozenset[int]
    rights: Rights


def prepare(batch: set[int], agents: set[int], languages: set[str]) -> tuple[dict[int, Row], dict[int, Sees]]:
    """The rows of these tickets in each language, and what each agent is told of them; an agent who left is missing."""
    tickets = list(Ticket.objects.filter(pk__in=batch).select_related("customer", "reply_channel", "assignee"))
    rows = {ticket.number: Row(ticket.updated_at, {}) for ticket in tickets}
    for language in languages:
        with translation.override(language):
            for ticket in tickets:
                rows[ticket.number].html[language] = render_to_string("inbox/_row.html", {"ticket": ticket})
    former = as_they_were(tickets)
    found = {}
    for agent in with_sight(agents):
        visible = frozenset(ticket.number for ticket in tickets if access.sees(agent, ticket))
        lost = frozenset(old.number for old in former if old.number not in visible and access.sees(agent, old))
        found[agent.pk] = Sees(visible, lost, rights_by(agent))
    return rows, found


def as_they_were(tickets: list[Ticket]) -> list[Ticket]:
    """These tickets with the people and teams they were taken from lately: who saw them so is told that they left."""
    by_number = {ticket.number: ticket for ticket in tickets}
    moves = Event.objects.filter(ticket__in=by_number, kind="assigned", at__gt=timezone.now() - LOOK_BACK)
    former = []
    for number, data in moves.values_list("ticket_id", "data"):
        old = copy(by_number[number])
        old.assignee_id = data.get("from")
        old.team_id = data.get("team_from", old.team_id)
        former.append(old)
    return former


def count_for(agents: set[int]) -> dict[int, dict[str, str]]:
    """The sidebar's counts of each agent: what agents of equal permission share is counted once, theirs beside it."""
    found: dict[int, dict[str, str]] = {}
    shared: dict[int, dict[str, str]] = {}
    people = with_sight(agents)
    own = lists.counts(
        {
            f"{agent.pk}-{key}": lists.to_count(agent, view)
            for agent in people
            for key, view in lists.VIEWS.items()
            if view.own and view.counted
        }
    )
    for agent in people:
        sight = access.sight(agent)
        if id(sight) not in shared:
            views = lists.counted(agent, own=False)
            shared[id(sight)] = lists.counts({key: lists.to_count(agent, view) for key, view in views.items()})
        mine = {key: own[f"{agent.pk}-{key}"] for key in lists.counted(agent, own=True)}
        found[agent.pk] = {**shared[id(sight)], **mine}
    return found
