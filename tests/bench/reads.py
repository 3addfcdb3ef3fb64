"""Which rows the queries of a page read: each is run again under EXPLAIN (ANALYZE), and its scans are added up."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

SCANS = {"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Bitmap Index Scan", "Tid Scan",
         "Tid Range Scan", "Sample Scan"}  # fmt: skip


@dataclass
class Captured:
    """The statements of a request, by `connection.execute_wrapper`."""

    statements: list[tuple[Any, Any]] = field(default_factory=list)

    def __call__(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        self.statements.append((sql, params))
        return execute(sql, params, many, context)


@dataclass(frozen=True)
class Read:
    """One query: rows that its scans touched, rows that it gave, how many counts it makes, and its plan."""

    sql: str
    rows: int
    gave: int
    counts: int
    plan: Any


def text_of(sql: Any) -> str:
    from django.db import connection

    return sql if isinstance(sql, str) else str(sql.as_string(connection.connection))


def read(captured: Captured) -> list[Read]:
    """What the reading ones of these statements read."""
    from django.db import connection, transaction

    found: list[Read] = []
    with transaction.atomic():
        for sql, params in captured.statements:
            text = text_of(sql)
            if not text.lstrip(" (\n").upper().startswith(("SELECT", "WITH")) or "set_config" in text:
                continue
            with connection.cursor() as cursor:
                # Without TIMING: what counts is what is read.
                cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {text}", params)
                (answer,) = cursor.fetchone()
            plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
            rows = round(sum(map(touched, nodes(plan))))
            found.append(Read(text, rows, round(plan["Actual Rows"]), text.count("(SELECT count(*) FROM ("), plan))
        transaction.set_rollback(True)
    return found


def nodes(plan: Any) -> Iterator[Any]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def touched(node: Any) -> float:
    if node["Node Type"] not in SCANS:
        return 0
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float((node["Actual Rows"] + removed) * node["Actual Loops"])


def outline(plan: Any, depth: int = 0) -> str:
    """The plan in a line for each node."""
    name = " ".join(str(plan[key]) for key in ("Node Type", "Relation Name", "Index Name") if key in plan)
    removed = plan.get("Rows Removed by Filter", 0)
    line = f"{'  ' * depth}{name}: {plan['Actual Rows']:g} x {plan['Actual Loops']:g}, {removed:g} removed"
    return "\n".join([line, *(outline(child, depth + 1) for child in plan.get("Plans", ()))])
