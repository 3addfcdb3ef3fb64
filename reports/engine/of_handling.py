"""What handling a ticket took, and cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reports.engine.figures import Figure
from reports.engine.measures import Part, Ratio, Row, Summed, add
from reports.engine.question import Question
from reports.engine.sources import Source

# The setting `reports.hourly_rates` is {"all": 12.5, "3": 15}: money an hour, by a team's id or of all others.
# Of each ticket in each group: in whole thousandths, so that whatever is summed comes out the same in any order.
MS = "round((f.focus + f.call + f.chat + f.wrap_up) * 1000)"
RATES = """(SELECT one.key, round(one.value::numeric * 10000)::bigint AS rate
 FROM inbox_setting kept, jsonb_each_text(kept.value) one WHERE kept.key = 'reports.hourly_rates')"""
RATED = f"""(SELECT work.*, COALESCE(own.rate, every.rate) AS rate FROM reports_handlingfact work
 LEFT JOIN {RATES} own ON own.key = work.team_id::text LEFT JOIN {RATES} every ON every.key = 'all')"""  # noqa: S608
EACH = f"""SELECT f.ticket_id, {{g}} AS g, SUM({MS}) AS ms, bool_or(f.actions > 0) AS acted,
 SUM(round(f.estimated * 1000)) AS estimated {{rows}} GROUP BY 1, 2"""
PRICED = f"""SELECT f.ticket_id, {{g}} AS g, SUM({MS}) AS ms, bool_or(f.actions > 0) AS acted,
 bool_and({MS} = 0 OR f.rate IS NOT NULL) AS rated, round(SUM({MS} * f.rate)::bigint / 36000000000.0, 4) AS cost
 {{rows}} GROUP BY 1, 2"""
# Where recording is switched off nothing is told, whatever was recorded before.
ON = "NOT EXISTS (SELECT FROM inbox_setting kept WHERE kept.key = 'handle_time' AND kept.value -> 'on' = 'false')"
WORK = Source("reports_handlingfact", at="quarter", priority="", base=ON, inner=EACH)
COST = Source(RATED, at="quarter", priority="", base=ON, inner=PRICED)
HANDLED = "f.ms > 0 AND f.acted"
SECONDS = "f.ms::bigint / 1000.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling(Summed):
    """Seconds on the tickets that were handled, by their number; whatever else was done stands beside it."""

    def spare(self) -> frozenset[str]:
        return frozenset({"percentiles", "elsewhere", "estimated"})

    def columns(self, question: Question) -> dict[str, str]:
        only = f"FILTER (WHERE {HANDLED})"
        return {
            "ms": f"SUM(f.ms) {only}",
            "n": f"COUNT(*) {only}",
            "percentiles": f"percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY f.ms) {only}",
            "elsewhere": f"SUM(f.ms) FILTER (WHERE NOT ({HANDLED}))",
            "estimated": "SUM(f.estimated)",
        }

    def figure(self, question: Question, row: Row) -> Figure:
        n = row["n"] or 0
        seconds = _seconds(row["ms"])
        median, p90 = (round(ms / 1000, 6) for ms in row["percentiles"]) if row["percentiles"] else (None, None)
        mean = seconds / n if n else None
        beside = {"elsewhere": _seconds(row["elsewhere"]), "estimated": _seconds(row["estimated"])}
        return Figure(
            self.key,
            self.unit,
            value=mean,
            numerator=seconds,
            denominator=n,
            n=n,
            median=median,
            p90=p90,
            mean=mean,
            extra=beside,
        )

    def parts(self, *, business: bool = False) -> dict[str, Part]:
        return {
            "denominator": Part(HANDLED),
            "numerator": Part(HANDLED, SECONDS),
            "elsewhere": Part(f"NOT ({HANDLED}) AND f.ms > 0", SECONDS),
            "estimated": Part("f.estimated > 0", "f.estimated::bigint / 1000.0"),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost(Summed):
    """What the hours of the same tickets cost, by their number; none while some of the hours have no rate."""

    def columns(self, question: Question) -> dict[str, str]:
        only = f"FILTER (WHERE {HANDLED})"
        return {
            "cost": f"SUM(f.cost) {only}",
            "n": f"COUNT(*) {only}",
            "unrated": f"COUNT(*) FILTER (WHERE {HANDLED} AND NOT f.rated)",
        }

    def figure(self, question: Question, row: Row) -> Figure:
        n, unrated = row["n"] or 0, row["unrated"] or 0
        cost = float(row["cost"] or 0)
        extra: dict[str, Any] = {"reason": "no_rate", "without_rate": unrated} if unrated else {}
        value = cost / n if n and not unrated else None
        return Figure(self.key, self.unit, value=value, numerator=cost, denominator=n, n=n, mean=value, extra=extra)

    def parts(self, *, business: bool = False) -> dict[str, Part]:
        return {
            "denominator": Part(HANDLED),
            "numerator": Part(HANDLED, "COALESCE(f.cost, 0)"),
            "without_rate": Part(f"{HANDLED} AND NOT f.rated"),
        }


def _seconds(ms: Any) -> float:
    return int(ms or 0) / 1000


add(Handling(key="aht", unit="seconds", source=WORK))
add(Ratio(key="coverage", source=WORK, numerator=HANDLED, denominator="f.ms > 0 OR f.acted OR f.estimated > 0"))
add(Cost(key="cost_per_ticket", unit="money", source=COST))
