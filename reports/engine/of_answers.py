"""What customers answered when they were asked."""

from dataclasses import dataclass, replace

from reports.engine.figures import Figure, of_score
from reports.engine.measures import Part, Ratio, Row, Summed, add
from reports.engine.question import Question
from reports.engine.sources import Source

ANSWERED = Source("reports_answerfact", at="answered_at", base="f.kind IN ('csat', 'ces', 'solved')")
ASKED = Source("reports_answerfact", at="asked_at", base="f.kind = 'csat' AND NOT f.failed")
# The last answer of each customer: within the period, and of each group within that.
LAST = """SELECT *, row_number() OVER (PARTITION BY g, customer_id ORDER BY answered_at DESC, answer_id DESC) AS place
 FROM (SELECT f.*, {g} AS g {rows}) every"""
NPS = "f.kind = 'nps' AND f.value IS NOT NULL"
LEAST = 10  # customers, for a promoter score to be shown
CHANGES = "INTERVAL '14 days'"  # for as long an answer can be given anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Score(Ratio):
    """A share of good answers, beside the mean and how often each value was given."""

    kind: str
    values: tuple[int, ...]

    def spare(self) -> frozenset[str]:
        return frozenset({"mean", "open", *(f"v{value}" for value in self.values)})

    def columns(self, question: Question) -> dict[str, str]:
        mine = f"f.kind = '{self.kind}' AND f.value IS NOT NULL"
        spread = {f"v{value}": f"COUNT(*) FILTER (WHERE {mine} AND f.value = {value})" for value in self.values}
        return {**Ratio.columns(self, question), **spread, "mean": f"AVG(f.value) FILTER (WHERE {mine})"}

    def figure(self, question: Question, row: Row) -> Figure:
        spread = {str(value): row[f"v{value}"] or 0 for value in self.values}
        mean = None if row["mean"] is None else float(row["mean"])
        return replace(Ratio.figure(self, question, row), mean=mean, extra=spread)


def score(key: str, kind: str, good: str, values: tuple[int, ...]) -> Score:
    return Score(
        key=key,
        source=ANSWERED,
        kind=kind,
        values=values,
        denominator=f"f.kind = '{kind}' AND f.value IS NOT NULL",
        numerator=good,
        provisional=f"f.answered_at + {CHANGES} > %(now)s",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Promoters(Summed):
    """Promoters less detractors, of a hundred customers; too few of them say nothing."""

    unit: str = "score"

    def columns(self, question: Question) -> dict[str, str]:
        return {
            "promoters": "COUNT(*) FILTER (WHERE f.place = 1 AND f.value >= 9)",
            "detractors": "COUNT(*) FILTER (WHERE f.place = 1 AND f.value <= 6)",
            "n": "COUNT(*) FILTER (WHERE f.place = 1)",
            "open": f"COUNT(*) FILTER (WHERE f.place = 1 AND f.answered_at + {CHANGES} > %(now)s)",
        }

    def figure(self, question: Question, row: Row) -> Figure:
        promoters, detractors, n = (row[name] or 0 for name in ("promoters", "detractors", "n"))
        low, high = of_score(promoters, detractors, n) if n >= LEAST else (None, None)
        return Figure(
            self.key,
            self.unit,
            value=100 * (promoters - detractors) / n if n >= LEAST else None,
            numerator=promoters - detractors,
            denominator=n,
            n=n,
            low=low,
            high=high,
            provisional=row["open"] or 0,
            extra={"promoters": promoters, "passives": n - promoters - detractors, "detractors": detractors},
        )

    def parts(self, *, business: bool = False) -> dict[str, Part]:
        whole = "f.place = 1"
        sign = "CASE WHEN f.value >= 9 THEN 1 WHEN f.value <= 6 THEN -1 ELSE 0 END"
        return {
            "denominator": Part(whole),
            "numerator": Part(whole, sign),
            "promoters": Part(f"{whole} AND f.value >= 9"),
            "passives": Part(f"{whole} AND f.value IN (7, 8)"),
            "detractors": Part(f"{whole} AND f.value <= 6"),
        }


add(score("csat", "csat", "f.value >= 4", (1, 2, 3, 4, 5)))
add(
    Ratio(
        key="response_rate",
        source=ASKED,
        numerator="f.answered_at IS NOT NULL",
        provisional=f"f.answered_at IS NULL AND f.asked_at + {CHANGES} > %(now)s",
    )
)
for key, about in (("nps", "NULL"), ("nps_transactional", "NOT NULL")):
    given = Source("reports_answerfact", at="answered_at", base=f"{NPS} AND f.ticket_id IS {about}", inner=LAST)
    add(Promoters(key=key, source=given))
add(score("ces", "ces", "f.value >= 5", (1, 2, 3, 4, 5, 6, 7)))
add(score("fcr_confirmed", "solved", "f.value >= 1", (0, 1)))
