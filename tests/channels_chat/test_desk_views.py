"""The agents’ side of live chat: the desk, offers, a chat’s ticket, who is on the site; and nothing of others’."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from channels_chat import board, lines, site
from channels_chat.actions import chats, queueing
from channels_chat.models import Chat, ChatState, Desk, Visitor
from inbox.actions import reply
from inbox.models import Agent, Channel, CustomerEvent, Message, Team, Ticket
from tests.channels_chat.cast import chat_channel, waiting
from tests.servers.web import ROOT

pytestmark = pytest.mark.django_db

MOST_QUERIES = 15
PART = {"HX-Request": "true", "HX-Request-Type": "partial"}
BAD = '<script>alert(1)</script>" onload=x {{ 7 }}'


def login(agent: Agent, **cookies: str) -> Client:
    client = Client()
    client.force_login(agent)
    for name, value in cookies.items():
        client.cookies[name] = value
    return client


def number(chat: Chat) -> int:
    return chat.engagement.ticket_id


def post(client: Client, to: str, **data: Any) -> Any:
    return client.post(to, data, headers=PART)


@pytest.fixture
def ours(team: Team) -> Channel:
    """A chat that the private team alone sees."""
    return chat_channel("Ours", team, forms=[
        {"key": "address", "title": {"en": "Your address", "ur": "آپ کا پتا"},
         "fields": [{"key": "street", "label": {"en": "Street"}, "required": True}]},
    ], topics=[{"key": "delivery", "label": {"en": "Delivery", "ur": "ڈیلیوری"}}])  # fmt: skip


# The desk -----------------------------------------------------------------------------------------------------------


def test_the_desk_shows_who_waits_and_ones_own_chats_in_few_queries(
    ours: Channel, sana: Agent, omar: Agent, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    def fill(names: list[str]) -> list[Chat]:
        found = [waiting(ours, name, ago=200 - 10 * nth) for nth, name in enumerate(names)]
        for one in found[1:3]:
            queueing.accept(one, by=sana)
        if len(found) > 3:
            queueing.accept(found[3], by=omar)
        return found

    first = fill([BAD, "Bano", "Chand", "Dilshad"])
    client = login(sana)
    client.get("/chats/")
    with django_assert_max_num_queries(MOST_QUERIES) as few:
        page = client.get("/chats/").content.decode()
    assert "<script>alert" not in page and "&lt;script&gt;" in page
    assert re.findall(r'<section class="chat [^"]*" id="chat-(\d+)"', page) == [str(number(one)) for one in first[1:3]]
    assert f'id="chat-row-{number(first[0])}"' in page and f"/chats/{number(first[0])}/accept/" in page
    assert f'id="chat-row-{number(first[3])}"' in page  # a colleague's, to be watched
    fill([f"Guest {n}" for n in range(6)])
    with django_assert_max_num_queries(len(few)):
        client.get("/chats/")
    with django_assert_max_num_queries(MOST_QUERIES):
        watched = client.get(f"/chats/?open={number(first[3])},999999,x").content.decode()
    assert f'id="chat-{number(first[3])}"' in watched
    with django_assert_max_num_queries(8):
        assert client.get("/chats/rail/", headers=PART).status_code == 200


def test_a_clock_counts_from_the_oldest_thing_that_nobody_answered(ours: Channel, sana: Agent) -> None:
    chat = waiting(ours, ago=70)
    assert board.card(sana, board.get(sana, number(chat))).lateness == "late"
    assert board.card(sana, board.get(sana, number(chat))).clock == "1:10"
    queueing.accept(chat, by=sana)
    Ticket.objects.filter(pk=number(chat)).update(waiting_since=timezone.now() - timedelta(seconds=200))
    assert board.card(sana, board.get(sana, number(chat))).lateness == "very-late"
    reply.reply(board.get(sana, number(chat)).engagement.ticket, by=sana, text="Yes, we do.")
    assert board.card(sana, board.get(sana, number(chat))).since is None
    assert [board.spoken(one) for one in (-3, 7, 760, 3723)] == ["0:00", "0:07", "12:40", "1:02:03"]


def test_chats_of_tickets_of_others_are_not_there(
    ours: Channel, shop: Channel, sana: Agent, bilal: Agent, zoya: Agent
) -> None:
    """Not on the desk, not in the rail, not at any address; nor are their visitors."""
    theirs, everybodys = waiting(ours, "Hidden Khan"), waiting(shop, "Shown Khan")
    client = login(bilal)
    for url in ("/chats/", f"/chats/?open={number(theirs)}&focus={number(theirs)}", "/chats/rail/"):
        page = client.get(url, headers=PART if "rail" in url else {}).content.decode()
        assert "Hidden" not in page and "Shown" in page
    one = f"/chats/{number(theirs)}/"
    for url in (one, f"{one}head/", f"{one}lines/", f"{one}pages/"):
        assert client.get(url, headers=PART).status_code == 404
    for what in ("messages", "accept", "decline", "transfer", "end", "page"):
        assert post(client, f"{one}{what}/", kind="reply", text="x").status_code == 404
    assert board.offers(bilal) == []
    theirs.refresh_from_db()
    assert theirs.state == ChatState.WAITING and Message.objects.filter(ticket=number(theirs)).count() == 1
    assert login(zoya).get(f"/chats/{number(everybodys)}/", headers=PART).status_code == 200


def test_the_one_chat_that_was_opened_is_before_the_agent(ours: Channel, sana: Agent) -> None:
    mine, other = queueing.accept(waiting(ours), by=sana), waiting(ours, "Bilal Khan")
    client = login(sana)
    for asked, focus in ((f"open={number(other)}", number(other)), (f"open={number(mine)},{number(other)}", "")):
        assert f'data-focus="{focus}"' in client.get(f"/chats/?{asked}").content.decode()


def test_light_agents_watch(ours: Channel, sana: Agent, lena: Agent) -> None:
    chat = queueing.accept(waiting(ours), by=sana)
    client, one = login(lena), f"/chats/{number(chat)}/"
    page = client.get(f"/chats/?open={number(chat)}").content.decode()
    assert f'id="chat-{number(chat)}"' in page and "You watch this chat." in page and "chat-composer" not in page
    for what in ("messages", "accept", "decline", "transfer", "end", "page"):
        assert post(client, f"{one}{what}/", kind="reply", text="x").status_code == 403
    assert post(client, "/chats/takes/", takes="yes").status_code == 403
    assert client.get("/chats/offers/").content.strip() == b""


def test_a_ticket_without_a_chat_has_no_place_here(ticket: Ticket, sana: Agent) -> None:
    client = login(sana)
    for url in (f"/chats/{ticket.pk}/", f"/chats/{ticket.pk}/head/", f"/chats/{ticket.pk}/lines/"):
        assert client.get(url, headers=PART).status_code == 404
    page = client.get("/chats/").content.decode()
    assert "Nobody can chat with you yet" in page


# What is done -------------------------------------------------------------------------------------------------------


def test_accepting_handing_over_and_solving(ours: Channel, sana: Agent, omar: Agent) -> None:
    chat, client = waiting(ours, "Ayesha"), login(sana)
    one = f"/chats/{number(chat)}/"
    assert "is-mine" not in client.get(one, headers=PART).content.decode()
    answer = post(client, f"{one}accept/", at="rail")
    assert answer.status_code == 200 and "desk-rail" in answer.content.decode()
    late = post(login(omar), f"{one}accept/", at="desk")
    assert late.status_code == 422 and "Sana has this chat already." in late.content.decode()
    assert post(client, f"{one}transfer/", at="desk").status_code == 422
    assert post(client, f"{one}transfer/", at="desk", agent=omar.pk, note="Knows <b>her</b>").status_code == 200
    chat.refresh_from_db()
    assert (chat.state, chat.wanted) == (ChatState.WAITING, omar)
    assert Message.objects.filter(ticket=number(chat), direction="note", text="Knows <b>her</b>").exists()
    assert post(login(omar), f"{one}accept/", at="offer").status_code == 204
    taken = post(client, f"{one}accept/", at="desk", over="yes")
    assert taken.status_code == 200 and Chat.objects.get(pk=chat.pk).engagement.agent == sana
    assert post(client, f"{one}end/", at="desk", solve="yes").status_code == 200
    chat.refresh_from_db()
    assert (chat.state, chat.end) == (ChatState.ENDED, "solved")
    assert Ticket.objects.get(pk=number(chat)).status == "solved"
    assert "Ended" in client.get(f"{one}head/", headers=PART).content.decode()


def test_ending_leaves_the_ticket_open(ours: Channel, sana: Agent) -> None:
    chat = queueing.accept(waiting(ours), by=sana)
    post(login(sana), f"/chats/{number(chat)}/end/", at="desk", solve="no")
    chat.refresh_from_db()
    assert chat.end == "agent" and Ticket.objects.get(pk=number(chat)).status != "solved"


def test_answers_leave_once_and_take_the_chat(ours: Channel, sana: Agent) -> None:
    chat, client = waiting(ours), login(sana)
    url = f"/chats/{number(chat)}/messages/"
    said = {"kind": "reply", "text": "Yes, to Multan, too.", "client_id": "c1", "version": "0"}
    first, second = post(client, url, **said), post(client, url, **said)
    assert first.json() == second.json() and first.json()["took"] == "c1"
    assert Message.objects.filter(ticket=number(chat), direction="out", author_kind="agent").count() == 1
    chat.refresh_from_db()
    assert chat.state == ChatState.ACTIVE and chat.engagement.agent == sana
    assert post(client, url, kind="reply", text="  ", client_id="c2").status_code == 409
    shown = client.get(f"/chats/{number(chat)}/lines/?after=0").content.decode()
    assert 'data-cid="c1"' in shown and "to Multan" in shown
    last = Message.objects.filter(ticket=number(chat)).latest("pk").pk
    assert client.get(f"/chats/{number(chat)}/lines/?after={last}").content.strip() == b""


def test_a_form_and_a_page_are_sent_and_shown(ours: Channel, sana: Agent) -> None:
    chat, client = queueing.accept(waiting(ours), by=sana), login(sana)
    one = f"/chats/{number(chat)}/"
    assert "Your address" in client.get(f"{one}pages/", headers=PART).content.decode()
    assert post(client, f"{one}page/", at="desk", form="address").status_code == 200
    assert post(client, f"{one}page/", at="desk", form="nothing").status_code == 422
    assert post(client, f"{one}page/", at="desk", url="https://shop.example/returns", title=BAD).status_code == 200
    for bad in ("javascript:alert(1)", "//evil.example", "https://", "ftp://x.example/"):
        assert post(client, f"{one}page/", at="desk", url=bad, title="x").status_code == 422
    sent = Message.objects.filter(ticket=number(chat), agent=sana).order_by("pk")
    kinds = [one.payload["chat"]["kind"] for one in sent]
    assert kinds == ["form", "page"]
    Message.objects.filter(payload__chat__kind="form").update(
        payload={"chat": {"kind": "form", "data": {"title": "Your address", "values": {"street": BAD},
                                                   "fields": [{"key": "street", "label": "Street"}]}}}
    )  # fmt: skip
    for url in (f"{one}lines/", f"/tickets/{number(chat)}/"):
        page = client.get(url).content.decode()
        assert 'href="https://shop.example/returns"' in page and "filled in" in page
        assert "<script>alert(1)</script>" not in page


def test_hostile_parts_of_messages_are_no_links(ours: Channel) -> None:
    assert lines.shown("page", {"url": "javascript:alert(1)", "title": "x"})["url"] == ""
    assert lines.shown("buttons", {"buttons": ["x", None, {"key": "a", "label": "A"}], "pressed": "a"}) == {
        "buttons": [{"label": "A", "pressed": True}]
    }
    assert lines.shown("form", {"values": "x", "fields": [7]}) == {"title": "", "fields": [], "answered": False}
    assert lines.shown("other", {}) == {}


# Offers and the switch ----------------------------------------------------------------------------------------------


def offered(chat: Chat, to: Agent, seconds: int = 30) -> None:
    Chat.objects.filter(pk=chat.pk).update(offered_to=to, offer_until=timezone.now() + timedelta(seconds=seconds))


def test_offers_are_there_when_a_page_loads(
    ours: Channel, sana: Agent, omar: Agent, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    chat, old = waiting(ours, BAD, topic="delivery", language="ur"), waiting(ours, "Bano")
    offered(chat, sana)
    offered(old, sana, -5)
    client = login(sana)
    with django_assert_max_num_queries(5):
        answer = client.get("/chats/offers/")
    page = answer.content.decode()
    assert page.count('class="offer"') == 1 and "Delivery" in page and "Urdu" in page and "<script>alert" not in page
    assert answer.cookies["rabta_chats"].value == "yes"
    assert 'class="offer"' not in login(omar).get("/chats/offers/").content.decode()
    assert post(client, f"/chats/{number(chat)}/decline/", at="offer").status_code == 204
    assert 'class="offer"' not in client.get("/chats/offers/").content.decode()


def test_who_has_no_chat_is_not_asked_again(support: Channel, sana: Agent) -> None:
    assert login(sana).get("/chats/offers/").cookies["rabta_chats"].value == "no"
    page = login(sana, rabta_chats="no").get("/").content.decode()
    assert 'href="/chats/"' not in page
    assert 'href="/chats/"' in login(sana, rabta_chats="yes").get("/customers/").content.decode()


def test_the_switch(ours: Channel, sana: Agent) -> None:
    client = login(sana, rabta_chats="yes")
    assert 'aria-checked="true"' in client.get("/chats/").content.decode()
    page = post(client, "/chats/takes/", takes="no", most="99").content.decode()
    row = Desk.objects.get(agent=sana)
    assert (row.takes, row.most) == (False, board.MOST_AT_ONCE) and 'aria-checked="false"' in page
    post(client, "/chats/takes/", most="2")
    row.refresh_from_db()
    assert (row.takes, row.most) == (False, 2)
    assert 'id="chat-desk"' in client.get("/settings/profile/").content.decode()
    away = client.post("/chats/takes/", {"takes": "yes", "most": "x", "next": "https://evil.example/"})
    assert away["Location"] == "/chats/"


def test_the_sidebar_counts_who_waits(ours: Channel, shop: Channel, sana: Agent, bilal: Agent) -> None:
    waiting(ours)
    waiting(shop)
    for agent, count in ((sana, 2), (bilal, 1)):
        page = login(agent).get("/").content.decode()
        assert re.search(rf'href="/chats/".*?data-count="chats">{count}<', page)
    assert 'data-key="g c"' in login(sana).get("/palette/").content.decode()


# The ticket's page and the journey ----------------------------------------------------------------------------------


def test_the_ticket_says_how_its_chat_is(
    ours: Channel, sana: Agent, omar: Agent, lena: Agent, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    chat, client = waiting(ours, "Ayesha"), login(sana)
    Visitor.objects.filter(pk=chat.visitor_id).update(
        pages=[{"url": "https://shop.example/a", "title": "Lamps"}, {"url": "javascript:x", "title": BAD}],
        referrer="https://search.example/", visits=3, email="ayesha@example.com", attributes={"plan": BAD, "_own": "x"},
    )  # fmt: skip
    url = f"/tickets/{number(chat)}/"
    client.get(url)
    with django_assert_max_num_queries(MOST_QUERIES):
        page = client.get(url).content.decode()
    assert "A visitor waits for somebody" in page and f'data-live="{number(chat)}"' in page
    assert "<script>alert" not in page and 'href="javascript' not in page and "_own" not in page
    assert "On the site" in page and "3 visits" in page
    queueing.accept(chat, by=sana)
    assert "You are in this chat" in client.get(url).content.decode()
    assert "Sana is in this chat" in login(omar).get(url).content.decode()
    assert 'id="chat-transfer"' not in login(lena).get(url).content.decode()
    Visitor.objects.filter(pk=chat.visitor_id).update(gone_at=timezone.now())
    assert "goes by e-mail to ayesha@example.com" in client.get(url).content.decode()
    parts = post(client, f"/chats/{number(chat)}/end/", solve="no").content.decode()
    assert "The chat is over" in parts and "took the chat" in parts
    Chat.objects.filter(pk=chat.pk).update(score=4, comment="Quick!")
    page = client.get(url).content.decode()
    assert "Rated 4 of 5" in page and "Quick!" in page


def test_a_visit_is_one_line_of_the_journey(ours: Channel, sana: Agent, bilal: Agent) -> None:
    chat = queueing.accept(waiting(ours, "Ayesha"), by=sana)
    customer, now = board.get(sana, number(chat)).engagement.ticket.customer, timezone.now()
    for minutes in (0, 3, 5, 200, 300):
        CustomerEvent.objects.create(
            customer=customer, kind="page_view", at=now - timedelta(minutes=minutes),
            data={"url": f"https://shop.example/{minutes}", "title": f"Page {minutes}"},
        )  # fmt: skip
    page = login(sana).get(f"/customers/{customer.pk}/journey/", headers=PART).content.decode()
    assert page.count("Visited the site: 3 pages") == 1 and page.count("Looked at a page") == 2
    assert 'href="https://shop.example/3"' in page
    assert "with Sana" in page and "goes on" in page
    assert f'href="/tickets/{number(chat)}/"' in page


# Who is on the site -------------------------------------------------------------------------------------------------


def here(channel: Channel, visit: str, **told: Any) -> site.Here:
    return site.Here(visit=visit, channel=channel.pk, since=timezone.now() - timedelta(minutes=2), **told)


def test_visitors_are_listed_narrowed_and_written_to(
    ours: Channel, shop: Channel, sana: Agent, bilal: Agent, lena: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat = waiting(ours, "Known Khan")
    visits = [
        here(
            ours, "a" * 20, page="https://shop.example/cart", title=BAD, lang="ur", ref="https://www.search.example/x"
        ),
        here(ours, "b" * 20, page="https://shop.example/lamps", lang="en", visitor=chat.visitor_id),
        here(shop, "c" * 20, page="https://other.example/", lang="en"),
    ]
    monkeypatch.setattr(site, "now", lambda *channels: [one for one in visits if one.channel in channels])
    client = login(sana)
    page = client.get("/chats/visitors/").content.decode()
    assert page.count('<tr id="guest-') == 3 and "<script>alert" not in page and "search.example" in page
    assert "Known Khan" in page and f"/chats/?focus={number(chat)}" in page
    assert client.get("/chats/visitors/?page=CART", headers=PART).content.decode().count('<tr id="guest-') == 1
    assert client.get("/chats/visitors/?language=en", headers=PART).content.decode().count('<tr id="guest-') == 2
    assert "Nobody fits" in client.get("/chats/visitors/?page=zzz", headers=PART).content.decode()
    assert "Known" not in login(bilal).get("/chats/visitors/").content.decode()
    assert "Start a chat" not in login(lena).get("/chats/visitors/").content.decode()
    began: list[Any] = []
    monkeypatch.setattr("channels_chat.views.people._start", lambda: lambda *args, **told: began.append((args, told)))
    said = {"visit": "a" * 20, "channel": ours.pk, "text": "Hello!"}
    assert post(client, "/chats/visitors/start/", **said).status_code == 200
    assert began == [((ours, "a" * 20), {"by": sana, "text": "Hello!"})]
    assert post(client, "/chats/visitors/start/", **{**said, "text": " "}).status_code == 422
    assert post(client, "/chats/visitors/start/", **{**said, "visit": "../x"}).status_code == 404
    assert post(login(bilal), "/chats/visitors/start/", **said).status_code == 404
    assert post(login(lena), "/chats/visitors/start/", **said).status_code == 403


# The house's rules for the desk's own files -------------------------------------------------------------------------

OWN = ROOT / "channels_chat"


@pytest.mark.parametrize("path", sorted((OWN / "static/channels_chat/js").glob("*.js")), ids=lambda path: path.name)
def test_scripts_of_the_desk_are_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 150
    assert not re.search(r"\beval\(|new Function|document\.write", text)


def test_nothing_is_said_in_an_attribute_that_the_policy_forbids() -> None:
    for path in [
        *(OWN / "templates/channels_chat/desk").glob("*.html"),
        *(OWN / "templates/channels_chat/ticket").glob("*.html"),
    ]:
        text = path.read_text()
        assert not re.search(r"\son[a-z]+=|hx-on|\sstyle=|<style\b|<script(?![^>]*\bsrc=)", text), path.name
        for form in re.findall(r"<form\b.*?</form>", text, re.DOTALL):
            assert 'method="post"' not in form or "{% csrf_token %}" in form, path.name


def test_what_the_bot_says_is_told_apart(ours: Channel, sana: Agent) -> None:
    chat = queueing.accept(waiting(ours), by=sana)
    chats.say(chat, "Somebody is with you in a moment.")
    found = lines.newest(number(chat))
    assert [one.by for one in found][-1] == "system" and found[-1].is_quiet
    assert "line-said" in lines.html(found[-1])
