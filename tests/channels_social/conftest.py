"""Messengers, over real HTTP to the emulated platforms: they run in the test's own web server, on its database."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from inbox.models import Agent, Role
from inbox.views import hooks
from lib import http
from sandbox.phones import acts

# What these assert says what it found, as in a test.
pytest.register_assert_rewrite(*(f"tests.channels_social.{name}" for name in ("api", "sms", "whatsapp")))


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """What processes remember for some seconds is no other test's."""
    acts.load()
    hooks.forget()
    monkeypatch.setattr(http, "rates", http.Rates())


@pytest.fixture
def platforms(
    transactional_db: None, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> str:
    """The address of the emulated platforms; Rabta itself is there, too, and knows itself by it."""
    monkeypatch.setattr("channels_social.telegram.adapter.LONG_POLL", 0)
    settings.BASE_URL = live_server.url
    return f"{live_server.url}/sandbox/phones"


@pytest.fixture
def sana(transactional_db: None) -> Agent:
    return Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.AGENT)


@pytest.fixture
def queued_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if files had been queued before they were looked at: what the wire itself refuses."""
    monkeypatch.setattr("inbox.fitting.problem", lambda *_: "")


def port_of(url: str) -> int:
    return urlsplit(url).port or 0
