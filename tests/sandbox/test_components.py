"""The page of components: every icon and every piece on it, for who is logged in."""

import pytest
from django.test import Client

from inbox.icons import ICONS
from inbox.models import Agent
from tests.cast import member

pytestmark = pytest.mark.django_db


def test_every_icon_and_piece_stands_on_it() -> None:
    agent: Agent = member("Sana", "agent", None)
    client = Client()
    assert client.get("/sandbox/components/").status_code == 302
    client.force_login(agent)
    page = client.get("/sandbox/components/").content.decode()
    assert all(f"icons.svg#{name}" in page for name in ICONS)
    for piece in ("row", "message in", "message out failed", "note-box bad", "problems", "segment", "swatch of-accent"):
        assert f'class="{piece}' in page or f"{piece}" in page, piece
