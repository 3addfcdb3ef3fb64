"""What mail servers and connections answer, in words that tell an agent or an admin what to do."""

import imaplib
import re
import smtplib
import ssl

from django.utils.translation import gettext as _
from imapclient.exceptions import CapabilityError, LoginError

from channels_email import wire
from channels_email.oauth import OAuthTrouble
from channels_email.servers import Server
from lib import net

Reply = tuple[int, bytes]


def said(answer: bytes | str) -> str:
    """A server's answer as one line of text."""
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    text = re.sub(r"""^b(['"])(.*)\1$""", r"\2", wire.one_line(text))  # how IMAPClient shows bytes
    return text[:500]


def explained(reply: Reply) -> str:
    """One refusal in words, with what the server said."""
    code, answer = reply
    text = said(answer)
    match = re.match(r"([45])\.(\d{1,3})\.(\d{1,3})\b", text)
    subject, detail = (int(match[2]), int(match[3])) if match else (0, 0)
    if (subject, detail) == (2, 2):
        reason = _("The mailbox is full.")
    elif subject == 1 or (not match and code in (550, 551, 553)):
        reason = _("This address does not exist, or takes no mail.")
    elif (subject, detail) in {(3, 4), (2, 3)} or (not match and code == 552):
        reason = _("The mail is too large for the receiving server.")
    elif subject == 7:
        reason = _("The server refuses this mail by its rules (sender, content or reputation).")
    elif 400 <= code < 500:
        reason = _("The server asks to try again later.")
    else:
        reason = _("The mail server refused this mail.")
    return f"{reason} ({code} {text})"


def why_no_connection(error: Exception, server: Server) -> str:
    """What stands between us and an SMTP or IMAP server, and what to look at."""
    if isinstance(error, net.Refused | OAuthTrouble):
        return str(error)
    answer = error.smtp_error if isinstance(error, smtplib.SMTPResponseException) else str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        answer = error.verify_message
    if server.oauth and isinstance(error, smtplib.SMTPAuthenticationError | LoginError):
        words = _(
            "%(host)s refuses the log-in by token of %(name)s: IMAP or SMTP may be switched off for this mailbox, or "
            "the account that consented may not open it. (%(said)s)"
        )
        return words % {"host": server.host, "name": server.username, "said": said(answer)}
    return _trouble(error, server) % {
        "host": server.host,
        "port": server.port,
        "said": said(answer),
    }


def _trouble(error: Exception, server: Server) -> str:
    match error:
        case smtplib.SMTPAuthenticationError() | LoginError():
            return _("%(host)s refuses the log-in: check user name and password in the settings. (%(said)s)")
        case smtplib.SMTPNotSupportedError() if not server.oauth and server.security != "starttls":  # only AUTH is left
            return _(
                "%(host)s port %(port)s takes no log-in with this security setting, so no password was sent. If the "
                "server needs none, leave the user name empty."
            )
        case smtplib.SMTPNotSupportedError() | CapabilityError():
            return _("%(host)s port %(port)s offers no STARTTLS or not this log-in. Nothing was sent unencrypted.")
        case ssl.SSLCertVerificationError():
            return _("The certificate of %(host)s cannot be trusted: %(said)s.")
        case ssl.SSLError():
            return _("No encrypted connection to %(host)s: does the security setting fit port %(port)s?")
        case TimeoutError():
            return _("%(host)s port %(port)s did not answer in time.")
        case ConnectionRefusedError():
            return _("%(host)s refuses connections on port %(port)s.")
        case smtplib.SMTPServerDisconnected() | imaplib.IMAP4.abort() | ConnectionError():
            return _("%(host)s ended the connection before it answered. (%(said)s)")
        case imaplib.IMAP4.error() if str(error).startswith("select failed"):
            return _("The server does not open this folder; if it was renamed, rename it here, too. (%(said)s)")
        case imaplib.IMAP4.error():
            return _("%(host)s says: %(said)s")
    return _("No connection to %(host)s port %(port)s: %(said)s")
