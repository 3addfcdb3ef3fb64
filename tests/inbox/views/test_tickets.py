"""`/tickets/<number>/`: reading and changing a ticket, by role."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from inbox.actions import reply, tickets
from inbox.models import Agent, Channel, Message, Tag, Ticket
from tests.cast import question
from tests.inbox.views.conftest import PART, Desk

CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("assignment", {"agent": ""}),
    ("status", {"status": "solved"}),
    ("priority", {"priority": "urgent"}),
    ("tags", {"tags": "a, b"}),
    ("subject", {"subject": "Another"}),
    ("spam", {"spam": "yes"}),
    ("snooze", {"hours": "3"}),
    ("merge", {"into": "1"}),
]


def test_the_page_has_all_panes_and_a_part_only_its_own(as_sana: Desk, ticket: Ticket) -> None:
    page = as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    part = as_sana.get(f"/tickets/{ticket.pk}/", part=True).content.decode()
    assert "It should be here by now." in page and "It should be here by now." in part
    assert "<html" in page and "<html" not in part
    assert 'id="list"' in page and 'id="list"' not in part


def test_answers_are_private_and_vary(as_sana: Desk, ticket: Ticket) -> None:
    answer = as_sana.get(f"/tickets/{ticket.pk}/", part=True)
    assert "no-store" in answer["Cache-Control"]
    assert "HX-Request" in answer["Vary"]
    policy = answer["Content-Security-Policy"]
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy


@pytest.mark.parametrize("path", ["", "changes/", "earlier/"])
def test_an_outsider_finds_nothing(as_bilal: Desk, ticket: Ticket, path: str) -> None:
    answer = as_bilal.get(f"/tickets/{ticket.pk}/{path}")
    assert "It should be here" not in answer.content.decode()
    assert answer.status_code == 404 or path == "changes/"


@pytest.mark.parametrize(("noun", "data"), CHANGES)
def test_outsiders_and_light_agents_change_nothing(
    as_bilal: Desk, as_lena: Desk, ticket: Ticket, noun: str, data: dict[str, Any]
) -> None:
    before = Ticket.objects.values().get(pk=ticket.pk)
    assert as_bilal.post(f"/tickets/{ticket.pk}/{noun}/", data).status_code == 404
    assert as_lena.post(f"/tickets/{ticket.pk}/{noun}/", data).status_code == 403
    assert Client().post(f"/tickets/{ticket.pk}/{noun}/", data).status_code == 302
    assert Ticket.objects.values().get(pk=ticket.pk) == before


def test_each_change_works_with_and_without_htmx(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    assert as_sana.post(f"/tickets/{ticket.pk}/assignment/", {"agent": sana.pk}).status_code == 302
    assert as_sana.post(f"/tickets/{ticket.pk}/priority/", {"priority": "high"}, part=True).status_code == 200
    as_sana.post(f"/tickets/{ticket.pk}/tags/", {"tags": "parcel, late،  parcel"}, part=True)
    as_sana.post(f"/tickets/{ticket.pk}/subject/", {"subject": "Lost parcel"}, part=True)
    as_sana.post(f"/tickets/{ticket.pk}/snooze/", {"hours": "3"}, part=True)
    html = as_sana.post(f"/tickets/{ticket.pk}/status/", {"status": "on_hold"}, part=True).content.decode()
    assert "hx-partial" in html and "On hold" in html and "Sana: took the ticket" in html
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.priority, ticket.tags) == (sana, "high", ["parcel", "late"])
    assert (ticket.subject, ticket.status) == ("Lost parcel", "on_hold")
    assert ticket.snoozed_until is not None


def test_history_names_tags_as_they_are_called_now(as_sana: Desk, sana: Agent, omar: Agent, ticket: Ticket) -> None:
    tickets.set_tags(ticket, ["late", "parcel"], by=omar)
    tickets.set_tags(ticket, ["late", "vip"], by=sana)
    Tag.objects.filter(name="vip").update(name="regular")
    html = as_sana.get(f"/tickets/{ticket.pk}/", part=True).content.decode()
    assert "Omar: tagged late, parcel" in html and "Sana: tagged regular, untagged parcel" in html
    Tag.objects.all().delete()
    assert "Omar: changed the tags" in as_sana.get(f"/tickets/{ticket.pk}/", part=True).content.decode()


def test_assigning_a_team_leaves_the_person(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    as_sana.post(f"/tickets/{ticket.pk}/assignment/", {"agent": sana.pk})
    as_sana.post(f"/tickets/{ticket.pk}/assignment/", {"team": ""})
    ticket.refresh_from_db()
    assert ticket.assignee == sana and ticket.team is None


@pytest.mark.parametrize(
    ("noun", "data"),
    [("status", {"status": "closed"}), ("status", {}), ("priority", {"priority": "x"})],
)
def test_nonsense_is_refused_in_words(as_sana: Desk, ticket: Ticket, noun: str, data: dict[str, str]) -> None:
    answer = as_sana.post(f"/tickets/{ticket.pk}/{noun}/", data, part=True)
    assert answer.status_code == 422
    assert 'class="notice"' in answer.content.decode()


def test_a_merge_that_makes_no_sense_is_refused_where_it_is_asked_for(as_sana: Desk, ticket: Ticket) -> None:
    answer = as_sana.post(f"/tickets/{ticket.pk}/merge/", {"into": "x"}, part=True)
    assert answer.status_code == 422
    assert 'role="alert">“x” is not a ticket number.' in answer.content.decode()


def test_merging_locks_and_points_on(as_sana: Desk, support: Channel, ticket: Ticket) -> None:
    other = question(support, "Again: my parcel")
    html = as_sana.post(f"/tickets/{other.pk}/merge/", {"into": f"#{ticket.pk}"}, part=True).content.decode()
    assert f"This ticket was merged into #{ticket.pk}." in html
    page = as_sana.get(f"/tickets/{other.pk}/").content.decode()
    assert f'href="/tickets/{ticket.pk}/"' in page and 'id="composer"' not in page
    late = as_sana.post(f"/tickets/{other.pk}/messages/", {"kind": "note", "text": "late"}, part=True)
    assert late.status_code == 422


def test_merging_into_what_one_may_not_see_says_so(as_sana: Desk, ticket: Ticket) -> None:
    answer = as_sana.post(f"/tickets/{ticket.pk}/merge/", {"into": "999999"}, part=True)
    assert answer.status_code == 422
    assert "There is no such ticket" in answer.content.decode()


def test_long_conversations_come_in_pages(as_sana: Desk, support: Channel, ticket: Ticket) -> None:
    Message.objects.bulk_create(
        [
            Message(
                ticket=ticket,
                first_ticket=ticket,
                channel=support,
                direction="note",
                author_kind="agent",
                text=f"note {n}.",
            )
            for n in range(70)
        ]
    )
    html = as_sana.get(f"/tickets/{ticket.pk}/", part=True).content.decode()
    assert html.count("<article") == 30 and "note 69." in html
    seen = html.count("<article")
    while "/earlier/?before=" in html:
        path = html.split('class="more" href="')[1].split('"')[0]
        html = as_sana.get(path, part=True).content.decode()
        seen += html.count("<article")
    assert seen == 71


def test_what_is_new_starts_where_the_page_starts(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    first = reply.note(ticket, by=sana, text="one")
    reply.note(ticket, by=sana, text="two")
    html = as_sana.get(f"/tickets/{ticket.pk}/changes/?from={first.pk}", part=True).content.decode()
    assert "It should be here by now." not in html.split("row-")[0]
    assert "one" in html and "two" in html
    # What is being typed is never part of a refresh: a composer comes only to where there is none.
    assert html.count('id="text"') == 1 and "#answer:not(:has(#composer))" in html.split('id="text"')[0]


def test_history_gets_the_whole_page(as_sana: Desk, ticket: Ticket) -> None:
    answer = as_sana.client.get(f"/tickets/{ticket.pk}/", headers={**PART, "HX-History-Restore-Request": "true"})
    assert "<html" in answer.content.decode()


def test_customers(as_sana: Desk, as_bilal: Desk, ticket: Ticket) -> None:
    html = as_sana.get(f"/customers/{ticket.customer_id}/").content.decode()
    assert "ayesha@example.com" in html and f"/tickets/{ticket.pk}/" in html
    assert as_bilal.get(f"/customers/{ticket.customer_id}/").status_code == 404
