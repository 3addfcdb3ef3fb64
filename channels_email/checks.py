"""The Test-connection button of a mailbox: each step in words, stopping where the next could not work.

`check_imap` and `check_smtp` take a few seconds, and MOST_SECONDS each however slowly a server drips. `way_back` sends
test mails and waits for them: up to half a minute, and MOST_SECONDS more.
"""

from __future__ import annotations

import imaplib
import logging
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext as _

from channels_email import imap, moving, probes, sending, wire
from channels_email.servers import Server, address_of, server
from channels_email.words import said, why_no_connection
from inbox.adapters import Check, DeliveryError
from inbox.models import Channel, Receipt
from lib import net

logger = logging.getLogger(__name__)

WAIT = 25.0  # seconds until a test mail has to be back
LOOK_EVERY = 1.0
CONNECT = 20.0
MOST_SECONDS = 25.0  # for one server, all its steps together: somebody waits for the page
MOST_ALIASES = 5  # that are tried


def check_imap(server: Server) -> list[Check]:
    """Name, port, certificate, log-in, then each folder and the one that mail is moved to."""
    return _in_time(server, lambda: _steps_imap(server))


def check_smtp(server: Server, address: str) -> list[Check]:
    """Name, port, certificate, log-in, then whether the server lets this address send."""
    return _in_time(server, lambda: _steps_smtp(server, address))


def _in_time(server: Server, steps: Callable[[], list[Check]]) -> list[Check]:
    with net.cut_after(MOST_SECONDS) as deadline:
        lines = steps()
    if deadline.cut and not lines[-1].ok:  # the step met the end of a connection that we ended
        lines[-1] = Check(lines[-1].name, False, why_no_connection(TimeoutError(), server))
    return lines


def _steps_imap(server: Server) -> list[Check]:
    lines = check_way("IMAP", server)
    if not lines[-1].ok:
        return lines
    name = _("IMAP log-in as %(name)s") % {"name": server.username}
    try:
        client = imap.connect(server)
    except imap.MailboxAway as error:
        return [*lines, Check(name, False, str(error))]
    lines.append(Check(name, True, _("Connected and logged in (%(how)s).") % {"how": how(server)}))
    try:
        for folder in server.folders:
            lines.append(_check_folder(client, server, folder))
            if lines[-1].ok and server.move_to not in ("", folder):
                lines += _check_moving(client, folder)
        if server.move_to and server.move_to not in server.folders:
            lines.append(_check_target(client, server))
    except (OSError, imaplib.IMAP4.error) as error:
        lines.append(Check(name, False, imap.why(error, server)))
    except Exception as error:  # noqa: BLE001 (logged in _not_understood)
        lines.append(Check(name, False, _not_understood(error, server)))
    finally:
        imap.close(client)
    return lines


def _not_understood(error: Exception, server: Server) -> str:
    """IMAPClient raises whatever comes, of answers that break the protocol."""
    logger.exception("an answer of %s cannot be read", server.host)
    return _("%(host)s gave an answer that cannot be understood: %(said)s") % {
        "host": server.host,
        "said": said(str(error)),
    }


def _check_folder(client: imap.GuardedIMAPClient, server: Server, folder: str) -> Check:
    try:
        found = client.select_folder(folder, readonly=True)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        return Check(folder, False, f"{imap.why(error, server)} {_there_are(client)}".strip())
    return Check(folder, True, _("%(count)d mails.") % {"count": int(found.get(b"EXISTS", 0))})


def _check_moving(client: imap.GuardedIMAPClient, folder: str) -> list[Check]:
    """A line if mail cannot be moved out of a folder that opens for reading."""
    try:
        words = moving.hindrance(client, folder, client.select_folder(folder))
    except imaplib.IMAP4.readonly:
        words = moving.not_ours_to_remove()
    return [Check(_("Move from %(folder)s") % {"folder": folder}, False, words)] if words else []


def _check_target(client: imap.GuardedIMAPClient, server: Server) -> Check:
    line = _check_folder(client, server, server.move_to)
    name = _("Move to %(folder)s") % {"folder": server.move_to}
    if line.ok and not (client.has_capability("MOVE") or client.has_capability("UIDPLUS")):
        return Check(name, False, _("The server knows neither MOVE nor UIDPLUS: mail stays where it is."))
    return Check(name, line.ok, line.detail)


def _there_are(client: imap.GuardedIMAPClient) -> str:
    """The first folders there are, for somebody who has mistyped one."""
    names = sorted(name for _flags, _delimiter, name in client.list_folders())
    return _("There are: %(names)s.") % {"names": ", ".join(names[:15])} if names else ""


def _steps_smtp(server: Server, address: str) -> list[Check]:
    lines = check_way("SMTP", server)
    if not lines[-1].ok:
        return lines
    name = _("SMTP log-in as %(name)s") % {"name": server.username} if server.username else "SMTP"
    try:
        connection = sending.open_connection(server)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return [*lines, Check(name, False, why_no_connection(error, server))]
    lines.append(Check(name, True, _("Connected and logged in (%(how)s).") % {"how": how(server)}))
    try:
        code, answer = connection.mail(wire.addr_spec(address))
        lines.append(Check(f"MAIL FROM {address}", code == 250, said(answer)))
        connection.rset()
        connection.quit()
    except (OSError, smtplib.SMTPException, ValueError) as error:  # ValueError: an address that is not ASCII
        lines.append(Check(f"MAIL FROM {address}", False, why_no_connection(error, server)))
    finally:
        connection.close()
    return lines


def check_way(protocol: str, server: Server) -> list[Check]:
    """The way to a server: its name, its port and, where TLS begins with the connection, its certificate."""
    lines = [check_dns(protocol, server)]
    if not lines[-1].ok:
        return lines
    port = f"{protocol} {server.host}:{server.port}"
    try:
        plain = net.connect(server.host, server.port, CONNECT)
    except OSError as error:
        return [*lines, Check(port, False, why_no_connection(error, server))]
    lines.append(Check(port, True, _("Something listens there.")))
    if server.security != "tls":
        net.hang_up(plain)
        return lines  # the certificate of STARTTLS is judged at the log-in
    try:
        secure = net.tls_context().wrap_socket(plain, server_hostname=server.host)
    except OSError as error:
        words = f"{why_no_connection(error, server)} {_names_anyhow(error, server)}"
        return [*lines, Check("TLS", False, words.strip())]
    certificate: Mapping[str, Any] = secure.getpeercert() or {}
    net.hang_up(secure)
    return [*lines, Check("TLS", True, _valid_for(certificate))]


def _valid_for(certificate: Mapping[str, Any]) -> str:
    names = [str(value) for _kind, value in certificate.get("subjectAltName", ())]
    until = str(certificate.get("notAfter", "?"))
    return _("The certificate is for %(names)s, until %(until)s.") % {"names": ", ".join(names[:5]), "until": until}


def _names_anyhow(error: OSError, server: Server) -> str:
    """For which names a certificate is that is not good for this one; asked over a connection that sends nothing."""
    if not isinstance(error, ssl.SSLCertVerificationError):
        return ""
    from cryptography import x509  # for this alone, and every process would load it

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            net.connect(server.host, server.port, CONNECT) as plain,
            context.wrap_socket(plain, server_hostname=server.host) as secure,
        ):
            certificate = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return ""
    found = names.get_values_for_type(x509.DNSName)
    return _("It is for: %(names)s.") % {"names": ", ".join(found[:5])} if found else ""


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
    """Send a test mail to each of the channel's own addresses and wait until it comes back, up to WAIT seconds.

    Tried are the main address, aliases and, where plus-addressing or a catch-all is set, an address with such a tag as
    answers carry. The mails stay in the mailbox; none becomes a ticket.
    """
    try:
        reading, outgoing = server(channel, "imap"), server(channel, "smtp")
    except DeliveryError as error:
        return [Check(str(_("Password")), False, error.reason)]
    if outgoing is None:
        return [Check(_("The way back"), False, _("Not tried: this mailbox has no SMTP server."))]
    sender = address_of(channel)
    looking = _Looking(channel, reading)
    lines: list[Check] = []
    with net.cut_after(WAIT + MOST_SECONDS) as deadline:
        try:
            looking.begin()
            sent = {address: probes.make_token() for address in _own_addresses(channel)}
            lines += _send(outgoing, sender, sent)
            left = {token: address for address, token in sent.items() if all(line.name != address for line in lines)}
            lines += looking.wait(left)
        except (OSError, imaplib.IMAP4.error, smtplib.SMTPException, UnicodeError) as error:
            reads = isinstance(error, imap.MailboxAway | imaplib.IMAP4.error)
            cause = TimeoutError() if deadline.cut else error
            return [Check(_("The way back"), False, imap.why(cause, (reads and reading) or outgoing))]
        except DatabaseError:
            raise  # ours, not the server's
        except Exception as error:  # noqa: BLE001 (logged in _not_understood)
            return [Check(_("The way back"), False, _not_understood(error, reading or outgoing))]
        finally:
            looking.close()
    if not (channel.settings.get("plus_addressing") or channel.settings.get("catch_all")):
        words = _(
            "Not tried: switch on plus-addressing or catch-all if the mailbox has it; answers find tickets by it."
        )
        lines.append(Check(_("Address with a tag"), True, words))
    return lines


def _own_addresses(channel: Channel) -> list[str]:
    main = address_of(channel)
    found = [main, *channel.settings.get("aliases", ())[:MOST_ALIASES]]
    if channel.settings.get("plus_addressing") or channel.settings.get("catch_all"):
        found += [tagged for tagged in [probes.tagged(main)] if tagged]
    return list(dict.fromkeys(found))


def _send(outgoing: Server, sender: str, sent: dict[str, str]) -> Iterator[Check]:
    """Send the test mails; a line for each that the server refuses. Raises when there is no connection."""
    connection = sending.open_connection(outgoing)
    try:
        for address, token in sent.items():
            try:
                connection.sendmail(
                    wire.addr_spec(sender), [wire.addr_spec(address)], probes.compose(token, sender, address)
                )
            except smtplib.SMTPResponseException as error:
                yield Check(address, False, why_no_connection(error, outgoing))
            except smtplib.SMTPRecipientsRefused as error:
                code, answer = next(iter(error.recipients.values()))
                yield Check(address, False, f"{code} {said(answer)}")
        connection.quit()
    finally:
        connection.close()


class _Looking:
    """Looks for test mails where they may come in: in the mailbox itself, and among what was stored already."""

    def __init__(self, channel: Channel, reading: Server | None) -> None:
        self.channel = channel
        self.reading = reading
        self.client: imap.GuardedIMAPClient | None = None
        self.since: dict[str, int] = {}
        self.newest = 0

    def begin(self) -> None:
        """Note what is there before anything is sent. Raises MailboxAway."""
        self.newest = Receipt.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        if self.reading is None:
            return
        self.client = imap.connect(self.reading)
        for folder in self._folders():
            try:
                self.since[folder] = int(self.client.folder_status(folder, ["UIDNEXT"])[b"UIDNEXT"])
            except imaplib.IMAP4.error as error:
                raise imap.MailboxAway(f"{folder}: {imap.why(error, self.reading)}") from error

    def _folders(self) -> list[str]:
        assert self.reading is not None
        moved = [self.reading.move_to] if self.reading.move_to else []
        return list(dict.fromkeys([*self.reading.folders, *moved]))

    def wait(self, left: dict[str, str]) -> Iterator[Check]:
        """A line for each address, as its mail comes back or as time runs out; `left` is address by token."""
        began = time.monotonic()
        while left:
            for token, place in [*self._stored(), *self._lying()]:
                if (address := left.pop(token, None)) is not None:
                    took = time.monotonic() - began
                    words = _("Came back after %(seconds).1f s (%(place)s).") % {"seconds": took, "place": place}
                    yield Check(address, True, words)
            if time.monotonic() - began > WAIT:
                break
            if left:
                time.sleep(LOOK_EVERY)
        for address in left.values():
            yield Check(address, False, _not_back(self.channel, address))

    def _stored(self) -> Iterator[tuple[str, str]]:
        rows = Receipt.objects.filter(channel=self.channel, pk__gt=self.newest, key__startswith=probes.ID_PREFIX)
        for raw in rows.values_list("raw", flat=True):
            if raw is not None and (token := probes.token_in(bytes(raw))):
                yield token, str(_("taken in"))

    def _lying(self) -> Iterator[tuple[str, str]]:
        if self.client is None:
            return
        wanted = f"BODY.PEEK[HEADER.FIELDS ({probes.HEADER.upper()})]"
        for folder, since in self.since.items():
            self.client.select_folder(folder, readonly=True)
            uids = [uid for uid in self.client.search(["UID", f"{since}:*"]) if uid >= since]
            for item in self.client.fetch(uids, [wanted]).values() if uids else ():
                for name, value in item.items():
                    if name.startswith(b"BODY[") and (token := probes.token_in(value or b"")):
                        yield token, folder

    def close(self) -> None:
        if self.client is not None:
            imap.close(self.client)


def _not_back(channel: Channel, address: str) -> str:
    if "+" in address and address != address_of(channel):
        return _(
            "It did not come back within %(seconds)d s. If the mailbox takes no addresses with a tag, switch "
            "plus-addressing and catch-all off: answers would be lost."
        ) % {"seconds": WAIT}
    return _(
        "It did not come back within %(seconds)d s: look at the address, at forwarding and at the spam folder."
    ) % {"seconds": WAIT}
