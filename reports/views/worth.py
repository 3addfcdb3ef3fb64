"""`/reports/customers/` and `/reports/at-risk/`: whether customers stay, beside how they were served."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only
from lib import money
from reports.worth import counting, risk, segments
from reports.worth.terms import terms

PERIODS = (30, 90, 180, 365)
AGAIN = 7  # days within which a re-open counts


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of a zone, the last of them yesterday."""

    days: int
    start: datetime
    end: datetime

    @property
    def last(self) -> date:
        return (self.end - timedelta(days=1)).date()


def period_of(days: int, zone: ZoneInfo, now: datetime) -> Period:
    today = now.astimezone(zone).date()
    ends, starts = (datetime.combine(day, time(), zone) for day in (today, today - timedelta(days=days)))
    return Period(days, starts, ends)


def _chosen(request: AgentRequest, name: str, of: tuple[int, ...], usual: int) -> int:
    said = request.GET.get(name, "")
    return int(said) if said in map(str, of) else usual


@require_safe
@agent_only
@needs(Right.REPORTS)
def customers(request: AgentRequest) -> HttpResponse:
    chosen = terms()
    zone = ZoneInfo(request.user.time_zone or settings.TIME_ZONE)
    period = period_of(_chosen(request, "days", PERIODS, 90), zone, timezone.now())
    context: dict[str, Any] = {"periods": PERIODS, "period": period, "terms": chosen, "any": counting.there_is_any()}
    if context["any"]:
        seen = counting.seen_customers(request.user)
        found = counting.counts(period.start, period.end, chosen.days, seen)
        value = found.lifetime_value(chosen.margin, chosen.days, period.end - period.start)
        context |= {
            "counts": found,
            "retention": _percent(found.retention),
            "churn": _percent(found.churn),
            "value": None if value is None else money.words(value, chosen.currency),
            "least": counting.LEAST,
            "few": min(found.start, found.end) < counting.LEAST,
            "rows": [
                {
                    "label": one.label,
                    "n": one.n,
                    "kept": one.kept,
                    "retention": _percent(one.retention),
                    "low": _percent(one.interval[0]),
                    "high": _percent(one.interval[1]),
                    "paid": money.words(one.paid / one.n, chosen.currency) if one.n else "",
                }
                for one in segments.segments(period.start, period.end, chosen.days, AGAIN, request.user)
            ],
        }
    return render(request, "reports/worth/customers.html", context)


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


@require_safe
@agent_only
@needs(Right.REPORTS)
def at_risk(request: AgentRequest) -> HttpResponse:
    now, silence = timezone.now(), _chosen(request, "silence", risk.SILENCES, risk.SILENCE)
    found = risk.customers(request.user, now, silence).select_related("organisation")
    page = Paginator(found, risk.PAGE).get_page(request.GET.get("page"))
    currency = terms().currency
    rows = [
        {"one": row, "worth": "" if row.total is None else money.words(row.total, currency)}
        for row in risk.told(request.user, page.object_list, now)
    ]
    context = {"page": page, "rows": rows, "silences": risk.SILENCES, "silence": silence}
    return render(request, "reports/worth/at_risk.html", context)
