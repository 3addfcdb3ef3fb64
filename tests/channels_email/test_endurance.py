"""What a mailbox goes through in years, in a minute: every mail that the server ever showed is exactly one message."""

import os
import pwd
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_email import audit, fetching
from inbox import polling
from inbox.actions import receive, tickets
from inbox.adapters import Party
from inbox.models import Channel, Message, Receipt
from tests.channels_email.conftest import ALI, MakeChannel, database_url, imap_settings, mail
from tests.servers import proxy
from tests.servers.dovecot import PASSWORD, Dovecot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]
MAILS = int(os.environ.get("WAITING_MAILS", "4000"))  # ten thousand take a minute


def fill(dovecot: Dovecot, user: str, count: int) -> None:
    """Put mails straight into the Maildir, as a server that received them while we were away."""
    with dovecot.client(user):
        pass  # makes the Maildir
    new = dovecot.base / "mail" / user / "new"
    owner = pwd.getpwnam("mail")
    for n in range(count):
        path = new / f"1600000000.M{n:06}P1.waiting"
        path.write_bytes(
            b"From: ali%d@customer.example\r\nTo: support@rabta.example\r\nSubject: matter %d\r\n"
            b"Date: Mon, 14 Sep 2020 10:00:00 +0000\r\nMessage-ID: <%d@customer.example>\r\n\r\nmail %d\r\n"
            % (n % 50, n, n, n)
        )
        os.chown(path, owner.pw_uid, owner.pw_gid)


def subjects() -> Counter[str]:
    return Counter(Message.objects.values_list("subject", flat=True))


@pytest.mark.timeout(600)
def test_thousands_of_waiting_mails_and_twenty_cuts(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(dovecot, mailbox, MAILS)
    with proxy.cutting(dovecot.imap, cut_after=MAILS * 15, cuts=20) as middle:
        channel = make_channel(**imap_settings(dovecot, mailbox, port=middle.port))
        polls = 0
        while Channel.objects.get().cursor.get("INBOX", {}).get("uid") != MAILS:
            polls += 1
            assert polls < 10
            polling.poll(channel.pk)
        assert middle.connections > 20
    channel.refresh_from_db()
    assert channel.in_failing_since is None
    assert Receipt.objects.count() == MAILS
    receive.take_in_waiting(batches=1000)
    assert subjects() == Counter(f"matter {n}" for n in range(MAILS))


POLLER = """
import sys, django
django.setup()
from inbox import polling
from inbox.actions import receive
print("ready", flush=True)
for line in sys.stdin:
    polling.poll(int(line))
    receive.take_in_waiting()
    print("done", flush=True)
"""


def test_two_processes_on_one_mailbox(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    environment = {**os.environ, "DATABASE_URL": database_url()}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", POLLER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=Path(__file__).parents[2],
        )
        for _worker in range(2)
    ]
    try:
        for worker in workers:
            assert worker.stdout.readline() == "ready\n"
        for number in range(4):
            dovecot.append(mailbox, *(mail(f"{number}", subject=f"matter {number}.{n}") for n in range(25)))
            for worker in workers:
                worker.stdin.write(f"{channel.pk}\n")
                worker.stdin.flush()
            for worker in workers:
                assert worker.stdout.readline() == "done\n"
    finally:
        for worker in workers:
            worker.stdin.close()
            worker.wait(20)
            worker.stdout.close()
    polling.poll(channel.pk)
    receive.take_in_waiting()
    assert set(subjects().values()) == {1}
    assert Message.objects.count() == Receipt.objects.count() == 100


def test_all_that_happens_to_a_mailbox(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    shown: list[str] = []

    def arrive(folder: str, count: int, at: datetime | None = None) -> None:
        with dovecot.client(mailbox) as client:
            for _mail in range(count):
                shown.append(f"matter {len(shown)}")
                client.append(folder, mail(shown[-1], subject=shown[-1]), msg_time=at)

    def poll() -> Channel:
        polling.poll(channel.pk)
        receive.take_in_waiting()
        assert subjects() == Counter(shown)
        channel.refresh_from_db()
        return channel

    with dovecot.client(mailbox) as client:
        client.create_folder("Desk")
    channel = make_channel(**imap_settings(dovecot, mailbox, folders=["INBOX", "Desk"]))
    arrive("INBOX", 6)
    arrive("Desk", 4)
    assert not poll().in_error

    # A phone reads before we look, and deletes and moves what we have.
    arrive("INBOX", 3)
    with dovecot.client(mailbox) as client:
        client.fetch(client.search(), ["BODY[]"])
        client.delete_messages([1, 2])
        client.expunge()
        client.move([3], "Desk")
    assert not poll().in_error

    # The server loses its list of numbers, and gives new ones.
    before = channel.cursor["INBOX"]["uidvalidity"]
    maildir = dovecot.base / "mail" / mailbox
    for path in [*maildir.glob("dovecot-uidlist"), *maildir.glob("dovecot.index*")]:
        path.unlink()
    (maildir / "dovecot-uidlist").write_text("3 V7 N1 G0123456789abcdef0123456789abcdef\n")
    os.chown(maildir / "dovecot-uidlist", pwd.getpwnam("mail").pw_uid, pwd.getpwnam("mail").pw_gid)
    arrive("INBOX", 2)
    assert not poll().in_error
    assert channel.cursor["INBOX"]["uidvalidity"] == 7 != before

    # A folder is renamed: said, and the other one is read; then the setting follows.
    with dovecot.client(mailbox) as client:
        client.rename_folder("Desk", "Office")
    arrive("INBOX", 1)
    assert poll().in_error.startswith("Desk: ")
    channel.settings["imap"]["folders"] = ["INBOX", "Office"]
    channel.save()
    arrive("Office", 2)
    assert not poll().in_error

    # Somebody changes the password; mail goes on to come, some of it as old as the hills. Then it is put back.
    arrive("INBOX", 2)
    arrive("INBOX", 2, at=datetime(2019, 1, 1, tzinfo=UTC))
    dovecot.set_password(mailbox, "another")
    for failures in (1, 2):
        polling.poll(channel.pk)
        channel.refresh_from_db()
        assert "refuses the log-in" in channel.in_error
        assert (channel.in_failures, channel.next_poll_at > timezone.now()) == (failures, True)
    dovecot.set_password(mailbox, PASSWORD)
    assert not poll().in_error
    assert channel.in_failures == 0

    # And somebody removes a mail from the database by hand.
    Message.objects.get(subject="matter 5").delete()
    row = audit.start(channel, by=None)
    audit.run(row.pk)
    receive.take_in_waiting()
    row.refresh_from_db()
    assert (row.missing, row.caught_up) == (1, 1)
    assert subjects() == Counter(shown)


def test_a_count_of_thousands_asks_little(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the database, and of the server: receipts are enough, and headers where these are forgotten."""
    fill(dovecot, mailbox, 2000)
    channel = make_channel(**imap_settings(dovecot, mailbox))
    polling.poll(channel.pk)
    Receipt.objects.update(state="ignored")  # as if each had been taken in
    ticket = tickets.open_ticket(
        by=None, channel=channel, identity=Party("email", ALI), subject="s", text="t", direction="in"
    )
    Message.objects.bulk_create(
        Message(
            ticket=ticket,
            first_ticket=ticket,
            direction="in",
            channel=channel,
            author_kind="customer",
            external_id=f"{n}@customer.example",
            payload={"headers": {"date": "Mon, 14 Sep 2020 10:00:00 +0000"}},
        )
        for n in range(2000)
    )
    monkeypatch.setattr(fetching, "fetch", None)  # no mail is fetched whole
    for queries in (20, 30):
        row = audit.start(channel, by=None)
        with CaptureQueriesContext(connection) as asked:
            audit.run(row.pk)
        row.refresh_from_db()
        assert (row.error, row.on_server, row.known) == ("", 2000, 2000)
        assert len(asked) < queries
        Receipt.objects.all().delete()
