"""Erase a person for ever: everything that says who they were or what was said. Tickets and events stay, as skeletons
of ids, times and codes, so that figures stay true.

Other apps that keep something of customers register what they forget with `also`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import Case, Max, Q, Value, When
from django.utils import timezone

from inbox import locks, log
from inbox.actions import base, drafts, keeping, pictures
from inbox.actions.erased_receipts import OVERLAP, delete_files, forget_bytes, forget_receipts, receipts_naming
from inbox.actions.naming import ERASED, Naming, Person, without
from inbox.actions.reply import change_status
from inbox.models import (
    Agent,
    Attachment,
    Block,
    Card,
    Customer,
    CustomerEvent,
    CustomerMerge,
    CustomerNote,
    DeliveryState,
    DifferentPeople,
    Direction,
    Engagement,
    Identity,
    Message,
    MessageCopy,
    MessagePart,
    Participant,
    Reach,
    Receipt,
    ReceiptState,
    RemoteFile,
    SideConversation,
    Ticket,
)

TRIES = 3  # where somebody else's locks got in the way
BATCH = 500
# What a message says or names; all else of it are ids, times and codes.
BLANK: dict[str, Any] = {
    "author_name": "",
    "author_address": "",
    "to": [],
    "cc": [],
    "bcc": [],
    "reply_to": [],
    "subject": "",
    "text": "",
    "visible_text": "",
    "html": "",
    "payload": {},
    "reactions": [],
    "external_id": "",
    "in_reply_to": "",
    "references": [],
    "thread_detail": "",
    "error": "",
}


Forget = Callable[[Person], None]
_others: list[Forget] = []


def also(forget: Forget) -> Forget:
    """Decorator: this function forgets what its app keeps of a person. It runs inside the erasure's transaction."""
    _others.append(forget)
    return forget


def erase(customer: Customer, *, by: Agent | None) -> None:
    """Forget this person: names, addresses, what they and others said in their tickets, files, raw mail, their journey.

    Where they took part in tickets of others, they are taken out of the recipients, and their addresses and full name
    out of the text. One transaction; the files go once it is committed. Receipts are searched from first to last, which
    takes a minute where there are a million of them; nobody waits for that. What is taken in from them at this very
    moment comes from somebody new.
    """
    for attempt in range(TRIES):
        try:
            return _erase(customer.pk, by)
        except OperationalError as error:
            if not locks.lost_race(error) or attempt == TRIES - 1 or connection.in_atomic_block:
                raise


def _erase(pk: int, by: Agent | None) -> None:
    with transaction.atomic():
        newest = Receipt.objects.aggregate(newest=Max("pk"))["newest"] or 0
        known = _person(_everyone(pk))
        receipts = receipts_naming(known)
        ids = _locked(pk)
        person = _person(ids)
        same = person.naming.needles == known.naming.needles
        receipts |= receipts_naming(person, after=newest - OVERLAP if same else 0)
        stored = _forget(person, receipts)
        # Their tickets are locked from here on. What somebody said in them until then goes, too.
        late = Message.objects.filter(ticket__in=person.tickets).exclude(pk__in=person.messages)
        if said := frozenset(late.values_list("pk", flat=True)):
            stored |= _forget(replace(person, messages=said), set())
        _blank_tickets(person, by)
        for noun in (CustomerEvent, CustomerNote, Card):
            noun._default_manager.filter(customer__in=ids).delete()
        DifferentPeople.objects.filter(Q(first__in=ids) | Q(second__in=ids)).delete()
        _forget_in_notes(person)
        scopes = {"", *Identity.objects.filter(customer__in=ids).values_list("scope", flat=True)}
        Block.objects.filter(value__in={one.lower() for one in person.addresses}, scope__in=scopes).delete()
        CustomerMerge.objects.filter(Q(source__in=ids) | Q(into__in=ids)).update(before={})
        Reach.objects.filter(identity__customer__in=ids).delete()
        stored |= pictures.forget(ids)
        for identity in Identity.objects.filter(customer__in=ids):
            Identity.objects.filter(pk=identity.pk).update(
                value=f"erased-{identity.pk}", name="", scope="", retired_at=identity.retired_at or timezone.now()
            )
        Customer.objects.filter(pk__in=ids).update(
            name="",
            external_id=None,
            attributes={},
            tags=[],
            opt_outs=[],
            language="",
            time_zone="",
            organisation=None,
            preferred_channel=None,
            picture="",
            erased_at=timezone.now(),
        )
        log.record(None, "customer_erased", by=by, customer=pk, customers=sorted(ids))
        base.announce(person.tickets)
        transaction.on_commit(lambda: delete_files(stored), robust=True)


def erase_ticket(ticket: Ticket, *, by: Agent | None) -> None:
    """Forget what was said in one ticket, which a merge may have brought more to; whoever wrote in it stays known.

    What others' tickets say stays. Call it inside the transaction; the files go once that is committed.
    """
    said = frozenset(Message.objects.filter(ticket=ticket.pk).values_list("pk", flat=True))
    nobody: frozenset[str] = frozenset()
    what = Person(frozenset(), frozenset({ticket.pk}), said, nobody, nobody, Naming(emails=(), phones=()))
    stored = _forget(what, set())
    _blank_tickets(what, by)
    base.announce([ticket.pk])
    transaction.on_commit(lambda: delete_files(stored), robust=True)


def lock_messages(ticket: Ticket) -> None:
    """Hold what may be on its way, before the ticket itself is locked: the order that delivery keeps."""
    sent = Message.objects.filter(ticket=ticket.pk, state__in=[DeliveryState.QUEUED, DeliveryState.SENDING])
    list(sent.select_for_update(no_key=True).order_by("pk").values_list("pk"))


def _forget(person: Person, receipts: set[int]) -> set[str]:
    """Everything but the customers' and tickets' own rows; returns stored files. Locks their tickets.

    `receipts` are those that may name them, beside those that their messages came in.
    """
    stored = _forget_files(person)
    emptied, mentioned = forget_receipts(person, receipts)
    elsewhere = _elsewhere(person, mentioned)
    # As everybody does: messages that may be on their way, then tickets, by number.
    sent = Message.objects.filter(pk__in=person.messages, state__in=[DeliveryState.QUEUED, DeliveryState.SENDING])
    list(sent.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    tickets = Ticket.objects.filter(pk__in=elsewhere | person.tickets)
    list(tickets.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    stored |= emptied | _mention_no_more(person, elsewhere)
    _blank_messages(person)
    stored |= drafts.forget(person.tickets, person.words)
    if person.words is not None:
        keeping.forget(person.words)
    for forget in _others:
        forget(replace(person, elsewhere=frozenset(elsewhere)))
    return stored


def _locked(pk: int) -> set[int]:
    """`_everyone`, locked: what is being taken in from them is finished first, what comes later finds nobody."""
    locked: set[int] = set()
    while (ids := _everyone(pk)) != locked:
        list(Customer.objects.select_for_update().filter(pk__in=ids).order_by("pk").values_list("pk"))
        locked = ids
    return locked


def _everyone(pk: int) -> set[int]:
    """This customer and all who were merged into them, and into those."""
    found, edge = {pk}, {pk}
    while edge:
        edge = set(Customer.objects.filter(merged_into__in=edge).values_list("pk", flat=True)) - found
        found |= edge
    return found


def _person(ids: set[int]) -> Person:
    tickets = set(Ticket.objects.filter(customer__in=ids).values_list("pk", flat=True))
    messages = set(Message.objects.filter(Q(ticket__in=tickets) | Q(customer__in=ids)).values_list("pk", flat=True))
    identities = list(Identity.objects.filter(customer__in=ids).values_list("kind", "value", "name"))
    written = Message.objects.filter(customer__in=ids).values_list("author_address", "author_name")
    names = [name for _kind, _value, name in identities] + [name for _address, name in written]
    names += Customer.objects.filter(pk__in=ids).values_list("name", flat=True)
    spelled = {address for address, _name in written}
    return Person(
        customers=frozenset(ids),
        tickets=frozenset(tickets),
        messages=frozenset(messages),
        addresses=frozenset({value for _kind, value, _name in identities} | spelled) - {""},
        names=frozenset(name for name in names if len(name.split()) > 1),  # one word alone is many people's
        naming=Naming(
            emails=spelled | {value for kind, value, _name in identities if kind == "email"},
            phones=[value for kind, value, _name in identities if kind == "phone"],
        ),
    )


def _forget_files(person: Person) -> set[str]:
    """Blank the attachments; returns the names of their files in storage."""
    found = Attachment.objects.filter(message__in=person.messages)
    stored = set(found.values_list("stored", flat=True))
    RemoteFile.objects.filter(message__in=person.messages).delete()
    MessagePart.objects.filter(message__in=person.messages).delete()
    found.update(name="erased", content_type="application/octet-stream", digest="", stored="", content_id="", size=0)
    return stored - {""}


def _elsewhere(person: Person, receipts: set[int]) -> set[int]:
    """Others' tickets that they took part in, or that one of `receipts` says something in."""
    found = set(Participant.objects.filter(identity__customer__in=person.customers).values_list("ticket", flat=True))
    written = Q(customer__in=person.customers) | Q(receipt__in=receipts)
    found |= set(Message.objects.filter(written).values_list("ticket", flat=True))
    # Whom we wrote to in a side conversation takes part in nothing, and has perhaps never written.
    addresses = {address.lower() for address in person.addresses}
    aside = Message.objects.filter(side__isnull=False, direction=Direction.OUT).values_list("ticket", "to", "cc")
    for ticket, *people in aside.iterator(chunk_size=BATCH) if addresses else ():
        if any(str(one.get("address", "")).lower() in addresses for some in people for one in some):
            found.add(ticket)
    return found - person.tickets


def _mention_no_more(person: Person, elsewhere: set[int]) -> set[str]:
    """Take the person out of these tickets of others, which are locked; returns stored files."""
    words = person.words
    if words is None:
        return set()
    addresses = {address.lower() for address in person.addresses}
    others = Message.objects.filter(ticket__in=elsewhere).exclude(pk__in=person.messages)
    told: set[int] = set()
    for message in others.iterator(chunk_size=BATCH):
        changed = []
        for name in ("to", "cc", "bcc", "reply_to"):
            people = getattr(message, name)
            left = [one for one in people if str(one.get("address", "")).lower() not in addresses]
            if left != people:
                setattr(message, name, left)
                changed.append(name)
        for name in ("subject", "text", "visible_text", "html", "error", "author_name"):
            said = getattr(message, name)
            if (cleaned := words.sub(ERASED, said)) != said:
                setattr(message, name, cleaned)
                changed.append(name)
        if (payload := without(message.payload, words)) != message.payload:
            message.payload = payload
            changed.append("payload")
        if changed:
            message.save(update_fields=changed)
            told.add(message.pk)
    for ticket in Ticket.objects.filter(pk__in=elsewhere):
        subject, preview = words.sub(ERASED, ticket.subject), words.sub(ERASED, ticket.preview)[:200]
        if (subject, preview) != (ticket.subject, ticket.preview):
            ticket.subject, ticket.preview = subject[:500], preview
            base.save(ticket, "subject", "preview")
    for side in SideConversation.objects.filter(ticket__in=elsewhere):
        if (subject := words.sub(ERASED, side.subject)[:500]) != side.subject:
            SideConversation.objects.filter(pk=side.pk).update(subject=subject)
    # What a message said of the person, its bytes say, too, in whatever encoding.
    held = set(Message.objects.filter(pk__in=told).values_list("receipt", flat=True))
    held |= set(MessageCopy.objects.filter(message__in=told).values_list("receipt", flat=True))
    stored: set[str] = set()
    for receipt in Receipt.objects.filter(pk__in=held - {None}, state=ReceiptState.DONE).defer("raw"):
        stored.add(receipt.stored)
        forget_bytes(receipt, person)
    return stored - {""}


def _forget_in_notes(person: Person) -> None:
    """What agents wrote down of those whose tickets they took part in may name them, too."""
    words = person.words
    if words is None:
        return
    tickets = Participant.objects.filter(identity__customer__in=person.customers).values("ticket")
    others = CustomerNote.objects.filter(customer__tickets__in=tickets).exclude(customer__in=person.customers)
    for note in others.distinct():
        if (text := words.sub(ERASED, note.text)) != note.text:
            CustomerNote.objects.filter(pk=note.pk).update(text=text)


def _blank_messages(person: Person) -> None:
    ids = sorted(person.messages)
    now = timezone.now()
    for place in range(0, len(ids), BATCH):
        some = Message.objects.filter(pk__in=ids[place : place + BATCH])
        # On its way at this moment: the worker may still say that it left, and never sends it again, empty.
        some.filter(state__in=[DeliveryState.QUEUED, DeliveryState.SENDING]).update(
            state=Case(When(state=DeliveryState.QUEUED, then=Value("cancelled")), default=Value("unknown")),
            next_attempt_at=None,
            lease_until=None,
        )
        some.update(**BLANK, edited_at=now)


def _blank_tickets(person: Person, by: Agent | None) -> None:
    for ticket in Ticket.objects.filter(pk__in=person.tickets).order_by("pk"):
        ticket.subject, ticket.preview, ticket.attributes, ticket.external_id = "", "", {}, None
        ticket.thread_key, ticket.topic, ticket.organisation = "", "", None
        ticket.trashed_at, ticket.erased_at = None, timezone.now()
        fields = ["subject", "preview", "attributes", "external_id", "thread_key", "topic", "organisation"]
        fields += ["trashed_at", "erased_at"]
        fields += change_status(ticket, "closed", by=by, why="erased")
        log.record(ticket, "ticket_erased", by=by)
        base.save(ticket, *fields)
    Engagement.objects.filter(ticket__in=person.tickets).update(external_id="", transfers=[])
    SideConversation.objects.filter(ticket__in=person.tickets).update(subject="", closed_at=timezone.now())
