"""Locks taken while somebody else changes what the row points to, and polls that fail in ways nobody foresaw."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from inbox import polling
from inbox.actions import base, messages
from inbox.actions.work import Outcome
from inbox.models import Channel, Event, Message, Ticket
from tests.paper import Paper

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
