"""How much a stranger may do, in one web process: so much at once, so much a second."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from ipaddress import IPv6Network, ip_address
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from django.conf import settings

NEWCOMERS, NEWCOMERS_PER_SECOND = (
    60.0,
    1.0,
)  # sessions that begin from one address; offices and mobile networks share one
GRACE = 5.0  # seconds that what is said again may come later than told
MOST_ADDRESSES = 5000  # that are remembered, for a minute or so, and written nowhere
SAYS, SAYS_PER_SECOND = 10.0, 1.0  # messages of a visitor at once, and in the long run, in however many tabs
FRAMES, FRAMES_PER_SECOND = 60.0, 10.0  # of anything; of what costs queries half as many
# Frames of all from one address who have not written yet: a thousand people of an office, whose pages come together.
CROWD, CROWD_PER_SECOND = 4000.0, 200.0
PATIENCE = 30.0  # seconds that a greeting may have to wait in such a crowd
# Reports of journeys and invitations from one address, each a row or less: enough for an office, and all that a script
# leaves that makes up visits without end.
REPORTS, REPORTS_PER_SECOND = 2000.0, 500 / 3600
REPORTS_KEPT = 4 * 3600.0  # seconds, by when they are whole again
MOST_SESSIONS = 20_000  # visitors whose allowances are remembered
FORGOTTEN_AFTER = 120.0  # seconds; by then they are whole again
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Allowance:
    """So much at once, so much a second."""

    __slots__ = ("at", "left")

    def __init__(self, burst: float) -> None:
        self.left, self.at = burst, time.monotonic()

    def spend(self, burst: float, per_second: float) -> float:
        """0 where it may be, else the seconds to wait."""
        now = time.monotonic()
        self.left = min(burst, self.left + (now - self.at) * per_second)
        self.at = now
        if self.left < 1:
            return (1 - self.left) / per_second
        self.left -= 1
        return 0.0

    def reserve(self, burst: float, per_second: float, most: float) -> float:
        """As `spend`, and what is not there yet is lent: seconds to wait for it, behind all who were lent before. More
        than `most` is not lent.
        """
        now = time.monotonic()
        self.left = min(burst, self.left + (now - self.at) * per_second)
        self.at = now
        wait = max(0.0, (1 - self.left) / per_second)
        if wait <= most:
            self.left -= 1
        return wait


class Purse:
    """What one visitor may do, in however many tabs and however often they connect."""

    __slots__ = ("__weakref__", "frames", "says")

    def __init__(self) -> None:
        self.frames, self.says = Allowance(FRAMES), Allowance(SAYS)


class Kept(Generic[K, V]):
    """A few thousand of something, each forgotten when it was not asked for during some time."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self.rows: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def get(self, key: K, make: Callable[[], V]) -> V:
        now = time.monotonic()
        known = self.rows.pop(key, None)
        while self.rows:
            oldest, (at, _value) = next(iter(self.rows.items()))
            if len(self.rows) < self.most and at > now - self.seconds:
                break
            del self.rows[oldest]
        value = make() if known is None else known[1]
        self.rows[key] = (now, value)
        return value


_shared: WeakValueDictionary[int, Purse] = WeakValueDictionary()  # as long as somebody is connected, and …
_purses: Kept[int, Purse] = Kept(MOST_SESSIONS, FORGOTTEN_AFTER)  # … for a while after that
_crowds: Kept[str, Allowance] = Kept(MOST_ADDRESSES, FORGOTTEN_AFTER)
_reports: Kept[str, Allowance] = Kept(MOST_ADDRESSES, REPORTS_KEPT)


def purse_of(visitor: int, mine: Purse) -> Purse:
    """What this visitor may do; who is new goes on with `mine`, what their page was given when it connected. Asked
    again at the end of a connection, so that it is there for the next one.
    """
    found = _shared.setdefault(visitor, mine)
    _purses.get(visitor, lambda: found)
    return found


def crowd_of(address: str) -> Allowance:
    """What those may do together who come from this address and have not written yet."""
    return _crowds.get(address, lambda: Allowance(CROWD))


class Crowd(Exception):
    """More people begin to chat from one address than one would think; `wait` seconds until the next may."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"for {wait:.1f} s")
        self.wait = wait


_addresses: dict[str, Allowance] = {}


def admit(address: str) -> None:
    """Somebody begins a session from this address. Raises Crowd."""
    known = _addresses.get(address)
    if known is None:
        if len(_addresses) >= MOST_ADDRESSES:
            _addresses.clear()
        known = _addresses[address] = Allowance(NEWCOMERS)
    if wait := known.spend(NEWCOMERS, NEWCOMERS_PER_SECOND):
        raise Crowd(wait)


def may_report(address: str) -> bool:
    """Whether one more report of a journey or an invitation from this address is believed; it is counted."""
    known = _reports.get(address, lambda: Allowance(REPORTS))
    return known.spend(REPORTS, REPORTS_PER_SECOND) == 0


def address_of(scope: Mapping[str, Any]) -> str:
    """Where a socket comes from: as our own proxies tell it (TRUST_PROXY of them), else who is connected; of IPv6 the
    /64 that every subscriber is given.
    """
    told = dict(scope.get("headers") or ()).get(b"x-forwarded-for", b"").decode("latin-1").split(",")
    hops = [one.strip() for one in told if one.strip()]
    if settings.TRUST_PROXY and hops:
        address: str = hops[-min(settings.TRUST_PROXY, len(hops))]
    else:
        address = str((scope.get("client") or [""])[0])
    try:
        found = ip_address(address)
    except ValueError:
        return address[:60]
    return str(found) if found.version == 4 else str(IPv6Network((int(found) >> 64 << 64, 64)))


class Turns:
    """In which order a page's words are taken: what was put off comes before what was said after it, unless its page
    does not say it again.
    """

    MOST = 100

    def __init__(self) -> None:
        self.owed: dict[str, tuple[str, float]] = {}  # client ids as they were said: why not taken, and until when owed

    def waits(self, cid: str) -> str:
        """Why this one has to wait for another; empty if it is next."""
        now = time.monotonic()
        while self.owed:
            first, (why, until) = next(iter(self.owed.items()))
            if first == cid or until > now:
                return "" if first == cid else why
            del self.owed[first]
        return ""

    def put_off(self, cid: str, why: str, after: float) -> None:
        """It was not taken yet, and is said again in so many seconds."""
        if cid in self.owed or len(self.owed) < self.MOST:
            self.owed[cid] = (why, time.monotonic() + after + GRACE)

    def over(self, cid: str) -> None:
        """It was taken, or never will be."""
        self.owed.pop(cid, None)
