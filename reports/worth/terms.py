"""What revenue means here: one setting of the deployment."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from inbox.models import Setting

KEY = "worth"


@dataclass(frozen=True, slots=True)
class Terms:
    """`currency` is that of all figures, "" until it is chosen. Whoever brought revenue in the last `days` days is a
    customer. `margin` is what of a hundred is left of revenue, None until it is said.

    With `orders`, what customers ordered elsewhere (their events of the kind `order_kind`) is revenue where the event's
    `amount_key` says how much.
    """

    currency: str = ""
    days: int = 365
    margin: float | None = None
    orders: bool = False
    order_kind: str = "order"
    amount_key: str = "total"

    @property
    def value(self) -> dict[str, Any]:
        return asdict(self)


def terms() -> Terms:
    found = Setting.objects.filter(pk=KEY).values_list("value", flat=True).first() or {}
    return Terms(**{name: value for name, value in found.items() if name in Terms.__slots__})
