"""How a survey is asked on each kind of channel: buttons where there are any, a link for each answer by mail, else one
link.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.html import escape
from django.utils.translation import gettext as _

from inbox.adapters import Adapter
from inbox.presses import Buttons
from reports.models import Survey, SurveyKind
from reports.surveys import links, scales, words

OWNER = "survey"  # of our buttons
MOST_TEXT = 1000  # characters of what has buttons below: WhatsApp takes 1,024


@dataclass(frozen=True, slots=True)
class Letter:
    """What leaves: plain text, with formatting where the channel has it, and buttons."""

    text: str
    html: str = ""
    buttons: Buttons | None = None


def write(survey: Survey, adapter: Adapter, token: str, language: str) -> Letter:
    """The asking; call it while `words.speaking` the language."""
    question = words.said(survey, "question", language)
    choices = scales.options(survey, language)
    if adapter.rich_text and choices:
        return _mail(survey, question, choices, token, language)
    fits = len(choices) <= adapter.buttons and all(len(one.label) <= adapter.button_letters for one in choices)
    if choices and fits and len(question) <= MOST_TEXT - 100:
        shown = tuple((one.key, one.label) for one in choices)
        return Letter(_with_ends(survey, question), buttons=Buttons(OWNER, shown, _("Choose")))
    return Letter(f"{question}\n{links.address(token)}")


def _with_ends(survey: Survey, question: str) -> str:
    """What numbers alone do not say: which end of them is which."""
    if survey.kind not in {SurveyKind.NPS, SurveyKind.CES}:
        return question
    first, last = words.ends(survey)
    allowed = scales.values(survey)
    told = {"least": min(allowed), "low": first, "most": max(allowed), "high": last}
    return f"{question}\n" + _("%(least)s: %(low)s, %(most)s: %(high)s") % told


def _mail(survey: Survey, question: str, choices: list[scales.Option], token: str, language: str) -> Letter:
    """A link for each answer: the one that is opened is chosen on its page."""
    rows = [(one, links.address(token, one.value)) for one in choices]
    hint = _("One click is enough. You can add a few words afterwards.")
    lines = [f"{_named(one)}: {url}" for one, url in rows]
    text = "\n".join([question, "", *lines, "", hint])
    if survey.kind in {SurveyKind.NPS, SurveyKind.CES}:
        first, last = words.ends(survey)
        shown = " ".join(_link(url, f" {one.value} ") for one, url in rows)
        body = f"<p>{escape(first)}</p><p>{shown}</p><p>{escape(last)}</p>"
    else:
        body = "".join(f"<p>{_link(url, _named(one))}</p>" for one, url in rows)
    return Letter(text, f"<p><strong>{escape(question)}</strong></p>{body}<p>{escape(hint)}</p>")


def _named(one: scales.Option) -> str:
    return one.label if one.words in {one.label, str(one.value)} else f"{one.label} – {one.words}"


def _link(url: str, label: str) -> str:
    return f'<a href="{escape(url)}">{escape(label)}</a>'


def thanks(survey: Survey, value: int | None, token: str, language: str) -> str:
    """What is said once a button was pressed; call it while `words.speaking` the language."""
    from reports.surveys import rules

    chosen = rules.of(survey)
    said = [words.said(survey, "thanks", language)]
    if chosen.asks_review(value):
        said.append(_("Would you say so in public? %(url)s") % {"url": chosen.review_url})
    said.append(_("To change your answer, or to add a few words: %(url)s") % {"url": links.address(token)})
    return "\n".join(said)
