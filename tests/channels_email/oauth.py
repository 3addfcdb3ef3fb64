"""What the tests of mailboxes by OAuth share: a channel whose settings name it, and the grant that consent leaves."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels_email import consent
from channels_email import oauth as tokens
from channels_email.models import OAuthGrant
from inbox.models import Agent, Channel, Role
from tests.channels_email.conftest import MakeChannel
from tests.servers.oauth import OAuthServer

USER = "support@rabta.example"


@pytest.fixture
def zoya(db: None) -> Agent:
    return Agent.objects.create_user("zoya@rabta.example", name="Zoya", role=Role.ADMIN)


@pytest.fixture
def channel(make_channel: MakeChannel) -> Channel:
    return box(make_channel)


def box(make_channel: MakeChannel, provider: str = "google", **servers: dict[str, Any]) -> Channel:
    """A channel whose settings name OAuth, and no grant yet."""
    servers = servers or {"imap": {"host": "127.0.0.1", "port": 1}}
    common = {"security": "none", "username": USER, "oauth": provider}
    return make_channel(**{name: {**common, **given} for name, given in servers.items()})


def grant(channel: Channel, server: OAuthServer, **values: Any) -> OAuthGrant:
    """A grant as consent would leave it; `values` are columns on top."""
    server.refresh["lasting"] = server.account
    server.access["short"] = server.account
    provider = tokens.provider_of(channel)
    assert provider is not None
    row = consent.keep(
        channel, provider, {"access_token": "short", "refresh_token": "lasting", "expires_in": 3600}, by=None
    )
    OAuthGrant.objects.filter(pk=row.pk).update(**values)
    row.refresh_from_db()
    return row


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)
