"""Where an answer leaves, and whom it reaches unless its writer says otherwise."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db.models import Q
from django.utils.translation import gettext as _

from inbox.actions import customers
from inbox.actions.work import is_ours
from inbox.adapters import adapter_for
from inbox.models import (
    Channel,
    Direction,
    Identity,
    Message,
    Origin,
    Participant,
    ParticipantRole,
    Ticket,
)

Recipients = list[dict[str, str]]


def choose_channel(ticket: Ticket) -> tuple[Channel, str]:
    """The channel a reply leaves on unless the agent picks another, and why that one."""
    if ticket.last_customer_message_at is None:
        return ticket.channel, _("The channel of this ticket")
    return ticket.reply_channel, _("The channel of the customer's last message")


def last_inbound(ticket: Ticket, channel: Channel | None = None) -> Message | None:
    """The newest message from a participant, on one channel if given."""
    found = Message.objects.conversation().filter(ticket=ticket, direction=Direction.IN, unverified=False)
    found = found.filter(deleted_at__isnull=True)
    found = found.exclude(origin=Origin.LOGGED)  # a call has no address to answer to
    if channel is not None:
        found = found.filter(channel=channel)
    return found.order_by("-id").first()


def default_recipients(ticket: Ticket, channel: Channel | None = None) -> tuple[Recipients, Recipients]:
    """Whom a reply goes to: the requester (where they asked to be answered), and in copy all confirmed participants."""
    channel = channel or choose_channel(ticket)[0]
    adapter = adapter_for(channel.kind)
    if adapter.messenger:
        return _on_messenger(ticket, channel), []
    kind, own = adapter.identity_kind, adapter.own_addresses(channel)
    requester: Recipients = []
    others: Recipients = []
    for participant in (
        Participant.objects.filter(ticket=ticket, confirmed=True, until__isnull=True, identity__kind=kind)
        .select_related("identity")
        .order_by("pk")
    ):
        if is_ours(participant.identity.value, own):
            continue
        one = {"name": participant.identity.name, "address": participant.identity.value}
        (requester if participant.role == ParticipantRole.REQUESTER else others).append(one)
    if not requester:
        requester = [{"name": "", "address": value} for value in customers.active_values(ticket.customer_id, kind)[:1]]
    if not requester and others:  # they wrote from an address that is not their own here: it is they who are answered
        last = last_inbound(ticket, channel)
        spoke = [one for one in others if last is not None and one["address"] == last.author_address]
        requester = spoke or others[:1]
    asked = _asked_reply_to(ticket, channel, requester, own)
    known = {one["address"] for one in asked}
    return asked, [one for one in others if one["address"] not in known]


def _on_messenger(ticket: Ticket, channel: Channel) -> Recipients:
    """On a messenger one person is written to: who wrote last there in this ticket, else its customer."""
    ways = adapter_for(channel.kind).reaches(channel, ticket)
    takes_part = Q(participations__ticket=ticket, participations__confirmed=True, participations__until__isnull=True)
    theirs = Q(customer=ticket.customer_id) | takes_part
    found = {
        (one.kind, one.scope, one.value): one
        for one in Identity.objects.active().filter(theirs, kind__in={kind for kind, _ in ways}).order_by("-pk")
        if (one.kind, one.scope) in ways
    }
    last = last_inbound(ticket, channel)
    spoke = [one for one in found.values() if last is not None and one.value == last.author_address]
    own = [one for one in found.values() if one.customer_id == ticket.customer_id]
    best = sorted(own, key=lambda one: ways.index((one.kind, one.scope)))
    return [{"name": one.name, "address": one.value} for one in [*spoke, *best, *found.values()][:1]]


def _asked_reply_to(ticket: Ticket, channel: Channel, requester: Recipients, own: Collection[str]) -> Recipients:
    """Where the requester's own last message asked for answers (Reply-To), else their address."""
    if not requester:
        return requester
    # A sender is easily forged, and a forged Reply-To would take the answer away: only what opened the ticket, or
    # came back with our signature, may ask for that.
    proven = Message.objects.conversation().filter(
        ticket=ticket,
        channel=channel,
        direction=Direction.IN,
        unverified=False,
        author_address=requester[0]["address"],
        thread_rule__in=["new", "follow_up", "token", "manual", "blocked"],
    )
    last = proven.order_by("-id").first()
    if last is None:
        return requester
    asked = [one for one in last.reply_to if not is_ours(one["address"], own)]
    return asked[:5] or requester


def strangers(ticket: Ticket, to: Sequence[dict[str, str]], channel: Channel) -> list[str]:
    """Those of these addresses that neither the customer has nor anybody who takes part in the ticket."""
    asked = [one["address"] for one in default_recipients(ticket, channel)[0]]
    theirs = Identity.objects.filter(
        Q(customer=ticket.customer_id, retired_at__isnull=True)
        | Q(pk__in=Participant.objects.filter(ticket=ticket, until__isnull=True).values("identity"))
    )
    known = {value.lower() for value in [*asked, *theirs.values_list("value", flat=True)]}
    return [one["address"] for one in to if one["address"].lower() not in known]
