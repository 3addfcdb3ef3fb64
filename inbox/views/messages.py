"""`/tickets/<number>/messages/` and `/messages/<id>/…`: answering, and all that a single message offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from inbox import access, directory, fetching
from inbox.actions import macros, parsing, recipients, reply, scheduling, side
from inbox.actions import messages as actions
from inbox.actions.errors import ActionError, Stale, Unconfirmed
from inbox.actions.solving import FieldsMissing
from inbox.adapters import kinds
from inbox.forms import AnswerForm, MoveForm, TimingForm, problem_of
from inbox.models import Agent, Channel, Direction, Message, RemoteFile, Ticket
from inbox.views.files import uploaded
from inbox.views.shell import AgentRequest, agent_only, frame, remembered, wants_part
from inbox.views.tickets import answer, conversation
from inbox.writing import OPTION, options_of
from lib import html

# The mail's own page: nothing runs, nothing loads but our own files; its own styles are nobody else's.
MAIL_POLICY = (
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src 'self' data:{remote}; "
    "frame-ancestors 'self'; form-action 'none'; base-uri 'none'"
)


@require_POST
@agent_only
def create(request: AgentRequest, number: int) -> HttpResponse:
    """Send a reply or leave a note. What cannot be sent stays in the composer, with the reason or a question."""
    found = access.get_ticket(request.user, number)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _refused(request, number, problem_of(form))
    data = form.cleaned_data
    if data["kind"] == "reply" and not request.user.may_write:
        raise PermissionDenied
    if data["kind"] == "reply" and "to" in request.POST and not data["to"]:
        return _refused(request, number, _("Name somebody in To."))
    channel = access.channels(request.user).filter(pk=data["channel"]).first() if data["channel"] else None
    if data["channel"] and channel is None:
        return _refused(request, number, _("This channel is no longer there, or you may not see it."))
    if data["kind"] == "reply" and (unknown := _unknown(found, channel, data)):
        return _asked(request, number, {"strangers": unknown})
    try:
        ids = data["attachments"] + uploaded(request)
        chosen = macros.wanted(request.user, data["macro"]) if request.user.may_write else []
        if data["kind"] == "note":
            message = reply.note(
                found,
                by=request.user,
                text=data["text"],
                attachments=ids,
                client_id=data["client_id"] or None,
                draft=data["version"],
                also=partial(macros.apply, macros=chosen, by=request.user) if chosen else None,
            )
        else:
            message = reply.reply(
                found,
                by=request.user,
                text=data["text"],
                html=data["html"],
                channel=channel,
                to=data["to"] if "to" in request.POST else None,
                cc=data["cc"] if "cc" in request.POST else None,
                bcc=data["bcc"],
                subject=data["subject"],
                attachments=ids,
                status=data["status"] or macros.status_of(chosen),
                client_id=data["client_id"] or None,
                signed=not data["unsigned"],
                draft=data["version"],
                also=partial(macros.apply, macros=chosen, by=request.user, status=False) if chosen else None,
                macros=[one.pk for one in chosen],
                send_at=data["send_at"],
                newest=data["newest"],
                event=data["event"] or 0,
                undoable=True,
                options=options_of(request.POST),
            )
    except FieldsMissing as error:
        return _refused(request, number, str(error), missing=[one.key for one in error.fields])
    except Stale as stale:
        return _asked(request, number, {"since": stale.since, "event": stale.event})
    except Unconfirmed as error:
        return _asked(request, number, {"unconfirmed": error})
    except ActionError as error:
        fresh = uuid4().hex if error.code == "already_sent" else ""
        return _refused(request, number, str(error), fresh, field=f"{OPTION}{error.field}" if error.field else "")
    goes_on = data["kind"] == "reply" and _after_send(request.user, data["after_send"]) != "stay"
    return answer(request, number, fresh_composer=True, sent=message if goes_on else None)


def _unknown(found: Ticket, channel: Channel | None, data: Mapping[str, Any]) -> list[str]:
    """The addresses in To of which nobody knows whose they are, but for those that the writer was asked about."""
    asked = set(data["confirmed"].lower().split())
    typed = [one for one in data["to"] if one["address"].lower() not in asked]
    return recipients.strangers(found, typed, channel or recipients.choose_channel(found)[0]) if typed else []


def _after_send(agent: Agent, chosen: str) -> str:
    """What this person does once something is sent; a choice is kept for the next time."""
    if chosen and chosen != agent.after_send:
        agent.after_send = chosen
        agent.save(update_fields=["after_send"])
    return agent.after_send


def _asked(request: AgentRequest, number: int, doubt: dict[str, Any]) -> HttpResponse:
    """Nothing was sent yet: there is a question, whose button sends after all. What was asked is not asked again."""
    since = doubt.get("since", [])
    confirmed = " ".join([request.POST.get("confirmed", ""), *doubt.get("strangers", [])]).strip()
    known = {name: request.POST.get(name, "") for name in ("newest", "event")}
    if since:  # whoever asks again has seen all of it
        newest = max([one.pk for one in since] + [int(known["newest"] or 0)])
        known = {"newest": newest, "event": doubt["event"]}
    names = directory.of(request.user).names
    question = {
        **doubt,
        "since": [{"message": one, "author": names.get(one.agent_id or 0) or one.author_name} for one in since],
        "status": request.POST.get("status", ""),
        "later": request.POST.get("later", ""),
        "agreed": [name for name in request.POST if name.startswith(OPTION) and name.endswith("_ok")],
    }
    if wants_part(request):
        context = {"question": question, **known, "confirmed": confirmed}
        return render(request, "inbox/_question.html", context, status=422)
    return _page(request, number, {"question": question, **known, "confirmed": confirmed})


def _refused(
    request: AgentRequest,
    number: int,
    problem: str,
    client_id: str = "",
    missing: Sequence[str] = (),
    field: str = "",
) -> HttpResponse:
    """Nothing was sent. htmx shows the reason and leaves what was typed; a plain form gets its page back, filled in.

    `client_id` is the form's new one where its own has become another message, `field` the one that is marked.
    """
    if wants_part(request):
        told = {"problem": problem, "client_id": client_id, "field": field}
        if missing:
            told = conversation(request, access.get_ticket(request.user, number), missing=missing) | told
        return render(request, "inbox/_refused.html", told, status=422)
    return _page(request, number, {"problem": problem} | ({"client_id": client_id} if client_id else {}))


def _page(request: AgentRequest, number: int, more: dict[str, Any]) -> HttpResponse:
    """The whole page for a plain form that sent nothing: what was typed still stands in it."""
    found = access.get_ticket(request.user, number)
    channel = request.POST.get("channel", "")
    chosen = int(channel) if channel.isdecimal() and len(channel) < 19 else None
    context = conversation(request, found, channel=chosen, options=options_of(request.POST))
    fields = ("kind", "text", "html", "subject", "client_id", "newest", "event", "confirmed", "at")
    typed: dict[str, Any] = {name: request.POST[name] for name in fields if name in request.POST}
    typed["recipients"] = {name: request.POST[name] for name in ("to", "cc", "bcc") if name in request.POST}
    context["composer"] |= typed | more
    for one in (context["route"] or {}).get("fields", []):
        one["shown"] = typed["recipients"].get(one["name"])
    return render(request, "inbox/inbox.html", {**frame(request, remembered(request)), **context}, status=422)


@require_POST
@agent_only
def again(request: AgentRequest, pk: int) -> HttpResponse:
    """Put what a message says back into the composer: undo it before it leaves, or write on what did not leave."""
    message = _writable(request, pk)
    try:
        if message.side_id is not None:
            side.take_back(message, by=request.user)
            return answer(request, message.ticket_id)
        number = scheduling.take_back(message, by=request.user).ticket_id or message.ticket_id
    except ActionError as error:
        return answer(request, message.ticket_id, problem=str(error))
    if wants_part(request) and "open" in request.POST:  # from a notice, beside whatever is open now
        return HttpResponse(headers={"HX-Location": pane_of(number)})
    return answer(request, number, fresh_composer=True)


@require_POST
@agent_only
def timing(request: AgentRequest, pk: int) -> HttpResponse:
    """When a waiting message leaves: now, at another time, never."""
    message = _writable(request, pk)
    form = TimingForm(request.POST)
    if not form.is_valid():
        return answer(request, message.ticket_id, problem=problem_of(form))
    try:
        if form.cleaned_data["later"] == "never":
            scheduling.cancel(message, by=request.user)
        else:
            scheduling.retime(message, form.cleaned_data.get("send_at"), by=request.user)
    except ActionError as error:
        return answer(request, message.ticket_id, problem=str(error))
    return answer(request, message.ticket_id)


@require_POST
@agent_only
def retry(request: AgentRequest, pk: int) -> HttpResponse:
    """Queue a failed message again."""
    message = _writable(request, pk)
    try:
        actions.retry(message, by=request.user)
    except ActionError as error:
        return answer(request, message.ticket_id, problem=str(error))
    return answer(request, message.ticket_id)


@require_POST
@agent_only
def remote_file(request: AgentRequest, pk: int) -> HttpResponse:
    """Ask a platform once more for a file that it did not give."""
    row = RemoteFile.objects.filter(pk=pk).first()
    if row is None:
        raise Http404
    message = _writable(request, row.message_id)
    fetching.again(row)
    return answer(request, message.ticket_id)


@require_POST
@agent_only
def ticket(request: AgentRequest, pk: int) -> HttpResponse:
    """Move a message to another ticket, or make it one of its own."""
    message = _writable(request, pk)
    number = message.ticket_id
    form = MoveForm(request.POST)
    if not form.is_valid():
        return answer(request, number, problem=problem_of(form))
    try:
        to = access.writable_ticket(request.user, form.cleaned_data["ticket"]) if form.cleaned_data["ticket"] else None
        moved = actions.move(message, to=to, by=request.user)
    except ActionError as error:
        return answer(request, number, problem=str(error))
    except Http404:
        return answer(request, number, problem=_("There is no such ticket, or you may not see it."))
    if wants_part(request):
        return HttpResponse(headers={"HX-Location": pane_of(moved.ticket_id)})
    notices.success(request, _("Moved to #%(number)s.") % {"number": moved.ticket_id})
    return redirect("ticket", moved.ticket_id)


def pane_of(number: int) -> str:
    """What makes htmx open a ticket in its pane."""
    return f'{{"path": "{reverse("ticket", args=[number])}", "target": "#conversation", "swap": "innerHTML"}}'


@require_POST
@agent_only
def sender(request: AgentRequest, pk: int) -> HttpResponse:
    """Vouch for the sender of a message that came without proof."""
    message = _writable(request, pk)
    try:
        actions.confirm_sender(message, by=request.user)
    except ActionError as error:
        return answer(request, message.ticket_id, problem=str(error))
    return answer(request, message.ticket_id)


def _writable(request: AgentRequest, pk: int) -> Message:
    message = access.get_message(request.user, pk)
    if not request.user.may_write:
        raise PermissionDenied
    return message


@require_safe
@agent_only
def raw(request: AgentRequest, pk: int) -> HttpResponse:
    """The message as it arrived, or as it leaves or left."""
    message = access.get_message(request.user, pk)
    content: bytes | None = None
    if message.direction == Direction.OUT:
        adapter = kinds().get(message.channel.kind)
        content = adapter.raw(message)[0] if adapter and not message.ticket.is_erased else None
    elif message.receipt is not None:
        try:
            content = parsing.raw_of(message.receipt)
        except FileNotFoundError:
            content = None
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type="text/plain; charset=utf-8")
    suffix = "eml" if message.channel.kind == "email" else "txt"
    response["Content-Disposition"] = f'attachment; filename="message-{message.pk}.{suffix}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@require_safe
@xframe_options_sameorigin
def as_html(request: HttpRequest, pk: int) -> HttpResponse:
    return _as_html(request, pk)


@agent_only
def _as_html(request: AgentRequest, pk: int) -> HttpResponse:
    """The mail's own HTML as a page for a sandboxed frame. Remote images load only with `images`."""
    message = access.get_message(request.user, pk)
    if not message.html:
        raise Http404
    remote = "images" in request.GET
    body = html.with_remote_images(message.html) if remote else message.html
    if wanted := html.content_ids(body):
        rows = message.attachments.filter(content_id__in=wanted | {f"<{one}>" for one in wanted})
        where = {row.content_id.strip("<>"): f"{reverse('attachment', args=[row.pk])}?show=inline" for row in rows}
        body = html.with_inline_images(body, where)
    response = render(request, "inbox/message_html.html", {"body": mark_safe(body)})  # noqa: S308 - cleaned on its way in
    response["Content-Security-Policy"] = MAIL_POLICY.format(remote=" https: http:" if remote else "")
    response["Referrer-Policy"] = "no-referrer"
    return response
