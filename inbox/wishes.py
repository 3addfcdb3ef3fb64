"""What a customer wishes of us: nothing more by some kinds of channel, and one channel rather than the others."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from inbox.adapters import Verdict, adapter_for, kinds
from inbox.models import Channel, Customer, Direction, Identity, Message, Origin, Ticket


def refusal(ticket: Ticket, channel: Channel, *, automatic: bool = False) -> str:
    """Why nothing of ours may leave here, where the customer opted out of this kind of channel; empty where it may.

    On a messenger that is for everything (STOP, above all). By mail and in a chat it is for what we begin and for what
    nobody wrote: whoever wrote this way in this ticket is answered.
    """
    if channel.kind not in ticket.customer.opt_outs:
        return ""
    adapter = adapter_for(channel.kind)
    told = {"kind": adapter.label}
    if adapter.messenger:
        return (
            _(
                "This customer asked for no more messages here. Once they ask for them again, take %(kind)s out of "
                "“Wants nothing by” in their profile."
            )
            % told
        )
    if automatic or not _asked_here(ticket, channel.kind):
        return (
            _(
                "This customer wants nothing by %(kind)s but answers to what they wrote that way in this ticket. "
                "Take another channel."
            )
            % told
        )
    return ""


def verdict(ticket: Ticket, channel: Channel, *, automatic: bool = False) -> Verdict:
    """Whether a reply may leave here now, as `Adapter.may_reply` says it; first of all the customer must want it."""
    if reason := refusal(ticket, channel, automatic=automatic):
        return Verdict(False, reason)
    return adapter_for(channel.kind).may_reply(ticket, channel)


def preferred(customer: Customer, seen: QuerySet[Channel]) -> Channel | None:
    """The channel that somebody prefers, where it is one of those `seen` and what we begin reaches them on it now."""
    if customer.preferred_channel_id is None:
        return None
    channel = seen.filter(pk=customer.preferred_channel_id, paused=False).first()
    if channel is None or channel.kind not in kinds():
        return None
    adapter = adapter_for(channel.kind)
    ways = adapter.reaches(channel)
    theirs = Identity.objects.active().filter(customer=customer, kind__in={kind for kind, _scope in ways})
    reached = any(way in ways for way in theirs.values_list("kind", "scope"))
    begun = Ticket(customer=customer, channel=channel, reply_channel=channel)
    may = reached and adapter.may_send(channel).allowed and verdict(begun, channel).allowed
    return channel if may else None


def _asked_here(ticket: Ticket, kind: str) -> bool:
    """Whether they wrote this way in this ticket; what we noted of a call is nothing that they wrote."""
    wrote = Message.objects.conversation().filter(ticket_id=ticket.pk, direction=Direction.IN, channel__kind=kind)
    return ticket.pk is not None and wrote.filter(unverified=False).exclude(origin=Origin.LOGGED).exists()
