"""A customer as screens show them: from their row and the parts of the panel, without asking the database again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import additions, directory, fields, happenings, previews
from inbox.adapters import kinds
from inbox.models import Agent, Customer, FieldNoun, Organisation, Ticket
from inbox.models.base import Stage
from inbox.panel import customer as kept
from inbox.panel import journey as newest
from inbox.panel import matter, past, twins
from lib.language import language_name

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]

HOW = {
    "channel": gettext_lazy("they wrote from it"),
    "agent": gettext_lazy("somebody here said so"),
    "hmac": gettext_lazy("the website they were logged in to said so"),
    "import": gettext_lazy("it was imported"),
    "reply": gettext_lazy("they answered from it"),
}
# What is edited in place: its label and icon, in the order shown.
FACTS: dict[str, tuple[StrOrPromise, str]] = {
    "organisation": (gettext_lazy("Organisation"), "building"),
    "stage": (gettext_lazy("Stage"), "flag"),
    "language": (gettext_lazy("Language"), "globe"),
    "time_zone": (gettext_lazy("Time zone"), "clock"),
    "preferred_channel": (gettext_lazy("Preferred channel"), "message"),
    "opt_outs": (gettext_lazy("Wants nothing by"), "block"),
    "tags": (gettext_lazy("Tags"), "tag"),
}
NAME: tuple[StrOrPromise, str] = (gettext_lazy("Name"), "person")


@dataclass(frozen=True)
class Fact:
    """One thing that is known of a customer. `text` is empty where nothing is."""

    name: str
    label: str
    icon: str
    text: str
    url: str = ""  # where the value leads
    zone: str = ""  # of the clock that stands beside it
    words: tuple[str, ...] = ()  # a list, each shown by itself


@dataclass(frozen=True)
class Twin:
    """Somebody who may be the same person, and why."""

    pk: int
    name: str
    why: tuple[str, ...]
    ways: tuple[str, ...] = ()  # how they are known, to tell several of one name apart

    def __str__(self) -> str:
        return self.name or _("Unknown")


@dataclass(frozen=True)
class Matter:
    """Something that belongs to the matter of the open ticket, and why."""

    line: happenings.Line
    why: str


def context(agent: Agent, customer: Customer, rows: Rows, ticket: Ticket | None = None) -> dict[str, Any]:
    """What the templates of the panel and of the customer's page ask for."""
    journey, more = happenings.of_rows(rows, newest.MOST)
    known = facts(agent, customer)
    return {
        "customer": customer,
        "may_edit": agent.may_write,
        "name_fact": fact(agent, customer, "name"),
        "identities": [identity(row) for row in rows["identities"]],
        "facts": [fact for fact in known if fact.text],
        "blank_facts": [fact for fact in known if not fact.text],
        "attributes": attributes(customer, rows["fields"], FieldNoun.CUSTOMER),
        "blank_attributes": blank_attributes(customer, rows["fields"], FieldNoun.CUSTOMER),
        "of_customer": additions.of_customer(agent, customer, rows),
        "notes": rows["notes"][: kept.MOST_NOTES],
        "more_notes": len(rows["notes"]) > kept.MOST_NOTES,
        "cards": rows["cards"],
        "colleagues": rows["colleagues"][: kept.MOST_COLLEAGUES],
        "more_colleagues": len(rows["colleagues"]) > kept.MOST_COLLEAGUES,
        "merges": rows["merges"],
        "journey": journey,
        "more_journey": more,
        "twins": likely(customer, rows),
        "matter": belonging(ticket, rows) if ticket is not None else [],
        "past": rows["past"][: past.MOST] if ticket is not None else [],
        "more_past": ticket is not None and len(rows["past"]) > past.MOST,
    }


def identity(row: Row) -> dict[str, Any]:
    adapter = next((one for one in kinds().values() if one.identity_kind == row["kind"]), None)
    icon = {"email": "mail", "phone": "phone"}.get(row["kind"]) or (adapter.icon if adapter else "message")
    how = HOW.get(row["verified_how"], "")
    return {**row, "icon": icon, "kind_label": kind_label(row["kind"]), "how": how}


def kind_label(kind: str) -> str:
    """What a kind of address is called."""
    named = {"email": _("E-mail"), "phone": _("Telephone")}
    known = kinds().get(kind) or next((one for one in kinds().values() if one.identity_kind == kind), None)
    return named.get(kind) or (str(known.label) if known else kind.replace("_", " ").capitalize())


def facts(agent: Agent, customer: Customer) -> list[Fact]:
    return [fact(agent, customer, name) for name in FACTS]


def fact(agent: Agent, customer: Customer, name: str) -> Fact:
    """One fact of this name, `name` and the keys of FACTS."""
    label, icon = FACTS.get(name, NAME)
    text, url, zone = "", "", ""
    words: tuple[str, ...] = ()
    match name:
        case "name":
            text = customer.name
        case "organisation" if customer.organisation is not None:
            text, url = str(customer.organisation), reverse("organisation", args=[customer.organisation_id])
        case "stage" if customer.stage != Stage.LEAD:  # what everybody begins as tells nothing
            text = str(Stage(customer.stage).label) if customer.stage in Stage.values else customer.stage
        case "language" if customer.language:
            text = language_name(customer.language)
        case "time_zone":
            text = zone = customer.time_zone
        case "preferred_channel" if customer.preferred_channel_id is not None:
            channels = {one.pk: one.name for one in directory.of(agent).channels}
            text = channels.get(customer.preferred_channel_id, _("a channel that you do not see"))
        case "opt_outs":
            words = tuple(channel_kind(kind) for kind in customer.opt_outs)
        case "tags":
            words = tuple(customer.tags)
    return Fact(name, str(label), icon, text or ", ".join(words), url, zone, words)


def channel_kind(kind: str) -> str:
    adapter = kinds().get(kind)
    return str(adapter.label) if adapter else kind


def attributes(thing: Customer | Organisation, rows: Sequence[Row], noun: str) -> list[fields.Shown]:
    """In the order of the organisation's own fields (`rows` of fields.rows), then whatever else other systems wrote."""
    return fields.shown(fields.from_rows(rows, noun), thing.attributes)


def blank_attributes(thing: Customer | Organisation, rows: Sequence[Row], noun: str) -> list[fields.Shown]:
    """The fields that say nothing yet."""
    known = fields.from_rows(rows, noun)
    return fields.shown([one for one in known if fields.is_empty(thing.attributes.get(one.key))], {}, empty=True)


def likely(customer: Customer, rows: Rows) -> list[Twin]:
    """Who else may be this person: those first with whom more than a name is shared, then by the number of reasons."""
    found: dict[int, tuple[str, list[str]]] = {}
    ways: dict[int, tuple[str, ...]] = {}
    firm_ones = {row["customer"] for row in rows["same_address"]} | {row["pk"] for row in rows["same_hint"]}
    for row in rows["same_address"]:
        found.setdefault(row["customer"], (row["customer__name"], []))[1].append(_same_address(row, rows["identities"]))
    for row in rows["same_hint"]:
        same = [key for key, value in customer.attributes.items() if row["attributes"].get(key) == value]
        for key in [key for key in same if matter.is_number(str(customer.attributes[key]))]:
            found.setdefault(row["pk"], (row["name"], []))[1].append(
                _("the same %(label)s, %(value)s") % {"label": key, "value": customer.attributes[key]}
            )
    common = len(rows["same_name"]) > twins.MOST
    for row in rows["same_name"]:
        firm = customer.organisation_id is not None and row["organisation"] == customer.organisation_id
        if firm or not common:
            why = _("the same name and organisation") if firm else _("the same name")
            found.setdefault(row["pk"], (row["name"], []))[1].append(why)
            ways[row["pk"]] = tuple(dict.fromkeys(_way(one["kind"], one["value"]) for one in row["ways"]))
    ordered = sorted(found.items(), key=lambda item: (item[0] not in firm_ones, -len(item[1][1]), item[0]))
    return [Twin(pk, name, tuple(why), ways.get(pk, ())) for pk, (name, why) in ordered[: twins.MOST]]


def _way(kind: str, value: str) -> str:
    """How somebody is known: by what people know them by, else the platform (whose ids tell nobody anything)."""
    return value if kind in {"email", "phone"} else kind_label(kind)


def _same_address(row: Row, identities: Sequence[Row]) -> str:
    """What somebody else has in common with a customer of these identities, and of which of the two it is proven."""
    mine = [one for one in identities if one["value"].lstrip("+") == row["value"].lstrip("+")]
    proven = any(one["verified_at"] is not None for one in mine)
    told = {"address": row["value"]}
    if row["verified_at"] is not None:
        words = _("also has %(address)s") if proven else _("has %(address)s, which is said of this customer, too")
    else:
        words = _("also has %(address)s, as was said") if proven else _("%(address)s is said of both")
    return words % told


def belonging(ticket: Ticket, rows: Rows) -> list[Matter]:
    """What belongs to the ticket's matter, and by which value."""
    wanted = matter.named(ticket)
    found: list[Matter] = []
    for row in rows["matter_events"]:
        values = {str(value) for _key, value in happenings.details(row["data"])} | {row["external_id"] or ""}
        found.append(
            Matter(happenings.of_event(row), _because(next((one for one in wanted if one in values), ""), wanted))
        )
    for row in [*rows["matter_tickets"], *rows["matter_elsewhere"]]:
        values = {str(value) for value in row["attributes"].values()} | {row["topic"], row["external_id"] or ""}
        shared = next((one for one in wanted if one in values or one in row["subject"]), "")
        title = previews.told(row["subject"]) or _("(no subject)")
        theirs = row in rows["matter_elsewhere"]
        url = reverse("ticket", args=[row["number"]])
        whose, icon = (row["customer__name"], "people") if theirs else ("", "message")
        key, at = f"ticket-{row['number']}", row["last_message_at"]
        line = happenings.Line(key, at, icon, happenings.short(title), whose, url, row["number"])
        found.append(Matter(line, _because(shared, wanted)))
    return found


def _because(value: str, wanted: Mapping[str, str]) -> str:
    if wanted.get(value) == "topic":
        return _("the same topic, %(value)s") % {"value": value}
    return _("names %(value)s as well") % {"value": value} if value else ""
