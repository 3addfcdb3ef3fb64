"""Documents follow the log: whatever happened, in whatever order, they say what the rows say."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from inbox import log, search
from inbox.actions import customers, keeping, merge, messages, organisations, reply, tickets
from inbox.adapters import Party
from inbox.models import (
    PARTITION,
    Agent,
    Channel,
    Cursor,
    Customer,
    Event,
    Message,
    Role,
    SearchDocument,
    SearchPerson,
    Tag,
    Ticket,
)
from inbox.search import documents, follower, partitions, rebuild
from tests.cast import HELD_UP, question

pytestmark = pytest.mark.django_db(transaction=True)


def read_on(done: Callable[[], bool]) -> None:
    """Follow until `done`: writers in other databases of the server hold followers up for a moment."""
    until = time.monotonic() + HELD_UP
    while time.monotonic() < until:
        if not log.follow(follower.NAME, follower.keep):
            time.sleep(0.05)
        if done():
            return
    raise AssertionError("the follower did not come so far")


def all_read() -> bool:
    """Whether the newest event was read. Its lag is none, too, while an older transaction hides the event from it."""
    newest = Event.objects.order_by("-xid", "-pk").values_list("xid", "pk").first()
    read = Cursor.objects.filter(name=follower.NAME).values_list("xid", "event_id").first()
    return newest is None or (read is not None and read >= newest)


def read_all() -> None:
    read_on(all_read)


def kept() -> dict[int, tuple[str, str]]:
    return {number: (short, words) for number, short, words in SearchDocument.objects.values_list()}


def history(support: Channel, sana: Agent) -> Ticket:
    """A bit of everything that changes what is found."""
    first, second, third = (question(support, subject) for subject in ("Teapot", "Kettle", "Saucer"))
    reply.note(first, by=sana, text="Ask the workshop")
    tickets.set_subject(second, "Copper kettle", by=sana)
    tickets.assign(second, by=sana, agent=sana)
    merge.merge(third, second, by=sana)
    message = Message.objects.filter(ticket=first).order_by("pk")[1]
    messages.move(message, to=second, by=sana)
    customers.update(first.customer, by=sana, name="Ayesha Siddiqi")
    tickets.set_spam(first, True, by=sana)
    return second


def test_reading_bit_by_bit_or_all_at_once_or_building_anew_is_the_same(support: Channel, sana: Agent) -> None:
    _first, second, third = (question(support, subject) for subject in ("Teapot", "Kettle", "Saucer"))
    read_all()
    history(support, sana)
    read_all()
    by_and_by = kept()
    assert third.number in by_and_by and len(by_and_by) == 5
    log.rewind(follower.NAME)
    SearchDocument.objects.all().delete()
    SearchPerson.objects.all().delete()
    read_all()
    assert kept() == by_and_by
    SearchDocument.objects.filter(number=second.number).update(short="wrong")
    call_command("reindex_search", processes=0)
    assert kept() == by_and_by


@pytest.mark.parametrize("limit", [1, 2, 500])
def test_what_happened_is_found(support: Channel, sana: Agent, limit: int) -> None:
    kettle = history(support, sana)
    until = time.monotonic() + HELD_UP
    while not all_read() and time.monotonic() < until:
        if not log.follow(follower.NAME, follower.keep, limit):
            time.sleep(0.05)
    assert search.numbers(sana, "copper") == [kettle.number]
    assert search.numbers(sana, "saucer") == [kettle.number]
    assert search.numbers(sana, "workshop") == [kettle.number]
    assert len(search.numbers(sana, "siddiqi")) == 2, "a new name is found in all tickets of the customer"
    assert search.numbers(sana, "khan") == search.numbers(sana, "siddiqi"), "their address still says so"


def test_a_tag_is_found_by_its_new_name_and_no_more_when_it_is_gone(support: Channel, sana: Agent) -> None:
    sana.role = Role.ADMIN
    ticket = question(support, "Teapot")
    tickets.set_tags(ticket, ["zebra"], by=sana)
    read_all()
    tag = keeping.update_tag(Tag.objects.get(name="zebra"), by=sana, name="okapi")
    read_all()
    assert search.numbers(sana, "okapi") == [ticket.number] and search.numbers(sana, "zebra") == []
    keeping.delete_tag(tag, by=sana)
    read_all()
    assert search.numbers(sana, "okapi") == []


def test_an_organisation_is_found_by_its_new_name_and_no_more_when_it_is_gone(support: Channel, sana: Agent) -> None:
    own, of_customer = (
        question(support, "Teapot"),
        question(support, "Kettle", Party("email", "hina@example.com", "Hina")),
    )
    firm = organisations.create(by=sana, name="Zebraworks")
    Ticket.objects.filter(pk=own.pk).update(organisation=firm)
    customers.update(of_customer.customer, by=sana, organisation=firm)
    tickets.set_subject(own, "Tea pot", by=sana)
    read_all()
    assert set(search.numbers(sana, "zebraworks")) == {own.number, of_customer.number}
    organisations.update(firm, by=sana, name="Okapiworks")
    read_all()
    assert set(search.numbers(sana, "okapiworks")) == {own.number, of_customer.number}
    assert search.numbers(sana, "zebraworks") == []
    organisations.delete(firm, by=sana)
    read_all()
    assert search.numbers(sana, "okapiworks") == []


def test_a_late_commit_is_found(support: Channel, sana: Agent) -> None:
    written, finish = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            question(support, "Teapot")
            written.set()
            finish.wait(10)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(10)
    question(support, "Kettle")
    log.follow(follower.NAME, follower.keep)
    finish.set()
    thread.join()
    read_on(lambda: len(search.numbers(sana, "teapot")) == 1 and len(search.numbers(sana, "kettle")) == 1)


def test_what_is_gone_is_taken_out(support: Channel, sana: Agent) -> None:
    ticket = question(support, "Teapot")
    read_all()
    assert search.numbers(sana, "teapot") == [ticket.number]
    Message.objects.all().delete()
    with transaction.atomic():
        log.record(None, "ticket_erased", by=sana)
        Event.objects.filter(ticket=ticket).update(ticket=None)
        Ticket.objects.all().delete()
    follower.write([ticket.number])
    assert not SearchDocument.objects.exists()
    pk = ticket.customer_id
    Customer.objects.filter(pk=pk).delete()
    documents.write_people([pk])
    assert not SearchPerson.objects.exists()


def noted(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The tickets whose documents are written from now on, batch by batch."""
    seen: list[list[int]] = []

    def write(numbers: list[int]) -> set[int]:
        seen.append(list(numbers))
        return set()

    monkeypatch.setattr(documents, "write", write)
    return seen


def test_delivery_and_status_touch_no_document(support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = question(support, "Teapot")
    read_all()
    tickets.set_status(ticket, "solved", by=sana)
    tickets.set_priority(ticket, "high", by=sana)
    touched = noted(monkeypatch)
    read_all()
    assert touched == []


def test_a_batch_looks_at_each_ticket_once(support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = question(support, "Teapot")
    for number in range(10):
        reply.note(ticket, by=sana, text=f"note {number}")
    seen = noted(monkeypatch)
    follower.keep(list(Event.objects.order_by("pk")))  # as a batch has them
    assert seen == [[ticket.number]]


def test_an_event_that_cannot_be_read_stops_there_and_says_so(
    support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad, after = (question(support, subject) for subject in ("Teapot", "Kettle", "Saucer"))
    build = documents.build

    def broken(numbers: list[int]) -> list[documents.Document]:
        if bad.number in numbers:
            raise RuntimeError("cannot read this")
        return build(numbers)

    monkeypatch.setattr(documents, "build", broken)
    read_on(lambda: Cursor.objects.filter(name=follower.NAME, failing_since__isnull=False).exists())
    assert search.numbers(sana, "teapot") == [good.number]
    assert search.numbers(sana, "saucer") == []
    monkeypatch.setattr(documents, "build", build)
    read_all()
    assert search.numbers(sana, "saucer") == [after.number]


def test_building_anew_misses_nothing_that_happens_meanwhile(
    support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    question(support, "Teapot")
    read_all()
    build = partitions.exchange

    def busy(part: int, built: str) -> None:
        question(support, "Kettle")  # after its partition was read, and read by the follower before the exchange
        read_all()
        assert search.numbers(sana, "kettle")
        build(part, built)

    monkeypatch.setattr(partitions, "exchange", busy)
    call_command("reindex_search", processes=0)
    read_all()
    assert search.numbers(sana, "kettle") and search.numbers(sana, "teapot")


def test_building_anew_goes_on_where_it_stopped(support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    question(support, "Teapot")
    read_all()
    partitions.ensure([PARTITION + 1])
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('inbox_ticket', 'number'), %s)", [PARTITION + 5])
    question(support, "Kettle")
    built: list[int] = []
    build = partitions.build

    def once(part: int, mark: str) -> int:
        if built and part == 0:
            built.append(-1)
            raise KeyboardInterrupt
        built.append(part)
        return build(part, mark)

    monkeypatch.setattr(partitions, "build", once)
    with pytest.raises(KeyboardInterrupt):
        call_command("reindex_search", processes=0)
    assert Cursor.objects.filter(name=rebuild.RUN).exists()
    built.clear()
    call_command("reindex_search", processes=0)
    assert built == [0], "the newest was built before"
    assert not Cursor.objects.filter(name=rebuild.RUN).exists()
    read_all()
    assert search.numbers(sana, "kettle") and search.numbers(sana, "teapot")
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('inbox_ticket', 'number'), 100)")


def test_two_who_build_hold_nobody_of_those_both_write(
    support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    xena, yara = (Customer.objects.create(name=name) for name in ("Xena", "Yara"))
    for number, customer in (
        (10, xena), (PARTITION - 5000, yara), (PARTITION + 10, yara), (2 * PARTITION - 5000, xena),
    ):  # fmt: skip
        Ticket.objects.create(number=number, customer=customer, channel=support, reply_channel=support, subject="s")
    write, wrote = documents.write_people, threading.Barrier(2, timeout=10)
    own = threading.local()
    errors: list[Exception] = []

    def both(ids: set[int]) -> None:
        write(ids)
        if ids and not hasattr(own, "wrote"):
            own.wrote = True
            wrote.wait()

    def build(part: int) -> None:
        try:
            partitions.build(part, "")
        except (DatabaseError, threading.BrokenBarrierError) as error:
            errors.append(error)
        finally:
            connection.close()

    monkeypatch.setattr(documents, "write_people", both)
    threads = [threading.Thread(target=build, args=[part]) for part in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert set(SearchPerson.objects.values_list("customer", flat=True)) == {xena.pk, yara.pk}


def test_the_follower_takes_the_people_of_a_batch_in_order(
    support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it and one who builds could each hold a person that the other waits for."""
    tickets = [question(support, subject) for subject in ("Teapot", "Kettle", "Saucer")]
    written: list[int] = []
    monkeypatch.setattr(documents, "BATCH", 1)
    monkeypatch.setattr(documents, "write_people", lambda ids: written.append(len(ids)))
    follower.keep(list(Event.objects.filter(ticket__in=tickets)))
    assert written == [1], "once in a transaction, however many steps it takes"


def test_building_anew_by_several_processes(support: Channel, sana: Agent) -> None:
    ticket = question(support, "Teapot")
    call_command("reindex_search", processes=2)
    assert search.numbers(sana, "teapot") == [ticket.number]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_index WHERE indrelid = 'inbox_searchdocument_0'::regclass AND indisvalid"
        )
        assert cursor.fetchone() == (2,), "as many indexes as before"


def test_what_fields_say_is_found_and_no_more_once_they_are_gone(sana: Agent, support: Channel, zoya: Agent) -> None:
    from inbox.actions import fields

    ticket = question(support, "Broken")
    tickets.set_fields(ticket, by=sana, attributes={"order": "Qx7731", "story": "wombat"})
    customers.update(ticket.customer, by=sana, attributes={"plan": "platinum"})
    read_all()
    assert search.numbers(sana, "qx7731") == []
    order = fields.create(by=zoya, noun="ticket", key="order", label="Order")
    fields.create(by=zoya, noun="ticket", key="story", label="Story", kind="long")
    fields.create(by=zoya, noun="customer", key="plan", label="Plan")
    read_all()
    assert [search.numbers(sana, word) for word in ("7731", "wombat", "plat")] == [[ticket.pk]] * 3
    fields.update(order, by=zoya, searchable=False)
    read_all()
    assert search.numbers(sana, "7731") == []
