"""A ticket's own properties and tags, edited in the right panel; and what is needed before it is solved."""

from __future__ import annotations

import pytest

from inbox.actions import tickets
from inbox.models import Agent, Field, Tag, Ticket
from inbox.search import follower
from tests.inbox.views.conftest import Desk


def put(desk: Desk, ticket: Ticket, name: str, value: str) -> int:
    path = f"/tickets/{ticket.pk}/properties/"
    return int(desk.post(path, {"property": name, name: value}, part=True).status_code)


def test_each_property_is_saved_alone(as_sana: Desk, ticket: Ticket, sana: Agent) -> None:
    Field.objects.create(noun="ticket", key="count", label="Count", kind="number")
    tickets.set_fields(ticket, by=sana, attributes={"free": [1]})
    Agent.objects.filter(pk=sana.pk).update(time_zone="Asia/Karachi")
    for name, value in (("priority", "high"), ("type", "complaint"), ("severity", "2"), ("topic", " late  parcel"),
                        ("language", "ur"), ("external_id", "X-1"), ("due_at", "2030-01-02T09:30"),
                        ("attribute-count", "12")):  # fmt: skip
        assert put(as_sana, ticket, name, value) == 200, name
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.type, ticket.severity, ticket.topic) == ("high", "complaint", 2, "late parcel")
    assert (ticket.language, ticket.language_chosen, ticket.external_id) == ("ur", True, "X-1")
    assert ticket.due_at is not None and ticket.due_at.isoformat() == "2030-01-02T04:30:00+00:00"
    assert ticket.attributes == {"free": [1], "count": 12}
    assert put(as_sana, ticket, "external_id", "") == 200
    assert put(as_sana, ticket, "attribute-count", "") == 200
    ticket.refresh_from_db()
    assert (ticket.external_id, ticket.attributes) == (None, {"free": [1]})


@pytest.mark.parametrize(
    ("name", "value"),
    [("severity", "7"), ("attribute-count", "many"), ("due_at", "soon"), ("type", "x"), ("nothing", "x"), ("", "")],
)
def test_what_does_not_fit_is_refused_with_its_reason(as_sana: Desk, ticket: Ticket, name: str, value: str) -> None:
    Field.objects.create(noun="ticket", key="count", label="Count", kind="number")
    before = Ticket.objects.values().get(pk=ticket.pk)
    assert put(as_sana, ticket, name, value) == (422 if name not in {"nothing", ""} else 200)
    assert Ticket.objects.values().get(pk=ticket.pk) == before


def test_tags_are_added_and_taken_off_one_by_one(as_sana: Desk, ticket: Ticket, sana: Agent) -> None:
    Tag.objects.create(name="late", colour="#b91c1c")
    path = f"/tickets/{ticket.pk}/tags/"
    assert 'fill="#b91c1c"' in as_sana.post(path, {"add": "late"}, part=True).content.decode()
    as_sana.post(path, {"add": "#VIP, gold،"})
    tickets.change_tags(ticket, by=sana, remove=["late"])
    ticket.refresh_from_db()
    assert ticket.tags == ["VIP", "gold"]
    as_sana.post(path, {"take_off": "gold"})
    ticket.refresh_from_db()
    assert ticket.tags == ["VIP"]
    assert 'data-value="late"' in as_sana.get("/tags/?q=AT").content.decode()
    assert "late" not in as_sana.get("/tags/?q=%25").content.decode()


def test_suggestions_show_no_more_than_their_reader_sees(
    as_sana: Desk, as_bilal: Desk, ticket: Ticket, sana: Agent
) -> None:
    tickets.set_fields(ticket, by=sana, topic="Delivery")
    follower.write([ticket.number])
    for path in ("/topics/?q=deli", f"/tickets/suggestions/?q=%23{ticket.pk}", "/tickets/suggestions/?q=parcel"):
        assert "data-value" in as_sana.get(path).content.decode()
        assert "data-value" not in as_bilal.get(path).content.decode()


def test_the_form_opens_at_what_is_missing(as_sana: Desk, ticket: Ticket) -> None:
    Field.objects.create(noun="ticket", key="size", label="Size", kind="text", required=True)
    refused = as_sana.post(f"/tickets/{ticket.pk}/status/", {"status": "solved"}, part=True)
    assert refused.status_code == 422
    html = refused.content.decode()
    assert "Fill in first: Size." in html
    assert 'aria-describedby="missing-attribute-size"' in html
    answer = {"kind": "reply", "text": "Done.", "client_id": "c1", "status": "solved"}
    sent = as_sana.post(f"/tickets/{ticket.pk}/messages/", answer, part=True)
    assert sent.status_code == 422
    assert 'id="missing-attribute-size"' in sent.content.decode()
    assert ticket.messages.count() == 1
    tickets.set_status(ticket, "solved", by=None)  # a rule may
    assert Ticket.objects.get(pk=ticket.pk).status == "solved"


def test_a_snooze_in_words_is_shown_before_it_is_kept(as_sana: Desk, ticket: Ticket, sana: Agent) -> None:
    Agent.objects.filter(pk=sana.pk).update(time_zone="Asia/Karachi")
    assert "<time" in as_sana.get("/moment/?q=کل صبح").content.decode()
    assert "<time" not in as_sana.get("/moment/?q=never").content.decode()
    path = f"/tickets/{ticket.pk}/snooze/"
    assert as_sana.post(path, {"when": "never"}, part=True).status_code == 422
    assert as_sana.post(path, {"when": "tomorrow 9:00"}, part=True).status_code == 200
    until = Ticket.objects.get(pk=ticket.pk).snoozed_until
    assert until is not None and (until.hour, until.minute) == (4, 0)
    as_sana.post(path, {"hours": "0"})
    assert Ticket.objects.get(pk=ticket.pk).snoozed_until is None
