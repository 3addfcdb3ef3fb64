"""Undo send and stale replies: what was undone does not leave, what leaves is not undone, nobody talks past others."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from inbox import delivery, directory, notify, timeline
from inbox.actions import (
    drafts,
    macros,
    merge,
    messages,
    recipients,
    reply,
    scheduling,
    split,
    tickets,
    trash,
    uploads,
    withdrawing,
)
from inbox.actions.errors import ActionError, Stale
from inbox.actions.work import Outcome
from inbox.models import Agent, Channel, DeliveryState, Draft, Event, Macro, Mention, Message, Notification, Ticket
from tests.clock import Decision
from tests.paper import Paper

pytestmark = pytest.mark.django_db
Take = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def undoable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Paper, "undoable", True)


@pytest.fixture
def ticket(desk: Channel, take: Take) -> Ticket:
    return Ticket.objects.get(pk=take("m1", subject="Parcel").ticket)


@pytest.fixture
def omar(db: None) -> Agent:
    return Agent.objects.create_user("omar@example.org", name="Omar")


def fall_due(*held: Message) -> None:
    Message.objects.filter(pk__in=[one.pk for one in held]).update(
        next_attempt_at=timezone.now() - timedelta(seconds=1)
    )


def test_a_held_reply_leaves_on_time_by_the_sweep_alone(ticket: Ticket, sana: Agent, desk: Channel) -> None:
    with Decision() as decision:
        held = reply.reply(ticket, by=sana, text="On Thursday.", undoable=True)
    assert decision.puts_off(held.next_attempt_at, 10, 10)
    assert delivery.due_channels() == [] and delivery.deliver(desk.pk) == 0
    fall_due(held)
    assert delivery.due_channels() == [(desk.pk, "paper")]
    assert delivery.deliver(desk.pk) == 1 and Paper.sent == [held.pk]
    with pytest.raises(ActionError, match="too late"):
        scheduling.take_back(held, by=sana)


def test_only_what_the_channel_and_the_screen_allow_is_held(
    ticket: Ticket, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now() + timedelta(seconds=1)
    at_once = [reply.reply(ticket, by=sana, text="By the API.")]
    monkeypatch.setattr(Paper, "undoable", False)
    at_once.append(reply.reply(ticket, by=sana, text="By chat.", undoable=True))
    assert all(one.next_attempt_at and one.next_attempt_at < now for one in at_once)


def test_nothing_overtakes_what_is_held(ticket: Ticket, sana: Agent, desk: Channel) -> None:
    held = reply.reply(ticket, by=sana, text="First.", undoable=True)
    at_once = reply.reply(ticket, by=sana, text="Second, by the API.")
    assert delivery.deliver(desk.pk) == 0
    fall_due(held)
    assert delivery.deliver(desk.pk) == 2 and Paper.sent == [held.pk, at_once.pk]


def test_undo_puts_everything_back(ticket: Ticket, sana: Agent, desk: Channel) -> None:
    file = uploads.upload(by=sana, name="label.txt", content_type="text/plain", content=b"label")
    bcc = [{"name": "", "address": "quiet@example.com"}]
    held = reply.reply(ticket, by=sana, text="Here.", bcc=bcc, attachments=[file.pk], client_id="c1", undoable=True)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.message_count) == ("pending", 2)
    draft = scheduling.take_back(held, by=sana)
    assert (draft.text, draft.recipients, draft.channel) == ("Here.", {"bcc": "quiet@example.com"}, desk)
    assert draft.client_id != "c1", "else sending it again would be known as sent"
    ticket.refresh_from_db()
    assert (ticket.status, ticket.message_count, ticket.preview) == ("open", 1, "Where is my parcel?")
    fall_due(held)
    Message.objects.filter(pk=held.pk).update(next_attempt_at=None)
    assert delivery.deliver(desk.pk) == 0 and Paper.sent == []
    with pytest.raises(ActionError):
        scheduling.take_back(held, by=sana)
    again = reply.reply(
        ticket, by=sana, text=draft.text, attachments=draft.attachments, client_id=draft.client_id, undoable=True
    )
    assert again.pk != held.pk and again.attachments.get().name == "label.txt"
    assert not Draft.objects.exists(), "what is sent is no draft any more"


def test_whom_an_undone_reply_brought_in_is_out_again(ticket: Ticket, sana: Agent) -> None:
    slip = [{"name": "", "address": "ayesha@gmial.com"}]
    held = reply.reply(ticket, by=sana, text="Here.", to=slip, undoable=True)
    assert recipients.default_recipients(ticket)[1] == slip
    draft = scheduling.take_back(held, by=sana)
    assert draft.recipients["to"] == "ayesha@gmial.com" and recipients.default_recipients(ticket)[1] == []
    assert recipients.strangers(ticket, slip, held.channel) == ["ayesha@gmial.com"]
    reply.reply(ticket, by=sana, text="After all.", to=slip)
    assert recipients.default_recipients(ticket)[1] == slip


def test_undo_puts_back_what_sending_and_its_macro_changed(ticket: Ticket, sana: Agent, omar: Agent) -> None:
    later = timezone.now() + timedelta(days=2)
    Ticket.objects.update(status="on_hold", snoozed_until=later, tags=["a"])
    macro = Macro.objects.create(
        name="Urgent",
        actions=[
            {"set": "priority", "to": "urgent"},
            {"set": "add_tags", "to": ["b"]},
            {"set": "snooze", "to": 4},
            {"set": "topic", "to": "Late"},
        ],
    )
    also = partial(macros.apply, macros=[macro], by=sana, status=False)
    held = reply.reply(ticket, by=sana, text="Here.", undoable=True, also=also, macros=[macro.pk])
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee, ticket.priority) == ("pending", sana, "urgent")
    tickets.set_fields(ticket, by=omar, topic="Lost")
    begun = drafts.save(
        sana, ticket, {"kind": "reply", "text": "And", "client_id": "c2", "macros": [macro.pk + 1000]}, version=0
    )
    assert scheduling.take_back(held, by=sana).macros == [macro.pk, *begun.macros], "to be done when it is sent again"
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee, ticket.snoozed_until) == ("on_hold", None, later)
    assert (ticket.priority, ticket.tags, ticket.topic) == ("normal", ["a"], "Lost"), "what others changed stays"


def test_a_note_of_a_macro_stands_once_however_often_its_reply_is_sent(
    ticket: Ticket, sana: Agent, omar: Agent
) -> None:
    note = f"Sent by carrier, [@Omar](agent:{omar.pk})"
    macro = Macro.objects.create(name="Carrier", actions=[{"set": "note", "to": note}])
    also = partial(macros.apply, macros=[macro], by=sana, status=False)
    reply.note(ticket, by=sana, text="Mine.")
    for client in ("c1", "c2"):
        held = reply.reply(ticket, by=sana, text="Here.", undoable=True, also=also, macros=[macro.pk], client_id=client)
        standing = Message.objects.filter(ticket=ticket, direction="note", deleted_at=None).order_by("pk")
        assert [one.text.partition(",")[0] for one in standing] == ["Mine.", "Sent by carrier"]
        if client == "c1":
            scheduling.take_back(held, by=sana)
            assert [one.text for one in standing.all()] == ["Mine."]
            assert not Mention.objects.exists(), "a colleague is asked to look at nothing"
    ticket.refresh_from_db()
    assert ticket.message_count == Message.objects.filter(ticket=ticket, deleted_at=None).count()


def test_undo_solves_again_what_a_reply_had_opened(ticket: Ticket, sana: Agent) -> None:
    solved = tickets.set_status(ticket, "solved", by=sana)
    held = reply.reply(ticket, by=sana, text="One more thing.", undoable=True)
    scheduling.take_back(held, by=sana)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.solved_at, ticket.reopen_count) == ("solved", solved.solved_at, 0)


@pytest.mark.parametrize("put_away", [trash.trash, partial(tickets.set_spam, spam=True)])
def test_what_is_held_does_not_leave_from_the_trash(
    ticket: Ticket, sana: Agent, desk: Channel, put_away: Callable[..., Ticket]
) -> None:
    held = reply.reply(ticket, by=sana, text="Here.", undoable=True)
    put_away(ticket, by=sana)
    fall_due(held)
    Message.objects.filter(state="cancelled").update(next_attempt_at=None)
    assert delivery.deliver(desk.pk) == 0
    held.refresh_from_db()
    assert (held.state, held.error) == ("cancelled", withdrawing.put_away())
    ticket.refresh_from_db()
    assert ticket.waiting_since is not None, "nobody answered"


def test_from_the_trash_a_ticket_comes_back_unanswered_and_the_writer_is_told(
    ticket: Ticket, sana: Agent, omar: Agent
) -> None:
    held = [reply.reply(ticket, by=sana, text="Here.", status=to, undoable=True) for to in ("pending", "solved")]
    since = Event.objects.latest("pk").pk
    trash.trash(ticket, by=omar)
    notify.tell(list(Event.objects.filter(pk__gt=since).order_by("pk")))
    trash.restore(ticket, by=omar)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee, ticket.solved_at) == ("open", None, None) and ticket.waiting_since
    told = Notification.objects.order_by("pk")
    assert [(one.agent, one.kind, one.message) for one in told] == [(sana, "failed", one) for one in held]


def test_undo_of_one_reply_leaves_the_ticket_to_the_next(ticket: Ticket, sana: Agent) -> None:
    first, second = (reply.reply(ticket, by=sana, text=text, undoable=True) for text in ("One", "Two"))
    scheduling.take_back(first, by=sana)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee) == ("pending", sana), "the second leaves"
    second.refresh_from_db()
    scheduling.take_back(second, by=sana)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee) == ("open", None), "neither left"


def test_undo_of_the_last_reply_and_then_of_the_first(ticket: Ticket, sana: Agent) -> None:
    held = [reply.reply(ticket, by=sana, text=to, status=to, undoable=True) for to in ("pending", "solved")]
    found = []
    for one in reversed(held):
        scheduling.take_back(one, by=sana)
        ticket.refresh_from_db()
        found.append((ticket.status, ticket.assignee))
    assert found == [("pending", sana), ("open", None)]


def test_undo_leaves_what_somebody_chose_since(ticket: Ticket, sana: Agent, omar: Agent) -> None:
    held = reply.reply(ticket, by=sana, text="Here.", status="solved", undoable=True)
    for to in ("open", "solved"):
        tickets.set_status(ticket, to, by=omar)
    scheduling.take_back(held, by=sana)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee) == ("solved", None), "omar solved it"


@pytest.mark.parametrize("how", ["edit", "retry"])
def test_what_was_overtaken_undoes_nothing_later(ticket: Ticket, sana: Agent, omar: Agent, how: str) -> None:
    held = reply.reply(ticket, by=sana, text="Here.", undoable=True)
    trash.trash(ticket, by=omar)
    trash.restore(ticket, by=omar)
    reply.reply(ticket, by=omar, text="There.", status="solved")
    if how == "retry":
        messages.retry(held, by=sana)
    scheduling.take_back(held, by=sana)
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee) == ("solved", omar)


def test_undo_keeps_what_was_begun_since(ticket: Ticket, sana: Agent) -> None:
    held = reply.reply(ticket, by=sana, text="First.", undoable=True)
    Draft.objects.create(agent=sana, ticket=ticket, text="And another thing", client_id="c2", attachments=[7])
    draft = scheduling.take_back(held, by=sana)
    assert (draft.text, draft.attachments, draft.version) == ("First.\n\nAnd another thing", [7], 2)


@pytest.mark.parametrize("moved", ["merge", "split"])
def test_undo_after_the_message_moved(ticket: Ticket, sana: Agent, take: Take, moved: str) -> None:
    held = reply.reply(ticket, by=sana, text="First.", undoable=True)
    if moved == "merge":
        where = merge.merge(ticket, Ticket.objects.get(pk=take("n1", subject="Also").ticket), by=sana)
    else:
        where = split.split(ticket, [held.pk], by=sana)
    assert scheduling.take_back(held, by=sana).ticket == where
    held.refresh_from_db()
    assert held.state == DeliveryState.CANCELLED


def test_what_the_customer_overtook_is_offered_back(ticket: Ticket, sana: Agent, take: Take) -> None:
    later = reply.reply(ticket, by=sana, text="Any news?", send_at=timezone.now() + timedelta(days=1))
    take("m2", references=[later.external_id])
    scheduling.sweep()
    later.refresh_from_db()
    assert later.error == "The customer wrote first, so this was not sent."
    assert scheduling.take_back(later, by=sana).text == "Any news?"
    later.refresh_from_db()
    assert later.deleted_at is not None
    with pytest.raises(ActionError, match="written again"):
        messages.retry(later, by=sana)  # by an old page: else both would be sent


def test_a_failed_reply_stays_until_it_was_written_again(ticket: Ticket, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="Hello")
    with transaction.atomic():
        messages.fail(messages.lock(message.pk), "550")
    taken = [scheduling.take_back(message, by=sana) for _ in range(2)]
    assert [one.text for one in taken] == ["Hello", "Hello"], "once, however often it is asked for"
    message.refresh_from_db()
    assert (message.state, message.deleted_at) == ("failed", None)
    successor = reply.reply(ticket, by=sana, text="Hello there", client_id=taken[0].client_id)
    message.refresh_from_db()
    assert (message.state, message.payload["replaced_by"]) == ("cancelled", successor.pk)
    assert not Ticket.objects.get(pk=ticket.pk).delivery_failed
    with pytest.raises(ActionError, match="written again"):
        messages.retry(message, by=sana)


def failed(ticket: Ticket, by: Agent, text: str) -> Message:
    message = reply.reply(ticket, by=by, text=text)
    with transaction.atomic():
        messages.fail(messages.lock(message.pk), "550")
    return message


def test_failed_replies_that_are_written_again_as_one_are_all_replaced(ticket: Ticket, sana: Agent, take: Take) -> None:
    other = Ticket.objects.get(pk=take("n1", subject="Also").ticket)
    lost = [failed(ticket, sana, text) for text in ("One", "Two")]
    there = failed(other, sana, "Three")
    for one in (*lost, there):
        draft = scheduling.take_back(one, by=sana)
    merge.merge(other, ticket, by=sana)
    draft = Draft.objects.get()
    assert draft.text == "Two\n\nOne\n\nThree"
    reply.reply(ticket, by=sana, text=draft.text, client_id=draft.client_id)
    assert set(Message.objects.filter(pk__in=[*(one.pk for one in lost), there.pk]).values_list("state")) == {
        ("cancelled",)
    }
    assert not Ticket.objects.get(pk=ticket.pk).delivery_failed


def test_what_stands_in_a_composer_is_not_retried(ticket: Ticket, sana: Agent, omar: Agent) -> None:
    message = failed(ticket, sana, "Hello")
    draft = scheduling.take_back(message, by=sana)
    with pytest.raises(ActionError, match="being written again"):
        messages.retry(message, by=omar)
    drafts.discard(sana, ticket, version=draft.version)
    assert messages.retry(message, by=omar).state == DeliveryState.QUEUED


def test_only_its_writer_undoes_what_is_held(ticket: Ticket, sana: Agent, omar: Agent) -> None:
    held = reply.reply(ticket, by=sana, text="Hello", undoable=True)
    with pytest.raises(ActionError, match="whoever wrote"):
        scheduling.take_back(held, by=omar)
    held.refresh_from_db()
    assert held.state == DeliveryState.QUEUED and not Draft.objects.exists()


def test_nothing_of_an_erased_ticket_gets_into_a_composer(ticket: Ticket, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="Hello", undoable=True)
    trash.erase(trash.trash(ticket, by=sana), by=sana)
    with pytest.raises(ActionError):
        scheduling.take_back(message, by=sana)
    assert not Draft.objects.exists()


def test_a_reply_is_refused_when_somebody_wrote_meanwhile(ticket: Ticket, sana: Agent, omar: Agent, take: Take) -> None:
    newest = Message.objects.get().pk
    reply.note(ticket, by=omar, text="A note is not said to anybody.")
    reply.reply(ticket, by=None, text="We got it.", automatic=True)
    own = reply.reply(ticket, by=sana, text="One moment.", newest=newest)
    reply.reply(ticket, by=omar, text="Later", send_at=timezone.now() + timedelta(days=1))
    theirs = reply.reply(ticket, by=omar, text="I have it.", newest=own.pk)
    customer = take("m2", references=[theirs.external_id], text="Never mind.").message
    with pytest.raises(Stale) as refused:
        reply.reply(ticket, by=sana, text="On Thursday.", newest=newest)
    assert [one.pk for one in refused.value.since] == [theirs.pk, customer]
    assert reply.reply(ticket, by=sana, text="On Thursday.", newest=customer)


@pytest.mark.parametrize("how", ["message", "ticket"])
def test_a_reply_is_refused_when_something_older_was_moved_in(
    ticket: Ticket, sana: Agent, omar: Agent, take: Take, how: str
) -> None:
    older = Message.objects.get()
    here = Ticket.objects.get(pk=take("n1", subject="Another").ticket)
    newest = Message.objects.order_by("pk").last()
    assert newest and older.pk < newest.pk
    if how == "message":
        messages.move(older, to=here, by=omar)
    else:
        merge.merge(ticket, here, by=omar)
    with pytest.raises(Stale) as refused:
        reply.reply(here, by=sana, text="On Thursday.", newest=newest.pk)
    assert [one.pk for one in refused.value.since] == [older.pk]
    shown = timeline.build(here, directory.of(sana))
    assert reply.reply(here, by=sana, text="On Thursday.", newest=newest.pk, event=shown.event)
    assert refused.value.event >= shown.event


def test_a_second_click_is_no_stale_reply(ticket: Ticket, sana: Agent) -> None:
    newest = Message.objects.get().pk
    clicks = [reply.reply(ticket, by=sana, text="Yes", client_id="c", newest=newest, undoable=True) for _ in range(2)]
    assert clicks[0].pk == clicks[1].pk


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Start these at the same moment, each over a connection of its own; returns what each came to, errors too."""
    start = threading.Barrier(len(calls))

    def run(one: Callable[[], Any]) -> Any:
        try:
            start.wait(10)
            return one()
        except Exception as error:  # noqa: BLE001 (looked at by the test)
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_of_agents_who_click_at_once_one_passes(ticket: Ticket, sana: Agent, omar: Agent) -> None:
    newest = Message.objects.get().pk
    found = together(
        *(lambda by=by: reply.reply(ticket, by=by, text=f"From {by.name}", newest=newest) for by in (sana, omar))
    )
    assert sorted(type(one).__name__ for one in found) == ["Message", "Stale"]
    assert Message.objects.filter(direction="out").count() == 1


@pytest.mark.django_db(transaction=True)
def test_undo_at_the_last_moment_wins_or_loses_wholly(ticket: Ticket, sana: Agent, desk: Channel) -> None:
    for turn in range(6):
        Paper.sent.clear()
        Draft.objects.all().delete()
        held = reply.reply(ticket, by=sana, text=f"Turn {turn}", undoable=True)
        fall_due(held)
        undone, _left, _other = together(
            lambda held=held: scheduling.take_back(held, by=sana),
            lambda: delivery.deliver(desk.pk),
            lambda: delivery.deliver(desk.pk),
        )
        held.refresh_from_db()
        if isinstance(undone, Draft):
            assert (held.state, Paper.sent) == (DeliveryState.CANCELLED, [])
        else:
            assert isinstance(undone, ActionError) and (held.state, Paper.sent) == (DeliveryState.SENT, [held.pk])
            assert not Draft.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_undo_that_dies_half_way_leaves_the_message_to_leave(
    ticket: Ticket, sana: Agent, desk: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = reply.reply(ticket, by=sana, text="On Thursday.", undoable=True)
    monkeypatch.setattr(uploads, "again", lambda *_args, **_kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        scheduling.take_back(held, by=sana)
    assert not Draft.objects.exists()
    fall_due(held)
    assert delivery.deliver(desk.pk) == 1 and Paper.sent == [held.pk]
