"""Ticket, its log, and what can be asked of it."""

from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.common import (
    BIGGEST_ID,
    TAG_LENGTH,
    AgentRef,
    AnyAgent,
    Attributes,
    ChannelRef,
    CustomerRef,
    IdentityIn,
    JsonObject,
    OrganisationRef,
    SafeHtml,
    SeenAgent,
    SeenChannel,
    SeenCustomer,
    SeenTeam,
    TeamRef,
    Words,
    address,
    text_of,
)
from api.strict import Choice, Codes, Filters, StrictSerializer
from inbox import access, search, wishes
from inbox.actions import links
from inbox.adapters import Party, adapter_for
from inbox.models import (
    SUBJECT_LENGTH,
    Channel,
    Event,
    FieldNoun,
    LinkKind,
    Participant,
    ParticipantRole,
    Priority,
    Status,
    Ticket,
    TicketLink,
    TicketType,
)

NOBODY = "none"
ORDERS = ("updated_at", "created_at", "last_message_at", "number")


class ParticipantOut(serializers.Serializer[Participant]):
    kind = serializers.CharField(source="identity.kind")
    value = serializers.CharField(source="identity.value")
    name = serializers.CharField(source="identity.name")
    role = serializers.ChoiceField(choices=ParticipantRole.choices)


class TicketOut(serializers.Serializer[Ticket]):
    """A ticket as the API shows it. Rows come from `with_all`, or each costs queries of its own."""

    number = serializers.IntegerField()
    subject = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    priority = serializers.ChoiceField(choices=Priority.choices)
    type = serializers.ChoiceField(choices=TicketType.choices, allow_blank=True)
    severity = serializers.IntegerField(allow_null=True)
    topic = serializers.CharField()
    attributes = serializers.DictField()
    external_id = serializers.CharField(allow_null=True)
    organisation = OrganisationRef(allow_null=True)
    participants = ParticipantOut(many=True)
    due_at = serializers.DateTimeField(allow_null=True)
    spam = serializers.BooleanField()
    trashed = serializers.SerializerMethodField()
    channel = ChannelRef()
    customer = CustomerRef()
    assignee = AgentRef(allow_null=True)
    team = TeamRef(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    language = serializers.CharField()
    snoozed_until = serializers.DateTimeField(allow_null=True)
    message_count = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    last_customer_message_at = serializers.DateTimeField(allow_null=True)
    first_replied_at = serializers.DateTimeField(allow_null=True)
    solved_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    reopen_count = serializers.IntegerField()
    csat = serializers.IntegerField(allow_null=True)
    follow_up_of = serializers.SerializerMethodField()
    merged_into = serializers.IntegerField(source="merged_into_id", allow_null=True)
    url = serializers.SerializerMethodField()

    def get_trashed(self, ticket: Ticket) -> bool:
        return ticket.trashed_at is not None

    @extend_schema_field({"type": ["integer", "null"]})
    def get_follow_up_of(self, ticket: Ticket) -> int | None:
        return next((link.target_id for link in ticket.links.all() if link.kind == LinkKind.FOLLOW_UP), None)

    def get_url(self, ticket: Ticket) -> str:
        return address(f"/tickets/{ticket.number}/")

    @staticmethod
    def with_all(tickets: QuerySet[Ticket]) -> QuerySet[Ticket]:
        """The rows with everything that their JSON shows: three queries, however many rows."""
        return tickets.select_related("channel", "customer", "organisation", "assignee", "team").prefetch_related(
            Prefetch(
                "participants",
                Participant.objects.filter(until__isnull=True).select_related("identity").order_by("pk"),
            ),
            Prefetch("links", TicketLink.objects.order_by("pk")),
        )


class TicketFilters(Filters):
    """The filters of /tickets/."""

    status = Codes(Status.choices, help_text="One or several, parted by commas.")
    priority = Codes(Priority.choices, help_text="One or several, parted by commas.")
    channel = SeenChannel(help_text="Slug or id.")
    channel_kind = serializers.CharField(max_length=30)
    assignee = AnyAgent(none=NOBODY, help_text="An agent's id, `me`, or `none`.")
    team = SeenTeam(none=NOBODY, help_text="Slug or id, or `none`.")
    tag = serializers.CharField(max_length=TAG_LENGTH)
    customer = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID)
    external_id = serializers.CharField(max_length=200)
    spam = serializers.BooleanField()
    trashed = serializers.BooleanField(help_text="Default: false, which leaves out what lies in the trash.")
    created_after = serializers.DateTimeField()
    created_before = serializers.DateTimeField()
    updated_after = serializers.DateTimeField()
    q = serializers.CharField(max_length=200, help_text="Words to search for; of the best 2,000 that are found.")
    order = Choice(choices=[sign + name for name in ORDERS for sign in ("-", "")], help_text="Default: -updated_at.")

    PATHS = {
        "status": "status__in",
        "priority": "priority__in",
        "channel_kind": "channel__kind",
        "tag": "tags__contains",
        "created_after": "created_at__gt",
        "created_before": "created_at__lt",
        "updated_after": "updated_at__gt",
        "q": "pk__in",
    }

    def validate_q(self, value: str) -> list[int]:
        return search.numbers(self.context["request"].user, value)

    @classmethod
    def apply(cls, tickets: QuerySet[Ticket], chosen: dict[str, Any]) -> QuerySet[Ticket]:
        """The tickets that all chosen filters hold for, in the chosen order."""
        chosen = dict(chosen)
        order = chosen.pop("order", "-updated_at")
        chosen["trashed_at__isnull"] = not chosen.pop("trashed", False)
        if "tag" in chosen:
            chosen["tag"] = [chosen["tag"]]
        found = tickets.filter(Q(**{cls.PATHS.get(name, name): value for name, value in chosen.items()}))
        unique = "-number" if order.startswith("-") else "number"
        return found.order_by(*dict.fromkeys((order, unique)))


class TicketIn(StrictSerializer):
    """POST /tickets/: a matter that somebody brought (`in`), or a message that we begin with (`out`)."""

    channel = SeenChannel(
        required=False,
        help_text="Slug or id. A message to a `customer` (`out`) needs none where the one they prefer reaches them.",
    )
    customer = SeenCustomer(required=False)
    identity = IdentityIn(required=False)
    subject = serializers.CharField(max_length=SUBJECT_LENGTH, allow_blank=True)
    text = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, default="")
    html = SafeHtml(required=False, allow_blank=True, trim_whitespace=False, default="")
    direction = Choice(choices=["in", "out"], default="out")
    attachments = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=BIGGEST_ID), required=False, max_length=50
    )
    status = Choice(choices=[c for c in Status.choices if c[0] != Status.CLOSED], required=False)
    priority = Choice(choices=Priority.choices, required=False)
    assignee = SeenAgent(required=False, allow_null=True)
    team = SeenTeam(required=False, allow_null=True)
    tags = Words(required=False)
    external_id = serializers.CharField(max_length=200, required=False)
    options = JsonObject(required=False, help_text="As of a reply: what the channel alone knows, such as a template.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("customer" in attrs) == ("identity" in attrs):
            raise serializers.ValidationError({"customer": [_("Name either a customer or an identity, and not both.")]})
        if "channel" not in attrs:
            attrs["channel"] = self._preferred(attrs)
        attrs["text"] = text_of(attrs["text"], attrs["html"])
        if not attrs["text"].strip() and not attrs.get("attachments") and not attrs.get("options"):
            raise serializers.ValidationError({"text": [_("Give text or html.")]})
        if attrs.get("attachments") and attrs["direction"] == "in":
            raise serializers.ValidationError({"attachments": [_("Files go with messages of ours only.")]})
        if attrs.get("options") and attrs["direction"] == "in":
            raise serializers.ValidationError({"options": [_("Options go with messages of ours only.")]})
        if identity := attrs.get("identity"):
            attrs["identity"] = self._party(identity, attrs["channel"])
        return attrs

    def _preferred(self, attrs: dict[str, Any]) -> Channel:
        """The channel of a ticket that names none."""
        found = None
        if attrs["direction"] == "out" and "customer" in attrs:
            found = wishes.preferred(attrs["customer"], access.channels(self.context["request"].user))
        if found is None:
            said = _("Name a channel: there is none that this customer prefers and that reaches them now.")
            raise serializers.ValidationError({"channel": [said]})
        return found

    @staticmethod
    def _party(identity: dict[str, str], channel: Channel) -> Party:
        takes = adapter_for(channel.kind).identity_kind
        if identity["kind"] != takes:
            said = _("The channel %(channel)s reaches people by %(kind)s.") % {"channel": channel.slug, "kind": takes}
            raise serializers.ValidationError({"identity": {"kind": [said]}})
        return Party(takes, identity["value"], identity["name"])


class TicketPatch(StrictSerializer):
    """PATCH /tickets/{number}/: what is named changes, all of it or nothing."""

    status = Choice(choices=Status.choices)
    priority = Choice(choices=Priority.choices)
    assignee = SeenAgent(allow_null=True, help_text="An agent's id, `me`, or null for nobody.")
    team = SeenTeam(allow_null=True, help_text="Slug or id, or null for none.")
    tags = Words(help_text="All tags that the ticket is to have.")
    subject = serializers.CharField(max_length=SUBJECT_LENGTH, allow_blank=True)
    snoozed_until = serializers.DateTimeField(allow_null=True)
    spam = serializers.BooleanField()
    trashed = serializers.BooleanField(help_text="true puts it into the trash, false takes it out of it.")
    type = Choice(choices=TicketType.choices, allow_blank=True)
    severity = serializers.IntegerField(min_value=1, max_value=9, allow_null=True, help_text="1 is the gravest.")
    topic = serializers.CharField(max_length=120, allow_blank=True)
    attributes = Attributes(FieldNoun.TICKET, help_text="All attributes that the ticket is to have.")
    external_id = serializers.CharField(max_length=200, allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    language = serializers.RegexField(
        r"^([a-z]{2,3}(-[A-Za-z0-9]{2,4})?)?$",
        max_length=10,
        allow_blank=True,
        help_text="A code such as `de`, which stays whatever the customer writes in; empty to detect it again.",
    )


class SplitIn(StrictSerializer):
    messages = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=BIGGEST_ID), min_length=1, max_length=500
    )
    subject = serializers.CharField(max_length=SUBJECT_LENGTH, required=False, allow_blank=True, default="")


class MergeIn(StrictSerializer):
    into = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID)


HANGS = [(kind.value, kind.label) for kind in LinkKind if kind in links.BY_HAND]


class LinkIn(StrictSerializer):
    relation = Choice(choices=HANGS, help_text="What this ticket is of the other one.")
    of = serializers.IntegerField(min_value=1, max_value=BIGGEST_ID, help_text="Number of the other ticket.")


class LinkOut(serializers.Serializer[TicketLink]):
    """`ticket` is a follow-up, duplicate, incident or child of `of`, unrelated to it, or was merged into it."""

    id = serializers.IntegerField()
    ticket = serializers.IntegerField(source="source_id")
    relation = serializers.ChoiceField(source="kind", choices=LinkKind.choices)
    of = serializers.IntegerField(source="target_id")
    created_at = serializers.DateTimeField()


class ActorOut(serializers.Serializer[Event]):
    type = serializers.CharField(source="actor_kind")
    id = serializers.IntegerField(source="actor_id", allow_null=True)


class EventOut(serializers.Serializer[Event]):
    """One line of the log: ids and codes."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    actor = ActorOut(source="*")
    at = serializers.DateTimeField()
    data = JsonObject()  # type: ignore[assignment]  # a field; the metaclass takes it out of the class
