"""A seeded history hangs together, and one seed gives one history."""

import pytest
from django.core.management import call_command
from django.db.models import Count, F

from inbox.models import Agent, Channel, Customer, Event, Message, Ticket

pytestmark = pytest.mark.django_db


def seed(tickets: int, number: int = 1) -> None:
    call_command("seed", tickets=tickets, seed=number, days=90, verbosity=0)


def told(first: int) -> list[tuple[object, ...]]:
    tickets = Ticket.objects.filter(number__gte=first).order_by("number")
    return list(tickets.values_list("subject", "status", "preview", "customer__name", "message_count", "priority"))


def test_a_history_hangs_together(desk: Channel, sana: Agent) -> None:
    Channel.objects.create(kind="email", name="Help", slug="help", settings={"address": "help@example.org"})
    seed(300)
    assert Ticket.objects.count() == 300
    counted = Ticket.objects.annotate(found=Count("messages"))
    assert not counted.exclude(found=F("message_count")).exists()
    assert not Message.objects.exclude(state__in=["", "sent"]).exists()
    assert not Message.objects.filter(created_at__lt=F("ticket__created_at")).exists()
    assert Event.objects.filter(kind="ticket_created").count() == 300
    assert set(Ticket.objects.values_list("status", flat=True)) >= {"open", "pending", "solved", "closed"}
    assert set(Customer.objects.values_list("language", flat=True)) == {"en", "ur"}
    assert Message.objects.filter(agent=sana).exists()
    ids = list(Message.objects.order_by("created_at").values_list("id", flat=True))
    assert ids == sorted(ids)


def test_one_seed_is_one_history_and_may_be_added_again(sana: Agent) -> None:
    seed(60)
    first = told(1)
    last = Ticket.objects.order_by("number").last()
    assert last is not None
    seed(60)
    assert told(last.number + 1) == first
    seed(60, 2)
    assert told(last.number + 61) != first
