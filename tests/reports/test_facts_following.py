"""Facts follow the log: through real actions, in whatever batches, they are what a rebuild makes of all there is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from inbox import log
from inbox.actions import joining, links, merge, messages, reply, split, tickets, trash
from inbox.actions.errors import ActionError
from inbox.adapters import Party
from inbox.models import Agent, Channel, Cursor, Customer, Event, Message, Ticket
from reports.facts import rebuilding, storing
from reports.models import Answer, AnswerFact, ResponseFact, SpanFact, Survey, TicketFact
from tests.cast import AYESHA, question
from tests.reports.keeping import Reader, facts, leaves, rebuilt

pytestmark = pytest.mark.django_db
Wait = Callable[..., datetime]
JONAS = Party("email", "jonas@example.net", "Jonas")


def answer(ticket: Ticket, by: Agent, wait: Wait, minutes: float = 30, status: str | None = None) -> Message:
    wait(minutes=minutes)
    said = reply.reply(ticket, by=by, text="Tomorrow.", status=status)
    wait(seconds=5)
    leaves(said)
    return said


def hears(ticket: Ticket) -> Message:
    return tickets.inbound_by_hand(ticket, AYESHA, by=None, text="And now?", html="", subject="")


def test_a_ticket_from_its_question_to_its_end(support: Channel, sana: Agent, omar: Agent, wait: Wait) -> None:
    reader = Reader()
    ticket = question(support, "Where is my parcel?")
    assert reader.reads() > 0
    row = TicketFact.objects.get()
    assert (row.waiting_since, row.channel_id, row.team_id) == (wait(), support.pk, support.default_team_id)
    assert SpanFact.objects.get().state == "us"
    answer(ticket, sana, wait, status="solved")
    reader.reads()
    row.refresh_from_db()
    assert (row.first_agent_id, row.resolution_first, row.one_touch, row.done) == (sana.pk, 1800, True, True)
    assert list(ResponseFact.objects.values_list("seconds", "first", "agent_id")) == [(1805, True, sana.pk)]
    span = SpanFact.objects.get()
    assert (span.enters, span.leaves, span.ended_at) == (True, True, row.first_solved_at)
    wait(hours=2)
    tickets.set_status(ticket, "open", by=omar)
    tickets.assign(ticket, by=omar, agent=omar)
    answer(ticket, omar, wait, status="solved")
    reader.reads()
    row.refresh_from_db()
    assert (row.last_agent_id, row.reopened_at is not None, row.own_reopened_at) == (omar.pk, True, row.reopened_at)
    assert facts() == rebuilt()


def test_an_answer_that_bounces_later_was_never_given(support: Channel, sana: Agent, wait: Wait) -> None:
    reader = Reader()
    ticket = question(support, "A")
    said = answer(ticket, sana, wait, status="solved")
    reader.reads()
    assert ResponseFact.objects.count() == 1
    wait(minutes=1)
    leaves(said, "failed")
    reader.reads()
    row = TicketFact.objects.get()
    assert (ResponseFact.objects.count(), row.done, row.answers_before) == (0, False, 0)
    assert row.waiting_since == row.opened_at
    assert facts() == rebuilt()


def test_an_answer_taken_back_within_a_moment_solved_nothing(support: Channel, sana: Agent, wait: Wait) -> None:
    from inbox.actions import scheduling

    reader = Reader()
    ticket = question(support, "A")
    wait(minutes=5)
    said = reply.reply(ticket, by=sana, text="Oops", status="solved", undoable=True)
    scheduling.take_back(said, by=sana)
    reader.reads()
    row = TicketFact.objects.get()
    assert (row.first_solved_at, row.done, row.own_reopened_at) == (None, False, None)
    assert facts() == rebuilt()


def test_spam_and_trash_count_nowhere_and_come_back_as_they_were(support: Channel, sana: Agent, wait: Wait) -> None:
    reader = Reader()
    ticket = question(support, "A")
    answer(ticket, sana, wait)
    reader.reads()
    before = facts()
    wait(minutes=1)
    tickets.set_spam(ticket, True, by=sana)
    reader.reads()
    assert not any(facts().values())
    wait(minutes=1)
    tickets.set_spam(ticket, False, by=sana, afresh=False)
    reader.reads()
    assert facts() == before
    trash.trash(ticket, by=sana)
    reader.reads()
    assert not any(facts().values())
    trash.restore(ticket, by=sana)
    reader.reads()
    assert facts() == before == rebuilt()


def test_a_merge_and_its_undoing(support: Channel, sana: Agent, omar: Agent, wait: Wait) -> None:
    reader = Reader()
    first = question(support, "A")
    answer(first, sana, wait, 10)
    wait(minutes=20)
    second = question(support, "A again")
    answer(second, omar, wait, 35, status="solved")
    asked = Answer.objects.create(
        survey=Survey.objects.create(name="How was it?", kind="csat"), ticket=first, customer=first.customer,
        asked_at=wait(minutes=1), answered_at=wait(minutes=1), value=5,
    )  # fmt: skip
    log.record(first, "survey_answered", answer=asked.pk)
    reader.reads()
    before = facts()
    wait(minutes=5)
    merge.merge(first, second, by=sana)
    reader.reads()
    row = TicketFact.objects.get()
    assert (row.ticket_id, row.done) == (second.pk, False)  # what was open there is open here
    assert list(ResponseFact.objects.order_by("asked_at").values_list("seconds", flat=True)) == [605, 2105]
    assert AnswerFact.objects.get().ticket_id == second.pk
    assert facts() == rebuilt()
    wait(days=1)
    merge.unmerge(first, by=sana)
    reader.reads()
    after = facts()
    assert after == rebuilt()
    assert len(after.pop("HandlingFact")) == len(before.pop("HandlingFact")) + 1  # to merge was something done
    assert after == before


def test_what_follows_up_a_ticket_follows_up_what_that_is_merged_into(
    support: Channel, sana: Agent, wait: Wait
) -> None:
    reader = Reader()
    first, kept = question(support, "A"), question(support, "B")
    answer(first, sana, wait, status="solved")
    answer(kept, sana, wait, status="solved")
    wait(days=1)
    later = question(support, "A again")
    links.link(later, first, "follow_up", by=sana)
    answer(later, sana, wait)
    reader.reads()

    def follows(number: int) -> None:
        wait(minutes=5)
        reader.reads()
        assert TicketFact.objects.get(ticket=later).follow_up_of == number and facts() == rebuilt()

    merge.merge(first, kept, by=sana)
    follows(kept.pk)
    first.refresh_from_db()
    merge.unmerge(first, by=sana)
    follows(first.pk)


def test_another_matter_does_not_count_against_the_first(support: Channel, sana: Agent, wait: Wait) -> None:
    reader = Reader()
    first = question(support, "A")
    answer(first, sana, wait, 10, status="solved")
    wait(hours=2)
    second = question(support, "B")
    answer(second, sana, wait, 10)
    reader.reads()
    row = TicketFact.objects.get(pk=first.pk)
    assert row.repeat_at is not None
    said = links.link(second, first, "unrelated", by=sana)
    assert links.link(first, second, "unrelated", by=sana) == said  # each is so of the other
    reader.reads()
    row.refresh_from_db()
    assert row.repeat_at is None
    links.unlink(said, by=sana)
    reader.reads()
    row.refresh_from_db()
    assert row.repeat_at is not None


def test_messages_that_move_count_where_they_lie(support: Channel, sana: Agent, wait: Wait) -> None:
    reader = Reader()
    ticket = question(support, "A")
    answer(ticket, sana, wait, 10)
    wait(minutes=10)
    other = hears(ticket)
    answer(ticket, sana, wait, 20)
    reader.reads()
    assert list(ResponseFact.objects.order_by("asked_at").values_list("seconds", flat=True)) == [605, 1205]
    ids = list(Message.objects.filter(ticket=ticket, pk__gte=other.pk).values_list("pk", flat=True))
    new = split.split(ticket, ids, by=sana)
    reader.reads()
    found = ResponseFact.objects.order_by("ticket").values_list("ticket_id", "seconds", "first")
    assert list(found) == [(ticket.pk, 605, True), (new.pk, 1205, True)]
    messages.move(other, to=ticket, by=sana)
    reader.reads()
    assert list(ResponseFact.objects.values_list("ticket_id", "seconds")) == [(ticket.pk, 605)]
    assert facts() == rebuilt()


def test_who_comes_again_and_who_is_followed_up(support: Channel, sana: Agent, wait: Wait) -> None:
    reader = Reader()
    first = question(support, "A")
    answer(first, sana, wait, status="solved")
    wait(days=2)
    second = question(support, "B")
    came = wait()
    reader.reads()

    def again() -> list[tuple[datetime | None, datetime | None]]:
        return list(TicketFact.objects.filter(ticket=first).values_list("repeat_at", "reopened_at"))

    assert again() == [(came, None)]
    tickets.set_fields(first, by=sana, topic="Parcels")
    tickets.set_fields(second, by=sana, topic="Invoices")
    reader.reads()
    assert again() == [(None, None)]  # of another topic
    tickets.set_fields(second, by=sana, topic="parcels")
    reader.reads()
    assert again() == [(came, None)]
    link = links.link(second, first, "follow_up", by=sana)
    reader.reads()
    assert again() == [(None, None)]  # as a follow-up it is no other ticket; nobody answered in it yet
    answer(second, sana, wait)
    reader.reads()
    assert again() == [(None, came)]
    links.unlink(link, by=sana)
    reader.reads()
    assert again() == [(came, None)]
    wait(days=60)
    question(support, "C")
    reader.reads()
    assert again() == [(came, None)]
    assert facts() == rebuilt()


def test_customers_who_turn_out_to_be_one(support: Channel, sana: Agent, wait: Wait) -> None:
    reader = Reader()
    first = question(support, "A")
    answer(first, sana, wait, status="solved")
    wait(days=1)
    second = question(support, "B", JONAS)
    reader.reads()
    before = facts()
    assert TicketFact.objects.filter(repeat_at__isnull=False).count() == 0
    joining.merge(second.customer, first.customer, by=sana)
    reader.reads()
    row = TicketFact.objects.get(ticket=first)
    assert (row.repeat_at, set(TicketFact.objects.values_list("customer_id", flat=True))) == (
        wait(), {first.customer_id},
    )  # fmt: skip
    assert facts() == rebuilt()
    second.customer.refresh_from_db()
    joining.unmerge(second.customer, by=sana)
    reader.reads()
    assert facts() == before == rebuilt()


def test_one_more_ticket_of_a_customer_who_has_many_changes_few(
    support: Channel, sana: Agent, wait: Wait, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    for _day in range(6):
        answer(question(support, "A"), sana, wait, status="solved")
        wait(days=1)
    rebuilt()
    again = {row.ticket_id: row.repeat_at for row in TicketFact.objects.all()}
    reader = Reader()
    last = question(support, "A")
    with django_assert_max_num_queries(42):
        reader.reads()
    after = {row.ticket_id: row.repeat_at for row in TicketFact.objects.all()}
    assert [number for number in again if again[number] != after[number]] == [max(again)]
    assert after[max(again)] == wait()
    assert last.pk in after


def test_a_rebuild_moves_a_follower_on_that_is_behind(support: Channel, sana: Agent, wait: Wait) -> None:
    answer(question(support, "A"), sana, wait)
    Event.objects.update(xid=1)  # as if it had been committed
    call_command("rebuild_facts", "--processes", "0")
    cursor = Cursor.objects.get(name="facts")
    assert (cursor.xid, cursor.event_id) == (1, Event.objects.order_by("-pk")[0].pk)
    Cursor.objects.update(xid=7, event_id=3)
    rebuilding.everything(0, lambda *_step: None)
    assert Cursor.objects.get(name="facts").xid == 7


class House:
    """Does one thing after the other, as chance has it; what may not be done is not."""

    def __init__(self, chance: Random, channel: Channel, people: list[Agent], wait: Wait) -> None:
        self.chance, self.channel, self.people, self.wait = chance, channel, people, wait

    def step(self) -> None:
        self.wait(minutes=self.chance.choice([0, 1, 10, 90, 3000]))
        known = list(Ticket.objects.order_by("pk"))
        if len(known) < 2:
            question(self.channel, "A", self.chance.choice([AYESHA, JONAS]))
            return
        deeds = (self.ask, self.hear, self.hear, self.answer, self.answer, self.solve, self.open, self.assign,
                 self.urge, self.snooze, self.spam, self.trash, self.merge, self.unmerge, self.split, self.move,
                 self.bounce, self.link, self.join, self.part, self.topic)  # fmt: skip
        try:
            with transaction.atomic():
                self.chance.choice(deeds)(self.chance.choice(known))
        except ActionError:
            pass

    def by(self) -> Agent:
        return self.chance.choice(self.people)

    def ask(self, _ticket: Ticket) -> None:
        question(self.channel, "B", self.chance.choice([AYESHA, JONAS]))

    def hear(self, ticket: Ticket) -> None:
        hears(ticket)

    def answer(self, ticket: Ticket) -> None:
        answer(ticket, self.by(), self.wait, 1, self.chance.choice([None, "solved", "pending"]))

    def solve(self, ticket: Ticket) -> None:
        tickets.set_status(ticket, "solved", by=self.chance.choice([*self.people, None]))

    def open(self, ticket: Ticket) -> None:
        tickets.set_status(ticket, "open", by=self.by())

    def assign(self, ticket: Ticket) -> None:
        tickets.assign(ticket, by=self.by(), agent=self.chance.choice([*self.people, None]), team=None)

    def urge(self, ticket: Ticket) -> None:
        tickets.set_priority(ticket, self.chance.choice(["low", "urgent"]), by=self.by())

    def snooze(self, ticket: Ticket) -> None:
        tickets.snooze(ticket, self.wait(hours=1).replace(year=2030), by=self.by())

    def spam(self, ticket: Ticket) -> None:
        tickets.set_spam(ticket, not ticket.spam, by=self.by())

    def trash(self, ticket: Ticket) -> None:
        (trash.restore if ticket.trashed_at else trash.trash)(ticket, by=self.by())

    def merge(self, ticket: Ticket) -> None:
        merge.merge(ticket, self.chance.choice(list(Ticket.objects.order_by("pk"))), by=self.by())

    def unmerge(self, _ticket: Ticket) -> None:
        for gone in Ticket.objects.filter(merged_into__isnull=False).order_by("pk")[:1]:
            merge.unmerge(gone, by=self.by())

    def split(self, ticket: Ticket) -> None:
        ids = list(Message.objects.filter(ticket=ticket).order_by("pk").values_list("pk", flat=True))
        split.split(ticket, ids[1:], by=self.by())

    def move(self, ticket: Ticket) -> None:
        for said in Message.objects.filter(ticket=ticket).order_by("pk")[:1]:
            messages.move(said, to=self.chance.choice([None, *Ticket.objects.order_by("pk")]), by=self.by())

    def bounce(self, ticket: Ticket) -> None:
        for said in Message.objects.filter(ticket=ticket, state="sent").order_by("-pk")[:1]:
            leaves(said, "failed")

    def link(self, ticket: Ticket) -> None:
        links.link(ticket, self.chance.choice(list(Ticket.objects.order_by("pk"))), "follow_up", by=self.by())

    def join(self, ticket: Ticket) -> None:
        others = [one.customer for one in Ticket.objects.exclude(customer=ticket.customer).order_by("pk")]
        if others:
            joining.merge(ticket.customer, self.chance.choice(others), by=self.by())

    def part(self, ticket: Ticket) -> None:
        for gone in Customer.objects.filter(merged_into__isnull=False).order_by("pk")[:1]:
            joining.unmerge(gone, by=self.by())

    def topic(self, ticket: Ticket) -> None:
        tickets.set_fields(ticket, by=self.by(), topic=self.chance.choice(["", "Parcels", "Invoices"]))


@settings(
    max_examples=5, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(some.randoms(use_true_random=False), some.integers(1, 60), some.integers(15, 45))
def test_followed_in_whatever_batches_facts_are_what_a_rebuild_makes_of_it(
    support: Channel, sana: Agent, omar: Agent, wait: Wait, chance: Random, size: int, steps: int
) -> None:
    save = transaction.savepoint()
    try:
        reader, house = Reader(), House(chance, support, [sana, omar], wait)
        for step in range(steps):
            house.step()
            if step % 5 == 0:
                reader.reads(size)
        reader.reads(size)
        assert facts() == rebuilt()
    finally:
        transaction.savepoint_rollback(save)


def test_storing_alone_counts_what_it_is_told(support: Channel, sana: Agent, wait: Wait) -> None:
    ticket = question(support, "A")
    assert storing.keep_safely([ticket.pk, 10**12]) == 1
    assert TicketFact.objects.get().ticket_id == ticket.pk
