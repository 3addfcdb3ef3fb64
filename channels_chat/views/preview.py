"""The widget as it will be, in a frame beside the settings: the real script, made of settings that nobody has saved.

Nothing in that frame talks to a server: its page brings a socket of its own that answers what a visitor would see.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings as django_settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from channels_chat import bundle, config, drafts
from channels_chat.views.settings import chat_of
from channels_chat.views.widget import RIGHT_TO_LEFT
from inbox.models import Channel
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


def _drafted(request: AgentRequest, slug: str) -> Channel:
    """The channel with the settings of the draft that is asked for; its token is no visitor's."""
    channel = chat_of(request, slug)
    kept = drafts.kept(channel.pk, request.GET.get("draft", ""))
    if kept is not None:
        channel.settings = kept
    # Always there to be seen, and nothing comes up by itself.
    channel.settings = {**channel.settings, "visitors": True, "journeys": []}
    if channel.settings.get("theme", "auto") == "auto":  # the frame's own device is the one that is looked at
        channel.settings["theme"] = _scheme(request)
    channel.token = f"preview-{channel.slug}"
    return channel


def _scheme(request: AgentRequest) -> str:
    return "dark" if request.GET.get("scheme") == "dark" else "light"


@require_safe
@xframe_options_sameorigin
@agent_only
@needs(Right.CHANNELS)
def preview(request: AgentRequest, slug: str) -> HttpResponse:
    """A page as a shop's, with the widget on it. `invitation` names one that is shown on it."""
    channel = _drafted(request, slug)
    settings = config.of(channel)
    asked = request.GET.get("language", "")
    language = asked if asked in settings.languages else settings.languages[0]
    texts = next((one.get("text") for one in settings.invitations if one["key"] == request.GET.get("invitation")), None)
    script = reverse("chat-preview-script", args=[slug])
    with translation.override(language if language in dict(django_settings.LANGUAGES) else None):
        asks, answers = gettext("Do you ship to Lahore?"), gettext("We do: two days, and free from Rs 3,000.")
    context = {
        "channel": channel,
        "asks": asks,
        "answers": answers,
        "shows": "chat" if request.GET.get("shows") == "chat" else "start",
        "language": language,
        "direction": "rtl" if language.split("-")[0] in RIGHT_TO_LEFT else "ltr",
        "invitation": (texts.get(language) or next(iter(texts.values()), "")) if texts else "",
        "name": settings.name,
        "scheme": _scheme(request),
        "script": f"{script}?{urlencode({'draft': request.GET.get('draft', ''), 'scheme': _scheme(request)})}",
    }
    response = render(request, "channels_chat/settings/preview.html", context)
    response["Content-Security-Policy"] = POLICY
    return response


@require_safe
@agent_only
@needs(Right.CHANNELS)
def script(request: AgentRequest, slug: str) -> HttpResponse:
    """The widget's script for the preview."""
    channel = _drafted(request, slug)
    channel.settings = {**channel.settings, "invitations": []}
    plain, _zipped, _etag = bundle.script(channel)
    return HttpResponse(plain, content_type="text/javascript; charset=utf-8")
