"""A seeded history hangs together, and one seed gives one history."""

import time
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, F, Q
from django.utils import timezone

from inbox import log, search
from inbox.management import filling, plans
from inbox.models import (
    Agent,
    Attachment,
    Card,
    Channel,
    Cursor,
    Customer,
    CustomerEvent,
    Event,
    Field,
    Identity,
    Mention,
    Message,
    Notification,
    Role,
    SavedView,
    SearchDocument,
    SearchPerson,
    SideConversation,
    Team,
    Ticket,
    TicketFollower,
    TicketLink,
    TicketSeen,
)
from inbox.search import documents, follower, rebuild
from lib import processes
from tests.cast import HELD_UP, question

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _others_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is seeded is skipped by search once the tests beside have ended what they had begun."""
    monkeypatch.setattr(rebuild, "WAITS", HELD_UP)


def seed(tickets: int, number: int = 1) -> None:
    call_command("seed", tickets=tickets, seed=number, days=90, verbosity=0)


def told(first: int) -> list[tuple[object, ...]]:
    tickets = Ticket.objects.filter(number__gte=first).order_by("number")
    return list(tickets.values_list("subject", "status", "preview", "customer__name", "message_count", "priority"))


def test_a_history_hangs_together(desk: Channel, sana: Agent) -> None:
    Channel.objects.create(kind="email", name="Help", slug="help", settings={"address": "help@example.org"})
    seed(300)
    assert Ticket.objects.count() == 300
    counted = Ticket.objects.annotate(found=Count("messages"))
    assert not counted.exclude(found=F("message_count")).exists()
    assert not Message.objects.exclude(state__in=["", "sent", "queued"]).exists()
    assert not Message.objects.filter(created_at__lt=F("ticket__created_at")).exists()
    assert Event.objects.filter(kind="ticket_created").count() == 300
    assert set(Ticket.objects.values_list("status", flat=True)) >= {"open", "pending", "solved", "closed"}
    assert set(Customer.objects.values_list("language", flat=True)) == {"en", "ur"}
    assert Message.objects.filter(agent=sana).exists()
    ids = list(Message.objects.order_by("created_at").values_list("id", flat=True))
    assert ids == sorted(ids)


def test_what_is_seeded_is_found_as_if_it_had_come_in(sana: Agent) -> None:
    Team.objects.create(name="Orders", slug="orders")
    seed(120)
    assert Attachment.objects.exists() and Identity.objects.filter(kind="phone").exists()
    numbers = list(Ticket.objects.values_list("number", flat=True))
    kept = list(SearchDocument.objects.order_by("number").values_list("number", "short", "words"))
    people = list(SearchPerson.objects.order_by("customer").values_list("customer", "short"))
    SearchDocument.objects.all().delete()
    SearchPerson.objects.all().delete()
    documents.write(numbers)
    assert list(SearchDocument.objects.order_by("number").values_list("number", "short", "words")) == kept
    spoke = dict(SearchPerson.objects.values_list("customer", "short"))
    assert spoke.items() <= dict(people).items()  # who was introduced, but has not written yet


def test_every_list_has_something(sana: Agent) -> None:
    Agent.objects.create_user("omar@example.org", name="Omar", role=Role.AGENT)
    seed(600)
    current = Ticket.objects.current()
    assert current.filter(snoozed_until__isnull=False).exists() and current.filter(due_at__isnull=False).exists()
    assert Ticket.objects.filter(trashed_at__isnull=False).exists() and Ticket.objects.filter(spam=True).exists()
    assert current.filter(organisation__isnull=False, attributes__has_key="order").exclude(topic="").exists()
    assert not Ticket.objects.exclude(organisation=F("customer__organisation")).exclude(organisation=None).exists()
    for noun in (Mention, TicketSeen, TicketFollower, TicketLink, Notification, SideConversation, CustomerEvent, Card,
                 SavedView, Field):  # fmt: skip
        assert noun._default_manager.exists(), noun
    assert not Mention.objects.filter(Q(agent=F("by")) | ~Q(message__ticket=F("ticket"))).exists()
    assert not SideConversation.objects.exclude(messages__ticket=F("ticket")).exists()
    assert Message.objects.scheduled().filter(send_at__gt=timezone.now()).exists()
    assert not Message.objects.scheduled().filter(ticket__status__in=["solved", "closed"]).exists()


def test_one_seed_is_one_history_and_may_be_added_again(sana: Agent) -> None:
    seed(60)
    first = told(1)
    last = Ticket.objects.order_by("number").last()
    assert last is not None
    seed(60)
    assert told(last.number + 1) == first
    seed(60, 2)
    assert told(last.number + 61) != first


def indexes() -> list[tuple[str, str]]:
    """Names and columns; PostgreSQL writes a condition differently once it has read it back."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname, split_part(indexdef, ' WHERE ', 1) FROM pg_indexes"
            " WHERE tablename !~ 'document' AND schemaname = 'public' ORDER BY 1"
        )
        return list(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_a_large_history_is_the_same_and_leaves_all_indexes(sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    before = indexes()
    monkeypatch.setattr(plans, "CHUNK", 500)
    monkeypatch.setattr(filling, "LARGE", 1000)
    seed(1200)
    assert indexes() == before
    assert Ticket.objects.count() == 1200 == SearchDocument.objects.count()
    numbers = list(Ticket.objects.order_by("number").values_list("number", flat=True)[::100])
    kept = list(SearchDocument.objects.filter(pk__in=numbers).order_by("number").values_list())
    documents.write(numbers)
    assert list(SearchDocument.objects.filter(pk__in=numbers).order_by("number").values_list()) == kept
    assert log.lag()["search"] == 0, "what was seeded needs no reading"
    found = search.numbers(sana, "order")
    assert found and set(found) <= set(Ticket.objects.values_list("number", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_large_history_beside_others_is_found_too(sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    seed(5)
    monkeypatch.setattr(filling, "LARGE", 100)
    monkeypatch.setattr(processes, "sensible", lambda: 0)
    seed(150, 2)
    assert SearchDocument.objects.count() == 155


@pytest.mark.django_db(transaction=True)
def test_an_interrupted_seed_leaves_everything_as_it_was(sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    before = indexes()
    monkeypatch.setattr(filling, "LARGE", 100)
    monkeypatch.setattr(processes, "sensible", lambda: 0)
    steps: list[str] = []

    def interrupted(step: str, _done: int, _total: int) -> None:
        steps.append(step)
        if step.startswith("Making index ticket_"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filling.fill(200, 90, 1, timezone.now(), interrupted)
    assert "Copying tickets in" in steps
    assert indexes() == before
    assert not Ticket.objects.exists() and not SearchDocument.objects.exists() and not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_mail_that_comes_in_while_a_history_is_seeded_is_found(
    sana: Agent, desk: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plans, "CHUNK", 500)
    monkeypatch.setattr(filling, "LARGE", 10)
    seed(5)
    monkeypatch.setattr(processes, "sensible", lambda: 0)
    skip, parts = rebuild.skip, rebuild.parts

    def build(*args: Any) -> int:
        made = parts(*args)
        question(desk, "Zebra")
        log.follow(follower.NAME, follower.keep)
        return made

    def late(*written: Any) -> None:
        question(desk, "Okapi")  # what waited for the tables is taken in the moment they are free
        skip(*written)

    monkeypatch.setattr(rebuild, "parts", build)
    monkeypatch.setattr(rebuild, "skip", late)
    seed(30)
    waiting = log.waiting_events(Cursor.objects.get(name="search")).values_list("ticket__subject", flat=True)
    assert set(waiting) <= {"Zebra", "Okapi"}, "what was seeded needs no reading"
    until = time.monotonic() + HELD_UP
    found: list[int] = []
    while not found and time.monotonic() < until:  # writers in other databases may hold the follower up
        log.follow(follower.NAME, follower.keep)
        found = search.numbers(sana, "zebra") and search.numbers(sana, "okapi")
        time.sleep(0.05)
    assert found


@pytest.mark.django_db(transaction=True)
def test_what_was_written_before_a_history_and_not_read_is_not_skipped(sana: Agent, desk: Channel) -> None:
    log.rewind("search")
    question(desk, "Zebra")
    before = Cursor.objects.get(name="search").event_id
    seed(5)
    assert Cursor.objects.get(name="search").event_id == before
