"""Mail servers, channels and the people: Sana answers, Ali asks, Bilal is in copy, Carol is a stranger."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from channels_email.receiver import Receiver
from inbox.models import Agent, Brand, Channel, Role
from tests.servers import dovecot as dovecot_server
from tests.servers import oauth as oauth_server_of
from tests.servers import postfix as postfix_server
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.oauth import OAuthServer
from tests.servers.ports import free_port
from tests.servers.postfix import Postfix

SUPPORT = "support@rabta.example"
ALI = "ali@customer.example"
BILAL = "bilal@customer.example"
CAROL = "carol@stranger.example"


@pytest.fixture(scope="session")
def oauth_server() -> Iterator[OAuthServer]:
    with oauth_server_of.running() as server:
        yield server


@pytest.fixture(scope="session")
def dovecot(oauth_server: OAuthServer) -> Iterator[Dovecot]:
    with dovecot_server.running(oauth_server.url) as server:
        yield server


@pytest.fixture
def oauth(oauth_server: OAuthServer, settings: Any) -> OAuthServer:
    """Google and Microsoft, as the settings of this test name them."""
    oauth_server.reset()
    settings.GOOGLE_CONSENT_URL = settings.GOOGLE_TOKEN_URL = settings.MICROSOFT_LOGIN_URL = oauth_server.url
    for name in ("GOOGLE", "MICROSOFT"):
        for part, value in zip(("ID", "SECRET"), oauth_server_of.CLIENT, strict=True):
            setattr(settings, f"{name}_CLIENT_{part}", value)
    return oauth_server


@dataclass(frozen=True)
class Relay:
    """A Postfix that brings mail for customers to Dovecot, and mail for us to `receiver_port`."""

    postfix: Postfix
    receiver_port: int


@pytest.fixture(scope="session")
def relay(dovecot: Dovecot) -> Iterator[Relay]:
    port = free_port()
    hops = {
        "rabta.example": f"smtp:[127.0.0.1]:{port}",
        "customer.example": f"lmtp:inet:127.0.0.1:{dovecot.lmtp}",
    }
    with postfix_server.running(hops) as server:
        yield Relay(server, port)


@pytest.fixture
def mailbox(request: pytest.FixtureRequest) -> str:
    """A mailbox that only this test uses."""
    return "".join(char for char in request.node.name if char.isalnum())[-50:].lower()


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@rabta.example", name="Sana", role=Role.AGENT)


MakeChannel = Callable[..., Channel]


@pytest.fixture
def make_channel(db: None) -> MakeChannel:
    """Makes an e-mail channel; `settings` go on top of the address, `secrets` are its passwords."""

    def make(
        slug: str = "support", address: str = SUPPORT, secrets: dict[str, str] | None = None, **settings: Any
    ) -> Channel:
        brand, _made = Brand.objects.get_or_create(name="Rabta Store")
        channel = Channel(
            kind="email",
            slug=slug,
            name=slug.title(),
            brand=brand,
            addresses=[address],
            settings={"address": address, **settings},
        )
        channel.secrets = secrets or {}
        channel.save()
        return channel

    return make


def imap_settings(server: Dovecot, user: str, **more: Any) -> dict[str, Any]:
    """Settings of a channel that reads `user`'s mailbox, with its password: arguments for `make_channel`."""
    imap = {"host": "127.0.0.1", "port": server.imap, "security": "none", "username": user, **more}
    return {"imap": imap, "secrets": {"imap.password": PASSWORD}}


def mail(
    text: str = "Where is my order?",
    *,
    sender: str = ALI,
    to: str = SUPPORT,
    subject: str = "My order",
    message_id: str | None = None,
    **headers: str,
) -> bytes:
    """A mail as a customer's program writes it. Further headers by name, `in_reply_to` for In-Reply-To."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"] = format_datetime(timezone.now())
    message["Message-ID"] = message_id or make_msgid(domain="customer.example")
    for name, value in headers.items():
        message[name.replace("_", "-").title()] = value
    message.set_content(text)
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@contextlib.contextmanager
def receiving(**options: Any) -> Iterator[Receiver]:
    """The SMTP receiver in a thread of its own while the block runs."""
    receiver = Receiver(**options)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(receiver.start(), loop).result(10)
        yield receiver
    finally:
        asyncio.run_coroutine_threadsafe(receiver.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def database_url() -> str:
    """The address of this test's database, for processes of their own."""
    options = connections["default"].settings_dict
    return f"postgresql://{options['USER']}@/{options['NAME']}?host={options['HOST'] or options['OPTIONS']['host']}"
