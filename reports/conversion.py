"""Conversion: of the tickets that customers opened, after how many they ordered within the days that were asked for.

What counts as an order is an event of the customer that is called so, from wherever it came: API, import, website.
"""

from reports.engine.measures import Ratio, add
from reports.engine.of_tickets import OPENED, WINDOW

KINDS = ("order", "purchase", "checkout_completed")
_NAMED = ", ".join(f"'{kind}'" for kind in KINDS)

CONVERSION = Ratio(
    key="conversion",
    source=OPENED,
    numerator=(
        "EXISTS (SELECT FROM inbox_customerevent e WHERE e.customer_id = f.customer_id"
        f" AND e.kind IN ({_NAMED}) AND e.at >= f.opened_at AND e.at < f.opened_at + {WINDOW})"
    ),
    provisional=f"f.opened_at + {WINDOW} > %(now)s",
)
add(CONVERSION)
