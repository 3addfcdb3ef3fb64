"""Which tickets are one, as merged now."""

from __future__ import annotations

from collections.abc import Collection

from inbox.models import Ticket


def family(numbers: Collection[int]) -> dict[int, int]:
    """These tickets and all that were merged into them, however often: each with the one of `numbers` it is part of."""
    found = {number: number for number in numbers}
    fresh = set(found)
    while fresh:
        sources = Ticket.objects.filter(merged_into__in=fresh).values_list("pk", "merged_into_id")
        fresh = set()
        for source, target in sources:
            if source not in found:
                fresh.add(source)
            found[source] = found[target or source]
    return found


def roots(numbers: Collection[int]) -> dict[int, int]:
    """Where what lay in each of these tickets lies now; those that are not merged away are left out."""
    into: dict[int, int] = {}
    asked = set(numbers)
    while asked:
        rows = Ticket.objects.filter(pk__in=asked, merged_into__isnull=False).values_list("pk", "merged_into_id")
        found = {pk: target for pk, target in rows if target is not None}
        into |= found
        asked = set(found.values()) - into.keys()
    return {number: _end(number, into) for number in numbers if number in into}


def _end(number: int, into: dict[int, int]) -> int:
    while number in into:
        number = into[number]
    return number
