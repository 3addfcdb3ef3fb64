"""`/notifications/`: what somebody was told, the bell that counts it, and the browsers that may show it."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from inbox import notify
from inbox.actions import notifications as actions
from inbox.actions.errors import ActionError
from inbox.forms import problem_of
from inbox.views.shell import AgentRequest, agent_only, wants_part

PAGE = 40


def _id(value: str | None) -> int | None:
    return int(value) if value and value.isdecimal() and len(value) < 19 else None


@require_safe
@agent_only
def index(request: AgentRequest) -> HttpResponse:
    """All of them, newest first; for htmx the newest as the bell's menu, or with `before` the next page."""
    before = _id(request.GET.get("before"))
    rows = notify.shown(request.user, most=PAGE + 1, before=before)
    context = {"rows": rows[:PAGE], "more": rows[PAGE - 1].pk if len(rows) > PAGE else None}
    if wants_part(request):
        return render(request, "inbox/_notification_rows.html" if before else "inbox/_notifications.html", context)
    return render(request, "inbox/notifications.html", context)


@require_safe
@agent_only
def bell(request: AgentRequest) -> HttpResponse:
    """The bell's number; with `after` also what is newer than that one, as notices."""
    after = _id(request.GET.get("after"))
    news = [row for row in notify.shown(request.user, most=3, after=after) if row.read_at is None] if after else []
    newest = notify.shown(request.user, most=1) if after is None else news
    context = {
        "unread": notify.unread(request.user),
        "news": list(reversed(news)),
        "newest": newest[0].pk if newest else after or 0,
    }
    return render(request, "inbox/_bell.html", context)


class ReadForm(forms.Form):
    """Which are read: `only` one, else all. `next` is where to go then."""

    only = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    next = forms.CharField(required=False)


@require_POST
@agent_only
def read(request: AgentRequest) -> HttpResponse:
    form = ReadForm(request.POST)
    if not form.is_valid():
        return HttpResponse(problem_of(form), status=400, content_type="text/plain; charset=utf-8")
    only = form.cleaned_data["only"]
    actions.mark_read(request.user, only=None if only is None else [only])
    if wants_part(request):
        return index_part(request)
    back = form.cleaned_data["next"]
    safe = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(back if safe else "notifications")


def index_part(request: AgentRequest) -> HttpResponse:
    rows = notify.shown(request.user, most=PAGE + 1)
    context = {"rows": rows[:PAGE], "more": rows[PAGE - 1].pk if len(rows) > PAGE else None}
    return render(request, "inbox/_notifications.html", context)


class BrowserForm(forms.Form):
    """A browser's own word of where it is told, as PushSubscription.toJSON() gives it."""

    endpoint = forms.URLField(max_length=1000, assume_scheme="https")
    p256dh = forms.RegexField(r"^[\w-]{20,200}={0,2}$", max_length=200)
    auth = forms.RegexField(r"^[\w-]{10,100}={0,2}$", max_length=100)


@require_POST
@agent_only
def browser(request: AgentRequest) -> HttpResponse:
    """Allow a browser, or with `forget` take that back."""
    if "forget" in request.POST:
        actions.unsubscribe(request.user, request.POST.get("endpoint", ""))
        return HttpResponse(status=204)
    form = BrowserForm(request.POST)
    if not form.is_valid():
        return HttpResponse(problem_of(form), status=400, content_type="text/plain; charset=utf-8")
    data = form.cleaned_data
    try:
        actions.subscribe(request.user, data["endpoint"], data["p256dh"], data["auth"], get_language() or "")
    except ActionError as error:
        return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=201)


@require_safe
@never_cache
def service_worker(request: AgentRequest) -> HttpResponse:
    """The script that shows notifications while no page is open. It has no words of its own and knows nobody."""
    return render(request, "inbox/sw.js", content_type="text/javascript; charset=utf-8")
