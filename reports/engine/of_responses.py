"""How long customers waited for an answer."""

from reports.engine.measures import Duration, add
from reports.engine.sources import Source

RESPONSES = Source("reports_responsefact", at="answered_at")

add(
    Duration(
        key="first_response",
        unit="seconds",
        source=RESPONSES,
        column="first_seconds",
        business="first_business",
        where="f.first",
    )
)
add(Duration(key="first_wait", unit="seconds", source=RESPONSES, column="first_total", where="f.first"))
# An answer when nothing was asked any more ended no run: of these it has no seconds, and does not count.
add(Duration(key="response", unit="seconds", source=RESPONSES, column="seconds", business="business"))
add(
    Duration(
        key="next_response",
        unit="seconds",
        source=RESPONSES,
        column="seconds",
        business="business",
        where="NOT f.first",
    )
)
