"""Drafts: what an agent has written but not sent. A tab that knows an older version never overwrites a newer one."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Func, Q, QuerySet
from django.utils import timezone

from inbox import live
from inbox.models import (
    Agent,
    Attachment,
    DeliveryState,
    Direction,
    Draft,
    Message,
    MessageKey,
    SideConversation,
    Ticket,
)
from inbox.writing import FOR_ALL, OPTION
from lib import html as markup

MOST_FILES = 100
WRITTEN = (
    "kind", "channel_id", "subject", "text", "html", "recipients", "attachments", "macros", "client_id", "newest",
)  # fmt: skip


class Superseded(Exception):
    """Another tab or device changed the draft since: `draft` is what stands now, None where it has been sent."""

    def __init__(self, draft: Draft | None) -> None:
        super().__init__()
        self.draft = draft


def of(agent: Agent, ticket: Ticket | None, side: SideConversation | None = None) -> QuerySet[Draft]:
    """The one draft of this agent on this ticket, in this side conversation, or (neither) of a new ticket."""
    return Draft.objects.filter(agent=agent, ticket=ticket, side=side)


def save(
    agent: Agent,
    ticket: Ticket | None,
    written: Mapping[str, Any],
    *,
    version: int,
    side: SideConversation | None = None,
) -> Draft:
    """Keep what stands in a composer that last knew `version` (0: none); `written` names fields of WRITTEN.

    Returns the draft, whose `version` the composer knows from now on. Raises Superseded, and changes nothing, where
    another tab came first.
    """
    with transaction.atomic():
        # A first one locks nothing yet: two tabs that begin at once meet at the constraint.
        row, made = Draft.objects.select_for_update(no_key=True).get_or_create(
            agent=agent, ticket=ticket, side=side, defaults={"version": version + 1, **written}
        )
        if _is_sent(agent, str(written["client_id"])):  # an old tab must not bring back what has left
            raise Superseded(None if made or row.client_id == written["client_id"] else row)
        if made:
            _told(row)
            return row
        if all(getattr(row, name) == written[name] for name in written):
            return row
        if row.version != version and not _is_sent(agent, row.client_id):
            raise Superseded(row)
        for name, value in written.items():
            setattr(row, name, value)
        row.version += 1
        row.updated_at = timezone.now()
        row.save()
        _told(row)
        return row


def _is_sent(agent: Agent, client_id: str) -> bool:
    return MessageKey.objects.filter(scope=f"client:{agent.pk}", key=client_id).exists()


def _told(row: Draft) -> None:
    """The agent's other tabs and devices hear of it; `drafted`: whether anything is left on its ticket."""
    drafted = row.version > 0 or Draft.objects.filter(agent=row.agent_id, ticket=row.ticket_id).exists()
    _hint(row.agent_id, row.ticket_id, row.side_id, row.version, drafted)


def gone(agent: int, ticket: int, *, drafted: bool) -> None:
    """Tell the agent's open pages that the draft of their answer on this ticket is there no more; `drafted`: whether
    another of theirs is.
    """
    _hint(agent, ticket, None, 0, drafted)


def _hint(agent: int, ticket: int | None, side: int | None, version: int, drafted: bool) -> None:
    told = {"draft": ticket, "side": side, "version": version, "drafted": drafted}
    transaction.on_commit(partial(live.hint, [agent], **told), robust=True)


def discard(
    agent: Agent, ticket: Ticket | None, side: SideConversation | None = None, *, version: int | None = None
) -> bool:
    """Throw a draft away; its uploads are swept. False where there is none. Superseded: it is of another `version`."""
    with transaction.atomic():
        row = of(agent, ticket, side).select_for_update().first()
        if row is None:
            return False
        if version is not None and row.version != version:
            raise Superseded(row)
        row.delete()
        row.version = 0
        _told(row)
        return True


def sent(message: Message, client_id: str | None, version: int | None = None) -> None:
    """What stands in this draft became a message, whose writer knew `version` of it; call it in that transaction.

    What another tab has written since, and the message does not say, stays as a draft of its own.
    """
    if message.agent_id is None or not client_id:
        return
    for row in Draft.objects.select_for_update().filter(agent=message.agent_id, client_id=client_id):
        if row.version <= (version or 0) or _is_said(row, message):
            row.delete()
            row.version = 0
        else:
            row.client_id = uuid4().hex
            row.version += 1
            row.save(update_fields=["client_id", "version"])
        _told(row)


def _is_said(row: Draft, message: Message) -> bool:
    """Whether a message says all that stands in a draft, which a tab keeps a moment later than it is typed."""
    said = " ".join(message.visible_text.split())
    try:  # as the text of a message is made; the browser's own differs, in numbered lists for one
        text = markup.to_text(markup.tight(markup.clean(row.html))) if row.html else row.text
    except markup.TooComplex:
        return False
    files = set(message.attachments.values_list("pk", flat=True))
    return said.startswith(" ".join(text.split())) and files.issuperset(row.attachments)


def put_back(agent: Agent, ticket: Ticket, written: Mapping[str, Any], side: SideConversation | None = None) -> Draft:
    """Put into the agent's composer what was not sent after all, before what they have begun to write since."""
    with transaction.atomic():
        row = of(agent, ticket, side).select_for_update(no_key=True).first()
        if row is None:
            row = Draft.objects.create(agent=agent, ticket=ticket, side=side, client_id=uuid4().hex, **written)
        else:
            since, chosen = _said_in(row), row.recipients
            for name, value in written.items():
                setattr(row, name, value)
            _append(row, since)
            row.recipients = _together(row.recipients, chosen)
            row.version += 1
            before, row.client_id = row.client_id, uuid4().hex
            row.updated_at = timezone.now()
            row.save()
            if ticket is not None:
                _renamed(ticket, before, row.client_id)
        _told(row)
        return row


def waiting_failures(ticket: int) -> QuerySet[Message]:
    """What failed and was put into a composer, but not sent from there yet. To be locked before the ticket is."""
    return Message.objects.filter(ticket=ticket, state=DeliveryState.FAILED, payload__has_key="written_again")


def _renamed(ticket: Ticket, before: str, now: str) -> None:
    """What failed is written again in the draft `before`, which is the draft `now`: it is replaced when that leaves."""
    for one in waiting_failures(ticket.pk).filter(payload__written_again=before):
        one.payload["written_again"] = now
        one.save(update_fields=["payload"])


def is_written_again(message: Message) -> bool:
    """Whether what a locked, failed message says stands in somebody's composer, or has left from there."""
    again, by = message.payload.get("written_again"), message.payload.get("again_by")
    if not again:
        return False
    left = MessageKey.objects.filter(scope=f"client:{by}", key=again, message__direction=Direction.OUT)
    return Draft.objects.filter(client_id=again).exists() or left.exists()


def _said_in(row: Draft) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("text", "html", "attachments", "macros")}


def _append(row: Draft, more: Mapping[str, Any]) -> None:
    row.text = "\n\n".join(text for text in (row.text.rstrip(), more["text"]) if text.strip())
    row.html = row.html + more["html"]
    row.attachments = list(dict.fromkeys([*row.attachments, *more["attachments"]]))
    row.macros = list(dict.fromkeys([*row.macros, *more["macros"]]))


def _together(said: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """What stands beside two texts that become one, as beside the first; but for all only where both are for all."""
    public = {OPTION + name: values for name, values in FOR_ALL.items()}
    return {**said, **{name: more[name] for name in public if said.get(name) in public[name] and name in more}}


def move(gone: Ticket, kept: Ticket) -> None:
    """Two tickets become one: what was being written on `gone` stands on `kept` from now on; both rows are locked."""
    for row in Draft.objects.select_for_update().filter(ticket=gone, side__isnull=True).order_by("agent"):
        there = Draft.objects.select_for_update().filter(agent=row.agent_id, ticket=kept, side__isnull=True).first()
        if there is None:
            row.ticket = kept
            row.save(update_fields=["ticket"])
            continue
        _append(there, _said_in(row))
        there.recipients = _together(there.recipients, row.recipients)
        there.version += 1
        there.save()
        _renamed(kept, row.client_id, there.client_id)
        row.delete()
        _told(there)
    Draft.objects.filter(ticket=gone).update(ticket=kept)  # of side conversations, which move with it


def named() -> QuerySet[Draft, Any]:
    """The ids of the uploads that drafts name, for a subquery."""
    return Draft.objects.annotate(one=Func(F("attachments"), function="unnest")).values("one")


def forget(tickets: Collection[int], words: re.Pattern[str] | None) -> set[str]:
    """Forget what was being written to an erased person, or names them; returns the files' names in storage."""
    theirs = Q(ticket__in=tickets)
    if words is not None:
        fields = "text", "html", "subject", "recipients"
        naming = [
            pk
            for pk, *said in Draft.objects.exclude(theirs).values_list("pk", *fields)
            if any(words.search(str(text)) for text in said)
        ]
        theirs |= Q(pk__in=naming)
    gone = Draft.objects.filter(theirs)
    named = {(agent, pk) for agent, ids in gone.values_list("agent", "attachments") for pk in ids}
    gone.delete()
    waiting = Attachment.objects.filter(pk__in={pk for _agent, pk in named}, message__isnull=True)
    # Whoever names an upload of somebody else must not have it deleted.
    own = {pk for pk, agent in waiting.values_list("pk", "uploaded_by") if (agent, pk) in named}
    files = Attachment.objects.filter(pk__in=own)
    stored = set(files.values_list("stored", flat=True))
    files.delete()
    return stored
