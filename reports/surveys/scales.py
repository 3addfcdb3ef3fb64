"""What can be answered to each kind of question, and what of it is bad or good."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from reports.models import Survey, SurveyKind, SurveyLook

FACES = ("😠", "😞", "😐", "😊", "😀")
RANGES = {
    SurveyKind.CSAT: range(1, 6),
    SurveyKind.NPS: range(11),
    SurveyKind.CES: range(1, 8),
    SurveyKind.SOLVED: range(2),
}
# What counts as bad up to there, and as good from there on: docs/kpis.md counts the same.
LOW = {SurveyKind.CSAT: 2, SurveyKind.NPS: 6, SurveyKind.CES: 3, SurveyKind.SOLVED: 0}
GOOD = {SurveyKind.CSAT: 4, SurveyKind.NPS: 9, SurveyKind.CES: 5, SurveyKind.SOLVED: 1}


@dataclass(frozen=True, slots=True)
class Option:
    """One answer: its value, what stands on its button, what it means in words, and the face it wears, if any."""

    value: int
    label: str
    words: str
    face: str = ""

    @property
    def key(self) -> str:
        return f"v{self.value}"


def options(survey: Survey, language: str) -> list[Option]:
    """The answers of this survey in the language that is active, in the order they are shown; none of an open one.

    `language` is that of the words that people wrote for it.
    """
    match survey.kind:
        case SurveyKind.OPEN:
            return []
        case SurveyKind.CHOICE:
            said = (in_language(one, language) for one in survey.choices)
            return [Option(place, words, words) for place, words in enumerate(said)]
        case SurveyKind.SOLVED:
            return [Option(1, _("Yes"), _("Yes")), Option(0, _("No"), _("No"))]
        case _:
            words = _words(survey.kind)
            return [
                Option(one, _label(survey, one), words.get(one, str(one)), _face(survey, one)) for one in values(survey)
            ]


def values(survey: Survey) -> range:
    """The values that an answer may have."""
    if survey.kind == SurveyKind.CHOICE:
        return range(len(survey.choices))
    return RANGES.get(SurveyKind(survey.kind), range(0))


def in_language(texts: object, language: str) -> str:
    """These words in this language, else in whatever they have."""
    if not isinstance(texts, dict) or not texts:
        return ""
    return str(texts.get(language) or next((one for one in texts.values() if one), ""))


def in_words(survey: Survey, value: int | None, language: str = "") -> str:
    """An answer as people say it; empty for none."""
    if value is None:
        return ""
    match survey.kind:
        case SurveyKind.CHOICE:
            return next((one.words for one in options(survey, language) if one.value == value), "")
        case SurveyKind.SOLVED:
            return _("Yes") if value else _("No")
        case SurveyKind.OPEN:
            return ""
    return _("%(value)s of %(most)s") % {"value": value, "most": max(values(survey))}


def is_good(survey: Survey, value: int) -> bool:
    good = GOOD.get(SurveyKind(survey.kind))
    return good is not None and value >= good


def is_low(survey: Survey, value: int) -> bool:
    low = LOW.get(SurveyKind(survey.kind))
    return low is not None and value <= low


def _face(survey: Survey, value: int) -> str:
    return FACES[value - 1] if survey.kind == SurveyKind.CSAT and survey.look == SurveyLook.FACES else ""


def _label(survey: Survey, value: int) -> str:
    if face := _face(survey, value):
        return f"{value} {face}"
    if survey.kind == SurveyKind.CSAT and survey.look == SurveyLook.STARS:
        return "★" * value
    return str(value)


def _words(kind: str) -> dict[int, str]:
    if kind == SurveyKind.CSAT:
        said = [_("Very dissatisfied"), _("Dissatisfied"), _("Neither"), _("Satisfied"), _("Very satisfied")]
        return dict(enumerate(said, 1))
    if kind == SurveyKind.CES:
        return {1: _("Strongly disagree"), 4: _("Neither"), 7: _("Strongly agree")}
    return {0: _("Not at all likely"), 10: _("Extremely likely")}
