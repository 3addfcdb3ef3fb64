"""What other apps add to the screens of a ticket: above the composer, beside the conversation, within a message.

`inbox` knows none of them. Each registers what it adds when it is ready; what it has to read of the database it
registers as a part of the panel (`inbox.panel.register`), so that a page keeps its number of queries.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inbox.models import Agent, Customer, Message, Ticket

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django_stubs_ext import StrOrPromise

    from inbox.views.shell import AgentRequest

Rows = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Piece:
    """A template, and what it reads as `piece`. Of a message it stands below its words, or (`first`) above them."""

    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    first: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A place of the rail, on every page: `count` names what of the sidebar's counts stands at it, `shows` decides by
    what the request itself says, without a query, whether it is there.
    """

    key: str
    label: StrOrPromise
    icon: str
    url_name: str
    shows: Callable[[HttpRequest], bool]
    count: str = ""


OfTicket = Callable[[Agent, Ticket, Rows], Piece | None]
OfCustomer = Callable[[Agent, Customer, Rows], Piece | None]
OfMessage = Callable[[Message], Piece | None]
OfProfile = Callable[["AgentRequest"], Piece | None]

_above: list[OfTicket] = []
_beside: list[OfTicket] = []
_customer: list[OfCustomer] = []
_within: list[OfMessage] = []
_links: list[Link] = []
_profile: list[OfProfile] = []


def above(maker: OfTicket) -> OfTicket:
    """Decorator: makes what stands above the composer of a ticket, of the panel's rows; None for nothing."""
    _above.append(maker)
    return maker


def beside(maker: OfTicket) -> OfTicket:
    """Decorator: makes what stands beside a conversation, of the panel's rows; None for nothing."""
    _beside.append(maker)
    return maker


def customer(maker: OfCustomer) -> OfCustomer:
    """Decorator: makes what is said of a customer below their facts, beside a conversation and on their own page."""
    _customer.append(maker)
    return maker


def of_customer(agent: Agent, found: Customer, rows: Rows) -> list[Piece]:
    return [piece for maker in _customer if (piece := maker(agent, found, rows)) is not None]


def within(maker: OfMessage) -> OfMessage:
    """Decorator: makes what a message of the timeline shows besides its words; None for nothing."""
    _within.append(maker)
    return maker


def profile(maker: OfProfile) -> OfProfile:
    """Decorator: makes what stands below one's profile in the settings; None for nothing."""
    _profile.append(maker)
    return maker


def of_profile(request: AgentRequest) -> list[Piece]:
    return [piece for maker in _profile if (piece := maker(request)) is not None]


def link(one: Link) -> None:
    _links.append(one)


def of_ticket(agent: Agent, ticket: Ticket, rows: Rows) -> dict[str, list[Piece]]:
    """What stands above the composer and beside the conversation."""
    return {
        name: [piece for maker in makers if (piece := maker(agent, ticket, rows)) is not None]
        for name, makers in (("above", _above), ("beside", _beside))
    }


def of_message(message: Message) -> list[Piece]:
    return [piece for maker in _within if (piece := maker(message)) is not None]


def links(request: HttpRequest) -> list[Link]:
    return [one for one in _links if one.shows(request)]
