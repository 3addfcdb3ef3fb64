"""`/tickets/bulk/` and `/jobs/`: something done to many tickets at once, and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from inbox import exports, rights, tray
from inbox.actions import exporting, jobs
from inbox.actions.errors import ActionError
from inbox.lists import Listing
from inbox.models import Job, JobKind, JobState
from inbox.rights import Right
from inbox.views.shell import AgentRequest, agent_only, listing_of, wants_part
from lib.streams import streamed

MOST_QUERY = 4_000


def get_job(request: AgentRequest, pk: int) -> Job:
    """One's own; there is no other."""
    found = Job.objects.filter(agent=request.user, pk=pk).first()
    if found is None:
        raise Http404
    return found


def answer(request: AgentRequest, problem: str = "") -> HttpResponse:
    """The tray as it is now for htmx, else the page one came from."""
    if wants_part(request):
        context = {"cards": tray.shown(request.user), "problem": problem}
        return render(request, "inbox/_jobs.html", context, status=422 if problem else 200)
    if problem:
        messages.error(request, problem)
    back = request.POST.get("list", "")
    target = f"/?{back}"
    safe = back and url_has_allowed_host_and_scheme(target, allowed_hosts=None)
    return redirect(target if safe else "jobs")


def described(request: AgentRequest) -> dict[str, Any]:
    """What the form's list holds: a list as a job keeps it; of a search what it lists now. Raises ActionError."""
    listing = listing_of(request, QueryDict(request.POST.get("list", "")[:MOST_QUERY]))
    if isinstance(listing, Listing):
        return {"chosen": (), "listing": listing.query}
    if listing.results.slow:
        raise ActionError(listing.nothing, "search")
    return {"chosen": listing.results.numbers, "unseen": True}


@require_POST
@agent_only
def change(request: AgentRequest) -> HttpResponse:
    """Do `do` (a verb, a colon, its argument) to the `tickets`, or with `all` to the whole `list`.

    Where nothing stands behind the colon, the field that is called like the verb says it. Sent twice by one click, it
    is done once.
    """
    verb, _colon, argument = request.POST.get("do", "").partition(":")
    argument = (argument or request.POST.get(verb, ""))[:4_000].replace("\x00", "")
    sent = "\n".join(f"{name}={','.join(values)}" for name, values in sorted(request.POST.lists()) if name != "csrf")
    key = sha256(sent.encode()).hexdigest() if request.POST.get("client_id") else ""
    numbers = [int(one) for one in request.POST.getlist("tickets") if one.isascii() and one.isdigit() and len(one) < 19]
    try:
        target: dict[str, Any] = {"client_id": key, "chosen": numbers}
        if request.POST.get("all"):
            target |= described(request)
        elif not numbers:
            raise ActionError(_("Choose some tickets first."), "none")
        if verb == "export":
            target.pop("unseen", None)
            exporting.begin(request.user, request.POST.getlist("columns"), **target)
        else:
            jobs.begin(request.user, verb, argument, **target)
    except ActionError as error:
        return answer(request, str(error))
    return answer(request)


@require_safe
@agent_only
def index(request: AgentRequest) -> HttpResponse:
    """The tray, or a page with it."""
    template = "inbox/_jobs.html" if wants_part(request) else "inbox/jobs.html"
    return render(request, template, {"cards": tray.shown(request.user)})


def _act(do: Callable[[Job], object]) -> Callable[..., HttpResponse]:
    def view(request: AgentRequest, pk: int) -> HttpResponse:
        try:
            do(get_job(request, pk))
        except ActionError as error:
            return answer(request, str(error))
        return answer(request)

    return require_POST(agent_only(view))


stop = _act(jobs.stop)
undo = _act(jobs.undo)
hide = _act(jobs.hide)


@require_safe
@agent_only
@rights.needs(Right.EXPORT)
def columns(request: AgentRequest) -> HttpResponse:
    """What an export may hold, to choose from."""
    return render(request, "inbox/_export_columns.html", {"columns": exports.columns()})


@require_safe
@agent_only
def file(request: AgentRequest, pk: int) -> HttpResponse:
    """The file of an export, for whoever asked for it and still may have it."""
    job = get_job(request, pk)
    if job.kind != JobKind.EXPORT or not job.stored or job.state != JobState.DONE:
        raise Http404
    rights.require(request.user, Right.EXPORT)
    if not exporting.is_seen(job, request.user):
        return answer(request, _("You may no longer see all tickets of this export. Export them anew."))
    made = timezone.localtime(job.finished_at or job.created_at)
    response = StreamingHttpResponse(streamed(request, exporting.content(job)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="tickets-{made:%Y-%m-%d-%H%M}.csv"'
    response["Content-Length"] = str(job.what["size"])
    response["X-Content-Type-Options"] = "nosniff"
    return response  # type: ignore[return-value]
