"""Receivers as they are: slow, rude, broken, gone. None of them holds up another one, and nothing is lost."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from api.actions import webhooks
from api.models import Webhook, WebhookDelivery, new_message_id
from api.webhooks import delivery, payload, sending
from inbox import health
from inbox.actions import tickets
from inbox.models import Agent, Ticket
from lib import http
from tests.api.webhooks.conftest import Hook, deliver, follow
from tests.cast import question
from tests.clock import Decision
from tests.servers.receiver import Came, Receiver


def verified(came: Came, secret: str) -> Any:
    """The body, if the public library takes the signature."""
    return Verifier(secret).verify(came.body, {name.lower(): value for name, value in came.headers.items()})


def one(hook: Webhook, by: Agent) -> WebhookDelivery:
    """Send a test through the pump; returns its delivery."""
    row = webhooks.test(hook, by=by)
    delivery.run()
    row.refresh_from_db()
    return row


def again(row: WebhookDelivery) -> WebhookDelivery:
    """As if the time of the next attempt had come."""
    WebhookDelivery.objects.filter(pk=row.pk).update(next_attempt_at=timezone.now())
    Webhook.objects.update(held_until=None)
    delivery.run()
    row.refresh_from_db()
    return row


def test_signatures_verify_with_the_public_library(zoya: Agent, receiver: Receiver) -> None:
    hook, secret = webhooks.create(by=zoya, name="x", url=receiver.url(), events=["*"])
    row = one(hook, zoya)
    (came,) = receiver.came
    assert verified(came, secret) == json.loads(came.body)
    assert came.headers["webhook-id"] == row.message_id
    assert re.fullmatch(r"msg_[0-9a-f]{32}", row.message_id)
    assert came.headers["Content-Type"].startswith("application/json")
    assert row.headers["webhook-signature"] == came.headers["webhook-signature"]
    came.body += " "
    with pytest.raises(WebhookVerificationError):
        verified(came, secret)
    with pytest.raises(WebhookVerificationError):
        verified(receiver.came[0], "whsec_" + "A" * 43)
    assert secret not in str(Webhook.objects.values())


def test_both_secrets_sign_for_a_day_after_a_rotation(zoya: Agent, receiver: Receiver) -> None:
    hook, first = webhooks.create(by=zoya, name="x", url=receiver.url(), events=["*"])
    second = webhooks.rotate(hook, by=zoya)
    one(hook, zoya)
    came = receiver.came[-1]
    assert len(came.headers["webhook-signature"].split(" ")) == 2
    assert verified(came, first) == verified(came, second)
    third = webhooks.rotate(hook, by=zoya)
    one(hook, zoya)
    with pytest.raises(WebhookVerificationError):
        verified(receiver.came[-1], first)
    assert verified(receiver.came[-1], second) == verified(receiver.came[-1], third)
    hook.refresh_from_db()
    assert hook.secrets_at(timezone.now() + timedelta(hours=23)) == [third, second]
    assert hook.secrets_at(timezone.now() + timedelta(hours=25)) == [third]


def test_a_failure_is_told_in_words_and_tried_again_under_the_same_id(
    hook: Hook, receiver: Receiver, zoya: Agent
) -> None:
    made = hook("/status/500")
    with Decision() as decision:
        row = one(made, zoya)
    assert (row.state, row.status, row.error, row.attempts) == ("queued", 500, "It answered 500.", 1)
    assert row.response.startswith("\N{REPLACEMENT CHARACTER}no")
    assert len(row.response) <= 1024
    assert decision.puts_off(row.next_attempt_at, 4, 6)
    made.refresh_from_db()
    assert (made.failures, made.last_error) == (1, "It answered 500.")
    Webhook.objects.update(url=receiver.url("/ok"))
    row = again(row)
    assert (row.state, row.error, row.status) == ("delivered", "", 200)
    first, second = receiver.came
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    made.refresh_from_db()
    assert (made.failures, made.failing_since, made.last_error) == (0, None, "")


def test_the_schedule_then_it_is_given_up(hook: Hook, receiver: Receiver, zoya: Agent) -> None:
    row = webhooks.test(hook("/status/404"), by=zoya)
    for middle in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400):
        with Decision() as decision:
            row = again(row)
        assert decision.puts_off(row.next_attempt_at, middle * 0.8, middle * 1.2)
    row = again(row)
    assert (row.state, row.attempts) == ("failed", 10)
    assert len(receiver.came) == 10
    assert len({came.headers["webhook-id"] for came in receiver.came}) == 1
    webhooks.redeliver(row, by=zoya)
    again(row)
    assert (row.attempts, len(receiver.came)) == (1, 11)


@pytest.mark.parametrize(("path", "seconds"), [("/late/429?120", 120), ("/late/503?90", 90), ("/late/500?90", 5)])
def test_retry_after_is_obeyed(hook: Hook, receiver: Receiver, zoya: Agent, path: str, seconds: int) -> None:
    made = hook(path)
    with Decision() as decision:
        row = one(made, zoya)
    assert decision.puts_off(row.next_attempt_at, seconds * 0.8, seconds * 1.2)
    webhooks.test(made, by=zoya)
    delivery.run()  # nor does anything else go there before
    assert len(receiver.came) == (2 if seconds == 5 else 1)


def test_retry_after_in_all_its_forms() -> None:
    soon = (timezone.now() + timedelta(seconds=100)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert http.retry_after("120") == 120
    assert 95 < http.retry_after(soon) <= 100
    assert http.retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert http.retry_after("9" * 50) == http.LONGEST_WAIT
    for nonsense in ("", "soon", "-5", "1.5", "٣", "\0", "Wed, 99 Foo 2015"):
        assert http.retry_after(nonsense) == 0


def test_gone_turns_it_off_at_once(hook: Hook, receiver: Receiver, zoya: Agent) -> None:
    made = hook("/status/410")
    row = one(made, zoya)
    made.refresh_from_db()
    assert (row.state, made.active, made.disabled_reason) == ("failed", False, "gone")
    assert any("410" in line for line in health.problems(zoya))
    delivery.run()
    assert len(receiver.came) == 1


def test_five_days_of_failure_turn_it_off_with_a_notice(hook: Hook, zoya: Agent, sana: Agent) -> None:
    made = hook("/status/500")
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=4, hours=23))
    one(made, zoya)
    made.refresh_from_db()
    assert made.active
    assert any("fails" in line for line in health.problems(zoya))
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=5))
    one(made, zoya)
    made.refresh_from_db()
    assert (made.active, made.disabled_reason) == (False, "failing")
    assert any("five days" in line for line in health.problems(zoya))
    assert not any("To /status" in line for line in health.problems(sana))
    webhooks.switch(made, False, by=zoya)  # read and understood
    assert not any("To /status" in line for line in health.problems(zoya))


def test_a_redirect_is_a_failure_and_leads_nowhere(hook: Hook, zoya: Agent) -> None:
    row = one(hook("/redirect"), zoya)
    assert (row.state, row.status) == ("queued", 302)
    assert "http://10.0.0.1/inside" in row.error
    assert "final address" in row.error


def test_gigabytes_are_not_read(hook: Hook, receiver: Receiver, zoya: Agent) -> None:
    row = one(hook("/flood"), zoya)
    assert (row.state, len(row.response)) == ("delivered", 1024)
    assert (row.duration_ms or 0) < 5000
    assert receiver.sent < 64 * 1024**2


def test_half_an_answer_is_an_answer(hook: Hook, zoya: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    row = one(hook("/hang"), zoya)
    assert (row.state, row.status, row.response) == ("delivered", 200, "half of it")


def test_an_answer_in_chunks(hook: Hook, zoya: Agent) -> None:
    assert one(hook("/chunks"), zoya).response == "thanks"


def test_silence_is_a_failure(hook: Hook, zoya: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_SECONDS", 0.3)
    row = one(hook("/sleep"), zoya)
    assert (row.state, row.status) == ("queued", None)
    assert "did not answer within" in row.error


def test_a_byte_now_and_then_does_not_hold_us(hook: Hook, zoya: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes well within the socket's time-out; the whole does not."""
    monkeypatch.setattr(sending, "MOST_SECONDS", 0.6)
    began = time.monotonic()
    row = one(hook("/drip"), zoya)
    assert time.monotonic() - began < 5
    assert row.state == "queued"
    assert "did not finish" in row.error


def test_a_slammed_door(hook: Hook, zoya: Agent) -> None:
    row = one(hook("/close"), zoya)
    assert row.error == "127.0.0.1 closed the connection without an answer."


def test_nobody_there(hook: Hook, zoya: Agent) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        row = one(hook("/", url=f"http://127.0.0.1:{taken.getsockname()[1]}/"), zoya)
    assert row.error == "127.0.0.1 refused the connection."
    row = one(hook("/", url="http://nobody.invalid/"), zoya)
    assert row.error == "There is no host called nobody.invalid."


def test_no_tls_where_it_should_be(hook: Hook, receiver: Receiver, zoya: Agent) -> None:
    row = one(hook("/", url=receiver.url().replace("http:", "https:")), zoya)
    assert row.error.startswith("There is no safe connection to 127.0.0.1")


@pytest.mark.parametrize("url", ["https://127.0.0.1:{port}/ok", "https://localhost:{port}/ok", "https://[::1]:{port}/"])
def test_private_networks_are_refused(hook: Hook, receiver: Receiver, zoya: Agent, settings: Any, url: str) -> None:
    made = hook("/", url=url.format(port=receiver.port))
    settings.ALLOW_PRIVATE_NETWORKS = False
    row = one(made, zoya)
    assert (row.state, row.status) == ("queued", None)
    assert "is in a private network" in row.error
    assert not receiver.came


def test_http_is_refused_outside(hook: Hook, receiver: Receiver, zoya: Agent, settings: Any) -> None:
    made = hook("/ok")
    settings.ALLOW_PRIVATE_NETWORKS = False
    assert "https://" in one(made, zoya).error
    assert not receiver.came


def test_a_second_answer_of_the_dns_leads_nowhere(
    hook: Hook, receiver: Receiver, zoya: Agent, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that is public when it is checked and private when it is connected to: there is but one look-up."""
    made = hook("/", url=f"https://rebind.example:{receiver.port}/ok")
    settings.ALLOW_PRIVATE_NETWORKS = False
    real, answers = socket.getaddrinfo, iter(["8.8.8.8", "127.0.0.1", "127.0.0.1"])
    looked_up = []

    def rebinding(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if host != "rebind.example":
            return real(host, port, *args, **kwargs)
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    connected = []

    def refuse(address: Any, *args: Any, **kwargs: Any) -> Any:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket, "create_connection", refuse)
    row = one(made, zoya)
    assert (looked_up, connected) == (["rebind.example"], ["8.8.8.8"])
    assert "refused the connection" in row.error
    row = again(row)  # now it says that it is inside
    assert "is in a private network" in row.error
    assert connected == ["8.8.8.8"]
    assert not receiver.came


def test_a_sleeper_delays_nobody(hook: Hook, receiver: Receiver, zoya: Agent) -> None:
    """Sleepers with long queues, and one that is quick: its deliveries arrive while the others sleep."""
    sleepers = [hook("/sleep") for _one in range(5)]
    quick = hook("/ok")
    for made in sleepers:
        for _number in range(20):
            webhooks.test(made, by=zoya)
    for _number in range(60):
        webhooks.test(quick, by=zoya)
    at_once: Counter[str] = Counter()

    def watch() -> None:
        deadline = time.monotonic() + 20
        while len(receiver.at("/ok")) < 60 and time.monotonic() < deadline:
            time.sleep(0.01)
        at_once["ok"] = len(receiver.at("/ok"))
        at_once["sleep"] = len(receiver.at("/sleep"))
        receiver.release.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    delivery.run()
    watcher.join()
    assert at_once["ok"] == 60, "all that was for the quick one came while the others slept"
    assert at_once["sleep"] == 5 * delivery.IN_FLIGHT
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_one_that_fails_gets_one_request_at_a_time(hook: Hook, zoya: Agent) -> None:
    well, ill = hook("/ok"), hook("/ok/ill")
    Webhook.objects.filter(pk=ill.pk).update(failing_since=timezone.now())
    for made in (well, ill):
        for _number in range(10):
            webhooks.test(made, by=zoya)
    claimed = Counter(row.webhook_id for row in delivery.claim(48))
    assert claimed == {well.pk: delivery.IN_FLIGHT, ill.pk: delivery.FAILING_IN_FLIGHT}
    assert delivery.claim(48) == []


def test_everybody_gets_a_turn_when_there_is_little_room(hook: Hook, zoya: Agent) -> None:
    first, second = hook("/ok"), hook("/ok")
    for made in (first, second):
        for _number in range(4):
            webhooks.test(made, by=zoya)
    assert Counter(row.webhook_id for row in delivery.claim(2)) == {first.pk: 1, second.pk: 1}


def test_a_fault_of_ours_fails_alone(
    hook: Hook, receiver: Receiver, ticket: Ticket, zoya: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook("/ok", "ticket.updated")
    for priority in ("high", "low"):
        tickets.set_priority(ticket, priority, by=zoya)
    broken = follow()[0]
    real = payload.Shown.payload

    def faulty(self: Any, kind: str, event: Any) -> Any:
        return 1 / 0 if event.pk == broken.event_id else real(self, kind, event)

    monkeypatch.setattr(payload.Shown, "payload", faulty)
    delivery.run()
    states = dict(WebhookDelivery.objects.values_list("pk", "state"))
    assert Counter(states.values()) == {"failed": 1, "delivered": 1}
    broken.refresh_from_db()
    assert "ZeroDivisionError" in broken.error


def test_what_a_dead_worker_held_is_sent_again_under_the_same_id(hook: Hook, receiver: Receiver, zoya: Agent) -> None:
    row = webhooks.test(hook("/ok"), by=zoya)
    (claimed,) = delivery.claim(5)
    ((_row, request),) = delivery.prepare([claimed])
    answer = sending.send(request)  # it arrived, and then the worker died
    delivery.run()
    assert len(receiver.came) == 1
    WebhookDelivery.objects.update(lease_until=timezone.now())
    delivery.run()
    assert [came.headers["webhook-id"] for came in receiver.came] == [row.message_id] * 2
    assert receiver.came[0].body == receiver.came[1].body
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("delivered", 2)
    assert delivery.settle(claimed, answer) == 0  # the dead one's late word changes nothing
    row.refresh_from_db()
    assert row.attempts == 2


def test_leases_are_renewed_while_a_receiver_dawdles(
    hook: Hook, receiver: Receiver, zoya: Agent, settings: Any
) -> None:
    settings.DELIVERY_LEASE_SECONDS = 1
    row = webhooks.test(hook("/sleep"), by=zoya)
    threading.Timer(2.5, receiver.release.set).start()
    delivery.run()
    row.refresh_from_db()
    assert (row.state, row.attempts, len(receiver.came)) == ("delivered", 1, 1)


@pytest.mark.django_db(transaction=True)
def test_one_pump_at_a_time(hook: Hook, receiver: Receiver, zoya: Agent) -> None:
    webhooks.test(hook("/sleep"), by=zoya)

    def pump() -> None:
        delivery.run()
        connection.close()

    first = threading.Thread(target=pump)
    first.start()
    deadline = time.monotonic() + 10
    while not receiver.came and time.monotonic() < deadline:
        time.sleep(0.01)
    webhooks.test(Webhook.objects.get(), by=zoya)
    began = time.monotonic()
    assert delivery.run() == 0
    assert time.monotonic() - began < 2
    while len(receiver.came) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(receiver.came) == 2, "the one that runs takes the new one along"
    receiver.release.set()
    first.join()
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_queries_do_not_grow_with_what_is_told(
    hook: Hook, ticket: Ticket, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook("/ok", "ticket.updated", "message.received")
    monkeypatch.setattr(delivery, "IN_FLIGHT", 100)
    counts = []
    for amount in (2, 20):
        for number in range(amount):
            tickets.set_priority(ticket, ("high", "low")[number % 2], by=sana)
            question(ticket.channel, f"Again {amount} {number}")
        follow()
        claimed = delivery.claim(100)
        assert len(claimed) == amount * 2
        with CaptureQueriesContext(connection) as queries:
            delivery.prepare(claimed)
        counts.append(len(queries))
        WebhookDelivery.objects.update(state="delivered")
    assert counts[0] == counts[1] <= 20


def test_old_deliveries_are_forgotten(hook: Hook, zoya: Agent, settings: Any) -> None:
    settings.WEBHOOK_DAYS = 7
    made = hook("/ok")
    old, new = webhooks.test(made, by=zoya), webhooks.test(made, by=zoya)
    WebhookDelivery.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=8))
    assert delivery.prune() == 1
    assert WebhookDelivery.objects.get().pk == new.pk


def test_the_claim_walks_along_its_index(hook: Hook, zoya: Agent) -> None:
    made = hook("/ok")
    now = timezone.now()
    WebhookDelivery.objects.bulk_create(
        WebhookDelivery(
            webhook=made,
            kind="ping",
            message_id=new_message_id(),
            state="delivered" if number % 100 else "queued",
        )
        for number in range(5000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE api_webhookdelivery")
        values: dict[str, Any] = {"lease": now, "now": now, "most": 4, "failing": 1, "free": 48}
        cursor.execute("EXPLAIN " + delivery.CLAIM, values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "webhook_delivery_due" in plan, plan
    assert "webhook_delivery_sending" in plan, plan


def test_wake_ups_go_to_a_queue_of_their_own(settings: Any) -> None:
    from config.supervision import procfile

    assert settings.CELERY_TASK_ROUTES["api.tasks.deliver_webhooks"] == {"queue": "webhooks"}
    assert "webhooks}" in procfile()["worker"]
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {"api.tasks.deliver_webhooks", "api.tasks.prune_webhooks"} <= scheduled


@pytest.fixture
def sent_tasks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sent: list[str] = []
    monkeypatch.setattr("inbox.wake._send", lambda task, args, queue: sent.append(f"{task}@{queue}"))
    return sent


def test_the_follower_wakes_the_pump(
    hook: Hook,
    ticket: Ticket,
    zoya: Agent,
    sent_tasks: list[str],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    hook("/ok")
    tickets.set_priority(ticket, "high", by=zoya)
    with django_capture_on_commit_callbacks(execute=True):
        follow()
    assert "api.tasks.deliver_webhooks@webhooks" in sent_tasks


def test_everything_at_once(hook: Hook, receiver: Receiver, ticket: Ticket, zoya: Agent, monkeypatch: Any) -> None:
    """All the bad ones beside a good one: the good one has everything, in one run."""
    monkeypatch.setattr(http, "READ_SECONDS", 0.5)
    monkeypatch.setattr(sending, "MOST_SECONDS", 1.5)
    for path in ("/status/500", "/late/429?60", "/redirect", "/hang", "/flood", "/close", "/drip", "/sleep"):
        hook(path)
    hook("/ok")
    for number in range(6):
        tickets.set_priority(ticket, ("high", "low")[number % 2], by=zoya)
    rows = deliver()
    assert len(rows) == 9 * 6
    assert len(receiver.at("/ok")) == 6
    assert not [row for row in rows if row.state == "sending"]
    assert {row.state for row in rows if row.webhook.name == "To /ok"} == {"delivered"}


def test_a_new_address_or_turning_it_on_tries_what_waits_at_once(hook: Hook, receiver: Receiver, zoya: Agent) -> None:
    made = hook("/late/503?3600")
    row = one(made, zoya)
    assert row.next_attempt_at > timezone.now() + timedelta(minutes=30)
    webhooks.update(made, {"url": receiver.url("/status/500")}, by=zoya)
    delivery.run()
    row.refresh_from_db()
    assert (row.status, row.attempts) == (500, 2)
    webhooks.switch(made, False, by=zoya)
    webhooks.update(made, {"url": receiver.url("/ok"), "active": True}, by=zoya)
    delivery.run()
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("delivered", 3)


def test_a_secret_that_no_key_opens_can_be_replaced(hook: Hook, receiver: Receiver, zoya: Agent) -> None:
    made = hook("/ok")
    row = webhooks.test(made, by=zoya)
    Webhook.objects.update(sealed="gAAAAAB-of-another-installation")
    delivery.run()
    row.refresh_from_db()
    assert row.state == "failed"
    assert "Make a new one" in row.error
    made.refresh_from_db()
    assert made.old_secret_until is None
    secret = webhooks.rotate(made, by=zoya)
    webhooks.redeliver(row, by=zoya)
    delivery.run()
    assert verified(receiver.came[0], secret)["type"] == "ping"


def test_late_deliveries_are_said(hook: Hook, zoya: Agent, sana: Agent) -> None:
    def said(agent: Agent) -> bool:
        return any("queue “webhooks”" in line for line in health.problems(agent))

    made = hook("/ok")
    webhooks.test(made, by=zoya)
    assert not said(zoya)
    WebhookDelivery.objects.update(next_attempt_at=timezone.now() - timedelta(minutes=2))
    assert said(zoya)
    assert not said(sana)
    Webhook.objects.update(held_until=timezone.now())
    assert not said(zoya)  # the receiver asked us to wait


def test_without_an_owner_it_stops(hook: Hook, zoya: Agent) -> None:
    made = hook("/ok")
    Webhook.objects.update(owner=None)
    assert webhooks.stop_unfit() == 1
    webhooks.switch(made, True, by=zoya)
    made.refresh_from_db()
    assert made.owner == zoya
    assert webhooks.stop_unfit() == 0


BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", ["", "It answered 500."])
def test_a_webhook_can_be_deleted_while_an_answer_comes(hook: Hook, zoya: Agent, error: str) -> None:
    """Whoever deletes has locked the webhook and is about to take its deliveries."""
    made = hook("/ok")
    webhooks.test(made, by=zoya)
    Webhook.objects.update(failing_since=timezone.now())
    (claimed,) = delivery.claim(1)
    came: list[int] = []

    def answered() -> None:
        came.append(delivery.settle(claimed, sending.Answer({}, 1, 500 if error else 200, "", error)))
        connection.close()

    thread = threading.Thread(target=answered)
    with transaction.atomic():
        row = Webhook.objects.select_for_update().get(pk=made.pk)
        thread.start()
        deadline = time.monotonic() + 20
        with connection.cursor() as cursor:
            while thread.is_alive() and time.monotonic() < deadline:
                cursor.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees who was there at first
                cursor.execute(BLOCKED)
                if cursor.fetchone()[0]:
                    break
        row.delete()
    thread.join(20)
    assert came == [0]
    assert not WebhookDelivery.objects.exists()
