"""The audit log: every change of settings and permissions as a sentence. Names are looked up when it is
read: none is kept.

from inbox import audit
audit.says("webhook_created", _("%(who)s made the webhook %(webhook)s"))
audit.names("webhook", Webhook.objects)

A sentence may name `%(who)s` and whatever the event's data holds; ids of agents, teams, channels, and of what is
registered with `names`, become names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import CharField, Manager, Value
from django.db.models.functions import Cast
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox.models import ActorKind, Agent, Brand, Channel, Event, Macro, Role, Team
from inbox.models.events import OF_CUSTOMERS

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAGE = 50

SENTENCES: dict[str, StrOrPromise] = {
    "agent_invited": gettext_lazy("%(who)s invited somebody as %(role)s"),
    "invitation_renewed": gettext_lazy("%(who)s sent an invitation again"),
    "invitation_withdrawn": gettext_lazy("%(who)s withdrew an invitation"),
    "invitation_accepted": gettext_lazy("%(who)s accepted an invitation and is %(role)s"),
    "agent_welcomed": gettext_lazy("%(who)s came in by the organisation’s log-in and is %(role)s"),
    "agent_created": gettext_lazy("%(agent)s was made on the command line and is %(role)s"),
    "agent_changed": gettext_lazy("%(who)s changed %(fields)s of %(agent)s"),
    "agent_switched_off": gettext_lazy("%(who)s switched %(agent)s off"),
    "agent_switched_on": gettext_lazy("%(who)s switched %(agent)s on again"),
    "role_changed": gettext_lazy("%(who)s changed %(agent)s’s role from %(from)s to %(to)s"),
    "sessions_ended": gettext_lazy("%(who)s ended %(count)s sessions of %(agent)s"),
    "second_factor_added": gettext_lazy("%(who)s added a second factor: %(factor)s"),
    "second_factor_removed": gettext_lazy("%(who)s removed a second factor: %(factor)s"),
    "second_factor_failed": gettext_lazy("A wrong code was entered for %(agent)s"),
    "recovery_codes_renewed": gettext_lazy("%(who)s made new recovery codes"),
    "second_factor_reset": gettext_lazy("%(who)s reset the log-in of %(agent)s"),
    "password_changed": gettext_lazy("%(who)s set a new password"),
    "password_set": gettext_lazy("A password of %(agent)s was set on the command line"),
    "password_link_made": gettext_lazy("%(who)s made a link for a new password of %(agent)s"),
    "logged_in": gettext_lazy("%(who)s logged in (%(means)s)"),
    "tickets_exported": gettext_lazy("%(who)s exported %(count)s tickets"),
    "team_created": gettext_lazy("%(who)s made the team %(team)s"),
    "team_changed": gettext_lazy("%(who)s changed %(fields)s of the team %(team)s"),
    "team_joined": gettext_lazy("%(who)s put %(agent)s into the team %(team)s"),
    "team_left": gettext_lazy("%(who)s took %(agent)s out of the team %(team)s"),
    "team_channels_changed": gettext_lazy("%(who)s changed which channels the team %(team)s sees"),
    "channel_created": gettext_lazy("%(who)s connected the channel %(channel)s"),
    "channel_changed": gettext_lazy("%(who)s changed the settings of the channel %(channel)s: %(fields)s"),
    "channel_secret_made": gettext_lazy("%(who)s made a new secret of the channel %(channel)s"),
    "channel_deleted": gettext_lazy("%(who)s disconnected a channel"),
    "channel_failing": gettext_lazy("The channel %(channel)s began to fail: %(direction)s"),
    "channel_recovered": gettext_lazy("The channel %(channel)s works again: %(direction)s"),
    "receipt_retried": gettext_lazy("%(who)s had a message taken in again"),
    "receipts_retried": gettext_lazy("%(who)s had messages of %(channel)s taken in again"),
    "team_deleted": gettext_lazy("%(who)s dissolved a team"),
    "macro_created": gettext_lazy("%(who)s made the macro %(macro)s"),
    "macro_changed": gettext_lazy("%(who)s changed %(fields)s of the macro %(macro)s"),
    "macro_deleted": gettext_lazy("%(who)s deleted a macro"),
    "brand_created": gettext_lazy("%(who)s made the brand %(brand)s"),
    "brand_changed": gettext_lazy("%(who)s changed %(fields)s of the brand %(brand)s"),
    "brand_channels_changed": gettext_lazy("%(who)s changed which channels wear the brand %(brand)s"),
    "brand_deleted": gettext_lazy("%(who)s deleted a brand"),
    "quiet_hours_set": gettext_lazy("%(who)s set quiet hours from %(begins)s to %(ends)s"),
    "quiet_hours_ended": gettext_lazy("%(who)s ended the quiet hours"),
    "organisation_hours_changed": gettext_lazy("%(who)s changed the organisation’s hours of business"),
    "team_hours_changed": gettext_lazy("%(who)s changed the hours of business of the team %(team)s"),
    "brand_hours_changed": gettext_lazy("%(who)s changed the hours of business of the brand %(brand)s"),
    "channel_hours_changed": gettext_lazy("%(who)s changed the hours of business of the channel %(channel)s"),
    "tag_created": gettext_lazy("%(who)s made a tag"),
    "tag_changed": gettext_lazy("%(who)s changed a tag"),
    "tag_deleted": gettext_lazy("%(who)s deleted a tag"),
    "field_created": gettext_lazy("%(who)s made the field %(key)s of %(noun)s"),
    "field_changed": gettext_lazy("%(who)s changed %(fields)s of the field %(key)s of %(noun)s"),
    "field_deleted": gettext_lazy("%(who)s took the field %(key)s of %(noun)s away"),
    "fields_ordered": gettext_lazy("%(who)s put the fields of %(noun)s into another order"),
    "tags_merged": gettext_lazy("%(who)s merged two tags"),
    "organisation_deleted": gettext_lazy("%(who)s deleted an organisation"),
    "customer_merged": gettext_lazy("%(who)s merged two customers"),
    "customer_unmerged": gettext_lazy("%(who)s took a merge of customers back"),
    "customer_erased": gettext_lazy("%(who)s erased a customer for ever"),
    "block_added": gettext_lazy("%(who)s blocked a sender (%(kind)s)"),
    "block_removed": gettext_lazy("%(who)s unblocked a sender (%(kind)s)"),
    "profile_changed": gettext_lazy("%(who)s changed their own %(fields)s"),
}  # fmt: skip
WORDS: dict[str, StrOrPromise] = {
    "name": gettext_lazy("the name"),
    "private": gettext_lazy("who sees it"),
    "from_address": gettext_lazy("the from address"),
    "text": gettext_lazy("the words"),
    "html": gettext_lazy("the formatting"),
    "language": gettext_lazy("the language"),
    "actions": gettext_lazy("what it does"),
    "owner_id": gettext_lazy("who has it"),
    "team_id": gettext_lazy("who has it"),
    "signature": gettext_lazy("the signature"),
    "totp": gettext_lazy("authenticator app"),
    "webauthn": gettext_lazy("passkey"),
    "recovery_codes": gettext_lazy("recovery codes"),
    "password": gettext_lazy("password"),
    "mfa": gettext_lazy("second factor"),
    "socialaccount": gettext_lazy("organisation’s log-in"),
    "invitation": gettext_lazy("invitation"),
    "in": gettext_lazy("receiving"),
    "out": gettext_lazy("sending"),
    "paused": gettext_lazy("paused or not"),
    "signing_secret": gettext_lazy("the secret"),
    "teams": gettext_lazy("who sees it"),
    "ticket": gettext_lazy("tickets"),
    "customer": gettext_lazy("customers"),
    "organisation": gettext_lazy("organisations"),
    "label": gettext_lazy("the name"),
    "help": gettext_lazy("the help"),
    "kind": gettext_lazy("the kind"),
    "choices": gettext_lazy("the choices"),
    "required": gettext_lazy("whether it is needed"),
    "searchable": gettext_lazy("whether search finds it"),
    "hours.zone": gettext_lazy("the time zone of its hours"),
    "hours.days": gettext_lazy("its hours"),
    "hours.closed": gettext_lazy("days off"),
    "hours.holidays": gettext_lazy("its holidays"),
}
# Whose ids become names, and the field that holds the name.
KINDS: dict[str, tuple[Manager[Any], str]] = {
    "agent": (Agent.objects, "name"),
    "team": (Team.objects, "name"),
    "channel": (Channel.objects, "name"),
    "macro": (Macro.objects, "name"),
    "brand": (Brand.objects, "name"),
}


def names(what: str, rows: Manager[Any], by: str = "name") -> None:
    """Register that ids which events hold as `what` are those of these rows, which people know by this field."""
    KINDS[what] = (rows, by)


def says(kind: str, sentence: StrOrPromise) -> None:
    """Register the sentence for a kind of event."""
    SENTENCES[kind] = sentence


@dataclass
class Line:
    """One event as people read it. `known` is False where only its code can be shown."""

    pk: int
    at: datetime
    kind: str
    text: str
    actor: int | None
    who: str
    known: bool
    details: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Page:
    lines: list[Line]
    older: int | None  # the id before which the next page begins


def kinds() -> list[tuple[str, str]]:
    """Every kind of event that can be chosen, and its sentence with dots where names stand."""
    found = [(kind, str(sentence) % _Dots()) for kind, sentence in SENTENCES.items()]
    return sorted(found, key=lambda one: one[1].lstrip("… "))


def page(*, before: int | None = None, actor: int | None = None, kind: str = "") -> Page:
    """The newest events of settings and permissions: two queries, whatever is asked for."""
    events = Event.objects.filter(ticket__isnull=True).exclude(kind__in=OF_CUSTOMERS)
    if before is not None:
        events = events.filter(pk__lt=before)
    if actor is not None:
        events = events.filter(actor_kind=ActorKind.AGENT, actor_id=actor)
    if kind:
        events = events.filter(kind=kind)
    rows = list(events.order_by("-pk")[: PAGE + 1])
    shown = rows[:PAGE]
    names = names_of(shown)
    return Page([line(event, names) for event in shown], shown[-1].pk if len(rows) > PAGE else None)


def names_of(events: Iterable[Event]) -> dict[tuple[str, int], str]:
    """Names of the agents, teams, channels and so on that these events mention, in one query."""
    wanted: dict[str, set[int]] = defaultdict(set)
    for event in events:
        if event.actor_id is not None and event.actor_kind in {ActorKind.AGENT, ActorKind.BOT}:
            wanted["agent"].add(event.actor_id)
        for what in KINDS:
            if isinstance(value := event.data.get(what), int):
                wanted[what].add(value)
    parts = [
        rows.filter(pk__in=wanted[what]).order_by().values_list(Value(what, CharField()), "pk", Cast(by, CharField()))
        for what, (rows, by) in KINDS.items()
        if what in wanted
    ]
    if not parts:
        return {}
    return {(what, pk): name for what, pk, name in parts[0].union(*parts[1:], all=True)}


def line(event: Event, names: Mapping[tuple[str, int], str]) -> Line:
    who = _("the system")
    if event.actor_id is not None:
        who = names.get(("agent", event.actor_id)) or _("somebody who is gone")
    elif event.actor_kind != ActorKind.SYSTEM:
        who = str(ActorKind(event.actor_kind).label)
    told = _Told({name: worded(name, value, names) for name, value in event.data.items()}, who=who)
    sentence = SENTENCES.get(event.kind)
    text = str(sentence) % told if sentence else event.kind
    details = [] if sentence else [(name, value) for name, value in told.items() if name != "who"]
    return Line(
        event.pk, event.at, event.kind, text[:1].upper() + text[1:], event.actor_id, who, bool(sentence), details
    )


class _Told(dict[str, str]):
    """What a sentence may name; what an older event does not hold is a dash."""

    def __missing__(self, key: str) -> str:
        return "–"


class _Dots(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "…"


def worded(name: str, value: Any, names: Mapping[tuple[str, int], str]) -> str:
    """One value of an event for people."""
    if isinstance(value, list):
        return ", ".join(worded(name, one, names) for one in value) or _("nothing")
    if name in KINDS and isinstance(value, int):
        return names.get((name, value)) or _("no. %(id)s, which is gone") % {"id": value}
    if name in {"role", "from", "to"} and value in Role.values:
        return str(Role(value).label).lower()
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(WORDS.get(value, value)) if isinstance(value, str) else str(value)
