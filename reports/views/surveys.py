"""`/survey/<token>/`: where a customer answers, without a log-in, from a link that a mail or a message brought.

Opening it counts as nothing, whatever the link says: mail scanners and previews open every link, and some run scripts.
The answer that the link names is chosen on the page; it is sent by the button, or by the page's script once a person
has shown to be there (static/reports/survey.js says how it knows).
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from inbox import limits
from inbox.actions.errors import ActionError
from inbox.models import Brand
from reports.actions import answering
from reports.models import Answer, SurveyKind, SurveyLook
from reports.surveys import links, rules, scales, words


@csrf_exempt  # no session, no cookie: who has the address may answer, and nobody else can know it
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    """The question with the answer that stands, or is chosen; POST gives `value`, or `comment` and what follows."""
    answer = links.find(token)
    if answer is None:
        return _private(_gone(request, "", 404))
    language = answer.language
    with words.speaking(language):
        if not links.is_open(answer):
            return _private(_gone(request, "late", 410, answer))
        if request.method == "POST":
            if not limits.allow(request, "survey"):
                return _private(limits.too_many(request))
            return _private(_posted(request, answer, token))
        return _private(render(request, "reports/surveys/page.html", _context(request, answer, token)))


def _posted(request: HttpRequest, answer: Answer, token: str) -> HttpResponse:
    if request.user.is_authenticated and not settings.DEMO:
        # Agents read the links of customers in their tickets. (In a demo one plays all parts in one browser.)
        problem = _("You are logged in as one of us: only customers answer this.")
        return render(request, "reports/surveys/page.html", {**_context(request, answer, token), "problem": problem},
                      status=403)  # fmt: skip
    try:
        if "value" in request.POST:
            answer = answering.give(answer, _number(request.POST["value"]))
        if "comment" in request.POST:
            more = {name.removeprefix("further."): str(said) for name, said in request.POST.items()
                    if name.startswith("further.")}  # fmt: skip
            answering.add_words(answer, str(request.POST["comment"]), more)
    except ActionError as error:
        if error.code == "late":
            return _gone(request, "late", 410, answer)
        return render(
            request,
            "reports/surveys/page.html",
            {**_context(request, answer, token), "problem": error.reason},
            status=422,
        )
    saved = "?saved=1" if "comment" in request.POST else ""
    return redirect(f"{request.path}{saved}")


def _context(request: HttpRequest, answer: Answer, token: str) -> dict[str, Any]:
    survey, language = answer.survey, answer.language
    options = scales.options(survey, language)
    named = _number(request.GET.get("v"))
    chosen = named if any(one.value == named for one in options) else answer.value
    answered = answer.answered_at is not None
    chosen_rules = rules.of(survey)
    first, last = words.ends(survey)
    return {
        **_frame(answer),
        "answer": answer,
        "question": words.said(survey, "question", language),
        "hint": words.said(survey, "comment", language),
        "thanks": words.said(survey, "thanks", language),
        "options": options,
        "stars": survey.kind == SurveyKind.CSAT and survey.look == SurveyLook.STARS,
        "faces": survey.kind == SurveyKind.CSAT and survey.look == SurveyLook.FACES,
        "wide": survey.kind in {SurveyKind.CHOICE, SurveyKind.SOLVED},
        "ends": (first, last) if first else None,
        "chosen": chosen,
        "told": next((one.words for one in options if one.value == answer.value), ""),
        "answered": answered,
        "asks_now": bool(options) and (not answered or chosen != answer.value),
        "open": not options,
        "saved": "saved" in request.GET,
        "further": [
            {**one, "said": answer.further.get(str(one["key"]), "")}
            for one in words.further(survey, answer.value, language)
        ]
        if answered or not options
        else [],
        "review": chosen_rules.review_url if answered and chosen_rules.asks_review(answer.value) else "",
        "token": token,
    }


def _frame(answer: Answer | None) -> dict[str, Any]:
    """What stands around: who asks, and which way words run (ours; each of the customer's finds its own)."""
    brand: Brand | None = answer.channel.brand if answer is not None and answer.channel is not None else None
    return {
        "who": brand.name if brand is not None else settings.ORGANISATION_NAME,
        "spoken": translation.get_language(),
    }


def _gone(request: HttpRequest, why: str, status: int, answer: Answer | None = None) -> HttpResponse:
    return render(request, "reports/surveys/gone.html", {**_frame(answer), "why": why}, status=status)


def _number(said: object) -> int:
    """A small number, -1 for anything else."""
    text = str(said or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else -1


def _private(response: HttpResponse) -> HttpResponse:
    """Kept by nobody, found by no search engine, and its address told to no other page."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    patch_cache_control(response, private=True, no_store=True)
    return response
