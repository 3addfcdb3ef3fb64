"""Messages in and out."""

from reports.engine.measures import Count, add
from reports.engine.sources import Source

TRAFFIC = Source("reports_trafficfact", at="quarter")

for key, kind in (
    ("messages_in", "customer"),
    ("messages_out", "human"),
    ("messages_bot", "bot"),
    ("messages_automatic", "automatic"),
):
    add(Count(key=key, source=TRAFFIC, where=f"f.kind = '{kind}'", amount="f.count"))
