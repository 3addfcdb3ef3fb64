"""The widget's script, the full page, and files in and out, over HTTP: sizes, headers, origins, hostile input."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from channels_chat import bundle, doors, uploads
from channels_chat.actions import visitors
from channels_chat.models import Visitor
from channels_chat.shades import contrast, shades
from channels_chat.views import widget
from inbox import sniffing
from inbox.models import Agent, Attachment, Channel
from tests.cast import sana, team

__all__ = ["sana", "team"]

MOST_BYTES = 20 * 1024
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
SHOP = "https://shop.example"


@pytest.fixture
def channel(db: None) -> Channel:
    doors.forget()
    return Channel.objects.create(kind="chat", name="Shop", slug="shop")


@pytest.fixture
def key(channel: Channel) -> str:
    return visitors.meet(channel, {"name": "Ayesha"})[1]


def change(channel: Channel, **settings: Any) -> None:
    channel.settings = {**channel.settings, **settings}
    channel.save()
    doors.forget()


def send(channel: Channel, key: str, file: SimpleUploadedFile, **headers: str) -> Any:
    return Client().post(f"/chat/{channel.token}/files/", {"file": file}, headers={"x-rabta-key": key, **headers})


# The script ------------------------------------------------------------------------------------------------------


def test_the_script_is_small_and_made_for_other_sites(channel: Channel) -> None:
    answer = Client().get(f"/chat/{channel.token}/widget.js", headers={"accept-encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert len(answer.content) <= MOST_BYTES, len(answer.content)
    assert b"attachShadow" in gzip.decompress(answer.content)
    assert answer["Content-Type"].startswith("text/javascript")
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer["Cache-Control"] == "public, max-age=300, stale-while-revalidate=86400"
    assert not answer.cookies and "Cookie" not in answer.get("Vary", "")
    again = Client().get(f"/chat/{channel.token}/widget.js", headers={"if-none-match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_script_with_everything_in_it_is_small_too(channel: Channel) -> None:
    one = {
        "name": "Cart",
        "on": True,
        "text": {"en": "Questions?", "ur": "سوال؟"},
        "all": [{"is": "url", "value": "*"}],
    }
    change(
        channel,
        invitations=[{**one, "key": f"cart{number}"} for number in range(5)],
        topics=[{"key": f"t{number}", "label": {"en": "Orders", "ur": "آرڈر"}} for number in range(8)],
        prechat=[{"key": "name", "label": {"en": "Name", "ur": "نام"}}],
        texts={"en": {"greeting": "Welcome to our shop! " * 5}},
    )
    assert len(bundle.script(channel)[1]) <= MOST_BYTES


def test_words_stand_in_the_script_by_their_places(channel: Channel) -> None:
    """Their keys would cost hundreds of bytes; one that is no word's fails where the script is made."""
    assert not bundle.SPOKEN.search(bundle._code(0.0))
    with pytest.raises(ValueError, match="nonsense"):
        bundle.SPOKEN.sub(bundle._placed, 't("nonsense")')


def test_settings_cannot_break_out_of_the_script(channel: Channel) -> None:
    change(channel, texts={"en": {"greeting": "</script><script>alert(1)//\u2028\"'"}})
    text = bundle.script(channel)[0].decode()
    assert "</script>" not in text and "\u2028" not in text
    assert "identity_secret" not in text


def test_changed_settings_are_another_script(channel: Channel) -> None:
    before = bundle.script(channel)[2]
    change(channel, colour="#aa3377")
    assert bundle.script(channel)[2] != before


@pytest.mark.parametrize("path", ["", "widget.js", "files/", "files/x/", "faces/x/"])
def test_what_is_not_open_is_not_there(channel: Channel, path: str) -> None:
    assert Client().get(f"/chat/{'x' * 32}/{path}").status_code == 404
    channel.paused = True
    channel.save()
    doors.forget()
    assert Client().get(f"/chat/{channel.token}/{path}").status_code == 404


def test_a_mailbox_is_no_chat(db: None) -> None:
    mailbox = Channel.objects.create(kind="email", name="Mail", slug="mail")
    assert Client().get(f"/chat/{mailbox.token}/widget.js").status_code == 404


def test_the_full_page(channel: Channel) -> None:
    answer = Client().get(f"/chat/{channel.token}/?locale=ur")
    assert b'<html lang="ur" dir="rtl">' in answer.content
    assert "frame-ancestors" not in answer["Content-Security-Policy"]  # every site may
    assert "X-Frame-Options" not in answer
    assert "unsafe" not in answer["Content-Security-Policy"] and not answer.cookies
    change(channel, origins=[SHOP, "https://*.example.org"])
    policy = Client().get(f"/chat/{channel.token}/")["Content-Security-Policy"]
    assert policy.endswith(f"; frame-ancestors 'self' {SHOP} https://*.example.org")


def test_text_can_be_read_whatever_the_colour() -> None:
    for red in range(0, 256, 51):
        for green in range(0, 256, 51):
            for blue in range(0, 256, 51):
                found = {name: read(one) for name, one in shades(f"#{red:02x}{green:02x}{blue:02x}").items()}
                assert contrast(found["on"], found["fill"]) >= 4.5
                assert contrast(found["light"], (255, 255, 255)) >= 4.5
                assert contrast(found["dark"], (24, 26, 31)) >= 4.5
    assert shades("red; background: url(x)") == shades("#0f766e")


def read(text: str) -> tuple[int, int, int]:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


# Files -----------------------------------------------------------------------------------------------------------


def test_a_file_goes_in_and_comes_out(channel: Channel, key: str) -> None:
    answer = send(channel, key, SimpleUploadedFile("pic.png", PNG, "image/png"), origin=SHOP)
    assert answer.status_code == 201
    assert answer["Access-Control-Allow-Origin"] == SHOP
    told = answer.json()
    assert (told["type"], told["image"], told["size"]) == ("image/png", True, len(PNG))
    visitor = Visitor.objects.get()
    row = uploads.opened(visitor, told["file"])
    assert row is not None and row.message is None

    other, _key = visitors.meet(channel, {})
    assert uploads.opened(other, told["file"]) is None
    assert uploads.opened(visitor, told["file"][:-2] + "xx") is None

    fetched = Client().get(uploads.address(channel, row))
    assert fetched.getvalue() == PNG
    assert fetched["Content-Type"] == "image/png"
    assert fetched["X-Content-Type-Options"] == "nosniff"
    assert fetched["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert fetched["Cross-Origin-Resource-Policy"] == "cross-origin"


def test_an_address_is_good_for_its_channel_and_for_hours(
    channel: Channel, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(channel, key, SimpleUploadedFile("a.txt", b"hello", "text/plain"))
    address = uploads.address(channel, Attachment.objects.get())
    second = Channel.objects.create(kind="chat", name="Other", slug="other")
    assert Client().get(address.replace(channel.token, second.token)).status_code == 404
    assert Client().get(address[:-3] + "x/").status_code == 404
    assert Client().get(address).status_code == 200
    monkeypatch.setattr(uploads, "FETCH_AGE", -1)
    assert Client().get(address).status_code == 404


@pytest.mark.parametrize(
    ("name", "claimed", "content", "kind"),
    [
        ("pic.png", "image/png", b"<html><script>alert(1)</script>", "application/octet-stream"),
        ("pic.svg", "image/svg+xml", b"<svg onload='alert(1)'>", "application/octet-stream"),
        ("page.html", "text/html", b"<!doctype html><script>", "application/octet-stream"),
        ("note.txt", "text/plain", b"<script>alert(1)</script>", "application/octet-stream"),
        ("note.txt", "text/plain", "پارسل کہاں ہے".encode() * 400, "text/plain"),
        ("note.txt", "image/png", PNG, "image/png"),
        ("bill.pdf", "application/x-evil", b"%PDF-1.7", "application/pdf"),
        ("setup.exe", "image/png", b"hello", None),
        ("photo.jpg", "image/jpeg", b"MZ\x90\x00", None),
        ("run.sh", "text/plain", b"echo", None),
        ("run", "text/plain", b"#!/bin/sh\n", None),
    ],
)
def test_files_are_what_their_bytes_say(name: str, claimed: str, content: bytes, kind: str | None) -> None:
    assert sniffing.kind_of(content, name, claimed) == kind


def test_what_is_no_picture_is_never_shown_in_the_page(channel: Channel, key: str) -> None:
    told = send(channel, key, SimpleUploadedFile("pic.png", b"<script>alert(1)</script>", "image/png")).json()
    assert (told["type"], told["image"]) == ("application/octet-stream", False)
    answer = Client().get(uploads.address(channel, Attachment.objects.get()))
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")


def test_files_are_refused_in_words(channel: Channel, key: str) -> None:
    def why(answer: Any) -> tuple[int, str]:
        assert answer.json()["text"]
        return answer.status_code, answer.json()["why"]

    note = SimpleUploadedFile("a.txt", b"hello", "text/plain")
    assert why(send(channel, "wrong", note)) == (403, "key")
    assert why(send(channel, key, SimpleUploadedFile("a.exe", b"x"))) == (415, "kind")
    assert why(send(channel, key, SimpleUploadedFile("a.txt", b""))) == (400, "empty")
    change(channel, file_mb=1)
    assert why(send(channel, key, SimpleUploadedFile("a.txt", b"x" * (1024 * 1024 + 1)))) == (413, "too_large")
    change(channel, files=False)
    assert why(send(channel, key, note)) == (403, "off")
    visitors.end(Visitor.objects.get())
    assert why(send(channel, key, note)) == (403, "key")
    assert not Attachment.objects.exists()


def test_a_flood_of_files_is_stopped(channel: Channel, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widget, "MOST_UPLOADS", 2)
    codes = [send(channel, key, SimpleUploadedFile(f"{n}.txt", b"x")).status_code for n in range(4)]
    assert codes == [201, 201, 429, 429]


def test_only_allowed_sites_send_files(channel: Channel, key: str) -> None:
    change(channel, origins=[SHOP])
    note = SimpleUploadedFile("a.txt", b"hello")
    assert send(channel, key, note, origin="https://evil.example").status_code == 403
    assert send(channel, key, SimpleUploadedFile("a.txt", b"hello"), origin=SHOP).status_code == 201
    path = f"/chat/{channel.token}/files/"
    asked = Client().options(path, headers={"origin": SHOP})
    assert asked["Access-Control-Allow-Headers"] == "X-Rabta-Key"
    assert asked["Access-Control-Allow-Origin"] == SHOP and "Access-Control-Allow-Credentials" not in asked
    refused = Client().options(path, headers={"origin": "https://evil.example"})
    assert refused.status_code == 403 and "Access-Control-Allow-Origin" not in refused


def test_faces_of_agents_are_shown_under_signed_addresses(channel: Channel, sana: Agent) -> None:
    from inbox import files

    assert uploads.face(channel, sana) == ""
    sana.photo = files.put("photos", PNG)[0]
    sana.save()
    address = uploads.face(channel, sana)
    assert Client().get(address).content == PNG
    assert Client().get(address[:-3] + "x/").status_code == 404
