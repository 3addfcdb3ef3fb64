"""What a developer copies from the Installation page works, and is what the documentation says."""

from __future__ import annotations

import json
from html import unescape
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from channels_chat import snippets
from channels_chat.actions import identify
from channels_chat.forms import SECRET
from inbox.actions import channels
from inbox.models import Agent, Channel, Team
from tests.channels_chat.test_flows import DOCS
from tests.channels_chat.test_forms import GOOD

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat(team: Team) -> Channel:
    return channels.create(
        "chat", "shop", GOOD, by=None, place=channels.Place("Shop", default_team=team, teams=(team,))
    )


def tag(code: str) -> dict[str, str | None]:
    """The attributes of the script tag in it."""
    found: list[dict[str, str | None]] = []

    class Tags(HTMLParser):
        def handle_starttag(self, name: str, attrs: list[tuple[str, str | None]]) -> None:
            if name == "script":
                found.append(dict(attrs))

    Tags().feed(code)
    return found[0]


def test_the_page_has_them_all_and_no_secret(chat: Channel, zoya: Agent) -> None:
    browser = Client()
    browser.force_login(zoya)
    page = unescape(browser.get("/settings/channels/shop/chat/install/").content.decode())
    groups = [
        snippets.signing(),
        snippets.identify(chat),
        snippets.on_site(),
        snippets.elsewhere(chat),
    ]
    for one in [one for group in groups for one in group]:
        assert f">{one.code}</code>" in page and f'data-copy="code-{one.key}"' in page
    assert snippets.script(chat) in page and snippets.page(chat) in page
    assert chat.secrets[SECRET] not in page


def test_what_is_signed_that_way_is_proven(chat: Channel) -> None:
    code = snippets.signing()[0].code
    names: dict[str, Any] = {"secret": chat.secrets[SECRET], "user": SimpleNamespace(id=42)}
    imports, _blank, last = code.split("\n")
    exec(imports, names)
    assert identify.verify(chat, {"id": "42"}, eval(last, names))
    assert not identify.verify(chat, {"id": "43"}, eval(last, names))
    docs = DOCS.read_text()
    assert all(one.code.split("\n")[-1] in docs for one in snippets.signing())


def test_the_tags_say_who_it_is(chat: Channel) -> None:
    by_key = {one.key: one.code for one in [*snippets.identify(chat), *snippets.elsewhere(chat)]}
    for key in ("user-tag", "webview"):
        found = tag(by_key[key])
        assert json.loads(found["data-user"] or "")["id"] == "42" and found["data-hmac"] == "HMAC"
        assert Client().get(urlsplit(found["src"] or "").path).status_code == 200
    assert tag(by_key["webview"])["data-mode"] == "page" and "data-mode" not in tag(by_key["user-tag"])
