"""IDLE: new mail wakes the poller within a moment."""

import time
from collections.abc import Callable

import pytest

from channels_email import consent, watching
from channels_email import oauth as tokens
from inbox import wake
from inbox.models import Channel
from tests.channels_email.conftest import MakeChannel, imap_settings, mail
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
