"""The trash: out of every list, nothing leaves from it, a customer's message brings it back, erased it is empty."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from inbox import default_views, search
from inbox.actions import merge, messages, reply, scheduling, tickets, trash, uploads
from inbox.actions.errors import ActionError
from inbox.actions.work import Outcome
from inbox.models import Agent, Attachment, Message, Receipt, Status, Ticket
from inbox.search import follower

pytestmark = pytest.mark.django_db
Take = Callable[..., Outcome]


@pytest.fixture
def ticket(take: Take) -> Ticket:
    return Ticket.objects.get(pk=take("m1", subject="Parcel", text="zebra").ticket)


def test_it_leaves_every_list_and_search_and_comes_back_as_it_was(ticket: Ticket, sana: Agent) -> None:
    before = Ticket.objects.get(pk=ticket.pk)
    trash.trash(ticket, by=sana)
    follower.write([ticket.pk])
    shown = {
        key: set(default_views.select(sana, view.match).values_list("pk", flat=True))
        for key, view in default_views.VIEWS.items()
    }
    assert not any(found for key, found in shown.items() if key != "trash")
    assert list(default_views.select(sana, {"trashed": "yes"})) == [ticket]
    assert search.find(sana, "zebra").numbers == []
    trash.restore(ticket, by=sana)
    follower.write([ticket.pk])
    assert search.find(sana, "zebra").numbers == [ticket.pk]
    after = Ticket.objects.get(pk=ticket.pk)
    for name in ("status", "waiting_since", "message_count", "preview", "trashed_at"):
        assert getattr(after, name) == getattr(before, name), name


def test_nothing_leaves_from_it(ticket: Ticket, sana: Agent) -> None:
    waiting = reply.reply(ticket, by=sana, text="Later.", send_at=timezone.now() + timedelta(hours=1))
    trash.trash(ticket, by=sana)
    waiting.refresh_from_db()
    assert waiting.state == "cancelled" and waiting.error
    for change in (
        lambda: reply.reply(ticket, by=sana, text="Now."),
        lambda: reply.note(ticket, by=sana, text="For us."),
        lambda: messages.retry(waiting, by=sana),
        lambda: tickets.set_status(ticket, Status.SOLVED, by=sana),
    ):
        with pytest.raises(ActionError):
            change()
    assert scheduling.sweep() == 0 and ticket.messages.count() == 2


def test_a_customers_message_brings_it_back_and_a_machines_does_not(ticket: Ticket, sana: Agent, take: Take) -> None:
    since = Ticket.objects.get(pk=ticket.pk).waiting_since
    trash.trash(ticket, by=sana)
    take("m2", references=["m1"], kind="auto_reply")
    assert Ticket.objects.get(pk=ticket.pk).trashed_at is not None
    assert take("m3", references=["m1"]).ticket == ticket.pk
    row = Ticket.objects.get(pk=ticket.pk)
    assert (row.trashed_at, row.status, row.waiting_since) == (None, Status.OPEN, since)


def test_erased_for_good_nothing_is_left_but_the_skeleton(
    ticket: Ticket, sana: Agent, take: Take, django_capture_on_commit_callbacks: Any
) -> None:
    file = uploads.upload(by=sana, name="slip.txt", content_type="text/plain", content=b"okapi")
    reply.reply(ticket, by=sana, text="A giraffe.", attachments=[file.pk])
    other = Ticket.objects.get(pk=take("n1", sender="omar@example.com", text="A tapir.").ticket)
    with pytest.raises(ActionError):
        trash.erase(ticket, by=sana)
    trash.trash(ticket, by=sana)
    with django_capture_on_commit_callbacks(execute=True):
        trash.erase(ticket, by=sana)
    row = Ticket.objects.get(pk=ticket.pk)
    assert (row.status, row.subject, row.preview, row.trashed_at) == (Status.CLOSED, "", "", None) and row.is_erased
    assert set(ticket.messages.values_list("text", "html", "author_address")) == {("", "", "")}
    assert not default_storage.exists(file.stored) and Attachment.objects.get(pk=file.pk).stored == ""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT count(*) FROM \"{table}\" t WHERE t::text ~ 'zebra|giraffe|slip'")
            assert cursor.fetchone() == (0,), table
    assert Receipt.objects.filter(raw__isnull=False).count() == 1  # the other ticket's
    assert row.customer.identities.get().value == "ayesha@example.com"
    assert other.messages.get().text == "A tapir."
    assert take("m1", subject="Parcel", text="zebra").status == "duplicate"  # from a mailbox that still has it
    assert not Message.objects.filter(text="zebra").exists() and not Receipt.objects.exclude(raw=None).exclude(
        pk__in=other.messages.values("receipt")
    )
    answer = take("m9", references=["m1"], subject=f"#{ticket.pk}")
    assert answer.ticket != ticket.pk  # a follow-up, for this one is closed


def test_the_sweep_erases_what_lay_there_long_enough(ticket: Ticket, sana: Agent, take: Take) -> None:
    fresh = Ticket.objects.get(pk=take("n1", sender="omar@example.com").ticket)
    for one in (ticket, fresh):
        trash.trash(one, by=sana)
    Ticket.objects.filter(pk=ticket.pk).update(trashed_at=timezone.now() - timedelta(days=settings.TRASH_DAYS, hours=1))
    assert trash.empty() == 1 and trash.empty() == 0
    assert Ticket.objects.get(pk=ticket.pk).is_erased and Ticket.objects.get(pk=fresh.pk).trashed_at


def test_merging_into_the_trash_is_refused(ticket: Ticket, sana: Agent, take: Take) -> None:
    other = Ticket.objects.get(pk=take("n1", sender="omar@example.com").ticket)
    trash.trash(ticket, by=sana)
    for source, into in ((other, ticket), (ticket, other)):
        with pytest.raises(ActionError):
            merge.merge(source, into, by=sana)


def test_what_is_released_from_spam_is_as_if_it_had_just_come(ticket: Ticket, sana: Agent) -> None:
    since = Ticket.objects.get(pk=ticket.pk).waiting_since
    tickets.set_spam(ticket, True, by=sana)
    tickets.set_status(ticket, Status.SOLVED, by=sana)
    tickets.set_spam(ticket, False, by=sana)
    row = Ticket.objects.get(pk=ticket.pk)
    assert (row.status, row.waiting_since, row.solved_at, row.spam) == (Status.OPEN, since, None, False)
