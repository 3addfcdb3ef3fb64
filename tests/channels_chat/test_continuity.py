"""A visitor who is gone gets our answer by e-mail, once; theirs comes back into the ticket and proves who they are."""

import email
import email.policy
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from channels_chat import history, letters
from channels_chat.actions import continuity, identify
from channels_chat.models import Visitor
from inbox import log
from inbox.actions import customers, merge, messages, reply, tickets, uploads
from inbox.adapters import Party, adapter_for
from inbox.models import Agent, Channel, Customer, Event, Identity, Message, Participant, Role, Ticket
from tests.channels_chat import people
from tests.channels_chat.people import ALI, answers, leaves, mail_back, mails, says

pytestmark = pytest.mark.django_db


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@rabta.example", name="Sana", role=Role.AGENT)


@pytest.fixture
def box(db: None) -> Channel:
    return people.mailbox()


@pytest.fixture
def shop(box: Channel) -> Channel:
    return people.shop()


def rendered(mail: Message) -> Any:
    raw, kind = adapter_for("email").raw(mail)
    assert kind == "message/rfc822"
    return email.message_from_bytes(raw, policy=email.policy.default)


def test_whoever_wants_nothing_by_mail_gets_no_chat_by_mail(shop: Channel, box: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, name="Ali", email=ALI)
    answers(ticket, sana, "It left yesterday.")
    leaves(visitor)
    Customer.objects.filter(pk=ticket.customer_id).update(opt_outs=["email"])
    assert continuity.sweep() == 0
    Customer.objects.filter(pk=ticket.customer_id).update(opt_outs=[])
    leaves(visitor)
    assert continuity.sweep() == 1


def test_an_answer_that_they_did_not_see_goes_by_mail(shop: Channel, box: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, name="Ali", email=ALI)
    first = answers(ticket, sana, "It left yesterday.")
    upload = uploads.upload(by=sana, name="label.txt", content_type="text/plain", content=b"the label")
    second = answers(ticket, sana, "Here is the <label>.", attachments=[upload.pk])
    leaves(visitor)
    ticket.refresh_from_db()
    before = {name: getattr(ticket, name) for name in ("status", "waiting_since", "first_replied_at", "preview")}
    assert continuity.sweep() == 1
    [mail] = mails(ticket)
    assert (mail.channel, mail.author_kind, mail.agent, mail.state) == (box, "system", None, "queued")
    assert mail.payload["continues"] == [first.pk, second.pk]
    found = rendered(mail)
    assert found["To"] == f"Ali <{ALI}>"
    assert found["From"].addresses[0].display_name == "Sana via Support"
    assert found["Reply-To"].addresses[0].username.startswith("support+t")
    assert found["Subject"] == "Re: Where is my order?"
    text = found.get_body(("plain",)).get_content()
    assert text.index("Hello Ali") < text.index("It left yesterday.") < text.index("Here is the <label>.")
    assert f"/chat/{shop.token}/" in text
    html = found.get_body(("html",)).get_content()
    assert "&lt;label&gt;" in html
    assert [one.get_content() for one in found.iter_attachments()] == ["the label"]
    ticket.refresh_from_db()
    assert {name: getattr(ticket, name) for name in before} == before
    assert ticket.message_count == Message.objects.filter(ticket=ticket).count()
    assert Participant.objects.filter(ticket=ticket).count() == 1
    # Never again; and the widget shows what was said, not the mail about it.
    leaves(visitor)
    assert continuity.sweep() == 0
    visitor.refresh_from_db()
    assert visitor.owed_at is None
    assert [one.pk for one in history.of(visitor)][-2:] == [first.pk, second.pk]
    event = Event.objects.get(kind="chat_mailed")
    assert ALI not in str(event.data)


def test_the_answer_to_the_mail_comes_back_and_proves_the_address(shop: Channel, box: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, email=ALI)
    answers(ticket, sana)
    leaves(visitor)
    continuity.sweep()
    before = Customer.objects.count()
    outcome = mail_back(mails(ticket)[0], "Thank you, and when does it come?")
    assert (outcome.ticket, outcome.rule) == (ticket.pk, "token")
    assert Customer.objects.count() == before
    claim = Identity.objects.get(value=ALI)
    assert (claim.customer_id, claim.verified_how) == (ticket.customer_id, "reply")
    ticket.refresh_from_db()
    assert ticket.reply_channel_id == box.pk
    said = answers(ticket, sana, "On Monday.")
    assert (said.channel_id, [one["address"] for one in said.to]) == (box.pk, [ALI])
    texts = [one.visible_text for one in history.of(visitor)]
    assert texts[-2:] == ["Thank you, and when does it come?", "On Monday."]
    leaves(visitor)
    assert continuity.sweep() == 0  # what goes by mail anyway goes once


@pytest.mark.parametrize(
    ("sender", "headers"),
    [
        ("friend@elsewhere.example", {}),  # forwarded, and answered from there
        (ALI, {"Auto_Submitted": "auto-replied"}),  # a machine
    ],
)
def test_nothing_else_proves_it(shop: Channel, sana: Agent, sender: str, headers: dict[str, str]) -> None:
    visitor, ticket = people.visitor(shop, email=ALI)
    answers(ticket, sana)
    leaves(visitor)
    continuity.sweep()
    assert mail_back(mails(ticket)[0], "Hm.", sender=sender, **headers).ticket == ticket.pk
    assert not Identity.objects.get(value=ALI).verified


def test_somebody_elses_address_stays_theirs(shop: Channel, sana: Agent) -> None:
    owner = customers.create(by=None, name="Owner", identities=[Party("email", ALI)])
    visitor, ticket = people.visitor(shop, email=ALI)
    answers(ticket, sana)
    leaves(visitor)
    continuity.sweep()
    outcome = mail_back(mails(ticket)[0], "It is me, really.")
    message = Message.objects.get(pk=outcome.message)
    assert (message.ticket_id, message.customer_id, message.unverified) == (ticket.pk, owner.pk, False)
    assert ticket.customer_id != owner.pk
    said = answers(ticket, sana, "Good.")
    assert [one["address"] for one in said.to] == [ALI]


def test_whoever_types_a_strangers_address_later_proves_nothing_with_their_own_mail(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, email="mallory@shop.example")
    answers(ticket, sana)
    leaves(visitor)
    continuity.sweep()
    [own] = mails(ticket)
    identify.claim(visitor, {"email": ALI})
    mail_back(own, "From the victim, honestly", sender=ALI)
    assert not Identity.objects.get(value=ALI).verified


def test_nothing_goes_while_they_may_still_see_it(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, email=ALI)
    said = answers(ticket, sana)
    assert continuity.sweep() == 0  # here
    leaves(visitor, seconds=30)
    assert continuity.sweep() == 0  # within the grace
    leaves(visitor)
    Visitor.objects.filter(pk=visitor.pk).update(gone_at=None)
    assert continuity.sweep() == 0  # came back
    messages.reported([said.pk], "read")
    leaves(visitor)
    assert continuity.sweep() == 0  # was seen
    assert mails(ticket) == []
    visitor.refresh_from_db()
    assert visitor.owed_at is None


def test_what_a_page_has_and_nobody_looked_at_goes_as_well(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, email=ALI)
    messages.reported([answers(ticket, sana).pk], "delivered")
    leaves(visitor)
    assert continuity.sweep() == 1


def test_whose_web_process_died_is_gone_as_well(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, email=ALI)
    answers(ticket, sana)
    leaves(visitor)
    Visitor.objects.filter(pk=visitor.pk).update(gone_at=None)
    assert continuity.sweep() == 0
    Visitor.objects.filter(pk=visitor.pk).update(last_seen_at=timezone.now() - timedelta(minutes=10))
    assert continuity.sweep() == 1


def test_one_mail_for_all_that_somebody_goes_on_writing(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, email=ALI)
    answers(ticket, sana, "First this.")
    leaves(visitor)
    answers(ticket, sana, "Then that.")
    assert continuity.sweep() == 0
    Message.objects.filter(ticket=ticket).update(created_at=timezone.now() - timedelta(seconds=90))
    assert continuity.sweep() == 1
    assert len(mails(ticket)[0].payload["continues"]) == 2
    answers(ticket, sana, "And one more thing.")
    leaves(visitor)
    assert continuity.sweep() == 1
    first, second = mails(ticket)
    assert second.in_reply_to == first.external_id
    assert "First this." not in second.text


def test_without_an_address_it_waits_in_the_widget(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop)
    answers(ticket, sana)
    leaves(visitor)
    assert continuity.sweep() == 0


def test_an_address_that_is_known_for_certain_serves_as_well(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop)
    customers.add_identity(ticket.customer, Party("email", "known@shop.example"), by=sana)
    answers(ticket, sana)
    leaves(visitor)
    assert continuity.sweep() == 1
    assert mails(ticket)[0].to[0]["address"] == "known@shop.example"


@pytest.mark.parametrize("what", ["no", "paused", "gone", "ours", "spam", "trash"])
def test_where_there_is_no_way_it_waits(box: Channel, sana: Agent, what: str) -> None:
    settings: dict[str, dict[str, Any]] = {
        "no": {"continuity": None},
        "gone": {"continuity": {"channel": "no-such"}},
    }
    shop = people.shop(**settings.get(what, {}))
    visitor, ticket = people.visitor(shop, email=people.SUPPORT if what == "ours" else ALI)
    answers(ticket, sana)
    if what == "paused":
        Channel.objects.filter(pk=box.pk).update(paused=True)
    if what == "spam":
        tickets.set_spam(ticket, True, by=sana)
    if what == "trash":
        Ticket.objects.filter(pk=ticket.pk).update(trashed_at=timezone.now())
    leaves(visitor)
    assert continuity.sweep() == 0
    assert mails(ticket) == []


def test_the_mailbox_is_the_named_one_or_the_brands(shop: Channel, box: Channel) -> None:
    assert continuity.mailbox(shop) == box
    brands = people.mailbox(slug="brand", name="Brand", addresses=["brand@rabta.example"], brand=shop.brand)
    assert continuity.mailbox(shop) == brands
    shop.settings = {"continuity": {"channel": "support", "after": 300}}
    assert continuity.mailbox(shop) == box
    assert continuity.after(shop) == timedelta(seconds=300)


def test_what_is_said_to_another_visitor_in_a_merged_ticket_is_not_theirs(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, email=ALI)
    other, others = people.visitor(shop, email="other@shop.example", said="Something else")
    answers(others, sana, "For the other one alone.")
    merge.merge(others, into=ticket, by=sana)
    leaves(visitor)
    leaves(other)
    assert continuity.sweep() == 1
    assert [mail.to[0]["address"] for mail in mails(ticket)] == ["other@shop.example"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Click http://evil.example", "Buy at https://evil.example/x now"),
        ("evil.example", "//evil.example"),
        ("<a href=//evil.example>x</a>", "<a href='javascript:alert(1)'>win</a> www.evil.example"),
        ("A\r\nBcc: all@shop.example", "mailto:all@shop.example\r\nBcc: all@shop.example"),
        ("x" * 190, "."),
    ],
)
def test_nothing_that_a_visitor_typed_becomes_a_link_or_a_header(
    shop: Channel, sana: Agent, name: str, said: str
) -> None:
    visitor, ticket = people.visitor(shop, name=name, email=ALI, said=said)
    answers(ticket, sana)
    leaves(visitor)
    assert continuity.sweep() == 1
    found = rendered(mails(ticket)[0])
    whole = f"{found['Subject']} {found['To']} {found.get_body(('plain',)).get_content()}"
    assert "evil.example" not in whole
    assert "all@shop.example" not in whole
    assert found["Bcc"] is None


def test_it_is_said_in_the_visitors_language(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, email=ALI, said="…")
    Visitor.objects.filter(pk=visitor.pk).update(language="ur", time_zone="Asia/Karachi")
    answers(ticket, sana, "کل")
    leaves(visitor)
    assert continuity.sweep() == 1
    [mail] = mails(ticket)
    assert mail.language == "ur"
    assert 'lang="ur"' in rendered(mail).get_body(("html",)).get_content()


def test_the_page_they_were_on_is_named_only_where_the_channel_knows_its_site(shop: Channel, sana: Agent) -> None:
    visitor, _ticket = people.visitor(shop, email=ALI)
    visitor.pages = [{"url": "https://evil.example/x?session=1"}]
    assert letters.page_of(visitor).endswith(f"/chat/{shop.token}/")
    shop.settings = {"origins": ["https://shop.example"]}
    visitor.channel = shop
    assert letters.page_of(visitor).endswith(f"/chat/{shop.token}/")
    visitor.pages = [{"url": "https://shop.example/cart?secret=1#x"}]
    assert letters.page_of(visitor) == "https://shop.example/cart"


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_a_death_in_between_make_one_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    sana = Agent.objects.create_user("sana@rabta.example", name="Sana", role=Role.AGENT)
    people.mailbox()
    visitor, ticket = people.visitor(people.shop(), email=ALI)
    answers(ticket, sana)
    leaves(visitor)

    def dies(*_args: Any, **_kwargs: Any) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patched:  # after the mail's row was written, before the commit
        patched.setattr(log, "record", dies)
        with pytest.raises(SystemExit):
            continuity.sweep()
    assert mails(ticket) == []
    counts: list[int] = []
    start = threading.Barrier(3)

    def work() -> None:
        start.wait()
        try:
            counts.append(continuity.sweep())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sum(counts) == 1
    assert len(mails(ticket)) == 1


def test_taking_our_answer_back_leaves_nothing_to_carry(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, email=ALI)
    said = answers(ticket, sana)
    Message.objects.filter(pk=said.pk).update(deleted_at=timezone.now())
    leaves(visitor)
    assert continuity.sweep() == 0


def test_an_agent_who_writes_to_the_claimed_address_makes_no_second_customer(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, email=ALI)
    box = Channel.objects.get(kind="email")
    before = Customer.objects.count()
    reply.reply(ticket, by=sana, text="By mail, then.", channel=box, to=[{"name": "", "address": ALI}])
    assert Customer.objects.count() == before
    assert not Identity.objects.get(value=ALI).verified
    assert says(visitor, "Got it").customer_id == ticket.customer_id


def test_a_chat_is_about_what_was_said_first(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, email=ALI, said="Is #7 " + "really " * 30 + "mine?")
    says(visitor, "And another thing")
    ticket.refresh_from_db()
    assert ticket.subject.startswith("Is #7 really") and len(ticket.subject) <= 81
    assert not Message.objects.exclude(subject="").exists()
    answers(ticket, sana)
    leaves(visitor)
    continuity.sweep()
    assert mails(ticket)[0].subject == f"Re: {ticket.subject}"
