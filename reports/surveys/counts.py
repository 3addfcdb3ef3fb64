"""How a survey goes: how many were asked and answered, and why others were not; on its page and in the list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from reports.models import Answer, Asking, AskingState, Survey
from reports.surveys.reasons import REASONS

SINCE = timedelta(days=90)


@dataclass(slots=True)
class Counts:
    """Of the last 90 days. `skipped` are (reason in words, how many), the most first."""

    asked: int = 0
    answered: int = 0
    failed: int = 0
    waiting: int = 0
    skipped: list[tuple[str, int]] = field(default_factory=list)

    @property
    def rate(self) -> float | None:
        """Of those that reached somebody, how many were answered, in per cent."""
        reached = self.asked - self.failed
        return 100 * self.answered / reached if reached > 0 else None

    @property
    def left_out(self) -> int:
        return sum(count for _words, count in self.skipped)


def of(surveys: Iterable[Survey]) -> dict[int, Counts]:
    """By id, in three queries."""
    since = timezone.now() - SINCE
    found = {survey.pk: Counts() for survey in surveys}
    answers = Answer.objects.filter(survey__in=found, asked_at__gt=since).order_by().values("survey")
    for row in answers.annotate(
        asked=Count("pk"), done=Count("pk", Q(answered_at__isnull=False)), lost=Count("pk", Q(failed_at__isnull=False))
    ):
        one = found[row["survey"]]
        one.asked, one.answered, one.failed = row["asked"], row["done"], row["lost"]
    askings = Asking.objects.filter(survey__in=found, due_at__gt=since).order_by().values_list("survey")
    for survey, count in askings.filter(state=AskingState.WAITING).annotate(count=Count("pk")):
        found[survey].waiting = count
    left_out = askings.filter(state=AskingState.SKIPPED).values_list("survey", "reason").annotate(count=Count("pk"))
    for survey, reason, count in left_out.order_by("-count"):
        found[survey].skipped.append((str(REASONS.get(reason, reason)), count))
    return found
