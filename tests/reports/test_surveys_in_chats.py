"""Surveys where customers talk live: buttons in the chat, and what a visitor gives a chat by themselves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from channels_chat import in_chat
from channels_chat.actions import after, endings
from channels_chat.models import Chat
from inbox.actions import reply
from inbox.models import Agent, Event, Message, Role, Ticket
from reports.actions import asking
from reports.models import Answer, Asking, Survey
from reports.surveys import follower
from tests.channels_chat import people

pytestmark = pytest.mark.django_db


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@rabta.example", name="Sana", role=Role.AGENT)


@pytest.fixture
def chat(sana: Agent) -> Chat:
    people.mailbox()
    visitor, ticket = people.visitor(people.shop(), name="Ali")
    people.answers(ticket, sana)
    return Chat.objects.select_related("engagement__ticket", "visitor", "channel").get(visitor=visitor)


def asked(chat: Chat, **chosen: Any) -> Message:
    Survey.objects.create(
        name="Chat", kind="csat", active=True, rules={"when": "chat_ended", "delay": 0, "low": 2, **chosen}
    )
    endings.end(chat, why="visitor")
    follower.hear(list(Event.objects.select_related("ticket").order_by("pk")))
    Asking.objects.update(due_at=F("due_at") - timedelta(minutes=1))
    assert asking.sweep() == 1
    return Message.objects.get(payload__has_key="buttons")


def test_a_chat_is_asked_by_buttons_that_are_no_message(chat: Chat, sana: Agent) -> None:
    message = asked(chat, review_from=4, review_url="https://reviews.example/shop")
    assert message.payload["chat"]["kind"] == "buttons" and "http" not in message.text
    ticket = Ticket.objects.get()
    reply.reply(ticket, by=sana, text="Goodbye.", status="solved")
    inward = ticket.messages.filter(direction="in").count()
    press = {"t": "press", "id": message.pk, "button": "v5"}
    assert in_chat.do("press", chat.visitor, press) == []
    in_chat.do("press", chat.visitor, press)  # said again after a lost connection
    answer = Answer.objects.get()
    ticket.refresh_from_db()
    assert (answer.value, ticket.csat, ticket.status) == (5, 5, "solved")
    assert ticket.messages.filter(direction="in").count() == inward
    message.refresh_from_db()
    assert message.payload["chat"]["data"]["pressed"] == "v5"
    thanks = ticket.messages.latest("pk")
    assert "https://reviews.example/shop" in thanks.text and "/survey/" in thanks.text
    in_chat.do("press", chat.visitor, {**press, "button": "v2"})  # they think better of it
    answer.refresh_from_db()
    assert answer.value == 2 and ticket.messages.latest("pk") == thanks
    stranger, _ticket = people.visitor(chat.channel, said="Me?", name="Eve")
    with pytest.raises(ValueError, match=r"over|gone on"):
        in_chat.do("press", stranger, {**press, "button": "v1"})
    assert Answer.objects.get().value == 2


def test_a_rating_of_ones_own_is_an_answer_and_spares_the_question(chat: Chat, sana: Agent) -> None:
    endings.end(chat, why="visitor")
    after.rate(chat, 2)
    after.rate(chat, 4, "Better now")
    answer = Answer.objects.get()
    assert (answer.value, answer.comment, answer.unasked, answer.survey.of_chats) == (4, "Better now", True, True)
    assert answer.answered_at == answer.asked_at or answer.answered_at is not None
    told = Event.objects.filter(kind__startswith="survey_").order_by("pk").values_list("kind", "data__value")
    assert list(told) == [("survey_answered", 2), ("survey_changed", 4)]
    Answer.objects.all().delete()  # as before there were any: the log still knows
    follower.hear(list(Event.objects.filter(kind="chat_rated").select_related("ticket").order_by("pk")))
    assert Answer.objects.get().value == 4
    Survey.objects.create(name="After", kind="csat", active=True, rules={"delay": 0})
    reply.reply(Ticket.objects.get(), by=sana, text="Bye.", status="solved")
    follower.hear(list(Event.objects.filter(kind="status_changed").select_related("ticket").order_by("pk")))
    assert asking.sweep() == 0 and set(Asking.objects.values_list("reason", flat=True)) == {"rated"}
