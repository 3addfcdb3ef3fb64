"""Side conversations: the third party and the customer never meet, answers come back, the customer's clocks run on."""

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from channels_email import render
from inbox.actions import erasing, merge, messages, receive, reply, scheduling, side, split, tickets, uploads
from inbox.actions.errors import ActionError
from inbox.adapters import Party, RawReceipt
from inbox.models import Agent, Attachment, Channel, Draft, Event, Message, Participant, SideConversation, Ticket
from tests.cast import bilal, question, sana, support, team
from tests.paper import Paper

__all__ = ["bilal", "sana", "support", "team"]
pytestmark = pytest.mark.django_db
STORE = [{"name": "Warehouse", "address": "store@warehouse.example"}]
FACTS = ("status", "waiting_since", "last_customer_message_at", "first_replied_at", "preview", "last_message_at",
         "last_direction", "reply_channel_id", "snoozed_until", "reopen_count", "assignee_id")  # fmt: skip
Mail = Callable[..., Message]


@pytest.fixture
def ticket(support: Channel) -> Ticket:
    support.settings = {**support.settings, "plus_addressing": True}
    support.save()
    return question(support, "Where is my parcel?")


@pytest.fixture
def mail(support: Channel) -> Mail:
    """Somebody's mail, as it arrives."""

    def send(sender: str, text: str, *, to: str = "support@example.org", **headers: str) -> Message:
        made = EmailMessage()
        made["From"], made["To"], made["Message-ID"] = sender, to, f"<{abs(hash((sender, text)))}@there.example>"
        for name, value in {"Subject": "Re: parcel", **headers}.items():
            made[name.replace("_", "-")] = value
        made.set_content(text)
        [stored] = receive.store(support, [RawReceipt(made.as_bytes(), external_id=f"{hash(text)}")], claim=True)
        [outcome] = receive.take_in([stored.receipt_id])
        return Message.objects.get(pk=outcome.message)

    return send


def facts(ticket: Ticket) -> dict[str, Any]:
    row = Ticket.objects.get(pk=ticket.pk)
    return {name: getattr(row, name) for name in FACTS}


def test_an_answer_by_reply_to_or_by_reference_comes_back_into_it(ticket: Ticket, sana: Agent, mail: Mail) -> None:
    before = facts(ticket)
    asked = side.start(ticket, by=sana, to=STORE, subject="Parcel 7", text="Do you have it?")
    back = asked.reply_to[0]["address"]
    by_token = mail("store@warehouse.example", "Yes, on shelf 3.", to=back)
    by_id = mail("store@warehouse.example", "Or 4.", In_Reply_To=f"<{asked.external_id}>")
    by_theirs = mail("store@warehouse.example", "5, in the end.", References=f"<{by_id.external_id}>")
    held = SideConversation.objects.get(pk=asked.side_id)
    assert {one.side_id for one in (by_token, by_id, by_theirs)} == {held.pk} and held.answered
    assert not any(one.unverified for one in (by_token, by_id, by_theirs))
    assert facts(ticket) == before
    assert Ticket.objects.get(pk=ticket.pk).message_count == 5
    assert Participant.objects.filter(ticket=ticket).count() == 1
    kinds = set(Event.objects.filter(ticket=ticket).values_list("kind", flat=True))
    assert kinds == {
        "ticket_created",
        "message_received",
        "side_started",
        "side_message_added",
        "side_message_received",
    }
    again = side.answer(held, by=sana, text="Send it.")
    assert ([one["address"] for one in again.to], again.in_reply_to) == (
        ["store@warehouse.example"],
        by_theirs.external_id,
    )
    assert again.external_id.split(".")[1] == f"s{held.pk}" and not SideConversation.objects.get(pk=held.pk).answered


def test_the_customer_never_sees_it(ticket: Ticket, sana: Agent, mail: Mail) -> None:
    asked = side.start(ticket, by=sana, to=STORE, text="The zebra is late.", subject="Zebra")
    mail("store@warehouse.example", "The zebra left.", to=asked.reply_to[0]["address"])
    told = reply.reply(ticket, by=sana, text="It is on its way.")
    left = render.render(told)
    assert b"zebra" not in left.lower() and b"warehouse" not in left and asked.external_id.encode() not in left
    assert [one["address"] for one in told.to] == ["ayesha@example.com"] and told.cc == []
    assert b"ayesha" not in render.render(asked).lower()
    # What she answers is the ticket's, even where somebody gave her the way into the side conversation.
    for way in ({"to": told.reply_to[0]["address"]}, {"to": asked.reply_to[0]["address"]}):
        said = mail("ayesha@example.com", f"Thanks {way}", **way)
        assert (said.side_id, said.unverified, said.ticket_id) == (None, False, ticket.pk)
    with pytest.raises(ActionError):
        side.start(ticket, by=sana, to=[{"name": "", "address": "Ayesha@example.com"}], text="x")
    with pytest.raises(ActionError):
        side.start(ticket, by=sana, to=[{"name": "", "address": "support@example.org"}], text="x")


def test_nothing_of_it_gets_into_a_reply_or_counts_as_one(ticket: Ticket, sana: Agent) -> None:
    reply.reply(ticket, by=sana, text="One moment.")
    before = facts(ticket)
    asked = side.start(ticket, by=sana, to=STORE, text="The zebra is late.", subject="Zebra")
    with pytest.raises(ActionError):
        scheduling.retime(asked, timezone.now() + timedelta(hours=1), by=sana)
    with pytest.raises(ActionError):
        side.start(ticket, by=sana, to=[{"name": "", "address": "other@warehouse.example"}], forwards=[asked])
    messages.fail(messages.lock(asked.pk), "550 no such user")
    with pytest.raises(ActionError):
        scheduling.take_back(asked, by=sana)
    assert facts(ticket) == before and not Draft.objects.exists()
    assert split.split(ticket, [asked.pk], by=sana).subject == ticket.subject


def test_whom_a_third_party_puts_in_copy_still_speaks_in_the_ticket(ticket: Ticket, sana: Agent, mail: Mail) -> None:
    asked = side.start(ticket, by=sana, to=STORE, text="Do you have it?")
    back = asked.reply_to[0]["address"]
    told = mail("store@warehouse.example", "Yes, Ayesha.", to=back, Cc="ayesha@example.com")
    tickets.set_status(ticket, "pending", by=sana)
    for way in ({"to": back}, {"In_Reply_To": f"<{told.external_id}>"}):
        said = mail("ayesha@example.com", f"But when? {way}", **way)
        assert (said.side_id, said.unverified, said.ticket_id) == (None, False, ticket.pk)
    assert Ticket.objects.get(pk=ticket.pk).status == "open"


def test_a_stranger_with_the_token_is_not_believed_and_without_it_not_let_in(
    ticket: Ticket, sana: Agent, mail: Mail
) -> None:
    asked = side.start(ticket, by=sana, to=STORE, text="Do you have it?")
    stranger = mail("eve@example.net", "I am the warehouse.", to=asked.reply_to[0]["address"])
    assert (stranger.side_id, stranger.unverified) == (asked.side_id, True)
    assert side.recipients(SideConversation.objects.get(pk=asked.side_id))[0] == STORE
    mail("store@warehouse.example", "Here.", to=asked.reply_to[0]["address"])
    copied = Message.objects.filter(side=asked.side_id).latest("pk")
    without = mail("eve@example.net", "And I again.", References=f"<{copied.external_id}>")
    assert without.ticket_id != ticket.pk and without.side_id is None
    broken = asked.reply_to[0]["address"].replace("+s", "+t")
    assert mail("store@warehouse.example", "Forged.", to=broken).ticket_id != ticket.pk


@pytest.mark.parametrize(
    ("before", "after"), [("on_hold", "open"), ("pending", "pending"), ("solved", "solved"), ("open", "open")]
)
def test_an_answer_wakes_what_waits_for_it_and_nothing_else(
    ticket: Ticket, sana: Agent, mail: Mail, before: str, after: str
) -> None:
    asked = side.start(ticket, by=sana, to=STORE, text="Do you have it?")
    tickets.set_status(ticket, before, by=sana)
    mail("store@warehouse.example", "Out of office.", to=asked.reply_to[0]["address"], Auto_Submitted="auto-replied")
    held = SideConversation.objects.get(pk=asked.side_id)
    assert (Ticket.objects.get(pk=ticket.pk).status, held.answered) == (before, False)
    side.set_closed(held, True, by=sana)
    mail("store@warehouse.example", "Yes.", to=asked.reply_to[0]["address"])
    held.refresh_from_db()
    assert (Ticket.objects.get(pk=ticket.pk).status, held.answered, held.closed_at) == (after, True, None)


def test_a_forward_takes_text_and_files_along_without_copying_them(ticket: Ticket, sana: Agent) -> None:
    first = ticket.messages.get()
    Message.objects.filter(pk=first.pk).update(html="<p>It should be <b>here</b>.</p>")
    first.refresh_from_db()
    picture = uploads.upload(by=sana, name="slip.png", content_type="image/png", content=b"\x89PNG")
    Attachment.objects.filter(pk=picture.pk).update(message=first)
    internal = reply.note(ticket, by=sana, text="Between us.")
    with pytest.raises(ActionError):
        side.start(ticket, by=sana, to=STORE, forwards=[internal])
    told = side.start(ticket, by=sana, to=STORE, text="Please look.", forwards=[first])
    assert (told.subject, told.side and told.side.forwards_id) == ("Fwd: Where is my parcel?", first.pk)
    assert told.text.startswith("Please look.") and "It should be here by now." in told.text
    assert "ayesha@example.com" in told.text and "<b>here</b>" in told.html and "Please look." in told.html
    copy = told.attachments.get()
    assert (copy.stored, copy.name) == (picture.stored, "slip.png") and copy.pk != picture.pk


def test_merging_and_splitting_carry_it_along(ticket: Ticket, support: Channel, sana: Agent, mail: Mail) -> None:
    other = question(support, "Also mine", text="Second.")
    asked = side.start(ticket, by=sana, to=STORE, text="Do you have it?")
    merge.merge(ticket, other, by=sana)
    said = mail("store@warehouse.example", "Yes.", to=asked.reply_to[0]["address"])
    held = SideConversation.objects.get(pk=asked.side_id)
    assert (said.ticket_id, said.side_id, held.ticket_id) == (other.pk, held.pk, other.pk)
    merge.unmerge(ticket, by=sana)
    held.refresh_from_db()
    assert held.ticket_id == ticket.pk and set(held.messages.values_list("ticket", flat=True)) == {ticket.pk}
    reply.reply(ticket, by=sana, text="One moment.")
    new = split.split(ticket, [asked.pk, ticket.messages.conversation().earliest("pk").pk], by=sana)
    held.refresh_from_db()
    assert held.ticket_id == new.pk and set(held.messages.values_list("ticket", flat=True)) == {new.pk}
    apart = messages.move(said, to=None, by=sana)
    assert (apart.side_id, apart.ticket.customer.identities.get().value) == (None, "store@warehouse.example")


def test_whoever_is_erased_is_forgotten_there_too(ticket: Ticket, sana: Agent, mail: Mail) -> None:
    asked = side.start(ticket, by=sana, to=STORE, text="Do you have it, store@warehouse.example?", subject="x")
    other = mail("store@warehouse.example", "We begin a matter of our own.", Subject="Invoice")
    erasing.erase(other.ticket.customer, by=sana)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT count(*) FROM \"{table}\" t WHERE t::text ILIKE '%store@warehouse.example%'")
            assert cursor.fetchone() == (0,), table
    erasing.erase(Ticket.objects.get(pk=ticket.pk).customer, by=sana)
    assert SideConversation.objects.get(pk=asked.side_id).subject == ""
    assert Message.objects.get(pk=asked.pk).text == ""


def test_it_leaves_from_no_mailbox_that_its_writer_does_not_see(
    support: Channel, bilal: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Paper, "identity_kind", "counter")
    counter = Channel.objects.create(kind="paper", name="Counter", slug="counter")
    here = question(counter, "Where?", Party("counter", "ayesha"))
    with pytest.raises(ActionError, match="Connect a mailbox"):
        side.start(here, by=bilal, to=STORE, text="Do you have it?")
    support.teams.clear()
    del bilal._sight  # type: ignore[attr-defined]
    assert side.start(here, by=bilal, to=STORE, text="Do you have it?").channel == support
