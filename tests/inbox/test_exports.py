"""Tickets as CSV: what is in the file, who gets it, and when it is gone."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from inbox import jobs as workers
from inbox.actions import erasing, exporting, jobs, tickets
from inbox.actions.errors import ActionError
from inbox.adapters import Party
from inbox.models import Agent, Channel, Event, Field, Job, JobState, Team, Ticket
from inbox.search import follower
from tests.cast import bilal, member, omar, question, sana, support, team

__all__ = ["bilal", "omar", "sana", "support", "team"]

LISTING = {"view": "open"}


@pytest.fixture
def mona(team: object) -> Agent:
    """A manager of the team, who may export; her screens are in Urdu, her clock in Karachi."""
    mona = member("Mona", "manager", team)  # type: ignore[arg-type]
    mona.language, mona.time_zone = "ur", "Asia/Karachi"
    mona.save()
    return mona


def run(job: Job) -> Job:
    while not job.is_over:
        workers.work(job.pk)
        job.refresh_from_db()
    return job


def fetched(agent: Agent, job: Job) -> list[list[str]]:
    client = Client()
    client.force_login(agent)
    answer = client.get(f"/jobs/{job.pk}/file/")
    assert answer.status_code == 200 and answer["Content-Disposition"].startswith("attachment")
    raw = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert raw.startswith(b"\xef\xbb\xbf") and raw.count(b"\r\n") > 1
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def test_a_view_as_a_file(mona: Agent, sana: Agent, support: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PART", 2)
    Field.objects.create(noun="ticket", key="order", label="Order")
    evil = question(support, '=HYPERLINK("http://x","y")', Party("email", "plus@example.com", "+923001234567"))
    tickets.set_fields(evil, by=None, attributes={"order": "@SUM(1)"})
    tickets.set_tags(evil, ['two "words"', "a\nb"], by=None)
    for number in range(4):
        question(support, f"پارسل {number}, کہاں")
    Ticket.objects.filter(pk=evil.pk).update(created_at="2026-01-02T20:00:00Z")
    columns = ["number", "subject", "customer", "address", "tags", "created_at", "status", "field:order", "nonsense"]
    job = exporting.begin(mona, columns, listing=LISTING, client_id="c")
    assert exporting.begin(mona, columns, listing=LISTING, client_id="c").pk == job.pk
    question(support, "Came after the click")
    run(job)
    assert (job.state, job.total, job.what["parts"]) == (JobState.DONE, 5, 3)
    heading, first, *others = fetched(mona, job)
    assert len(heading) == 8 and heading[-1] == "Order" and "Subject" not in heading, "in her language"
    assert first == [str(evil.pk), '\'=HYPERLINK("http://x","y")', first[2], "'+923001234567", "plus@example.com",
                     'two "words", a b', "2026-01-03T01:00:00+05:00", "'@SUM(1)"]  # fmt: skip
    assert [row[1] for row in others] == [f"پارسل {number}, کہاں" for number in range(4)]
    event = Event.objects.get(kind="tickets_exported")
    assert (event.actor_id, event.data) == (mona.pk, {"count": 5, "columns": 8})


def test_it_is_for_whoever_may_and_asked(mona: Agent, omar: Agent, sana: Agent, support: Channel) -> None:
    ticket = question(support, "One")
    with pytest.raises(ActionError):
        exporting.begin(sana, ["number"], listing=LISTING)
    job = run(exporting.begin(mona, ["number"], chosen=[ticket.pk, 2**40]))
    assert fetched(mona, job)[1:] == [[str(ticket.pk)]]
    client = Client()
    client.force_login(member("Rafi", "admin", None))
    assert client.get(f"/jobs/{job.pk}/file/").status_code == 404
    mona.role = "agent"
    mona.save()
    client.force_login(mona)
    assert client.get(f"/jobs/{job.pk}/file/").status_code == 403, "no longer"
    what = {"columns": ["number"], "parts": 0, "last": 9, "chosen": []}
    second = Job.objects.create(agent=mona, kind="export", what=what, stored="exports/x")
    assert run(second).state == JobState.FAILED


def test_a_torn_part_is_written_again(mona: Agent, support: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    question(support, "One")
    job = exporting.begin(mona, ["subject"], listing=LISTING)
    workers.claim(job.pk)
    jobs.step(job.pk)
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(jobs, "end", lambda job, state: (_ for _ in ()).throw(KeyboardInterrupt))
        jobs.step(job.pk)  # the part is in storage, the row does not know
    Job.objects.update(lease_until=None)
    job.refresh_from_db()
    run(job)
    assert fetched(mona, job)[1:] == [["One"]]


def test_files_go_by_themselves_and_when_somebody_is_erased_who_is_in_them(
    mona: Agent, support: Channel, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = question(support, "One")
    root = Path(settings.MEDIA_ROOT)
    first, second = (run(exporting.begin(mona, ["address"], listing=LISTING)) for _ in range(2))
    assert len(list((root / first.stored).iterdir())) == 1
    old = first.stored
    Job.objects.filter(pk=first.pk).update(finished_at=timezone.now() - timedelta(days=4))
    with django_capture_on_commit_callbacks(execute=True):
        workers.prune()
    assert not any((root / old).iterdir())
    customer = ticket.customer
    other = question(support, "Two", Party("email", "zain@example.com", "Zain"))
    spared = run(exporting.begin(mona, ["address"], chosen=[other.pk]))
    half = exporting.begin(mona, ["address"], listing=LISTING)
    for _ in range(2):
        jobs.step(half.pk)
        monkeypatch.setattr(exporting, "PART", 1)
    half.refresh_from_db()
    names = exporting.begin(mona, ["address"], listing={**LISTING, "customer": "ayesha@example.com"})
    bulk = jobs.begin(mona, "tag", "late", listing=LISTING)
    written, old = half.stored, second.stored
    with django_capture_on_commit_callbacks(execute=True):
        erasing.erase(customer, by=None)
    for job in (spared, second, half, names, bulk):
        job.refresh_from_db()
    assert not any((root / old).iterdir()) and not any((root / written).iterdir()) and not second.stored
    assert fetched(mona, spared)[1:] == [["zain@example.com"]], "she is not in it"
    assert (names.state, names.error) == (JobState.FAILED, "Somebody whom this named was erased meanwhile.")
    assert "ayesha" not in str(list(Job.objects.values_list("what", flat=True)))
    assert fetched(mona, run(half))[1:] == [["zain@example.com"]], "written anew"
    assert run(bulk).state == JobState.DONE and bulk.changed == 1


def test_who_is_erased_is_found_in_words_alone(mona: Agent, support: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    name = 'Zubaida "Zub" O\\Neil'
    customer = question(support, "One", Party("phone", "1234567", name)).customer
    named = exporting.begin(mona, ["subject"], listing={**LISTING, "q": name})
    numbered = exporting.begin(mona, ["subject"], chosen=[1234567])
    customer.name = name
    customer.save()
    spared = run(exporting.begin(mona, ["subject"], chosen=[customer.tickets.get().pk]))
    erasing.erase(customer, by=None)
    for job in (named, numbered, spared):
        job.refresh_from_db()
    assert (named.state, "Zub" in str(named.what)) == (JobState.FAILED, False)
    assert numbered.state == JobState.QUEUED, "a ticket's number is not a telephone number"
    monkeypatch.setattr(exporting, "DELETED_AT_ONCE", 1)
    workers.sweep()
    assert not spared.stored and not spared.items.exists(), "what was in it is cleared away afterwards"


def test_what_one_may_not_see_any_more_is_not_fetched(mona: Agent, support: Channel, team: Team) -> None:
    job = run(exporting.begin(mona, ["subject"], chosen=[question(support, "One").pk]))
    assert fetched(mona, job)[1:] == [["One"]]
    team.members.remove(mona)
    client = Client()
    client.force_login(mona)
    assert client.get(f"/jobs/{job.pk}/file/", follow=True).status_code == 200
    assert "نئے سرے سے برآمد کریں" in client.get(f"/jobs/{job.pk}/file/", follow=True).content.decode()


def test_all_that_a_search_finds_is_changed_and_exported(mona: Agent, sana: Agent, support: Channel) -> None:
    found = [question(support, f"Teapot {number}") for number in range(3)]
    other = question(support, "Kettle")
    follower.write([one.pk for one in [*found, other]])
    client = Client()
    client.force_login(mona)
    asked = {"all": "yes", "list": "view=open&q=teapot"}
    client.post("/tickets/bulk/", {**asked, "do": "tag:tea", "client_id": "a"})
    assert {one.pk for one in Ticket.objects.filter(tags=["tea"])} == {one.pk for one in found}
    client.post("/tickets/bulk/", {**asked, "do": "export:", "columns": ["number"], "client_id": "b"})
    job = run(Job.objects.get(kind="export"))
    assert [line[0] for line in fetched(mona, job)[1:]] == [str(one.pk) for one in found]
    assert "teapot" not in str(job.what), "what somebody typed is not kept"
    client.post("/tickets/bulk/", {**asked, "do": f"merge:{other.pk}", "client_id": "c"})
    assert not Ticket.objects.filter(merged_into__isnull=False).exists(), "not unseen"
    assert Job.objects.count() == 2
