"""Merging, splitting and moving, one after the other: each message and each logged call ends where it belongs."""

import pytest

from inbox.actions import attention, calls, merge, messages, recipients, reply, split, tickets
from inbox.adapters import Party
from inbox.models import Agent, Channel, Engagement, Event, Message, Ticket, TicketFollower
from tests.cast import omar, question, sana, support, team

__all__ = ["omar", "sana", "support", "team"]

pytestmark = pytest.mark.django_db


def held(ticket: Ticket) -> list[int]:
    return sorted(Message.objects.filter(ticket=ticket.pk).values_list("pk", flat=True))


def engaged(message: Message) -> int:
    return Engagement.objects.get(external_id=f"message:{message.pk}").ticket_id


def called(ticket: Ticket, by: Agent) -> Message:
    return calls.record(ticket, by=by, direction="in", medium="call", text="They rang.", seconds=5)


def test_merges_of_merges_are_undone_one_by_one(support: Channel, sana: Agent) -> None:
    first, second, third = (question(support, subject) for subject in ("A", "B", "C"))
    before = [held(one) for one in (first, second, third)]
    merge.merge(first, second, by=sana)
    merge.merge(second, third, by=sana)
    merge.unmerge(second, by=sana)
    assert held(second) == sorted(before[0] + before[1])
    merge.unmerge(first, by=sana)
    assert [held(one) for one in (first, second, third)] == before


def test_an_undone_merge_leaves_nothing_of_the_other_customer(support: Channel, sana: Agent, omar: Agent) -> None:
    phone = Channel.objects.create(kind="email", name="Sales", slug="sales", settings={"address": "sales@example.org"})
    ticket = question(support, "A")
    other = tickets.open_ticket(
        by=None, channel=phone, identity=Party("email", "jonas@example.net", "Jonas"), text="Hello", direction="in"
    )
    tickets.set_tags(ticket, ["late"], by=sana)
    tickets.set_tags(other, ["late", "invoice"], by=sana)
    attention.follow(omar, other)
    tickets.set_status(ticket, "solved", by=sana)
    ticket.refresh_from_db()
    kept = ("tags", "also_channels", "status", "solved_at", "reopen_count", "message_count")
    before = [getattr(ticket, name) for name in kept]
    to = recipients.default_recipients(ticket)
    for _again in range(2):  # and is merged once more as if for the first time
        merge.merge(other, ticket, by=sana)
        ticket.refresh_from_db()
        assert (ticket.tags, ticket.also_channels, ticket.status) == (["late", "invoice"], [phone.pk], "open")
        assert "jonas@example.net" in str(recipients.default_recipients(ticket))
        merge.unmerge(other, by=sana)
        ticket.refresh_from_db()
        assert [getattr(ticket, name) for name in kept] == before
        assert recipients.default_recipients(ticket) == to
        assert not TicketFollower.objects.filter(ticket=ticket, agent=omar).exists()


def test_what_was_split_off_and_merged_comes_back(support: Channel, sana: Agent) -> None:
    ticket, other = question(support, "A"), question(support, "B")
    note = reply.note(ticket, by=sana, text="another matter")
    new = split.split(ticket, [note.pk], by=sana)
    merge.merge(new, other, by=sana)
    merge.unmerge(new, by=sana)
    assert held(new) == [note.pk]


def test_an_undone_merge_leaves_what_was_split_off_before(support: Channel, sana: Agent) -> None:
    ticket = question(support, "A")
    mine = held(ticket)
    note = reply.note(ticket, by=sana, text="another matter")
    new = split.split(ticket, [note.pk], by=sana)
    merge.merge(ticket, new, by=sana)
    merge.unmerge(ticket, by=sana)
    assert (held(ticket), held(new)) == (mine, [note.pk])


def test_an_undone_merge_leaves_what_went_on_since(support: Channel, sana: Agent) -> None:
    ticket, other, third = (question(support, subject) for subject in ("A", "B", "C"))
    note = reply.note(ticket, by=sana, text="x")
    merge.merge(ticket, other, by=sana)
    messages.move(note, to=third, by=sana)
    merge.unmerge(ticket, by=sana)
    assert note.pk in held(third) and note.pk not in held(ticket)


def test_logged_calls_go_where_their_messages_go(support: Channel, sana: Agent) -> None:
    ticket, other, third = (question(support, subject) for subject in ("A", "B", "C"))
    call, stays = called(ticket, sana), called(ticket, sana)
    merge.merge(ticket, other, by=sana)
    assert engaged(call) == engaged(stays) == other.pk
    merge.unmerge(ticket, by=sana)
    assert engaged(call) == engaged(stays) == ticket.pk
    new = split.split(ticket, [call.pk], by=sana)
    assert (engaged(call), engaged(stays)) == (new.pk, ticket.pk)
    messages.move(call, to=third, by=sana)
    assert (engaged(call), engaged(stays)) == (third.pk, ticket.pk)


def test_a_merge_whose_event_names_nothing_is_undone_by_where_messages_began(support: Channel, sana: Agent) -> None:
    ticket, other = question(support, "A"), question(support, "B")
    call, others = called(ticket, sana), held(other)
    mine = held(ticket)
    merge.merge(ticket, other, by=sana)
    Event.objects.filter(kind="merged").update(data={"into": other.pk, "was": "open"})
    merge.unmerge(ticket, by=sana)
    assert (held(ticket), held(other), engaged(call)) == (mine, others, ticket.pk)
