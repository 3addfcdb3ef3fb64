"""Mailboxes by OAuth: log-in by token to IMAP and SMTP, and what is said before and at the end of a consent."""

import base64
import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from channels_email.xoauth2 import Answers
from inbox import delivery, health, polling
from inbox.actions import tickets
from inbox.adapters import Party, adapter_for
from inbox.models import Agent, Channel, Message, Team
from tests.channels_email.conftest import ALI, MakeChannel, mail
from tests.channels_email.oauth import USER, ago, box, channel, grant, zoya
from tests.servers import scripted
from tests.servers.dovecot import Dovecot
from tests.servers.oauth import OAuthServer

__all__ = ["channel", "zoya"]

pytestmark = pytest.mark.django_db(transaction=True)


class TestWarnings:
    def problems(self, agent: Agent) -> str:
        return "\n".join(line for line in health.problems(agent) if line.startswith("Support: "))

    def test_without_consent_it_says_so_and_does_not_poll(
        self, oauth: OAuthServer, channel: Channel, zoya: Agent
    ) -> None:
        assert polling.poll(channel.pk) == 0
        channel.refresh_from_db()
        assert channel.in_failing_since is None
        assert "choose Connect" in self.problems(zoya)
        assert not all(line.ok for line in adapter_for("email").check(channel))

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            ({}, ""),
            ({"ends_at": "soon"}, "ends on"),
            ({"ends_at": "later"}, ""),
            ({"refreshed_at": "long ago"}, "ends on"),
            ({"failing_since": "now", "error": "It is over."}, "It is over."),
        ],
    )
    def test_before_and_at_its_end(
        self, oauth: OAuthServer, channel: Channel, zoya: Agent, values: dict[str, str], words: str
    ) -> None:
        moments = {
            "soon": timezone.now() + timedelta(days=2),
            "later": timezone.now() + timedelta(days=9),
            "long ago": ago(days=170),
            "now": timezone.now(),
        }
        grant(channel, oauth, **{name: moments.get(value, value) for name, value in values.items()})
        found = self.problems(zoya)
        assert words in found if words else not found
        Channel.objects.update(paused=True)
        assert self.problems(zoya) == found

    def test_what_stops_a_channel_is_said_once(self, oauth: OAuthServer, channel: Channel, zoya: Agent) -> None:
        grant(channel, oauth, expires_at=ago(hours=1))
        oauth.refresh.clear()
        polling.poll(channel.pk)
        found = self.problems(zoya)
        assert found.count("expired or revoked") == 1
        assert "new mail cannot be fetched" in found

    def test_check_channels_says_it_too(self, oauth: OAuthServer, channel: Channel) -> None:
        grant(channel, oauth, ends_at=timezone.now() + timedelta(days=1))
        out = io.StringIO()
        call_command("check_channels", stdout=out)
        assert out.getvalue().startswith("support: ok\n  The permission of Google for this mailbox ends on ")

    def test_an_outsider_is_told_nothing(self, oauth: OAuthServer, channel: Channel, sana: Agent) -> None:
        channel.teams.add(Team.objects.create(name="Others", slug="others", private=True))
        assert not self.problems(sana)


@pytest.mark.servers
class TestImap:
    def open(self, make_channel: MakeChannel, dovecot: Dovecot, user: str, **more: Any) -> Channel:
        imap = {"host": "127.0.0.1", "port": dovecot.imap, "username": user, **more}
        return box(make_channel, imap=imap)

    def test_mail_is_fetched_by_token(
        self, oauth: OAuthServer, dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
    ) -> None:
        oauth.account = mailbox
        channel = self.open(make_channel, dovecot, mailbox)
        grant(channel, oauth)
        dovecot.append(mailbox, mail())
        assert polling.poll(channel.pk) == 1
        assert all(line.ok for line in adapter_for("email").check(channel) if "SMTP" not in line.name)

    def test_a_token_that_was_taken_back_is_renewed_once(
        self, oauth: OAuthServer, dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
    ) -> None:
        oauth.account = mailbox
        channel = self.open(make_channel, dovecot, mailbox)
        grant(channel, oauth, refreshed_at=ago(minutes=10))
        dovecot.append(mailbox, mail())
        oauth.access.clear()
        assert polling.poll(channel.pk) == 1
        assert len(oauth.requests) == 1

    def test_another_s_mailbox_is_not_opened_and_it_says_why(
        self, oauth: OAuthServer, dovecot: Dovecot, mailbox: str, make_channel: MakeChannel
    ) -> None:
        channel = self.open(make_channel, dovecot, mailbox)
        grant(channel, oauth, refreshed_at=ago(minutes=10))
        assert polling.poll(channel.pk) == 0
        channel.refresh_from_db()
        assert "refuses the log-in by token" in channel.in_error
        assert len(oauth.requests) == 1


class Smtp:
    """A submission server that takes XOAUTH2 alone, for the mailbox `USER`."""

    def __init__(self, oauth: OAuthServer, *, offered: str = "XOAUTH2 PLAIN") -> None:
        self.oauth, self.offered = oauth, offered
        self.refused: list[str] = []

    def __call__(self, line: str, _mails: int) -> str:
        if line.upper().startswith("EHLO"):
            return f"250-scripted\r\n250 AUTH {self.offered}"
        if line.startswith("AUTH XOAUTH2 "):
            user, auth = base64.b64decode(line.split(" ")[2]).decode().split("\x01")[:2]
            access = auth.removeprefix("auth=Bearer ")
            if user == f"user={USER}" and self.oauth.access.get(access) == USER:
                return "235 2.7.0 Accepted"
            self.refused.append(access)
            return "334 " + base64.b64encode(b'{"status":"401","schemes":"bearer"}').decode()
        if line == "":
            return "535 5.7.8 Username and Password not accepted"
        return ""


class TestSmtp:
    def write(self, channel: Channel, sana: Agent) -> None:
        ticket = tickets.open_ticket(
            by=sana, channel=channel, identity=Party("email", ALI), subject="s", text="t", direction="out"
        )
        Message.objects.filter(ticket=ticket).update(next_attempt_at=timezone.now())

    def test_mail_leaves_by_token_which_is_renewed_once(
        self, oauth: OAuthServer, make_channel: MakeChannel, sana: Agent
    ) -> None:
        script = Smtp(oauth)
        with scripted.running(script) as server:
            channel = box(make_channel, smtp={"host": "127.0.0.1", "port": server.port})
            self.write(channel, sana)
            assert delivery.deliver(channel.pk) == 0  # no consent yet: it waits
            grant(channel, oauth, refreshed_at=ago(minutes=10))
            oauth.access.clear()
            assert delivery.deliver(channel.pk) == 1
        assert script.refused == ["short"]
        assert server.commands.count("") == 1  # the empty line that answers a challenge
        assert len(oauth.requests) == 1

    def test_where_it_is_not_offered_no_token_is_shown(
        self, oauth: OAuthServer, make_channel: MakeChannel, sana: Agent
    ) -> None:
        with scripted.running(Smtp(oauth, offered="PLAIN LOGIN")) as server:
            channel = box(make_channel, smtp={"host": "127.0.0.1", "port": server.port})
            grant(channel, oauth)
            self.write(channel, sana)
            assert delivery.deliver(channel.pk) == 0
        assert not any("AUTH" in line for line in server.commands)
        assert "not this log-in" in Channel.objects.get().out_error

    def test_a_consent_that_is_over_keeps_the_reply_queued(
        self, oauth: OAuthServer, make_channel: MakeChannel, sana: Agent
    ) -> None:
        with scripted.running(Smtp(oauth)) as server:
            channel = box(make_channel, smtp={"host": "127.0.0.1", "port": server.port})
            grant(channel, oauth, expires_at=ago(hours=1))
            oauth.refresh.clear()
            self.write(channel, sana)
            assert delivery.deliver(channel.pk) == 0
        assert Message.objects.get().state == "queued"
        assert "choose Connect" in Channel.objects.get().out_error


def test_the_answer_to_a_challenge_is_an_empty_line() -> None:
    answers = Answers("agent@example.com", "ya29.tok")
    first = base64.b64encode(answers(b"").encode()).decode()
    assert first == "dXNlcj1hZ2VudEBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnRvawEB"
    assert answers(b'{"status":"400","schemes":"Bearer"}') == ""
    assert answers.refusal == "400"
    assert Answers("a@b.example\x01auth=Bearer x\r\n", "t")().count("\x01") == 3
