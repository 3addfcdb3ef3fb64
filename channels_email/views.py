"""Consent by OAuth, as a person goes through it: begun at the mailbox, ended where the provider sends them back."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from channels_email import consent, oauth
from channels_email.oauth import OAuthTrouble
from inbox import access
from inbox.models import Channel
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only


@require_POST
@agent_only
@needs(Right.CHANNELS)
def begin(request: AgentRequest, slug: str) -> HttpResponse:
    """Go to the provider that the mailbox's settings name."""
    channel = access.get_channel(request.user, slug)
    provider = oauth.provider_of(channel)
    if provider is None or not provider.configured:
        words = _("This mailbox's settings name no log-in by Google or Microsoft: choose one there first.")
        messages.error(request, words if provider is None else oauth.no_client(provider))
        return _by_htmx(page_of(channel)) if "HX-Request" in request.headers else redirect(page_of(channel))
    url = consent.begin(channel, provider, request.session)
    if "HX-Request" in request.headers:
        return _by_htmx(url)
    # Not a redirect: `form-action` of our policy would stop one that leads a form elsewhere.
    response = render(request, "channels_email/consent.html", {"url": url, "provider": provider, "channel": channel})
    response.headers["Refresh"] = f"0; url={url}"
    return response


@require_safe
@agent_only
@needs(Right.CHANNELS)
def callback(request: AgentRequest) -> HttpResponse:
    """Come back from the provider, with a code or with a reason why not."""
    try:
        asked = consent.begun(request.GET.get("state", ""), request.session)
    except OAuthTrouble as error:
        messages.error(request, str(error))
        return redirect("settings")
    channel = access.get_channel(request.user, asked["channel"])
    try:
        if code := request.GET.get("code", ""):
            grant = consent.finish(channel, asked["provider"], code, asked["verifier"], by=request.user)
            messages.success(request, _("Connected. Mail is fetched now."))
            if caution := consent.other_account(channel, grant):
                messages.warning(request, caution)
        else:
            messages.error(request, _("The permission was not given: %(said)s") % {"said": _said(request)})
    except OAuthTrouble as error:
        messages.error(request, str(error))
    return redirect(page_of(channel))


def _by_htmx(url: str) -> HttpResponse:
    """Let htmx leave the page: a redirect would be followed inside it."""
    return HttpResponse(status=204, headers={"HX-Redirect": url})


def page_of(channel: Channel) -> str:
    """The settings page of a mailbox."""
    return f"/settings/channels/{channel.slug}/"


def _said(request: AgentRequest) -> str:
    words = request.GET.get("error_description") or request.GET.get("error") or "?"
    return " ".join(words.split())[:300]
