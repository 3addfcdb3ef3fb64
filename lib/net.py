"""Outgoing connections that refuse private networks, for SMTP, IMAP and plain sockets.

A name is resolved once and the checked address is the one connected to, so that a second answer of the DNS cannot lead
elsewhere. TLS still verifies the host's name. `ALLOW_PRIVATE_NETWORKS` lifts the ban.

Time-outs of sockets count from byte to byte; `cut_after` bounds a whole exchange, of any protocol.
"""

import imaplib
import ipaddress
import math
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.conf import settings
from django.utils.translation import gettext as _

# Python calls these global; yet each leads inside: NAT64 of a local network (RFC 8215), IPv4 as the last four bytes
# (RFC 4291 2.5.5.1) and site-local addresses (RFC 3879), the last two long given up.
NOT_PUBLIC = tuple(ipaddress.IPv6Network(one) for one in ("64:ff9b:1::/48", "::/96", "fec0::/10"))


MOST_LITERAL = 1024 * 1024  # bytes of one literal of an IMAP server, which says itself how long it will be


class Refused(OSError):
    """The address is in a private network; the text tells a person what to do."""


def is_public(address: str) -> bool:
    """Whether an IP address (text, without zone) belongs to the public internet, also when it hides an IPv4 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        hidden = ip.ipv4_mapped or ip.sixtofour
        if hidden is None and ip in ipaddress.ip_network("64:ff9b::/96"):  # NAT64, RFC 6052
            hidden = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if hidden is not None:
            return hidden.is_global and not hidden.is_multicast
        if any(ip in network for network in NOT_PUBLIC):
            return False
    return ip.is_global and not ip.is_multicast


def resolve(host: str, port: int) -> list[str]:
    """The addresses of `host` that may be connected to, in the resolver's order.

    Raises socket.gaierror for an unknown name, Refused when every address is private.
    """
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except ValueError as error:  # UnicodeError for an empty or endless label, ValueError for NUL: names nobody can have
        raise socket.gaierror(socket.EAI_NONAME, f"{host[:80]!r} is no name of a host") from error
    found = [str(entry[4][0]) for entry in entries]
    addresses = list(dict.fromkeys(found))
    allowed = addresses if settings.ALLOW_PRIVATE_NETWORKS else [one for one in addresses if is_public(one)]
    if not allowed:
        raise Refused(
            _(
                "%(host)s is in a private network (%(address)s). "
                "Whoever runs this server can permit that by setting ALLOW_PRIVATE_NETWORKS."
            )
            % {"host": host, "address": ", ".join(addresses)}
        )
    return allowed


class Deadline:
    """What `cut_after` gives: until when connections live, and whether any had to be cut."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.cut = False
        self._opened: list[socket.socket] = []
        self._lock = threading.Lock()

    def take(self, plain: socket.socket) -> None:
        """From now on `plain` ends with the deadline. Raises TimeoutError, and closes it, when that has passed."""
        with self._lock:
            if not self.cut and time.monotonic() < self.until:
                self._opened.append(plain.dup())  # TLS takes the socket itself over
                return
        plain.close()
        raise TimeoutError("too late")

    def _pass(self) -> None:
        with self._lock:
            self.cut = True
            for handle in self._opened:
                with suppress(OSError):
                    handle.shutdown(socket.SHUT_RDWR)

    def _end(self) -> None:
        with self._lock:
            for handle in self._opened:
                handle.close()
            self._opened.clear()


class _Deadlines(threading.local):
    """The blocks of `cut_after` that this thread is in."""

    def __init__(self) -> None:
        self.open: list[Deadline] = []


_deadlines = _Deadlines()


@contextmanager
def cut_after(seconds: float) -> Iterator[Deadline]:
    """Connections that this thread opens in the block by `connect` are cut so many seconds after its beginning.

    Time-outs of sockets count from byte to byte: a server that sends one now and then would hold us for ever. Whoever
    reads sees the end of the connection; `cut` of the Deadline tells why. Blocks may lie in one another.
    """
    deadline = Deadline(seconds)
    timer = threading.Timer(seconds, deadline._pass)
    timer.daemon = True
    _deadlines.open.append(deadline)
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()
        _deadlines.open.remove(deadline)
        deadline._end()


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """A TCP connection to the first address of `host` that answers. Raises OSError.

    `timeout` in seconds, for one address; of a long list no more are tried after three times as long.
    """
    failure: OSError | None = None
    until = time.monotonic() + 3 * timeout
    deadline = min((one.until for one in _deadlines.open), default=math.inf)
    for address in resolve(host, port):
        left = deadline - time.monotonic()  # looking the name up may have taken all there is
        if left <= 0:
            raise TimeoutError("too late") from failure
        if failure is not None and time.monotonic() > until:
            break
        try:
            plain = socket.create_connection((address, port), timeout=min(timeout, left))
        except OSError as error:
            failure = error
            continue
        if left < timeout:
            plain.settimeout(timeout)
        for one in _deadlines.open:
            one.take(plain)
        return plain
    assert failure is not None
    raise failure


def hang_up(connection: socket.socket) -> None:
    """End a connection for the other side, too, at once; closing alone does not, where `cut_after` holds it as well."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


def tls_context() -> ssl.SSLContext:
    """Certificates and host names are verified; TLS 1.2 is the least."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class GuardedSMTP(smtplib.SMTP):
    """smtplib's client over `connect`."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connect(host, port, timeout)


class GuardedSMTPS(smtplib.SMTP_SSL):
    """smtplib's client for TLS from the first byte, over `connect`."""

    def _get_socket(self, host: str, port: int, timeout: float) -> ssl.SSLSocket:
        return self.context.wrap_socket(connect(host, port, timeout), server_hostname=host)


class GuardedIMAP4(imaplib.IMAP4):
    """imaplib's client over `connect`; with a `context` TLS starts at the first byte.

    A literal longer than `most_literal` bytes ends the connection (IMAP4.abort): it is read whole, into memory.
    """

    def __init__(
        self,
        host: str,
        port: int,
        timeout: float,
        context: ssl.SSLContext | None = None,
        most_literal: int = MOST_LITERAL,
    ) -> None:
        self._context = context
        self._most_literal = most_literal
        super().__init__(host, port, timeout=timeout)

    def read(self, size: int) -> bytes:
        if size > self._most_literal:
            raise self.abort(f"the server announces {size} bytes at once")
        return super().read(size)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        plain = connect(self.host, self.port, timeout or 30)
        if self._context is None:
            return plain
        return self._context.wrap_socket(plain, server_hostname=self.host)
