"""The pages of people, teams, one's own account and the audit log: who may open them, what they do and cost."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings as configured
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inbox import audit, log, post
from inbox.actions import people
from inbox.models import Agent, Channel, Event, Invitation, LogIn, Role, Team
from tests.cast import member
from tests.inbox.views.conftest import Desk


@pytest.fixture(autouse=True)
def unused_counts(settings: Any) -> None:
    settings.CACHES = {"default": {**configured.CACHES["default"], "KEY_PREFIX": f"test-{uuid4()}"}}


@pytest.fixture
def as_zoya(zoya: Agent) -> Desk:
    return Desk(zoya)


@pytest.fixture
def as_manager(team: Team) -> Desk:
    return Desk(member("Mariam", Role.MANAGER, team))


ADMINS = ["settings/people/", "settings/people/invite/", "settings/people/{sana}/", "settings/audit/"]
DOINGS = ["settings/people/{sana}/account/", "settings/people/invitations/{invitation}/", "settings/people/{sana}/"]


@pytest.fixture
def paths(sana: Agent, team: Team, zoya: Agent) -> dict[str, int]:
    invitation, _token = people.invite("new@example.org", Role.AGENT, by=zoya)
    return {"sana": sana.pk, "team": team.pk, "invitation": invitation.pk}


# Who may ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ADMINS)
def test_admins_alone_manage_people(
    path: str, paths: dict[str, int], as_zoya: Desk, as_manager: Desk, as_sana: Desk, as_lena: Desk, as_bilal: Desk
) -> None:
    address = "/" + path.format(**paths)
    assert as_zoya.get(address).status_code == 200
    for desk in (as_manager, as_sana, as_lena, as_bilal):
        assert desk.get(address).status_code == 403
    assert Client().get(address).status_code == 302


@pytest.mark.parametrize("path", DOINGS)
@pytest.mark.parametrize(
    "do", ["switch-off", "reset-second-factor", "password-link", "end-sessions", "withdraw", "renew"]
)
def test_nobody_else_does_anything_to_people(
    path: str, do: str, paths: dict[str, int], as_manager: Desk, as_sana: Desk, as_lena: Desk, as_bilal: Desk
) -> None:
    before = Event.objects.count()
    for desk in (as_manager, as_sana, as_lena, as_bilal):
        body = {"do": do, "role": "admin", "name": "X"}
        assert desk.post("/" + path.format(**paths), body).status_code == 403
    assert Event.objects.count() == before and Invitation.objects.count() == 1
    assert Agent.objects.get(pk=paths["sana"]).role == Role.AGENT


def test_managers_change_the_teams_they_see(
    team: Team, as_manager: Desk, as_zoya: Desk, as_sana: Desk, as_lena: Desk, as_bilal: Desk, bilal: Agent
) -> None:
    other = Team.objects.create(name="Secret", slug="secret", private=True)
    open_one = Team.objects.create(name="Open", slug="open")
    shown = as_manager.get("/settings/teams/").content.decode()
    assert "Support" in shown and "Open" in shown and "Secret" not in shown
    assert as_manager.get(f"/settings/teams/{open_one.pk}/").status_code == 200
    body = {"name": "Mine", "members": [bilal.pk]}
    for ask in (as_manager.get, lambda path: as_manager.post(path, body)):
        assert ask(f"/settings/teams/{other.pk}/").status_code == 404
    other.refresh_from_db()
    assert other.name == "Secret"
    assert "Secret" in as_zoya.get("/settings/teams/").content.decode()  # settings, not tickets
    for desk in (as_sana, as_lena, as_bilal):
        assert desk.get("/settings/teams/").status_code == 403
        assert desk.post(f"/settings/teams/{team.pk}/", body).status_code == 403
        assert desk.post("/settings/teams/new/", body).status_code == 403
    assert as_manager.post(f"/settings/teams/{team.pk}/", {**body, "members": []}).status_code == 302
    team.refresh_from_db()
    assert team.name == "Mine" and not team.members.exists() and not team.private


def test_channels_that_a_manager_does_not_see_stay_as_they_are(as_manager: Desk, support: Channel, team: Team) -> None:
    hidden = Channel.objects.create(kind="email", name="Board", slug="board")
    hidden.teams.add(Team.objects.create(name="Board", slug="board"))
    team.channels.add(hidden)
    team.members.clear()
    team.private = False
    team.save()
    page = as_manager.get(f"/settings/teams/{team.pk}/").content.decode()
    assert "Board" not in page.split("Signature")[0].split("Channels")[1]
    body = {"name": "Support", "channels": [hidden.pk]}
    assert as_manager.post(f"/settings/teams/{team.pk}/", body).status_code == 200  # not a choice of theirs
    assert as_manager.post(f"/settings/teams/{team.pk}/", {"name": "Support"}).status_code == 302
    assert set(team.channels.all()) == {hidden, support}


# Inviting -----------------------------------------------------------------------------------------------------------


def link_in(text: str) -> str:
    found = re.search(r"http://testserver(/invitation/[\w-]+/)", text)
    assert found, text
    return found[1]


def test_from_invitation_to_inbox(as_zoya: Desk, team: Team, client: Client) -> None:
    body = {"email": "Noor@Example.org", "name": "Noor", "role": "manager", "teams": [team.pk]}
    page = as_zoya.post("/settings/people/invite/", body)
    assert page.status_code == 200 and "no-store" in page["Cache-Control"]
    (letter,) = mail.outbox
    assert letter.to == ["noor@example.org"] and "Zoya" in letter.subject
    link = link_in(str(letter.body))
    assert link_in(page.content.decode()) == link
    listed = as_zoya.get("/settings/people/").content.decode()
    assert "noor@example.org" in listed and link not in listed
    assert "noor@example.org" in client.get(link).content.decode()
    for weak in ("short", "password123", "1234567890", "noor@example.org"):
        answer = client.post(link, {"name": "Noor", "password": weak})
        assert answer.status_code == 200 and "errorlist" in answer.content.decode()
    assert not Agent.objects.filter(email="noor@example.org").exists()
    answer = client.post(link, {"name": "Noor Jehan", "password": "seven green parrots"})
    assert answer.status_code == 302 and answer["Location"] == "/"
    assert client.get("/").status_code == 200
    noor = Agent.objects.get(email="noor@example.org")
    assert noor.role == "manager" and noor.name == "Noor Jehan" and list(noor.teams.all()) == [team]
    assert LogIn.objects.filter(agent=noor).count() == 1 and noor.last_seen_at is not None
    assert Client().get(link).status_code == Client().post(link, {"name": "x", "password": "y"}).status_code == 404


HOSTILE = [
    "x",
    "x" * 43,
    "%00",
    "../../settings",
    "' OR 1=1 --",
    "null",
    "undefined",
    "🙂" * 10,
    "a" * 4000,
    "-" * 43,
    "%",
    " ",
]


@pytest.mark.parametrize("token", HOSTILE)
def test_tokens_that_are_none_open_nothing(paths: dict[str, int], client: Client, token: str) -> None:
    address = "/invitation/" + token.replace("/", "%2F") + "/"
    for answer in (client.get(address), client.post(address, {"name": "Eve", "password": "seven green parrots"})):
        assert answer.status_code == 404
        assert "new@example.org" not in answer.content.decode()
    assert Invitation.objects.count() == 1 and not Agent.objects.filter(name="Eve").exists()


def test_the_invited_choose_neither_role_nor_address(zoya: Agent, client: Client) -> None:
    _invitation, token = people.invite("new@example.org", Role.LIGHT, by=zoya)
    body = {
        "name": "Noor",
        "password": "seven green parrots",
        "role": "admin",
        "email": "zoya@example.org",
        "is_bot": "1",
    }
    assert client.post(f"/invitation/{token}/", body).status_code == 302
    agent = Agent.objects.get(email="new@example.org")
    assert agent.role == Role.LIGHT and not agent.is_bot and not agent.is_superuser


def test_an_admin_who_tries_the_link_is_not_mixed_up(as_zoya: Desk, zoya: Agent) -> None:
    _invitation, token = people.invite("new@example.org", Role.LIGHT, by=zoya)
    as_zoya.post(f"/invitation/{token}/", {"name": "Noor", "password": "seven green parrots"})
    assert as_zoya.get("/settings/people/").status_code == 403  # they are Noor now
    assert not LogIn.objects.filter(agent=zoya).exists()


@pytest.mark.parametrize(
    "body",
    [
        {"email": "no address", "role": "agent"},
        {"email": "", "role": "agent"},
        {"email": "n@example.org", "role": "owner"},
        {"email": "n@example.org", "role": ""},
        {"email": "n@example.org", "role": "agent", "teams": ["999999"]},
        {"email": "n@example.org", "role": "agent", "teams": ["x"]},
        {"email": "n@example.org", "role": "agent", "name": "x" * 201},
        {"email": "sana@example.org", "role": "agent"},
        {"email": "SANA@EXAMPLE.ORG", "role": "agent"},
        {"email": "a@example.org\nBcc: b@example.org", "role": "agent"},
    ],
)
def test_what_cannot_be_invited(as_zoya: Desk, sana: Agent, body: dict[str, Any]) -> None:
    answer = as_zoya.post("/settings/people/invite/", body)
    assert answer.status_code == 200 and "errorlist" in answer.content.decode()
    assert not Invitation.objects.exists() and not mail.outbox


def test_without_mail_the_link_is_there_to_copy(as_zoya: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "available", lambda: False)
    page = as_zoya.post("/settings/people/invite/", {"email": "n@example.org", "role": "agent"}).content.decode()
    assert "No mail was sent" in page and link_in(page) and not mail.outbox


def test_a_mail_server_that_refuses_is_said(as_zoya: Desk, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    page = as_zoya.post("/settings/people/invite/", {"email": "n@example.org", "role": "agent"}).content.decode()
    assert "The mail was not sent" in page and link_in(page)


def test_sending_again_and_withdrawing(as_zoya: Desk, paths: dict[str, int], client: Client) -> None:
    address = f"/settings/people/invitations/{paths['invitation']}/"
    first = link_in(as_zoya.post(address, {"do": "renew"}).content.decode())
    second = link_in(as_zoya.post(address, {"do": "renew"}).content.decode())
    assert client.get(first).status_code == 404 and client.get(second).status_code == 200
    assert as_zoya.post(address, {"do": "withdraw"}).status_code == 302
    assert client.get(second).status_code == 404
    assert as_zoya.post(address, {"do": "withdraw"}).status_code == 404


def test_inviting_has_its_limit(as_zoya: Desk, settings: Any) -> None:
    settings.LIMITS = {**settings.LIMITS, "invite": "2/h/user"}
    for number in range(3):
        answer = as_zoya.post("/settings/people/invite/", {"email": f"n{number}@example.org", "role": "agent"})
    assert "in an hour" in answer.content.decode() and Invitation.objects.count() == len(mail.outbox) == 2


def test_guessing_links_has_its_limit(client: Client, settings: Any, db: None) -> None:
    settings.LIMITS = {**settings.LIMITS, "accept": "2/m/ip"}
    codes = [client.post(f"/invitation/{'x' * 40}{n}/", {}).status_code for n in range(3)]
    assert codes == [404, 404, 429]


# One person ---------------------------------------------------------------------------------------------------------


def test_role_teams_and_name_of_a_person(as_zoya: Desk, sana: Agent, zoya: Agent) -> None:
    address = f"/settings/people/{sana.pk}/"
    assert as_zoya.post(address, {"name": "Sana M", "role": "manager", "teams": []}).status_code == 302
    sana.refresh_from_db()
    assert (sana.name, sana.role, sana.teams.count()) == ("Sana M", "manager", 0)
    for body in (
        {"name": "", "role": "agent"},
        {"name": "S", "role": "root"},
        {"name": "S", "role": "agent", "teams": "x"},
    ):
        assert "errorlist" in as_zoya.post(address, body).content.decode()
    answer = as_zoya.post(f"/settings/people/{zoya.pk}/", {"name": "Zoya", "role": "agent"})
    assert "only admin" in answer.content.decode()
    answer = as_zoya.client.post(f"/settings/people/{zoya.pk}/account/", {"do": "switch-off"}, follow=True)
    assert "only admin" in answer.content.decode()
    zoya.refresh_from_db()
    assert zoya.is_admin and zoya.is_active


def test_whoever_is_switched_off_is_out_at_once(as_zoya: Desk, as_sana: Desk, sana: Agent) -> None:
    assert as_sana.get("/").status_code == 200
    as_zoya.post(f"/settings/people/{sana.pk}/account/", {"do": "switch-off"})
    assert as_sana.get("/").status_code == 302
    assert "switched off" in as_zoya.get("/settings/people/").content.decode()
    as_zoya.post(f"/settings/people/{sana.pk}/account/", {"do": "switch-on"})
    assert as_sana.get("/").status_code == 302  # the old session stays dead
    sana.refresh_from_db()
    assert sana.is_active


def test_a_link_for_a_new_password(as_zoya: Desk, sana: Agent, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"/settings/people/{sana.pk}/account/"
    assert as_zoya.post(address, {"do": "password-link"}).status_code == 302
    (letter,) = mail.outbox
    assert letter.to == [sana.email]
    monkeypatch.setattr(post, "available", lambda: False)
    page = as_zoya.post(address, {"do": "password-link"}).content.decode()
    link = re.search(r"http://testserver(/accounts/password/reset/key/[\w-]+/)", page)
    assert link
    answer = client.get(link[1], follow=True)
    form = answer.request["PATH_INFO"]
    new = "seven green parrots"
    assert client.post(form, {"password1": new, "password2": new}).status_code == 302
    sana.refresh_from_db()
    assert sana.check_password(new)
    assert "works no longer" in Client().get(link[1], follow=True).content.decode()
    Agent.objects.filter(pk=sana.pk).update(is_active=False)
    assert as_zoya.post(address, {"do": "password-link"}).status_code == 302 and len(mail.outbox) == 1


def test_a_link_that_would_be_mailed_into_a_channel_is_shown(as_zoya: Desk, sana: Agent, support: Channel) -> None:
    Agent.objects.filter(pk=sana.pk).update(email="support+sana@example.org")
    page = as_zoya.post(f"/settings/people/{sana.pk}/account/", {"do": "password-link"}).content.decode()
    assert "one of your channels" in page and "/accounts/password/reset/key/" in page
    page = as_zoya.post("/settings/people/invite/", {"email": "Support@example.org", "role": "agent"}).content.decode()
    assert "one of your channels" in page and "/invitation/" in page and not mail.outbox


@pytest.mark.parametrize("do", ["", "delete", "switch", "__class__"])
def test_unknown_doings_are_not_there(as_zoya: Desk, sana: Agent, do: str) -> None:
    assert as_zoya.post(f"/settings/people/{sana.pk}/account/", {"do": do}).status_code == 404


def test_bots_are_no_people(as_zoya: Desk) -> None:
    bot = member("Robot", Role.AGENT, None)
    Agent.objects.filter(pk=bot.pk).update(is_bot=True)
    assert "Robot" not in as_zoya.get("/settings/people/").content.decode()
    assert as_zoya.get(f"/settings/people/{bot.pk}/").status_code == 404


# One's own ----------------------------------------------------------------------------------------------------------


def test_ones_profile(as_lena: Desk, lena: Agent) -> None:
    body = {
        "name": "Lena K",
        "signature": "Kind regards",
        "language": "ur",
        "theme": "dark",
        "time_zone": "Asia/Karachi",
        "away": "on",
        "after_send": "next",
    }
    assert as_lena.post("/settings/profile/", {**body, "role": "admin", "email": "x@example.org"}).status_code == 302
    lena.refresh_from_db()
    assert (lena.name, lena.signature, lena.language, lena.theme, lena.time_zone, lena.away, lena.role, lena.email) == (
        "Lena K", "Kind regards", "ur", "dark", "Asia/Karachi", True, "light", "lena@example.org",
    )  # fmt: skip
    assert lena.after_send == "next"
    event = Event.objects.get(kind="profile_changed")
    assert event.data == {"fields": ["name", "signature"]}
    for wrong in ({"name": ""}, {"language": "xx"}, {"theme": "pink"}, {"time_zone": "Mars/Olympus"}):
        assert "errorlist" in as_lena.post("/settings/profile/", {**body, **wrong}).content.decode()


def test_ones_log_ins(as_sana: Desk, sana: Agent, as_bilal: Desk, bilal: Agent) -> None:
    other = Desk(sana)
    mine, others = LogIn.objects.filter(agent=sana).order_by("pk")
    shown = as_sana.get("/settings/security/").content.decode()
    assert shown.count("this one") == 1 and f'value="{others.pk}"' in shown and f'value="{mine.pk}"' not in shown
    foreign = LogIn.objects.get(agent=bilal)
    for hostile in (str(foreign.pk), "x", "0", "9" * 30, "-1"):
        assert as_sana.post("/settings/security/log-ins/", {"log_in": hostile}).status_code == 404
    assert as_sana.post("/settings/security/log-ins/", {"log_in": str(others.pk)}).status_code == 302
    assert other.get("/").status_code == 302 and as_sana.get("/").status_code == as_bilal.get("/").status_code == 200
    third = Desk(sana)
    assert as_sana.post("/settings/security/log-ins/").status_code == 302
    assert third.get("/").status_code == 302 and as_sana.get("/").status_code == 200
    assert as_sana.client.post("/accounts/logout/").status_code == 302
    assert not LogIn.objects.filter(agent=sana).exists()


def test_an_old_session_is_noted_when_it_comes_back(as_sana: Desk, sana: Agent) -> None:
    LogIn.objects.all().delete()
    from inbox import sessions

    sessions._noted.clear()
    as_sana.client.get("/problems/", headers={"User-Agent": "Firefox/1 \x00 Windows" + "x" * 500})
    found = LogIn.objects.get(agent=sana)
    assert found.user_agent.startswith("Firefox/1  Windows") and len(found.user_agent) == 400
    assert found.address == "127.0.0.1"


# The audit log ------------------------------------------------------------------------------------------------------


def test_changes_are_read_as_sentences(as_zoya: Desk, zoya: Agent, omar: Agent) -> None:
    people.change(omar, by=zoya, role=Role.MANAGER)
    log.record(None, "something_new", by=zoya, agent=omar.pk, flag=True)
    shown = as_zoya.get("/settings/audit/").content.decode()
    assert "Zoya changed Omar’s role from agent to manager" in shown
    assert "<code>something_new</code>" in shown and "agent Omar" in shown
    Agent.objects.filter(pk=omar.pk).update(name="Omar <b>F</b>")
    assert "Omar &lt;b&gt;F&lt;/b&gt;’s role" in as_zoya.get("/settings/audit/").content.decode()  # the name of today


def test_every_kind_has_a_sentence_that_can_be_said() -> None:
    event = Event(kind="", actor_kind="agent", actor_id=7, data={}, at=timezone.now())
    for kind in audit.SENTENCES:
        event.kind = kind
        line = audit.line(event, {})
        assert line.known and "%(" not in line.text
    assert audit.line(event, {}).who == "somebody who is gone"


def test_the_log_is_filtered_and_paged(as_zoya: Desk, zoya: Agent, sana: Agent) -> None:
    for number in range(audit.PAGE + 5):
        log.record(None, "agent_switched_on", by=zoya if number % 2 else sana, agent=sana.pk)
    log.record(None, "team_created", by=sana, team=1)
    page = audit.page()
    assert len(page.lines) == audit.PAGE and page.lines[0].kind == "team_created"
    rest = audit.page(before=page.older)
    assert len(rest.lines) == 6 and rest.older is None
    assert {one.pk for one in page.lines}.isdisjoint(one.pk for one in rest.lines)
    assert {one.actor for one in audit.page(actor=sana.pk).lines} == {sana.pk}
    assert [one.kind for one in audit.page(kind="team_created").lines] == ["team_created"]
    shown = as_zoya.get(f"/settings/audit/?person={sana.pk}&kind=team_created").content.decode()
    assert shown.count('<li><span class="avatar') == 1
    assert "selected>… made the team …</option>" in shown
    for hostile in ("?before=x", "?before=" + "9" * 40, "?person=-1", "?kind=%27", "?before=0", "?person=%00"):
        assert as_zoya.get("/settings/audit/" + hostile).status_code == 200


def test_tickets_have_their_own_log(as_zoya: Desk, ticket: Any) -> None:
    assert Event.objects.filter(ticket=ticket).exists()
    assert audit.page().lines == []


def test_nothing_deletes_from_the_log(as_zoya: Desk) -> None:
    for verb in ("post", "delete", "put", "patch"):
        assert getattr(as_zoya.client, verb)("/settings/audit/").status_code == 405


# What it costs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/settings/people/", 6),
        ("/settings/teams/", 6),
        ("/settings/audit/", 5),
        ("/settings/security/", 4),
        ("/settings/profile/", 3),
    ],
)
def test_pages_cost_the_same_however_many_there_are(
    as_zoya: Desk, zoya: Agent, team: Team, path: str, queries: int, django_assert_num_queries: Any
) -> None:
    def fill(start: int) -> None:
        for number in range(start, start + 6):
            agent = member(f"Person{number}", Role.AGENT, team)
            people.invite(f"i{number}@example.org", Role.AGENT, by=zoya, teams=[team])
            Team.objects.create(name=f"Team {number}", slug=f"t{number}").members.add(agent)
            Authenticator.objects.create(user=agent, type="totp", data={})
            LogIn.objects.create(agent=zoya, session=f"s{number}", seen_at=timezone.now() - timedelta(days=1))

    for start in (0, 6):
        fill(start)
        with django_assert_num_queries(queries):
            assert as_zoya.get(path).status_code == 200


def test_every_page_is_in_the_side_list_of_who_may_open_it(as_zoya: Desk, as_manager: Desk, as_lena: Desk) -> None:
    names = ("settings-people", "settings-teams", "settings-audit", "settings-profile", "mfa_index")
    shown = {
        desk: {name for name in names if f'href="{reverse(name)}"' in desk.get("/settings/").content.decode()}
        for desk in (as_zoya, as_manager, as_lena)
    }
    assert shown[as_zoya] == set(names)
    assert shown[as_manager] == {"settings-teams", "settings-profile", "mfa_index"}
    assert shown[as_lena] == {"settings-profile", "mfa_index"}
