"""What is said: by customers, by people here, by nobody who counts; what surveys ask."""

from __future__ import annotations

from datetime import timedelta

from inbox.models import Channel, Ticket
from tests.reports.histories.life import Life


def writes(life: Life, arg: int) -> None:
    """A customer writes: into what is under way, in what was solved, or anew."""
    scribe, customer, channel = life.scribe, life.living(arg // 3), life.channels[arg % 3]
    theirs = [
        one
        for one in life.tickets
        if one.customer_id == customer.pk and one.channel_id == channel.pk and not one.merged_into_id and not one.spam
    ]
    before = theirs[-1] if theirs else None
    anew = before is None or (arg // 6) % 4 == 3 and channel.kind == "email"
    earlier = timedelta(seconds=(0, 0, 0, 2)[(arg // 6) % 4])
    if before is not None and not anew and before.status != "closed":
        scribe.hears(before, channel, writer=customer, earlier=earlier)
        if channel.kind == "chat":
            _chats(life, before, channel, arg)
        return
    ticket = scribe.open(channel, customer, by=None)
    life.tickets.append(ticket)
    if before is not None and not anew:
        scribe.follows_up(ticket, before, customer)
    if arg % 7 == 5:
        ticket.topic = ("Parcel", "Invoice")[arg // 3 % 2]
    if arg % 5 == 3:
        ticket.attributes = {"order": ("A1", "A2")[arg // 3 % 2]}
    ticket.language = ("en", "ur")[arg // 6 % 2]
    ticket.tags = [["vip"], [], ["late", "vip"], []][arg // 3 % 4]
    imported = arg % 31 == 30
    scribe.hears(ticket, channel, writer=customer, earlier=earlier, origin="import" if imported else "channel")
    if channel.kind == "chat":
        _chats(life, ticket, channel, arg)
    elif channel.kind == "telegram" and arg // 6 % 8 == 7:
        scribe.assign(ticket, by=life.bot, agent=life.bot.pk, team=ticket.team_id)


def _chats(life: Life, ticket: Ticket, channel: Channel, arg: int) -> None:
    """Where nothing is chatted yet: with a bot that has the ticket, or nobody has had; else in the queue."""
    anew = ticket.assignee_id is None and not any(one.row.ticket_id == ticket.pk for one in life.scribe.chats)
    bot = life.bot if ticket.assignee_id == life.bot.pk or (anew and arg // 6 % 2) else None
    if life.scribe.chat_in(ticket) is None:
        life.scribe.chat_begins(ticket, channel, bot=bot, in_hours=arg % 5 != 4)


def answers(life: Life, arg: int) -> None:
    """A person answers, and the ticket waits, is solved, or stays open."""
    ticket = life.undone(arg // 12)
    if ticket is None:
        return
    status = ("pending", "solved", "open", "pending")[arg // 2 % 4]
    leaves = timedelta(seconds=(0, 10, 0)[arg % 3])
    by = life.agents[arg % 2]
    if ticket.assignee_id == life.bot.pk:
        status = "open"
        life.scribe.says(ticket, life.channel_of(ticket), by=by, status=ticket.status, leaves=timedelta(0))
        life.scribe.assign(ticket, by=by, agent=by.pk, team=ticket.team_id)
        return
    life.scribe.says(ticket, life.channel_of(ticket), by=by, status=status, leaves=leaves)


def answers_late(life: Life, arg: int) -> None:
    """The mail server was away: what was written leaves hours later."""
    ticket = life.undone(arg // 4)
    if ticket is not None and ticket.assignee_id != life.bot.pk:
        status = ("pending", "solved")[arg % 2]
        leaves = timedelta(hours=(2, 9)[arg // 2 % 2])
        life.scribe.says(ticket, life.channel_of(ticket), by=life.agents[arg % 2], status=status, leaves=leaves)


def fails(life: Life, arg: int) -> None:
    """What a person wrote never arrives, or is returned; somebody has to act."""
    ticket = life.undone(arg // 2)
    if ticket is None or ticket.assignee_id == life.bot.pk:
        return
    leaves = (None, timedelta(seconds=1))[arg % 2]
    life.scribe.says(ticket, life.channel_of(ticket), by=life.agents[0], leaves=leaves, state="failed")
    if ticket.status in {"pending", "on_hold", "solved"}:
        life.scribe.moves(ticket, ticket.status, "open")
        ticket.solved_at = None


def nobody_says(life: Life, arg: int) -> None:
    """What counts as no answer: a machine's, a note, a bot's, a third party's, an automatic mail from outside."""
    ticket = life.undone(arg // 6)
    if ticket is None:
        return
    scribe, channel = life.scribe, life.channel_of(ticket)
    match arg % 6:
        case 0:
            scribe.says(ticket, channel, by=None, automatic=True)
        case 1:
            scribe.notes(ticket, by=life.agents[0])
        case 2:
            scribe.says(ticket, channel, by=life.bot, status=ticket.status)
        case 3:
            scribe.aside(ticket, 1, life.customers[0])
        case 4:
            scribe.hears(ticket, channel, writer=life.customer_of(ticket), kind="auto_reply")
        case 5:
            scribe.hears(ticket, channel, writer=life.customer_of(ticket), content="button")


def echoes(life: Life, arg: int) -> None:
    """Somebody of us answers in the platform's own app."""
    ticket = life.undone(arg)
    if ticket is not None and ticket.assignee_id != life.bot.pk and life.channel_of(ticket).kind != "chat":
        life.scribe.says(ticket, life.channel_of(ticket), by=None, origin="echo")


def begins(life: Life, arg: int) -> None:
    """We write first."""
    customer, channel = life.living(arg // 2), life.channels[arg % 2]
    ticket = life.scribe.open(channel, customer, by=life.agents[arg % 2])
    life.tickets.append(ticket)
    life.scribe.says(ticket, channel, by=life.agents[arg % 2], status=("pending", "solved")[arg // 4 % 2])


def surveys(life: Life, arg: int) -> None:
    """A customer is asked, answers, or answers anew."""
    waiting = [one for one in life.answers if one.answered_at is None and one.failed_at is None]
    if waiting and arg % 3:
        kind = next(name for name, pk in life.surveys.items() if pk == waiting[-1].survey_id)
        life.scribe.answers_with(waiting[-1], _score(kind, arg // 3))
        return
    given = [one for one in life.answers if one.answered_at is not None]
    if given and arg % 3 == 2:
        kind = next(name for name, pk in life.surveys.items() if pk == given[-1].survey_id)
        first = given[-1].answered_at
        if first is not None and life.now - first <= timedelta(days=14):
            life.scribe.answers_with(given[-1], _score(kind, arg // 3))
        return
    ticket = life.ticket(arg // 12)
    if ticket is None:
        return
    kind = ("csat", "solved", "nps", "ces")[arg // 3 % 4]
    survey = next(one for one in life.scribe.rows.surveys if one.pk == life.surveys[kind])
    about = None if kind == "nps" and arg // 2 % 2 else ticket
    answer = life.scribe.asks(survey, about, life.customer_of(ticket), ticket.reply_channel_id)
    if arg % 11 == 10:
        answer.failed_at = life.now
    life.answers.append(answer)


def _score(kind: str, arg: int) -> int:
    match kind:
        case "csat":
            return 1 + arg % 5
        case "solved":
            return arg % 2
        case "nps":
            return 10 - arg % 11
    return 7 - arg % 7


def promotes(life: Life, arg: int) -> None:
    """Somebody is asked apart from any ticket, and somebody after the first one, so that many have answered."""
    survey = next(one for one in life.scribe.rows.surveys if one.pk == life.surveys["nps"])
    for place, ticket in enumerate((None, life.tickets[0])):
        channel = life.channels[arg % 3].pk
        answer = life.scribe.asks(survey, ticket, life.customers[0], channel)
        life.scribe.answers_with(answer, _score("nps", arg // (1 + 2 * place)))
        life.answers.append(answer)
