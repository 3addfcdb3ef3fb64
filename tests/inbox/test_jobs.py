"""Long work on many tickets: each once, by who may, whatever dies in between; and back again."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from inbox import jobs as workers
from inbox import tray, wake
from inbox.actions import incidents, jobs, links, reply, tickets
from inbox.actions.errors import ActionError
from inbox.actions.verbs import VERBS
from inbox.models import (
    Agent,
    Channel,
    Event,
    Field,
    Job,
    JobItem,
    JobKind,
    JobState,
    Message,
    Role,
    Status,
    Team,
    Ticket,
    TicketFollower,
)
from tests.cast import bilal, lena, omar, question, sana, support, team
from tests.inbox.views.conftest import PART
from tests.instance import until
from tests.servers.web import ROOT, database_url

__all__ = ["bilal", "lena", "omar", "sana", "support", "team"]

LISTING = {"view": "open"}


@pytest.fixture
def many(support: Channel, monkeypatch: pytest.MonkeyPatch) -> list[Ticket]:
    """Eight tickets, and jobs that take three of them at a time in a worker."""
    monkeypatch.setattr(jobs, "BATCH", 3)
    monkeypatch.setattr(jobs, "PLAN", 5)
    monkeypatch.setattr(jobs, "FEW", 2)
    return [question(support, f"Question {number}") for number in range(8)]


def whole(agent: Agent, verb: str, argument: str = "", client_id: str = "") -> Job:
    return jobs.begin(agent, verb, argument, listing=LISTING, client_id=client_id)


def run(job: Job) -> Job:
    Job.objects.filter(pk=job.pk).update(lease_until=None)
    workers.work(job.pk)
    job.refresh_from_db()
    return job


def changed(kind: str) -> list[int | None]:
    return list(Event.objects.filter(kind=kind).order_by("pk").values_list("ticket_id", flat=True))


def test_all_that_match_are_changed_by_a_worker_and_put_back(many: list[Ticket], sana: Agent) -> None:
    tickets.set_priority(many[7], "high", by=sana)
    job = whole(sana, "priority", "high", client_id="once")
    assert whole(sana, "priority", "high", client_id="once").pk == job.pk, "a second click"
    later = question(many[0].channel, "Came after the click")
    run(job)
    assert (job.state, job.total, job.done, job.changed, job.failed) == (JobState.DONE, 8, 8, 7, 0)
    assert "listing" not in job.what
    assert set(Ticket.objects.exclude(pk=later.pk).values_list("priority", flat=True)) == {"high"}
    assert Ticket.objects.get(pk=later.pk).priority == "normal"
    assert changed("priority_changed") == [many[7].pk, *(one.pk for one in many[:7])]

    tickets.set_priority(many[1], "urgent", by=sana)  # somebody thought otherwise meanwhile
    back = jobs.undo(job)
    assert jobs.undo(job).pk == back.pk
    run(back)
    assert (back.state, back.done, back.failed) == (JobState.DONE, 6, 1)
    assert [item.ticket_id for item in back.items.all()] == [many[1].pk]
    assert list(Ticket.objects.order_by("pk").values_list("priority", flat=True)[:8]) == [
        "normal", "urgent", *["normal"] * 5, "high",
    ]  # fmt: skip


@pytest.mark.parametrize("dies_after", [1, 2, 3, 4])
def test_a_worker_that_dies_leaves_nothing_undone_and_nothing_done_twice(
    dies_after: int, many: list[Ticket], sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = whole(sana, "tag", "sale")
    steps = 0
    change = tickets.set_tags

    def killed(ticket: Ticket, names: list[str], *, by: Agent) -> Ticket:
        nonlocal steps
        steps += 1
        if steps == 2 * dies_after:
            raise KeyboardInterrupt  # nothing of ours catches it: as good as a kill
        return change(ticket, names, by=by)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(tickets, "set_tags", killed)
        run(job)
    assert workers.work(job.pk) == 0, "somebody holds it still"
    job.refresh_from_db()
    taken = job.items.filter(before__isnull=False).order_by("pk")
    assert changed("tags_changed") == list(taken.values_list("ticket", flat=True))
    run(job)
    assert (job.state, job.changed) == (JobState.DONE, 8)
    assert changed("tags_changed") == [one.pk for one in many]


@pytest.mark.parametrize("dies_at", [1, 4])
def test_an_answer_to_all_incidents_outlives_its_worker_and_reaches_each_once(
    dies_at: int, many: list[Ticket], sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, *others = many
    for one in others:
        links.link(one, problem, "incident", by=sana)
    Field.objects.create(noun="ticket", key="size", label="Size", kind="text", required=True)
    Ticket.objects.exclude(pk=others[-1].pk).update(attributes={"size": "S"})
    say: dict[str, Any] = {"by": sana, "text": "It works again, Zubaida.", "solve": True}
    job = incidents.update(problem, client_id="a", **say)
    assert incidents.update(problem, client_id="a", **say).pk == job.pk and job.total == 7
    written = reply.reply

    def killed(ticket: Ticket, **told: Any) -> Message:
        found = written(ticket, **told)
        if ticket.pk == others[dies_at].pk:
            raise KeyboardInterrupt
        return found

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(reply, "reply", killed)
        run(job)
    run(job)
    assert (job.state, job.done, job.failed) == (JobState.DONE, 6, 1)
    assert job.items.get(ticket=others[-1]).error == "Fill in first: Size."
    sent = Message.objects.filter(direction="out").order_by("ticket").values_list("ticket", flat=True)
    assert list(sent) == [one.pk for one in others[:-1]]
    assert "Zubaida" not in str(job.what), "what was written is not kept a second time"


def test_more_incidents_than_an_agent_waits_for_are_all_reached(
    many: list[Ticket], sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "AT_FIRST", 3)
    problem, child, *others = many
    links.link(child, problem, "child", by=sana)
    for one in others:
        links.link(one, problem, "incident", by=sana)
    job = incidents.update(problem, by=sana, text="It works again.", solve=True, client_id="a")
    links.link(late := question(problem.channel, "Later"), problem, "incident", by=sana)
    run(job)
    sent = Message.objects.filter(direction="out").order_by("ticket").values_list("ticket", flat=True)
    assert list(sent) == [one.pk for one in others] and late.pk not in sent
    assert (job.state, job.total, job.done) == (JobState.DONE, 6, 6)


def test_spam_takes_its_locks_in_the_order_that_the_sweep_does(many: list[Ticket], sana: Agent) -> None:
    """Messages, then their ticket: a batch that holds its tickets first, and the sweep, would wait for each other."""
    for one in many[:2]:
        reply.reply(one, by=sana, text="Later.", send_at=timezone.now() + timedelta(hours=1))
    with CaptureQueriesContext(connection) as asked:
        jobs.begin(sana, "spam", "yes", chosen=[one.pk for one in many[:2]])
    assert Message.objects.filter(state="cancelled").count() == 2
    locked = [query["sql"] for query in asked.captured_queries if "FOR NO KEY UPDATE" in query["sql"]]
    assert [at for at, sql in enumerate(locked) if 'FROM "inbox_message"' in sql] == [0, len(locked) // 2]


def test_a_job_whose_worker_died_is_found(many: list[Ticket], sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    job = whole(sana, "priority", "high")
    woken: list[list[int]] = []
    monkeypatch.setattr(wake, "run", lambda task, args, queue: woken.append(args))
    workers.claim(job.pk)
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=5))
    workers.sweep()
    assert woken == [], "its worker lives"
    Job.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    workers.sweep()
    assert woken == [[job.pk]]
    for _again in range(workers.TRIES):  # one that stops each worker it gets does so a few times only
        Job.objects.update(lease_until=None)
        workers.claim(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED and job.error


def test_what_the_agent_may_no_longer_do_is_left_out_and_said(
    many: list[Ticket], sana: Agent, team: Team, support: Channel
) -> None:
    others = Team.objects.create(name="Others", slug="others", private=True)
    tickets.set_status(many[0], Status.SOLVED, by=None)
    job = jobs.begin(sana, "assign", str(sana.pk), chosen=[one.pk for one in many] + [2**40])
    Ticket.objects.filter(pk=many[0].pk).update(status=Status.CLOSED)
    Ticket.objects.filter(pk=many[1].pk).update(team=others)
    run(job)
    assert (job.done, job.changed, job.failed) == (6, 6, 2)
    errors = dict(job.items.exclude(error="").values_list("ticket", "error"))
    assert "closed" in errors[many[0].pk] and "see this ticket" in errors[many[1].pk]
    assert Ticket.objects.get(pk=many[1].pk).assignee is None

    job = whole(sana, "priority", "high")
    sana.role = Role.LIGHT
    sana.save()
    run(job)
    assert job.state == JobState.FAILED and not Ticket.objects.filter(priority="high").exists()


def test_few_are_changed_at_once_and_given_away_they_come_back(
    many: list[Ticket], sana: Agent, bilal: Agent, team: Team
) -> None:
    """Given to a team that its agent does not see, a ticket is out of their sight; undo is still theirs."""
    hidden = Team.objects.create(name="Hidden", slug="hidden", private=True)
    hidden.members.add(sana)
    job = jobs.begin(sana, "team", str(hidden.pk), chosen=[many[0].pk, many[1].pk])
    assert (job.state, job.changed) == (JobState.DONE, 2)
    hidden.members.remove(sana)
    back = jobs.undo(Job.objects.get(pk=job.pk))
    assert (back.state, back.done) == (JobState.DONE, 2)
    assert Ticket.objects.get(pk=many[0].pk).team == many[0].team
    with pytest.raises(ActionError):
        jobs.begin(bilal, "team", str(hidden.pk), chosen=[many[0].pk])
    job = jobs.begin(bilal, "priority", "high", chosen=[many[0].pk])
    assert job.total == 0, "what is not seen is not there"


def test_stopping_and_when_undo_ends(many: list[Ticket], sana: Agent) -> None:
    job = whole(sana, "priority", "high")
    jobs.step(job.pk)
    jobs.step(job.pk)
    jobs.step(job.pk)
    jobs.stop(job)
    run(job)
    assert (job.state, job.changed) == (JobState.CANCELLED, 3)
    assert jobs.may_be_undone(job)
    jobs.begin(sana, "priority", "low", chosen=[many[7].pk])
    assert jobs.may_be_undone(job), "a change of one does not stand before many"
    assert [card.may_undo for card in tray.shown(sana)] == [True, True]
    second = jobs.begin(sana, "priority", "low", chosen=[many[5].pk, many[6].pk])
    assert not jobs.may_be_undone(job), "there is a newer one"
    Job.objects.filter(pk=second.pk).update(finished_at=timezone.now() - timedelta(minutes=11))
    with pytest.raises(ActionError):
        jobs.undo(second)


def test_every_verb_and_its_way_back(support: Channel, sana: Agent, omar: Agent) -> None:
    first, second = question(support, "One"), question(support, "Two")
    tickets.set_tags(first, ["old"], by=sana)
    arguments = {
        "assign": str(omar.pk), "team": "", "status": "solved", "priority": "low", "tag": "new, old", "untag": "OLD",
        "snooze": "tomorrow 9", "spam": "yes", "trash": "yes", "merge": f"#{second.pk}", "follow": "yes", "read": "no",
    }  # fmt: skip
    assert set(arguments) == set(VERBS)
    sana.read_before = timezone.now()
    sana.save()
    kept = ("assignee_id", "team_id", "status", "priority", "tags", "snoozed_until", "spam", "merged_into_id",
            "trashed_at", "solved_at", "waiting_since", "reopen_count", "message_count", "woke_at")  # fmt: skip
    Ticket.objects.filter(pk=first.pk).update(woke_at=timezone.now())
    for verb, argument in arguments.items():
        before = Ticket.objects.values(*kept).get(pk=first.pk)
        job = jobs.begin(sana, verb, argument, chosen=[first.pk])
        assert (job.state, job.changed, job.error) == (JobState.DONE, 1, ""), verb
        assert Ticket.objects.values(*kept).get(pk=first.pk) != before or verb in {"follow", "read"}
        assert jobs.undo(job).done == 1, verb
        assert Ticket.objects.values(*kept).get(pk=first.pk) == before, verb
    assert not TicketFollower.objects.exists()
    for verb, argument in {"assign": "999999", "status": "closed", "priority": "", "tag": " ,", "merge": "0",
                           "snooze": "yesterday"}.items():  # fmt: skip
        with pytest.raises(ActionError):
            jobs.begin(sana, verb, argument, chosen=[first.pk])
    with pytest.raises(ActionError):
        jobs.begin(sana, "merge", str(second.pk), listing=LISTING)


def test_what_is_done_to_the_open_ticket_is_undone_like_many(support: Channel, sana: Agent) -> None:
    ticket = question(support, "One")
    before = Ticket.objects.values("status", "solved_at", "waiting_since", "reopen_count").get(pk=ticket.pk)
    assert jobs.by_hand(sana, "status", "solved", ticket, "solved").status == "solved"
    job = Job.objects.get()
    assert [(card.title, card.words, card.may_undo) for card in tray.shown(sana)] == [
        ("Status: Solved", f"#{ticket.pk}", True)
    ]
    jobs.by_hand(sana, "status", "solved", ticket, "solved")
    assert Job.objects.get() == job, "nothing was changed"
    assert jobs.undo(job).done == 1
    assert Ticket.objects.values(*before).get(pk=ticket.pk) == before, "it was never solved"
    hour, day = (timezone.now() + timedelta(hours=hours) for hours in (1, 24))
    for later in (hour, day):  # two clicks in haste
        jobs.by_hand(sana, "snooze", later.isoformat(), ticket, later)
    snoozed = Job.objects.filter(kind=JobKind.BULK).latest("pk")
    assert jobs.undo(snoozed).done == 1
    assert Ticket.objects.get(pk=ticket.pk).snoozed_until is None
    Job.objects.filter(pk__gte=snoozed.pk).delete()
    with pytest.raises(ActionError):
        jobs.by_hand(sana, "snooze", "", ticket, timezone.now() - timedelta(days=1))
    assert Job.objects.filter(kind=JobKind.BULK).count() == 1


def test_what_was_solved_comes_back_from_spam_solved(support: Channel, sana: Agent) -> None:
    quiet, wrote = question(support, "Quiet"), question(support, "Wrote since")
    for one in (quiet, wrote):
        tickets.set_status(one, "solved", by=sana)
    job = jobs.begin(sana, "spam", "yes", chosen=[quiet.pk, wrote.pk])
    Ticket.objects.filter(pk=wrote.pk).update(last_customer_message_at=timezone.now())
    jobs.undo(job)
    found = Ticket.objects.filter(spam=False).order_by("pk").values_list("status", "reopen_count")
    assert list(found) == [("solved", 0), ("open", 1)]


def test_what_was_let_out_of_the_spam_by_mistake_goes_back_as_it_was(support: Channel, sana: Agent) -> None:
    ticket = question(support, "Solved")
    tickets.set_status(ticket, "solved", by=sana)
    tickets.set_spam(ticket, True, by=sana)
    jobs.undo(jobs.begin(sana, "spam", "no", chosen=[ticket.pk]))
    found = Ticket.objects.get()
    assert (found.spam, found.status, found.reopen_count) == (True, "solved", 0) and found.solved_at


def test_light_agents_follow_and_change_nothing(support: Channel, lena: Agent) -> None:
    ticket = question(support, "One")
    assert jobs.begin(lena, "follow", "yes", chosen=[ticket.pk]).changed == 1
    with pytest.raises(ActionError):
        jobs.begin(lena, "status", "solved", chosen=[ticket.pk])


def test_what_is_typed_into_the_bar(support: Channel, sana: Agent) -> None:
    """A time in words, the number of the ticket that stays, and what a ticket must say before it is solved."""
    first, second, third = (question(support, subject) for subject in ("One", "Two", "Three"))
    page = Client()
    page.force_login(sana)

    def do(verb: str, **typed: str) -> str:
        sent = {"tickets": [first.pk, second.pk], "do": f"{verb}:", "client_id": verb, **typed}
        return page.post("/tickets/bulk/", sent, headers=PART).content.decode()

    assert "2 changed." in do("snooze", snooze="in 2 days")
    until = Ticket.objects.values_list("snoozed_until", flat=True).get(pk=second.pk)
    assert until is not None and timedelta(days=1) < until - timezone.now() < timedelta(days=3)
    assert "Say until when." in do("snooze", snooze=" ")
    Field.objects.create(noun="ticket", key="order", label="Order", required=True)
    tickets.set_fields(second, by=sana, attributes={"order": "KV-1"})
    html = do("status", status="solved")
    assert "1 changed. 1 left out." in html and "Fill in first: Order." in html and f">#{first.pk}</a>" in html
    assert list(Ticket.objects.filter(status=Status.SOLVED).values_list("pk", flat=True)) == [second.pk]
    assert "2 changed." in do("merge", merge=f" #{third.pk} ")
    assert Ticket.objects.filter(merged_into=third).count() == 2


WORKER = """
import sys, django
django.setup()
from inbox import jobs as workers
from inbox.actions import jobs
jobs.BATCH = 2
workers.work(int(sys.argv[1]))
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_has_done_each_ticket_once(many: list[Ticket], sana: Agent) -> None:
    """Stopped by kill -9 while it waits for a ticket that somebody holds, in the third of four steps."""

    def one(sql: str) -> int:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return int(cursor.fetchone()[0] or 0)

    job = jobs.begin(sana, "tag", "sale", chosen=[one.pk for one in many])
    Job.objects.filter(pk=job.pk).update(lease_until=None)
    here = "SELECT pid FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    waiting = f"SELECT max(pid) FROM pg_locks WHERE NOT granted AND pid IN ({here})"
    with transaction.atomic():
        Ticket.objects.select_for_update().get(pk=many[4].pk)
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(job.pk)], cwd=ROOT, env={**os.environ, "DATABASE_URL": database_url()}
        )
        until(lambda: one(waiting) > 0, "the worker waits")
        backend = one(waiting)
        worker.kill()
        assert worker.wait() == -9
    until(lambda: not one(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {backend}"), "its connection ends")
    job.refresh_from_db()
    assert (job.done, job.changed, changed("tags_changed")) == (4, 4, [one.pk for one in many[:4]])
    run(job)
    assert (job.state, job.done, job.changed, job.failed) == (JobState.DONE, 8, 8, 0)
    assert changed("tags_changed") == [one.pk for one in many]
    assert job.items.count() == job.items.filter(before={"tags": []}, after={"tags": ["sale"]}).count() == 8


def test_old_jobs_are_forgotten(many: list[Ticket], sana: Agent) -> None:
    job = jobs.begin(sana, "priority", "high", chosen=[many[0].pk])
    whole(sana, "priority", "low")
    Job.objects.update(created_at=timezone.now() - timedelta(days=15))
    assert workers.prune() == 1 and not JobItem.objects.filter(job=job.pk).exists()
    assert Job.objects.count() == 1, "what is not done yet stays"
