"""The Test-connection button of a mailbox: each step in words, stopping where the next could not work."""

import imaplib
import smtplib

from django.utils.translation import gettext as _

from channels_email import imap, sending
from channels_email.servers import Server
from channels_email.words import said, why_no_connection
from inbox.adapters import Check
from inbox.models import Channel
from lib import net


def check_imap(server: Server) -> list[Check]:
    """DNS, connection with TLS and log-in, then each folder."""
    lines = [check_dns("IMAP", server)]
    if not lines[-1].ok:
        return lines
    name = f"IMAP {server.host}:{server.port}"
    try:
        client = imap.connect(server)
    except imap.MailboxAway as error:
        return [*lines, Check(name, False, str(error))]
    lines.append(Check(name, True, _("Connected and logged in (%(how)s).") % {"how": how(server)}))
    try:
        for folder in server.folders:
            try:
                found = client.select_folder(folder, readonly=True)
                detail = _("%(count)d mails.") % {"count": int(found.get(b"EXISTS", 0))}
                lines.append(Check(folder, True, detail))
            except (OSError, imaplib.IMAP4.error) as error:
                lines.append(Check(folder, False, imap.why(error, server)))
    finally:
        imap.close(client)
    return lines


def check_smtp(server: Server, address: str) -> list[Check]:
    """DNS, connection with TLS and log-in, then whether the server lets this address send."""
    lines = [check_dns("SMTP", server)]
    if not lines[-1].ok:
        return lines
    name = f"SMTP {server.host}:{server.port}"
    try:
        connection = sending.open_connection(server)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return [*lines, Check(name, False, why_no_connection(error, server))]
    lines.append(Check(name, True, _("Connected and logged in (%(how)s).") % {"how": how(server)}))
    try:
        code, answer = connection.mail(address)
        lines.append(Check(f"MAIL FROM {address}", code == 250, said(answer)))
        connection.rset()
        connection.quit()
    except (OSError, smtplib.SMTPException) as error:
        lines.append(Check(f"MAIL FROM {address}", False, why_no_connection(error, server)))
    finally:
        connection.close()
    return lines


def check_dns(protocol: str, server: Server) -> Check:
    """Whether the server's name resolves to an address that may be connected to."""
    name = f"{protocol} {server.host}"
    try:
        return Check(name, True, ", ".join(net.resolve(server.host, server.port)))
    except net.Refused as error:
        return Check(name, False, str(error))
    except OSError as error:
        return Check(name, False, _("This name is not known: %(said)s") % {"said": error})


def how(server: Server) -> str:
    """The encryption in words."""
    return _("unencrypted") if server.security == "none" else {"tls": "TLS", "starttls": "STARTTLS"}[server.security]


def way_back(channel: Channel) -> list[Check]:
    """Send a test mail to each of the channel's own addresses and wait, for some seconds, until it comes back."""
    raise NotImplementedError
