"""The queue: who is offered what, when; what is due by itself; what is told of it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from channels_chat import history, hub, queue
from channels_chat.actions import endings, queueing
from channels_chat.models import Chat, ChatEnd, ChatState, Desk, Visitor
from inbox import frames, live, notify, presence, push
from inbox.actions import reply, tickets
from inbox.models import Agent, Channel, Engagement, Event, Notification, Team
from tests.cast import member
from tests.channels_chat.cast import (
    chat_channel,
    chosen,
    fresh,
    here,
    nobody_knows,
    says,
    set_back,
    visitor_of,
    waiting,
    with_bot,
)
from tests.clock import Decision

CLOSED = {"zone": "UTC", "days": [[]] * 7}


def round_() -> dict[int, str | None]:
    """One round of the queue; {visitor's chat: to whom it is offered}."""
    queue.tend()
    return offers()


def offers() -> dict[int, str | None]:
    waiting_ = Chat.objects.filter(state=ChatState.WAITING).order_by("queued_at", "pk")
    return dict(waiting_.values_list("pk", "offered_to__name"))


def events(kind: str) -> list[dict[str, Any]]:
    return list(Event.objects.filter(kind=kind).order_by("pk").values_list("data", flat=True))


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any) -> list[Any]:
    told: list[Any] = []
    monkeypatch.setattr(live, "hint", lambda agents, **frame: told.append((list(agents), frame)))
    return told


# Offers ----------------------------------------------------------------------------------------------------------


def test_oldest_first_to_whoever_has_least(shop: Channel, sana: Agent, omar: Agent) -> None:
    here(sana, omar)
    busy = waiting(shop, "Busy")
    queueing.accept(busy, by=sana)
    third, first, second = (waiting(shop, name, ago=ago) for name, ago in (("C", 10), ("A", 30), ("B", 20)))
    assert round_() == {first.pk: "Omar", second.pk: "Sana", third.pk: "Omar"}
    assert round_() == {first.pk: "Omar", second.pk: "Sana", third.pk: "Omar"}  # they stand
    assert [one["to"] for one in events("chat_offered")] == [omar.pk, sana.pk, omar.pk]
    assert fresh(first).engagement.offered_at is not None


def test_of_two_with_as_many_the_longest_without_one(shop: Channel, sana: Agent, omar: Agent) -> None:
    here(sana, omar)
    earlier = waiting(shop, "Earlier")
    queueing.accept(earlier, by=sana)
    endings.end(earlier, why=ChatEnd.AGENT, by=sana)
    chat = waiting(shop)
    assert round_() == {chat.pk: "Omar"}


def test_room(shop: Channel, sana: Agent, omar: Agent) -> None:
    here(sana, omar)
    Desk.objects.create(agent=sana, most=1)
    Desk.objects.create(agent=omar, takes=False)
    one, two = waiting(shop, "A", ago=20), waiting(shop, "B", ago=10)
    assert round_() == {one.pk: "Sana", two.pk: None}
    queueing.accept(one, by=sana)
    assert round_() == {two.pk: None}
    endings.end(one, why=ChatEnd.AGENT, by=sana)
    assert round_() == {two.pk: "Sana"}


def test_whoever_took_more_by_hand_is_offered_nothing(shop: Channel, sana: Agent) -> None:
    here(sana)
    Desk.objects.create(agent=sana, most=2)
    one, two, three = (waiting(shop, name, ago=ago) for name, ago in (("A", 30), ("B", 20), ("C", 10)))
    assert round_() == {one.pk: "Sana", two.pk: "Sana", three.pk: None}
    queueing.accept(three, by=sana)
    assert round_() == {one.pk: "Sana", two.pk: None}
    assert [(each["why"], each["agent"]) for each in events("chat_passed")] == [("withdrawn", sana.pk)]


def test_only_to_whom_it_concerns(team: Team, sana: Agent, bilal: Agent, lena: Agent, zoya: Agent) -> None:
    ours, open_ = chat_channel("Ours", team), chat_channel("Open")
    here(bilal, lena, away=[sana])
    team_chat, anybody = waiting(ours, "A"), waiting(open_, "B")
    assert round_() == {team_chat.pk: None, anybody.pk: "Bilal"}
    team.members.remove(zoya)
    here(bilal, zoya)  # she sees the channel, and is not of the team
    assert round_()[team_chat.pk] is None
    here(bilal, sana)
    assert round_()[team_chat.pk] == "Sana"
    Agent.objects.filter(pk=sana.pk).update(away=True)
    assert round_()[team_chat.pk] is None
    assert events("chat_passed")[-1]["why"] == "withdrawn"


def test_the_language_is_a_wish(shop: Channel, sana: Agent, omar: Agent) -> None:
    here(sana, omar)
    Agent.objects.filter(pk=omar.pk).update(languages=["ur"])
    Desk.objects.create(agent=omar, most=2)
    chats = [waiting(shop, name, ago=ago, language="ur-PK") for name, ago in (("A", 30), ("B", 20), ("C", 10))]
    assert list(round_().values()) == ["Omar", "Omar", "Sana"]
    assert chats[0].language == "ur-PK"


def test_who_passes_is_not_asked_again_at_once(shop: Channel, sana: Agent, omar: Agent) -> None:
    chat = waiting(shop)
    here(sana)
    assert round_() == {chat.pk: "Sana"}
    queueing.pass_on(chat, by=omar)  # it is not offered to him
    queueing.pass_on(fresh(chat), by=sana)
    assert round_() == {chat.pk: None}  # and nobody else is here
    here(sana, omar)
    assert round_() == {chat.pk: "Omar"}
    set_back(chat, 31)
    assert round_() == {chat.pk: "Sana"}  # nobody answered, everybody passed: it begins anew
    assert [(one["agent"], one["why"]) for one in events("chat_passed")] == [(sana.pk, "passed"), (omar.pk, "expired")]


def test_an_offer_that_runs_out_goes_to_the_next(shop: Channel, sana: Agent, omar: Agent) -> None:
    chosen(shop, queue={"offer": 15})
    here(sana, omar)
    chat = waiting(shop)
    with Decision() as decision:
        assert round_() == {chat.pk: "Sana"}
    assert decision.puts_off(fresh(chat).offer_until, 15, 15)
    set_back(chat, 16)
    assert round_() == {chat.pk: "Omar"}
    queueing.accept(chat, by=sana)  # a moment too late, and nobody has it yet
    assert fresh(chat).engagement.agent == sana


def test_the_colleague_who_was_asked_is_first(shop: Channel, sana: Agent, omar: Agent, zoya: Agent) -> None:
    here(sana, omar, zoya)
    for name in ("A", "B"):
        queueing.accept(waiting(shop, name), by=omar)
    chat = waiting(shop)
    queueing.accept(chat, by=sana)
    queueing.transfer(chat, by=sana, to=omar)
    assert round_() == {chat.pk: "Omar"}
    queueing.pass_on(chat, by=omar)
    assert round_() == {chat.pk: "Zoya"}  # neither him nor who gave it away


def test_agents_hear_of_offers_and_counts(
    shop: Channel, sana: Agent, hints: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    here(sana)
    chat = waiting(shop)
    with Decision() as decision, django_capture_on_commit_callbacks(execute=True):
        queue.tend()
    [told] = [frame["chat_offer"] for agents, frame in hints if "chat_offer" in frame and agents == [sana.pk]]
    assert (told["chat"], told["ticket"]) == (chat.pk, chat.engagement.ticket_id)
    assert decision.puts_off(datetime.fromtimestamp(told["until"] / 1000, UTC), 29.9, 30)  # in whole milliseconds
    assert frames.count_for({sana.pk})[sana.pk]["chats"] == "1"  # in the rail, every two seconds
    hints.clear()
    with django_capture_on_commit_callbacks(execute=True):
        queue.tend()
    assert hints == []  # no news
    with django_capture_on_commit_callbacks(execute=True):
        queueing.accept(chat, by=sana)
        queue.tend()
    ticket = chat.engagement.ticket_id
    assert hints == [([sana.pk], {"chat_offer_gone": {"chat": chat.pk, "ticket": ticket, "why": "taken"}})]
    assert frames.count_for({sana.pk})[sana.pk]["chats"] in {"", "0"}


def test_an_offer_is_pushed_without_a_word_of_the_visitor(shop: Channel, sana: Agent, omar: Agent) -> None:
    here(sana)
    chat = waiting(shop, text="My card is 4111")
    type(chat.engagement.ticket).objects.update(subject="My card is 4111")
    queue.tend()
    notify.tell(list(Event.objects.filter(kind="chat_offered")))
    row = Notification.objects.select_related("ticket__customer", "by").get()
    assert (row.agent, row.kind, row.push_due, row.mail_due, row.read_at is None) == (sana, "chat", True, False, False)
    told = push.message(row, sana, "en")
    assert (told["title"], told["body"]) == ("A chat waits for you", f"#{chat.engagement.ticket_id}")


# Timers ----------------------------------------------------------------------------------------------------------


def test_whoever_is_gone_loses_their_chats_after_a_minute(shop: Channel, sana: Agent, omar: Agent) -> None:
    here(sana, omar)
    chat = waiting(shop)
    queueing.accept(chat, by=sana)
    here(omar)
    queue.tend()
    assert fresh(chat).agent_gone_at is not None
    set_back(chat, 59)
    queue.tend()
    assert fresh(chat).state == ChatState.ACTIVE
    here(sana, omar)
    queue.tend()
    assert fresh(chat).agent_gone_at is None  # back in time
    here(omar)
    queue.tend()
    set_back(chat, 61)
    assert round_() == {chat.pk: "Omar"}
    assert [one["reason"] for one in events("chat_returned")] == ["gone"]


def test_away_counts_only_while_somebody_waits_for_a_word(shop: Channel, sana: Agent) -> None:
    chat = waiting(shop)
    reply.reply(chat.engagement.ticket, by=sana, text="Please look.")
    here(away=[sana])
    queue.tend()
    assert fresh(chat).agent_gone_at is None
    says(chat.visitor, "I did.")
    queue.tend()
    set_back(chat, 61)
    queue.tend()
    assert [one["reason"] for one in events("chat_returned")] == ["away"]


def test_whoever_may_not_answer_any_more_has_no_chats(shop: Channel, sana: Agent) -> None:
    here(sana)
    chat = waiting(shop)
    queueing.accept(chat, by=sana)
    Agent.objects.filter(pk=sana.pk).update(is_active=False)
    queue.tend()
    assert [one["reason"] for one in events("chat_returned")] == ["off"]


def test_a_moment_without_redis_takes_nothing_from_anybody(
    shop: Channel, sana: Agent, omar: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    here(sana, omar)
    chat, asked = waiting(shop, "A"), waiting(shop, "B")
    queueing.accept(chat, by=sana)
    assert round_() == {asked.pk: "Omar"}
    here(omar)
    queue.tend()
    set_back(chat, 61)  # she is long missing when it happens
    monkeypatch.setattr(presence, "read", lambda: None)  # away
    assert round_() == {asked.pk: "Omar"}
    assert fresh(chat).state == ChatState.ACTIVE and fresh(chat).agent_gone_at is None
    monkeypatch.undo()
    nobody_knows()  # it came back empty
    for _ in range(2):
        assert round_() == {asked.pk: "Omar"}
        assert fresh(chat).state == ChatState.ACTIVE
        set_back(chat, 61)
    assert events("chat_overflowed") == []
    here(sana, omar)
    queue.tend()
    assert fresh(chat).agent_gone_at is None


def test_silence_is_warned_of_then_ends_it(shop: Channel, sana: Agent) -> None:
    here(sana)
    chat = waiting(shop)
    queueing.accept(chat, by=sana)
    set_back(chat, 5000)
    queue.tend()
    assert fresh(chat).warned_at is None  # it is Sana's turn
    reply.reply(chat.engagement.ticket, by=sana, text="Anything else?")
    set_back(chat, 601)
    queue.tend()
    assert fresh(chat).warned_at is not None
    says(chat.visitor, "Wait")
    assert fresh(chat).warned_at is None
    reply.reply(chat.engagement.ticket, by=sana, text="I do.")
    set_back(chat, 601)
    for _ in range(2):
        queue.tend()
    assert len(events("chat_warned")) == 2
    set_back(chat, 301)
    queue.tend()
    assert (fresh(chat).state, fresh(chat).end) == (ChatState.ENDED, "inactive")
    assert fresh(chat).engagement.ticket.status != "solved"


@pytest.mark.parametrize(
    ("known", "since", "end", "abandoned"),
    [("", "", "left", 1), ("", "a@example.com", "offline", 0), ("a@example.com", "", "left", 1)],
)
def test_a_visitor_who_leaves_unanswered(shop: Channel, known: str, since: str, end: str, abandoned: int) -> None:
    visitor = visitor_of(shop, email=known)
    says(visitor, "Anybody?")
    chat = Chat.objects.get()
    set_back(chat, 40)
    Visitor.objects.filter(pk=visitor.pk).update(gone_at=timezone.now(), **({"email": since} if since else {}))
    queue.tend()
    assert fresh(chat).state == ChatState.WAITING  # they may be back
    set_back(chat, 61)
    queue.tend()
    assert (fresh(chat).state, fresh(chat).end) == (ChatState.ENDED, end)
    assert [one["short"] for one in events("chat_abandoned")] == [False] * abandoned
    assert [one["waited"] in range(39, 45) for one in events("chat_abandoned")] == [True] * abandoned


def test_what_becomes_of_its_ticket_becomes_of_the_chat(shop: Channel, sana: Agent) -> None:
    one, two = waiting(shop, "A"), waiting(shop, "B")
    tickets.set_spam(one.engagement.ticket, True, by=sana)
    type(two.engagement.ticket).objects.filter(pk=two.engagement.ticket_id).update(status="solved")  # by no action
    queue.tend()
    assert (fresh(one).end, fresh(two).end) == ("agent", "solved")


def test_overflow(shop: Channel, sana: Agent, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(hub, "tell", lambda visitors=(), tickets=(): told.extend(visitors))
    here(sana)
    chosen(shop, queue={"most_wait": 120})
    closed, ours = chat_channel("Night", hours=CLOSED), chat_channel("Ours", Team.objects.create(name="X", slug="x"))
    soon, late, night, nobody = waiting(shop), waiting(shop, ago=121), waiting(closed), waiting(ours)
    told.clear()
    for _ in range(2):
        queue.tend()
    assert [queue.overflows(fresh(one)) for one in (soon, late, night, nobody)] == [False, True, True, True]
    states = [history.state(fresh(one), one.channel) or {} for one in (soon, late, night, nobody)]
    assert [one["overflow"] for one in states] == ["", "late", "nobody", "nobody"]
    assert [one["wait"] for one in states[1:]] == [None] * 3  # no time is promised beside that
    assert {(one["engagement"], one["reason"]) for one in events("chat_overflowed")} == {
        (late.engagement_id, "wait"),
        (night.engagement_id, "closed"),
        (nobody.engagement_id, "nobody"),
    }
    assert sorted(told) == sorted([late.visitor_id, night.visitor_id, nobody.visitor_id])
    queueing.accept(late, by=sana)  # somebody has time after all
    assert not queue.overflows(fresh(late))


# What is told of it ----------------------------------------------------------------------------------------------


def test_places(shop: Channel, team: Team, sana: Agent) -> None:
    first, second = waiting(shop, "A", ago=20), waiting(shop, "B", ago=10)
    other = waiting(chat_channel("Other"), "C", ago=100)
    assert [queue.place_of(one) for one in (first, second, other)] == [1, 2, 1]
    assert queue.places([first, second, other]) == {first.pk: 1, second.pk: 2, other.pk: 1}
    assert queue.behind(first) == [second.visitor_id]
    queueing.accept(first, by=sana)
    assert (queue.place_of(fresh(first)), queue.place_of(second)) == (None, 1)


def test_the_expected_wait_is_that_of_the_last_hour(shop: Channel, sana: Agent) -> None:
    assert queue.expected_wait(shop) is None  # nobody knows
    for name, place, waited in (("A", 1, 30), ("B", 2, 80), ("C", 1, 300)):
        chat = waiting(shop, name, ago=waited)
        queueing.accept(chat, by=sana)
        Chat.objects.filter(pk=chat.pk).update(place=place)
    assert queue.expected_wait(shop) in range(40, 43)  # 30, 40 and 300 a place
    assert queue.expected_wait(shop, place=3) in range(120, 127)
    waiting(shop, "D")
    assert queue.expected_wait(shop) in range(80, 86)
    assert queue.expected_wait(chat_channel("Other")) is None
    Engagement.objects.update(accepted_at=timezone.now() - timedelta(hours=2))
    assert queue.expected_wait(shop) is None


def test_somebody_here(shop: Channel, team: Team, sana: Agent, bilal: Agent) -> None:
    ours = chat_channel("Ours", team)
    assert not queue.someone_here(shop)
    here(bilal)
    assert (queue.someone_here(shop), queue.someone_here(ours), queue.someone_here(shop, team)) == (True, False, False)
    here(sana)
    assert (queue.someone_here(ours), queue.someone_here(shop, team)) == (True, True)
    assert queue.faces(ours) == [sana]
    Desk.objects.create(agent=sana, takes=False)
    assert not queue.someone_here(ours)


# The whole -------------------------------------------------------------------------------------------------------


def test_a_round_over_many_is_a_handful_of_queries(shop: Channel) -> None:
    agents = [member(f"A{number}", "agent", None) for number in range(50)]
    here(*agents)
    first = waiting(shop)
    visitors = Visitor.objects.bulk_create(
        Visitor(channel=shop, digest=f"{number:064}", address=f"v:{number}") for number in range(499)
    )
    engagements = Engagement.objects.bulk_create(
        Engagement(ticket=first.engagement.ticket, channel=shop, kind="chat") for _ in visitors
    )
    now = timezone.now()
    Chat.objects.bulk_create(
        Chat(visitor=visitor, engagement=engagement, channel=shop, queued_at=now, waits_since=now)
        for visitor, engagement in zip(visitors, engagements, strict=True)
    )
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert queue.tend() == 150
    assert len(asked) <= 25, [one["sql"][:80] for one in asked]
    assert Counter(Chat.objects.exclude(offered_to=None).values_list("offered_to", flat=True)) == Counter(
        {agent.pk: 3 for agent in agents}
    )


def abandonment(log: list[Event]) -> tuple[int, int]:
    """(left, offered) as the KPI has it, from the log alone: chats that asked for a human within hours, whoever left
    within 15 seconds in neither; left before the first human message and with no address given since.
    """
    offered = {one.data["engagement"] for one in log if one.kind == "chat_requested" and one.data["in_hours"]}
    answered = {one.data["engagement"] for one in log if one.kind == "chat_answered"}
    left = [one.data for one in log if one.kind == "chat_abandoned" and one.data["engagement"] in offered - answered]
    short = {one["engagement"] for one in left if one["short"]}
    return len({one["engagement"] for one in left} - short), len(offered - short)


def test_abandonment_is_in_the_log(shop: Channel, sana: Agent) -> None:
    night = chat_channel("Night", hours=CLOSED)

    def leaves(chat: Chat, waited: int, email: str = "") -> None:
        set_back(chat, waited)
        Visitor.objects.filter(pk=chat.visitor_id).update(gone_at=timezone.now(), email=email)
        set_back(chat, 61)

    leaves(waiting(shop, "Gave up"), 30)
    leaves(waiting(shop, "Only looked"), 5)
    leaves(waiting(shop, "Left an address"), 30, "a@example.com")
    leaves(waiting(night, "At night"), 30)
    leaves(with_bot(chat_channel("Bot")), 30)  # asked for nobody; the event of its making is not this one's
    answered = waiting(shop, "Answered")
    reply.reply(answered.engagement.ticket, by=sana, text="Yes?")
    leaves(answered, 30)
    waiting(shop, "Still waits")
    queue.tend()
    log = [one for one in Event.objects.order_by("pk") if Chat.objects.filter(
        engagement=one.data.get("engagement"), channel__in=[shop, night]
    ).exists()]  # fmt: skip
    assert abandonment(log) == (1, 4)
