from collections.abc import Callable, Iterator
from typing import Any

import pytest

from inbox.actions import receive
from inbox.actions.work import Outcome
from inbox.models import Agent, Channel, Role
from tests.paper import Paper, raw


@pytest.fixture(autouse=True)
def empty_desk() -> Iterator[None]:
    Paper.sent.clear()
    Paper.answers.clear()
    Paper.away = False
    yield


@pytest.fixture
def desk(db: None) -> Channel:
    return Channel.objects.create(kind="paper", name="Desk", slug="desk", addresses=["desk@example.org"])


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@example.org", name="Sana", role=Role.AGENT)


@pytest.fixture
def take(desk: Channel) -> Callable[..., Outcome]:
    """Store one utterance on the desk and take it in."""

    def one(key: str, channel: Channel | None = None, **told: Any) -> Outcome:
        stored = receive.store(channel or desk, [raw(key, **told)], claim=True)
        return receive.take_in([stored[0].receipt_id])[0]

    return one
