"""The way out: the state table, leases, back-off and order."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from inbox import bulk, delivery, log
from inbox.actions import erasing, messages, reply, tickets
from inbox.actions.errors import ActionError
from inbox.actions.work import Outcome
from inbox.adapters import DeliveryError, DeliveryUpdate, Sent
from inbox.models import NEXT_STATES, Agent, Channel, DeliveryState, Event, Message, Status, Ticket
from tests.paper import Paper

pytestmark = pytest.mark.django_db
Take = Callable[..., Outcome]


@pytest.fixture
def ticket(take: Take) -> Ticket:
    return Ticket.objects.get(pk=take("m1", subject="Parcel").ticket)


def later(message: Message) -> Message:
    """Pretend that its next attempt is due."""
    Message.objects.filter(pk=message.pk).update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    return Message.objects.get(pk=message.pk)


def test_reply_is_frozen_queued_and_sent(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="On its way")
    assert (message.state, message.to[0]["address"]) == (DeliveryState.QUEUED, "ayesha@example.com")
    ticket.refresh_from_db()
    assert (ticket.status, ticket.assignee, ticket.waiting_since) == (Status.PENDING, sana, None)
    assert ticket.first_replied_at is not None
    assert delivery.deliver(desk.pk) == 1
    message.refresh_from_db()
    assert (message.state, message.attempts, Paper.sent) == (DeliveryState.SENT, 1, [message.pk])
    assert delivery.deliver(desk.pk) == 0


def test_a_second_click_sends_once(ticket: Ticket, sana: Agent) -> None:
    first = reply.reply(ticket, by=sana, text="On its way", client_id="c1")
    assert reply.reply(ticket, by=sana, text="On its way", client_id="c1").pk == first.pk
    assert Message.objects.filter(direction="out").count() == 1


def test_nothing_overtakes_in_one_ticket(ticket: Ticket, desk: Channel, sana: Agent, take: Take) -> None:
    other = Ticket.objects.get(pk=take("n1", sender="omar@example.com").ticket)
    first = reply.reply(ticket, by=sana, text="one")
    second = reply.reply(ticket, by=sana, text="two")
    third = reply.reply(other, by=sana, text="elsewhere")
    Paper.answers[:] = [DeliveryError("busy", permanent=False)]
    delivery.deliver(desk.pk)
    assert Paper.sent == [third.pk]
    later(first)
    delivery.deliver(desk.pk)
    assert Paper.sent == [third.pk, first.pk, second.pk]


def test_temporary_errors_wait_longer_each_time(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="one")
    waits = []
    for _attempt in range(5):
        Paper.answers[:] = [DeliveryError("busy", permanent=False)]
        later(message)
        delivery.deliver(desk.pk)
        message.refresh_from_db()
        assert (message.state, message.error) == (DeliveryState.QUEUED, "busy")
        assert message.next_attempt_at is not None
        wait = message.next_attempt_at - timezone.now()
        waits.append(wait)
        assert message.trying_since is not None
        Message.objects.filter(pk=message.pk).update(trying_since=message.trying_since - wait)  # as if it had passed
    assert all(later > 1.3 * earlier for earlier, later in pairwise(waits[1:]))


def test_retry_after_is_honoured() -> None:
    assert delivery.next_attempt(None, retry_after=600) > timezone.now() + timedelta(seconds=590)


def test_permanent_error_fails_at_once_and_opens_the_ticket(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="one")
    Paper.answers[:] = [DeliveryError("No such mailbox.", permanent=True)]
    delivery.deliver(desk.pk)
    message.refresh_from_db()
    ticket.refresh_from_db()
    assert (message.state, message.error) == (DeliveryState.FAILED, "No such mailbox.")
    assert (ticket.status, ticket.delivery_failed) == (Status.OPEN, True)
    messages.retry(message, by=sana)
    delivery.deliver(desk.pk)
    message.refresh_from_db()
    ticket.refresh_from_db()
    assert (message.state, ticket.delivery_failed) == (DeliveryState.SENT, False)


def test_a_server_that_is_away_costs_no_attempt(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="one")
    Paper.away = True
    delivery.deliver(desk.pk)
    desk.refresh_from_db()
    message.refresh_from_db()
    assert (message.state, message.attempts) == (DeliveryState.QUEUED, 0)
    assert desk.out_failing_since and desk.out_error == "Nobody answers." and desk.next_send_at > timezone.now()
    Paper.away = False
    assert delivery.deliver(desk.pk) == 0
    Channel.objects.update(next_send_at=timezone.now())
    assert delivery.deliver(desk.pk) == 1
    desk.refresh_from_db()
    assert not desk.failing


def test_lost_worker_is_found_by_its_lease(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="one")
    assert delivery.claim(desk) == message
    assert delivery.claim(desk) is None
    assert delivery.recover() == 0
    Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert delivery.recover() == 1
    assert delivery.deliver(desk.pk) == 1


def test_where_repeating_is_unsafe_the_fate_is_unknown(
    ticket: Ticket, desk: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Paper, "repeat_safe", False)
    message = reply.reply(ticket, by=sana, text="one")
    Paper.answers[:] = [DeliveryError("cut off", permanent=False, unknown=True)]
    delivery.deliver(desk.pk)
    message.refresh_from_db()
    assert message.state == DeliveryState.UNKNOWN
    assert messages.delivery_update(desk, DeliveryUpdate(message.external_id, "delivered"))
    message.refresh_from_db()
    assert message.state == DeliveryState.DELIVERED


def test_what_was_never_sent_is_of_no_unknown_fate(
    ticket: Ticket, desk: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our database goes away while it is asked whether they still want it."""

    def away(_message: Message) -> str:
        raise OperationalError("away")

    monkeypatch.setattr(Paper, "repeat_safe", False)
    monkeypatch.setattr(delivery, "no_longer_wanted", away)
    message = reply.reply(ticket, by=sana, text="one")
    delivery.deliver(desk.pk)
    message.refresh_from_db()
    assert (message.state, Paper.sent) == (DeliveryState.QUEUED, [])
    desk.refresh_from_db()
    assert desk.out_failing_since is None


def test_a_message_is_given_back_also_when_the_database_stumbles(
    ticket: Ticket, desk: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deadlock, just as the server that is away is noted: the message has not left, and is of no unknown fate."""
    lock, stumbles = messages.lock, [OperationalError("deadlock detected")]

    def locked(pk: int) -> Message:
        if stumbles:
            raise stumbles.pop()
        return lock(pk)

    monkeypatch.setattr(Paper, "repeat_safe", False)
    message = reply.reply(ticket, by=sana, text="one")
    Paper.answers[:] = [DeliveryError("Nobody answers.", permanent=False, channel=True)]
    monkeypatch.setattr(messages, "lock", locked)
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's own transaction runs in it
    delivery.deliver(desk.pk)
    message.refresh_from_db()
    desk.refresh_from_db()
    assert (message.state, message.attempts, stumbles) == (DeliveryState.QUEUED, 0, [])
    assert desk.out_failing_since is not None


def test_a_message_is_given_back_also_when_that_the_channel_was_well_cannot_be_noted(
    ticket: Ticket, desk: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above, with one that left before it."""
    stumbles = [OperationalError("the database restarts")]
    record = log.record

    def noted(ticket: Ticket | None, kind: str, **told: Any) -> Event:
        if stumbles and kind == "channel_recovered":
            raise stumbles.pop()
        return record(ticket, kind, **told)

    monkeypatch.setattr(Paper, "repeat_safe", False)
    Channel.objects.filter(pk=desk.pk).update(out_failing_since=timezone.now())
    first, second = [reply.reply(ticket, by=sana, text=text) for text in ("one", "two")]
    Paper.answers[:] = [None, DeliveryError("Nobody answers.", permanent=False, channel=True)]
    monkeypatch.setattr(log, "record", noted)
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's own transaction runs in it
    assert delivery.deliver(desk.pk) == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state, stumbles) == (DeliveryState.SENT, DeliveryState.QUEUED, [])


def test_a_fault_of_ours_is_tried_again_and_shown(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="one")
    Paper.answers[:] = [KeyError("oops")]
    delivery.deliver(desk.pk)
    message.refresh_from_db()
    assert message.state == DeliveryState.QUEUED and "oops" in message.error


def test_late_reports_never_move_a_state_back(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="one")
    delivery.deliver(desk.pk)
    for state, expected in (("read", "read"), ("delivered", "read"), ("sent", "read"), ("failed", "read")):
        messages.delivery_update(desk, DeliveryUpdate(message.external_id, state))  # type: ignore[arg-type]
        message.refresh_from_db()
        assert message.state == expected


def test_a_bounce_fails_a_sent_message(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="one")
    delivery.deliver(desk.pk)
    messages.delivery_update(desk, DeliveryUpdate(message.external_id, "failed", error="mailbox full"))
    message.refresh_from_db()
    ticket.refresh_from_db()
    assert (message.state, message.error, ticket.status) == ("failed", "mailbox full", Status.OPEN)
    assert not messages.delivery_update(desk, DeliveryUpdate("not ours", "failed"))


def test_state_table_is_closed() -> None:
    assert set(NEXT_STATES) == set(DeliveryState.values)
    for later_states in NEXT_STATES.values():
        assert later_states <= set(DeliveryState.values)


def test_a_scheduled_reply_blocks_nobody(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    reply.reply(ticket, by=sana, text="tomorrow", send_at=timezone.now() + timedelta(days=1))
    today = reply.reply(ticket, by=sana, text="today")
    delivery.deliver(desk.pk)
    assert Paper.sent == [today.pk]


def test_replies_to_locked_tickets_are_refused(ticket: Ticket, sana: Agent) -> None:
    tickets.set_status(ticket, Status.CLOSED, by=sana)
    with pytest.raises(ActionError) as refused:
        reply.reply(ticket, by=sana, text="one")
    assert refused.value.code == "closed"
    assert reply.note(ticket, by=sana, text="still possible").direction == "note"


def test_every_state_leaves_a_line_in_the_log(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="one")
    delivery.deliver(desk.pk)
    kinds = list(
        Event.objects.filter(ticket=ticket, data__message=message.pk).order_by("pk").values_list("kind", flat=True)
    )
    assert kinds == ["message_added", "message_sent"]


def test_a_claim_costs_the_same_in_a_long_queue_that_was_never_analysed(ticket: Ticket, sana: Agent) -> None:
    queued = {
        "ticket_id": ticket.pk, "first_ticket_id": ticket.pk, "direction": "out", "channel_id": ticket.channel_id,
        "author_kind": "agent", "agent_id": sana.pk, "state": "queued", "next_attempt_at": timezone.now(),
    }  # fmt: skip
    with connection.cursor() as cursor:  # neither what other tests left behind nor what autovacuum learned of it
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE inbox_message CASCADE")
        cursor.execute("DELETE FROM pg_statistic WHERE starelid = 'inbox_message'::regclass")
    bulk.insert_rows(Message, [queued] * 500)
    now = timezone.now()
    claimed: dict[str, Any] = {"lease": now, "now": now, "channel": ticket.channel_id, "message": 0}
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {delivery.CLAIM}", claimed)
        [(plan,)] = cursor.fetchall()
    assert plan[0]["Plan"]["Shared Hit Blocks"] < 100


def test_a_retry_after_days_is_tried_for_days_again(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="one")
    Message.objects.filter(pk=message.pk).update(created_at=timezone.now() - timedelta(days=9))
    Paper.answers[:] = [DeliveryError("greylisted", permanent=False)]
    delivery.deliver(desk.pk)
    message.refresh_from_db()
    assert message.state == DeliveryState.QUEUED
    Message.objects.filter(pk=message.pk).update(trying_since=timezone.now() - timedelta(days=3))
    Paper.answers[:] = [DeliveryError("greylisted", permanent=False)]
    later(message)
    delivery.deliver(desk.pk)
    message.refresh_from_db()
    assert message.state == DeliveryState.FAILED
    attempts = message.attempts
    messages.retry(message, by=sana)
    message.refresh_from_db()
    assert (message.attempts, message.trying_since) == (attempts, None)


def test_a_message_that_stops_its_worker_is_set_aside(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="one")
    for _death in range(delivery.MOST_LOST_LEASES):
        assert delivery.claim(desk) == message
        Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        assert delivery.recover() == 1
    message.refresh_from_db()
    assert message.state == DeliveryState.FAILED


def test_one_bounced_recipient_fails_nobody_else(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    cc = [{"name": "", "address": "bilal@example.com"}]
    message = reply.reply(ticket, by=sana, text="one", cc=cc)
    delivery.deliver(desk.pk)
    report = DeliveryUpdate(message.external_id, "failed", error="no such mailbox", recipients=("Bilal@example.com",))
    assert messages.delivery_update(desk, report)
    message.refresh_from_db()
    ticket.refresh_from_db()
    assert (message.state, message.error, ticket.delivery_failed) == ("sent", "no such mailbox", True)


def test_a_report_on_another_channel_is_not_ours(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    message = reply.reply(ticket, by=sana, text="one")
    delivery.deliver(desk.pk)
    other = Channel.objects.create(kind="paper", name="Other", slug="other")
    assert not messages.delivery_update(other, DeliveryUpdate(message.external_id, "read"))


def test_a_paused_channel_stops_at_once(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    reply.reply(ticket, by=sana, text="one")
    Channel.objects.update(paused=True)
    assert delivery.claim(desk) is None


def test_one_run_sends_all_that_waits_in_one_ticket_in_order(ticket: Ticket, desk: Channel, sana: Agent) -> None:
    written = [reply.reply(ticket, by=sana, text=text).pk for text in ("one", "two", "three")]
    assert delivery.deliver(desk.pk) == 3
    assert Paper.sent == written
    assert Message.objects.filter(pk__in=written, state="sent", sent_at__isnull=False).count() == 3
    assert Event.objects.filter(kind="message_sent").count() == 3


def test_the_log_says_when_a_channel_begins_to_fail_and_when_it_is_well(
    ticket: Ticket, desk: Channel, sana: Agent
) -> None:
    def said() -> list[tuple[str, Any]]:
        return list(Event.objects.filter(ticket=None).order_by("pk").values_list("kind", "data"))

    message = reply.reply(ticket, by=sana, text="On its way")
    Paper.away = True
    for _twice in range(2):
        Channel.objects.update(next_send_at=timezone.now())
        delivery.deliver(desk.pk)
        later(message)
    failing = ("channel_failing", {"channel": desk.pk, "direction": "out"})
    assert said() == [failing]
    Paper.away = False
    Channel.objects.update(next_send_at=timezone.now())
    assert delivery.deliver(desk.pk) == 1
    reply.reply(ticket, by=sana, text="More")
    delivery.deliver(desk.pk)
    assert said() == [failing, ("channel_recovered", {"channel": desk.pk, "direction": "out"})]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        DeliveryError("busy", permanent=False),
        DeliveryError("no", permanent=True),
        Sent(rejected={"ayesha@example.com": "550 who is Ayesha?"}),
    ],
)
def test_what_is_being_sent_while_its_customer_is_erased_is_never_sent_again(
    ticket: Ticket, desk: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    message = reply.reply(ticket, by=sana, text="On its way")
    Paper.answers[:] = [answer] if isinstance(answer, Exception) else []
    real = Paper.send

    def send(paper: Paper, sent: Message, connection: Any) -> Any:
        erasing.erase(ticket.customer, by=sana)
        done = real(paper, sent, connection)
        return answer if isinstance(answer, Sent) else done

    monkeypatch.setattr(Paper, "send", send)
    delivery.deliver(desk.pk)
    message.refresh_from_db()
    failed = isinstance(answer, Exception)
    assert (message.state, message.text, message.error) == ("unknown" if failed else "sent", "", "")
    with pytest.raises(ActionError):
        messages.retry(message, by=sana) if failed else messages.move(message, to=None, by=sana)
    assert (delivery.recover(), delivery.deliver(desk.pk)) == (0, 0)
