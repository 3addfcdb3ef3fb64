"""What a mail program makes of a mail, by the standard library alone: Rabta's own parser is not to judge itself."""

import email.policy
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from typing import Any, cast

_ID = re.compile(r"<([^<>\s]+)>")
SHOWN = ("From", "To", "Cc", "Reply-To", "Subject", "Date")


def parse(raw: bytes | memoryview) -> EmailMessage:
    return message_from_bytes(bytes(raw), policy=email.policy.default)


def ids_of(value: Any) -> list[str]:
    """The message ids in a header, without angle brackets."""
    return _ID.findall(str(value or ""))


@dataclass(frozen=True)
class File:
    """An attachment; `number` is its place among all parts of the mail."""

    number: int
    name: str
    size: int


def text_of(message: EmailMessage) -> str:
    """The plain text of a mail."""
    part = message.get_body(("plain",))
    return _content(part) if part is not None else ""


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    return _content(part) if part is not None else ""


def _content(part: MIMEPart) -> str:
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # a charset nobody knows
        return cast(bytes, part.get_payload(decode=True)).decode("utf-8", "replace")


def parts(message: EmailMessage) -> list[EmailMessage]:
    return [part for part in message.walk() if not part.is_multipart()]


def files_of(message: EmailMessage) -> list[File]:
    """What a mail program offers below the text."""
    bodies = [message.get_body(("plain",)), message.get_body(("html",))]
    return [
        File(number, part.get_filename() or "file", len(cast(bytes, part.get_payload(decode=True)) or b""))
        for number, part in enumerate(parts(message))
        if part not in bodies and part.get_filename() and not _is_inline_image(part)
    ]


def _is_inline_image(part: EmailMessage) -> bool:
    return bool(part["Content-ID"]) and part.get_content_maintype() == "image"


def with_inline_images(html: str, message: EmailMessage, address: str) -> str:
    """`cid:` addresses made real; `address` is what stands in front of the part's number."""
    for number, part in enumerate(parts(message)):
        for content_id in ids_of(part["Content-ID"]):
            html = html.replace(f"cid:{content_id}", f"{address}{number}/")
    return html


def threads(mails: Iterable[Any]) -> list[list[Any]]:
    """Mails (oldest first) grouped as mail programs group them: by Message-ID and References. Newest thread first."""
    groups: list[list[Any]] = []
    group_of: dict[str, list[Any]] = {}
    for mail in mails:
        ids = [one for one in (mail.message_id, *mail.references) if one]
        group = next((group_of[one] for one in ids if one in group_of), None)
        if group is None:
            group = []
            groups.append(group)
        group.append(mail)
        for one in ids:
            group_of.setdefault(one, group)
    return sorted(groups, key=lambda group: group[-1].pk, reverse=True)
