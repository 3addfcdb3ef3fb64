"""What strangers may send to a visitor's websocket, against a real web process: refused in words or ignored, nothing of
anybody else is told, and the process goes on for all others.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connection
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from channels_chat import protocol
from channels_chat.config import MOST_TEXT
from channels_chat.consumers import WidgetConsumer
from channels_chat.models import Visitor
from inbox.actions import reply
from inbox.models import Agent, Channel, Message, Receipt, Role, Ticket
from tests.channels_chat.visitor import VisitorPage
from tests.servers.web import Server

pytestmark = pytest.mark.django_db(transaction=True)

MARKUP = "<script>alert('1')</script><img src=x onerror=alert(2)>&amp;"


class Log:
    """The server's log, from where the last look at it ended."""

    def __init__(self, server: Server) -> None:
        self.path = Path(os.environ["RABTA_TEST_SERVERS"], f"web-{server.port}.log")
        self.seen = self.path.stat().st_size

    def new(self) -> str:
        with self.path.open("rb") as file:
            file.seek(self.seen)
            found = file.read()
        self.seen += len(found)
        return found.decode(errors="replace")


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    server = Server()
    with django_db_blocker.unblock():
        server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def log(server: Server, transactional_db: None) -> Iterator[Log]:
    """Whatever a test sends: the server finds nothing worth an error in it."""
    log = Log(server)
    yield log
    connection.close()
    found = log.new()
    assert "Traceback" not in found and "ERROR" not in found, found[-4000:]


@pytest.fixture
def shop() -> Channel:
    return Channel.objects.create(kind="chat", slug="shop", name="Shop", settings={"languages": ["en", "ur"]})


@pytest.fixture
def sana() -> Agent:
    return Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.ADMIN)


def hear_no(page: VisitorPage, **fields: Any) -> dict[str, Any]:
    told = page.wait("no", **fields)
    assert told["text"]
    return told


# Frames ----------------------------------------------------------------------------------------------------------

# Each field of docs/channels/chat.md, and what a page could put there that is not meant for it.
FIELDS = (
    "visit", "key", "since", "url", "title", "ref", "lang", "zone", "visits", "user", "hmac", "attrs", "cid", "fields",
    "topic", "consent", "invitation", "text", "files", "delivered", "read", "before", "name", "data", "what", "id",
    "button", "values", "score", "comment", "email",
)  # fmt: skip
KINDS = (*sorted(WidgetConsumer.DEEDS), "welcome", "", "__class__", "t" * 500)
ODD = st.sampled_from(
    [
        None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**70), 10**400, 0.5, 1e308, float("nan"), float("inf"), "",
        " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202e\u2066", "\ufeff", "a" * 70, "0" * 32,
        "https://shop.example/", "http://[", "http://[::1", "javascript:alert(1)", "https://a:b@c.example/", "//x",
        "http://\ud800/", "x@y.example", "{}", "[]", "%s%n{0}", "../../etc/passwd", "'; DROP TABLE inbox_message; --",
        MARKUP, [], {}, [[]], [None], [1, "a", {}], {"": ""}, {"a": {"b": [1]}}, {"email": 5, "name": ["x"]},
        {"\x00": "\x00", "\ud800": "\ud800"}, {"id": "7", "email": "\ud800@x\x00"}, {"id": 2**70}, {"id": {}},
        {str(number): number for number in range(300)}, ["x"] * 300, "start", "done", "shown", "opened",
    ]
)  # fmt: skip
DEEP = "[" * 900 + "]" * 900
CIDS = st.sampled_from([str(uuid.UUID(int=number)) for number in range(6)])
FRAME = st.fixed_dictionaries(
    {"t": st.sampled_from(KINDS)},
    optional={name: ODD if name != "cid" else st.one_of(CIDS, ODD) for name in FIELDS},
).map(json.dumps)
RAW = st.one_of(
    FRAME,
    FRAME,
    FRAME,
    st.binary(max_size=40),
    st.text(max_size=40),
    st.sampled_from(
        [
            "", "null", "[]", "1", '"t"', "{", '{"t":1}', '{"t":null}', '{"t":"say","t":"say"}', "NaN", "1" * 5000,
            "[" * 60_000, '{"a":' * 10_000, '{"t":"say","cid":"' + "1" * 36 + '","text":' + DEEP + "}",
            '{"t":"hi","visit":' + DEEP + ',"user":' + DEEP + "}", '{"t":"journey","key":"a","what":' + DEEP + "}",
            '{"t":"event","cid":"12345678","name":"a","data":{"a":' + DEEP + "}}", '{"t":"say","text":"\\ud83d"}',
        ]
    ),
)  # fmt: skip


@pytest.fixture
def wide(sana: Agent) -> Channel:
    """A channel with whatever a visitor's frames could reach."""
    texts = {"en": "Name", "ur": "نام"}
    return Channel.objects.create(
        kind="chat",
        slug="wide",
        name="Wide",
        settings={
            "preview": True,
            "prechat": [{"key": "order", "kind": "text", "label": texts, "required": True}],
            "topics": [{"key": "parcel", "label": texts}],
        },
    )


def test_no_frame_hurts(server: Server, wide: Channel) -> None:
    address = f"{server.url.replace('http', 'ws')}/chat/{wide.token}/ws/"
    key = VisitorPage(server.url, wide)
    key.say("I was here before")

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(RAW, min_size=8, max_size=40), st.booleans())
    @example([json.dumps({"t": "hi", "visit": "0" * 32, "key": "\ud800"})], False)
    def send(frames: list[str | bytes], known: bool) -> None:
        with connect(address, max_size=None, legacy=True) as socket:  # type: ignore[call-overload]
            if known:
                socket.send(json.dumps({"t": "hi", "visit": uuid.uuid4().hex, "key": key.key}))
            for frame in frames:
                socket.send(frame)
            # The connection still stands, and hears: at last somebody says properly what they want.
            socket.send(json.dumps({"t": "hi", "visit": uuid.uuid4().hex}))
            cid = uuid.uuid4().hex
            socket.send(json.dumps({"t": "say", "cid": cid, "text": ""}))
            while json.loads(socket.recv(timeout=10)).get("cid") != cid:
                pass

    send()
    with VisitorPage(server.url, wide) as other:
        assert other.say("And I?")["t"] == "took"
