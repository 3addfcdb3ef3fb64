"""The values of intake: one parsed message with its receipt, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from inbox.adapters import Adapter, Inbound, Party, kinds
from inbox.models import Channel, Receipt

Address = tuple[str, str, str]  # kind, scope, value


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of an inbound message, already in storage."""

    name: str
    content_type: str
    size: int
    digest: str
    stored: str
    inline: bool
    content_id: str


@dataclass(frozen=True, slots=True)
class Work:
    """One parsed message and the receipt it came in."""

    receipt: Receipt
    channel: Channel
    adapter: Adapter
    inbound: Inbound
    files: tuple[StoredFile, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What became of one receipt. `ticket` and `message` are ids; `status` is as `receive_email` prints it."""

    receipt_id: int
    status: str
    reason: str = ""
    ticket: int | None = None
    message: int | None = None
    rule: str = ""
    detail: str = ""
    inbound: Inbound | None = None
    erased: tuple[str, ...] | None = None  # files of a repeat of what was erased: it is forgotten like that


def address_of(party: Party) -> Address:
    return party.kind, party.scope, party.value


def our_addresses() -> frozenset[str]:
    """Every address that is ours, on whatever channel, lower-cased: never a customer."""
    found: set[str] = set()
    for channel in Channel.objects.only("kind", "addresses", "settings"):
        adapter = kinds().get(channel.kind)
        found.update(adapter.own_addresses(channel) if adapter else channel.addresses)
    return frozenset(found)


def is_ours(value: str, own: Collection[str]) -> bool:
    """Whether an address is one of `own`, also with the +tag that our Reply-To carries: never a customer."""
    local, at, domain = value.rpartition("@")
    return value in own or (bool(at) and f"{local.partition('+')[0]}@{domain}" in own)


def one_line(text: str, length: int) -> str:
    return " ".join(text[: length * 4].split())[:length]


def wire(parties: Iterable[Party]) -> list[dict[str, str]]:
    """Recipients as they are frozen on the message."""
    return [{"name": party.name, "address": party.value} for party in parties]


def typed(people: Iterable[dict[str, str]]) -> str:
    """Recipients as people type them: `Name <address>, address`."""
    out = []
    for person in people:
        name = "".join(c for c in person.get("name", "") if c not in '<>",;:()@[]\\').strip()
        out.append(f"{name} <{person['address']}>" if name else person["address"])
    return ", ".join(out)
