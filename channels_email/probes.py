"""Test mails that a mailbox sends to itself, signed by us so that they never become tickets."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from email.utils import format_datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from channels_email import tokens, wire
from channels_email.receipts import header_block
from lib import signing

PURPOSE = "probe"
HEADER = "X-Rabta-Probe"
ID_PREFIX = "probe."  # of Message-IDs
SEARCHED = 64 * 1024  # bytes of a report in which the probe it speaks of is looked for
_TOKEN = re.compile(rb"^x-rabta-probe[ \t]*:\s*([0-9a-f]{24})\.([a-z2-7]{16})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


def make_token() -> str:
    nonce = secrets.token_hex(12)
    return f"{nonce}.{signing.sign(PURPOSE, nonce)}"


def token_in(raw: bytes) -> str:
    """The probe's token in these header lines, if we signed it; else empty."""
    for match in _TOKEN.finditer(raw):
        nonce, signature = match[1].decode().lower(), match[2].decode().lower()
        if signing.verify(PURPOSE, nonce, signature):
            return f"{nonce}.{signature}"
    return ""


def is_probe(raw: bytes) -> bool:
    """Whether this mail is a test mail of ours, or a report that one could not be delivered."""
    head = header_block(raw)
    if token_in(head):
        return True
    return b"multipart/report" in head.lower() and bool(token_in(raw[:SEARCHED]))


def compose(token: str, sender: str, recipient: str, at: datetime | None = None) -> bytes:
    """The test mail as it leaves."""
    domain = wire.ascii_domain(sender.rpartition("@")[2]).lower()
    lines = [
        ("Date", format_datetime(at or timezone.now())),
        ("From", wire.address_list([("", sender)])),
        ("To", wire.address_list([("", recipient)])),
        ("Subject", wire.unstructured(_("Rabta: test mail"))),
        ("Message-ID", f"<{ID_PREFIX}{token}@{domain}>"),
        (HEADER, token),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("MIME-Version", "1.0"),
    ]
    body = wire.text_part("plain", _("This mail tests whether mail to this address arrives. You may delete it.") + "\n")
    return b"".join(body.chunks(token, [wire.header(name, value) for name, value in lines]))


def tagged(address: str) -> str | None:
    """The address with such a tag as answers carry; ticket 0 exists nowhere."""
    return tokens.tagged_address(address, 0)
