"""Rabta's own mail to the people who work with it: by EMAIL_URL, else by the first mailbox that can send.

Such a letter carries a link that opens an account, so it must not become a ticket: not when it comes back, not when
somebody's absence answers it. A signed mark tells it at intake, and it is not sent where a channel would take it in.
"""

from __future__ import annotations

import logging
import re
import secrets
import smtplib
from concurrent.futures import Future, ThreadPoolExecutor
from email.utils import parseaddr
from functools import lru_cache
from urllib.parse import urlsplit

from django.conf import settings
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.db import connection
from django.utils.translation import gettext as _

from inbox.actions.errors import ActionError
from inbox.adapters import DeliveryError, kinds
from lib import signing

logger = logging.getLogger(__name__)

HEADERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
PURPOSE = "house-mail"
MARK_HEADER = "X-Rabta-House"  # some relays write a Message-ID of their own
_threads = ThreadPoolExecutor(2, "post")
_MARK = re.compile(r"rabta-house\.([0-9a-f]{24})\.([a-z2-7]{16})(?![a-z2-7])")
_SLASH = "(?:/|%2f)"  # as it is, or inside the link of a mail filter that wraps others


def available() -> bool:
    """Whether there is a way for mail. Without one, links are shown to an admin, who passes them on."""
    known = getattr(mail.get_connection(), "available", None)
    return bool(known()) if known else True


def letter(subject: str, text: str, to: str, html: str = "") -> EmailMessage:
    """A mail to one of us; with `html`, that stands beside the text for programs that show it."""
    nonce = secrets.token_hex(12)
    mark = f"rabta-house.{nonce}.{signing.sign(PURPOSE, nonce)}"
    own = {"Message-ID": f"<{mark}@{urlsplit(settings.BASE_URL).hostname or 'localhost'}>", MARK_HEADER: mark}
    made = EmailMultiAlternatives(" ".join(subject.split()), text, to=[to], headers={**HEADERS, **own})
    if html:
        made.attach_alternative(html, "text/html")
    return made


def is_marked(text: str) -> bool:
    """Whether a letter of ours, or an answer or report that names one, is in this text."""
    folded = text.lower()
    return "rabta-house." in folded and any(
        signing.verify(PURPOSE, found[1], found[2]) for found in _MARK.finditer(folded)
    )


@lru_cache(maxsize=2)
def _link(base_url: str) -> re.Pattern[str]:
    base = urlsplit(base_url)
    routes = [f"{base.path}/accounts/password/reset/key/", f"{base.path}/invitation/"]
    paths = "|".join(re.escape(one).replace("/", _SLASH) for one in routes)
    return re.compile(rf"({re.escape(base.hostname or '')}(?:(?::|%3a)\d+)?(?:{paths}))[\w-]{{20,}}", re.IGNORECASE)


def has_link(text: str) -> bool:
    """Whether there is a link in it as our letters carry, that opens an account."""
    return _link(settings.BASE_URL).search(text) is not None


def without_links(text: str) -> str:
    """`text` with such links cut short, so that they open nothing."""
    return _link(settings.BASE_URL).sub(r"\1…", text)


def send(message: EmailMessage) -> None:
    """Hand one mail over now. Raises ActionError with the reason."""
    for address in (parseaddr(one)[1] for one in message.recipients()):
        if any(adapter.takes_in(address) for adapter in kinds().values()):
            raise ActionError(
                _("%(address)s is an address of one of your channels: whoever reads its tickets would read the link.")
                % {"address": address},
                "own_address",
            )
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
    except Exception:  # of a thread that nobody waits for, this would be lost without a word
        logger.exception("a system mail was not sent")
    finally:
        connection.close()
