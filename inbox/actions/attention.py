"""What an agent has read, and what they follow. Nobody else's business: no events, only their own pages hear of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from django.db import connection, transaction

from inbox import live, seen
from inbox.models import Agent, Ticket, TicketFollower, TicketSeen

# Read up to the newest message that was shown. That is all there is, unless something was said after it.
SEE = """
INSERT INTO inbox_ticketseen AS known (agent_id, ticket_id, at, unread)
SELECT agent.id, ticket.number, coalesce(shown.created_at, ticket.last_message_at), false
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS claim (agent, ticket, message)
JOIN inbox_agent agent ON agent.id = claim.agent
JOIN inbox_ticket ticket ON ticket.number = claim.ticket
LEFT JOIN inbox_message shown ON shown.id = claim.message AND shown.ticket_id = ticket.number
    AND EXISTS (SELECT FROM inbox_message later WHERE later.ticket_id = ticket.number AND later.id > claim.message
                AND later.direction <> 'note' AND later.side_id IS NULL
                AND later.deleted_at IS NULL AND later.created_at > shown.created_at)
WHERE ticket.last_message_at > agent.read_before OR EXISTS (
    SELECT FROM inbox_ticketseen mine WHERE mine.agent_id = agent.id AND mine.ticket_id = ticket.number)
ON CONFLICT (agent_id, ticket_id) DO UPDATE SET at = greatest(known.at, excluded.at), unread = false
    WHERE known.unread OR known.at < excluded.at
RETURNING agent_id, ticket_id, at
"""

# Whoever looks at a ticket needs not be told of it any more.
TOLD = """
UPDATE inbox_notification told SET read_at = now(), push_due = false, mail_due = false
FROM unnest(%s::bigint[], %s::bigint[]) AS claim (agent, ticket)
WHERE told.agent_id = claim.agent AND told.ticket_id = claim.ticket AND told.read_at IS NULL
RETURNING told.agent_id
"""

MARK_UNREAD = """
INSERT INTO inbox_ticketseen AS known (agent_id, ticket_id, at, unread)
SELECT %s, number, last_message_at, true FROM inbox_ticket WHERE number = ANY(%s)
ON CONFLICT (agent_id, ticket_id) DO UPDATE SET unread = true
"""


def see(shown: Mapping[tuple[int, int], int | None]) -> None:
    """Mark tickets as read: {(agent, ticket): id of the newest message that was before them, None for all there is}.

    Who may see what is the caller's to know. Going back is not possible here: an older claim that comes late is void.
    """
    if not shown:
        return
    agents, tickets = zip(*shown, strict=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(SEE, [list(agents), list(tickets), list(shown.values())])
        changed = cursor.fetchall()
        by_agent: dict[int, dict[str, str]] = {}
        for agent, ticket, at in changed:
            by_agent.setdefault(agent, {})[str(ticket)] = seen.moment(at)
        transaction.on_commit(partial(_tell, by_agent), robust=True)
        cursor.execute(TOLD, [list(agents), list(tickets)])
        if told := sorted({agent for (agent,) in cursor.fetchall()}):
            transaction.on_commit(partial(live.hint, told, notifications=0), robust=True)


def mark_read(agent: Agent, numbers: Iterable[int]) -> None:
    """These tickets, which the agent sees, hold nothing new for them."""
    see({(agent.pk, number): None for number in sorted(set(numbers))})


def mark_unread(agent: Agent, numbers: Iterable[int]) -> None:
    """These tickets, which the agent sees, stand out until they are opened the next time."""
    wanted = sorted(set(numbers))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MARK_UNREAD, [agent.pk, wanted])
        told = {agent.pk: {str(number): seen.NEVER for number in wanted}}
        transaction.on_commit(partial(_tell, told), robust=True)


def answered(agent: Agent, ticket: Ticket) -> None:
    """An agent's own message is no news to them; call it with the ticket's row as it was saved."""
    TicketSeen.objects.update_or_create(
        agent=agent, ticket=ticket, defaults={"at": ticket.last_message_at, "unread": False}
    )
    told = {agent.pk: {str(ticket.pk): seen.moment(ticket.last_message_at)}}
    transaction.on_commit(partial(_tell, told), robust=True)


def _tell(by_agent: Mapping[int, dict[str, str]]) -> None:
    for agent, moments in by_agent.items():
        live.hint([agent], seen=moments)


def follow(agent: Agent, ticket: Ticket) -> None:
    """The agent wants to hear of what happens on this ticket, though it is not theirs."""
    TicketFollower.objects.get_or_create(agent=agent, ticket=ticket)
    transaction.on_commit(partial(live.hint, [agent.pk], follows={str(ticket.pk): True}), robust=True)


def follow_many(agent: Agent, numbers: Iterable[int], follows: str) -> None:
    """Follow ("yes") or follow no more ("no") these tickets, which the agent sees."""
    wanted = list(numbers)
    if follows == "yes":
        rows = [TicketFollower(agent=agent, ticket_id=number) for number in wanted]
        TicketFollower.objects.bulk_create(rows, ignore_conflicts=True)
    else:
        TicketFollower.objects.filter(agent=agent, ticket__in=wanted).delete()
    told = {str(number): follows == "yes" for number in wanted}
    transaction.on_commit(partial(live.hint, [agent.pk], follows=told), robust=True)


def unfollow(agent: Agent, ticket: Ticket) -> None:
    TicketFollower.objects.filter(agent=agent, ticket=ticket).delete()
    transaction.on_commit(partial(live.hint, [agent.pk], follows={str(ticket.pk): False}), robust=True)
