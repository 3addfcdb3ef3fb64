"""What stands between a click and a customer: questions, held and later messages, drafts, the choice of a channel."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from inbox import moments
from inbox.actions import drafts, reply
from inbox.models import Agent, Channel, Draft, Message, Ticket
from tests.inbox.views.conftest import Desk


def typed(text: str = "On Thursday.", **more: Any) -> dict[str, Any]:
    return {"kind": "reply", "text": text, "client_id": "c1", "version": 0, **more}


def sent(number: int) -> list[Message]:
    return list(Message.objects.filter(ticket=number, direction="out").order_by("pk"))


@pytest.mark.parametrize("part", [True, False])
def test_a_strange_address_is_asked_about_once(as_sana: Desk, ticket: Ticket, part: bool) -> None:
    path = f"/tickets/{ticket.pk}/messages/"
    data = typed(to="Ayesha <ayesha@gmial.com>, ayesha@example.com")
    html = as_sana.post(path, data, part=part).content.decode()
    assert "this address has not taken part" in html and not sent(ticket.pk)
    assert part or "On Thursday.</textarea>" in html and "ayesha@gmial.com" in html
    asked = re.search(r'name="confirmed" id="confirmed" value="([^"]*)"', html)
    assert asked and asked[1] == "ayesha@gmial.com"
    as_sana.post(path, {**data, "confirmed": asked[1]}, part=part)
    assert len(sent(ticket.pk)) == 1


@pytest.mark.parametrize("part", [True, False])
def test_what_came_meanwhile_is_shown(as_sana: Desk, ticket: Ticket, omar: Agent, part: bool) -> None:
    newest = Message.objects.get().pk
    theirs = reply.reply(ticket, by=omar, text="I <b>have</b> it.")
    path, data = f"/tickets/{ticket.pk}/messages/", typed(newest=newest, status="solved")
    answer = as_sana.post(path, data, part=part)
    html = answer.content.decode()
    assert answer.status_code == 422 and "I &lt;b&gt;have&lt;/b&gt; it." in html and "Omar" in html
    assert f'name="newest" id="newest" value="{theirs.pk}"' in html
    assert 'name="status" value="solved" id="send-anyway"' in html
    as_sana.post(path, {**data, "newest": theirs.pk}, part=part)
    assert [one.text.split("\n")[0] for one in sent(ticket.pk)] == ["I <b>have</b> it.", "On Thursday."]


def test_from_the_screen_mail_is_held_and_can_be_undone(as_sana: Desk, ticket: Ticket) -> None:
    html = as_sana.post(f"/tickets/{ticket.pk}/messages/", typed(), part=True).content.decode()
    [message] = sent(ticket.pk)
    assert message.is_held and f"/messages/{message.pk}/draft/" in html
    html = as_sana.post(f"/messages/{message.pk}/draft/", part=True).content.decode()
    assert "On Thursday.</textarea>" in html and f'id="m-{message.pk}"' not in html
    assert as_sana.post(f"/messages/{message.pk}/draft/", part=True).status_code == 422, "it is in the composer already"
    again = as_sana.post(f"/tickets/{ticket.pk}/messages/", typed(client_id="c2", after_send="list"), part=True)
    assert ": sent." in again.content.decode()
    opened = as_sana.post(f"/messages/{sent(ticket.pk)[-1].pk}/draft/", {"open": "yes"}, part=True)
    assert f"/tickets/{ticket.pk}/" in opened["HX-Location"]


def test_later_in_the_zone_of_whoever_writes(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    sana.time_zone = "Asia/Karachi"
    sana.save()
    path = f"/tickets/{ticket.pk}/messages/"
    day = (timezone.now() + timedelta(days=3)).date()
    assert as_sana.post(path, typed(later="at"), part=True).status_code == 422
    assert as_sana.post(path, typed(later="at", at="2020-01-01T10:00"), part=True).status_code == 422
    as_sana.post(path, typed(later="at", at=f"{day}T09:30"), part=True)
    [message] = sent(ticket.pk)
    assert message.send_at == datetime(day.year, day.month, day.day, 9, 30, tzinfo=ZoneInfo("Asia/Karachi"))
    timing = f"/messages/{message.pk}/timing/"
    assert "Send now" in as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    as_sana.post(timing, {"later": "tomorrow"}, part=True)
    message.refresh_from_db()
    assert message.send_at and message.send_at.astimezone(ZoneInfo("Asia/Karachi")).hour == moments.MORNING
    assert "Take the text back" in as_sana.post(timing, {"later": "never"}, part=True).content.decode()
    assert as_sana.post(timing, {"later": "now"}, part=True).status_code == 422, "it is not to leave any more"
    message.refresh_from_db()
    assert message.state == "cancelled"


@pytest.mark.parametrize(
    ("now", "keys"),
    [
        ("2026-11-26T10:00", "hour evening tomorrow monday"),  # a Thursday
        ("2026-11-26T17:30", "hour tomorrow monday"),
        ("2026-11-29T10:00", "hour evening tomorrow"),  # a Sunday: tomorrow is Monday
        ("2026-11-30T10:00", "hour evening tomorrow monday"),
    ],
)
def test_moments(now: str, keys: str) -> None:
    with timezone.override("Asia/Karachi"):
        found = moments.ahead(datetime.fromisoformat(now).replace(tzinfo=ZoneInfo("Asia/Karachi")))
    assert " ".join(one.key for one in found) == keys
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_a_draft_is_kept_and_stands_in_the_page(as_sana: Desk, sana: Agent, ticket: Ticket, support: Channel) -> None:
    path = f"/tickets/{ticket.pk}/draft/"
    assert as_sana.post(path, typed("On", cc="boss", channel=support.pk)).json() == {"version": 1}
    assert as_sana.post(path, typed("On Thursday", version=1)).json() == {"version": 2}
    old = as_sana.post(path, typed("Old", version=1))
    assert old.status_code == 409 and old.json()["text"] == "On Thursday"
    assert as_sana.get(path).json()["version"] == 2
    assert "On Thursday</textarea>" in as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    assert as_sana.post(path, typed("", version=1)).status_code == 409
    assert as_sana.post(path, typed(" ", version=2)).json() == {"version": 0}
    assert not Draft.objects.exists()
    assert as_sana.post(path, {"text": "x"}).status_code == 400
    drafts.save(sana, ticket, {"kind": "reply", "text": "On Thursday.", "client_id": "c1"}, version=0)
    as_sana.post(f"/tickets/{ticket.pk}/messages/", typed(), part=True)
    assert not Draft.objects.exists()


def test_nobody_reads_the_drafts_of_others(as_lena: Desk, sana: Agent, ticket: Ticket) -> None:
    drafts.save(sana, ticket, {"kind": "note", "text": "Secret", "client_id": "c1"}, version=0)
    assert as_lena.get(f"/tickets/{ticket.pk}/draft/").json() == {"version": 0}
    assert "Secret" not in as_lena.get(f"/tickets/{ticket.pk}/").content.decode()


def test_another_channel_of_the_customer(as_sana: Desk, sana: Agent, bilal: Agent, ticket: Ticket, team: Any) -> None:
    sales = Channel.objects.create(kind="email", name="Sales", slug="sales", addresses=["sales@example.org"])
    hidden = Channel.objects.create(kind="email", name="Board", slug="board", addresses=["board@example.org"])
    hidden.teams.add(type(team).objects.create(name="Board", slug="board", private=True))
    drafts.save(
        sana, ticket, {"kind": "reply", "text": "x", "client_id": "c", "recipients": {"cc": "b@c.de"}}, version=0
    )
    html = as_sana.get(f"/tickets/{ticket.pk}/way/?channel={sales.pk}", part=True).content.decode()
    assert f'<option value="{sales.pk}" selected>' in html and "You chose this channel" in html and "b@c.de" in html
    assert "Board" not in html
    assert "Sales to" in as_sana.get(f"/tickets/{ticket.pk}/changes/?channel={sales.pk}", part=True).content.decode()
    path = f"/tickets/{ticket.pk}/messages/"
    assert as_sana.post(path, typed(channel=hidden.pk), part=True).status_code == 422
    as_sana.post(path, typed(channel=sales.pk, subject="Your parcel"), part=True)
    [message] = sent(ticket.pk)
    assert (message.channel, message.subject) == (sales, "Your parcel")


def test_who_may_not_answer_changes_nothing_that_waits(as_lena: Desk, sana: Agent, ticket: Ticket) -> None:
    message = reply.reply(ticket, by=sana, text="Hello", undoable=True)
    for path in ("draft", "timing"):
        assert as_lena.post(f"/messages/{message.pk}/{path}/", {"later": "never"}).status_code == 403
    message.refresh_from_db()
    assert message.state == "queued"
