"""A visitor’s file that is too large is refused before it comes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from channels_chat import bodies
from inbox.models import Channel
from tests.channels_chat.visitor import VisitorPage
from tests.servers.web import Server

pytestmark = pytest.mark.django_db(transaction=True)
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64


@pytest.fixture
def page(server: Server) -> Iterator[VisitorPage]:
    shop = Channel.objects.create(kind="chat", slug="shop", name="Shop", settings={"file_mb": 1})
    with VisitorPage(server.url, shop) as page:
        page.say("Look")
        yield page


class Wire:
    """A client that writes HTTP by hand."""

    def __init__(self, page: VisitorPage, *headers: str, query: str = "") -> None:
        place = urlsplit(page.server)
        self.socket = socket.create_connection((place.hostname, place.port), timeout=20)
        lines = [
            f"POST /chat/{page.channel.token}/files/{query} HTTP/1.1",
            f"Host: {place.netloc}",
            f"X-Rabta-Key: {page.key}",
            "Origin: https://shop.example",
            "Content-Type: multipart/form-data; boundary=b",
            *headers,
        ]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def answer(self) -> tuple[str, dict[str, str]]:
        """The head of the answer and its JSON; the connection ends with it."""
        found = b""
        while part := self.socket.recv(65536):
            found += part
        head, _empty, body = found.partition(b"\r\n\r\n")
        return head.decode(), json.loads(body)


def test_what_says_that_it_is_too_large_is_refused_at_once(page: VisitorPage) -> None:
    """Not a byte of it is sent; the answer comes all the same, in the visitor's language, for their page to read."""
    wire = Wire(page, f"Content-Length: {bodies.most(1) + 1}", query="?locale=ur")
    head, told = wire.answer()
    assert head.startswith("HTTP/1.1 413") and "connection: close" in head.lower()
    assert "access-control-allow-origin: https://shop.example" in head.lower()
    assert told["why"] == "too_large" and "1" in told["text"] and not told["text"].startswith("Files")


def test_what_does_not_say_how_large_it_is_is_not_read(page: VisitorPage) -> None:
    head, told = Wire(page, "Transfer-Encoding: chunked").answer()
    assert head.startswith("HTTP/1.1 411") and told == {"why": "too_large", "text": "Files may have at most 1 MB."}


def test_what_is_within_it_is_taken(page: VisitorPage) -> None:
    where = f"{page.server}/chat/{page.channel.token}/files/"
    key = {"X-Rabta-Key": page.key}
    whole = requests.post(where, files={"file": ("a.png", PNG, "image/png")}, headers=key, timeout=10)
    assert whole.status_code == 201
    large = requests.post(where, files={"file": ("a.png", PNG + b"\x00" * 1024 * 1024)}, headers=key, timeout=10)
    assert (large.status_code, large.json()["why"]) == (413, "too_large")  # within what a form may have around it
    nobody = f"{page.server}/chat/nobody/files/"
    assert requests.post(nobody, files={"file": ("a.png", PNG)}, timeout=10).status_code == 404
    assert requests.options(where, timeout=10).status_code == 204
