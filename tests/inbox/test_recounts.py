"""Whatever is done to tickets in whatever order, their rows say what a count of their messages says."""

from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

import pytest
from django.db import transaction

from inbox.actions import blocks, counts, merge, messages, reply, side, split, tickets, trash
from inbox.actions.errors import ActionError
from inbox.actions.work import Outcome
from inbox.models import Agent, Message, SideConversation, Ticket

pytestmark = pytest.mark.django_db
FACTS = ("message_count", "last_message_at", "last_direction", "preview", "last_customer_message_at",
         "first_replied_at", "waiting_since", "delivery_failed", "reply_channel_id")  # fmt: skip
STORE = [{"name": "", "address": "store@warehouse.example"}]


class House:
    """Does one thing after the other, as chance has it; what may not be done is not."""

    def __init__(self, seed: int, take: Callable[..., Outcome], by: Agent) -> None:
        self.chance, self.take, self.by, self.ids = Random(seed), take, by, count()
        self.done: list[str] = []

    def step(self) -> None:
        known = list(Ticket.objects.order_by("pk"))
        if not known:
            return self.receive(None)
        said = [self.receive, self.receive, self.answer, self.note, self.ask, self.come_back]
        what = self.chance.choice(
            [*said, self.merge, self.unmerge, self.split, self.move, self.spam, self.trash, self.wait]
        )
        ticket = self.chance.choice(known)
        self.done.append(f"{what.__name__} #{ticket.pk}")
        try:
            with transaction.atomic():
                what(ticket)
        except ActionError as error:
            self.done[-1] += f" ({error.code})"

    def receive(self, ticket: Ticket | None) -> None:
        said = (
            list(
                Message.objects.conversation()
                .filter(ticket=ticket)
                .order_by("pk")
                .values_list("external_id", flat=True)
            )
            if ticket
            else []
        )
        told: dict[str, Any] = {"references": [self.chance.choice(said)]} if said and self.chance.random() < 0.7 else {}
        kind = "auto_reply" if self.chance.random() < 0.15 else "message"
        self.take(f"k{next(self.ids)}", text=f"Said {next(self.ids)}", kind=kind, **told)

    def answer(self, ticket: Ticket) -> None:
        reply.reply(ticket, by=self.by, text=f"Answer {next(self.ids)}")

    def note(self, ticket: Ticket) -> None:
        reply.note(ticket, by=self.by, text="Between us")

    def ask(self, ticket: Ticket) -> None:
        side.start(ticket, by=self.by, to=STORE, text="Do you have it?")

    def come_back(self, ticket: Ticket) -> None:
        for asked in Message.objects.filter(ticket=ticket, side__isnull=False).order_by("pk")[:1]:
            sent = {"references": [asked.external_id], "sender": STORE[0]["address"]}
            self.take(f"k{next(self.ids)}", text="Yes.", **sent)

    def merge(self, ticket: Ticket) -> None:
        merge.merge(ticket, self.chance.choice(list(Ticket.objects.order_by("pk"))), by=self.by)

    def unmerge(self, ticket: Ticket) -> None:
        merge.unmerge(ticket, by=self.by)

    def split(self, ticket: Ticket) -> None:
        ids = list(ticket.messages.order_by("pk").values_list("pk", flat=True))
        split.split(ticket, self.chance.sample(ids, min(len(ids), 2)), by=self.by)

    def move(self, ticket: Ticket) -> None:
        for message in ticket.messages.filter(direction="in").order_by("pk")[:1]:
            messages.move(message, to=None, by=self.by)

    def spam(self, ticket: Ticket) -> None:
        (blocks.release(ticket, by=self.by) if ticket.spam else tickets.set_spam(ticket, True, by=self.by))

    def trash(self, ticket: Ticket) -> None:
        (trash.restore if ticket.trashed_at else trash.trash)(ticket, by=self.by)

    def wait(self, ticket: Ticket) -> None:
        tickets.set_status(ticket, self.chance.choice(["pending", "on_hold"]), by=self.by)


@pytest.mark.parametrize("seed", range(5))
def test_a_row_is_what_a_count_from_zero_says(seed: int, take: Callable[..., Outcome], sana: Agent) -> None:
    house = House(seed, take, sana)
    for _ in range(40):
        house.step()
        for ticket in Ticket.objects.filter(merged_into__isnull=True):
            before = {name: getattr(ticket, name) for name in FACTS}
            with transaction.atomic():
                counts.recount(ticket)
                after = {name: getattr(ticket, name) for name in FACTS}
                transaction.set_rollback(True)
            assert before == after, (ticket.pk, house.done)
    assert Message.objects.count() > 5, house.done
    for held in SideConversation.objects.all():
        assert set(held.messages.values_list("ticket", flat=True)) == {held.ticket_id}, house.done
