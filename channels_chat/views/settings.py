"""`/settings/channels/<slug>/chat/…`: the sections of a chat's settings. Each saves by itself."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from channels_chat import choices, config, drafts, parts, posting
from channels_chat.drafts import Draft
from channels_chat.forms import SECRET, ChatSettings
from channels_chat.sections import BY_KEY, SECTIONS, Section
from inbox import access, log
from inbox.actions import channels as actions
from inbox.models import Channel
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

FOLDER = "channels_chat/settings/"


@dataclass(frozen=True, slots=True)
class Kind:
    """What stands in a list and has a page of its own: invitations, the bot's steps."""

    section: str
    path: str
    label: StrOrPromise
    new: StrOrPromise
    tidy: Callable[[dict[str, Any], set[str]], dict[str, Any]]
    fresh: Mapping[str, Any] = field(default_factory=dict)


ITEMS = {
    "invitation": Kind(
        "proactive",
        "invitations",
        gettext_lazy("Invitation"),
        gettext_lazy("New invitation"),
        posting.invitation,
        {"on": True, "agents": True, "every_hours": 24, "most": 3, "holdout": 0, "all": [{"is": "url"}]},
    ),
    "step": Kind("bot", "flow.steps", gettext_lazy("Step"), gettext_lazy("New step"), posting.step),
}


def chat_of(request: AgentRequest, slug: str) -> Channel:
    """A chat channel that this person sees; a 404 for any other."""
    found = access.channels(request.user).filter(slug=slug, kind="chat").first()
    if found is None:
        raise Http404
    actions.forget_unreadable(found)
    return found


def said(data: QueryDict) -> dict[str, Any]:
    """What a page posted, apart from what is the page's own."""
    return posting.unfold({name: str(value) for name, value in data.items() if name not in OURS})


SHOWN = "chat_secret_shown"  # in the session: the channel whose page shows its secret the next time
OURS = {"csrfmiddlewaretoken", posting.DO, "draft"}


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.CHANNELS)
def section(request: AgentRequest, slug: str, key: str) -> HttpResponse:
    """One section. POST saves it; with `do` it changes the rows of the page, and saves nothing."""
    channel, here = chat_of(request, slug), BY_KEY.get(key)
    if here is None:
        raise Http404
    if request.method != "POST":
        shown = request.session.pop(SHOWN, None) == channel.pk and here.key == "install"
        return _show(request, channel, here, Draft(channel.settings), secret=channel.secrets[SECRET] if shown else "")
    draft = said(request.POST)
    draft = {name: value for name, value in draft.items() if name in _names(here)}
    if wanted := request.POST.get(posting.DO, ""):
        if wanted == "preview":
            return _preview(request, channel, _part(here, posting.tidy(draft)))
        focus = posting.change(draft, wanted)
        return _show(request, channel, here, Draft({**channel.settings, **draft}), wanted.partition(" ")[0], focus)
    part = _part(here, posting.tidy(draft))
    if problems := _save(request, channel, part):
        return _show(request, channel, here, Draft({**channel.settings, **part.over(channel.settings)}, problems))
    return _gone(request, reverse("chat-settings", args=[slug, key]))


def _names(here: Section) -> tuple[str, ...]:
    return ("flow",) if here.key == "bot" else here.names


def _part(here: Section, draft: dict[str, Any]) -> parts.Part:
    """The section's settings; of the bot's flow all but its steps, which have pages of their own."""
    if here.key == "texts":
        return parts.Worded(draft.get("texts"))
    if here.key == "hours" and isinstance(draft.get("hours"), dict):
        return parts.Inside("hours", draft["hours"])  # holidays are edited elsewhere, and stay
    if here.key != "bot":
        return parts.Part(draft)
    given = draft.get("flow")
    flow = given if isinstance(given, dict) else {}
    return parts.Inside("flow", {name: value for name, value in flow.items() if name != "steps"})


def _save(request: AgentRequest, channel: Channel, part: parts.Part) -> dict[str, list[str]]:
    """Save a part. Returns what is wrong by its path; nothing once it is saved."""
    try:
        actions.update(channel, settings=part, by=request.user)
    except ValidationError as error:
        return {name: list(texts) for name, texts in error.message_dict.items()}
    messages.success(request, _("Saved."))
    return {}


def _show(
    request: AgentRequest,
    channel: Channel,
    here: Section,
    draft: Draft,
    verb: str = "",
    focus: str = "",
    secret: str = "",
) -> HttpResponse:
    shown = {**_shared(channel, here), "form": draft, "focus_on": _focus(verb, focus), "secret": secret}
    shown |= choices.of_section(here.key, channel, request.user, draft)
    return render(request, f"{FOLDER}{here.key}.html", shown, status=422 if draft.problems else 200)


def _focus(verb: str, path: str) -> str:
    """The id of what takes the focus after a row was changed: the same button again, else the row."""
    if verb == "again":
        return f"at-{path.replace('.', '-')}"
    return f"{verb}-{path}" if verb in ("up", "down") else f"row-{path}" if path else ""


def _shared(channel: Channel, here: Section) -> dict[str, Any]:
    settings = config.of(channel)
    languages = [*dict.fromkeys([*settings.languages, *settings.texts])]
    return {
        "page_key": "channels",
        "channel": channel,
        "settings": settings,
        "section": here,
        "beside": here.preview,
        "sections": SECTIONS,
        "languages": languages,
        "do": posting.DO,
    }


def _gone(request: AgentRequest, url: str) -> HttpResponse:
    """Go there, also when htmx sent the form."""
    if "HX-Request" in request.headers:  # a redirect would land in the form's place
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def _preview(request: AgentRequest, channel: Channel, part: parts.Part) -> HttpResponse:
    """Keep what is right of an unsaved section for the preview, and say under which name."""
    form = ChatSettings(part, channel)
    wrong = {path.partition(".")[0] for path in form.errors}
    right = {name: value for name, value in form.cleaned_data.items() if name not in wrong and name != SECRET}
    return _drafted(request, channel, {**channel.settings, **right})


def _drafted(request: AgentRequest, channel: Channel, settings: Mapping[str, Any]) -> HttpResponse:
    name = drafts.keep(channel.pk, settings, request.POST.get("draft", ""))
    return HttpResponse(name, content_type="text/plain")


# Items ---------------------------------------------------------------------------------------------------------------


def _kind(name: str) -> Kind:
    found = ITEMS.get(name)
    if found is None:
        raise Http404
    return found


def _rows(channel: Channel, kind: Kind) -> list[dict[str, Any]]:
    found = Draft(channel.settings).value(kind.path)
    return found if isinstance(found, list) else []


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.CHANNELS)
def item(request: AgentRequest, slug: str, what: str, key: str = "") -> HttpResponse:
    """One invitation or step, or a new one. POST saves it; with `do` it changes the rows of the page alone."""
    channel, kind = chat_of(request, slug), _kind(what)
    stored = next((one for one in _rows(channel, kind) if one.get("key") == key), None) if key else None
    if key and stored is None:
        raise Http404
    if request.method != "POST":
        return _show_item(request, channel, what, key, Draft(stored or kind.fresh))
    draft = said(request.POST)
    if wanted := request.POST.get(posting.DO, ""):
        if wanted == "preview":
            texts = draft.get("text")
            words = {name: str(one)[:500] for name, one in texts.items() if one} if isinstance(texts, dict) else {}
            return _drafted(request, channel, {**channel.settings, "invitations": [{"key": key or "-", "text": words}]})
        focus = posting.change(draft, wanted)
        return _show_item(request, channel, what, key, Draft(draft), wanted.partition(" ")[0], focus)
    taken = {str(one.get("key")) for one in _rows(channel, kind)}
    if key:
        draft["key"] = key  # reports and the widget know it by that
    elif draft.get("key") in taken:
        problems = {"key": [_("There is one of that key already.")]}
        return _show_item(request, channel, what, key, Draft(draft, problems))
    part = parts.Listed(kind.path, parts.put(key, kind.tidy(copy.deepcopy(draft), taken)))
    if problems := _save(request, channel, part):
        at = next((n for n, one in enumerate(_rows(channel, kind)) if one.get("key") == key), None)
        number = len(_rows(channel, kind)) if at is None else at
        own = re.compile(rf"{re.escape(kind.path)}\.{number}(\.|$)")
        return _show_item(
            request, channel, what, key, Draft(draft, {own.sub("", path): texts for path, texts in problems.items()})
        )
    return _gone(request, reverse("chat-settings", args=[slug, kind.section]))


def _show_item(
    request: AgentRequest, channel: Channel, what: str, key: str, draft: Draft, verb: str = "", focus: str = ""
) -> HttpResponse:
    kind = ITEMS[what]
    shown = {
        **_shared(channel, BY_KEY[kind.section]),
        "form": draft,
        "what": what,
        "beside": what == "invitation",
        "kind": kind,
        "key": key,
        "focus_on": _focus(verb, focus),
        **choices.of_item(what, channel, draft, key),
    }
    return render(request, f"{FOLDER}{what}.html", shown, status=422 if draft.problems else 200)


@require_POST
@agent_only
@needs(Right.CHANNELS)
def arrange(request: AgentRequest, slug: str, what: str, key: str) -> HttpResponse:
    """Move an invitation or step up or down, or take it away: `to` is up, down or out."""
    channel, kind = chat_of(request, slug), _kind(what)
    if not any(one.get("key") == key for one in _rows(channel, kind)):
        raise Http404
    to = request.POST.get("to", "")
    changes = {"up": parts.move(key, -1), "down": parts.move(key, 1), "out": parts.out(key)}
    if to not in changes:
        raise Http404
    try:
        actions.update(channel, settings=parts.Listed(kind.path, changes[to]), by=request.user)
    except ValidationError as error:
        for text in error.messages:
            messages.error(request, text)
    return _gone(request, reverse("chat-settings", args=[slug, kind.section]))


# The secret, which one look at its page shows after it was asked for --------------------------------------------------


@require_POST
@agent_only
@needs(Right.CHANNELS)
def secret(request: AgentRequest, slug: str) -> HttpResponse:
    """Show the secret that sites sign with, or with `new` make another one; both are written down."""
    channel = chat_of(request, slug)
    if "new" in request.POST or not channel.secrets.get(SECRET):
        channel = actions.update(channel, settings=parts.Part({SECRET: ChatSettings.new_secret()}), by=request.user)
    log.record(None, "chat_secret_shown", by=request.user, channel=channel.pk)
    request.session[SHOWN] = channel.pk
    return redirect(reverse("chat-settings", args=[slug, "install"]) + "#secret")
