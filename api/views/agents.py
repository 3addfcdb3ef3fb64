"""/agents/ and /teams/."""

from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from api.models import Scope
from api.serializers.agents import AgentFilters, AgentOut, AgentPatch, TeamIn, TeamOut
from api.views.base import View
from inbox import access
from inbox.actions import people, teams
from inbox.models import Agent, Team
from inbox.rights import Right


class AgentView(View):
    queries = {"list": AgentFilters}
    scopes = {"partial_update": Scope.ADMIN, "change_me": Scope.ADMIN}

    def shown(self, pk: int) -> Response:
        found = AgentOut.with_all(Agent.objects.filter(pk=pk), self.agent).first()
        if found is None:
            raise Http404
        return Response(AgentOut(found).data)

    @extend_schema(operation_id="agents_list", responses=AgentOut(many=True))
    def list(self, request: Request) -> Response:
        """Everybody who works or worked here."""
        found = AgentFilters.apply(Agent.objects.all(), self.filters)
        return self.page(AgentOut.with_all(found, self.agent), AgentOut)

    @extend_schema(operation_id="agents_get", responses=AgentOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One agent."""
        return self.shown(pk)

    @extend_schema(operation_id="agents_change", request=AgentPatch, responses=AgentOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change the role, the teams, or whether somebody is active or away: for administrators."""
        self.require(Right.PEOPLE)
        found = Agent.objects.filter(pk=pk).first()
        if found is None:
            raise Http404
        asked = self.taken(AgentPatch)
        with transaction.atomic():
            active = asked.pop("is_active", None)
            if "teams" in asked:  # what this administrator does not see stays as it is
                asked["teams"] += found.teams.exclude(pk__in=access.teams(self.agent).values("pk"))
            people.change(found, by=self.agent, **asked)
            if active is not None:
                (people.switch_on if active else people.switch_off)(found, by=self.agent)
        return self.shown(pk)

    @extend_schema(operation_id="agents_me", responses=AgentOut)
    @action(detail=False, methods=["get"])
    def me(self, request: Request) -> Response:
        """The agent whom the token acts as."""
        return self.retrieve(request, self.agent.pk)

    @extend_schema(operation_id="agents_me_change", request=AgentPatch, responses=AgentOut)
    @me.mapping.patch
    def change_me(self, request: Request) -> Response:
        """Change the agent whom the token acts as, as by their id: for administrators."""
        return self.partial_update(request, self.agent.pk)


class TeamView(View):
    lookup_value_converter = "slug"

    def sees(self, name: Any) -> None:
        access.get_team(self.agent, name)

    def shown(self, team: Team) -> dict[str, object]:
        return dict(TeamOut(TeamOut.with_all(Team.objects.filter(pk=team.pk)).get()).data)

    @extend_schema(operation_id="teams_list", responses=TeamOut(many=True))
    def list(self, request: Request) -> Response:
        """Teams; private ones are seen by their members alone."""
        return self.page(TeamOut.with_all(access.teams(self.agent)).order_by("pk"), TeamOut)

    @extend_schema(operation_id="teams_create", request=TeamIn, responses={201: TeamOut})
    def create(self, request: Request) -> Response:
        """A new team: for managers."""
        self.require(Right.TEAMS)
        made = teams.create(by=self.agent, **self.taken(TeamIn))
        return self.made(self.shown(made), f"teams/{made.pk}/")

    @extend_schema(operation_id="teams_get", responses=TeamOut)
    def retrieve(self, request: Request, pk: str) -> Response:
        """By slug or id."""
        return Response(self.shown(access.get_team(self.agent, pk)))

    @extend_schema(operation_id="teams_change", request=TeamIn, responses=TeamOut)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is named: for managers. `members` are all who are to be in it."""
        self.require(Right.TEAMS)
        found = access.get_team(self.agent, pk)
        return Response(self.shown(teams.change(found, by=self.agent, **self.taken(TeamIn))))

    @extend_schema(operation_id="teams_delete", responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Dissolve a team: for managers. 409 while it has channels, or is private and has tickets."""
        self.require(Right.TEAMS)
        teams.delete(access.get_team(self.agent, pk), by=self.agent)
        return Response(status=204)
