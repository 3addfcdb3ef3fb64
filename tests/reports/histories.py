"""Random small organisations, lived through step by step by the scribe.

A history is a beginning and a few steps, each three small numbers: what is done, how long after the step before, and to
what. Whatever they say becomes something that can happen, so that hypothesis can leave steps out at will.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from inbox.models import Agent, Channel, Customer, Message, Team, Ticket
from reports.models import Answer
from tests.reports.scribe import DONE, Scribe

ZONES = tuple(ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Asia/Karachi", "America/New_York", "Asia/Kathmandu"))
# Around changes of the clocks, ends of months, of the year, and an ordinary week.
BEGINNINGS = tuple(
    datetime.fromisoformat(one).replace(tzinfo=UTC)
    for one in (
        "2026-01-05T10:00:00",
        "2026-01-31T18:30:00",
        "2026-03-08T06:59:59",
        "2026-03-29T00:30:00",
        "2025-10-26T00:15:00",
        "2025-11-02T05:30:00",
        "2025-12-31T22:59:59",
        "2026-02-28T22:45:00",
    )
)
GAPS = (
    *(timedelta(seconds=one) for one in (1, 0, 7, 59, 299, 300, 301, 1800, 3599, 3600, 3601)),
    *(timedelta(hours=one) for one in (2, 5, 11, 23)),
    timedelta(days=1),
    timedelta(days=3),
    timedelta(days=7, seconds=-1),
    timedelta(days=7),
    timedelta(days=7, seconds=1),
)
MIDNIGHTS = len(ZONES)  # gaps beyond those above: to the next midnight of a zone

WEEK = [[["09:00", "17:00"]]] * 5 + [[], []]
HOURS: tuple[dict[str, Any] | None, ...] = (
    None,
    {"zone": "Europe/Berlin", "days": WEEK, "holidays": {"country": "DE", "region": "BY"}},
    {"zone": "Asia/Karachi", "days": [[["10:00", "13:00"], ["14:00", "18:30"]]] * 6 + [[]]},
    {"zone": "America/New_York", "days": [[["00:00", "24:00"]]] * 7, "closed": [{"date": "2026-01-05"}]},
    {
        "zone": "Europe/Berlin",  # nights over changes of the clocks
        "days": [[["00:00", "02:30"], ["22:15", "24:00"]]] * 7,
        "closed": [{"date": "2025-12-31", "until": "2026-01-01"}],
        "holidays": {"country": "DE", "open": ["2025-12-25"]},
    },
)

Step = tuple[int, int, int]


@dataclass(frozen=True)
class History:
    beginning: int
    kind: int  # of the channel that its first customer writes on
    hours: int
    steps: tuple[Step, ...]


@dataclass
class Life:
    """One history as it is lived: its own channels, teams, people and customers."""

    scribe: Scribe
    channels: list[Channel]
    teams: list[Team]
    agents: list[Agent]
    bot: Agent
    customers: list[Customer]
    surveys: dict[str, int]
    tickets: list[Ticket] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    quiet: bool = True  # whether the last step may share its instant with the next

    @property
    def now(self) -> datetime:
        return self.scribe.now

    def ticket(self, arg: int) -> Ticket | None:
        """One of those that can be worked on, the newest first."""
        here = [one for one in self.tickets if not one.merged_into_id and not one.trashed_at]
        return here[-1 - arg % len(here)] if here else None

    def undone(self, arg: int) -> Ticket | None:
        found = self.ticket(arg)
        return found if found is not None and found.status != "closed" else None

    def channel_of(self, ticket: Ticket) -> Channel:
        return next(one for one in self.channels if one.pk == ticket.reply_channel_id)

    def customer_of(self, ticket: Ticket) -> Customer:
        return next(one for one in self.customers if one.pk == ticket.customer_id)

    def living(self, arg: int) -> Customer:
        here = [one for one in self.customers if not one.merged_into_id]
        return here[arg % len(here)]


def begin(scribe: Scribe) -> Life:
    """Two teams, of which one has the messenger and the other the chat; two people and a bot; two customers."""
    teams = [scribe.team("Support"), scribe.team("Sales")]
    channels = [
        scribe.channel("email", teams[0]),
        scribe.channel("telegram", teams[0]),
        scribe.channel("chat", teams[1]),
    ]
    agents = [scribe.agent("sana"), scribe.agent("omar")]
    kinds = ("csat", "nps", "ces", "solved")
    return Life(
        scribe,
        channels,
        teams,
        agents,
        scribe.agent("bot", bot=True),
        [scribe.customer(), scribe.customer()],
        {kind: scribe.survey(kind).pk for kind in kinds},
    )


def works(life: Life, which: int) -> None:
    """Hours of one team, of the messenger, of the other team; those of the first change on 6 January."""
    n, scribe = len(HOURS), life.scribe
    scribe.opens("team", life.teams[0].pk, HOURS[which % n])
    scribe.opens("channel", life.channels[1].pk, HOURS[which // n % n])
    scribe.opens("team", life.teams[1].pk, HOURS[(which + which // n) % n])
    scribe.now = datetime(2026, 1, 6, 9, tzinfo=UTC)
    scribe.opens("team", life.teams[0].pk, HOURS[which // 2 % n])


# What can happen ------------------------------------------------------------------------------------------------------


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
        return
    ticket = scribe.open(channel, customer, by=None)
    life.tickets.append(ticket)
    if before is not None and not anew:
        scribe.follows_up(ticket, before, customer)
    if arg % 7 == 5:
        ticket.topic = ("Parcel", "Invoice")[arg // 3 % 2]
    ticket.language = ("en", "ur")[arg // 6 % 2]
    ticket.tags = [["vip"], [], ["late", "vip"], []][arg // 3 % 4]
    imported = arg % 31 == 30
    scribe.hears(ticket, channel, writer=customer, earlier=earlier, origin="import" if imported else "channel")
    if channel.kind == "chat" and arg // 6 % 2:
        scribe.assign(ticket, by=life.bot, agent=life.bot.pk, team=ticket.team_id)
        scribe.record(ticket, "bot_started", by=life.bot, engagement=0, bot="flow")


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
    if ticket is not None and ticket.assignee_id != life.bot.pk:
        life.scribe.says(ticket, life.channel_of(ticket), by=None, origin="echo")


def solves(life: Life, arg: int) -> None:
    """A person or the customer solves it; or a bot, where it alone has talked."""
    ticket = life.undone(arg // 4)
    if ticket is None:
        return
    if ticket.assignee_id == life.bot.pk:
        humans = [one for one in life.scribe.of(ticket) if one.author_kind == "agent"]
        if not humans:
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
        life.scribe.assign(ticket, by=life.bot, agent=None, team=ticket.team_id)
        if arg % 2:
            life.scribe.record(ticket, "chat_requested", engagement=0, reason="asked", team=ticket.team_id)
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
    else:
        life.scribe.spam(ticket, not ticket.spam, by=life.agents[0], afresh=arg % 4 == 0)


def links(life: Life, arg: int) -> None:
    """By hand: the newest follows up an older one."""
    if len(life.tickets) < 2:
        return
    source, target = life.tickets[-1], life.tickets[-2]
    if not any(one.source_id == source.pk and one.kind != "merged" for one in life.scribe.rows.links):
        life.scribe.link(source, target, ("follow_up", "duplicate")[arg % 2], by=life.agents[0])


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


def joins(life: Life, arg: int) -> None:
    """The two customers are one and the same."""
    one, other = life.customers
    if not one.merged_into_id and not other.merged_into_id:
        life.scribe.join(other, one, by=life.agents[0])


def begins(life: Life, arg: int) -> None:
    """We write first."""
    customer, channel = life.living(arg // 2), life.channels[arg % 2]
    ticket = life.scribe.open(channel, customer, by=life.agents[arg % 2])
    life.tickets.append(ticket)
    life.scribe.says(ticket, channel, by=life.agents[arg % 2], status=("pending", "solved")[arg // 4 % 2])


def rests(life: Life, arg: int) -> None:
    """Nothing happens, which is what hypothesis makes of a step that does not matter."""


Verb = Callable[[Life, int], None]
# What happens often stands there more than once.
VERBS: tuple[Verb, ...] = (
    rests, writes, answers, solves, writes, answers, moves_status, nobody_says, assigns, merges, unmerges, undoes,
    surveys, clock_solves, moves, echoes, fails, answers_late, snoozes, prioritises, hides, links, joins, begins,
    surveys, writes,
)  # fmt: skip
# What may share its instant with the step before it: all else has a moment of its own.
AT_ONCE: frozenset[Verb] = frozenset({writes, answers, solves, nobody_says, echoes})


def live(scribe: Scribe, history: History) -> Life:
    """Live through a history."""
    life = begin(scribe)
    scribe.now = datetime(2025, 10, 1, tzinfo=UTC)
    works(life, history.hours)
    scribe.now = BEGINNINGS[history.beginning % len(BEGINNINGS)]
    writes(life, history.kind)
    before: Verb = writes
    for verb_at, gap_at, arg in history.steps:
        verb = VERBS[verb_at % len(VERBS)]
        scribe.now = _later(scribe.now, gap_at, at_once=verb in AT_ONCE and before in AT_ONCE)
        verb(life, arg)
        before = verb
    return life


def _later(now: datetime, gap: int, *, at_once: bool) -> datetime:
    gap %= len(GAPS) + MIDNIGHTS
    if gap < len(GAPS):
        return now + (GAPS[gap] if GAPS[gap] or at_once else timedelta(seconds=1))
    zone = ZONES[gap - len(GAPS)]
    day = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(day, time(), zone).astimezone(UTC)


SMALL = st.integers(0, 63)
STEPS = st.lists(
    st.tuples(st.integers(0, len(VERBS) - 1), st.integers(0, len(GAPS) + MIDNIGHTS - 1), SMALL),
    min_size=10,
    max_size=16,
)
HISTORIES = st.builds(
    lambda beginning, kind, hours, steps: History(beginning, kind, hours, tuple(steps)),
    st.integers(0, len(BEGINNINGS) - 1),
    SMALL,
    SMALL,
    STEPS,
)


def organisations(size: int) -> st.SearchStrategy[list[History]]:
    """So many histories beside each other, each with channels and people of its own."""
    return st.lists(HISTORIES, min_size=size, max_size=size)
