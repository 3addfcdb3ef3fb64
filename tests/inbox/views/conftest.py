"""Browsers of the cast, without Chromium: Django's test client, logged in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from inbox.models import Agent, Channel, Customer, Identity, Message, Participant, Ticket
from tests.cast import bilal, lena, omar, sana, support, team, ticket, zoya

__all__ = ["bilal", "lena", "omar", "sana", "support", "team", "ticket", "zoya"]

PART = {"HX-Request": "true", "HX-Request-Type": "partial"}  # what htmx sends when it asks for a pane


class Desk:
    """One agent's browser. `part` asks as htmx does."""

    def __init__(self, agent: Agent) -> None:
        self.client = Client()
        self.client.force_login(agent)

    def get(self, path: str, *, part: bool = False, **headers: str) -> Any:
        return self.client.get(path, headers={**(PART if part else {}), **headers})

    def post(self, path: str, data: dict[str, Any] | None = None, *, part: bool = False) -> Any:
        return self.client.post(path, data or {}, headers=PART if part else {})


@pytest.fixture
def as_sana(sana: Agent) -> Desk:
    return Desk(sana)


@pytest.fixture
def as_lena(lena: Agent) -> Desk:
    return Desk(lena)


@pytest.fixture
def as_bilal(bilal: Agent) -> Desk:
    return Desk(bilal)


@pytest.fixture
def many(support: Channel) -> Callable[[int], list[Ticket]]:
    """Write so many tickets with a message each, quickly: a second apart, the last one newest."""

    def made(count: int) -> list[Ticket]:
        start = timezone.now() - timedelta(days=30)
        customers = Customer.objects.bulk_create([Customer(name=f"Customer {n}") for n in range(count)])
        identities = Identity.objects.bulk_create(
            [
                Identity(customer=one, kind="email", value=f"c{one.pk}@example.com", verified_at=start)
                for one in customers
            ]
        )
        tickets = Ticket.objects.bulk_create(
            [
                Ticket(
                    customer=one,
                    channel=support,
                    reply_channel=support,
                    team=support.default_team,
                    subject=f"Question {n}",
                    preview="Where is it?",
                    last_message_at=start + timedelta(seconds=n),
                )
                for n, one in enumerate(customers)
            ]
        )
        Participant.objects.bulk_create(
            [
                Participant(ticket=one, identity=identity, role="requester")
                for one, identity in zip(tickets, identities, strict=True)
            ]
        )
        Message.objects.bulk_create(
            [
                Message(
                    ticket=one,
                    first_ticket=one,
                    channel=support,
                    direction="in",
                    author_kind="customer",
                    customer=one.customer,
                    author_address=f"c{one.customer_id}@example.com",
                    text="Where is it?",
                )
                for one in tickets
            ]
        )
        return tickets

    return made
