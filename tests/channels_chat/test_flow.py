"""The bot's seat, and the flow bot in it: it greets, asks, understands, and always lets a human have the chat."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.contrib.auth import authenticate
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as HypothesisCase

from channels_chat import bots, config, deeds, flows
from channels_chat.actions import endings, flow, queueing, seat
from channels_chat.doors import Door
from channels_chat.models import Chat, ChatState, FlowEntry, Visitor
from inbox.actions import reply, trash
from inbox.models import Agent, Channel, Event, Message, Status, Ticket
from tests.channels_chat.cast import chat_channel, chosen, fresh, says, visitor_of
from tests.channels_chat.test_flows import documented

FLOW = documented()


@pytest.fixture
def channel(shop: Channel) -> Channel:
    chosen(shop, flow=FLOW)
    return shop


def chat_of(visitor: Visitor) -> Chat:
    return fresh(Chat.objects.filter(visitor=visitor).order_by("-pk")[0])


def greeted(channel: Channel, text: str = "Good morning", **known: Any) -> tuple[Visitor, Chat]:
    visitor = visitor_of(channel, **known)
    says(visitor, text, language=known.get("language", "en"))
    return visitor, chat_of(visitor)


def said(chat: Chat) -> list[str]:
    """What the bot said."""
    found = Message.objects.filter(ticket=fresh(chat).engagement.ticket, direction="out", author_kind="bot")
    return list(found.order_by("pk").values_list("text", flat=True))


def shown(chat: Chat) -> Message:
    """The newest message with buttons."""
    return Message.objects.filter(ticket=chat.engagement.ticket, payload__chat__kind="buttons").order_by("-pk")[0]


def buttons(chat: Chat) -> list[str]:
    return [one["key"] for one in shown(chat).payload["chat"]["data"]["buttons"]]


def press(chat: Chat, button: str) -> Chat:
    flow.press(fresh(chat), shown(chat).pk, button)
    return fresh(chat)


def told(kind: str) -> list[dict[str, Any]]:
    return list(Event.objects.filter(kind=kind).order_by("pk").values_list("data", flat=True))


def note(chat: Chat) -> str:
    return Message.objects.get(ticket=chat.engagement.ticket, direction="note").text


def entries(chat: Chat) -> list[tuple[str, str, str]]:
    return list(FlowEntry.objects.filter(chat=chat).order_by("pk").values_list("step", "what", "choice"))


def is_with_human(chat: Chat) -> bool:
    row = fresh(chat)
    owner = row.engagement.ticket.assignee
    return row.state == ChatState.WAITING and row.flow == {} and row.bot_until is None and owner is None


def test_without_a_flow_a_human_is_asked_at_once(shop: Channel) -> None:
    _visitor, chat = greeted(shop)
    assert chat.state == ChatState.WAITING
    assert not Agent.objects.filter(is_bot=True).exists()


def test_it_greets_and_owns_the_chat(channel: Channel) -> None:
    _visitor, chat = greeted(channel)
    assert chat.state == ChatState.BOT
    assert chat.queued_at is None
    assert chat.bot_until is None
    assert said(chat) == ["Hello! What is it about?"]
    assert buttons(chat) == ["order", "returns", "@human"]
    owner = chat.engagement.ticket.assignee
    assert owner.is_bot
    assert owner.name == "Rabta helper"
    assert told("bot_started") == [{"engagement": chat.engagement_id, "bot": "flow"}]
    assert shown(chat).agent == owner
    # Nobody can be it.
    assert not owner.is_active
    assert not owner.has_usable_password()
    assert authenticate(username=owner.email, password="!") is None
    _other, again = greeted(channel)
    assert again.engagement.ticket.assignee == owner


def test_it_asks_and_hands_over_with_what_it_knows(channel: Channel) -> None:
    visitor, chat = greeted(channel)
    press(chat, "order")
    assert said(chat)[-1] == "What is your order number?"
    says(visitor, "  K-20418 ")
    assert fresh(chat).engagement.ticket.attributes == {"order_number": "K-20418"}
    says(visitor, "no address")
    assert said(chat)[-1].startswith("That does not look like an e-mail address")
    says(visitor, "It is ayesha@example.com, thanks")
    chat = fresh(chat)
    assert is_with_human(chat)
    assert chat.fields == {"order": "K-20418", "email": "ayesha@example.com"}
    assert chat.visitor.email == "ayesha@example.com"
    assert said(chat)[-1].startswith("I am handing you over to a colleague")
    assert "My order" in note(chat)
    assert "order: K-20418" in note(chat)
    assert "ayesha@example.com" in note(chat)
    [event] = told("bot_handoff")
    went = {"steps": ["hello", "order", "email"], "fallbacks": 1}
    assert event == {"engagement": chat.engagement_id, "bot": "flow", "reason": "flow", **went}
    assert told("chat_requested")[0]["reason"] == "flow"
    assert entries(chat) == [
        ("hello", "entered", ""),
        ("hello", "chosen", "order"),
        ("order", "entered", ""),
        ("order", "answered", "order"),
        ("email", "entered", ""),
        ("email", "fallback", ""),
        ("email", "answered", "email"),
        ("email", "handoff", "flow"),
    ]


@pytest.mark.parametrize("words", ["My order", "my ORDER!", "1", "۱", "میرا آرڈر"])
def test_words_press_a_button(channel: Channel, words: str) -> None:
    visitor, chat = greeted(channel)
    says(visitor, words)
    assert said(chat)[-1] == "What is your order number?"


def test_first_words_may_say_it_already(channel: Channel) -> None:
    _visitor, chat = greeted(channel, "My order")
    assert said(chat) == ["What is your order number?"]


@pytest.mark.parametrize(
    "words", ["human", "I want to talk to an agent", "مجھے انسان سے بات کرنی ہے", "Agent please!", "a SUPERVISOR, now"]
)
def test_a_human_is_always_there(channel: Channel, words: str) -> None:
    visitor, chat = greeted(channel)
    says(visitor, words)
    assert is_with_human(chat)
    assert told("bot_handoff")[0]["reason"] == "asked"


def test_a_human_is_there_from_the_first_word_on(channel: Channel) -> None:
    _visitor, at_once = greeted(channel, "Human, please", name="Bilal")
    assert is_with_human(at_once)
    assert len(said(at_once)) == 1
    _visitor, pressed = greeted(channel, name="Dina")
    assert is_with_human(press(pressed, "@human"))
    _visitor, otherwise = greeted(channel, name="Zara")
    assert flow.human(otherwise)
    assert is_with_human(otherwise)
    assert not flow.human(fresh(otherwise))


def test_long_words_are_no_wish_for_a_human(channel: Channel) -> None:
    assert not bots.asks_for_human("My estate agent said that the parcel would have been here by Monday at noon")
    assert bots.asks_for_human("Please, could I just talk to someone about what happened with my parcel")
    assert not bots.asks_for_human("")


def test_what_it_does_not_understand_twice_goes_to_a_human(channel: Channel) -> None:
    visitor, chat = greeted(channel)
    says(visitor, "Purple elephants")
    assert said(chat)[-1].startswith("I did not understand that")
    assert buttons(chat) == ["order", "returns", "@human"]
    says(visitor, "Green ones")
    assert is_with_human(chat)
    assert told("bot_handoff")[0]["reason"] == "missed"
    assert [what for _step, what, _choice in entries(chat)].count("fallback") == 2


def test_misses_are_counted_in_a_row(channel: Channel) -> None:
    visitor, chat = greeted(channel)
    says(visitor, "Purple elephants")
    press(chat, "order")
    says(visitor, "K-1")
    says(visitor, "nothing")
    assert fresh(chat).state == ChatState.BOT


def test_what_helped_ends_the_chat(channel: Channel) -> None:
    _visitor, chat = greeted(channel)
    press(chat, "returns")
    assert said(chat)[-2:] == ["You can send it back within 14 days.", "Did this help?"]
    assert buttons(chat) == ["yes", "no", "@human"]
    chat = press(chat, "yes")
    assert chat.state == ChatState.ENDED
    assert chat.flow == {}
    ticket = chat.engagement.ticket
    assert ticket.status == Status.SOLVED
    went = {"steps": ["hello", "returns", "help"], "fallbacks": 0}
    assert told("bot_ended") == [{"engagement": chat.engagement_id, "bot": "flow", "outcome": "confirmed", **went}]
    assert len(told("chat_ended")) == 1
    assert ("help", "helped", "") in entries(chat)


def test_what_did_not_help_goes_to_a_human(channel: Channel) -> None:
    visitor, chat = greeted(channel)
    press(chat, "returns")
    says(visitor, "No.")
    assert is_with_human(chat)
    assert told("bot_handoff")[0]["reason"] == "unhelpful"
    assert ("help", "unhelpful", "") in entries(chat)


def test_who_leaves_after_an_answer_was_helped_perhaps(channel: Channel) -> None:
    _visitor, chat = greeted(channel)
    press(chat, "returns")
    endings.end(fresh(chat), why="left")
    ticket = fresh(chat).engagement.ticket
    assert told("bot_ended")[0]["outcome"] == "assumed"
    assert len(told("chat_ended")) == 1
    assert (ticket.status, ticket.assignee.is_bot) == (Status.SOLVED, True)
    assert ("help", "left", "") in entries(chat)


def test_who_leaves_before_is_looked_at_by_a_human(channel: Channel) -> None:
    _visitor, chat = greeted(channel, "My parcel is broken")
    endings.end(fresh(chat), why="left")
    row = fresh(chat)
    assert told("bot_ended")[0]["outcome"] == "left"
    assert (row.state, row.end, row.flow) == (ChatState.ENDED, "left", {})
    assert (row.engagement.ticket.status, row.engagement.ticket.assignee) == (Status.OPEN, None)
    assert not told("chat_abandoned")


def test_it_is_muted_the_moment_a_human_writes(channel: Channel, sana: Agent) -> None:
    visitor, chat = greeted(channel)
    buttons_of = shown(chat).pk
    reply.reply(chat.engagement.ticket, by=sana, text="I am here.")
    row = fresh(chat)
    assert (row.state, row.flow, row.bot_until) == (ChatState.ACTIVE, {}, None)
    assert row.engagement.ticket.assignee == sana
    went = {"steps": ["hello"], "fallbacks": 0}
    assert told("bot_handoff") == [{"engagement": chat.engagement_id, "bot": "flow", "reason": "takeover", **went}]
    before = len(said(chat))
    says(visitor, "human")
    flow.press(fresh(chat), buttons_of, "order")
    flow.hear(fresh(chat), Message.objects.filter(direction="in").order_by("-pk")[0])
    assert seat.say(fresh(chat), "Hello?") is None
    seat.handoff(fresh(chat), "asked")
    assert not flow.human(fresh(chat))
    assert flow.watch(timezone.now() + timedelta(hours=1)) == 0
    assert len(said(chat)) == before
    assert fresh(chat).engagement.ticket.assignee == sana


def test_who_takes_or_hands_on_the_chat_mutes_it(channel: Channel, sana: Agent, omar: Agent) -> None:
    _visitor, chat = greeted(channel)
    queueing.accept(chat, by=sana)
    assert (fresh(chat).state, fresh(chat).flow) == (ChatState.ACTIVE, {})
    _visitor, other = greeted(channel, name="Bilal")
    queueing.transfer(other, by=sana, to=omar)
    assert (fresh(other).state, fresh(other).flow) == (ChatState.WAITING, {})
    assert [one["reason"] for one in told("bot_handoff")] == ["takeover", "takeover"]
    endings.end(fresh(other), why="visitor")
    assert not told("bot_ended")


def test_a_human_who_has_the_ticket_keeps_it(channel: Channel, sana: Agent) -> None:
    visitor, chat = greeted(channel)
    reply.reply(chat.engagement.ticket, by=sana, text="I am here.")
    endings.end(fresh(chat), why="visitor")
    says(visitor, "One more thing")
    later = chat_of(visitor)
    assert later.pk != chat.pk
    assert later.state == ChatState.WAITING
    assert later.engagement.ticket.assignee == sana


def test_a_press_counts_once_and_only_below_the_newest_words(channel: Channel) -> None:
    visitor, chat = greeted(channel)
    first = shown(chat).pk
    flow.press(fresh(chat), first, "order")
    count = len(said(chat))
    for message, button in [(first, "order"), (first, "returns"), (first, "@human"), (2**40, "order")]:
        flow.press(fresh(chat), message, button)
    flow.press(fresh(chat), shown(chat).pk, "explode")
    assert len(said(chat)) == count
    assert Message.objects.get(pk=first).payload["chat"]["data"]["pressed"] == "order"
    other = Ticket.objects.get(pk=chat.engagement.ticket_id)
    _visitor, stranger = greeted(channel, name="Bilal")
    flow.press(fresh(stranger), shown(chat).pk, "@human")
    assert fresh(stranger).state == fresh(chat).state == ChatState.BOT
    assert other.pk != stranger.engagement.ticket_id
    assert visitor.pk


def test_frames_reach_it(channel: Channel) -> None:
    door = Door(channel, config.of(channel))
    for frame in ({"t": "press", "button": "@human"}, {"t": "human"}):
        visitor, chat = greeted(channel, name=frame["t"])
        deeds.do(frame["t"], door, visitor.pk, "v" * 32, "en", {**frame, "id": shown(chat).pk})
        assert is_with_human(chat)
    visitor, chat = greeted(channel)
    for button in (None, 5, ["order"], "x" * 500, "nowhere"):
        deeds.do("press", door, visitor.pk, "v" * 32, "en", {"t": "press", "id": shown(chat).pk, "button": button})
    assert len(said(chat)) == 1


def test_it_is_called_as_its_visitors_say(channel: Channel) -> None:
    _visitor, chat = greeted(channel, "سلام", language="ur")
    assert shown(chat).author_name == "رابطہ مددگار"
    chosen(channel, flow={**FLOW, "name": {"en": "Robbie"}})
    _visitor, later = greeted(channel)
    assert shown(later).author_name == later.engagement.ticket.assignee.name == "Robbie"


def test_choices_fill_a_field_and_the_topic_decides_the_team(channel: Channel) -> None:
    asks = {"field": "about", "kind": "choice", "into": "topic", "options": ["Money", "Parcel"]}
    step = {"key": "about", "say": {"en": "About?"}, "ask": asks}
    chosen(channel, flow={"on": True, "steps": [step]}, topics=[{"key": "billing", "label": {"en": "Money"}}])
    visitor, chat = greeted(channel)
    assert buttons(chat) == ["option-0", "option-1", "@human"]
    says(visitor, "neither")
    assert said(chat)[-1] == "Please choose one of these."
    press(chat, "option-0")
    assert is_with_human(chat)
    assert fresh(chat).topic == "billing"
    assert fresh(chat).fields == {"about": "Money"}


@pytest.mark.parametrize(("kind", "bad", "good"), [("phone", "12", "+92 300 1234567"), ("email", "a@b", "a@b.example")])
def test_answers_are_looked_at(channel: Channel, kind: str, bad: str, good: str) -> None:
    step = {"key": "one", "say": {"en": "?"}, "ask": {"field": kind, "kind": kind, "into": kind}}
    chosen(channel, flow={"on": True, "steps": [step]})
    visitor, chat = greeted(channel)
    says(visitor, bad)
    assert fresh(chat).fields == {}
    says(visitor, good)
    assert fresh(chat).fields == {kind: good}
    assert is_with_human(chat)


def test_it_speaks_the_language_of_the_chat(channel: Channel) -> None:
    visitor, chat = greeted(channel, "سلام", language="ur")
    assert said(chat)[0].startswith("السلام علیکم")
    assert shown(chat).payload["chat"]["data"]["buttons"][0] == {"key": "order", "label": "میرا آرڈر"}
    chosen(channel, texts={"ur": {"bot_confused": "سمجھ نہیں آیا"}})
    says(visitor, "نیلا")
    assert said(chat)[-1] == "سمجھ نہیں آیا"


def test_what_a_visitor_writes_calls_no_colleague(channel: Channel, sana: Agent) -> None:
    visitor, chat = greeted(channel)
    press(chat, "order")
    says(visitor, "@Sana call me")
    press(chat, "@human")
    message = Message.objects.get(ticket=chat.engagement.ticket, direction="note")
    assert "Sana call me" in message.text
    assert "mentions" not in message.payload


def test_a_ticket_in_the_trash_stops_nobody(channel: Channel, sana: Agent) -> None:
    _visitor, chat = greeted(channel)
    trash.trash(chat.engagement.ticket, by=sana)
    flow.human(fresh(chat))
    assert fresh(chat).flow == {}
    flow.ended(fresh(chat))


class Broken(bots.Bot):
    """A bot that does what `does` says."""

    name: ClassVar[str] = "broken"
    does: ClassVar[str] = "crash"

    def on(self, channel: Channel) -> bool:
        return channel.slug == "broken"

    def start(self, chat: Chat, message: Message | None) -> None:
        if self.does == "crash at once":
            raise RuntimeError
        seat.say(chat, "Hello.")

    def hear(self, chat: Chat, message: Message) -> None:
        if self.does == "talk":
            while seat.say(chat, "And another thing.", waits=False) is not None:
                pass
        elif self.does == "crash":
            seat.say(chat, "Half a")
            raise RuntimeError
        elif self.does == "sql":
            with transaction.atomic():
                Chat.objects.create(visitor=chat.visitor)


@pytest.fixture
def broken(db: None, monkeypatch: pytest.MonkeyPatch) -> Channel:
    monkeypatch.setattr(bots, "_bots", {**bots._bots, "broken": Broken()})
    return chat_channel("Broken")


@pytest.mark.parametrize(("does", "reason"), [("crash", "failed"), ("sql", "failed"), ("talk", "loop")])
def test_a_bot_that_fails_loses_no_word(
    broken: Channel, does: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Broken, "does", does)
    visitor, chat = greeted(broken)
    message = says(visitor, "Where is my parcel?")
    assert Message.objects.filter(pk=message.pk).exists()
    assert is_with_human(chat)
    assert said(chat)[0] == "Hello."
    assert len(said(chat)) == 2
    assert told("bot_handoff")[0]["reason"] == reason


def test_a_bot_that_cannot_begin_is_left_out(broken: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broken, "does", "crash at once")
    _visitor, chat = greeted(broken)
    assert chat.state == ChatState.WAITING
    assert chat.engagement.ticket.assignee is None
    assert not told("bot_started")


def test_a_silent_bot_loses_the_chat(broken: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Broken, "does", "nothing")
    visitor, chat = greeted(broken)
    says(visitor, "Anybody?")
    until = fresh(chat).bot_until
    assert until is not None
    assert flow.watch() == 0
    assert flow.watch(until + timedelta(seconds=1)) == 1
    assert is_with_human(chat)
    assert told("bot_handoff")[0]["reason"] == "watchdog"
    assert flow.watch(until + timedelta(seconds=1)) == 0


def test_a_hand_off_that_fails_is_tried_again(broken: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, chat = greeted(broken)
    monkeypatch.setattr(queueing, "ask_for_human", lambda *args, **kwargs: 1 / 0)
    message = says(visitor, "Where is my parcel?")
    assert Message.objects.filter(pk=message.pk).exists()
    assert fresh(chat).state == ChatState.BOT
    assert flow.watch() == 0
    monkeypatch.undo()
    monkeypatch.setattr(bots, "_bots", {**bots._bots, "broken": Broken()})
    assert flow.watch(timezone.now() + timedelta(minutes=1)) == 1
    assert is_with_human(chat)


KEYS = [f"s{number}" for number in range(5)]
TARGETS = st.sampled_from([*KEYS, "@human", "@end", "nowhere"])
TEXT = st.sampled_from(["", "Hello", "Say"])


@st.composite
def flows_(draw: st.DrawFn) -> dict[str, Any]:
    """Any flow, right or wrong."""
    steps = []
    for key in draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=5)):
        step: dict[str, Any] = {"key": key, "say": {"en": draw(TEXT)}, "go": draw(TARGETS)}
        match draw(st.sampled_from(["nothing", "buttons", "ask", "helped", "both"])):
            case "buttons" | "both" as what:
                step["buttons"] = [
                    {"key": f"b{place}", "label": {"en": draw(TEXT)}, "go": draw(TARGETS)}
                    for place in range(draw(st.integers(0, 3)))
                ]
                step["helped"] = what == "both"
            case "ask":
                kind = draw(st.sampled_from(["text", "email", "phone", "choice", "odd"]))
                into = draw(st.sampled_from(["", "name", "topic", "ticket:x", "customer:y", "email"]))
                step["ask"] = {"field": "f", "kind": kind, "options": ["One"], "into": into}
            case "helped":
                step["helped"] = True
        steps.append(step)
    return {"on": True, "start": draw(st.sampled_from(KEYS)), "steps": steps}


DOES = st.one_of(
    st.tuples(
        st.just("say"), st.sampled_from(["1", "Hello", "One", "a@b.example", "+92 300 1234567", "yes", "no", "?"])
    ),
    st.tuples(st.just("press"), st.sampled_from(["b0", "b1", "yes", "no", "option-0", "option-9", "odd"])),
)


class TestAnyFlow(HypothesisCase):
    """Whatever the flow and whatever the visitor does: one owner, never stuck, a human within two misses."""

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(flows_(), st.lists(DOES, max_size=6))
    def test_nobody_is_stuck(self, built: dict[str, Any], does: list[tuple[str, str]]) -> None:
        channel = chat_channel(flow=built)
        visitor = visitor_of(channel)
        says(visitor, "Good morning", language="en")
        for what, word in does:
            self.owned(visitor)
            chat = chat_of(visitor)
            if what == "say":
                says(visitor, word)
            else:
                flow.press(chat, chat.flow.get("shown", 0), word)
        if self.owned(visitor).state == ChatState.BOT:
            step = flows.read(built).steps[chat_of(visitor).flow["step"]]
            for _miss in range(bots.MOST_MISSED):
                says(visitor, "zebra crossing")
            if step.ask is None or step.ask.kind != "text":
                assert self.owned(visitor).state != ChatState.BOT
            elif self.owned(visitor).state == ChatState.BOT:  # any words are an answer, and led on
                says(visitor, "talk to a human")
                assert self.owned(visitor).state == ChatState.WAITING

    def owned(self, visitor: Visitor) -> Chat:
        chat = chat_of(visitor)
        owner = chat.engagement.ticket.assignee
        if chat.state == ChatState.BOT:
            assert owner is not None
            assert owner.is_bot
            assert chat.flow["bot"] == "flow"
            assert chat.bot_until is None or chat.bot_until > timezone.now()
            assert "@human" in buttons(chat)
        else:
            assert chat.flow == {}
            assert owner is None or chat.state == ChatState.ENDED
        assert Chat.objects.filter(visitor=visitor, state=ChatState.BOT).count() <= 1
        return chat
