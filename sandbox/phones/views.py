"""Playing the customer on other people's platforms: whose phone, what they say, and what goes wrong on the way."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import quote

from csp.constants import SELF
from csp.decorators import csp_update
from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sandbox.phones import chats, core, faces, showing
from sandbox.phones.acts import Cannot, Given, Platform, Upload, load
from sandbox.phones.models import Account, Call, Line, Media, Person, Told
from sandbox.phones.models import Platform as Names

SHOWN_PEOPLE, SHOWN_CALLS = 60, 25
TOKENS = re.compile(r'name="csrfmiddlewaretoken" value="\w*"')  # another one at each rendering


class MeetForm(forms.Form):
    """Somebody new on a platform."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    phone = forms.CharField(label=gettext_lazy("Phone number"), max_length=20, required=False)


def _platform(account: Account) -> Platform:
    """Raises Http404 for a platform that nothing is known of."""
    found = load().get(account.platform)
    if found is None:
        raise Http404
    return found


@require_GET
def phones(request: HttpRequest) -> HttpResponse:
    """All accounts by platform, and who is there."""
    known = load()
    shown = []
    for key, name in Names.choices:
        rows = Account.objects.filter(platform=key).order_by("pk") if key in known else []
        accounts = [{"account": one, "people": _people(one)} for one in rows]
        if accounts:
            shown.append({"key": key, "name": name, "accounts": accounts})
    return render(request, "sandbox/phones/phones.html", {"platforms": shown})


def _people(account: Account) -> list[Person]:
    return list(account.people.order_by("-pk")[:SHOWN_PEOPLE])


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: its people, what goes wrong on demand, what came and went. A post makes somebody new."""
    row = get_object_or_404(Account, pk=pk)
    platform = _platform(row)
    form = MeetForm(request.POST or None)
    if not platform.needs_phone:
        del form.fields["phone"]
    if request.method == "POST" and form.is_valid():
        try:
            met = faces.give(platform.meet(row, form.cleaned_data["name"], form.cleaned_data.get("phone", "")))
            return redirect("sandbox:phones-person", met.pk)
        except Cannot as error:
            form.add_error(None, str(error))
    context = {**_logged(row), "form": form, "people": _people(row), "troubles": platform.troubles}
    return render(request, "sandbox/phones/account.html", context, status=422 if form.errors else 200)


def _logged(account: Account) -> dict[str, Any]:
    """The last calls and webhooks, and the faults that stand."""
    labels = {one.name: one.label for one in _platform(account).troubles}
    standing = [(labels.get(one.get("name", ""), "?"), one.get("times", 1)) for one in account.faults]
    calls = list(Call.objects.filter(account=account).order_by("-pk")[:SHOWN_CALLS])
    told = list(Told.objects.filter(account=account).order_by("-pk")[:SHOWN_CALLS])
    state = f"{calls[0].pk if calls else 0}-{[(one.pk, one.state, one.attempts) for one in told]}-{account.faults}"
    return {
        "account": account,
        "standing": standing,
        "calls": [{"call": one, "asked": _pretty(one.asked), "answer": _pretty(one.answer)} for one in calls],
        "told": [{"told": one, "payload": _pretty(one.payload)} for one in told],
        "state": hashlib.sha256(state.encode()).hexdigest()[:12],
    }


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)[:4000]


@require_GET
def log(request: HttpRequest, pk: int) -> HttpResponse:
    """Calls and webhooks anew, or nothing when none came since the page knew (`state`)."""
    context = _logged(get_object_or_404(Account, pk=pk))
    if request.GET.get("state") == context["state"]:
        return HttpResponse(status=204)
    return render(request, "sandbox/phones/_log.html", context)


@require_POST
def trouble(request: HttpRequest, pk: int) -> HttpResponse:
    """Make something go wrong, put all right ("clear"), or tell at once what waits ("now")."""
    row = get_object_or_404(Account, pk=pk)
    name = request.POST.get("trouble", "")
    found = next((one for one in _platform(row).troubles if one.name == name), None)
    if name == "clear":
        with core.changing(row) as locked:
            locked.faults = []
    elif name == "now":
        Told.objects.filter(account=row, state="waiting").update(next_at=timezone.now())
        core.push(row)
    elif found is None:
        raise Http404
    elif found.do is not None:
        found.do(row)
    else:
        with core.changing(row) as locked:
            locked.faults = [*locked.faults, {**found.fault, "name": found.name}]
    return redirect("sandbox:phones-account", pk)


@require_GET
@csp_update({"media-src": [SELF]})  # type: ignore[arg-type]  # typed for views without arguments
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """A person's phone."""
    row = get_object_or_404(Person.objects.select_related("account"), pk=pk)
    return _phone(request, row)


def _phone(request: HttpRequest, row: Person, error: str = "") -> HttpResponse:
    platform = _platform(row.account)
    if platform.opened is not None:
        platform.opened(row.account, row)
    line = _line(row, request.POST.get("line") or request.GET.get("line"))
    others = [one for one in platform.acts if "line" not in one.needs and not one.main]
    context = {
        **_said(request, platform, row),
        "main": next((one for one in platform.acts if one.main), None),
        "others": others,
        "answered": line,
        "text": request.POST.get("text", "") if error else "",
        "error": error,
    }
    return render(request, "sandbox/phones/person.html", context, status=422 if error else 200)


def _said(request: HttpRequest, platform: Platform, row: Person) -> dict[str, Any]:
    """All bubbles, and a `state` that changes with them."""
    context: dict[str, Any] = {
        "person": row,
        "account": row.account,
        "chat": showing.chat(platform, row),
        "posts": showing.posts(platform, row),
        "typing": chats.is_typed_to(row),
    }
    said = render_to_string("sandbox/phones/_bubbles.html", context, request)
    state = hashlib.sha256(TOKENS.sub("", said).encode()).hexdigest()[:12]
    return {**context, "said": said, "state": state}


@require_GET
def news(request: HttpRequest, pk: int) -> HttpResponse:
    """The bubbles anew, or nothing when they are as the page knows them (`state`)."""
    row = get_object_or_404(Person.objects.select_related("account"), pk=pk)
    platform = _platform(row.account)
    if platform.opened is not None:
        platform.opened(row.account, row)
    context = _said(request, platform, row)
    if request.GET.get("state") == context["state"]:
        return HttpResponse(status=204)
    return render(request, "sandbox/phones/_said.html", context)


def _line(row: Person, number: str | None) -> Line | None:
    if not number or not number.isdigit() or len(number) > 15:
        return None
    return Line.objects.filter(account=row.account, pk=number).select_related("account", "person").first()


@require_POST
@csp_update({"media-src": [SELF]})  # type: ignore[arg-type]  # typed for views without arguments
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Do something as this person."""
    row = get_object_or_404(Person.objects.select_related("account"), pk=pk)
    name, _colon, choice = request.POST.get("act", "").partition(":")
    found = _platform(row.account).act(name)
    if found is None:
        raise Http404
    files = tuple(
        Upload(file.name or "file", file.content_type or "application/octet-stream", file.read())
        for file in request.FILES.getlist("file")
    )
    line = _line(row, request.POST.get("line"))
    given = Given(request.POST.get("text", "").replace("\r\n", "\n"), files, line, choice)
    try:
        if "text" in found.needs and not given.text.strip():
            raise Cannot(_("Write something first."))
        if "file" in found.needs and not files:
            raise Cannot(_("Choose a file first."))
        if "line" in found.needs and (line is None or not found.fits(line)):
            raise Cannot(_("This message is gone."))
        found.do(row.account, row, given)
    except Cannot as error:
        return _phone(request, row, str(error))
    return redirect(f"{reverse('sandbox:phones-person', args=[pk])}#end")


@require_GET
def media(request: HttpRequest, pk: int) -> HttpResponse:
    """A file of a platform's; pictures, sound and film are shown, all else is downloaded."""
    found = get_object_or_404(Media, pk=pk)
    shown = found.content_type in showing.SHOWABLE or found.content_type.startswith(("audio/", "video/"))
    kind = found.content_type if shown else "application/octet-stream"
    response = HttpResponse(bytes(found.content), content_type=kind)
    if not shown:
        response.headers["Content-Disposition"] = f"attachment; filename*=utf-8''{quote(found.name or 'file', safe='')}"
    return response
