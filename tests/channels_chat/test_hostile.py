"""What strangers may send to a visitor's websocket, against a real web process: refused in words or ignored, nothing of
anybody else is told, and the process goes on for all others.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from channels_chat import lines
from channels_chat.allowances import NEWCOMERS, SAYS, SAYS_PER_SECOND
from channels_chat.config import MOST_TEXT
from channels_chat.consumers import WidgetConsumer
from channels_chat.models import Visitor
from inbox.actions import reply
from inbox.models import Agent, Channel, Message, Role, Ticket
from tests.channels_chat.visitor import VisitorPage
from tests.servers.web import Server

pytestmark = pytest.mark.django_db(transaction=True)

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
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


@pytest.fixture(autouse=True)
def log(server: Server, transactional_db: None) -> Iterator[Log]:
    """Whatever a test sends: the server finds nothing worth an error in it."""
    log = Log(server)
    yield log
    connection.close()
    found = "\n".join(line for line in log.new().splitlines() if "Invalid UTF-8" not in line)  # uvicorn's, with a trace
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
ODD: st.SearchStrategy[Any] = st.sampled_from(
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
    assert key.say("I was here before", fields={"order": "4711"})["t"] == "took"

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(RAW, min_size=8, max_size=40), st.booleans())
    @example([json.dumps({"t": "hi", "visit": "0" * 32, "key": "\ud800"})], False)
    def send(frames: list[str | bytes], known: bool) -> None:
        with connect(address, max_size=None, legacy=True) as socket:
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
        assert other.say("And I?", fields={"order": "4711"})["t"] == "took"


# Too much -------------------------------------------------------------------------------------------------------


def test_a_flood_is_told_so_and_nobody_else_suffers(server: Server, shop: Channel) -> None:
    with VisitorPage(server.url, shop) as flooder, VisitorPage(server.url, shop) as other:
        began = time.monotonic()
        cids = [str(uuid.uuid4()) for _ in range(50)]
        for cid in cids:
            flooder.put(t="say", cid=cid, text="spam")
        assert other.say("My parcel is broken")["t"] == "took"
        told: dict[str, dict[str, Any]] = {}
        while len(told) < len(cids):
            frame = flooder.hear()
            if frame["t"] in {"took", "no"}:
                told[frame["cid"]] = frame
        took = [cid for cid in cids if told[cid]["t"] == "took"]
        most = SAYS + SAYS_PER_SECOND * (time.monotonic() - began)
        assert took[: int(SAYS)] == cids[: int(SAYS)] and len(took) <= most
        refused = [one for one in told.values() if one["t"] == "no"]
        assert {one["why"] for one in refused} == {"flood"} and all(one["after"] >= 1 for one in refused)
        assert Message.objects.filter(text="spam").count() == len(took)
        with pytest.raises(ConnectionClosed) as closed:  # who goes on in spite of it is shut out
            for _ in range(3000):
                flooder.put(t="typing", text="x")
            while True:
                flooder.hear()
        assert closed.value.rcvd and closed.value.rcvd.code == 4429
        assert other.say("Still there?")["t"] == "took"


def test_no_address_begins_thousands_of_sessions(server: Server, shop: Channel) -> None:
    """However many connections it has."""
    address = f"{server.url.replace('http', 'ws')}/chat/{shop.token}/ws/"
    for number in range(int(NEWCOMERS) * 2):
        with connect(address, legacy=True, source_address=("127.0.0.77", 0)) as socket:
            socket.send(json.dumps({"t": "hi", "visit": uuid.uuid4().hex}))
            socket.send(json.dumps({"t": "start", "cid": f"somebody-{number}", "fields": {}}))
            while (told := json.loads(socket.recv(timeout=10)))["t"] not in {"key", "no"}:
                pass
        if told["t"] == "no":
            break
    assert told["why"] == "flood" and told["after"] >= 1 and told["text"]


def test_what_is_too_large_is_refused_in_words_or_ends_the_connection(server: Server, shop: Channel) -> None:
    with VisitorPage(server.url, shop) as page:
        cid = str(uuid.uuid4())
        assert page.say("a" * (MOST_TEXT + 1), cid=cid)["why"] == "too_long"
        assert page.say(" " * 4000 + "a" * (MOST_TEXT - 1) + "b", cid=cid)["t"] == "took"
        message = Message.objects.get()
        assert len(message.text) == MOST_TEXT and message.text.endswith("b")
        page.put(t="say", cid=str(uuid.uuid4()), text="a" * 1_000_000)
        hear_no(page, why="too_long")
        page.put(t="offline", cid=cid, text="a" * (MOST_TEXT + 1), fields={})
        hear_no(page, why="too_long", cid=cid)
        assert page.say("in parts")["t"] == "took"
        with pytest.raises(ConnectionClosed) as closed:
            page.put(t="say", cid=str(uuid.uuid4()), text="a" * 5_000_000)
            while True:
                page.hear()
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1009  # none where we were still sending
        page.open()
        assert page.welcome["known"]
    assert Message.objects.count() == 2


# Not text, or not ours --------------------------------------------------------------------------------------------


def test_what_is_no_text_is_refused(server: Server, shop: Channel) -> None:
    with VisitorPage(server.url, shop) as page:
        page.socket.send(b"\x00\xff binary")
        hear_no(page, why="wrong")
        page.socket.send(json.dumps({"t": "say", "cid": "a" * 20, "text": "as bytes"}).encode())
        hear_no(page, why="wrong")
        page.socket.send(b"\xff\xfe", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            page.hear()
        assert closed.value.rcvd and closed.value.rcvd.code == 1007
    assert not Message.objects.exists()


def test_markup_and_odd_characters_are_text(server: Server, shop: Channel, sana: Agent) -> None:
    with VisitorPage(server.url, shop) as page:
        cid, odd = str(uuid.uuid4()), str(uuid.uuid4())
        text = r"a\u0000b\ud83d \u202eابج\u2066"
        page.put(t="say", cid=cid, text=MARKUP)
        page.socket.send(f'{{"t":"say","cid":"{odd}","text":"{text}"}}')
        while len(page.messages) < 2:
            page.hear()
        told = {one["cid"]: one["text"] for one in page.messages.values()}
        assert told == {cid: MARKUP, odd: "ab? \u202eابج\u2066"}
    message = Message.objects.get(text=MARKUP)
    client = Client()
    client.force_login(sana)
    for shown in (
        lines.html(lines.newest(message.ticket_id)[0]),
        client.get(f"/tickets/{message.ticket_id}/").content.decode(),
    ):
        assert "<script>alert('1')" not in shown and "<img src=x" not in shown
        assert "&lt;script&gt;alert(" in shown


def test_an_id_that_comes_again_with_other_words_stands_for_the_first(server: Server, shop: Channel) -> None:
    with VisitorPage(server.url, shop) as page:
        cid = str(uuid.uuid4())
        first = page.say("first", cid=cid)
        again = page.say("second", cid=cid)
        assert (again["t"], again["id"], again["at"]) == ("took", first["id"], first["at"])
        for bad in ("", "short", "a" * 65, "späß-spaß-spaß-spaß", 5, None, ["a"]):
            page.put(t="say", cid=bad, text="no id")
            hear_no(page, why="wrong", cid="")
    assert list(Message.objects.values_list("text", flat=True)) == ["first"]


def test_a_first_message_that_is_said_again_without_a_key_is_no_second_conversation(
    server: Server, shop: Channel
) -> None:
    """The connection was lost after it was stored and before the key and the acknowledgement arrived."""
    cid, visit = str(uuid.uuid4()), uuid.uuid4().hex
    with VisitorPage(server.url, shop, visit=visit) as page:
        took = page.say("Hello?", cid=cid)
        key = page.key
    with VisitorPage(server.url, shop, visit=visit) as page:
        assert not page.welcome["known"]
        assert page.say("Hello?", cid=cid)["id"] == took["id"]
        assert page.key == key
    with VisitorPage(server.url, shop) as stranger:  # who knows the id alone is somebody else
        assert stranger.say("Hello?", cid=cid)["id"] != took["id"]
    assert (Visitor.objects.count(), Ticket.objects.count(), Message.objects.count()) == (2, 2, 2)


# Somebody else's -------------------------------------------------------------------------------------------------


def refused(server: Server, channel_token: str, **more: Any) -> int:
    """The code that a connection is closed with."""
    address = f"{server.url.replace('http', 'ws')}/chat/{channel_token}/ws/"
    with connect(address, legacy=True, **more) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.send(json.dumps({"t": "hi", "visit": uuid.uuid4().hex}))
        socket.recv(timeout=10)
        socket.recv(timeout=10)
    assert closed.value.rcvd
    return closed.value.rcvd.code


def test_doors_that_stay_shut(server: Server, shop: Channel) -> None:
    own = Channel.objects.create(kind="chat", slug="own", name="Own", settings={"origins": ["https://*.shop.example"]})
    paused = Channel.objects.create(kind="chat", slug="paused", name="Paused", paused=True)
    mail = Channel.objects.create(kind="email", slug="mail", name="Mail")
    for origin in ("https://evil.example", "https://shop.example.evil.example", "http://a.shop.example", "null"):
        assert refused(server, own.token, origin=origin) == 4403
    for token in (paused.token, mail.token, "nobody", "%00", "a" * 300):
        assert refused(server, token) == 4404
    with VisitorPage(server.url, own, origin="https://www.shop.example") as page:
        assert not page.welcome["known"]


def upload(server: Server, page: VisitorPage, name: str, content: bytes, kind: str) -> requests.Response:
    where = f"{server.url}/chat/{page.channel.token}/files/"
    return requests.post(where, files={"file": (name, content, kind)}, headers={"X-Rabta-Key": page.key}, timeout=10)


def test_what_is_anothers_stays_theirs(server: Server, shop: Channel, sana: Agent) -> None:
    elsewhere = Channel.objects.create(kind="chat", slug="elsewhere", name="Elsewhere")
    with VisitorPage(server.url, shop) as ali, VisitorPage(server.url, shop) as eve:
        ali.say("My card is 4111")
        answer = reply.reply(Ticket.objects.get(), by=sana, text="Never tell anybody")
        while answer.pk not in ali.messages:
            ali.hear()
        file = upload(server, ali, "card.png", PNG, "image/png").json()["file"]
        eve.say("I am Eve")
        own = dict(eve.messages)

        # Words of messages that are not hers; she is told of her own alone.
        eve.put(t="seen", delivered=answer.pk, read=2**62)
        for before in (answer.pk, answer.pk + 1, 2**62):
            eve.put(t="more", before=before)
            told = eve.wait("said", old=True)
            assert {one["id"] for one in told["messages"]} <= own.keys()
        for number in (answer.pk, answer.pk - 1):
            eve.put(t="press", id=number, button="yes")
            eve.put(t="form", id=number, values={"email": "eve@evil.example"})
        assert eve.say("Theirs", files=[file])["why"] == "files"
        assert eve.say("Mine, made up", files=["eyJ.made:up:signature"])["why"] == "files"
        answer.refresh_from_db()
        assert answer.state == "sent"
        assert "pressed" not in str(answer.payload) and "eve@" not in str(answer.payload)

        # Keys: guessed from what others can know of a visitor, or a right one at another door.
        him = Visitor.objects.order_by("pk").first()
        assert him is not None
        for key in (str(him.public), him.public.hex, str(him.pk), him.address, him.digest, ali.key[:-1], ali.key + " "):
            with VisitorPage(server.url, shop, key=key) as thief:
                assert thief.frames[-1] == {"t": "gone"}
                assert (thief.welcome["known"], thief.welcome["messages"]) == (False, [])
        with VisitorPage(server.url, elsewhere, key=ali.key) as thief:
            assert not thief.welcome["known"]
        ali.say("and that is all", files=[file])
    assert not any("card" in str(one) or "Never" in str(one) for one in [*eve.frames, *eve.messages.values()])


def test_who_the_site_does_not_vouch_for_is_refused_and_told_of_without_values(
    server: Server, shop: Channel, log: Log
) -> None:
    wrong = "0123456789abcdef" * 4
    user = {"id": "customer-4711", "email": "ali@customers.example", "name": "Ali"}
    with VisitorPage(server.url, shop, user=user, hmac=wrong) as page:
        assert not page.welcome["known"]
        page.put(t="user", user=user, hmac=wrong)
        hear_no(page, why="user")
        page.put(t="user", user={"id": ""}, hmac="")
        hear_no(page, why="user")
        assert page.say("It is me, Ali")["t"] == "took"
    visitor = Visitor.objects.get()
    assert (visitor.user, visitor.address) == ("", f"v:{visitor.public}")
    said = log.new()
    assert said.count("wrong proof") and not any(one in said for one in (wrong, "4711", "ali@customers.example"))
    assert "Traceback" not in said


def test_files_that_lie_about_themselves(server: Server, shop: Channel) -> None:
    page_of_html = b"<!doctype html><script>alert(1)</script>"
    with VisitorPage(server.url, shop) as page:
        page.say("Look")
        assert upload(server, page, "photo.png", b"MZ\x90\x00" + b"\x00" * 64, "image/png").status_code == 415
        assert upload(server, page, "photo.exe", PNG, "image/png").status_code == 415
        lies = upload(server, page, "photo.png", page_of_html, "image/png")
        assert (lies.json()["type"], lies.json()["image"]) == ("application/octet-stream", False)
        page.say("", files=[lies.json()["file"]])
        while not (files := page.hear().get("messages", [{}])[-1].get("files")):
            pass
        assert not files[0]["image"]
        got = requests.get(server.url + files[0]["url"], timeout=10)
        assert got.content == page_of_html
        assert got.headers["Content-Disposition"].startswith("attachment")
        assert got.headers["Content-Type"] == "application/octet-stream"
        assert "sandbox" in got.headers["Content-Security-Policy"]
        page.key = "wrong"
        assert upload(server, page, "photo.png", PNG, "image/png").status_code == 403
