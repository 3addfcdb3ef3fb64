"""What is chatted and called, and what people look at meanwhile."""

from __future__ import annotations

from datetime import timedelta

from tests.reports.histories.life import Life


def chats(life: Life, arg: int) -> None:
    """A chat is taken, goes back and forth, is passed on, ends this way or that."""
    scribe, by = life.scribe, life.agents[arg // 8 % 2]
    found = [one for one in life.tickets if scribe.chat_in(one) is not None]
    if not found:
        return
    ticket = found[-1 - arg // 16 % len(found)]
    chat, channel = scribe.chat_in(ticket), life.channels[2]
    assert chat is not None
    match arg % 8:
        case 0 | 1 if chat.row.agent_id is None:
            scribe.chat_taken(ticket, chat, by=by)
        case 0 | 1 | 2 if not ticket.trashed_at and ticket.status not in {"solved", "closed"}:
            scribe.says(ticket, channel, by=by, status=ticket.status)
            scribe.now += timedelta(seconds=(40, 301)[arg // 16 % 2])
            scribe.hears(ticket, channel, writer=life.customer_of(ticket))
            scribe.now += timedelta(seconds=25)
            scribe.says(ticket, channel, by=by, status="open")
        case 3 if chat.row.agent_id is not None:
            scribe.chat_passed_on(ticket, chat, by=by, back=arg // 16 % 2 == 1)
        case 4:
            scribe.chat_ends(ticket, chat, why="visitor")
        case 5:
            scribe.chat_ends(ticket, chat, why="left", gone=(0, 60, 100)[arg // 16 % 3])
        case 6 if chat.row.agent_id is None and chat.bot is None:
            scribe.chat_ends(ticket, chat, why="offline")
        case 7:
            scribe.chat_ends(ticket, chat, why=("inactive", "agent")[arg // 16 % 2], by=by)


def calls(life: Life, arg: int) -> None:
    """Somebody keeps what was called, a while ago."""
    ticket = life.undone(arg // 8)
    if ticket is None or ticket.assignee_id == life.bot.pk:
        return
    ago, seconds = ((0, None), (60, 45), (600, 500), (3600, 1000))[arg // 2 % 4]
    at = life.now - timedelta(seconds=ago)
    life.scribe.calls(ticket, by=life.agents[arg // 2 % 2], inward=arg % 2 == 0, at=at, seconds=seconds)


def looks(life: Life, arg: int) -> None:
    ticket = life.ticket(arg // 16)
    if ticket is not None:
        used, unused = (20, 61, 250, 800)[arg // 2 % 4], (0, 400)[arg // 8 % 2]
        life.scribe.looks(ticket, by=life.agents[arg % 2], used=used, unused=unused)
