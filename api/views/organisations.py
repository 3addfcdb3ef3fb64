"""/organisations/."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.serializers.organisations import OrganisationFilters, OrganisationIn, OrganisationOut
from api.views.base import View
from inbox import access
from inbox.actions import organisations
from inbox.rights import Right


class OrganisationView(View):
    queries = {"list": OrganisationFilters}

    def sees(self, name: Any) -> None:
        access.get_organisation(self.agent, name)

    @extend_schema(operation_id="organisations_list", responses=OrganisationOut(many=True))
    def list(self, request: Request) -> Response:
        """Companies whose people or tickets this agent may see, and those without any."""
        return self.page(OrganisationFilters.apply(access.organisations(self.agent), self.filters), OrganisationOut)

    @extend_schema(operation_id="organisations_create", request=OrganisationIn, responses={201: OrganisationOut})
    def create(self, request: Request) -> Response:
        """A new company."""
        self.require(Right.ANSWER)
        made = organisations.create(by=self.agent, **self.taken(OrganisationIn))
        return self.made(OrganisationOut(made).data, f"organisations/{made.pk}/")

    @extend_schema(operation_id="organisations_get", responses=OrganisationOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One company."""
        return Response(OrganisationOut(access.get_organisation(self.agent, pk)).data)

    @extend_schema(operation_id="organisations_change", request=OrganisationIn, responses=OrganisationOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what is named."""
        self.require(Right.ANSWER)
        found = access.get_organisation(self.agent, pk)
        asked = self.taken(OrganisationIn, before=found.attributes)
        return Response(OrganisationOut(organisations.update(found, by=self.agent, **asked)).data)

    @extend_schema(operation_id="organisations_delete", responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Forget a company; its people and their tickets stay."""
        self.require(Right.SHARE)
        organisations.delete(access.get_organisation(self.agent, pk), by=self.agent)
        return Response(status=204)
