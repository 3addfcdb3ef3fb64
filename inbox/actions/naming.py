"""How what belongs to others names a person: by e-mail address or phone number, whole, not as part of a longer one.

Ids of platforms are not searched for: "7" is in every mail.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from functools import cached_property
from typing import Any

from inbox.actions.work import is_ours
from inbox.adapters import Inbound, adapter_for
from inbox.models import Receipt

LEAST_DIGITS = 7  # of a phone number that is searched for
ERASED = "[erased]"  # stands where somebody was named
SEPARATORS = r"[ ().-]{0,2}"


class Naming:
    """Finds a person's e-mail addresses and phone numbers in what others wrote."""

    def __init__(self, emails: Iterable[str], phones: Iterable[str]) -> None:
        spelled = {email for email in emails if "@" in email}
        self.emails = frozenset(email.lower() for email in spelled)
        self.phones = frozenset(digits for phone in phones if len(digits := re.sub(r"\D", "", phone)) >= LEAST_DIGITS)
        self.needles = sorted(spelled | self.emails | self.phones)  # one of them is in whatever is found
        self.pattern = "|".join(  # of a regular expression, for text and bytes alike
            [rf"(?<![A-Za-z0-9._%+-]){re.escape(one)}(?![A-Za-z0-9_%+-]|\.[A-Za-z0-9])" for one in sorted(self.emails)]
            + [rf"(?<![0-9])\+?{SEPARATORS.join(one)}(?![0-9])" for one in sorted(self.phones)]
        )
        self._words = re.compile(self.pattern, re.IGNORECASE) if self.pattern else None
        self._bytes = re.compile(self.pattern.encode(), re.IGNORECASE) if self.pattern else None

    def is_in(self, content: bytes | Any) -> bool:
        """Whether bytes, or a string anywhere in a JSON value, name the person."""
        if isinstance(content, bytes):
            return self._bytes is not None and self._bytes.search(content) is not None
        if isinstance(content, str):
            return self._words is not None and self._words.search(content) is not None
        if isinstance(content, dict):
            return any(self.is_in(inner) for inner in content.values())
        return isinstance(content, list) and any(self.is_in(inner) for inner in content)

    def wrote(self, receipt: Receipt, raw: bytes, own: Collection[str]) -> bool:
        """Whether what arrived is from the person and nobody else. `own` are our addresses, which write for others."""
        writers = _writers(receipt, raw, own)
        return bool(writers) and all(
            one.lower() in self.emails or re.sub(r"\D", "", one) in self.phones for one in writers
        )


def _writers(receipt: Receipt, raw: bytes, own: Collection[str]) -> list[str]:
    """Who wrote it: From, for our own forms Reply-To, else the envelope; of what is no mail its sender."""
    head = BytesHeaderParser().parsebytes(raw)
    for name in ("From", "Reply-To"):
        addresses = getaddresses([str(value) for value in head.get_all(name, [])])
        if found := [address for _name, address in addresses if address and not is_ours(address.lower(), own)]:
            return found
    if sender := str(receipt.meta.get("mail_from") or ""):
        return [sender]
    try:
        parsed = adapter_for(receipt.channel.kind).parse(receipt, raw)
    except Exception:  # noqa: BLE001 (what cannot be parsed is not known to be theirs, and stays)
        return []
    return [value.sender.value for value in parsed if isinstance(value, Inbound) and value.sender is not None]


def without(value: Any, words: re.Pattern[str]) -> Any:
    """A JSON value with these words taken out of its texts."""
    if isinstance(value, str):
        return words.sub(ERASED, value)
    if isinstance(value, dict):
        return {key: without(inner, words) for key, inner in value.items()}
    return [without(inner, words) for inner in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Person:
    """Whom to forget: their rows, and the words by which others' rows name them."""

    customers: frozenset[int]  # they themselves, and everybody who was merged into them
    tickets: frozenset[int]
    messages: frozenset[int]  # in their tickets, and what they wrote elsewhere
    addresses: frozenset[str]
    names: frozenset[str]
    naming: Naming  # of the addresses those that are looked for in what others wrote
    elsewhere: frozenset[int] = frozenset()  # others' tickets that they took part in, or that name them

    @cached_property
    def message_names(self) -> frozenset[str]:
        """The ids of the messages as receipts hold them."""
        return frozenset(map(str, self.messages))

    @property
    def words(self) -> re.Pattern[str] | None:
        """What is taken out of others' text; None where there is nothing."""
        names = [re.escape(name) for name in sorted(self.names, key=len, reverse=True)]
        parts = [part for part in (self.naming.pattern, *names) if part]
        return re.compile("|".join(parts), re.IGNORECASE) if parts else None
