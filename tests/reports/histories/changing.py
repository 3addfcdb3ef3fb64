"""What becomes of tickets: solved, opened again, given away, merged, hidden; and of their customers."""

from __future__ import annotations

from datetime import timedelta

from inbox.models import Message, Ticket
from tests.reports.histories.life import Life
from tests.reports.scribe import DONE


def solves(life: Life, arg: int) -> None:
    """A person or the customer solves it; or a bot, where it alone has talked."""
    ticket = life.undone(arg // 4)
    if ticket is None:
        return
    if ticket.assignee_id == life.bot.pk:
        humans = [one for one in life.scribe.of(ticket) if one.author_kind == "agent"]
        chat = life.scribe.chat_in(ticket)
        if not humans and chat is not None and chat.bot is not None:
            life.scribe.bot_ends(ticket, chat, ("confirmed", "assumed")[arg % 2])
        elif not humans:
            life.scribe.status(ticket, "solved", by=life.bot)
    elif arg % 4 == 0:
        life.scribe.status(ticket, "solved", by=None, customer=life.customer_of(ticket))
    else:
        life.scribe.status(ticket, ("solved", "closed")[arg % 4 == 3], by=life.agents[arg % 2])


def clock_solves(life: Life, arg: int) -> None:
    """A rule solves what nobody has answered us in, and closes what was solved long ago."""
    ticket = life.undone(arg)
    if ticket is None or ticket.assignee_id == life.bot.pk:
        return
    if ticket.status == "solved":
        life.scribe.moves(ticket, "solved", "closed")
    elif ticket.status == "pending" and not ticket.snoozed_until and _our_word_is_last(life, ticket):
        life.scribe.status(ticket, "solved", by=None)


def _our_word_is_last(life: Life, ticket: Ticket) -> bool:
    """And nothing was solved or opened since."""
    said = [one for one in life.scribe.of(ticket) if one.direction != "note" and one.side_id is None]
    if not said or said[-1].author_kind != "agent" or said[-1].state != "sent":
        return False
    last: Message = said[-1]
    moves = [
        one.at
        for one in life.scribe.rows.events
        if one.ticket_id == ticket.pk
        and one.kind == "status_changed"
        and (one.data["to"] in DONE or one.data["from"] in DONE)
    ]
    assert last.sent_at is not None
    return last.sent_at <= life.now and not any(at >= last.created_at for at in moves)


def moves_status(life: Life, arg: int) -> None:
    """Opened by hand, put on hold, made pending."""
    ticket = life.undone(arg // 4)
    if ticket is not None and ticket.assignee_id != life.bot.pk:
        life.scribe.status(ticket, ("open", "on_hold", "open", "pending")[arg % 4], by=life.agents[arg % 2])


def undoes(life: Life, arg: int) -> None:
    """A person takes back what a person or a customer did to the status, at once or much later."""
    ticket = life.undone(arg)
    if ticket is None:
        return
    mine = [one for one in life.scribe.rows.events if one.ticket_id == ticket.pk and one.kind == "status_changed"]
    if mine and not mine[-1].data.get("why"):
        life.scribe.undo(ticket, by=life.agents[arg % 2])


def snoozes(life: Life, arg: int) -> None:
    ticket = life.undone(arg // 2)
    if ticket is None or ticket.status in DONE:
        return
    until = None if ticket.snoozed_until else life.now + timedelta(hours=20)
    life.scribe.snooze(ticket, until, by=life.agents[arg % 2])


def assigns(life: Life, arg: int) -> None:
    """To a colleague, another team, both or nobody; a bot hands over."""
    ticket = life.undone(arg // 8)
    if ticket is None:
        return
    agent = (life.agents[0].pk, life.agents[1].pk, None, ticket.assignee_id)[arg % 4]
    team = (life.teams[0].pk, life.teams[1].pk)[arg // 4 % 2]
    if ticket.assignee_id == life.bot.pk:
        chat = life.scribe.chat_in(ticket)
        if chat is not None and chat.bot is not None:
            life.scribe.chat_queues(ticket, chat, reason="asked", in_hours=arg % 5 != 4)
        else:
            life.scribe.assign(ticket, by=life.bot, agent=None, team=ticket.team_id)
        return
    life.scribe.assign(ticket, by=life.agents[0], agent=agent, team=team)


def prioritises(life: Life, arg: int) -> None:
    ticket = life.undone(arg // 4)
    if ticket is not None:
        life.scribe.prioritise(ticket, ("urgent", "low", "normal", "high")[arg % 4], by=life.agents[0])


def merges(life: Life, arg: int) -> None:
    """The newest but one into the newest, or the other way round."""
    here = [one for one in life.tickets if not one.merged_into_id and not one.trashed_at]
    if len(here) < 2:
        return
    gone, kept = (here[-2], here[-1]) if arg % 2 else (here[-1], here[-2])
    if kept.status != "closed":
        life.scribe.merge(gone, kept, by=life.agents[0])


def unmerges(life: Life, arg: int) -> None:
    away = [one for one in life.tickets if one.merged_into_id]
    if not away:
        return
    back = away[arg % len(away)]
    kept = next(one for one in life.tickets if one.pk == back.merged_into_id)
    if not kept.merged_into_id and not _opened_by_merge(life, back):
        life.scribe.unmerge(back, kept, by=life.agents[0])


def _opened_by_merge(life: Life, gone: Ticket) -> bool:
    """Whether the merge opened what it went into, and that longer ago than can be taken back."""
    last = [one for one in life.scribe.rows.events if one.ticket_id == gone.pk and one.kind == "merged"][-1]
    before, after = (one["status"] for one in last.data["kept"])
    return before != after and life.now - last.at > timedelta(minutes=5)


def moves(life: Life, arg: int) -> None:
    """A message goes to another ticket, or several become a ticket of their own."""
    source = life.ticket(arg // 4)
    if source is None:
        return
    here = [one for one in life.scribe.of(source) if one.side_id is None]
    if arg % 2:
        if len(here) > 1:
            life.tickets.append(life.scribe.split(source, here[len(here) // 2 :], by=life.agents[0]))
        return
    targets = [one for one in life.tickets if not one.merged_into_id and not one.trashed_at and one is not source]
    targets = [one for one in targets if one.status != "closed"]
    if here and targets:
        life.scribe.move(here[arg // 2 % len(here)], source, targets[-1], by=life.agents[0])


def hides(life: Life, arg: int) -> None:
    """Into the spam or the trash, and back."""
    here = [one for one in life.tickets if not one.merged_into_id]
    if not here:
        return
    ticket = here[-1 - arg // 4 % len(here)]
    if arg % 2:
        life.scribe.trash(ticket, by=life.agents[0])
    elif not (ticket.spam and ticket.snoozed_until):  # whether it is put away then the log does not tell
        life.scribe.spam(ticket, not ticket.spam, by=life.agents[0], afresh=arg % 4 == 0)


def links(life: Life, arg: int) -> None:
    """By hand: the newest follows up an older one."""
    if len(life.tickets) < 2:
        return
    source, target = life.tickets[-1], life.tickets[-2]
    if not any(one.source_id == source.pk and one.kind != "merged" for one in life.scribe.rows.links):
        life.scribe.link(source, target, ("follow_up", "duplicate", "unrelated")[arg % 3], by=life.agents[0])


def joins(life: Life, arg: int) -> None:
    """The two customers are one and the same; or are two after all."""
    one, other = life.customers
    if life.joined is None:
        life.joined = life.scribe.join(other, one, by=life.agents[0])
    else:
        life.scribe.part(other, one, life.joined, by=life.agents[0])
        life.joined = None
