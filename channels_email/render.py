"""From a Message row to the bytes that leave. The same row always gives the same bytes: a repeat is no second mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from channels_email import wire
from inbox import files
from inbox.models import Message

AUTOMATIC_HEADERS = (("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All"))


@dataclass(frozen=True, slots=True)
class File:
    """An attachment with its content; `content_id` is empty for what is not shown inside the text."""

    name: str
    content_type: str
    content: bytes
    content_id: str = ""


def render(message: Message) -> bytes:
    """The mail as it leaves or left, with CRLF line ends; Bcc appears nowhere in it."""
    return compose(message, attached(message))


def attached(message: Message) -> list[File]:
    """The message's files with their content. Raises FileNotFoundError when storage lost one."""
    if not message.has_files:
        return []
    return [
        File(one.name, one.content_type, files.get(one.stored), one.content_id if one.inline else "")
        for one in message.attachments.order_by("id")
    ]


def recipients(message: Message) -> list[str]:
    """Whom the envelope names: To, Cc and Bcc, each once, fit for RCPT."""
    everybody = [*message.to, *message.cc, *message.bcc]
    return list({wire.addr_spec(one["address"]).lower(): wire.addr_spec(one["address"]) for one in everybody}.values())


def needs_utf8(message: Message) -> bool:
    """Whether this mail can only travel by SMTPUTF8."""
    everybody = [*message.to, *message.cc, *message.bcc, *message.reply_to]
    return wire.needs_utf8([*(one["address"] for one in everybody), message.payload["from"]["address"]])


def compose(message: Message, attachments: Sequence[File]) -> bytes:
    """`render` with the files given: everything else comes from the row."""
    inline = [one for one in attachments if one.content_id and f"cid:{one.content_id}" in message.html]
    rest = [one for one in attachments if one not in inline]
    body = wire.Part("multipart/alternative")
    body.children = [wire.text_part("plain", message.text), _html(message, inline)]
    if rest:
        mixed = wire.Part("multipart/mixed")
        mixed.children = [body, *(wire.file_part(one.name, one.content_type, one.content) for one in rest)]
        body = mixed
    return b"".join(body.chunks(message.external_id, headers(message)))


def _html(message: Message, inline: Sequence[File]) -> wire.Part:
    content = message.html or html_of(message.text)
    language = f' lang="{escape(message.language)}"' if message.language else ""
    document = (
        f'<!DOCTYPE html>\n<html{language}>\n<head><meta charset="utf-8"></head>\n'
        f'<body dir="auto">\n{content}\n</body>\n</html>\n'
    )
    part = wire.text_part("html", document)
    if not inline:
        return part
    related = wire.Part('multipart/related;\r\n type="text/html"')
    related.children = [
        part,
        *(wire.file_part(one.name, one.content_type, one.content, one.content_id) for one in inline),
    ]
    return related


def html_of(text: str) -> str:
    """Plain text as HTML: a paragraph a block, each with its own direction."""
    blocks = text.replace("\r\n", "\n").strip("\n").split("\n\n")
    return "\n".join(f'<p dir="auto">{escape(block).replace(chr(10), "<br>" + chr(10))}</p>' for block in blocks)


def headers(message: Message) -> list[bytes]:
    """The headers of the mail as whole lines, MIME-Version last."""
    frozen = message.payload
    lines = [
        ("Date", frozen["date"]),
        ("From", wire.address_list(_pairs([frozen["from"]]))),
        ("To", wire.address_list(_pairs(message.to)) or "undisclosed-recipients:;"),
    ]
    if message.cc:
        lines.append(("Cc", wire.address_list(_pairs(message.cc))))
    if message.reply_to:
        lines.append(("Reply-To", wire.address_list(_pairs(message.reply_to))))
    lines += [
        ("Subject", wire.unstructured(message.subject)),
        ("Message-ID", wire.message_ids([message.external_id])),
        ("In-Reply-To", wire.message_ids([message.in_reply_to])),
        ("References", wire.message_ids(message.references)),
        ("X-Rabta-Loop", frozen["loop"]),
    ]
    if message.is_auto_reply:
        lines += AUTOMATIC_HEADERS
    lines.append(("MIME-Version", "1.0"))
    return [wire.header(name, value) for name, value in lines if value]


def _pairs(parties: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one.get("name", ""), one["address"]) for one in parties]
