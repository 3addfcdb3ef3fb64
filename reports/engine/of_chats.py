"""Chats that nobody answered in time, and conversations that a bot held alone."""

from reports.engine.measures import Ratio, add
from reports.engine.sources import Source

OFFERED = Source("reports_chatfact", at="offered_at", priority="", base="f.in_schedule AND f.outcome <> 'short'")
TALKS = Source("reports_botfact", at="began_at", priority="")
WINDOW = "make_interval(hours => %(window)s)"
ALONE = "f.handed_at IS NULL"
SILENT = f"{ALONE} AND f.confirmed_at IS NULL"
# The customer came again, with whatever it was, before the window was over.
AGAIN = f"""EXISTS (SELECT FROM reports_ticketfact mine JOIN reports_ticketfact other
 ON other.customer_id = mine.customer_id AND other.ticket_id <> mine.ticket_id
 AND other.opened_at > f.last_heard_at AND other.opened_at < f.last_heard_at + {WINDOW}
 AND (mine.imported OR NOT other.imported)
 WHERE mine.ticket_id = f.ticket_id)"""

add(
    Ratio(
        key="abandonment",
        source=OFFERED,
        numerator="f.outcome = 'abandoned'",
        provisional="f.outcome = 'waiting' AND f.left_at IS NULL",
    )
)
add(Ratio(key="containment_confirmed", source=TALKS, numerator=f"{ALONE} AND f.confirmed_at IS NOT NULL"))
add(
    Ratio(
        key="containment_assumed",
        source=TALKS,
        numerator=f"{SILENT} AND f.last_heard_at + {WINDOW} <= %(now)s AND NOT {AGAIN}",
        provisional=f"{SILENT} AND f.last_heard_at + {WINDOW} > %(now)s",
    )
)
