"""What a delivery says: `{"type", "timestamp", "data"}`, with ticket and message as the API shows them.

Small on purpose: a message's HTML is left out and its text is cut, for whoever wants all of it asks the API. Tags,
people and teams are named, never only numbered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone
from rest_framework.renderers import JSONRenderer

from api.models import Webhook
from api.serializers.channels import ChannelOut
from api.serializers.common import address
from api.serializers.customers import CustomerOut
from api.serializers.messages import MessageOut
from api.serializers.tickets import TicketOut
from api.webhooks import events
from inbox import access
from inbox.models import Agent, Channel, Event, Message, Tag, Team, Ticket

TEXT_LENGTH = 10_000
FIELDS = {"priority_changed": "priority", "status_changed": "status"}


def moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def ping(hook: Webhook) -> dict[str, Any]:
    """A test: it says which webhook it came from."""
    return {
        "type": events.PING,
        "timestamp": moment(timezone.now()),
        "data": {"webhook": {"id": hook.pk, "name": hook.name}},
    }


def to_text(payload: dict[str, Any]) -> str:
    """The payload as it is signed and sent, in JSON without blanks."""
    return JSONRenderer().render(payload).decode()


class MessageTold(MessageOut):
    html = None  # type: ignore[assignment]  # so a serializer leaves out what its base has


@dataclass
class Shown:
    """Everything that the payloads of some events show, as the API does, asked for in a fixed number of queries."""

    tickets: dict[int, Any]
    messages: dict[int, Any]
    customers: dict[int, Any]
    channels: dict[int, Any]
    tags: dict[int, str]
    agents: dict[int, str]
    teams: dict[int, str]

    @classmethod
    def of(cls, batch: Sequence[Event], owner: Agent) -> Shown:
        loose = [event for event in batch if event.ticket_id is None]
        assigned = [event for event in batch if event.kind == "assigned"]
        actors = {event.actor_id for event in batch if event.actor_kind == "agent" and event.actor_id}
        tickets = Ticket.objects.filter(pk__in={event.ticket_id for event in batch if event.ticket_id})
        # Seen on its own account: it may lie in another ticket by now.
        messages = access.messages(owner).filter(pk__in=_named(batch, "message")).defer("html")
        about = {pk for event in loose if (pk := events.customer_of(event)) is not None}
        customers = access.customers(owner).filter(pk__in=about)
        channels = access.channels(owner).filter(pk__in=_named(loose, "channel"))
        tags = {tag for event in batch if event.kind == "tags_changed" for tag in _tags(event)}
        people, teams = actors | _named(assigned, "from", "to"), _named(assigned, "team_from", "team_to")
        with timezone.override(UTC):
            return cls(
                tickets={row.pk: TicketOut(row).data for row in TicketOut.with_all(tickets)},
                messages={row.pk: _message(row) for row in MessageOut.with_all(messages)},
                customers={row.pk: CustomerOut(row).data for row in CustomerOut.with_all(customers, owner)},
                channels={row.pk: _channel(row) for row in ChannelOut.with_all(channels)},
                tags=dict(Tag.objects.filter(pk__in=tags).values_list("pk", "name")),
                agents=dict(Agent.objects.filter(pk__in=people).values_list("pk", "name")),
                teams=dict(Team.objects.filter(pk__in=teams).values_list("pk", "name")),
            )

    def payload(self, kind: str, event: Event) -> dict[str, Any] | None:
        """What to tell of this event; None when what it was about is there no more."""
        data: dict[str, Any] = {
            "event": event.pk,
            "actor": {
                "type": event.actor_kind,
                "id": event.actor_id,
                "name": self.agents.get(event.actor_id or 0, "") if event.actor_kind == "agent" else "",
            },
        }
        if event.ticket_id is not None:
            data["ticket"] = self.tickets.get(event.ticket_id)
            if "message" in event.data:
                data["message"] = self.messages.get(event.data["message"])
            if event.kind.startswith("survey_"):
                data["answer"] = {**event.data, "id": event.data.get("answer")}
                data["answer"].pop("answer", None)
            if event.kind.startswith("chat_"):
                data["chat"] = {name: value for name, value in event.data.items() if name != "note"}
        elif event.kind == events.ERASED:
            data["customer"] = {"id": event.data["customer"]}
        elif (customer := events.customer_of(event)) is not None:
            data["customer"] = self.customers.get(customer)
        else:
            data["channel"] = self.channels.get(event.data.get("channel", 0))
        if None in data.values():
            return None
        if changes := self.changes(event):
            data["changes"] = changes
        return {"type": kind, "timestamp": moment(event.at), "data": data}

    def changes(self, event: Event) -> dict[str, Any]:
        """What changed: {"field": {"from", "to"}}; for tags {"added", "removed"}. `from` is left out where unknown."""
        said = event.data
        ticket = self.tickets.get(event.ticket_id or 0, {})
        match event.kind:
            case "status_changed" | "priority_changed":
                return {FIELDS[event.kind]: {"from": said.get("from"), "to": said.get("to")}}
            case "assigned":
                return {
                    "assignee": {way: _ref(self.agents, said.get(way)) for way in ("from", "to")},
                    "team": {way: _ref(self.teams, said.get(f"team_{way}")) for way in ("from", "to")},
                }
            case "tags_changed":
                return {
                    "tags": {
                        way: [self.tags[tag] for tag in said.get(way, ()) if tag in self.tags]
                        for way in ("added", "removed")
                    }
                }
            case "subject_changed":
                return {"subject": {"to": ticket.get("subject")}}
            case "spam_changed":
                return {"spam": {"to": said.get("spam")}}
            case "trashed" | "restored":
                return {"trashed": {"to": event.kind == "trashed"}}
            case "snoozed":
                return {"snoozed_until": {"to": said.get("until")}}
            case "participant_confirmed" | "participant_added" | "participant_removed" | "requester_changed":
                return {"participants": {"to": ticket.get("participants")}}
            case "merged":
                return {"merged_into": {"from": None, "to": said.get("into")}}
            case "message_moved":
                return {"ticket": {"from": said.get("from"), "to": said.get("to")}}
            case "unmerged":
                return {"merged_into": {"from": said.get("from"), "to": None}}
            case "identity_added" | "identity_retired":
                return {"identities": {}}
            case "customer_merged":
                return {"merged": {"from": said.get("customer"), "to": said.get("into")}}
            case "message_scheduled":
                return {"send_at": {"to": said.get("send_at")}}
            case "customer_changed" | "channel_changed" | "fields_changed":
                return {field: {} for field in said.get("fields", ())}
            case "channel_failing" | "channel_recovered":
                return {"direction": {"to": said.get("direction")}}
        return {}


def _named(batch: Iterable[Event], *names: str) -> set[int]:
    return {value for event in batch for name in names if isinstance(value := event.data.get(name), int)}


def _tags(event: Event) -> list[int]:
    return [*event.data.get("added", ()), *event.data.get("removed", ())]


def _ref(names: dict[int, str], pk: int | None) -> dict[str, Any] | None:
    return None if pk is None else {"id": pk, "name": names.get(pk, "")}


def _message(message: Message) -> dict[str, Any]:
    """As the API shows it, without its HTML; `truncated` says whether text is missing. `url` gives all of it."""
    long = max(len(message.text), len(message.visible_text)) > TEXT_LENGTH
    message.text, message.visible_text = message.text[:TEXT_LENGTH], message.visible_text[:TEXT_LENGTH]
    return {**MessageTold(message).data, "truncated": long, "url": address(f"/api/v1/messages/{message.pk}/")}


def _channel(channel: Channel) -> dict[str, Any]:
    shown = dict(ChannelOut(channel).data)
    return {name: shown[name] for name in ("id", "kind", "slug", "name", "paused", "health")}
