"""`/settings/revenue/`: what revenue means, and files of it: upload, look, take in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from inbox.actions.errors import ActionError
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only
from lib import money
from reports.actions import importing, revenue
from reports.models import CustomerValue, RevenueImport
from reports.worth import reading
from reports.worth.forms import TermsForm, UploadForm, mapping
from reports.worth.terms import terms

HERE = {"page_key": "revenue"}
LATEST = 5
SHOWN_WRONG = 50


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.REPORTS)
def settings_page(request: AgentRequest) -> HttpResponse:
    found = terms()
    posted = request.method == "POST"
    form = TermsForm(request.POST if posted else None, initial=TermsForm.initial_of(found))
    if posted and form.is_valid():
        try:
            revenue.set_terms(form.chosen(), by=request.user)
            messages.success(request, _("Saved."))
            return redirect("settings-revenue")
        except ActionError as error:
            form.add_error("currency", str(error))
    return _page(request, form, UploadForm())


def _page(request: AgentRequest, form: TermsForm, upload: UploadForm) -> HttpResponse:
    context = {
        **HERE,
        "form": form,
        "upload": upload,
        "currency": terms().currency,
        "imports": RevenueImport.objects.filter(agent=request.user).order_by("-pk")[:LATEST],
        "customers": CustomerValue.objects.count(),
    }
    status = 422 if form.errors or upload.errors else 200
    return render(request, "reports/worth/settings.html", context, status=status)


@require_http_methods(["POST"])
@agent_only
@needs(Right.REPORTS)
def upload(request: AgentRequest) -> HttpResponse:
    """A file; leads to what it holds."""
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            if file.size > importing.MOST_BYTES:
                raise ActionError(_("This file is too large: at most 50 MB. Take it apart."), "large")
            return redirect("settings-revenue-import", importing.put(file.read(), by=request.user).pk)
        except ActionError as error:
            form.add_error("file", str(error))
    return _page(request, TermsForm(None, initial=TermsForm.initial_of(terms())), form)


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.REPORTS)
def one_import(request: AgentRequest, pk: int) -> HttpResponse:
    """What a file holds and what would come of it; posted, it is taken in. Afterwards what came of it."""
    row = RevenueImport.objects.filter(agent=request.user, pk=pk).select_related("job").first()
    if row is None:
        raise Http404
    if row.job_id is not None or not row.stored:
        return render(request, "reports/worth/import.html", {**HERE, "row": row, "wrong": _wrong(row.wrong)})
    row.mapping = mapping(
        request.POST if request.method == "POST" else request.GET, len(row.headings), tuple(reading.ROLES), row.mapping
    )
    try:
        if request.method == "POST":
            row.save(update_fields=["mapping"])
            if "drop" in request.POST:
                importing.forget(row)
                return redirect("settings-revenue")
            importing.begin(row, by=request.user)
            return redirect("settings-revenue-import", row.pk)
        return render(request, "reports/worth/import.html", _preview(request, row))
    except ActionError as error:
        messages.error(request, str(error))
        return redirect("settings-revenue")


def _preview(request: AgentRequest, row: RevenueImport) -> dict[str, Any]:
    columns = row.mapping["columns"]
    way, currency = importing.how(row), terms().currency
    checked = importing.check(row, by=request.user) if currency and not way.lacking else None
    context: dict[str, Any] = {
        **HERE,
        "row": row,
        "currency": currency,
        "lacking": [reading.ROLES[role][0] for role in way.lacking],
        "roles": [
            (role, label, columns.get(role, ""), role in reading.NEEDED)
            for role, (label, _called) in reading.ROLES.items()
        ],
        "headings": list(enumerate(row.headings)),
        "sample": importing.head(row, importing.SHOWN),
        "order": row.mapping["order"],
        "source": row.mapping.get("source") or importing.SOURCE,
        "checked": checked,
        "all": checked is not None and checked.lines == row.lines,
    }
    if checked is not None:
        context |= {"wrong": _wrong(checked.wrong), "total": money.words(checked.total, currency)}
    return context


def _wrong(found: list[Any]) -> dict[str, Any]:
    """The first lines that are refused, and of each reason how many there are."""
    counts: dict[str, int] = {}
    for _line, code in found:
        counts[code] = counts.get(code, 0) + 1
    lines = [{"number": line, "why": reading.ERRORS.get(code, code)} for line, code in found[:SHOWN_WRONG]]
    reasons = [(reading.ERRORS.get(code, code), count) for code, count in counts.items()]
    return {"lines": lines, "reasons": reasons, "count": len(found), "more": len(found) - len(lines)}
