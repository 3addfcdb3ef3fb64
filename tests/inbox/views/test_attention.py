"""What is unread, and what is followed: for each agent by themselves."""

from __future__ import annotations

import re

from django.test import Client

from inbox.actions import attention, merge, reply
from inbox.models import Agent, Channel, Message, Ticket, TicketFollower, TicketSeen
from tests.cast import question
from tests.inbox.views.conftest import PART, Desk


def unread(desk: Desk) -> list[int]:
    return [
        int(n) for n in re.findall(r'class="row[^"]* unread" id="row-(\d+)"', desk.get("/?view=open").content.decode())
    ]


def newest(ticket: Ticket) -> int:
    return Message.objects.filter(ticket=ticket).latest("pk").pk


def test_a_ticket_is_unread_until_its_newest_message_was_shown(
    as_sana: Desk, sana: Agent, omar: Agent, ticket: Ticket
) -> None:
    assert unread(as_sana) == [ticket.pk]
    first = newest(ticket)
    reply.reply(ticket, by=omar, text="It comes tomorrow.", status="open")
    attention.see({(sana.pk, ticket.pk): first})
    assert unread(as_sana) == [ticket.pk]  # Omar's answer was not before her yet
    attention.see({(sana.pk, ticket.pk): newest(ticket)})
    assert unread(as_sana) == []
    attention.see({(sana.pk, ticket.pk): first})  # said late, by another tab
    assert unread(as_sana) == []
    reply.note(ticket, by=omar, text="Between us.")
    assert unread(as_sana) == []


def test_what_somebody_answers_is_not_unread_to_them(as_sana: Desk, sana: Agent, omar: Agent, ticket: Ticket) -> None:
    reply.reply(ticket, by=sana, text="It comes tomorrow.", status="open")
    assert unread(as_sana) == []
    assert unread(Desk(omar)) == [ticket.pk]


def test_unread_by_hand_wins_until_it_is_opened(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    attention.mark_read(sana, [ticket.pk])
    assert as_sana.post(f"/tickets/{ticket.pk}/seen/", {"seen": "no"}, part=True).status_code == 204
    assert unread(as_sana) == [ticket.pk]
    assert as_sana.get(f"/seen/?number={ticket.pk}&number=x&number=999").json()[str(ticket.pk)] == "0"
    attention.see({(sana.pk, ticket.pk): newest(ticket)})
    assert unread(as_sana) == []
    attention.mark_unread(sana, [ticket.pk])
    attention.mark_read(sana, [ticket.pk])
    assert unread(as_sana) == []


def test_what_was_before_one_began_is_read_and_costs_no_row(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    sana.read_before = ticket.last_message_at
    sana.save()
    assert unread(as_sana) == []
    attention.see({(sana.pk, ticket.pk): newest(ticket)})
    assert not TicketSeen.objects.exists()


def test_following(as_sana: Desk, as_bilal: Desk, sana: Agent, support: Channel, ticket: Ticket) -> None:
    path = f"/tickets/{ticket.pk}/follower/"
    html = as_sana.post(path, {"follow": "yes"}, part=True).content.decode()
    assert re.search(r'id="follow"[^>]* name="follow" value="no"', html)
    into = question(support, "Where is it?")
    merge.merge(ticket, into, by=sana)
    assert TicketFollower.objects.filter(agent=sana, ticket=into).exists()
    as_sana.post(path, {"follow": "no"})
    assert not TicketFollower.objects.filter(agent=sana, ticket=ticket).exists()
    for name in ("follower", "seen"):
        assert as_bilal.post(f"/tickets/{ticket.pk}/{name}/", {"follow": "yes", "seen": "no"}).status_code == 404
    assert not TicketSeen.objects.filter(ticket=ticket).exists()


def test_strangers_learn_nothing(db: None, ticket: Ticket) -> None:
    assert Client().get("/seen/?number=1", headers=PART).status_code == 401


def test_a_row_says_where_somebody_has_a_draft(as_sana: Desk, sana: Agent, omar: Agent, ticket: Ticket) -> None:
    def marked(desk: Desk) -> list[str]:
        return re.findall(r'class="row[^"]* drafted" id="row-(\d+)"', desk.get("/?view=open").content.decode())

    written = {"kind": "reply", "text": "On Thu", "client_id": "d1"}
    assert as_sana.post(f"/tickets/{ticket.pk}/draft/", {**written, "version": 0}).json() == {"version": 1}
    assert marked(as_sana) == [str(ticket.pk)] and marked(Desk(omar)) == []
    assert as_sana.get("/drafts/").json() == {"numbers": [ticket.pk]}
    assert Desk(omar).get("/drafts/").json() == {"numbers": []}
    as_sana.post(f"/tickets/{ticket.pk}/draft/", {"kind": "reply", "text": "", "client_id": "d1", "version": 1})
    assert marked(as_sana) == []
