"""Who is told of what, on which way, and that nobody is told of what they may not see."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core import mail
from django.test import Client
from django.utils import timezone
from py_vapid import Vapid02
from pytest_django import DjangoAssertNumQueries

from inbox import digest, log, notify, presence, previews, push
from inbox.actions import attention, notifications, reply, sweeping, tickets
from inbox.models import (
    Agent,
    Channel,
    Cursor,
    Event,
    Message,
    Notification,
    PushSubscription,
    Team,
    Ticket,
    TicketFollower,
)
from tests.cast import AYESHA, HELD_UP, question

pytestmark = pytest.mark.django_db


def told(agent: Agent) -> list[str]:
    return list(Notification.objects.filter(agent=agent).order_by("pk").values_list("kind", flat=True))


def read_log() -> None:
    notify.tell(list(Event.objects.order_by("pk")))


def test_a_ticket_given_to_somebody_tells_them_and_no_taker(support: Channel, sana: Agent, omar: Agent) -> None:
    ticket = question(support, "Where?")
    tickets.assign(ticket, by=omar, agent=sana)
    tickets.assign(ticket, by=omar, agent=omar)
    read_log()
    read_log()  # the log read again
    assert (told(sana), told(omar)) == (["assigned"], [])
    (row,) = notify.shown(sana)
    assert row.title == "Omar gave you a ticket"  # type: ignore[attr-defined]


def test_answers_tell_whose_ticket_it_is_and_who_follows(
    support: Channel, sana: Agent, omar: Agent, bilal: Agent
) -> None:
    ticket = question(support, "Where?")
    tickets.assign(ticket, by=sana, agent=sana)
    for one in (omar, bilal):  # Bilal lost the sight of it
        TicketFollower.objects.create(agent=one, ticket=ticket)
    ticket.refresh_from_db()
    tickets.inbound_by_hand(ticket, AYESHA, by=None, text="And?", html="", subject="")
    reply.note(ticket, by=sana, text="Looking.")
    read_log()
    assert told(sana)[-1:] == ["reply"]
    assert set(told(omar)) == {"followed"}
    assert told(bilal) == []


def test_a_mention_is_one_however_many_reasons_there_are(support: Channel, sana: Agent, omar: Agent) -> None:
    ticket = question(support, "Where?")
    TicketFollower.objects.create(agent=omar, ticket=ticket)
    note = reply.note(ticket, by=sana, text="@Omar look")
    read_log()
    assert told(omar).count("mention") == 1
    assert Notification.objects.filter(agent=omar, message=note).count() == 1


def test_what_was_not_delivered_tells_its_writer(support: Channel, sana: Agent) -> None:
    ticket = question(support, "Where?")
    message = reply.reply(ticket, by=sana, text="Thursday.")
    log.record(ticket, "message_failed", message=message.pk)
    read_log()
    assert told(sana) == ["failed"]


def test_back_from_snooze_tells_who_put_it_away(support: Channel, sana: Agent, omar: Agent) -> None:
    ticket = question(support, "Where?")
    tickets.assign(ticket, by=sana, agent=omar)
    tickets.snooze(ticket, timezone.now() + timedelta(hours=1), by=sana)
    Ticket.objects.update(snoozed_until=timezone.now() - timedelta(seconds=1))
    sweeping.end_snoozes()
    read_log()
    assert "snooze" in told(sana) and "snooze" not in told(omar)


def test_spam_old_events_and_the_switched_off_are_silent(support: Channel, sana: Agent, omar: Agent) -> None:
    spam, old = question(support, "Where?"), question(support, "Where?")
    tickets.assign(spam, by=omar, agent=sana)
    tickets.set_spam(spam, True, by=omar)
    tickets.assign(old, by=omar, agent=sana)
    Event.objects.filter(ticket=old).update(at=timezone.now() - timedelta(days=2))
    read_log()
    assert told(sana) == []
    tickets.assign(question(support, "Where?"), by=sana, agent=omar)
    Agent.objects.filter(pk=omar.pk).update(is_active=False)
    read_log()
    assert told(omar) == []


def test_choices_are_kept_and_obeyed(support: Channel, sana: Agent, omar: Agent, team: Team) -> None:
    notifications.choose(
        sana, {"assigned": ["mail"], "team": ["page"], "reply": ["page", "push"], "x": ["page"]}, "daily"
    )
    sana.refresh_from_db()
    assert sana.notify == {"assigned": ["mail"], "team": ["page"], "digest": "daily"}
    tickets.assign(question(support, "Where?"), by=omar, agent=sana)
    tickets.assign(question(support, "Another"), by=omar, team=None)
    tickets.assign(question(support, "A third"), by=omar, team=team)
    read_log()
    rows = {row.kind: row for row in Notification.objects.filter(agent=sana)}
    assert rows["assigned"].read_at is not None and rows["assigned"].mail_due and not rows["assigned"].push_due
    odd: list[Any] = [None, 7, "page", {"assigned": "page"}, {"assigned": [["page"]]}, []]
    for hostile in odd:
        sana.notify = hostile
        assert notify.ways(sana, "assigned") in {notify.DEFAULTS["assigned"], ()}


def test_a_batch_costs_the_same_queries(
    support: Channel, sana: Agent, omar: Agent, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(12):
        tickets.assign(question(support, f"Number {number}"), by=omar, agent=sana)
    events = list(Event.objects.order_by("pk"))
    with django_assert_max_num_queries(14):
        notify.tell(events)
    assert len(told(sana)) == 12


@pytest.mark.django_db(transaction=True)
def test_the_log_is_followed_and_pages_hear_of_it(
    support: Channel, sana: Agent, omar: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    hints: list[tuple[list[int], dict[str, Any]]] = []
    monkeypatch.setattr("inbox.live.hint", lambda agents, **frame: hints.append((list(agents), frame)))
    tickets.assign(question(support, "Where?"), by=omar, agent=sana)
    until = time.monotonic() + HELD_UP
    while not hints and time.monotonic() < until:  # a transaction in any database of the server holds readers up
        if not log.follow("notify", notify.tell):
            time.sleep(0.05)
    assert Cursor.objects.get(name="notify").error == ""
    assert hints == [([sana.pk], {"notifications": 1})]
    assert notifications.mark_read(sana) == 1
    assert hints[-1] == ([sana.pk], {"notifications": 0})


def test_whoever_looks_at_a_ticket_needs_not_be_told(support: Channel, sana: Agent, omar: Agent) -> None:
    ticket, other = question(support, "Where?"), question(support, "Another")
    for one in (ticket, other):
        tickets.assign(one, by=omar, agent=sana)
    read_log()
    attention.see({(sana.pk, ticket.pk): None})
    assert list(Notification.objects.filter(read_at__isnull=True).values_list("ticket_id", flat=True)) == [other.pk]
    assert notify.unread(sana) == 1


# In the browser ------------------------------------------------------------------------------------------------------


@dataclass
class Service:
    """A push service (RFC 8030) for one browser, that opens what it is given."""

    url: str = ""
    status: int = 201
    seen: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    secret: bytes = b"0123456789abcdef"
    endless: bool = False  # its answer has no end
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def p256dh(self) -> str:
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return base64.urlsafe_b64encode(point).decode().rstrip("=")

    @property
    def auth(self) -> str:
        return base64.urlsafe_b64encode(self.secret).decode().rstrip("=")


@pytest.fixture
def service() -> Iterator[Service]:
    known = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            plain = http_ece.decrypt(body, private_key=known.key, auth_secret=known.secret, version="aes128gcm")
            known.seen.append(json.loads(plain))
            known.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(known.status)
            self.end_headers()
            while known.endless and not known.stopped.wait(0.02):
                with suppress(OSError):  # nobody listens any more
                    self.wfile.write(b"x")

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    known.url = f"http://127.0.0.1:{server.server_port}/push/1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield known
    known.stopped.set()
    server.shutdown()
    server.server_close()


def allow(agent: Agent, service: Service) -> PushSubscription:
    return notifications.subscribe(agent, service.url, service.p256dh, service.auth, agent.language)


def test_a_push_is_encrypted_for_its_browser_and_signed_by_us(
    support: Channel, sana: Agent, omar: Agent, bilal: Agent, service: Service
) -> None:
    allow(sana, service)
    ticket = question(support, "Where is my parcel?")
    tickets.assign(ticket, by=omar, agent=sana)
    read_log()
    assert push.send_due() == 1 and push.send_due() == 0
    (told,) = service.seen
    assert told["title"] == "Omar gave you a ticket"
    assert told["url"] == f"/tickets/{ticket.pk}/" and "Where is my parcel?" in told["body"]
    headers = service.headers[0]
    assert headers["content-encoding"] == "aes128gcm" and headers["ttl"] == str(push.TTL)
    kept = Vapid02.verify(headers["authorization"])
    assert kept
    row = Notification.objects.get(agent=sana, kind="assigned")
    row.ticket.subject = previews.DELETED_COMMENT  # as it is called after its comment was taken back
    assert push.message(row, sana, "")["body"] == f"#{ticket.pk} Deleted comment"
    assert push.message(row, sana, "ur")["body"] == f"#{ticket.pk} حذف شدہ تبصرہ"


def test_nothing_is_told_who_lost_sight_or_has_no_second_factor(
    support: Channel, sana: Agent, omar: Agent, team: Team, service: Service, settings: Any
) -> None:
    allow(sana, service)
    for _ in range(2):
        tickets.assign(question(support, "Where is my parcel?"), by=omar, agent=sana)
    read_log()
    Notification.objects.update(mail_due=True, created_at=timezone.now() - timedelta(minutes=30))
    sana.notify = {"digest": "quick"}
    sana.save()
    assert notify.unread(sana) == 2
    settings.REQUIRE_MFA = "all"
    push.send_due()
    assert digest.send_due() == 0 and not service.seen and not mail.outbox
    team.members.remove(sana)
    Ticket.objects.update(assignee=omar)
    assert notify.unread(Agent.objects.get(pk=sana.pk)) == 0


def test_a_test_of_pushes_ends_in_time(sana: Agent, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(sana, service)
    PushSubscription.objects.create(agent=sana, endpoint=f"{service.url}/2", p256dh=service.p256dh, auth="x" * 22)
    monkeypatch.setattr(push, "SECONDS", 0.3)
    service.endless = True
    push.test(sana)
    assert len(service.seen) == 1, "one that hangs takes all the time there is"


def test_no_push_for_what_was_read_is_old_or_out_of_sight(
    support: Channel, sana: Agent, omar: Agent, team: Team, service: Service
) -> None:
    allow(sana, service)
    tickets.assign(question(support, "Read"), by=omar, agent=sana)
    read_log()
    notifications.mark_read(sana)
    tickets.assign(question(support, "Old"), by=omar, agent=sana)
    read_log()
    Notification.objects.filter(push_due=True).update(created_at=timezone.now() - timedelta(hours=3))
    push.send_due()
    hidden = question(support, "Hidden")
    tickets.assign(hidden, by=omar, agent=sana)
    read_log()
    Ticket.objects.filter(pk=hidden.pk).update(assignee=None)
    team.members.remove(sana)
    push.send_due()
    assert service.seen == []


def test_a_browser_that_is_gone_is_forgotten_and_a_sick_service_is_not(
    support: Channel, sana: Agent, service: Service
) -> None:
    row = allow(sana, service)
    service.status = 503
    assert push.test(sana) == 0
    row.refresh_from_db()
    assert row.failures == 1
    service.status = 201
    assert push.test(sana) == 1
    row.refresh_from_db()
    assert row.failures == 0 and row.used_at is not None
    service.status = 410
    assert push.test(sana) == 0
    assert not PushSubscription.objects.exists()


def test_an_answer_without_end_is_cut_off(sana: Agent, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    allow(sana, service)
    monkeypatch.setattr(push, "SECONDS", 0.3)
    service.endless = True
    began = time.monotonic()
    push.test(sana)
    assert time.monotonic() - began < 5  # without that, as long as the service likes


def test_only_push_services_are_asked(sana: Agent, omar: Agent, service: Service, settings: Any) -> None:
    allow(omar, service)
    allow(sana, service)  # another agent logs in in the same browser
    assert PushSubscription.objects.get().agent == sana
    settings.ALLOW_PRIVATE_NETWORKS = False
    client = Client()
    client.force_login(sana)
    fields = {"endpoint": "http://10.0.0.1/x", "p256dh": service.p256dh, "auth": service.auth}
    public = {**fields, "endpoint": "https://push.example/x"}
    posts = [fields, {**public, "auth": "<>"}, public]
    assert [client.post("/notifications/browser/", one).status_code for one in posts] == [400, 400, 201]
    assert push.test(sana) == 0  # neither is reached: private, and no such name
    assert client.post("/notifications/browser/", {**public, "forget": "yes"}).status_code == 204
    assert push.public_key() == push.public_key() and len(push.public_key()) == 87


# By e-mail -----------------------------------------------------------------------------------------------------------


def test_one_mail_for_all_that_waits_and_none_for_what_was_read(
    support: Channel, sana: Agent, omar: Agent, settings: Any, mailoutbox: list[mail.EmailMessage]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for subject in ("One", "Two", "Read"):
        tickets.assign(question(support, subject), by=omar, agent=sana)
    read_log()
    notifications.mark_read(sana, ticket=Ticket.objects.get(subject="Read").pk)
    assert digest.send_due() == 0  # not yet
    Notification.objects.update(created_at=timezone.now() - timedelta(hours=2))
    assert digest.send_due() == 1 and digest.send_due() == 0
    (letter,) = mailoutbox
    assert letter.to == [sana.email]
    assert "2 things" in letter.subject
    assert "One" in letter.body and "Two" in letter.body and "Read" not in letter.body


@pytest.mark.parametrize(
    ("oldest", "now", "due"),
    [
        ("2026-03-28T20:00", "2026-03-29T01:00", False),  # the night that clocks go forward in Berlin
        ("2026-03-28T20:00", "2026-03-29T06:01", True),  # eight there
        ("2026-03-29T06:30", "2026-03-29T20:00", False),
        ("2026-03-29T06:30", "2026-03-30T06:00", True),
    ],
)
def test_a_daily_mail_comes_in_the_morning_of_its_reader(oldest: str, now: str, due: bool, sana: Agent) -> None:
    sana.notify, sana.time_zone = {"digest": "daily"}, "Europe/Berlin"
    at = [datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (oldest, now)]
    assert digest.is_due(sana, at[0], at[1]) is due


# Pages ---------------------------------------------------------------------------------------------------------------


def test_the_pages_show_ones_own_and_no_more(support: Channel, sana: Agent, omar: Agent, bilal: Agent) -> None:
    tickets.assign(question(support, "A <b>bold</b> one"), by=omar, agent=sana)
    read_log()
    (row,) = Notification.objects.filter(agent=sana)
    mine, others = Client(), Client()
    mine.force_login(sana)
    others.force_login(bilal)
    assert "A &lt;b&gt;bold" in mine.get("/notifications/").content.decode()
    assert "bold" not in others.get("/notifications/").content.decode()
    others.post("/notifications/read/", {"only": row.pk})
    row.refresh_from_db()
    assert row.read_at is None
    assert ">1<" in mine.get("/notifications/bell/").content.decode()
    assert "bold" in mine.get("/notifications/bell/", {"after": row.pk - 1}).content.decode()
    mine.post("/notifications/read/", {"only": row.pk})
    row.refresh_from_db()
    assert row.read_at is not None
    assert mine.post("/notifications/read/", {"only": "9" * 30}).status_code == 400
    assert mine.get("/notifications/", {"before": "x"}).status_code == 200
    page = mine.post("/settings/notifications/", {"way-assigned": ["mail"], "digest": "never"}, follow=True)
    sana.refresh_from_db()
    assert page.status_code == 200 and notify.ways(sana, "assigned") == ("mail",) and digest.often(sana) == "hourly"
    subscription = PushSubscription.objects.create(agent=sana, endpoint="https://push.example/1", p256dh="x", auth="y")
    others.post(f"/settings/notifications/{subscription.pk}/")
    assert PushSubscription.objects.filter(pk=subscription.pk).exists()
    assert "addEventListener" in Client().get("/sw.js").content.decode()
    assert Message.objects.count() == 1


def test_whoever_has_it_before_their_eyes_is_left_in_peace(
    support: Channel, sana: Agent, omar: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that shows several tickets, such as the desk of chats, says which; not while its agent is away."""
    shown, other = question(support, "Where?"), question(support, "And that?")
    for one in (shown, other):
        tickets.assign(one, by=sana, agent=sana)
        TicketFollower.objects.create(agent=omar, ticket=one)
    before = Event.objects.order_by("-pk")[0].pk
    for one in (shown, other):
        one.refresh_from_db()
        tickets.inbound_by_hand(one, AYESHA, by=None, text="And?", html="", subject="")
    state = presence.State()
    state.add(sana.pk, away=False, ticket=None, doing="", before={shown.pk})
    state.add(omar.pk, away=True, ticket=shown.pk, doing="view", before={other.pk})
    monkeypatch.setattr(presence, "now", lambda: presence.State.unpacked(state.packed()))
    notify.tell(list(Event.objects.filter(pk__gt=before)))
    rows = {(one.agent_id, one.ticket_id): one for one in Notification.objects.all()}
    assert {key for key, one in rows.items() if one.read_at is None} == {
        (sana.pk, other.pk),
        (omar.pk, shown.pk),
        (omar.pk, other.pk),
    }
    silent = rows[sana.pk, shown.pk]
    assert (silent.kind, silent.push_due, silent.mail_due) == ("reply", False, False)
    assert rows[sana.pk, other.pk].push_due
