"""SPF, DKIM and DMARC records as texts: what they say, without asking the DNS anything.

RFC 7208 (SPF), RFC 6376 and 8301 (DKIM), RFC 7489 (DMARC). Nothing here raises: a record that breaks the rules says so.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

MECHANISMS = {"all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"}
ASKING = {"include", "a", "mx", "ptr", "exists"}  # RFC 7208 4.6.4: each of them, and redirect, is a look-up
MOST_TERMS = 200  # of one record; what is longer breaks other rules long before
_TERM = re.compile(r"([+?~-]?)([a-z0-9._-]+)(?:([:=])(.*)|(/.*))?", re.IGNORECASE | re.DOTALL)
_TAG_NAME = re.compile(r"[a-z][a-z0-9_]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    """One mechanism or modifier of an SPF record: `-all`, `include:example.org`, `redirect=example.org`."""

    text: str
    qualifier: str
    name: str
    value: str
    modifier: bool

    @property
    def target(self) -> str:
        """The domain that is asked; empty where it is made of macros (RFC 7208 7), which differ by mail."""
        return "" if "%" in self.value else self.value.partition("/")[0].lower().rstrip(".")


@dataclass(frozen=True, slots=True)
class Spf:
    """One SPF record. `wrong` are its terms that no receiver understands."""

    text: str
    terms: tuple[Term, ...]
    wrong: tuple[str, ...]

    @property
    def rest(self) -> str:
        """What becomes of mail from servers that are not named: `-`, `~`, `?` or `+`; empty where it is not said."""
        return next((term.qualifier or "+" for term in self.terms if term.name == "all" and not term.modifier), "")

    @property
    def redirect(self) -> str:
        return next((term.target for term in self.terms if term.modifier and term.name == "redirect"), "")


def spf_records(texts: Iterable[str]) -> list[str]:
    """Those TXT records that are SPF: `v=spf1`, then a space or nothing (RFC 7208 4.5)."""
    return [text for text in texts if re.match(r"v=spf1(?: |$)", text, re.IGNORECASE)]


def spf(text: str) -> Spf:
    terms: list[Term] = []
    wrong: list[str] = []
    for word in text.split()[1 : MOST_TERMS + 1]:
        found = _TERM.fullmatch(word)
        if not found:
            wrong.append(word)
            continue
        name, modifier, value = found[2].lower(), found[3] == "=", found[4] or found[5] or ""
        broken = (
            (modifier and bool(found[1]))
            or (not modifier and name not in MECHANISMS)
            or (name in {"include", "exists", "ip4", "ip6"} and not modifier and not value)
            or (name == "all" and not modifier and bool(value))
        )
        if broken:
            wrong.append(word)
        else:
            terms.append(Term(word, found[1], name, value, modifier))
    return Spf(text, tuple(terms), tuple(wrong))


def spf_with(records: Sequence[str], include: str) -> str:
    """One record in the place of these, with `include` in it: what they held stays, in its order, `all` at the end;
    where they differ in that, the mild “~all”."""
    words: dict[str, str] = {}
    for record in records:
        for word in record.split()[1 : MOST_TERMS + 1]:
            words.setdefault(word.lower(), word)
    ends = [word for key, word in words.items() if re.fullmatch(r"[+?~-]?all", key) or key.startswith("redirect=")]
    for word in ends:
        del words[word.lower()]
    if include:
        words.setdefault(f"include:{include}".lower(), f"include:{include}")
    kept = words.values()
    return " ".join(["v=spf1", *kept, ends[0] if len(ends) == 1 else "~all"])


def tags(text: str) -> dict[str, str]:
    """`name=value; …` as DKIM and DMARC write it; names lower-cased, the first of a name counts."""
    found: dict[str, str] = {}
    for part in text.split(";")[:MOST_TERMS]:
        name, equals, value = part.partition("=")
        name = name.strip()
        if equals and _TAG_NAME.fullmatch(name):
            found.setdefault(name.lower(), value.strip())
    return found


@dataclass(frozen=True, slots=True)
class Dmarc:
    """One DMARC record: `policy` is none, quarantine or reject; empty where it is none of them."""

    text: str
    policy: str
    below: str  # for domains below this one
    strict_dkim: bool
    strict_spf: bool
    reports: bool


def dmarc_records(texts: Iterable[str]) -> list[str]:
    """Those TXT records that are DMARC: `v=DMARC1` comes first, in capitals (RFC 7489 6.3)."""
    return [text for text in texts if re.match(r"v\s*=\s*DMARC1\s*(?:;|$)", text)]


def dmarc(text: str) -> Dmarc:
    given = tags(text)
    policy = given.get("p", "").lower()
    below = given.get("sp", "").lower()
    policy = policy if policy in POLICIES else ""
    return Dmarc(
        text,
        policy,
        below if below in POLICIES else policy,
        given.get("adkim", "r").lower() == "s",
        given.get("aspf", "r").lower() == "s",
        "rua" in given,
    )


POLICIES = ("none", "quarantine", "reject")


@dataclass(frozen=True, slots=True)
class Key:
    """One DKIM key record. `bits` is the length of an RSA key, 0 for other kinds; `problem` is a code, empty if well:
    revoked, unreadable or weak (below 1024 bits, which RFC 8301 forbids to accept)."""

    kind: str
    bits: int
    testing: bool
    problem: str


def dkim(text: str) -> Key | None:
    """The key in a TXT record; None when it is something else."""
    given = tags(text)
    if "p" not in given or given.get("v", "DKIM1") != "DKIM1":
        return None
    kind = given.get("k", "rsa").lower()
    testing = "y" in [flag.strip().lower() for flag in given.get("t", "").split(":")]
    body = re.sub(r"\s", "", given["p"])
    if not body:
        return Key(kind, 0, testing, "revoked")
    try:
        raw = base64.b64decode(body, validate=True)
        if kind != "rsa":
            return Key(kind, 0, testing, "" if kind == "ed25519" and len(raw) == 32 else "unreadable")
        loaded = load_der_public_key(raw)
    except (binascii.Error, ValueError, TypeError, UnsupportedAlgorithm):
        return Key(kind, 0, testing, "unreadable")
    if not isinstance(loaded, rsa.RSAPublicKey):
        return Key(kind, 0, testing, "unreadable")
    return Key(kind, loaded.key_size, testing, "weak" if loaded.key_size < 1024 else "")


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed a mail, as its DKIM-Signature says: the domain and the selector of the key."""

    domain: str
    selector: str


MOST_SIGNATURES = 5  # of one mail
LONGEST_SIGNATURE = 8192  # bytes of one that are looked at: an RSA key of 16384 bits signs in less
_SIGNATURE = re.compile(rb"^dkim-signature[ \t]*:((?:[^\n]|\n[ \t])*)", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?", re.IGNORECASE)


def is_name(text: str) -> bool:
    """Whether this can stand in a DNS name as a selector or a domain (ASCII, RFC 1035)."""
    return bool(_NAME.fullmatch(text)) and ".." not in text and all(len(part) <= 63 for part in text.split("."))


def signatures(header: bytes) -> list[Signature]:
    """The signatures in the header of a mail, from the top, at most MOST_SIGNATURES; those without usable names are
    left out."""
    found = []
    for match in itertools.islice(_SIGNATURE.finditer(header), MOST_SIGNATURES):
        given = tags(match[1][:LONGEST_SIGNATURE].decode("ascii", "replace"))
        domain, selector = (re.sub(r"\s", "", given.get(name, "")).lower() for name in ("d", "s"))
        if is_name(domain) and is_name(selector):
            found.append(Signature(domain, selector))
    return found
