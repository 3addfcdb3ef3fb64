"""`/settings/macros/` and `/settings/brands/`: who may, what is refused, and words with formatting."""

from __future__ import annotations

from typing import Any

import pytest

from inbox.actions import macros as acting
from inbox.models import Agent, Brand, Channel, Event, Macro, Role, Team, Ticket
from tests.cast import member
from tests.inbox.views.conftest import Desk


def macro(**more: Any) -> dict[str, Any]:
    return {"name": "Refund", "language": "", "shared": "me", "text": "Dear {{customer.name}}", **more}


def test_macros_are_seen_and_changed_by_whom_they_belong_to(
    as_sana: Desk, as_bilal: Desk, as_lena: Desk, sana: Agent, team: Team
) -> None:
    assert as_sana.post("/settings/macros/new/", macro(assignee="me", add_tags="refund, late")).status_code == 302
    mine = Macro.objects.get()
    assert (mine.owner, mine.actions[0]) == (sana, {"set": "assignee", "to": "me"})
    ours = Macro.objects.create(name="Ours", team=team, text="Hello")
    everybodys = Macro.objects.create(name="All", text="Hello")
    assert as_lena.get("/settings/macros/").status_code == 403  # only reads
    page = as_bilal.get("/settings/macros/").content.decode()
    assert "Refund" not in page and "Ours" not in page and "All" in page
    for pk in (mine.pk, ours.pk):
        assert as_bilal.get(f"/settings/macros/{pk}/").status_code == 404
        assert as_bilal.post(f"/settings/macros/{pk}/delete/").status_code == 404
    assert as_bilal.post(f"/settings/macros/{everybodys.pk}/", macro(name="Taken")).status_code == 403
    assert as_sana.post("/settings/macros/new/", macro(shared="all")).status_code == 200  # an agent shares nothing
    manager = Desk(member("Mina", Role.MANAGER, team))
    assert manager.post(f"/settings/macros/{ours.pk}/", macro(shared=f"team-{team.pk}", name="New")).status_code == 302
    ours.refresh_from_db()
    assert (ours.name, ours.team, ours.owner) == ("New", team, None)
    other = Team.objects.create(name="Elsewhere", slug="elsewhere")
    assert manager.post("/settings/macros/new/", macro(shared=f"team-{other.pk}")).status_code == 200
    assert Macro.objects.count() == 3


def test_words_with_formatting_have_a_plain_form(as_sana: Desk, sana: Agent) -> None:
    words = (
        '<p>Dear <b>{{customer.name}}</b>,</p><ul><li><p>one</p></li></ul><script>x</script><img src="https://x/">'
        '<a href="javascript:x">a</a> <a href="https://example.com/">b</a>'
    )
    assert as_sana.post("/settings/macros/new/", macro(html=words, text="Something else")).status_code == 302
    kept = Macro.objects.get()
    assert kept.html.startswith("<p>Dear <b>{{customer.name}}</b>,</p><ul><li>one</li></ul>")
    assert not any(bad in kept.html for bad in ("script", "img", "javascript"))
    assert kept.text.startswith("Dear {{customer.name}},") and "- one" in kept.text
    shown = as_sana.post("/settings/macros/preview/", {"text": "x", "html": words}).content.decode()
    assert "<b>Ayesha Khan</b>" in shown and "javascript" not in shown
    as_sana.post(f"/settings/macros/{kept.pk}/", macro(html="<p>Plain</p>"))
    kept.refresh_from_db()
    assert (kept.html, kept.text) == ("", "Dear {{customer.name}}")


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"text": ""}, {"text": "{{customer.nobody}}"}, {"html": "<b>{{nobody}}</b>"}, {"status": "closed"},
     {"assignee": "999999"}, {"snooze": "0"}, {"shared": "team-x"}, {"note": "{{x.y}}"}, {"language": "xx-yy"}],
)  # fmt: skip
def test_what_a_macro_cannot_be(as_sana: Desk, wrong: dict[str, str]) -> None:
    answer = as_sana.post("/settings/macros/new/", macro(**wrong))
    assert answer.status_code == 200 and "errorlist" in answer.content.decode()
    assert not Macro.objects.exists()


def test_a_note_does_what_its_macros_do_and_a_line_says_so(as_sana: Desk, ticket: Ticket, sana: Agent) -> None:
    refund = Macro.objects.create(name="Refund", actions=[{"set": "add_tags", "to": ["refund"]}])
    secret = Macro.objects.create(name="My own", owner=sana, actions=[{"set": "status", "to": "pending"}])
    noted = {"kind": "note", "text": "He asks for it.", "client_id": "n1", "macro": [refund.pk, secret.pk]}
    kept = as_sana.post(f"/tickets/{ticket.pk}/draft/", {**noted, "version": 0})
    assert kept.json() == {"version": 1}
    page = as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "Add tags: refund" in page and f'name="macro" value="{refund.pk}"' in page  # with the draft
    for _twice in range(2):
        assert as_sana.post(f"/tickets/{ticket.pk}/messages/", noted, part=True).status_code == 200
    after = Ticket.objects.get(pk=ticket.pk)
    assert (after.tags, after.status) == (["refund"], "pending")
    assert Event.objects.filter(kind="macro_applied").count() == 2
    page = as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "applied the macro “Refund”" in page and "My own" not in page and "applied a macro" in page
    refund.delete()
    assert "applied a macro" in as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    acting.apply(after, [], by=sana)


def test_brands_are_for_those_who_care_for_channels(as_sana: Desk, support: Channel) -> None:
    said = {"name": "Karvaan", "from_address": "", "signature": "Kind regards", "channels": [support.pk]}
    assert as_sana.get("/settings/brands/").status_code == 403
    assert as_sana.post("/settings/brands/new/", said).status_code == 403
    admin = Desk(member("Zuri", Role.ADMIN, None))
    assert admin.post("/settings/brands/new/", {**said, "name": "Second"}).status_code == 302
    brand = Brand.objects.get(name="Second")
    support.refresh_from_db()
    assert support.brand == brand
    for wrong in ({"name": ""}, {"from_address": "nobody"}, {"signature": "{{x.y}}"}, {"channels": [2**40]}):
        answer = admin.post(f"/settings/brands/{brand.pk}/", {**said, **wrong})
        assert answer.status_code == 200 and "errorlist" in answer.content.decode(), wrong
    shown = admin.post(f"/settings/brands/{brand.pk}/", {**said, "name": "<b>x</b>"}, part=False)
    assert shown.status_code == 302 and "<b>x</b>" not in admin.get("/settings/brands/").content.decode()
    assert admin.get(f"/settings/brands/{2**40}/").status_code == 404
    assert admin.post(f"/settings/brands/{brand.pk}/delete/").status_code == 302
    assert not Brand.objects.filter(pk=brand.pk).exists()
