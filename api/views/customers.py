"""/customers/: who they are, what happened to them, and what the law asks for."""

from typing import Any

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from api import timeline
from api.models import Scope
from api.serializers.cards import CardIn, CardOut, CardsOut
from api.serializers.customers import (
    CustomerFilters,
    CustomerIn,
    CustomerMergeIn,
    CustomerOut,
    CustomerPatch,
    CustomerPut,
    NewIdentityIn,
    UpsertFilters,
    parties,
)
from api.serializers.journey import (
    CustomerEventFilters,
    CustomerEventOut,
    ExportOut,
    HappeningsIn,
    HappeningsOut,
    MomentOut,
)
from api.views.base import View
from inbox import access
from inbox.actions import cards, customers, erasing, joining, journey
from inbox.adapters import Party
from inbox.models import Card, Customer, Identity
from inbox.rights import Right

KEY_LENGTH = 100
KEY = OpenApiParameter(
    "key", str, OpenApiParameter.PATH, description="What your system calls the card: letters, digits, - and _."
)


class CustomerView(View):
    queries = {
        "list": CustomerFilters,
        "upsert": UpsertFilters,
        "events": CustomerEventFilters,
        "card_of_external_id": UpsertFilters,
        "put_card_of_external_id": UpsertFilters,
        "delete_card_of_external_id": UpsertFilters,
    }
    scopes = {"destroy": Scope.ADMIN}

    def sees(self, name: Any) -> None:
        try:
            access.get_customer(self.agent, name)
        except Http404:
            access.get_merged_customer(self.agent, name)

    def shown(self, pk: int) -> dict[str, Any]:
        rows = CustomerOut.with_all(Customer.objects.all(), self.agent)
        return dict(CustomerOut(rows.get(pk=pk)).data)

    @extend_schema(operation_id="customers_list", responses=CustomerOut(many=True))
    def list(self, request: Request) -> Response:
        """Customers whose tickets this agent may see, and those without any."""
        found = CustomerFilters.apply(access.customers(self.agent), self.filters)
        return self.page(CustomerOut.with_all(found, self.agent), CustomerOut)

    @extend_schema(operation_id="customers_create", request=CustomerIn, responses={201: CustomerOut})
    def create(self, request: Request) -> Response:
        """A new customer. An address that another one has is refused with 409."""
        self.require(Right.ANSWER)
        asked = self.taken(CustomerIn)
        made = customers.create(by=self.agent, identities=parties(asked.pop("identities", [])), **asked)
        return self.made(self.shown(made.pk), f"customers/{made.pk}/")

    @extend_schema(operation_id="customers_upsert", request=CustomerPut, responses={200: CustomerOut, 201: CustomerOut})
    def upsert(self, request: Request) -> Response:
        """Create (201) or update (200) the customer of an `external_id`: what your own system calls them."""
        self.require(Right.ANSWER)
        if "external_id" not in self.filters:
            raise ValidationError({"external_id": [_("Say whom: ?external_id=…")]})
        named = access.customers(self.agent).filter(external_id=self.filters["external_id"])
        found = named.first()
        asked = self.taken(CustomerPut, before=found.attributes if found else {})
        identities = parties(asked.pop("identities", []))
        if found is None:
            try:
                with transaction.atomic():
                    made = customers.create(
                        by=self.agent, identities=identities, external_id=self.filters["external_id"], **asked
                    )
                return self.made(self.shown(made.pk), f"customers/{made.pk}/")
            except IntegrityError:
                found = named.first()  # somebody else made it in this moment
                if found is None:
                    raise
        with transaction.atomic():
            customers.update(found, by=self.agent, **asked)
            for party in identities:
                customers.add_identity(found, party, by=self.agent)
        return Response(self.shown(found.pk))

    @extend_schema(operation_id="customers_get", responses=CustomerOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One customer."""
        return Response(self.shown(access.get_customer(self.agent, pk).pk))

    @extend_schema(operation_id="customers_change", request=CustomerPatch, responses=CustomerOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what is named."""
        found = access.get_customer(self.agent, pk)
        self.require(Right.ANSWER)
        customers.update(found, by=self.agent, **self.taken(CustomerPatch, before=found.attributes))
        return Response(self.shown(pk))

    @extend_schema(operation_id="customers_erase", responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Erase a person for ever: for administrators.

        Names, addresses, texts, files and events go; tickets stay as skeletons, so that figures stay true. It cannot
        be undone.
        """
        self.require(Right.ERASE)
        erasing.erase(access.get_customer(self.agent, pk), by=self.agent)
        return Response(status=204)

    @extend_schema(operation_id="customers_identities_add", request=NewIdentityIn, responses={201: CustomerOut})
    @action(detail=True, methods=["post"], url_path="identities")
    def identities(self, request: Request, pk: int) -> Response:
        """Add an address. One that another customer has is refused with 409: merge the two, or retire it there."""
        found = access.get_customer(self.agent, pk)
        self.require(Right.ANSWER)
        asked = self.taken(NewIdentityIn)
        verified = asked.pop("verified")
        customers.add_identity(found, Party(**asked), by=self.agent, verified=verified)
        return self.made(self.shown(pk), f"customers/{pk}/")

    @extend_schema(
        operation_id="customers_identities_retire",
        responses={200: CustomerOut},
        parameters=[OpenApiParameter("identity", int, OpenApiParameter.PATH, description="Its id.")],
    )
    @action(detail=True, methods=["delete"], url_path="identities/<int:identity>")
    def retire_identity(self, request: Request, pk: int, identity: int) -> Response:
        """Retire an address: it finds nobody from now on, and can become another customer's."""
        found = access.get_customer(self.agent, pk)
        self.require(Right.ANSWER)
        theirs = Identity.objects.filter(customer=found, pk=identity).first()
        if theirs is None:
            raise Http404
        customers.retire_identity(theirs, by=self.agent)
        return Response(self.shown(pk))

    @extend_schema(operation_id="customers_timeline", responses=MomentOut(many=True))
    @action(detail=True, methods=["get"])
    def timeline(self, request: Request, pk: int) -> Response:
        """Messages, tickets and events of a customer over all channels, newest first."""
        lines, following, previous = timeline.page(request, self.agent, access.get_customer(self.agent, pk))
        results = MomentOut(lines, many=True, context=self.get_serializer_context()).data
        return Response({"next": following, "previous": previous, "results": results})

    @extend_schema(operation_id="customers_events_list", responses=CustomerEventOut(many=True))
    @action(detail=True, methods=["get"])
    def events(self, request: Request, pk: int) -> Response:
        """What happened to a customer elsewhere, newest first."""
        found = access.get_customer(self.agent, pk)
        return self.page(CustomerEventFilters.apply(found.events.all(), self.filters), CustomerEventOut)

    @extend_schema(operation_id="customers_events_add", request=HappeningsIn, responses={201: HappeningsOut})
    @events.mapping.post
    def add_events(self, request: Request, pk: int) -> Response:
        """Tell of orders, visits, log-ins: up to a hundred at once. One with a known `external_id` changes nothing."""
        found = access.get_customer(self.agent, pk)
        self.require(Right.ANSWER)
        rows = journey.add(found, self.taken(HappeningsIn)["events"], by=self.agent)
        return Response(HappeningsOut({"events": rows}).data, status=201)

    @extend_schema(operation_id="customers_cards_list", responses=CardsOut)
    @action(detail=True, methods=["get"], url_path="cards", pagination_class=None)
    def cards(self, request: Request, pk: int) -> Response:
        """The cards beside a customer's tickets, expired ones included."""
        return Response(CardsOut({"cards": access.get_customer(self.agent, pk).cards.all()}).data)

    @extend_schema(operation_id="customers_cards_get", responses=CardOut, parameters=[KEY])
    @action(detail=True, methods=["get"], url_path="cards/<slug:key>")
    def card(self, request: Request, pk: int, key: str) -> Response:
        """One card."""
        return self._card(access.get_customer(self.agent, pk), key)

    @extend_schema(
        operation_id="customers_cards_put", request=CardIn, responses={200: CardOut, 201: CardOut}, parameters=[KEY]
    )
    @card.mapping.put
    def put_card(self, request: Request, pk: int, key: str) -> Response:
        """Set a card as a whole: an order, a contract, a parcel, shown beside the customer's tickets."""
        return self._put_card(access.get_customer(self.agent, pk), key)

    @extend_schema(operation_id="customers_cards_delete", responses={204: None}, parameters=[KEY])
    @card.mapping.delete
    def delete_card(self, request: Request, pk: int, key: str) -> Response:
        """Take a card away."""
        return self._delete_card(access.get_customer(self.agent, pk), key)

    @extend_schema(operation_id="customers_cards_get_by_external_id", responses=CardOut, parameters=[KEY])
    @action(detail=False, methods=["get"], url_path="cards/<slug:key>")
    def card_of_external_id(self, request: Request, key: str) -> Response:
        """One card of the customer whom your own system calls `external_id`."""
        return self._card(self._named(), key)

    @extend_schema(
        operation_id="customers_cards_put_by_external_id",
        request=CardIn,
        responses={200: CardOut, 201: CardOut},
        parameters=[KEY],
    )
    @card_of_external_id.mapping.put
    def put_card_of_external_id(self, request: Request, key: str) -> Response:
        """Set a card as a whole, of the customer whom your own system calls `external_id`."""
        return self._put_card(self._named(), key)

    @extend_schema(operation_id="customers_cards_delete_by_external_id", responses={204: None}, parameters=[KEY])
    @card_of_external_id.mapping.delete
    def delete_card_of_external_id(self, request: Request, key: str) -> Response:
        """Take a card away, of the customer whom your own system calls `external_id`."""
        return self._delete_card(self._named(), key)

    def _named(self) -> Customer:
        if "external_id" not in self.filters:
            raise ValidationError({"external_id": [_("Say whom: ?external_id=…")]})
        found = access.customers(self.agent).filter(external_id=self.filters["external_id"]).first()
        if found is None:
            raise Http404
        return found

    def _card(self, customer: Customer, key: str) -> Response:
        return Response(CardOut(self._kept(customer, key)).data)

    def _kept(self, customer: Customer, key: str) -> Card:
        found = customer.cards.filter(key=key).first()
        if found is None:
            raise Http404
        return found

    def _put_card(self, customer: Customer, key: str) -> Response:
        self.require(Right.ANSWER)
        if len(key) > KEY_LENGTH:
            raise Http404
        row, new = cards.put(customer, key, by=self.agent, **self.taken(CardIn))
        return Response(CardOut(row).data, status=201 if new else 200)

    def _delete_card(self, customer: Customer, key: str) -> Response:
        self.require(Right.ANSWER)
        cards.delete(self._kept(customer, key), by=self.agent)
        return Response(status=204)

    @extend_schema(operation_id="customers_merge", request=CustomerMergeIn, responses=CustomerOut)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: int) -> Response:
        """Merge this customer into another; answers with that one. It can be undone."""
        source = access.get_customer(self.agent, pk)
        self.require(Right.ANSWER)
        into = joining.merge(source, self.taken(CustomerMergeIn)["into"], by=self.agent)
        return Response(self.shown(into.pk))

    @extend_schema(operation_id="customers_unmerge", request=None, responses=CustomerOut)
    @action(detail=True, methods=["post"])
    def unmerge(self, request: Request, pk: int) -> Response:
        """Undo the merge of this customer: what was theirs is theirs again."""
        self.require(Right.ANSWER)
        source = access.get_merged_customer(self.agent, pk)
        return Response(self.shown(joining.unmerge(source, by=self.agent).pk))

    @extend_schema(operation_id="customers_export", responses=ExportOut)
    @action(detail=True, methods=["get"], pagination_class=None)
    def export(self, request: Request, pk: int) -> Response:
        """Everything kept of a customer, to hand to them: for managers."""
        self.require(Right.EXPORT)
        found = access.get_customer(self.agent, pk)
        everything = timeline.everything(self.agent, found)
        customer = CustomerOut.with_all(Customer.objects.filter(pk=pk), self.agent).get()
        return Response(ExportOut({**everything, "customer": customer}, context=self.get_serializer_context()).data)
