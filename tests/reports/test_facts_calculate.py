"""Facts from histories made by hand: the worked examples of the definitions, and what is easily got wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from reports.facts.rows import Facts
from tests.reports.telling import CHAT, OMAR, OTHER, ROBO, SANA, Story, later, minutes, on, said

T1 = (
    Story().created("5 10:00").asks("5 10:00").says("5 10:30").solves("5 10:30").asks("5 11:00").opens("5 11:00")
    .solves("5 11:05")
)  # fmt: skip
T2 = (
    Story().asks("6 9:00").says("6 9:00", None, kind="auto_reply", author_kind="system").says("6 11:00", OMAR)
    .asks("6 12:00").says("6 13:00", OMAR).solves("6 13:00")
)  # fmt: skip
T3 = Story(channel=CHAT).asks("9 15:00").says("9 15:01").solves("9 15:10")
T4 = Story().says("7 9:00", OMAR).becomes("7 9:00", "pending").asks("7 10:00").opens("7 10:00").says("7 10:20", OMAR)
T4 = T4.solves("7 10:20")


def test_the_worked_examples() -> None:
    stories = [T1, T2, T3, T4]
    tickets = [story.ticket for story in stories]
    assert [story.first for story in stories] == [30, 120, 1, 20]
    assert [story.responses for story in stories] == [[30], [120, 60], [1], [20]]
    assert [minutes(row.resolution_first) for row in tickets] == [30, 240, 10, 20]
    assert [minutes(row.resolution_full) for row in tickets] == [65, 240, 10, 20]
    assert [minutes(row.customer_wait) for row in tickets] == [35, 180, 1, 20]
    assert [row.one_touch for row in tickets] == [True, False, True, True]
    assert [row.one_contact for row in tickets] == [True, False, True, True]
    assert [row.answers_before for row in tickets] == [1, 2, 1, 1]
    assert [row.first_agent_id for row in tickets] == [SANA, OMAR, SANA, OMAR]
    assert [row.own_reopened_at for row in tickets] == [None] * 4  # opened again, but nobody answered
    assert tickets[3].began_at == on("7 9:00")
    assert [row.first_seconds is not None for row in T2.facts.responses] == [True, False]


def test_what_came_to_a_merged_ticket_lies_there_at_its_own_time() -> None:
    story = Story().created("5 9:30").asks("5 9:00", first_ticket_id=2).says("5 9:10", first_ticket_id=2)
    story = story.asks("5 9:30").says("5 10:05", OMAR).line("5 11:00", "merged_from", source=2)
    assert story.responses == [10, 35]
    assert story.ticket.opened_at == on("5 9:00")


def test_what_a_merge_opens_is_opened_by_nobody_and_undone_with_it() -> None:
    story = Story().asks("5 9:00").says("5 9:10").solves("5 9:10")
    before = story.facts
    story.line("5 10:00", "merged_from", source=2).line("5 10:00", "reopened", was="solved")
    story.opens("5 10:00", "agent")  # of older days: nothing says why
    assert (story.ticket.done, story.ticket.own_reopened_at) == (False, None)
    story.says("5 10:30")
    assert story.ticket.own_reopened_at is None
    story.said.pop()
    story.becomes("8 10:00", "solved", "system", undo=True)
    assert story.facts == before


def test_a_rule_solves_at_the_last_word_of_a_person() -> None:
    story = Story().asks("5 9:00").says("5 10:00", OMAR).becomes("5 10:00", "pending").solves("8 10:00", "system")
    row = story.ticket
    assert (row.first_solved_at, row.last_solved_at, row.first_agent_id) == (on("5 10:00"), on("5 10:00"), OMAR)
    assert (minutes(row.resolution_first), row.one_touch, row.one_contact) == (60, True, True)
    assert story.spans == [("us", "5 09:00", "5 10:00")]
    silent = Story().asks("5 9:00").solves("8 10:00", "system")
    assert (silent.ticket.first_solved_at, silent.ticket.first_agent_id) == (on("8 10:00"), None)
    assert silent.ticket.unanswered


@pytest.mark.parametrize(("channel", "passes"), [(CHAT, True), (OTHER, False)])
def test_four_turns_are_one_contact_where_people_talk(channel: int, passes: bool) -> None:
    story = Story(channel=channel).asks("5 9:00").says("5 9:03").asks("5 9:06").says("5 9:12").solves("5 9:12")
    assert (story.ticket.one_contact, story.ticket.live) == (passes, passes)
    assert story.ticket.one_touch is passes


def test_a_pause_begins_another_session() -> None:
    story = Story(channel=CHAT).asks("5 9:00").says("5 9:03").asks("5 10:03").says("5 10:04").solves("5 10:05")
    assert story.ticket.one_contact
    story = Story(channel=CHAT).asks("5 9:00").says("5 9:03").asks("5 10:03:01").says("5 10:04").solves("5 10:05")
    assert not story.ticket.one_contact


def test_a_comment_for_all_to_read_is_no_talk() -> None:
    story = Story(channel=CHAT).asks("5 9:00", public=True).says("5 9:03").solves("5 9:04")
    assert not story.ticket.live
    assert Story().asks("5 9:00", call=True, origin="logged").ticket.live


@pytest.mark.parametrize("state", ["failed", "queued", "sending", "cancelled"])
def test_what_never_left_was_never_said(state: str) -> None:
    story = Story().asks("5 9:00").says("5 9:10", state=state).asks("5 9:30").says("5 10:00", OMAR).solves("5 10:00")
    assert story.responses == [60]
    assert story.ticket.one_touch
    assert sum(row.count for row in story.facts.traffic) == 3


def test_what_another_app_sent_is_ours_but_nobody_s() -> None:
    story = Story().asks("5 9:00").says("5 9:10", None, author_kind="system", origin="echo")
    [row] = story.facts.responses
    assert (row.seconds, row.agent_id) == (600, None)


def test_a_click_that_answers_and_solves_answers_first() -> None:
    """The message is written with the solve, and leaves a moment after it."""
    story = Story().asks("5 9:00").says("5 9:10", created_at=on("5 9:10"), sent_at=later("5 9:10", seconds=7))
    story = story.solves("5 9:10")
    row = story.ticket
    assert (row.answers_before, row.one_touch, row.unanswered, row.first_agent_id) == (1, True, False, SANA)
    assert row.resolution_first == 600
    assert [one.seconds for one in story.facts.responses] == [607]
    assert row.own_reopened_at is None


def test_solved_without_a_word_and_answered_later() -> None:
    """The first response counts from the first message, the response from what was asked last."""
    story = Story().asks("5 9:00").solves("5 9:10").asks("5 10:00").opens("5 10:00").says("5 10:05").solves("5 10:06")
    assert story.responses == [5]
    assert story.first == 65
    assert minutes(story.ticket.customer_wait) == 15
    assert (story.ticket.answers_before, story.ticket.own_reopened_at) == (0, on("5 10:00"))
    lone = Story().asks("5 9:00").solves("5 9:10").says("5 9:20")
    assert (lone.responses, lone.first) == ([], 20)


def test_an_undone_change_never_was() -> None:
    story = Story().asks("5 9:00").says("5 9:05").solves("5 9:05").opens("5 9:09", "agent", undo=True)
    assert (story.ticket.first_solved_at, story.ticket.done) == (None, False)
    late = Story().asks("5 9:00").says("5 9:05").solves("5 9:05").opens("5 9:11", "agent", undo=True).says("5 9:12")
    assert (late.ticket.first_solved_at, late.ticket.own_reopened_at) == (on("5 9:05"), on("5 9:11"))


def test_opened_again_counts_once_somebody_answers() -> None:
    story = Story().asks("5 9:00").says("5 9:05").solves("5 9:05").opens("6 9:00", "agent").solves("6 9:30")
    assert story.ticket.own_reopened_at is None
    story.opens("9 9:00").says("20 9:00")
    assert story.ticket.own_reopened_at == on("9 9:00")
    assert story.ticket.last_solved_at is None


@pytest.mark.parametrize(("actor", "why"), [("system", ""), ("agent", "spam"), ("bot", "")])
def test_a_rule_or_spam_opens_nothing_again(actor: str, why: str) -> None:
    story = Story().asks("5 9:00").says("5 9:05").solves("5 9:05").opens("6 9:00", actor, why=why).says("6 9:01")
    assert story.ticket.own_reopened_at is None
    assert not story.ticket.done


def test_closing_what_is_solved_is_no_solve() -> None:
    story = Story().asks("5 9:00").says("5 9:05").solves("5 9:05").becomes("19 9:05", "closed", "system")
    assert story.ticket.last_solved_at == on("5 9:05")
    at_once = Story().asks("5 9:00").says("5 9:05").becomes("5 9:06", "closed")
    assert at_once.ticket.first_solved_at == on("5 9:06")


def test_what_we_began_counts_once_the_customer_writes() -> None:
    story = Story().says("5 9:00").solves("5 9:00")
    assert (story.ticket.opened_at, story.ticket.first_solved_at, story.ticket.done) == (None, None, True)
    assert story.responses == []
    story.asks("5 10:00").opens("5 10:00").says("5 10:30").solves("5 10:30")
    assert story.responses == [30]
    assert (story.ticket.answers_before, story.ticket.first_solved_at) == (1, on("5 10:30"))


def robo() -> Story:
    story = Story(channel=CHAT).created("5 9:00", team=None, assignee=None, priority="normal").asks("5 9:00")
    return story.line(later("5 9:00", seconds=0.3), "assigned", "bot", ROBO, to=ROBO).says("5 9:01", ROBO)


def test_nothing_waits_on_people_while_a_bot_has_it() -> None:
    story = robo().asks("5 9:02").given("5 9:10", None, "bot").says("5 9:15")
    row = story.ticket
    assert (row.bot, row.handed_at, story.responses, story.first) == (True, on("5 9:10"), [5], 5)
    assert [one.total for one in story.facts.responses] == [15 * 60]
    story.solves("5 9:16")
    assert minutes(story.ticket.customer_wait) == 5
    [bot] = story.facts.bots
    assert (bot.agent_id, said(bot.began_at), said(bot.handed_at), said(bot.last_heard_at)) == (
        ROBO, "5 09:00", "5 09:10", "5 09:02",
    )  # fmt: skip
    assert story.spans == [("bot", "5 09:00", "5 09:10"), ("us", "5 09:10", "5 09:16")]


def test_who_takes_over_by_writing_answers_nothing() -> None:
    story = robo().says("5 9:15").given("5 9:15", SANA).asks("5 9:20").says("5 9:30").solves("5 9:30")
    assert (story.first, story.responses) == (None, [10])
    assert (minutes(story.ticket.customer_wait), story.ticket.handed_at) == (10, on("5 9:15"))


def test_a_bot_s_solve_is_none() -> None:
    story = robo().becomes("5 9:05", "solved", "bot")
    row = story.ticket
    assert (row.done, row.first_solved_at, row.unanswered, row.waiting_since) == (True, None, True, None)
    assert story.spans == [("bot", "5 09:00", "5 09:05")]


def test_who_waits_since_when() -> None:
    assert Story().asks("5 9:00").ticket.waiting_since == on("5 9:00")
    assert robo().ticket.waiting_since is None
    assert robo().given("5 9:10", None, "bot").ticket.waiting_since == on("5 9:10")
    assert Story().asks("5 9:00").says("5 9:01").ticket.waiting_since is None


@pytest.mark.parametrize(
    "fields", [{"kind": "auto_reply"}, {"kind": "bounce"}, {"side_id": 4}, {"content_kind": "button"}, {"survey": True}]
)
def test_what_is_no_customer_s_message(fields: dict[str, object]) -> None:
    assert Story().says("5 8:00").asks("5 9:00", **fields).ticket.opened_at is None


def test_a_message_counts_no_later_than_it_came() -> None:
    story = Story().asks("5 9:00", created_at=on("5 9:30"), received_at=on("5 9:00"))
    assert story.ticket.opened_at == on("5 9:00")


def test_team_agent_and_priority_are_those_of_the_event() -> None:
    story = Story(team_id=4, agent_id=SANA, priority="urgent").created("5 9:00", team=3, assignee=None, priority="low")
    story.asks("5 9:00").given("5 9:10", SANA, team_from=3, team_to=3).says("5 9:10")
    story.line("5 9:20", "priority_changed", **{"from": "low", "to": "urgent"})
    story.given("5 9:30", SANA, team_from=3, team_to=4).asks("5 9:40").says("5 9:50").solves("5 9:50")
    assert [(row.team_id, row.priority) for row in story.facts.responses] == [(3, "low"), (4, "urgent")]
    assert (story.ticket.first_team_id, story.ticket.first_priority, story.ticket.team_id) == (4, "urgent", 4)
    assert [(row.team_id, row.agent_id, row.priority) for row in story.facts.spans] == [
        (3, None, "low"), (3, SANA, "low"), (3, SANA, "urgent"), (4, SANA, "urgent"),
    ]  # fmt: skip
    assert [(row.enters, row.leaves) for row in story.facts.spans] == [
        (True, False), (False, False), (False, False), (False, True),
    ]  # fmt: skip


def test_lines_of_older_days_say_what_was_before_by_what_changed() -> None:
    story = Story(team_id=4, agent_id=None, priority="urgent").created("5 9:00").asks("5 9:00").says("5 9:10")
    story.line("5 9:20", "priority_changed", **{"from": "low", "to": "urgent"})
    before: dict[str, Any] = {"from": OMAR, "team_from": 3, "team_to": 4}
    story.given("5 9:30", SANA, **before)
    [row] = story.facts.responses
    assert (row.team_id, row.priority) == (3, "low")
    assert story.facts.spans[0].agent_id == OMAR


def test_spans_follow_each_other_while_it_is_unsolved() -> None:
    story = Story().asks("5 9:00").says("5 9:10").becomes("5 9:10", "pending").becomes("5 10:00", "on_hold")
    story.line("5 11:00", "snoozed", until="2026-01-06T00:00:00+00:00").line("6 0:00", "snoozed", until=None)
    story.solves("6 1:00").opens("7 1:00")
    assert story.spans == [
        ("us", "5 09:00", "5 09:10"), ("customer", "5 09:10", "5 10:00"), ("hold", "5 10:00", "5 11:00"),
        ("snoozed", "5 11:00", "6 00:00"), ("hold", "6 00:00", "6 01:00"), ("us", "7 01:00", None),
    ]  # fmt: skip
    spans = story.facts.spans
    assert [span.unsolved_since for span in spans] == [on("5 9:00")] * 5 + [on("7 1:00")]
    assert [span.enters for span in spans] == [True, False, False, False, False, True]
    assert [span.leaves for span in spans] == [False, False, False, False, True, False]


def test_an_answer_or_a_solve_wakes_what_is_snoozed() -> None:
    story = Story().asks("5 9:00").line("5 9:01", "snoozed", until="x").says("5 9:10")
    assert story.spans == [("us", "5 09:00", "5 09:01"), ("snoozed", "5 09:01", "5 09:10"), ("us", "5 09:10", None)]
    story = Story().asks("5 9:00").line("5 9:01", "snoozed", until="x").solves("5 9:30").opens("5 9:40")
    assert story.spans[-1][0] == "us"


def test_an_answer_to_a_survey_is_credited_to_who_wrote_last_before_the_asking() -> None:
    story = Story().asks("5 9:00").says("5 9:10", OMAR).says("5 9:20", SANA).solves("5 9:21")
    story.asked("5 9:15", value=4, answered_at=on("5 9:16")).asked("5 9:30", kind="nps").asked("5 9:30", kind="solved")
    last = replace(story.askings[-1], value=0, answered_at=on("6 9:00"), changed_at=on("7 9:00"))
    story.askings[-1] = last
    assert [row.agent_id for row in story.facts.answers] == [OMAR, None, SANA]
    assert story.ticket.denied_at == on("7 9:00")


@pytest.mark.parametrize(
    ("lines", "outcome", "left"),
    [
        ([], "waiting", None),
        ([("5 9:02", "chat_answered", {})], "answered", None),
        ([("5 9:02", "chat_abandoned", {"waited": 40, "short": False})], "abandoned", "5 09:00"),
        ([("5 9:02", "chat_abandoned", {"waited": 4, "short": True})], "short", "5 09:00"),
        ([("5 9:02", "chat_ended", {"why": "offline"})], "message", "5 09:02"),
        ([("5 9:01", "chat_answered", {}), ("5 9:02", "chat_ended", {"why": "left"})], "answered", None),
    ],
)
def test_what_became_of_a_chat(lines: list[tuple[str, str, dict[str, object]]], outcome: str, left: str | None) -> None:
    story = Story(channel=CHAT).asks("5 9:00").in_chat("5 9:00", "chat_requested", team=3, in_hours=False)
    for when, kind, data in lines:
        story.in_chat(when, kind, SANA if kind == "chat_answered" else None, **data)
    [row] = story.facts.chats
    assert (row.outcome, said(row.left_at), row.team_id, row.in_schedule) == (outcome, left, 3, False)
    assert row.agent_id == (SANA if outcome == "answered" else None)


def test_a_bot_s_way_in_a_chat() -> None:
    story = robo().in_chat("5 9:00:01", "bot_started", ROBO).asks("5 9:03")
    story.in_chat("5 9:04", "bot_ended", ROBO, outcome="confirmed", steps=["start", "help"], fallbacks=1)
    [row] = story.facts.bots
    assert (row.steps, row.fallbacks, said(row.confirmed_at), row.handed_at) == (["start", "help"], 1, "5 09:04", None)
    assert (said(row.began_at), said(row.ended_at), said(row.last_heard_at)) == ("5 09:00", "5 09:04", "5 09:03")


def test_messages_are_counted_by_the_quarter() -> None:
    story = Story().asks("5 9:00").asks("5 9:14:59").asks("5 9:15").says("5 9:16").says("5 9:16", ROBO)
    found = {(row.kind, said(row.quarter)): row.count for row in story.facts.traffic}
    assert found == {
        ("customer", "5 09:00"): 2, ("customer", "5 09:15"): 1, ("human", "5 09:15"): 1, ("bot", "5 09:15"): 1,
    }  # fmt: skip


def test_what_came_from_another_system_is_marked() -> None:
    story = Story().asks("5 9:00", origin="import").says("5 9:10")
    assert story.ticket.imported
    rows: list[Any] = [*story.facts.responses, *story.facts.spans, *story.facts.traffic]
    assert all(row.imported for row in rows)


def test_what_was_erased_out_of_the_trash_counts_nowhere() -> None:
    story = Story().asks("5 9:00").says("5 9:10").line("6 9:00", "ticket_erased")
    story.becomes("6 9:00", "closed", why="erased")
    assert (story.ticket.done, story.ticket.first_solved_at) == (True, None)
    gone = Story().asks("5 9:00").line("5 10:00", "trashed").line("6 9:00", "ticket_erased")
    assert gone.facts == Facts()


@pytest.mark.parametrize("fields", [{"direction": "note", "state": ""}, {"state": "failed"}, {"state": "queued"}])
def test_where_nothing_was_said_nobody_waits(fields: dict[str, Any]) -> None:
    """All was moved elsewhere, never left, or is between us alone; what was asked about it still was."""
    assert Story().created("5 9:00").facts == Facts()
    story = Story().created("5 9:00").says("5 9:10").asked("5 9:30")
    story.said = [replace(story.said[0], **fields)]
    assert [len(getattr(story.facts, name)) for name in ("tickets", "spans", "traffic", "answers")] == [0, 0, 0, 1]


def test_the_order_of_reading_changes_nothing() -> None:
    for story in (T1, T2, T3, T4, robo().given("5 9:10", None, "bot").says("5 9:15").solves("5 9:16")):
        before = story.facts
        story.said.reverse()
        story.lines.reverse()
        assert story.facts == before


def test_seconds_are_whole() -> None:
    at: datetime = on("5 9:00")
    story = Story().asks("5 9:00").says("5 9:00", sent_at=at + timedelta(seconds=1, microseconds=999_999))
    assert [row.seconds for row in story.facts.responses] == [1]
