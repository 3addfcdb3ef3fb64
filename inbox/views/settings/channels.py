"""`/settings/channels/`: connect channels, see how they are, test, pause and change them, retry what failed.

These pages know adapters through the contract alone; what is one kind's own comes as its templates and panels.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox import access, care, schedule_words, schedules, told_once
from inbox.actions import channel_secrets, parsing, retrying
from inbox.actions import channels as actions
from inbox.actions.errors import ActionError
from inbox.adapters import Adapter, Check, kinds
from inbox.models import Agent, Brand, Channel, Receipt, ReceiptState, Team
from inbox.rights import Right, may, needs
from inbox.views.shell import AgentRequest, agent_only, wants_part

PREFIX = "channel"
SHOWN_RECEIPTS = 20


class PlaceForm(forms.Form):
    """Where a channel belongs, whatever its kind. The slug can be chosen once: links and programs name it."""

    name = forms.CharField(
        label=gettext_lazy("Name in Rabta"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("How your colleagues see it. Empty: as customers see it."),
    )
    slug = forms.SlugField(
        label=gettext_lazy("Short name"),
        max_length=50,
        required=False,
        help_text=gettext_lazy("Stands in links and in the API. Small letters, digits and dashes; it stays for good."),
    )
    default_team = forms.ModelChoiceField(
        label=gettext_lazy("Team that new tickets go to"),
        queryset=Team.objects.none(),
        required=False,
        empty_label=gettext_lazy("None"),
    )
    brand = forms.ModelChoiceField(
        label=gettext_lazy("Brand"),
        queryset=Brand.objects.none(),
        required=False,
        empty_label=gettext_lazy("None"),
        help_text=gettext_lazy("Its signature stands below replies."),
    )
    teams = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Teams that see it"),
        queryset=Team.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None ticked: everybody sees it. Administrators see every channel."),
    )

    def __init__(self, agent: Agent, channel: Channel | None, data: Any = None) -> None:
        initial: dict[str, Any] = {}
        if channel is not None:
            initial = {
                "name": channel.name,
                "default_team": channel.default_team_id,
                "brand": channel.brand_id,
                "teams": list(channel.teams.values_list("pk", flat=True)),
            }
        super().__init__(data, prefix=PREFIX, initial=initial)
        teams = Q(pk__in=access.teams(agent))
        if channel is not None:  # what is set stays to be seen and kept, also by who is no member of it
            del self.fields["slug"]
            teams |= Q(pk__in=initial["teams"]) | Q(pk=channel.default_team_id)
        brands = Brand.objects.order_by("name")
        self._choose("default_team", Team.objects.filter(teams))
        self._choose("teams", Team.objects.filter(teams))
        self._choose("brand", brands)

    def _choose(self, name: str, queryset: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = queryset

    def place(self) -> actions.Place:
        chosen = self.cleaned_data
        return actions.Place(chosen["name"], chosen["brand"], chosen["default_team"], tuple(chosen["teams"]))


@require_safe
@agent_only
@needs(Right.CARE)
def index(request: AgentRequest) -> HttpResponse:
    """Every channel that this person sees, with how it is."""
    found = care.standings(list(access.channels(request.user).order_by("name", "pk")))
    return render(request, "settings/channels/index.html", {**_shared(request), "standings": found})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.CHANNELS)
def connect(request: AgentRequest, kind: str) -> HttpResponse:
    """Connect a channel of one kind: its question if it has one, then the form; then its page, which tries it."""
    adapter = _connectable(kind)
    start = adapter.start(request.GET.dict())
    shown = {**_shared(request), "adapter": adapter, "start": start, "kind": kind}
    if request.method != "POST":
        if start.question is not None:
            return render(request, "settings/channels/question.html", {**shown, "panel": start.question.context})
        form = adapter.settings_form(None)
        form.initial.update(start.initial)
        return render(request, FORM, {**shown, "form": form, "place": PlaceForm(request.user, None)})
    place = PlaceForm(request.user, None, request.POST)
    posted = _settings(adapter, request)
    form = adapter.settings_form(posted)
    if form.is_valid() & place.is_valid():
        slug = place.cleaned_data["slug"] or free_slug(form.cleaned_data, kind)
        try:
            channel = actions.create(kind, slug, posted, by=request.user, place=place.place())
        except ActionError as error:
            place.add_error("slug" if error.code == "slug_taken" else None, str(error.reason))
        except ValidationError as error:
            _add(form, error)
        else:
            if secret := channel_secrets.made(channel, posted):
                told_once.keep(request, _secret_of(channel), secret)
            if "HX-Request" not in request.headers:  # else the test that begins at once says so, and how it went
                messages.success(request, _("“%(name)s” is saved.") % {"name": channel.name})
            return _gone(request, f"{reverse('settings-channel', args=[channel.slug])}?test=new")
    return _refused(request, {**shown, "form": form, "place": place})


FORM = "settings/channels/form.html"


def _refused(request: AgentRequest, shown: dict[str, Any]) -> HttpResponse:
    """The form with what is wrong. A page holds no secrets: where it is not put around what was typed (htmx), it says
    which of them have to be typed again.
    """
    form = shown["form"]
    for name, field in form.fields.items():
        typed = isinstance(field.widget, forms.PasswordInput) and request.POST.get(form.add_prefix(name))
        if typed and "HX-Request" not in request.headers:
            form.add_error(name, _("Type this again: pages do not keep it."))
    return render(request, FORM, shown, status=422)


@require_safe
@agent_only
@needs(Right.CARE)
def channel(request: AgentRequest, slug: str) -> HttpResponse:
    """One channel: how it is, what failed, and what its kind has to say."""
    found = _get(request, slug)
    adapter = kinds().get(found.kind)
    panels = adapter.panels(found, request.user) if adapter else []
    return render(
        request,
        "settings/channels/channel.html",
        {
            **_page(request, found),
            "facts": adapter.facts(found) if adapter else [],
            "panels": panels,
            "asks": any(panel.first for panel in panels),
            "teams": list(found.teams.all()),
            "hours": schedule_words.whose(found, bool(schedules.of_organisation())),
            "secret": told_once.take(request, _secret_of(found)) if may(request.user, Right.CHANNELS) else "",
            "kept": actions.why_kept(found) if may(request.user, Right.CHANNELS) else "",
            "test_now": "test" in request.GET,
            "is_new": request.GET.get("test") == "new",
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.CHANNELS)
def settings(request: AgentRequest, slug: str) -> HttpResponse:
    """Change a channel's settings. Secrets are never shown; an empty one stays as it is."""
    found = _get(request, slug)
    adapter = kinds().get(found.kind)
    if adapter is None:
        raise Http404
    actions.forget_unreadable(found)
    shown = {**_shared(request), "adapter": adapter, "channel": found}
    if request.method != "POST":
        place = PlaceForm(request.user, found)
        return render(request, FORM, {**shown, "form": adapter.settings_form(None, found), "place": place})
    place = PlaceForm(request.user, found, request.POST)
    posted = _settings(adapter, request)
    form = adapter.settings_form(posted, found)
    if form.is_valid() & place.is_valid():
        try:
            actions.update(found, settings=posted, place=place.place(), by=request.user)
        except ValidationError as error:
            _add(form, error)
        else:
            messages.success(request, _("Saved."))
            return _gone(request, f"{reverse('settings-channel', args=[found.slug])}?test=1")
    return _refused(request, {**shown, "form": form, "place": place})


@require_POST
@agent_only
@needs(Right.CARE)
def test(request: AgentRequest, slug: str) -> HttpResponse:
    """Try the connection now and say line by line what works. With `new`, also in a notice whether it is connected."""
    found = _get(request, slug)
    adapter = kinds().get(found.kind)
    lines = adapter.check(found) if adapter else [Check(found.kind, False, _("This kind of channel is not installed."))]
    context: dict[str, Any] = {"lines": lines}
    if "new" in request.POST and wants_part(request):
        failed = any(not line.ok for line in lines)
        said = _("“%(name)s” is saved, but the test failed: see below.") if failed else _("“%(name)s” is connected.")
        context |= {"failed": failed, "said": said % {"name": found.name}}
    return answer(request, found, "settings/channels/_checks.html", context, _("Test connection"))


@require_POST
@agent_only
@needs(Right.CARE)
def pause(request: AgentRequest, slug: str) -> HttpResponse:
    """Pause or go on: `paused` is on or off."""
    found = actions.update(_get(request, slug), paused=request.POST.get("paused") == "on", by=request.user)
    said = _("Paused. Nothing is fetched, and replies wait here.") if found.paused else _("It goes on.")
    messages.success(request, said)
    return redirect("settings-channel", found.slug)


@require_POST
@agent_only
@needs(Right.CHANNELS)
def roll(request: AgentRequest, slug: str) -> HttpResponse:
    """Make a new secret that both sides sign with; the channel's page tells it, this once."""
    found = _get(request, slug)
    try:
        told_once.keep(request, _secret_of(found), channel_secrets.roll(found, by=request.user))
    except ActionError as error:
        raise Http404 from error
    return redirect("settings-channel", found.slug)


@require_POST
@agent_only
@needs(Right.CHANNELS)
def disconnect(request: AgentRequest, slug: str) -> HttpResponse:
    """Delete a channel that has no history."""
    found = _get(request, slug)
    try:
        actions.disconnect(found, by=request.user)
    except ActionError as error:
        messages.error(request, str(error.reason))
        return redirect("settings-channel", found.slug)
    messages.success(request, _("“%(name)s” is disconnected.") % {"name": found.name})
    return redirect("settings-channels")


@require_POST
@agent_only
@needs(Right.CARE)
def retry_all(request: AgentRequest, slug: str) -> HttpResponse:
    """Take in again whatever failed here."""
    done, why = retrying.retry_failed(_get(request, slug), by=request.user)
    if done:
        text = ngettext("%(count)d message is read again.", "%(count)d messages are read again.", done)
        messages.success(request, text % {"count": done})
    if why:
        messages.error(request, why)
    return redirect("settings-channel", slug)


@require_POST
@agent_only
@needs(Right.CARE)
def retry(request: AgentRequest, slug: str, pk: int) -> HttpResponse:
    """Take one failed receipt in again."""
    receipt = _receipt(request, slug, pk)
    try:
        retrying.retry(receipt, by=request.user)
    except ActionError as error:
        messages.error(request, str(error.reason))
    else:
        messages.success(request, _("The message is read again."))
    return redirect("settings-channel", slug)


@require_safe
@agent_only
@needs(Right.CARE)
def raw(request: AgentRequest, slug: str, pk: int) -> HttpResponse:
    """The bytes of a failed receipt as a download, which nothing runs."""
    receipt = _receipt(request, slug, pk)
    try:
        content = parsing.raw_of(receipt)
    except FileNotFoundError as error:
        raise Http404 from error
    response = HttpResponse(content, content_type="application/octet-stream")
    suffix = "eml" if receipt.channel.kind == "email" else "txt"
    response["Content-Disposition"] = f'attachment; filename="receipt-{receipt.pk}.{suffix}"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def answer(request: AgentRequest, channel: Channel, template: str, context: dict[str, Any], title: str) -> HttpResponse:
    """What a button of a channel's page brings: in its place by htmx, else as a page of its own."""
    shown = {"channel": channel, **context}
    if wants_part(request):
        return render(request, template, shown)
    return render(
        request, "settings/channels/answer.html", {**_shared(request), **shown, "part": template, "title": title}
    )


def free_slug(settings: dict[str, Any], kind: str) -> str:
    """A slug that is not taken, from the name or the address: `support`, `support-2`…"""
    address = str(settings.get("address") or "").partition("@")[0]
    base = (slugify(str(settings.get("name") or "")) or slugify(address) or kind)[:40].strip("-_")
    taken = set(Channel.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(one for one in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if one not in taken)


def _get(request: AgentRequest, slug: str) -> Channel:
    found = access.channels(request.user).select_related("default_team", "brand").filter(slug=slug).first()
    if found is None:
        raise Http404
    return found


def _secret_of(channel: Channel) -> str:
    return f"channel:{channel.pk}"


def _receipt(request: AgentRequest, slug: str, pk: int) -> Receipt:
    receipt = access.get_receipt(request.user, pk)
    if receipt.channel.slug != slug or receipt.state != ReceiptState.FAILED:
        raise Http404
    return receipt


def _connectable(kind: str) -> Adapter:
    adapter = kinds().get(kind)
    if adapter is None or not adapter.connect_label:
        raise Http404
    return adapter


def _settings(adapter: Adapter, request: AgentRequest) -> dict[str, Any]:
    ours = {"csrfmiddlewaretoken"}
    own = {
        name: value for name, value in request.POST.items() if name not in ours and not name.startswith(f"{PREFIX}-")
    }
    return adapter.posted(own)  # type: ignore[arg-type]  # values of a query are text


def _add(form: forms.Form, error: ValidationError) -> None:
    for name, errors in error.error_dict.items():
        form.add_error(None if name == NON_FIELD_ERRORS or name not in form.fields else name, errors)


def _gone(request: AgentRequest, url: str) -> HttpResponse:
    """Go there, also when htmx sent the form."""
    if "HX-Request" in request.headers:  # a redirect would land in the form's place
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def _shared(request: AgentRequest) -> dict[str, Any]:
    """What every page here reads: its place in the list of pages, and what may be connected or changed."""
    may_connect = may(request.user, Right.CHANNELS)
    ways = [one for one in kinds().values() if one.connect_label] if may_connect else []
    return {"page_key": "channels", "may_connect": may_connect, "ways": ways}


def _page(request: AgentRequest, channel: Channel) -> dict[str, Any]:
    (standing,) = care.standings([channel])
    failed = access.receipts(request.user).filter(channel=channel, state=ReceiptState.FAILED)
    return {
        **_shared(request),
        "channel": channel,
        "standing": standing,
        "receipts": list(failed.defer("raw").order_by("-pk")[:SHOWN_RECEIPTS]) if standing.failed else [],
    }
