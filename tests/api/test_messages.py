from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inbox import files
from inbox.actions import channels, receive
from inbox.adapters import RawReceipt
from inbox.models import Attachment, Channel, DeliveryState, Message, Receipt, Ticket
from tests.api.conftest import Api, problem

SHAPE = """
id ticket direction origin side to cc bcc channel author subject text html visible_text language content_kind content
rating comment public edited_at withdrawn_at reactions external_id in_reply_to is_auto_reply attachments delivery
send_at logged created_at received_at
"""
MAIL = b"""From: Ayesha Khan <ayesha@example.com>
To: support@example.org
Subject: Where is my parcel?
Message-ID: <one@example.com>
Date: Sat, 21 Nov 2026 10:00:00 +0000

It should be here by now.
"""


@pytest.fixture
def mail(support: Channel) -> Message:
    """Ayesha's question, taken in from the bytes of a mail."""
    [stored] = receive.store(support, [RawReceipt(MAIL, "one")], claim=True)
    [outcome] = receive.take_in([stored.receipt_id])
    return Message.objects.get(pk=outcome.message)


def test_a_message_has_the_promised_shape(as_sana: Api, mail: Message) -> None:
    body = as_sana.get(f"/messages/{mail.pk}/").json()
    assert set(body) == set(SHAPE.split())
    assert body["author"] == {
        "type": "customer",
        "id": mail.customer_id,
        "name": "Ayesha Khan",
        "address": "ayesha@example.com",
    }
    assert body["direction"] == "in"
    assert body["delivery"] is None
    assert as_sana.get(f"/tickets/{mail.ticket_id}/messages/").json()["results"] == [body]


def test_a_review_says_what_it_gave_also_beside_words(as_zoya: Api, support: Channel) -> None:
    reviews = channels.create("api", "reviews", {}, by=None)
    told = {"type": "message.created", "from": {"id": "ali"}, "rating": {"value": 2.5, "of": 10}}
    for identifier, text in (("r1", "Too small."), ("r2", "")):
        raw = json.dumps({**told, "id": identifier, "text": text, "thread": {"id": identifier}}).encode()
        [stored] = receive.store(reviews, [RawReceipt(raw, identifier)], claim=True)
        receive.take_in([stored.receipt_id])
    seen = [as_zoya.get(f"/messages/{row.pk}/").json() for row in Message.objects.order_by("pk")]
    assert [(one["text"], one["rating"]) for one in seen] == [
        ("Too small.", {"value": 2.5, "of": 10}),
        ("", {"value": 2.5, "of": 10}),
    ]
    assert [one["content_kind"] for one in seen] == ["text", "rating"]


def test_outsiders_get_404_everywhere(as_sana: Api, as_bilal: Api, mail: Message) -> None:
    file = as_sana.upload("a.txt", b"a").json()
    reply = as_sana.post(
        f"/tickets/{mail.ticket_id}/messages/", {"kind": "reply", "text": "x", "attachments": [file["id"]]}
    ).json()
    for path in (f"/messages/{mail.pk}/", f"/messages/{mail.pk}/raw/", f"/attachments/{file['id']}/"):
        problem(as_bilal.get(path), 404)
    problem(as_bilal.post(f"/messages/{reply['id']}/retry/"), 404)


def test_a_reply_is_queued_to_whoever_wrote(as_sana: Api, mail: Message) -> None:
    response = as_sana.post(f"/tickets/{mail.ticket_id}/messages/", {"kind": "reply", "text": "It left today."})
    assert response.status_code == 201, response.content
    body = response.json()
    assert body["to"] == [{"name": "Ayesha Khan", "address": "ayesha@example.com"}]
    assert (body["direction"], body["delivery"]["state"], body["author"]["name"]) == ("out", "queued", "Sana")
    assert response["Location"] == f"http://testserver/api/v1/messages/{body['id']}/"
    assert as_sana.get(f"/tickets/{mail.ticket_id}/").json()["status"] == "pending"


def test_a_reply_says_all_it_can(as_sana: Api, mail: Message) -> None:
    file = as_sana.upload("slip.pdf", b"%PDF-", "application/pdf").json()
    response = as_sana.post(
        f"/tickets/{mail.ticket_id}/messages/",
        {
            "kind": "reply",
            "html": '<p>It <b>left</b> today.</p><img src="x" onerror="alert(1)">',
            "channel": "support",
            "to": [{"address": "Ayesha@Example.com"}],
            "cc": [{"name": "Dawud", "address": "dawud@example.com"}],
            "bcc": [],
            "attachments": [file["id"]],
            "status": "solved",
        },
    )
    assert response.status_code == 201, response.content
    body = response.json()
    assert body["to"] == [{"name": "", "address": "ayesha@example.com"}]
    assert body["cc"] == [{"name": "Dawud", "address": "dawud@example.com"}]
    assert "onerror" not in body["html"]
    assert body["text"].startswith("It left today.")
    assert body["attachments"] == [{**file, "name": "slip.pdf", "content_type": "application/pdf", "size": 5}]
    assert as_sana.get(f"/tickets/{mail.ticket_id}/").json()["status"] == "solved"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "reply"}, "text"),
        ({"kind": "reply", "text": "  "}, "text"),
        ({"kind": "reply", "text": "x", "colour": "red"}, "colour"),
        ({"kind": "reply", "text": "x", "to": []}, "to"),
        ({"kind": "reply", "text": "x", "to": "ayesha@example.com"}, "to"),
        ({"kind": "reply", "text": "x", "to": [{"address": "ayesha"}]}, "to.0.address"),
        ({"kind": "reply", "text": "x", "cc": [{"address": "a@example.com\r\nBcc: x@example.com"}]}, "cc.0.address"),
        ({"kind": "reply", "text": "x", "status": "closed"}, "status"),
        ({"kind": "reply", "text": "x", "attachments": "all"}, "attachments"),
        ({"kind": "note", "text": "x", "to": [{"address": "a@example.com"}]}, "to"),
        ({"kind": "note", "text": "x", "status": "open"}, "status"),
        ({"kind": "note", "text": "x", "send_at": "2036-01-01T00:00:00Z"}, "send_at"),
        ({"kind": "reply", "text": "x", "send_at": "tomorrow"}, "send_at"),
        ({"kind": "reply", "text": "x", "medium": "call"}, "medium"),
        ({"kind": "logged", "direction": "in"}, "medium"),
        ({"kind": "logged", "medium": "call"}, "direction"),
        ({"kind": "logged", "medium": "chat", "direction": "in"}, "medium"),
        ({"kind": "logged", "medium": "call", "direction": "in", "seconds": -1}, "seconds"),
        ({"kind": "logged", "medium": "call", "direction": "in", "to": [{"address": "a@example.com"}]}, "to"),
        ({"kind": "reply", "html": "<b>" * 5000}, "html"),
    ],
)
def test_wrong_fields_are_named(as_sana: Api, mail: Message, body: dict[str, Any], field: str) -> None:
    found = problem(as_sana.post(f"/tickets/{mail.ticket_id}/messages/", body), 400, "invalid")
    assert list(found["errors"]) == [field]
    assert Message.objects.count() == 1


def test_a_note_stays_here(as_sana: Api, mail: Message) -> None:
    body = as_sana.post(
        f"/tickets/{mail.ticket_id}/messages/", {"kind": "note", "html": "<p>Ask the courier</p>"}
    ).json()
    assert (body["direction"], body["text"], body["delivery"]) == ("note", "Ask the courier", None)
    problem(as_sana.get(f"/messages/{body['id']}/raw/"), 404)


def test_messages_come_oldest_first_in_pages(as_sana: Api, mail: Message) -> None:
    for n in range(4):
        as_sana.post(f"/tickets/{mail.ticket_id}/messages/", {"kind": "note", "text": f"{n}"})
    page = as_sana.get(f"/tickets/{mail.ticket_id}/messages/?page_size=2").json()
    second = as_sana.get(page["next"].removeprefix("http://testserver/api/v1")).json()
    assert [row["text"] for row in second["results"]] == ["1", "2"]


def test_retry_queues_a_failed_message_again(as_sana: Api, as_lena: Api, mail: Message) -> None:
    made = as_sana.post(f"/tickets/{mail.ticket_id}/messages/", {"kind": "reply", "text": "x"}).json()
    Message.objects.filter(pk=made["id"]).update(state=DeliveryState.FAILED, error="550", attempts=3)
    problem(as_lena.post(f"/messages/{made['id']}/retry/"), 403)
    body = as_sana.post(f"/messages/{made['id']}/retry/").json()
    assert (body["delivery"]["state"], body["delivery"]["attempts"]) == ("queued", 3)


def test_the_original_comes_byte_for_byte(as_sana: Api, mail: Message) -> None:
    response = as_sana.get(f"/messages/{mail.pk}/raw/", Accept="message/rfc822")
    assert response.content == MAIL
    assert response["Content-Type"] == "message/rfc822"
    assert response["Content-Disposition"].startswith("attachment;")
    sent = as_sana.post(f"/tickets/{mail.ticket_id}/messages/", {"kind": "reply", "text": "It left today."}).json()
    ours = as_sana.get(f"/messages/{sent['id']}/raw/")
    assert b"In-Reply-To: <one@example.com>" in ours.content
    assert sent["external_id"].encode() in ours.content
    Receipt.objects.update(raw=None)
    assert "no longer" in problem(as_sana.get(f"/messages/{mail.pk}/raw/"), 404)["detail"]


def test_a_large_original_comes_from_storage(as_sana: Api, support: Channel) -> None:
    large = MAIL + b"x" * 70 * 1000 + b"\n" * 300_000
    [stored] = receive.store(support, [RawReceipt(large, "large")], claim=True)
    [outcome] = receive.take_in([stored.receipt_id])
    assert Receipt.objects.get().raw is None
    assert as_sana.get(f"/messages/{outcome.message}/raw/").content == large


def test_files_are_downloads(as_sana: Api, as_bilal: Api, sana: Any) -> None:
    made = as_sana.upload('../رابطہ "<b>.html', b"<script>alert(1)</script>", "text/html")
    assert made.status_code == 201, made.content
    body = made.json()
    assert set(body) == {"id", "name", "content_type", "size", "inline", "url"}
    assert made["Location"] == body["url"]
    got = as_sana.get(f"/attachments/{body['id']}/")
    assert got.content == b"<script>alert(1)</script>"
    assert got["Content-Disposition"].startswith("attachment; filename*=UTF-8''%D8%B1")
    assert got["Content-Security-Policy"] == "sandbox"
    assert got["X-Content-Type-Options"] == "nosniff"
    problem(as_bilal.get(f"/attachments/{body['id']}/"), 404)
    Attachment.objects.filter(pk=body["id"]).update(stored="attachments/gone")
    problem(as_sana.get(f"/attachments/{body['id']}/"), 404)


def test_an_upload_needs_a_file(as_sana: Api) -> None:
    def send(data: dict[str, Any]) -> Any:
        return as_sana.client.post("/api/v1/attachments/", data, headers=as_sana.headers)

    assert list(problem(send({}), 400)["errors"]) == ["file"]
    assert list(problem(send({"file": "text"}), 400)["errors"]) == ["file"]
    file = SimpleUploadedFile("a.txt", b"a")
    assert list(problem(send({"file": file, "more": "x"}), 400)["errors"]) == ["more"]
    problem(as_sana.post("/attachments/", {"file": "x"}), 415)


def test_only_own_waiting_files_go_into_messages(as_sana: Api, as_bilal: Api, mail: Message) -> None:
    theirs = as_bilal.upload("a.txt", b"a").json()["id"]
    path = f"/tickets/{mail.ticket_id}/messages/"
    problem(as_sana.post(path, {"kind": "reply", "text": "x", "attachments": [theirs]}), 409, "attachment_gone")
    assert Message.objects.count() == 1
    assert files.get(Attachment.objects.get().stored) == b"a"


def test_no_message_no_answer(as_sana: Api, ticket: Ticket) -> None:
    problem(as_sana.get("/messages/999999/"), 404)
    problem(as_sana.get("/messages/999999999999999999999999/"), 404)
    problem(as_sana.get("/messages/"), 404)
