"""Organisations, agents, teams, tags, macros and views: who may make what, and who sees it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inbox.models import Agent, Channel, Event, Macro, Organisation, Role, SavedView, Tag, Team, Ticket
from tests.api.conftest import Api, problem
from tests.cast import member, question


@pytest.fixture
def as_maryam(team: Team) -> Api:
    """The manager of Support."""
    return Api(member("Maryam", Role.MANAGER, team))


def test_organisations(as_sana: Api, as_maryam: Api, as_bilal: Api, as_lena: Api, ticket: Ticket) -> None:
    body = {"name": "Khan Ltd", "domains": ["khan.example"], "external_id": "o-1", "attributes": {"seats": 3}}
    made = as_sana.post("/organisations/", body)
    assert made.status_code == 201, made.content
    row = made.json()
    assert {name: row[name] for name in body} == body
    problem(as_sana.post("/organisations/", body), 409, "taken")
    path = f"/organisations/{row['id']}/"
    assert as_bilal.get(path).json() == row  # nobody's yet
    Ticket.objects.filter(pk=ticket.pk).update(organisation=row["id"])
    problem(as_bilal.get(path), 404)
    problem(as_bilal.patch(path, {"name": "x"}), 404)
    assert as_bilal.get("/organisations/").json()["results"] == []
    assert as_lena.get(path).json() == row
    problem(as_lena.patch(path, {"name": "x"}), 403)
    for query in ("domain=KHAN.example", "external_id=o-1", "q=khan"):
        assert as_sana.get(f"/organisations/?{query}").json()["results"] == [row]
    assert as_sana.get("/organisations/?q=other").json()["results"] == []
    assert as_sana.patch(path, {"attributes": {}}).json()["attributes"] == {}
    for bad in ({"domains": ["no domain"]}, {"name": ""}, {"name": None}, {"colour": "red"}, {"domains": "x.example"}):
        problem(as_sana.patch(path, bad), 400)
    problem(as_sana.delete(path), 403)
    assert as_maryam.delete(path).status_code == 204
    assert Ticket.objects.get(pk=ticket.pk).organisation is None
    kinds = ["organisation_created", "organisation_changed", "organisation_deleted"]
    assert (
        list(Event.objects.filter(kind__startswith="organisation").order_by("pk").values_list("kind", flat=True))
        == kinds
    )


def test_agents(as_sana: Api, as_bilal: Api, as_zoya: Api, sana: Agent, omar: Agent, team: Team) -> None:
    row = as_sana.get(f"/agents/{sana.pk}/").json()
    assert (row["name"], row["role"], row["active"], row["teams"]) == (
        "Sana", "agent", True, [{"id": team.pk, "slug": "support", "name": "Support"}],
    )  # fmt: skip
    assert "password" not in str(row)
    assert as_bilal.get(f"/agents/{sana.pk}/").json()["teams"] == []  # a private team is no outsider's to know of
    assert {one["id"] for one in as_sana.get("/agents/?team=support").json()["results"]} >= {sana.pk, omar.pk}
    problem(as_bilal.get("/agents/?team=support"), 400)
    assert [one["id"] for one in as_sana.get("/agents/?email=SANA@example.org").json()["results"]] == [sana.pk]
    problem(as_sana.patch(f"/agents/{omar.pk}/", {"away": True}), 403)
    problem(Api(as_zoya.agent, "write").patch(f"/agents/{omar.pk}/", {"away": True}), 403)
    changed = as_zoya.patch(f"/agents/{omar.pk}/", {"role": "manager", "away": True, "teams": [], "skills": ["ur"]})
    assert changed.status_code == 200, changed.content
    omar.refresh_from_db()
    assert (omar.role, omar.away, omar.skills, omar.teams.count()) == ("manager", True, ["ur"], 0)
    assert {event.kind for event in Event.objects.filter(ticket=None, actor_id=as_zoya.agent.pk)} == {
        "agent_changed", "role_changed", "team_left",
    }  # fmt: skip
    problem(as_zoya.patch(f"/agents/{omar.pk}/", {"email": "x@example.org"}), 400)
    problem(as_zoya.get("/agents/999/"), 404)


def test_me_is_whom_the_token_acts_as(as_lena: Api, as_zoya: Api, lena: Agent, zoya: Agent) -> None:
    assert Api(lena, "read").get("/agents/me/").json() == as_zoya.get(f"/agents/{lena.pk}/").json() | {
        "teams": as_lena.get(f"/agents/{lena.pk}/").json()["teams"]
    }
    problem(Api(None).get("/agents/me/"), 401)
    problem(as_lena.patch("/agents/me/", {"away": True}), 403)
    problem(Api(zoya, "write").patch("/agents/me/", {"away": True}), 403)
    assert as_zoya.patch("/agents/me/", {"away": True}).json()["away"] is True
    zoya.refresh_from_db()
    assert zoya.away
    problem(as_zoya.patch("/agents/me/", {"role": "agent"}), 409, "last_admin")


def test_the_last_administrator_stays(as_zoya: Api, zoya: Agent, sana: Agent) -> None:
    path = f"/agents/{zoya.pk}/"
    problem(as_zoya.patch(path, {"role": "agent"}), 409, "last_admin")
    problem(as_zoya.patch(path, {"active": False}), 409, "last_admin")
    as_zoya.patch(f"/agents/{sana.pk}/", {"role": "admin"})
    assert as_zoya.patch(path, {"role": "agent"}).status_code == 200
    problem(as_zoya.patch(path, {"role": "admin"}), 403)


def test_teams(as_maryam: Api, as_sana: Api, as_bilal: Api, sana: Agent, bilal: Agent) -> None:
    problem(as_sana.post("/teams/", {"name": "Billing", "slug": "billing"}), 403)
    made = as_maryam.post("/teams/", {"name": "Billing", "slug": "billing", "private": True, "members": [bilal.pk]})
    assert made.status_code == 201, made.content
    row = made.json()
    assert row["members"] == [{"id": bilal.pk, "name": "Bilal"}]
    problem(as_maryam.get("/teams/billing/"), 404)  # private, and she is not in it
    assert as_bilal.get("/teams/billing/").json() == as_bilal.get(f"/teams/{row['id']}/").json() == row
    assert [one["slug"] for one in as_bilal.get("/teams/").json()["results"]] == ["billing"]
    problem(as_bilal.get("/teams/support/"), 404)
    problem(as_bilal.patch("/teams/support/", {}), 403)
    changed = as_maryam.patch("/teams/support/", {"signature": "Yours", "members": [sana.pk, as_maryam.agent.pk]})
    assert changed.json()["signature"] == "Yours"
    assert {one["name"] for one in changed.json()["members"]} == {"Sana", "Maryam"}
    for bad in ({"slug": "12"}, {"slug": "a b"}, {"members": [0]}, {"members": "all"}, {"name": ""}):
        problem(as_maryam.patch("/teams/support/", bad), 400)
    problem(as_maryam.post("/teams/", {"name": "Support", "slug": "two"}), 409, "team_exists")
    problem(as_maryam.post("/teams/", {"name": "Two", "slug": "support"}), 409, "slug_taken")


def test_what_only_a_team_saw_is_not_opened_by_dissolving_it(as_maryam: Api, ticket: Ticket, support: Channel) -> None:
    problem(as_maryam.delete("/teams/support/"), 409, "in_use")
    support.teams.clear()
    problem(as_maryam.delete("/teams/support/"), 409, "in_use")
    Ticket.objects.update(team=None)
    assert as_maryam.delete("/teams/support/").status_code == 204
    assert not Team.objects.exists()


def test_tags(as_maryam: Api, as_sana: Api, ticket: Ticket) -> None:
    as_sana.patch(f"/tickets/{ticket.number}/", {"tags": ["late", "parcel"]})
    problem(as_sana.post("/tags/", {"name": "vip"}), 403)
    made = as_maryam.post("/tags/", {"name": "  vip   guest ", "colour": "#3366cc"})
    assert (made.status_code, made.json()["name"]) == (201, "vip guest")
    problem(as_maryam.post("/tags/", {"name": "vip guest"}), 409, "taken")
    rows = as_sana.get("/tags/").json()["results"]
    assert [row["name"] for row in rows] == ["late", "parcel", "vip guest"]
    assert [row["name"] for row in as_sana.get("/tags/?q=PAR").json()["results"]] == ["parcel"]
    late = rows[0]["id"]
    problem(as_maryam.patch(f"/tags/{late}/", {"name": "parcel"}), 409, "taken")
    assert as_maryam.patch(f"/tags/{late}/", {"name": "delayed"}).json()["name"] == "delayed"
    assert as_sana.get(f"/tickets/{ticket.number}/").json()["tags"] == ["delayed", "parcel"]
    assert as_maryam.delete(f"/tags/{late}/").status_code == 204
    assert as_sana.get(f"/tickets/{ticket.number}/").json()["tags"] == ["parcel"]
    for bad in ({"name": " "}, {"name": "x", "colour": "red"}, {"name": "x" * 81}, {}):
        assert as_maryam.post("/tags/", bad).status_code in {400, 422}
    assert Tag.objects.count() == 2


@pytest.mark.parametrize(
    ("path", "noun", "fields"),
    [
        ("/macros/", Macro, {"name": "Sorry", "html": "<p>Sorry</p>", "actions": [{"set": "status", "to": "pending"}]}),
        ("/views/", SavedView, {"name": "Urgent", "query": {"priority": "urgent", "assignee": "me"}}),
    ],
)
def test_what_is_kept_is_its_owners_its_teams_or_everybodys(
    as_sana: Api, as_maryam: Api, as_bilal: Api, as_lena: Api, path: str, noun: Any, fields: dict[str, Any]
) -> None:
    def names(api: Api) -> set[str]:
        return {row["name"] for row in api.get(path).json()["results"]}

    mine = as_sana.post(path, fields)
    assert mine.status_code == 201, mine.content
    assert mine.json()["owner"]["name"] == "Sana"
    problem(as_sana.post(path, {**fields, "shared": True}), 403)
    problem(as_sana.post(path, {**fields, "team": "support"}), 403)
    problem(as_lena.post(path, fields), 403)
    teams = as_maryam.post(path, {**fields, "name": "For us", "team": "support"})
    assert (teams.json()["owner"], teams.json()["team"]["slug"]) == (None, "support")
    everybodys = as_maryam.post(path, {**fields, "name": "For all", "shared": True})
    assert everybodys.status_code == 201, everybodys.content
    own = fields["name"]
    assert (names(as_sana), names(as_maryam)) == ({own, "For us", "For all"}, {"For us", "For all"})
    assert (names(as_lena), names(as_bilal)) == ({"For us", "For all"}, {"For all"})
    one, ours, alls = (f"{path}{made.json()['id']}/" for made in (mine, teams, everybodys))
    for api in (as_maryam, as_bilal):
        problem(api.get(one), 404)
        problem(api.patch(one, {"name": "x"}), 404)
        problem(api.delete(one), 404)
    problem(as_bilal.get(ours), 404)
    problem(as_bilal.patch(alls, {"name": "x"}), 403)
    problem(as_bilal.delete(alls), 403)
    problem(as_sana.patch(one, {"shared": True}), 403)
    assert as_sana.patch(one, {"name": "Still mine"}).json()["owner"]["name"] == "Sana"
    assert as_maryam.patch(alls, {"shared": False}).json()["owner"]["name"] == "Maryam"
    assert names(as_bilal) == set()
    problem(as_maryam.patch(ours, {"team": "nowhere"}), 400)
    assert as_sana.delete(one).status_code == 204
    assert noun.objects.count() == 2


def test_what_macros_and_views_hold_is_checked(as_sana: Api) -> None:
    def errors(path: str, body: dict[str, Any]) -> list[str]:
        return list(problem(as_sana.post(path, body), 400)["errors"])

    assert errors("/views/", {"name": "x", "query": {"colour": "red"}}) == ["query.colour"]
    assert errors("/views/", {"name": "x", "query": {"status": "opened"}}) == ["query.status"]
    assert errors("/views/", {"name": "x"}) == ["query"]
    assert errors("/macros/", {"name": "x", "actions": [{"set": "number", "to": 7}]}) == ["actions.0.set"]
    assert errors("/macros/", {"name": "x", "actions": [{"set": "priority", "to": "huge"}]}) == ["actions.0.priority"]
    assert errors("/macros/", {"name": "x", "actions": [{"set": "snooze", "to": 0}]}) == ["actions.0.snooze"]
    assert as_sana.post("/macros/", {"name": "x", "actions": [{"set": "add_tags", "to": ["a"]}]}).status_code == 201
    made = as_sana.post(
        "/macros/", {"name": "x", "html": "<p>Hi <script>alert(1)</script>{{ customer.name }}</p>"}
    ).json()
    assert (made["html"], made["text"]) == ("<p>Hi {{ customer.name }}</p>", "Hi {{ customer.name }}")
    for half, lacks in (({"to": "high"}, "actions.0.set"), ({"set": "priority"}, "actions.0.to")):
        changed = as_sana.patch(f"/macros/{made['id']}/", {"actions": [half]})
        assert list(problem(changed, 400)["errors"]) == [lacks]


def test_lists_cost_the_same_whatever_their_length(as_sana: Api, support: Channel, team: Team) -> None:
    lists = ("organisations", "agents", "teams", "tags", "macros", "views", "channels", "customers", "surveys/answers")

    def queries() -> dict[str, int]:
        found = {}
        for name in lists:
            with CaptureQueriesContext(connection) as seen:
                assert as_sana.get(f"/{name}/").status_code == 200
            found[name] = len(seen)
        return found

    def more(number: int) -> None:
        organisation = Organisation.objects.create(name=f"Company {number}")
        other = Team.objects.create(name=f"Team {number}", slug=f"team-{number}")
        member(f"Agent{number}", Role.AGENT, other)
        Tag.objects.create(name=f"tag {number}")
        Macro.objects.create(name=f"Macro {number}", team=team)
        SavedView.objects.create(name=f"View {number}", owner=as_sana.agent)
        channel = Channel.objects.create(kind="email", name=f"C{number}", slug=f"c-{number}", default_team=other)
        channel.teams.add(team)
        ticket = question(support, "Hello", sender=_someone(number))
        ticket.customer.organisation = organisation
        ticket.customer.save()

    more(0)
    queries()
    few = queries()
    for number in range(1, 9):
        more(number)
    assert queries() == few
    assert max(few.values()) <= 8, few


def _someone(number: int) -> Any:
    from inbox.adapters import Party

    return Party("email", f"person{number}@example.com", f"Person {number}")
