"""Who works here: invitations, roles, teams of a person, switching off and on, ending sessions.

Each change is an event without a ticket; whoever's sight or log-in changed, open pages hear of it on commit.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import files, live, locks, log, sessions
from inbox.actions.errors import ActionError
from inbox.models import Agent, Invitation, Role, Team

MOST_PHOTO = 2 * 1024 * 1024  # bytes
Farewell = Callable[[Agent, Agent], None]
_farewells: list[Farewell] = []


def when_locked_out(farewell: Farewell) -> Farewell:
    """Decorator: called with a person and an admin inside the transaction in which the latter locks the former out.

    For what else acts in their name.
    """
    _farewells.append(farewell)
    return farewell


def digest_of(token: str) -> str:
    """SHA-256 in hex. No salt or stretching: the token is 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def tell(agents: Iterable[int]) -> None:
    """On commit, pages of these people look anew at who they are and what they see."""
    transaction.on_commit(partial(live.announce_people, list(agents)), robust=True)


# Invitations ---------------------------------------------------------------------------------------------------------


def invite(
    email: str, role: str, *, by: Agent | None, name: str = "", teams: Iterable[Team] = ()
) -> tuple[Invitation, str]:
    """An invitation and the token of its link, which is told this once. Raises ActionError for who is here already."""
    email = email.strip().lower()
    if Agent.objects.filter(email__iexact=email).exists():
        raise ActionError(_("%(email)s is here already: see the list of people.") % {"email": email}, "agent_exists")
    token = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            invitation = Invitation.objects.create(
                email=email, name=name, role=role, digest=digest_of(token), invited_by=by, expires_at=_in_time()
            )
            invitation.teams.set(teams)
            log.record(
                None, "agent_invited", by=by, invitation=invitation.pk, role=role, teams=sorted(one.pk for one in teams)
            )
    except IntegrityError as error:
        raise ActionError(
            _("%(email)s was invited already: send that invitation again instead.") % {"email": email},
            "invited_already",
        ) from error
    return invitation, token


def renew(invitation: Invitation, *, by: Agent) -> tuple[Invitation, str]:
    """A new link with a new term; the old one stops working. Raises ActionError when it is no longer open."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        row = _open(invitation)
        row.digest, row.expires_at, row.invited_by = digest_of(token), _in_time(), by
        row.save(update_fields=["digest", "expires_at", "invited_by"])
        log.record(None, "invitation_renewed", by=by, invitation=row.pk)
    return row, token


def withdraw(invitation: Invitation, *, by: Agent) -> None:
    with transaction.atomic():
        _withdraw(_open(invitation), by)


def _withdraw(row: Invitation, by: Agent) -> None:
    log.record(None, "invitation_withdrawn", by=by, invitation=row.pk)
    row.delete()


def _withdraw_those_of(agent: Agent, by: Agent) -> None:
    """Whoever is no admin any more invites nobody: not themselves under another address, and not as an admin."""
    for row in Invitation.objects.select_for_update().filter(invited_by=agent).order_by("pk"):
        _withdraw(row, by)


def _working(token: str) -> QuerySet[Invitation]:
    """The invitation of this link, if it works: in time, and by an active admin or from the command line."""
    by_whom = Q(invited_by__isnull=True) | Q(invited_by__in=_admins())
    return Invitation.objects.filter(by_whom, digest=digest_of(token), expires_at__gt=timezone.now())


def invitation_of(token: str) -> Invitation | None:
    """The invitation of a link that still works."""
    return _working(token).first()


def accept(token: str, name: str, password: str | None) -> Agent:
    """Become an agent by an invitation, once. Raises ActionError when the link works no longer."""
    with transaction.atomic():
        row = _working(token).select_for_update(of=("self",)).first()
        if row is None:
            raise ActionError(_("This invitation works no longer. Ask an admin for a new one."), "invitation_gone")
        if Agent.objects.filter(email__iexact=row.email).exists():
            raise ActionError(_("You are here already: log in."), "agent_exists")
        agent = Agent.objects.create_user(row.email, password, name=name, role=row.role)
        teams = list(row.teams.all())
        agent.teams.set(teams)
        log.record(
            None, "invitation_accepted", by=agent, invitation=row.pk, role=agent.role, teams=sorted(t.pk for t in teams)
        )
        row.delete()
    return agent


def begin(email: str, name: str, password: str) -> Agent:
    """The first person of a new organisation, an admin. Raises ActionError when somebody is here already."""
    with transaction.atomic():
        with connection.cursor() as cursor:  # of two who open the link at once, one is the first
            cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [locks.FIRST_PERSON])
        if Agent.objects.filter(is_bot=False).exists():
            raise ActionError(_("Somebody is here already: log in, or let them invite you."), "agent_exists")
        email = email.strip().lower()
        if Agent.objects.filter(email__iexact=email).exists():
            raise ActionError(_("A bot has this address already. Take another one."), "email")
        agent = Agent.objects.create_user(email, password, name=name, role=Role.ADMIN)
        log.record(None, "agent_created", by=agent, agent=agent.pk, role=agent.role)
    return agent


def _in_time() -> datetime:
    return timezone.now() + timedelta(days=settings.INVITATION_DAYS)


def _open(invitation: Invitation) -> Invitation:
    row = Invitation.objects.select_for_update().filter(pk=invitation.pk).first()
    if row is None:
        raise ActionError(_("This invitation is no longer open."), "invitation_gone")
    return row


# People --------------------------------------------------------------------------------------------------------------


OF_A_PERSON = ("name", "away", "skills", "languages")


def change(
    agent: Agent, *, by: Agent, role: str | None = None, teams: Iterable[Team] | None = None, **changes: Any
) -> Agent:
    """Change the role, the teams, or one of OF_A_PERSON; None leaves a role or the teams as they are.

    Raises ActionError where nobody would be left to administer, ValueError for a field that is not for editing.
    """
    if unknown := set(changes) - set(OF_A_PERSON):
        raise ValueError(f"not editable: {', '.join(sorted(unknown))}")
    with transaction.atomic():
        row = _locked(agent, by)
        if role is not None and role != row.role:
            if row.role == Role.ADMIN:
                _not_the_last(row)
                _withdraw_those_of(row, by)
            log.record(None, "role_changed", by=by, agent=row.pk, **{"from": row.role, "to": role})
            row.role = role
            row.save(update_fields=["role"])
            tell([row.pk])
        if fields := sorted(name for name, value in changes.items() if getattr(row, name) != value):
            for name in fields:
                setattr(row, name, changes[name])
            row.save(update_fields=fields)
            log.record(None, "agent_changed", by=by, agent=row.pk, fields=fields)
        if teams is not None:
            _set_teams(row, list(teams), by)
    return row


def _set_teams(row: Agent, teams: list[Team], by: Agent) -> None:
    before = set(row.teams.values_list("pk", flat=True))
    after = {team.pk for team in teams}
    if before != after:
        row.teams.set(teams)
        for team in sorted(after - before):
            log.record(None, "team_joined", by=by, agent=row.pk, team=team)
        for team in sorted(before - after):
            log.record(None, "team_left", by=by, agent=row.pk, team=team)
        tell([row.pk])


def switch_off(agent: Agent, *, by: Agent) -> Agent:
    """They can no longer log in; their sessions, open pages, API tokens and invitations end now.

    Their tickets stay as they are.
    """
    with transaction.atomic():
        row = _locked(agent, by)
        if not row.is_active:
            return row
        if row.role == Role.ADMIN:
            _not_the_last(row)
        row.is_active = False
        row.save(update_fields=["is_active"])
        log.record(None, "agent_switched_off", by=by, agent=row.pk)
        sessions.end_all(row)
        _withdraw_those_of(row, by)
        _lock_out(row, by)
        tell([row.pk])
    return row


def switch_on(agent: Agent, *, by: Agent) -> Agent:
    with transaction.atomic():
        row = _locked(agent, by)
        if not row.is_active:
            row.is_active = True
            row.save(update_fields=["is_active"])
            log.record(None, "agent_switched_on", by=by, agent=row.pk)
    return row


def end_sessions(agent: Agent, *, by: Agent, only: str = "", but: str = "") -> int:
    """End the sessions of this person: all, or `only` one, or all `but` one (keys). Returns how many ended.

    Where somebody else ends them all, API tokens of this person end with them: whoever has one would still be in.
    """
    with transaction.atomic():
        ended = sessions.end(agent, only) if only else sessions.end_all(agent, but=but)
        if ended:
            log.record(None, "sessions_ended", by=by, agent=agent.pk, count=ended)
            tell([agent.pk])
        if agent.pk != by.pk and not only:
            _lock_out(agent, by)
    return ended


def _lock_out(agent: Agent, by: Agent) -> None:
    for farewell in _farewells:
        farewell(agent, by)


def reset_second_factor(agent: Agent, *, by: Agent) -> None:
    """Forget their authenticator app, passkeys, recovery codes and tie to the organisation's own log-in.

    Their sessions and API tokens end, too: the phone may be stolen, and whoever has it may have made a token.
    """
    with transaction.atomic():
        row = _locked(agent, by)
        forgotten = [kind.objects.filter(user=row).delete()[0] for kind in (Authenticator, SocialAccount)]
        if not any(forgotten):
            return
        log.record(None, "second_factor_reset", by=by, agent=row.pk)
        if row.pk != by.pk:
            sessions.end_all(row)
            _lock_out(row, by)
        tell([row.pk])


def _locked(agent: Agent, by: Agent) -> Agent:
    """The person's row, with those of all active admins locked first, so that two admins at once see each other.

    Raises ActionError when `by` lost their right in the meantime.
    """
    admins = list(_admins().select_for_update(no_key=True).order_by("pk"))
    if by.pk not in {one.pk for one in admins}:
        raise ActionError(_("You are no longer an admin; somebody changed that a moment ago."), "no_admin")
    return next((one for one in admins if one.pk == agent.pk), None) or Agent.objects.select_for_update(
        no_key=True
    ).get(pk=agent.pk)


def _admins() -> QuerySet[Agent]:
    return Agent.objects.filter(role=Role.ADMIN, is_active=True, is_bot=False)


def _not_the_last(row: Agent) -> None:
    """With all admins' rows locked. Raises ActionError when nobody else could administer."""
    if not _admins().exclude(pk=row.pk).exists() and row.is_active:
        raise ActionError(
            _("%(name)s is the only admin. Make somebody else an admin first.") % {"name": row}, "last_admin"
        )


def set_density(agent: Agent, density: str) -> None:
    """How close the rows of lists stand on this person's screens; what is no density changes nothing."""
    if density in {"roomy", "compact"} and density != agent.density:
        agent.density = density
        agent.save(update_fields=["density"])


def set_photo(agent: Agent, content: bytes | None) -> None:
    """Show this picture of an agent to colleagues, or (None) their initials again. Raises ActionError for no picture,
    and for one that is too large.
    """
    before = agent.photo
    if content is None:
        agent.photo = ""
    elif not files.picture_type(content):
        raise ActionError(_("Choose a picture: PNG, JPEG, WebP or GIF."), "no_picture")
    elif len(content) > MOST_PHOTO:
        raise ActionError(_("This picture is too large; take one of at most 2 MB."), "too_large")
    else:
        agent.photo = files.put("photos", content)[0]
    if agent.photo != before:
        agent.save(update_fields=["photo"])
        if before and not Agent.objects.filter(photo=before).exists():
            files.erase(before)
