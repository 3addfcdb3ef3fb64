"""Hours of business while somebody edits them: what the page posts, rows that come and go, and what is wrong where.

The page has a list of inputs a day (`from-0`, `until-0`: Monday's), and one of days off (`date`, `last`, `name`).
Buttons called `do` change rows and save nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import zip_longest
from typing import Any

from django.http import QueryDict

from inbox.schedule_shapes import MOST_CLOSED, MOST_SPANS
from inbox.schedule_words import week
from lib import calendars
from lib.ical import Days

DO = "do"
USUAL = [[["09:00", "17:00"]] for _day in range(5)] + [[], []]
AHEAD = timedelta(days=366)  # so far holidays are listed
MIDNIGHT, END_OF_DAY = "00:00", "24:00"  # inputs of times do not know the latter


@dataclass
class Draft:
    own: bool
    zone: str
    days: list[list[list[str]]] = field(default_factory=lambda: [[[*span] for span in day] for day in USUAL])
    closed: list[dict[str, str]] = field(default_factory=list)
    country: str = ""
    region: str = ""
    kept_open: set[str] = field(default_factory=set)
    wrong: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def stored(cls, hours: Mapping[str, Any], zone: str) -> Draft:
        """As it is set; where nothing is, the usual hours stand there to begin with."""
        if not hours:
            return cls(False, zone)
        free = hours.get("holidays") or {}
        return cls(
            True,
            str(hours.get("zone") or zone),
            [[[*span] for span in day] for day in hours["days"]],
            [{"date": one} if isinstance(one, str) else dict(one) for one in hours.get("closed") or ()],
            str(free.get("country") or ""),
            str(free.get("region") or ""),
            {*(free.get("open") or ())},
        )

    @classmethod
    def posted(cls, data: QueryDict) -> Draft:
        spans = [_spans(data.getlist(f"from-{day}"), data.getlist(f"until-{day}")) for day in range(7)]
        names = ("date", "last", "name")
        rows = zip_longest(*(data.getlist(name) for name in names), fillvalue="")
        closed = [dict(zip(("date", "until", "name"), row, strict=True)) for row in rows]
        country = data.get("country", "")
        region = data.get("region", "") if country == data.get("country_was", country) else ""
        return cls(
            data.get("own") == "yes",
            data.get("zone", "").strip(),
            spans,
            closed,
            country,
            region,
            set(data.getlist("open")),
        )

    def hours(self) -> dict[str, Any] | None:
        """What is to be stored, not yet checked; None where it shall have none of its own. Empty rows are dropped."""
        if not self.own:
            return None
        self.days = [[span for span in day if any(span)] for day in self.days]
        self.closed = [row for row in self.closed if any(row.values())]
        free = {"country": self.country, "region": self.region, "open": sorted(self.kept_open)}
        return {"zone": self.zone, "days": self.days, "closed": self.closed, "holidays": free}

    def change(self, wanted: str) -> str:
        """Do what a button says; returns the id of what takes the focus."""
        verb, *numbers = wanted.split() or [""]
        at = [int(one) for one in numbers if one.isdecimal() and len(one) < 5]
        if verb == "add" and at and at[0] < 7 and len(self.days[at[0]]) < MOST_SPANS:
            self.days[at[0]].append(["", ""])
            return f"from-{at[0]}-{len(self.days[at[0]]) - 1}"
        if verb == "out" and len(at) == 2 and at[0] < 7 and at[1] < len(self.days[at[0]]):
            del self.days[at[0]][at[1]]
            return f"add-{at[0]}"
        if verb == "copy":
            self.days[1:5] = [[[*span] for span in self.days[0]] for _day in range(4)]
            return "copy"
        if verb == "free" and len(self.closed) < MOST_CLOSED:
            self.closed.append({"date": "", "until": "", "name": ""})
            return f"date-{len(self.closed) - 1}"
        if verb == "unfree" and at and at[0] < len(self.closed):
            del self.closed[at[0]]
            return "add-free"
        return "country" if verb == "country" else "import" if verb == "import" else ""

    def take(self, found: Iterable[Days]) -> int:
        """Add days of a calendar that are not there yet; returns how many."""
        self.closed = [row for row in self.closed if any(row.values())]
        there = {(row.get("date"), row.get("until") or row.get("date"), row.get("name") or "") for row in self.closed}
        new = [one for one in found if (one.first.isoformat(), one.last.isoformat(), one.name) not in there]
        for one in new:
            until = one.last.isoformat() if one.last > one.first else ""
            self.closed.append({"date": one.first.isoformat(), "until": until, "name": one.name})
        self.closed.sort(key=lambda row: row.get("date", ""))
        return len(new)

    # What the page reads ------------------------------------------------------------------------------------------

    def week(self) -> list[dict[str, Any]]:
        return [
            {
                "at": at,
                "name": name,
                "spans": [
                    {
                        "id": f"{at}-{n}",
                        "from": span[0],
                        "until": MIDNIGHT if span[1] == END_OF_DAY else span[1],
                        "wrong": self.wrong.get(f"days.{at}.{n}", ()),
                    }
                    for n, span in enumerate(self.days[at])
                ],
                "full": len(self.days[at]) >= MOST_SPANS,
                "wrong": self.wrong.get(f"days.{at}", ()),
            }
            for at, name in enumerate(week())
        ]

    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "at": at,
                "error": f"free-error-{at}",
                **row,
                "wrong": [
                    text for part in ("", ".date", ".until") for text in self.wrong.get(f"closed.{at}{part}", ())
                ],
            }
            for at, row in enumerate(self.closed)
        ]

    def countries(self) -> list[tuple[str, str]]:
        return [*calendars.countries().items()]

    def regions(self) -> list[tuple[str, str]]:
        return [*calendars.regions(self.country).items()]

    def holidays(self, today: date) -> list[dict[str, Any]]:
        """The holidays of the chosen country in the next year, and whether they work on them."""
        found = calendars.between(self.country, self.region, today, today + AHEAD)
        return [{"day": day, "name": name, "open": day.isoformat() in self.kept_open} for day, name in found]

    def first_wrong(self) -> str:
        """The id of the first input with which something is wrong; empty where none has it."""
        for path in self.wrong:
            part, *rest = path.split(".")
            if part == "days" and rest:
                return f"from-{rest[0]}-{rest[1] if len(rest) > 1 else 0}"
            if part == "closed" and rest:
                return f"{'last' if rest[-1] == 'until' else 'date'}-{rest[0]}"
            if path in ("zone", "holidays.country", "holidays.region"):
                return path.rpartition(".")[2]
        return ""

    def elsewhere(self) -> list[str]:
        """What is wrong where no input says so."""
        shown = {"zone", "days", "holidays.country", "holidays.region"}
        return [
            text
            for path, texts in self.wrong.items()
            if path not in shown and not path.startswith(("days.", "closed."))
            for text in texts
        ]


def _spans(begins: Sequence[str], ends: Sequence[str]) -> list[list[str]]:
    """The spans of a posted day: one until midnight ends with its day."""
    found = zip_longest(begins, ends, fillvalue="")
    return [[start, END_OF_DAY if start and end == MIDNIGHT else end] for start, end in found]
