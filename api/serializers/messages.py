"""Message, its files, and what can be written."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.common import (
    BIGGEST_ID,
    Address,
    ChannelRef,
    JsonObject,
    SafeHtml,
    SeenChannel,
    ShownName,
    address,
    text_of,
    usable_address,
)
from api.strict import Choice, StrictSerializer
from inbox.actions.recipients import choose_channel
from inbox.adapters import adapter_for
from inbox.models import Attachment, AuthorKind, DeliveryState, Direction, EngagementKind, Message, Origin, Status


class AttachmentOut(serializers.Serializer[Attachment]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    inline = serializers.BooleanField()
    url = serializers.SerializerMethodField()

    def get_url(self, attachment: Attachment) -> str:
        return address(f"/api/v1/attachments/{attachment.pk}/")


class AuthorOut(serializers.Serializer[Message]):
    type = serializers.ChoiceField(choices=AuthorKind.choices, source="author_kind")
    id = serializers.SerializerMethodField()
    name = serializers.CharField(source="author_name")
    address = serializers.CharField(source="author_address")

    @extend_schema_field({"type": ["integer", "null"], "description": "Of the agent or the customer, by `type`."})
    def get_id(self, message: Message) -> int | None:
        return message.customer_id if message.author_kind == AuthorKind.CUSTOMER else message.agent_id


class LoggedOut(serializers.Serializer[Any]):
    medium = serializers.ChoiceField(choices=EngagementKind.choices)
    at = serializers.DateTimeField()
    seconds = serializers.IntegerField(allow_null=True)
    outcome = serializers.CharField()


class DeliveryOut(serializers.Serializer[Message]):
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    attempts = serializers.IntegerField()
    error = serializers.CharField()
    sent_at = serializers.DateTimeField(allow_null=True)
    delivered_at = serializers.DateTimeField(allow_null=True)
    read_at = serializers.DateTimeField(allow_null=True)


class ReactionOut(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="Who reacted; empty for ourselves.")
    emoji = serializers.CharField()
    at = serializers.DateTimeField()


class RatingOut(serializers.Serializer[Any]):
    value = serializers.FloatField(help_text="How many they gave.")
    of = serializers.FloatField(help_text="How many there are to give.")


class PostOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    text = serializers.CharField()
    url = serializers.CharField()
    picture = serializers.CharField(help_text="Where the platform keeps its picture, for some days.")


class CommentOut(serializers.Serializer[Any]):
    thread = serializers.CharField(help_text="The first comment of its thread.")
    post = PostOut(help_text="What it stands under, as far as it is known.")
    hidden = serializers.BooleanField()
    liked = serializers.BooleanField(help_text="By ourselves.")


# Of what a message's channel keeps of it, what says what it is; all else is the channel's own.
CONTENT = ("latitude", "longitude", "name", "address", "contacts", "seconds", "emoji", "kind", "story", "post", "data")


class MessageOut(serializers.Serializer[Message]):
    """A message as the API shows it. Rows come from `with_all`, or each costs queries of its own."""

    id = serializers.IntegerField()
    ticket = serializers.IntegerField(source="ticket_id")
    direction = serializers.ChoiceField(choices=Direction.choices)
    origin = serializers.ChoiceField(choices=Origin.choices)
    side = serializers.IntegerField(
        source="side_id",
        allow_null=True,
        help_text="The side conversation with a third party that it belongs to; nothing of it is for the customer.",
    )
    to = Address(many=True)
    cc = Address(many=True)
    bcc = Address(many=True)
    channel = ChannelRef()
    author = AuthorOut(source="*")
    subject = serializers.CharField()
    text = serializers.CharField()
    html = serializers.CharField(help_text="Sanitised.")
    visible_text = serializers.CharField(help_text="Without quotes and signature.")
    language = serializers.CharField()
    content_kind = serializers.CharField(
        help_text="text, image, video, audio, voice, sticker, file, location, contact, button, story, rating,"
        " unsupported…"
    )
    content = serializers.SerializerMethodField()
    rating = serializers.SerializerMethodField(help_text="What a review gave, also beside words; null for all else.")
    comment = serializers.SerializerMethodField(help_text="Of a comment on a social network; null for all else.")
    public = serializers.SerializerMethodField(help_text="Everybody can read it: a comment, or an answer to one.")
    edited_at = serializers.DateTimeField(allow_null=True, help_text="When its writer changed it last.")
    withdrawn_at = serializers.DateTimeField(allow_null=True, help_text="When it was deleted on its platform.")
    reactions = serializers.SerializerMethodField()
    external_id = serializers.CharField()
    in_reply_to = serializers.CharField()
    is_auto_reply = serializers.BooleanField()
    attachments = AttachmentOut(many=True)
    delivery = serializers.SerializerMethodField()
    send_at = serializers.DateTimeField(
        allow_null=True, help_text="When it is to leave, if not at once; also after the quiet hours."
    )
    logged = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    received_at = serializers.DateTimeField()

    @extend_schema_field({"type": "object", "additionalProperties": {}, "description": "A place, a contact…"})
    def get_content(self, message: Message) -> dict[str, Any]:
        if message.content_kind == "text" or message.direction != Direction.IN:
            return {}
        return {name: message.payload[name] for name in CONTENT if name in message.payload}

    @extend_schema_field(RatingOut(allow_null=True))
    def get_rating(self, message: Message) -> dict[str, float] | None:
        told = message.payload.get("rating")
        return {"value": told["value"], "of": told["of"]} if told else None

    @extend_schema_field(CommentOut(allow_null=True))
    def get_comment(self, message: Message) -> dict[str, Any] | None:
        told = message.payload
        if not told.get("public") or not isinstance(told.get("thread"), str):
            return None
        post = told.get("post") or {}
        return {
            "thread": told["thread"],
            "post": {name: str(post.get(name) or "") for name in ("id", "text", "url", "picture")},
            "hidden": bool(told.get("hidden")),
            "liked": any(one["by"] == "" and one.get("emoji") for one in message.reactions),
        }

    def get_public(self, message: Message) -> bool:
        return bool(message.payload.get("public"))

    @extend_schema_field(ReactionOut(many=True))
    def get_reactions(self, message: Message) -> list[dict[str, Any]]:
        return [dict(ReactionOut(one).data) for one in message.reactions if one.get("emoji")]

    @extend_schema_field(DeliveryOut(allow_null=True))
    def get_delivery(self, message: Message) -> dict[str, Any] | None:
        return dict(DeliveryOut(message).data) if message.state else None

    @extend_schema_field(LoggedOut(allow_null=True))
    def get_logged(self, message: Message) -> dict[str, Any] | None:
        if message.origin != Origin.LOGGED:
            return None
        told = message.payload
        said = {"medium": told.get("medium") or EngagementKind.OTHER, "at": message.created_at}
        return dict(LoggedOut({**said, "seconds": told.get("seconds"), "outcome": told.get("outcome") or ""}).data)

    @staticmethod
    def with_all(messages: QuerySet[Message]) -> QuerySet[Message]:
        """The rows with everything that their JSON shows: two queries, however many rows."""
        return messages.select_related("channel").prefetch_related(
            Prefetch("attachments", Attachment.objects.order_by("pk"))
        )


class AddressIn(StrictSerializer):
    name = ShownName(max_length=200, required=False, allow_blank=True, default="")
    address = serializers.CharField(max_length=320)


# What each kind of message takes besides `kind`.
REPLY_FIELDS = {"text", "html", "channel", "to", "cc", "bcc", "attachments", "status", "send_at", "options"}
NOTE_FIELDS = {"text", "html", "attachments"}
LOGGED_FIELDS = {"direction", "medium", "at", "seconds", "outcome", "text", "attachments", "status"}
FIELDS = {"reply": REPLY_FIELDS, "note": NOTE_FIELDS, "logged": LOGGED_FIELDS}
LONGEST = 30 * 24 * 3600  # seconds of a call or visit


class MessageIn(StrictSerializer):
    """POST /tickets/{number}/messages/: a reply to the customer, a note among us, or a call or visit that took place.

    A note takes `text`, `html` and `attachments`; what is logged takes `direction`, `medium`, `at`, `seconds`,
    `outcome`, `text`, `attachments` and `status`; a reply takes all but what is for logged ones.
    """

    kind = Choice(choices=["reply", "note", "logged"])
    text = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False)
    html = SafeHtml(required=False, allow_blank=True, trim_whitespace=False)
    channel = SeenChannel(required=False, help_text="Slug or id; without it that of the customer's last message.")
    to = AddressIn(many=True, required=False, help_text="Without it whoever the customer's last message asks for.")
    cc = AddressIn(many=True, required=False)
    bcc = AddressIn(many=True, required=False)
    attachments = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=BIGGEST_ID),
        required=False,
        max_length=50,
        help_text="Ids that POST /attachments/ gave.",
    )
    status = Choice(
        choices=[choice for choice in Status.choices if choice[0] != Status.CLOSED],
        required=False,
        help_text="What the ticket becomes; without it what this installation does after a reply.",
    )
    options = JsonObject(
        required=False,
        help_text="What only its channel knows, such as a template with its values: docs/channels/ of its kind.",
    )
    send_at = serializers.DateTimeField(
        required=False,
        help_text="When the reply is to leave; should they write first, it does not. In their quiet hours it waits.",
    )
    direction = Choice(choices=["in", "out"], required=False, help_text="Logged: who called or came.")
    medium = Choice(
        choices=[choice for choice in EngagementKind.choices if choice[0] != EngagementKind.CHAT],
        required=False,
        help_text="Logged: what it was.",
    )
    at = serializers.DateTimeField(required=False, help_text="Logged: when it began; now without it.")
    seconds = serializers.IntegerField(
        min_value=0, max_value=LONGEST, required=False, help_text="Logged: how long it took."
    )
    outcome = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="Logged: what came of it, in a few words."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = attrs["kind"]
        allowed = FIELDS[kind]
        wrong = {name: [_("A %(kind)s takes no such field.") % {"kind": kind}] for name in attrs if name not in allowed}
        wrong.pop("kind", None)
        if wrong:
            raise serializers.ValidationError(wrong)
        if kind == "logged":
            missing = {name: [_("Say this of what you log.")] for name in ("direction", "medium") if name not in attrs}
            if missing:
                raise serializers.ValidationError(missing)
            return attrs
        attrs["text"] = text_of(attrs.get("text", ""), attrs.get("html", ""))
        if not attrs["text"].strip() and not attrs.get("attachments") and not attrs.get("options"):
            raise serializers.ValidationError(
                {"text": [_("There is nothing to send: give text, html or attachments.")]}
            )
        if kind == "note":
            attrs.pop("html", None)
        self._check_recipients(attrs)
        return attrs

    def _check_recipients(self, attrs: dict[str, Any]) -> None:
        channel = attrs.get("channel") or choose_channel(self.context["ticket"])[0]
        kind = adapter_for(channel.kind).identity_kind
        for field in ("to", "cc", "bcc"):
            for place, recipient in enumerate(attrs.get(field, ())):
                try:
                    recipient["address"] = usable_address(kind, recipient["address"])
                except serializers.ValidationError as error:
                    raise serializers.ValidationError({f"{field}.{place}.address": error.detail}) from error
        if attrs.get("to") == []:
            raise serializers.ValidationError({"to": [_("Name somebody, or leave this out.")]})


class UploadIn(StrictSerializer):
    file = serializers.FileField(allow_empty_file=True, max_length=255)


class MessagePatch(StrictSerializer):
    """PATCH /messages/{id}/: while it has not left, it can leave at another time."""

    send_at = serializers.DateTimeField(allow_null=True, help_text="null: now.")
