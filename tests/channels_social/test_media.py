"""Files that platforms keep, where the platform is hostile or broken: bounded in bytes, memory, time; never inside."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from channels_social import media, meta_events
from channels_social.facebook import parsing as facebook
from inbox.adapters import Inbound, InboundFile, NotFetched, RemoteMedia
from lib import http

MB = 1024 * 1024
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
PAGE = b"<!DOCTYPE html><html><body>Log in to go on</body></html>"
BOMB = gzip.compress(bytes(60 * MB), 9)
PHOTO = RemoteMedia({}, "photo.jpg", "image/jpeg")


class Store(BaseHTTPRequestHandler):
    """A platform's file server. The path says what it does; what it sent is counted."""

    sent = 0
    asked: list[str] = []

    def log_message(self, *_arguments: object) -> None:
        pass

    def give(self, content: bytes, kind: str = "image/png", status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Type": kind, "Content_Length": str(len(content)), **headers}.items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def forever(self, piece: bytes, pause: float = 0.0) -> None:
        try:
            while True:
                self.wfile.write(piece)
                Store.sent += len(piece)
                time.sleep(pause)
        except OSError:
            pass

    def do_GET(self) -> None:
        what, _, more = self.path[1:].partition("?")
        Store.asked.append(f"{self.headers['Host'].partition(':')[0]}/{what}")
        match what:
            case "endless":
                self.give(b"", Content_Length="")
                self.forever(b"x" * 65536)
            case "two-gigabytes":
                self.give(b"", Content_Length=str(2 * 1024 * MB))
                self.forever(b"x" * 65536)
            case "drip":
                self.give(b"", Content_Length=str(MB))
                self.forever(b"x", 0.02)
            case "page":
                self.give(PAGE, "image/jpeg")
            case "page-as-page":
                self.give(PAGE, "text/html")
            case "json":
                self.give(b'{"error": {"message": "URL signature expired"}}', "application/json")
            case "wrong-type":
                self.give(PNG, "text/html; charset=utf-8")
            case "bomb":
                self.give(BOMB, Content_Encoding="gzip")
            case "bombs":
                self.give(gzip.compress(BOMB, 9), Content_Encoding="gzip, gzip")
            case "no-gzip":
                self.give(PNG, Content_Encoding="gzip")
            case "empty":
                self.give(b"")
            case "cut":
                self.give(PNG, Content_Length="5000")
            case "odd-length":
                self.send_response(200)
                self.send_header("Content-Length", "many")
                self.end_headers()
                self.wfile.write(PNG)
            case "to":
                self.give(b"", status=302, Location=unquote(more))
            case "program":
                self.give(b"MZ\x90\x00" + bytes(60), "image/jpeg")
            case _:
                self.give(PNG if what == "good" else b"", status=int(what) if what.isdigit() else 200)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[str]:
    """The file server, as a public address of the internet: whatever else is connected to fails the test."""
    Store.sent, Store.asked = 0, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    settings.ALLOW_PRIVATE_NETWORKS, settings.MEDIA_MAX_MB = False, 1
    address: Any = server.server_address
    really, connected = socket.getaddrinfo, socket.create_connection
    names = {"media.example": "93.184.216.34", "inside.example": "10.0.0.5", "mapped.example": "::ffff:10.0.0.5",
             "meta.example": "169.254.169.254"}  # fmt: skip

    def resolve(host: str, port: int, *given: Any, **options: Any) -> Any:
        return really(names.get(host, host), port, *given, **options)

    def connect(target: tuple[str, int], **options: Any) -> socket.socket:
        assert target == ("93.184.216.34", 80), f"connected to {target}"
        return connected(address, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    yield "http://media.example"
    server.shutdown()
    server.server_close()


def fetch(url: str, wanted: RemoteMedia = PHOTO) -> InboundFile:
    with http.Session() as session:
        return media.download(session, url, wanted)


def not_fetched(url: str, wanted: RemoteMedia = PHOTO) -> NotFetched:
    with pytest.raises(NotFetched) as caught:
        fetch(url, wanted)
    assert len(str(caught.value.reason)) > 10
    return caught.value


@pytest.mark.parametrize("what", ["endless", "two-gigabytes", "bomb", "bombs"])
def test_no_more_is_read_than_is_kept(store: str, what: str) -> None:
    tracemalloc.start()
    try:
        assert not_fetched(f"{store}/{what}").permanent
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6 * MB  # with a limit of one
    assert Store.sent < 12 * MB  # what the sockets' buffers took


def test_what_says_beforehand_that_it_is_too_large_is_not_asked_for(store: str) -> None:
    assert not_fetched(f"{store}/good", RemoteMedia({}, "film.mp4", "video/mp4", 2 * 1024 * MB)).permanent
    assert Store.asked == []


def test_a_drip_ends_with_its_time(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "SECONDS", 0.3)
    began = time.monotonic()
    assert not not_fetched(f"{store}/drip").permanent
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("claimed", ["image/jpeg", "image/*", "audio/ogg", "video/mp4"])
@pytest.mark.parametrize("what", ["page", "page-as-page", "json", "empty", "cut", "no-gzip"])
def test_what_is_no_picture_is_none_and_asked_for_again(store: str, what: str, claimed: str) -> None:
    assert not not_fetched(f"{store}/{what}", RemoteMedia({}, "", claimed)).permanent


def test_what_it_is_says_the_file_itself(store: str) -> None:
    for what in ("wrong-type", "good", "odd-length"):
        found = fetch(f"{store}/{what}", RemoteMedia({}, "", "image/*"))
        assert (found.name, found.content_type, found.content) == ("image.png", "image/png", PNG), what
    assert fetch(f"{store}/page-as-page", RemoteMedia({}, "page.html", "")).content_type == "application/octet-stream"
    assert fetch(f"{store}/empty", RemoteMedia({}, "empty.txt", "text/plain")).content == b""
    assert not_fetched(f"{store}/program").permanent


@pytest.mark.parametrize(("status", "permanent"), [(404, True), (410, True), (403, False), (401, False), (429, False),
                                                   (500, False), (503, False), (204, False)])  # fmt: skip
def test_what_a_status_means(store: str, status: int, permanent: bool) -> None:
    assert not_fetched(f"{store}/{status}").permanent is permanent


INSIDE = [
    "http://169.254.169.254/latest/meta-data/", "http://127.0.0.1/", "http://127.1/", "http://2130706433/",
    "http://0x7f.1/", "http://localhost/", "http://0.0.0.0/", "http://10.1.2.3/", "http://192.168.1.1/",
    "http://172.16.0.1/", "http://100.64.0.1/", "http://[::1]/", "http://[::]/", "http://[fd00::1]/",
    "http://[fe80::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:10.0.0.5]/", "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/", "http://inside.example/", "http://mapped.example/", "http://meta.example/",
    "//10.1.2.3/x", "https://10.1.2.3/",
]  # fmt: skip


@pytest.mark.parametrize("target", INSIDE)
def test_nothing_leads_inside(store: str, target: str) -> None:
    if target.startswith("http"):
        assert not_fetched(target).permanent
    refused = not_fetched(f"{store}/to?{target}")
    assert refused.permanent
    assert "private network" in str(refused.reason)


def test_where_a_redirect_may_lead(store: str) -> None:
    assert fetch(f"{store}/to?{store}/good").content == PNG
    assert fetch(f"{store}/to?/good").content == PNG
    assert not not_fetched(f"{store}/to?/to?/good").permanent, "one is enough"
    for target in (
        "file:///etc/passwd",
        "ftp://media.example/x",
        "gopher://x",
        "data:image/png;base64,AAAA",
    ):
        assert not_fetched(f"{store}/to?{target}").permanent, target


def test_our_token_goes_to_nobody_else(store: str) -> None:
    told: list[str | None] = []

    class Watching(http.Session):
        def request(self, *given: Any, **options: Any) -> Any:
            told.append((options.get("headers") or {}).get("Authorization"))
            return super().request(*given, **options)

    with Watching() as session:
        media.download(session, f"{store}/to?/good", PHOTO, headers={"Authorization": "Bearer secret"})
    assert told == ["Bearer secret", None]


def test_what_meta_says_of_a_file_is_enough_to_know_a_page_in_its_place(store: str) -> None:
    """Messenger and Instagram name no type: by its kind it has to be a picture, sound or a film."""
    kinds = ("image", "audio", "video", "file")
    sent = [{"type": kind, "payload": {"url": f"{store}/page-as-page"}} for kind in kinds]
    event = {"sender": {"id": "1"}, "recipient": {"id": "2"}, "message": {"mid": "m", "attachments": sent}}
    (said,) = meta_events.conversation(event, meta_events.Account("facebook", "2", "s", "s", "k"), timezone.now())
    assert isinstance(said, Inbound)
    *seen_or_heard, file = said.remote
    for one in seen_or_heard:
        not_fetched(one.ref["url"], one)
    assert fetch(file.ref["url"], file).content_type == "application/octet-stream"
    value = {"item": "comment", "verb": "add", "comment_id": "1_2", "photo": f"{store}/page", "video": f"{store}/page",
             "from": {"id": "1"}}  # fmt: skip
    account = meta_events.Account("facebook", "2", "s", "s", "k")
    (comment,) = facebook.comment({"field": "feed", "value": value}, account, timezone.now())
    assert isinstance(comment, Inbound)
    assert len(comment.remote) == 2
    for one in comment.remote:
        not_fetched(one.ref["url"], one)
