"""The mail server of everybody outside: takes any mail for anybody and puts it into their sandbox mailbox.

What is for one of Rabta's own addresses comes back to it, as from any provider.

To see what failure looks like, write to nobody@… (refused for good) or full@… (refused for now).
"""

import asyncio
import logging
from smtplib import SMTPException, SMTPRecipientsRefused

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import DatabaseError, InterfaceError, connection, transaction

from sandbox.models import SandboxMail
from sandbox.writing import hand_in, is_ours

logger = logging.getLogger(__name__)
logging.getLogger("mail.log").setLevel(logging.WARNING)

MAX_BYTES = 60 * 1024 * 1024


class Handler:
    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        local = address.partition("@")[0].lower()
        if local == "nobody":
            return "550 5.1.1 There is no such person here"
        if local == "full":
            return "452 4.2.2 The mailbox is full, try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = envelope.content
        assert isinstance(raw, bytes)
        try:
            await asyncio.to_thread(
                deliver, raw, envelope.mail_from or "", list(dict.fromkeys(one.lower() for one in envelope.rcpt_tos))
            )
        except SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            return f"{code} {said.decode(errors='replace')}"
        except (DatabaseError, InterfaceError, OSError, SMTPException) as error:
            logger.warning("a sandbox mail could not be kept: %s", error)
            return "451 4.3.0 Try again later"
        return "250 2.0.0 Kept"


def deliver(raw: bytes, sender: str, recipients: list[str]) -> None:
    """Put the mail into each mailbox, all or none, once Rabta's receiver has what is for Rabta. Raises what it says."""
    try:
        ours = [one for one in recipients if is_ours(one)]
        hand_in(sender, ours, raw)
        with transaction.atomic():
            for recipient in recipients:
                if recipient not in ours:
                    SandboxMail.put(recipient, raw)
    finally:
        connection.close()  # threads come and go; a demo can afford a connection a mail


async def listen(host: str, port: int) -> asyncio.Server:
    """Open the port. Raises OSError when it is taken."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(
        lambda: SMTP(
            Handler(), data_size_limit=MAX_BYTES, enable_SMTPUTF8=True, hostname="sandbox", ident="ESMTP", loop=loop
        ),
        host,
        port,
    )
