"""The shop's chat, its visitors, and the people who answer."""

from collections.abc import Iterator
from typing import Any

import pytest

from channels_chat import allowances
from inbox.models import Channel
from tests.cast import bilal, lena, omar, sana, support, team, ticket, zoya
from tests.channels_chat.cast import chat_channel, nobody_knows
from tests.servers.web import Server

__all__ = ["bilal", "lena", "omar", "sana", "support", "team", "ticket", "zoya"]


@pytest.fixture
def shop(db: None) -> Channel:
    """A chat that everybody sees."""
    return chat_channel()


@pytest.fixture(autouse=True)
def _nobody_here() -> Iterator[None]:
    """Who was here in one test is not in the next, nor what they spent."""
    for kept in (allowances._purses, allowances._crowds, allowances._reports):
        kept.rows.clear()
    allowances._shared.clear()
    yield
    nobody_knows()


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    """A real web process for the tests of a file, which each fill the database anew (`django_db(transaction=True)`)."""
    server = Server()
    with django_db_blocker.unblock():
        server.start()
    yield server
    server.stop()
