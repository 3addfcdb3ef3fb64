"""The list of customers: filters and order in the address, pages by key, counts that stop.

The default order is an index, read from the last row of the page before; what a filter leaves of it may cost more, and
is given up after `finding.PATIENCE`. The grammar is that of the ticket list: `f_` before a filter, `q`, `before`.

An app that knows more of customers offers to narrow and order by it: `offer_filter`, `offer_sort`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Upper
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import access, default_views
from inbox.bundle import there_is
from inbox.models import Agent, Customer, Identity, Message, Organisation, SearchPerson, Status, Ticket
from inbox.models.base import Stage
from inbox.models.tickets import CURRENT
from inbox.search.finding import TooSlow, bounded
from inbox.search.query import MOST_TYPED, parse
from inbox.sorting import EPOCH
from lib import folding
from lib.language import language_name

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAGE = 40
MOST_FOUND = 1_000  # people of a search that are put in order
LENGTH = 200  # of a filter's value
SORTS: dict[str, StrOrPromise] = {
    "seen": gettext_lazy("Last wrote"),
    "new": gettext_lazy("Newest"),
    "name": gettext_lazy("Name"),
}
SEEN: dict[str, StrOrPromise] = {
    "7": gettext_lazy("within 7 days"),
    "30": gettext_lazy("within 30 days"),
    "90": gettext_lazy("within 90 days"),
    "older": gettext_lazy("longer ago"),
    "never": gettext_lazy("never"),
}
LABELS: dict[str, StrOrPromise] = {
    "stage": gettext_lazy("Stage"),
    "tag": gettext_lazy("Tag"),
    "organisation": gettext_lazy("Organisation"),
    "language": gettext_lazy("Language"),
    "seen": gettext_lazy("Last wrote"),
    "open": gettext_lazy("Open tickets"),
    "attribute": gettext_lazy("Attribute"),
}
Found = QuerySet[Customer]


@dataclass(frozen=True, slots=True)
class Filter:
    """A number by which another app narrows the list. `apply` leaves of the found whom a value means, `say` tells the
    value in words, `hint` stands in the empty field; only where `there` is something to narrow by is it offered.
    """

    label: StrOrPromise
    apply: Callable[[Found, str], Found]
    say: Callable[[str], str]
    hint: Callable[[], StrOrPromise]
    there: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Sort:
    """An order by a whole number of another app, the largest first, of those who have one. `by` is its path."""

    label: StrOrPromise
    by: str
    there: Callable[[], bool]


_filters: dict[str, Filter] = {}
_sorts: dict[str, Sort] = {}


def offer_filter(name: str, one: Filter) -> None:
    _filters[name] = one
    LABELS[name] = one.label


def offer_sort(name: str, one: Sort) -> None:
    _sorts[name] = one
    SORTS[name] = one.label


def offered(listing: CustomerListing) -> dict[str, Any]:
    """What the page offers of other apps: fields of the filter, and all orders there are."""
    asked = {one.there for one in _filters.values()} | {one.there for one in _sorts.values()}
    there = {one: one() for one in asked}
    return {
        "more_filters": [
            {"name": name, "label": one.label, "value": listing.filters.get(name, ""), "hint": one.hint()}
            for name, one in _filters.items()
            if name in listing.filters or there[one.there]
        ],
        "sorts": [
            (name, label)
            for name, label in SORTS.items()
            if name not in _sorts or name == listing.sort or there[_sorts[name].there]
        ],
    }


@dataclass(frozen=True)
class Page:
    customers: list[Customer]
    more: str  # address of the next page, empty at the end


def _stage(found: Found, value: str) -> Found:
    return found.filter(stage=value) if value in Stage.values else found.none()


def _tag(found: Found, value: str) -> Found:
    return found.exclude(tags=[]).filter(tags__contains=[value])


def _language(found: Found, value: str) -> Found:
    return found.exclude(language="").filter(language=value)


def _seen(found: Found, value: str) -> Found:
    if value == "never":
        return found.filter(last_seen_at__isnull=True)
    days = int(value) if value in {"7", "30", "90"} else 90
    edge = timezone.now() - timedelta(days=days)
    return found.filter(last_seen_at__lt=edge) if value == "older" else found.filter(last_seen_at__gte=edge)


def _attribute(found: Found, value: str) -> Found:
    """`key:value`, whatever type the value has; a key alone finds whoever has one."""
    key, colon, wanted = value.partition(":")
    found = found.exclude(attributes={})
    if not colon:
        return found.filter(attributes__has_key=key)
    meant: list[Any] = [wanted]
    if wanted.lstrip("-").isdecimal() and len(wanted) < 16:
        meant.append(int(wanted))
    if wanted in {"yes", "no", "true", "false"}:
        meant.append(wanted in {"yes", "true"})
    same = Q(pk__in=[])
    for one in [*meant, [wanted]]:
        same |= Q(attributes__contains={key: one})
    return found.filter(same)


def has_a_matter() -> Q:
    """All but those who have no ticket and wrote in side conversations: found by search, but no customer in a list."""
    said = Message.objects.filter(customer=OuterRef("pk"), side__isnull=False)
    return Q(there_is(Ticket.objects.filter(customer=OuterRef("pk")))) | Q(there_is(said, no=True))


class CustomerListing:
    """The customers that an address asks for, as far as this agent sees them."""

    def __init__(self, agent: Agent, params: Mapping[str, str]) -> None:
        self.agent = agent
        self.typed = " ".join(_clean(params.get("q", ""))[:MOST_TYPED].split())
        self.sort = params.get("sort", "") if params.get("sort") in SORTS else "seen"
        given = {name: _clean(params.get(f"f_{name}", "")).strip()[:LENGTH] for name in LABELS}
        self.filters = {name: value for name, value in given.items() if value}
        self.slow = False
        self.count = ""  # how many there are, up to 999 and then "999+"; empty where it would take too long

    @cached_property
    def organisation(self) -> Organisation | None:
        """That of the filter, by its id or its name."""
        value = self.filters.get("organisation", "")
        seen = access.organisations(self.agent)
        if value.isascii() and value.isdigit() and len(value) < 19:
            return seen.filter(pk=int(value)).first()
        return seen.filter(name__iexact=value).order_by("pk").first() if value else None

    @property
    def customers(self) -> Found:
        found = access.customers(self.agent)
        ways: dict[str, Callable[[Found, str], Found]] = {
            "stage": _stage, "tag": _tag, "language": _language, "seen": _seen, "attribute": _attribute,
        }  # fmt: skip
        for name, value in self.filters.items():
            if name in ways:
                found = ways[name](found, value)
            elif name in _filters:
                found = _filters[name].apply(found, value)
        if "organisation" in self.filters:
            found = found.filter(organisation=self.organisation) if self.organisation else found.none()
        if not self.typed:
            found = found.filter(has_a_matter())
        if self.filters.get("open"):
            found = found.filter(there_is(self._open()))
        return self._named(found) if self.typed else found

    def _open(self) -> QuerySet[Any]:
        theirs = access.tickets(self.agent).filter(CURRENT, customer=OuterRef("pk"), status=Status.OPEN)
        return theirs.values("pk")

    def _named(self, found: Found) -> Found:
        """Of whom search finds, so many that putting them in order is quick."""
        query = parse(self.typed)
        people = SearchPerson.objects.all()
        if query.phones:
            like = Q(pk__in=[])
            for digits in query.phones:
                like |= Q(short__contains=digits)
            people = people.filter(like)
        elif query.words and min(map(len, query.words)) >= folding.SHORTEST:
            for word in query.words:
                people = people.filter(short__contains=word)
        else:
            return found.filter(name__istartswith=self.typed)
        return found.filter(pk__in=people.values("customer")[:MOST_FOUND])

    def page(self, before: str = "") -> Page:
        """One page, the first with `count`; a broken cursor is the first. When it takes too long, `slow` says so and
        nothing is there.
        """
        rows: list[Customer] = []
        try:
            with bounded():
                rows = list(self._ordered(before)[: PAGE + 1])
                if not before:
                    self.count = default_views.counts({"customers": self.customers})["customers"] or "0"
        except TooSlow:
            self.slow = not rows
        more = f"{self.url}{'&' if self.query else ''}before={self._cursor(rows[PAGE - 1])}" if len(rows) > PAGE else ""
        return Page(rows[:PAGE], more)

    def _ordered(self, before: str) -> Found:
        address = Identity.objects.active().filter(customer=OuterRef("pk")).order_by("pk").values("value")[:1]
        found = self.customers.select_related("organisation").annotate(
            address=Subquery(address), has_open=there_is(self._open())
        )
        at, _dash, last = before.partition("-")
        pk = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else None
        if self.sort == "new":
            found = found.order_by("-pk")
            return found.filter(pk__lt=pk) if pk is not None else found
        if self.sort in _sorts:
            return self._by_number(found, _sorts[self.sort].by, at, pk)
        if self.sort == "name":
            found = found.order_by(Upper("name"), "pk")
            edge = Customer.objects.filter(pk=pk).values_list(Upper("name"), flat=True).first() if pk else None
            if edge is None:
                return found
            found = found.alias(upper=Upper("name"))
            return found.filter(upper__gte=edge).exclude(upper=edge, pk__lte=pk)
        found = found.order_by(F("last_seen_at").desc(nulls_last=True), "-pk")
        if pk is None:
            return found
        if at == "never":
            return found.filter(last_seen_at__isnull=True, pk__lt=pk)
        if not (at.isascii() and at.isdigit() and len(at) < 18):
            return found
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(at))
        # As `lists.page`: a range of the index, and of its first instant what has been shown already.
        following = Q(last_seen_at__lte=moment) | Q(last_seen_at__isnull=True)
        return found.filter(following).exclude(last_seen_at=moment, pk__gte=pk)

    @staticmethod
    def _by_number(found: Found, path: str, at: str, pk: int | None) -> Found:
        # Of those who have the number alone: in this order an index is read, where one with all others last is a sort.
        found = found.filter(**{f"{path}__isnull": False}).annotate(sorted_by=F(path)).order_by(F(path).desc(), "-pk")
        digits = at.removeprefix("m")
        if pk is None or not (digits.isascii() and digits.isdigit() and len(digits) < 19):
            return found
        edge = -int(digits) if at.startswith("m") else int(digits)
        return found.filter(sorted_by__lte=edge).exclude(sorted_by=edge, pk__gte=pk)

    def _cursor(self, last: Customer) -> str:
        if self.sort in _sorts:
            number: int = last.sorted_by  # type: ignore[attr-defined]
            return f"{f'm{-number}' if number < 0 else number}-{last.pk}"
        if self.sort != "seen":
            return f"x-{last.pk}"
        if last.last_seen_at is None:
            return f"never-{last.pk}"
        return f"{(last.last_seen_at - EPOCH) // timedelta(microseconds=1)}-{last.pk}"

    @property
    def query(self) -> dict[str, str]:
        """What a saved view keeps."""
        kept = {f"f_{name}": value for name, value in self.filters.items()}
        return {**({"q": self.typed} if self.typed else {}), **kept, **self._sorted()}

    def _sorted(self) -> dict[str, str]:
        return {"sort": self.sort} if self.sort != "seen" else {}

    @property
    def url(self) -> str:
        return f"{reverse('customers')}?{urlencode(self.query)}"

    @property
    def chips(self) -> list[dict[str, str]]:
        """The filters in words, each with the address without it."""
        return [
            {"label": f"{LABELS[name]}: {self._said(name, value)}",
             "url": f"{reverse('customers')}?{urlencode({k: v for k, v in self.query.items() if k != f'f_{name}'})}"}
            for name, value in self.filters.items()
        ]  # fmt: skip

    def _said(self, name: str, value: str) -> str:
        if name in _filters:
            return _filters[name].say(value)
        match name:
            case "organisation":
                return str(self.organisation or value)
            case "stage" if value in Stage.values:
                return str(Stage(value).label)
            case "language":
                return language_name(value)
            case "seen":
                return str(SEEN.get(value, SEEN["90"]))
            case "open":
                return _("yes")
        return value


def _clean(text: str) -> str:
    return text.encode("utf-8", "ignore").decode().replace("\0", " ")
