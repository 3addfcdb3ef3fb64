"""`/settings/handle-time/`: whether handle time is recorded. `/settings/profile/time/`: what is recorded of oneself."""

from __future__ import annotations

from datetime import date, timedelta

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only
from reports.actions import handle_time as acting
from reports.handling import own, switch
from reports.models import Activity

LATELY = timedelta(days=30)  # in which it is counted what was lost


class SwitchForm(forms.Form):
    on = forms.BooleanField(label=gettext_lazy("Record handle time"), required=False)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.PEOPLE)
def settings(request: AgentRequest) -> HttpResponse:
    form = SwitchForm(request.POST if request.method == "POST" else None, initial={"on": switch.is_on()})
    if request.method == "POST" and form.is_valid():
        acting.switch(form.cleaned_data["on"], by=request.user)
        messages.success(request, _("Saved."))
        return redirect("settings-handle-time")
    first = Activity.objects.order_by("pk").values_list("started_at", flat=True).first()
    context = {"page_key": "handle-time", "form": form, "first": first, "lost": acting.lost(LATELY)}
    return render(request, "reports/handling/settings.html", context)


@require_POST
@agent_only
@needs(Right.PEOPLE)
def forget(request: AgentRequest) -> HttpResponse:
    acting.forget(by=request.user)
    messages.success(request, _("All that was recorded is deleted. The figures follow."))
    return redirect("settings-handle-time")


@require_safe
@agent_only
def mine(request: AgentRequest) -> HttpResponse:
    """One day of one's own."""
    today = timezone.localdate()
    day = min(_day(request.GET.get("day", ""), today), today)
    context = {
        "page_key": "profile",
        "on": switch.is_on(),
        "day": day,
        "before": day - timedelta(days=1),
        "after": day + timedelta(days=1) if day < today else None,
        "found": own.day_of(request.user, day),
    }
    return render(request, "reports/handling/mine.html", context)


def _day(text: str, otherwise: date) -> date:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return found if found > date(2000, 1, 1) else otherwise
