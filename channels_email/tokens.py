"""What we sign into our mail so that answers find their ticket: Message-IDs, Reply-To tags and the loop header.

A token names a ticket, or a side conversation in one (`s` before its number), and nothing else finds the way into it.
All are lower case, for mail systems fold the case of addresses and some of ids.
"""

import re
import secrets

from lib import signing

MESSAGE_ID_PURPOSE = "message-id"
REPLY_TO_PURPOSE = "reply-to"
MAX_LOCAL_PART = 64  # octets, RFC 5321 4.5.3.1.1

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_MESSAGE_ID = re.compile(r"([0-9a-f]{16})\.(s?)([0-9]{1,18})\.([a-z2-7]{16})@", re.IGNORECASE)
_TAG = re.compile(r"([ts])([0-9a-z]{1,12})\.([a-z2-7]{16})", re.IGNORECASE)


def base36(number: int) -> str:
    """A positive number in digits and lower-case letters."""
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


def make_message_id(ticket: int, domain: str, *, side: int | None = None) -> str:
    """A new Message-ID without angle brackets that names and proves its ticket, or its side conversation."""
    payload = f"{secrets.token_hex(8)}.{ticket if side is None else f's{side}'}"
    return f"{payload}.{signing.sign(MESSAGE_ID_PURPOSE, payload)}@{domain}"


def make_tag(ticket: int, *, side: int | None = None) -> str:
    """What stands behind the plus sign of a Reply-To address: `t<ticket in base 36>.<signature>`; `s…` of a side."""
    payload = f"t{base36(ticket)}" if side is None else f"s{base36(side)}"
    return f"{payload}.{signing.sign(REPLY_TO_PURPOSE, payload)}"


def tagged_address(address: str, ticket: int, *, side: int | None = None) -> str | None:
    """`local+tag@domain`, or None when its local part would be longer than mail systems take."""
    local, _, domain = address.rpartition("@")
    tagged = f"{local}+{make_tag(ticket, side=side)}"
    return f"{tagged}@{domain}" if len(tagged.encode()) <= MAX_LOCAL_PART else None


def ticket_of(token: str) -> int | None:
    """The ticket number that a tag, a tagged address or a Message-ID proves; None for what we did not sign."""
    mark, number = _read(token)
    return number if mark == "t" else None


def side_of(token: str) -> int | None:
    """The same for the id of a side conversation."""
    mark, number = _read(token)
    return number if mark == "s" else None


def _read(token: str) -> tuple[str, int]:
    """("t" or "s", number), or an empty mark for what we did not sign."""
    token = token.strip().strip("<>").strip()
    if match := _MESSAGE_ID.match(token):
        payload = f"{match[1]}.{match[2]}{match[3]}".lower()
        proven = signing.verify(MESSAGE_ID_PURPOSE, payload, match[4])
        return (match[2].lower() or "t", int(match[3])) if proven else ("", 0)
    if "@" in token:
        local = token.rpartition("@")[0]
        token = local.rpartition("+")[2] if "+" in local else ""
    if match := _TAG.fullmatch(token):
        payload = f"{match[1]}{match[2]}".lower()
        proven = signing.verify(REPLY_TO_PURPOSE, payload, match[3])
        return (match[1].lower(), int(match[2], 36)) if proven else ("", 0)
    return "", 0


def is_own_message_id(message_id: str) -> bool:
    """Whether we made this Message-ID."""
    return bool(_MESSAGE_ID.match(message_id.strip().strip("<>"))) and bool(_read(message_id)[0])
