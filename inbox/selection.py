"""The bar above the list when tickets are selected: what can be done to all of them, by whom, in which list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.utils.translation import gettext as _

from inbox import directory, properties
from inbox.actions.verbs import VERBS
from inbox.found import Found
from inbox.lists import Listing
from inbox.models import Agent, Priority, Status
from inbox.rights import Right, may


@dataclass(frozen=True)
class Entry:
    """A verb with its argument, as the menu offers it. `becomes` is what a row then carries, `key` does it."""

    do: str
    label: str
    icon: str
    becomes: str = ""
    key: str = ""
    danger: bool = False


def bar(agent: Agent, listing: Listing | Found) -> dict[str, Any]:
    known = directory.of(agent)
    match = listing.view.match if isinstance(listing, Listing) else {}
    return {
        "client_id": uuid4().hex,
        "query": listing.url.partition("?")[2],
        "newest": isinstance(listing, Found) and listing.results.more,  # all that match are not all that are listed
        "may_write": agent.may_write,
        "may_export": may(agent, Right.EXPORT),
        "people": known.people,
        "teams": known.teams,
        "snoozes": properties.snooze_presets(),
        "statuses": [(value, label) for value, label in Status.choices if value != Status.CLOSED],
        "priorities": Priority.choices,
        "more": [entry for entry in _more(match) if may(agent, VERBS[entry.do.partition(":")[0]].right)],
    }


def _more(match: Mapping[str, str]) -> list[Entry]:
    found = [
        Entry("read:yes", _("Mark as read"), "check"),
        Entry("read:no", _("Mark as unread"), "unread", key="u"),
        Entry("follow:yes", _("Follow"), "follow"),
        Entry("follow:no", _("Follow no more"), "close"),
    ]
    if match.get("trashed") == "yes":
        return [*found, Entry("trash:no", _("Restore"), "undo", "trashed:no")]
    if match.get("spam") == "yes":
        found.append(Entry("spam:no", _("Not spam"), "spam", "spam:no"))
    else:
        found.append(Entry("spam:yes", _("Mark as spam"), "spam", "spam:yes", "!", danger=True))
    return [*found, Entry("trash:yes", _("Move to the trash"), "trash", "trashed:yes", "#", danger=True)]
