"""The ordinary line of a chat, written in one statement, against what the long way makes of the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from channels_chat import answers, intake
from channels_chat.actions import quick, visitors
from channels_chat.intake_values import Said
from channels_chat.models import Chat, ChatState, Visitor
from inbox import live
from inbox.actions import blocks, drafts, reply, tickets
from inbox.models import Agent, Channel, Customer, Draft, Engagement, Event, Message, Receipt, Role, Ticket, TicketSeen
from tests.channels_chat.cast import says, visitor_of

pytestmark = pytest.mark.django_db

# What differs between two lines for good: who and when. Everything else has to be alike.
OWN = {
    "id", "number", "ticket_id", "first_ticket_id", "customer_id", "receipt_id", "external_id", "key", "answers_id",
    "author_address", "thread_detail", "payload", "to", "raw", "size", "xid", "data", "actor_id", "meta", "text",
    "visible_text", "preview", "thread_key",
}  # fmt: skip


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.AGENT)


def talk(shop: Channel, sana: Agent) -> tuple[Visitor, Ticket]:
    """A visitor and Sana, who talk."""
    visitor = visitor_of(shop)
    ticket = says(visitor, "Hello?").ticket
    reply.reply(ticket, by=sana, text="Hello")
    Chat.objects.filter(visitor=visitor).update(state=ChatState.ACTIVE)
    Engagement.objects.filter(ticket=ticket).update(agent=sana)
    return visitor, Ticket.objects.get(pk=ticket.pk)


def row(one: Any) -> dict[str, Any]:
    """Its columns but for what is its own; of times whether there is one."""
    values = {field.attname: getattr(one, field.attname) for field in one._meta.concrete_fields}
    return {
        name: value is not None if hasattr(value, "tzinfo") else value
        for name, value in values.items()
        if name not in OWN
    }


def picture(ticket: Ticket, before: int) -> dict[str, Any]:
    """All that a line left in the database: what was written since the event `before`, and what the ticket became."""
    fresh = Ticket.objects.get(pk=ticket.pk)
    last = Message.objects.filter(ticket=ticket).order_by("-pk")[0]
    chat = Chat.objects.get(engagement__ticket=ticket)
    events = Event.objects.filter(ticket=ticket, pk__gt=before).order_by("pk")
    return {
        "ticket": row(fresh),
        "message": {**row(last), "payload": sorted(last.payload), "keys": last.keys.count()},
        "receipt": row(last.receipt) if last.receipt else None,
        "events": [(one.kind, one.actor_kind, sorted(one.data)) for one in events],
        "chat": [chat.warned_at is None, chat.state, chat.last_visitor_at is not None, chat.last_agent_at is not None],
        "seen": list(TicketSeen.objects.filter(ticket=ticket).values_list("agent", "unread")),
        "customer": Customer.objects.get(pk=fresh.customer_id).last_seen_at is not None,
    }  # fmt: skip


def both_ways(shop: Channel, sana: Agent, line: Callable[[Visitor, Ticket], Any], monkeypatch: Any) -> None:
    pictures = []
    for short in (True, False):
        visitor, ticket = talk(shop, sana)
        before = Event.objects.order_by("-pk")[0].pk
        with monkeypatch.context() as patch:
            if not short:
                patch.setattr(quick, "take", lambda saids, origin="": [None] * len(saids))
                patch.setattr(quick, "answer", lambda answers, origin="": [None] * len(answers))
            with CaptureQueriesContext(connection) as asked:
                line(visitor, ticket)
        assert (len(asked) <= 8) == short
        pictures.append(picture(ticket, before))
    assert pictures[0] == pictures[1]


def test_what_a_visitor_says_comes_to_the_same_rows(shop: Channel, sana: Agent, monkeypatch: Any) -> None:
    def line(visitor: Visitor, ticket: Ticket) -> None:
        [took] = intake.take(
            [Said(shop, visitor, uuid4().hex, "Where is <b>it</b>?", meta={"page": "https://x.example/"})]
        )
        assert took is not None
        assert Message.objects.get(pk=took.message).ticket == ticket

    both_ways(shop, sana, line, monkeypatch)


def test_what_an_agent_answers_comes_to_the_same_rows(shop: Channel, sana: Agent, monkeypatch: Any) -> None:
    def line(visitor: Visitor, ticket: Ticket) -> None:
        says(visitor, "Anybody?")
        before = Message.objects.count()
        [answered] = answers.answer([answers.Asked(sana.pk, ticket.pk, "یہاں ہوں", uuid4().hex, "ur")])
        assert answered.told["t"] == "took"
        assert Message.objects.count() == before + 1

    pictures = []
    for short in (True, False):
        visitor, ticket = talk(shop, sana)
        before = Event.objects.order_by("-pk")[0].pk
        with monkeypatch.context() as patch:
            if not short:
                patch.setattr(quick, "answer", lambda answers, origin="": [None] * len(answers))
            line(visitor, ticket)
        pictures.append(picture(ticket, before))
    assert pictures[0] == pictures[1]


def kept(sana: Agent, ticket: Ticket, cid: str, text: str, version: int = 0) -> Draft:
    """What stands in Sana's composer, as her page saves it."""
    written: dict[str, Any] = {
        "kind": "reply",
        "text": text,
        "html": "",
        "client_id": cid,
        "attachments": [],
        "newest": None,
    }
    return drafts.save(sana, ticket, written, version=version)


def test_a_line_lets_go_of_its_draft(
    shop: Channel, sana: Agent, monkeypatch: Any, django_capture_on_commit_callbacks: Any
) -> None:
    hints: list[Any] = []
    monkeypatch.setattr(live, "hint", lambda agents, **frame: hints.append((agents, frame)))
    _visitor, ticket = talk(shop, sana)
    cid = uuid4().hex
    draft = kept(sana, ticket, cid, "Let me")
    with django_capture_on_commit_callbacks(execute=True):
        [answered] = answers.answer([answers.Asked(sana.pk, ticket.pk, "It left", cid, "en", draft.version)])
    assert answered.took is not None  # the short way
    assert not Draft.objects.exists()
    assert ([sana.pk], {"draft": ticket.pk, "side": None, "version": 0, "drafted": False}) in hints


def test_what_another_tab_adds_to_a_draft_stays(shop: Channel, sana: Agent) -> None:
    _visitor, ticket = talk(shop, sana)
    cid = uuid4().hex
    draft = kept(sana, ticket, cid, "Let me")
    kept(sana, ticket, cid, "Something else altogether", draft.version)
    [answered] = answers.answer([answers.Asked(sana.pk, ticket.pk, "Let me look", cid, "en", draft.version)])
    assert answered.told["t"] == "took"
    left = Draft.objects.get()
    assert (left.text, left.client_id == cid) == ("Something else altogether", False)


def test_repeats_are_one_line_either_way(shop: Channel, sana: Agent) -> None:
    visitor, ticket = talk(shop, sana)
    cid, count = uuid4().hex, Message.objects.count()
    said = Said(shop, visitor, cid, "Once")
    first = intake.take([said, said])
    again = intake.take([said])
    assert {one.message for one in [*first, *again] if one} == {first[0].message if first[0] else 0}
    asked = answers.Asked(sana.pk, ticket.pk, "Once", cid, "en")
    told = [one.told["id"] for one in [*answers.answer([asked, asked]), *answers.answer([asked])]]
    assert len(set(told)) == 1
    other = answers.answer([answers.Asked(sana.pk, ticket.pk, "Something else", cid, "en")])[0].told
    assert other["t"] == "no"
    assert Message.objects.count() == count + 2


def test_many_chats_at_once_keep_their_order(shop: Channel, sana: Agent) -> None:
    talks = [talk(shop, sana) for _ in range(4)]
    saids = [Said(shop, visitor, uuid4().hex, f"{turn}") for turn in range(5) for visitor, _ticket in talks]
    with CaptureQueriesContext(connection) as asked:
        took = intake.take(saids)
    assert len(asked) <= 6
    ids = [one.message for one in took if one]
    assert ids == sorted(ids)
    for _visitor, ticket in talks:
        said = Message.objects.filter(ticket=ticket, direction="in").order_by("pk").values_list("text", flat=True)
        assert list(said) == ["Hello?", "0", "1", "2", "3", "4"]
        assert Ticket.objects.get(pk=ticket.pk).message_count == 7


@pytest.mark.parametrize("why", ["solved", "blocked", "merged", "away", "erased", "paused"])
def test_what_is_not_ordinary_goes_the_long_way(shop: Channel, sana: Agent, why: str) -> None:
    visitor, ticket = talk(shop, sana)
    if why == "solved":
        tickets.set_status(ticket, "solved", by=sana)
    elif why == "blocked":
        blocks.block(kind="address", value=visitor.address, identity_kind="chat", by=sana)
    elif why == "merged":
        from inbox.actions import merge

        other = says(visitor_of(shop, "Bilal"), "Hello?").ticket
        merge.merge(ticket, other, by=sana)
    elif why == "away":
        tickets.assign(ticket, by=sana, agent=None)
    elif why == "erased":
        Visitor.objects.filter(pk=visitor.pk).update(ended_at=ticket.created_at)
    else:
        Channel.objects.filter(pk=shop.pk).update(paused=True)
    if why != "blocked":
        assert quick.answer([quick.Answer(sana.pk, ticket.pk, "Hello", uuid4().hex)]) == [None]
    if why != "away":
        assert quick.take([Said(shop, visitor, uuid4().hex, "Hello")]) == [None]


@pytest.mark.parametrize("here", [True, False])
def test_a_block_counts_on_its_own_channel(shop: Channel, sana: Agent, here: bool) -> None:
    visitor, _ticket = talk(shop, sana)
    Visitor.objects.filter(pk=visitor.pk).update(user="7")
    scope = visitors.scope(shop.pk if here else shop.pk + 1)
    blocks.block(kind="visitor", value="u:7", identity_kind="chat", scope=scope, by=sana)
    [took] = quick.take([Said(shop, visitor, uuid4().hex, "Hello")])
    assert (took is None) == here


def test_only_whoever_has_the_chat_answers_the_short_way(shop: Channel, sana: Agent) -> None:
    _visitor, ticket = talk(shop, sana)
    omar = Agent.objects.create_user("omar@desk.example", name="Omar", role=Role.AGENT)
    assert quick.answer([quick.Answer(omar.pk, ticket.pk, "Hello", uuid4().hex)]) == [None]
    Agent.objects.filter(pk=sana.pk).update(is_active=False)
    assert quick.answer([quick.Answer(sana.pk, ticket.pk, "Hello", uuid4().hex)]) == [None]


def test_a_fault_of_the_short_way_loses_nothing(shop: Channel, sana: Agent, monkeypatch: Any) -> None:
    visitor, ticket = talk(shop, sana)
    monkeypatch.setattr(quick, "TAKE", "SELECT nothing_like_it")
    monkeypatch.setattr(quick, "ANSWER", "SELECT nothing_like_it")
    [took] = intake.take([Said(shop, visitor, uuid4().hex, "Hello")])
    assert took is not None
    assert answers.answer([answers.Asked(sana.pk, ticket.pk, "Hello", uuid4().hex, "en")])[0].told["t"] == "took"
    assert Receipt.objects.filter(state="done").count() == 2
