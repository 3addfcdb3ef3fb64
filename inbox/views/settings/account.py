"""`/settings/profile/` and `/settings/security/`: one's own account."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox import additions, live, log, second_factor, sessions
from inbox.actions import people as acting
from inbox.actions.errors import ActionError
from inbox.models import LogIn
from inbox.variables import KNOWN
from inbox.views.settings.forms import OwnProfileForm
from inbox.views.shell import AgentRequest, agent_only

PROFILE = ("name", "signature", "language", "theme", "time_zone", "after_send", "away")


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
def profile(request: AgentRequest) -> HttpResponse:
    agent = request.user
    start = {name: getattr(agent, name) for name in PROFILE}
    start["language"] = agent.language or translation.get_language()
    sent = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = OwnProfileForm(*sent, initial=start)
    if request.method == "POST" and form.is_valid() and _photo_kept(request, form):
        changed = [name for name in PROFILE if getattr(agent, name) != form.cleaned_data[name]]
        for name in changed:
            setattr(agent, name, form.cleaned_data[name])
        agent.save(update_fields=changed)
        if told := [name for name in changed if name in {"name", "signature"}]:
            log.record(None, "profile_changed", by=agent, fields=told)
        if "away" in changed:
            live.announce_people([agent.pk])
        if "theme" in changed:
            live.hint([agent.pk], theme=agent.theme)
        with translation.override(agent.language or translation.get_language()):
            messages.success(request, _("Saved."))
        return redirect("settings-profile")
    context = {"page_key": "profile", "form": form, "variables": KNOWN, "added": additions.of_profile(request)}
    return render(request, "settings/account/profile.html", context)


def _photo_kept(request: AgentRequest, form: OwnProfileForm) -> bool:
    """Keep the photo that was sent, or take it away; false, with the reason in the form, where that does not work."""
    photo = form.cleaned_data["photo"]
    if photo is None and not form.cleaned_data["no_photo"]:
        return True
    try:
        acting.set_photo(request.user, photo.read(acting.MOST_PHOTO + 1) if photo is not None else None)
    except ActionError as error:
        form.add_error("photo", str(error))
        return False
    return True


@require_safe
@agent_only
def security(request: AgentRequest) -> HttpResponse:
    """Password, authenticator app, passkeys, recovery codes, and where one is logged in."""
    agent = request.user
    factors: list[Authenticator] = list(Authenticator.objects.filter(user=agent).order_by("pk"))
    by_type: dict[str, Any] = {one.type: one for one in factors}
    codes = by_type.get(Authenticator.Type.RECOVERY_CODES)
    context = {
        "page_key": "security",
        "app": by_type.get(Authenticator.Type.TOTP),
        "passkeys": [one for one in factors if one.type == Authenticator.Type.WEBAUTHN],
        "codes": codes,
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "log_ins": [_shown(one, request) for one in sessions.of(agent)],
        "missing": second_factor.is_required(agent) and not any(one.type in second_factor.FACTORS for one in factors),
        "has_password": agent.has_usable_password() and not settings.OIDC_ONLY,
    }
    return render(request, "settings/account/security.html", context)


def _shown(one: LogIn, request: AgentRequest) -> dict[str, Any]:
    return {
        "pk": one.pk,
        "browser": sessions.described(one.user_agent),
        "address": one.address,
        "created_at": one.created_at,
        "seen_at": one.seen_at,
        "is_this": one.session == request.session.session_key,
    }


@require_POST
@agent_only
def log_ins(request: AgentRequest) -> HttpResponse:
    """End one log-in of one's own, or all others."""
    agent, here = request.user, request.session.session_key or ""
    if pk := request.POST.get("log_in"):
        found = LogIn.objects.filter(agent=agent, pk=int(pk) if pk.isdecimal() and len(pk) < 19 else 0).first()
        if found is None:
            raise Http404
        acting.end_sessions(agent, by=agent, only=found.session)
        if found.session == here:
            return redirect("account_login")
        messages.success(request, _("That log-in has ended."))
    else:
        ended = acting.end_sessions(agent, by=agent, but=here)
        text = ngettext("%(count)s session ended.", "%(count)s sessions ended.", ended) % {"count": ended}
        messages.success(request, text)
    return redirect("mfa_index")
