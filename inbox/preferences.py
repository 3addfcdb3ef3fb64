"""The pages below `/settings/`: what stands in their side list. An app registers its own when it is ready.

from inbox import preferences
preferences.register(preferences.Page("webhooks", _("Webhooks"), "source", "settings-webhooks",
                                      preferences.SYSTEMS, 20, Right.WEBHOOKS))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from inbox.models import Agent
from inbox.rights import Right, may

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MINE: StrOrPromise = _("My account")
ORGANISATION: StrOrPromise = _("Organisation")
SYSTEMS: StrOrPromise = _("Other systems")
GROUPS = (MINE, ORGANISATION, SYSTEMS)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the settings. `right` is what its visitor must have; None means everybody who logs in.

    `about` says in one sentence what the page is for: it stands on the overview.
    """

    key: str
    label: StrOrPromise
    icon: str
    url_name: str
    group: StrOrPromise
    order: int
    right: Right | None = None
    about: StrOrPromise = ""


_pages: dict[str, Page] = {}


def register(page: Page) -> None:
    _pages[page.key] = page


def groups(agent: Agent) -> Iterator[tuple[StrOrPromise, list[Page]]]:
    """The groups with the pages that this person may open, in order; empty groups are left out."""
    for group in GROUPS:
        pages = [
            page for page in _pages.values() if page.group is group and (page.right is None or may(agent, page.right))
        ]
        if pages:
            yield group, sorted(pages, key=lambda page: page.order)


register(
    Page(
        "views",
        _("Views"),
        "save",
        "settings-views",
        MINE,
        30,
        Right.ANSWER,
        _("Lists of tickets that you keep under a name: their order, their names, whom they are for."),
    )
)
register(
    Page(
        "channels",
        _("Channels"),
        "mail",
        "settings-channels",
        ORGANISATION,
        10,
        Right.CARE,
        _("Mailboxes and what else customers write to: connect them, test them, see that they work."),
    )
)
