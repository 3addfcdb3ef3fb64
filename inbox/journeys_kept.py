"""Visits that started a declared journey (a purchase, a registration), for whoever counts them.

Who keeps them registers a queryset of its rows: `channel_id`, `journey`, `started_at`, `completed_at`, `contacted_at`.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

_kept: list[Callable[[], QuerySet[Any]]] = []


def keep(rows: Callable[[], QuerySet[Any]]) -> None:
    """Have the journeys of these rows counted."""
    _kept.append(rows)


def kept() -> list[QuerySet[Any]]:
    """All that are kept, a queryset for each who keeps some."""
    return [rows() for rows in _kept]
