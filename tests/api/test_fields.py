"""/fields/, and attributes that are checked against them."""

from __future__ import annotations

from inbox.models import Agent, Field, Ticket
from tests.api.conftest import Api, problem


def test_administrators_write_fields_and_everybody_reads_them(as_zoya: Api, as_sana: Api, zoya: Agent) -> None:
    body = {"noun": "ticket", "key": "size", "label": "Size", "kind": "choice", "choices": ["S", "L"]}
    assert as_sana.post("/fields/", body).status_code == 403
    assert Api(zoya, "write").post("/fields/", body).status_code == 403
    made = as_zoya.post("/fields/", body)
    assert made.status_code == 201
    path = f"/fields/{made.json()['id']}/"
    problem(as_zoya.post("/fields/", body), 409, "taken")
    assert problem(as_zoya.patch(path, {"key": "other"}), 400)["errors"].keys() == {"key"}
    assert as_zoya.patch(path, {"choices": ["S", "M", "L"]}).json()["choices"] == ["S", "M", "L"]
    assert [one["key"] for one in as_sana.get("/fields/?noun=ticket").json()["results"]] == ["size"]
    assert as_sana.get("/fields/?noun=customer").json()["results"] == []
    assert as_zoya.delete(path).status_code == 204


def test_attributes_fit_their_fields(as_sana: Api, ticket: Ticket) -> None:
    Field.objects.create(noun="ticket", key="size", label="Size", kind="choice", choices=["S", "L"])
    Field.objects.create(noun="customer", key="since", label="Since", kind="date")
    path = f"/tickets/{ticket.pk}/"
    wrong = problem(as_sana.patch(path, {"attributes": {"size": "XXL", "free": 1}}), 400)
    assert set(wrong["errors"]) == {"attributes.size"}
    assert as_sana.patch(path, {"attributes": {"size": "S", "free": {"deep": [1]}}}).status_code == 200
    Field.objects.update(choices=["M"])
    assert as_sana.patch(path, {"attributes": {"size": "S", "free": 2}}).status_code == 200  # it was there before
    assert as_sana.patch(path, {"attributes": {"size": "L"}}).status_code == 400
    customer = f"/customers/{ticket.customer_id}/"
    late = problem(as_sana.patch(customer, {"attributes": {"since": "soon"}}), 400)
    assert set(late["errors"]) == {"attributes.since"}
    assert as_sana.patch(customer, {"attributes": {"since": "2026-01-31"}}).status_code == 200


def test_nobody_solves_a_ticket_that_does_not_say_what_it_must(as_sana: Api, ticket: Ticket) -> None:
    Field.objects.create(noun="ticket", key="size", label="Size", kind="choice", choices=["S"], required=True)
    path = f"/tickets/{ticket.pk}/"
    refused = problem(as_sana.patch(path, {"status": "solved", "priority": "high"}), 409, "fields_missing")
    assert set(refused["errors"]) == {"attributes.size"}
    assert as_sana.get(path).json()["priority"] == "normal"  # all or nothing
    answer = {"kind": "reply", "text": "Done.", "status": "solved"}
    problem(as_sana.post(f"{path}messages/", answer), 409, "fields_missing")
    assert as_sana.patch(path, {"status": "solved", "attributes": {"size": "S"}}).json()["status"] == "solved"
