"""The command palette's places and finds: what this person may open, and nothing of others."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from inbox import default_views, selection
from inbox.models import Agent, Channel
from inbox.shortcuts import GROUPS
from tests.cast import question
from tests.servers.web import ROOT

pytestmark = pytest.mark.django_db


def login(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent)
    return client


def test_places_are_those_one_may_open(sana: Agent, zoya: Agent, support: Channel) -> None:
    mine, admins = (login(one).get("/palette/").content.decode() for one in (sana, zoya))
    assert 'href="/?view=unassigned"' in mine and 'data-key="g u"' in mine
    assert "/settings/people/" in admins and "/settings/people/" not in mine


def test_a_number_opens_its_ticket_and_words_are_looked_for(
    sana: Agent, bilal: Agent, support: Channel, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ticket = question(support, "Where is my <b>parcel</b>?")
    client = login(sana)
    with django_assert_max_num_queries(15):
        found = client.get("/palette/", {"q": f"#{ticket.pk}"}).content.decode()
    assert found.count(f'href="/tickets/{ticket.pk}/"') == 1
    assert "<b>parcel" not in found
    assert "Search for “#" in found
    assert f"/tickets/{ticket.pk}/" not in login(bilal).get("/palette/", {"q": str(ticket.pk)}).content.decode()
    for hostile in ("'\"><script>", "\x00", "9" * 400, "((((", "\u202e" * 50):
        assert client.get("/palette/", {"q": hostile}).status_code == 200


def test_the_help_names_every_key_that_does_something() -> None:
    """Keys of menus and buttons, of scripts and of views: none is a secret."""
    told = {key for group in GROUPS for one in group.shortcuts for key in one.keys if not one.in_turn}
    pages = "".join(path.read_text() for path in (ROOT / "inbox/templates").rglob("*.html"))
    marked = set(re.findall(r'data-(?:bulk-)?key="([^"{]+)"', pages))
    keys = (ROOT / "inbox/static/inbox/js/keyboard.js").read_text().partition("const keys = {")[2].partition("\n}")[0]
    heard = set(re.findall(r'^  "?(\S)"?:? ?[:,(]', keys, re.MULTILINE)) | set(re.findall(r"^  (\w),?$", keys, re.M))
    assert {"j", "r", "u", "/", "?"} <= heard and {"a", "s", "!"} <= marked
    assert marked | heard <= told
    bar = {one.key for one in selection._more({"spam": "no"}) if one.key}
    assert bar and bar <= told
    led = {one.keys for group in GROUPS for one in group.shortcuts if one.in_turn}
    assert led == {("g", view.go) for view in default_views.VIEWS.values() if view.go}
