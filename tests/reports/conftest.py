from collections.abc import Iterator

import pytest

from tests.paper import Paper
from tests.reports.moments import Clock
from tests.reports.shop import Shop


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def shop(db: None, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A desk for mail, a messenger and a chat, and the people who answer there, at whatever time it is."""
    Paper.sent.clear()
    Paper.answers.clear()
    yield Shop(clock, monkeypatch)
