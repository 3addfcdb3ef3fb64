"""The one door to objects: what this person may see. A foreign object is a 404, as if it were not there.

A channel with teams is seen by them alone (and by admins); a channel without teams by everybody. A mail that reached
two channels is seen by those who see either. A private team's
tickets are seen by its members alone. Whoever owns a ticket sees it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404

from inbox.bundle import there_is, together
from inbox.models import (
    Agent,
    Attachment,
    Block,
    Channel,
    Customer,
    Macro,
    Mention,
    Message,
    Organisation,
    Receipt,
    Role,
    SavedView,
    SideConversation,
    Team,
    Ticket,
)
from inbox.models.tickets import TicketQuerySet

Kept = TypeVar("Kept", Macro, SavedView)
# What a ticket's page says of it, read with it.
BESIDE_TICKET = ("customer__organisation", "channel__brand", "reply_channel__brand", "assignee", "team")


TeamRows = list[tuple[int, bool, int | None]]


def team_rows() -> TeamRows:
    """Each team with whether it is private, once for each of its channels: what decides who sees what."""
    return list(Team.objects.values_list("pk", "private", "channels"))


class Sight:
    """What an agent does not see: ids of channels and of private teams; and which teams are theirs.

    One query, kept for the agent's request.
    """

    _channels: list[int] | None
    hidden_tickets: Any = None  # for whoever gathers them (`reports.engine.hiding`)

    def __init__(self, agent: Agent) -> None:
        rows = together({
            "mine": agent.teams.order_by().values("pk"),
            "teams": Team.objects.order_by().values("pk", "private", "channels"),
            "channels": Channel.objects.order_by().values("pk"),
        })  # fmt: skip
        teams = [(row["pk"], row["private"], row["channels"]) for row in rows["teams"]]
        self._look({row["pk"] for row in rows["mine"]}, agent.role == Role.ADMIN, teams)
        self._channels = [row["pk"] for row in rows["channels"] if row["pk"] not in self.hidden_channels]

    @classmethod
    def of(cls, mine: Collection[int], is_admin: bool, rows: TeamRows) -> Sight:
        """The same without a query, for whoever has these teams; `rows` are those of `team_rows`."""
        self = cls.__new__(cls)
        self._look(mine, is_admin, rows)
        return self

    def _look(self, mine: Collection[int], is_admin: bool, rows: TeamRows) -> None:
        self.teams = set(mine)
        self.hidden_teams = {team for team, private, _ in rows if private and team not in mine}
        if is_admin:
            self.hidden_channels: set[int] = set()
        else:
            with_teams = {channel for _, _, channel in rows if channel}
            seen = {channel for team, _, channel in rows if channel and team in mine}
            self.hidden_channels = with_teams - seen
        self._channels = None

    @property
    def channels(self) -> list[int]:
        """Ids of the channels that are seen."""
        if self._channels is None:
            self._channels = list(Channel.objects.exclude(pk__in=self.hidden_channels).values_list("pk", flat=True))
        return self._channels

    def shows(self, ticket: Ticket) -> bool:
        """Whether a ticket is seen by whoever it is not given to."""
        if ticket.team_id in self.hidden_teams:
            return False
        return ticket.channel_id not in self.hidden_channels or not self.hidden_channels.issuperset(
            ticket.also_channels
        )


def sight(agent: Agent) -> Sight:
    """Cached on the agent object, which lives as long as the request."""
    kept: Sight | None = getattr(agent, "_sight", None)
    if kept is None:
        kept = Sight(agent)
        agent._sight = kept  # type: ignore[attr-defined]
    return kept


def tickets(agent: Agent) -> TicketQuerySet:
    out = _hidden(agent)
    return Ticket.objects.all() if out is None else Ticket.objects.filter(~out | Q(assignee=agent))


def unseen(agent: Agent) -> TicketQuerySet:
    """All others: mostly few, where those that are seen are a million."""
    out = _hidden(agent)
    return Ticket.objects.none() if out is None else Ticket.objects.filter(out).exclude(assignee=agent)


def _hidden(agent: Agent) -> Q | None:
    """Which tickets are hidden from an agent to whom they are not given; None where no ticket is."""
    hidden = sight(agent)
    if not (hidden.hidden_channels or hidden.hidden_teams):
        return None
    out = Q(pk__in=[])
    if hidden.hidden_channels:
        # A mail that reached one of ours as well is ours to see.
        out |= Q(channel__in=hidden.hidden_channels) & ~Q(also_channels__overlap=hidden.channels)
    if hidden.hidden_teams:
        out |= Q(team__isnull=False, team__in=hidden.hidden_teams)
    return out


def sees(agent: Agent, ticket: Ticket) -> bool:
    """The same rule as `tickets`, for a row at hand."""
    return ticket.assignee_id == agent.pk or sight(agent).shows(ticket)


def seers(ticket: Ticket) -> QuerySet[Agent]:
    """The people who see this ticket: the rule of `sees`, the other way round, in one query."""
    one = OuterRef("pk")
    channels = [ticket.channel_id, *ticket.also_channels]
    team = ticket.team_id or 0
    of_team = ~Exists(Team.objects.filter(pk=team, private=True)) | Exists(Team.objects.filter(pk=team, members=one))
    of_channel = (
        Q(role=Role.ADMIN)
        | Exists(Channel.objects.filter(pk__in=channels, teams__isnull=True))
        | Exists(Team.objects.filter(channels__in=channels, members=one))
    )
    found = Agent.objects.filter(is_active=True, is_bot=False)
    return found.filter(Q(pk=ticket.assignee_id) | (Q(of_team) & of_channel))


def mentions(agent: Agent) -> QuerySet[Mention]:
    """Notes that name this agent, on tickets they see; new are those without `seen_at`."""
    return Mention.objects.filter(agent=agent, ticket__in=tickets(agent))


def get_ticket(agent: Agent, number: int) -> Ticket:
    found = tickets(agent).select_related(*BESIDE_TICKET).filter(number=number).first()
    if found is None:
        raise Http404
    return found


def writable_ticket(agent: Agent, number: int) -> Ticket:
    """As `get_ticket`, for somebody who means to change it. Raises PermissionDenied for light agents."""
    found = get_ticket(agent, number)
    if not agent.may_write:
        raise PermissionDenied
    return found


def channels(agent: Agent) -> QuerySet[Channel]:
    return Channel.objects.exclude(pk__in=sight(agent).hidden_channels)


def get_channel(agent: Agent, slug_or_id: str | int) -> Channel:
    """By slug, or by id when it is all digits and no slug is."""
    name = str(slug_or_id)
    by = Q(slug=name) | Q(pk=int(name)) if name.isdecimal() and len(name) < 19 else Q(slug=name)
    found = channels(agent).filter(by).first()
    if found is None:
        raise Http404
    return found


def customers(agent: Agent) -> QuerySet[Customer]:
    """Customers with a ticket this agent sees, and those without any ticket."""
    found = Customer.objects.filter(merged_into__isnull=True, erased_at__isnull=True)
    hidden = sight(agent)
    if hidden.hidden_channels or hidden.hidden_teams:
        any_ticket = Ticket.objects.filter(customer=OuterRef("pk"))
        found = found.filter(there_is(tickets(agent).filter(customer=OuterRef("pk"))) | there_is(any_ticket, no=True))
    return found


def get_customer(agent: Agent, pk: int) -> Customer:
    found = customers(agent).select_related("organisation").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def get_merged_customer(agent: Agent, pk: int) -> Customer:
    """A customer who was merged into one that this agent sees."""
    found = Customer.objects.filter(pk=pk, merged_into__isnull=False, erased_at__isnull=True).first()
    if found is None or not customers(agent).filter(merged=found).exists():
        raise Http404
    return found


def organisations(agent: Agent) -> QuerySet[Organisation]:
    """Those with a customer or ticket that this agent sees, and those with neither."""
    found = Organisation.objects.all()
    hidden = sight(agent)
    if hidden.hidden_channels or hidden.hidden_teams:
        theirs = OuterRef("pk")
        found = found.filter(
            there_is(customers(agent).filter(organisation=theirs))
            | there_is(tickets(agent).filter(organisation=theirs))
            | there_is(Customer.objects.filter(organisation=theirs), no=True)
            & there_is(Ticket.objects.filter(organisation=theirs), no=True)
        )
    return found


def blocks(agent: Agent) -> QuerySet[Block]:
    """Those of senders of tickets that this agent sees, and those that name no ticket."""
    return Block.objects.filter(Q(ticket__isnull=True) | Q(by=agent) | Q(ticket__in=tickets(agent)))


def get_organisation(agent: Agent, pk: int) -> Organisation:
    found = organisations(agent).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def messages(agent: Agent) -> QuerySet[Message]:
    hidden = sight(agent)
    if not (hidden.hidden_channels or hidden.hidden_teams):
        return Message.objects.all()
    return Message.objects.filter(ticket__in=tickets(agent))


def get_message(agent: Agent, pk: int) -> Message:
    found = messages(agent).select_related("ticket", "channel", "agent", "customer").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def get_side(agent: Agent, pk: int) -> SideConversation:
    found = SideConversation.objects.select_related("ticket", "ticket__customer", "channel").filter(pk=pk).first()
    if found is None or not sees(agent, found.ticket):
        raise Http404
    return found


def get_attachment(agent: Agent, pk: int) -> Attachment:
    """A file of a message this agent sees, or an upload of their own that still waits."""
    found = (
        Attachment.objects.select_related("message")
        .filter(Q(message__in=messages(agent)) | Q(message__isnull=True, uploaded_by=agent))
        .filter(pk=pk)
        .first()
    )
    if found is None:
        raise Http404
    return found


def receipts(agent: Agent) -> QuerySet[Receipt]:
    return Receipt.objects.exclude(channel__in=sight(agent).hidden_channels)


def get_receipt(agent: Agent, pk: int) -> Receipt:
    found = receipts(agent).select_related("channel").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def agents(agent: Agent) -> QuerySet[Agent]:
    """Whom a ticket can be given to."""
    return Agent.objects.filter(is_active=True, is_bot=False).exclude(role=Role.LIGHT).order_by("name", "pk")


def teams(agent: Agent) -> QuerySet[Team]:
    return Team.objects.exclude(pk__in=sight(agent).hidden_teams)


def get_team(agent: Agent, slug_or_id: str | int) -> Team:
    """By slug, or by id when it is all digits and no slug is."""
    name = str(slug_or_id)
    by = Q(slug=name) | Q(pk=int(name)) if name.isdecimal() and len(name) < 19 else Q(slug=name)
    found = sorted(teams(agent).filter(by), key=lambda team: team.slug != name)
    if not found:
        raise Http404
    return found[0]


def kept(noun: type[Kept], agent: Agent) -> QuerySet[Kept]:
    """Macros or views: one's own, those of one's teams, and those that everybody has."""
    shared = Q(owner__isnull=True) & (Q(team__isnull=True) | Q(team__in=agent.teams.all()))
    return noun._default_manager.filter(Q(owner=agent) | shared)


def get_kept(noun: type[Kept], agent: Agent, pk: int) -> Kept:
    found = kept(noun, agent).select_related("team", "owner").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
