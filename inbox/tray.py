"""The tray: an agent's long work in words, how far it is, what was left out and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from inbox.actions import jobs
from inbox.actions.verbs import VERBS
from inbox.models import Agent, Job, JobItem, JobKind, JobState
from inbox.models.jobs import TO_DO

MOST = 4  # cards
UNDONE_FOR = timedelta(seconds=10)  # is said that all was put back; nothing follows from it
MOST_LEFT_OUT = 400  # tickets whose reasons are read
MOST_NAMED = 6  # of each reason
OWN_WORDS = {JobKind.EXPORT, JobKind.ANSWER, JobKind.IMPORT}  # kinds that are no verb


@dataclass(frozen=True, slots=True)
class Said:
    """How a job of another app ended, and where its page is."""

    words: str
    url: str = ""


_saying: dict[str, Callable[[Job], Said]] = {}


def says(kind: JobKind, how: Callable[[Job], Said]) -> None:
    """Let an app whose steps do jobs of this kind say how they ended."""
    _saying[kind] = how


@dataclass
class Reason:
    text: str
    numbers: list[int] = field(default_factory=list)

    @property
    def named(self) -> list[int]:
        return self.numbers[:MOST_NAMED]

    @property
    def more(self) -> int:
        return len(self.numbers) - len(self.named)


@dataclass
class Card:
    job: Job
    reasons: list[Reason] = field(default_factory=list)
    may_undo: bool = False

    @property
    def title(self) -> str:
        if self.job.kind in OWN_WORDS:
            return self.job.get_kind_display()
        verb = VERBS.get(self.job.what.get("verb", ""))
        label = str(verb.label) if verb else ""
        if verb and (said := verb.says(self.job.what["argument"])):
            label = f"{label}: {said}"
        return _("Undo: %(what)s") % {"what": label} if self.job.kind == JobKind.UNDO else label

    @property
    def is_file(self) -> bool:
        return self.job.state == JobState.DONE and bool(self.job.stored)

    @property
    def url(self) -> str:
        return _saying[self.job.kind](self.job).url if self.job.kind in _saying else ""

    @property
    def left(self) -> str:
        """The tickets that stayed as they are, for the rows that faded too early."""
        return ",".join(str(number) for reason in self.reasons for number in reason.numbers)

    @property
    def words(self) -> str:
        """How it ended."""
        job = self.job
        if job.kind in _saying:
            return _saying[job.kind](job).words
        if job.kind == JobKind.EXPORT:
            if job.state == JobState.DONE:
                said = ngettext("%(count)s ticket is in the file.", "%(count)s tickets are in the file.", job.done)
                return said % {"count": job.done}
            return job.error or _("Stopped.")
        if (only := job.what.get("only")) and job.changed and not job.error:
            put_back = _("#%(number)s is as it was.") if job.kind == JobKind.UNDO else "#%(number)s"
            return put_back % {"number": only}
        parts = [job.error, _("Stopped.") if job.state == JobState.CANCELLED else ""]
        if job.kind == JobKind.UNDO:
            parts.append(ngettext("%(count)s put back.", "%(count)s put back.", job.done) % {"count": job.done})
        elif job.kind == JobKind.ANSWER:
            parts.append(ngettext("%(count)s reached.", "%(count)s reached.", job.done) % {"count": job.done})
        elif job.changed or not job.error:
            parts.append(ngettext("%(count)s changed.", "%(count)s changed.", job.changed) % {"count": job.changed})
        if job.kind == JobKind.BULK and (same := job.done - job.changed):
            parts.append(ngettext("%(count)s was so already.", "%(count)s were so already.", same) % {"count": same})
        if job.failed:
            parts.append(ngettext("%(count)s left out.", "%(count)s left out.", job.failed) % {"count": job.failed})
        return " ".join(part for part in parts if part)


def shown(agent: Agent) -> list[Card]:
    """What is being done for this agent, what ended lately, and files that can be fetched: newest first."""
    lately = Q(finished_at__gt=timezone.now() - jobs.UNDO_FOR) | Q(kind=JobKind.EXPORT, stored__gt="")
    lately |= Q(state=JobState.FAILED, finished_at__gt=timezone.now() - timedelta(days=1))
    over = Q(kind=JobKind.UNDO, state=JobState.DONE, failed=0, finished_at__lt=timezone.now() - UNDONE_FOR)
    theirs = Job.objects.filter(Q(state__in=TO_DO) | lately, agent=agent, hidden=False).exclude(over)
    found = list(theirs.order_by("-pk")[:MOST])
    reasons = _reasons([job for job in found if job.failed])
    cards = [Card(job, reasons.get(job.pk, [])) for job in found]
    for card in cards:
        if card.job.kind == JobKind.BULK:
            card.may_undo = jobs.may_be_undone(card.job)
            if card.job.total != 1:
                break  # only the newest change of many can be, and the newest of one after it
    return cards


def _reasons(of: list[Job]) -> dict[int, list[Reason]]:
    if not of:
        return {}
    grouped: dict[int, dict[str, Reason]] = defaultdict(dict)
    items = JobItem.objects.filter(job__in=of).exclude(error="").order_by("job", "ticket")
    for job, number, error in items.values_list("job", "ticket", "error")[:MOST_LEFT_OUT]:
        grouped[job].setdefault(error, Reason(error)).numbers.append(number)
    return {job: list(by_text.values()) for job, by_text in grouped.items()}
