"""What a customer wishes of us: nothing more by some kinds of channel, and one channel rather than the others."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from inbox.actions import customers
from inbox.adapters import Verdict, adapter_for, kinds
from inbox.models import Channel, Customer, Direction, Message, Origin, Ticket


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
    channel = seen.filter(pk=customer.preferred_channel_id).first()
    return channel if channel is not None and _reaches(customer, channel) else None


def begins(customer: Customer, seen: QuerySet[Channel], stands: Channel | None) -> Channel | None:
    """The channel to begin on with somebody: the one that they prefer, else the one that `stands` there if it reaches
    them, else the first of those `seen` that does, mail before all others; None where none does.
    """
    if (prefers := preferred(customer, seen)) is not None:
        return prefers
    others = sorted((one for one in seen if one != stands), key=lambda one: one.kind != "email")
    rows = others if stands is None else [stands, *others]
    return next((one for one in rows if _reaches(customer, one)), None)


def _reaches(customer: Customer, channel: Channel) -> bool:
    """Whether what we begin there reaches them now: words of our own, not only a template."""
    if channel.kind not in kinds() or channel.paused:
        return False
    if customers.address_on(customer, channel) is None:
        return False
    begun = Ticket(customer=customer, channel=channel, reply_channel=channel)
    return adapter_for(channel.kind).may_send(channel).allowed and verdict(begun, channel).allowed


def _asked_here(ticket: Ticket, kind: str) -> bool:
    """Whether they wrote this way in this ticket; what we noted of a call is nothing that they wrote."""
    wrote = Message.objects.conversation().filter(ticket_id=ticket.pk, direction=Direction.IN, channel__kind=kind)
    return ticket.pk is not None and wrote.filter(unverified=False).exclude(origin=Origin.LOGGED).exists()
