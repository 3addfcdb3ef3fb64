"""A real web process on the test run's own PostgreSQL and Redis, over the database of the running test."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import requests
from django.db import connection

from config import local
from tests.servers import dns
from tests.servers.ports import free_port

ROOT = Path(__file__).resolve().parents[2]


def database_url() -> str:
    """Where another process finds the database of the running test."""
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))


def collect_static() -> None:
    """Static files as `up` makes them, once for all that run side by side: browsers keep them, as they do elsewhere."""
    place = Path(os.environ["DATA_DIR"])
    with place.with_name("collecting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not local.has_static_files(place / "static"):
            command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
            subprocess.run(command, cwd=ROOT, check=True)


class Server:
    """The web process, which a test may stop and start again on the same port."""

    def __init__(self) -> None:
        self.port = free_port()
        self.around = ExitStack()
        self.url = f"http://localhost:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        collect_static()
        names = self.around.enter_context(dns.running({}))  # nothing here asks the world's DNS
        log = Path(os.environ["RABTA_TEST_SERVERS"], f"web-{self.port}.log").open("ab")  # noqa: SIM115
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "uvicorn",
                "config.asgi:application",
                "--port",
                str(self.port),
                "--log-level",
                "warning",
                "--ws",
                "lib.websocket:Protocol",
                "--ws-per-message-deflate",
                "false",
                "--ws-max-size",
                "2000000",
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database_url(),
                "BASE_URL": self.url,
                "RABTA_PROCESS": "web",
                "DNS_SERVER": names.address,
                "PORT": str(self.port),
            },
            stdout=log,
            stderr=log,
        )
        log.close()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                requests.get(f"{self.url}/accounts/login/", timeout=5)
                return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError("the web process did not answer within 30 s")

    def stop(self) -> None:
        self.around.close()
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None
