"""The way in when workers die, meet, or lose the database in mid-work."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from inbox.actions import parsing, receive
from inbox.models import Channel, Customer, Message, Receipt, ReceiptState, Ticket
from tests.paper import raw

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk() -> Channel:
    return Channel.objects.create(kind="paper", name="Desk", slug="desk", addresses=["desk@example.org"])


def at_once(work: Callable[[int], Any], workers: int) -> list[BaseException]:
    """Run `work(n)` in this many threads that begin together; returns what they raised."""
    begin = threading.Barrier(workers)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        begin.wait(10)
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001  (told by the test)
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[number]) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors


def mails(count: int, customers: int = 5) -> list[Any]:
    """Mails of a few customers, each answering that customer's one before."""
    return [
        raw(
            f"m{number}",
            sender=f"c{number % customers}@example.com",
            references=[f"m{number - customers}"] if number >= customers else [],
        )
        for number in range(count)
    ]


def test_two_workers_with_the_same_receipts_make_one_message_each(desk: Channel) -> None:
    ids = [one.receipt_id for one in receive.store(desk, mails(60), claim=True)]
    # As when a lease ran out under a worker that still lives: both have all of them in hand.
    assert at_once(lambda number: receive.take_in(ids if number else list(reversed(ids))), 2) == []
    assert Counter(Message.objects.values_list("external_id", flat=True)) == {f"m{number}": 1 for number in range(60)}
    assert (Ticket.objects.count(), Customer.objects.count()) == (5, 5)
    assert set(Receipt.objects.values_list("state", flat=True)) == {ReceiptState.DONE}
    for ticket in Ticket.objects.all():
        assert ticket.message_count == ticket.messages.count() == 12


def test_the_same_mail_by_two_ways_at_once_is_one_message(desk: Channel) -> None:
    """By two listeners and, with other bytes, through another hop; taken in by two workers."""

    def arrive(number: int) -> None:
        for mail in mails(30):
            receive.store(desk, [mail])
        receive.store(
            desk, [raw(f"m{one}", sender=f"c{one % 5}@example.com", payload={"hop": number}) for one in range(30)]
        )
        receive.take_in_waiting()

    assert at_once(arrive, 3) == []
    Receipt.objects.update(next_attempt_at=timezone.now())
    receive.take_in_waiting()
    assert Counter(Message.objects.values_list("external_id", flat=True)) == {f"m{number}": 1 for number in range(30)}
    assert Customer.objects.count() == 5
    assert not Receipt.objects.exclude(state=ReceiptState.DONE).exists()


def test_who_was_in_hand_with_one_that_stops_workers_is_not_set_aside(desk: Channel) -> None:
    stored = [one.receipt_id for one in receive.store(desk, [raw("bad"), raw("a"), raw("b")])]
    bad = stored[0]
    for _death in range(parsing.MAX_ATTEMPTS + 2):
        while ids := receive.claim():
            if bad in ids and Receipt.objects.get(pk=bad).attempts <= parsing.MAX_ATTEMPTS:
                break  # the worker is gone, with all that it held
            receive.take_in(ids)
        Receipt.objects.filter(state=ReceiptState.NEW).update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert list(Receipt.objects.order_by("pk").values_list("state", flat=True)) == ["failed", "done", "done"]


def test_a_database_that_was_away_costs_no_lease(desk: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    receive.store(desk, [raw("m1")])

    def away(*_args: Any) -> None:
        raise OperationalError("the server closed the connection unexpectedly")

    monkeypatch.setattr(receive, "parse_all", away)
    with pytest.raises(OperationalError):
        receive.take_in_waiting()
    monkeypatch.undo()
    assert Receipt.objects.get().attempts == 0
    assert receive.take_in_waiting() == 1
    assert Receipt.objects.get().state == ReceiptState.DONE
