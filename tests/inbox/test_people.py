"""Who works here: invitations, the last admin, what ends with whom; and the races in all that."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.utils import timezone

from api.models import ApiToken
from inbox import sessions
from inbox.actions import people, teams
from inbox.actions.errors import ActionError
from inbox.models import Agent, Channel, Event, Invitation, LogIn, Role, Team
from tests.cast import bilal, lena, member, omar, sana, support, team, zoya

__all__ = ["bilal", "lena", "omar", "sana", "support", "team", "zoya"]


def told(kind: str) -> dict[str, Any]:
    """What the last event of this kind holds."""
    event = Event.objects.filter(kind=kind, ticket__isnull=True).latest("pk")
    return {"by": event.actor_id, **event.data}


def session_of(agent: Agent, *, known: bool = True) -> str:
    """A session as a log-in leaves it; one from before there were log-ins is not `known`."""
    store = SessionStore()
    store[SESSION_KEY], store[HASH_SESSION_KEY] = str(agent.pk), agent.get_session_auth_hash()
    store.create()
    if known:
        LogIn.objects.create(agent=agent, session=store.session_key, address="192.0.2.7")
    return str(store.session_key)


# Invitations ---------------------------------------------------------------------------------------------------------


def test_an_invitation_is_kept_as_a_digest_and_works_once(zoya: Agent, team: Team) -> None:
    invitation, token = people.invite(" New@Example.org ", Role.AGENT, by=zoya, name="Noor", teams=[team])
    row = Invitation.objects.values().get()
    assert token not in str(row) and row["email"] == "new@example.org"
    assert told("agent_invited") == {"by": zoya.pk, "invitation": invitation.pk, "role": "agent", "teams": [team.pk]}
    agent = people.accept(token, "Noor Jehan", "a good long one")
    assert (agent.email, agent.name, agent.role) == ("new@example.org", "Noor Jehan", "agent")
    assert agent.check_password("a good long one") and list(agent.teams.all()) == [team]
    assert told("invitation_accepted")["by"] == agent.pk and not Invitation.objects.exists()
    with pytest.raises(ActionError) as again:
        people.accept(token, "Somebody else", "another long one")
    assert again.value.code == "invitation_gone"


def test_no_event_holds_an_address_a_name_or_a_token(zoya: Agent) -> None:
    invitation, token = people.invite("new@example.org", Role.AGENT, by=zoya, name="Noor")
    invitation, second = people.renew(invitation, by=zoya)
    agent = people.accept(second, "Noor", "a good long one")
    people.change(agent, by=zoya, name="Noor Jehan", role=Role.MANAGER)
    people.switch_off(agent, by=zoya)
    kept = str(list(Event.objects.filter(ticket__isnull=True).values_list("data", flat=True)))
    for secret in ("new@example.org", "Noor", token, second):
        assert secret not in kept


def test_sending_again_replaces_the_link(zoya: Agent) -> None:
    invitation, first = people.invite("new@example.org", Role.AGENT, by=zoya)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(hours=1))
    assert people.invitation_of(first) is None
    _row, second = people.renew(invitation, by=zoya)
    assert people.invitation_of(first) is None and people.invitation_of(second) == invitation
    assert Invitation.objects.get().expires_at > timezone.now() + timedelta(days=6, hours=23)
    people.withdraw(invitation, by=zoya)
    assert people.invitation_of(second) is None
    for gone in (people.renew, people.withdraw):
        with pytest.raises(ActionError):
            gone(invitation, by=zoya)


@pytest.mark.parametrize("age", [timedelta(0), timedelta(seconds=1), timedelta(days=400)])
def test_an_old_link_opens_nothing(zoya: Agent, age: timedelta) -> None:
    _invitation, token = people.invite("new@example.org", Role.ADMIN, by=zoya)
    Invitation.objects.update(expires_at=timezone.now() - age)
    with pytest.raises(ActionError):
        people.accept(token, "Late", "a good long one")
    assert not Agent.objects.filter(email="new@example.org").exists()


@pytest.mark.parametrize("email", ["sana@example.org", "SANA@Example.org", " sana@example.org "])
def test_who_is_here_is_not_invited(zoya: Agent, sana: Agent, email: str) -> None:
    with pytest.raises(ActionError) as refused:
        people.invite(email, Role.AGENT, by=zoya)
    assert refused.value.code == "agent_exists"


def test_nobody_is_invited_twice(zoya: Agent) -> None:
    people.invite("new@example.org", Role.AGENT, by=zoya)
    with pytest.raises(ActionError) as refused:
        people.invite("NEW@example.org", Role.ADMIN, by=zoya)
    assert refused.value.code == "invited_already"


def test_somebody_who_came_in_otherwise_meanwhile_is_told(zoya: Agent) -> None:
    _invitation, token = people.invite("new@example.org", Role.AGENT, by=zoya)
    Agent.objects.create_user("New@example.org", name="Noor")
    with pytest.raises(ActionError) as refused:
        people.accept(token, "Noor", "a good long one")
    assert refused.value.code == "agent_exists"


def at_once(*works: Any) -> list[Any]:
    """What each returned or raised, all begun together, each on a connection of its own."""

    def run(work: Any) -> Any:
        try:
            return work()
        except ActionError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(run, works))


@pytest.mark.django_db(transaction=True)
def test_two_at_once_with_one_link_make_one_agent(zoya: Agent) -> None:
    _invitation, token = people.invite("new@example.org", Role.AGENT, by=zoya)
    found = at_once(*[lambda n=n: people.accept(token, f"Person {n}", "a good long one") for n in range(4)])
    assert sorted(isinstance(one, Agent) for one in found) == [False, False, False, True]
    assert Agent.objects.filter(email="new@example.org").count() == 1


# The last admin ------------------------------------------------------------------------------------------------------


def test_the_last_admin_stays(zoya: Agent, sana: Agent) -> None:
    attempts: list[Callable[[], Agent]] = [
        lambda: people.change(zoya, by=zoya, role=Role.AGENT),
        lambda: people.switch_off(zoya, by=zoya),
    ]
    for refused in attempts:
        with pytest.raises(ActionError) as error:
            refused()
        assert error.value.code == "last_admin"
    zoya.refresh_from_db()
    assert zoya.is_admin and zoya.is_active
    people.change(sana, by=zoya, role=Role.ADMIN)
    people.change(zoya, by=sana, role=Role.AGENT)
    assert told("role_changed") == {"by": sana.pk, "agent": zoya.pk, "from": "admin", "to": "agent"}


def test_admins_who_cannot_log_in_do_not_count(zoya: Agent) -> None:
    member("Off", Role.ADMIN, None)
    Agent.objects.filter(name="Off").update(is_active=False)
    bot = member("Bot", Role.ADMIN, None)
    Agent.objects.filter(pk=bot.pk).update(is_bot=True)
    with pytest.raises(ActionError) as error:
        people.switch_off(zoya, by=zoya)
    assert error.value.code == "last_admin"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["change", "switch_off"])
def test_two_admins_at_once_leave_one(zoya: Agent, omar: Agent, verb: str) -> None:
    Agent.objects.filter(pk=omar.pk).update(role=Role.ADMIN)

    def out(whom: Agent, by: Agent) -> Any:
        return people.change(whom, by=by, role=Role.AGENT) if verb == "change" else people.switch_off(whom, by=by)

    found = at_once(lambda: out(omar, zoya), lambda: out(zoya, omar))
    assert sum(isinstance(one, Agent) for one in found) == 1
    assert {one for one in found if isinstance(one, str)} <= {"no_admin", "last_admin"}
    assert Agent.objects.filter(role=Role.ADMIN, is_active=True).count() == 1


def test_an_admin_who_is_none_any_more_changes_nothing(zoya: Agent, omar: Agent, sana: Agent) -> None:
    Agent.objects.filter(pk=omar.pk).update(role=Role.ADMIN)
    people.change(omar, by=zoya, role=Role.AGENT)
    with pytest.raises(ActionError) as error:
        people.change(sana, by=omar, role=Role.ADMIN)  # a request that had begun before
    assert error.value.code == "no_admin"


# What ends with whom -------------------------------------------------------------------------------------------------


def test_switching_off_ends_sessions_and_tokens(zoya: Agent, sana: Agent, omar: Agent) -> None:
    kept = session_of(omar)
    for known in (True, False):
        session_of(sana, known=known)
    token, secret = ApiToken.objects.issue(sana, "write")
    people.switch_off(sana, by=zoya)
    assert list(Session.objects.values_list("session_key", flat=True)) == [kept]
    assert not LogIn.objects.filter(agent=sana).exists() and LogIn.objects.filter(agent=omar).exists()
    assert ApiToken.objects.find(secret) is None
    people.switch_on(sana, by=zoya)
    assert ApiToken.objects.find(secret) is None and ApiToken.objects.get(pk=token.pk).revoked_at is not None
    assert told("agent_switched_off") == told("agent_switched_on") == {"by": zoya.pk, "agent": sana.pk}
    before = Event.objects.count()
    people.switch_on(sana, by=zoya)
    assert Event.objects.count() == before  # nothing changed, nothing said


def test_ending_one_session_or_all_others(sana: Agent, omar: Agent) -> None:
    here, there, elsewhere = (session_of(sana) for _ in range(3))
    foreign = session_of(omar)
    assert people.end_sessions(sana, by=sana, only=foreign) == 0
    assert people.end_sessions(sana, by=sana, only=there) == 1
    assert {one.session for one in sessions.of(sana)} == {here, elsewhere}
    assert people.end_sessions(sana, by=sana, but=here) == 1
    assert [one.session for one in sessions.of(sana)] == [here]
    assert told("sessions_ended") == {"by": sana.pk, "agent": sana.pk, "count": 1}
    assert Session.objects.filter(session_key=foreign).exists()


def test_an_address_goes_with_its_session(sana: Agent) -> None:
    key = session_of(sana)
    Session.objects.filter(session_key=key).update(expire_date=timezone.now() - timedelta(days=2))
    assert sessions.of(sana) == []
    assert sessions.prune() == 1
    assert not LogIn.objects.exists() and not Session.objects.filter(session_key=key).exists()


def test_a_lost_phone(zoya: Agent, sana: Agent) -> None:
    key = session_of(sana)
    people.reset_second_factor(sana, by=zoya)
    assert Session.objects.filter(session_key=key).exists()  # there was nothing to reset
    for kind in ("totp", "recovery_codes"):
        Authenticator.objects.create(user=sana, type=kind, data={})
    people.reset_second_factor(sana, by=zoya)
    assert not Authenticator.objects.exists() and not Session.objects.filter(session_key=key).exists()
    assert told("second_factor_reset") == {"by": zoya.pk, "agent": sana.pk}


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Windows"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
            "Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 Mobile "
            "Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "CriOS/129.0 Mobile/15E148 Safari/604.1",
            "Chrome on iPhone",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/129.0 Safari/537.36 Edg/129.0", "Edge on Linux"),
        ("curl/8.5.0", "Unknown browser"),
        ("", "Unknown browser"),
        ("<script>" * 40, "Unknown browser"),
    ],
)
def test_a_browser_in_words(user_agent: str, words: str) -> None:
    assert sessions.described(user_agent) == words


# Teams ---------------------------------------------------------------------------------------------------------------


def test_a_team_says_what_changed(zoya: Agent, sana: Agent, bilal: Agent, support: Channel) -> None:
    made = teams.create("Returns", by=zoya, members=[bilal])
    assert made.slug == "returns" and told("team_joined") == {"by": zoya.pk, "agent": bilal.pk, "team": made.pk}
    teams.change(made, by=zoya, name="Returns", private=True, signature="", members=[sana], channels=[support])
    assert told("team_changed") == {"by": zoya.pk, "team": made.pk, "fields": ["private"], "private": True}
    assert told("team_left")["agent"] == bilal.pk and told("team_joined")["agent"] == sana.pk
    assert told("team_channels_changed")["added"] == [support.pk]
    before = Event.objects.count()
    teams.change(made, by=zoya, name="Returns", private=True, signature="", members=[sana], channels=[support])
    assert Event.objects.count() == before
    with pytest.raises(ActionError):
        teams.create("Returns", by=zoya)
    assert [teams.create(name, by=zoya).slug for name in ("واپسی", "شکایات", "Returns!")] == [
        "team",
        "team-2",
        "returns-2",
    ]


# What ends with an admin ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["switched off", "demoted"])
def test_an_ex_admin_does_not_come_back_by_invitation(zoya: Agent, bilal: Agent, how: str) -> None:
    boss = member("Boss", Role.ADMIN, None)
    invitation, token = people.invite("private@example.net", Role.ADMIN, by=zoya)
    other, others = people.invite("other@example.net", Role.AGENT, by=boss)
    renewed, _first = people.invite("renewed@example.net", Role.AGENT, by=zoya)
    _row, new = people.renew(renewed, by=boss)
    if how == "demoted":
        people.change(zoya, by=boss, role=Role.MANAGER)
    else:
        people.switch_off(zoya, by=boss)
    assert told("invitation_withdrawn") == {"by": boss.pk, "invitation": invitation.pk}
    with pytest.raises(ActionError) as gone:
        people.accept(token, "Zoya", "a good long one")
    assert gone.value.code == "invitation_gone" and people.invitation_of(token) is None
    assert set(Invitation.objects.values_list("pk", flat=True)) == {other.pk, renewed.pk}
    assert people.accept(others, "Other", "a good long one") and people.accept(new, "New", "a good long one")


@pytest.mark.parametrize("changes", [{"is_active": False}, {"role": Role.AGENT}])
def test_an_invitation_needs_an_inviter_who_may(zoya: Agent, changes: dict[str, Any]) -> None:
    """Also where a role was taken by other ways than these actions: by the command line, say."""
    _invitation, token = people.invite("new@example.org", Role.AGENT, by=zoya)
    _invitation, unsigned = people.invite("shell@example.org", Role.AGENT, by=None)
    Agent.objects.filter(pk=zoya.pk).update(**changes)
    assert people.invitation_of(token) is None
    with pytest.raises(ActionError):
        people.accept(token, "New", "a good long one")
    assert people.accept(unsigned, "Shell", "a good long one").email == "shell@example.org"


@pytest.mark.parametrize("how", ["sessions", "second factor", "off"])
def test_whoever_is_locked_out_keeps_no_token(zoya: Agent, sana: Agent, omar: Agent, how: str) -> None:
    token, _secret = ApiToken.objects.issue(sana, "write", "Import")
    other, _secret = ApiToken.objects.issue(omar, "write", "Import")
    Authenticator.objects.create(user=sana, type="totp", data={})
    if how == "sessions":  # also without a session that could end
        people.end_sessions(sana, by=zoya)
    elif how == "off":
        people.switch_off(sana, by=zoya)
    else:
        people.reset_second_factor(sana, by=zoya)
    token.refresh_from_db()
    other.refresh_from_db()
    assert token.revoked_at is not None and other.revoked_at is None
    assert told("token_revoked") == {"by": zoya.pk, "token": token.pk, "agent": sana.pk}


def test_ones_own_sessions_end_without_the_tokens(zoya: Agent) -> None:
    token, _secret = ApiToken.objects.issue(zoya, "admin", "Import")
    Authenticator.objects.create(user=zoya, type="totp", data={})
    key = session_of(zoya)
    people.end_sessions(zoya, by=zoya, only=key)
    people.end_sessions(zoya, by=zoya)
    people.reset_second_factor(zoya, by=zoya)
    token.refresh_from_db()
    assert token.revoked_at is None
    people.end_sessions(zoya, by=member("Boss", Role.ADMIN, None), only=session_of(zoya))
    token.refresh_from_db()
    assert token.revoked_at is None
