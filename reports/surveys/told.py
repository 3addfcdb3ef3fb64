"""Where answers are told of: beside their ticket, in its timeline, in the customer's journey, in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import access, additions, audit, happenings, journey, panel, preferences, presses, ratings, wording
from inbox.actions import joining
from inbox.additions import Piece
from inbox.models import Agent, Customer, Event, Ticket
from inbox.rights import Right
from reports.actions import answering
from reports.models import Answer, Asking, Survey, SurveyKind
from reports.surveys import letters, scales

MOST = 5
PAGE = preferences.Page(
    "surveys",
    gettext_lazy("Surveys"),
    "star",
    "settings-surveys",
    preferences.ORGANISATION,
    65,
    Right.REPORTS,
    gettext_lazy("Ask customers how it was: who is asked, when, in which words, and what follows from a bad answer."),
)
COLUMNS = (
    "id", "survey__name", "survey__kind", "survey__look", "survey__choices", "survey__further", "language",
    "asked_at", "answered_at", "failed_at", "value", "comment", "further",
)  # fmt: skip
AUDIT = {
    "survey_created": gettext_lazy("%(who)s made the survey %(survey)s"),
    "survey_edited": gettext_lazy("%(who)s changed %(fields)s of the survey %(survey)s"),
    "survey_switched_on": gettext_lazy("%(who)s switched the survey %(survey)s on"),
    "survey_switched_off": gettext_lazy("%(who)s switched the survey %(survey)s off"),
    "survey_deleted": gettext_lazy("%(who)s deleted a survey"),
}


def seen(agent: Agent) -> QuerySet[Answer]:
    """Answers about tickets that this agent sees, and those about none of customers that they see."""
    hidden = access.sight(agent)
    if not (hidden.hidden_channels or hidden.hidden_teams):
        return Answer.objects.all()
    return Answer.objects.filter(
        Q(ticket__in=access.tickets(agent)) | Q(ticket__isnull=True, customer__in=access.customers(agent))
    )


# On the ticket's page ----------------------------------------------------------------------------------------------


def of_ticket(agent: Agent, ticket: Ticket) -> QuerySet[Any, Any]:
    """What was asked about this ticket, and those merged into it, the newest first."""
    # Tickets first: of "this one's, or whose ticket was merged" the database would look at each answer there is.
    of_it = Ticket.objects.filter(Q(pk=ticket.pk) | Q(merged_into=ticket)).values("pk")
    found: QuerySet[Any, Any] = Answer.objects.filter(ticket__in=of_it).order_by("-pk").values(*COLUMNS)
    return found[:MOST]


def beside(agent: Agent, ticket: Ticket, rows: additions.Rows) -> Piece | None:
    found = [shown(row) for row in rows.get("survey_answers", ())]
    return Piece("reports/surveys/_beside.html", {"answers": found}) if found else None


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """An answer, of a row with COLUMNS, in the words of whoever gave it."""
    survey = Survey(
        kind=row["survey__kind"],
        look=row["survey__look"],
        choices=row["survey__choices"],
        further=row["survey__further"],
    )
    more = []
    for one in survey.further:
        said = row["further"].get(one["key"])
        if isinstance(said, int):
            choices = one.get("choices") or []
            said = scales.in_language(choices[said], row["language"]) if said < len(choices) else ""
        if said:
            more.append((scales.in_language(one.get("text"), row["language"]), said))
    value = row["value"]
    return {
        "name": row["survey__name"],
        "said": scales.in_words(survey, value, row["language"]),
        "mood": ""
        if value is None
        else "good"
        if scales.is_good(survey, value)
        else "bad"
        if scales.is_low(survey, value)
        else "",
        "comment": row["comment"],
        "more": more,
        "asked_at": row["asked_at"],
        "answered_at": row["answered_at"],
        "failed": row["failed_at"] is not None,
    }


# In its timeline ---------------------------------------------------------------------------------------------------


def _kind(event: Event) -> str:
    kind = event.data.get("kind", "")
    return str(SurveyKind(kind).label) if kind in SurveyKind.values else ""


def _value(event: Event) -> str:
    """Without the row: of a closed question its words are in the panel."""
    kind, value = event.data.get("kind", ""), event.data.get("value")
    if kind in {SurveyKind.CHOICE, SurveyKind.OPEN, ""} or value is None:
        return ""
    return scales.in_words(Survey(kind=kind), value)


def _asked(event: Event, names: Mapping[int, str]) -> str:
    return _("the customer was asked: %(kind)s") % {"kind": _kind(event)}


def _answered(event: Event, names: Mapping[int, str]) -> str:
    if event.data.get("unasked"):
        return ""  # the chat says it
    said = _value(event)
    if not said:
        return _("answered a survey: %(kind)s") % {"kind": _kind(event)}
    return _("answered a survey: %(kind)s, %(answer)s") % {"kind": _kind(event), "answer": said}


def _changed(event: Event, names: Mapping[int, str]) -> str:
    if event.data.get("unasked") or "reached" in event.data:
        return ""
    if event.data.get("commented"):
        return _("wrote something to their answer: %(kind)s") % {"kind": _kind(event)}
    return _("changed their answer: %(kind)s, %(answer)s") % {"kind": _kind(event), "answer": _value(event) or "–"}


def _failed(event: Event, names: Mapping[int, str]) -> str:
    return _("the survey did not reach the customer")


# In the journey ----------------------------------------------------------------------------------------------------


def answers_of(agent: Agent, customer: Customer) -> journey.Source:
    """What somebody answered, in tickets that this agent sees."""
    found = seen(agent).filter(customer=customer, answered_at__isnull=False, unasked=False)
    return journey.Source("survey", found.select_related("survey").annotate(at=F("answered_at")), "at")


def of_answer(answer: Answer) -> happenings.Line:
    said = scales.in_words(answer.survey, answer.value, answer.language)
    return happenings.Line(
        f"survey-{answer.pk}",
        answer.answered_at or answer.asked_at,
        "star",
        answer.survey.name,
        " · ".join(filter(None, [said, happenings.short(answer.comment)])),
        reverse("ticket", args=[answer.ticket_id]) if answer.ticket_id else "",
        answer.ticket_id,
    )


def register() -> None:
    """All of it; called once, when the app is ready."""
    panel.register("survey_answers", of_ticket)
    additions.beside(beside)
    words: dict[str, wording.Words] = {
        "survey_asked": _asked, "survey_answered": _answered, "survey_changed": _changed, "survey_failed": _failed,
    }  # fmt: skip
    for kind, said in words.items():
        wording.register(kind, said)
    journey.register(answers_of)
    happenings.register("survey", of_answer)
    preferences.register(PAGE)
    for kind, sentence in AUDIT.items():
        audit.says(kind, sentence)
    audit.names("survey", Survey.objects)
    presses.register(letters.OWNER, answering.pressed)
    ratings.register(answering.rated)
    joining.carry("survey_answers", Answer)
    joining.carry("survey_askings", Asking)
