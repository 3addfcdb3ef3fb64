"""Which ticket does this message belong to? A pure decision over what the database was asked beforehand.

The first rule that holds decides (docs/architecture.md, "Which ticket"); the rule and its detail are kept on the
message, so that a person can ask why it is where it is and move it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from inbox.adapters import AUTOMATIC, Inbound
from inbox.models import Status, Ticket

# "Re", "Fwd" and their like where mail programs translate them, with counters such as "Re[2]:".
PREFIXES = (
    "re|aw|sv|vs|antw|ant|odp|ynt|rif|res|bls|vb|fw|fwd|wg|tr|rv|enc|i|pd|doorst|ilt|vl|ref|hal|"
    "جواب|رد|إعادة توجيه|回复|回覆|答复|转发|轉寄|返信|転送|회신|전달|ответ|на|отв|תשובה"
)
PREFIX = re.compile(rf"^\s*(?:(?:{PREFIXES})\s*(?:[\[(]\d+[\])])?\s*[:：]\s*)+", re.IGNORECASE)
NUMBER = re.compile(r"(?<![\w&])#(\d{1,18})(?!\w)")


MOST_NUMBERS = 5


def bare_subject(subject: str) -> str:
    """A subject without reply and forward prefixes, ticket numbers, case and spacing."""
    stripped = PREFIX.sub("", subject)
    return " ".join(NUMBER.sub("", stripped).replace("[]", "").casefold().split())


def numbers_in(subject: str) -> list[int]:
    """Ticket numbers that a subject names, such as #1042; of very many the first few."""
    return [int(number) for number in NUMBER.findall(subject)[:MOST_NUMBERS]]


def referenced(inbound: Inbound) -> list[str]:
    """The ids this message answers, nearest first: In-Reply-To, then References from right to left."""
    seen = dict.fromkeys([inbound.in_reply_to, *reversed(inbound.references)])
    return [reference for reference in seen if reference]


@dataclass(frozen=True, slots=True)
class Known:
    """A message of ours or theirs that a reference names."""

    ticket: Ticket
    subject: str
    side: int | None = None  # id of the side conversation that it lies in


@dataclass(frozen=True, slots=True)
class Side:
    """A side conversation inside a ticket; `member` says whether the sender is one of those it is held with."""

    pk: int
    ticket: Ticket
    member: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a message goes. No `ticket` means a new one, linked to `follow_up_of` if that is given."""

    rule: str
    detail: str = ""
    ticket: Ticket | None = None
    follow_up_of: Ticket | None = None
    unverified: bool = False
    reopens: bool = False
    spam: bool = False  # a new ticket is one among the spam
    side: int | None = None  # the side conversation inside `ticket` that it belongs to


@dataclass(frozen=True, slots=True)
class Lookup:
    """What the decision may ask. Tickets come with merges followed; `takes_part` and `open_ticket` are the sender's."""

    ticket: Callable[[int], Ticket | None]
    by_reference: Callable[[str], Iterable[Known]]
    takes_part: Callable[[Ticket], bool]
    by_thread_key: Callable[[str], Ticket | None]
    open_ticket: Callable[[], Ticket | None]
    side: Callable[[int], Side | None] = lambda _pk: None


def decide(
    inbound: Inbound,
    lookup: Lookup,
    *,
    joins_open_ticket: bool,
    reopen_days: int,
    now: datetime,
) -> Decision:
    """The ticket for this message; `reopen_days` is the window after a solve, `now` is aware."""
    aside = _find_side(inbound, lookup)
    if aside is not None:
        return aside
    found = _find(inbound, lookup, joins_open_ticket)
    if found is None:
        return Decision("new")
    rule, detail, ticket, unverified, answered = found
    if not ticket.is_done or ticket.spam:
        return Decision(rule, detail, ticket, unverified=unverified)
    if ticket.status == Status.CLOSED:
        return Decision("follow_up", f"{rule}: {detail}; closed", follow_up_of=ticket, unverified=unverified)
    if inbound.kind in AUTOMATIC:
        return Decision(rule, detail, ticket, unverified=unverified)  # automatic mail opens nothing again
    if ticket.solved_at is not None and now - ticket.solved_at > timedelta(days=reopen_days):
        return Decision(
            "follow_up", f"{rule}: {detail}; re-open window over", follow_up_of=ticket, unverified=unverified
        )
    subject = bare_subject(inbound.subject)
    if subject and subject not in {bare_subject(ticket.subject), bare_subject(answered)}:
        return Decision("follow_up", f"{rule}: {detail}; new subject", follow_up_of=ticket, unverified=unverified)
    return Decision(rule, detail, ticket, unverified=unverified, reopens=True)


def _find_side(inbound: Inbound, lookup: Lookup) -> Decision | None:
    """What a third party answers in a side conversation; whoever takes part in the ticket itself speaks there."""
    for pk in inbound.payload.get("signed_sides", ()):
        side = lookup.side(pk)
        if side is not None and (side.member or not lookup.takes_part(side.ticket)):
            return Decision("side", "token", side.ticket, unverified=not side.member, side=side.pk)
    for reference in referenced(inbound):
        for known in lookup.by_reference(reference):
            side = lookup.side(known.side) if known.side is not None else None
            if side is not None and side.member:
                return Decision("side", reference[:200], side.ticket, side=side.pk)
    return None


Found = tuple[str, str, Ticket, bool, str]


def _find(inbound: Inbound, lookup: Lookup, joins_open_ticket: bool) -> Found | None:
    sides = (lookup.side(pk) for pk in inbound.payload.get("signed_sides", ()))
    for number in (*inbound.payload.get("signed_tickets", ()), *(side.ticket.pk for side in sides if side)):
        ticket = lookup.ticket(number)
        if ticket is not None:
            answered = next((known.subject for known in _known(inbound, lookup) if known.ticket.pk == ticket.pk), "")
            return "token", f"#{number}", ticket, not lookup.takes_part(ticket), answered
    for reference in referenced(inbound):
        for known in lookup.by_reference(reference):
            if joins_open_ticket and known.ticket.is_done:
                continue  # on a messenger it quotes something old; what they talk about now is the open matter
            if lookup.takes_part(known.ticket):
                return "reference", reference[:200], known.ticket, False, known.subject
    if inbound.thread_key:
        ticket = lookup.by_thread_key(inbound.thread_key)
        if ticket is not None:
            return "session", inbound.thread_key[:200], ticket, False, ""
    for number in numbers_in(inbound.subject):
        ticket = lookup.ticket(number)
        if ticket is not None and lookup.takes_part(ticket):
            return "subject_number", f"#{number}", ticket, False, ""
    if joins_open_ticket and not inbound.thread_key:
        ticket = lookup.open_ticket()
        if ticket is not None:
            return "session", f"#{ticket.pk}", ticket, False, ""
    return None


def _known(inbound: Inbound, lookup: Lookup) -> Iterable[Known]:
    return (known for reference in referenced(inbound) for known in lookup.by_reference(reference))
