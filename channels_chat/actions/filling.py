"""Forms that agents put into a visitor's window, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from channels_chat import history, hub, intake
from channels_chat.actions import queueing
from channels_chat.models import Chat
from inbox.actions import base, messages
from inbox.models import Direction, Message


def fill(chat: Chat, message: int, values: Mapping[str, Any]) -> bool:
    """A visitor has filled in a form that stands in their chat: its values go on the form, and come in as a message.

    False, and nothing happens, for what is no form to them or was filled in before. Only its own fields count.
    """
    visitor = chat.visitor
    to_them = history.said_to(visitor)
    mine = Message.objects.filter(to_them, pk=message, channel=chat.channel_id, direction=Direction.OUT)
    with queueing.held(chat):
        if not mine.exists():
            return False
        form = messages.lock(message)
        part = form.payload.get("chat") or {}
        data = part.get("data") or {}
        if part.get("kind") != "form" or data.get("values"):
            return False
        given = {one["key"]: values[one["key"]] for one in data.get("fields") or () if values.get(one["key"])}
        if any(one.get("required") and one["key"] not in given for one in data.get("fields") or ()):
            return False
        lines = [
            f"{one.get('label') or one['key']}: {given[one['key']]}" for one in data["fields"] if one["key"] in given
        ]
        data["values"] = given
        form.save(update_fields=["payload"])
        said = intake.Said(chat.channel, visitor, f"form-{message}", "\n".join(lines) or "—")
        if intake.take([said]) == [None]:
            transaction.set_rollback(True)
            return False
        base.announce([form.ticket_id], [form.pk])
        hub.tell([visitor.pk], [form.ticket_id])
    return True
