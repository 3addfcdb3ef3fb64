"""Outgoing HTTP refuses private networks at the socket, follows no redirect and reads no more than asked."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import override_settings

from lib import http, net
from tests.servers import certificates


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://10.0.0.1/inside")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Length", "3000")
        self.end_headers()
        self.wfile.write(b"x" * 3000)

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    running = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def test_it_reads(server: str) -> None:
    answer = http.Session().get(server, stream=True)
    assert http.body(answer, 3000) == b"x" * 3000


def test_it_reads_no_more_than_asked(server: str) -> None:
    with pytest.raises(http.TooLarge):
        http.body(http.Session().get(server, stream=True), 2999)


def test_redirects_are_not_followed(server: str) -> None:
    assert http.Session().get(f"{server}/away").status_code == 302


@override_settings(ALLOW_PRIVATE_NETWORKS=False)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "127.1"])
def test_private_networks_are_refused(server: str, host: str) -> None:
    with pytest.raises(net.Refused, match="private network"):
        http.Session().get(server.replace("127.0.0.1", host))


def test_proxies_of_the_environment_are_not_asked(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert http.Session().get(server).status_code == 200


def test_a_server_that_is_not_there_is_an_error_of_requests() -> None:
    with pytest.raises(requests.ConnectionError):
        http.Session().get("http://127.0.0.1:1/")


@contextmanager
def dripping(tls: ssl.SSLContext | None) -> Iterator[int]:
    """A server that sends a byte of its headers now and then, for as long as somebody listens; gives its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            plain, _address = listener.accept()
            with plain if tls is None else tls.wrap_socket(plain, server_side=True) as peer:
                peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                while True:
                    peer.sendall(b"x")
                    time.sleep(0.02)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join(5)
    assert not thread.is_alive(), "the connection was cut"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_whole_exchange_is_cut(scheme: str, tmp_path: Path) -> None:
    """Bytes that come one by one run into no time-out of the socket."""
    tls, trusted = None, True
    if scheme == "https":
        certificate, key = certificates.make(tmp_path)
        tls, trusted = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), str(certificate)  # type: ignore[assignment]
        tls.load_cert_chain(certificate, key)
    began = time.monotonic()
    with dripping(tls) as port, suppress(requests.RequestException), net.cut_after(0.4), http.Session() as session:
        session.get(f"{scheme}://localhost:{port}/", verify=trusted)
    assert 0.3 < time.monotonic() - began < 5


def test_nothing_is_cut_in_time(server: str) -> None:
    with net.cut_after(5), http.Session() as session:
        assert session.get(server).status_code == 200
    assert http.Session().get(server).status_code == 200
    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    for timer in timers:
        timer.join(2)  # one that was called off is on its way out
    assert not any(timer.is_alive() for timer in timers)


def test_what_is_opened_too_late_is_not_used(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up of the name may take longer than all there is; nobody can cut that off."""
    connect = net.connect

    def slow(*args: Any) -> socket.socket:
        time.sleep(0.2)
        return connect(*args)

    monkeypatch.setattr(net, "connect", slow)
    with net.cut_after(0.05), pytest.raises(requests.RequestException), http.Session() as session:
        session.get(server)
