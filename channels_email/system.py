"""Rabta's own mail (invitations, forgotten passwords) through the first mailbox that can send: Django's mail backend
where EMAIL_URL names no server."""

from __future__ import annotations

import contextlib
import smtplib
from collections.abc import Sequence
from email.utils import formataddr, parseaddr

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from channels_email import wire
from channels_email.sending import failure, open_connection
from channels_email.servers import address_of, server
from inbox.models import Channel


def channel() -> Channel | None:
    """The mailbox that sends for the house: the oldest with SMTP that is not paused, working ones first."""
    able = [
        one for one in Channel.objects.filter(kind="email", paused=False).order_by("pk") if one.settings.get("smtp")
    ]
    return min(able, key=lambda one: one.out_failing_since is not None, default=None)


class Backend(BaseEmailBackend):
    def available(self) -> bool:
        """Whether there is a way for mail at all."""
        return channel() is not None

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Raises DeliveryError, in words for an admin, unless `fail_silently`."""
        sender = channel()
        smtp = server(sender, "smtp") if sender else None
        if sender is None or smtp is None:
            return 0
        address = address_of(sender)
        try:
            connection = open_connection(smtp)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            if self.fail_silently:
                return 0
            raise failure(error, smtp, connecting=True) from error
        try:
            for message in email_messages:
                message.from_email = formataddr((settings.ORGANISATION_NAME, address))
                _hand_over(connection, message, wire.addr_spec(address))
        except (OSError, smtplib.SMTPException) as error:
            if self.fail_silently:
                return 0
            raise failure(error, smtp) from error
        finally:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                connection.quit()
        return len(email_messages)


def _hand_over(connection: smtplib.SMTP, message: EmailMessage, address: str) -> None:
    """With an empty envelope sender, so that nothing comes back; with our address where the server wants one."""
    wire_form = message.message()
    recipients = [wire.addr_spec(parseaddr(one)[1]) for one in message.recipients()]
    try:
        connection.send_message(wire_form, "", recipients)
    except (smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
        if not _for_good(error):
            raise
        connection.send_message(wire_form, address, recipients)


def _for_good(error: smtplib.SMTPException) -> bool:
    """Whether the server refused by 5xx, at whichever command it looks at the sender."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(500 <= code < 600 for code, _said in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and 500 <= error.smtp_code < 600
