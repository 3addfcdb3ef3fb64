"""A whole Rabta as `manage.py up` runs it, in a folder and on ports of its own, for tests that kill and restart it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil

from config import embedded, supervision
from tests.servers.ports import free_port

BASE_DIR = Path(__file__).resolve().parent.parent
# What the test run sets for itself; an instance starts from nothing but its own options.
OWN_SETTINGS = (
    "DATABASE_URL",
    "REDIS_URL",
    "DATA_DIR",
    "SECRET_KEY",
    "ENCRYPTION_KEYS",
    "BASE_URL",
    "ALLOWED_HOSTS",
    "ALLOW_PRIVATE_NETWORKS",
    "DEMO",
    "RABTA_TEST_SERVERS",
    "PORT",
)


class Instance:
    """One `manage.py up`; it can be started again after it has ended, on the same data."""

    def __init__(self, data_dir: Path, *, port: int | None = None, options: Sequence[str] = ()) -> None:
        self.data_dir, self.options = data_dir, options
        self.port, self.smtp_port, self.sandbox_port = port or free_port(), free_port(), free_port()
        self.url = f"http://localhost:{self.port}"
        self.output = ""
        self.process: subprocess.Popen[str] | None = None
        self.supervisor: psutil.Process | None = None

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in OWN_SETTINGS}
        return {**kept, "SMTP_IN_PORT": str(self.smtp_port), "SANDBOX_SMTP_PORT": str(self.sandbox_port)}

    def command(self) -> list[str]:
        options = ["--data", str(self.data_dir), "--port", str(self.port), *self.options]
        return embedded.attached([sys.executable, "manage.py", "up", *options])  # ends also when the tests are killed

    def start(self, *, seconds: float = 180) -> "Instance":
        """Returns once it says that it is ready."""
        self.output = ""
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # Tests that a script began in the background ignore Ctrl-C, and so would what they start.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self.process = subprocess.Popen(
            self.command(),
            env=self.environment(),
            cwd=BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self.read, args=[self.process], daemon=True).start()
        process = self.process
        until(lambda: "Ctrl-C stops" in self.output or process.poll() is not None, "`up` is ready", seconds=seconds)
        assert process.poll() is None, self.output
        self.supervisor = next(
            child for child in psutil.Process(process.pid).children() if "supervisor.supervisord" in child.cmdline()
        )
        return self

    def read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.output += line

    def run_again(self) -> subprocess.CompletedProcess[str]:
        """A second `up` with the same options, expected to end by itself."""
        return subprocess.run(
            self.command(), env=self.environment(), cwd=BASE_DIR, capture_output=True, text=True, timeout=60
        )

    def manage(self, *arguments: str, stdin: str = "") -> str:
        """Run another manage.py command beside it; returns what it printed."""
        environment = {**self.environment(), "DATA_DIR": str(self.data_dir), "PORT": str(self.port), "DEMO": "1"}
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            env=environment,
            cwd=BASE_DIR,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def programs(self) -> dict[str, psutil.Process]:
        """The supervised processes that run now, by name (web, worker, postgres…)."""
        infos = supervision.call(self.data_dir, "getAllProcessInfo")
        found = {}
        for info in infos:
            with contextlib.suppress(psutil.NoSuchProcess):
                if info["pid"]:
                    found[info["name"]] = psutil.Process(info["pid"])
        return found

    def tree(self) -> list[psutil.Process]:
        """Every process of it, `up` itself included."""
        assert self.process is not None
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def leftovers(self) -> list[psutil.Process]:
        """Processes on this machine that belong to it, whoever their parent is by now."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("DATA_DIR") == str(self.data_dir) and process.status() != "zombie":
                    found.append(process)
        return found

    def answers(self) -> bool:
        try:
            with urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except HTTPError as error:
            return error.code < 500
        except (URLError, OSError):
            return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end; returns its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(20)


def until(true: Callable[[], object], what: str, *, seconds: float = 20) -> None:
    """Wait until `true()` is."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


def kill(processes: Iterable[psutil.Process]) -> None:
    """Kill each of them; one that went with its parent is as dead."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
