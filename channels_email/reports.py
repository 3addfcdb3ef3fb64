"""What other mail systems report about mail we sent: bounces and delays (RFC 3464), read receipts (RFC 8098).

A report counts only when it names a Message-ID that we signed; all others stay ordinary messages.
"""

import re

from channels_email import tokens, words
from channels_email.mime.headers import plain
from channels_email.mime.parts import Part, read_headers, read_tree
from inbox.adapters import Bounce, DeliveryUpdate, Inbound

HEADER = 16 * 1024
_DELIVERED = re.compile(rb"^action[ \t]*:[ \t]*delivered", re.IGNORECASE | re.MULTILINE)
_ORIGINAL = re.compile(rb"^message-id[ \t]*:\s*<([^<>\s]{1,500})>", re.IGNORECASE | re.MULTILINE)
_REPLY = re.compile(r"([45]\d\d)[ -]+(.+)", re.DOTALL)
NAMED = 5  # of the addresses that a bounce names, in its error
_READ = re.compile(r";\s*(displayed|dispatched|processed)\b", re.IGNORECASE)


def delivery_updates(inbound: Inbound, raw: bytes) -> list[DeliveryUpdate]:
    """The updates in this mail, at most one; empty for anything but a report about our own mail."""
    bounce = inbound.bounce
    if bounce is not None and tokens.is_own_message_id(bounce.original_message_id):
        return [
            DeliveryUpdate(
                external_id=bounce.original_message_id.strip().strip("<>"),
                state="sent" if bounce.temporary else "failed",
                at=inbound.at,
                error=_who_and_why(bounce),
                recipients=bounce.recipients,
                delayed=bounce.temporary,
            )
        ]
    if inbound.kind != "auto_reply" or b"multipart/report" not in raw[:HEADER].lower():
        return []
    for part in read_tree(raw, []).walk():
        if part.kind == "message/disposition-notification":
            return _read_receipt(inbound, part)
        if part.kind == "message/delivery-status" and _DELIVERED.search(part.data):
            return _delivered(inbound, raw)
    return []


def _who_and_why(bounce: Bounce) -> str:
    """Who did not get the mail and why, for the agent: "bilal@x.example: This address does not exist… (550 …)"."""
    reply = _REPLY.match(bounce.diagnostic)
    why = words.explained((int(reply[1]), reply[2].encode())) if reply else words.said(bounce.diagnostic)
    more = len(bounce.recipients) - NAMED
    who = ", ".join(bounce.recipients[:NAMED]) + (f" (+{more})" if more > 0 else "")
    return ": ".join(part for part in (who, why) if part)[:1000]


def _delivered(inbound: Inbound, raw: bytes) -> list[DeliveryUpdate]:
    match = _ORIGINAL.search(raw, raw.lower().find(b"message/delivery-status"))
    original = match[1].decode("ascii", "replace") if match else ""
    return [DeliveryUpdate(original, "delivered", inbound.at)] if tokens.is_own_message_id(original) else []


def _read_receipt(inbound: Inbound, part: Part) -> list[DeliveryUpdate]:
    fields = _fields(part)
    original = fields.get("original-message-id", "").strip().strip("<>")
    if not tokens.is_own_message_id(original) or not _READ.search(fields.get("disposition", "")):
        return []
    return [DeliveryUpdate(external_id=original, state="read", at=inbound.at)]


def _fields(part: Part) -> dict[str, str]:
    headers, _body = read_headers(part.data + b"\r\n", 0, len(part.data) + 2)
    return {name: plain(values[0]) for name, values in headers.items()}
