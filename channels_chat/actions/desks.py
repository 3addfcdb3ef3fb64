"""An agent's desk: whether they take chats, and how many at once."""

from __future__ import annotations

from django.db import transaction

from channels_chat.board import MOST_AT_ONCE
from channels_chat.models import Desk
from inbox import live, log
from inbox.models import Agent


def set_desk(agent: Agent, *, takes: bool | None = None, most: int | None = None) -> Desk:
    """What is None stays as it is. The agent's other pages hear of it."""
    with transaction.atomic():
        row, _made = Desk.objects.select_for_update().get_or_create(agent=agent)
        new = (row.takes if takes is None else takes, min(max(most or row.most, 1), MOST_AT_ONCE))
        if new == (row.takes, row.most):
            return row
        row.takes, row.most = new
        row.save(update_fields=["takes", "most"])
        log.record(None, "desk_changed", by=agent, takes=row.takes, most=row.most)
        transaction.on_commit(lambda: live.hint([agent.pk], desk=row.takes), robust=True)
    return row
