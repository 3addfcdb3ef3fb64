"""Agents and teams."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from rest_framework import serializers

from api.serializers.common import AgentRef, SeenTeam, SomeAgent, TeamRef, Words
from api.strict import Choice, Filters, StrictSerializer
from inbox import access
from inbox.models import Agent, Role, Team


class AgentOut(serializers.Serializer[Agent]):
    """A person or bot who works on tickets; `teams` are those that the reader may know of."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    active = serializers.BooleanField(source="is_active")
    away = serializers.BooleanField()
    bot = serializers.BooleanField(source="is_bot")
    language = serializers.CharField()
    time_zone = serializers.CharField()
    skills = serializers.ListField(child=serializers.CharField())
    languages = serializers.ListField(child=serializers.CharField())
    teams = TeamRef(many=True, source="seen_teams")
    created_at = serializers.DateTimeField()

    @staticmethod
    def with_all(agents: QuerySet[Agent], reader: Agent) -> QuerySet[Agent]:
        return agents.prefetch_related(Prefetch("teams", access.teams(reader).order_by("pk"), to_attr="seen_teams"))


class AgentFilters(Filters):
    role = Choice(choices=Role.choices)
    active = serializers.BooleanField()
    team = SeenTeam(help_text="Slug or id.")
    email = serializers.CharField(max_length=254)

    @classmethod
    def apply(cls, agents: QuerySet[Agent], chosen: dict[str, Any]) -> QuerySet[Agent]:
        names = {"active": "is_active", "team": "teams", "email": "email__iexact"}
        return agents.filter(**{names.get(name, name): value for name, value in chosen.items()}).order_by("pk")


class AgentPatch(StrictSerializer):
    """PATCH /agents/{id}/: what is named changes."""

    name = serializers.CharField(max_length=200)
    role = Choice(choices=Role.choices)
    active = serializers.BooleanField(source="is_active")
    away = serializers.BooleanField()
    skills = Words(child=serializers.CharField(max_length=60), max_length=50)
    languages = Words(child=serializers.CharField(max_length=10), max_length=50)
    teams = serializers.ListField(child=SeenTeam(), help_text="Slugs or ids of all teams that they are to be in.")


class TeamOut(serializers.Serializer[Team]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()
    private = serializers.BooleanField()
    signature = serializers.CharField()
    members = AgentRef(many=True)

    @staticmethod
    def with_all(teams: QuerySet[Team]) -> QuerySet[Team]:
        return teams.prefetch_related(Prefetch("members", Agent.objects.order_by("pk")))


class TeamIn(StrictSerializer):
    """POST and PATCH. A private team's tickets are seen by its members alone, and nobody else knows that it exists."""

    name = serializers.CharField(max_length=120)
    slug = serializers.SlugField(max_length=50)
    private = serializers.BooleanField(required=False)
    signature = serializers.CharField(required=False, allow_blank=True, max_length=5000)
    members = serializers.ListField(
        child=SomeAgent(), required=False, max_length=1000, help_text="Ids of all who are to be in it."
    )

    def validate_slug(self, value: str) -> str:
        if value.isdigit():
            raise serializers.ValidationError(_("A slug has at least one letter: digits alone would be an id."))
        return value
