"""Answering, and what single messages and files offer; nothing that a stranger sent runs here."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from inbox.actions import counts, reply, uploads
from inbox.models import Agent, Attachment, Channel, Message, MessageCopy, Ticket
from tests.cast import question
from tests.inbox.views.conftest import Desk


def sent(number: int) -> list[Message]:
    return list(Message.objects.filter(ticket=number, direction="out"))


def test_a_double_click_sends_once(as_sana: Desk, ticket: Ticket) -> None:
    data = {
        "kind": "reply",
        "text": "On Thursday.",
        "client_id": "abc",
        "to": "Ayesha Khan <ayesha@example.com>",
        "cc": "",
    }
    for _click in range(2):
        assert as_sana.post(f"/tickets/{ticket.pk}/messages/", data, part=True).status_code == 200
    (message,) = sent(ticket.pk)
    assert message.to == [{"name": "Ayesha Khan", "address": "ayesha@example.com"}]
    assert message.state == "queued"


PAUSED = "This channel is paused: the reply waits until it goes on."


def test_who_answers_on_a_paused_channel_is_told(as_sana: Desk, ticket: Ticket, support: Channel) -> None:
    path = f"/tickets/{ticket.pk}/"
    assert PAUSED not in as_sana.get(path).content.decode()
    Channel.objects.filter(pk=support.pk).update(paused=True)
    assert PAUSED in as_sana.get(path).content.decode()
    assert PAUSED in as_sana.get(f"{path}changes/", part=True).content.decode()


def test_lists_show_what_was_written_without_its_signature(ticket: Ticket, sana: Agent) -> None:
    sana.signature = "Sana\nRabta Store"
    sana.save()
    file = uploads.upload(by=sana, name="label.txt", content_type="text/plain", content=b"label")
    for text, files in (("On Thursday.", []), ("", [file.pk])):
        message = reply.reply(ticket, by=sana, text=text, attachments=files)
        assert "Rabta Store" in message.text
        ticket.refresh_from_db()
        assert ticket.preview == text
        counts.recount(ticket)
        assert ticket.preview == text


CHANGED = {
    "text": "On Friday.",
    "to": "boss@example.com",
    "cc": "boss@example.com",
    "bcc": "boss@example.com",
    "kind": "note",
}


@pytest.mark.parametrize("part", [True, False])
@pytest.mark.parametrize("changed", CHANGED)
def test_something_else_under_the_same_id_is_not_swallowed(
    as_sana: Desk, ticket: Ticket, changed: str, part: bool
) -> None:
    path = f"/tickets/{ticket.pk}/messages/"
    data = {
        "kind": "reply",
        "text": "On Thursday.",
        "client_id": "abc",
        "to": "ayesha@example.com",
        "cc": "",
        "bcc": "",
        "confirmed": "boss@example.com",
    }
    assert as_sana.post(path, data, part=True).status_code == 200
    other = {**data, changed: CHANGED[changed]}
    answer = as_sana.post(path, other, part=part)
    html = answer.content.decode()
    assert answer.status_code == 422 and "An earlier version of this was already sent" in html
    fresh = re.search(r'name="client_id" id="client-id" value="(\w+)"', html)
    assert fresh and fresh[1] != "abc"
    assert Message.objects.exclude(direction="in").count() == 1
    assert as_sana.post(path, {**other, "client_id": fresh[1]}, part=True).status_code == 200
    assert Message.objects.exclude(direction="in").count() == 2


def test_a_second_click_with_a_file_sends_once(as_sana: Desk, ticket: Ticket) -> None:
    for content in (b"parcel label", b"parcel label", b"another label"):
        file = SimpleUploadedFile("label.txt", content, "text/plain")
        data = {"kind": "reply", "text": "See the file.", "client_id": "abc", "files": file}
        answer = as_sana.post(f"/tickets/{ticket.pk}/messages/", data)
        assert answer.status_code == (422 if content == b"another label" else 302)
    assert len(sent(ticket.pk)) == 1


@pytest.mark.parametrize("part", [True, False])
def test_an_emptied_to_is_nobody(as_sana: Desk, ticket: Ticket, part: bool) -> None:
    data = {"kind": "reply", "text": "For the boss alone", "to": " ", "cc": "boss@example.com"}
    answer = as_sana.post(f"/tickets/{ticket.pk}/messages/", data, part=part)
    assert answer.status_code == 422 and "Name somebody in To." in answer.content.decode()
    assert not sent(ticket.pk)
    note = {"kind": "note", "text": "For us alone", "to": "", "cc": ""}
    assert as_sana.post(f"/tickets/{ticket.pk}/messages/", note, part=True).status_code == 200


def test_a_plain_form_works_too(as_sana: Desk, ticket: Ticket) -> None:
    file = SimpleUploadedFile("label.txt", b"parcel label", "text/plain")
    data = {"kind": "reply", "text": "See the file.", "status": "solved", "files": file}
    assert as_sana.post(f"/tickets/{ticket.pk}/messages/", data).status_code == 302
    (message,) = sent(ticket.pk)
    assert message.attachments.get().name == "label.txt"
    ticket.refresh_from_db()
    assert ticket.status == "solved"


@pytest.mark.parametrize("part", [True, False])
def test_what_is_refused_is_not_lost(as_sana: Desk, ticket: Ticket, part: bool) -> None:
    data = {"kind": "reply", "text": "My long answer", "to": "nonsense"}
    answer = as_sana.post(f"/tickets/{ticket.pk}/messages/", data, part=part)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert "“nonsense” is not an address." in html
    assert part or "My long answer</textarea>" in html
    assert not sent(ticket.pk)


def test_recipients_as_seen_are_recipients_as_sent(as_sana: Desk, ticket: Ticket) -> None:
    data = {
        "kind": "reply",
        "text": "Hello",
        "to": "Ayesha <ayesha@example.com>",
        "cc": "boss@example.com; Zain <zain@example.com>",
        "bcc": "",
    }
    as_sana.post(f"/tickets/{ticket.pk}/messages/", data, part=True)
    (message,) = sent(ticket.pk)
    assert [one["address"] for one in message.cc] == ["boss@example.com", "zain@example.com"]


def test_light_agents_leave_notes_only(as_lena: Desk, ticket: Ticket) -> None:
    assert as_lena.post(f"/tickets/{ticket.pk}/messages/", {"kind": "reply", "text": "Hello"}).status_code == 403
    assert as_lena.post(f"/tickets/{ticket.pk}/messages/", {"kind": "note", "text": "Look"}).status_code == 302
    assert Message.objects.filter(direction="note").count() == 1
    html = as_lena.get(f"/tickets/{ticket.pk}/").content.decode()
    assert 'id="tab-reply"' not in html and 'id="solve"' not in html


def test_outsiders_answer_nobody(as_bilal: Desk, ticket: Ticket) -> None:
    assert as_bilal.post(f"/tickets/{ticket.pk}/messages/", {"kind": "note", "text": "x"}).status_code == 404


@pytest.fixture
def inbound(ticket: Ticket) -> Message:
    message = Message.objects.get(ticket=ticket, direction="in")
    message.html = '<p>Hello <img src="cid:logo@x"><img data-remote-src="https://example.com/a.png"></p>'
    message.save()
    return message


PATHS = ["messages/{0}/raw/", "messages/{0}/html/", "attachments/{1}/"]


@pytest.mark.parametrize("path", PATHS)
def test_outsiders_read_nothing(as_bilal: Desk, inbound: Message, path: str) -> None:
    file = uploads.upload(by=None, name="a.txt", content_type="text/plain", content=b"secret")
    Attachment.objects.update(message=inbound)
    assert as_bilal.get("/" + path.format(inbound.pk, file.pk)).status_code == 404


@pytest.mark.parametrize("noun", ["retry", "ticket", "sender"])
def test_outsiders_and_light_agents_touch_no_message(
    as_bilal: Desk, as_lena: Desk, inbound: Message, noun: str
) -> None:
    assert as_bilal.post(f"/messages/{inbound.pk}/{noun}/", {"new": "yes"}).status_code == 404
    assert as_lena.post(f"/messages/{inbound.pk}/{noun}/", {"new": "yes"}).status_code == 403


def test_mail_html_is_a_page_without_rights(as_sana: Desk, inbound: Message) -> None:
    logo = uploads.upload(by=None, name="logo.png", content_type="image/png", content=b"\x89PNG")
    Attachment.objects.update(message=inbound, content_id="logo@x", inline=True)
    answer = as_sana.get(f"/messages/{inbound.pk}/html/")
    policy, html = answer["Content-Security-Policy"], answer.content.decode()
    assert policy.startswith("sandbox ") and "allow-scripts" not in policy and "default-src 'none'" in policy
    assert "https:" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert f'src="/attachments/{logo.pk}/?show=inline"' in html
    assert ' src="https://example.com/a.png"' not in html
    asked = as_sana.get(f"/messages/{inbound.pk}/html/?images=yes")
    assert ' src="https://example.com/a.png"' in asked.content.decode()
    assert "https:" in asked["Content-Security-Policy"]


def test_files_are_downloads(as_sana: Desk, inbound: Message) -> None:
    for name, kind, inline in (
        ("x.html", "text/html", False),
        ("x.svg", "image/svg+xml", False),
        ("x.png", "image/png", True),
    ):
        file = uploads.upload(by=None, name=name, content_type=kind, content=b"<script>alert(1)</script>")
        Attachment.objects.filter(pk=file.pk).update(message=inbound)
        answer = as_sana.get(f"/attachments/{file.pk}/?show=inline")
        assert answer["Content-Disposition"].startswith("inline" if inline else "attachment")
        assert answer["Content-Type"] == (kind if inline else "application/octet-stream")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"].startswith("sandbox")
        assert as_sana.get(f"/attachments/{file.pk}/")["Content-Disposition"].startswith("attachment")


def test_uploads_belong_to_their_owner(as_sana: Desk, as_lena: Desk, ticket: Ticket) -> None:
    answer = as_sana.post("/uploads/", {"file": SimpleUploadedFile("a.txt", b"hello", "text/plain")})
    assert answer.status_code == 201
    (file,) = Attachment.objects.all()
    assert f'value="{file.pk}"' in answer.content.decode()
    stolen: dict[str, Any] = {"kind": "note", "text": "mine now", "attachments": [file.pk]}
    assert as_lena.post(f"/tickets/{ticket.pk}/messages/", stolen, part=True).status_code == 422
    assert as_lena.get(f"/attachments/{file.pk}/").status_code == 404
    assert as_sana.post("/uploads/").status_code == 400


def test_retry_and_the_reason(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    message = reply.reply(ticket, by=sana, text="Hello")
    Message.objects.filter(pk=message.pk).update(state="failed", error="no such mailbox")
    html = as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "no such mailbox" in html and f"/messages/{message.pk}/retry/" in html
    assert as_sana.post(f"/messages/{message.pk}/retry/", part=True).status_code == 200
    message.refresh_from_db()
    assert message.state == "queued"


def test_moving_a_message(as_sana: Desk, support: Any, ticket: Ticket) -> None:
    other = question(support, "Something else")
    message = Message.objects.get(ticket=other)
    assert as_sana.post(f"/messages/{message.pk}/ticket/", {"ticket": ""}, part=True).status_code == 422
    answer = as_sana.post(f"/messages/{message.pk}/ticket/", {"ticket": f"#{ticket.pk}"}, part=True)
    assert f"/tickets/{ticket.pk}/" in answer["HX-Location"]
    message.refresh_from_db()
    assert message.ticket_id == ticket.pk
    assert as_sana.post(f"/messages/{message.pk}/ticket/", {"new": "yes"}).status_code == 302
    message.refresh_from_db()
    assert message.ticket_id not in {ticket.pk, other.pk}


def test_an_unverified_sender_is_confirmed(as_sana: Desk, inbound: Message) -> None:
    Message.objects.filter(pk=inbound.pk).update(unverified=True)
    page = as_sana.get(f"/tickets/{inbound.ticket_id}/").content.decode()
    assert "was not part of this conversation" in page
    html = as_sana.post(f"/messages/{inbound.pk}/sender/", part=True).content.decode()
    assert "was not part of this conversation" not in html


def test_what_people_write_is_text(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    reply.note(ticket, by=sana, text="<script>alert(1)</script> <hx-partial hx-target='body'>x</hx-partial>")
    html = as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "<script>alert" not in html and "<hx-partial" not in html


def test_a_profile(as_sana: Desk, sana: Agent) -> None:
    data = {"language": "ur", "theme": "dark", "time_zone": "Asia/Karachi", "next": "https://evil.example/"}
    assert as_sana.post("/profile/", data)["Location"] == "/"
    sana.refresh_from_db()
    assert (sana.language, sana.theme, sana.time_zone) == ("ur", "dark", "Asia/Karachi")
    html = as_sana.get("/").content.decode()
    assert 'lang="ur" dir="rtl" data-theme="dark" data-zone="Asia/Karachi"' in html
    as_sana.post("/profile/", {**data, "time_zone": "Mars/Olympus"})
    sana.refresh_from_db()
    assert sana.time_zone == "Asia/Karachi"


def test_a_mail_that_reached_two_mailboxes_says_so(as_sana: Desk, inbound: Message) -> None:
    sales = Channel.objects.create(kind="email", name="Sales desk", slug="sales", addresses=["sales@example.org"])
    MessageCopy.objects.create(message=inbound, channel=sales)
    assert "Also reached" in as_sana.get(f"/tickets/{inbound.ticket_id}/").content.decode()
