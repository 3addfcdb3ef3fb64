"""Time zones by their names in the IANA database, as browsers and people give them."""

from functools import cache
from zoneinfo import available_timezones


@cache
def names() -> frozenset[str]:
    """All that this machine knows. Read once: the standard library opens six hundred files for it each time."""
    return frozenset(available_timezones())
