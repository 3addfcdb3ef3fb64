"""Reading a channel's settings: the two servers it may have, and their passwords."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from django.utils.translation import gettext as _

from inbox.adapters import DeliveryError
from inbox.models import Channel

DEFAULT_PORTS = {
    ("imap", "tls"): 993,
    ("imap", "starttls"): 143,
    ("imap", "none"): 143,
    ("smtp", "tls"): 465,
    ("smtp", "starttls"): 587,
    ("smtp", "none"): 25,
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where to connect and how. `username` is empty where the server asks for none.

    With `oauth` (a provider's key) a token of `channel` stands in the place of the password. It is asked for when a
    connection is made, and is no part of this: it changes every hour, and this only when the settings do.
    """

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    username: str
    password: str
    folders: tuple[str, ...] = ("INBOX",)
    move_to: str = ""
    oauth: str = ""
    channel: int = 0


def address_of(channel: Channel) -> str:
    """The channel's own address."""
    return str(channel.settings.get("address") or channel.addresses[0])


def own_addresses(channel: Channel) -> dict[str, str]:
    """Every address this mailbox may answer from, lower-cased, the main one first; with the name set for it, if any."""
    main = str(channel.settings.get("address") or "").lower()
    own = dict.fromkeys([*([main] if main else ()), *channel.addresses, *channel.settings.get("aliases", ())], "")
    return own | {one["address"]: one.get("name", "") for one in channel.settings.get("from_addresses", ())}


def folder_name(name: str) -> str:
    """A folder as it is called here: INBOX is the same in any spelling (RFC 3501 5.1), all others are as they are."""
    return "INBOX" if name.lower() == "inbox" else name


def folders_of(imap: Mapping[str, Any]) -> tuple[str, ...]:
    """The folders that the settings of an IMAP server have read, each once."""
    return tuple(dict.fromkeys(folder_name(one) for one in imap.get("folders") or ("INBOX",)))


def server(channel: Channel, protocol: Literal["imap", "smtp"]) -> Server | None:
    """The channel's IMAP or SMTP server, None when it has none. Raises DeliveryError when no key opens its password."""
    given = channel.settings.get(protocol)
    if not given:
        return None
    security = given.get("security", "tls")
    try:
        secrets = channel.secrets
    except ValueError as error:
        raise DeliveryError(
            _("The password of this channel cannot be opened: its key is missing in ENCRYPTION_KEYS. Enter it again."),
            permanent=False,
        ) from error
    return Server(
        host=given["host"],
        port=int(given.get("port") or DEFAULT_PORTS[protocol, security]),
        security=security,
        username=given.get("username", ""),
        password=str(secrets.get(f"{protocol}.password", "")),
        folders=folders_of(given),
        move_to=folder_name(given.get("move_to", "")),
        oauth=given.get("oauth", ""),
        channel=channel.pk or 0,
    )
