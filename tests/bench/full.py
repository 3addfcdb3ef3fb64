"""Fills lists that a history leaves short: measured with a page of rows at any size, or what grew would be the rows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inbox.models import Agent


def fill(agent: Agent) -> None:
    """Give this agent more than a page of tickets in each view of the sidebar, out of closed ones; twice is as once."""
    from inbox import default_views
    from inbox.models import Ticket

    for _heading, views in default_views.groups(agent):
        for view in views:
            missing = most() - default_views.to_count(agent, view).count()
            if missing <= 0:
                continue
            closed = default_views.select(agent, default_views.VIEWS["closed"].match)
            theirs = list(closed.order_by("-last_message_at", "-number")[:missing])
            assert len(theirs) == missing, f"too few closed tickets for {view.key}"
            Ticket.objects.filter(pk__in=[one.pk for one in theirs]).update(**fields(agent, view.match))
            belong(agent, view.key, theirs)


def most() -> int:
    from inbox.lists import PAGE

    return PAGE + PAGE // 2


def fields(agent: Agent, match: Any) -> dict[str, Any]:
    """What a ticket carries that a view asks for."""
    from django.utils import timezone

    now = timezone.now()
    when = {"snoozed": ("snoozed_until", now + timedelta(days=3)), "trashed": ("trashed_at", now)}
    found: dict[str, Any] = {}
    for name, value in match.items():
        if name in when:
            field, moment = when[name]
            found[field] = moment if value == "yes" else None
        elif name == "spam":
            found[name] = value == "yes"
        elif name == "assignee":
            found["assignee_id"] = agent.pk if value == "me" else None
        elif name in {"team", "channel"}:
            found[f"{name}_id"] = int(value)
        elif name == "status":
            found[name] = value
    if found.get("status", "closed") not in {"solved", "closed"}:
        found |= {"waiting_since": now - timedelta(days=1), "solved_at": None, "closed_at": None}
    return found


def belong(agent: Agent, view: str, tickets: Any) -> None:
    """What makes a ticket one of an agent's own lists."""
    from inbox.models import Draft, Mention, Message, TicketFollower

    if view == "drafts":
        Draft.objects.bulk_create(
            (Draft(agent=agent, ticket=one, text="I have just asked", client_id=f"full-{one.pk}") for one in tickets),
            ignore_conflicts=True,
        )
    elif view == "following":
        TicketFollower.objects.bulk_create(
            (TicketFollower(agent=agent, ticket=one) for one in tickets), ignore_conflicts=True
        )
    elif view == "mentions":
        Mention.objects.bulk_create(
            Mention(agent=agent, ticket=one, message=Message.objects.filter(ticket=one).order_by("pk")[0])
            for one in tickets
            if not one.mentions.filter(agent=agent).exists()
        )
