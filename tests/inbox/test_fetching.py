"""Files that messages left on their platform: whose turn it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from inbox import fetching
from inbox.adapters import InboundFile, NotFetched, RemoteMedia
from inbox.models import Agent, Channel, Message, RemoteFile
from tests.paper import Paper


def test_a_platform_with_many_files_keeps_no_other_waiting(
    desk: Channel, take: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Channel.objects.create(kind="paper", name="Hall", slug="hall", addresses=["hall@example.org"])
    take("a")
    take("b", other)
    began = timezone.now() - timedelta(hours=1)
    for number, message in enumerate([*[Message.objects.get(channel=desk)] * 6, Message.objects.get(channel=other)]):
        at = began + timedelta(seconds=number)
        RemoteFile.objects.create(message=message, ref={}, position=number, name=f"{number}.txt", next_attempt_at=at)
    asked: list[str] = []

    def fetch(adapter: Paper, channel: Channel, media: RemoteMedia) -> InboundFile:
        asked.append(channel.slug)
        if channel == desk:
            raise NotFetched("It does not answer.", permanent=False)
        return InboundFile(media.name, "text/plain", b"Hello")

    monkeypatch.setattr(Paper, "fetch", fetch)
    assert fetching.fetch_waiting() == 1
    assert asked[:2] == ["desk", "hall"]
    assert len(asked) == 7


def test_what_will_never_be_had_is_not_offered_again(
    desk: Channel, take: Callable[..., object], monkeypatch: pytest.MonkeyPatch, client: Client, sana: Agent
) -> None:
    take("a")
    message = Message.objects.get()
    row = RemoteFile.objects.create(message=message, ref={"id": "7"}, position=0, name="film.mp4")
    asked: list[RemoteMedia] = []
    permanent = True

    def fetch(adapter: Paper, channel: Channel, media: RemoteMedia) -> InboundFile:
        asked.append(media)
        raise NotFetched("Too large.", permanent=permanent)

    monkeypatch.setattr(Paper, "fetch", fetch)
    client.force_login(sana)
    page, button = f"/tickets/{message.ticket_id}/", f"/remote-files/{row.pk}/"

    def tried(attempts: int = 0) -> str:
        RemoteFile.objects.update(
            failed_at=None, attempts=attempts, next_attempt_at=timezone.now() - timedelta(minutes=1)
        )
        assert fetching.fetch_waiting() == 0
        row.refresh_from_db()
        assert row.failed_at is not None
        return client.get(page).text

    shown = tried()
    assert "Too large." in shown and button not in shown
    client.post(button)
    row.refresh_from_db()
    assert row.failed_at is not None
    RemoteFile.objects.update(ref={"id": "7"})
    permanent = False
    assert button in tried(fetching.MOST_ATTEMPTS)
    client.post(button)
    row.refresh_from_db()
    assert row.failed_at is None and [one.ref for one in asked] == [{"id": "7"}] * 2
