"""What narrows and orders the list: its address is its whole state, whatever stands in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inbox import default_views, found, lists
from inbox.actions import links, reply, sweeping
from inbox.actions import tickets as acting
from inbox.models import (
    Agent,
    Channel,
    Customer,
    Field,
    Mention,
    Message,
    Organisation,
    Priority,
    SavedView,
    Status,
    Team,
    Ticket,
    TicketFollower,
)
from inbox.search import documents, follower
from tests.cast import question
from tests.inbox.views.conftest import Desk

Many = Callable[[int], list[Ticket]]
NOW = timezone.now()
EARLIER = (NOW - timedelta(days=8)).date()


def rows(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="row-(\d+)"', html)]


def shown(desk: Desk, query: str) -> list[int]:
    answer = desk.get(f"/?{query}")
    assert answer.status_code == 200, query
    return rows(answer.content.decode())


@pytest.mark.parametrize(
    ("change", "query"),
    [
        ({"status": "pending"}, "status=pending,solved"),
        ({"status": "pending"}, "status=pending&status=solved"),
        ({"priority": "urgent"}, "priority=urgent,high"),
        ({"type": "complaint"}, "type=complaint"),
        ({"severity": 2}, "severity=1,2"),
        ({"topic": "Delivery"}, "topic=delivery"),
        ({"language": "ur"}, "language=ur,ar"),
        ({"tags": ["vip", "late"]}, "tag=vip,other"),
        ({"tags": ["vip", "late"]}, "tag_all=vip,late"),
        ({"delivery_failed": True}, "failed=yes"),
        ({"spam": True}, "spam=yes"),
        ({"trashed_at": NOW}, "trashed=yes"),
        ({"snoozed_until": NOW}, "snoozed=yes"),
        ({"waiting_since": NOW - timedelta(hours=5)}, "waiting=4h"),
        ({"created_at": NOW - timedelta(days=400)}, "created_before=2025-12-31"),
        ({"created_at": NOW + timedelta(days=2)}, f"created_after={(NOW + timedelta(days=1)).date()}"),
        ({"created_at": NOW + timedelta(days=9)}, f"created_after={(NOW + timedelta(days=5)).date()}T00:00:00%2B23:59"),
        ({"last_customer_message_at": NOW - timedelta(days=9)}, f"customer_wrote_before={EARLIER}"),
        ({"attributes": {"plan": "gold"}}, "field.plan=gold"),
        ({"attributes": {"areas": ["north", "south"]}}, "field.areas=south"),
        ({"attributes": {"seats": 7}}, "field.seats=5..10"),
        ({"attributes": {"seats": 7}}, "field.seats=7"),
        ({"attributes": {"until": "2026-05-01"}}, "field.until=2026-01-01..2026-06-01"),
        ({"attributes": {"paid": True}}, "field.paid=yes"),
    ],
)  # fmt: skip
def test_each_condition_finds_what_it_names_and_nothing_else(
    as_sana: Desk, ticket: Ticket, many: Many, change: dict[str, Any], query: str
) -> None:
    many(3)
    kinds = {"plan": "choice", "areas": "choices", "seats": "number", "until": "date", "paid": "check"}
    for key, kind in kinds.items():
        Field.objects.create(key=key, label=key, kind=kind, choices=["gold", "north", "south"])
    Ticket.objects.exclude(pk=ticket.pk).update(waiting_since=None)
    Ticket.objects.update(last_customer_message_at=NOW, created_at=NOW)
    assert ticket.pk not in shown(as_sana, query)
    Ticket.objects.filter(pk=ticket.pk).update(**change)
    assert shown(as_sana, query) == [ticket.pk]


def test_conditions_are_joined_by_and(as_sana: Desk, sana: Agent, ticket: Ticket, many: Many) -> None:
    others = many(3)
    Ticket.objects.filter(pk__in=[ticket.pk, others[0].pk]).update(assignee=sana)
    Ticket.objects.filter(pk__in=[ticket.pk, others[1].pk]).update(priority="urgent")
    assert shown(as_sana, "assignee=me&priority=urgent&team=support&channel=support&channel_kind=email") == [ticket.pk]
    assert shown(as_sana, f"assignee=none,me&priority=urgent&customer={ticket.customer_id}") == [ticket.pk]
    assert shown(as_sana, "view=all&customer=ayesha%40example.com&team=none") == []
    assert set(shown(as_sana, "view=all&tag_none=vip")) == {ticket.pk, *(one.pk for one in others)}
    assert shown(as_sana, "view=all&attachment=yes") == []


def test_what_means_nothing_is_said_and_left_out(as_sana: Desk, ticket: Ticket) -> None:
    for query in (
        "status=nonsense", "assignee=999999", "created_after=never", "created_after=99999-01-01", "waiting=forever",
        "waiting=99999h", "customer=nobody%40example.org", "customer=99999999999999999999", "severity=x", "nonsense=1",
        "field.none=1", "tag=%2C", "language=../..", "attachment=perhaps", "tag=" + "x" * 500, "topic=%00",
        "created_within=" + "9" * 30 + "d", "sort=nonsense", "team=%F0%9F%99%82",
        "customer_wrote_after=0001-01-01",
        "organisation=%27%3B--", "updated_before=2026-02-30",
    ):  # fmt: skip
        answer = as_sana.get(f"/?view=all&{query}")
        assert answer.status_code == 200, query
        html = answer.content.decode()
        assert 'class="filter-problems"' in html, query
        assert rows(html) == [ticket.pk], query
    assert as_sana.get("/?view=nonsense").status_code == 404


@pytest.mark.parametrize("sort", default_views.ORDERS)
def test_every_order_pages_over_each_ticket_once(as_sana: Desk, sana: Agent, many: Many, sort: str) -> None:
    made = many(lists.PAGE * 2 + 7)
    for place, one in enumerate(made):
        one.status = list(Status.values)[place % 4]
        one.priority = list(Priority.values)[place % 3]
        one.waiting_since = None if place % 3 else NOW - timedelta(minutes=place % 7)
        one.due_at = None if place % 5 else NOW + timedelta(minutes=place % 6)
    Ticket.objects.bulk_update(made, ["status", "priority", "waiting_since", "due_at"])
    listing = lists.of(sana, {"view": "all", "sort": sort})
    seen: list[Ticket] = []
    before: str | None = ""
    while before is not None:
        page = listing.page(before)
        seen += page.tickets
        more = re.search(r"before=([\d-]+)$", page.more)
        before = more[1] if more else None
    assert len(seen) == len(made) and {one.pk for one in seen} == {one.pk for one in made}
    places = [listing.sort.position(one) for one in seen]
    assert places == sorted(places, reverse=listing.sort.descending)
    for broken in ("x", "1-2-3-4", "-", "9" * 30 + "-1"):
        assert listing.page(broken).tickets


def test_a_list_is_made_again_from_its_words(sana: Agent, bilal: Agent, ticket: Ticket, team: Team) -> None:
    """What saved views and jobs keep: words that JSON has, and that mean the same to whoever asks."""
    words = {"view": "all", "status": "open,pending", "team": "support", "created_within": "7d", "sort": "waiting"}
    listing = lists.of(sana, words)
    kept = json.loads(json.dumps(listing.query))
    assert kept == words
    assert list(lists.of(sana, kept).tickets) == [ticket]
    assert lists.of(bilal, kept).problems  # a private team is none that he knows
    with pytest.raises(Http404):
        lists.of(bilal, {"view": "open", "team": "support"})


def test_rows_say_whether_they_belong_or_the_page_asks(as_sana: Desk, sana: Agent, ticket: Ticket, many: Many) -> None:
    other = many(1)[0]
    html = as_sana.get("/?view=all&status=open,pending&assignee=me,none&sort=waiting").content.decode()
    assert f'data-match-assignee="{sana.pk} none"' in html and 'data-match-status="open pending"' in html
    assert 'data-sort="waiting"' in html and "data-hint" not in html
    acting.set_tags(ticket, ["vip"], by=sana)
    assert "data-hint" in as_sana.get("/?view=all&tag=vip").content.decode()
    asked = f"among={ticket.pk},{other.pk},x,{'9' * 30}"
    assert as_sana.get(f"/?view=all&tag=vip&{asked}").json() == {"numbers": [ticket.pk]}


def test_mentions_and_following_are_each_agents_own(
    as_sana: Desk, as_bilal: Desk, sana: Agent, omar: Agent, bilal: Agent, ticket: Ticket, many: Many
) -> None:
    others = many(2)
    for place, one in enumerate([ticket, *others]):
        note = Message.objects.filter(ticket=one).get()
        Mention.objects.create(agent=sana, ticket=one, message=note, by=omar, seen_at=None if place == 1 else NOW)
        Mention.objects.create(agent=bilal, ticket=one, message=note, by=omar)
    html = as_sana.get("/?view=mentions").content.decode()
    assert rows(html) == [others[0].pk, ticket.pk, others[1].pk]  # what waits to be seen stands first
    assert re.search(r'data-count="mentions">1<', html)
    assert shown(as_bilal, "view=mentions") == []  # he does not see these tickets
    TicketFollower.objects.create(agent=sana, ticket=others[1])
    assert shown(as_sana, "view=following") == [others[1].pk]


def test_a_customer_with_another_open_ticket_is_marked(as_sana: Desk, ticket: Ticket, many: Many) -> None:
    other = many(1)[0]
    mark = 'class="siblings"'
    assert mark not in as_sana.get("/?view=open").content.decode()
    Ticket.objects.filter(pk=other.pk).update(customer=ticket.customer_id)
    assert as_sana.get("/?view=open").content.decode().count(mark) == 2


def test_linked_tickets_and_those_back_from_snooze_are_marked(
    as_sana: Desk, sana: Agent, bilal: Agent, ticket: Ticket, many: Many
) -> None:
    other, hidden = many(1)[0], question(Channel.objects.create(kind="email", name="O", slug="o", addresses=[]), "Hid")
    hidden.channel.teams.add(Team.objects.create(name="Private", slug="private", private=True))
    documents.write([ticket.pk])
    links.link(ticket, hidden, "child", by=None)
    assert 'class="linked-mark"' not in as_sana.get("/?view=open").content.decode(), "with what one does not see"
    links.link(ticket, other, "duplicate", by=sana)
    for query in ("view=open", "q=parcel"):
        html = as_sana.get(f"/?{query}").content.decode()
        assert html.count('title="Duplicate of another ticket"') == 1
    assert as_sana.get("/?view=open").content.decode().count('title="Linked with another ticket"') == 1

    def back() -> int:
        html: str = as_sana.get("/?view=open").content.decode()
        return html.count('class="back-mark"')

    acting.snooze(ticket, timezone.now() + timedelta(hours=1), by=sana)
    Ticket.objects.filter(pk=ticket.pk).update(snoozed_until=timezone.now())
    sweeping.end_snoozes()
    assert back() == 1
    reply.reply(ticket, by=sana, text="We look.", status="open")
    assert back() == 0


def test_customers_and_organisations_are_found_as_one_types(
    as_sana: Desk, as_bilal: Desk, ticket: Ticket, many: Many
) -> None:
    firm = Organisation.objects.create(name="Karvaan Textiles", domains=["karvaan.example"])
    Organisation.objects.create(name="New Karvaan")
    Customer.objects.filter(pk=ticket.customer_id).update(organisation=firm)
    Ticket.objects.filter(pk=ticket.pk).update(organisation=firm)
    many(2)
    follower.write([ticket.pk])

    def offered(desk: Desk, what: str, typed: str) -> list[str]:
        html = desk.get(f"/{what}/suggestions/?" + urlencode({"q": typed})).content.decode()
        return re.findall('data-value="([^"]*)"', html)

    said = f"Ayesha Khan (#{ticket.customer_id})"
    assert offered(as_sana, "customers", "ayesh") == offered(as_sana, "customers", "ayesha@exa") == [said]
    assert offered(as_sana, "organisations", "karv") == ["Karvaan Textiles", "New Karvaan"]
    assert offered(as_bilal, "customers", "ayesh") == [] and offered(as_bilal, "organisations", "karv") == [
        "New Karvaan"
    ]
    for what, value in (("customer", said), ("organisation", "karvaan textiles")):
        assert shown(as_sana, urlencode({what: value})) == [ticket.pk]
        assert "was left out" in as_bilal.get("/?" + urlencode({what: value})).content.decode()
    editor = as_sana.get(f"/filters/customer/?customer={ticket.customer_id}").content.decode()
    assert f'value="{said}"' in editor and 'data-suggest="/customers/suggestions/"' in editor
    for hostile in ("", "\x00", "%" * 50, "(#99999999999999999999)"):
        assert offered(as_sana, "customers", hostile) == offered(as_sana, "organisations", hostile) == []


def test_density_is_kept(as_sana: Desk, sana: Agent) -> None:
    assert 'class="rows compact"' in as_sana.post("/density/", {"density": "compact"}, part=True).content.decode()
    as_sana.post("/density/", {"density": "nonsense"})
    sana.refresh_from_db()
    assert sana.density == "compact"


def test_every_editor_opens(as_sana: Desk, ticket: Ticket) -> None:
    Field.objects.create(key="plan", label="Plan", kind="choice", choices=["gold"])
    menu = as_sana.get("/filters/?view=unassigned").content.decode()
    names = re.findall(r'hx-get="/filters/([^/]+)/', menu)
    assert "assignee" not in names and {"tag", "created", "customer", "field.plan"} <= set(names)
    for name in names:
        html = as_sana.get(f"/filters/{name}/?view=unassigned&priority=high").content.decode()
        assert 'name="view" value="unassigned"' in html, name
    assert as_sana.get("/filters/nonsense/").status_code == 404


def test_what_filters_cost_is_fixed(as_sana: Desk, many: Many) -> None:
    Field.objects.create(key="plan", label="Plan", kind="choice", choices=["gold"])
    many(50)
    for query in ("view=all&tag=x&status=open,solved&field.plan=gold&sort=priority", "view=mentions", "view=all"):
        with CaptureQueriesContext(connection) as queries:
            as_sana.get(f"/?{query}")
        assert len(queries) <= 20, [one["sql"][:150] for one in queries]


def test_a_list_is_kept_under_a_name(
    as_sana: Desk, as_bilal: Desk, as_lena: Desk, sana: Agent, zoya: Agent, ticket: Ticket
) -> None:
    body = {"view": "all", "priority": "urgent", "sort": "waiting", "nonsense": "1", "view-name": " Burning  now "}
    where = as_sana.post("/views/", body)["Location"]
    mine = SavedView.objects.get()
    assert (mine.name, mine.owner, mine.query) == (
        "Burning now", sana, {"view": "all", "priority": "urgent", "sort": "waiting"},
    )  # fmt: skip
    html = as_sana.get(where).content.decode()
    assert "Burning now</h2>" in html and "Update the view" not in html and 'name="view-for"' not in html
    assert 'aria-current="page"' in html[html.index("My views") :]
    assert "Update the view" in as_sana.get(f"{where}&status=open").content.decode()
    as_sana.post(f"/views/{mine.pk}/", {"view": "all", "status": "open"})
    assert SavedView.objects.get().query == {"view": "all", "status": "open"}
    assert as_sana.get("/views/counts/").json() == {"counts": {f"saved-{mine.pk}": "1"}}
    for desk, path in ((as_bilal, f"/views/{mine.pk}/"), (as_bilal, f"/settings/views/{mine.pk}/delete/")):
        assert desk.post(path, {}).status_code == 404
    assert as_sana.post("/views/", {**body, "view-for": "all"}).status_code == 302  # who may not share keeps nothing
    assert as_lena.post("/views/", body).status_code == 403
    assert as_bilal.get("/views/counts/").json() == {"counts": {}}
    assert SavedView.objects.count() == 1
    Desk(zoya).post("/views/", {**body, "view-for": "all"})
    assert "Shared views" in as_bilal.get("/").content.decode()


def test_a_list_of_tickets_is_not_kept_in_a_view_of_customers(as_sana: Desk, sana: Agent) -> None:
    view = SavedView.objects.create(owner=sana, noun="customers", name="Shops", query={"q": "shop"})
    assert as_sana.post(f"/views/{view.pk}/", {"view": "open"}).status_code == 404
    assert SavedView.objects.get().query == {"q": "shop"}


def test_views_are_ordered_renamed_and_deleted(as_sana: Desk, sana: Agent) -> None:
    first, second = (SavedView.objects.create(name=name, owner=sana, query={"tag": "x"}) for name in "ab")
    as_sana.post(f"/settings/views/{second.pk}/move/", {"to": "up"})
    html = as_sana.get("/settings/views/").content.decode()
    assert html.index("<bdi>b<") < html.index("<bdi>a<") and "Tag: <bdi>x</bdi>" in html
    as_sana.post(f"/settings/views/{first.pk}/", {"name": "c", "whom": "all"})
    as_sana.post(f"/settings/views/{first.pk}/", {"name": "d", "whom": "me"})
    first.refresh_from_db()
    assert (first.name, first.owner) == ("d", sana)
    as_sana.post(f"/settings/views/{first.pk}/delete/")
    assert list(SavedView.objects.all()) == [second]


def test_many_views_cost_no_more(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert as_sana.get("/?view=open").status_code == 200
        return len(queries)

    few = cost()
    SavedView.objects.bulk_create(SavedView(name=str(n), owner=sana, query={"tag": "x"}) for n in range(30))
    assert cost() == few <= 15
    assert len(as_sana.get("/views/counts/").json()["counts"]) == 20


def test_operators_of_the_search(as_sana: Desk, as_bilal: Desk, sana: Agent, ticket: Ticket, many: Many) -> None:
    many(2)
    acting.set_tags(ticket, ["refund now"], by=sana)
    acting.set_priority(ticket, "urgent", by=sana)
    documents.write([one.pk for one in Ticket.objects.all()])
    for query in (
        "from:ayesha", "from:ayesha@example.com", 'tag:"refund now"', "status:open priority:urgent",
        "parcel status:open", '"where is my parcel"', "“here by now”", "from:ayesha after:2020-01-01",
        "channel:email priority:Urgent from:khan",
        "assignee:none parcel", 'from:"Ayesha Khan"',
    ):  # fmt: skip
        assert shown(as_sana, urlencode({"q": query})) == [ticket.pk], query
        assert shown(as_bilal, urlencode({"q": query})) == [], query
    for query in ("parcel status:solved", '"parcel my"', "has:attachment parcel", "parcel before:2020-01-01"):
        assert shown(as_sana, urlencode({"q": query})) == [], query
    html = as_sana.get("/?" + urlencode({"q": "parcel status:nonsense has:what after:never"})).content.decode()
    assert rows(html) == [ticket.pk] and html.count("was left out") == 3
    assert "tag:" in as_sana.get("/search/help/?q=").content.decode()
    values = as_sana.get("/search/help/?" + urlencode({"q": "parcel status:o"})).content.decode()
    assert re.findall('data-put="([^"]+)"', values) == ["status:open ", "status:on_hold "]
    assert "support" not in as_bilal.get("/search/help/?q=channel:").content.decode()


def test_short_words_are_marked_where_they_stand_alone() -> None:
    assert found.marked("Tracking of TR-778", ["tr", "778"]) == "Tracking of <mark>TR</mark>-<mark>778</mark>"
