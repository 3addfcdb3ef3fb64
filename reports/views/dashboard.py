"""`/reports/`: the page, and each of its cards and charts, which are fetched by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext_lazy

from inbox import directory
from inbox.models import Agent, Priority, Tag
from inbox.rights import Right, may
from inbox.views.shell import AgentRequest
from lib import language
from reports import engine
from reports.engine.groups import NAMES
from reports.models import Target, WeeklyMail
from reports.pages import once, sections, words
from reports.pages.asked import Asked
from reports.pages.cards import KEYS
from reports.pages.cards import card as read_card
from reports.views.shared import reading, reading_part

MOST_TAGS = 200
LANGUAGES = ("en", "ur", "ar", "de", "es", "fr", "hi", "pt", "ru", "tr", "zh")
CHARTS = {
    "flow": gettext_lazy("Opened and solved"),
    "hours": gettext_lazy("When customers write"),
    "backlog": gettext_lazy("Backlog over time"),
    "more": gettext_lazy("Also counted"),
    "issues": gettext_lazy("What it is about"),
    "channels": gettext_lazy("Channels"),
    "teams": gettext_lazy("Teams"),
    "agents": gettext_lazy("Agents"),
}
OF_EVERYBODY = {"hours", "teams", "agents"}


@reading
def page(request: AgentRequest, asked: Asked) -> HttpResponse:
    """The frame: what was asked for, and a place for each part."""
    targets = dict(Target.objects.values_list("figure", "value"))
    context = {
        "asked": asked,
        "page_name": once.keep(asked),
        "cards": [(key, repr(targets[key]) if key in targets else "") for key in KEYS],
        "charts": [(key, name) for key, name in CHARTS.items() if not (asked.own and key in OF_EVERYBODY)],
        "weekly": WeeklyMail.objects.filter(agent=request.user).first(),
        "weekly_days": list(WEEKDAYS.items()),
        "may_export": may(request.user, Right.EXPORT),
        "ways_out": [(by, NAMES[by]) for by in engine.BREAKDOWNS],
        **frame(request.user, asked),
    }
    return render(request, "reports/page.html", context)


def frame(agent: Agent, asked: Asked) -> dict[str, Any]:
    """What the head of each page of figures shows: the period in words, and what can be chosen."""
    here = directory.of(agent)
    return {
        "period": words.days(asked.start, asked.end),
        "before": words.days(asked.question.before().start, asked.start),
        "choices": _choices(asked, here),
        "default_zone": settings.TIME_ZONE,
    }


def _choices(asked: Asked, here: directory.Directory) -> list[dict[str, Any]]:
    """Each filter with what can be chosen, and what is."""
    tags = Tag.objects.order_by("name").values_list("name", flat=True)[:MOST_TAGS]
    lists: list[tuple[str, Any, Sequence[tuple[str, str]], set[str]]] = [
        ("channel", gettext_lazy("Channels"), [(one.slug, one.name) for one in here.channels],
         {one.slug for one in asked.channels}),
        ("team", gettext_lazy("Teams"), [(one.slug, one.name) for one in here.teams],
         {one.slug for one in asked.teams}),
        ("agent", gettext_lazy("Agents"), [(str(one.pk), one.name) for one in here.people],
         {str(one.pk) for one in asked.agents}),
        ("tag", gettext_lazy("Tags"), [(one, one) for one in tags], set(asked.tags)),
        ("language", gettext_lazy("Languages"), [(code, language.language_name(code)) for code in LANGUAGES],
         set(asked.languages)),
        ("priority", gettext_lazy("Priorities"), [(value, str(label)) for value, label in Priority.choices],
         set(asked.priorities)),
    ]  # fmt: skip
    return [
        {"name": name, "label": label, "options": _chosen_too(options, chosen), "chosen": chosen}
        for name, label, options, chosen in lists
        if (options or chosen) and not (asked.own and name == "agent")
    ]


def _chosen_too(options: Sequence[tuple[str, str]], chosen: set[str]) -> list[tuple[str, str]]:
    """The options, with those that the address names beside them: a tag of old, a language nobody else writes."""
    known = {value for value, _ in options}
    return [*options, *((one, one) for one in sorted(chosen - known))]


@reading_part
def card(request: AgentRequest, asked: Asked, key: str) -> HttpResponse:
    """One of the eight; `target` is what the page knows to be its target, so that no card asks for it again."""
    if key not in KEYS:
        raise Http404
    context = {
        "asked": asked,
        "card": read_card(key, asked, _number(request.GET.get("target", ""))),
        "may_set": may(request.user, Right.REPORTS),
    }
    return render(request, "reports/_card.html", context)


def _number(typed: str) -> float | None:
    try:
        found = float(typed)
    except ValueError:
        return None
    return found if abs(found) < 1e12 else None


@reading_part
def part(request: AgentRequest, asked: Asked, key: str) -> HttpResponse:
    """One of the charts and tables below."""
    if key not in CHARTS or (asked.own and key in OF_EVERYBODY):
        raise Http404
    context: dict[str, Any] = {"asked": asked, "key": key, "name": CHARTS[key]}
    if key in sections.CHARTS:
        return render(request, "reports/_chart.html", {**context, "drawn": sections.CHARTS[key](asked)})
    if key == "more":
        return render(request, "reports/_more.html", {**context, "lines": sections.more(asked)})
    if key == "issues":
        by = request.GET.get("by", "tag")
        by = by if by in sections.ISSUES else "tag"
        context |= {"by": by, "ways": sections.ISSUES.items(), "grid": sections.issues(asked, by)}
        return render(request, "reports/_issues.html", context)
    return render(request, "reports/_grid.html", {**context, "grid": sections.GRIDS[key](asked)})
