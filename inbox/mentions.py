"""Colleagues named in a note by @: who can be, who is, and how the note shows them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db.models import Exists, OuterRef, QuerySet
from django.utils.html import escape

from inbox import access
from inbox.models import Agent, Mention, Team, Ticket

MOST = 2000  # people and teams that are looked for


@dataclass(frozen=True, slots=True)
class Mentionable:
    """A person, or a team, which stands for those of its members who see the ticket."""

    kind: Literal["agent", "team"]
    pk: int
    name: str
    away: bool = False


def offered(agent: Agent, ticket: Ticket) -> list[Mentionable]:
    """Whom `agent` can name in a note on this ticket: whoever sees it, and the teams with somebody who does."""
    seers = access.seers(ticket)
    rows = list(seers.order_by("name", "pk").values_list("pk", "name", "email", "away")[:MOST])
    times = Counter(name.casefold() for _pk, name, _email, _away in rows)
    people = [
        Mentionable("agent", pk, name if times[name.casefold()] == 1 else whole(name, email), away)
        for pk, name, email, away in rows
        if pk != agent.pk
    ]
    teams = access.teams(agent).filter(Exists(seers.filter(teams=OuterRef("pk")))).order_by("name")
    return [*people, *(Mentionable("team", pk, name) for pk, name in teams.values_list("pk", "name")[:MOST])]


def whole(name: str, email: str) -> str:
    """How somebody is named whose name somebody else bears, too."""
    return f"{name} ({email})"


@dataclass
class Named:
    """What a note's text names: `agents` are to be told, `said` is how each stands there, `untold` may not see it."""

    agents: list[int]
    said: list[dict[str, Any]]
    untold: list[str]

    def as_payload(self) -> dict[str, Any]:
        told: dict[str, Any] = {"mentions": self.said} if self.said else {}
        return told | ({"untold": self.untold} if self.untold else {})


def named(text: str, ticket: Ticket, by: Agent | None) -> Named:
    """Whom this text names by @ and their whole name, or their team's. Some queries where there is an @, else none."""
    out = Named([], [], [])
    if "@" not in text:
        return out
    everybody = Agent.objects.filter(is_active=True, is_bot=False).values_list("pk", "name", "email")[:MOST]
    teams = dict((access.teams(by) if by else Team.objects.all()).values_list("pk", "name")[:MOST])
    sees = set(access.seers(ticket).values_list("pk", flat=True))
    keys: dict[str, list[tuple[str, int]]] = {}
    for pk, name, email in everybody:
        keys.setdefault(name.casefold(), []).append(("agent", pk))
        keys.setdefault(whole(name, email).casefold(), []).append(("agent", pk))
    for pk, name in teams.items():
        keys.setdefault(name.casefold(), []).append(("team", pk))
    members: dict[int, list[int]] = {}
    found = [(words, kind, pk) for words in _found(text, keys) for kind, pk in keys[words.casefold()]]
    if named_teams := {pk for _words, kind, pk in found if kind == "team"}:
        through = Team.members.through.objects.filter(team__in=named_teams).values_list("team_id", "agent_id")
        for team, agent in through:
            members.setdefault(team, []).append(agent)
    for words, kind, pk in found:
        if kind == "team":
            out.agents += [one for one in members.get(pk, []) if one in sees]
            out.said.append({"team": pk, "as": words})
        elif pk in sees:
            out.agents.append(pk)
            out.said.append({"agent": pk, "as": words})
        else:
            out.untold.append(words)
    own = by.pk if by else None
    out.agents = [pk for pk in dict.fromkeys(out.agents) if pk != own]
    out.untold = list(dict.fromkeys(out.untold))
    return out


_AT = re.compile(r"(?<![\w@.])@(?=\w)")


def _found(text: str, keys: Iterable[str]) -> list[str]:
    """The names that stand behind an @, as they stand there; of two that begin alike the longer one."""
    lengths = sorted({len(key) for key in keys if key}, reverse=True)
    known = set(keys)
    out = []
    for match in _AT.finditer(text):
        at = match.end()
        for length in lengths:
            words = text[at : at + length]
            if words.casefold() in known and not text[at + length : at + length + 1].isalnum():
                out.append(words)
                break
    return list(dict.fromkeys(out))


_TAGS = re.compile(r"(<a\b.*?</a>|<[^>]*>)", re.S)


def marked(markup: str, said: Sequence[dict[str, Any]]) -> str:
    """The HTML of a note's text (`lib.html.from_text`) with those it names set apart."""
    words = sorted({escape(str(one["as"])) for one in said if one.get("as")}, key=len, reverse=True)
    if not words:
        return markup
    wanted = re.compile("@(?:" + "|".join(re.escape(one) for one in words) + r")(?!\w)")
    parts = _TAGS.split(markup)
    return "".join(
        part if part.startswith("<") else wanted.sub(lambda match: f'<mark class="mention">{match[0]}</mark>', part)
        for part in parts
    )


def unseen(agent: Agent, ticket: Ticket) -> QuerySet[Mention, Any]:
    """A part of the panel: whether something on this ticket is still to be marked as seen."""
    return Mention.objects.filter(agent=agent, ticket=ticket, seen_at__isnull=True).values("pk")[:1]
