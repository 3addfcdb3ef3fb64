"""Lines of a customer's journey as screens show them, whether from the panel's rows or from whole objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from inbox.adapters import kinds
from inbox.journey import Moment
from inbox.models import EngagementKind, Origin

LETTERS = 160
MOST_DETAILS = 4
NAMING = {"number", "id", "name", "order", "title", "page", "url"}
EVENTS = {
    "order": ("cart", gettext_lazy("Placed an order")),
    "purchase": ("cart", gettext_lazy("Bought something")),
    "payment": ("cart", gettext_lazy("Paid")),
    "invoice": ("file", gettext_lazy("Was sent an invoice")),
    "visit": ("visit", gettext_lazy("Visit")),
    "login": ("key", gettext_lazy("Logged in")),
    "page_view": ("eye", gettext_lazy("Looked at a page")),
    "call": ("phone", gettext_lazy("Call")),
    "signup": ("person", gettext_lazy("Signed up")),
}


A_VISIT = timedelta(minutes=30)  # between two page views of one visit, at most
PAGE_VIEW = "page_view"


@dataclass(frozen=True, slots=True)
class Step:
    """A page somebody looked at; `url` only where it is one of the web."""

    at: datetime
    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One moment: what, what of it, and where it leads. `steps` unfold below it, the newest first."""

    key: str
    at: datetime
    icon: str
    title: str
    detail: str = ""
    url: str = ""
    number: int | None = None
    steps: tuple[Step, ...] = ()


Maker = Callable[[Any], Line]
_makers: dict[str, Maker] = {}


def register(kind: str, maker: Maker) -> None:
    """How rows of a source that another app adds to journeys (`journey.register`) are shown."""
    _makers[kind] = maker


def folded(lines: Iterable[Line]) -> list[Line]:
    """Lines, newest first, with the page views of one visit as one that unfolds; what stands among them stays there."""
    out: list[Line] = []
    visit: int | None = None  # where in `out` the visit stands that older page views may belong to
    for line in lines:
        if not line.steps:
            out.append(line)
        elif visit is not None and out[visit].steps[-1].at - line.at <= A_VISIT:
            out[visit] = replace(out[visit], steps=out[visit].steps + line.steps)
        else:
            visit = len(out)
            out.append(line)
    return [_visit(line) if len(line.steps) > 1 else line for line in out]


def _visit(line: Line) -> Line:
    count = len(line.steps)
    title = ngettext("Visited the site: %(count)s page", "Visited the site: %(count)s pages", count) % {"count": count}
    return replace(line, icon="visit", title=title, detail=line.steps[0].title)


def _steps(row: Mapping[str, Any]) -> tuple[Step, ...]:
    data = row["data"] if isinstance(row["data"], Mapping) else {}
    url = str(data.get("url") or data.get("page") or "")
    if row["kind"] != PAGE_VIEW or not url:
        return ()
    return (
        Step(row["at"], short(str(data.get("title") or url)), url if url.startswith(("https://", "http://")) else ""),
    )


def of_event(row: Mapping[str, Any]) -> Line:
    icon, title = EVENTS.get(row["kind"], ("flag", ""))
    said = [f"{key}: {value}" for key, value in details(row["data"])]
    if row["external_id"] and not said:
        said.append(row["external_id"])
    plain = row["kind"].replace("_", " ").replace(".", " ").replace("-", " ").strip()
    return Line(
        f"event-{row['id']}",
        row["at"],
        icon,
        str(title) or plain[:1].upper() + plain[1:],
        short(" · ".join(said)),
        steps=_steps(row),
    )


def details(data: Any) -> list[tuple[str, str]]:
    """What an event tells of itself, the first few; what is nested is left to whoever reads the API."""
    if not isinstance(data, Mapping):
        return []
    plain = [(key, str(value)) for key, value in data.items() if isinstance(value, str | int | float)]
    # What it is called before what it costs: PostgreSQL keeps shorter keys first.
    plain.sort(key=lambda pair: pair[0] not in NAMING)
    return plain[:MOST_DETAILS]


def of_message(row: Mapping[str, Any]) -> Line:
    adapter = kinds().get(row["channel__kind"])
    icon, title = adapter.icon if adapter else "message", row["channel__name"]
    if row["origin"] == Origin.LOGGED:
        medium = str(row["payload"].get("medium", ""))
        title = str(EngagementKind(medium).label) if medium in EngagementKind.values else _("Logged by hand")
        icon = {"call": "phone-in" if row["direction"] == "in" else "phone-out", "visit": "visit"}.get(medium, "note")
    elif row["direction"] == "out":
        icon, title = "sending", _("We, by %(channel)s") % {"channel": row["channel__name"]}
    said = " ".join(row["said"].split()) or row["ticket__subject"]
    url = reverse("ticket", args=[row["ticket"]])
    return Line(f"message-{row['id']}", row["created_at"], icon, title, short(said), url, row["ticket"])


def of_merge(row: Mapping[str, Any]) -> Line:
    title = _("%(name)s turned out to be the same person") % {"name": row["source__name"] or _("Unknown")}
    return Line(f"merge-{row['id']}", row["at"], "merge", short(title), short(row["by__name"] or ""))


def of_rows(rows: Mapping[str, Sequence[Mapping[str, Any]]], most: int) -> tuple[list[Line], bool]:
    """The newest lines of the panel's rows, and whether there are more."""
    lines = [of_message(row) for row in rows["wrote"]]
    lines += [of_event(row) for row in rows["events"]] + [of_merge(row) for row in rows["merges"]]
    lines = folded(sorted(lines, key=lambda line: line.at, reverse=True))
    return lines[:most], len(lines) > most


def of_moment(moment: Moment) -> Line:
    """A line of `inbox.journey`."""
    row = moment.row
    if moment.type in _makers:
        return _makers[moment.type](row)
    if moment.type == "event":
        return of_event({name: getattr(row, name) for name in ("id", "kind", "at", "data", "external_id")})
    if moment.type == "merge":
        return of_merge({"id": row.pk, "at": row.at, "source__name": row.source.name, "by__name": str(row.by or "")})
    return of_message({
        "id": row.pk, "created_at": row.created_at, "direction": row.direction, "origin": row.origin,
        "payload": row.payload, "channel__kind": row.channel.kind, "channel__name": row.channel.name,
        "ticket": row.ticket_id, "ticket__subject": row.ticket.subject, "said": row.visible_text or row.text,
    })  # fmt: skip


def short(text: str) -> str:
    return Truncator(text).chars(LETTERS)
