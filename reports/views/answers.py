"""`/reports/answers/`: what customers answered to surveys, and their words."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from inbox import rights
from inbox.rights import Right, may
from inbox.views.shell import AgentRequest, wants_part
from reports.pages.answers import MOST_IN_FILE, PAGE, Answers
from reports.pages.asked import Asked
from reports.views.dashboard import frame
from reports.views.shared import reading


@reading
def page(request: AgentRequest, asked: Asked) -> HttpResponse:
    """How they are spread, and the newest; further ones come as one scrolls. Agents read those to their own work."""
    found = Answers.of(asked, request.GET)
    typed = request.GET.get("at", "0")
    at = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0
    rows = found.rows(at) if found.survey else []
    further = f"{reverse('reports-answers')}?{urlencode([*found.pairs(), ('at', str(at + PAGE))])}"
    context = {"asked": asked, "answers": found, "rows": rows[:PAGE], "more": further if len(rows) > PAGE else ""}
    if wants_part(request) and at:
        return render(request, "reports/_answer_rows.html", context)
    context |= {
        "kept": found.kept,
        "may_write_file": may(request.user, Right.EXPORT),
        "most_in_file": MOST_IN_FILE,
        **frame(request.user, asked),
    }
    return render(request, "reports/answers.html", context)


@reading
def export(request: AgentRequest, asked: Asked) -> HttpResponse:
    """The same answers as a CSV file."""
    rights.require(request.user, Right.EXPORT)
    found = Answers.of(asked, request.GET)
    response = HttpResponse(found.file(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="answers-{asked.start}-{asked.last}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
