"""`/settings/quiet-hours/`: when what we begin makes no telephone ring."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from inbox import quiet
from inbox.actions import quiet_hours as acting
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only

USUAL = quiet.Hours(time(21), time(8))


def _clock(label: Any) -> forms.TimeField:
    widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    return forms.TimeField(label=label, widget=widget, input_formats=["%H:%M", "%H:%M:%S"])


class QuietForm(forms.Form):
    on = forms.BooleanField(label=gettext_lazy("Keep quiet hours"), required=False)
    begins = _clock(gettext_lazy("They begin at"))
    ends = _clock(gettext_lazy("They end at"))

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("on") and "begins" in data and "ends" in data:
            length = self.chosen().length  # type: ignore[union-attr]
            if not length:
                raise ValidationError(_("They have to end at another time than they begin."))
            if length > quiet.LONGEST:
                raise ValidationError(_("At most sixteen hours: a day needs a time in which messages may leave."))
        return data

    def chosen(self) -> quiet.Hours | None:
        data = self.cleaned_data
        return quiet.Hours(data["begins"].replace(second=0), data["ends"].replace(second=0)) if data["on"] else None


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.CHANNELS)
def hours(request: AgentRequest) -> HttpResponse:
    found = quiet.hours()
    shown = found or USUAL
    initial = {"on": found is not None, "begins": shown.begins, "ends": shown.ends}
    form = QuietForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        acting.set_hours(form.chosen(), by=request.user)
        messages.success(request, _("Saved."))
        return redirect("settings-quiet")
    status = 422 if form.errors else 200
    return render(request, "settings/quiet.html", {"page_key": "quiet", "form": form}, status=status)
