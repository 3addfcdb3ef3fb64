"""How long customers waited for an answer."""

from reports.engine.measures import Duration, add
from reports.engine.sources import Source

RESPONSES = Source("reports_responsefact", at="answered_at")

add(
    Duration(
        key="first_response",
        unit="seconds",
        source=RESPONSES,
        column="seconds",
        business="business",
        where="f.first",
    )
)
add(Duration(key="first_wait", unit="seconds", source=RESPONSES, column="total", where="f.first"))
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
