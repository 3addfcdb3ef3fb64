"""Ten rounds with real servers: Postfix carries both ways, Dovecot keeps Ali's mail, our receiver takes his answers."""

import email.policy
import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import make_msgid

import pytest
from django.utils import timezone

from inbox import delivery
from inbox.actions import messages, receive, reply, tickets
from inbox.models import Agent, Channel, Message, Participant, Ticket
from tests.channels_email.conftest import SUPPORT, MakeChannel, Relay, receiving
from tests.servers.dovecot import Dovecot
from tests.servers.postfix import Postfix

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


@dataclass
class Correspondent:
    """A customer with a mailbox on Dovecot and a mail program made of smtplib, imapclient and email."""

    name: str
    postfix: Postfix
    dovecot: Dovecot

    @property
    def address(self) -> str:
        return f"{self.name}@customer.example"

    def inbox(self) -> list[EmailMessage]:
        self.postfix.wait_until_empty()
        return [message_from_bytes(raw, policy=email.policy.default) for raw in self.dovecot.mails(self.name)]

    def send(self, message: EmailMessage) -> None:
        message["Message-ID"] = make_msgid(domain="customer.example")
        message["From"] = self.address
        with smtplib.SMTP("127.0.0.1", self.postfix.port) as smtp:
            smtp.send_message(message)
        self.postfix.wait_until_empty()
        receive.take_in_waiting()

    def ask(self, text: str, subject: str = "My order", cc: str = "") -> None:
        message = EmailMessage()
        message["To"], message["Subject"] = SUPPORT, subject
        if cc:
            message["Cc"] = cc
        message.set_content(text)
        self.send(message)

    def answer(
        self, text: str, *, subject: str | None = None, strip: bool = False, plain_address: bool = False
    ) -> None:
        """Answer the last mail. `strip` is a mail system that drops both headers of the thread."""
        last = self.inbox()[-1]
        message = EmailMessage()
        message["To"] = SUPPORT if plain_address else str(last["Reply-To"] or last["From"])
        message["Subject"] = subject or str(last["Subject"])
        if not strip:
            message["In-Reply-To"] = last["Message-ID"]
            message["References"] = f"{last['References'] or ''} {last['Message-ID']}".strip()
        quoted = "\n".join(f"> {line}" for line in last.get_body(("plain",)).get_content().splitlines())
        message.set_content(f"{text}\n\nOn some day, Sana wrote:\n{quoted}\n")
        self.send(message)


@dataclass
class Desk:
    channel: Channel
    ali: Correspondent
    bilal: Correspondent
    carol: Correspondent

    def reply(self, ticket: Ticket, by: Agent, text: str) -> Message:
        message = reply.reply(Ticket.objects.get(pk=ticket.pk), by=by, text=text)
        assert delivery.deliver(self.channel.pk) == 1
        return message


@pytest.fixture
def desk(relay: Relay, dovecot: Dovecot, mailbox: str, make_channel: MakeChannel) -> Iterator[Desk]:
    smtp = {"host": "127.0.0.1", "port": relay.postfix.port, "security": "none"}
    channel = make_channel(smtp=smtp, plus_addressing=True)
    names = [f"{mailbox[-30:]}{name}" for name in ("ali", "bilal", "carol")]
    with receiving(smtp_port=relay.receiver_port):
        yield Desk(channel, *(Correspondent(name, relay.postfix, dovecot) for name in names))


def test_ten_rounds_stay_one_thread_on_both_sides(desk: Desk, sana: Agent) -> None:
    ali = desk.ali
    ali.ask("Where is my order?")
    ticket = Ticket.objects.get()
    for number in range(10):
        desk.reply(ticket, sana, f"answer {number}")
        match number:
            case 3:
                ali.answer("with another subject", subject="Something else entirely")
            case 5:
                ali.answer("without headers", strip=True)
            case 7:
                ali.answer("without the token", plain_address=True)
            case _:
                ali.answer(f"question {number}")
    assert Ticket.objects.count() == 1
    assert Message.objects.filter(direction="in").count() == 11
    rules = list(Message.objects.filter(direction="in").order_by("pk").values_list("thread_rule", flat=True))
    assert rules[0] == "new"
    assert set(rules[1:]) == {"token"}
    assert not Message.objects.filter(unverified=True).exists()

    received = ali.inbox()
    assert len({mail["Message-ID"] for mail in received}) == 10
    ours = {str(mail["Message-ID"]) for mail in received}
    theirs = {f"<{one}>" for one in Message.objects.filter(direction="in").values_list("external_id", flat=True)}
    for mail in received:
        assert str(mail["In-Reply-To"]) in theirs
        assert str(mail["In-Reply-To"]) in str(mail["References"])
    assert set(str(received[2]["References"]).split()) & ours  # our own earlier mail is named as well
    assert [mail["Subject"] for mail in received[:4]] == ["Re: My order"] * 4
    assert received[4]["Subject"] == "Re: Something else entirely"  # the subject of what is being answered
    visible = Message.objects.filter(direction="in", text__contains="question 0").get()
    assert visible.visible_text.strip() == "question 0"


def test_a_colleague_in_copy_joins_and_the_requester_stays(desk: Desk, sana: Agent) -> None:
    desk.ali.ask("Where is our order?", cc=desk.bilal.address)
    ticket = Ticket.objects.get()
    desk.reply(ticket, sana, "We are looking.")
    assert [mail["Subject"] for mail in desk.bilal.inbox()] == ["My order", "Re: My order"]
    desk.bilal.answer("I can tell you more.", plain_address=True)
    assert Ticket.objects.count() == 1
    message = Message.objects.filter(direction="in").latest("pk")
    assert (message.author_address, message.unverified) == (desk.bilal.address, False)
    ticket.refresh_from_db()
    requester = Participant.objects.get(ticket=ticket, role="requester")
    assert requester.identity.value == desk.ali.address
    sent = desk.reply(ticket, sana, "Thank you both.")
    assert [one["address"] for one in sent.to] == [desk.ali.address]
    assert [one["address"] for one in sent.cc] == [desk.bilal.address]


def test_a_forwarded_mail_joins_unverified_and_gets_no_answers(desk: Desk, sana: Agent) -> None:
    desk.ali.ask("Where is my order?")
    ticket = Ticket.objects.get()
    desk.reply(ticket, sana, "On its way.")
    forwarded = desk.ali.inbox()[-1]
    message = EmailMessage()
    message["To"], message["Subject"] = str(forwarded["Reply-To"]), "Fwd: My order"
    message.set_content("Ali sent me this, what is it?")
    desk.carol.send(message)
    assert Ticket.objects.count() == 1
    joined = Message.objects.filter(direction="in").latest("pk")
    assert (joined.author_address, joined.unverified, joined.thread_rule) == (desk.carol.address, True, "token")
    answer = desk.reply(ticket, sana, "Ali, who is this?")
    assert desk.carol.address not in str([*answer.to, *answer.cc])
    messages.confirm_sender(joined, by=sana)
    assert desk.carol.address in str(desk.reply(ticket, sana, "Hello Carol").cc)


def test_a_stranger_with_the_number_and_the_header_gets_a_ticket_of_her_own(desk: Desk, sana: Agent) -> None:
    desk.ali.ask("Where is my order?")
    ticket = Ticket.objects.get()
    first = Message.objects.get()
    message = EmailMessage()
    message["To"], message["Subject"] = SUPPORT, f"Re: My order #{ticket.pk}"
    message["In-Reply-To"] = f"<{first.external_id}>"
    message.set_content("Tell me all about it.")
    desk.carol.send(message)
    assert Ticket.objects.count() == 2


def test_a_solved_ticket_opens_again_unless_the_subject_is_new(desk: Desk, sana: Agent) -> None:
    desk.ali.ask("Where is my order?")
    ticket = Ticket.objects.get()
    desk.reply(ticket, sana, "On its way.")
    tickets.set_status(ticket, "solved", by=sana)
    desk.ali.answer("Still not here.")
    ticket.refresh_from_db()
    assert (ticket.status, ticket.reopen_count) == ("open", 1)
    tickets.set_status(ticket, "solved", by=sana)
    desk.ali.answer("Another matter.", subject="Invoice missing")
    assert Ticket.objects.count() == 2
    assert Ticket.objects.latest("pk").links.get().target_id == ticket.pk
    assert timezone.now() >= Ticket.objects.latest("pk").created_at


def test_a_bounce_from_postfix_comes_back_to_its_message(desk: Desk, sana: Agent) -> None:
    desk.ali.ask("Where is my order?")
    ticket = Ticket.objects.get()
    nobody = [{"name": "", "address": "nobody@rabta.example"}]
    message = reply.reply(ticket, by=sana, text="Hello?", to=nobody, cc=[])
    assert delivery.deliver(desk.channel.pk) == 1
    desk.ali.postfix.wait_until_empty()
    receive.take_in_waiting()
    message.refresh_from_db()
    assert message.state == "failed"
    assert "No such address here" in message.error
    assert Ticket.objects.get().delivery_failed
