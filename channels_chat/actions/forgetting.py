"""What is kept of visitors: told to whoever may export it, forgotten with their customer, and gone after CHAT_DAYS."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from api import timeline
from channels_chat import hub
from channels_chat.models import (
    LIVE,
    Chat,
    ChatState,
    FlowEntry,
    InvitationRun,
    JourneyRun,
    Transcript,
    Visitor,
    VisitorKey,
)
from inbox import access
from inbox.actions import erasing, joining, naming
from inbox.models import Agent, Customer

BATCH = 500


@erasing.also
def forget(person: naming.Person) -> None:
    """Of an erased person's chats ids, times, states and scores stay, which are figures. Within the erasure.

    Open pages are told that their session is gone.
    """
    visitors = list(Visitor.objects.filter(customer__in=person.customers).values_list("pk", flat=True))
    chats = Chat.objects.filter(Q(visitor__in=visitors) | Q(engagement__ticket__in=person.tickets))
    chats.update(fields={}, comment="", page="", topic="", flow={}, bot_until=None)
    FlowEntry.objects.filter(chat__in=chats).update(choice="")
    Transcript.objects.filter(chat__in=chats).delete()
    chats.filter(LIVE).update(state=ChatState.ENDED, offered_to=None, offer_until=None)
    for run in (JourneyRun, InvitationRun):
        run._default_manager.filter(visitor__in=visitors).update(visitor=None)
    now = timezone.now()
    for pk in visitors:
        Visitor.objects.filter(pk=pk).update(
            digest=secrets.token_hex(32),
            address=f"erased-{pk}",
            user="",
            name="",
            email="",
            phone="",
            language="",
            time_zone="",
            attributes={},
            pages=[],
            referrer="",
            ended_at=now,
            owed_at=None,
        )
    VisitorKey.objects.filter(visitor__in=visitors).delete()
    hub.tell(visitors)


def visits(agent: Agent, customer: Customer) -> Iterable[dict[str, Any]]:
    """A customer's browsers and what they looked at, for their export."""
    seen = access.channels(agent)
    names = ("channel__slug", "user", "name", "email", "phone", "language", "time_zone", "attributes", "pages",
             "referrer", "visits", "consented_at", "created_at", "last_seen_at")  # fmt: skip
    found = Visitor.objects.filter(customer=customer, channel__in=seen)
    return [dict(row) for row in found.order_by("pk").values("id", *names)]


def chats(agent: Agent, customer: Customer) -> Iterable[dict[str, Any]]:
    """A customer's chats, for their export: of tickets that this agent sees."""
    names = ("state", "end", "topic", "language", "page", "fields", "score", "comment", "rated_at", "queued_at",
             "first_human_at")  # fmt: skip
    found = Chat.objects.filter(engagement__ticket__in=access.tickets(agent)).filter(
        Q(visitor__customer=customer) | Q(engagement__ticket__customer=customer)
    )
    told = found.order_by("pk").values("id", "engagement__ticket", "visitor", "engagement__requested_at",
                                       "engagement__ended_at", *names)  # fmt: skip
    return [dict(row) for row in told]


def prune() -> int:
    """Forget, after CHAT_DAYS, visitors who never wrote and what they looked at, and runs of journeys and invitations
    that figures need no more; returns how many visitors went. 0 days: never.
    """
    if not settings.CHAT_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.CHAT_DAYS)
    gone = 0
    nobody = Visitor.objects.filter(last_seen_at__lt=before, customer__isnull=True, chats__isnull=True)
    while ids := list(nobody.values_list("pk", flat=True)[:BATCH]):
        gone += Visitor.objects.filter(pk__in=ids).delete()[1].get("channels_chat.Visitor", 0)
    # Whoever wrote stays known to their browser; what they looked at then is nobody's business any more.
    old = Visitor.objects.filter(last_seen_at__lt=before).exclude(pages=[], referrer="")
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        Visitor.objects.filter(pk__in=ids).update(pages=[], referrer="")
    for run, at in ((JourneyRun, "started_at"), (InvitationRun, "due_at")):
        rows = run._default_manager.filter(**{f"{at}__lt": before})
        while ids := list(rows.values_list("pk", flat=True)[:BATCH]):
            run._default_manager.filter(pk__in=ids).delete()
    return gone


joining.carry("visitors", Visitor)
timeline.also("visits", visits)
timeline.also("chats", chats)
