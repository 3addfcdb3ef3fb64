"""The SMTP and LMTP receiver: 250 only for what is stored, for whom we know, within its limits."""

import os
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from asgiref.sync import SyncToAsync
from django.db import OperationalError

from channels_email import directory
from channels_email import receiver as module
from channels_email.receiver import Receiver
from inbox.actions import parsing, receive
from inbox.models import Channel, Heartbeat, Receipt
from tests.channels_email.conftest import ALI, SUPPORT, MakeChannel, database_url, mail, receiving
from tests.servers import certificates
from tests.servers.ports import free_port, stop, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver(make_channel: MakeChannel) -> Iterator[Receiver]:
    make_channel()
    with receiving() as running:
        yield running


def client(receiver: Receiver) -> smtplib.SMTP:
    return smtplib.SMTP("127.0.0.1", receiver.smtp_port, timeout=20)


def stored() -> list[bytes]:
    return [parsing.raw_of(receipt) for receipt in Receipt.objects.order_by("pk")]


def test_a_mail_is_stored_byte_for_byte_with_its_envelope(receiver: Receiver) -> None:
    raw = mail(".a line that begins with a dot\r\n\r\n.\r\nand ends with one.")
    with client(receiver) as smtp:
        smtp.sendmail(ALI, ["Support+T1.x@RABTA.example"], raw)
    receipt = Receipt.objects.get()
    assert stored() == [raw]
    assert receipt.meta["recipients"] == ["Support+T1.x@RABTA.example"]
    assert receipt.meta["mail_from"] == ALI
    assert receipt.key.endswith("@customer.example")


def test_the_same_mail_again_is_one_receipt(receiver: Receiver) -> None:
    raw = mail()
    with client(receiver) as smtp:
        smtp.sendmail(ALI, [SUPPORT], raw)
        smtp.sendmail(ALI, [SUPPORT], raw)
    assert len(stored()) == 1


def test_a_null_sender_is_taken(receiver: Receiver) -> None:
    with client(receiver) as smtp:
        smtp.sendmail("", [SUPPORT], mail())
    assert Receipt.objects.get().meta["mail_from"] == ""


@pytest.mark.parametrize("address", ["other@rabta.example", "support@else.example", "supportx@rabta.example"])
def test_an_unknown_recipient_is_refused_for_good(receiver: Receiver, address: str) -> None:
    with client(receiver) as smtp, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        smtp.sendmail(ALI, [address], mail())
    assert refused.value.recipients[address][0] == 550
    assert not stored()


def test_a_catch_all_takes_every_address_of_its_domain(make_channel: MakeChannel) -> None:
    make_channel(catch_all=True)
    with receiving() as running, client(running) as smtp:
        smtp.sendmail(ALI, ["anything@rabta.example"], mail())
    assert len(stored()) == 1


def test_several_channels_get_a_receipt_each(receiver: Receiver, make_channel: MakeChannel) -> None:
    make_channel("sales", "sales@rabta.example")
    with client(receiver) as smtp:
        smtp.sendmail(ALI, [SUPPORT, "sales@rabta.example"], mail())
    assert sorted(Receipt.objects.values_list("channel__slug", flat=True)) == ["sales", "support"]


def test_long_lines_eight_bits_and_utf8_addresses_come_through(make_channel: MakeChannel) -> None:
    make_channel(address="جواب@rabta.example")
    raw = "Subject: خط\r\n\r\n".encode() + b"x" * 200_000 + "ہے\r\n".encode()
    with receiving() as running, client(running) as smtp:
        smtp.sendmail(ALI, ["جواب@rabta.example"], raw, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    assert stored() == [raw]


def test_a_mail_over_the_limit_is_refused_and_the_next_one_taken(make_channel: MakeChannel) -> None:
    make_channel()
    with receiving(max_bytes=10_000) as running, client(running) as smtp:
        smtp.ehlo()
        assert smtp.esmtp_features["size"] == "10000"
        with pytest.raises(smtplib.SMTPSenderRefused) as announced:
            smtp.sendmail(ALI, [SUPPORT], mail("x" * 70 + "\n" * 20_000))
        assert announced.value.smtp_code == 552
        smtp.esmtp_features.pop("size")  # a client that does not say how much is coming
        with pytest.raises(smtplib.SMTPDataError) as late:
            smtp.sendmail(ALI, [SUPPORT], mail("line\n" * 20_000))
        assert late.value.smtp_code == 552
        smtp.sendmail(ALI, [SUPPORT], mail())
    assert len(stored()) == 1


def test_starttls_is_offered_and_works(make_channel: MakeChannel, tmp_path: Path) -> None:
    make_channel()
    certificate, key = certificates.make(tmp_path)
    with receiving(certificate=str(certificate), key=str(key)) as running:
        with smtplib.SMTP("localhost", running.smtp_port) as smtp:
            smtp.starttls(context=ssl.create_default_context(cafile=str(certificate)))
            smtp.sendmail(ALI, [SUPPORT], mail())
        with client(running) as smtp:  # and who cannot do it is taken as well
            smtp.sendmail(ALI, [SUPPORT], mail())
    assert len(stored()) == 2


def test_while_the_store_is_away_the_sender_is_told_to_come_back(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: object, **_options: object) -> None:
        raise OperationalError("the store is away")

    with client(receiver) as smtp:
        with monkeypatch.context() as patch:
            patch.setattr(receive, "store", away)
            with pytest.raises(smtplib.SMTPDataError) as refused:
                smtp.sendmail(ALI, [SUPPORT], mail())
            assert refused.value.smtp_code == 451
            patch.setattr(Channel.objects, "filter", away)
            patch.setattr(directory, "ADDRESSES_FOR", -1.0)
            with pytest.raises(smtplib.SMTPRecipientsRefused) as unknown:
                smtp.sendmail(ALI, [SUPPORT], mail())
            assert unknown.value.recipients[SUPPORT][0] == 451
        smtp.sendmail(ALI, [SUPPORT], mail())
    assert len(stored()) == 1


def test_a_dead_database_connection_is_replaced(receiver: Receiver) -> None:
    from django.db import connection, connections

    # The one of async tests, which would be dead when the next of them begins.
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
    with client(receiver) as smtp:
        smtp.sendmail(ALI, [SUPPORT], mail("first"))
        with connection.cursor() as cursor:  # as when PostgreSQL is restarted
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        for attempt in range(6):
            try:
                smtp.sendmail(ALI, [SUPPORT], mail("second"))
                break
            except (smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused):
                assert attempt < 5
    assert len(stored()) == 2


def test_an_aborted_mail_leaves_nothing(receiver: Receiver) -> None:
    with socket.create_connection(("127.0.0.1", receiver.smtp_port)) as raw:
        file = raw.makefile("rb")
        file.readline()
        for line in (b"HELO x", b"MAIL FROM:<a@b.example>", b"RCPT TO:<" + SUPPORT.encode() + b">", b"DATA"):
            raw.sendall(line + b"\r\n")
            file.readline()
        raw.sendall(b"Subject: half a m")
    with client(receiver) as smtp:
        smtp.noop()
    assert not stored()


class Sender:
    """A client that says as much of a mail as it is told to."""

    def __init__(self, receiver: Receiver) -> None:
        self.socket = socket.create_connection(("127.0.0.1", receiver.smtp_port), timeout=20)
        self.file = self.socket.makefile("rb")
        self.file.readline()
        self.say("EHLO x")

    def say(self, line: str) -> int:
        self.socket.sendall(line.encode() + b"\r\n")
        return self.hear()

    def hear(self) -> int:
        while (answer := self.file.readline())[3:4] == b"-":
            pass
        return int(answer[:3] or 0)

    def begin(self, size: int | None = None) -> int:
        """The answer to DATA."""
        self.say("MAIL FROM:<a@b.example>" + ("" if size is None else f" SIZE={size}"))
        self.say(f"RCPT TO:<{SUPPORT}>")
        return self.say("DATA")

    def send(self, count: int) -> None:
        self.socket.sendall((b"x" * 998 + b"\r\n") * (count // 1000))


@pytest.fixture
def narrow(receiver: Receiver) -> Receiver:
    """A receiver that holds a megabyte at a time."""
    receiver.handler.budget.limit = 1_000_000
    return receiver


def wait_for_bytes(receiver: Receiver, count: int) -> None:
    deadline = time.monotonic() + 10
    while sum(mail.received for mail in list(receiver.handler.budget.mails.values())) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_mails_whose_size_nobody_told_stay_within_the_memory_too(narrow: Receiver) -> None:
    senders = [Sender(narrow) for _one in range(3)]
    assert [one.begin() for one in senders] == [354, 354, 354]
    for one in senders[:2]:
        one.send(330_000)
    wait_for_bytes(narrow, 660_000)
    senders[2].send(450_000)
    assert senders[2].hear() == 452
    assert [one.say(".") for one in senders[:2]] == [250, 250]
    wait_until_free(narrow)
    assert len(stored()) == 1  # they are the same, byte for byte


def test_room_is_set_aside_at_data_and_given_back(narrow: Receiver) -> None:
    first, second, third = Sender(narrow), Sender(narrow), Sender(narrow)
    first.say("MAIL FROM:<a@b.example> SIZE=900000")  # and does nothing more: it costs nothing
    assert second.begin(900_000) == 354
    assert third.begin(900_000) == 452
    assert third.say("RSET") == 250
    second.socket.shutdown(socket.SHUT_RDWR)
    wait_until_free(narrow)
    assert third.begin(900_000) == 354
    assert third.say("Subject: x\r\n\r\nhello\r\n.") == 250
    assert second.file.readline() == b""
    wait_until_free(narrow)


def wait_until_free(receiver: Receiver) -> None:
    deadline = time.monotonic() + 10
    while receiver.handler.budget.mails:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_who_announces_much_and_falls_silent_starves_nobody(narrow: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    silent, other = Sender(narrow), Sender(narrow)
    assert silent.begin(900_000) == 354
    assert other.begin(900_000) == 452
    monkeypatch.setattr(module, "SILENT_FOR", 0.0)
    assert other.say("RSET") == 250
    assert other.begin(900_000) == 354
    assert other.say("Subject: x\r\n\r\nhello\r\n.") == 250
    assert silent.say("Subject: y\r\n\r\nhello\r\n.") == 250
    assert len(stored()) == 2


def test_lmtp_answers_for_each_recipient(make_channel: MakeChannel) -> None:
    make_channel()
    make_channel("sales", "sales@rabta.example")
    with receiving(lmtp_port=0) as running, socket.create_connection(("127.0.0.1", running.lmtp_port or 0)) as raw:
        file = raw.makefile("rb")

        def say(line: bytes, answers: int = 1) -> list[bytes]:
            raw.sendall(line + b"\r\n")
            found = [file.readline() for _one in range(answers)]
            while found[-1][3:4] == b"-":
                found.append(file.readline())
            return found

        file.readline()
        say(b"LHLO x")
        say(b"MAIL FROM:<>")
        assert say(b"RCPT TO:<support@rabta.example>")[0].startswith(b"250")
        assert say(b"RCPT TO:<nobody@rabta.example>")[0].startswith(b"550")
        assert say(b"RCPT TO:<sales@rabta.example>")[0].startswith(b"250")
        say(b"DATA")
        assert [one[:3] for one in say(b"Subject: x\r\n\r\nhello\r\n.", 2)] == [b"250", b"250"]
        assert say(b"NOOP")[0].startswith(b"250")
    assert len(stored()) == 2


def test_the_mail_process_lives_takes_thirty_megabytes_and_ends_at_once(make_channel: MakeChannel) -> None:
    make_channel()
    port = free_port()
    environment = {**os.environ, "DATABASE_URL": database_url(), "SMTP_IN_PORT": str(port), "RABTA_PROCESS": "mail"}
    process = subprocess.Popen([sys.executable, "manage.py", "mail"], env=environment)
    try:
        wait_for(port, process, 30)
        raw = mail() + (b"x" * 76 + b"\r\n") * (30 * 1024 * 1024 // 78)
        before = peak_memory(process.pid)
        smtp = smtplib.SMTP("127.0.0.1", port, timeout=60)
        smtp.sendmail(ALI, [SUPPORT], raw)
        assert peak_memory(process.pid) - before < 6 * len(raw)
        assert Heartbeat.objects.get(process="mail").name.endswith(f":{process.pid}")
        began = time.monotonic()
        process.terminate()  # with a session open
        assert process.wait(10) == 0
        assert time.monotonic() - began < 5
        assert smtp.getreply()[0] == 421
        smtp.close()
    finally:
        stop(process)
    assert Receipt.objects.get().size == len(raw)


def peak_memory(pid: int) -> int:
    """The most bytes a process has held in memory so far."""
    return next(
        int(line.split()[1]) * 1024
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )


def test_a_port_in_use_is_said(make_channel: MakeChannel) -> None:
    with receiving() as running:
        environment = {**os.environ, "DATABASE_URL": database_url(), "SMTP_IN_PORT": str(running.smtp_port)}
        done = subprocess.run(
            [sys.executable, "manage.py", "mail"], env=environment, capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 1
    assert f"Cannot take mail on 127.0.0.1:{running.smtp_port}" in done.stderr
