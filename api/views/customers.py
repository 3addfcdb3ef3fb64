"""/customers/."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from api.serializers.customers import CustomerFilters, CustomerOut, CustomerPatch
from api.views.base import View
from inbox import access
from inbox.actions import customers


class CustomerView(View):
    queries = {"list": CustomerFilters}

    @extend_schema(operation_id="customers_list", responses=CustomerOut(many=True))
    def list(self, request: Request) -> Response:
        """Customers whose tickets this agent may see, and those without any."""
        found = CustomerFilters.apply(access.customers(self.agent), self.filters)
        return self.page(CustomerOut.with_all(found, self.agent), CustomerOut)

    @extend_schema(operation_id="customers_get", responses=CustomerOut)
    def retrieve(self, request: Request, pk: int) -> Response:
        """One customer."""
        customer = access.get_customer(self.agent, pk)
        rows = CustomerOut.with_all(access.customers(self.agent), self.agent)
        return Response(CustomerOut(rows.get(pk=customer.pk)).data)

    @extend_schema(operation_id="customers_change", request=CustomerPatch, responses=CustomerOut)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what is named."""
        customer = access.get_customer(self.agent, pk)
        if not self.agent.may_write:
            raise PermissionDenied
        customers.update(customer, by=self.agent, **self.taken(CustomerPatch))
        return self.retrieve(request, pk)
