"""What other apps put into a seeded history, and what they do once it is there. They register when they are ready.

from inbox.management import further
further.writes("surveys", write)         # write(cursor, plan): inside the history's transaction
further.afterwards(count)                # count(plan, large, say): once it is committed
further.reads("revenue")                 # a follower of the log for whom nothing is left to do in a large history
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.fields import NOT_PROVIDED

from inbox.management.sheets import column

if TYPE_CHECKING:
    from inbox.management.plans import Plan

Say = Callable[[str, int, int], None]
Write = Callable[[Any, "Plan"], None]
Afterwards = Callable[["Plan", bool, Say], None]

_writers: dict[str, Write] = {}
_afterwards: list[Afterwards] = []
readers: list[str] = []


def writes(what: str, write: Write) -> None:
    _writers[what] = write


def afterwards(do: Afterwards) -> None:
    _afterwards.append(do)


def reads(follower: str) -> None:
    readers.append(follower)


def write_all(cursor: Any, plan: Plan, say: Say) -> None:
    for place, (what, write) in enumerate(_writers.items()):
        say(f"Writing {what}", place, len(_writers))
        write(cursor, plan)


def do_all(plan: Plan, large: bool, say: Say) -> None:
    for do in _afterwards:
        do(plan, large, say)


def chance(number: str, seed: int, kind: int) -> str:
    """SQL of a number below 1,000 that goes with a row, another one for each `kind`; for statements with parameters."""
    return f"((hashint8extended({number}, {100 * seed + kind}) & 1048575) %% 1000)"


def insert(cursor: Any, model: type[models.Model], given: dict[str, str], rows: str, **params: Any) -> int:
    """INSERT of what a SELECT finds: `given` are columns by attribute with their SQL, `rows` is all from FROM on.
    Columns that are not given get their defaults, as a row made in Python would. Returns how many there are.
    """
    rest = [
        field
        for field in model._meta.concrete_fields
        if field.attname not in given and not field.primary_key and field.db_default is NOT_PROVIDED
    ]
    columns = {field.attname: str(field.column) for field in model._meta.concrete_fields}
    names = [columns[name] for name in given] + [str(field.column) for field in rest]
    values = dict(params)
    selected = list(given.values())
    for place, field in enumerate(rest):
        values[f"rest{place}"] = _default(field)
        selected.append(f"%(rest{place})s::{field.db_type(cursor.db)}")
    quoted = ", ".join(f'"{name}"' for name in names)
    cursor.execute(f'INSERT INTO "{model._meta.db_table}" ({quoted}) SELECT {", ".join(selected)} {rows}', values)
    return int(cursor.rowcount)


def _default(field: Any) -> Any:
    value = field.get_default()
    if value is None:
        return None
    if isinstance(value, list) and not isinstance(field, models.JSONField):
        return "{}"
    return column(value).replace("\\\\", "\\") if isinstance(value, dict | list) else value
