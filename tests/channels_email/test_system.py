"""Rabta's own mail: through the first mailbox that can send, or by EMAIL_URL."""

from __future__ import annotations

from email import message_from_bytes, policy
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured

from channels_email import system
from config.mail import settings_of
from inbox import post
from inbox.actions.errors import ActionError
from inbox.models import Channel
from tests.servers import scripted

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def by_channel(settings: Any) -> None:
    settings.EMAIL_BACKEND = "channels_email.system.Backend"


def mailbox(name: str, port: int | None, **more: Any) -> Channel:
    smtp = {"host": "127.0.0.1", "port": port, "security": "none", "username": ""} if port else None
    settings = {"address": f"{name}@example.org", **({"smtp": smtp} if smtp else {})}
    return Channel.objects.create(kind="email", name=name, slug=name, settings=settings, **more)


def test_the_first_mailbox_that_can_send_sends() -> None:
    with scripted.running(lambda line, number: "") as server:
        mailbox("receives", None)
        mailbox("paused", server.port, paused=True)
        assert not post.available()
        mailbox("support", server.port)
        mailbox("later", server.port)
        assert post.available()
        post.send(post.letter("Sana lädt\nSie ein", "Grüße\n\n. ein Punkt\n", "noor@example.org"))
    (raw,) = server.mails
    told = message_from_bytes(raw, policy=policy.default)
    assert (told["From"], told["To"], told["Subject"]) == (
        "Rabta <support@example.org>",
        "noor@example.org",
        "Sana lädt Sie ein",
    )
    assert told["Auto-Submitted"] == "auto-generated"
    assert told.get_content().replace("\r\n", "\n").strip() == "Grüße\n\n. ein Punkt"
    assert "mail FROM:<>" in server.commands and b"\r\n" in raw


def test_a_mailbox_that_works_goes_before_one_that_fails() -> None:
    from django.utils import timezone

    mailbox("broken", 1, out_failing_since=timezone.now())
    working = mailbox("working", 2)
    assert system.channel() == working
    working.delete()
    assert system.channel() is not None


@pytest.mark.parametrize("answer", ["550 5.1.1 no such person here", "451 4.7.1 later", None])
def test_what_the_server_refuses_is_said(answer: str | None) -> None:
    with scripted.running(lambda line, number: answer if line.upper().startswith("RCPT") else "") as server:
        mailbox("support", server.port)
        with pytest.raises(ActionError) as refused:
            post.send(post.letter("Hello", "Hello", "noor@example.org"))
    assert refused.value.code == "mail_not_sent" and not server.mails


def test_a_server_that_is_away_is_said(settings: Any) -> None:
    mailbox("support", 1)
    with pytest.raises(ActionError) as refused:
        post.send(post.letter("Hello", "Hello", "noor@example.org"))
    assert "127.0.0.1" in str(refused.value.reason)
    settings.ALLOW_PRIVATE_NETWORKS = False
    with pytest.raises(ActionError) as refused:
        post.send(post.letter("Hello", "Hello", "noor@example.org"))
    assert "private network" in str(refused.value.reason)
    assert mail.get_connection(fail_silently=True).send_messages([post.letter("x", "x", "noor@example.org")]) == 0


@pytest.mark.parametrize("subject", ["a\r\nBcc: eve@example.org", "a\nb", "\r\n\r\nbody"])
def test_a_subject_is_one_line(subject: str) -> None:
    letter = post.letter(subject, "text", "noor@example.org")
    assert "\n" not in letter.subject and letter.message()["Bcc"] is None


def test_email_url() -> None:
    found = settings_of("smtp://post%40example.org:p%3Aw@mail.example.org")
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == ("mail.example.org", 587)
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("post@example.org", "p:w")
    assert found["EMAIL_USE_TLS"] and not found["EMAIL_USE_SSL"]
    found = settings_of("smtps://mail.example.org:4650")
    assert (found["EMAIL_PORT"], found["EMAIL_USE_SSL"], found["EMAIL_USE_TLS"]) == (4650, True, False)
    assert not settings_of("smtp+plain://127.0.0.1")["EMAIL_USE_TLS"]
    for wrong in ("mail.example.org", "http://mail.example.org", "smtp://", "smtp://host:port", "smtp:///x"):
        with pytest.raises(ImproperlyConfigured):
            settings_of(wrong)


@pytest.mark.parametrize("at", ["MAIL FROM:<>", "RCPT"])
def test_a_server_that_wants_a_sender_gets_one(at: str) -> None:
    """Some submission servers refuse the empty sender, at MAIL or only at RCPT."""
    empty = []

    def answer(line: str, number: int) -> str | None:
        if line.upper().startswith("MAIL"):
            empty.append("<>" in line)
        return "550 5.7.60 may not send as this sender" if line.upper().startswith(at) and empty[-1] else ""

    with scripted.running(answer) as server:
        mailbox("support", server.port)
        post.send(post.letter("Hello", "Hello", "noor@example.org"))
    assert empty == [True, False] and len(server.mails) == 1
