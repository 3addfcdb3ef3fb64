"""`/customers/`: who is found by which filter, pages, saved views, what it costs; organisations; new customers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from inbox.actions import tickets
from inbox.adapters import Party
from inbox.models import Agent, Channel, Customer, Organisation, Role, SavedView, Team, Ticket
from inbox.search import documents
from tests.cast import question
from tests.inbox.views.conftest import Desk
from tests.inbox.views.test_inbox import cost

Many = Callable[[int], list[Ticket]]


def found(desk: Desk, query: str = "") -> list[str]:
    html = desk.get(f"/customers/?{query}").content.decode()
    return re.findall(r'strong as-page" dir="auto">([^<]*)<', html)


@pytest.fixture
def people(ticket: Ticket) -> dict[str, Customer]:
    """Ayesha wrote just now; three others are kept."""
    firm = Organisation.objects.create(name="Khan Ltd")

    def made(name: str, days: int | None = None, **known: Any) -> Customer:
        seen = timezone.now() - timedelta(days=days) if days else None
        return Customer.objects.create(name=name, last_seen_at=seen, **known)

    gold = {"plan": "gold", "seats": 3}
    return {
        "ayesha": ticket.customer,
        "bilal": made("Bilal", 20, organisation=firm, language="ur", tags=["vip"], stage="customer", attributes=gold),
        "dawud": made("dawud", 200, attributes={"trial": True}),
        "zara": made("Zara"),
    }


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Ayesha Khan", "Bilal", "dawud", "Zara"]),
        ("sort=name", ["Ayesha Khan", "Bilal", "dawud", "Zara"]),
        ("sort=new", ["Zara", "dawud", "Bilal", "Ayesha Khan"]),
        ("f_stage=customer", ["Bilal"]),
        ("f_stage=nonsense", []),
        ("f_tag=vip", ["Bilal"]),
        ("f_organisation=khan+ltd", ["Bilal"]),
        ("f_organisation=nobody", []),
        ("f_language=ur", ["Bilal"]),
        ("f_seen=7", ["Ayesha Khan"]),
        ("f_seen=30", ["Ayesha Khan", "Bilal"]),
        ("f_seen=older", ["dawud"]),
        ("f_seen=never", ["Zara"]),
        ("f_open=yes", ["Ayesha Khan"]),
        ("f_attribute=plan:gold", ["Bilal"]),
        ("f_attribute=seats:3", ["Bilal"]),
        ("f_attribute=seats", ["Bilal"]),
        ("f_attribute=trial:yes", ["dawud"]),
        ("f_tag=vip&f_open=yes", []),
        ("q=ayesha", ["Ayesha Khan"]),
        ("q=khan+ayesha@example", ["Ayesha Khan"]),
        ("q=za", ["Zara"]),
        ("q=%00%F0", []),
    ],
)
def test_filters(as_sana: Desk, people: dict[str, Customer], query: str, names: list[str]) -> None:
    documents.write_people([one.pk for one in people.values()])
    assert found(as_sana, query) == names


def test_an_outsider_finds_nobody_of_a_private_team(as_bilal: Desk, people: dict[str, Customer]) -> None:
    documents.write_people([one.pk for one in people.values()])
    assert "Ayesha Khan" not in found(as_bilal)  # the others have no ticket
    assert found(as_bilal, "q=ayesha") == []


@pytest.mark.parametrize("sort", ["seen", "new", "name"])
def test_pages_show_each_once(as_sana: Desk, many: Many, sort: str) -> None:
    made = many(85)
    Customer.objects.filter(pk__in=[one.customer_id for one in made[:50]]).update(last_seen_at=timezone.now())
    Customer.objects.filter(pk__in=[one.customer_id for one in made[10:30]]).update(name="The same")
    seen: list[str] = []
    path = f"/customers/?sort={sort}"
    while path:
        html = as_sana.get(path, part="before" in path).content.decode()
        seen += re.findall(r'href="/customers/(\d+)/"', html)
        more = re.search(r'class="more" href="([^"]+)"', html)
        path = more[1].replace("&amp;", "&") if more else ""
    assert sorted(map(int, seen)) == sorted(one.customer_id for one in made)
    for before in ("nonsense", "1-", "-1", "9" * 40 + "-1", "never-x", f"x-{'9' * 40}"):
        assert as_sana.get(f"/customers/?sort={sort}&before={before}", part=True).status_code == 200


def test_costs_do_not_grow(as_sana: Desk, many: Many) -> None:
    few = many(5)
    firm = Organisation.objects.create(name="Khan Ltd")
    Customer.objects.update(organisation=firm)
    paths = ["/customers/", "/customers/?q=customer&f_open=yes&sort=name", f"/customers/{few[0].customer_id}/",
             f"/organisations/{firm.pk}/", f"/customers/{few[0].customer_id}/merge/{few[1].customer_id}/",
             f"/tickets/{few[0].pk}/"]  # fmt: skip
    before = [cost(as_sana, path) for path in paths]
    many(120)
    Customer.objects.update(organisation=firm)
    assert [cost(as_sana, path) for path in paths] == before
    assert max(before) <= 15, dict(zip(paths, before, strict=True))


def test_views_are_kept_and_forgotten(as_sana: Desk, as_bilal: Desk, people: dict[str, Customer]) -> None:
    answer = as_sana.post("/customers/views/", {"name": "Important", "f_tag": "vip", "sort": "name"})
    assert answer["Location"] == "/customers/?f_tag=vip&sort=name"
    view = SavedView.objects.get()
    assert (view.noun, view.query) == ("customers", {"f_tag": "vip", "sort": "name"})
    assert "Important" in as_sana.get("/customers/").content.decode()
    assert "Important" not in as_bilal.get("/customers/").content.decode()
    assert as_bilal.post(f"/customers/views/{view.pk}/").status_code == 404
    as_sana.post(f"/customers/views/{view.pk}/")
    assert not SavedView.objects.exists()


def test_views_are_shared_by_who_may(
    as_sana: Desk, as_bilal: Desk, sana: Agent, team: Team, people: dict[str, Customer]
) -> None:
    def keep(whom: str) -> None:
        as_sana.post("/customers/views/", {"name": f"For {whom}", "f_tag": "vip", "view-for": whom})

    keep("all")
    assert not SavedView.objects.exists(), "an agent shares nothing"
    sana.role = Role.MANAGER
    sana.save()
    assert 'name="view-for"' in as_sana.get("/customers/?f_tag=vip").content.decode()
    keep("all")
    keep(str(team.pk))
    html = as_bilal.get("/customers/?f_tag=vip").content.decode()
    assert "For all" in html and f"For {team.pk}" not in html and "Delete this view" not in html
    shared = SavedView.objects.get(name="For all")
    assert as_bilal.post(f"/customers/views/{shared.pk}/").status_code == 403
    as_sana.post(f"/customers/views/{shared.pk}/")
    assert SavedView.objects.get().team == team


def test_a_customer_is_entered(as_sana: Desk, ticket: Ticket) -> None:
    assert as_sana.get("/customers/new/").status_code == 200
    answer = as_sana.post("/customers/new/", {"name": "Dawud", "email": "Dawud@Example.net", "phone": "+49 30 1234567"})
    made = Customer.objects.get(name="Dawud")
    assert answer["Location"] == f"/customers/{made.pk}/"
    assert sorted(made.identities.values_list("value", flat=True)) == ["+49301234567", "dawud@example.net"]
    for wrong in ({}, {"email": "x"}, {"phone": "030"}, {"email": "ayesha@example.com"}, {"name": "a\u0007"}):
        assert as_sana.post("/customers/new/", wrong).status_code == 422, wrong
    assert Customer.objects.count() == 2


def test_an_organisation_has_its_people_and_tickets(
    as_sana: Desk, as_bilal: Desk, as_lena: Desk, support: Channel, ticket: Ticket
) -> None:
    firm = Organisation.objects.create(name="Khan Ltd", domains=["khan.example"])
    question(support, "From work", Party("email", "boss@khan.example", "The Boss"))
    html = as_sana.get(f"/organisations/{firm.pk}/").content.decode()
    assert "The Boss" in html
    assert "From work" in html
    assert as_bilal.get(f"/organisations/{firm.pk}/").status_code == 404
    assert as_lena.post(f"/organisations/{firm.pk}/", {"name": "Mine"}).status_code == 403
    assert as_sana.post(f"/organisations/{firm.pk}/", {"name": "x", "domains": "no domain"}).status_code == 422
    as_sana.post(f"/organisations/{firm.pk}/", {"name": "Khan & Co", "domains": "@khan.example, Khan.Org"})
    firm.refresh_from_db()
    assert (firm.name, firm.domains) == ("Khan & Co", ["khan.example", "khan.org"])


def test_similar_solved_tickets_say_why_and_stay_within_sight(
    as_sana: Desk, as_bilal: Desk, sana: Agent, support: Channel, ticket: Ticket
) -> None:
    from inbox.search import follower

    solved = question(support, "The parcel kettle arrived broken", Party("email", "d@example.net", "D"), "A kettle.")
    tickets.set_status(solved, "solved", by=sana)
    still_open = question(support, "Parcel kettle broken again", Party("email", "e@example.net", "E"))
    asked = question(support, "My kettle was broken in its parcel", Party("email", "f@example.net", "F"))
    follower.write([solved.pk, still_open.pk, asked.pk, ticket.pk])
    html = as_sana.get(f"/tickets/{asked.pk}/similar/", part=True).content.decode()
    assert f"/tickets/{solved.pk}/" in html
    assert "parcel" in html
    assert f"/tickets/{still_open.pk}/" not in html
    open_channel = Channel.objects.create(kind="email", name="Sales", slug="sales", addresses=["sales@example.org"])
    elsewhere = question(open_channel, "Broken kettle in a parcel", Party("email", "g@example.net", "G"))
    html = as_bilal.get(f"/tickets/{elsewhere.pk}/similar/", part=True).content.decode()
    assert f"/tickets/{solved.pk}/" not in html
    for hostile in ("' & | ! : * <b>", "پارسل کیتلی", "x" * 500, ""):
        Ticket.objects.filter(pk=asked.pk).update(subject=hostile, preview=quote(hostile)[:200])
        assert as_sana.get(f"/tickets/{asked.pk}/similar/", part=True).status_code == 200
