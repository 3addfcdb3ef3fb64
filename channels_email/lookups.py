"""Asking the DNS: short, bounded, and never an exception. `DNS_SERVER` names another resolver than the system's."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol

import dns.exception
import dns.rdatatype
import dns.resolver
from django.conf import settings
from django.utils.translation import gettext as _

EACH = 3.0  # seconds for one question
ALL_TOGETHER = 12.0  # seconds for all the questions of one look-up
LONGEST = 16_384  # characters of a TXT record that are looked at


@dataclass(frozen=True, slots=True)
class Found:
    """What a name holds; empty when it holds nothing. `trouble` says why that is not known."""

    values: tuple[str, ...] = ()
    trouble: str = ""


class Lookups(Protocol):
    """Where answers come from: the DNS, or a test's own table."""

    def txt(self, name: str) -> Found: ...

    def mx(self, name: str) -> Found: ...


def resolver() -> dns.resolver.Resolver:
    """The system's resolver, or that of DNS_SERVER (`address` or `address:port`)."""
    given = settings.DNS_SERVER
    if not given:
        return dns.resolver.Resolver()
    made = dns.resolver.Resolver(configure=False)
    address, port = given, 53
    if given.startswith("["):
        address, _bracket, rest = given[1:].partition("]")
        port = int(rest.removeprefix(":") or 53)
    elif given.count(":") == 1:
        address, _colon, digits = given.partition(":")
        port = int(digits)
    made.nameservers, made.port = [address], port
    return made


@dataclass
class Dns:
    """Answers of the real DNS, each name asked once, all within `seconds`."""

    seconds: float = ALL_TOGETHER
    _kept: dict[tuple[str, str], Found] = field(default_factory=dict)
    _until: float = 0.0
    _resolver: dns.resolver.Resolver | None = None

    def txt(self, name: str) -> Found:
        return self._ask(name, "TXT")

    def mx(self, name: str) -> Found:
        return self._ask(name, "MX")

    def _ask(self, name: str, kind: str) -> Found:
        key = (name.lower(), kind)
        if key not in self._kept:
            self._kept[key] = self._answer(name, kind)
        return self._kept[key]

    def _answer(self, name: str, kind: str) -> Found:
        now = time.monotonic()
        self._until = self._until or now + self.seconds
        left = self._until - now
        if left <= 0:
            return Found(trouble=_("the DNS answers too slowly"))
        try:
            self._resolver = self._resolver or resolver()
            answer = self._resolver.resolve(name, kind, search=False, lifetime=min(EACH, left))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return Found()
        except dns.resolver.LifetimeTimeout:
            return Found(trouble=_("the DNS did not answer in time"))
        except dns.resolver.NoNameservers:
            return Found(trouble=_("the domain's DNS servers answer with an error"))
        except (dns.exception.DNSException, OSError, ValueError) as error:
            return Found(trouble=str(error)[:200] or type(error).__name__)
        if kind == "MX":
            ranked = sorted((one.preference, str(one.exchange)) for one in answer)
            return Found(tuple(exchange.rstrip(".").lower() for _preference, exchange in ranked))
        return Found(tuple(b"".join(one.strings).decode("utf-8", "replace")[:LONGEST] for one in answer))
