"""Macros, saved views and tags."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.common import AgentRef, SafeHtml, SeenTeam, TeamRef, Words, text_of
from api.serializers.tickets import TicketPatch
from api.strict import Choice, Filters, StrictSerializer
from inbox import default_views, lists
from inbox.models import Agent, Macro, SavedView, Tag


class TagOut(serializers.Serializer[Tag]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    colour = serializers.CharField()


class TagIn(StrictSerializer):
    name = serializers.CharField(max_length=80)
    colour = serializers.RegexField(
        r"^(#[0-9a-fA-F]{6})?$", required=False, allow_blank=True, help_text="Such as #3366cc; empty for none."
    )


class TagFilters(Filters):
    q = serializers.CharField(max_length=80, help_text="How the name begins.")

    @classmethod
    def apply(cls, tags: QuerySet[Tag], chosen: dict[str, Any]) -> QuerySet[Tag]:
        return (tags.filter(name__istartswith=chosen["q"]) if "q" in chosen else tags).order_by("name", "pk")


class Kept(StrictSerializer):
    """Who sees it: its owner alone (`shared` false, as without it), a team's members (`team`), or everybody."""

    shared = serializers.BooleanField(required=False, help_text="false: for me alone.")
    team = SeenTeam(required=False, allow_null=True, help_text="Slug or id of the only team that sees it.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        agent = self.context["request"].user
        shared = attrs.pop("shared", None)
        team = attrs.get("team")
        if team is not None and shared is False:
            raise serializers.ValidationError({"team": [_("What a team sees is shared.")]})
        if team is not None and not team.members.filter(pk=agent.pk).exists():
            raise serializers.ValidationError({"team": [_("You are not in this team.")]})
        if shared is not None or team is not None:
            attrs["owner"] = None if shared or team is not None else agent
            if shared is False:
                attrs["team"] = None
        elif not self.partial:
            attrs["owner"] = agent
        return attrs


class MacroDeeds(StrictSerializer):
    """What a macro can do besides setting a field of a ticket."""

    add_tags = Words()
    remove_tags = Words()
    snooze = serializers.IntegerField(min_value=1, max_value=24 * 90, help_text="Hours from when it is applied.")
    note = serializers.CharField(max_length=10_000)


class MacroActionIn(StrictSerializer):
    """Something that a macro does to the ticket: one field of `PATCH /tickets/{number}/`, `add_tags` and `remove_tags`
    (lists), `snooze` (hours), or `note` (text, with variables)."""

    set = Choice(choices=sorted([*TicketPatch().fields, *MacroDeeds().fields]))
    to = serializers.JSONField(allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        kind = MacroDeeds if attrs["set"] in MacroDeeds().fields else TicketPatch
        kind(data={attrs["set"]: attrs["to"]}, partial=True, context=self.context).is_valid(raise_exception=True)
        return attrs


class MacroActionOut(serializers.Serializer[Any]):
    set = serializers.CharField()
    to = serializers.JSONField(allow_null=True)


class MacroOut(serializers.Serializer[Macro]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    language = serializers.CharField()
    text = serializers.CharField()
    html = serializers.CharField()
    actions = MacroActionOut(many=True)
    team = TeamRef(allow_null=True)
    owner = AgentRef(allow_null=True, help_text="Whose alone it is; null where others have it, too.")


class MacroIn(Kept):
    """POST and PATCH. `text` and `html` may hold variables such as {{ customer.name }}."""

    name = serializers.CharField(max_length=120)
    language = serializers.CharField(max_length=10, required=False, allow_blank=True)
    text = serializers.CharField(required=False, allow_blank=True, trim_whitespace=False, max_length=100_000)
    html = SafeHtml(required=False, allow_blank=True, trim_whitespace=False, max_length=100_000)
    actions = serializers.ListField(child=MacroActionIn(), required=False, max_length=50)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if "html" in attrs and not attrs.get("text", "").strip():
            attrs["text"] = text_of("", attrs["html"])
        return attrs


class ViewOut(serializers.Serializer[SavedView]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    query = serializers.DictField(help_text="The list that it keeps, as its address says it.")
    position = serializers.IntegerField()
    team = TeamRef(allow_null=True)
    owner = AgentRef(allow_null=True, help_text="Whose alone it is; null where others have it, too.")


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class Query(serializers.DictField):
    """A list of tickets as its address says it: {"view": "all", "status": "open,pending", "sort": "waiting"}.

    Without `view` all tickets are narrowed. What each name takes: docs/lists.md.
    """

    child = serializers.CharField(max_length=200)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        given: dict[str, str] = super().to_internal_value(data)
        agent: Agent = self.context["request"].user
        if beside := {
            name: [_("There is no such filter.")] for name in given if name in lists.BESIDE - {"view", "sort"}
        }:
            raise serializers.ValidationError(beside)
        try:
            listing = lists.of(agent, {"view": default_views.EVERYTHING.key, **given})
        except Http404:
            raise serializers.ValidationError({"view": [_("There is no such view, or not for you.")]}) from None
        if listing.wrong:
            raise serializers.ValidationError({name: [said] for name, said in listing.wrong.items()})
        kept = listing.query
        return kept if "view" in given else {name: value for name, value in kept.items() if name != "view"}


class ViewIn(Kept):
    name = serializers.CharField(max_length=120)
    query = Query()
    position = serializers.IntegerField(required=False, min_value=0, max_value=10_000)
