"""What narrows a list: conditions that stand in its address, joined by "and". General over what is listed.

`conditions` has the kinds of condition, `tickets` those of tickets; `Filters` reads an address and says what it means.
"""

from inbox.filtering.filters import Chip, Filters

__all__ = ["Chip", "Filters"]
