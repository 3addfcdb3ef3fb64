"""What was said, quoted for somebody else: as mail programs forward, with who wrote it, when, and to whom."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from inbox.models import Direction, Message, Ticket
from inbox.threads import bare_subject


def subject(ticket: Ticket, forwards: Sequence[Message]) -> str:
    """`Fwd: …` of what is forwarded; the ticket's own subject where nothing is."""
    told = (forwards[0].subject if len(forwards) == 1 else "") or ticket.subject
    if not forwards:
        return told
    return f"Fwd: {told}" if bare_subject(told) or not told else told


def below(text: str, html: str, forwards: Sequence[Message]) -> tuple[str, str]:
    """The comment as text and HTML, and below it each of these messages with its head. HTML only where some has it."""
    rich = bool(html) or any(one.html for one in forwards)
    plain = "\n\n".join([text.rstrip(), *(_plain(one) for one in forwards)]).lstrip("\n")
    if not rich:
        return plain, ""
    comment = html or _paragraphs(text)
    return plain, "\n".join([comment, *(_rich(one) for one in forwards)])


def _head(message: Message) -> list[tuple[str, str]]:
    ours = message.direction == Direction.OUT
    address = message.payload.get("from", {}).get("address", "") if ours else message.author_address
    lines = [
        (_("From"), _person(message.author_name, address)),
        (_("Date"), date_format(timezone.localtime(message.created_at), "DATETIME_FORMAT")),
        (_("Subject"), message.subject),
        (_("To"), ", ".join(_person(one.get("name", ""), one["address"]) for one in message.to)),
        (_("Cc"), ", ".join(_person(one.get("name", ""), one["address"]) for one in message.cc)),
    ]
    return [(name, value) for name, value in lines if value]


def _person(name: str, address: str) -> str:
    return f"{name} <{address}>" if name and address and name != address else name or address


def _plain(message: Message) -> str:
    mark = _("Forwarded message")
    head = "\n".join(f"{name}: {value}" for name, value in _head(message))
    return f"---------- {mark} ----------\n{head}\n\n{message.text.strip()}\n"


def _rich(message: Message) -> str:
    mark = _("Forwarded message")
    head = "<br>\n".join(f"<b>{escape(name)}:</b> {escape(value)}" for name, value in _head(message))
    body = message.html or _paragraphs(message.text)
    line = f"<br>---------- {escape(mark)} ----------<br>\n{head}<br><br>"
    return f'<div dir="auto">{line}</div>\n<blockquote>{body}</blockquote>'


def _paragraphs(text: str) -> str:
    blocks = text.replace("\r\n", "\n").strip("\n").split("\n\n")
    return "\n".join(
        f'<p dir="auto">{escape(block).replace(chr(10), "<br>" + chr(10))}</p>' for block in blocks if block
    )
