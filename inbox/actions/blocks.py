"""Blocks: whom we do not want to hear from. What they write is kept among the spam, and wakes nobody."""

from __future__ import annotations

import re

from django.db import transaction
from django.utils.translation import gettext as _

from inbox import log
from inbox.actions import recipients, tickets
from inbox.actions.errors import ActionError
from inbox.actions.work import is_ours, our_addresses
from inbox.adapters import adapter_for, kinds
from inbox.models import Agent, Block, BlockKind, Ticket

DOMAIN = re.compile(r"([^\W_]([\w-]{0,61}[^\W_])?\.)+[^\W_][\w-]{0,61}[^\W_]")
# Half the world writes from there: to block one of these would be to block customers.
EVERYBODYS = frozenset(
    "gmail.com googlemail.com outlook.com hotmail.com live.com msn.com yahoo.com ymail.com icloud.com me.com aol.com"
    " proton.me protonmail.com gmx.de gmx.net web.de mail.ru yandex.ru qq.com 163.com zoho.com fastmail.com".split()
)


def block(
    kind: str,
    value: str,
    *,
    by: Agent | None,
    identity_kind: str = "email",
    scope: str = "",
    ticket: Ticket | None = None,
) -> Block:
    """Block an address, a domain with all below it, or a visitor. Known already, it is returned. Raises ActionError."""
    clean = value.strip().lower().removeprefix("@") if kind == BlockKind.DOMAIN else value.strip().lower()
    own = our_addresses()
    if kind == BlockKind.DOMAIN:
        identity_kind = ""
        if not DOMAIN.fullmatch(clean):
            raise ActionError(_("“%(text)s” is not a domain such as example.com.") % {"text": value}, "domain")
        if clean in EVERYBODYS:
            raise ActionError(
                _("Many people write from %(domain)s; block single addresses instead.") % {"domain": clean},
                "everybodys",
            )
        ours = {address.rpartition("@")[2] for address in own if "@" in address}
        if any(one == clean or one.endswith(f".{clean}") for one in ours):
            raise ActionError(_("That is one of our own domains."), "own_domain")
    elif not clean or kind == BlockKind.ADDRESS and identity_kind == "email" and "@" not in clean:
        raise ActionError(_("“%(text)s” is not an address.") % {"text": value}, "address")
    elif is_ours(clean, own):
        raise ActionError(_("That is one of our own addresses."), "own_address")
    with transaction.atomic():
        row, created = Block.objects.get_or_create(
            kind=kind,
            identity_kind=identity_kind,
            scope=scope,
            value=clean[:320],
            defaults={"by": by, "ticket": ticket},
        )
        if created:
            log.record(None, "block_added", by=by, block=row.pk, kind=kind)
    return row


def unblock(row: Block, *, by: Agent | None) -> None:
    """What they wrote stays where it is; what they write from now on comes in."""
    with transaction.atomic():
        if Block.objects.filter(pk=row.pk).delete()[0]:
            log.record(None, "block_removed", by=by, block=row.pk, kind=row.kind)


def sender_of(ticket: Ticket) -> tuple[str, str, str] | None:
    """(kind of identity, scope, value) of whoever wrote last to this ticket, or opened it."""
    last = recipients.last_inbound(ticket)
    if last is None or not last.author_address:
        return None
    adapter = adapter_for(last.channel.kind)
    return adapter.identity_kind, adapter.scope(last.channel), last.author_address.lower()


def block_sender(ticket: Ticket, *, by: Agent | None) -> Block:
    """Put a ticket among the spam and block whoever wrote it."""
    with transaction.atomic():
        found = sender_of(ticket)
        if found is None:
            raise ActionError(_("Nobody wrote in this ticket who could be blocked."), "no_sender")
        identity_kind, scope, value = found
        browsers = {adapter.identity_kind for adapter in kinds().values() if adapter.live}
        kind = BlockKind.VISITOR if identity_kind in browsers else BlockKind.ADDRESS
        row = block(kind, value, by=by, identity_kind=identity_kind, scope=scope, ticket=ticket)
        tickets.set_spam(ticket, True, by=by)
        return row


def release(ticket: Ticket, *, by: Agent | None) -> Ticket:
    """Not spam: it is as if it had just come, and whoever wrote it is welcome, unless their whole domain is not."""
    with transaction.atomic():
        row = tickets.set_spam(ticket, False, by=by)
        found = sender_of(row)
        if found is not None:
            kind, scope, value = found
            known = Block.objects.filter(identity_kind=kind, scope__in={"", scope}, value=value)
            for one in known.exclude(kind=BlockKind.DOMAIN):
                unblock(one, by=by)
        return row
