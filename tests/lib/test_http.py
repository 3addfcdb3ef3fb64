"""Outgoing HTTP refuses private networks at the socket, follows no redirect and reads no more than asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
from django.test import override_settings

from lib import http, net


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
