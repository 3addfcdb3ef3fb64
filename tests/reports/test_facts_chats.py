"""Chats and bots as their lines in the log tell them, through real actions of the widget and its agents."""

from __future__ import annotations

import pytest
from django.utils import timezone

from channels_chat.actions import endings, flow, queueing
from channels_chat.models import Chat, Visitor
from inbox.actions import merge, reply
from inbox.models import Agent, Channel, Message, Ticket
from reports.facts import storing
from reports.handling import talking
from reports.models import BotFact, ChatFact, ResponseFact, TicketFact
from tests.channels_chat.cast import chat_channel, chosen, fresh, says, visitor_of
from tests.channels_chat.test_flows import documented
from tests.reports.keeping import Reader, facts, rebuilt

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(db: None) -> Channel:
    return chat_channel()


def asked(shop: Channel, name: str) -> tuple[Visitor, Chat]:
    visitor = visitor_of(shop, name=name)
    says(visitor, "Good morning")
    return visitor, fresh(Chat.objects.get(visitor=visitor))


def test_what_became_of_chats(shop: Channel, sana: Agent) -> None:
    reader = Reader()
    _visitor, first = asked(shop, "A")
    _visitor, second = asked(shop, "B")
    _visitor, third = asked(shop, "C")
    reader.reads()
    assert set(ChatFact.objects.values_list("outcome", "left_at")) == {("waiting", None)}
    queueing.accept(first, by=sana)
    reply.reply(fresh(first).engagement.ticket, by=sana, text="Hello!")
    endings.end(fresh(second), why="visitor")
    endings.end(fresh(third), why="agent", by=sana)
    reader.reads()
    found = ChatFact.objects.order_by("engagement_id")
    assert list(found.values_list("outcome", "agent_id", "in_schedule")) == [
        ("answered", sana.pk, True), ("short", None, True), ("waiting", None, True),
    ]  # fmt: skip
    assert found[2].left_at is not None, "nobody can answer it any more"
    assert ResponseFact.objects.get().agent_id == sana.pk
    assert TicketFact.objects.filter(live=True, bot=False).count() == 3
    assert facts() == rebuilt()


def test_what_became_of_a_bot_s_talks(shop: Channel, sana: Agent) -> None:
    chosen(shop, flow=documented())
    reader = Reader()
    helped, handed, taken = (asked(shop, name)[1] for name in "ABC")
    reader.reads()
    assert list(TicketFact.objects.values_list("bot", "waiting_since")) == [(True, None)] * 3
    assert not ChatFact.objects.exists()
    for key in ("returns", "yes"):
        below = Message.objects.filter(ticket=helped.engagement.ticket, payload__chat__kind="buttons").latest("pk")
        flow.press(fresh(helped), below.pk, key)
    flow.human(fresh(handed))
    reply.reply(fresh(taken).engagement.ticket, by=sana, text="I am here.")
    reader.reads()
    rows = {row.ticket_id: row for row in BotFact.objects.all()}
    assert len(rows) == 3
    one, two, three = (rows[chat.engagement.ticket_id] for chat in (helped, handed, taken))
    assert (one.steps, one.handed_at, one.confirmed_at is not None) == (["hello", "returns", "help"], None, True)
    assert (two.steps, two.handed_at is not None, two.confirmed_at) == (["hello"], True, None)
    assert three.handed_at is not None
    of = {row.ticket_id: row for row in TicketFact.objects.all()}
    assert (of[one.ticket_id].done, of[one.ticket_id].first_solved_at) == (True, None)
    assert of[two.ticket_id].waiting_since == of[two.ticket_id].handed_at
    assert not ResponseFact.objects.exists()  # whoever took over by writing answered nothing that waited for a person
    assert ChatFact.objects.get().ticket_id == two.ticket_id
    assert facts() == rebuilt()
    assert three.began_at <= timezone.now()


def test_what_went_on_while_it_was_merged_is_still_the_chat_s(shop: Channel, sana: Agent, ticket: Ticket) -> None:
    """Whichever other tickets are counted together with it."""
    _visitor, chat = asked(shop, "A")
    own = chat.engagement.ticket
    merge.merge(own, ticket, by=sana)
    queueing.accept(fresh(chat), by=sana)
    reply.reply(fresh(chat).engagement.ticket, by=sana, text="Hello!")
    endings.end(fresh(chat), why="agent", by=sana)
    merge.unmerge(own, by=sana)
    storing.keep_safely([own.pk])
    assert ChatFact.objects.get().outcome == "answered"
    assert {one.agent_id for one in talking.made([chat.engagement_id])} == {sana.pk}
