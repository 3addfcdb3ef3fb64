"""The life of a chat: asked for, taken, handed on, given back, ended; one owner at a time."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.utils import timezone

from channels_chat.actions import endings, queueing
from channels_chat.models import Chat, ChatEnd, ChatState, Visitor
from inbox.actions import merge, reply, tickets
from inbox.actions.errors import ActionError
from inbox.models import Agent, Channel, Event, Message, Team
from tests.channels_chat.cast import chosen, fresh, says, set_back, visitor_of, waiting, with_bot


def events(chat: Chat, kind: str) -> list[dict[str, Any]]:
    found = Event.objects.filter(kind=kind, data__engagement=chat.engagement_id).order_by("pk")
    return list(found.values_list("data", flat=True))


def lines(chat: Chat) -> list[str]:
    """What the system told the visitor."""
    found = Message.objects.filter(ticket=chat.engagement.ticket_id, author_kind="system", direction="out")
    return list(found.order_by("pk").values_list("text", flat=True))


def test_asking_decides_the_team(team: Team, sana: Agent, shop: Channel) -> None:
    billing = Team.objects.create(name="Billing", slug="billing")
    chosen(
        shop,
        routes=[
            {"team": "gone", "topic": "money"},
            {"team": "billing", "page": "*/billing*", "language": "ur"},
            {"team": "support", "topic": "money"},
        ],
    )
    asked = waiting(shop, "A", page="https://shop.example/Billing?x=1", language="ur", topic="")
    assert (asked.team, fresh(asked).engagement.ticket.team) == (billing, billing)
    assert waiting(shop, "B", page="https://shop.example/billing", language="en", topic="money").team == team
    assert waiting(shop, "C", page="https://shop.example/", language="ur").team is None
    [told] = events(asked, "chat_requested")
    assert told == {
        "engagement": asked.engagement_id,
        "reason": "wrote",
        "team": billing.pk,
        "in_hours": True,
        "agents_here": False,
    }
    before = Event.objects.count()
    queueing.ask_for_human(asked, reason="asked")  # again
    assert Event.objects.count() == before


def test_taking_it(shop: Channel, sana: Agent, omar: Agent, lena: Agent) -> None:
    chat = waiting(shop, ago=40)
    with pytest.raises(PermissionDenied):
        queueing.accept(chat, by=lena)
    queueing.accept(chat, by=sana)
    chat = fresh(chat)
    assert (chat.state, chat.engagement.agent, chat.engagement.ticket.assignee) == (ChatState.ACTIVE, sana, sana)
    assert chat.engagement.accepted_at is not None
    [told] = events(chat, "chat_accepted")
    assert told["waited"] in range(40, 50) and told["first"] and not told["offered"]
    assert queueing.accept(chat, by=sana).pk == chat.pk  # a second click
    with pytest.raises(ActionError, match="Sana") as refused:
        queueing.accept(chat, by=omar)
    assert refused.value.code == "taken"
    endings.end(chat, why=ChatEnd.AGENT, by=sana)
    with pytest.raises(ActionError) as over:
        queueing.accept(chat, by=omar)
    assert over.value.code == "ended"
    assert len(events(chat, "chat_accepted")) == 1


@pytest.mark.django_db(transaction=True)
def test_two_accept_at_once(shop: Channel, sana: Agent, omar: Agent) -> None:
    chat = waiting(shop)
    ready = threading.Barrier(2)
    answers: list[object] = []

    def click(agent: Agent) -> None:
        ready.wait()
        try:
            answers.append(queueing.accept(chat, by=agent).engagement.agent_id)
        except ActionError as error:
            answers.append(str(error.reason))
        finally:
            connection.close()

    threads = [threading.Thread(target=click, args=[agent]) for agent in (sana, omar)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    owner = fresh(chat).engagement.agent
    assert owner in {sana, omar}
    assert sorted(map(str, answers)) == sorted([str(owner.pk), f"{owner.name} has this chat already."])


def test_writing_takes_it_and_silences_the_bot(shop: Channel, sana: Agent, omar: Agent) -> None:
    chat = with_bot(shop)
    Chat.objects.filter(pk=chat.pk).update(bot_until=timezone.now())
    message = reply.reply(chat.engagement.ticket, by=sana, text="I am here.")
    chat = fresh(chat)
    assert (chat.state, chat.engagement.agent, chat.bot_until) == (ChatState.ACTIVE, sana, None)
    assert chat.first_human_at == chat.last_agent_at == message.created_at
    [told] = events(chat, "chat_answered")
    assert (told["message"], told["took"], told["waited"]) == (message.pk, True, 0)
    reply.reply(chat.engagement.ticket, by=omar, text="May I add something?")  # helps, and leaves it Sana's
    assert fresh(chat).engagement.agent == sana
    assert len(events(chat, "chat_answered")) == 1
    reply.note(chat.engagement.ticket, by=sana, text="No answer.")
    assert fresh(chat).first_human_at == message.created_at


def test_a_hand_over_is_unbroken(shop: Channel, team: Team, sana: Agent, omar: Agent, lena: Agent) -> None:
    chat = waiting(shop, ago=100)
    queueing.accept(chat, by=sana)
    with pytest.raises(ActionError):
        queueing.transfer(chat, by=sana, to=lena)
    with pytest.raises(ActionError):
        queueing.transfer(chat, by=sana)
    queued_at = fresh(chat).queued_at
    assert queued_at is not None
    queueing.transfer(chat, by=sana, to=omar, note="She asks about @customs.")
    chat = fresh(chat)
    assert (chat.state, chat.wanted, chat.passed, chat.engagement.agent) == (ChatState.WAITING, omar, [sana.pk], None)
    assert chat.queued_at == queued_at and chat.waits_since is not None and chat.waits_since > queued_at
    assert lines(chat) == ["Sana has asked Omar to help you."]
    note = Message.objects.get(ticket=chat.engagement.ticket_id, direction="note")
    assert note.text == "She asks about @customs."
    [told] = events(chat, "chat_transferred")
    assert (told["from"], told["to"], told["team"], told["note"]) == (sana.pk, omar.pk, None, note.pk)
    says(chat.visitor, "Hello Omar")  # goes on as if nothing were
    assert Chat.objects.count() == 1
    queueing.accept(chat, by=omar)
    queueing.transfer(chat, by=omar, team=team)
    chat = fresh(chat)
    assert (chat.team, chat.engagement.ticket.team, chat.engagement.ticket.assignee) == (team, team, None)
    assert [one["to"] for one in chat.engagement.transfers] == [omar.pk, None]
    assert lines(chat)[1:] == ["Omar has asked Support to help you."]
    queueing.accept(chat, by=sana)
    queueing.transfer(chat, by=omar, to=omar)  # takes it over
    assert fresh(chat).engagement.agent == omar


def test_lines_are_in_the_visitors_language(shop: Channel, sana: Agent, omar: Agent) -> None:
    visitor = visitor_of(shop, language="ur")
    says(visitor, "سلام")
    chat = Chat.objects.get()
    queueing.accept(chat, by=sana)
    with queueing.in_their_language(chat):
        from django.utils.translation import get_language

        assert get_language() == "ur"
    chosen(shop, languages=["en"])
    chat = fresh(chat)
    with queueing.in_their_language(chat):
        assert get_language() == "en"


def test_back_to_the_queue_with_everything(shop: Channel, sana: Agent, omar: Agent) -> None:
    chat = waiting(shop, ago=500)
    younger = waiting(shop, "Bilal", ago=10)
    queueing.accept(chat, by=sana)
    assert queueing.release(chat, reason="gone")
    assert not queueing.release(chat, reason="gone")
    chat = fresh(chat)
    assert (chat.state, chat.returned, chat.engagement.agent) == (ChatState.WAITING, 1, None)
    assert chat.engagement.ticket.assignee is None
    assert chat.queued_at is not None and younger.queued_at is not None and chat.queued_at < younger.queued_at
    [told] = events(chat, "chat_returned")
    assert (told["from"], told["reason"]) == (sana.pk, "gone")
    assert lines(chat) == ["Sana had to leave. Somebody else goes on with you in a moment."]
    queueing.accept(chat, by=omar)
    assert [one["first"] for one in events(chat, "chat_accepted")] == [True, False]


def test_solving_ends_it_and_opening_again_does_not_bring_it_back(shop: Channel, sana: Agent) -> None:
    chat = waiting(shop)
    queueing.accept(chat, by=sana)
    tickets.set_status(chat.engagement.ticket, "solved", by=sana)
    chat = fresh(chat)
    assert (chat.state, chat.end, chat.engagement.ended_by) == (ChatState.ENDED, "solved", "agent")
    tickets.set_status(chat.engagement.ticket, "open", by=sana)
    assert fresh(chat).state == ChatState.ENDED
    says(chat.visitor, "One more thing")
    assert [one.state for one in Chat.objects.order_by("pk")] == ["ended", "waiting"]
    assert Chat.objects.latest("pk").wanted == sana  # who knows them is asked first


def test_an_answer_that_solves_at_once_counts_as_one(shop: Channel, sana: Agent) -> None:
    chat = waiting(shop, ago=20)
    reply.reply(chat.engagement.ticket, by=sana, text="Yes, we do.", status="solved")
    chat = fresh(chat)
    assert (chat.state, chat.end, chat.engagement.agent) == (ChatState.ENDED, "solved", sana)
    assert chat.first_human_at is not None and chat.engagement.accepted_at is not None
    [told] = events(chat, "chat_answered")
    assert told["waited"] in range(20, 30)


def test_it_follows_its_ticket_through_a_merge(shop: Channel, sana: Agent) -> None:
    chat, other = waiting(shop), waiting(shop, "Bilal")
    queueing.accept(chat, by=sana)
    into = other.engagement.ticket
    merge.merge(chat.engagement.ticket, into, by=sana)
    queueing.release(chat, reason="back", by=sana)
    chat = fresh(chat)
    assert (chat.state, chat.engagement.ticket) == (ChatState.WAITING, into)
    tickets.set_status(into, "solved", by=sana)
    assert {one.state for one in Chat.objects.all()} == {ChatState.ENDED}


def test_a_message_instead(shop: Channel, sana: Agent) -> None:
    chat = waiting(shop)
    says(chat.visitor, "Please write to me.")
    endings.became_message(chat.visitor)
    chat = fresh(chat)
    assert (chat.state, chat.end, chat.engagement.ended_by) == (ChatState.ENDED, "offline", "customer")
    assert chat.engagement.ticket.status == "open"
    assert events(chat, "chat_abandoned") == []
    endings.became_message(chat.visitor)  # nothing is under way


@pytest.mark.parametrize(
    ("before", "after", "abandoned"), [("", "", True), ("", "a@example.com", False), ("a@example.com", "", True)]
)
def test_whoever_ends_it_unanswered_has_given_up(shop: Channel, before: str, after: str, abandoned: bool) -> None:
    visitor = visitor_of(shop, email=before)
    says(visitor, "Anybody?")
    chat = Chat.objects.get()
    set_back(chat, 60)
    if after:
        Visitor.objects.filter(pk=visitor.pk).update(email=after)
    endings.end(chat, why=ChatEnd.VISITOR)
    assert [one["how"] for one in events(chat, "chat_abandoned")] == ["visitor"] * abandoned
    [told] = events(chat, "chat_ended")
    assert (told["why"], told["answered"]) == ("visitor", False)
