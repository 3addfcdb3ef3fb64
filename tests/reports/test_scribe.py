"""The scribe writes what the actions write: both live through the same week, and leave the same behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from inbox.actions import joining, links, merge, messages, split, tickets, trash, verbs
from inbox.actions import reply as replies
from inbox.models import Customer, Event, Message, Ticket
from tests.reports import shop as shops
from tests.reports.scribe import Scribe
from tests.reports.shop import Shop

pytestmark = pytest.mark.django_db
clock, shop = shops.clock, shops.shop
# What delivery tells, and what has no part in figures.
BESIDE = {"message_sent", "customer_created", "identity_added"}


def really(shop: Shop) -> None:
    """A week of two customers, done by the actions."""
    sana, omar = shop.sana, shop.omar
    one = shop.mails("2026-01-05 10:00", "ayesha@example.com")
    shop.answers("2026-01-05 10:00", one, None, automatic=True)
    shop.answers("2026-01-05 10:30", one, sana, "solved")
    shop.mails("2026-01-05 11:00", "ayesha@example.com", answers="m1")
    replies.note(one, by=omar, text="Hm")
    shop.clock("2026-01-05 11:10")
    tickets.set_priority(one, "urgent", by=omar)
    tickets.assign(one, by=omar, agent=omar)
    until = shop.clock("2026-01-06 11:10")
    shop.clock("2026-01-05 11:20")
    tickets.snooze(one, until, by=omar)
    shop.mails("2026-01-05 12:00", "ayesha@example.com", answers="m1")
    shop.solves("2026-01-05 12:10", one, omar)
    shop.clock("2026-01-05 12:12")
    verbs._status_back(one, {"status": "open", "solved_at": None}, omar)
    shop.answers("2026-01-05 12:30", one, omar, "solved")

    two = shop.mails("2026-01-06 09:00", "bilal@example.com")
    shop.clock("2026-01-06 09:30")
    merge.merge(two, one, by=sana)
    shop.clock("2026-01-06 09:33")
    merge.unmerge(two, by=sana)
    shop.clock("2026-01-06 10:00")
    tickets.set_status(two, "closed", by=sana)
    three = shop.mails("2026-01-06 11:00", "bilal@example.com", answers="m4", subject="Parcel")
    shop.mails("2026-01-06 11:30", "bilal@example.com", answers="m5")
    shop.clock("2026-01-06 12:00")
    split.split(three, [_last(three)], by=sana)
    four = Ticket.objects.latest("pk")
    shop.clock("2026-01-06 12:10")
    messages.move(Message.objects.get(pk=_last(four)), to=three, by=sana)
    links.link(three, one, "duplicate", by=sana)
    shop.clock("2026-01-06 13:00")
    tickets.set_spam(three, True, by=sana)
    tickets.set_spam(three, False, by=sana)
    shop.clock("2026-01-06 14:00")
    trash.trash(three, by=sana)
    shop.mails("2026-01-06 15:00", "bilal@example.com", answers="m5")
    joining.merge(two.customer, one.customer, by=sana)


def _last(ticket: Ticket) -> int:
    return max(Message.objects.filter(ticket=ticket).values_list("pk", flat=True))


def written(shop: Shop) -> Scribe:
    """The same week, as the scribe tells it."""
    it = Scribe()
    team = it.team("Support")
    mail = it.channel("paper", team)
    sana, omar = it.agent("Sana"), it.agent("Omar")
    ayesha, bilal = it.customer(), it.customer()

    def at(moment: str) -> Scribe:
        it.now = shop.clock(moment)
        return it

    one = at("2026-01-05 10:00").open(mail, ayesha, by=None)
    it.hears(one, mail, writer=ayesha)
    it.says(one, mail, by=None, automatic=True)
    at("2026-01-05 10:30").says(one, mail, by=sana, status="solved")
    at("2026-01-05 11:00").hears(one, mail, writer=ayesha)
    it.notes(one, by=omar)
    at("2026-01-05 11:10").prioritise(one, "urgent", by=omar)
    it.assign(one, by=omar, agent=omar.pk, team=team.pk)
    until = shop.clock("2026-01-06 11:10")
    at("2026-01-05 11:20").snooze(one, until, by=omar)
    at("2026-01-05 12:00").hears(one, mail, writer=ayesha)
    at("2026-01-05 12:10").status(one, "solved", by=omar)
    at("2026-01-05 12:12").undo(one, by=omar)
    at("2026-01-05 12:30").says(one, mail, by=omar, status="solved")

    two = at("2026-01-06 09:00").open(mail, bilal, by=None)
    it.hears(two, mail, writer=bilal)
    at("2026-01-06 09:30").merge(two, one, by=sana)
    at("2026-01-06 09:33").unmerge(two, one, by=sana)
    at("2026-01-06 10:00").status(two, "closed", by=sana)
    three = at("2026-01-06 11:00").open(mail, bilal, by=None)
    it.follows_up(three, two, bilal)
    it.hears(three, mail, writer=bilal)
    at("2026-01-06 11:30").hears(three, mail, writer=bilal)
    four = at("2026-01-06 12:00").split(three, [it.of(three)[-1]], by=sana)
    at("2026-01-06 12:10").move(it.of(four)[-1], four, three, by=sana)
    it.link(three, one, "duplicate", by=sana)
    at("2026-01-06 13:00").spam(three, True, by=sana, afresh=True)
    it.spam(three, False, by=sana, afresh=True)
    at("2026-01-06 14:00").trash(three, by=sana)
    at("2026-01-06 15:00").hears(three, mail, writer=bilal)
    it.join(bilal, ayesha, by=sana)
    return it


def test_the_scribe_writes_what_the_actions_write(shop: Shop) -> None:
    really(shop)
    told = written(shop)
    rows = (
        list(Ticket.objects.order_by("pk")),
        list(Message.objects.order_by("pk")),
        list(Event.objects.order_by("pk")),
    )
    people = list(Customer.objects.order_by("pk"))
    ours = _facts(told.rows.tickets, told.rows.messages, told.rows.events, [one.pk for one in told.rows.customers])
    theirs = _facts(*rows, [one.pk for one in people])
    for mine, real in zip(ours, theirs, strict=True):
        assert mine == real


def _facts(
    all_tickets: list[Ticket], all_messages: list[Message], events: list[Event], customers: list[int]
) -> list[list[Any]]:
    """Tickets, messages and lines of the log, with places in order in the place of ids."""
    ticket = _places([one.pk for one in all_tickets])
    message = _places([one.pk for one in all_messages])
    customer = _places(customers)
    kept = [one for one in events if one.kind not in BESIDE]
    agents = [one.actor_id for one in kept if one.actor_kind == "agent" and one.actor_id is not None]
    agent = _places(list(dict.fromkeys(agents)))

    def named(event: Event) -> dict[str, Any]:
        data = {name: value for name, value in event.data.items() if name in NAMED.get(event.kind, set())}
        turned = {"source": ticket, "into": ticket, "of": ticket, "target": ticket, "message": message}
        if event.kind in {"message_moved", "unmerged"}:
            turned |= {"from": ticket, "to": ticket}
        if event.kind == "assigned":
            turned |= {"from": agent, "to": agent}
        found = {name: turned[name](value) if name in turned else value for name, value in data.items()}
        if "messages" in data:
            found["messages"] = [message(pk) for pk in data["messages"]]
        return found

    actor: dict[str, Callable[[Any], Any]] = {"agent": agent, "customer": customer}
    return [
        [
            (ticket(one.pk), customer(one.customer_id), one.status, one.priority, one.spam, one.trashed_at)
            for one in all_tickets
        ],
        [
            (
                *(message(one.pk), ticket(one.ticket_id), one.direction, one.author_kind, one.kind, one.origin),
                *(one.state, one.created_at, one.sent_at),
            )
            for one in all_messages
        ],
        [
            (
                *(one.kind, one.ticket_id and ticket(one.ticket_id), one.actor_kind, one.at),
                actor[one.actor_kind](one.actor_id) if one.actor_kind in actor else None,
                named(one),
            )
            for one in kept
        ],
    ]


# What figures read of each line.
NAMED = {
    "ticket_created": {"priority", "status"},
    "message_received": {"message"},
    "message_added": {"message", "automatic"},
    "status_changed": {"from", "to", "undo", "why"},
    "reopened": {"was", "why"},
    "assigned": {"from", "to"},
    "priority_changed": {"from", "to"},
    "snoozed": {"until"},
    "spam_changed": {"spam"},
    "merged": {"into", "was", "messages"},
    "merged_from": {"source"},
    "unmerged": {"from", "status"},
    "unmerged_from": {"source"},
    "message_moved": {"message", "from", "to"},
    "split": {"into", "messages"},
    "split_from": {"source", "messages"},
    "follow_up_of": {"of"},
    "link_added": {"kind", "source", "target"},
}


def _places(ids: list[int]) -> Callable[[Any], Any]:
    places = {pk: place for place, pk in enumerate(ids)}
    return lambda pk: None if pk is None else places[pk]
