"""Handing mails to the channel's SMTP server: one connection for many, and what its refusals mean to an agent."""

import contextlib
import smtplib
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from channels_email import oauth, render, wire, xoauth2
from channels_email.servers import Server
from channels_email.words import Reply, explained, why_no_connection
from inbox.adapters import DeliveryError, Sent
from inbox.models import Message
from lib import net

TIMEOUT = 60.0  # seconds for each answer of the server
PATIENCE = 5  # attempts in which a mail waits for those of its recipients who are refused for now (greylisting)
IDLE_CHECK = 5.0  # seconds after which a kept connection is asked whether it still lives


def open_connection(server: Server) -> smtplib.SMTP:
    """A connection that is encrypted as the channel demands, and logged in. Raises OSError or smtplib.SMTPException."""
    if not server.oauth:
        return _connected(server, server.password)
    token = oauth.token(server.channel, server.oauth)
    try:
        return _connected(server, token)
    except smtplib.SMTPAuthenticationError:
        newer = oauth.token(server.channel, server.oauth, refused=token)
        if newer == token:
            raise
        return _connected(server, newer)


def _connected(server: Server, secret: str) -> smtplib.SMTP:
    name = urlsplit(settings.BASE_URL).hostname or "localhost"
    if server.security == "tls":
        return _greeted(
            net.GuardedSMTPS(server.host, server.port, name, timeout=TIMEOUT, context=net.tls_context()),
            server,
            secret,
        )
    connection = net.GuardedSMTP(server.host, server.port, name, timeout=TIMEOUT)
    return _greeted(connection, server, secret)


def _greeted(connection: smtplib.SMTP, server: Server, secret: str) -> smtplib.SMTP:
    try:
        connection.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            connection.starttls(context=net.tls_context())  # raises where it is not offered: never in the clear
            connection.ehlo_or_helo_if_needed()
        if server.oauth:
            _xoauth2(connection, server.username, secret)
        elif server.username:
            connection.login(server.username, secret)
    except BaseException:
        connection.close()
        raise
    return connection


def _xoauth2(connection: smtplib.SMTP, user: str, token: str) -> None:
    if "XOAUTH2" not in connection.esmtp_features.get("auth", "").upper().split():
        raise smtplib.SMTPNotSupportedError("the server does not offer XOAUTH2")
    connection.auth("XOAUTH2", xoauth2.Answers(user, token))


class Link:
    """One connection over several sends; it is opened again by itself when the server hung up in between."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._connection: smtplib.SMTP | None = None
        self._used_at = 0.0

    def open(self) -> smtplib.SMTP:
        """The living connection. Raises DeliveryError when there can be none."""
        if self._connection is not None and time.monotonic() - self._used_at > IDLE_CHECK and not self._alive():
            self.close()
        if self._connection is None:
            try:
                self._connection = open_connection(self.server)
            except (OSError, smtplib.SMTPException, ValueError) as error:
                raise failure(error, self.server, connecting=True) from error
        self._used_at = time.monotonic()
        return self._connection

    def _alive(self) -> bool:
        assert self._connection is not None
        try:
            return self._connection.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def close(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._connection.quit()
            self._connection.close()
        self._connection = None

    def send(self, message: Message) -> Sent:
        """Hand over one mail. Raises DeliveryError; after it the connection may be used on."""
        data = render.render(message)
        options = ["SMTPUTF8", "BODY=8BITMIME"] if render.needs_utf8(message) else []
        sender = wire.addr_spec(message.payload["from"]["address"])
        recipients = render.recipients(message)
        if not recipients:
            raise DeliveryError(_("This message has no recipient."), permanent=True)
        fresh = self._connection is None
        connection = self.open()
        if options and not connection.has_extn("smtputf8"):
            raise DeliveryError(
                _("An address here is not written in ASCII, and the mail server %(host)s cannot deliver to such.")
                % {"host": self.server.host},
                permanent=True,
            )
        try:
            refused = self._envelope(connection, sender, recipients, options, message.attempts)
        except (OSError, smtplib.SMTPException) as error:
            self._recover(error)
            if fresh or not _hung_up(error):
                raise failure(error, self.server) from error
            connection = self.open()  # it had closed the kept connection; nothing of this mail was sent yet
            try:
                refused = self._envelope(connection, sender, recipients, options, message.attempts)
            except (OSError, smtplib.SMTPException) as again:
                self._recover(again)
                raise failure(again, self.server) from again
        try:
            code, answer = connection.data(data)
            if code != 250:
                raise smtplib.SMTPDataError(code, answer)
        except (OSError, smtplib.SMTPException) as error:
            self._recover(error)
            raise failure(error, self.server) from error
        self._used_at = time.monotonic()
        return Sent((message.external_id,), {who: explained(reply) for who, reply in refused.items()})

    def _envelope(
        self, connection: smtplib.SMTP, sender: str, recipients: list[str], options: list[str], attempts: int
    ) -> dict[str, Reply]:
        """Name sender and recipients; returns who was refused while others were not."""
        code, answer = connection.mail(sender, options)
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, answer, sender)
        refused: dict[str, Reply] = {}
        for recipient in recipients:
            code, answer = connection.rcpt(recipient)
            if code == 421:
                raise smtplib.SMTPSenderRefused(code, answer, sender)
            if code not in (250, 251):
                refused[recipient] = (code, answer)
        for_now = any(code < 500 for code, _answer in refused.values())
        if len(refused) == len(recipients) or (for_now and attempts < PATIENCE):
            raise smtplib.SMTPRecipientsRefused(refused)
        return refused

    def _recover(self, error: Exception) -> None:
        """After a refusal the connection serves the next mail; after anything else it is closed."""
        refused = isinstance(error, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused)
        if not refused or _hung_up(error) or self._connection is None:
            self.close()
            return
        try:
            self._connection.rset()
        except (OSError, smtplib.SMTPException):
            self.close()


def _hung_up(error: Exception) -> bool:
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code == 421
    return isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError)


def failure(error: Exception, server: Server, *, connecting: bool = False) -> DeliveryError:
    """The DeliveryError for what went wrong: 5xx is final, all else is tried again with the same Message-ID.

    A refusal while connecting is about the channel, not the message, and never final. A lost connection is `unknown`.
    """
    if connecting:
        return DeliveryError(why_no_connection(error, server), permanent=False, unknown=True)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        refused: Mapping[str, Reply] = error.recipients
        words = "; ".join(f"{who}: {explained(reply)}" for who, reply in refused.items())
        return DeliveryError(words, permanent=all(code >= 500 for code, _answer in refused.values()))
    if isinstance(error, smtplib.SMTPSenderRefused):
        words = _("The mail server does not let %(sender)s send: %(why)s") % {
            "sender": error.sender,
            "why": explained((error.smtp_code, _bytes(error.smtp_error))),
        }
        return DeliveryError(words, permanent=error.smtp_code >= 500)
    if isinstance(error, smtplib.SMTPResponseException):
        return DeliveryError(explained((error.smtp_code, _bytes(error.smtp_error))), permanent=error.smtp_code >= 500)
    return DeliveryError(why_no_connection(error, server), permanent=False, unknown=True)


def _bytes(answer: bytes | str) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode()
