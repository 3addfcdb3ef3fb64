"""The way out when our own database stumbles, or the customer's server is slower than the lease."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django.fixtures import Settings

from inbox import delivery
from inbox.actions import reply, tickets
from inbox.adapters import Party
from inbox.models import Agent, Channel, DeliveryState, Message
from tests.paper import Paper

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def message() -> Message:
    """A reply that waits to be sent on paper."""
    Paper.sent.clear()
    Paper.answers.clear()
    desk = Channel.objects.create(kind="paper", name="Desk", slug="desk", addresses=["desk@example.org"])
    sana = Agent.objects.create_user("sana@example.org", name="Sana")
    ayesha = Party("email", "ayesha@example.com", "Ayesha")
    ticket = tickets.open_ticket(
        by=None, channel=desk, identity=ayesha, subject="Parcel", text="Where?", direction="in"
    )
    return reply.reply(ticket, by=sana, text="On its way.")


def failing(function: Callable[..., Any], times: int) -> Callable[..., Any]:
    """`function`, with the database away the first few times."""
    left = iter(range(times))

    def run(*args: Any, **kwargs: Any) -> Any:
        if next(left, None) is not None:
            raise OperationalError("the server closed the connection unexpectedly")
        return function(*args, **kwargs)

    return run


def test_what_was_accepted_is_remembered_until_the_database_is_back(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_record", failing(delivery._record, 5))
    assert delivery.deliver(message.channel_id) == 1
    message.refresh_from_db()
    assert (message.state, Paper.sent) == (DeliveryState.SENT, [message.pk])


def test_what_was_accepted_is_taken_back_when_its_lease_ran_out_meanwhile(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = delivery._record

    def late(*args: Any) -> int:
        Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert delivery.recover() == 1
        return record(*args)

    monkeypatch.setattr(delivery, "_record", late)
    assert delivery.deliver(message.channel_id) == 1
    message.refresh_from_db()
    assert message.state == DeliveryState.SENT
    assert delivery.deliver(message.channel_id) == 0


def test_a_database_away_before_the_send_costs_seconds_not_a_failure(
    message: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Paper, "send", failing(Paper.send, 1))
    assert delivery.deliver(message.channel_id) == 0
    message.refresh_from_db()
    assert message.state == DeliveryState.QUEUED
    assert message.next_attempt_at is not None
    assert message.next_attempt_at - timezone.now() < timedelta(seconds=5)


def test_a_slow_server_does_not_cost_the_lease(
    message: Message, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.DELIVERY_LEASE_SECONDS = 1
    send = Paper.send

    def slowly(*args: Any) -> Any:
        time.sleep(2.5)
        return send(*args)

    monkeypatch.setattr(Paper, "send", slowly)

    def run() -> None:
        delivery.deliver(message.channel_id)
        connection.close()

    worker = threading.Thread(target=run)
    worker.start()
    found = []
    while worker.is_alive():
        found.append(delivery.recover())
        worker.join(0.2)
    assert len(found) > 5
    assert not any(found)
    message.refresh_from_db()
    assert (message.state, message.attempts, Paper.sent) == (DeliveryState.SENT, 1, [message.pk])
