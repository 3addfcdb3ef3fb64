"""COPY and UPDATE from arrays write what the ORM would."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from inbox import bulk
from inbox.models import Channel, Customer, Event, Identity, Ticket

pytestmark = pytest.mark.django_db

HARD = 'tab\t newline\n return\r backslash \\ \\N \\. "quotes" {braces} NULL اردو 🙂'


def test_what_is_copied_reads_back_the_same(desk: Channel) -> None:
    customer = Customer(name=HARD, tags=[HARD, "", "a,b", "NULL"], attributes={HARD: [1, None, {"x": HARD}]})
    identity = Identity(customer=customer, kind="email", value="a@example.org", verified_at=timezone.now())
    tickets = [
        Ticket(customer=customer, channel=desk, reply_channel=desk, subject=f"{number} {HARD}") for number in range(3)
    ]
    bulk.give_ids([customer], [identity], [], tickets)
    for rows in ([customer], [identity], [], tickets):
        bulk.insert(rows)
    assert [ticket.pk for ticket in tickets] == sorted({ticket.pk for ticket in tickets})
    kept = Customer.objects.get(pk=customer.pk)
    assert (kept.name, kept.tags, kept.attributes, kept.external_id) == (HARD, customer.tags, customer.attributes, None)
    assert kept.created_at == customer.created_at
    assert Identity.objects.get(customer=customer).verified_at == identity.verified_at
    assert [ticket.subject for ticket in Ticket.objects.order_by("number")] == [one.subject for one in tickets]
    tickets[0].subject = "changed"
    tickets[0].save()
    assert Ticket.objects.count() == 3


def test_columns_that_the_database_fills_are_left_to_it(desk: Channel) -> None:
    bulk.insert([Event(kind="one", data={"n": 1}), Event(kind="two")])
    first, second = Event.objects.order_by("id")
    assert (first.kind, first.data, second.kind) == ("one", {"n": 1}, "two")
    assert first.xid == second.xid > 0


def test_a_broken_rule_is_an_integrity_error(desk: Channel) -> None:
    customer = Customer.objects.create(name="One")

    def rows() -> list[Identity]:
        return [Identity(customer=customer, kind="email", value="a@example.org", verified_at=timezone.now())]

    bulk.insert(rows())
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk.insert(rows())


def test_an_update_writes_the_named_fields_of_these_rows_alone(desk: Channel) -> None:
    other = Channel.objects.create(kind="paper", name="Other", slug="other")
    customer = Customer.objects.create(name="One")
    made = [
        Ticket.objects.create(customer=customer, channel=desk, reply_channel=desk, subject=str(n)) for n in range(3)
    ]
    now = timezone.now()
    made[0].preview, made[0].waiting_since, made[0].reply_channel, made[0].message_count = HARD, now, other, 7
    made[1].preview, made[1].subject = "second", "not written"
    bulk.update(made[:2], ("preview", "waiting_since", "reply_channel", "message_count"))
    first, second, third = Ticket.objects.order_by("number")
    assert (first.preview, first.waiting_since, first.reply_channel, first.message_count) == (HARD, now, other, 7)
    assert (second.preview, second.subject, second.waiting_since) == ("second", "1", None)
    assert (third.preview, third.reply_channel) == ("", desk)
