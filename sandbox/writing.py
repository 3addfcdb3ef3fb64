"""A customer writes: a mail as mail programs make it, really sent to Rabta's SMTP receiver."""

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, make_msgid

from django.conf import settings
from django.utils import timezone, translation

from sandbox.models import SandboxMail
from sandbox.reading import ids_of, parse, text_of


class NotSent(Exception):
    """The server did not take it; the text is its answer."""


@dataclass(frozen=True)
class Upload:
    name: str
    content_type: str
    content: bytes


def compose(
    *,
    name: str,
    address: str,
    to: str,
    subject: str,
    text: str,
    cc: str = "",
    answered: SandboxMail | None = None,
    files: Sequence[Upload] = (),
) -> bytes:
    """The mail with its Message-ID and, for an answer, In-Reply-To, References and the quoted text below."""
    message = EmailMessage()
    message["From"] = Address(display_name=" ".join(name.split()), addr_spec=address)
    message["To"] = addresses(to)
    if cc:
        message["Cc"] = addresses(cc)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = format_datetime(timezone.localtime())
    message["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
    if answered is not None:
        original = parse(answered.raw)
        message["In-Reply-To"] = f"<{answered.message_id}>"
        chain = ids_of(original["References"]) or ids_of(original["In-Reply-To"])
        message["References"] = " ".join(f"<{one}>" for one in [*chain, answered.message_id])
        text = f"{text.rstrip()}\n\n{quoted(answered)}\n"
    message.set_content(text.replace("\r\n", "\n"))
    for file in files:
        maintype, _slash, subtype = file.content_type.partition("/")
        message.add_attachment(
            file.content, maintype=maintype or "application", subtype=subtype or "octet-stream", filename=file.name
        )
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n", max_line_length=76))


def quoted(mail: SandboxMail) -> str:
    """The mail being answered as mail programs put it under an answer (they speak English in this sandbox)."""
    with translation.override("en"):
        when = timezone.localtime(mail.at).strftime("%a, %d %b %Y at %H:%M")
    lines = text_of(parse(mail.raw)).rstrip().splitlines()
    return "\n".join([f"On {when}, {mail.sender} wrote:", "", *(f"> {line}".rstrip() for line in lines)])


def addresses(text: str) -> list[Address]:
    """Addresses as a person types them, comma-separated. Raises ValueError for what is none."""
    pairs = getaddresses([" ".join(text.split())])
    try:
        found = [Address(display_name=name, addr_spec=address) for name, address in pairs if address]
    except (MessageError, IndexError) as error:
        raise ValueError(str(error)) from error
    if not found:
        raise ValueError("no address")
    return found


def send(sender: str, raw: bytes) -> SandboxMail:
    """Hand it to the receiver by SMTP and keep it as sent. Raises NotSent."""
    message = parse(raw)
    recipients = [one.addr_spec for header in ("To", "Cc") if message[header] for one in message[header].addresses]
    ours = [one for one in recipients if is_ours(one)]
    try:
        hand_in(sender, ours, raw)
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(str(error)) from error
    for other in recipients:  # customers among themselves: a colleague in copy sees it as well
        if other not in ours:
            SandboxMail.put(other, raw)
    return SandboxMail.put(sender, raw, sent=True)


def hand_in(sender: str, recipients: Sequence[str], raw: bytes) -> None:
    """Give a mail to Rabta's receiver for these addresses of ours. Raises OSError and SMTPException."""
    if recipients:
        options = [] if all(one.isascii() for one in [sender, *recipients]) else ["SMTPUTF8", "BODY=8BITMIME"]
        with smtplib.SMTP(settings.SMTP_IN_HOST, settings.SMTP_IN_PORT, timeout=30) as server:
            server.sendmail(sender, recipients, raw, options)


def is_ours(address: str) -> bool:
    """Whether this address belongs to one of Rabta's channels (by its domain, so that a wrong one is refused aloud)."""
    from inbox.models import Channel

    domain = address.rpartition("@")[2].lower()
    known = {one.rpartition("@")[2] for row in Channel.objects.values_list("addresses", flat=True) for one in row}
    return domain in known
