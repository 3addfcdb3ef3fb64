"""What is collected becomes facts: by ticket or by agent, the same; kept for the agent's own tickets alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inbox import log
from inbox.actions import jobs, merge, reply, tickets
from inbox.focus import Stretch
from inbox.models import Agent, Channel, Engagement, Event, Message, Setting, Team, Ticket
from reports.handling import deeds, keeping, refreshing, rows, switch, talking
from reports.models import Activity, HandlingFact, Talk, TicketFact, Unshared
from tests.cast import question

pytestmark = pytest.mark.django_db

NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
NOW = timedelta(0)


def at(minutes: float) -> datetime:
    return NINE + timedelta(minutes=minutes)


def counted(*numbers: Ticket) -> None:
    for one in numbers:
        TicketFact.objects.get_or_create(
            ticket=one,
            defaults={
                "customer_id": one.customer_id,
                "channel_id": one.channel_id,
                "began_at": NINE,
                "priority": "normal",
            },
        )


def before(agent: Agent, ticket: Ticket, start: float, end: float, *, idle: bool = False, seq: int = 0) -> Stretch:
    return Stretch(agent.pk, "page00000001", seq or int(start * 1000), ticket.pk, idle, at(start), at(end))


def told(facts: Iterable[HandlingFact]) -> list[tuple[Any, ...]]:
    return sorted(
        (
            *(one.ticket_id, one.agent_id, one.team_id, one.quarter, one.estimated, one.actions),
            *(one.focus, one.call, one.chat, one.wrap_up),
        )
        for one in facts
    )


def seconds(facts: Iterable[HandlingFact]) -> dict[tuple[int, datetime], tuple[float, ...]]:
    return {(one.ticket_id, one.quarter): (one.focus, one.call, one.chat, one.wrap_up) for one in facts}


def chat(ticket: Ticket, agent: Agent, start: float, end: float | None, *said: float) -> Engagement:
    """A chat as the log tells of it, with what was said in it."""
    made = Engagement.objects.create(
        ticket=ticket, channel=ticket.channel, kind="chat", agent=agent, requested_at=at(start), accepted_at=at(start),
        ended_at=None if end is None else at(end),
    )  # fmt: skip
    lines = [("chat_accepted", agent.pk, at(start))] + ([("chat_ended", None, at(end))] if end is not None else [])
    Event.objects.bulk_create(
        Event(ticket=ticket, kind=kind, actor_kind="agent", actor_id=who, at=when, data={"engagement": made.pk})
        for kind, who, when in lines
    )
    Message.objects.bulk_create(
        Message(
            ticket=ticket, first_ticket=ticket, direction="in", channel=ticket.channel, author_kind="customer",
            customer=ticket.customer, created_at=at(one), received_at=at(one),
        )
        for one in said
    )  # fmt: skip
    return made


def test_what_pages_tell_is_kept_once_for_who_sees_the_ticket(
    support: Channel, ticket: Ticket, sana: Agent, bilal: Agent, zoya: Agent, team: Team
) -> None:
    hers = before(sana, ticket, 1, 2)
    assert keeping.write([hers, before(bilal, ticket, 1, 2), before(sana, Ticket(pk=2**40), 1, 2, seq=9)]) == 1
    assert keeping.write([hers]) == 0
    # It has grown; what another page, ticket or state claims under the same number does not count.
    assert keeping.write([before(sana, ticket, 1, 3), before(sana, ticket, 1, 2.5)]) == 1
    assert keeping.write([before(sana, ticket, 1, 17), before(sana, ticket, 1, 4, idle=True)]) == 0
    kept = Activity.objects.get()
    assert (kept.agent_id, kept.started_at, kept.ended_at) == (sana.pk, at(1), at(3))
    assert list(Unshared.objects.values_list("agent_id", "quarter")) == [(sana.pk, NINE)]
    # What she had before her until she gave it away counts, though she sees it no more.
    away = Team.objects.create(name="Away", slug="away", private=True)
    other = question(support, "Another")
    tickets.assign(other, by=zoya, team=away, agent=None)
    now = datetime.now(UTC)
    gave = Stretch(sana.pk, "page00000002", 1, other.pk, False, now - timedelta(seconds=50), now - timedelta(seconds=9))
    assert keeping.write([gave]) == 1


def test_nothing_is_kept_when_it_is_switched_off(ticket: Ticket, sana: Agent) -> None:
    Setting.objects.create(pk=switch.KEY, value={"on": False})
    assert keeping.write([before(sana, ticket, 1, 2)]) == 0
    assert not Activity.objects.exists()


def test_by_agent_and_by_ticket_it_is_the_same(support: Channel, sana: Agent, omar: Agent, team: Team) -> None:
    first, second, third = (question(support, subject) for subject in ("One", "Two", "Three"))
    counted(first, second, third)
    Ticket.objects.update(team=team)
    Event.objects.all().delete()
    # Two accepted chats for ten minutes, both active: five minutes each. The third she then looks at takes from both.
    for one in (first, second):
        chat(one, sana, 2, 12, 1, 4, 7, 10)
    engagement = Engagement.objects.create(
        ticket=third, channel=support, kind="call", agent=omar, requested_at=at(14), accepted_at=at(14), ended_at=at(16)
    )
    refreshing.follow(list(Event.objects.filter(kind="chat_accepted")))
    refreshing.mark(talking.remake([engagement.pk]))
    keeping.write(
        [before(omar, third, 15, 16), before(omar, third, 16, 30, idle=True), before(sana, first, 12, 14, idle=True)]
    )
    found = rows.of_tickets([first.pk, second.pk, third.pk])
    assert seconds(found) == {
        (first.pk, NINE): (0, 0, 300, 120),
        (second.pk, NINE): (0, 0, 300, 0),
        (third.pk, NINE): (0, 60, 0, 0),
        (third.pk, at(15)): (60, 0, 0, 300),
    }
    assert {(one.team_id, one.channel_id, one.imported) for one in found} == {(team.pk, support.pk, False)}
    keeping.write([before(sana, third, 5, 8)])
    assert refreshing.refresh(rest=NOW) == 4
    assert not Unshared.objects.exists()
    kept = list(HandlingFact.objects.all())
    assert told(kept) == told(rows.of_tickets([first.pk, second.pk, third.pk]))
    assert seconds(one for one in kept if one.agent_id == sana.pk) == {
        (first.pk, NINE): (0, 0, 210, 120),
        (second.pk, NINE): (0, 0, 210, 0),
        (third.pk, NINE): (180, 0, 0, 0),
    }
    # Made again from nothing.
    there = sorted(Talk.objects.values_list("engagement", "agent_id", "kind", "started_at", "ended_at"))
    assert talking.remake_all() == 3
    assert sorted(Talk.objects.values_list("engagement", "agent_id", "kind", "started_at", "ended_at")) == there
    refreshing.mark_all()
    assert refreshing.refresh(rest=NOW) == 3
    assert told(HandlingFact.objects.all()) == told(kept)
    assert rows.of_tickets([]) == []


def test_who_had_a_chat_is_in_the_log() -> None:
    lines = [("chat_accepted", 1, 0), ("chat_transferred", 1, 5), ("chat_accepted", 2, 7), ("chat_returned", None, 9),
             ("chat_accepted", 1, 10), ("chat_accepted", 3, 12), ("chat_abandoned", None, 14), ("chat_ended", None, 14),
             ("chat_accepted", 4, 20)]  # fmt: skip
    assert [(one.agent, one.start, one.end, one.over) for one in talking.holders(lines)] == [
        (1, 0, 5, False), (2, 7, 9, False), (1, 10, 12, False), (3, 12, 14, True), (4, 20, None, False),
    ]  # fmt: skip


def test_seconds_lie_where_the_messages_lie(support: Channel, sana: Agent) -> None:
    source, target = question(support, "One"), question(support, "Two")
    counted(source, target)
    keeping.write([before(sana, source, 1, 3), before(sana, target, 4, 5)])
    merge.merge(source, target, by=sana)
    TicketFact.objects.filter(pk=source.pk).delete()
    found = rows.of_tickets([source.pk, target.pk])
    assert sum(one.focus for one in found) == 180 and {one.ticket_id for one in found} == {target.pk}
    merge.unmerge(source, by=sana)
    counted(source)
    assert {key: of[0] for key, of in seconds(rows.of_tickets([source.pk, target.pk])).items() if of[0]} == {
        (source.pk, NINE): 120,
        (target.pk, NINE): 60,
    }


def test_the_team_is_the_tickets_then(support: Channel, sana: Agent, team: Team) -> None:
    one = question(support, "One")
    counted(one)
    other = Team.objects.create(name="Other", slug="other")
    tickets.assign(one, by=sana, team=other)
    Event.objects.filter(kind="assigned").update(at=at(3))
    keeping.write([before(sana, one, 1, 7)])
    found = {row.team_id: row.focus for row in rows.of_tickets([one.pk]) if row.focus}
    assert found == {team.pk: 120, other.pk: 240}


def test_actions_are_what_was_done_on_a_ticket_alone(support: Channel, sana: Agent, omar: Agent) -> None:
    one, two = question(support, "One"), question(support, "Two")
    counted(one, two)
    reply.reply(one, by=sana, text="Here it is.", status="solved")  # one click, though it is three lines of the log
    assert [(deed.ticket, deed.agent, deed.api) for deed in deeds.of({one.pk: one.pk})] == [(one.pk, sana.pk, False)]
    jobs.begin(sana, "priority", "high", chosen=[one.pk, two.pk])
    assert Event.objects.filter(kind="priority_changed", data__bulk=True).count() == 2
    assert deeds.of({two.pk: two.pk}) == []
    with log.how(api=True):
        tickets.set_priority(two, "urgent", by=omar)
    [row] = rows.of_tickets([two.pk])
    assert (row.agent_id, row.actions, row.estimated, row.focus) == (omar.pk, 1, 60, 0)
    now = datetime.now(UTC)
    keeping.write(
        [Stretch(omar.pk, "page00000001", 1, two.pk, False, row.quarter, min(now, row.quarter + timedelta(seconds=9)))]
    )
    [row] = rows.of_tickets([two.pk])
    assert row.estimated == 0 and row.focus > 0, "where the page was looked at, nothing is guessed"
