"""Find tickets by what they say."""

from __future__ import annotations

from django.db.models import Q

from inbox import access
from inbox.models import Agent


def numbers(agent: Agent, text: str, most: int = 2000) -> list[int]:
    """The numbers of tickets that this agent sees and `text` fits, best first: its number, or words of its subject."""
    words = text.split()
    if not words:
        return []
    fits = Q()
    for word in words:
        fits &= Q(subject__icontains=word)
    number = text.strip().removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 19:
        fits |= Q(pk=int(number))
    return list(
        access.tickets(agent).filter(fits).order_by("-last_message_at", "-pk").values_list("pk", flat=True)[:most]
    )
