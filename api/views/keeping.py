"""/tags/, /macros/ and /views/: what agents keep to work faster."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.serializers.keeping import MacroIn, MacroOut, TagFilters, TagIn, TagOut, ViewIn, ViewOut
from api.views.base import View
from inbox import access
from inbox.actions import keeping
from inbox.models import Macro, SavedView, Tag
from inbox.rights import Right


class TagView(View):
    queries = {"list": TagFilters}

    @extend_schema(operation_id="tags_list", responses=TagOut(many=True))
    def list(self, request: Request) -> Response:
        """The words that tickets carry, by name."""
        return self.page(TagFilters.apply(Tag.objects.all(), self.filters), TagOut)

    @extend_schema(operation_id="tags_create", request=TagIn, responses={201: TagOut})
    def create(self, request: Request) -> Response:
        """A new tag. Naming one on a ticket makes it, too."""
        self.require(Right.SHARE)
        made = keeping.create_tag(by=self.agent, **self.taken(TagIn))
        return self.made(TagOut(made).data, f"tags/{made.pk}/")

    @extend_schema(operation_id="tags_get", responses=TagOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One tag."""
        return Response(TagOut(self.one(pk)).data)

    @extend_schema(operation_id="tags_change", request=TagIn, responses=TagOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Colour a tag, or rename it on every ticket."""
        self.require(Right.SHARE)
        return Response(TagOut(keeping.update_tag(self.one(pk), by=self.agent, **self.taken(TagIn))).data)

    @extend_schema(operation_id="tags_delete", responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Take a tag away, from tickets too."""
        self.require(Right.SHARE)
        keeping.delete_tag(self.one(pk), by=self.agent)
        return Response(status=204)

    def one(self, pk: int) -> Tag:
        found = Tag.objects.filter(pk=pk).first()
        if found is None:
            raise Http404
        return found


class MacroView(View):
    def sees(self, name: Any) -> None:
        access.get_kept(Macro, self.agent, name)

    @extend_schema(operation_id="macros_list", responses=MacroOut(many=True))
    def list(self, request: Request) -> Response:
        """Macros of one's own, of one's teams, and of everybody."""
        found = access.kept(Macro, self.agent).select_related("team", "owner").order_by("name", "pk")
        return self.page(found, MacroOut)

    @extend_schema(operation_id="macros_create", request=MacroIn, responses={201: MacroOut})
    def create(self, request: Request) -> Response:
        """A new macro: for oneself, or (managers) for a team or everybody."""
        self.require(Right.ANSWER)
        made = keeping.create(Macro, by=self.agent, **self.taken(MacroIn))
        return self.made(MacroOut(made).data, f"macros/{made.pk}/")

    @extend_schema(operation_id="macros_get", responses=MacroOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One macro."""
        return Response(MacroOut(access.get_kept(Macro, self.agent, pk)).data)

    @extend_schema(operation_id="macros_change", request=MacroIn, responses=MacroOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what is named."""
        self.require(Right.ANSWER)
        found = access.get_kept(Macro, self.agent, pk)
        return Response(MacroOut(keeping.update(found, by=self.agent, **self.taken(MacroIn))).data)

    @extend_schema(operation_id="macros_delete", responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Take a macro away."""
        self.require(Right.ANSWER)
        keeping.delete(access.get_kept(Macro, self.agent, pk), by=self.agent)
        return Response(status=204)


class SavedViewView(View):
    def sees(self, name: Any) -> None:
        access.get_kept(SavedView, self.agent, name)

    @extend_schema(operation_id="views_list", responses=ViewOut(many=True))
    def list(self, request: Request) -> Response:
        """Saved filters of the ticket list: one's own, one's teams', and everybody's."""
        found = access.kept(SavedView, self.agent).filter(noun="tickets").select_related("team", "owner")
        found = found.order_by("position", "pk")
        return self.page(found, ViewOut)

    @extend_schema(operation_id="views_create", request=ViewIn, responses={201: ViewOut})
    def create(self, request: Request) -> Response:
        """A new view: for oneself, or (managers) for a team or everybody."""
        self.require(Right.ANSWER)
        made = keeping.create(SavedView, by=self.agent, **self.taken(ViewIn))
        return self.made(ViewOut(made).data, f"views/{made.pk}/")

    @extend_schema(operation_id="views_get", responses=ViewOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One view."""
        return Response(ViewOut(access.get_kept(SavedView, self.agent, pk)).data)

    @extend_schema(operation_id="views_change", request=ViewIn, responses=ViewOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what is named."""
        self.require(Right.ANSWER)
        found = access.get_kept(SavedView, self.agent, pk)
        return Response(ViewOut(keeping.update(found, by=self.agent, **self.taken(ViewIn))).data)

    @extend_schema(operation_id="views_delete", responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Take a view away."""
        self.require(Right.ANSWER)
        keeping.delete(access.get_kept(SavedView, self.agent, pk), by=self.agent)
        return Response(status=204)
