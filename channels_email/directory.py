"""Which addresses are taken in, and by which channel."""

from __future__ import annotations

import threading
import time

from channels_email.wire import ascii_domain
from inbox.models import Channel

ADDRESSES_FOR = 5.0  # seconds an address list is believed


class Directory:
    """Which channel takes mail for an address: exact, then without +tag, then by catch-all of its domain."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._exact: dict[str, int] = {}
        self._domains: dict[str, int] = {}

    def find(self, address: str) -> int | None:
        """The channel's id. Raises the database's errors when the list cannot be read."""
        with self._lock:
            channel = self._lookup(address) if time.monotonic() - self._read_at < ADDRESSES_FOR else None
            if channel is None:
                self._read()
                channel = self._lookup(address)
            return channel

    def _lookup(self, address: str) -> int | None:
        local, _, domain = normal(address).rpartition("@")
        plain = local.partition("+")[0]
        for candidate in (f"{local}@{domain}", f"{plain}@{domain}"):
            if candidate in self._exact:
                return self._exact[candidate]
        return self._domains.get(domain)

    def _read(self) -> None:
        self._exact, self._domains = {}, {}
        rows = Channel.objects.filter(kind="email").order_by("pk").values_list("pk", "addresses", "settings")
        for pk, addresses, options in rows:
            for address in {normal(one) for one in [*addresses, str(options.get("address", ""))] if one}:
                self._exact.setdefault(address, pk)
                if options.get("catch_all"):
                    self._domains.setdefault(address.rpartition("@")[2], pk)
        self._read_at = time.monotonic()


def normal(address: str) -> str:
    """An address as it is compared: case folded, quotes of the local part gone, domain in ASCII."""
    local, _, domain = address.strip().rpartition("@")
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = local[1:-1]
    return f"{local.casefold()}@{ascii_domain(domain).lower()}"
