"""How people can be reached on messengers: windows that open with what they write, blocks, and asking for no more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from inbox import log
from inbox.actions import customers
from inbox.adapters import AddressChange, Party, ReachUpdate, adapter_for
from inbox.models import Channel, Customer, Identity, Message, Reach, Ticket

REMIND_BEFORE = timedelta(hours=1)
BATCH = 500
CLOCKS = timedelta(minutes=1)  # that a platform's time of an event may be behind ours


def heard(rows: Iterable[tuple[Channel, int, datetime]]) -> None:
    """Somebody (id of their identity) wrote on a messenger at that time: the window opens anew, and they let us in.

    Times may come in any order, and only ever move forward.
    """
    newest: dict[tuple[int, int], tuple[datetime, datetime | None]] = {}
    for channel, identity, at in rows:
        window = adapter_for(channel.kind).window
        known = newest.get((channel.pk, identity))
        if known is None or known[0] < at:
            newest[channel.pk, identity] = (at, at + window if window else None)
    if not newest:
        return
    values = [(*key, *value) for key, value in sorted(newest.items())]
    columns = list(zip(*values, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inbox_reach AS r (channel_id, identity_id, last_in_at, closes_at)
            SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
            ON CONFLICT (channel_id, identity_id) DO UPDATE SET
                last_in_at = GREATEST(r.last_in_at, EXCLUDED.last_in_at),
                closes_at = GREATEST(r.closes_at, EXCLUDED.closes_at),
                reminded_at = CASE WHEN r.closes_at < EXCLUDED.closes_at THEN NULL ELSE r.reminded_at END,
                blocked_at = CASE WHEN r.changed_at > EXCLUDED.last_in_at THEN r.blocked_at END
            """,
            [list(column) for column in columns],
        )


def change(channel: Channel, update: ReachUpdate) -> bool:
    """What a platform says of a person; false when nobody here has that address. Older news than is known is nothing.

    Asking for no more messages stands on the customer as well, for every channel of this kind.
    """
    identity = _identity(channel, update.person)
    if identity is None:
        return False
    if update.acted:
        _acted(channel, identity, update.at)
        return True
    row, _made = Reach.objects.select_for_update(no_key=True).get_or_create(channel=channel, identity=identity)
    if row.changed_at is not None and row.changed_at > update.at:
        return True
    row.changed_at = update.at
    if update.blocked is not None:
        # Whoever has written since lets us in again, even if that was heard of first.
        wrote_since = row.last_in_at is not None and row.last_in_at > update.at
        row.blocked_at = update.at if update.blocked and not wrote_since else None
    if update.opted_out is not None:
        row.opted_out_at = update.at if update.opted_out else None
        _opt_out(identity.customer_id, channel, out=update.opted_out)
    row.save(update_fields=["changed_at", "blocked_at", "opted_out_at"])
    return True


def _acted(channel: Channel, identity: Identity, at: datetime) -> None:
    """They did something that opens the window: when they wrote last, and whether they let us in, stays as it is."""
    window = adapter_for(channel.kind).window
    if window is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO inbox_reach AS r (channel_id, identity_id, closes_at) VALUES (%s, %s, %s)
            ON CONFLICT (channel_id, identity_id) DO UPDATE SET
                closes_at = GREATEST(r.closes_at, EXCLUDED.closes_at),
                reminded_at = CASE WHEN r.closes_at < EXCLUDED.closes_at THEN NULL ELSE r.reminded_at END
            """,
            [channel.pk, identity.pk, at + window],
        )


def moved(channel: Channel, change: AddressChange) -> bool:
    """Somebody has another address: they are written to there alone, within the window that they had opened.

    False while nobody here has the new one. Where somebody else has got the old one since, it stays theirs.
    """
    old, new = _identity(channel, change.person), _identity(channel, change.to)
    if new is None:
        return False
    if old is None or old.pk == new.pk:
        return True
    if old.customer_id != new.customer_id and old.created_at > change.at + CLOCKS:
        return True
    if old.customer_id == new.customer_id:
        there = set(Reach.objects.filter(identity=new).values_list("channel", flat=True))
        Reach.objects.filter(identity=old).exclude(channel__in=there).update(identity=new)
    customers.retire_identity(old, by=None)
    return True


def remind() -> int:
    """Tell those whose customers wait where answers can soon be free no more; returns how many tickets that were."""
    now = timezone.now()
    told = 0
    with transaction.atomic():
        rows = list(
            Reach.objects.select_for_update(no_key=True, skip_locked=True, of=("self",))
            .filter(closes_at__range=(now, now + REMIND_BEFORE), reminded_at__isnull=True)
            .select_related("identity")
            .order_by("closes_at")[:BATCH]
        )
        for row in rows:
            waiting = Ticket.objects.current().filter(
                customer=row.identity.customer_id, channel=row.channel_id, waiting_since__isnull=False
            )
            for ticket in waiting:
                log.record(ticket, "window_closes", channel=row.channel_id)
                told += 1
        Reach.objects.filter(pk__in=[row.pk for row in rows]).update(reminded_at=now)
    return told


def refused(message: Message, fault: str, at: datetime | None = None) -> None:
    """The platform refused a message of ours (at that time, else now): what that says of whom it was for.

    `blocked`: nothing gets through to them. `window`: answers are not free any more, whatever we made of the times we
    know; unless they have written since, or it was about a public comment, which opens no window.
    """
    when = at or timezone.now()
    for address in [one["address"] for one in message.to] if fault in {"blocked", "window"} else ():
        ways = adapter_for(message.channel.kind).reaches(message.channel)
        found = (_identity(message.channel, Party(kind, address, scope=scope)) for kind, scope in ways)
        identity = next((one for one in found if one is not None), None)
        if identity is None:
            continue
        person = _known_by(message.channel, identity)
        if fault == "blocked":
            change(message.channel, ReachUpdate(identity_party(person), when, blocked=True))
        elif not message.ticket.thread_key:
            silent = Q(last_in_at__isnull=True) | Q(last_in_at__lte=message.created_at)
            open_ones = Reach.objects.filter(channel=message.channel_id, identity=person, closes_at__gt=when)
            open_ones.filter(silent).update(closes_at=when)


def _known_by(channel: Channel, identity: Identity) -> Identity:
    """The address of the same person that their window here hangs on: they are written to by another where a platform
    has two names for them (the number and the id of WhatsApp's users). Another number is another telephone.
    """
    rows = Reach.objects.filter(channel=channel, identity__customer=identity.customer_id).select_related("identity")
    rows = rows.filter(Q(identity=identity) | ~Q(identity__kind=identity.kind))
    by_row = {row.identity_id: row.identity for row in rows.order_by(F("last_in_at").asc(nulls_first=True))}
    return by_row.get(identity.pk) or next(reversed(by_row.values()), identity)


def identity_party(identity: Identity) -> Party:
    return Party(identity.kind, identity.value, identity.name, identity.scope)


def _identity(channel: Channel, person: Party) -> Identity | None:
    scope = person.scope or adapter_for(channel.kind).scope(channel)
    return Identity.objects.active().filter(kind=person.kind, scope=scope, value=person.value).first()


def _opt_out(customer: int, channel: Channel, *, out: bool) -> None:
    row = Customer.objects.select_for_update(no_key=True).get(pk=customer)
    now = [one for one in row.opt_outs if one != channel.kind] + ([channel.kind] if out else [])
    if sorted(now) != sorted(row.opt_outs):
        row.opt_outs = now
        row.save(update_fields=["opt_outs"])
