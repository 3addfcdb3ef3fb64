"""What is logged, what leaves later, and tickets that are split, merged and parted."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format

from inbox import delivery, tasks, timeline, wording
from inbox.actions import messages, reply, scheduling
from inbox.actions.errors import ActionError
from inbox.models import Agent, Channel, DeliveryState, Engagement, Event, Message, Team, Ticket
from inbox.search import follower
from tests.api.conftest import Api, problem
from tests.cast import member, question
from tests.paper import Paper

LATER = f"{timezone.now() + timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture
def desk(team: Team) -> Channel:
    """A channel whose messages really leave, as far as the core can tell."""
    Paper.sent.clear()
    Paper.answers.clear()
    channel = Channel.objects.create(kind="paper", name="Desk", slug="desk", addresses=["desk@example.org"])
    channel.teams.add(team)
    return channel


@pytest.fixture
def asked(desk: Channel) -> Ticket:
    return question(desk, "Where is my parcel?")


def say(api: Api, ticket: Ticket, **body: Any) -> Any:
    return api.post(f"/tickets/{ticket.pk}/messages/", body)


def test_a_call_is_logged(as_sana: Api, as_lena: Api, as_bilal: Api, ticket: Ticket) -> None:
    at = timezone.now() - timedelta(minutes=5)
    Ticket.objects.filter(pk=ticket.pk).update(waiting_since=at - timedelta(hours=1))
    ticket.messages.update(created_at=at - timedelta(hours=1))
    call = {
        "kind": "logged", "direction": "out", "medium": "call", "at": at.isoformat(), "seconds": 90,
        "outcome": "reached", "text": "She has it by now.", "status": "solved",
    }  # fmt: skip
    problem(say(as_lena, ticket, **call), 403)
    problem(say(as_bilal, ticket, **call), 404)
    response = say(as_sana, ticket, **call)
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["origin"], body["direction"], body["delivery"]) == ("logged", "out", None)
    assert body["logged"] == {"medium": "call", "at": body["created_at"], "seconds": 90, "outcome": "reached"}
    assert body["author"]["name"] == "Sana"
    [engagement] = Engagement.objects.all()
    assert (engagement.kind, engagement.agent, engagement.ticket_id) == ("call", as_sana.agent, ticket.pk)
    assert engagement.ended_at == at + timedelta(seconds=90)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.waiting_since, ticket.first_replied_at) == ("solved", None, at)
    [event] = Event.objects.filter(kind="message_logged")
    assert event.data == {"message": body["id"], "engagement": engagement.pk, "medium": "call", "api": True}
    problem(say(as_sana, ticket, **{**call, "at": LATER}), 422, "future")


def test_a_call_that_came_in_was_answered_in_it(as_sana: Api, ticket: Ticket) -> None:
    body = say(as_sana, ticket, kind="logged", direction="in", medium="visit").json()
    assert (body["author"]["type"], body["author"]["name"], body["text"]) == ("customer", "Ayesha Khan", "")
    ticket.refresh_from_db()
    assert (ticket.status, ticket.waiting_since) == ("open", None)
    assert ticket.customer.last_seen_at == Message.objects.get(pk=body["id"]).created_at
    # Mail goes on being answered as mail.
    sent = say(as_sana, ticket, kind="reply", text="As we said.").json()
    assert sent["to"][0]["address"] == "ayesha@example.com"


def test_a_reply_waits_for_its_time(as_sana: Api, asked: Ticket, desk: Channel) -> None:
    response = say(as_sana, asked, kind="reply", text="Good morning.", send_at=LATER, status="solved")
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["delivery"]["state"], body["send_at"]) == ("queued", LATER)
    asked.refresh_from_db()
    assert (asked.status, asked.message_count, asked.first_replied_at) == ("open", 2, None)
    assert asked.waiting_since is not None  # nobody has answered yet
    assert scheduling.sweep() == 0
    assert delivery.deliver(desk.pk) == 0
    Message.objects.filter(pk=body["id"]).update(send_at=timezone.now())
    tasks.sweep()
    assert delivery.deliver(desk.pk) == 1
    assert Paper.sent == [body["id"]]
    asked.refresh_from_db()
    message = Message.objects.get(pk=body["id"])
    assert (asked.status, asked.message_count) == ("solved", 2)
    assert asked.waiting_since is None
    assert asked.first_replied_at == message.created_at > asked.created_at
    assert asked.assignee == as_sana.agent
    kinds = list(Event.objects.filter(ticket=asked).order_by("pk").values_list("kind", flat=True))
    assert kinds[-5:] == ["message_scheduled", "message_added", "assigned", "status_changed", "message_sent"]


def test_it_is_not_sent_when_the_customer_writes_first(as_sana: Api, sana: Agent, asked: Ticket, desk: Channel) -> None:
    body = say(as_sana, asked, kind="reply", text="Good morning.", send_at=LATER).json()
    customer = asked.customer
    Message.objects.create(
        ticket=asked, first_ticket=asked, direction="in", channel=desk, author_kind="customer", customer=customer
    )
    tasks.sweep()
    told = as_sana.get(f"/messages/{body['id']}/").json()["delivery"]
    assert (told["state"], told["error"]) == ("cancelled", "The customer wrote first, so this was not sent.")
    [event] = Event.objects.filter(kind="message_cancelled")
    assert event.data == {"message": body["id"], "overtaken": True, "reason": "customer"}
    assert wording.sentence(event, {}) == "a reply was not sent: the customer wrote first"
    assert delivery.deliver(desk.pk) == 0
    # Sent all the same, when somebody says so.
    assert as_sana.post(f"/messages/{body['id']}/retry/").json()["delivery"]["state"] == "queued"
    assert delivery.deliver(desk.pk) == 1


@pytest.mark.parametrize("written", [{"kind": "auto_reply"}, {"origin": "logged"}, {"unverified": True}])
def test_an_auto_reply_or_a_stranger_cancels_nothing(
    as_sana: Api, asked: Ticket, desk: Channel, written: dict[str, Any]
) -> None:
    body = say(as_sana, asked, kind="reply", text="Good morning.", send_at=LATER).json()
    Message.objects.create(
        ticket=asked, first_ticket=asked, direction="in", channel=desk, author_kind="customer", **written
    )
    assert scheduling.sweep() == 0
    assert Message.objects.get(pk=body["id"]).is_scheduled


def test_what_has_not_left_is_taken_back_or_retimed(
    as_sana: Api, as_lena: Api, as_bilal: Api, asked: Ticket, desk: Channel
) -> None:
    body = say(as_sana, asked, kind="reply", text="Good morning.", send_at=LATER).json()
    path = f"/messages/{body['id']}/"
    for method, sent in (("PATCH", {"send_at": None}), ("DELETE", None)):
        problem(as_lena.call(method, path, sent), 403)
        problem(as_bilal.call(method, path, sent), 404)
    problem(as_sana.patch(path, {"send_at": "2020-01-01T00:00:00Z"}), 422, "past")
    problem(as_sana.patch(path, {"text": "Better"}), 400)
    far = f"{timezone.now() + timedelta(days=367):%Y-%m-%dT%H:%M:%SZ}"
    problem(as_sana.patch(path, {"send_at": far}), 422, "too_far")
    problem(say(as_sana, asked, kind="reply", text="x", send_at=far), 422, "too_far")
    later = f"{timezone.now() + timedelta(days=365):%Y-%m-%dT%H:%M:%SZ}"
    assert as_sana.patch(path, {"send_at": later}).json()["send_at"] == later
    gone = as_sana.delete(path)
    assert (gone.status_code, gone.json()["delivery"]["state"]) == (200, "cancelled")
    problem(as_sana.delete(path), 409, "already_left")
    problem(as_sana.patch(path, {"send_at": None}), 409, "already_left")
    assert delivery.deliver(desk.pk) == 0
    now = say(as_sana, asked, kind="reply", text="At once.", send_at=LATER).json()
    as_sana.patch(f"/messages/{now['id']}/", {"send_at": None})
    assert delivery.deliver(desk.pk) == 1
    problem(as_sana.delete(f"/messages/{now['id']}/"), 409, "already_left")
    problem(say(as_sana, asked, kind="reply", text="x", send_at="2020-01-01T00:00:00Z"), 422, "past")


def test_a_reply_that_was_queued_at_once_can_be_taken_back_and_counts_no_more(as_sana: Api, asked: Ticket) -> None:
    body = say(as_sana, asked, kind="reply", text="Too quick.").json()
    asked.refresh_from_db()
    assert asked.waiting_since is None
    assert as_sana.delete(f"/messages/{body['id']}/").status_code == 200
    asked.refresh_from_db()
    assert asked.waiting_since is not None
    assert (asked.first_replied_at, asked.last_direction) == (None, "in")


def test_a_message_of_a_ticket_closed_since_is_not_sent(as_sana: Api, asked: Ticket, desk: Channel) -> None:
    say(as_sana, asked, kind="reply", text="Good morning.", send_at=LATER)
    Ticket.objects.filter(pk=asked.pk).update(status="closed")
    Message.objects.filter(state="queued").update(send_at=timezone.now())
    assert scheduling.sweep() == 1
    assert Message.objects.get(direction="out").state == DeliveryState.CANCELLED
    [event] = Event.objects.filter(kind="message_cancelled")
    assert wording.sentence(event, {}) == "a reply was not sent: the ticket was closed first"


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "light"}])
def test_what_somebody_left_behind_who_may_not_answer_any_more_is_not_sent(
    as_sana: Api, omar: Agent, sana: Agent, asked: Ticket, desk: Channel, change: dict[str, Any]
) -> None:
    body = say(as_sana, asked, kind="reply", text="You will all be sorry.", send_at=LATER, status="solved").json()
    Agent.objects.filter(pk=sana.pk).update(**change)
    assert scheduling.sweep() == 0  # they may come back by then
    Message.objects.filter(pk=body["id"]).update(send_at=timezone.now())
    assert scheduling.sweep() == 1
    assert delivery.deliver(desk.pk) == 0
    told = Api(omar).get(f"/messages/{body['id']}/").json()["delivery"]
    assert told["state"] == "cancelled"
    assert "may not answer any more" in told["error"]
    [event] = Event.objects.filter(kind="message_cancelled")
    assert (event.actor_id, event.data) == (None, {"message": body["id"], "overtaken": True, "reason": "writer"})
    assert "may not answer any more" in wording.sentence(event, {})
    asked.refresh_from_db()
    assert asked.status != "solved"


@pytest.mark.django_db(transaction=True)
def test_taking_back_and_a_claim_at_once_end_in_one_of_the_two(desk: Channel, sana: Agent) -> None:
    for _round in range(5):
        ticket = question(desk, "Hurry")
        message = reply.reply(ticket, by=sana, text="now")
        start = threading.Barrier(2)
        found: list[str] = []

        def take_back(message: Message = message, start: threading.Barrier = start, found: list[str] = found) -> None:
            start.wait()
            try:
                scheduling.cancel(message, by=sana)
                found.append("cancelled")
            except ActionError as error:
                found.append(error.code)
            finally:
                connection.close()

        thread = threading.Thread(target=take_back)
        thread.start()
        start.wait()
        sent = delivery.deliver(desk.pk)
        thread.join()
        state = Message.objects.get(pk=message.pk).state
        assert (found, sent, state) in [(["cancelled"], 0, "cancelled"), (["already_left"], 1, "sent")]


def test_messages_are_split_off_into_a_ticket_of_their_own(
    as_sana: Api, as_bilal: Api, as_lena: Api, ticket: Ticket, support: Channel
) -> None:
    file = as_sana.upload("slip.pdf", b"%PDF-").json()
    second = say(as_sana, ticket, kind="reply", text="About the invoice", attachments=[file["id"]]).json()
    other = question(support, "Elsewhere")
    foreign = other.messages.get().pk
    path = f"/tickets/{ticket.number}/split/"
    everything = list(ticket.messages.order_by("pk").values_list("pk", flat=True))
    problem(as_lena.post(path, {"messages": [second["id"]]}), 403)
    problem(as_bilal.post(path, {"messages": [second["id"]]}), 404)
    problem(as_sana.post(path, {"messages": everything}), 422, "all_messages")
    problem(as_sana.post(path, {"messages": [foreign]}), 422, "foreign")
    problem(as_sana.post(path, {"messages": [second["id"], foreign]}), 422, "foreign")
    wrong: list[dict[str, Any]] = [{}, {"messages": []}, {"messages": ["x"]}, {"messages": 1}]
    for bad in wrong:
        problem(as_sana.post(path, bad), 400)
    response = as_sana.post(path, {"messages": [second["id"]], "subject": "The invoice"})
    assert response.status_code == 201, response.content
    new = response.json()
    assert (new["subject"], new["message_count"], new["customer"]["id"]) == ("The invoice", 1, ticket.customer_id)
    assert new["participants"][0]["value"] == "ayesha@example.com"
    assert response["Location"].endswith(f"/api/v1/tickets/{new['number']}/")
    moved = as_sana.get(f"/messages/{second['id']}/").json()
    assert moved == {**second, "ticket": new["number"]}
    old = as_sana.get(f"/tickets/{ticket.number}/").json()
    assert (old["message_count"], old["first_replied_at"]) == (1, None)
    assert Message.objects.get(pk=second["id"]).first_ticket_id == ticket.pk
    kinds = [row["kind"] for row in as_sana.get(f"/tickets/{new['number']}/events/").json()["results"]]
    assert kinds == ["ticket_created", "message_moved", "split_from"]
    lines = timeline.lines(list(Event.objects.filter(ticket=new["number"]).order_by("pk")), {})
    assert [line.text for line in lines] == [f"Somebody: split off from #{ticket.number}"]
    Message.objects.filter(pk=everything[0]).update(state="")
    Ticket.objects.filter(pk=ticket.pk).update(status="closed")
    problem(as_sana.post(path, {"messages": everything[:1]}), 409, "closed")


def test_a_strangers_message_stays_one_when_it_is_split_off(as_sana: Api, ticket: Ticket, support: Channel) -> None:
    """The new ticket is the customer's; what somebody wrote in their name stays marked."""
    forged = Message.objects.create(
        ticket=ticket, first_ticket=ticket, direction="in", channel=support, author_kind="customer", unverified=True,
        author_address="mallory@evil.example", author_name="Ayesha Khan", text="Use my new bank account",
    )  # fmt: skip
    new = as_sana.post(f"/tickets/{ticket.number}/split/", {"messages": [forged.pk]}).json()
    assert new["customer"]["id"] == ticket.customer_id
    forged.refresh_from_db()
    assert (forged.ticket_id, forged.unverified) == (new["number"], True)


def test_what_is_being_sent_is_not_split_off(as_sana: Api, asked: Ticket, desk: Channel) -> None:
    body = say(as_sana, asked, kind="reply", text="On its way").json()
    assert delivery.claim(desk)
    problem(as_sana.post(f"/tickets/{asked.pk}/split/", {"messages": [body["id"]]}), 409, "in_flight")


def test_a_merge_is_undone(as_sana: Api, as_bilal: Api, support: Channel, ticket: Ticket) -> None:
    other = question(support, "Where is it?")
    before = as_sana.get(f"/tickets/{other.number}/").json()
    problem(as_sana.post(f"/tickets/{other.number}/unmerge/"), 409, "not_merged")
    as_sana.post(f"/tickets/{other.number}/merge/", {"into": ticket.number})
    say(as_sana, ticket, kind="note", text="written since")
    problem(as_bilal.post(f"/tickets/{other.number}/unmerge/"), 404)
    response = as_sana.post(f"/tickets/{other.number}/unmerge/")
    assert response.status_code == 200, response.content
    assert {**response.json(), "updated_at": ""} == {**before, "updated_at": ""}
    left = as_sana.get(f"/tickets/{ticket.number}/").json()
    assert left["message_count"] == 2


def test_the_rest_of_a_ticket_is_set(as_sana: Api, ticket: Ticket) -> None:
    asked = {
        "type": "complaint", "severity": 2, "topic": "delivery", "attributes": {"order": "A-1"},
        "external_id": "shop-9", "due_at": "2036-01-01T08:00:00Z", "language": "ur",
    }  # fmt: skip
    body = as_sana.patch(f"/tickets/{ticket.number}/", asked).json()
    assert {name: body[name] for name in asked} == asked
    assert Ticket.objects.get(pk=ticket.pk).language_chosen is True
    [event] = Event.objects.filter(ticket=ticket, kind="fields_changed")
    assert event.data == {"fields": sorted(asked), "api": True}
    wrong: list[dict[str, Any]] = [
        {"type": "rant"}, {"severity": 0}, {"severity": 99}, {"attributes": []}, {"language": "Urdu!"},
    ]  # fmt: skip
    for bad in wrong:
        assert list(problem(as_sana.patch(f"/tickets/{ticket.number}/", bad), 400)["errors"]) == list(bad)
    other = member("Farid", "agent", Team.objects.get())
    second = Api(other).post(
        "/tickets/", {"channel": "support", "customer": ticket.customer_id, "subject": "x", "text": "x"}
    ).json()  # fmt: skip
    taken = problem(as_sana.patch(f"/tickets/{second['number']}/", {"external_id": "shop-9"}), 409, "taken")
    assert list(taken["errors"]) == ["external_id"]


def test_q_finds_tickets_that_are_seen(as_sana: Api, as_bilal: Api, support: Channel, ticket: Ticket) -> None:
    other = question(support, "An invoice")
    follower.write([ticket.number, other.number])
    for query in ("parcel", "where%20PARCEL", f"%23{ticket.number}", str(ticket.number)):
        found = as_sana.get(f"/tickets/?q={query}").json()["results"]
        assert [row["number"] for row in found] == [ticket.number], query
    assert as_sana.get("/tickets/?q=parcel&status=solved").json()["results"] == []
    assert as_bilal.get("/tickets/?q=parcel").json()["results"] == []
    problem(as_sana.get("/tickets/?q="), 400)


def test_retry_counts_a_message_that_was_taken_back(as_sana: Api, asked: Ticket, sana: Agent) -> None:
    message = reply.reply(asked, by=sana, text="x")
    scheduling.cancel(message, by=sana)
    messages.retry(message, by=sana)
    asked.refresh_from_db()
    assert asked.waiting_since is None


def test_the_page_says_when_it_leaves_and_why_it_did_not(
    as_sana: Api, sana: Agent, asked: Ticket, desk: Channel
) -> None:
    browser = Client()
    browser.force_login(sana)

    def page() -> str:
        return " ".join(browser.get(f"/tickets/{asked.pk}/").content.decode().split())

    say(as_sana, asked, kind="reply", text="Good morning.", send_at=LATER)
    assert f"{date_format(timezone.localtime(datetime.fromisoformat(LATER)), 'DATE_FORMAT')}" in page()
    Message.objects.create(ticket=asked, first_ticket=asked, direction="in", channel=desk, author_kind="customer")
    scheduling.sweep()
    assert "not sent: <bdi>The customer wrote first, so this was not sent.</bdi>" in page()
    assert "A reply was not sent: the customer wrote first" in page()
