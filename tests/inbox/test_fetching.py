"""Files that messages left on their platform: whose turn it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from inbox import fetching
from inbox.adapters import InboundFile, NotFetched, RemoteMedia
from inbox.models import Channel, Message, RemoteFile
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
