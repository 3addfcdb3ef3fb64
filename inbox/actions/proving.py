"""Addresses that somebody claims to have, and the answers that prove them.

A visitor typed an address, we wrote there, and the answer comes from it with our signature: whoever reads that mailbox
is the one we talk to. The address becomes the customer's own then, instead of a second customer's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import F

from inbox import log
from inbox.actions import customers
from inbox.actions.work import Address
from inbox.adapters import Inbound, kinds
from inbox.models import Direction, Identity, Message
from inbox.threads import referenced

MOST_READ = 500  # of our messages in such tickets, the newest


class Claims:
    """The claims of a batch: `given` are senders with what they wrote. Two queries at most, none where nobody signs.

    `here` holds by sender the claim of a customer whose ticket the signature names; `proven` the numbers of the tickets
    for which an answer proves the address.
    """

    def __init__(self, given: Iterable[tuple[Address, Inbound]]) -> None:
        self.here: dict[Address, Identity] = {}
        self.proven: dict[Address, set[int]] = defaultdict(set)
        signed: dict[Address, list[tuple[int, Inbound]]] = defaultdict(list)
        for address, inbound in given:
            for number in inbound.payload.get("signed_tickets", ()):
                if 0 < number < 2**63:
                    signed[address].append((number, inbound))
        if signed:
            self._find(signed)

    def _find(self, signed: Mapping[Address, Sequence[tuple[int, Inbound]]]) -> None:
        numbers = {number for asked in signed.values() for number, _ in asked}
        claims = (
            Identity.objects.filter(value__in={value for _, _, value in signed})
            .filter(verified_at__isnull=True, retired_at__isnull=True, customer__tickets__in=numbers)
            .annotate(number=F("customer__tickets"))
            .select_related("customer", "customer__merged_into")
            .order_by("pk")
        )
        found = {((one.kind, one.scope, one.value), one.number): one for one in claims}  # type: ignore[attr-defined]
        if not found:
            return
        said = self._said({number for _, number in found})
        for address, asked in signed.items():
            for number, inbound in asked:
                claim = found.get((address, number))
                if claim is None:
                    continue
                self.here.setdefault(address, claim)
                if claim.pk == self.here[address].pk and _proves(inbound, address, said[address[0], number]):
                    self.proven[address].add(number)

    def _said(self, numbers: set[int]) -> dict[tuple[str, int], list[tuple[str, frozenset[str]]]]:
        """By kind of address and ticket what we wrote there: (id on the wire, whom it went to)."""
        of_kind = {kind: adapter.identity_kind for kind, adapter in kinds().items()}
        ours = (
            Message.objects.conversation().filter(ticket__in=numbers, direction=Direction.OUT).exclude(external_id="")
        )
        said: dict[tuple[str, int], list[tuple[str, frozenset[str]]]] = defaultdict(list)
        rows = ours.order_by("-pk").values_list("ticket", "channel__kind", "external_id", "to", "cc", "bcc")
        for number, kind, external_id, *people in rows[:MOST_READ]:
            everybody = frozenset(str(one["address"]).lower() for some in people for one in some)
            said[of_kind.get(kind, ""), number].append((external_id, everybody))
        return said

    def verify(self, known: Mapping[Address, Identity], now: datetime) -> None:
        """Make those claims verified that an answer proves, apart from what is a known customer's already."""
        for address in sorted(self.proven):
            claim = self.here[address]
            if known.get(address) is not claim:
                continue
            claim.verified_at, claim.verified_how = now, "reply"
            claim.save(update_fields=["verified_at", "verified_how"])
            log.record(None, "identity_added", customer=claim.customer_id, identity=claim.pk, how="reply")
            customers.announce(claim.customer_id)


def _proves(inbound: Inbound, address: Address, said: Sequence[tuple[str, frozenset[str]]]) -> bool:
    """Whether only somebody who reads this mailbox can have written it: it answers what went to that address alone.

    Where the way of the mail has lost the id that it answers, the ticket's own signature is enough if nobody else was
    ever written to. What a machine sends back proves nothing.
    """
    if inbound.kind != "message":
        return False
    only = frozenset({address[2].lower()})
    references = set(referenced(inbound))
    answered = [everybody for external_id, everybody in said if external_id in references]
    return any(one == only for one in answered or [frozenset().union(*(everybody for _, everybody in said))])
