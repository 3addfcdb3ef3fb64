"""Chats that were offered to people, and conversations that bots had: told by the lines of the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from reports.facts.history import History, Line, Talk
from reports.facts.owning import Hand
from reports.facts.rows import BotRow, ChatRow
from reports.facts.saying import CUSTOMER, Said
from reports.facts.standing import Standings
from reports.models import ChatOutcome

UNANSWERED = {"left", "offline", "visitor"}  # how it ended, where they can be answered by other ways


def chats_of(history: History, imported: bool) -> list[ChatRow]:
    return [row for talk in history.talks if (row := _chat(history.number, imported, talk)) is not None]


def _chat(number: int, imported: bool, talk: Talk) -> ChatRow | None:
    offered = answered = left = ended = None
    for line in talk.lines:
        if line.kind == "chat_requested":
            offered = offered or line
        elif line.kind == "chat_answered":
            answered = answered or line
        elif line.kind == "chat_abandoned":
            left = line
        elif line.kind == "chat_ended":
            ended = line
    if offered is None:
        return None
    outcome, left_at = ChatOutcome.WAITING, None
    if answered is not None:
        outcome = ChatOutcome.ANSWERED
    elif left is not None:
        outcome = ChatOutcome.SHORT if left.data.get("short") else ChatOutcome.ABANDONED
        left_at = offered.at + timedelta(seconds=int(left.data.get("waited", 0)))
        if "left" in left.data:
            left_at = datetime.fromisoformat(left.data["left"])
    elif ended is not None:  # nobody can answer it any more, whoever ended it
        left_at = ended.at
        outcome = ChatOutcome.MESSAGE if ended.data.get("why") in UNANSWERED else ChatOutcome.WAITING
    return ChatRow(
        number, imported, talk.channel_id, offered.data.get("team"), answered.actor_id if answered else None,
        talk.engagement_id, offered.at, answered.at if answered else None, left_at, outcome.value,
        bool(offered.data.get("in_hours", True)),
    )  # fmt: skip


def bots_of(
    history: History,
    imported: bool,
    channel_id: int,
    said: Sequence[Said],
    hands: Sequence[Hand],
    taken: Sequence[datetime],
    standings: Standings,
) -> list[BotRow]:
    """Those in chats, and those of a bot that had the ticket while the customer wrote."""
    heard = [one.at for one in said if one.who == CUSTOMER]
    rows: list[BotRow] = []
    within: list[tuple[datetime, datetime | None]] = []
    for talk in history.talks:
        for place, line in enumerate(talk.lines):
            if line.kind == "bot_started":
                end = next((one for one in talk.lines[place + 1 :] if one.kind in ("bot_handoff", "bot_ended")), None)
                within.append((line.at, end.at if end else None))
                rows.append(_in_chat(history.number, imported, talk, line, end, heard, standings))
    for place, hand in enumerate(hands):
        if hand.bot is None or any(began <= hand.told_at <= (end or hand.told_at) for began, end in _wide(within)):
            continue
        ended = next((one.at for one in hands[place + 1 :]), None)
        by_word = next((at for at in taken if at >= hand.at), None)
        given = min((at for at in (ended, by_word) if at is not None), default=None)
        words = [at for at in heard if hand.at <= at and (given is None or at <= given)]
        if words:
            team = standings.at(hand.told_at).team_id
            rows.append(BotRow(history.number, imported, channel_id, team, hand.bot, hand.at, given, given, None,
                               words[-1], [], 0))  # fmt: skip
    return rows


def _wide(within: Sequence[tuple[datetime, datetime | None]]) -> list[tuple[datetime, datetime | None]]:
    """With the moment before in which the bot was given the ticket."""
    return [(began - timedelta(seconds=2), end) for began, end in within]


def _in_chat(
    number: int,
    imported: bool,
    talk: Talk,
    began: Line,
    end: Line | None,
    heard: Sequence[datetime],
    standings: Standings,
) -> BotRow:
    told = end.data if end is not None else {}
    given = end is not None and (end.kind == "bot_handoff" or told.get("outcome") == "left")  # for somebody to look at
    handed = end.at if end is not None and given else None
    confirmed = end.at if end is not None and told.get("outcome") == "confirmed" else None
    words = [at for at in heard if end is None or at <= end.at]
    return BotRow(
        number, imported, talk.channel_id, standings.at(began.at).team_id, began.actor_id, began.at,
        end.at if end is not None else None, handed, confirmed, max(words, default=began.at),
        [str(step) for step in told.get("steps", ())], int(told.get("fallbacks", 0)),
    )  # fmt: skip
