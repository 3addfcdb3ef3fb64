"""The customer's side: mail really goes out by SMTP, and what comes back is shown as a mail program shows it."""

import asyncio
import contextlib
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings

from channels_email.checks import way_back
from inbox import delivery
from inbox.actions import receive, reply
from inbox.models import Agent, Channel, Message, Ticket
from sandbox import demo, server
from sandbox.letters import LETTERS
from sandbox.models import SandboxMail
from tests.channels_email.conftest import SUPPORT, MakeChannel, receiving
from tests.servers.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)
ALI = "ali@example.net"


@contextlib.contextmanager
def outside(port: int) -> Iterator[None]:
    """The sandbox's mail server while the block runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(server.listen("127.0.0.1", port), loop).result(10)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(listening.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@pytest.fixture
def world(make_channel: MakeChannel) -> Iterator[Channel]:
    """A channel, our receiver and the mail server of everybody else."""
    port = free_port()
    channel = make_channel(smtp={"host": "127.0.0.1", "port": port, "security": "none"}, plus_addressing=True)
    with receiving() as receiver, outside(port), override_settings(SMTP_IN_PORT=receiver.smtp_port):
        yield channel


def letter(**more: Any) -> dict[str, Any]:
    return {"name": "Ali", "to": SUPPORT, "subject": "My order", "text": "Where is it?", **more}


def test_write_be_answered_and_answer_again(world: Channel, client: Client, sana: Agent) -> None:
    sent = client.post(f"/sandbox/{ALI}/new/", letter(file=SimpleUploadedFile("a.txt", b"abc", "text/plain")))
    assert sent.status_code == 302
    receive.take_in_waiting()
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.customer.name) == ("My order", "Ali")
    assert Message.objects.get().attachments.get().name == "a.txt"

    reply.reply(ticket, by=sana, text="It left yesterday.", html="<p>It left <b>yesterday</b>.</p><script>x</script>")
    assert delivery.deliver(world.pk) == 1
    answer = SandboxMail.objects.get(mailbox=ALI, sent=False)
    news = client.get(f"/sandbox/{ALI}/{answer.pk}/news/?after={answer.pk - 1}").content.decode()
    assert "Sana via Rabta Store" in news
    assert client.get(f"/sandbox/{ALI}/{answer.pk}/news/?after={answer.pk}").status_code == 204
    page = client.get(f"/sandbox/{ALI}/{answer.pk}/").content.decode()
    assert page.count("<article") == 2
    tagged = re.search(r"support\+t\w+\.\w+@rabta\.example", page)
    assert tagged is not None

    client.post(f"/sandbox/{ALI}/new/", letter(to=tagged[0], answered=answer.pk, subject="Another", text="Thanks"))
    receive.take_in_waiting()
    assert Ticket.objects.count() == 1
    last = Message.objects.filter(direction="in").latest("pk")
    assert (last.visible_text.strip(), last.in_reply_to, last.thread_rule) == ("Thanks", answer.message_id, "token")
    assert "> It left" in last.text


def test_the_html_of_a_mail_is_locked_in(world: Channel, client: Client) -> None:
    raw = (
        b"From: x@example.com\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"
        b"<script>alert(1)</script><p>hello</p>"
    )
    mail = SandboxMail.put(ALI, raw)
    response = client.get(f"/sandbox/mail/{mail.pk}/body/")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-same-origin allow-popups" in policy
    assert "script" not in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    page = client.get(f"/sandbox/{ALI}/{mail.pk}/")
    assert "<script>alert" not in page.content.decode()
    assert "unsafe-inline" not in page.headers["Content-Security-Policy"]


def test_a_wrong_address_of_ours_is_told(world: Channel, client: Client) -> None:
    response = client.post(f"/sandbox/{ALI}/new/", letter(to="wrong@rabta.example"))
    assert response.status_code == 422
    assert "No such address here" in response.content.decode()
    assert not SandboxMail.objects.exists()


@pytest.mark.parametrize("to", ["", "nonsense", "a@b@c", "x <"])
def test_what_is_no_address_is_told(world: Channel, client: Client, to: str) -> None:
    assert client.post(f"/sandbox/{ALI}/new/", letter(to=to)).status_code == 422


def test_line_breaks_in_fields_do_no_harm(world: Channel, client: Client) -> None:
    client.post(f"/sandbox/{ALI}/new/", letter(name="Ali\r\nBcc: x@example.com", subject="a\r\nBcc: y@example.com"))
    mail = SandboxMail.objects.get()
    assert b"\r\nBcc:" not in bytes(mail.raw)


def test_choosing_who_to_be(world: Channel, client: Client) -> None:
    SandboxMail.put(ALI, b"From: Shop <x@example.com>\r\nSubject: hi\r\n\r\nhello")
    assert ALI in client.get("/sandbox/").content.decode()
    response = client.post("/sandbox/", {"name": "Zed", "address": "Zed@Example.org"})
    assert response["Location"] == "/sandbox/zed@example.org/new/"
    assert 'value="Zed"' in client.get(response["Location"]).content.decode()
    assert client.get("/sandbox/no-address/").status_code == 404


def test_a_refused_recipient_shows_on_our_side(world: Channel, client: Client, sana: Agent) -> None:
    client.post("/sandbox/nobody@example.net/new/", letter())
    receive.take_in_waiting()
    message = reply.reply(Ticket.objects.get(), by=sana, text="Hello?")
    delivery.deliver(world.pk)
    message.refresh_from_db()
    assert message.state == "failed"
    assert "no such person" in message.error


def test_the_demo_is_made_once_and_by_the_real_way_in(client: Client) -> None:
    people = demo.ensure()
    assert {email for email, _password, _role in people} >= {"sana@karvaan.example", "zara@karvaan.example"}
    tickets = Ticket.objects.count()
    assert tickets == len(LETTERS)
    assert Message.objects.filter(language="ur").count() >= 2
    with override_settings(SANDBOX_SMTP_PORT=4321):
        assert demo.ensure() == people
    assert Ticket.objects.count() == tickets
    assert Channel.objects.get(slug="support").settings["smtp"]["port"] == 4321
    assert client.login(email=people[0][0], password=people[0][1])


def test_what_leaves_for_an_own_address_comes_back(world: Channel) -> None:
    lines = way_back(world)
    assert lines and [line.detail for line in lines if not line.ok] == []
    assert not SandboxMail.objects.exists()
