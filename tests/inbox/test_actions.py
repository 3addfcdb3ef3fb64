"""What agents do to tickets: once each, recorded, and counted right afterwards."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from inbox import acknowledge, files, log, wording
from inbox.actions import (
    base,
    customers,
    keeping,
    merge,
    messages,
    organisations,
    recipients,
    reply,
    sweeping,
    tickets,
    uploads,
)
from inbox.actions.errors import ActionError
from inbox.actions.work import Outcome
from inbox.adapters import Party
from inbox.models import Agent, Attachment, Channel, Event, Message, Receipt, Role, Status, Tag, Team, Ticket
from tests.cast import HELD_UP

pytestmark = pytest.mark.django_db
Take = Callable[..., Outcome]


@pytest.fixture
def ticket(take: Take) -> Ticket:
    return Ticket.objects.get(pk=take("m1", subject="Parcel").ticket)


def kinds_of(ticket: Ticket) -> list[str]:
    return list(Event.objects.filter(ticket=ticket).order_by("pk").values_list("kind", flat=True))


def test_no_change_leaves_no_event(ticket: Ticket, sana: Agent) -> None:
    before = kinds_of(ticket)
    tickets.set_status(ticket, Status.OPEN, by=sana)
    tickets.assign(ticket, by=sana, agent=None)
    tickets.set_tags(ticket, [], by=sana)
    tickets.set_priority(ticket, "normal", by=sana)
    tickets.set_subject(ticket, "Parcel", by=sana)
    tickets.set_spam(ticket, False, by=sana)
    assert kinds_of(ticket) == before


def test_changes_are_recorded_with_who(ticket: Ticket, sana: Agent) -> None:
    team = Team.objects.create(name="Orders", slug="orders")
    tickets.assign(ticket, by=sana, agent=sana, team=team)
    tickets.set_tags(ticket, ["urgent  parcel", "urgent parcel"], by=sana)
    tickets.set_status(ticket, Status.SOLVED, by=sana)
    tickets.set_status(ticket, Status.OPEN, by=sana)
    assert kinds_of(ticket)[2:] == ["assigned", "tags_changed", "status_changed", "reopened", "status_changed"]
    event = Event.objects.get(kind="assigned")
    assert (event.actor_id, event.data["to"], event.data["team_to"]) == (sana.pk, sana.pk, team.pk)
    assert Tag.objects.get().name == "urgent parcel"


def test_merge_moves_counts_and_locks(ticket: Ticket, sana: Agent, take: Take) -> None:
    other = Ticket.objects.get(pk=take("n1", sender="omar@example.com", text="me too").ticket)
    kept = merge.merge(other, ticket, by=sana)
    other.refresh_from_db()
    assert (kept.message_count, other.merged_into, other.status) == (2, ticket, Status.CLOSED)
    assert set(kept.participants.values_list("identity__value", "role")) == {
        ("ayesha@example.com", "requester"),
        ("omar@example.com", "cc"),
    }
    assert Message.objects.filter(first_ticket=other).get().ticket == ticket
    with pytest.raises(ActionError):
        reply.reply(other, by=sana, text="too late")
    outcome = take("n2", sender="omar@example.com", references=["n1"])
    assert outcome.ticket == ticket.pk
    follow = take("n3", sender="omar@example.com", subject=f"#{other.pk}")
    assert follow.ticket == ticket.pk
    with pytest.raises(ActionError):
        merge.merge(ticket, ticket, by=sana)


def test_move_to_a_new_ticket_recounts_both(ticket: Ticket, sana: Agent, take: Take) -> None:
    second = Message.objects.get(pk=take("m2", references=["m1"], subject="Another matter", text="also this").message)
    moved = messages.move(second, to=None, by=sana)
    ticket.refresh_from_db()
    assert (ticket.message_count, ticket.preview) == (1, "Where is my parcel?")
    assert (moved.ticket.message_count, moved.ticket.subject, moved.thread_rule) == (1, "Another matter", "moved")
    assert moved.ticket.waiting_since == moved.created_at
    back = messages.move(moved, to=ticket, by=sana)
    assert back.ticket == ticket
    ticket.refresh_from_db()
    assert ticket.message_count == 2


def test_open_ticket_writes_first(desk: Channel, sana: Agent) -> None:
    party = Party("email", "Dina@Example.com", "Dina")
    opened = tickets.open_ticket(by=sana, channel=desk, identity=party, subject="Your order", text="It shipped.")
    message = opened.messages.get()
    assert (message.to[0]["address"], opened.status, opened.first_replied_at) == ("Dina@Example.com", "pending", None)
    assert opened.customer.identities.get().value == "dina@example.com"
    with pytest.raises(ActionError):
        tickets.open_ticket(by=sana, channel=desk, identity=Party("email", "desk@example.org"), text="to ourselves")


def test_open_ticket_for_a_customer_who_told_us(desk: Channel, sana: Agent) -> None:
    party = Party("email", "dina@example.com", "Dina")
    opened = tickets.open_ticket(by=sana, channel=desk, identity=party, subject="x", text="told", direction="in")
    assert (opened.status, opened.message_count, opened.waiting_since is None) == ("open", 1, False)


def test_upload_is_used_once_by_its_owner(ticket: Ticket, sana: Agent) -> None:
    file = uploads.upload(by=sana, name="../../etc/passwd", content_type="text/plain", content=b"x")
    assert file.name == "passwd"
    message = reply.note(ticket, by=sana, text="see", attachments=[file.pk])
    assert message.attachments.get() == file
    with pytest.raises(ActionError):
        reply.note(ticket, by=sana, text="again", attachments=[file.pk])


def test_customer_edit_refuses_strange_fields(ticket: Ticket, sana: Agent) -> None:
    assert customers.update(ticket.customer, by=sana, name="Ayesha Khan").name == "Ayesha Khan"
    with pytest.raises(ValueError):
        customers.update(ticket.customer, by=sana, pk=3)


def test_sweeps_end_snoozes_and_close(ticket: Ticket, sana: Agent) -> None:
    tickets.snooze(ticket, timezone.now() + timedelta(hours=1), by=sana)
    assert sweeping.end_snoozes() == 0
    Ticket.objects.update(snoozed_until=timezone.now())
    assert sweeping.end_snoozes() == 1
    tickets.set_status(ticket, Status.SOLVED, by=sana)
    assert sweeping.close_solved() == 0
    Ticket.objects.update(solved_at=timezone.now() - timedelta(days=14, minutes=1))
    assert sweeping.close_solved() == 1
    ticket.refresh_from_db()
    assert (ticket.status, ticket.closed_at is None) == (Status.CLOSED, False)


def test_prune_forgets_rows_and_their_files(
    desk: Channel, sana: Agent, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    take("m1", text="x" * 400_000)
    other = Channel.objects.create(kind="paper", name="Sales", slug="sales")
    take("m1", text="x" * 400_000, channel=other)
    stored = Receipt.objects.values_list("stored", flat=True).distinct().get()
    upload = uploads.upload(by=sana, name="a", content_type="text/plain", content=b"never used")
    assert sweeping.prune() == 0
    monkeypatch.setattr(files, "KEEP", timedelta(0))
    old = timezone.now() - timedelta(days=400)
    Receipt.objects.filter(channel=desk).update(received_at=old)
    Attachment.objects.update(created_at=old)
    assert sweeping.prune() == 1
    assert default_storage.exists(stored) and not default_storage.exists(upload.stored)
    Receipt.objects.update(received_at=old)
    assert sweeping.prune() == 1
    assert not default_storage.exists(stored)


def _acknowledge_all() -> None:
    for event in Event.objects.filter(kind="ticket_created").order_by("pk"):
        acknowledge.acknowledge(event)


def test_acknowledgement_once_and_never_to_robots(desk: Channel, take: Take) -> None:
    desk.settings = {"acknowledgement": "We have your message."}
    desk.save()
    person = Ticket.objects.get(pk=take("m1", cc=["bilal@example.com"]).ticket)
    robot = Ticket.objects.get(pk=take("m2", sender="robot@example.com", suppress_auto_reply=True).ticket)
    _acknowledge_all()
    _acknowledge_all()
    sent = Message.objects.filter(ticket=person, direction="out").get()
    assert (sent.kind, sent.cc, [one["address"] for one in sent.to]) == ("auto_reply", [], ["ayesha@example.com"])
    assert not Message.objects.filter(ticket=robot, direction="out").exists()
    person.refresh_from_db()
    assert (person.status, person.waiting_since is None, person.assignee) == (Status.OPEN, False, None)


def test_acknowledgements_are_capped(desk: Channel, take: Take) -> None:
    desk.settings = {"acknowledgement": "We have your message."}
    desk.save()
    for n in range(6):
        take(f"m{n}")
    _acknowledge_all()
    assert Message.objects.filter(direction="out").count() == acknowledge.MAX_PER_HOUR


@pytest.mark.django_db(transaction=True)
def test_followers_read_each_event_once_and_start_over(ticket: Ticket) -> None:
    seen: list[int] = []

    def read_two() -> None:
        until = time.monotonic() + HELD_UP
        before = len(seen)
        while len(seen) < before + 2 and time.monotonic() < until:  # writers in any database of the server hold it up
            if not log.follow("test", lambda event: seen.append(event.pk)):
                time.sleep(0.05)

    read_two()
    assert log.follow("test", lambda event: seen.append(event.pk)) == 0
    log.rewind("test")
    read_two()
    assert len(seen) == 4 and seen[:2] == seen[2:] == sorted(seen[:2])


def test_merging_what_waits_into_what_is_solved_opens_it(ticket: Ticket, sana: Agent, take: Take) -> None:
    other = Ticket.objects.get(pk=take("n1", sender="omar@example.com").ticket)
    tickets.set_status(ticket, Status.SOLVED, by=sana)
    kept = merge.merge(other, ticket, by=sana)
    assert (kept.status, kept.waiting_since is None) == (Status.OPEN, False)


def test_an_archive_is_not_acknowledged(desk: Channel, take: Take) -> None:
    desk.settings = {"acknowledgement": "We have your message."}
    desk.save()
    take("m1")
    Message.objects.update(created_at=timezone.now() - timedelta(days=700))
    _acknowledge_all()
    assert not Message.objects.filter(direction="out").exists()


def test_a_forged_reply_to_takes_no_answer_away(ticket: Ticket, sana: Agent, take: Take) -> None:
    forged = take("m2", subject=f"#{ticket.pk}", reply_to=["mallory@example.net"])
    assert forged.ticket == ticket.pk
    assert [one["address"] for one in recipients.default_recipients(ticket)[0]] == ["ayesha@example.com"]
    signed = take("m3", payload={"signed_tickets": [ticket.pk]}, reply_to=["other@example.com"])
    assert signed.ticket == ticket.pk
    assert [one["address"] for one in recipients.default_recipients(ticket)[0]] == ["other@example.com"]


def test_a_tag_renamed_or_deleted_is_a_change_of_each_ticket_that_carries_it(
    ticket: Ticket, take: Take, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    sana.role = Role.ADMIN
    others = [Ticket.objects.get(pk=take(f"other {number}").ticket) for number in range(4)]
    for one in (ticket, *others[:2]):
        tickets.set_tags(one, ["late", "parcel"], by=sana)
    untouched = kinds_of(others[3])
    long_ago = timezone.now() - timedelta(days=1)
    Ticket.objects.update(updated_at=long_ago)
    told: list[list[int]] = []
    monkeypatch.setattr(base, "announce", lambda numbers: told.append(list(numbers)))
    monkeypatch.setattr(keeping, "BATCH", 2)
    tag = keeping.update_tag(Tag.objects.get(name="late"), by=sana, name="delayed")
    changed = [ticket.pk, others[0].pk, others[1].pk]
    assert told == [changed[:2], changed[2:]], "some at a time, in their order"
    assert set(Ticket.objects.filter(updated_at__gt=long_ago).values_list("pk", flat=True)) == set(changed)
    ticket.refresh_from_db()
    assert ticket.tags == ["delayed", "parcel"]
    event = Event.objects.filter(ticket=ticket).order_by("-pk")[0]
    assert (event.kind, event.data, event.actor_id) == (
        "tags_changed",
        {"added": [tag.pk], "removed": [], "renamed": True, "bulk": True},
        sana.pk,
    )
    Ticket.objects.update(updated_at=long_ago)
    keeping.delete_tag(tag, by=sana)
    assert set(Ticket.objects.filter(updated_at__gt=long_ago).values_list("pk", flat=True)) == set(changed)
    ticket.refresh_from_db()
    assert ticket.tags == ["parcel"] and kinds_of(ticket)[-1] == "tags_changed"
    assert kinds_of(others[3]) == untouched


def test_a_tag_that_is_merged_leaves_each_ticket_with_the_other_once(ticket: Ticket, take: Take, sana: Agent) -> None:
    sana.role = Role.ADMIN
    other = Ticket.objects.get(pk=take("other").ticket)
    tickets.set_tags(ticket, ["late", "parcel", "delayed"], by=sana)
    tickets.set_tags(other, ["late", "parcel"], by=sana)
    late, delayed = Tag.objects.get(name="late"), Tag.objects.get(name="delayed")
    keeping.merge_tag(late, delayed, by=sana)
    assert [one.tags for one in Ticket.objects.filter(pk__in=[ticket.pk, other.pk]).order_by("pk")] == [
        ["parcel", "delayed"],
        ["delayed", "parcel"],
    ]
    assert not Tag.objects.filter(name="late").exists()
    assert wording.sentence(Event.objects.filter(ticket=other).latest("pk"), {}) == "", "the ticket is as it was"


def test_an_organisation_deleted_is_a_change_of_its_tickets_and_people(ticket: Ticket, take: Take, sana: Agent) -> None:
    firm = organisations.create(by=sana, name="Zebraworks")
    customers.update(ticket.customer, by=sana, organisation=firm)
    Ticket.objects.filter(pk=ticket.pk).update(organisation=firm, updated_at=timezone.now() - timedelta(days=1))
    before = timezone.now() - timedelta(hours=1)
    organisations.delete(firm, by=sana)
    ticket.refresh_from_db()
    assert ticket.organisation_id is None and ticket.updated_at > before
    assert kinds_of(ticket)[-1] == "fields_changed"
    event = Event.objects.filter(ticket=None, kind="customer_changed").order_by("-pk")[0]
    assert event.data == {"customer": ticket.customer_id, "fields": ["organisation"]}
