"""Teams, and the roles and state of agents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions.errors import ActionError
from inbox.models import Agent, Role, Team
from inbox.rights import Right, require

AGENT_FIELDS = ("role", "is_active", "away", "name", "skills", "languages")


def create(*, by: Agent, members: Iterable[Agent] = (), **fields: Any) -> Team:
    require(by, Right.TEAMS)
    with transaction.atomic():
        team = Team.objects.create(**fields)
        log.record(None, "team_created", by=by, team=team.pk)
        set_members(team, members, by=by)
    return team


def update(team: Team, *, by: Agent, members: Iterable[Agent] | None = None, **changes: Any) -> Team:
    """Change what is named; `members` are all who are to be in it."""
    require(by, Right.TEAMS)
    with transaction.atomic():
        row = Team.objects.select_for_update(no_key=True).get(pk=team.pk)
        changed = [name for name, value in changes.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, changes[name])
        if changed:
            row.save(update_fields=changed)
            log.record(None, "team_changed", by=by, team=row.pk, fields=sorted(changed))
        if members is not None:
            set_members(row, members, by=by)
    return row


def set_members(team: Team, members: Iterable[Agent], *, by: Agent) -> None:
    """Let exactly these be in the team; call it inside the transaction."""
    wanted = {agent.pk for agent in members}
    before = set(team.members.values_list("pk", flat=True))
    if wanted != before:
        team.members.set(wanted)
        log.record(
            None,
            "team_members_changed",
            by=by,
            team=team.pk,
            added=sorted(wanted - before),
            removed=sorted(before - wanted),
        )


def delete(team: Team, *, by: Agent) -> None:
    """Dissolve a team. Raises ActionError where everybody would see then what only its members saw."""
    require(by, Right.TEAMS)
    with transaction.atomic():
        row = Team.objects.select_for_update().get(pk=team.pk)
        if row.channels.exists() or (row.private and row.tickets.exists()):
            raise ActionError(_("This team still has tickets or channels. Give them to another team first."), "in_use")
        log.record(None, "team_deleted", by=by, team=row.pk)
        row.delete()


def update_agent(agent: Agent, *, by: Agent, teams: Sequence[Team] | None = None, **changes: Any) -> Agent:
    """Change the role, the state or the teams of an agent; `teams` are all, of those that `by` sees.

    Raises ActionError when nobody could administer Rabta afterwards, ValueError for a field that is not for editing.
    """
    require(by, Right.PEOPLE)
    if unknown := set(changes) - set(AGENT_FIELDS):
        raise ValueError(f"not editable: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        # All administrators: two of them may be switching off each other at this moment.
        admins = set(
            Agent.objects.select_for_update(no_key=True)
            .filter(role=Role.ADMIN, is_active=True, is_bot=False)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        row = Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
        changed = [name for name, value in changes.items() if getattr(row, name) != value]
        for name in changed:
            setattr(row, name, changes[name])
        stays = row.role == Role.ADMIN and row.is_active
        if not stays and admins == {row.pk}:
            raise ActionError(_("This is the last administrator. Make somebody else one first."), "last_admin")
        if changed:
            row.save(update_fields=changed)
            log.record(None, "agent_changed", by=by, agent=row.pk, fields=sorted(changed))
        if teams is not None:
            _set_teams(row, teams, by)
    return row


def _set_teams(agent: Agent, teams: Sequence[Team], by: Agent) -> None:
    from inbox import access

    seen = set(access.teams(by).values_list("pk", flat=True))
    before = set(agent.teams.filter(pk__in=seen).values_list("pk", flat=True))
    wanted = {team.pk for team in teams}
    if wanted != before:
        agent.teams.remove(*(before - wanted))
        agent.teams.add(*(wanted - before))
        log.record(
            None,
            "agent_teams_changed",
            by=by,
            agent=agent.pk,
            added=sorted(wanted - before),
            removed=sorted(before - wanted),
        )
