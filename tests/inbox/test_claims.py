"""What a visitor claims, and the answer that proves it: no second customer comes of it, and nothing else proves."""

from typing import Any

import pytest

from inbox.actions import customers, joining, receive, reply
from inbox.actions.recipients import default_recipients
from inbox.actions.work import Outcome
from inbox.adapters import Party
from inbox.models import Agent, Channel, Customer, Identity, Message, Participant, Ticket
from tests import paper

pytestmark = pytest.mark.django_db

VISITOR = "visitor@claims.example"


@pytest.fixture
def desk(db: None) -> Channel:
    return Channel.objects.create(kind="paper", name="Desk", slug="desk", addresses=["desk@example.org"])


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@example.org", name="Sana")


def take(channel: Channel, key: str, **told: Any) -> Outcome:
    [stored] = receive.store(channel, [paper.raw(key, **told)], claim=True)
    return receive.take_in([stored.receipt_id])[0]


@pytest.fixture
def ticket(desk: Channel) -> Ticket:
    """Of somebody without an address here, who says that one is theirs."""
    found = Ticket.objects.get(pk=take(desk, "m1", sender="").ticket)
    customers.add_claims(found.customer, [Party("email", VISITOR, "Vis Itor")])
    return found


def written(ticket: Ticket, sana: Agent, *to: str) -> Message:
    return reply.reply(ticket, by=sana, text="Here is what we said.", to=[{"name": "", "address": one} for one in to])


def answer(ticket: Ticket, said: Message, sender: str = VISITOR, **told: Any) -> Outcome:
    told = {"payload": {"signed_tickets": [ticket.pk]}, "in_reply_to": said.external_id, **told}
    return take(ticket.channel, f"answer-{sender}-{told}"[:190], sender=sender, **told)


def test_an_answer_proves_the_address_that_was_claimed(ticket: Ticket, sana: Agent) -> None:
    before = Customer.objects.count()
    outcome = answer(ticket, written(ticket, sana, VISITOR))
    assert (outcome.status, outcome.ticket, outcome.rule) == ("appended", ticket.pk, "token")
    claim = Identity.objects.get(value=VISITOR)
    assert (claim.customer_id, claim.verified, claim.verified_how) == (ticket.customer_id, True, "reply")
    message = Message.objects.get(pk=outcome.message)
    assert (message.customer_id, message.unverified) == (ticket.customer_id, False)
    assert Participant.objects.get(identity=claim).confirmed
    assert Customer.objects.count() == before
    to, cc = default_recipients(ticket, ticket.channel)
    assert ([one["address"] for one in to], cc) == ([VISITOR], [])


def test_without_the_id_the_signature_is_enough_where_nobody_else_was_written_to(ticket: Ticket, sana: Agent) -> None:
    answer(ticket, written(ticket, sana, VISITOR), in_reply_to="relay-made-this@elsewhere.example")
    assert Identity.objects.get(value=VISITOR).verified


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ([VISITOR], {"payload": {}}),  # no signature
        ([VISITOR], {"kind": "auto_reply"}),  # a machine
        (["mallory@claims.example", VISITOR], {}),  # somebody else has this mail, too
        (["mallory@claims.example"], {}),  # what went to somebody else
        (["mallory@claims.example"], {"in_reply_to": "no-idea@elsewhere.example"}),
    ],
)
def test_nothing_else_proves_it(ticket: Ticket, sana: Agent, to: list[str], told: dict[str, Any]) -> None:
    said = written(ticket, sana, *to)
    answer(ticket, said, **told)
    assert not Identity.objects.get(value=VISITOR, customer=ticket.customer).verified


def test_a_forwarded_mail_proves_nothing(ticket: Ticket, sana: Agent) -> None:
    outcome = answer(ticket, written(ticket, sana, VISITOR), sender="friend@elsewhere.example")
    assert outcome.ticket == ticket.pk
    assert Message.objects.get(pk=outcome.message).unverified
    assert not Identity.objects.get(value=VISITOR).verified
    assert Identity.objects.get(value="friend@elsewhere.example").customer_id != ticket.customer_id


def test_what_proves_nothing_makes_no_second_customer_either(ticket: Ticket, sana: Agent) -> None:
    said = written(ticket, sana, VISITOR)
    before = Customer.objects.count()
    outcome = answer(ticket, said, kind="auto_reply")
    assert Message.objects.get(pk=outcome.message).customer_id == ticket.customer_id
    assert Customer.objects.count() == before


def test_an_address_that_is_another_customers_joins_the_ticket_and_stays_theirs(ticket: Ticket, sana: Agent) -> None:
    said = written(ticket, sana, VISITOR)
    known = take(ticket.channel, "own", sender=VISITOR)
    owner = Ticket.objects.get(pk=known.ticket).customer
    outcome = answer(ticket, said)
    message = Message.objects.get(pk=outcome.message)
    assert (outcome.ticket, message.customer_id, message.unverified) == (ticket.pk, owner.pk, False)
    assert not Identity.objects.get(value=VISITOR, customer=ticket.customer).verified
    to, _cc = default_recipients(ticket, ticket.channel)
    assert [one["address"] for one in to] == [VISITOR]


def test_it_stays_so_when_the_claimant_is_merged_before_the_answer(ticket: Ticket, sana: Agent) -> None:
    said = written(ticket, sana, VISITOR)
    other = Customer.objects.create(name="Known")
    joining.merge(ticket.customer, other, by=sana)
    answer(ticket, said)
    claim = Identity.objects.get(value=VISITOR)
    assert (claim.verified, claim.customer_id) == (True, other.pk)


def test_a_batch_asks_two_questions_more_however_many_answer(ticket: Ticket, sana: Agent) -> None:
    said = written(ticket, sana, VISITOR)
    told = {"payload": {"signed_tickets": [ticket.pk]}, "in_reply_to": said.external_id}
    raws = [paper.raw(f"b{n}", sender=VISITOR, **told) for n in range(5)]
    stored = receive.store(ticket.channel, raws, claim=True)
    outcomes = receive.take_in([one.receipt_id for one in stored])
    assert {one.ticket for one in outcomes} == {ticket.pk}
    assert Identity.objects.filter(value=VISITOR).count() == 1


def test_claims_are_few_and_never_ours(ticket: Ticket) -> None:
    many = [Party("email", f"n{n}@claims.example") for n in range(20)]
    customers.add_claims(ticket.customer, [Party("email", "desk@example.org"), *many])
    values = list(Identity.objects.filter(customer=ticket.customer).values_list("value", flat=True))
    assert len(values) == customers.MOST_CLAIMS
    assert "desk@example.org" not in values
    assert customers.add_claims(ticket.customer, [Party("email", VISITOR)]) == []
