"""An answer leaves from the address that was written to, and comes back to it."""

from typing import Any

import pytest

from channels_email import tokens
from channels_email.receipts import raw_receipt
from inbox.actions import channels, customers, receive, reply, tickets
from inbox.actions.errors import ActionError
from inbox.adapters import Party
from inbox.models import Agent, Channel, Customer, Message, Participant, Ticket
from tests.channels_email.conftest import ALI, mail

pytestmark = pytest.mark.django_db

SETTINGS: dict[str, Any] = {
    "address": "support@rabta.example",
    "name": "Rabta",
    "aliases": ["sales@rabta.example", "hilfe@rabta.example"],
    "from_addresses": [
        {"address": "sales@rabta.example", "name": "Rabta Sales"},
        {"address": "news@elsewhere.example", "name": ""},
    ],
    "plus_addressing": True,
}


@pytest.fixture
def channel(db: None) -> Channel:
    return channels.create("email", "support", SETTINGS, by=None)


def answer(channel: Channel, agent: Agent, **headers: str) -> Message:
    stored = receive.store(channel, [raw_receipt(mail(**headers))], claim=True)
    (outcome,) = receive.take_in([stored[0].receipt_id])
    return reply.reply(Ticket.objects.get(pk=outcome.ticket), by=agent, text="Soon.")


@pytest.mark.parametrize(
    ("headers", "sender", "name"),
    [
        ({"to": "support@rabta.example"}, "support@rabta.example", "Rabta"),
        ({"to": "Sales@Rabta.example"}, "sales@rabta.example", "Rabta Sales"),
        ({"to": "hilfe@rabta.example"}, "hilfe@rabta.example", "Rabta"),
        ({"to": "hilfe+t1.aaaaaaaaaaaaaaaa@rabta.example"}, "hilfe@rabta.example", "Rabta"),
        ({"to": "bilal@customer.example", "cc": "sales@rabta.example"}, "sales@rabta.example", "Rabta Sales"),
        ({"to": "bilal@customer.example, hilfe@rabta.example"}, "hilfe@rabta.example", "Rabta"),
        ({"to": "list@customer.example", "delivered_to": "sales@rabta.example"}, "sales@rabta.example", "Rabta Sales"),
        ({"to": "list@customer.example"}, "support@rabta.example", "Rabta"),
        ({"to": "sales@rabta.example.evil.example"}, "support@rabta.example", "Rabta"),
        ({"to": "news@elsewhere.example"}, "news@elsewhere.example", "Rabta"),
    ],
)
def test_the_address_that_was_written_to(
    channel: Channel, sana: Agent, headers: dict[str, str], sender: str, name: str
) -> None:
    message = answer(channel, sana, **headers)
    assert message.payload["from"] == {"name": f"Sana via {name}", "address": sender}
    (back,) = message.reply_to
    # Where mail to the sender does not arrive here, answers go to the main address.
    local, _, domain = (sender if sender.endswith("@rabta.example") else "support@rabta.example").partition("@")
    assert back["address"].startswith(f"{local}+t") and back["address"].endswith(f"@{domain}")
    assert tokens.ticket_of(back["address"]) == message.ticket_id
    assert message.external_id.endswith(sender.partition("@")[2])


def test_the_newest_mail_decides(channel: Channel, sana: Agent) -> None:
    first = answer(channel, sana, to="sales@rabta.example")
    second = answer(channel, sana, to=first.reply_to[0]["address"], in_reply_to=f"<{first.external_id}>")
    assert second.ticket_id == first.ticket_id
    assert second.payload["from"]["address"] == "sales@rabta.example"
    third = answer(channel, sana, to="support@rabta.example", in_reply_to=f"<{second.external_id}>")
    assert third.payload["from"]["address"] == "support@rabta.example"


def test_a_first_message_leaves_from_the_main_address(channel: Channel, sana: Agent) -> None:
    tickets.open_ticket(by=sana, channel=channel, identity=Party("email", ALI), subject="s", text="t", direction="out")
    assert Message.objects.get().payload["from"]["address"] == "support@rabta.example"


def test_mail_from_an_alias_is_never_a_customer_s(channel: Channel, sana: Agent) -> None:
    stored = receive.store(channel, [raw_receipt(mail(sender="sales@rabta.example", reply_to=ALI))], claim=True)
    (outcome,) = receive.take_in([stored[0].receipt_id])
    assert Message.objects.get(pk=outcome.message).author_address == ALI


@pytest.mark.parametrize("address", ["news@elsewhere.example", "News+t1@Elsewhere.example"])
def test_an_address_that_answers_leave_from_is_never_a_customer_s(channel: Channel, sana: Agent, address: str) -> None:
    """It is ours although mail for it may arrive elsewhere; on another mailbox, too."""
    desk = channels.create("email", "desk", {"address": "desk@rabta.example"}, by=None)
    for one in (channel, desk):
        message = answer(one, sana, to=f"{address}, bilal@customer.example", cc=f"{one.addresses[0]}, {address}")
        assert [party["address"] for party in message.cc] == ["bilal@customer.example"]
    assert set(Participant.objects.values_list("identity__value", flat=True)) == {ALI, "bilal@customer.example"}
    written = mail(sender=address, reply_to="carol@customer.example")
    stored = receive.store(channel, [raw_receipt(written)], claim=True)
    (outcome,) = receive.take_in([stored[0].receipt_id])
    assert Message.objects.get(pk=outcome.message).author_address == "carol@customer.example"


def test_nor_is_it_made_one_by_hand(channel: Channel, sana: Agent) -> None:
    news = Party("email", "News@elsewhere.example")
    with pytest.raises(ActionError, match="our own"):
        tickets.open_ticket(by=sana, channel=channel, identity=news, subject="s", text="t", direction="out")
    with pytest.raises(ActionError, match="our own"):
        customers.add_identity(Customer.objects.create(name="Ali"), news, by=sana)


def test_who_took_part_before_it_was_declared_ours_is_left_out_of_answers(channel: Channel, sana: Agent) -> None:
    plain = {name: value for name, value in SETTINGS.items() if name != "from_addresses"}
    channels.update(channel, by=None, settings=plain)
    first = answer(channel, sana, to="news@elsewhere.example, support@rabta.example")
    assert [party["address"] for party in first.cc] == ["news@elsewhere.example"]
    channels.update(channel, by=None, settings=SETTINGS)
    second = reply.reply(Ticket.objects.get(), by=sana, text="More.")
    assert (second.cc, second.payload["from"]["address"]) == ([], "news@elsewhere.example")
