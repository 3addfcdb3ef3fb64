"""`up` says that it is ready when its own pages answer, and not when somebody else's do."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest

from config import supervision
from config.embedded import CannotStart
from config.management.commands.up import Command, answers


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def port(settings: Any) -> Iterator[int]:
    """Where this test's own process answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        settings.HOST, settings.PORT = "127.0.0.1", server.server_port
        yield server.server_port
        server.shutdown()


class Supervised(supervision.Supervisor):
    """As supervisor tells of a web process that `pid` is, and that it starts again and again."""

    def __init__(self, pid: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
        self.data_dir, self.starts = Path(), {}
        self.web, self.asked = pid or self.process.pid, 0
        monkeypatch.setattr(supervision, "call", self.told)

    def told(self, _data_dir: Path, method: str, *of: str) -> Any:
        if method == "getProcessInfo":
            assert of == ("app:web",)
            return {"pid": self.web}
        self.asked += 1
        return [{"name": "web", "start": self.asked}]


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> Iterator[Supervised]:
    """A web process that does not get its port."""
    made = Supervised(0, monkeypatch)
    yield made
    made.process.communicate()


def test_our_own_pages_are_waited_for(port: int, other: Supervised) -> None:
    other.web = os.getpid()
    Command().wait_for_pages(other)
    assert other.listens("web", port)
    assert not other.listens("web", port + 1)


def test_another_programs_pages_are_not_ours(port: int, other: Supervised, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "web.log").write_text("Starting\naddress already in use\n")
    with pytest.raises(CannotStart, match=r"web process does not answer.*address already in use"):
        Command().wait_for_pages(other)
    assert not other.listens("web", port)
    other.web = 0  # as supervisor says of one that has ended
    assert not other.listens("web", port)


def test_where_nobody_may_look_who_listens_its_answer_will_do(
    port: int, other: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a process with rights of its own, such as to take port 443, the system shows nothing."""

    def denied(*_: Any) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil.Process, "net_connections", denied)
    Command().wait_for_pages(other)
    assert other.listens("web", port)
    monkeypatch.setattr(psutil.Process, "status", lambda _process: psutil.STATUS_ZOMBIE)
    assert not other.listens("web", port), "it has just ended"
    other.web = 0
    assert not other.listens("web", port)


def test_what_speaks_no_http_is_no_page(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.HOST, settings.PORT = server.getsockname()

        def greet() -> None:
            with server.accept()[0] as one:
                one.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
                one.recv(4096)

        Thread(target=greet, daemon=True).start()
        assert not answers("/healthz")
