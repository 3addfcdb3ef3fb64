"""What the page's shell needs on every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from inbox import additions

STYLE = "inbox/style.css"  # all of these, one behind the other (config.assets)
STYLE_SHEETS = [
    f"inbox/css/{name}.css"
    for name in (
        "tokens",
        "base",
        "layout",
        "components/rail",
        "components/views",
        "components/signs",
        "components/list",
        "components/presence",
        "components/filters",
        "components/selection",
        "components/jobs",
        "components/search",
        "components/pieces",
        "components/conversation",
        "components/composer",
        "components/sending",
        "components/writing",
        "components/customer",
        "components/sides",
        "components/opening",
        "components/properties",
        "components/pages",
        "components/settings",
        "components/channels",
        "components/account",
        "components/hooks",
        "components/palette",
        "components/notifications",
    )
]
SCRIPTS = [
    f"inbox/js/{name}.js"
    for name in (
        "times",
        "htmx",
        "meanwhile",
        "confirming",
        "menus",
        "conversation",
        "rows",
        "list",
        "selection",
        "selecting",
        "bulk",
        "jobs",
        "filters",
        "places",
        "search",
        "mail",
        "recipients",
        "surface",
        "popovers",
        "drafts",
        "saving",
        "restoring",
        "composer",
        "sending",
        "uploads",
        "prose",
        "schema",
        "rich",
        "format",
        "editing",
        "ahead",
        "suggest",
        "properties",
        "editor",
        "sides",
        "opening",
        "sheets",
        "deeds",
        "macros",
        "mentions",
        "emoji",
        "counting",
        "fitting",
        "options",
        "keyboard",
        "line",
        "palette",
        "notifications",
        "push",
        "photo",
        "live",
        "seen",
        "drafted",
        "presence",
        "focus",
        "others",
        "settings",
    )
]


def shell(request: HttpRequest) -> dict[str, Any]:
    return {
        "DEMO": settings.DEMO,
        "ORGANISATION_NAME": settings.ORGANISATION_NAME,
        "DEFAULT_ZONE": settings.TIME_ZONE,
        "STYLE": STYLE,
        "SCRIPTS": SCRIPTS,
        "RAIL_LINKS": additions.links(request),
    }
