"""Rabta's own mail to the people who work with it: by EMAIL_URL, else by the first mailbox that can send."""

from __future__ import annotations

import logging
import smtplib
from concurrent.futures import Future, ThreadPoolExecutor

from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.utils.translation import gettext as _

from inbox.actions.errors import ActionError
from inbox.adapters import DeliveryError

logger = logging.getLogger(__name__)

HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
_threads = ThreadPoolExecutor(2, "post")


def available() -> bool:
    """Whether there is a way for mail. Without one, links are shown to an admin, who passes them on."""
    known = getattr(mail.get_connection(), "available", None)
    return bool(known()) if known else True


def letter(subject: str, text: str, to: str) -> EmailMessage:
    return EmailMessage(" ".join(subject.split()), text, to=[to], headers=HEADERS)


def send(message: EmailMessage) -> None:
    """Hand one mail over now. Raises ActionError with the reason."""
    try:
        message.send()
    except (DeliveryError, OSError, smtplib.SMTPException) as error:
        logger.warning("a system mail was not sent: %r", error)
        why = error if isinstance(error, DeliveryError) else _("the mail server did not take it (%s)") % error
        raise ActionError(_("The mail was not sent: %(why)s") % {"why": why}, "mail_not_sent") from error


def soon(message: EmailMessage | None) -> Future[None]:
    """Hand one over in a thread of its own, so that nobody can tell from the time whether there was one (None)."""
    return _threads.submit(_send_quietly, message)


def _send_quietly(message: EmailMessage | None) -> None:
    if message is None:
        return
    try:
        send(message)
    except ActionError:
        pass  # logged, and nobody waits for it: whoever asked asks again
    finally:
        connection.close()
