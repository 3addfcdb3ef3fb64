"""What an agent does with a chat, from the desk or from its ticket's page."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from channels_chat import board
from channels_chat.actions import desks, endings, queueing, sending
from channels_chat.added import HAS_CHATS
from channels_chat.models import Chat, ChatEnd, ChatState
from channels_chat.views.desk import parts, shared
from inbox import access
from inbox.actions import jobs, macros, reply
from inbox.actions.errors import ActionError
from inbox.forms import AnswerForm, problem_of
from inbox.models import Status
from inbox.rights import Right, needs
from inbox.views.files import uploaded
from inbox.views.shell import AgentRequest, agent_only, wants_part
from inbox.views.tickets import answer


def _done(request: AgentRequest, chat: Chat, problem: str = "") -> HttpResponse:
    """What follows: parts of the desk, regions of the ticket's page, or for a plain form a redirect."""
    at = request.POST.get("at", "")
    if at not in {"desk", "rail", "offer"}:
        return answer(request, chat.engagement.ticket_id, problem=problem)
    if wants_part(request):
        if at == "offer":
            return parts(request, None, problem=problem) if problem else HttpResponse(status=204)
        now = board.get(request.user, chat.engagement.ticket_id) if at == "desk" else None
        return parts(request, now, rail=True, problem=problem)
    if problem:
        notices.error(request, problem)
    return redirect("chats")


def _act(request: AgentRequest, number: int, do: Callable[[Chat], object]) -> HttpResponse:
    """Access, one action, answer."""
    chat = board.get(request.user, number)
    if not request.user.may_write:
        raise PermissionDenied
    try:
        do(chat)
    except ActionError as error:
        return _done(request, chat, str(error))
    if not access.tickets(request.user).filter(pk=number).exists():  # handed to a team that they are not in
        return HttpResponse(status=204) if wants_part(request) else redirect("chats")
    return _done(request, chat)


@require_POST
@agent_only
def accept(request: AgentRequest, number: int) -> HttpResponse:
    """Take a chat: one that is offered, that waits or that the bot has; with `over` a colleague's, too."""

    def do(chat: Chat) -> None:
        if request.POST.get("over") == "yes" and chat.state == ChatState.ACTIVE:
            queueing.transfer(chat, by=request.user, to=request.user)
        else:
            queueing.accept(chat, by=request.user)

    return _act(request, number, do)


@require_POST
@agent_only
def decline(request: AgentRequest, number: int) -> HttpResponse:
    """Let an offer pass on."""
    return _act(request, number, lambda chat: queueing.pass_on(chat, by=request.user))


class TransferForm(forms.Form):
    """To whom: one of `agent` and `team`; and what they should know."""

    agent = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    team = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    note = forms.CharField(required=False, max_length=5000)


@require_POST
@agent_only
def transfer(request: AgentRequest, number: int) -> HttpResponse:
    """Hand a chat to a colleague or to a team, with a note."""
    form = TransferForm(request.POST)

    def do(chat: Chat) -> None:
        if not form.is_valid():
            raise ActionError(problem_of(form), "form")
        data = form.cleaned_data
        agent = access.agents(request.user).filter(pk=data["agent"]).first() if data["agent"] else None
        team = access.teams(request.user).filter(pk=data["team"]).first() if data["team"] else None
        if agent is None and team is None:
            raise ActionError(_("Choose a colleague or a team."), "nobody")
        queueing.transfer(chat, by=request.user, to=agent, team=None if agent else team, note=data["note"].strip())

    return _act(request, number, do)


@require_POST
@agent_only
def end(request: AgentRequest, number: int) -> HttpResponse:
    """End a chat; with `solve` its ticket is solved."""

    def do(chat: Chat) -> None:
        if request.POST.get("solve") != "yes":
            endings.end(chat, why=ChatEnd.AGENT, by=request.user)
            return
        with transaction.atomic():
            jobs.by_hand(request.user, "status", Status.SOLVED, chat.engagement.ticket, Status.SOLVED)
            endings.end(chat, why=ChatEnd.SOLVED, by=request.user)

    return _act(request, number, do)


class PageForm(forms.Form):
    """A form of the settings (`form`), or a page: `title`, `url`, `words`."""

    form = forms.CharField(required=False, max_length=60)
    title = forms.CharField(required=False, max_length=sending.MOST_TITLE)
    url = forms.CharField(required=False, max_length=sending.MOST_URL)
    words = forms.CharField(required=False, max_length=sending.MOST_WORDS)


@require_POST
@agent_only
def page(request: AgentRequest, number: int) -> HttpResponse:
    """Send a page into the visitor's window."""
    form = PageForm(request.POST)

    def do(chat: Chat) -> None:
        if not form.is_valid():
            raise ActionError(problem_of(form), "form")
        data = form.cleaned_data
        if data["form"]:
            sending.send_form(chat, data["form"], by=request.user)
        else:
            sending.send_page(chat, title=data["title"], url=data["url"], text=data["words"], by=request.user)

    return _act(request, number, do)


@require_POST
@agent_only
def say(request: AgentRequest, number: int) -> HttpResponse:
    """A reply from the desk, where it brings files or macros, or the socket is away: {"took", "id"} or {"no"}."""
    ticket = access.writable_ticket(request.user, number)
    form = AnswerForm(request.POST)
    plain = "HX-Request" not in request.headers
    try:
        if not form.is_valid():
            raise ActionError(problem_of(form), "form")
        data = form.cleaned_data
        chat = board.get(request.user, number)  # one that has no agent is theirs once they answer
        chosen = macros.wanted(request.user, data["macro"])
        message = reply.reply(
            ticket,
            by=request.user,
            text=data["text"],
            channel=chat.channel,
            attachments=data["attachments"] + uploaded(request),
            status=macros.status_of(chosen),
            client_id=data["client_id"] or None,
            draft=data["version"],
            also=(lambda row: macros.apply(row, macros=chosen, by=request.user, status=False)) if chosen else None,
            macros=[one.pk for one in chosen],
        )
    except ActionError as error:
        if plain:
            notices.error(request, str(error))
            return redirect("chats")
        return JsonResponse({"no": str(error)}, status=409)
    if plain:
        return redirect("chats")
    return JsonResponse({"took": data["client_id"], "id": message.pk})


@require_POST
@agent_only
@needs(Right.ANSWER)
def takes(request: AgentRequest) -> HttpResponse:
    """Whether one takes chats (`takes`), and how many at once (`most`)."""
    most = request.POST.get("most", "")
    desks.set_desk(
        request.user,
        takes=request.POST["takes"] == "yes" if "takes" in request.POST else None,
        most=int(most) if most.isdecimal() and len(most) < 4 else None,
    )
    if not wants_part(request):
        back = reverse("settings-profile")
        return redirect(back if request.POST.get("next") == back else "chats")
    context = {"rail": board.rail(request.user), **shared(request)}
    return render(request, "channels_chat/desk/_rail.html", context)


@require_safe
@agent_only
def offers(request: AgentRequest) -> HttpResponse:
    """The chats that are offered to whoever asks, as the corner of each page shows them.

    A cookie keeps whether there is any chat channel at all, so that pages of those without one do not ask again.
    """
    cards = board.offers(request.user) if request.user.may_write else []
    response = render(request, "channels_chat/desk/_offers.html", {"cards": cards})
    has = bool(cards) or access.channels(request.user).filter(kind="chat").exists()
    response.set_cookie(
        HAS_CHATS, "yes" if has else "no", max_age=86400 if has else 600, samesite="Lax", secure=request.is_secure()
    )
    return response
