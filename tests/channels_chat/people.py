"""A shop with a chat and a mailbox, for tests of who visitors are and of what reaches them when they are gone."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

from django.utils import timezone

from channels_chat import intake
from channels_chat.actions import identify, visitors
from channels_chat.models import Visitor
from channels_email.receipts import raw_receipt
from inbox.actions import receive, reply
from inbox.actions.work import Outcome
from inbox.models import Agent, Brand, Channel, Message, Ticket

ALI = "ali@shop.example"
SUPPORT = "support@rabta.example"


def mailbox(**more: Any) -> Channel:
    """A mailbox that is able to send."""
    values: dict[str, Any] = {"slug": "support", "name": "Support", "addresses": [SUPPORT], **more}
    settings = {"address": values["addresses"][0], "smtp": {"host": "127.0.0.1", "port": 1}, "plus_addressing": True}
    return Channel.objects.create(kind="email", settings=settings, **values)


def shop(**settings: Any) -> Channel:
    return Channel.objects.create(
        kind="chat", name="Shop", slug="shop", settings=settings, brand=Brand.objects.create(name="Karvaan")
    )


def visitor(channel: Channel, *, said: str = "Where is my order?", **claims: str) -> tuple[Visitor, Ticket]:
    """Somebody who typed `claims` and wrote."""
    row, _key = visitors.meet(channel, {"language": "en"})
    identify.claim(row, claims)
    return row, says(row, said).ticket


def says(row: Visitor, text: str) -> Message:
    row.refresh_from_db()
    [took] = intake.take([intake.Said(row.channel, row, uuid4().hex, text)])
    assert took is not None
    row.refresh_from_db()
    return Message.objects.get(pk=took.message)


def answers(ticket: Ticket, agent: Agent, text: str = "It left yesterday.", **more: Any) -> Message:
    ticket.refresh_from_db()
    return reply.reply(ticket, by=agent, text=text, **more)


def leaves(row: Visitor, seconds: int = 120) -> None:
    """Some time ago, and so did all that was said to them."""
    then = timezone.now() - timedelta(seconds=seconds)
    Visitor.objects.filter(pk=row.pk).update(gone_at=then)
    Visitor.objects.filter(pk=row.pk, owed_at__isnull=False).update(owed_at=then)
    Message.objects.filter(channel=row.channel_id).update(created_at=then)


def mails(ticket: Ticket) -> list[Message]:
    return list(Message.objects.filter(ticket=ticket, payload__has_key="continues").order_by("pk"))


def mail_back(mail: Message, text: str, *, sender: str = ALI, **headers: str) -> Outcome:
    """What comes back when `sender` answers our mail in a program for mail."""
    answer = EmailMessage()
    answer["From"] = f"Ali <{sender}>"
    answer["To"] = mail.reply_to[0]["address"]
    answer["Subject"] = f"Re: {mail.subject}"
    answer["Message-ID"] = f"<{uuid4().hex}@mail.example>"
    answer["In-Reply-To"] = f"<{mail.external_id}>"
    for name, value in headers.items():
        answer[name.replace("_", "-")] = value
    answer.set_content(text)
    [stored] = receive.store(mail.channel, [raw_receipt(answer.as_bytes())], claim=True)
    return receive.take_in([stored.receipt_id])[0]
