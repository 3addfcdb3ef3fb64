"""`/customers/<id>/export/`: everything kept of a person, as a file for whoever works here."""

import logging

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from rest_framework.renderers import JSONRenderer

from api import timeline
from api.serializers.customers import CustomerOut
from api.serializers.journey import ExportOut
from inbox import access, files, rights
from inbox.models import Customer
from inbox.rights import Right
from inbox.views.shell import AgentRequest, agent_only

logger = logging.getLogger(__name__)


@require_safe
@agent_only
def customer(request: AgentRequest, pk: int) -> HttpResponse:
    """The same as the API's export."""
    found = access.get_customer(request.user, pk)
    rights.require(request.user, Right.EXPORT)
    whole = CustomerOut.with_all(Customer.objects.filter(pk=pk), request.user).get()
    try:
        told = {**timeline.everything(request.user, found), "customer": whole}
    except files.StoreAway as error:
        logger.warning("no export of customer %s: %s", pk, error)
        said = _("The storage of files is out of reach right now. Please try again shortly.")
        return HttpResponse(said, status=503, content_type="text/plain; charset=utf-8")
    body = JSONRenderer().render(ExportOut(told, context={"request": request}).data)
    name = f"customer-{pk}.json"
    return HttpResponse(
        body, content_type="application/json", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
