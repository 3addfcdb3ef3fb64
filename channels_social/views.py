"""`/tickets/<number>/messages/<id>/comment/<deed>/`: hide, like or delete a comment."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from channels_social import comments
from inbox import access
from inbox.actions.errors import ActionError
from inbox.views.shell import AgentRequest, agent_only
from inbox.views.tickets import answer


@require_POST
@agent_only
def comment(request: AgentRequest, number: int, pk: int, deed: str) -> HttpResponse:
    message = access.get_message(request.user, pk)
    if deed not in comments.DEEDS or message.ticket_id != number:
        raise Http404
    try:
        comments.do(message, deed, by=request.user)
    except ActionError as error:
        return answer(request, number, problem=str(error))
    return answer(request, number)
