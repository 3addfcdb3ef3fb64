"""The way in: exactly once, in the right ticket, and nothing blocks what comes after it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from inbox import access, files
from inbox.actions import parsing, receive, recipients, reply, retrying, tickets
from inbox.actions.work import Outcome
from inbox.models import (
    Agent,
    Channel,
    Customer,
    Event,
    Identity,
    Message,
    MessageCopy,
    Participant,
    Receipt,
    ReceiptState,
    Status,
    Team,
    Ticket,
)
from tests.paper import raw

Take = Callable[..., Outcome]
pytestmark = pytest.mark.django_db


def test_first_message_opens_a_ticket(take: Take) -> None:
    outcome = take("m1", subject="Parcel", cc=["bilal@example.com"], text="  It said\nTuesday ")
    assert (outcome.status, outcome.rule) == ("created", "new")
    ticket = Ticket.objects.get(pk=outcome.ticket)
    assert (ticket.subject, ticket.preview, ticket.message_count) == ("Parcel", "It said Tuesday", 1)
    assert ticket.waiting_since == ticket.last_customer_message_at == ticket.created_at
    roles = dict(Participant.objects.filter(ticket=ticket).values_list("identity__value", "role"))
    assert roles == {"ayesha@example.com": "requester", "bilal@example.com": "cc"}
    kinds = list(Event.objects.filter(ticket=ticket).order_by("pk").values_list("kind", "actor_kind", "actor_id"))
    assert kinds == [
        ("ticket_created", "customer", ticket.customer_id),
        ("message_received", "customer", ticket.customer_id),
    ]
    assert Receipt.objects.get().state == ReceiptState.DONE


def test_the_same_bytes_twice_are_one_receipt(desk: Channel) -> None:
    first, second = receive.store(desk, [raw("m1"), raw("m1")], claim=True)
    again = receive.store(desk, [raw("m1")], claim=True)[0]
    assert first.receipt_id == second.receipt_id == again.receipt_id
    assert (first.created, second.created, again.created) == (True, False, False)
    assert receive.take_in([first.receipt_id])[0].status == "created"
    outcome = receive.take_in([first.receipt_id])[0]
    assert outcome.status == "duplicate"
    assert outcome.ticket == Ticket.objects.get().pk


def test_the_same_message_by_other_bytes_is_one_message(take: Take) -> None:
    created = take("m1", subject="a")
    outcome = take("m1", subject="a", payload={"hop": 2})
    assert (outcome.status, outcome.ticket, outcome.message) == ("duplicate", created.ticket, created.message)
    assert Message.objects.count() == 1
    assert not MessageCopy.objects.exists()


def test_a_copy_in_another_mailbox_is_a_row_of_its_own(take: Take) -> None:
    other = Channel.objects.create(kind="paper", name="Sales", slug="sales", addresses=["sales@example.org"])
    created = take("m1")
    outcome = take("m1", channel=other)
    assert (outcome.status, outcome.ticket) == ("duplicate", created.ticket)
    assert MessageCopy.objects.get().channel == other


def test_batch_threads_within_itself_and_in_order(desk: Channel) -> None:
    raws = [raw(f"m{n}", references=[f"m{n - 1}"] if n else [], text=f"turn {n}") for n in range(60)]
    ids = [one.receipt_id for one in receive.store(desk, raws, claim=True)]
    outcomes = receive.take_in(ids)
    assert [outcome.status for outcome in outcomes] == ["created", *["appended"] * 59]
    ticket = Ticket.objects.get()
    assert ticket.message_count == 60
    assert list(ticket.messages.order_by("id").values_list("text", flat=True)) == [f"turn {n}" for n in range(60)]


def test_one_that_cannot_be_parsed_blocks_nothing(desk: Channel) -> None:
    raws = [raw("m1"), raw("bad", nonsense=1), raw("m3", sender="omar@example.com"), raw("m4", ignore="our own echo")]
    ids = [one.receipt_id for one in receive.store(desk, raws, claim=True)]
    outcomes = receive.take_in(ids)
    assert [outcome.status for outcome in outcomes] == ["created", "failed", "created", "ignored"]
    assert "nonsense" in Receipt.objects.get(pk=ids[1]).reason
    assert outcomes[3].reason == "our own echo"


def test_one_that_cannot_be_applied_fails_alone(desk: Channel) -> None:
    raws = [raw("m1"), raw("m2", sender="x@example.com", text="a\x00b"), raw("m3", sender="y@example.com")]
    ids = [one.receipt_id for one in receive.store(desk, raws, claim=True)]
    outcomes = receive.take_in(ids)
    assert [outcome.status for outcome in outcomes] == ["created", "failed", "created"]
    assert Receipt.objects.get(pk=ids[1]).state == ReceiptState.FAILED
    retrying.retry(Receipt.objects.get(pk=ids[1]), by=None)
    assert Receipt.objects.get(pk=ids[1]).state == ReceiptState.NEW


def test_a_receipt_that_stops_workers_is_set_aside(desk: Channel) -> None:
    pk = receive.store(desk, [raw("m1")], claim=True)[0].receipt_id
    Receipt.objects.update(attempts=parsing.MAX_ATTEMPTS, next_attempt_at=timezone.now())
    assert receive.claim() == [pk]
    assert receive.take_in([pk])[0].status == "failed"


def test_large_raw_lies_in_storage(desk: Channel) -> None:
    pk = receive.store(desk, [raw("m1", text="x" * 400_000)], claim=True)[0].receipt_id
    receipt = Receipt.objects.get(pk=pk)
    assert receipt.raw is None and receipt.stored
    assert receive.take_in([pk])[0].status == "created"


def test_an_answer_waits_for_the_message_it_answers(desk: Channel) -> None:
    first = receive.store(desk, [raw("m1")], claim=True)[0].receipt_id
    second = receive.store(desk, [raw("m2", references=["m1"])], claim=True)[0].receipt_id
    assert receive.take_in([second])[0].status == "postponed"
    assert receive.take_in([first])[0].status == "created"
    assert receive.take_in([second])[0].status == "appended"


def test_an_answer_to_an_answer_that_waits_waits_too(desk: Channel) -> None:
    first = receive.store(desk, [raw("m1")], claim=True)[0].receipt_id
    raws = [raw("m2", references=["m1"]), raw("m3", references=["m2"]), raw("m4")]
    others = [one.receipt_id for one in receive.store(desk, raws, claim=True)]
    assert [outcome.status for outcome in receive.take_in(others)] == ["postponed", "postponed", "created"]
    assert set(Receipt.objects.filter(pk__in=others[:2]).values_list("attempts", flat=True)) == {0}
    receive.take_in([first])
    assert [outcome.status for outcome in receive.take_in(others[:2])] == ["appended", "appended"]
    assert Ticket.objects.count() == 2


def test_reference_of_a_stranger_opens_a_new_ticket(take: Take) -> None:
    created = take("m1")
    outcome = take("m2", sender="mallory@example.net", references=["m1"])
    assert outcome.status == "created"
    assert outcome.ticket != created.ticket


def test_someone_in_copy_joins_by_reference(take: Take) -> None:
    created = take("m1", cc=["bilal@example.com"])
    outcome = take("m2", sender="bilal@example.com", references=["m1"])
    assert (outcome.ticket, outcome.rule) == (created.ticket, "reference")
    ticket = Ticket.objects.get()
    assert ticket.customer.identities.get().value == "ayesha@example.com"


def test_number_in_subject_needs_a_participant(take: Take) -> None:
    created = take("m1")
    assert take("m2", subject=f"Re: #{created.ticket}").rule == "subject_number"
    assert take("m3", sender="mallory@example.net", subject=f"Re: #{created.ticket}").status == "created"


def test_token_brings_a_stranger_in_unverified(take: Take, desk: Channel, sana: Agent) -> None:
    created = take("m1")
    outcome = take("m2", sender="colleague@example.net", payload={"signed_tickets": [created.ticket]})
    assert (outcome.ticket, outcome.rule) == (created.ticket, "token")
    message = Message.objects.get(pk=outcome.message)
    assert message.unverified
    to, cc = recipients.default_recipients(Ticket.objects.get())
    assert [one["address"] for one in to] == ["ayesha@example.com"]
    assert cc == []
    assert take("m3", sender="colleague@example.net", references=["m2"]).ticket != created.ticket
    from inbox.actions import messages

    messages.confirm_sender(message, by=sana)
    assert [one["address"] for one in recipients.default_recipients(Ticket.objects.get(pk=created.ticket))[1]] == [
        "colleague@example.net"
    ]


def test_solved_ticket_opens_again_within_the_window(take: Take, sana: Agent) -> None:
    created = take("m1", subject="Parcel")
    ticket = Ticket.objects.get()
    tickets.set_status(ticket, Status.SOLVED, by=sana)
    assert take("m2", subject="AW: Re: Parcel", references=["m1"]).ticket == created.ticket
    ticket.refresh_from_db()
    assert (ticket.status, ticket.reopen_count, ticket.solved_at) == (Status.OPEN, 1, None)


def test_changed_subject_on_a_solved_ticket_is_a_follow_up(take: Take, sana: Agent) -> None:
    created = take("m1", subject="Parcel")
    tickets.set_status(Ticket.objects.get(), Status.SOLVED, by=sana)
    outcome = take("m2", subject="A new order", references=["m1"])
    assert (outcome.status, outcome.rule) == ("created", "follow_up")
    assert Ticket.objects.get(pk=outcome.ticket).links.get().target_id == created.ticket


def test_long_solved_and_closed_tickets_get_a_follow_up(take: Take, sana: Agent) -> None:
    take("m1", subject="Parcel")
    tickets.set_status(Ticket.objects.get(), Status.SOLVED, by=sana)
    Ticket.objects.update(solved_at=timezone.now() - timedelta(days=15))
    assert take("m2", subject="Re: Parcel", references=["m1"]).rule == "follow_up"


def test_automatic_mail_opens_nothing_again(take: Take, sana: Agent) -> None:
    created = take("m1", subject="Parcel")
    tickets.set_status(Ticket.objects.get(), Status.SOLVED, by=sana)
    outcome = take("m2", subject="Out of office", references=["m1"], kind="auto_reply")
    assert outcome.ticket == created.ticket
    assert Ticket.objects.get().status == Status.SOLVED


def test_pending_ticket_opens_and_snooze_ends(take: Take, sana: Agent) -> None:
    take("m1")
    ticket = tickets.set_status(Ticket.objects.get(), Status.PENDING, by=sana)
    tickets.snooze(ticket, timezone.now() + timedelta(days=1), by=sana)
    take("m2", references=["m1"])
    ticket.refresh_from_db()
    assert (ticket.status, ticket.snoozed_until) == (Status.OPEN, None)


def test_a_mail_that_was_held_up_does_not_turn_the_clock_back(desk: Channel, sana: Agent) -> None:
    now = timezone.now()

    def arrived(key: str, before: timedelta, text: str) -> Ticket:
        """Take in what reached us a while ago."""
        held = replace(raw(key, text=text, references=["m1"] if key != "m1" else []), at=now - before)
        outcome = receive.take_in([receive.store(desk, [held], claim=True)[0].receipt_id])[0]
        return Ticket.objects.get(pk=outcome.ticket)

    hour = timedelta(hours=1)
    arrived("m1", 3 * hour, "first")
    arrived("m3", hour, "newest")
    ticket = arrived("m2", 2 * hour, "held up")
    assert (ticket.message_count, ticket.preview) == (3, "newest")
    assert ticket.last_message_at == ticket.last_customer_message_at == now - hour
    assert ticket.waiting_since == now - 3 * hour
    reply.reply(ticket, by=sana, text="answered")
    ticket = arrived("m4", hour / 2, "held up longer")
    assert (ticket.status, ticket.preview, ticket.last_direction) == (Status.OPEN, "answered", "out")
    assert ticket.waiting_since == now - hour / 2


def test_an_answer_to_our_signed_address_makes_no_participant_of_it(take: Take, sana: Agent) -> None:
    first = take("m1")
    take("m2", references=["m1"], to=["desk+t1.abcdefgh@example.org"], reply_to=["desk+t1.abcdefgh@example.org"])
    ticket = Ticket.objects.get(pk=first.ticket)
    assert ticket.message_count == 2
    assert list(Customer.objects.values_list("identities__value", flat=True)) == ["ayesha@example.com"]
    answer = reply.reply(ticket, by=sana, text="Tomorrow.")
    assert [one["address"] for one in [*answer.to, *answer.cc]] == ["ayesha@example.com"]


def test_our_own_address_is_never_a_customer(take: Take) -> None:
    form = take("m1", sender="desk@example.org", reply_to=["ayesha@example.com"])
    assert Ticket.objects.get(pk=form.ticket).customer.identities.get().value == "ayesha@example.com"
    alone = take("m2", sender="desk@example.org")
    assert alone.status == "created"
    assert not Identity.objects.filter(value="desk@example.org").exists()


def test_no_sender_at_all_is_kept(take: Take) -> None:
    assert take("m1", sender="").status == "created"
    assert Customer.objects.get().name == ""


def test_queries_do_not_grow_with_the_batch(desk: Channel) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for size in (5, 40):
        raws = [raw(f"{size}-{n}", sender=f"{size}-{n}@example.com") for n in range(size)]
        ids = [one.receipt_id for one in receive.store(desk, raws, claim=True)]
        with CaptureQueriesContext(connection) as queries:
            receive.take_in(ids)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 25


def test_preview_writes_nothing(desk: Channel) -> None:
    outcome = receive.preview(desk, raw("m1", subject="Parcel"))
    assert (outcome.status, outcome.ticket, outcome.rule) == ("created", None, "new")
    assert not Ticket.objects.exists() and not Receipt.objects.exists()


def test_who_needs_the_outcome_waits_only_so_long(desk: Channel) -> None:
    receive.store(desk, [raw("m1")], claim=True)
    second = receive.store(desk, [raw("m2", references=["m1"])], claim=True)[0].receipt_id
    assert receive.take_in_now([second], seconds=0.3)[0].status == "created"


def test_storage_that_is_away_fails_no_mail(desk: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    pk = receive.store(desk, [raw("m1", text="x" * 400_000)], claim=True)[0].receipt_id

    def away(_name: str) -> bytes:
        raise files.StoreAway("no space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(files, "get", away)
        assert receive.take_in([pk])[0].status == "failed"
    receipt = Receipt.objects.get()
    assert (receipt.state, receipt.reason) == (ReceiptState.NEW, "no space left on device")
    assert receive.take_in([pk])[0].status == "created"


def test_a_torn_file_is_written_again() -> None:
    name, _ = files.put("attachments", b"whole")
    Path(default_storage.path(name)).write_bytes(b"")
    assert files.put("attachments", b"whole")[0] == name
    assert files.get(name) == b"whole"


def test_a_person_behind_a_mailing_list_is_heard(take: Take, sana: Agent) -> None:
    created = take("m1", subject="Parcel")
    tickets.set_status(Ticket.objects.get(), Status.SOLVED, by=sana)
    assert take("m2", subject="Re: Parcel", references=["m1"], kind="list").ticket == created.ticket
    ticket = Ticket.objects.get()
    assert (ticket.status, ticket.waiting_since is None) == (Status.OPEN, False)


def test_those_who_got_a_copy_see_the_ticket(take: Take, desk: Channel) -> None:
    legal = Channel.objects.create(kind="paper", name="Legal", slug="legal")
    for channel in (desk, legal):
        team = Team.objects.create(name=channel.name, slug=channel.slug)
        channel.teams.add(team)
        member = Agent.objects.create_user(f"{channel.slug}@example.com", name=channel.name)
        member.teams.add(team)
    created = take("m1")
    outsider = Agent.objects.get(email="legal@example.com")
    assert not access.tickets(outsider).exists()
    take("m1", channel=legal)
    outsider = Agent.objects.get(email="legal@example.com")
    assert access.get_ticket(outsider, created.ticket or 0).pk == created.ticket
    assert access.sees(outsider, Ticket.objects.get())


def test_a_follow_up_of_a_private_ticket_stays_private(take: Take, sana: Agent) -> None:
    private = Team.objects.create(name="Legal", slug="legal", private=True)
    created = take("m1", subject="Parcel")
    Ticket.objects.filter(pk=created.ticket).update(team=private, status=Status.CLOSED)
    outcome = take("m2", subject="Re: Parcel", references=["m1"])
    assert Ticket.objects.get(pk=outcome.ticket).team == private
