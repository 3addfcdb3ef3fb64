"""Which blocks stand against a sender."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from inbox.models import Block, BlockKind


def against(addresses: Iterable[tuple[str, str]]) -> QuerySet[Block]:
    """The blocks that may stand against any of these (kind of identity, value): one query for all of them."""
    values, domains = set[str](), set[str]()
    for kind, value in addresses:
        values.add(value.lower())
        if kind == "email":
            domains |= set(domains_of(value))
    return Block.objects.filter(~Q(kind=BlockKind.DOMAIN) & Q(value__in=values) | Q(kind="domain", value__in=domains))


def domains_of(address: str) -> list[str]:
    """Its domain and all above it, as a block may name them."""
    parts = address.lower().rpartition("@")[2].split(".")
    return [".".join(parts[at:]) for at in range(len(parts) - 1)]
