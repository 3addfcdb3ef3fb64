"""The count of a mailbox finds what we do not have, whoever took it away, and fetches that; it finds nothing else."""

import io
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_email import audit, fetching, tasks, tokens
from channels_email.models import MailboxAudit, MovedMails
from inbox import polling, wake
from inbox.actions import erasing, receive, retrying, sweeping
from inbox.models import Agent, Channel, Customer, Event, Identity, Message, MessageCopy, Receipt
from tests.channels_email.conftest import MakeChannel, imap_settings, mail
from tests.servers.dovecot import Dovecot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


def taken_in(channel: Channel) -> None:
    polling.poll(channel.pk)
    receive.take_in_waiting()


def counted(channel: Channel, *, seconds: float = 60) -> MailboxAudit:
    channel.refresh_from_db()
    row = audit.start(channel, by=None)
    assert audit.run(row.pk, seconds=seconds)
    receive.take_in_waiting()
    row.refresh_from_db()
    return row


def figures(row: MailboxAudit) -> tuple[int, int, int, int]:
    return row.on_server, row.known, row.missing, row.caught_up


@pytest.fixture
def full(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> Channel:
    """A channel with five mails, taken in; the last has no Message-ID."""
    channel = make_channel(**imap_settings(dovecot, mailbox))
    mails = [mail(f"mail {n}", subject=f"matter {n}", message_id=f"<{n}@customer.example>") for n in range(4)]
    nameless = b"\r\n".join(line for line in mail("nameless").split(b"\r\n") if not line.startswith(b"Message-ID"))
    dovecot.append(mailbox, *mails, nameless)
    taken_in(channel)
    assert Message.objects.count() == 5
    return channel


def test_when_nothing_is_missing_nothing_is_done(full: Channel) -> None:
    row = counted(full)
    assert figures(row) == (5, 5, 0, 0)
    assert row.folders == [
        {"name": "INBOX", "on_server": 5, "known": 5, "missing": 0, "caught_up": 0, "error": ""},
    ]
    assert not row.error and not row.running
    assert audit.latest(full) == row
    assert Message.objects.count() == Receipt.objects.count() == 5
    assert not Event.objects.filter(kind="mailbox_caught_up").exists()


@pytest.mark.parametrize("with_receipt", [False, True])
@pytest.mark.parametrize("subject", ["matter 2", "My order"])
def test_a_mail_removed_from_the_database_by_hand_comes_back(full: Channel, with_receipt: bool, subject: str) -> None:
    gone = Message.objects.get(subject=subject)
    receipt, key = gone.receipt, gone.keys.get().key
    gone.delete()
    if with_receipt:
        receipt.delete()
    row = counted(full)
    assert figures(row) == (5, 4, 1, 1)
    back = Message.objects.get(keys__key=key)
    assert (back.subject, back.receipt.state) == (subject, "done")
    assert Message.objects.count() == Receipt.objects.count() == 5
    assert Event.objects.get(kind="mailbox_caught_up").data == {"channel": full.pk, "missing": 1, "caught_up": 1}
    assert figures(counted(full)) == (5, 5, 0, 0)


def test_mails_whose_receipts_were_pruned_are_known_by_themselves(full: Channel) -> None:
    Receipt.objects.update(received_at=timezone.now() - timedelta(days=400))
    assert sweeping.prune() == 5
    assert figures(counted(full)) == (5, 5, 0, 0)
    Message.objects.get(subject="matter 1").delete()
    assert figures(counted(full)) == (5, 4, 1, 1)
    assert Message.objects.count() == 5


def test_who_was_erased_stays_erased(full: Channel) -> None:
    """Their mail still lies on the server; neither the count nor a mailbox that is read anew brings it back."""
    erasing.erase(Customer.objects.get(), by=None)
    assert figures(counted(full)) == (5, 5, 0, 0)
    Receipt.objects.update(received_at=timezone.now() - timedelta(days=400))
    sweeping.prune()
    assert counted(full).caught_up == 0
    Channel.objects.update(cursor={})
    taken_in(full)
    assert Message.objects.count() == 5
    assert not Message.objects.exclude(text="").exists()
    assert Customer.objects.get().erased_at is not None
    assert not Identity.objects.filter(retired_at=None).exists()
    assert Receipt.objects.count() == 5
    for receipt in Receipt.objects.all():
        assert (receipt.state, receipt.raw, receipt.stored, receipt.key) == ("done", None, "", "")
        assert set(receipt.meta) <= {"ticket", "message"}
    assert figures(counted(full)) == (5, 5, 0, 0)


def test_what_was_erased_before_it_was_taken_in_stays_erased(full: Channel, dovecot: Dovecot, mailbox: str) -> None:
    """No message tells of it: neither the count nor a mailbox that is read anew brings it back, however old it is."""
    dovecot.append(mailbox, mail("My secret matter"), mail("another"))
    polling.poll(full.pk)
    Receipt.objects.filter(pk=Receipt.objects.latest("pk").pk).update(state="failed", reason="cannot be read")
    erasing.erase(Customer.objects.get(), by=None)
    Receipt.objects.update(received_at=timezone.now() - timedelta(days=400))
    assert sweeping.prune() == 5
    assert list(Receipt.objects.values_list("state", "reason")) == [("ignored", "erased")] * 2
    assert figures(counted(full)) == (7, 7, 0, 0)
    Channel.objects.update(cursor={})
    taken_in(full)
    assert Message.objects.count() == 5
    assert not Message.objects.exclude(text="").exists()
    assert not Customer.objects.filter(erased_at=None).exists()


def test_a_reused_message_id_hides_nothing(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    twins = [mail(f"text {n}", message_id="<same@customer.example>") for n in range(2)]
    date = next(line for line in twins[0].split(b"\r\n") if line.startswith(b"Date"))
    twins[1] = b"\r\n".join(date if line.startswith(b"Date") else line for line in twins[1].split(b"\r\n"))
    later = b"\r\n".join(
        b"Date: Mon, 01 Jan 2024 10:00:00 +0000" if line.startswith(b"Date") else line
        for line in mail("text 3", message_id="<same@customer.example>").split(b"\r\n")
    )
    dovecot.append(mailbox, *twins, later)
    taken_in(channel)
    assert Message.objects.count() == 3
    for text in ("text 1", "text 3"):
        Message.objects.get(text=text).delete()
        Receipt.objects.all().delete()
        assert figures(counted(channel)) == (3, 2, 1, 1)
        assert Message.objects.filter(text=text).count() == 1
    assert Message.objects.count() == 3


def test_what_was_left_out_or_failed_is_known(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    own = tokens.make_message_id(7, "rabta.example")
    dovecot.append(mailbox, mail(message_id=f"<{own}>"), mail("damaged"), mail("good"))
    polling.poll(channel.pk)
    Receipt.objects.filter(pk=Receipt.objects.order_by("pk")[1].pk).update(state="failed", reason="damaged")
    receive.take_in_waiting()
    assert sorted(Receipt.objects.values_list("state", flat=True)) == ["done", "failed", "ignored"]
    assert figures(counted(channel)) == (3, 3, 0, 0)
    Receipt.objects.filter(state="ignored").delete()
    assert figures(counted(channel)) == (3, 3, 0, 0)


def test_a_mail_that_was_not_fetched_is_missing_until_it_is(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    """Its receipt says why, and holds nothing of it."""
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, mail("small"), mail("x\n" * 10_000))
    with override_settings(SMTP_IN_MAX_BYTES=10_000):
        taken_in(channel)
        assert sorted(Receipt.objects.values_list("state", flat=True)) == ["done", "failed"]
        for _night in range(2):
            assert figures(counted(channel)) == (2, 1, 1, 0)
        assert Receipt.objects.filter(state="failed").count() == 1
        Receipt.objects.filter(state="failed").delete()
        assert figures(counted(channel)) == (2, 1, 1, 0)  # it is said anew, which brings nothing in
        assert Receipt.objects.filter(state="failed").count() == 1
    assert figures(counted(channel)) == (2, 1, 1, 1)
    assert Message.objects.count() == 2
    assert sorted(Receipt.objects.values_list("state", flat=True)) == ["done", "done"]
    assert figures(counted(channel)) == (2, 2, 0, 0)


def test_a_withheld_mail_that_somebody_fetched_by_retry_is_known(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, mail("x\n" * 10_000))
    with override_settings(SMTP_IN_MAX_BYTES=10_000):
        taken_in(channel)
    retrying.retry(Receipt.objects.get(), by=None)
    receive.take_in_waiting()
    assert Message.objects.count() == 1
    assert figures(counted(channel)) == (1, 1, 0, 0)
    assert Receipt.objects.count() == 1


def test_an_old_report_that_was_pruned_is_not_read_again(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tokens.make_message_id(7, "rabta.example")
    report = (
        b"From: MAILER-DAEMON@x.example\r\nTo: support@rabta.example\r\nSubject: failed\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x.example\r\n\r\n"
        b"Final-Recipient: rfc822; ali@customer.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\n"
        b"Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <" + own.encode() + b">\r\n\r\n--b--\r\n"
    )
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, report)
    taken_in(channel)
    assert Receipt.objects.get().state == "ignored"
    assert figures(counted(channel)) == (1, 1, 0, 0)
    Receipt.objects.all().delete()
    with override_settings(RECEIPT_DAYS=-1):
        assert figures(counted(channel)) == (1, 1, 0, 0)
    assert not Receipt.objects.exists()
    assert figures(counted(channel)) == (1, 0, 1, 1)  # a young one has no reason to be forgotten


def test_only_what_the_cursor_has_passed_is_counted(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    row = counted(channel)
    assert figures(row) == (0, 0, 0, 0)
    assert "not been read" in row.folders[0]["error"]
    dovecot.append(mailbox, mail("one"))
    taken_in(channel)
    dovecot.append(mailbox, mail("two"))
    assert figures(counted(channel)) == (1, 1, 0, 0)
    assert Receipt.objects.count() == 1


def test_a_copy_in_a_second_mailbox_is_known(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    first = make_channel(**imap_settings(dovecot, mailbox))
    second = make_channel("sales", "sales@rabta.example", **imap_settings(dovecot, f"{mailbox[:40]}2"))
    same = mail("to both", to="support@rabta.example, sales@rabta.example")
    dovecot.append(mailbox, same)
    dovecot.append(f"{mailbox[:40]}2", same)
    taken_in(first)
    taken_in(second)
    assert (Message.objects.count(), MessageCopy.objects.count()) == (1, 1)
    assert figures(counted(second)) == (1, 1, 0, 0)
    Message.objects.all().delete()
    assert figures(counted(second)) == (1, 0, 1, 1)
    assert figures(counted(first)) == (1, 1, 0, 0)
    assert Message.objects.count() == 1


def test_a_mail_gone_from_the_server_is_not_missed(full: Channel, dovecot: Dovecot, mailbox: str) -> None:
    Message.objects.get(subject="matter 0").delete()
    with dovecot.client(mailbox) as client:
        client.delete_messages([1, 3])
        client.expunge()
    assert figures(counted(full)) == (3, 3, 0, 0)


def test_a_folder_that_is_gone_is_said_and_the_others_are_counted(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox, folders=["Nowhere", "INBOX"]))
    dovecot.append(mailbox, mail())
    taken_in(channel)
    row = counted(channel)
    assert [bool(one["error"]) for one in row.folders] == [True, False]
    assert figures(row) == (1, 1, 0, 0)


def test_what_was_moved_counts_where_it_is(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    with dovecot.client(mailbox) as client:
        client.create_folder("Done")
        client.append("Done", mail("put here by hand"))
    dovecot.append(mailbox, *(mail(f"mail {n}", subject=f"matter {n}") for n in range(3)))
    taken_in(channel)
    assert dovecot.mails(mailbox) == []
    assert figures(counted(channel)) == (3, 3, 0, 0)
    Message.objects.get(subject="matter 1").delete()
    Receipt.objects.all().delete()
    row = counted(channel)
    assert figures(row) == (3, 2, 1, 1)
    assert [(one["name"], one["missing"]) for one in row.folders] == [("INBOX", 0), ("Done", 1)]
    assert sorted(Message.objects.values_list("subject", flat=True)) == ["matter 0", "matter 1", "matter 2"]


def test_a_renumbered_target_is_said_and_what_is_known_is_counted(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "STEP", 2)
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    own = mail("our own", message_id=f"<{tokens.make_message_id(7, 'rabta.example')}>")
    mails = [own, *(mail(f"mail {n}", subject=f"matter {n}") for n in range(3))]
    with dovecot.client(mailbox) as client:
        client.create_folder("Done")
        dovecot.append(mailbox, *mails)
        taken_in(channel)
        before = client.folder_status("Done", ["UIDVALIDITY"])[b"UIDVALIDITY"]
        client.rename_folder("Done", "Old")
        client.create_folder("Done")
        assert client.folder_status("Done", ["UIDVALIDITY"])[b"UIDVALIDITY"] != before
        for one in (mail("put here by hand"), *mails):
            client.append("Done", one)
    channel.refresh_from_db()
    row = audit.start(channel, by=None)
    while not audit.run(row.pk, seconds=0):  # in slices
        pass
    row.refresh_from_db()
    assert figures(row) == (4, 4, 0, 0)
    assert [(one["name"], one["on_server"]) for one in row.folders] == [("INBOX", 0), ("Done", 4)]
    assert "renumbered" in row.folders[1]["error"]
    assert Receipt.objects.count() == 4  # what somebody put there is not taken in
    Message.objects.get(subject="matter 1").delete()
    Receipt.objects.all().delete()
    row = counted(channel)
    assert figures(row) == (4, 3, 1, 1)
    assert not row.folders[1]["error"]
    assert sorted(Message.objects.values_list("subject", flat=True)) == ["matter 0", "matter 1", "matter 2"]


def test_a_folder_without_mail_is_shown_all_the_same(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    with dovecot.client(mailbox) as client:
        client.create_folder("Done")
    channel = make_channel(**imap_settings(dovecot, mailbox, move_to="Done"))
    dovecot.append(mailbox, mail("one"))
    taken_in(channel)
    MovedMails.objects.all().delete()
    row = counted(channel)
    assert [(one["name"], one["on_server"], one["error"]) for one in row.folders] == [("INBOX", 0, ""), ("Done", 0, "")]


def test_runs_that_meet_are_one() -> None:
    assert audit._merged([(1, 4), (2, 3), (5, 6), (8, 9), (9, 12)]) == [(1, 6), (8, 12)]


def test_a_long_count_goes_on_in_slices(full: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "STEP", 2)
    woken: list[tuple[str, list[int]]] = []
    monkeypatch.setattr(wake, "run", lambda task, args, queue: woken.append((task, args)))
    Message.objects.get(subject="matter 3").delete()
    row = audit.start(full, by=None)
    slices = 1
    while not audit.run(row.pk, seconds=0):
        row.refresh_from_db()
        assert row.running
        assert row.on_server == min(2 * slices, 5)
        slices += 1
    row.refresh_from_db()
    assert slices == 4
    assert figures(row) == (5, 4, 1, 1)
    assert woken == []  # the clock gives the next turn, not the last one: others were waiting


def test_one_count_at_a_time_which_says_who_began_it(full: Channel, sana: Agent) -> None:
    row = audit.start(full, by=sana)
    assert audit.start(full, by=None) == row
    assert (row.started_by, row.running) == (sana, True)
    assert Event.objects.get(kind="mailbox_audit_started").data == {"channel": full.pk}
    for _time in range(2):  # once more does no harm
        tasks.audits_go_on()
        row.refresh_from_db()
        assert not row.running
    assert audit.start(full, by=sana) != row


def test_the_nightly_task_lets_every_mailbox_be_counted(
    full: Channel, make_channel: MakeChannel, dovecot: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_channel("pipe", "pipe@rabta.example")
    paused = make_channel("paused", "paused@rabta.example", **imap_settings(dovecot, "nobody"))
    Channel.objects.filter(pk=paused.pk).update(paused=True)
    woken: list[str] = []
    monkeypatch.setattr(wake, "run", lambda task, args, queue: woken.append(task))
    tasks.every_night()
    row = MailboxAudit.objects.get()
    assert (row.channel, row.running) == (full, True)
    assert woken == []  # not all at once: the clock gives turns
    tasks.audits_go_on()
    row.refresh_from_db()
    assert figures(row) == (5, 5, 0, 0)
    assert not row.running
    assert audit.start(full, by=Agent.objects.create_user("zoya@rabta.example", name="Zoya")).running
    assert woken == ["channels_email.tasks.audits_go_on"]  # somebody waits for it


@pytest.fixture
def three(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> list[Channel]:
    """Three mailboxes with three, two and one mails."""
    made = []
    for number in (3, 2, 1):
        user = f"{mailbox}{number}"
        channel = make_channel(f"desk{number}", f"desk{number}@rabta.example", **imap_settings(dovecot, user))
        dovecot.append(user, *(mail(f"mail {n} of {number}") for n in range(number)))
        taken_in(channel)
        channel.refresh_from_db()
        made.append(channel)
    return made


def test_one_worker_counts_at_a_time_and_the_rest_are_there_for_mail(
    three: list[Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks.every_night()
    real, began, go = audit.run, threading.Event(), threading.Event()

    def run(audit_id: int, *, seconds: float) -> bool:
        began.set()
        assert go.wait(30)
        return real(audit_id, seconds=seconds)

    def work() -> None:
        try:
            tasks.audits_go_on()
        finally:
            connection.close()

    monkeypatch.setattr(audit, "run", run)
    worker = threading.Thread(target=work)
    worker.start()
    assert began.wait(30)
    monkeypatch.setattr(audit, "run", lambda audit_id, *, seconds: pytest.fail("a second worker counts"))
    tasks.audits_go_on()
    monkeypatch.setattr(audit, "run", run)
    go.set()
    worker.join()
    assert sorted(figures(row) for row in MailboxAudit.objects.all()) == [(1, 1, 0, 0), (2, 2, 0, 0), (3, 3, 0, 0)]
    assert not any(row.running for row in MailboxAudit.objects.all())  # a turn has time for many small ones


def test_a_small_mailbox_does_not_wait_for_a_large_one(three: list[Channel], monkeypatch: pytest.MonkeyPatch) -> None:
    """Turns so short that each is over after one step of one mail."""
    monkeypatch.setattr(audit, "STEP", 1)
    tasks.every_night()
    real = audit.run

    def run(audit_id: int, *, seconds: float) -> bool:
        done = real(audit_id, seconds=0)
        time.sleep(0 if done else seconds)
        return done

    monkeypatch.setattr(audit, "run", run)
    ended: list[int] = []
    deadline = time.monotonic() + 60
    while len(ended) < 3:
        assert time.monotonic() < deadline
        audit.go_on(seconds=0.05)
        done = MailboxAudit.objects.exclude(finished_at=None).order_by("finished_at")
        ended = list(done.values_list("on_server", flat=True))
    assert ended == [1, 2, 3]


def test_what_stands_in_the_way_is_said(full: Channel, make_channel: MakeChannel) -> None:
    full.secrets = {"imap.password": "wrong"}
    full.save()
    assert "refuses the log-in" in counted(full).error
    piped = make_channel("pipe", "pipe@rabta.example")
    assert "not read over IMAP" in counted(piped).error


def test_from_the_shell(full: Channel, make_channel: MakeChannel) -> None:
    Message.objects.get(subject="matter 2").delete()
    out = io.StringIO()
    call_command("audit_mailboxes", stdout=out)
    line = "5 on the server, 4 known, 1 missing, 1 caught up"
    assert out.getvalue().splitlines() == [f"support: {line}", f"  INBOX: {line}"]
    make_channel("pipe", "pipe@rabta.example")
    with pytest.raises(CommandError, match="1 mailboxes could not"):
        call_command("audit_mailboxes", "pipe", "support", stdout=out)
    assert "not read over IMAP" in out.getvalue()
    with pytest.raises(CommandError, match="called nothing"):
        call_command("audit_mailboxes", "nothing", stdout=out)


def test_the_queries_do_not_grow_with_the_mails(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    counts = []
    for _round in range(2):
        dovecot.append(mailbox, *(mail(f"{n}") for n in range(15)))
        taken_in(channel)
        Receipt.objects.all().delete()
        channel.refresh_from_db()
        row = audit.start(channel, by=None)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            audit.run(row.pk)
        counts.append(len(queries))
    assert counts[0] == counts[1] < 25


def test_headers_are_read_as_a_message_keeps_them() -> None:
    class Client:
        def fetch(self, uids: list[int], what: list[str]) -> dict[int, dict[bytes, Any]]:
            assert "PEEK" in what[0]
            raw = b"Message-ID:\r\n <one@x.example>\r\nDate: Mon,\r\n 1 Jan 2024 10:00:00 +0000\r\n\r\n"
            return {1: {b"BODY[HEADER.FIELDS (MESSAGE-ID DATE)]": raw}, 2: {b"FLAGS": ()}}

    found = fetching.headers(Client(), [1, 2, 3])
    assert found == {1: ("one@x.example", "Mon, 1 Jan 2024 10:00:00 +0000"), 2: ("", "")}
