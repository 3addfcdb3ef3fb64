"""`/settings/figures/`: what the organisation chooses for its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.forms import BoundField
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from inbox import access
from inbox.actions.errors import ActionError
from inbox.models import Team
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only
from reports.actions import figures as acting
from reports.engine.choices import RATES_OF_ALL, left_out, rates, window
from reports.facts.calculate import SESSION
from reports.worth.terms import terms


class FiguresForm(forms.Form):
    """The window, and what an hour costs: of each team that one sees, and of all others."""

    days = forms.IntegerField(
        label=gettext_lazy("Window in days"),
        min_value=1,
        max_value=acting.LONGEST,
        help_text=gettext_lazy(
            "For so long after the first solve, a ticket opened again, another one of the same customer or a “no” to "
            "“Was it solved?” counts against it. Until then it stands as provisional."
        ),
    )

    left_out = forms.CharField(
        label=gettext_lazy("Tags of tests and demonstrations"),
        required=False,
        max_length=500,
        help_text=gettext_lazy(
            "With commas between them. Tickets with one of them are in no figure, unless one asks for that tag."
        ),
    )

    def __init__(self, data: Any, teams: Sequence[Team], kept: Mapping[str, float]) -> None:
        super().__init__(data, initial={"days": window(), "left_out": ", ".join(left_out())})
        labels: dict[str, Any] = {RATES_OF_ALL: _("All others")} | {str(one.pk): one.name for one in teams}
        self.whose = list(labels)
        for whose, label in labels.items():
            self.fields[f"rate_{whose}"] = forms.DecimalField(
                label=label, required=False, min_value=0, max_digits=9, decimal_places=2, initial=kept.get(whose)
            )

    @property
    def rates(self) -> list[BoundField]:
        return [self[f"rate_{whose}"] for whose in self.whose]

    def chosen_rates(self) -> dict[str, Decimal | None]:
        return {whose: self.cleaned_data[f"rate_{whose}"] for whose in self.whose}


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.REPORTS)
def settings_page(request: AgentRequest) -> HttpResponse:
    teams = list(access.teams(request.user).order_by("name", "pk"))
    form = FiguresForm(request.POST if request.method == "POST" else None, teams, rates())
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                acting.set_window(form.cleaned_data["days"], by=request.user)
                acting.set_left_out(form.cleaned_data["left_out"].split(","), by=request.user)
                acting.set_rates(form.chosen_rates(), by=request.user)
        except ActionError as error:
            form.add_error("left_out" if error.code == "left_out" else None, str(error))
        else:
            messages.success(request, _("Saved."))
            return redirect("settings-figures")
    context = {
        "page_key": "figures",
        "form": form,
        "gap": int(SESSION.total_seconds() // 60),
        "zone": settings.TIME_ZONE,
        "terms": terms(),
    }
    return render(request, "reports/figures_settings.html", context, status=422 if form.errors else 200)
