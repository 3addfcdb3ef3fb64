"""What the tests of a Facebook page share: the page, its channel, and who writes there."""

from __future__ import annotations

import pytest
from pytest_django.live_server_helper import LiveServer

from inbox.models import Channel
from sandbox.phones import messenger
from sandbox.phones.models import Account, Person
from tests.channels_social.meta import connect, open_account, subscribe


@pytest.fixture
def page(platforms: str) -> Account:
    return open_account("facebook", platforms)


@pytest.fixture
def channel(platforms: str, page: Account, live_server: LiveServer) -> Channel:
    found = connect(platforms, page)
    subscribe(found, page, live_server.url)
    return found


@pytest.fixture
def ana(page: Account) -> Person:
    return messenger.meet(page, "Ana Silva")
