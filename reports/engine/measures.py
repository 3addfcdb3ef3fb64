"""Measures: what each figure counts, one object a key; most are sums over the rows of a source.

Measures over one source share one scan. Whatever cannot be counted so has a `compute` of its own; another module adds
one with the decorator `measure`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reports.engine.asking import Query
from reports.engine.figures import Figure, ratio
from reports.engine.groups import Key
from reports.engine.question import Question
from reports.engine.sources import Source

Row = Mapping[str, Any]
Compute = Callable[[Question, str | None], dict[Key, Figure]]
In = tuple[str, Key]  # a breakdown, and one of its groups
Share = tuple[int | None, int | Decimal]  # a ticket's number, and what it adds
# SQL of one row a ticket, with `number` (NULL for what belongs to none) and `amount`, and its parameters.
Behind = tuple[str, dict[str, Any]]
Shares = Callable[[Question, str, In | None], Behind]


@dataclass(frozen=True, slots=True)
class Part:
    """Which rows stand behind one part of a figure (SQL), and what each adds to it."""

    where: str = "TRUE"
    amount: str = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    key: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summed(Measure):
    """A measure of sums over the rows of a source: columns of one SELECT, and the figure they make."""

    source: Source

    def spare(self) -> frozenset[str]:
        """The columns that only tell what stands beside the value: who asks briefly leaves them out, they are None."""
        return frozenset()

    def parts(self, *, business: bool = False) -> dict[str, Part]:
        """What of it can be opened, all that it rests on first; `business`: of a figure of business seconds."""
        raise NotImplementedError

    def columns(self, question: Question) -> dict[str, str]:
        raise NotImplementedError

    def over_time(
        self, question: Question, by: str, *, brief: bool = False
    ) -> Query[dict[Key, dict[str, Figure]]] | None:
        """By day, week, month or hour of the week, where the rows of its source have no day: none, but for a state.

        `brief` asks for values alone, without what stands beside them.
        """
        return None

    def figure(self, question: Question, row: Row) -> Figure:
        """`row` is None in each column where no row was there."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration(Summed):
    """Seconds of each row: their median, ninth decile, mean and number."""

    column: str
    business: str = ""
    where: str = "TRUE"
    provisional: str = "FALSE"

    def _seconds(self, business: bool) -> str:
        return f"f.{self.business if business and self.business else self.column}"

    def spare(self) -> frozenset[str]:
        return frozenset({"mean", "open"})

    def columns(self, question: Question) -> dict[str, str]:
        seconds = self._seconds(question.business)
        only = "" if self.where == "TRUE" else f" FILTER (WHERE {self.where})"
        found = {
            "n": f"COUNT({seconds}){only}",
            "mean": f"AVG({seconds}){only}",
            "percentiles": f"percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY {seconds}){only}",
        }
        if self.provisional != "FALSE":
            found["open"] = f"COUNT({seconds}) FILTER (WHERE {self.where} AND {self.provisional})"
        return found

    def figure(self, question: Question, row: Row) -> Figure:
        # Whole seconds have deciles in tenths; binary fractions would add some 10⁻¹² to them.
        median, p90 = (round(one, 6) for one in row["percentiles"]) if row["percentiles"] else (None, None)
        return Figure(
            self.key,
            self.unit,
            value=median,
            n=row["n"] or 0,
            median=median,
            p90=p90,
            mean=None if row["mean"] is None else float(row["mean"]),
            provisional=row.get("open") or 0,
        )

    def parts(self, *, business: bool = False) -> dict[str, Part]:
        return {"n": Part(f"{self.where} AND {self._seconds(business)} IS NOT NULL")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio(Summed):
    """Rows of which `numerator` holds, of all those of which `denominator` does."""

    unit: str = "ratio"
    numerator: str
    denominator: str = "TRUE"
    provisional: str = "FALSE"

    def columns(self, question: Question) -> dict[str, str]:
        return {
            "numerator": f"COUNT(*) FILTER (WHERE ({self.denominator}) AND ({self.numerator}))",
            "denominator": f"COUNT(*) FILTER (WHERE {self.denominator})",
            "open": f"COUNT(*) FILTER (WHERE ({self.denominator}) AND ({self.provisional}))",
        }

    def figure(self, question: Question, row: Row) -> Figure:
        return ratio(self.key, row["numerator"] or 0, row["denominator"] or 0, row["open"] or 0)

    def parts(self, *, business: bool = False) -> dict[str, Part]:
        return {
            "denominator": Part(self.denominator),
            "numerator": Part(f"({self.denominator}) AND ({self.numerator})"),
            "rest": Part(f"({self.denominator}) AND ({self.numerator}) IS NOT TRUE"),
            "provisional": Part(f"({self.denominator}) AND ({self.provisional})"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Count(Summed):
    """How many rows, or the sum of what each holds; `beside` is counted apart and stands in `extra`."""

    unit: str = "count"
    where: str = "TRUE"
    amount: str = "1"
    beside: Mapping[str, str] = field(default_factory=dict)  # conditions by name

    def columns(self, question: Question) -> dict[str, str]:
        found = {"n": self._sum(self.where)}
        found.update({f"x_{name}": self._sum(f"({self.where}) AND ({sql})") for name, sql in self.beside.items()})
        return found

    def _sum(self, where: str) -> str:
        of = "COUNT(*)" if self.amount == "1" else f"SUM({self.amount})"
        return of if where == "TRUE" else f"{of} FILTER (WHERE {where})"

    def figure(self, question: Question, row: Row) -> Figure:
        number = int(row["n"] or 0)
        extra = {name: int(row[f"x_{name}"] or 0) for name in self.beside}
        return Figure(self.key, self.unit, value=number, numerator=number, n=number, extra=extra)

    def parts(self, *, business: bool = False) -> dict[str, Part]:
        all_of_it = Part(self.where, self.amount)
        beside = {name: Part(f"({self.where}) AND ({sql})", self.amount) for name, sql in self.beside.items()}
        return {"n": all_of_it, "numerator": all_of_it, **beside}


@dataclass(frozen=True, slots=True, kw_only=True)
class Own(Measure):
    """A measure that is counted in a way of its own: figures by group (by None: all in one, under None)."""

    compute: Compute
    shares: Shares
    opens: tuple[str, ...]


ALL: dict[str, Measure] = {}


def add(one: Measure) -> None:
    """Raises ValueError where the key is taken."""
    if ALL.setdefault(one.key, one) is not one:
        raise ValueError(f"{one.key} is a measure already")


def nothing(question: Question, part: str, group: In | None) -> Behind:
    """The shares of what has no tickets behind it."""
    return "SELECT NULL::bigint AS number, 0 AS amount WHERE FALSE", {}


def measure(key: str, unit: str, shares: Shares = nothing, opens: tuple[str, ...] = ()) -> Callable[[Compute], Compute]:
    """Decorator of a function that counts a measure in a way of its own, for other modules to add theirs.

    It is given the question and what to group by (None: everything in one figure, under the key None); `shares` gives
    the tickets behind one of the parts that it `opens`, each with what it adds.
    """

    def register(compute: Compute) -> Compute:
        add(Own(key=key, unit=unit, compute=compute, shares=shares, opens=opens))
        return compute

    return register
