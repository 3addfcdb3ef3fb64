"""/fields/: what the organisation notes beyond what every helpdesk knows."""

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.serializers.fields import FieldFilters, FieldIn, FieldOut, FieldPatch
from api.views.base import View
from inbox.actions import fields
from inbox.models import Field
from inbox.rights import Right


class FieldView(View):
    queries = {"list": FieldFilters}
    scopes = {"create": "admin", "partial_update": "admin", "destroy": "admin"}

    @extend_schema(operation_id="fields_list", responses=FieldOut(many=True))
    def list(self, request: Request) -> Response:
        """All fields, by noun and in their order."""
        return self.page(FieldFilters.apply(Field.objects.all(), self.filters), FieldOut)

    @extend_schema(operation_id="fields_create", request=FieldIn, responses={201: FieldOut})
    def create(self, request: Request) -> Response:
        """A new field: for administrators. 409 where its key is taken."""
        self.require(Right.FIELDS)
        made = fields.create(by=self.agent, **self.taken(FieldIn))
        return self.made(FieldOut(made).data, f"fields/{made.pk}/")

    @extend_schema(operation_id="fields_get", responses=FieldOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One field."""
        return Response(FieldOut(self.one(pk)).data)

    @extend_schema(operation_id="fields_change", request=FieldPatch, responses=FieldOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what is named: for administrators."""
        self.require(Right.FIELDS)
        return Response(FieldOut(fields.update(self.one(pk), by=self.agent, **self.taken(FieldPatch))).data)

    @extend_schema(operation_id="fields_delete", responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Take a field away: for administrators. What was entered stays in `attributes`."""
        self.require(Right.FIELDS)
        fields.delete(self.one(pk), by=self.agent)
        return Response(status=204)

    def one(self, pk: int) -> Field:
        found = Field.objects.filter(pk=pk).first()
        if found is None:
            raise Http404
        return found
