"""What the hub has to ask the database: what changed, who still has which rights, rows and counts as they see them.

All of it runs in the hub's one thread, a few queries for a frame however many pages are open.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Func, IntegerField, OuterRef, Subquery
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.crypto import constant_time_compare

from inbox import access, default_views, lists, second_factor
from inbox.actions import attention
from inbox.models import Agent, Event, Mention, Notification, Role, Ticket
from inbox.models.tickets import TicketQuerySet
from inbox.templatetags.inbox_tags import face

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


def rights_by(sight: access.Sight) -> Rights:
    """What decides what somebody sees, to compare with what it was."""
    return frozenset(sight.hidden_teams), frozenset(sight.hidden_channels)


def rights_of(agents: set[int]) -> dict[int, Rights]:
    """The same of several; missing is who is switched off, or has to set up a second factor first."""
    lacking = second_factor.who_lack_one(agents)
    return {
        agent: rights
        for sight, members in groups_of(agents)
        for rights in [rights_by(sight)]
        for agent in members
        if agent not in lacking
    }


@dataclass(frozen=True)
class Sees:
    """What one agent is told of a batch: tickets they see, tickets they saw until a moment ago, and by which rights."""

    visible: frozenset[int]
    lost: frozenset[int]
    rights: Rights


STANDING = """
SELECT coalesce((SELECT json_agg(json_build_array(is_admin, teams, agents)) FROM (
    SELECT is_admin, teams, array_agg(id) AS agents FROM (
        SELECT agent.id, agent.role = 'admin' AS is_admin, array_agg(mine.team_id ORDER BY mine.team_id) AS teams
        FROM inbox_agent agent LEFT JOIN inbox_team_members mine ON mine.agent_id = agent.id
        WHERE agent.id = ANY(%s) AND agent.is_active GROUP BY agent.id
    ) standing GROUP BY is_admin, teams
) alike), '[]'::json),
coalesce((SELECT json_agg(json_build_array(team.id, team.private, link.channel_id)) FROM inbox_team team
    LEFT JOIN inbox_channel_teams link ON link.team_id = team.id), '[]'::json)
"""


def groups_of(agents: set[int]) -> list[tuple[access.Sight, list[int]]]:
    """These agents as they are now, together with whom they share what they see: one query however many they are.

    The database lays them together: this is asked before each frame, and hundreds of rows, let alone of objects, would
    take longer than all the rest of it.
    """
    with connection.cursor() as cursor:
        cursor.execute(STANDING, [list(agents)])
        alike, teams = cursor.fetchone()
    return [
        (access.Sight.of({team for team in mine if team is not None}, is_admin, teams), members)
        for is_admin, mine, members in alike
    ]


def prepare(
    batch: set[int], agents: set[int], languages: set[str], since: datetime | None = None
) -> tuple[dict[int, Row], dict[int, Sees]]:
    """The rows of these tickets in each language, and what each agent is told of them; an agent who left is missing.

    Told is also who lost one of them since `since`, or lately.
    """
    lately = (since or timezone.now()) - LOOK_BACK
    found_rows = lists.answered_beside(Ticket.objects.filter(pk__in=batch)).annotate(moves=_moves(lately))
    tickets = list(found_rows.select_related("customer", "reply_channel", "assignee"))
    rows = {ticket.number: Row(ticket.updated_at, {}) for ticket in tickets}
    for language in languages:
        with translation.override(language):
            for ticket in tickets:
                rows[ticket.number].html[language] = get_template("inbox/_row.html").render({"ticket": ticket})
    former = as_they_were(tickets)
    theirs: dict[int, set[int]] = {}
    once_theirs: dict[int, set[int]] = {}
    for ticket in tickets:
        if ticket.assignee_id is not None:
            theirs.setdefault(ticket.assignee_id, set()).add(ticket.number)
    for old in former:
        if old.assignee_id is not None:
            once_theirs.setdefault(old.assignee_id, set()).add(old.number)
    found: dict[int, Sees] = {}
    for sight, members in groups_of(agents):
        shown = frozenset(ticket.number for ticket in tickets if sight.shows(ticket))
        was_shown = frozenset(old.number for old in former if sight.shows(old))
        rights = rights_by(sight)
        shared = Sees(shown, was_shown - shown, rights)
        for agent in members:
            if agent in theirs or agent in once_theirs:
                visible = shown | theirs.get(agent, set())
                found[agent] = Sees(visible, (was_shown | once_theirs.get(agent, set())) - visible, rights)
            else:
                found[agent] = shared
    return rows, found


def who_sees(numbers: set[int], agents: set[int], since: datetime | None = None) -> dict[int, frozenset[int]]:
    """Of these tickets those that each of these agents sees, or saw `since` then, before it was given away."""
    found_tickets = Ticket.objects.filter(pk__in=numbers).only("number", "assignee", "team", "channel", "also_channels")
    if since is not None:
        found_tickets = found_tickets.annotate(moves=_moves(since))
    tickets = list(found_tickets)
    tickets += as_they_were(tickets) if since is not None else []
    theirs: dict[int, set[int]] = {}
    for ticket in tickets:
        if ticket.assignee_id is not None:
            theirs.setdefault(ticket.assignee_id, set()).add(ticket.number)
    found = {}
    for sight, members in groups_of(agents):
        shown = frozenset(ticket.number for ticket in tickets if sight.shows(ticket))
        for agent in members:
            found[agent] = shown | theirs[agent] if agent in theirs else shown
    return found


def _moves(since: datetime) -> ArraySubquery:
    """For a ticket's row: what the log says of each time that it was given to somebody since then."""
    moves = Event.objects.filter(ticket=OuterRef("pk"), kind="assigned", at__gt=since).order_by("pk")
    return ArraySubquery(moves.values("data"))


def as_they_were(tickets: list[Ticket]) -> list[Ticket]:
    """These tickets with the people and teams they were taken from lately: who saw them so is told that they left."""
    former = []
    for ticket in tickets:
        for data in ticket.moves:  # type: ignore[attr-defined]
            old = copy(ticket)
            old.assignee_id = data.get("from")
            old.team_id = data.get("team_from", old.team_id)
            former.append(old)
    return former


def missed(since: datetime, most: int) -> list[tuple[int, datetime]]:
    """Tickets that changed since then, each with when, the newest first: `most`, and one more if there are more."""
    changed = Ticket.objects.filter(updated_at__gt=since - LOOK_BACK).order_by("-updated_at")
    return list(changed.values_list("number", "updated_at")[: most + 1])


def since(changed: list[tuple[int, datetime]], moment: datetime, most: int) -> set[int] | None:
    """Of what `missed` found, what changed since this moment, or None if that is more than `most`."""
    found = {number for number, at in changed if at > moment - LOOK_BACK}
    return found if len(found) <= most else None


def told_last(agents: set[int]) -> dict[int, datetime]:
    """When each of these agents was last notified of something; missing is who never was."""
    newest = Notification.objects.filter(agent=OuterRef("pk")).order_by("-pk").values("created_at")[:1]
    found = Agent.objects.filter(pk__in=agents).annotate(at=Subquery(newest)).values_list("pk", "at")
    return {pk: at for pk, at in found if at is not None}


def see(claims: dict[tuple[int, int], int | None]) -> None:
    """Mark as read what agents have before them, as far as they may see it."""
    sees = who_sees({ticket for _agent, ticket in claims}, {agent for agent, _ticket in claims})
    attention.see({key: message for key, message in claims.items() if key[1] in sees.get(key[0], ())})


def faces(agents: set[int]) -> tuple[dict[int, dict[str, str]], set[int]]:
    """Names and avatars of these agents, for whoever looks; and those of them who say that they are away."""
    found = Agent.objects.in_bulk(agents)
    shown = {pk: {"name": str(agent), "face": str(face(agent, pk))} for pk, agent in found.items()}
    return shown, {pk for pk, agent in found.items() if agent.away}


def count_for(agents: set[int]) -> dict[int, dict[str, str]]:
    """The sidebar's counts of each agent: what agents of equal permission share is counted once, theirs beside it.

    A fixed number of queries for each group, and none for an agent: this runs every two seconds for all who are here.
    """
    groups = groups_of(agents)
    mine = mine_of(agents)
    waits = set(Mention.objects.filter(agent__in=agents, seen_at__isnull=True).values_list("agent", flat=True))
    # Objects only of one agent of each group, and of those who are mentioned.
    people = Agent.objects.in_bulk({members[0] for _sight, members in groups} | waits)
    found: dict[int, dict[str, str]] = {}
    mentioned: dict[str, TicketQuerySet] = {}
    for sight, members in groups:
        for pk in members:
            if pk in people:
                people[pk]._sight = sight  # type: ignore[attr-defined]
            if pk in waits:
                mentioned[str(pk)] = default_views.to_count(people[pk], default_views.VIEWS["mentions"])
        one = people[members[0]]
        views = default_views.counted(one, own=False)
        shared = default_views.counts({key: default_views.to_count(one, view) for key, view in views.items()})
        found |= {pk: {**shared, "mine": default_views.spoken(mine.get(pk, 0)), "mentions": ""} for pk in members}
    for key, number in default_views.counts(mentioned).items():
        found[int(key)]["mentions"] = number
    return found


def mine_of(agents: set[int]) -> dict[int, int]:
    """How many open tickets are given to each of these agents, counted up to what a count says at most."""
    theirs = Ticket.objects.of(OuterRef("pk")).filter(snoozed_until__isnull=True)
    some = ArraySubquery(theirs.values("pk")[: default_views.MOST + 1])
    people = Agent.objects.filter(pk__in=agents).annotate(
        n=Func(some, function="cardinality", output_field=IntegerField())
    )
    return dict(people.values_list("pk", "n"))
