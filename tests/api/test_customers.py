"""Customers: made, found, addressed, merged and parted, exported; what happened to them."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inbox import files
from inbox.actions import customers, joining, pictures, receive
from inbox.adapters import Party, RawReceipt
from inbox.models import Channel, Customer, CustomerEvent, CustomerMerge, Event, Identity, Picture, Ticket
from reports.models import Answer, Survey
from sandbox.phones import faces
from tests.api.conftest import Api, problem
from tests.cast import question

DAWUD = Party("email", "dawud@example.net", "Dawud Aziz")


def created(api: Api, **fields: Any) -> dict[str, Any]:
    response = api.post("/customers/", fields)
    assert response.status_code == 201, response.content
    body: dict[str, Any] = response.json()
    return body


def test_a_customer_is_made_and_found(as_sana: Api, support: Channel) -> None:
    body = created(
        as_sana,
        name="Dawud Aziz",
        external_id="crm-7",
        stage="customer",
        time_zone="Asia/Karachi",
        preferred_channel="support",
        tags=["vip"],
        attributes={"plan": {"seats": 3}},
        identities=[
            {"kind": "email", "value": "Dawud@Example.net"},
            {"kind": "phone", "value": "+49 (30) 123-4567", "name": "mobile"},
        ],
    )
    assert [(one["kind"], one["value"], one["verified"]) for one in body["identities"]] == [
        ("email", "dawud@example.net", True),
        ("phone", "+49301234567", True),
    ]
    assert (body["stage"], body["attributes"], body["ticket_count"]) == ("customer", {"plan": {"seats": 3}}, 0)
    for query in ("identity=DAWUD@example.net", "external_id=crm-7", "q=dawud", "q=aziz", "q=dawud@ex", "q=%2B4930",
                  "identity=%2B49%20(30)%20123-4567"):  # fmt: skip
        assert [row["id"] for row in as_sana.get(f"/customers/?{query}").json()["results"]] == [body["id"]], query
    assert as_sana.get("/customers/?q=ziz").json()["results"] == []
    [event] = Event.objects.filter(kind="customer_created")
    assert (event.actor_id, event.data) == (as_sana.agent.pk, {"customer": body["id"]})
    # Their mail finds them.
    assert question(support, "Hello", DAWUD).customer_id == body["id"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"id": 7}, "id"),
        ({"name": "A\nB"}, "name"),
        ({"stage": "friend"}, "stage"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"organisation": 99}, "organisation"),
        ({"preferred_channel": "nowhere"}, "preferred_channel"),
        ({"attributes": {"a": "\u0000"}}, "attributes"),
        ({"attributes": []}, "attributes"),
        ({"identities": [{"kind": "email", "value": "nobody"}]}, "identities.0.value"),
        ({"identities": [{"kind": "phone", "value": "030 1234"}]}, "identities.0.value"),
        ({"identities": [{"kind": "E Mail", "value": "x"}]}, "identities.0.kind"),
        ({"identities": [{"kind": "telegram", "value": "a\nb"}]}, "identities.0.value"),
        ({"identities": {"kind": "email"}}, "identities"),
    ],
)
def test_wrong_fields_of_a_customer_are_named(as_sana: Api, body: dict[str, Any], field: str) -> None:
    assert list(problem(as_sana.post("/customers/", body), 400, "invalid")["errors"]) == [field]
    assert not Customer.objects.exists()


def test_an_address_belongs_to_one_customer(as_sana: Api, support: Channel, ticket: Ticket) -> None:
    taken = {"identities": [{"kind": "email", "value": "ayesha@example.com"}]}
    problem(as_sana.post("/customers/", {"name": "Another", **taken}), 409, "taken")
    ours = {"identities": [{"kind": "email", "value": "support@example.org"}]}
    problem(as_sana.post("/customers/", ours), 422, "own_address")
    assert Customer.objects.count() == 1
    other = created(as_sana, name="Another")
    path = f"/customers/{other['id']}/identities/"
    problem(as_sana.post(path, taken["identities"][0]), 409, "taken")
    # A claim that nobody has checked may stand beside it, and finds nobody.
    claimed = as_sana.post(path, {**taken["identities"][0], "verified": False})
    assert (claimed.status_code, claimed.json()["identities"][0]["verified"]) == (201, False)
    assert question(support, "Again").customer_id == ticket.customer_id
    # A number that was passed on: retired here, it can become another's.
    [identity] = as_sana.get(f"/customers/{ticket.customer_id}/").json()["identities"]
    retired = as_sana.delete(f"/customers/{ticket.customer_id}/identities/{identity['id']}/")
    assert (retired.status_code, retired.json()["identities"]) == (200, [])
    assert as_sana.post(path, taken["identities"][0]).json()["identities"][0]["verified"] is True
    assert question(support, "Once more").customer_id == other["id"]
    problem(as_sana.delete(f"/customers/{other['id']}/identities/{identity['id']}/"), 404)


def test_put_makes_once_and_then_changes(as_sana: Api, as_lena: Api) -> None:
    path = "/customers/?external_id=crm-7"
    problem(as_lena.call("PUT", path, {}), 403)
    problem(as_sana.call("PUT", "/customers/", {}), 400)
    first = as_sana.call("PUT", path, {"name": "Dawud", "identities": [{"kind": "email", "value": "d@example.net"}]})
    assert first.status_code == 201, first.content
    again = as_sana.call("PUT", path, {"tags": ["vip"], "identities": [{"kind": "email", "value": "d2@example.net"}]})
    assert again.status_code == 200
    body = again.json()
    assert (body["id"], body["name"], body["tags"]) == (first.json()["id"], "Dawud", ["vip"])
    assert [one["value"] for one in body["identities"]] == ["d@example.net", "d2@example.net"]
    assert Customer.objects.count() == 1
    problem(as_sana.call("PUT", path, {"external_id": "crm-8"}), 400)


def test_new_people_join_the_organisation_of_their_domain(as_sana: Api) -> None:
    made = as_sana.post("/organisations/", {"name": "Aziz Ltd", "domains": ["Example.NET", "example.net"]}).json()
    assert made["domains"] == ["example.net"]
    body = created(as_sana, name="Dawud", identities=[{"kind": "email", "value": "dawud@example.net"}])
    assert body["organisation"] == {"id": made["id"], "name": "Aziz Ltd"}
    assert as_sana.get(f"/customers/?organisation={made['id']}").json()["results"] == [body]
    left = as_sana.patch(f"/customers/{body['id']}/", {"organisation": None}).json()
    assert left["organisation"] is None


def test_whoever_writes_first_joins_it_too(as_sana: Api, support: Channel) -> None:
    made = as_sana.post("/organisations/", {"name": "Aziz Ltd", "domains": ["example.net"]}).json()
    assert question(support, "Hello", DAWUD).organisation_id == made["id"]
    for number, sender in enumerate(("new@example.net", "other@example.com")):
        mail = f"From: {sender}\nTo: support@example.org\nMessage-ID: <{number}@x>\nSubject: Hi\n\nHello\n"
        [stored] = receive.store(support, [RawReceipt(mail.encode(), str(number))], claim=True)
        [outcome] = receive.take_in([stored.receipt_id])
        ticket = Ticket.objects.get(pk=outcome.ticket)
        assert (ticket.organisation_id, ticket.customer.organisation_id) == ((made["id"],) * 2, (None, None))[number]


def test_events_of_elsewhere_are_kept_once(as_sana: Api, as_bilal: Api, as_lena: Api, ticket: Ticket) -> None:
    path = f"/customers/{ticket.customer_id}/events/"
    order = {"kind": "order", "external_id": "A-1", "at": "2026-11-01T10:00:00Z", "data": {"total": 12.5}}
    first = as_sana.post(path, {"events": [order, {"kind": "visit"}, order]})
    assert first.status_code == 201, first.content
    rows = first.json()["events"]
    assert [row["kind"] for row in rows] == ["order", "visit", "order"]
    assert rows[0] == rows[2]
    again = as_sana.post(path, {"events": [{**order, "data": {"total": 99}}]}).json()["events"]
    assert again == [rows[0]]
    assert CustomerEvent.objects.count() == 2
    assert [row["kind"] for row in as_sana.get(path).json()["results"]] == ["visit", "order"]
    assert [row["id"] for row in as_sana.get(f"{path}?kind=order").json()["results"]] == [rows[0]["id"]]
    problem(as_bilal.get(path), 404)
    problem(as_bilal.post(path, {"events": [order]}), 404)
    problem(as_lena.post(path, {"events": [order]}), 403)
    assert as_lena.get(path).status_code == 200
    wrong: list[dict[str, Any]] = [{"events": []}, {"events": [{"kind": "Order!"}]}, {"events": [order] * 101}, order]
    for bad in wrong:
        problem(as_sana.post(path, bad), 400)


def test_the_timeline_has_everything_newest_first_in_pages(as_sana: Api, support: Channel, ticket: Ticket) -> None:
    for number in range(3):
        as_sana.post(f"/tickets/{ticket.number}/messages/", {"kind": "note", "text": f"note {number}"})
    question(support, "Another matter")
    path = f"/customers/{ticket.customer_id}/"
    # Ties with a message: what one order over three tables must not lose or repeat.
    at = ticket.messages.get(direction="in").created_at.isoformat()
    as_sana.post(f"{path}events/", {"events": [{"kind": "order", "at": at}, {"kind": "order", "at": at}]})
    Ticket.objects.filter(pk=ticket.pk).update(created_at=at)
    whole = as_sana.get(f"{path}timeline/").json()
    assert (whole["next"], whole["previous"]) == (None, None)
    lines = whole["results"]
    assert len(lines) == 5 + 2 + 2
    assert [line["at"] for line in lines] == sorted((line["at"] for line in lines), reverse=True)
    for line in lines:
        assert [name for name in ("message", "ticket", "event") if line[name]] == [line["type"]]
    found: list[Any] = []
    here: str | None = f"{path}timeline/?page_size=2"
    while here:
        page = as_sana.get(here).json()
        found += page["results"]
        here = (page["next"] or "").removeprefix("http://testserver/api/v1")
    assert found == lines
    back: list[Any] = []
    here = page["previous"].removeprefix("http://testserver/api/v1")
    while here:
        page = as_sana.get(here).json()
        back = page["results"] + back
        here = (page["previous"] or "").removeprefix("http://testserver/api/v1")
    assert back == lines[:8]
    for bad in ("", "x", "bnVsbA", "WzAsICJ4IiwgMCwgMV0", "WzAsIG51bGwsIDksIC0xXQ"):
        assert list(problem(as_sana.get(f"{path}timeline/?cursor={bad}"), 400)["errors"]) == ["cursor"]


def test_the_timeline_shows_what_the_agent_sees(as_sana: Api, as_bilal: Api, ticket: Ticket) -> None:
    everybodys = Channel.objects.create(
        kind="email", name="Sales", slug="sales", addresses=["sales@example.org"], settings={}
    )
    other = question(everybodys, "An offer")
    assert other.customer_id == ticket.customer_id
    path = f"/customers/{ticket.customer_id}/timeline/"
    seen = as_bilal.get(path).json()["results"]
    assert {line["ticket"]["number"] for line in seen if line["ticket"]} == {other.number}
    assert {line["message"]["ticket"] for line in seen if line["message"]} == {other.number}
    assert len(as_sana.get(path).json()["results"]) == 4


def test_a_timeline_costs_the_same_whatever_its_length(as_sana: Api, support: Channel, ticket: Ticket) -> None:
    path = f"/customers/{ticket.customer_id}/timeline/"

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert as_sana.get(path).status_code == 200
        return len(seen)

    as_sana.get(path)
    few = queries()
    for number in range(8):
        question(support, f"Question {number}")
        as_sana.post(path.replace("timeline", "events"), {"events": [{"kind": "visit"}]})
    assert queries() == few <= 18


def test_two_customers_become_one_and_two_again(
    as_sana: Api, as_bilal: Api, as_lena: Api, support: Channel, ticket: Ticket
) -> None:
    other = question(support, "My other address", DAWUD)
    gone, kept = other.customer_id, ticket.customer_id
    as_sana.patch(f"/customers/{gone}/", {"external_id": "crm-7", "tags": ["b"], "attributes": {"a": 1, "b": 1}})
    as_sana.patch(f"/customers/{kept}/", {"tags": ["a"], "attributes": {"b": 2}})
    as_sana.post(f"/customers/{gone}/events/", {"events": [{"kind": "order", "external_id": "1"}]})
    before = as_sana.get(f"/customers/{gone}/").json()
    problem(as_lena.post(f"/customers/{gone}/merge/", {"into": kept}), 403)
    problem(as_bilal.post(f"/customers/{gone}/merge/", {"into": kept}), 404)
    problem(as_sana.post(f"/customers/{gone}/merge/", {"into": gone}), 422, "same")
    problem(as_sana.post(f"/customers/{gone}/merge/", {"into": 9999}), 400)
    one = as_sana.post(f"/customers/{gone}/merge/", {"into": kept}).json()
    assert (one["id"], one["external_id"], one["tags"]) == (kept, "crm-7", ["a", "b"])
    assert (one["attributes"], one["ticket_count"]) == ({"a": 1, "b": 2}, 2)
    assert {identity["value"] for identity in one["identities"]} == {"ayesha@example.com", "dawud@example.net"}
    problem(as_sana.get(f"/customers/{gone}/"), 404)
    assert question(support, "From there again", DAWUD).customer_id == kept
    row = CustomerMerge.objects.get()
    assert (row.source_id, row.into_id, row.by_id) == (gone, kept, as_sana.agent.pk)
    assert row.moved["tickets"] == [other.pk]
    problem(as_bilal.post(f"/customers/{gone}/unmerge/"), 404)
    as_sana.patch(f"/customers/{kept}/", {"tags": ["a", "b", "c"]})  # changed since: stays
    two = as_sana.post(f"/customers/{gone}/unmerge/")
    assert two.status_code == 200, two.content
    assert {**two.json(), "last_seen_at": None} == {**before, "last_seen_at": None}
    left = as_sana.get(f"/customers/{kept}/").json()
    assert (left["external_id"], left["tags"], left["attributes"]) == (None, ["a", "b", "c"], {"b": 2})
    assert Ticket.objects.get(pk=other.pk).customer_id == gone
    problem(as_sana.post(f"/customers/{gone}/unmerge/"), 404)
    assert CustomerMerge.objects.get().undone_at is not None


def test_a_ticket_that_came_in_the_moment_of_a_merge_follows(support: Channel, ticket: Ticket) -> None:
    other = question(support, "My other address", DAWUD)
    gone = other.customer
    joining.merge(gone, ticket.customer, by=None)
    Ticket.objects.filter(pk=other.pk).update(customer=gone)  # as a transaction would that had read it before
    assert joining.follow() == 1
    assert Ticket.objects.get(pk=other.pk).customer_id == ticket.customer_id
    assert joining.follow() == 0
    joining.unmerge(Customer.objects.get(pk=gone.pk), by=None)
    assert Ticket.objects.get(pk=other.pk).customer_id == gone.pk


def test_export_is_everything_for_managers(as_sana: Api, as_zoya: Api, support: Channel, ticket: Ticket) -> None:
    file = as_zoya.upload("slip.pdf", b"%PDF-").json()
    sent = {"kind": "reply", "text": "Here.", "attachments": [file["id"]]}
    assert as_zoya.post(f"/tickets/{ticket.number}/messages/", sent).status_code == 201
    as_zoya.post(f"/customers/{ticket.customer_id}/events/", {"events": [{"kind": "order"}]})
    survey = Survey.objects.create(name="After", kind="csat")
    Answer.objects.create(survey=survey, ticket=ticket, customer=ticket.customer, value=4, comment="Slow, but kind.")
    path = f"/customers/{ticket.customer_id}/export/"
    problem(as_sana.get(path), 403)
    body = as_zoya.get(path).json()
    assert body["complete"] is True
    assert body["customer"]["identities"][0]["value"] == "ayesha@example.com"
    assert [row["number"] for row in body["tickets"]] == [ticket.number]
    assert [row["text"] for row in body["messages"]] == ["It should be here by now.", "Here."]
    assert body["messages"][1]["attachments"][0]["url"].endswith(f"/api/v1/attachments/{file['id']}/")
    assert [row["kind"] for row in body["events"]] == ["order"]
    assert body["more"]["survey_answers"][0]["comment"] == "Slow, but kind."
    board = Channel.objects.create(kind="email", name="Board", slug="board", settings={})
    from inbox.models import Team

    secret = Team.objects.create(name="Board", slug="board", private=True)
    hidden = question(board, "In confidence")
    Ticket.objects.filter(pk=hidden.pk).update(team=secret)
    body = as_zoya.get(path).json()
    assert body["complete"] is False
    assert "In confidence" not in str(body)


def in_browser(whose: Api, path: str) -> Any:
    """The same person's page."""
    assert whose.agent is not None
    page = Client()
    page.force_login(whose.agent)
    return page.get(path)


def test_export_has_the_pictures_of_all_addresses(as_zoya: Api, support: Channel, ticket: Ticket) -> None:
    """Also those that no screen shows, for a newer one stands there; none of an address that is another's by now."""
    customer = ticket.customer
    shown, other, gone = [
        customers.add_identity(customer, Party(kind, f"{kind}-1", "Ayesha"), by=None)
        for kind in ("telegram", "facebook", "instagram")
    ]
    for identity, face in ((other, "Old"), (gone, "Gone"), (shown, "New")):
        assert pictures.take(identity, faces.draw(face))
    customers.retire_identity(gone, by=None)
    path = f"/customers/{customer.pk}/export/"
    body = as_zoya.get(path).json()
    kept = {row["identity"]: row for row in body["pictures"]}
    assert set(kept) == {shown.pk, other.pk} <= {row["id"] for row in body["customer"]["identities"]}
    for identity, face in ((other, "Old"), (shown, "New")):
        assert base64.b64decode(kept[identity.pk]["content"]) == faces.draw(face)
        assert kept[identity.pk]["content_type"] == "image/png" and kept[identity.pk]["changed_at"]
    assert in_browser(as_zoya, path).json()["pictures"] == body["pictures"]
    files.erase(Picture.objects.get(identity=other).stored)
    still, lost = as_zoya.get(path).json()["pictures"]
    assert (lost["content"], still["content"]) == (None, kept[shown.pk]["content"])


def test_export_waits_for_the_storage_of_files(as_zoya: Api, ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = ticket.customer.identities.get()
    assert pictures.take(identity, faces.draw("Ayesha"))

    def away(_name: str) -> bytes:
        raise files.StoreAway("no route to host")

    monkeypatch.setattr(files, "get", away)
    path = f"/customers/{ticket.customer_id}/export/"
    problem(as_zoya.get(path), 503)
    assert in_browser(as_zoya, path).status_code == 503  # and not half of what is kept


def test_when_a_customer_wrote_last(as_sana: Api, support: Channel) -> None:
    body = created(as_sana, name="Dawud", identities=[{"kind": "email", "value": "dawud@example.net"}])
    assert body["last_seen_at"] is None
    mail = b"From: dawud@example.net\nTo: support@example.org\nMessage-ID: <%d@example.net>\nSubject: Hi\n\nHello\n"
    for number in (1, 2):
        [stored] = receive.store(support, [RawReceipt(mail % number, str(number))], claim=True)
        receive.take_in([stored.receipt_id])
        row = Customer.objects.get(pk=body["id"])
        assert row.last_seen_at == row.messages.order_by("-pk")[0].created_at
    assert Identity.objects.filter(value="dawud@example.net").count() == 1


def test_answers_to_surveys(as_sana: Api, as_bilal: Api, ticket: Ticket) -> None:
    csat = Survey.objects.create(name="After", kind="csat")
    nps = Survey.objects.create(name="Yearly", kind="nps")
    one = Answer.objects.create(survey=csat, ticket=ticket, customer=ticket.customer, value=4, comment="Kind.")
    two = Answer.objects.create(survey=nps, customer=ticket.customer)
    rows = as_sana.get("/surveys/answers/").json()["results"]
    assert [row["id"] for row in rows] == [two.pk, one.pk]
    assert (rows[1]["survey"]["kind"], rows[1]["ticket"], rows[1]["value"]) == ("csat", ticket.number, 4)
    assert [row["id"] for row in as_sana.get("/surveys/answers/?kind=csat&answered=false").json()["results"]] == [
        one.pk
    ]
    assert as_bilal.get("/surveys/answers/").json()["results"] == []
    problem(as_sana.post("/surveys/answers/", {}), 405)


def test_cards_are_set_as_a_whole(as_sana: Api, as_bilal: Api, as_lena: Api, ticket: Ticket) -> None:
    customer = ticket.customer
    Customer.objects.filter(pk=customer.pk).update(external_id="crm 7")
    here, by_id = f"/customers/{customer.pk}/cards/order-1/", "/customers/cards/order-1/?external_id=crm%207"
    body = {"title": "Order", "fields": [{"label": "Total", "value": "5"}], "url": "https://shop.example/1"}
    made = as_sana.call("PUT", here, body)
    assert (made.status_code, made.json()["fields"]) == (201, [{"label": "Total", "value": "5"}])
    again = as_sana.call("PUT", by_id, {"title": "Order 1"})
    assert (again.status_code, again.json()["fields"], again.json()["url"]) == (200, [], "")
    assert as_sana.call("PUT", by_id, {"title": "Order 1"}).json()["updated_at"] == again.json()["updated_at"]
    assert Event.objects.filter(kind="customer_card_changed").count() == 2
    assert [one["key"] for one in as_sana.get(f"/customers/{customer.pk}/cards/").json()["cards"]] == ["order-1"]
    for wrong, field in (
        ({"title": "x", "url": "javascript:alert(1)"}, "url"),
        ({"title": "x", "fields": [{"label": "l", "value": "v", "url": "ftp://a.example"}]}, "fields.0.url"),
        ({"title": "x" * 121}, "title"),
        ({"title": "x", "fields": [{"label": "l", "value": "v"}] * 21}, "fields"),
        ({"title": "x", "fields": [{"label": "l", "value": "v" * 501}]}, "fields.0.value"),
        ({"title": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"title": "x", "colour": "red"}, "colour"),
    ):
        assert field in problem(as_sana.call("PUT", here, wrong), 400)["errors"], wrong
    problem(as_sana.call("PUT", "/customers/cards/order-1/", body), 400)
    problem(as_lena.call("PUT", here, body), 403)
    problem(as_bilal.call("PUT", here, body), 404)
    problem(as_bilal.call("PUT", by_id, body), 404)
    for n in range(19):
        assert as_sana.call("PUT", f"/customers/{customer.pk}/cards/c{n}/", {"title": "x"}).status_code == 201
    problem(as_sana.call("PUT", f"/customers/{customer.pk}/cards/one-more/", {"title": "x"}), 422, "too_many_cards")
    assert as_sana.delete(by_id).status_code == 204
    problem(as_sana.get(here), 404)


def test_an_order_makes_a_customer(as_sana: Api, ticket: Ticket) -> None:
    path = f"/customers/{ticket.customer_id}/"
    as_sana.post(f"{path}events/", {"events": [{"kind": "page_view"}]})
    assert as_sana.get(path).json()["stage"] == "lead"
    as_sana.post(f"{path}events/", {"events": [{"kind": "order.paid", "external_id": "A-1"}]})
    assert as_sana.get(path).json()["stage"] == "customer"
    as_sana.patch(path, {"stage": "former"})
    as_sana.post(f"{path}events/", {"events": [{"kind": "order.paid", "external_id": "A-1"}]})  # known already
    assert as_sana.get(path).json()["stage"] == "former"
