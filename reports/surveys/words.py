"""What a survey says: in the words that people gave it in a language, else in our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from inbox.models import Customer, Ticket
from reports.models import Survey, SurveyKind
from reports.surveys.scales import in_language

OWN = ("question", "comment", "thanks")  # what can be said in one's own words


def language_for(customer: Customer, ticket: Ticket | None) -> str:
    """The language in which somebody is asked: theirs, else the ticket's, else the deployment's."""
    for one in (customer.language, ticket.language if ticket is not None else ""):
        if one:
            return one.partition("-")[0]
    return str(settings.LANGUAGE_CODE).partition("-")[0]


@contextmanager
def speaking(language: str) -> Iterator[str]:
    """Our own words in this language while inside, or in the deployment's where we do not speak it; which it is."""
    spoken = language if language in dict(settings.LANGUAGES) else str(settings.LANGUAGE_CODE)
    with translation.override(spoken):
        yield spoken


def said(survey: Survey, name: str, language: str) -> str:
    """One of OWN, in this language; call it while `speaking` it."""
    texts = survey.texts.get(language) or {}
    if own := str(texts.get(name) or "").strip():
        return own
    if name == "question" and survey.question.strip():
        return survey.question.strip()
    return usual(survey.kind, name)


def usual(kind: str, name: str) -> str:
    """What stands there as long as nobody wrote anything."""
    if name == "comment":
        return _("What should we know? (optional)")
    if name == "thanks":
        return _("Thank you! Your answer helps us to get better.")
    return {
        SurveyKind.CSAT.value: _("How satisfied are you with our help?"),
        SurveyKind.NPS.value: _("How likely are you to recommend us to a friend or colleague?"),
        SurveyKind.CES.value: _("How much do you agree: “They made it easy to handle my issue.”"),
        SurveyKind.SOLVED.value: _("Was your issue solved, and is it still?"),
    }.get(kind, _("What would you like to tell us?"))


def ends(survey: Survey) -> tuple[str, str]:
    """What the lowest and the highest number of a scale mean; empty where each answer says it."""
    match survey.kind:
        case SurveyKind.NPS:
            return _("Not at all likely"), _("Extremely likely")
        case SurveyKind.CES:
            return _("Strongly disagree"), _("Strongly agree")
        case SurveyKind.CSAT:
            return _("Very dissatisfied"), _("Very satisfied")
    return "", ""


def further(survey: Survey, value: int | None, language: str) -> list[dict[str, object]]:
    """The questions that follow an answer, as its page shows them: {"key", "kind", "text", "choices"}."""
    from reports.surveys import rules, scales

    chosen = rules.of(survey)
    found: list[dict[str, object]] = []
    for one in survey.further:
        when = one.get("when", "all")
        low = value is not None and (chosen.is_low(value) or scales.is_low(survey, value))
        good = value is not None and scales.is_good(survey, value)
        if when == "all" or (when == "low" and low) or (when == "high" and good):
            found.append({
                "key": one["key"],
                "kind": one.get("kind", "open"),
                "text": in_language(one.get("text"), language),
                "choices": [in_language(each, language) for each in one.get("choices") or ()],
            })  # fmt: skip
    return found
