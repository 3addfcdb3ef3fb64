"""What a customer wishes of us is obeyed by every way out."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from inbox import acknowledge, composing, delivery, wishes
from inbox.actions import messages, reply, scheduling, tickets
from inbox.actions.errors import ActionError
from inbox.actions.work import Outcome
from inbox.adapters import Party, adapter_for
from inbox.models import Agent, Channel, Customer, DeliveryState, Event, Identity, Message, Reach, Ticket
from inbox.panel.people import identities
from tests.paper import Paper

pytestmark = pytest.mark.django_db
Take = Callable[..., Outcome]


@pytest.fixture
def ticket(desk: Channel, take: Take) -> Ticket:
    return Ticket.objects.get(pk=take("m1", subject="Parcel").ticket)


@pytest.fixture
def phone(db: None) -> Channel:
    return Channel.objects.create(kind="sms", name="Texts", slug="texts", addresses=["+12025550100"])


def opt_out(ticket: Ticket, *kinds: str) -> Ticket:
    Customer.objects.filter(pk=ticket.customer_id).update(opt_outs=list(kinds))
    return Ticket.objects.get(pk=ticket.pk)


def has_phone(ticket: Ticket, number: str = "+12025550177") -> None:
    Identity.objects.create(customer=ticket.customer, kind="phone", value=number, verified_at=timezone.now())


def refused(ticket: Ticket, sana: Agent, channel: Channel, **more: object) -> str:
    with pytest.raises(ActionError) as error:
        reply.reply(ticket, by=sana, text="Hello", channel=channel, **more)  # type: ignore[arg-type]
    assert str(error.value.reason) == wishes.verdict(ticket, channel, automatic=bool(more)).reason
    return error.value.code


def test_whoever_wants_nothing_by_mail_is_answered_but_not_written_to(
    ticket: Ticket, desk: Channel, take: Take, sana: Agent
) -> None:
    ticket = opt_out(ticket, "paper")
    assert reply.reply(ticket, by=sana, text="It left today.").state == DeliveryState.QUEUED
    assert refused(ticket, sana, desk, automatic=True) == "opted_out"
    for whom in ({"customer": ticket.customer}, {"identity": Party("email", "ayesha@example.com")}):
        with pytest.raises(ActionError) as error:
            tickets.open_ticket(by=sana, channel=desk, subject="News", text="Look!", **whom)
        assert error.value.code == "opted_out"
    assert Ticket.objects.get() == ticket, "nothing is left of what was refused"
    tickets.open_ticket(
        by=sana, channel=desk, subject="They said", text="Hm.", direction="in", customer=ticket.customer
    )
    second = Ticket.objects.latest("pk")
    reply.reply(second, by=sana, text="An answer to what they brought.")


def test_what_they_want_nothing_by_is_no_way_out_of_a_closed_one(ticket: Ticket, phone: Channel, sana: Agent) -> None:
    has_phone(ticket)
    second = Channel.objects.create(kind="sms", name="A second number", slug="second")
    Channel.objects.create(kind="whatsapp", name="Never written to", slug="silent")  # so its window is closed as well
    Customer.objects.update(preferred_channel=second)
    ticket = opt_out(ticket)
    Reach.objects.create(channel=phone, identity=Identity.objects.get(kind="phone"), blocked_at=timezone.now())

    def instead(ticket: Ticket) -> list[str]:
        beside = {"identities": list(identities(sana, ticket.customer, ticket)), "others": []}
        found = composing.route(sana, ticket, beside, phone.pk)
        assert found["channel"] == phone and not found["verdict"].allowed
        return [one.slug for one in found["instead"]]

    assert instead(ticket) == ["second", "desk"], "the one that they prefer first"
    assert instead(opt_out(ticket, "sms")) == ["desk"]


@pytest.mark.parametrize("kind", ["telegram", "whatsapp", "facebook", "instagram", "sms"])
def test_where_we_begin_with_somebody(ticket: Ticket, desk: Channel, kind: str) -> None:
    there = Channel.objects.create(kind=kind, name="There", slug="there", settings={"page_id": "5", "account_id": "5"})
    seen, who = Channel.objects.order_by("pk"), ticket.customer
    assert wishes.begins(who, seen, there) == desk, "they have no address there"
    [(name, scope), *_others] = adapter_for(kind).reaches(there)
    known = Identity.objects.create(
        customer=who, kind=name, scope=scope, value="12025550177", verified_at=timezone.now()
    )
    open_now = timezone.now() + timedelta(hours=1)
    Reach.objects.create(channel=there, identity=known, last_in_at=timezone.now(), closes_at=open_now)
    assert wishes.begins(who, seen, None) == desk, "mail before all others"
    assert wishes.begins(who, seen, there) == there
    Customer.objects.update(preferred_channel=there)
    who.refresh_from_db()
    assert wishes.preferred(who, seen) == wishes.begins(who, seen, desk) == there
    Reach.objects.update(blocked_at=timezone.now())
    assert wishes.begins(who, seen, there) == desk


def test_an_answer_takes_no_other_way_than_theirs_where_they_want_nothing(
    ticket: Ticket, phone: Channel, sana: Agent
) -> None:
    has_phone(ticket)
    assert reply.reply(ticket, by=sana, text="Hello", channel=phone).state == DeliveryState.QUEUED
    assert refused(opt_out(ticket, "sms"), sana, phone) == "opted_out"


def test_no_acknowledgement_for_whoever_wants_nothing(desk: Channel, take: Take) -> None:
    Channel.objects.filter(pk=desk.pk).update(settings={"acknowledgement": "We have it."})
    first = Ticket.objects.get(pk=take("m1").ticket)
    acknowledge.acknowledge(Event.objects.get(kind="ticket_created", ticket=first))
    opt_out(first, "paper")
    second = Ticket.objects.get(pk=take("m2").ticket)
    acknowledge.acknowledge(Event.objects.get(kind="ticket_created", ticket=second))
    assert list(Message.objects.filter(direction="out").values_list("ticket", flat=True)) == [first.pk]


def test_what_waited_does_not_leave_to_whoever_opted_out_meanwhile(ticket: Ticket, phone: Channel, sana: Agent) -> None:
    has_phone(ticket)
    later = timezone.now() + timedelta(hours=1)
    waiting = reply.reply(ticket, by=sana, text="Tomorrow", channel=phone, send_at=later)
    ticket = opt_out(ticket, "sms")
    with pytest.raises(ActionError) as error:
        scheduling.retime(waiting, None, by=sana)
    assert error.value.code == "opted_out"
    Message.objects.filter(pk=waiting.pk).update(send_at=timezone.now())
    scheduling.sweep()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.error) == (DeliveryState.CANCELLED, wishes.refusal(ticket, phone))
    assert Event.objects.get(kind="message_cancelled").data["reason"] == "opted_out"
    with pytest.raises(ActionError) as error:
        messages.retry(waiting, by=sana)
    assert error.value.code == "opted_out"
    opt_out(ticket)
    assert messages.retry(Message.objects.get(pk=waiting.pk), by=sana).state == DeliveryState.QUEUED


@pytest.mark.parametrize(("ago", "left"), [(0, True), (5, False)])
def test_what_could_not_leave_for_long_is_looked_at_again(
    ticket: Ticket, desk: Channel, sana: Agent, ago: int, left: bool
) -> None:
    other = tickets.open_ticket(by=sana, channel=desk, subject="News", text="Look!", customer=ticket.customer)
    opt_out(other, "paper")
    Message.objects.filter(direction="out").update(created_at=timezone.now() - timedelta(minutes=ago))
    delivery.deliver(desk.pk)
    message = Message.objects.get(direction="out")
    assert (message.state == DeliveryState.SENT) is left
    assert Paper.sent == ([message.pk] if left else [])
    assert message.error == ("" if left else wishes.refusal(other, desk))
