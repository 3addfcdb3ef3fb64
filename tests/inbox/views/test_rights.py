"""What each role may do: the table of the docs is that of the code, and no page forgets to ask."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import URLPattern, reverse

from inbox import preferences
from inbox.actions.verbs import VERBS
from inbox.models import Event, Job, Role, Team, Ticket
from inbox.rights import RIGHTS, Right, may
from inbox.urls import urlpatterns
from inbox.views.settings.forms import SHORTLY
from tests.cast import member
from tests.inbox.views.conftest import Desk


def test_the_table_of_the_docs_is_that_of_the_code() -> None:
    text = (Path(settings.BASE_DIR) / "docs" / "people.md").read_text()
    head, _line, *rows = re.findall(r"^\|(.+)\|$", text.split("## Roles")[1].split("## ")[0], re.MULTILINE)
    roles = [cell.strip() for cell in head.split("|")][1:]
    assert roles == [role.value for role in Role]
    told: dict[str, set[str]] = {role: set() for role in roles}
    words: dict[str, str] = {}
    for row in rows:
        first, *marks = [cell.strip() for cell in row.split("|")]
        right, _colon, words[right.strip("`")] = (part.strip() for part in first.partition(":"))
        right = right.strip("`")
        for role, mark in zip(roles, marks, strict=True):
            assert mark in {"", "✓"}
            if mark:
                told[role].add(right)
    assert told == {role: {str(right) for right in RIGHTS[role]} for role in roles}
    source = (Path(settings.BASE_DIR) / "inbox" / "rights.py").read_text()
    commented = dict(re.findall(r'^    [A-Z]+ = "(\w+)"  # (.+)$', source, re.MULTILINE))
    assert words == commented and set(commented) == set(Right)


def test_the_short_words_are_there_for_every_role() -> None:
    assert set(SHORTLY) == set(Role)
    assert all(RIGHTS[lower] < RIGHTS[higher] for lower, higher in zip(list(Role), list(Role)[1:], strict=False))


# What a light agent may send: notes (checked in tests of messages), their files, and what concerns themselves alone.
THEIRS = {
    "ticket-messages", "ticket-draft", "customer-notes", "customer-note", "uploads", "profile", "settings-profile",
    "settings-log-ins", "set_language", "invitation", "density", "ticket-seen", "ticket-follower", "customers-views",
    "notifications-read", "notifications-browser", "settings-notifications", "settings-notifications-test",
    "ticket-bulk", "welcome", "focus",
}  # fmt: skip


def test_light_agents_change_nothing_on_any_page(as_lena: Desk, ticket: Ticket, team: Team) -> None:
    """Every address there is, so that a new one cannot forget."""
    walked = []
    numbers = {"number": ticket.pk, "team": team.pk}
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern) and pattern.name
        if pattern.name in THEIRS:
            continue
        wanted = {name: numbers.get(name, 1) for name in pattern.pattern.converters}
        if "pk" in wanted and pattern.name.startswith("message"):
            wanted["pk"] = ticket.messages.get().pk
        before = Event.objects.count()
        answer = as_lena.post(
            reverse(pattern.name, kwargs=wanted), {"kind": "reply", "text": "Hi.", "do": "switch-off"}
        )
        assert answer.status_code in {403, 404, 405}, (pattern.name, answer.status_code)
        assert Event.objects.count() == before
        walked += [pattern.name] * (answer.status_code == 403)
    assert len(walked) >= 17, walked
    answer = as_lena.post(f"/tickets/{ticket.pk}/messages/", {"kind": "reply", "text": "Hi.", "client_id": "c"})
    assert answer.status_code == 403


def test_light_agents_change_no_tickets_by_the_dozen_either(as_lena: Desk, ticket: Ticket) -> None:
    before = Ticket.objects.values().get(pk=ticket.pk)
    for verb, known in VERBS.items():
        as_lena.post("/tickets/bulk/", {"tickets": ticket.pk, "do": f"{verb}:1", verb: "urgent", "client_id": verb})
        if known.right != Right.NOTE:
            assert not Job.objects.filter(what__verb=verb).exists(), verb
    assert Ticket.objects.values().get(pk=ticket.pk) == before


@pytest.mark.parametrize("role", Role)
def test_pages_open_for_whom_they_are_listed(team: Team, role: Role) -> None:
    desk = Desk(member("Somebody", role, team))
    for page in preferences._pages.values():
        allowed = page.right is None or page.right in RIGHTS[role]
        assert desk.get(reverse(page.url_name)).status_code == (200 if allowed else 403), page.key
    assert may(member("Another", role, None), Right.NOTE)


def test_a_byte_that_no_text_holds_is_no_fault_of_the_server(as_sana: Desk, ticket: Ticket) -> None:
    customer = ticket.customer_id
    for path, sent in (
        ("/views/", {"view-name": "Late\x00r", "view-for": "me"}),
        ("/tickets/bulk/", {"tickets": ticket.pk, "do": "tag:la\x00te", "client_id": "c"}),
        (f"/customers/{customer}/facts/tags/", {"value": "v\x00ip"}),
    ):
        assert as_sana.client.post(path, sent).status_code < 500, path
