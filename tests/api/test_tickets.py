from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework import serializers

from api.strict import Choice, Filters, StrictSerializer
from inbox.models import Agent, Channel, Customer, Event, Message, Team, Ticket
from tests.api.conftest import Api, problem
from tests.cast import question

SHAPE = """
number subject status priority type severity topic attributes external_id organisation participants due_at spam channel
trashed customer assignee team tags language snoozed_until message_count created_at updated_at last_customer_message_at
first_replied_at solved_at closed_at reopen_count csat follow_up_of merged_into url
"""


def numbers(response: Any) -> list[int]:
    assert response.status_code == 200, response.content
    return [row["number"] for row in response.json()["results"]]


def test_a_ticket_has_the_promised_shape(as_sana: Api, ticket: Ticket, team: Team) -> None:
    body = as_sana.get(f"/tickets/{ticket.number}/").json()
    assert set(body) == set(SHAPE.split())
    assert body["channel"] == {"id": ticket.channel_id, "slug": "support", "kind": "email"}
    assert body["customer"] == {"id": ticket.customer_id, "name": "Ayesha Khan"}
    assert body["team"] == {"id": team.pk, "slug": "support", "name": "Support"}
    assert body["participants"] == [
        {"kind": "email", "value": "ayesha@example.com", "name": "Ayesha Khan", "role": "requester"}
    ]
    assert body["assignee"] is None
    assert body["url"] == f"http://testserver/tickets/{ticket.number}/"
    assert body["created_at"].endswith("Z")


def test_outsiders_get_404_everywhere(as_bilal: Api, ticket: Ticket) -> None:
    number = ticket.number
    for path in (f"/tickets/{number}/", f"/tickets/{number}/messages/", f"/tickets/{number}/events/"):
        problem(as_bilal.get(path), 404)
    problem(as_bilal.patch(f"/tickets/{number}/", {"status": "solved"}), 404)
    problem(as_bilal.post(f"/tickets/{number}/messages/", {"kind": "note", "text": "hi"}), 404)
    problem(as_bilal.post(f"/tickets/{number}/merge/", {"into": number}), 404)
    assert numbers(as_bilal.get("/tickets/")) == []
    ticket.refresh_from_db()
    assert ticket.status == "open"


def test_filters(as_sana: Api, sana: Agent, omar: Agent, support: Channel) -> None:
    first, second, third = (question(support, f"Question {n}") for n in range(3))
    as_sana.patch(f"/tickets/{first.number}/", {"status": "solved", "tags": ["parcel", "late"]})
    as_sana.patch(f"/tickets/{second.number}/", {"assignee": "me", "priority": "high"})
    as_sana.patch(f"/tickets/{third.number}/", {"team": None, "spam": True})
    moments = {one.pk: as_sana.get(f"/tickets/{one.pk}/").json() for one in (first, second, third)}
    omar.is_active = False
    omar.save()
    for query, found in {
        f"assignee={omar.pk}": [],
        "status=solved": [first],
        "status=open,solved&order=number": [first, second, third],
        "channel=support&order=-number": [third, second, first],
        f"channel={support.pk}&order=created_at": [first, second, third],
        "channel_kind=email&assignee=me": [second],
        f"assignee={sana.pk}": [second],
        "assignee=none&order=number": [first, third],
        "team=support&order=number": [first, second],
        "team=none": [third],
        "tag=late": [first],
        "tag=late&status=open": [],
        "priority=high,urgent": [second],
        f"customer={first.customer_id}&order=number": [first, second, third],
        "customer=999999999": [],
        "spam=false&order=number": [first, second],
        f"created_after={moments[first.pk]['created_at']}&order=number": [second, third],
        f"created_before={moments[second.pk]['created_at']}": [first],
        f"updated_after={moments[second.pk]['updated_at']}": [third],
    }.items():
        assert numbers(as_sana.get(f"/tickets/?{query}")) == [one.pk for one in found], query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("status=opened", "status"),
        ("order=subject", "order"),
        ("assignee=nobody-by-that-name", "assignee"),
        ("channel=%00", "channel"),
        ("team=99", "team"),
        ("created_after=yesterday", "created_after"),
        ("customer=99999999999999999999", "customer"),
        ("status=open&status=solved", "status"),
        ("page_size=0", "page_size"),
        ("page_size=201", "page_size"),
        ("page_size=²", "page_size"),
        ("cursor=bad", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=WzEsMiwzXQ", "cursor"),
        ("cursor=bnVsbA", "cursor"),
    ],
)
def test_filters_that_make_no_sense_are_named(as_sana: Api, ticket: Ticket, query: str, field: str) -> None:
    body = problem(as_sana.get(f"/tickets/?{query}"), 400, "invalid")
    assert list(body["errors"]) == [field]


@pytest.mark.parametrize("order", ["-updated_at", "updated_at", "created_at", "-number", "number", "last_message_at"])
def test_pages_forth_and_back_hold_every_ticket_once(as_sana: Api, support: Channel, order: str) -> None:
    made = [question(support, f"Question {n}").pk for n in range(7)]
    # Ties: what pages by one field alone would lose or repeat.
    Ticket.objects.filter(pk__in=made[:5]).update(updated_at="2026-01-01T00:00:00Z", created_at="2026-01-01T00:00:00Z")
    pages, path, last = [], f"/tickets/?order={order}&page_size=3", None
    while path:
        last = as_sana.get(path).json()
        pages.append([row["number"] for row in last["results"]])
        path = (last["next"] or "").removeprefix("http://testserver/api/v1")
    seen = [number for page in pages for number in page]
    assert sorted(seen) == made
    assert [len(page) for page in pages] == [3, 3, 1]
    back, path = [], last["previous"].removeprefix("http://testserver/api/v1")
    while path:
        last = as_sana.get(path).json()
        back.append([row["number"] for row in last["results"]])
        path = (last["previous"] or "").removeprefix("http://testserver/api/v1")
    assert back == [pages[1], pages[0]]
    assert last["next"]


def test_a_cursor_of_another_order_is_refused(as_sana: Api, support: Channel) -> None:
    for n in range(3):
        question(support, f"Question {n}")
    following = as_sana.get("/tickets/?page_size=1").json()["next"].removeprefix("http://testserver/api/v1")
    problem(as_sana.get(following + "&order=number"), 400)


def test_a_page_costs_the_same_whatever_its_size(as_sana: Api, support: Channel) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert as_sana.get(path).status_code == 200
        return len(seen)

    question(support, "One")
    as_sana.get("/tickets/")  # the first use of a token writes when it was
    few = queries("/tickets/")
    few_messages = queries(f"/tickets/{Ticket.objects.first().pk}/messages/")
    for n in range(20):
        question(support, f"Question {n}")
    for _n in range(5):
        as_sana.post(f"/tickets/{Ticket.objects.first().pk}/messages/", {"kind": "note", "text": "hi"})
    assert queries("/tickets/") == few <= 10
    assert queries(f"/tickets/{Ticket.objects.first().pk}/messages/") == few_messages <= 10


def test_a_ticket_is_opened_for_somebody_new(as_sana: Api, sana: Agent, support: Channel) -> None:
    response = as_sana.post(
        "/tickets/",
        {
            "channel": "support",
            "identity": {"kind": "email", "value": "Dawud@Example.com", "name": "Dawud"},
            "subject": "Your order",
            "text": "It left today.",
            "tags": ["order"],
            "external_id": "order-17",
        },
    )
    assert response.status_code == 201, response.content
    body = response.json()
    assert response["Location"] == f"http://testserver/api/v1/tickets/{body['number']}/"
    assert body["tags"] == ["order"]
    assert body["assignee"] == {"id": sana.pk, "name": "Sana"}
    message = Message.objects.get(ticket=body["number"])
    assert (message.direction, message.state, message.to) == (
        "out",
        "queued",
        [{"name": "Dawud", "address": "dawud@example.com"}],
    )
    again = problem(
        as_sana.post(
            "/tickets/",
            {
                "channel": support.pk,
                "customer": body["customer"]["id"],
                "subject": "Again",
                "html": "<p>Hi <script>alert(1)</script>there</p>",
                "direction": "in",
                "external_id": "order-17",
            },
        ),
        409,
        "taken",
    )
    assert list(again["errors"]) == ["external_id"]
    response = as_sana.post(
        "/tickets/",
        {
            "channel": support.pk,
            "customer": body["customer"]["id"],
            "subject": "Again",
            "html": "<p>Hi <script>alert(1)</script>there</p>",
            "direction": "in",
        },
    )
    assert response.status_code == 201, response.content
    message = Message.objects.get(ticket=response.json()["number"])
    assert (message.direction, message.text, message.html) == ("in", "Hi there", "<p>Hi there</p>")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"number": 7}, "number"),
        ({"channel": "elsewhere"}, "channel"),
        ({"identity": {"kind": "phone", "value": "+4930123"}}, "identity.kind"),
        ({"identity": {"kind": "email", "value": "no address"}}, "identity.value"),
        ({"identity": {"kind": "email", "value": "a@example.com", "name": "A\nBcc: x@example.com"}}, "identity.name"),
        ({"identity": {"kind": "email", "value": "a@example.com", "age": 7}}, "identity.age"),
        ({"identity": "a@example.com"}, "identity"),
        ({"customer": 1}, "customer"),
        ({"text": ""}, "text"),
        ({"text": "a\u0000b"}, "text"),
        ({"subject": None}, "subject"),
        ({"direction": "up"}, "direction"),
        ({"status": "closed"}, "status"),
        ({"tags": "one"}, "tags"),
        ({"attachments": [True, "x"]}, "attachments"),
    ],
)
def test_wrong_fields_of_a_new_ticket_are_named(
    as_sana: Api, support: Channel, change: dict[str, Any], field: str
) -> None:
    good = {
        "channel": "support",
        "identity": {"kind": "email", "value": "dawud@example.com"},
        "subject": "Your order",
        "text": "It left today.",
    }
    body = problem(as_sana.post("/tickets/", {**good, **change}), 400, "invalid")
    assert field in {name.split(".")[0] if name[-1].isdigit() else name for name in body["errors"]}, body
    assert not Ticket.objects.exists()


def test_changes_are_all_or_nothing(as_sana: Api, sana: Agent, ticket: Ticket) -> None:
    response = as_sana.patch(
        f"/tickets/{ticket.number}/",
        {
            "status": "on_hold",
            "priority": "urgent",
            "assignee": sana.pk,
            "team": None,
            "tags": ["b", "a", "b"],
            "subject": "Parcel",
            "snoozed_until": "2036-01-01T10:00:00+02:00",
        },
    )
    body = response.json()
    assert response.status_code == 200, body
    assert (body["status"], body["priority"], body["tags"], body["subject"]) == (
        "on_hold",
        "urgent",
        ["b", "a"],
        "Parcel",
    )
    assert (body["assignee"], body["team"]) == ({"id": sana.pk, "name": "Sana"}, None)
    assert body["snoozed_until"] == "2036-01-01T08:00:00Z"
    problem(
        as_sana.patch(f"/tickets/{ticket.number}/", {"priority": "low", "snoozed_until": "2020-01-01T00:00Z"}),
        422,
        "past",
    )
    assert as_sana.get(f"/tickets/{ticket.number}/").json() == body
    problem(as_sana.patch(f"/tickets/{ticket.number}/", {"reopen_count": 3}), 400)
    problem(as_sana.patch(f"/tickets/{ticket.number}/", {"assignee": 99999}), 400)
    problem(as_sana.patch(f"/tickets/{ticket.number}/", ["status"]), 400)


def test_giving_a_ticket_away_still_answers(as_zoya: Api, bilal: Agent, ticket: Ticket) -> None:
    other = Team.objects.create(name="Elsewhere", slug="elsewhere")
    assert as_zoya.patch(f"/tickets/{ticket.number}/", {"team": other.pk}).json()["team"]["slug"] == "elsewhere"


def test_light_agents_note_but_do_not_change(as_lena: Api, ticket: Ticket) -> None:
    assert as_lena.post(f"/tickets/{ticket.number}/messages/", {"kind": "note", "text": "Seen."}).status_code == 201
    problem(as_lena.post(f"/tickets/{ticket.number}/messages/", {"kind": "reply", "text": "Hi."}), 403)
    problem(as_lena.patch(f"/tickets/{ticket.number}/", {"status": "solved"}), 403)
    problem(as_lena.post("/tickets/", {"channel": "support", "subject": "x", "text": "y", "customer": 1}), 403)


def test_if_match_guards_against_changes_unseen(as_sana: Api, ticket: Ticket) -> None:
    path = f"/tickets/{ticket.number}/"
    seen = as_sana.get(path)
    etag = seen["ETag"]
    assert as_sana.get(path, If_None_Match=etag).status_code == 304
    changed = as_sana.patch(path, {"priority": "low"}, If_Match=etag)
    assert changed.status_code == 200
    assert changed["ETag"] != etag
    problem(as_sana.patch(path, {"priority": "high"}, If_Match=etag), 412, "changed_meanwhile")
    assert as_sana.get(path).json()["priority"] == "low"
    assert as_sana.get(path)["ETag"] == changed["ETag"]
    assert as_sana.patch(path, {"priority": "high"}, If_Match="*").status_code == 200


def test_the_log_of_a_ticket(as_sana: Api, sana: Agent, ticket: Ticket) -> None:
    as_sana.patch(f"/tickets/{ticket.number}/", {"status": "solved"})
    lines = as_sana.get(f"/tickets/{ticket.number}/events/").json()["results"]
    assert lines[0]["kind"] == "ticket_created"
    last = lines[-1]
    assert last["kind"] == "status_changed"
    assert last["actor"] == {"type": "agent", "id": sana.pk}
    assert last["data"] == {"from": "open", "to": "solved", "api": True}
    assert len(lines) == Event.objects.filter(ticket=ticket).count()


def test_merge(as_sana: Api, support: Channel, ticket: Ticket) -> None:
    other = question(support, "Where is it?")
    response = as_sana.post(f"/tickets/{other.number}/merge/", {"into": ticket.number})
    assert response.status_code == 200, response.content
    assert (response.json()["number"], response.json()["message_count"]) == (ticket.number, 2)
    assert as_sana.get(f"/tickets/{other.number}/").json()["merged_into"] == ticket.number
    problem(as_sana.post(f"/tickets/{other.number}/messages/", {"kind": "reply", "text": "x"}), 409, "merged")
    problem(as_sana.post(f"/tickets/{ticket.number}/merge/", {"into": ticket.number}), 422, "same")
    assert list(problem(as_sana.post(f"/tickets/{ticket.number}/merge/", {"into": 999}), 400)["errors"]) == ["into"]


def test_links(as_sana: Api, as_bilal: Api, as_lena: Api, support: Channel, ticket: Ticket) -> None:
    problem_ticket, third = question(support, "The server is down"), question(support, "Me too")
    path = f"/tickets/{ticket.number}/links/"
    made = as_sana.post(path, {"relation": "incident", "of": problem_ticket.number})
    assert made.status_code == 201
    link = made.json()
    assert (link["ticket"], link["relation"], link["of"]) == (ticket.number, "incident", problem_ticket.number)
    assert as_sana.post(path, {"relation": "incident", "of": problem_ticket.number}).json()["id"] == link["id"]
    there = f"/tickets/{problem_ticket.number}/links/"
    assert as_sana.get(path).json()["results"] == as_sana.get(there).json()["results"] == [link]
    problem(as_sana.post(there, {"relation": "incident", "of": ticket.number}), 409, "linked")
    problem(as_sana.post(path, {"relation": "child", "of": ticket.number}), 422, "same")
    for wrong in ({"relation": "merged", "of": third.number}, {"relation": "child", "of": 999}, {"of": third.number}):
        assert as_sana.post(path, wrong).status_code == 400
    as_sana.post(f"/tickets/{ticket.number}/merge/", {"into": third.number})  # the link goes along, and comes back
    [moved] = as_sana.get(there).json()["results"]
    assert (moved["id"], moved["ticket"]) == (link["id"], third.number)
    merged = as_sana.get(f"/tickets/{third.number}/links/").json()["results"][-1]
    problem(as_sana.delete(f"/tickets/{third.number}/links/{merged['id']}/"), 409, "in_use")
    as_sana.post(f"/tickets/{ticket.number}/unmerge/")
    assert as_sana.get(there).json()["results"] == [link]
    assert as_sana.get(f"/tickets/{third.number}/links/").json()["results"] == []
    gone = f"{path}{link['id']}/"
    problem(as_bilal.delete(gone), 404)
    problem(as_lena.delete(gone), 403)
    problem(as_sana.delete(f"/tickets/{third.number}/links/{link['id']}/"), 404)
    assert as_sana.delete(gone).status_code == 204
    problem(as_sana.delete(gone), 404)


@pytest.mark.parametrize("wrong", ["opne", "", "\ud800", 5, None, ["open"], {"a": 1}, "x" * 10_000])
def test_a_wrong_choice_is_told_which_there_are(as_sana: Api, ticket: Ticket, wrong: Any) -> None:
    [said] = problem(as_sana.patch(f"/tickets/{ticket.number}/", {"status": wrong}), 400, "invalid")["errors"]["status"]
    assert wrong is None or (
        said.endswith("is none of: open, pending, on_hold, solved, closed.") and len(said) < 120
    ), said
    ticket.refresh_from_db()
    assert ticket.status == "open"


def test_a_field_that_cannot_be_written_is_refused_all_the_same(as_sana: Api, ticket: Ticket) -> None:
    body = problem(as_sana.patch(f"/tickets/{ticket.number}/", {"sta\udfff": "open"}), 400, "invalid")
    assert list(body["errors"]) == ["sta?"]


def test_every_choice_that_is_taken_tells_which_there_are() -> None:
    def fields(serializer: Any) -> Iterator[Any]:
        for field in serializer.fields.values():
            yield field
            if (child := getattr(field, "child", None)) is not None:
                yield from fields(child) if hasattr(child, "fields") else [child]

    def kinds(kind: type[Any]) -> Iterator[type[Any]]:
        yield kind
        for inner in kind.__subclasses__():
            yield from kinds(inner)

    choices = [
        (kind.__name__, field.field_name, field)
        for kind in [*kinds(StrictSerializer), *kinds(Filters)]
        for field in fields(kind())
        if isinstance(field, serializers.ChoiceField)
    ]
    assert len(choices) > 15
    assert [name for *name, field in choices if not isinstance(field, Choice)] == []


def test_who_is_written_to_by_no_channel_is_by_the_one_they_prefer(as_sana: Api, support: Channel) -> None:
    customer = question(support, "Hello").customer
    said = {"customer": customer.pk, "subject": "Your order", "text": "It is ready."}
    assert "channel" in problem(as_sana.post("/tickets/", said), 400, "invalid")["errors"]
    Customer.objects.filter(pk=customer.pk).update(preferred_channel=support)
    problem(as_sana.post("/tickets/", said), 400, "invalid")  # it cannot send
    Channel.objects.filter(pk=support.pk).update(settings={"smtp": {"host": "mail.example"}})
    made = as_sana.post("/tickets/", said)
    assert made.status_code == 201, made.content
    assert made.json()["channel"]["slug"] == "support"
    for other in ({"direction": "in"}, {"customer": None, "identity": {"kind": "email", "value": "b@example.com"}}):
        body = {name: value for name, value in {**said, **other}.items() if value is not None}
        assert "channel" in problem(as_sana.post("/tickets/", body), 400, "invalid")["errors"]
    Customer.objects.filter(pk=customer.pk).update(opt_outs=["email"])
    assert "channel" in problem(as_sana.post("/tickets/", said), 400, "invalid")["errors"]
    problem(as_sana.post("/tickets/", {**said, "channel": "support"}), 409, "opted_out")
