"""When agents were in calls and chats: made from engagements, the log and the times of messages, for `Talk`.

Out come rows with whole microseconds, whatever was there before: made once more, they are the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from inbox.models import AuthorKind, Engagement, EngagementKind, Event, Message
from reports.facts import loading
from reports.handling import tickets
from reports.handling.sharing import Held, Window, call_windows, chat_windows
from reports.models import Talk
from reports.models.activity import LONGEST_TALK

BEGINS = "chat_accepted"
HANDS_ON = frozenset({"chat_transferred", "chat_returned"})
ENDS = frozenset({"chat_ended", "chat_abandoned"})
KINDS = frozenset({BEGINS, "message_logged", *HANDS_ON, *ENDS})
SAID = frozenset({"message_received", "message_added"})  # by these a chat stays fresh
MOVED = frozenset({"message_moved", "split", "merged_from", "unmerged", "unmerged_from"})
BATCH = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
LONG = LONGEST_TALK // MICROSECOND


def whole(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def instant(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


def made(engagements: Collection[int]) -> list[Talk]:
    """The rows of these engagements, not saved."""
    found = Engagement.objects.filter(pk__in=engagements).values_list(
        "pk", "kind", "ticket_id", "agent_id", "accepted_at", "ended_at"
    )
    windows: dict[int, list[Window]] = {}
    chats: dict[int, int] = {}
    for pk, kind, ticket, agent, accepted, ended in found:
        if kind == EngagementKind.CHAT:
            chats[pk] = ticket
        elif kind == EngagementKind.CALL and agent and accepted and ended and ended > accepted:
            windows[pk] = list(call_windows([Held(agent, whole(accepted), whole(ended), True)], LONG))
    held, said = _held(chats), _said(set(chats.values()))
    for pk, ticket in chats.items():
        windows[pk] = list(chat_windows(held.get(pk, ()), said.get(ticket, ()), LONG))
    return [
        Talk(
            engagement_id=pk,
            agent_id=one.agent,
            kind=one.kind,
            started_at=instant(one.start),
            ended_at=instant(one.end),
        )
        for pk in sorted(windows)
        for one in windows[pk]
    ]


def _held(chats: dict[int, int]) -> dict[int, list[Held]]:
    """Who had which chat from when to when, by the log: of all tickets it has been in."""
    if not chats:
        return {}
    family = tickets.family(set(chats.values()))
    places = {*family, *loading.been_in(family)}
    lines: dict[int, list[tuple[str, int | None, int]]] = defaultdict(list)
    log = Event.objects.filter(ticket__in=places, kind__in=KINDS).order_by("at", "pk")
    for kind, actor, at, data in log.values_list("kind", "actor_id", "at", "data"):
        if (pk := data.get("engagement")) in chats:
            lines[pk].append((kind, actor, whole(at)))
    return {pk: list(holders(of)) for pk, of in lines.items()}


def holders(lines: Iterable[tuple[str, int | None, int]]) -> Iterable[Held]:
    """Who had a chat; `lines` are (kind, actor, time) of its part of the log, in order."""
    agent: int | None = None
    since = 0
    for kind, actor, at in lines:
        if kind == BEGINS:
            if agent is not None:
                yield Held(agent, since, at)
            agent, since = actor, at
        elif agent is not None and (kind in HANDS_ON or kind in ENDS):
            yield Held(agent, since, at, kind in ENDS)
            agent = None
    if agent is not None:
        yield Held(agent, since, None)


def _said(numbers: Collection[int]) -> dict[int, Sequence[int]]:
    """When customers and people here wrote in these tickets, in order."""
    said: dict[int, list[int]] = defaultdict(list)
    spoken = Message.objects.conversation().filter(
        ticket__in=numbers, author_kind__in=[AuthorKind.CUSTOMER, AuthorKind.AGENT], direction__in=["in", "out"]
    )
    at = Coalesce(F("sent_at"), F("created_at"))
    for ticket, wrote in spoken.values_list("ticket_id", at).order_by():
        said[ticket].append(whole(wrote))
    return {ticket: sorted(times) for ticket, times in said.items()}


def chats_in(numbers: Collection[int], since: datetime | None) -> list[int]:
    """The chats of these tickets that an agent had, and that have not ended before `since`."""
    found = Engagement.objects.filter(ticket__in=numbers, kind=EngagementKind.CHAT, accepted_at__isnull=False)
    if since is not None:
        found = found.filter(Q(ended_at__isnull=True) | Q(ended_at__gte=since))
    return list(found.values_list("pk", flat=True))


def remake(engagements: Collection[int]) -> set[tuple[int, datetime, datetime]]:
    """Put what these engagements come to in place of what they came to. Returns the times (agent, from, to) of the rows
    that came or went.
    """
    new = made(engagements)
    there = {_key(one): one.pk for one in Talk.objects.filter(engagement__in=engagements)}
    wanted = {_key(one): one for one in new}
    gone, come = there.keys() - wanted.keys(), wanted.keys() - there.keys()
    if gone:
        Talk.objects.filter(pk__in=[there[key] for key in gone]).delete()
    Talk.objects.bulk_create([wanted[key] for key in sorted(come)], batch_size=BATCH)
    return {(agent, start, end) for _pk, agent, _kind, start, end in gone | come}


def _key(row: Talk) -> tuple[int, int, str, datetime, datetime]:
    return row.engagement_id, row.agent_id, row.kind, row.started_at, row.ended_at


def remake_all() -> int:
    """All of them, from nothing; returns how many engagements were looked at. In the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM reports_talk")
    kinds = [EngagementKind.CHAT, EngagementKind.CALL]
    done = after = 0
    while True:
        following = Engagement.objects.filter(pk__gt=after, kind__in=kinds, accepted_at__isnull=False).order_by("pk")
        batch = list(following.values_list("pk", flat=True)[:BATCH])
        if not batch:
            return done
        Talk.objects.bulk_create(made(batch), batch_size=5 * BATCH)
        done, after = done + len(batch), batch[-1]
