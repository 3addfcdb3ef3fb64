"""Files of revenue as people have them: what is in which column, how dates and amounts are written.

Nothing here asks the database. A line becomes a `Given`, or raises `Wrong` with a code of `ERRORS`.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy

from inbox import addresses
from lib import money

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_COLUMNS = 100
CELL = 400  # characters of a cell that are read
DELIMITERS = ",;\t|"
# What columns can say, and how they are called where it is easy to guess.
ROLES: dict[str, tuple[StrOrPromise, str]] = {
    "email": (gettext_lazy("Customer’s e-mail"), r"e-?mail|ای ?میل"),
    "phone": (gettext_lazy("Customer’s telephone"), r"phone|mobile|telefon|handy|whatsapp|فون|موبائل"),
    "external_id": (
        gettext_lazy("Customer’s number in your system"),
        r"customer.?(id|no|number)|client.?(id|no)|external.?id|account|kunden.?(nr|nummer|id)|گاہک نمبر",
    ),
    "at": (gettext_lazy("Date"), r"date|\bat\b|\bday\b|time|datum|created|paid.?at|تاریخ"),
    "amount": (gettext_lazy("Amount"), r"amount|total|revenue|value|price|sum|betrag|umsatz|summe|رقم|قیمت"),
    "currency": (gettext_lazy("Currency"), r"currency|währung|waehrung|کرنسی"),
    "reference": (
        gettext_lazy("Order or invoice number"),
        r"order|invoice|reference|transaction|bestell|rechnung|beleg|^id$|آرڈر|انوائس",
    ),
}
CUSTOMER = ("external_id", "email", "phone")  # in this order they say who it was
NEEDED = ("at", "amount")
ERRORS: dict[str, StrOrPromise] = {
    "nobody": gettext_lazy("no customer is known by this"),
    "no_customer": gettext_lazy("it does not say whose it is"),
    "date": gettext_lazy("the date cannot be read"),
    "future": gettext_lazy("the date lies in the future"),
    "amount": gettext_lazy("the amount cannot be read"),
    "currency": gettext_lazy("the currency is another one than the organisation’s"),
    "long": gettext_lazy("the number of the order is longer than 200 characters"),
    "columns": gettext_lazy("the line has fewer columns than its heading"),
}
ORDERS = ("dmy", "mdy")
DATE = re.compile(r"(\d{1,4})[./-](\d{1,2})[./-](\d{1,4})(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")


class Wrong(ValueError):
    """A line that cannot be taken; its text is a code of `ERRORS`."""


class Unreadable(ValueError):
    """A file that is no table."""


@dataclass(frozen=True, slots=True)
class Given:
    """A line that can be read; `keys` are what says whose it is, as kind and value."""

    keys: tuple[tuple[str, str], ...]
    at: datetime
    amount: int
    reference: str


def text_of(content: bytes) -> str:
    """The text of a file, in whatever way its program wrote it."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Lines that say something, each with its number in the file. Raises Unreadable."""
    head = text[:20_000].partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [cell.replace("\0", "").strip()[:CELL] for cell in cells[:MOST_COLUMNS]]
    except csv.Error as error:
        raise Unreadable(str(error)) from error


def guess(headings: Sequence[str], sample: Sequence[Sequence[str]]) -> dict[str, int]:
    """What is probably in which column: by its heading, else by what stands in it."""
    found: dict[str, int] = {}
    for role, (_label, called) in ROLES.items():
        for place, heading in enumerate(headings):
            if place not in found.values() and re.search(called, heading, re.IGNORECASE):
                found[role] = place
                break
    for place in range(len(headings)):
        if place in found.values():
            continue
        cells = [row[place] for row in sample if place < len(row) and row[place]]
        for role, fits in (("email", _is_email), ("at", _is_date), ("amount", _is_amount)):
            if role not in found and cells and all(map(fits, cells)):
                found[role] = place
                break
    return found


def _is_email(cell: str) -> bool:
    return re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", cell) is not None


def _is_date(cell: str) -> bool:
    return DATE.match(cell) is not None


def _is_amount(cell: str) -> bool:
    try:
        money.minor(cell, "EUR")
    except ValueError:
        return False
    return re.search(r"[.,]\d{2}\b", cell) is not None


def order_of(cells: Iterable[str]) -> str:
    """Whether days stand before months or behind, in dates that could be read either way: `dmy` where none tells."""
    votes = Counter[str]()
    for cell in cells:
        found = DATE.match(cell)
        if found and len(found[1]) < 3:
            votes["dmy"] += int(found[1]) > 12
            votes["mdy"] += int(found[2]) > 12
    return "mdy" if votes["mdy"] > votes["dmy"] else "dmy"


def moment(text: str, order: str, zone: tzinfo) -> datetime:
    """A date, or a date with a time, in `zone` where it names none. Raises ValueError."""
    bare = text.strip()
    try:
        whole = parse_datetime(bare)
    except ValueError:
        whole = None
    if whole is None:
        found = DATE.fullmatch(bare)
        if found is None:
            raise ValueError(text)
        first, second, third = int(found[1]), int(found[2]), int(found[3])
        if len(found[1]) == 4:
            day = date(first, second, third)
        else:
            year = third + 2000 if third < 100 else third
            day = date(year, second, first) if order == "dmy" else date(year, first, second)
        clock = time(int(found[4] or 0), int(found[5] or 0), int(found[6] or 0))
        whole = datetime.combine(day, clock)
    whole = whole if whole.tzinfo is not None else whole.replace(tzinfo=zone)
    if not 1970 <= whole.year < 9999:
        raise ValueError(text)
    return whole.astimezone(UTC)


@dataclass(frozen=True)
class Reading:
    """How a file is read: columns by what they say, the order of dates, the currency of amounts, the zone of times."""

    columns: Mapping[str, int]
    order: str
    currency: str
    zone: tzinfo
    now: datetime

    @property
    def lacking(self) -> list[str]:
        """The roles without which nothing can be read."""
        lacks = [role for role in NEEDED if role not in self.columns]
        return lacks + ([] if any(role in self.columns for role in CUSTOMER) else ["email"])

    def line(self, cells: Sequence[str]) -> Given:
        """Raises Wrong."""

        def cell(role: str) -> str:
            place = self.columns.get(role)
            if place is None:
                return ""
            if place >= len(cells):
                raise Wrong("columns")
            return cells[place]

        keys = tuple(self._keys(cell))
        if not keys:
            raise Wrong("no_customer")
        try:
            at = moment(cell("at"), self.order, self.zone)
        except (ValueError, OverflowError) as error:
            raise Wrong("date") from error
        if at > self.now:
            raise Wrong("future")
        currency = cell("currency").upper()
        if currency and currency != self.currency:
            raise Wrong("currency")
        try:
            amount = money.minor(cell("amount"), self.currency)
        except ValueError as error:
            raise Wrong("amount") from error
        reference = cell("reference")
        if len(reference) > 200:
            raise Wrong("long")
        return Given(keys, at, amount, reference)

    def _keys(self, cell: Callable[[str], str]) -> Iterator[tuple[str, str]]:
        for role in CUSTOMER:
            said = cell(role)
            if not said:
                continue
            if role == "external_id":
                yield role, said
                continue
            try:
                yield role, addresses.usable(role, said)
            except ValidationError:
                continue  # another column may say whose it is


def named(given: Given, times: int) -> str:
    """A reference of a line that has none: the same for the same line, `times` lines of the same words before it."""
    said = f"{given.keys[0]} {given.at.isoformat()} {given.amount} {times}"
    return "line-" + hashlib.sha256(said.encode()).hexdigest()[:32]
