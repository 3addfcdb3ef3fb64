"""Locks taken while somebody else changes what the row points to, and polls that fail in ways nobody foresaw."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from inbox import jobs as workers
from inbox import polling
from inbox.actions import (
    base,
    calls,
    customers,
    erased_receipts,
    erasing,
    exporting,
    joining,
    merge,
    messages,
    naming,
    receive,
    reply,
    scheduling,
)
from inbox.actions.surroundings import Surroundings
from inbox.actions.work import Outcome
from inbox.adapters import Party
from inbox.models import Agent, Channel, Customer, DeliveryState, Event, JobState, Message, Ticket
from tests.paper import Paper, raw

pytestmark = pytest.mark.django_db(transaction=True)
Take = Callable[..., Outcome]


def while_changing(change: Callable[[], Any], wait: Callable[[], Any]) -> None:
    """Run `wait` while another connection has made `change` and not committed it; it commits once `wait` is waiting."""
    changed, failed = threading.Event(), []

    def other() -> None:
        try:
            with transaction.atomic():
                change()
                changed.set()
                threading.Event().wait(0.5)  # time for the other side to come to the lock
        except Exception as error:  # noqa: BLE001 (told to the test below)
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=other)
    thread.start()
    assert changed.wait(10)
    try:
        wait()
    finally:
        thread.join()
    assert not failed


def at_once(first: Callable[[Callable[[], None]], Any], second: Callable[[], Any]) -> None:
    """Run `second` once `first` calls what it is given, which returns when `second` waits for a lock; neither fails."""
    begun, failed = threading.Event(), []

    def come() -> None:
        begun.set()
        with connection.cursor() as cursor:
            for _try in range(500):
                cursor.execute("SELECT pg_stat_clear_snapshot()")
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                    " AND wait_event_type = 'Lock'"
                )
                if cursor.fetchone() != (0,):
                    return
                threading.Event().wait(0.01)
        raise AssertionError("the other side waits for nothing")

    def run(one: Callable[[], Any]) -> None:
        try:
            one()
        except Exception as error:  # noqa: BLE001 (told to the test below)
            failed.append(error)
        finally:
            begun.set()
            connection.close()

    threads = [threading.Thread(target=run, args=[lambda: first(come)])]
    threads[0].start()
    assert begun.wait(10)
    threads.append(threading.Thread(target=run, args=[second]))
    threads[1].start()
    for thread in threads:
        thread.join(20)
    assert not failed


def due_reply(ticket: Ticket, by: Agent) -> Message:
    message = reply.reply(ticket, by=by, text="As promised.", send_at=timezone.now() + timedelta(days=1))
    Message.objects.filter(pk=message.pk).update(send_at=timezone.now() - timedelta(seconds=1))
    return message


@pytest.mark.parametrize("undone", [False, True])
def test_a_merge_waits_for_a_reply_that_is_being_released(
    desk: Channel, take: Take, sana: Agent, monkeypatch: pytest.MonkeyPatch, undone: bool
) -> None:
    source = Ticket.objects.get(pk=take("m1").ticket)
    target = Ticket.objects.get(pk=take("n1", sender="omar@example.com").ticket)
    message = due_reply(source, sana)
    if undone:
        merge.merge(source, target, by=sana)
    real = messages.lock

    def release(come: Callable[[], None]) -> None:
        def lock(pk: int) -> Message:
            row = real(pk)
            come()
            return row

        monkeypatch.setattr(messages, "lock", lock)
        scheduling.sweep()

    at_once(release, lambda: merge.unmerge(source, by=sana) if undone else merge.merge(source, target, by=sana))
    message.refresh_from_db()
    assert (message.is_scheduled, message.state) == (False, "queued")
    assert message.ticket == (source if undone else target)


@pytest.mark.parametrize("erased", [False, True])
def test_a_call_is_logged_while_its_customer_is_merged_or_erased(
    desk: Channel, take: Take, sana: Agent, monkeypatch: pytest.MonkeyPatch, erased: bool
) -> None:
    ticket = Ticket.objects.get(pk=take("m1").ticket)
    other = Customer.objects.create(name="Ayesha K.")
    real = base.locked

    def call(come: Callable[[], None]) -> None:
        @contextmanager
        def locked(ticket: Ticket) -> Iterator[Ticket]:
            with real(ticket) as row:
                come()
                yield row

        monkeypatch.setattr(base, "locked", locked)
        calls.record(ticket, by=sana, direction="in", medium="call", text="They rang.")

    def change() -> None:
        customer = Customer.objects.get(pk=ticket.customer_id)
        erasing.erase(customer, by=sana) if erased else joining.merge(customer, other, by=sana)

    at_once(call, change)
    ticket.refresh_from_db()
    assert ticket.message_count == 2
    if erased:
        assert not ticket.messages.exclude(text="").exists()
    else:
        assert ticket.customer == other


def test_a_message_is_found_while_a_merge_moves_it(desk: Channel, take: Take) -> None:
    message = Message.objects.get(pk=take("m1").message)
    target = take("n1", sender="omar@example.com").ticket
    found: list[int] = []

    def lock() -> None:
        with transaction.atomic():
            found.append(messages.lock(message.pk).ticket_id)

    while_changing(lambda: Message.objects.filter(pk=message.pk).update(ticket_id=target), lock)
    assert found == [target]


def test_a_ticket_is_found_while_its_reply_channel_changes(desk: Channel, take: Take) -> None:
    ticket = Ticket.objects.get(pk=take("m1").ticket)
    other = Channel.objects.create(kind="paper", name="Sales", slug="sales")
    found: list[int] = []

    def lock() -> None:
        with base.locked(ticket) as row:
            found.append(row.reply_channel_id)

    while_changing(lambda: Ticket.objects.filter(pk=ticket.pk).update(reply_channel=other), lock)
    assert found == [other.pk]


def test_a_fault_in_polling_is_shown_and_backs_off(desk: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    def poll(_self: Paper, _channel: Channel, _cursor: dict[str, Any]) -> Iterator[Any]:
        raise KeyError("no size")
        yield

    monkeypatch.setattr(Paper, "poll", poll)
    assert polling.poll(desk.pk) == 0
    desk.refresh_from_db()
    assert desk.in_failing_since is not None and "no size" in desk.in_error
    assert desk.next_poll_at > timezone.now()
    polling.poll(desk.pk)
    said = Event.objects.filter(ticket=None).order_by("pk").values_list("kind", "data__direction")
    assert list(said.all()) == [("channel_failing", "in")], "once, however often it fails"
    monkeypatch.setattr(Paper, "poll", lambda *_args: iter(()))
    polling.poll(desk.pk)
    polling.poll(desk.pk)
    assert list(said.all()) == [("channel_failing", "in"), ("channel_recovered", "in")]


@pytest.mark.parametrize("first", ["mail", "erasure"])
def test_mail_that_comes_while_its_sender_is_erased_hangs_on_nobody_erased(
    desk: Channel, take: Take, sana: Agent, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    ticket = Ticket.objects.get(pk=take("m1", text="My name is Ayesha.").ticket)
    customer = Customer.objects.get(pk=ticket.customer_id)

    def comes() -> None:
        take("m2", text="Ayesha again.", references=["m1"])

    def mail_first(come: Callable[[], None]) -> None:
        real = Surroundings._hold

        def hold(surroundings: Surroundings) -> None:
            real(surroundings)
            come()

        monkeypatch.setattr(Surroundings, "_hold", hold)
        comes()

    def erasure_first(come: Callable[[], None]) -> None:
        real = erasing._locked

        def locked(pk: int) -> set[int]:
            ids = real(pk)
            come()
            return ids

        monkeypatch.setattr(erasing, "_locked", locked)
        erasing.erase(customer, by=sana)

    def erase() -> None:
        erasing.erase(customer, by=sana)

    at_once(mail_first, erase) if first == "mail" else at_once(erasure_first, comes)
    theirs = Message.objects.filter(ticket__customer=customer)
    assert not theirs.exclude(text="", author_address="").exists()
    if first == "mail":
        assert theirs.count() == 2
    else:
        assert (theirs.count(), Message.objects.get(text="Ayesha again.").customer_id != customer.pk) == (1, True)


def test_a_reply_that_is_written_while_its_customer_is_erased_goes_too(
    desk: Channel, take: Take, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = Ticket.objects.get(pk=take("m1").ticket)
    customer = Customer.objects.get(pk=ticket.customer_id)
    real = base.locked

    def answer(come: Callable[[], None]) -> None:
        @contextmanager
        def locked(ticket: Ticket, **how: bool) -> Iterator[Ticket]:
            with real(ticket, **how) as row:
                come()
                yield row

        monkeypatch.setattr(base, "locked", locked)
        reply.reply(ticket, by=sana, text="Dear Ayesha, it is on its way.")

    at_once(answer, lambda: erasing.erase(customer, by=sana))
    assert not Message.objects.exclude(text="").exists()
    assert not Message.objects.filter(state=DeliveryState.QUEUED).exists()


def test_an_export_that_is_begun_while_somebody_is_erased_reads_what_is_left_of_them(
    desk: Channel, take: Take, sana: Agent
) -> None:
    customer = Ticket.objects.get(pk=take("m1").ticket).customer
    sana.role = "admin"
    sana.save()
    job = exporting.begin(sana, ["number", "address"], listing={"view": "all"})

    def write() -> None:
        while not job.is_over:
            workers.work(job.pk)
            job.refresh_from_db()

    while_changing(lambda: erasing.erase(customer, by=None), write)
    written = b"".join(exporting.content(job)).decode()
    assert job.state == JobState.DONE and "ayesha" not in written


def test_an_erasure_waits_for_nobody_who_waits_for_it(
    desk: Channel, take: Take, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mail from them is taken in, holds its receipt and waits for the customer, long before the erasure comes to it."""
    customer = Ticket.objects.get(pk=take("m1").ticket).customer
    (late,) = receive.store(desk, [raw("m2", text="Ayesha again.")], claim=True)
    real = erased_receipts.forget_receipts

    def erase(come: Callable[[], None]) -> None:
        def forget(person: naming.Person, perhaps: set[int]) -> Any:
            come()
            threading.Event().wait(1.5)  # the other side has looked for a deadlock, found none, and looks no more
            return real(person, perhaps)

        monkeypatch.setattr(erasing, "forget_receipts", forget)
        erasing.erase(customer, by=sana)

    at_once(erase, lambda: receive.take_in([late.receipt_id]))
    customer.refresh_from_db()
    assert customer.erased_at is not None
    assert Message.objects.get(text="Ayesha again.").customer_id != customer.pk


def test_an_erasure_is_tried_again_when_others_were_in_the_way(
    desk: Channel, take: Take, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = Ticket.objects.get(pk=take("m1").ticket).customer
    tries: list[int] = []
    real = erasing._blank_messages

    def blank(person: naming.Person) -> None:
        tries.append(1)
        if len(tries) == 1:
            with connection.cursor() as cursor:
                cursor.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40P01'; END $$")
        real(person)

    monkeypatch.setattr(erasing, "_blank_messages", blank)
    erasing.erase(customer, by=sana)
    assert len(tries) == 2
    assert not Message.objects.exclude(text="").exists()


def test_an_address_is_retired_while_its_customer_is_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = (customers.create(by=None, name=name) for name in ("Ana", "Ana on Telegram"))
    address = customers.add_identity(two, Party("telegram", "5550001", scope="bot"), by=None)
    real = joining._locked

    def merging(come: Callable[[], None]) -> None:
        def lock(*pks: int) -> Any:
            rows = real(*pks)
            come()
            return rows

        monkeypatch.setattr(joining, "_locked", lock)
        joining.merge(two, one, by=None)

    at_once(merging, lambda: customers.retire_identity(address, by=None))
    address.refresh_from_db()
    assert address.customer_id == one.pk and address.retired_at is not None
