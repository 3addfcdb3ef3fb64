"""`/settings/people/`: who works here, who was invited, and what an admin does about it."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.core.mail import EmailMessage
from django.db.models import Exists, OuterRef, Prefetch
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox import accounts, limits, log, post, second_factor
from inbox.actions import people as acting
from inbox.actions.errors import ActionError
from inbox.models import Agent, Invitation, Team
from inbox.rights import Right, needs
from inbox.views.settings.forms import InviteForm, PersonForm
from inbox.views.shell import AgentRequest, agent_only

HERE = {"page_key": "people"}


@require_safe
@agent_only
@needs(Right.PEOPLE)
def people(request: AgentRequest) -> HttpResponse:
    named = Prefetch("teams", Team.objects.only("pk", "name"))
    found = list(
        Agent.objects.filter(is_bot=False)
        .annotate(has_second=Exists(Authenticator.objects.filter(user=OuterRef("pk"), type__in=second_factor.FACTORS)))
        .prefetch_related(named)
        .order_by("-is_active", "name", "pk")
    )
    invitations = list(Invitation.objects.prefetch_related(named).order_by("-pk"))
    return render(request, "settings/people/list.html", {**HERE, "people": found, "invitations": invitations})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.PEOPLE)
def invite(request: AgentRequest) -> HttpResponse:
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            if not limits.allow(request, "invite"):
                raise ActionError(_("That were many invitations. Invite the others in an hour."), "too_many")
            invitation, token = acting.invite(
                data["email"], data["role"], by=request.user, name=data["name"], teams=data["teams"]
            )
        except ActionError as error:
            form.add_error("email", str(error.reason))
        else:
            return _invited(request, invitation, token)
    return render(request, "settings/people/invite.html", {**HERE, "form": form, "days": settings.INVITATION_DAYS})


@require_POST
@agent_only
@needs(Right.PEOPLE)
def invitation(request: AgentRequest, pk: int) -> HttpResponse:
    """Send an invitation again, with a new link, or withdraw it."""
    found = Invitation.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    try:
        if request.POST.get("do") == "withdraw":
            acting.withdraw(found, by=request.user)
            messages.success(request, _("The invitation was withdrawn; its link works no longer."))
            return redirect("settings-people")
        if not limits.allow(request, "invite"):
            raise ActionError(_("That were many invitations. Invite the others in an hour."), "too_many")
        found, token = acting.renew(found, by=request.user)
    except ActionError as error:
        messages.error(request, str(error.reason))
        return redirect("settings-people")
    return _invited(request, found, token)


def _invited(request: AgentRequest, found: Invitation, token: str) -> HttpResponse:
    """The page that shows the link, this once, and says whether the mail left."""
    link = settings.BASE_URL + reverse("invitation", kwargs={"token": token})
    problem = ""
    if sent := post.available():
        try:
            post.send(_letter(found, link, request.user))
        except ActionError as error:
            sent, problem = False, str(error.reason)
    context = {**HERE, "invitation": found, "link": link, "sent": sent, "problem": problem}
    return render(request, "settings/people/link.html", context)


def _letter(found: Invitation, link: str, by: Agent) -> EmailMessage:
    told = {
        "name": found.name or found.email,
        "by": by.name,
        "organisation": settings.ORGANISATION_NAME,
        "link": link,
        "days": settings.INVITATION_DAYS,
    }
    text = _(
        "Hello %(name)s,\n\n%(by)s invites you to answer customers of %(organisation)s together. "
        "Choose a password, and you are in:\n\n%(link)s\n\nThe link works once, within %(days)s days."
    )
    return post.letter(_("%(by)s invites you to %(organisation)s") % told, text % told, found.email)


def _person(pk: int) -> Agent:
    found = Agent.objects.filter(pk=pk, is_bot=False).first()
    if found is None:
        raise Http404
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.PEOPLE)
def person(request: AgentRequest, pk: int) -> HttpResponse:
    """Name, role and teams of one person, and what else can be done about their account."""
    found = _person(pk)
    start = {"name": found.name, "role": found.role, "teams": found.teams.all()}
    form = PersonForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            acting.change(found, by=request.user, name=data["name"], role=data["role"], teams=data["teams"])
        except ActionError as error:
            form.add_error("role" if error.code == "last_admin" else None, str(error.reason))
        else:
            messages.success(request, _("Saved."))
            return redirect("settings-people")
    factors = list(Authenticator.objects.filter(user=found, type__in=second_factor.FACTORS))
    context = {**HERE, "person": found, "form": form, "factors": len(factors), "may_mail": post.available()}
    return render(request, "settings/people/person.html", context)


@require_POST
@agent_only
@needs(Right.PEOPLE)
def account(request: AgentRequest, pk: int) -> HttpResponse:
    """Switch off and on, end sessions, reset the second factor, a link for a new password."""
    found, by = _person(pk), request.user
    do = request.POST.get("do", "")
    try:
        if do == "switch-off":
            acting.switch_off(found, by=by)
            messages.success(request, _("%(name)s can no longer log in.") % {"name": found})
        elif do == "switch-on":
            acting.switch_on(found, by=by)
            messages.success(request, _("%(name)s can log in again.") % {"name": found})
        elif do == "end-sessions":
            ended = acting.end_sessions(found, by=by, but=request.session.session_key or "" if found == by else "")
            text = ngettext("%(count)s session ended.", "%(count)s sessions ended.", ended) % {"count": ended}
            messages.success(request, text)
        elif do == "reset-second-factor":
            acting.reset_second_factor(found, by=by)
            messages.success(request, _("%(name)s logs in with the password alone now.") % {"name": found})
        elif do == "password-link":
            return _password_link(request, found)
        else:
            raise Http404
    except ActionError as error:
        messages.error(request, str(error.reason))
    return redirect("settings-person", pk=found.pk)


def _password_link(request: AgentRequest, found: Agent) -> HttpResponse:
    """A link for a new password: mailed where there is mail, else shown to be passed on."""
    if not found.is_active:
        raise ActionError(_("Switch this person on first."), "switched_off")
    if not limits.allow(request, "link"):
        raise ActionError(_("That were many links. Make the others in an hour."), "too_many")
    link = accounts.reset_link(found)
    log.record(None, "password_link_made", by=request.user, agent=found.pk)
    problem = ""
    if post.available():
        try:
            post.send(accounts.reset_letter(found, link))
        except ActionError as error:
            problem = str(error.reason)
        else:
            messages.success(request, _("A mail with a link for a new password is on its way."))
            return redirect("settings-person", pk=found.pk)
    context = {**HERE, "person": found, "link": link, "sent": False, "problem": problem}
    return render(request, "settings/people/link.html", context)
