"""Replies that leave later, or are taken back: what becomes of their tickets."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from inbox import notify, wording
from inbox.actions import reply, scheduling, sweeping, tickets
from inbox.actions.work import Outcome
from inbox.models import Agent, Channel, Event, Field, Message, Notification, Status, Ticket

pytestmark = pytest.mark.django_db
Take = Callable[..., Outcome]


@pytest.fixture
def ticket(desk: Channel, take: Take) -> Ticket:
    return Ticket.objects.get(pk=take("m1", subject="Parcel").ticket)


def fall_due(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(send_at=timezone.now() - timedelta(seconds=1))
    scheduling.sweep()
    message.refresh_from_db()


def test_a_solved_ticket_stays_open_for_a_reply_that_is_to_leave(
    ticket: Ticket, take: Take, sana: Agent, desk: Channel
) -> None:
    message = reply.reply(ticket, by=sana, text="As promised.", send_at=timezone.now() + timedelta(days=20))
    other = Ticket.objects.get(pk=take("n1", sender="omar@example.com").ticket)
    for one in (ticket, other):
        tickets.set_status(one, Status.SOLVED, by=sana)
    Ticket.objects.update(solved_at=timezone.now() - timedelta(days=400))
    assert sweeping.close_solved() == 1
    other.refresh_from_db()
    assert other.status == Status.CLOSED
    fall_due(message)
    assert (message.state, message.error, message.is_scheduled) == ("queued", "", False)
    ticket.refresh_from_db()
    Ticket.objects.filter(pk=ticket.pk).update(status=Status.SOLVED, solved_at=timezone.now() - timedelta(days=400))
    assert sweeping.close_solved() == 1, "once it is released"


@pytest.mark.parametrize("status", ["solved", "pending", "on_hold", None])
def test_a_reply_that_is_taken_back_leaves_its_question_open(ticket: Ticket, sana: Agent, status: str | None) -> None:
    message = reply.reply(ticket, by=sana, text="Here it is.", status=status)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.waiting_since) == (status or "pending", None)
    scheduling.cancel(message, by=sana)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.solved_at, ticket.reopen_count) == ("open", None, 0)
    assert ticket.waiting_since == ticket.last_customer_message_at


def test_a_reply_that_was_released_is_taken_back_likewise(ticket: Ticket, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="Here.", status="solved", send_at=timezone.now() + timedelta(days=1))
    scheduling.retime(message, None, by=sana)
    ticket.refresh_from_db()
    assert ticket.status == "solved"
    scheduling.cancel(message, by=sana)
    ticket.refresh_from_db()
    assert ticket.status == "open" and ticket.waiting_since is not None


def test_what_others_made_of_the_ticket_stays_when_a_reply_is_taken_back(ticket: Ticket, sana: Agent) -> None:
    tickets.set_status(ticket, Status.ON_HOLD, by=sana)
    first = reply.reply(ticket, by=sana, text="One.", status="on_hold")
    scheduling.cancel(first, by=sana)
    ticket.refresh_from_db()
    assert ticket.status == "on_hold", "this reply did not change it"
    second = reply.reply(ticket, by=sana, text="Two.", status="pending")
    tickets.set_status(ticket, Status.SOLVED, by=sana)
    scheduling.cancel(second, by=sana)
    ticket.refresh_from_db()
    assert ticket.status == "solved", "somebody solved it since"


def test_reply_and_solve_solves_when_it_leaves_after_all(ticket: Ticket, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="Here it is.", status="solved")
    scheduling.retime(message, timezone.now() + timedelta(hours=1), by=sana)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.waiting_since) == ("open", ticket.last_customer_message_at), "nobody answered yet"
    fall_due(message)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.reopen_count) == ("solved", 0)
    assert ticket.waiting_since is None


def test_a_ticket_is_not_given_to_a_writer_who_was_switched_off(ticket: Ticket, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="Tomorrow.", send_at=timezone.now() + timedelta(days=1))
    sana.is_active = False
    sana.save()
    fall_due(message)
    ticket.refresh_from_db()
    assert ticket.assignee is None


@pytest.mark.parametrize("usual", ["pending", "solved"])
def test_what_was_to_solve_leaves_but_does_not_where_fields_are_empty_by_then(
    ticket: Ticket, sana: Agent, settings: Any, usual: str
) -> None:
    settings.AFTER_REPLY_STATUS = usual
    message = reply.reply(ticket, by=sana, text="Done.", status="solved", send_at=timezone.now() + timedelta(days=1))
    Field.objects.create(noun="ticket", key="size", label="Size", kind="text", required=True)
    fall_due(message)
    ticket.refresh_from_db()
    assert (message.state, message.is_scheduled, ticket.status) == ("queued", False, "pending")
    assert "not solved" in wording.sentence(Event.objects.get(kind="not_solved"), {})
    notify.tell(list(Event.objects.order_by("pk")))
    assert [one.kind for one in Notification.objects.filter(agent=sana)] == ["unsolved"]
