"""`receive_email`: the pipe of an MTA, and archives."""

import io
import json
import os
import pwd
import smtplib
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from config import embedded
from inbox.actions import receive
from inbox.models import Message, Receipt, Ticket
from tests.channels_email.conftest import ALI, SUPPORT, MakeChannel, database_url, mail
from tests.servers import postfix
from tests.servers.ports import folder

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def run(
    *arguments: str, stdin: bytes | None = None, monkeypatch: pytest.MonkeyPatch | None = None
) -> list[dict[str, Any]]:
    """The command's lines."""
    output = io.StringIO()
    if stdin is not None:
        assert monkeypatch is not None
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    call_command("receive_email", *arguments, "--channel", "support", stdout=output)
    return [json.loads(line) for line in output.getvalue().splitlines()]


def keep(path: Path, raw: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return path


@pytest.mark.django_db
class TestFromFiles:
    def test_a_mail_on_standard_input(self, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch) -> None:
        make_channel()
        raw = mail()
        (line,) = run(stdin=raw, monkeypatch=monkeypatch)
        ticket, message = Ticket.objects.get(), Message.objects.get()
        assert line == {"path": "-", "status": "created", "reason": "", "ticket": ticket.pk, "message": message.pk}
        (again,) = run(stdin=raw, monkeypatch=monkeypatch)
        assert (again["status"], again["ticket"]) == ("duplicate", ticket.pk)

    def test_files_maildirs_and_folders(self, make_channel: MakeChannel, tmp_path: Path) -> None:
        make_channel()
        one = keep(tmp_path / "one.txt", mail("1", subject="one"))
        keep(tmp_path / "box/new/1.M1", mail("2", subject="two"))
        keep(tmp_path / "box/cur/2.M2:2,S", mail("3", subject="three"))
        keep(tmp_path / "box/.Sent/cur/3.M3:2,S", mail("4", subject="four"))
        keep(tmp_path / "more/deep/a.eml", mail("5", subject="five"))
        keep(tmp_path / "more/readme.txt", b"no mail")
        lines = run(str(one), str(tmp_path / "box"), str(tmp_path / "more"))
        assert [line["status"] for line in lines] == ["created"] * 5
        assert sorted(Ticket.objects.values_list("subject", flat=True)) == ["five", "four", "one", "three", "two"]

    def test_an_answer_after_its_question_in_one_batch(self, make_channel: MakeChannel, tmp_path: Path) -> None:
        make_channel()
        keep(tmp_path / "1.eml", mail("q", message_id="<q@customer.example>"))
        keep(tmp_path / "2.eml", mail("a", in_reply_to="<q@customer.example>"))
        first, second = run(str(tmp_path))
        assert (second["status"], second["ticket"]) == ("appended", first["ticket"])

    def test_the_time_is_that_of_the_last_server(self, make_channel: MakeChannel, tmp_path: Path) -> None:
        make_channel()
        trace = b"Received: from a by b;\r\n\tFri, 3 Jan 2025 10:00:00 +0500\r\n"
        trace += b"Received: by c; Thu, 2 Jan 2025 10:00:00 +0000\r\n"
        run(str(keep(tmp_path / "old.eml", trace + mail())))
        assert Receipt.objects.get().at.isoformat() == "2025-01-03T05:00:00+00:00"

    def test_explain_tells_what_is_made_of_it(self, make_channel: MakeChannel, tmp_path: Path) -> None:
        make_channel()
        path = keep(tmp_path / "a.eml", mail("Hello\n\n> quoted", cc="bilal@customer.example"))
        (line,) = run("--explain", str(path))
        told = line["explain"]
        assert told["kind"] == "message"
        assert told["from"]["address"] == ALI
        assert told["thread"] == {"rule": "new", "detail": ""}
        (again,) = run("--explain", str(path))
        assert again["status"] == "duplicate"
        assert again["explain"]["subject"] == "My order"

    def test_a_dry_run_stores_nothing(self, make_channel: MakeChannel, tmp_path: Path) -> None:
        make_channel()
        (line,) = run("--dry-run", "--explain", str(keep(tmp_path / "a.eml", mail())))
        assert (line["status"], line["explain"]["from"]["address"]) == ("created", ALI)
        assert not Receipt.objects.exists()
        assert not Ticket.objects.exists()

    def test_what_cannot_be_parsed_is_stored_and_failed(self, make_channel: MakeChannel, tmp_path: Path) -> None:
        make_channel()
        keep(tmp_path / "1.eml", b"%PDF-1.7 no mail at all")
        keep(tmp_path / "2.eml", mail())
        failed, good = run("--explain", str(tmp_path))
        assert (failed["status"], good["status"]) == ("failed", "created")
        assert "no" in failed["reason"].lower()
        assert Receipt.objects.get(state="failed").size == 23

    def test_what_is_not_there_is_told_at_the_end(self, make_channel: MakeChannel, tmp_path: Path) -> None:
        make_channel()
        with pytest.raises(CommandError) as error:
            run(str(tmp_path / "nothing"), str(keep(tmp_path / "a.eml", mail())))
        assert error.value.returncode == 1
        assert Ticket.objects.count() == 1

    def test_a_store_that_is_away_is_told_to_the_mta(
        self, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_arguments: Any, **_options: Any) -> Any:
            raise OperationalError("no route to the store")

        make_channel()
        monkeypatch.setattr(receive, "store", away)
        with pytest.raises(CommandError) as error:
            run(stdin=mail(), monkeypatch=monkeypatch)
        assert error.value.returncode == 75

    def test_a_stored_mail_is_a_success_whatever_comes_after(
        self, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def away(*_arguments: Any, **_options: Any) -> Any:
            raise OperationalError("gone")

        make_channel()
        monkeypatch.setattr(receive, "take_in", away)
        (line,) = run(stdin=mail(), monkeypatch=monkeypatch)
        assert line["status"] == "failed"
        assert Receipt.objects.get().state == "new"


def test_no_database_at_all_is_exit_75() -> None:
    environment = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    done = subprocess.run(
        [sys.executable, "manage.py", "receive_email", "--channel", "support"],
        input=mail(),
        env=environment,
        cwd=BASE_DIR,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 75, done.stderr.decode()
    assert b"out of reach" in done.stderr


def python_of(user: str) -> str | None:
    """A command line that runs our Python as this user: ours or the system's with our packages, if any can."""
    packages = sysconfig.get_paths()["purelib"]
    for command in (sys.executable, f"env PYTHONPATH={packages} /usr/bin/python3"):
        trial = embedded.attached(
            ["/bin/sh", "-c", f"cd {BASE_DIR} && {command} -B -c 'import django, imapclient, psycopg, config'"],
            user=user,
        )
        environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "x", "ENCRYPTION_KEYS": "x", "DATABASE_URL": "x"}
        if subprocess.run(trial, cwd="/", capture_output=True, env=environment).returncode == 0:
            return command
    return None


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_postfix_hands_it_over_by_pipe_and_keeps_it_while_we_are_away(make_channel: MakeChannel) -> None:
    user = embedded.server_user()
    python = python_of(user) if user else None
    if user is None or python is None:
        pytest.skip(f"Postfix needs root, and {user} must be able to run Python in {BASE_DIR}")
    make_channel()
    with folder("rt-pipe-") as base:
        (base / "data").mkdir()
        os.chown(base / "data", pwd.getpwnam(user).pw_uid, -1)
        program, away = base / "receive", base / "away"
        kept = {name: os.environ[name] for name in ("SECRET_KEY", "ENCRYPTION_KEYS", "REDIS_URL")}
        exports = "".join(f"export {name}='{value}'\n" for name, value in kept.items())
        program.write_text(
            f"#!/bin/sh\n{exports}export DATABASE_URL='{database_url()}' DATA_DIR='{base}/data'\n"
            f"[ -e {away} ] && export DATABASE_URL=postgresql://nobody@127.0.0.1:1/none\n"
            f"cd {BASE_DIR} && exec {python} -B manage.py receive_email --channel support\n"
        )
        program.chmod(0o755)
        with postfix.running({SUPPORT: "pipe"}, pipe=(user, program)) as server:
            away.touch()
            with smtplib.SMTP("127.0.0.1", server.port) as smtp:
                smtp.sendmail(ALI, [SUPPORT], mail("first"))
            server.wait_for_log("status=deferred")
            assert not Receipt.objects.exists()
            away.unlink()
            server.flush()
            server.wait_until_empty(60)
    assert Message.objects.get().text.strip() == "first"
    assert Receipt.objects.get().state == "done"
