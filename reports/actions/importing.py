"""Files of revenue: put one away, say what it holds, take it in line by line as a job.

A file is rewritten as lines of JSON when it comes, so that a job goes on at a byte after a kill. It lies in storage
until it is read, a day at most; of its lines nothing is kept but which could not be taken, and why.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from inbox import files
from inbox.actions import jobs, naming
from inbox.actions.errors import ActionError
from inbox.models import Agent, Job, JobKind, JobState
from inbox.rights import Right, may, require
from reports.actions import revenue
from reports.models import Revenue, RevenueImport
from reports.worth import matching, reading
from reports.worth.terms import terms

MOST_BYTES = 50_000_000
MOST_LINES = 1_000_000
STEP = 1_000  # lines of a transaction
CHECKED = 5_000  # lines that are tried before anything is taken
SHOWN = 8
WRONG = 500  # lines whose reasons are kept
KEPT = timedelta(days=1)
SOURCE = "csv"


def put(content: bytes, *, by: Agent) -> RevenueImport:
    """Put a file away. Raises ActionError where it is none that can be read."""
    require(by, Right.REPORTS)
    expire()
    if len(content) > MOST_BYTES:
        raise ActionError(_("This file is too large: at most 50 MB. Take it apart."), "large")
    row = RevenueImport(agent=by, stored=f"imports/{uuid4().hex}.jsonl")
    seen, again = set[int](), Counter[int]()
    with tempfile.SpooledTemporaryFile(max_size=5_000_000) as written:
        try:
            for number, cells in reading.rows(reading.text_of(content)):
                if not row.headings:
                    row.headings = cells
                    continue
                row.lines += 1
                if row.lines > MOST_LINES:
                    raise ActionError(_("This file has more than a million lines. Take it apart."), "large")
                words = hash(tuple(cells))
                if words in seen:
                    again[words] += 1
                seen.add(words)
                line = [number, again[words], cells]
                written.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        except reading.Unreadable as error:
            raise ActionError(_("This file is no table that can be read: save it as CSV."), "unreadable") from error
        if not row.lines or len(row.headings) < 2:
            raise ActionError(
                _("There is no table in this file: a first line with headings, then a line for each payment."), "empty"
            )
        written.seek(0)
        try:
            default_storage.save(row.stored, File(written))
        except OSError as error:
            raise ActionError(_("Files cannot be stored at present. Try again later."), "storage") from error
    sample = [line.cells for line in head(row, SHOWN)]
    columns = reading.guess(row.headings, sample)
    place = columns.get("at", reading.MOST_COLUMNS)
    dates = [line.cells[place] for line in head(row, CHECKED) if place < len(line.cells)]
    row.mapping = {"columns": columns, "order": reading.order_of(dates)}
    row.save()
    return row


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file: its number, and how many of the same words stand before it."""

    number: int
    times: int
    cells: list[str]


def head(row: RevenueImport, most: int) -> list[Line]:
    """The first lines of its file."""
    return [line for _end, line in _lines(row, 0, most)]


def _lines(row: RevenueImport, after: int, most: int) -> Iterator[tuple[int, Line]]:
    """Lines behind a byte of its file, each with the byte where it ends. Raises ActionError where it is gone."""
    try:
        with default_storage.open(row.stored, "rb") as file:
            file.seek(after)
            for _turn in range(most):
                line = file.readline()
                if not line:
                    return
                after += len(line)
                yield after, Line(*json.loads(line))
    except OSError as error:
        raise ActionError(_("The file is not there any more. Upload it again."), "gone") from error


@dataclass
class Found:
    """What lines came to: sales, and of those refused which line and why."""

    sales: list[revenue.Sale] = field(default_factory=list)
    wrong: list[tuple[int, str]] = field(default_factory=list)


def how(row: RevenueImport) -> reading.Reading:
    return reading.Reading(
        row.mapping["columns"],
        row.mapping["order"],
        terms().currency,
        ZoneInfo(settings.TIME_ZONE),
        timezone.now() + timedelta(days=1),  # whatever zone its dates are in
    )


def read(agent: Agent, lines: Iterable[Line], way: reading.Reading) -> Found:
    """What these lines say, and of which customers that this agent sees."""
    found = Found()
    given = []
    for line in lines:
        try:
            given.append((line, way.line(line.cells)))
        except reading.Wrong as wrong:
            found.wrong.append((line.number, str(wrong)))
    known = matching.customers(agent, (key for _line, one in given for key in one.keys))
    for line, one in given:
        owner = next((known[key] for key in one.keys if key in known), None)
        if owner is None:
            found.wrong.append((line.number, "nobody"))
            continue
        reference = one.reference or reading.named(one, line.times)
        found.sales.append(revenue.Sale(owner, one.at, one.amount, reference))
    found.wrong.sort()
    return found


@dataclass
class Checked:
    """What would come of the first lines of a file."""

    lines: int
    new: int
    known: int
    total: int  # amount of the new ones
    wrong: list[tuple[int, str]]


def check(row: RevenueImport, *, by: Agent) -> Checked:
    """Try the first CHECKED lines, and change nothing. Raises ActionError where the file is gone."""
    lines = head(row, CHECKED)
    found = read(by, lines, how(row))
    source = row.mapping.get("source") or SOURCE
    there = set(
        Revenue.objects.filter(source=source, reference__in=[sale.reference for sale in found.sales]).values_list(
            "reference", flat=True
        )
    )
    new = {sale.reference: sale.amount for sale in reversed(found.sales) if sale.reference not in there}
    return Checked(len(lines), len(new), len(found.sales) - len(new), sum(new.values()), found.wrong)


def begin(row: RevenueImport, *, by: Agent) -> Job:
    """Take the file in, as it was mapped. Raises ActionError; a second click begins nothing."""
    require(by, Right.REPORTS)
    if not terms().currency:
        raise ActionError(_("Choose the currency of revenue first."), "currency")
    if not row.stored:
        raise ActionError(_("The file is not there any more. Upload it again."), "gone")
    if how(row).lacking:
        raise ActionError(_("Say in which columns the customer, the date and the amount are."), "columns")
    with transaction.atomic():
        job, is_new = jobs.made(by, JobKind.IMPORT, {"import": row.pk}, f"revenue-{row.pk}")
        if is_new:
            job.lease_until, job.total = None, row.lines
            job.save(update_fields=["lease_until", "total"])
            RevenueImport.objects.filter(pk=row.pk).update(job=job)
            jobs.hand_over(job)
    return job


def _step(job: Job, agent: Agent) -> None:
    require_still(agent)
    row = RevenueImport.objects.select_for_update().filter(pk=job.what["import"]).first()
    if row is None or not row.stored:
        raise ActionError(_("The file is not there any more. Upload it again."), "gone")
    job.state = JobState.RUNNING
    ends, lines = [], []
    for end, line in _lines(row, job.after, STEP):
        ends.append(end)
        lines.append(line)
    if lines:
        found = read(agent, lines, how(row))
        added = revenue.add(found.sales, source=row.mapping.get("source") or SOURCE, by=agent)
        row.added += added
        row.known += len(found.sales) - added
        row.refused += len(found.wrong)
        row.wrong = [*row.wrong, *found.wrong][:WRONG]
        job.done, job.changed, job.failed, job.after = row.added + row.known, row.added, row.refused, ends[-1]
    if len(lines) < STEP:
        row.finished_at = timezone.now()
        _delete(row)
        jobs.end(job, JobState.DONE)
    row.save()


def require_still(agent: Agent) -> None:
    """Raises ActionError: who asked for it may have lost the right since."""
    if not may(agent, Right.REPORTS):
        raise ActionError(_("You may not do that."), "right")


def _delete(row: RevenueImport) -> None:
    """Its file goes, on commit, with what its heading said."""
    if row.stored:
        transaction.on_commit(partial(files.erase, row.stored), robust=True)
    row.stored, row.headings, row.mapping = "", [], {"source": row.mapping.get("source", "")}


def forget(row: RevenueImport) -> None:
    """Give a file up."""
    with transaction.atomic():
        locked = RevenueImport.objects.select_for_update().get(pk=row.pk)
        _delete(locked)
        locked.save()


def expire() -> int:
    """Files that nobody took in within a day go; returns how many."""
    old = list(RevenueImport.objects.filter(created_at__lt=timezone.now() - KEPT).exclude(stored=""))
    for row in old:
        forget(row)
    return len(old)


def forget_person(person: naming.Person) -> None:
    """A file that names somebody who is erased goes, and whoever was importing it hears why. One that is not there any
    more names nobody.
    """
    words = person.words
    if words is None:
        return
    for row in RevenueImport.objects.exclude(stored="").select_related("job"):
        if not default_storage.exists(row.stored):
            continue
        lines = (line for _end, line in _lines(row, 0, MOST_LINES))
        if any(words.search(cell) for line in lines for cell in line.cells):
            if row.job is not None and not row.job.is_over:
                job = Job.objects.select_for_update().get(pk=row.job.pk)
                job.error = _("Somebody whom this named was erased meanwhile.")
                jobs.end(job, JobState.FAILED)
            forget(row)


jobs.STEPS[JobKind.IMPORT] = _step
