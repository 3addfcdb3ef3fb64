"""What customers answered to one survey: how its answers are spread, its further questions, and their words.

Answers are counted one by one here, by the day on which each was first given; a promoter score counts customers.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.db.models.fields.json import KeyTransform
from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from inbox.exports import BOM, safe
from inbox.models import Agent, Ticket
from reports.models import Answer, Survey, SurveyKind
from reports.pages import charts, words
from reports.pages.asked import Asked
from reports.surveys import scales, told
from reports.surveys.words import said as in_survey
from reports.surveys.words import speaking

PAGE = 50
MOST_IN_FILE = 20_000
KINDS = {
    "": gettext_lazy("All answers"),
    "bad": gettext_lazy("Bad ones"),
    "good": gettext_lazy("Good ones"),
    "words": gettext_lazy("With words"),
}


@dataclass(frozen=True, slots=True)
class Bar:
    """How many chose one thing."""

    name: str
    face: str
    mood: str
    count: int
    share: str
    bar: SafeString


@dataclass(frozen=True, slots=True)
class Spread:
    """A question, how many answered it, and of a closed one what they chose."""

    name: str
    count: int
    bars: Sequence[Bar] = ()


@dataclass(frozen=True)
class Answers:
    """Those to `survey` of what was asked for; `only` is a key of KINDS. There is no survey where nobody answered."""

    asked: Asked
    surveys: Sequence[tuple[Survey, int]]
    survey: Survey | None
    only: str = ""

    @classmethod
    def of(cls, asked: Asked, params: QueryDict) -> Answers:
        """The survey that is named, else the one with the most answers."""
        counts = dict(_given(asked).order_by().values_list("survey").annotate(count=Count("pk")))
        rows = Survey.objects.filter(Q(pk__in=counts) | Q(active=True)).order_by("pk")
        surveys = sorted(((one, counts.get(one.pk, 0)) for one in rows), key=lambda row: -row[1])
        typed = params.get("survey", "")
        named = next((one for one, _count in surveys if str(one.pk) == typed), None)
        only = params.get("only", "")
        return cls(asked, surveys, named or (surveys[0][0] if surveys else None), only if only in KINDS else "")

    # What can be chosen ----------------------------------------------------------------------------------------------

    def pairs(self, **other: str) -> list[tuple[str, str]]:
        mine = {"survey": str(self.survey.pk) if self.survey else "", "only": self.only} | other
        return [*self.asked.pairs(), *((name, value) for name, value in mine.items() if value)]

    @property
    def query(self) -> str:
        return urlencode(self.pairs())

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What a form of the page's head hands on."""
        return [pair for pair in self.pairs() if pair[0] in {"survey", "only"}]

    def choices(self) -> list[tuple[str, str, str, bool]]:
        """Each survey: its name, its number of answers, the parameters, whether it is this one."""
        return [
            (one.name, words.number(count), urlencode(self.pairs(survey=str(one.pk), only="")), one == self.survey)
            for one, count in self.surveys
        ]

    def sorts(self) -> list[tuple[str, str, bool]]:
        """Which answers can be shown: what they are called, the parameters, whether it is these."""
        has_moods = self.survey is not None and SurveyKind(self.survey.kind) in scales.LOW
        return [
            (str(label), urlencode(self.pairs(only=key)), key == self.only)
            for key, label in KINDS.items()
            if has_moods or key not in {"bad", "good"}
        ]

    # What was answered -----------------------------------------------------------------------------------------------

    @property
    def given(self) -> QuerySet[Answer]:
        return _given(self.asked).filter(survey=self.survey)

    @cached_property
    def spread(self) -> Spread:
        """The question itself."""
        assert self.survey is not None
        counts = dict(self.given.order_by().values_list("value").annotate(count=Count("pk")))
        with _speaking() as language:
            bars = [
                (_name(one), one.face, _mood(self.survey, one.value), counts.get(one.value, 0))
                for one in scales.options(self.survey, language)
            ]
            name = in_survey(self.survey, "question", language)
        total = sum(counts.values())
        return Spread(name, total, _bars("answer", bars, total))

    @cached_property
    def further(self) -> list[Spread]:
        """The questions that follow it."""
        return [self._further(place, one) for place, one in enumerate(self.survey.further if self.survey else ())]

    def _further(self, place: int, asked: dict[str, Any]) -> Spread:
        language = (get_language() or "").partition("-")[0]
        name = scales.in_language(asked.get("text"), language)
        said = self.given.filter(further__has_key=asked["key"]).exclude(**{f"further__{asked['key']}": ""}).order_by()
        if asked.get("kind") != "choice":
            return Spread(name, said.count())
        counts = dict(
            said.annotate(said=KeyTransform(asked["key"], "further")).values_list("said").annotate(n=Count("pk"))
        )
        choices = enumerate(asked.get("choices") or [])
        bars = [(scales.in_language(one, language), "", "", counts.get(value, 0)) for value, one in choices]
        total = sum(counts.values())
        return Spread(name, total, _bars(f"more-{place}", bars, total))

    def _shown(self) -> QuerySet[Answer]:
        found = self.given
        if self.only == "words":
            found = found.filter(~Q(comment="") | ~Q(further={}))
        elif self.only and self.survey is not None and (kind := SurveyKind(self.survey.kind)) in scales.LOW:
            found = (
                found.filter(value__lte=scales.LOW[kind])
                if self.only == "bad"
                else found.filter(value__gte=scales.GOOD[kind])
            )
        return found.order_by("-answered_at", "-pk")

    def rows(self, at: int) -> list[dict[str, Any]]:
        """A page of them, the newest first, as the ticket's page tells them; one more than a page means more."""
        rows = self._shown().values(*told.COLUMNS, "ticket_id", "ticket__subject", "customer__name")
        return [told.shown(row) | _whose(row) for row in rows[at : at + PAGE + 1]]

    def lines(self) -> Iterator[Sequence[Any]]:
        """The same as a file, with headings; the newest MOST_IN_FILE."""
        yield [
            _("Answered"), _("Survey"), _("Ticket"), _("Customer"), _("Channel"), _("Agent"), _("Value"), _("Answer"),
            _("Comment"), _("Further questions"),
        ]  # fmt: skip
        rows = self._shown().values(
            *told.COLUMNS, "ticket_id", "ticket__subject", "customer__name", "channel__name", "fact__agent_id"
        )
        names = dict(Agent.objects.values_list("pk", "name"))
        for row in rows[:MOST_IN_FILE].iterator(chunk_size=2_000):
            one = told.shown(row)
            yield [
                row["answered_at"].astimezone(self.asked.question.zone).isoformat(timespec="seconds"),
                one["name"], row["ticket_id"] or "", row["customer__name"], row["channel__name"] or "",
                names.get(row["fact__agent_id"], ""), "" if row["value"] is None else row["value"], one["said"],
                one["comment"], "\n".join(f"{text}: {said}" for text, said in one["more"]),
            ]  # fmt: skip

    def file(self) -> bytes:
        """As CSV: RFC 4180 in UTF-8 with a byte order mark, as the other exports."""
        text = io.StringIO(newline="")
        csv.writer(text).writerows(map(_cells, self.lines()))
        return f"{BOM}{text.getvalue()}".encode()


def _cells(line: Iterable[Any]) -> list[Any]:
    return [safe(one) if isinstance(one, str) else one for one in line]


def _whose(row: dict[str, Any]) -> dict[str, Any]:
    return {"ticket": row["ticket_id"], "subject": row["ticket__subject"], "customer": row["customer__name"]}


def _speaking() -> Any:
    """The reader's language: they read how answers are spread, whichever it was asked in."""
    return speaking((get_language() or settings.LANGUAGE_CODE).partition("-")[0])


def _name(one: scales.Option) -> str:
    """An answer with its number, where it has one, and its words, where it has any."""
    return one.words if one.label in {one.words, str(one.words)} else f"{one.value} · {one.words}"


def _mood(survey: Survey, value: int) -> str:
    return "good" if scales.is_good(survey, value) else "bad" if scales.is_low(survey, value) else ""


def _bars(name: str, rows: Sequence[tuple[str, str, str, int]], total: int) -> list[Bar]:
    return [
        Bar(label, face, mood, count, words.said("ratio", count / total if total else None),
            charts.plots.span(f"{name}-{place}", label, count / total if total else 0.0, None, None))
        for place, (label, face, mood, count) in enumerate(rows)
    ]  # fmt: skip


def _given(asked: Asked) -> QuerySet[Answer]:
    """Answers of the period by what it is narrowed to, as far as the viewer sees what they are about."""
    question = asked.question
    found = told.seen(asked.viewer).filter(
        fact__answered_at__gte=question.starts, fact__answered_at__lt=question.ends, fact__failed=False
    )
    if not question.imported:
        found = found.filter(fact__imported=False)
    for name, chosen in (
        ("fact__channel_id__in", question.channels),
        ("fact__team_id__in", question.teams),
        ("fact__agent_id__in", question.agents),
        ("fact__priority__in", question.priorities),
    ):
        found = found.filter(**{name: chosen}) if chosen else found
    of_ticket = Q()
    if question.tags:
        of_ticket &= Q(tags__overlap=list(question.tags))
    if question.languages:
        of_ticket &= Q(language__in=question.languages)
    found = found.filter(fact__ticket__in=Ticket.objects.filter(of_ticket)) if of_ticket else found
    if question.left_out:
        found = found.exclude(fact__ticket__in=Ticket.objects.filter(tags__overlap=list(question.left_out)))
    return found
