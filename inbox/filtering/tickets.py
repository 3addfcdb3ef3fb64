"""What lists of tickets are narrowed by."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from django.db.models import Exists, OuterRef, Q, Value
from django.db.models.lookups import LessThan
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import access, directory
from inbox.adapters import kinds
from inbox.filtering.attributes import Attribute
from inbox.filtering.conditions import Age, Codes, Condition, OneOf, Option, Reference, Text, Words, YesNo, age, period
from inbox.models import (
    Agent,
    Attachment,
    Field,
    FieldNoun,
    Identity,
    Organisation,
    Priority,
    Status,
    Tag,
    TicketType,
)
from inbox.models.tickets import UNDONE, WAITING
from lib.language import language_name

SEVERITIES = range(1, 10)
NUMBERED = re.compile(r"\(#([0-9]{1,18})\)$", re.ASCII)
MOST_SUGGESTED = 300


def of_enum(choices: Sequence[tuple[str, object]]) -> Callable[[Agent], list[Option]]:
    return lambda agent: [Option(str(value), str(label), str(value)) for value, label in choices]


def people(agent: Agent) -> list[Option]:
    first = [Option("me", _("me"), agent.pk), Option("none", _("nobody"), None)]
    return first + [Option(str(one.pk), one.name, one.pk) for one in directory.of(agent).people]


def teams(agent: Agent) -> list[Option]:
    found = [Option(one.slug, one.name, one.pk, str(one.pk)) for one in directory.of(agent).teams]
    return [Option("none", _("no team"), None), *found]


def channels(agent: Agent) -> list[Option]:
    return [Option(one.slug, one.name, one.pk, str(one.pk)) for one in directory.of(agent).channels]


def channel_kinds(agent: Agent) -> list[Option]:
    by_kind: dict[str, list[int]] = {}
    for one in directory.of(agent).channels:
        by_kind.setdefault(one.kind, []).append(one.pk)
    return [
        Option(kind, str(adapter.label), by_kind.get(kind, []), icon=adapter.icon) for kind, adapter in kinds().items()
    ]


def severities(agent: Agent) -> list[Option]:
    return [Option(str(one), str(one), one) for one in SEVERITIES]


def tags(agent: Agent) -> list[Option]:
    names = Tag.objects.order_by("name").values_list("name", flat=True)[:MOST_SUGGESTED]
    return [Option(name, name, name) for name in names]


def find_customer(agent: Agent, value: str) -> tuple[int, str] | None:
    """By id, as suggestions say it ("Ayesha (#12)"), or by an address that is theirs."""
    seen = access.customers(agent)
    if numbered := NUMBERED.search(value):
        value = numbered[1]
    if value.isascii() and value.isdigit() and len(value) < 19:
        found = seen.filter(pk=int(value)).first()
        if found is not None:
            return found.pk, str(found)
    owned = Identity.objects.active().filter(value__in={value, value.lower()}).values("customer")
    found = seen.filter(pk__in=owned).order_by("pk").first()
    return (found.pk, str(found)) if found is not None else None


def find_organisation(agent: Agent, value: str) -> tuple[int, str] | None:
    """By id, or by its name."""
    seen = access.organisations(agent)
    by_name = Q(name__iexact=value)
    by = Q(pk=int(value)) if value.isascii() and value.isdigit() and len(value) < 19 else by_name
    found: Organisation | None = seen.filter(by).order_by("pk").first() or seen.filter(by_name).order_by("pk").first()
    return (found.pk, str(found)) if found is not None else None


def attached() -> Q:
    files = Attachment.objects.filter(message__ticket=OuterRef("pk"), message__deleted_at__isnull=True, inline=False)
    return Q(Exists(files))


class Waiting(Age):
    """How long a customer waits, as the index of that order has it; nobody does on a ticket that is done."""

    def q(self, agent: Agent, value: str) -> Q:
        ago = age(value)
        assert ago is not None
        return Q(LessThan(WAITING, Value(timezone.now() - ago))) & Q(status__in=UNDONE)


CONDITIONS: dict[str, Condition] = {
    one.key: one
    for one in (
        OneOf(key="status", label=gettext_lazy("Status"), path="status", row="status", known=of_enum(Status.choices)),
        OneOf(key="assignee", label=gettext_lazy("Assignee"), path="assignee", row="assignee", known=people),
        OneOf(key="team", label=gettext_lazy("Team"), path="team", row="team", known=teams),
        OneOf(key="channel", label=gettext_lazy("Channel"), path="channel", row="channel", known=channels),
        OneOf(key="channel_kind", label=gettext_lazy("Kind of channel"), path="channel", known=channel_kinds),
        OneOf(
            key="priority",
            label=gettext_lazy("Priority"),
            path="priority",
            row="priority",
            known=of_enum(Priority.choices),
        ),
        Words(key="tag", label=gettext_lazy("Tag"), path="tags", group="tag", suggest=tags),
        Words(
            key="tag_all", label=gettext_lazy("All of these tags"), path="tags", group="tag", mode="all", suggest=tags
        ),
        Words(
            key="tag_none",
            label=gettext_lazy("None of these tags"),
            path="tags",
            group="tag",
            mode="none",
            suggest=tags,
        ),
        OneOf(key="type", label=gettext_lazy("Type"), path="type", known=of_enum(TicketType.choices)),
        OneOf(key="severity", label=gettext_lazy("Severity"), path="severity", known=severities),
        Text(key="topic", label=gettext_lazy("Topic"), path="topic", suggestions="topics"),
        Codes(
            key="language",
            label=gettext_lazy("Language"),
            path="language",
            pattern=r"[a-z]{2,3}(-[A-Za-z0-9]{2,4})?",
            say=language_name,
            help=gettext_lazy("Codes such as ur or en, parted by commas"),
        ),
        Waiting(
            key="waiting",
            label=gettext_lazy("Waiting longer than"),
            offered=("1h", "4h", "8h", "24h", "2d", "7d"),
        ),
        *period(
            "created",
            "created_at",
            gettext_lazy("Created within"),
            gettext_lazy("Created from"),
            gettext_lazy("Created before"),
        ),
        *period(
            "updated",
            "updated_at",
            gettext_lazy("Changed within"),
            gettext_lazy("Changed from"),
            gettext_lazy("Changed before"),
        ),
        *period(
            "customer_wrote",
            "last_customer_message_at",
            gettext_lazy("Customer wrote within"),
            gettext_lazy("Customer wrote from"),
            gettext_lazy("Customer wrote before"),
        ),
        Reference(
            key="customer",
            label=gettext_lazy("Customer"),
            path="customer",
            find=find_customer,
            numbered=True,
            suggestions="customer-suggestions",
            help=gettext_lazy("A name, an address or a telephone number"),
        ),
        Reference(
            key="organisation",
            label=gettext_lazy("Organisation"),
            path="organisation",
            find=find_organisation,
            suggestions="organisation-suggestions",
            help=gettext_lazy("Its name"),
        ),
        YesNo(key="attachment", label=gettext_lazy("Has an attachment"), build=attached),
        YesNo(key="failed", label=gettext_lazy("A delivery failed"), build=lambda: Q(delivery_failed=True)),
        YesNo(
            key="snoozed", label=gettext_lazy("Snoozed"), row="snoozed", build=lambda: Q(snoozed_until__isnull=False)
        ),
        YesNo(key="spam", label=gettext_lazy("Spam"), row="spam", build=lambda: Q(spam=True)),
        YesNo(
            key="trashed", label=gettext_lazy("In the trash"), row="trashed", build=lambda: Q(trashed_at__isnull=False)
        ),
    )
}

OWN = "field."  # how the names of an organisation's own fields begin


def own_fields(agent: Agent) -> dict[str, Condition]:
    """The organisation's own fields of tickets; one query, kept for the request."""
    kept: dict[str, Condition] | None = agent.__dict__.get("_ticket_fields")
    if kept is None:
        fields = Field.objects.filter(noun=FieldNoun.TICKET).order_by("position", "pk")
        kept = {
            f"{OWN}{one.key}": Attribute(key=f"{OWN}{one.key}", label=one.label, path="attributes", field=one)
            for one in fields
        }
        agent.__dict__["_ticket_fields"] = kept
    return kept


def conditions(agent: Agent, given: Mapping[str, str] | None = None) -> Mapping[str, Condition]:
    """All conditions; own fields only if `given` names one, since they cost a query."""
    if given is None or any(key.startswith(OWN) for key in given):
        return {**CONDITIONS, **own_fields(agent)}
    return CONDITIONS
