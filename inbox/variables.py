"""Variables in canned words: `{{customer.first_name}}`, or with what to say where there is none, `{{ticket.topic|it}}`.

What is put in is text from people, strangers among them: it is never looked at for variables again, and where the
words are HTML it is escaped. A variable that nobody knows stays as it stands, so that whoever sends it sees it; so does
one that is empty and has nothing to say instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from typing import TYPE_CHECKING, Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from inbox.models import Agent, Channel, Ticket

ATTRIBUTES = "ticket.attributes."
LONGEST = 1000  # characters that one variable puts in

# Every variable with what it stands for, as the settings pages list them.
KNOWN: dict[str, str | Promise] = {
    "customer.name": _("the customer’s name"),
    "customer.first_name": _("the customer’s first name"),
    "agent.name": _("the name of whoever answers"),
    "agent.first_name": _("the first name of whoever answers"),
    "ticket.number": _("the number of the ticket"),
    "ticket.subject": _("the subject of the ticket"),
    "organisation.name": _("the customer’s organisation"),
    "team.name": _("the ticket’s team"),
    "channel.name": _("the channel the answer leaves on"),
    "brand.name": _("the brand of that channel"),
    f"{ATTRIBUTES}…": _("a field of the ticket, by its key"),
}
_VARIABLE = re.compile(r"\{\{\s*([a-z]+(?:\.[a-z_]+)*(?:\.[\w-]+)?)\s*(?:\|([^{}\n]{0,200}))?\}\}")


@dataclass
class Rendered:
    """`gaps` are the variables that stay as they stand, each as it is written there."""

    text: str
    gaps: list[str] = field(default_factory=list)


def is_known(name: str) -> bool:
    if name.startswith(ATTRIBUTES):
        return len(name) > len(ATTRIBUTES)
    return name in KNOWN


def unknown(text: str) -> list[str]:
    """The variables in a text that nobody knows: slips of whoever wrote it."""
    return [name for name in dict.fromkeys(names(text)) if not is_known(name)]


def names(text: str) -> Iterator[str]:
    return (match[1] for match in _VARIABLE.finditer(text))


def values(ticket: Ticket | None, agent: Agent | None, channel: Channel | None = None) -> dict[str, str]:
    """What the variables are for this ticket, answered by this agent on this channel; empty where there is nothing."""
    found: dict[str, str] = {}
    if agent is not None:
        found |= {"agent.name": agent.name, "agent.first_name": first_name(agent.name)}
    if channel is not None:
        found |= {"channel.name": channel.name, "brand.name": channel.brand.name if channel.brand else ""}
    if ticket is not None:
        customer = ticket.customer
        found |= {
            "customer.name": customer.name,
            "customer.first_name": first_name(customer.name),
            "ticket.number": str(ticket.number),
            "ticket.subject": ticket.subject,
            "organisation.name": customer.organisation.name if customer.organisation else "",
            "team.name": ticket.team.name if ticket.team else "",
        }
        found |= {f"{ATTRIBUTES}{key}": _words(value) for key, value in ticket.attributes.items()}
    return found


def example() -> dict[str, str]:
    """Values for a preview that belongs to no ticket."""
    return {
        "customer.name": "Ayesha Khan",
        "customer.first_name": "Ayesha",
        "agent.name": "Sana Malik",
        "agent.first_name": "Sana",
        "ticket.number": "1042",
        "ticket.subject": "Where is my parcel?",
        "organisation.name": "Khan Textiles",
        "team.name": "Support",
        "channel.name": "Support",
        "brand.name": "Karvaan",
    }


def first_name(name: str) -> str:
    """`Ayesha` of `Ayesha Khan`, of `Khan, Ayesha`, and of `Dr. Ayesha Khan`; empty for what is an address."""
    if "@" in name:
        return ""
    given = name.partition(",")[2] or name
    words = [word for word in given.split() if not (word.endswith(".") and len(word) < 6)]
    return words[0] if words else ""


def _words(value: Any) -> str:
    if isinstance(value, bool):
        return str(_("yes")) if value else str(_("no"))
    if isinstance(value, list):
        return ", ".join(_words(one) for one in value)
    return "" if value is None or isinstance(value, dict) else str(value)


def render(text: str, found: Mapping[str, str], *, quiet: bool = False) -> Rendered:
    """Plain words with their variables filled in. `quiet`: what is known but empty leaves nothing behind."""
    return _fill(text, found, lambda value: value, lambda written: written, quiet)


def render_html(markup: str, found: Mapping[str, str], *, quiet: bool = False) -> Rendered:
    """The same for HTML: what is put in is escaped."""
    return _fill(markup, found, lambda value: escape(value), unescape, quiet)


def _fill(
    text: str,
    found: Mapping[str, str],
    put: Callable[[str], str],
    read: Callable[[str], str],
    quiet: bool,
) -> Rendered:
    gaps: list[str] = []

    def filled(match: re.Match[str]) -> str:
        value = " ".join(found.get(match[1], "").split())[:LONGEST]
        if value:
            return put(value)
        if match[2] is not None and is_known(match[1]):
            return match[2].strip()  # of whoever wrote the words, as they are
        if quiet and is_known(match[1]):
            return ""
        gaps.append(read(match[0]))
        return match[0]

    return Rendered(_VARIABLE.sub(filled, text), list(dict.fromkeys(gaps)))
