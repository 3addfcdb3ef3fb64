"""`/settings/surveys/`: what customers are asked, whom and when, with a preview and how it goes."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from inbox.actions.errors import ActionError
from inbox.adapters import kinds
from inbox.models import Channel
from inbox.rights import Right, needs
from inbox.views.shell import AgentRequest, agent_only
from reports.actions import surveys as actions
from reports.models import Survey, SurveyKind
from reports.survey_forms import SurveyForm
from reports.surveys import counts, letters, rules, words

HERE = {"page_key": "surveys"}


def _found(pk: int) -> Survey:
    survey = Survey.objects.filter(pk=pk).first()
    if survey is None:
        raise Http404
    return survey


@require_safe
@agent_only
@needs(Right.REPORTS)
def surveys(request: AgentRequest) -> HttpResponse:
    """All surveys, how each goes, and what kinds can be made."""
    found = list(Survey.objects.order_by("of_chats", "pk"))
    how = counts.of(found)
    when = dict(rules.WHEN)
    rows = [{"survey": one, "counts": how[one.pk], "when": when.get(rules.of(one).when, "")} for one in found]
    return render(request, "settings/surveys/list.html", {**HERE, "rows": rows, "kinds": SurveyKind.choices})


@require_http_methods(["GET", "HEAD", "POST"])
@agent_only
@needs(Right.REPORTS)
def survey(request: AgentRequest, pk: int | None = None, kind: str = "") -> HttpResponse:
    """One survey, or a new one of this kind."""
    found = None if pk is None else _found(pk)
    kind = found.kind if found is not None else kind
    if kind not in SurveyKind.values or (found is not None and found.of_chats and request.method == "POST"):
        raise Http404
    form = SurveyForm(request.POST if request.method == "POST" else None, request.user, kind, found)
    if request.method == "POST" and form.is_valid():
        try:
            if found is None:
                found = actions.create(kind, by=request.user, **form.values())
            else:
                actions.update(found, by=request.user, question="", **form.values())
        except ActionError as error:
            form.add_error(None, str(error.reason))
        else:
            messages.success(request, _("Saved."))
            return redirect("settings-survey", pk=found.pk)
    context = {
        **HERE,
        "form": form,
        "survey": found,
        "kind": kind,
        "kind_label": SurveyKind(kind).label,
        "counts": counts.of([found])[found.pk] if found is not None else None,
        "previews": _previews(found or Survey(kind=kind)),
    }
    return render(request, "settings/surveys/survey.html", context)


@require_POST
@agent_only
@needs(Right.REPORTS)
def preview(request: AgentRequest) -> HttpResponse:
    """What would be asked, of a form as it is filled in now."""
    kind = str(request.POST.get("kind", ""))
    if kind not in SurveyKind.values:
        raise Http404
    form = SurveyForm(request.POST, request.user, kind)
    form.is_valid()  # what is wrong in it keeps nobody from seeing the rest
    said = form.values()
    shown = Survey(kind=kind, look=said["look"], texts=said["texts"], choices=said["choices"])
    return render(request, "settings/surveys/_previews.html", {"previews": _previews(shown)})


@require_POST
@agent_only
@needs(Right.REPORTS)
def switch(request: AgentRequest, pk: int) -> HttpResponse:
    found = _found(pk)
    if not found.of_chats:
        actions.switch(found, request.POST.get("active") == "on", by=request.user)
    return redirect("settings-surveys")


@require_POST
@agent_only
@needs(Right.REPORTS)
def delete(request: AgentRequest, pk: int) -> HttpResponse:
    found = _found(pk)
    if found.of_chats:
        raise Http404
    try:
        actions.delete(found, by=request.user)
    except ActionError as error:
        messages.error(request, str(error.reason))
        return redirect("settings-survey", pk=pk)
    messages.success(request, _("Deleted."))
    return redirect("settings-surveys")


def _previews(survey: Survey) -> list[dict[str, Any]]:
    """How it is asked on each kind of channel that there is, in each language that Rabta speaks."""
    connected = set(Channel.objects.values_list("kind", flat=True).distinct())
    found = []
    for kind, adapter in kinds().items():
        if kind not in connected:
            continue
        for code, language in settings.LANGUAGES:
            with words.speaking(code):
                letter = letters.write(survey, adapter, "preview", code)
            found.append({
                "kind": kind,
                "channel": adapter.label,
                "icon": adapter.icon,
                "language": language,
                "code": code,
                "lines": letter.text.splitlines(),
                "buttons": [label for _key, label in letter.buttons.shown] if letter.buttons else [],
            })  # fmt: skip
    return found
