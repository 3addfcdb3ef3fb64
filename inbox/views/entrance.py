"""The ways in: accepting an invitation, logging in, a forgotten password."""

from __future__ import annotations

from typing import Any

from allauth.account import views as account
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from django.conf import settings
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from inbox import first_run, limits, post
from inbox.actions import people
from inbox.actions.errors import ActionError
from inbox.views.settings.forms import AcceptForm, FirstForm


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Set name and password, and be logged in. A link that works no longer says so, and nothing else."""
    if not limits.allow(request, "accept"):
        return limits.too_many(request)
    found = people.invitation_of(token)
    if found is None:
        return render(request, "account/invitation_gone.html", {}, status=404)
    told: dict[str, Any] = {"email": found.email, "with_password": not settings.OIDC_ONLY}
    form = AcceptForm(request.POST if request.method == "POST" else None, initial={"name": found.name}, **told)
    if request.method == "POST" and form.is_valid():
        try:
            agent = people.accept(token, form.cleaned_data["name"], form.cleaned_data.get("password"))
        except ActionError as error:
            return render(request, "account/invitation_gone.html", {"reason": error.reason}, status=404)
        if settings.OIDC_ONLY:
            return redirect("account_login")
        if request.user.is_authenticated:
            logout(request)  # an admin tried the link in their own browser
        record_authentication(request, agent, method="invitation")
        answer: HttpResponse = perform_login(request, Login(user=agent, redirect_url="/"))
        return answer
    return render(request, "account/invitation.html", {"form": form, "invitation": found})


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """The first screen of a new organisation: who opens the link that `up` prints becomes its admin, once."""
    if not limits.allow(request, "accept"):
        return limits.too_many(request)
    if settings.OIDC_ONLY or not first_run.is_welcome(token):
        reason = _("Somebody is here already, or it is too old: starting Rabta prints a new one as long as nobody is.")
        return render(request, "account/invitation_gone.html", {"reason": reason}, status=404)
    form = FirstForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        told = form.cleaned_data
        try:
            agent = people.begin(told["email"], told["name"], told["password"])
        except ActionError as error:
            if error.code == "email":
                form.add_error("email", str(error.reason))
                return render(request, "account/welcome.html", {"form": form})
            return render(request, "account/invitation_gone.html", {"reason": error.reason}, status=404)
        record_authentication(request, agent, method="welcome")
        answer: HttpResponse = perform_login(request, Login(user=agent, redirect_url="/"))
        return answer
    return render(request, "account/welcome.html", {"form": form})


class LoginView(account.LoginView):
    """The log-in page, with the organisation's own log-in beside the password or, by OIDC_ONLY, in its place."""

    def post(self, request: HttpRequest, *args: Any, **told: Any) -> HttpResponse:
        if settings.OIDC_ONLY:
            raise PermissionDenied
        answer: HttpResponse = super().post(request, *args, **told)
        return answer

    def get_context_data(self, **told: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**told)
        return {
            **context,
            "OIDC_NAME": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
            "OIDC_ONLY": settings.OIDC_ONLY,
            "may_mail": not settings.OIDC_ONLY and post.available(),
            "is_empty": not settings.OIDC_ONLY and first_run.is_empty(),
        }


class ResetView(account.PasswordResetView):
    """Ask for a mail with a link. Known and unknown addresses are answered alike, and as fast."""

    def dispatch(self, request: HttpRequest, *args: Any, **told: Any) -> HttpResponse:
        if settings.OIDC_ONLY or not post.available():
            raise Http404
        answer: HttpResponse = super().dispatch(request, *args, **told)
        return answer


login = LoginView.as_view()
password_reset = ResetView.as_view()
