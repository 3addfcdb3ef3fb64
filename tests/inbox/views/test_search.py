"""The search of the screen, without Chromium: pages, parts, words, and who sees what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inbox import found
from inbox.models import Channel, Ticket
from inbox.search import finding, follower
from tests.cast import question
from tests.inbox.views.conftest import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def parcel(ticket: Ticket) -> Ticket:
    follower.write([ticket.number])
    return ticket


def numbers(answer: Any) -> list[int]:
    return [row.number for row in answer.context["page"].tickets]


def test_a_search_is_a_page_with_an_address(as_sana: Desk, parcel: Ticket) -> None:
    answer = as_sana.get("/?q=PARC")
    assert numbers(answer) == [parcel.number]
    page = answer.content.decode()
    assert 'value="PARC"' in page and "Where is my <mark>parcel</mark>?" in page
    assert answer.context["listing"].count == "1"


def test_while_typing_only_what_is_below_the_field_changes(as_sana: Desk, parcel: Ticket) -> None:
    answer = as_sana.get("/?view=pending&q=parcel", part=True)
    page = answer.content.decode()
    assert 'id="search"' not in page and "vacant" not in page
    assert "Where is my <mark>parcel</mark>?" in page
    assert answer["HX-Push-Url"] == "/?view=pending&q=parcel"
    further = as_sana.get("/?view=pending&q=parcels", part=True, **{"HX-Current-URL": "http://testserver/?q=parcel"})
    assert further["HX-Replace-Url"] == "/?view=pending&q=parcels" and "HX-Push-Url" not in further
    back = as_sana.get("/?view=pending&q=", part=True, **{"HX-Current-URL": "http://testserver/?q=parcel"})
    assert back["HX-Replace-Url"] == "/?view=pending"
    assert back.context["listing"].view.key == "pending"


@pytest.mark.parametrize(
    ("typed", "says"),
    [("zzz", "Nothing found"), ("?!", "What are you looking for?"), ("😀", "What are you looking for?")],
)
def test_nothing_found_is_said(as_sana: Desk, parcel: Ticket, typed: str, says: str) -> None:
    answer = as_sana.get("/", part=True) if not typed else as_sana.client.get("/", {"q": typed})
    assert says in answer.content.decode()


def test_too_slow_is_said(as_sana: Desk, parcel: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_args: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")

    monkeypatch.setattr(finding, "PATIENCE", 0.05)
    monkeypatch.setattr(finding, "_hits", slow)
    assert "That took too long" in as_sana.get("/?q=parcel").content.decode()


@pytest.mark.parametrize("typed", ["parcel", "ayesha", "ayesha@example.com", "where", "by now", "p", "1"])
def test_an_outsider_finds_nothing(as_bilal: Desk, as_lena: Desk, parcel: Ticket, typed: str) -> None:
    assert numbers(as_lena.client.get("/", {"q": typed})) == [parcel.number] or typed == "1"
    for query in (typed, f"#{parcel.number}"):
        answer = as_bilal.client.get("/", {"q": query})
        assert numbers(answer) == []
        assert "parcel?" not in answer.content.decode() and "Ayesha" not in answer.content.decode()
        assert answer.context["listing"].count == "0"


def test_people_stand_above(as_sana: Desk, as_bilal: Desk, parcel: Ticket) -> None:
    page = as_sana.get("/?q=aye").content.decode()
    assert f'href="/customers/{parcel.customer_id}/"' in page and "<mark>Ayesha</mark> Khan" in page
    assert f"/customers/{parcel.customer_id}/" not in as_bilal.get("/?q=aye").content.decode()


def test_what_is_marked_is_escaped(as_sana: Desk, support: Channel) -> None:
    ticket = question(support, "<b>parcel</b> & <script>alert(1)</script>", text="<img src=x onerror=alert(2)> teapot")
    follower.write([ticket.number])
    page = as_sana.get("/?q=parcel").content.decode()
    assert "&lt;b&gt;<mark>parcel</mark>&lt;/b&gt; &amp; &lt;script&gt;" in page
    page = as_sana.get("/?q=teapot").content.decode()
    assert "<img" not in page.partition('id="rows"')[2] and "<mark>teapot</mark>" in page
    page = as_sana.client.get("/", {"q": '"><script>alert(3)</script>'}).content.decode()
    assert "<script>alert" not in page


def test_a_hit_in_an_older_text_shows_its_line(as_sana: Desk, support: Channel) -> None:
    ticket = question(support, "Hello", text="word " * 50 + "the copper kettle leaks " + "word " * 50)
    Ticket.objects.filter(pk=ticket.pk).update(preview="Something else")
    follower.write([ticket.number])
    row = as_sana.get("/?q=KETTLE").context["page"].tickets[0]
    assert "copper <mark>kettle</mark> leaks" in row.snippet and row.snippet.startswith("… ")
    assert len(row.snippet) < 300


def test_results_have_pages(as_sana: Desk, many: Callable[[int], list[Ticket]]) -> None:
    made = [ticket.number for ticket in many(50)]
    follower.write(made)
    first = as_sana.get("/?q=question")
    assert numbers(first) == made[:-41:-1] and first.context["page"].more == "/?view=open&q=question&before=40"
    rest = as_sana.get(first.context["page"].more, part=True)
    assert numbers(rest) == made[9::-1] and not rest.context["page"].more
    for broken in ("x", "-1", "9" * 30, "²"):
        assert as_sana.client.get("/", {"q": "question", "before": broken}).status_code == 200


def test_the_number_of_queries_is_fixed(as_sana: Desk, many: Callable[[int], list[Ticket]]) -> None:
    follower.write([ticket.number for ticket in many(3)])
    as_sana.get("/?q=question where", part=True)
    with CaptureQueriesContext(connection) as few:
        as_sana.get("/?q=question where", part=True)
    follower.write([ticket.number for ticket in many(60)])
    with CaptureQueriesContext(connection) as more:
        as_sana.get("/?q=question where", part=True)
    assert len(few) == len(more) <= 22


def test_a_conversation_opens_beside_its_search(as_sana: Desk, parcel: Ticket) -> None:
    as_sana.get("/?view=pending&q=parcel")
    answer = as_sana.get(f"/tickets/{parcel.number}/")
    assert numbers(answer) == [parcel.number] and 'value="parcel"' in answer.content.decode()


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("My Parcels came", ["parcel"], "My <mark>Parcels</mark> came"),
        ("میرا آرڈر كہاں", ["ارڈر", "کہاں"], "میرا <mark>آرڈر</mark> <mark>كہاں</mark>"),
        ("براہِ کرم", ["براہ"], "<mark>براہِ</mark> کرم"),
        ("Straße & Größe", ["strasse", "gro"], "<mark>Straße</mark> &amp; <mark>Größe</mark>"),
        ("a cat", ["a"], "<mark>a</mark> cat"),
        ("cat", ["a"], "cat"),
        ("", ["a"], ""),
    ],
)
def test_marks_whatever_the_spelling(text: str, words: list[str], marked: str) -> None:
    assert found.marked(text, words) == marked
