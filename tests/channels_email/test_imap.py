"""Reading a mailbox: nothing skipped, nothing twice, nothing marked, whatever happens to the connection."""

import threading
import time
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from channels_email import imap
from channels_email.servers import Server, server
from inbox import polling
from inbox.actions import parsing, receive, retrying
from inbox.actions.errors import ActionError
from inbox.adapters import adapter_for
from inbox.models import Channel, Message, Receipt
from tests.channels_email.conftest import MakeChannel, imap_settings, mail
from tests.servers import proxy
from tests.servers.dovecot import Dovecot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


def raws() -> list[bytes]:
    return [parsing.raw_of(receipt) for receipt in Receipt.objects.order_by("pk")]


def test_what_is_new_comes_once_and_nothing_is_marked(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    first, second = mail("first"), mail("second")
    dovecot.append(mailbox, first)
    assert polling.poll(channel.pk) == 1
    assert polling.poll(channel.pk) == 0
    dovecot.append(mailbox, second)
    assert polling.poll(channel.pk) == 1
    assert raws() == [first, second]
    channel.refresh_from_db()
    assert channel.cursor["INBOX"]["uid"] == 2
    assert channel.last_in_at is not None
    with dovecot.client(mailbox) as client:
        assert client.search("UNSEEN") == [1, 2]
        assert client.search("DELETED") == []


def test_a_mail_that_somebody_has_read_is_taken_all_the_same(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, mail())
    with dovecot.client(mailbox) as client:
        client.add_flags([1], ["\\Seen"])
    assert polling.poll(channel.pk) == 1
    with dovecot.client(mailbox) as client:
        assert client.search("SEEN") == [1]


def test_the_stamp_and_the_id_are_those_of_the_server(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, mail(message_id="<one@customer.example>"))
    with dovecot.client(mailbox) as client:
        client.normalise_times = False
        stamp = client.fetch([1], ["INTERNALDATE"])[1][b"INTERNALDATE"]
    polling.poll(channel.pk)
    receipt = Receipt.objects.get()
    assert (receipt.at, receipt.key) == (stamp, "one@customer.example")
    assert (receipt.meta["folder"], receipt.meta["uid"]) == ("INBOX", 1)


def test_a_changed_uidvalidity_reads_again_and_doubles_nothing(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox, folders=["Desk"]))
    with dovecot.client(mailbox) as client:
        client.create_folder("Desk")
        client.append("Desk", mail("one", message_id="<one@customer.example>"))
        client.append("Desk", old := mail("two"))
    assert polling.poll(channel.pk) == 2
    before = Channel.objects.get().cursor["Desk"]["uidvalidity"]
    with dovecot.client(mailbox) as client:
        client.rename_folder("Desk", "Old")
        client.create_folder("Desk")
        client.append("Desk", old)
        client.append("Desk", mail("three"))
    assert polling.poll(channel.pk) == 1
    position = Channel.objects.get().cursor["Desk"]
    assert position["uidvalidity"] != before
    assert position["uid"] == 2
    assert Receipt.objects.count() == 3


def test_a_long_absence_is_caught_up_in_batches(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "LOOK_AHEAD", 7)
    monkeypatch.setattr(imap, "BATCH_MAILS", 3)
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, *(mail(str(number)) for number in range(20)))
    sizes = [len(batch) for batch, _cursor in adapter_for("email").poll(channel, {})]
    assert sizes == [3, 3, 1, 3, 3, 1, 3, 3]
    assert polling.poll(channel.pk) == 20


def test_uids_far_apart_are_found_window_by_window(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "WINDOW", 3)
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, *(mail(str(number)) for number in range(12)))
    with dovecot.client(mailbox) as client:
        client.delete_messages([2, 3, 4, 5, 6, 7, 8, 12])
        client.expunge()
    assert polling.poll(channel.pk) == 4
    assert Channel.objects.get().cursor["INBOX"]["uid"] == 12
    dovecot.append(mailbox, mail("13"))
    assert polling.poll(channel.pk) == 1


class Numbers:
    """Stands in for a connection to a folder with these UIDs, whose server may keep UIDNEXT to itself."""

    def __init__(self, uids: list[int], *, told: bool = True) -> None:
        self.uids = uids
        self.told = told
        self.searches = 0

    def select_folder(self, _folder: str, readonly: bool) -> dict[bytes, int]:
        assert readonly
        status = {b"UIDVALIDITY": 1, b"EXISTS": len(self.uids)}
        return {**status, b"UIDNEXT": self.uids[-1] + 1} if self.told else status

    def search(self, criteria: list[str]) -> list[int]:
        self.searches += 1
        if criteria == ["*"]:
            return self.uids[-1:]
        low, _, high = criteria[1].partition(":")
        return [uid for uid in self.uids if int(low) <= uid <= int(high)]

    def fetch(self, uids: list[int], what: list[str]) -> dict[int, dict[bytes, Any]]:
        if "RFC822.SIZE" in what:
            return {uid: {b"RFC822.SIZE": 10} for uid in uids}
        return {uid: {b"BODY[]": b"Subject: %d\r\n\r\n" % uid} for uid in uids}


def read(client: Numbers, position: dict[str, Any]) -> tuple[list[int], list[int]]:
    """(UIDs that come, positions kept on the way)."""
    mailbox = Server("h", 1, "tls", "u", "p")
    found = list(imap._folder(client, mailbox, "INBOX", position, None))  # type: ignore[arg-type]
    return [raw.meta["uid"] for batch, _kept in found for raw in batch], [kept["uid"] for _batch, kept in found]


def test_all_is_found_where_the_server_does_not_say_what_comes_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imap, "WINDOW", 2)
    client = Numbers([3, 400, 401], told=False)
    assert read(client, {})[0] == [3, 400, 401]
    position = {"uidvalidity": 1, "mailbox": "u@h:1", "uid": 401}
    assert read(client, position) == ([], [])
    client.uids = [3]  # the last ones are gone: nothing is read again
    assert read(client, position) == ([], [])
    client.uids = []
    assert read(client, position) == ([], [])


def test_numbers_by_the_clock_take_one_search_or_keep_how_far_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Numbers([1_700_000_000, 1_700_086_400])
    assert read(client, {})[0] == client.uids
    assert client.searches == 1
    monkeypatch.setattr(imap, "WINDOW", 1)  # as in a folder of more mails than are asked for at once
    client = Numbers([1000, 1020])
    uids, kept = read(client, {})
    assert uids == client.uids
    assert kept[:3] == [100, 200, 300]


def test_a_large_mail_travels_alone() -> None:
    sizes = [(1, 1000), (2, 30_000_000), (3, 5_000_000), (4, 5_000_000), (5, 10)]
    assert [[uid for uid, _size in group] for group in imap.batches(sizes)] == [[1], [2], [3], [4, 5]]


def test_a_cut_connection_is_taken_up_where_it_was(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "BATCH_MAILS", 2)
    wanted = [mail(f"{number} " + "x" * 70 * 100) for number in range(9)]
    dovecot.append(mailbox, *wanted)
    with proxy.cutting(dovecot.imap, cut_after=40_000, cuts=2) as middle:
        channel = make_channel(**imap_settings(dovecot, mailbox, port=middle.port))
        assert polling.poll(channel.pk) == 9
        assert middle.connections == 3
    assert len(set(raws())) == 9
    assert Channel.objects.get().in_failing_since is None


def test_a_connection_that_never_gets_through_is_told(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    dovecot.append(mailbox, mail("x" * 70 * 3000))
    with proxy.cutting(dovecot.imap, cut_after=20_000, cuts=99) as middle:
        channel = make_channel(**imap_settings(dovecot, mailbox, port=middle.port))
        assert polling.poll(channel.pk) == 0
    channel.refresh_from_db()
    assert "127.0.0.1" in channel.in_error
    assert channel.in_failures == 1


def test_a_store_that_fails_keeps_the_cursor(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, mail())

    def broken(*_arguments: Any, **_options: Any) -> Any:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(receive, "store", broken)
        assert polling.poll(channel.pk) == 0
    assert Channel.objects.get().cursor == {}
    assert polling.poll(channel.pk) == 1


def test_two_workers_on_one_mailbox_make_one_message_a_mail(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, *(mail(f"mail {number}", subject=f"matter {number}") for number in range(30)))
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _round in range(3):
                polling.poll(channel.pk)
                receive.take_in_waiting()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _worker in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    receive.take_in_waiting()
    assert not failures
    assert Message.objects.count() == Receipt.objects.count() == 30


def test_a_mail_too_large_for_us_is_told_and_blocks_nothing(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, mail("x\n" * 10_000), mail("small"))
    with override_settings(SMTP_IN_MAX_BYTES=10_000):
        assert polling.poll(channel.pk) == 2
    receive.take_in_waiting()
    failed, done = Receipt.objects.order_by("pk")
    assert (failed.state, done.state) == ("failed", "done")
    assert "SMTP_IN_MAX_BYTES" in failed.reason


def test_a_mail_too_large_for_us_is_fetched_once_the_limit_is_raised(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, large := mail("x\n" * 200_000))
    with override_settings(SMTP_IN_MAX_BYTES=10_000):
        polling.poll(channel.pk)
        receive.take_in_waiting()
        with pytest.raises(ActionError, match="SMTP_IN_MAX_BYTES"):
            retrying.retry(Receipt.objects.get(), by=None)
    assert Receipt.objects.get().state == "failed"
    retrying.retry(Receipt.objects.get(), by=None)
    receive.take_in_waiting()
    receipt = Receipt.objects.get()
    assert (receipt.state, parsing.raw_of(receipt)) == ("done", large)
    assert Message.objects.count() == 1


def test_a_mail_set_aside_that_is_gone_says_so(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    dovecot.append(mailbox, mail("x\n" * 10_000))
    with override_settings(SMTP_IN_MAX_BYTES=10_000):
        polling.poll(channel.pk)
    receive.take_in_waiting()
    with dovecot.client(mailbox) as client:
        client.delete_messages([1])
        client.expunge()
    with pytest.raises(ActionError, match="no longer in the mailbox"):
        retrying.retry(Receipt.objects.get(), by=None)


def test_another_mailbox_is_read_from_its_start(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    other = f"{mailbox[:40]}other"
    dovecot.append(mailbox, mail("one"), mail("two"))
    dovecot.append(other, mail("three"), mail("four"), mail("five"))
    channel = make_channel(**imap_settings(dovecot, mailbox))
    assert polling.poll(channel.pk) == 2
    validity = Channel.objects.get().cursor["INBOX"]["uidvalidity"]
    with dovecot.client(other) as client:
        theirs = client.select_folder("INBOX", readonly=True)[b"UIDVALIDITY"]
    channel.refresh_from_db()
    channel.cursor["INBOX"]["uidvalidity"] = theirs  # as on servers where it is 1 for everybody
    channel.settings["imap"]["username"] = other
    channel.save()
    assert polling.poll(channel.pk) == 3
    assert validity and Channel.objects.get().cursor["INBOX"]["mailbox"].startswith(other)


def test_one_folder_that_is_gone_keeps_no_other_waiting(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox, folders=["Nowhere", "INBOX"]))
    dovecot.append(mailbox, mail())
    assert polling.poll(channel.pk) == 1
    channel.refresh_from_db()
    assert channel.in_error.startswith("Nowhere: ")
    assert "INBOX" not in channel.in_error


def test_one_folder_that_is_gone_makes_nobody_slower_and_is_left_alone_for_a_while(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox, folders=["INBOX", "Desk"]))
    opened: list[str] = []
    real = imap.GuardedIMAPClient.select_folder

    def select(self: imap.GuardedIMAPClient, folder: str, readonly: bool = False) -> Any:
        opened.append(folder)
        return real(self, folder, readonly)

    monkeypatch.setattr(imap.GuardedIMAPClient, "select_folder", select)

    def poll(until: float) -> list[str]:
        opened.clear()
        if away := channel.cursor.get("Desk"):
            away["away"]["until"] = until
            channel.save()
        dovecot.append(mailbox, mail())
        assert polling.poll(channel.pk) == 1
        channel.refresh_from_db()
        return list(opened)

    soon, far = 0.0, time.time() + 500
    assert poll(soon) == ["INBOX", "Desk"]
    assert poll(far) == ["INBOX"]
    assert poll(soon) == ["INBOX", "Desk"]
    for times in range(3, 12):
        poll(soon)
        assert channel.in_error.startswith("Desk: ")
        assert channel.next_poll_at <= timezone.now() + polling.EVERY
        assert channel.cursor["Desk"]["away"]["times"] == times
    assert channel.cursor["Desk"]["away"]["until"] > time.time() + 60
    with dovecot.client(mailbox) as client:
        client.create_folder("Desk")
        client.append("Desk", mail("desk"))
    assert poll(far) == ["INBOX"]
    assert channel.in_error.startswith("Desk: ")
    channel.cursor["Desk"]["away"]["until"] = soon
    channel.save()
    assert polling.poll(channel.pk) == 1
    channel.refresh_from_db()
    assert (channel.in_error, channel.in_failing_since, "away" in channel.cursor["Desk"]) == ("", None, False)


def test_when_the_last_folder_fails_the_mailbox_is_away(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
) -> None:
    """Also when the others are left alone for a while: then they are tried, too, if there is nothing else to do."""
    channel = make_channel(**imap_settings(dovecot, mailbox, folders=["Desk", "INBOX"]))
    polling.poll(channel.pk)
    channel.refresh_from_db()
    channel.cursor["Desk"]["away"]["until"] = time.time() + 500
    channel.settings["imap"]["folders"] = ["Desk", "Gone"]
    channel.save()
    for failures in (1, 2):
        polling.poll(channel.pk)
        channel.refresh_from_db()
        assert channel.in_failures == failures
    assert "Gone: " in channel.in_error
    channel.settings["imap"]["folders"] = ["Desk"]
    channel.save()
    polling.poll(channel.pk)
    channel.refresh_from_db()
    assert (channel.in_failures, channel.in_error[:6]) == (3, "Desk: ")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"username": "x", "port": 1}, "refuses connections"),
        ({"folders": ["Nowhere"]}, "Nowhere"),
        ({"security": "starttls"}, "cannot be trusted"),
        ({"host": "no.such.host.invalid"}, "No connection"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, change: dict[str, Any], words: str
) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox, **change))
    polling.poll(channel.pk)
    channel.refresh_from_db()
    assert words in channel.in_error
    lines = adapter_for("email").check(channel)
    assert not all(line.ok for line in lines)


def test_a_wrong_password_is_said_in_words(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    options = imap_settings(dovecot, mailbox)
    options["secrets"] = {"imap.password": "wrong"}
    channel = make_channel(**options)
    polling.poll(channel.pk)
    channel.refresh_from_db()
    assert "refuses the log-in" in channel.in_error


def test_tls_is_verified_against_the_name(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(dovecot.base / "cert.pem"))
    dovecot.append(mailbox, mail())
    for number, (security, port) in enumerate([("tls", dovecot.imaps), ("starttls", dovecot.imap)]):
        channel = make_channel(
            f"box{number}",
            f"box{number}@rabta.example",
            **imap_settings(dovecot, mailbox, host="localhost", port=port, security=security),
        )
        reading = server(channel, "imap")
        assert reading is not None
        assert [len(batch) for batch, _cursor in imap.poll(reading, {})] == [1]
        assert all(line.ok for line in adapter_for("email").check(channel) if "IMAP" in line.name)


@override_settings(ALLOW_PRIVATE_NETWORKS=False)
def test_private_networks_are_refused(dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> None:
    channel = make_channel(**imap_settings(dovecot, mailbox))
    polling.poll(channel.pk)
    channel.refresh_from_db()
    assert "private network" in channel.in_error
