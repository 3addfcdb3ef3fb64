"""Outgoing connections that refuse private networks, for SMTP, IMAP and plain sockets.

A name is resolved once and the checked address is the one connected to, so that a second answer of the DNS cannot lead
elsewhere. TLS still verifies the host's name. `ALLOW_PRIVATE_NETWORKS` lifts the ban.
"""

import imaplib
import ipaddress
import smtplib
import socket
import ssl
import time

from django.conf import settings
from django.utils.translation import gettext as _

# Python calls these global; yet each leads inside: NAT64 of a local network (RFC 8215), IPv4 as the last four bytes
# (RFC 4291 2.5.5.1) and site-local addresses (RFC 3879), the last two long given up.
NOT_PUBLIC = tuple(ipaddress.IPv6Network(one) for one in ("64:ff9b:1::/48", "::/96", "fec0::/10"))


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
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
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


def connect(host: str, port: int, timeout: float) -> socket.socket:
    """A TCP connection to the first address of `host` that answers. Raises OSError.

    `timeout` in seconds, for one address; of a long list no more are tried after three times as long.
    """
    failure: OSError | None = None
    until = time.monotonic() + 3 * timeout
    for address in resolve(host, port):
        if failure is not None and time.monotonic() > until:
            break
        try:
            return socket.create_connection((address, port), timeout=timeout)
        except OSError as error:
            failure = error
    assert failure is not None
    raise failure


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
    """imaplib's client over `connect`; with a `context` TLS starts at the first byte."""

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        super().__init__(host, port, timeout=timeout)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        plain = connect(self.host, self.port, timeout or 30)
        if self._context is None:
            return plain
        return self._context.wrap_socket(plain, server_hostname=self.host)
