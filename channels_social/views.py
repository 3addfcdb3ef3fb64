"""Of comments, below `/tickets/<number>/messages/<id>/`: hide, like or delete one; the picture of its post."""

from __future__ import annotations

import requests
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from channels_social import comments
from inbox import access, files
from inbox.actions.errors import ActionError
from inbox.views.files import picture_of
from inbox.views.shell import AgentRequest, agent_only
from inbox.views.tickets import answer
from lib import http


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


MOST_BYTES, SECONDS = 4 * 1024 * 1024, 3.0  # of a post's picture: a page waits for it, and a worker of the web


@require_safe
@agent_only
def post(request: AgentRequest, number: int, pk: int) -> HttpResponse:
    """The picture of the post that a comment stands under, from where its platform keeps it; 404 once it does not.

    It is not kept here, and no browser is sent there: the platform would learn who reads what.
    """
    message = access.get_message(request.user, pk)
    url = str((message.payload.get("post") or {}).get("picture") or "")
    if message.ticket_id != number or not url:
        raise Http404
    try:
        with http.Session() as session:
            status, content, _kind = http.download(session, url, most=MOST_BYTES, seconds=SECONDS)
    except (requests.RequestException, OSError, ValueError) as error:
        raise Http404 from error
    if status != 200 or not files.picture_type(content):
        raise Http404
    return picture_of(content)
