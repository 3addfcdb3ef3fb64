"""The people, teams and channels that a screen names: all in one query, since every page needs some of each."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast

from inbox import access
from inbox.models import Agent


@dataclass(frozen=True)
class Named:
    """An agent, team or channel as screens show it; `slug` is empty for agents, `kind` is a channel's.

    `photo` is the name in storage of an agent's picture.
    """

    pk: int
    name: str
    slug: str = ""
    kind: str = ""
    photo: str = ""

    def __str__(self) -> str:
        return self.name


@dataclass
class Directory:
    people: list[Named] = field(default_factory=list)  # whom a ticket can be given to
    teams: list[Named] = field(default_factory=list)
    channels: list[Named] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)  # of every agent there ever was
    photos: dict[int, str] = field(default_factory=dict)  # of those who have one


def text(value: str) -> Value:
    return Value(value, output_field=CharField())


def of(agent: Agent) -> Directory:
    """What this agent may see of it, each list by name. Kept on the agent object for the length of the request."""
    kept: Directory | None = getattr(agent, "_directory", None)
    if kept is not None:
        return kept
    assignable = access.agents(agent).order_by()
    parts = [
        assignable.values_list(
            text("person"), "pk", Cast("name", CharField()), Cast("photo", CharField()), Cast("email", CharField())
        ),
        Agent.objects.exclude(pk__in=assignable.values("pk")).values_list(
            text("other"), "pk", Cast("name", CharField()), Cast("photo", CharField()), Cast("email", CharField())
        ),
        access.teams(agent)
        .order_by()
        .values_list(text("team"), "pk", Cast("name", CharField()), Cast("slug", CharField()), text("")),
        access.channels(agent)
        .order_by()
        .values_list(
            text("channel"), "pk", Cast("name", CharField()), Cast("slug", CharField()), Cast(F("kind"), CharField())
        ),
    ]
    found = Directory()
    for what, pk, name, slug, extra in parts[0].union(*parts[1:], all=True):
        if what in {"person", "other"}:
            found.names[pk] = name or extra
            if slug:
                found.photos[pk] = slug
            if what == "person":
                found.people.append(Named(pk, name or extra, photo=slug))
        elif what == "team":
            found.teams.append(Named(pk, name, slug))
        else:
            found.channels.append(Named(pk, name, slug, extra))
    for group in (found.people, found.teams, found.channels):
        group.sort(key=lambda one: (one.name.casefold(), one.pk))
    agent._directory = found  # type: ignore[attr-defined]
    return found
