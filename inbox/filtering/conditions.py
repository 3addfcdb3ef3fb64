"""The kinds of condition. Each reads its text of the address, says it in words, and becomes a Q.

A list of customers, or of anything else, makes its own conditions of these kinds, as `inbox.filtering.tickets` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inbox.models import Agent

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_VALUES = 30
LONGEST = 200  # characters of one condition
AGE = re.compile(r"([1-9][0-9]{0,3})([hdw])", re.ASCII)
HOURS = {"h": 1, "d": 24, "w": 24 * 7}


class UnknownValue(Exception):
    """What stands in the address means nothing here; the message says so to whoever reads it."""


@dataclass(frozen=True)
class Option:
    """One of several values: as the address has it, in words, and as the database has it (None: nothing there)."""

    value: str
    label: str
    stored: Any = ""
    also: str = ""  # another way to write it
    icon: str = ""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """`path` is what it looks at. Conditions of one `group` are edited together. `row` names the attribute of a row in
    the page that decides it; without one only the database knows.
    """

    key: str
    label: StrOrPromise
    path: str = ""
    group: str = ""
    row: str = ""
    suggestions: str = ""  # the name of the address that finds values for what is typed
    editor: ClassVar[str] = "text"

    @property
    def together(self) -> str:
        return self.group or self.key

    def clean(self, agent: Agent, value: str) -> str:
        """The value as addresses have it. Raises UnknownValue."""
        return value

    def typed(self, agent: Agent, value: str) -> str:
        """A cleaned value as its editor shows it, which is understood again."""
        return value

    def q(self, agent: Agent, value: str) -> Q:
        """What a cleaned value asks of the database."""
        return Q(**{self.path: value})

    def words(self, agent: Agent, value: str) -> str:
        return value

    def options(self, agent: Agent) -> Sequence[Option]:
        return ()

    def in_row(self, agent: Agent, value: str) -> list[str]:
        """The values of `row` that a row may have to be in the list."""
        return value.split(",")

    def unknown(self, value: str) -> UnknownValue:
        said = _("“%(value)s” means nothing for the filter “%(filter)s”; it was left out.")
        return UnknownValue(said % {"value": value[:60], "filter": self.label})


@dataclass(frozen=True, kw_only=True)
class OneOf(Condition):
    """Any of several known values, parted by commas: `open,pending`."""

    known: Callable[[Agent], Sequence[Option]]
    editor: ClassVar[str] = "several"

    def options(self, agent: Agent) -> Sequence[Option]:
        return self.known(agent)

    def _chosen(self, agent: Agent, value: str) -> list[Option]:
        found = []
        known = self.options(agent)
        for word in dict.fromkeys(value.split(",")):
            one = next((one for one in known if word in (one.value, one.also) and word), None)
            if one is None:
                raise self.unknown(word)
            found.append(one)
        return found[:MOST_VALUES]

    def clean(self, agent: Agent, value: str) -> str:
        return ",".join(dict.fromkeys(one.value for one in self._chosen(agent, value)))

    def q(self, agent: Agent, value: str) -> Q:
        stored = [one.stored for one in self._chosen(agent, value)]
        flat = [each for one in stored for each in (one if isinstance(one, list) else [one])]
        found = Q(**{f"{self.path}__in": [one for one in flat if one is not None]})
        return found | Q(**{f"{self.path}__isnull": True}) if None in flat else found

    def words(self, agent: Agent, value: str) -> str:
        return _(", ").join(one.label for one in self._chosen(agent, value))

    def in_row(self, agent: Agent, value: str) -> list[str]:
        return ["none" if one.stored is None else str(one.stored) for one in self._chosen(agent, value)]


@dataclass(frozen=True, kw_only=True)
class YesNo(Condition):
    """`yes` or `no`; `build` makes what `yes` asks for."""

    build: Callable[[], Q]
    editor: ClassVar[str] = "yesno"

    def clean(self, agent: Agent, value: str) -> str:
        found = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}.get(value.lower())
        if found is None:
            raise self.unknown(value)
        return found

    def q(self, agent: Agent, value: str) -> Q:
        return self.build() if value == "yes" else ~self.build()

    def words(self, agent: Agent, value: str) -> str:
        return _("yes") if value == "yes" else _("no")


@dataclass(frozen=True, kw_only=True)
class Words(Condition):
    """Words of an array, parted by commas: any of them, all of them, or none."""

    mode: str = "any"
    suggest: Callable[[Agent], Sequence[Option]] | None = None
    editor: ClassVar[str] = "words"

    def clean(self, agent: Agent, value: str) -> str:
        found = [" ".join(word.split()).removeprefix("#") for word in value.replace("،", ",").split(",")]
        clean = list(dict.fromkeys(word for word in found if word))[:MOST_VALUES]
        if not clean:
            raise self.unknown(value)
        return ",".join(clean)

    def q(self, agent: Agent, value: str) -> Q:
        words = value.split(",")
        if self.mode == "none":
            return ~Q(**{f"{self.path}__overlap": words})
        some = ~Q(**{self.path: []})  # as the index says
        return some & Q(**{f"{self.path}__{'contains' if self.mode == 'all' else 'overlap'}": words})

    def words(self, agent: Agent, value: str) -> str:
        return _(", ").join(value.split(","))

    def options(self, agent: Agent) -> Sequence[Option]:
        return self.suggest(agent) if self.suggest is not None else ()


@dataclass(frozen=True, kw_only=True)
class Codes(Condition):
    """Any of several short codes that nobody lists, such as languages: `ur,en`."""

    pattern: str
    say: Callable[[str], str] = str
    help: StrOrPromise = ""

    def clean(self, agent: Agent, value: str) -> str:
        found = [word.strip() for word in value.split(",") if word.strip()]
        for word in found:
            if not re.fullmatch(self.pattern, word):
                raise self.unknown(word)
        if not found:
            raise self.unknown(value)
        return ",".join(dict.fromkeys(found[:MOST_VALUES]))

    def q(self, agent: Agent, value: str) -> Q:
        return Q(**{f"{self.path}__in": value.split(",")})

    def words(self, agent: Agent, value: str) -> str:
        return _(", ").join(self.say(word) for word in value.split(","))


def moment(agent: Agent, value: str) -> datetime | None:
    """A day, which begins in the agent's zone, or a moment. Pages run in that zone already."""
    try:
        day = parse_date(value)
        if day is not None and 1900 < day.year < 9000:
            return timezone.make_aware(datetime.combine(day, time.min))
        found = parse_datetime(value)
    except (ValueError, OverflowError):
        return None
    if found is None or not 1900 < found.year < 9000:
        return None
    # In UTC: PostgreSQL refuses offsets of zones that are further away than any there is.
    return found.astimezone(UTC) if timezone.is_aware(found) else timezone.make_aware(found)


@dataclass(frozen=True, kw_only=True)
class When(Condition):
    """Before or after a day: `2026-03-01`, or a moment in ISO 8601."""

    side: str  # after or before
    editor: ClassVar[str] = "day"

    def clean(self, agent: Agent, value: str) -> str:
        if moment(agent, value) is None:
            raise self.unknown(value)
        return value

    def q(self, agent: Agent, value: str) -> Q:
        return Q(**{f"{self.path}__{'gte' if self.side == 'after' else 'lt'}": moment(agent, value)})

    def words(self, agent: Agent, value: str) -> str:
        found = moment(agent, value)
        assert found is not None
        form = "DATE_FORMAT" if len(value) == 10 else "DATETIME_FORMAT"
        return date_format(timezone.localtime(found), form)


def age(value: str) -> timedelta | None:
    found = AGE.fullmatch(value)
    return timedelta(hours=int(found[1]) * HOURS[found[2]]) if found else None


def length(value: str) -> str:
    """An age in words: `36h` is 36 hours."""
    number = int(value[:-1])
    if value[-1] == "h":
        return ngettext("%(number)d hour", "%(number)d hours", number) % {"number": number}
    if value[-1] == "d":
        return ngettext("%(number)d day", "%(number)d days", number) % {"number": number}
    return ngettext("%(number)d week", "%(number)d weeks", number) % {"number": number}


@dataclass(frozen=True, kw_only=True)
class Age(Condition):
    """Within so long from now (`7d`, `12h`, `2w`), or longer ago than that."""

    within: bool = True
    offered: tuple[str, ...] = ("24h", "7d", "30d", "90d")
    editor: ClassVar[str] = "age"

    def clean(self, agent: Agent, value: str) -> str:
        if age(value.lower()) is None:
            raise self.unknown(value)
        return value.lower()

    def q(self, agent: Agent, value: str) -> Q:
        ago = age(value)
        assert ago is not None
        return Q(**{f"{self.path}__{'gte' if self.within else 'lt'}": timezone.now() - ago})

    def words(self, agent: Agent, value: str) -> str:
        return length(value)

    def options(self, agent: Agent) -> Sequence[Option]:
        return [Option(value, length(value)) for value in self.offered]


@dataclass(frozen=True, kw_only=True)
class Reference(Condition):
    """One object, by its id or by what `find` takes for it (an address, a name)."""

    find: Callable[[Agent, str], tuple[int, str] | None]
    numbered: bool = False  # names are not enough to tell them apart
    help: StrOrPromise = ""

    def _found(self, agent: Agent, value: str) -> tuple[int, str]:
        kept: dict[tuple[str, str], tuple[int, str]] = agent.__dict__.setdefault("_referred", {})
        if (self.key, value) not in kept:
            found = self.find(agent, value)
            if found is None:
                raise self.unknown(value)
            kept[self.key, value] = kept[self.key, str(found[0])] = found
        return kept[self.key, value]

    def clean(self, agent: Agent, value: str) -> str:
        return str(self._found(agent, value)[0])

    def typed(self, agent: Agent, value: str) -> str:
        name = self.words(agent, value)
        return f"{name} (#{value})" if self.numbered else name

    def q(self, agent: Agent, value: str) -> Q:
        return Q(**{self.path: int(value)})

    def words(self, agent: Agent, value: str) -> str:
        return self._found(agent, value)[1]


@dataclass(frozen=True, kw_only=True)
class Text(Condition):
    """Exactly these words, in whatever letters."""

    help: StrOrPromise = ""

    def clean(self, agent: Agent, value: str) -> str:
        return " ".join(value.split())

    def q(self, agent: Agent, value: str) -> Q:
        return Q(**{f"{self.path}__iexact": value}) & ~Q(**{self.path: ""})


def period(key: str, path: str, label: StrOrPromise, after: StrOrPromise, before: StrOrPromise) -> list[Condition]:
    """The three conditions of one moment: within, after, before. Labels are whole, for each language its own."""
    return [
        Age(key=f"{key}_within", label=label, path=path, group=key),
        When(key=f"{key}_after", label=after, path=path, group=key, side="after"),
        When(key=f"{key}_before", label=before, path=path, group=key, side="before"),
    ]
