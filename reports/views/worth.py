"""`/reports/customers/` and `/reports/at-risk/`: whether customers stay, beside how they were served."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from inbox.views.shell import AgentRequest
from lib import money
from reports.engine.figures import ratio
from reports.pages import words
from reports.pages.asked import Asked
from reports.pages.cards import plain
from reports.views.dashboard import frame
from reports.views.shared import reading, refused
from reports.worth import counting, risk, segments
from reports.worth.measures import figures, until
from reports.worth.terms import terms

USUAL = "90"  # days: in fewer hardly anybody leaves


@reading
def customers(request: AgentRequest, asked: Asked) -> HttpResponse:
    """The engine's figures of the period, and those of customers by what they went through with us in it."""
    if asked.own:
        return refused(request)
    if not ({"period", "from", "through"} & set(request.GET)):
        asked = asked.over(USUAL)
    alone = replace(asked, channels=(), teams=(), agents=(), tags=(), languages=(), priorities=())  # nobody is of these
    context: dict[str, Any] = {"asked": asked, "any": counting.there_is_any(), **frame(request.user, asked)}
    if context["any"]:
        chosen, question = terms(), alone.question
        now, before = figures(question), figures(question.before())
        context |= {
            "terms": chosen,
            "cards": [plain(now[key], before[key]) for key in now],
            "at_end": words.number(now["retention"].extra["at_end"]),
            "rows": [
                {
                    "label": one.label,
                    "n": words.number(one.n),
                    "kept": words.number(one.kept),
                    "retention": words.said("ratio", one.retention),
                    "between": words.between(ratio("retention", one.kept, one.n)),
                    "paid": money.words(one.paid / one.n, chosen.currency) if one.n else "",
                }
                for one in segments.segments(
                    question.starts, until(question), chosen.days, question.window, request.user
                )
            ],
        }
    return render(request, "reports/worth/customers.html", context)


@reading
def at_risk(request: AgentRequest, asked: Asked) -> HttpResponse:
    """Nobody's own, and of no period: what is asked for is handed on to the other pages."""
    if asked.own:
        return refused(request)
    typed, now = request.GET.get("silence", ""), timezone.now()
    silence = int(typed) if typed in map(str, risk.SILENCES) else risk.SILENCE
    found = risk.customers(request.user, now, silence).select_related("organisation")
    page = Paginator(found, risk.PAGE).get_page(request.GET.get("page"))
    currency = terms().currency
    rows = [
        {"one": row, "worth": "" if row.total is None else money.words(row.total, currency)}
        for row in risk.told(request.user, page.object_list, now)
    ]
    context = {"asked": asked, "page": page, "rows": rows, "silences": risk.SILENCES, "silence": silence}
    return render(request, "reports/worth/at_risk.html", context)
