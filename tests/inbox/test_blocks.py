"""Blocked senders: kept as spam with the reason, never lost, never ours, at the price of one query for a batch."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inbox.actions import blocks, erasing, receive, tickets
from inbox.actions.errors import ActionError
from inbox.actions.work import Outcome
from inbox.models import Agent, Block, Channel, Role, Status, Ticket, TicketLink
from tests.cast import bilal, omar, question, support, team
from tests.paper import raw

__all__ = ["bilal", "omar", "support", "team"]

pytestmark = pytest.mark.django_db
Take = Callable[..., Outcome]


def test_what_they_write_is_kept_as_spam_beside_what_it_answers(take: Take, sana: Agent) -> None:
    ticket = Ticket.objects.get(pk=take("m1", sender="eve@pest.example").ticket)
    row = blocks.block_sender(ticket, by=sana)
    again = take("m2", sender="eve@pest.example", references=["m1"])
    assert again.ticket == ticket.pk  # spam goes on as spam
    blocks.release(ticket, by=sana)
    assert not Block.objects.exists()
    blocks.block("domain", "@Pest.example", by=sana)
    other = Ticket.objects.get(pk=take("m3", sender="eve@mail.pest.example", references=["m1"]).ticket)
    answer = Ticket.objects.get(pk=take("m4", sender="eve@pest.example", references=["m1"]).ticket)
    for one in (other, answer):
        assert one.spam and one.messages.get().thread_rule == "blocked" and one.pk != ticket.pk
    assert TicketLink.objects.get(source=answer).target == ticket
    ticket.refresh_from_db()
    assert (ticket.spam, ticket.message_count) == (False, 2)
    hit = Block.objects.get()
    assert (hit.hits, hit.last_hit_at is None, row.value) == (2, False, "eve@pest.example")
    blocks.release(answer, by=sana)
    answer.refresh_from_db()
    assert (answer.spam, answer.status, answer.waiting_since is None) == (False, Status.OPEN, False)
    assert Block.objects.exists()  # one letter does not let the whole domain in
    assert not Ticket.objects.get(pk=take("m5", sender="x@notpest.example").ticket).spam


def test_it_costs_one_query_for_a_batch(desk: Channel, sana: Agent) -> None:
    def cost(count: int, name: str) -> int:
        stored = receive.store(
            desk, [raw(f"{name}{n}", sender=f"{name}{n}@a.example") for n in range(count)], claim=True
        )
        with CaptureQueriesContext(
            connection,
        ) as seen:
            receive.take_in([one.receipt_id for one in stored])
        return sum("inbox_block" in query["sql"] for query in seen)

    assert (cost(1, "a"), cost(20, "b")) == (1, 1)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("address", "Desk@example.org"), ("address", "desk+t1.x@example.org"), ("domain", "example.org"),
     ("domain", "org"), ("domain", "gmail.com"), ("domain", "no domain"), ("address", ""), ("address", "eve")],
)  # fmt: skip
def test_never_ourselves_nor_half_the_world(desk: Channel, sana: Agent, kind: str, value: str) -> None:
    with pytest.raises(ActionError):
        blocks.block(kind, value, by=sana)


def test_an_erased_persons_address_is_not_kept_in_it(take: Take, sana: Agent) -> None:
    ticket = Ticket.objects.get(pk=take("m1").ticket)
    blocks.block_sender(ticket, by=sana)
    tickets.set_spam(ticket, False, by=sana)
    erasing.erase(ticket.customer, by=sana)
    assert not Block.objects.exists()


def test_the_page_adds_and_lifts(client: Client, sana: Agent, desk: Channel) -> None:
    def post(value: str) -> Any:
        return client.post("/settings/blocked/", {"value": value})

    client.force_login(sana)
    assert post("eve@pest.example").status_code == 302
    assert post("pest.example").status_code == 403  # a whole domain takes a manager
    assert post("desk@example.org").status_code == 422
    assert "eve@pest.example" in client.get("/settings/blocked/").content.decode()
    assert client.post(f"/settings/blocked/{Block.objects.get().pk}/").status_code == 302
    assert not Block.objects.exists()
    sana.role = Role.LIGHT
    sana.save()
    assert client.get("/settings/blocked/").status_code == 403


def test_who_does_not_see_the_ticket_does_not_see_whom_it_blocked(
    client: Client, omar: Agent, bilal: Agent, support: Channel
) -> None:
    ticket = question(support, "You again")
    row = blocks.block("address", "ayesha@example.com", by=omar, ticket=ticket)
    client.force_login(bilal)
    assert row.value not in client.get("/settings/blocked/").content.decode()
    assert client.post(f"/settings/blocked/{row.pk}/").status_code == 404
    client.force_login(omar)
    assert row.value in client.get("/settings/blocked/").content.decode()
