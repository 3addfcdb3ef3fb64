"""Fields and small objects that several resources share."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.strict import StrictSerializer
from inbox import access, addresses, fields
from inbox.models import Agent, Channel, Customer, Organisation, Team
from lib import html

BIGGEST_ID = 2**63 - 1
TAG_LENGTH = 80


def address(path: str) -> str:
    """The whole address of a path of this installation."""
    return f"{settings.BASE_URL}{path}"


class ChannelRef(serializers.Serializer[Channel]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    kind = serializers.CharField()


class CustomerRef(serializers.Serializer[Customer]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class AgentRef(serializers.Serializer[Agent]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class TeamRef(serializers.Serializer[Team]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()


class OrganisationRef(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class Address(serializers.Serializer[Any]):
    name = serializers.CharField(allow_blank=True)
    address = serializers.CharField()


class Words(serializers.ListField):
    """A list of distinct words, in the order given."""

    child = serializers.CharField(max_length=TAG_LENGTH)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class JsonObject(serializers.DictField):
    """A JSON object that PostgreSQL can keep: no NUL and no half of a surrogate pair, however deep."""

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        value = super().to_internal_value(data)
        if _unstorable(value):
            raise serializers.ValidationError(_("Text in here holds a NUL or broken Unicode."))
        return value


class Attributes(JsonObject):
    """Attributes of a noun; what has a field of its key must fit it, the rest is free.

    `before` in the context is what is there: it may stay, even where its field has changed since.
    """

    def __init__(self, noun: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.noun = noun

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        value = super().to_internal_value(data)
        try:
            fields.check(self.noun, value, self.context.get("before"))
        except fields.Wrong as wrong:
            raise serializers.ValidationError(wrong.errors) from wrong
        return value


def _unstorable(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)
    if isinstance(value, dict):
        return any(_unstorable(key) or _unstorable(inner) for key, inner in value.items())
    return isinstance(value, list) and any(map(_unstorable, value))


@extend_schema_field({"type": ["integer", "string"]})
class Seen(serializers.Field[Any, Any, Any, Any]):
    """The id of something that the request's agent may see; becomes the object. Unseen and unknown look alike."""

    def __init__(self, none: str | None = None, **kwargs: Any) -> None:
        """`none` is the word that stands for None, where there is one."""
        super().__init__(**kwargs)
        self.none = none

    def to_internal_value(self, data: Any) -> Any:
        if self.none is not None and data == self.none:
            return None
        agent: Agent = self.context["request"].user
        if isinstance(data, bool) or not isinstance(data, str | int):
            raise serializers.ValidationError(_("Give an id."))
        try:
            return self.find(agent, str(data))
        except (Http404, ObjectDoesNotExist, ValueError) as error:
            raise serializers.ValidationError(_("There is no such thing, or not for you.")) from error

    def find(self, agent: Agent, name: str) -> Any:
        raise NotImplementedError

    @staticmethod
    def number(name: str) -> int:
        """`name` as an id. Raises ValueError for anything that is none."""
        if not (name.isascii() and name.isdigit() and len(name) < 19):
            raise ValueError(name)
        return int(name)


class SeenChannel(Seen):
    """A channel by slug or id."""

    def find(self, agent: Agent, name: str) -> Channel:
        if "\0" in name:
            raise ValueError(name)
        return access.get_channel(agent, name)


@extend_schema_field({"type": "integer"})
class SeenCustomer(Seen):
    def find(self, agent: Agent, name: str) -> Customer:
        return access.get_customer(agent, self.number(name))


class SeenAgent(Seen):
    """Somebody whom a ticket can be given to: by id, or `me`."""

    def find(self, agent: Agent, name: str) -> Agent:
        return access.agents(agent).get(pk=agent.pk if name == "me" else self.number(name))


class AnyAgent(Seen):
    """Anybody who has or had tickets, former agents included: by id, or `me`."""

    def find(self, agent: Agent, name: str) -> Agent:
        return Agent.objects.get(pk=agent.pk if name == "me" else self.number(name))


class SeenTeam(Seen):
    """A team by slug or id."""

    def find(self, agent: Agent, name: str) -> Team:
        if "\0" in name:
            raise ValueError(name)
        teams = access.teams(agent)
        return teams.filter(slug=name).first() or teams.get(pk=self.number(name))


@extend_schema_field({"type": "integer"})
class SeenOrganisation(Seen):
    def find(self, agent: Agent, name: str) -> Organisation:
        return access.get_organisation(agent, self.number(name))


@extend_schema_field({"type": "integer"})
class SomeAgent(Seen):
    """An agent who can be in a team: anybody who is active."""

    def find(self, agent: Agent, name: str) -> Agent:
        return Agent.objects.get(pk=agent.pk if name == "me" else self.number(name), is_active=True, is_bot=False)


class SafeHtml(serializers.CharField):
    """HTML from outside, made harmless on its way in."""

    def to_internal_value(self, data: Any) -> str:
        given = super().to_internal_value(data)
        try:
            return html.clean(given)
        except html.TooComplex as error:
            raise serializers.ValidationError(_("This HTML is nested too deeply.")) from error


class ShownName(serializers.CharField):
    """A person's name in one line."""

    def to_internal_value(self, data: Any) -> str:
        given = super().to_internal_value(data)
        if any(not letter.isprintable() for letter in given):
            raise serializers.ValidationError(_("A name takes no line breaks or control characters."))
        return given


class IdentityIn(StrictSerializer):
    """An address of a customer: `email`, `phone` (with its country code), or the name of a platform."""

    kind = serializers.RegexField(r"^[a-z][a-z0-9_]*$", max_length=30)
    value = serializers.CharField(max_length=320)
    name = ShownName(max_length=200, required=False, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            attrs["value"] = usable_address(attrs["kind"], attrs["value"])
        except serializers.ValidationError as error:
            raise serializers.ValidationError({"value": error.detail}) from error
        return attrs


def text_of(text: str, markup: str) -> str:
    """The plain text of a body that was given as text, as HTML, or as both."""
    return text if text.strip() else html.to_text(markup)


def usable_address(kind: str, value: str) -> str:
    """An address as identities keep it. Raises ValidationError where it can be none of this kind."""
    try:
        return addresses.usable(kind, value)
    except DjangoValidationError as error:
        raise serializers.ValidationError(error.messages) from error
