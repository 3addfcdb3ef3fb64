"""IDLE: new mail wakes the poller within a moment."""

import socket
import time
from collections.abc import Callable

import pytest

from channels_email import consent, imap, watching
from channels_email import oauth as tokens
from channels_email.servers import Server
from inbox import wake
from inbox.models import Channel
from tests.channels_email.conftest import MakeChannel, imap_settings, mail
from tests.servers import imap as scripted
from tests.servers.dovecot import Dovecot
from tests.servers.oauth import OAuthServer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


def wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_new_mail_wakes_the_poller_and_settings_are_followed(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(wake, "poll", lambda channel, kind: woken.append(channel))
    monkeypatch.setattr(watching, "ANSWER_WITHIN", 0.05)
    monkeypatch.setattr(watching, "BACK_OFF", 0.05)
    channel = make_channel(**imap_settings(dovecot, mailbox))
    watch = watching.Watch()
    try:
        watch.look()
        first = watch.watchers[channel.pk, "INBOX"]
        for number in range(2):
            before = len(woken)
            deadline = time.monotonic() + 10
            while len(woken) == before:  # IDLE may not have begun yet when the first one comes
                assert time.monotonic() < deadline
                dovecot.append(mailbox, mail(str(number)))
                time.sleep(0.2)
        assert set(woken) == {channel.pk}
        watch.look()
        assert watch.watchers[channel.pk, "INBOX"] is first
        Channel.objects.update(paused=True)
        watch.look()
        assert not watch.watchers
        wait_until(lambda: not first.thread.is_alive())
    finally:
        watch.stop()


def test_several_folders_are_watched(
    dovecot: Dovecot, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(wake, "poll", lambda channel, kind: woken.append(channel))
    monkeypatch.setattr(watching, "ANSWER_WITHIN", 0.05)
    monkeypatch.setattr(watching, "MOST_FOLDERS", 2)
    with dovecot.client(mailbox) as client:
        client.create_folder("Desk")
    channel = make_channel(**imap_settings(dovecot, mailbox, folders=["INBOX", "Desk", "Third"]))
    watch = watching.Watch()
    try:
        watch.look()
        assert set(watch.watchers) == {(channel.pk, "INBOX"), (channel.pk, "Desk")}
        deadline = time.monotonic() + 10
        while not woken:
            assert time.monotonic() < deadline
            with dovecot.client(mailbox) as client:
                client.append("Desk", mail())
            time.sleep(0.1)
    finally:
        watch.stop()


def test_a_token_is_asked_for_at_each_connection_and_settings_alone_start_another(
    dovecot: Dovecot, oauth: OAuthServer, mailbox: str, make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken: list[int] = []
    monkeypatch.setattr(wake, "poll", lambda channel, kind: woken.append(channel))
    monkeypatch.setattr(watching, "ANSWER_WITHIN", 0.05)
    monkeypatch.setattr(watching, "BACK_OFF", 0.05)
    imap = imap_settings(dovecot, mailbox, oauth="google")["imap"]
    channel = make_channel(imap=imap)
    oauth.account = mailbox
    oauth.access["short"] = mailbox
    watch = watching.Watch()
    try:
        watch.look()  # nobody has consented yet: the watcher waits
        (watcher,) = watch.watchers.values()
        provider = tokens.provider_of(channel)
        assert provider is not None
        consent.keep(channel, provider, {"access_token": "short", "refresh_token": "r", "expires_in": 3600}, by=None)
        woken.clear()
        deadline = time.monotonic() + 10
        while not woken:
            assert time.monotonic() < deadline
            dovecot.append(mailbox, mail())
            time.sleep(0.1)
        watch.look()
        assert list(watch.watchers.values()) == [watcher]
    finally:
        watch.stop()


def test_a_mailbox_that_is_away_is_tried_again(make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "BACK_OFF", 0.01)
    imap = {"host": "127.0.0.1", "port": 1, "security": "none", "username": "u"}
    make_channel(imap=imap, secrets={"imap.password": "p"})
    watch = watching.Watch()
    watch.look()
    (watcher,) = watch.watchers.values()
    time.sleep(0.2)
    assert watcher.thread.is_alive()
    watch.stop()
    wait_until(lambda: not watcher.thread.is_alive())


IDLING = "+ idling\r\n"


@pytest.mark.parametrize("last", ["* BYE the server starts anew\r\n", "", "* 1 EXISTS\r\n* BYE\r\n"])
def test_a_server_that_hangs_up_is_called_again(monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    """It is neither asked in a loop on the dead connection nor called without a pause."""
    monkeypatch.setattr(watching, "ANSWER_WITHIN", 2.0)
    monkeypatch.setattr(watching, "BACK_OFF", 0.05)
    woken: list[int] = []
    monkeypatch.setattr(wake, "poll", lambda channel, kind: woken.append(channel))
    checks = 0
    idle_check = imap.GuardedIMAPClient.idle_check

    def counted(client: imap.GuardedIMAPClient, timeout: float | None = None) -> object:
        nonlocal checks
        checks += 1
        return idle_check(client, timeout)

    monkeypatch.setattr(imap.GuardedIMAPClient, "idle_check", counted)

    def script(_tag: str, command: str, client: socket.socket) -> str | None:
        if command != "IDLE":
            return ""
        client.sendall((IDLING + last).encode())
        return None

    with scripted.running(script) as server:
        watcher = watching.Watcher(1, Server("127.0.0.1", server.port, "none", "u", "p"), "INBOX")
        try:
            wait_until(lambda: server.commands.count("IDLE") >= 3)
        finally:
            watcher.stop()
        wait_until(lambda: not watcher.thread.is_alive())
    assert checks <= (watching.MOST_HASTY + 2) * server.commands.count("IDLE")
    assert bool(woken) == ("EXISTS" in last)


def test_an_answer_at_once_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "ANSWER_WITHIN", 0.05)
    woken: list[int] = []
    monkeypatch.setattr(wake, "poll", lambda channel, kind: woken.append(channel))

    def script(_tag: str, command: str, client: socket.socket) -> str | None:
        if command != "IDLE":
            return ""
        client.sendall(IDLING.encode())
        while len(woken) <= watching.MOST_HASTY:
            client.sendall(b"* 1 EXISTS\r\n")
            time.sleep(0.01)
        return "* OK still here\r\n"

    with scripted.running(script) as server:
        watcher = watching.Watcher(1, Server("127.0.0.1", server.port, "none", "u", "p"), "INBOX")
        try:
            wait_until(lambda: len(woken) > watching.MOST_HASTY)
            assert server.connections == 1
        finally:
            watcher.stop()


def test_nothing_ends_a_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the IMAP library makes of an answer, the folder is watched again."""
    monkeypatch.setattr(watching, "BACK_OFF", 0.01)
    tries: list[str] = []

    def broken(_client: imap.GuardedIMAPClient) -> None:
        tries.append("idle")
        raise AttributeError("an answer that the library does not foresee")

    monkeypatch.setattr(imap.GuardedIMAPClient, "idle", broken)
    with scripted.running(lambda *_: "") as server:
        watcher = watching.Watcher(1, Server("127.0.0.1", server.port, "none", "u", "p"), "INBOX")
        wait_until(lambda: len(tries) >= 3)
        watcher.stop()
        wait_until(lambda: not watcher.thread.is_alive())
    assert server.connections >= 3


def test_a_server_without_idle_is_asked_later(make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted.running(lambda *_: "", "IMAP4rev1") as server:
        options = {"host": "127.0.0.1", "port": server.port, "security": "none", "username": "u"}
        make_channel(imap=options, secrets={"imap.password": "p"})
        watch = watching.Watch()
        try:
            watch.look()
            (watcher,) = watch.watchers.values()
            wait_until(lambda: server.connections == 1)
            watch.look()
            assert list(watch.watchers.values()) == [watcher]
            assert watcher.thread.is_alive()
        finally:
            watch.stop()
        wait_until(lambda: not watcher.thread.is_alive())
    assert server.connections == 1
    assert not any(command.startswith("EXAMINE") for command in server.commands)


def test_a_watcher_that_died_is_started_again(make_channel: MakeChannel, monkeypatch: pytest.MonkeyPatch) -> None:
    run = watching.Watcher._run
    monkeypatch.setattr(watching.Watcher, "_run", lambda _self: None)
    imap_options = {"host": "127.0.0.1", "port": 1, "security": "none", "username": "u"}
    channel = make_channel(imap=imap_options, secrets={"imap.password": "p"})
    watch = watching.Watch()
    try:
        watch.look()
        first = watch.watchers[channel.pk, "INBOX"]
        first.thread.join(10)
        monkeypatch.setattr(watching.Watcher, "_run", run)
        watch.look()
        second = watch.watchers[channel.pk, "INBOX"]
        assert second is not first
        assert second.thread.is_alive()
    finally:
        watch.stop()


def test_the_look_itself_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY", 0.01)
    looks: list[str] = []

    def broken(_self: watching.Watch) -> None:
        looks.append("look")
        raise KeyError("host")

    monkeypatch.setattr(watching.Watch, "look", broken)
    watch = watching.Watch()
    watch.start()
    try:
        wait_until(lambda: len(looks) >= 3)
    finally:
        watch.stop()
