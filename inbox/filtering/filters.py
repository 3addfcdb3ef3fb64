"""The conditions of one address, read for one person: what they ask, how they read as chips, what means nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.db.models import Q
from django.utils.translation import gettext as _

from inbox.filtering.conditions import LONGEST, Condition, UnknownValue
from inbox.models import Agent

if TYPE_CHECKING:
    from django.http import QueryDict
    from django_stubs_ext import StrOrPromise

Known = Mapping[str, Condition]


@dataclass(frozen=True)
class Chip:
    """A condition as the screen shows it. `group` names the editor that changes it."""

    key: str
    group: str
    label: StrOrPromise
    words: str


@dataclass
class Filters:
    """`values` holds cleaned conditions in the order of the address, which is what addresses and saved views keep."""

    agent: Agent
    known: Known
    values: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, str] = field(default_factory=dict)  # why, by name

    @classmethod
    def read(
        cls, agent: Agent, given: Mapping[str, str], known: Known, *, but: Callable[[str], bool] = lambda key: False
    ) -> Filters:
        """The conditions among `given`. What is unknown, or empty, is left out; what is wrong is said in `wrong`.

        `but` names parameters that are no conditions and are passed over.
        """
        found = cls(agent, known)
        for key, value in given.items():
            if but(key) or not value.strip():
                continue
            condition = known.get(key)
            if condition is None:
                found.wrong[key] = _("There is no filter called “%(name)s”; it was left out.") % {"name": key[:40]}
                continue
            try:
                if len(value) > LONGEST or "\0" in value or not value.isprintable():
                    raise condition.unknown(value.replace("\0", ""))
                found.values[key] = condition.clean(agent, value.strip())
            except UnknownValue as unknown:
                found.wrong[key] = str(unknown)
        return found

    def __bool__(self) -> bool:
        return bool(self.values)

    @property
    def q(self) -> Q:
        """All conditions, joined by "and"."""
        found = Q()
        for key, value in self.values.items():
            found &= self.known[key].q(self.agent, value)
        return found

    @property
    def chips(self) -> list[Chip]:
        return [
            Chip(key, self.known[key].together, self.known[key].label, self.known[key].words(self.agent, value))
            for key, value in self.values.items()
        ]

    def in_row(self) -> dict[str, list[str]] | None:
        """What the attributes of a row must be to be in the list; None where a row does not say."""
        found = {}
        for key, value in self.values.items():
            if not (attribute := self.known[key].row):
                return None
            found[attribute] = self.known[key].in_row(self.agent, value)
        return found


def joined(params: QueryDict) -> dict[str, str]:
    """Parameters as one text each: `status=open&status=pending`, as a form sends it, is `status=open,pending`."""
    return {key: ",".join(one for one in params.getlist(key) if one) for key in params}


def groups(known: Known, without: Iterable[str] = ()) -> list[Condition]:
    """The first condition of each editor, in order: what the menu of filters lists."""
    hidden = set(without)
    found: dict[str, Condition] = {}
    for condition in known.values():
        if condition.key not in hidden:
            found.setdefault(condition.together, condition)
    return list(found.values())
