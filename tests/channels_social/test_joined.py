"""One person on several platforms: joined, answered where each matter is, and parted again as if nothing had been."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from inbox.actions import joining, reply
from inbox.actions.recipients import default_recipients
from inbox.adapters import adapter_for
from inbox.models import Agent, Channel, Customer, Identity, Message, Reach, Ticket
from sandbox.phones import messenger, telegram_acts
from sandbox.phones.acts import Given
from sandbox.phones.telegram_base import open_bot
from tests.channels_social import meta, test_telegram


def whose() -> dict[str, list[Any]]:
    """What belongs to whom."""
    return {
        "identities": list(Identity.objects.order_by("pk").values_list("pk", "customer", "value", "verified_at")),
        "tickets": list(Ticket.objects.order_by("pk").values_list("pk", "customer", "status", "reply_channel")),
        "messages": list(Message.objects.order_by("pk").values_list("pk", "customer", "ticket", "text")),
        "reaches": list(Reach.objects.order_by("pk").values_list("pk", "identity__customer", "closes_at")),
        "customers": list(Customer.objects.order_by("pk").values_list("pk", "name", "picture", "merged_into")),
    }


@pytest.mark.servers
def test_people_of_several_platforms_are_joined_and_parted(
    platforms: str, live_server: LiveServer, sana: Agent
) -> None:
    page, bot = meta.open_account("facebook", platforms), open_bot("Shop", "shop_bot")
    facebook, telegram = meta.connect(platforms, page), test_telegram.connect(platforms, bot)
    meta.subscribe(facebook, page, live_server.url)
    at_home, at_work = messenger.meet(page, "Ana Silva"), messenger.meet(page, "Ana S.")
    messenger.text(page, at_home, "Where is my parcel?")
    first = meta.taken_in(page)
    messenger.text(page, at_work, "We need an invoice")
    second = meta.taken_in(page)
    ana = telegram_acts.meet(bot, "Ana")
    telegram_acts.text(bot, ana, Given(text="Is anybody there?"))
    third = test_telegram.taken_in(telegram)
    joining.merge(third.customer, second.customer, by=sana)
    long_ago = timezone.now() - timedelta(days=2)  # the window of this one is over
    theirs = Reach.objects.filter(identity__value=at_home.external_id)
    assert theirs.update(last_in_at=long_ago, closes_at=long_ago + timedelta(days=1)) == 1
    before = whose()

    joining.merge(second.customer, first.customer, by=sana)
    tickets = Ticket.objects.order_by("pk").select_related("customer", "reply_channel")
    assert {ticket.customer_id for ticket in tickets} == {first.customer_id}
    assert [answered(ticket, ticket.reply_channel) for ticket in tickets] == [
        (at_home.external_id, False),
        (at_work.external_id, True),
        (ana.external_id, True),
    ]
    for ticket in tickets[1:]:
        assert reply.reply(ticket, by=sana, text="Yes").to[0]["address"] == answered(ticket, ticket.reply_channel)[0]
    Message.objects.filter(direction="out").delete()

    joining.unmerge(Customer.objects.get(pk=second.customer_id), by=sana)
    after = whose()
    assert {**after, "tickets": [row[:2] for row in after["tickets"]]} == {
        **before,
        "tickets": [row[:2] for row in before["tickets"]],
    }
    joining.unmerge(Customer.objects.get(pk=third.customer_id), by=sana)
    for ticket in Ticket.objects.select_related("customer"):
        mine = Identity.objects.filter(customer=ticket.customer_id).values_list("value", flat=True)
        assert [*mine] == [answered(ticket, ticket.channel)[0]]
    messenger.text(page, at_work, "Are you there?")
    telegram_acts.text(bot, ana, Given(text="Hello?"))
    assert (meta.taken_in(page), test_telegram.taken_in(telegram).customer_id) == (third, third.customer_id)
    heard = Message.objects.filter(text__in=["Are you there?", "Hello?"]).order_by("text")
    assert [one.ticket_id for one in heard] == [second.pk, third.pk]


def answered(ticket: Ticket, channel: Channel) -> tuple[str, bool]:
    """Whom an answer goes to, and whether it may leave now."""
    (to,), _copies = default_recipients(ticket, channel)
    return to["address"], adapter_for(channel.kind).may_reply(ticket, channel).allowed
