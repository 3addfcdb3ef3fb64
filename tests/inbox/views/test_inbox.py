"""`/`: who sees which list, how it pages, and what it costs."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inbox import default_views, lists, timeline
from inbox.actions import tickets
from inbox.default_views import VIEWS
from inbox.models import Agent, Message, Team, Ticket
from tests.inbox.views.conftest import PART, Desk

Many = Callable[[int], list[Ticket]]
MOST_QUERIES = 15
MOST_BYTES = 60_000  # of a ticket with fifty messages, gzipped


def rows(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="row-(\d+)"', html)]


def cost(desk: Desk, path: str, *, part: bool = False) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert desk.get(path, part=part).status_code == 200, path
    return sum(not one["sql"].startswith(("SAVEPOINT", "RELEASE")) for one in queries)  # only in a test's transaction


def test_strangers_log_in_first(db: None) -> None:
    answer = Client().get("/?view=open")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")


def test_a_pane_of_somebody_logged_out_becomes_the_login_page(db: None) -> None:
    answer = Client().get("/tickets/1/", headers={**PART, "HX-Current-URL": "http://testserver/tickets/1/"})
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/accounts/login/?next=%2Ftickets%2F1%2F"


def test_an_outsider_sees_no_row_and_no_count(as_bilal: Desk, ticket: Ticket) -> None:
    html = as_bilal.get("/?view=open").content.decode()
    assert rows(html) == []
    assert 'data-count="open"></span>' in html
    assert "Support" not in html


@pytest.mark.parametrize(
    ("view", "change", "stays"),
    [
        ("mine", {}, False),
        ("unassigned", {}, True),
        ("open", {}, True),
        ("open", {"status": "solved"}, False),
        ("solved", {"status": "solved"}, True),
        ("pending", {"status": "pending"}, True),
        ("open", {"spam": True}, False),
        ("spam", {"spam": True}, True),
        ("open", {"trashed_at": datetime(2026, 1, 1, tzinfo=UTC)}, False),
    ],
)
def test_views(as_sana: Desk, ticket: Ticket, view: str, change: dict[str, object], stays: bool) -> None:
    Ticket.objects.filter(pk=ticket.pk).update(**change)
    assert rows(as_sana.get(f"/?view={view}").content.decode()) == ([ticket.pk] if stays else [])


def test_mine(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    tickets.assign(ticket, by=sana, agent=sana)
    assert rows(as_sana.get("/?view=mine").content.decode()) == [ticket.pk]
    assert rows(as_sana.get("/?view=unassigned").content.decode()) == []


def test_filters_are_in_the_address(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    assert rows(as_sana.get("/?team=support&priority=urgent").content.decode()) == []
    tickets.set_priority(ticket, "urgent", by=sana)
    html = as_sana.get("/?team=support&priority=urgent").content.decode()
    assert rows(html) == [ticket.pk]
    assert 'data-match-priority="urgent"' in html
    assert rows(as_sana.get("/?channel=support&assignee=me").content.decode()) == []


def test_views_that_are_not_there(as_bilal: Desk, team: Team) -> None:
    assert as_bilal.get("/?view=nonsense").status_code == 404
    assert as_bilal.get("/?team=support").status_code == 404


def test_paging_shows_each_ticket_once(as_sana: Desk, many: Many) -> None:
    made = many(lists.PAGE * 2 + 5)
    Ticket.objects.update(last_message_at=made[0].last_message_at)  # the same moment: the number decides
    seen, path = [], "/?view=open"
    while path:
        html = as_sana.get(path, part=path != "/?view=open").content.decode()
        seen += rows(html)
        found = re.search(r'class="more" href="([^"]+)"', html)
        path = found[1].replace("&amp;", "&") if found else ""
    assert seen == sorted((one.pk for one in made), reverse=True)


def test_a_broken_cursor_is_the_first_page(as_sana: Desk, ticket: Ticket) -> None:
    for before in ("nonsense", "1-", "-1", "9" * 40 + "-1", "1-" + "9" * 40):
        assert rows(as_sana.get(f"/?view=open&before={before}", part=True).content.decode()) == [ticket.pk]


def test_counts_stop(as_sana: Desk, sana: Agent, many: Many) -> None:
    many(default_views.MOST + 2)
    found = default_views.counts(
        {"open": default_views.select(sana, default_views.VIEWS["open"].match), "none": Ticket.objects.none()}
    )
    assert found == {"open": "1,000+", "none": ""}


def test_counts_are_read_from_indexes_alone(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    """What the sidebar counts: a look at each ticket of a million would take most of a page's time."""
    sana.teams.add(Team.objects.create(name="Orders", slug="orders"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # few rows would rather be read one by one
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        # Of few rows each index costs the same; they are back after the test.
        cursor.execute(
            "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'inbox_ticket'::regclass AND NOT indisunique"
            " AND indexrelid::regclass::text NOT LIKE 'ticket_count_of_%%'"
        )
        cursor.execute(f"DROP INDEX {', '.join(name for (name,) in cursor.fetchall())}")
    counted = default_views.counted(sana)
    assert {"mine", "open", "team", "channel"} <= {key.split("-")[0] for key in counted}
    for key, view in counted.items():
        if key != "mentions":
            plan = default_views.to_count(sana, view).values("pk").explain()
            assert plan.startswith("Index Only Scan using ticket_count_of_"), (key, plan)


def test_the_last_list_is_remembered(as_sana: Desk, ticket: Ticket) -> None:
    as_sana.get("/?view=spam")
    html = as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    assert 'data-match-spam="yes"' in html


def test_queries_do_not_grow(as_sana: Desk, many: Many) -> None:
    few = many(10)
    paths = [("/?view=open", False), ("/?view=open", True), (f"/tickets/{few[0].pk}/", False),
             (f"/tickets/{few[0].pk}/", True), (f"/customers/{few[0].customer_id}/", False)]  # fmt: skip
    before = [cost(as_sana, path, part=part) for path, part in paths]
    many(3000)
    assert [cost(as_sana, path, part=part) for path, part in paths] == before
    assert max(before) <= MOST_QUERIES
    pages = [view.url for view in VIEWS.values()]
    pages += ["/?view=open&q=parcel", "/?view=all&tag=vip&status=open&organisation=Acme&sort=due", "/customers/",
              "/customers/?q=ayesha&f_open=yes", "/tickets/new/", "/palette/?q=parcel", "/notifications/"]  # fmt: skip
    assert max(cost(as_sana, path) for path in pages) <= MOST_QUERIES


def test_a_long_ticket_is_light(as_sana: Desk, ticket: Ticket) -> None:
    """Fifty letters of some length, no two alike, as they come from the server when somebody opens them in the list."""
    words = [f"{number * 7919 % 99991:x}" for number in range(4000)]
    said = [" ".join(words[70 * place : 70 * place + 70]) for place in range(50)]
    like = {"ticket": ticket, "first_ticket": ticket, "channel_id": ticket.channel_id, "direction": "in"}
    Message.objects.bulk_create(
        Message(**like, author_kind="customer", customer_id=ticket.customer_id, text=text, visible_text=text,
                html=f"<p>{text}</p>")
        for text in said
    )  # fmt: skip
    page = as_sana.get(f"/tickets/{ticket.pk}/", part=True).content
    assert page.count(b'<article class="message') == timeline.PAGE
    assert len(gzip.compress(page)) < MOST_BYTES
