"""`manage.py up`: all of Rabta in one process tree.

Its options are read in manage.py, before the settings (config/options.py).
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from types import FrameType
from typing import Any, TextIO
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from config import assets, embedded, local, options, supervision
from config.translations import compile_translations
from inbox import first_run
from inbox.models import Agent

STOP_WITHIN = 9.0  # seconds, then SIGKILL: the whole takes less than ten
MIGRATION_LOCK = 7_226_822  # pg_advisory_lock: one migration at a time, whoever starts it
PR_SET_CHILD_SUBREAPER = 36  # prctl(2): orphans of the tree become our children, so that none outlives us


class Stop(BaseException):
    """Somebody asked us to end: Ctrl-C, or SIGTERM."""


class Command(BaseCommand):
    help = "Runs all of Rabta here: PostgreSQL and Redis unless their URLs are set, web, workers, beat, mail receiver."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        options.add_arguments(parser)

    def handle(self, *args: Any, **kwargs: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, stop)
        try:
            with locked(settings.DATA_DIR) as lock:
                self.run(lock)
        except embedded.CannotStart as error:
            raise CommandError(str(error)) from error
        except Stop:
            return
        except Exception:
            # Stop may arrive in the middle of a transaction, whose own cleaning up then fails in other words.
            if not stopping.is_set():
                raise

    def run(self, lock: int) -> None:
        data_dir: Path = settings.DATA_DIR
        check_ports()
        for default, port in options.moved:
            self.say(f"Port {default} is in use by another program; taking {port} instead.")
        if not (data_dir / "postgres").exists() and settings.EMBEDDED_POSTGRES:
            self.say(f"First start: making a database in {data_dir} ...")
        opened = embedded.prepare(data_dir)
        for folder in opened:
            self.say(f"Let other users pass through {folder} (o+x): PostgreSQL does not run as root.")
        programs = supervision.server_programs(
            data_dir, postgres=settings.EMBEDDED_POSTGRES, redis=settings.EMBEDDED_REDIS
        ) + supervision.app_programs(demo=settings.DEMO)
        if not settings.DEBUG:
            assets.collect(settings.STATIC_ROOT)
        adopt_orphans()
        supervisor = supervision.Supervisor(data_dir, programs, lock)
        try:
            supervisor.wait_until_ready()
            self.prepare_database(data_dir)
            people, mailbox = self.demo() if settings.DEMO else ([], "")
            connection.close()
            supervisor.start_app()
            self.wait_for_pages(supervisor)
            self.wait_for_mail(supervisor)
            self.greet(people, mailbox)
            self.watch(supervisor)
        finally:
            self.stop(supervisor)

    def prepare_database(self, data_dir: Path) -> None:
        if settings.EMBEDDED_POSTGRES:
            embedded.wait_for_postgres(data_dir, recovering=lambda: self.say("PostgreSQL is putting itself right ..."))
            embedded.ensure_database(data_dir)
        if settings.EMBEDDED_REDIS:
            embedded.wait_for_redis(data_dir)
        compile_translations(*map(Path, settings.LOCALE_PATHS))
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise embedded.CannotStart(f"PostgreSQL at DATABASE_URL does not answer: {error}") from error
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        executor = MigrationExecutor(connection)
        if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.say(f"Bringing the database up to date ({len(plan)} steps) ...")
        call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])

    def demo(self) -> tuple[list[tuple[str, str, str]], str]:
        """Make the demo organisation; returns its people (e-mail, password, role) and its support address."""
        from sandbox import demo  # here alone: without a demo nothing of the sandbox is loaded

        if not Agent.objects.exists():
            self.say("Making a demo organisation ...")
        return demo.ensure(), demo.SUPPORT

    def wait_for_pages(self, supervisor: supervision.Supervisor) -> None:
        deadline, deaths = time.monotonic() + 120, 0
        while time.monotonic() < deadline and deaths < 2:
            # Another program may have taken the port since it was looked at; its answer says nothing about ours.
            if answers("/healthz") and supervisor.listens("web", settings.PORT):
                return
            check_alive(supervisor)
            deaths += supervisor.restarted().count("web")
            time.sleep(0.1)
        log = settings.DATA_DIR / "log" / "web.log"
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise embedded.CannotStart(f"The web process does not answer; see {log}: {''.join(last)}")

    def wait_for_mail(self, supervisor: supervision.Supervisor) -> None:
        """Until mail can be handed over as the greeting says; pages are there without it, and it may come later."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not supervisor.listens("mail", settings.SMTP_IN_PORT):
            check_alive(supervisor)
            time.sleep(0.1)

    def greet(self, people: list[tuple[str, str, str]], mailbox: str) -> None:
        lines = [f"Rabta is at {settings.BASE_URL}/", ""]
        if settings.DEMO:
            lines += ["Log in as (demo people, known to everybody):"]
            width = max((len(email) for email, _, _ in people), default=0)
            lines += [f"  {email:{width}}  {password}  ({role})" for email, password, role in people]
            lines += ["", f"Be a customer in the browser:  {settings.BASE_URL}/sandbox/"]
        elif first_run.is_empty():
            # Whoever can read this may administer it anyway.
            lines += ["Nobody is here yet. Open this to begin as its first admin:"]
            lines += [f"  {settings.BASE_URL}{first_run.welcome_path()}", ""]
        where = f"{reached(settings.SMTP_IN_HOST)}:{settings.SMTP_IN_PORT}"
        lines += [f"Mail comes in by SMTP at:      {where}{', for ' + mailbox if mailbox else ''}"]
        if mailbox:
            letter = r"From: you@example.com\nSubject: Hello\n\nWhere is my parcel?"
            lines += [
                f"  curl --url smtp://{where} --mail-from you@example.com --mail-rcpt {mailbox} -T - <<< $'{letter}'"
            ]
        lines += [f"Data and logs:                 {settings.DATA_DIR}"]
        if settings.EMBEDDED_POSTGRES:
            lines += [f"The database, for psql:        {settings.DATABASE_URL}"]
        lines += [""]
        if settings.DEMO:
            lines += [
                "This is a demo, not production: the log-ins above are public, /sandbox/ is open to anyone who reaches",
                "this address, and connections to private networks are allowed. --no-demo leaves all three out.",
            ]
        if settings.EMBEDDED_POSTGRES:
            lines += [
                "The embedded PostgreSQL trusts every process that reaches its socket; set DATABASE_URL in production."
            ]
        self.say("\n".join([*lines, "Ctrl-C stops everything."]))

    def watch(self, supervisor: supervision.Supervisor) -> None:
        """Stay until asked to stop; say which process had to be started again."""
        while True:
            check_alive(supervisor)
            reap(supervisor.process.pid)
            for name in supervisor.restarted():
                self.say(f"{time.strftime('%H:%M:%S')} {name} had ended and was started again; see log/{name}.log")
            time.sleep(1)

    def stop(self, supervisor: supervision.Supervisor) -> None:
        """End the whole tree; what does not end by itself in time is killed."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        supervisor.stop(seconds=STOP_WITHIN)
        deadline = time.monotonic() + 2
        while left := [child for child in psutil.Process().children(recursive=True) if is_running(child)]:
            if supervisor.process.returncode is None or time.monotonic() > deadline:
                for child in left:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        child.kill()
            supervisor.process.poll()
            reap(supervisor.process.pid)
            time.sleep(0.05)

    def say(self, text: str) -> None:
        with contextlib.suppress(OSError):  # the terminal may be gone
            self.stdout.write(text)
            self.stdout.flush()


stopping = threading.Event()


def stop(number: int, frame: FrameType | None) -> None:
    stopping.set()
    raise Stop


@contextlib.contextmanager
def locked(data_dir: Path) -> Iterator[int]:
    """Hold the lock on `data_dir` (a file descriptor). Raises CommandError when another `up` has it."""
    try:
        local.make_private(data_dir)
        handle = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CommandError(f"Cannot write to {data_dir} ({error.strerror}). Use another folder: --data DIR") from error
    with os.fdopen(handle, "r+") as file:
        deadline = time.monotonic() + 12
        while not try_lock(file):
            holder = Path(data_dir / "lock").read_text().strip()
            if (holder and is_alive(int(holder))) or time.monotonic() > deadline:
                raise CommandError(
                    f"Rabta already runs on {data_dir} (process {holder or 'unknown'}). "
                    "Stop it, or use another folder: --data DIR"
                )
            time.sleep(0.1)  # it was killed, and its supervisor is still stopping the rest
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield file.fileno()


def try_lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def check_ports() -> None:
    """Raises CannotStart when a port of ours is taken."""
    wanted = [
        ("web pages", settings.HOST, settings.PORT, "--port N"),
        ("incoming mail", settings.SMTP_IN_HOST, settings.SMTP_IN_PORT, "SMTP_IN_PORT=N"),
    ]
    if settings.DEMO:
        wanted.append(("the sandbox's mail server", "127.0.0.1", settings.SANDBOX_SMTP_PORT, "SANDBOX_SMTP_PORT=N"))
    for what, host, port, remedy in wanted:
        if not options.is_free(host, port):
            raise embedded.CannotStart(
                f"Port {port} on {host} (for {what}) is in use by another program. Choose another: {remedy}"
            )


def answers(path: str) -> bool:
    """Whether anybody answers for a page of ours, whatever the answer."""
    try:
        with urlopen(f"http://{reached(settings.HOST)}:{settings.PORT}{path}", timeout=5):
            return True
    except HTTPError:
        return True
    except (URLError, OSError, HTTPException):  # the last: it speaks no HTTP
        return False


def reached(host: str) -> str:
    """How this machine itself reaches what listens on `host`, as URLs spell it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def check_alive(supervisor: supervision.Supervisor) -> None:
    if supervisor.process.poll() is not None:
        raise embedded.CannotStart("The process supervisor was killed, so everything else was stopped. Start again.")


def adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def reap(keep: int) -> None:
    """Read the exit codes of ended orphans; `keep` is left to its own Popen."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid != keep:
            os.waitpid(ended.si_pid, 0)


def is_alive(pid: int) -> bool:
    try:
        return is_running(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def is_running(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
