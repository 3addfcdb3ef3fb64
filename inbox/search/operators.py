"""Operators in what is typed: `from:ayesha`, `status:open`, `has:attachment`, `"exact words"`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from inbox.filtering import tickets as filtering
from inbox.filtering.conditions import Option, UnknownValue
from inbox.models import Agent, Message, Participant

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST = 12
QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})


@dataclass(frozen=True)
class Operator:
    """`searched` says that its value is looked for in the documents, too, so that they are found at once."""

    name: str
    example: str
    about: StrOrPromise
    condition: str = ""
    searched: bool = False


OPERATORS = {
    one.name: one
    for one in (
        Operator("from", "from:ayesha", _("who wrote: a name or an address"), searched=True),
        Operator("status", "status:open", _("open, pending, on_hold, solved or closed"), "status"),
        Operator("assignee", "assignee:me", _("me, none, or an agent"), "assignee"),
        Operator("channel", "channel:support", _("the channel, or its kind"), "channel"),
        Operator("team", "team:sales", _("the team"), "team"),
        Operator("tag", "tag:refund", _("the tag"), "tag", searched=True),
        Operator("priority", "priority:urgent", _("low, normal, high or urgent"), "priority"),
        Operator("before", "before:2026-03-01", _("begun before this day"), "created_before"),
        Operator("after", "after:2026-03-01", _("begun on this day or later"), "created_after"),
        Operator("has", "has:attachment", _("with a file")),
    )
}
TOKEN = re.compile(rf'(?<!\S)({"|".join(OPERATORS)}):("[^"]*"|[^\s"]*)|"([^"]+)"', re.IGNORECASE)


@dataclass(frozen=True)
class Taken:
    """What was typed, apart: the words that are left, operators with their values, phrases."""

    words: str
    given: tuple[tuple[str, str], ...]
    phrases: tuple[str, ...]


def take(typed: str) -> Taken:
    given: list[tuple[str, str]] = []
    phrases: list[str] = []

    def keep(found: re.Match[str]) -> str:
        name, value, phrase = found.groups()
        if phrase is not None:
            phrases.append(" ".join(phrase.split()))
            return f" {phrase} "
        value = value.strip('"').strip()
        if not value:
            return " "
        given.append((name.lower(), value))
        return f" {value} " if OPERATORS[name.lower()].searched else " "

    words = TOKEN.sub(keep, typed.translate(QUOTES))
    return Taken(words, tuple(given[:MOST]), tuple(one for one in phrases[:MOST] if one))


def asked(agent: Agent, given: Sequence[tuple[str, str]], phrases: Sequence[str]) -> tuple[Q, list[str]]:
    """What operators and phrases ask of tickets, joined by "and"; and what of them means nothing, in words."""
    found, wrong = Q(), []
    for name, value in given:
        try:
            found &= READ.get(name, _condition)(agent, name, value)
        except UnknownValue as unknown:
            wrong.append(str(unknown))
    for phrase in phrases:
        said = Message.objects.filter(ticket=OuterRef("pk"), deleted_at__isnull=True, text__icontains=phrase)
        found &= Q(subject__icontains=phrase) | Q(Exists(said))
    return found, wrong


def _condition(agent: Agent, name: str, value: str) -> Q:
    condition = filtering.CONDITIONS[OPERATORS[name].condition]
    folded = value.casefold()
    known = [one.value for one in condition.options(agent) if one.label.casefold() == folded] if name != "tag" else []
    clean = condition.clean(agent, (known or [folded.replace(" ", "_") if name == "status" else value])[0])
    return condition.q(agent, clean)


def _from(agent: Agent, name: str, value: str) -> Q:
    taking_part = Participant.objects.filter(ticket=OuterRef("pk"), identity__value__icontains=value)
    return Q(customer__name__icontains=value) | Q(Exists(taking_part))


def _channel(agent: Agent, name: str, value: str) -> Q:
    try:
        return _condition(agent, "channel", value)
    except UnknownValue:
        kind = filtering.CONDITIONS["channel_kind"]
        return kind.q(agent, kind.clean(agent, value.lower()))


def _has(agent: Agent, name: str, value: str) -> Q:
    if value.lower() not in {"attachment", "attachments", "file", "files"}:
        raise filtering.CONDITIONS["attachment"].unknown(value)
    return filtering.attached()


READ: dict[str, Callable[[Agent, str, str], Q]] = {"from": _from, "channel": _channel, "has": _has}


def offered(agent: Agent, typed: str) -> list[Option]:
    """What may be put in place of the word at the end of what was typed: operators, or the values of the one begun."""
    last = typed.rsplit(" ", 1)[-1]
    name, colon, begun = last.partition(":")
    if not colon:
        return [
            Option(f"{one.name}:", one.example, str(one.about))
            for one in OPERATORS.values()
            if one.name.startswith(last.lower())
        ]
    operator = OPERATORS.get(name.lower())
    if operator is None:
        return []
    if operator.name == "has":
        values = [Option("attachment", str(operator.about))]
    elif operator.condition:
        values = list(filtering.CONDITIONS[operator.condition].options(agent))
    else:
        values = []
    begun = begun.strip('"').casefold()
    fits = [one for one in values if one.value.casefold().startswith(begun) or one.label.casefold().startswith(begun)]
    return [Option(f"{operator.name}:{quoted(one.value)} ", one.label) for one in fits[:MOST]]


def quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value
