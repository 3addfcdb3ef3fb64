"""The generic channel: signed both ways, strict about what it takes, sent once whatever the other side does."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from channels_social.api import events
from channels_social.api.wire import refusal
from inbox import audit, delivery, directory, timeline
from inbox.actions import channel_secrets, channels, receive, reply, uploads
from inbox.actions.errors import ActionError
from inbox.adapters import RawReceipt, adapter_for
from inbox.models import Agent, Channel, Identity, Message, Reach, Receipt, RemoteFile, Role, Ticket
from inbox.views import hooks
from lib import standard_webhooks
from sandbox import reviews
from sandbox.models import Review
from tests.adapter_contract import AdapterContract

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU="


class Far:
    """An integrator's software: remembers what came, and answers in turn; the last answer again and again."""

    def __init__(self, *answers: tuple[int, Any]) -> None:
        self.answers = list(answers) or [(200, {})]
        self.came: list[tuple[dict[str, str], str]] = []
        self.headers: dict[str, str] = {}
        far = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                far.came.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status, said = far.answers.pop(0) if len(far.answers) > 1 else far.answers[0]
                content = (said if isinstance(said, str) else json.dumps(said)).encode()
                if status == 0:  # it took it, and the answer is lost
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in far.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/rabta"

    def told(self) -> list[Any]:
        """What came, each proven with the public library."""
        return [Verifier(SECRET).verify(body, headers) for headers, body in self.came]


@contextlib.contextmanager
def far_side(*answers: tuple[int, Any]) -> Iterator[Far]:
    far = Far(*answers)
    thread = threading.Thread(target=far.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield far
    finally:
        far.server.shutdown()
        far.server.server_close()


def connect(url: str = "", **settings: Any) -> Channel:
    given = {"webhook_url": url, "signing_secret": SECRET, **settings}
    return channels.create("api", "reviews", given, by=None)


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.ADMIN)


@pytest.fixture
def channel(db: None) -> Channel:
    return connect()


def said(identifier: str, text: str = "Too small", who: str = "ali", **more: Any) -> dict[str, Any]:
    return {"type": "message.created", "id": identifier, "from": {"id": who, "name": who.title()}, "text": text, **more}


def post(channel: Channel, told: Any, *, call: str = "call-1", at: datetime | None = None, **wrong: Any) -> Any:
    """As an integrator does it, signed by the public library."""
    body = told if isinstance(told, str) else json.dumps(told)
    at = at or datetime.now(UTC)
    headers = {
        "webhook-id": call,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Verifier(wrong.get("secret", SECRET)).sign(call, at, wrong.get("signed", body)),
        **wrong.get("headers", {}),
    }
    url = f"/hooks/api/{channel.token}/"
    return Client().post(url, body, content_type="application/json", headers=headers)


def take(channel: Channel, told: Any, **more: Any) -> None:
    assert post(channel, told, **more).status_code == 200
    receive.take_in_waiting()
    assert not Receipt.objects.filter(state="failed").values_list("reason", flat=True)


class TestContract(AdapterContract):
    kind = "api"
    good_settings: ClassVar[dict[str, Any]] = {"webhook_url": "https://shop.example.com/rabta", "public": "yes"}

    def make_channel(self, port: int) -> Channel:
        self.numbers = iter(range(1, 1000))
        return connect(f"http://127.0.0.1:{port or 1}/rabta")

    def utterance(self, text: str, *, sender: str = "ali", answers: Message | None = None) -> RawReceipt:
        event = said(f"r{next(self.numbers)}", text, sender)
        if answers is not None:
            event["in_reply_to"] = answers.external_id
        return RawReceipt(json.dumps(event).encode(), f"message:{event['id']}", key=event["id"])

    def garbage(self) -> RawReceipt:
        return RawReceipt(b'{"type": "message.created", "id": "\xff', "garbage")

    def far_side(self, answer: str) -> contextlib.AbstractContextManager[Any]:
        said = {"accept": (200, {}), "refuse": (400, {"detail": "This review is gone."}), "later": (503, "busy")}
        return far_side(said[answer])


# In -------------------------------------------------------------------------------------------------------------------


def test_only_what_is_signed_now_is_taken(channel: Channel) -> None:
    now, other = datetime.now(UTC), "whsec_" + "A" * 44
    event = said("r1")
    assert post(channel, event, secret=other).status_code == 403
    assert post(channel, event, signed=json.dumps(said("r2"))).status_code == 403
    assert post(channel, event, at=now - timedelta(minutes=6)).status_code == 403
    assert post(channel, event, at=now + timedelta(minutes=6)).status_code == 403
    for headers in ({"webhook-signature": ""}, {"webhook-id": "another"}, {"webhook-timestamp": "soon"}):
        assert post(channel, event, headers=headers).status_code == 403
    assert Client().post(f"/hooks/api/{channel.token}/", event, "application/json").status_code == 403
    assert not Receipt.objects.exists()
    both = f"v1,{'A' * 43}= {Verifier(SECRET).sign('call-1', now, json.dumps(event))}"  # as while a secret changes
    assert post(channel, event, at=now, headers={"webhook-signature": both}).status_code == 200
    assert post(channel, event, at=now).json() == {"received": 1}  # a replay: proven, and known already
    assert Receipt.objects.count() == 1


def test_a_repeat_is_harmless_whatever_call_it_comes_in(channel: Channel) -> None:
    take(channel, said("r1"))
    take(channel, [said("r1"), said("r2", "Again")], call="call-2")
    take(channel, said("r1", "Other words"), call="call-3")
    assert list(Message.objects.order_by("pk").values_list("text", flat=True)) == ["Too small", "Again"]
    for text, call in (("B", "4"), ("A", "5"), ("B", "6"), ("B", "6")):
        take(channel, {"type": "message.updated", "id": "r1", "text": text}, call=call)
    message = Message.objects.get(external_id="r1")
    assert (message.text, [one["text"] for one in message.payload["versions"]]) == ("B", ["Too small", "B", "A"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": None}, "id"),
        ({"id": 7}, "id"),
        ({"id": "m12"}, "id"),
        ({"id": " r1"}, "id"),
        ({"id": "r" * 201}, "id"),
        ({"from": None}, "from"),
        ({"from": "ali"}, "from"),
        ({"from": {"name": "Ali"}}, "from.id"),
        ({"from": {"id": "ali", "nick": "A"}}, "from.nick"),
        ({"text": "  "}, "text"),
        ({"text": 5}, "text"),
        ({"thread": {"title": "x"}}, "thread.id"),
        ({"thread": {"id": "t", "kind": "post"}}, "thread.kind"),
        ({"thread": {"id": "t", "url": "javascript:alert(1)"}}, "thread.url"),
        ({"rating": {"value": 6}}, "rating.value"),
        ({"rating": {"value": True}}, "rating.value"),
        ({"rating": {"of": 5}}, "rating.value"),
        ({"rating": {"value": 0, "of": 0}}, "rating.value"),
        ({"public": "yes"}, "public"),
        ({"at": "yesterday"}, "at"),
        ({"at": "2026-11-27T09:30:00"}, "at"),
        ({"at": "2026-13-27T09:30:00Z"}, "at"),
        ({"attachments": [{"name": "x"}]}, "attachments.0.url"),
        ({"attachments": [{"url": "file:///etc/passwd"}]}, "attachments.0.url"),
        ({"attachments": {}}, "attachments"),
        ({"metadata": {"x": "y" * 9000}}, "metadata"),
        ({"ratng": {}}, "ratng"),
        ({"type": None}, "type"),
        ({"type": 5}, "type"),
    ],
)
def test_what_is_malformed_is_told_by_its_field(channel: Channel, change: dict[str, Any], field: str) -> None:
    wrong = {name: value for name, value in {**said("r1"), **change}.items() if value is not None}
    alone = post(channel, wrong)
    assert (alone.status_code, alone["Content-Type"]) == (422, "application/problem+json")
    assert list(alone.json()["errors"]) == [field]
    assert alone.json()["detail"].startswith(f"{field}: ")
    listed = post(channel, [said("r0"), wrong])
    assert list(listed.json()["errors"]) == [f"1.{field}"]
    assert not Receipt.objects.exists()  # nothing of the whole


@pytest.mark.parametrize("body", ["", "{", "5", "[]", "[5]", json.dumps([{"type": "ping"}] * 101), "[" * 100_000])
def test_what_is_no_event_at_all(channel: Channel, body: str) -> None:
    answer = post(channel, body)
    assert answer.status_code == 422, answer.content
    assert not Receipt.objects.exists()


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({"type": "message.updated", "id": "r1"}, "text"),
        ({"type": "message.deleted"}, "id"),
        ({"type": "reaction", "message": "r1", "from": {"id": "ali"}}, "emoji"),
        ({"type": "delivery", "message": "m1", "status": "lost"}, "status"),
        ({"type": "delivery", "status": "read"}, "message"),
        ({"type": "contact.blocked", "from": {"id": "ali"}, "value": 1}, "value"),
    ],
)
def test_news_are_checked_as_well(channel: Channel, event: dict[str, Any], field: str) -> None:
    assert list(post(channel, event).json()["errors"]) == [field]


def test_what_nobody_knows_yet(channel: Channel) -> None:
    take(channel, [{**said("r1"), "type": "poll.created"}, {"type": "shop.closed"}, {"type": "ping", "x": 1}])
    message = Message.objects.get()
    assert (message.content_kind, message.payload["kind"]) == ("unsupported", "poll.created")
    assert message.payload["raw"]["text"] == "Too small"
    left = Receipt.objects.exclude(pk=message.receipt_id).get()
    assert (left.state, "shop.closed" in left.reason) == ("ignored", True)


def test_a_thread_is_one_ticket_whoever_writes_in_it(channel: Channel) -> None:
    thread = {"id": "shawl", "title": "Hand-woven shawl", "url": "https://shop.example/shawl", "kind": "review"}
    take(channel, [said("r1", thread=thread), said("r2", "Mine fits", "carol", thread=thread, in_reply_to="r1")])
    take(channel, said("r3", "And where is my order?"), call="2")
    take(channel, said("r4", "Hello?"), call="3")
    shawl, order = Ticket.objects.order_by("pk")
    assert (shawl.message_count, shawl.subject, shawl.thread_key) == (2, "Hand-woven shawl", "shawl")
    assert (order.message_count, order.subject) == (2, "And where is my order?")
    assert shawl.customer == order.customer
    other = channels.create("api", "app", {"signing_secret": SECRET}, by=None)
    take(other, said("r1", thread=thread))
    assert Ticket.objects.count() == 3
    assert Identity.objects.filter(kind="api", value="ali").count() == 2  # another "ali"


def test_a_rating_is_shown(channel: Channel, sana: Agent) -> None:
    take(channel, [said("r1", rating={"value": 2}), said("r2", "", "carol", rating={"value": 3.5, "of": 5})])
    two, half = Ticket.objects.order_by("pk")
    assert (two.preview, two.subject) == ("★ 2/5 Too small", "★ 2/5 Too small")
    assert half.preview == "★ 3.5/5"
    (entry,) = [one for one in timeline.build(half, directory.of(sana)).entries if one.kind == "message"]
    assert entry.message.stars == ["full"] * 3 + ["half", "empty"]
    client = Client()
    client.force_login(sana)
    page = client.get(f"/tickets/{two.pk}/").content.decode()
    assert "Rated 2 of 5" in page
    assert page.count('<span class="star-full">') == 2
    take(channel, {"type": "message.deleted", "id": "r1"}, call="2")
    two.refresh_from_db()
    assert "★" not in two.preview
    assert "Rated" not in client.get(f"/tickets/{two.pk}/").content.decode()


def test_what_else_comes_with_a_message(channel: Channel) -> None:
    at = timezone.now().replace(microsecond=0) - timedelta(days=3)
    file = {"url": "https://shop.example/1.jpg", "name": "1.jpg", "content_type": "image/jpeg", "size": 5}
    take(
        channel,
        said(
            "r1",
            "یہ بہت چھوٹا ہے",
            at=at.isoformat(),
            public=True,
            language="ur",
            attachments=[file],
            metadata={"a": 1},
        )
        | {
            "from": {
                "id": "ali",
                "name": "Ali\x00",
                "email": "ali@example.com",
                "picture": "https://shop.example/a.png",
            }
        },
    )
    message = Message.objects.get()
    assert (message.created_at, message.language, message.author_name) == (at, "ur", "Ali")
    assert (message.payload["public"], message.payload["metadata"]) == (True, {"a": 1})
    assert RemoteFile.objects.get().ref == {"url": file["url"]}
    assert [one.verified for one in Identity.objects.filter(kind="email")] == [False]  # a claim that finds nobody


def test_reactions_blocks_and_opting_out(channel: Channel, sana: Agent) -> None:
    take(channel, said("r1"))
    ali, adapter = {"id": "ali"}, adapter_for("api")
    take(channel, {"type": "reaction", "message": "r1", "from": ali, "emoji": "👍"}, call="2")
    assert Message.objects.get().reactions[0]["emoji"] == "👍"
    ticket = Ticket.objects.get()
    for place, (kind, value, may) in enumerate(
        [("blocked", True, False), ("blocked", False, True), ("opted_out", True, False), ("opted_out", False, True)]
    ):
        take(channel, {"type": f"contact.{kind}", "from": ali, "value": value}, call=f"c{place}")
        ticket = Ticket.objects.get()
        assert adapter.may_reply(ticket, channel).allowed is may, kind
    assert Reach.objects.count() == 1


# Out ------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def far(transactional_db: None) -> Iterator[Far]:
    with far_side() as found:
        yield found


def answered(channel: Channel, by: Agent, text: str = "We are sorry.", **more: Any) -> Message:
    message = reply.reply(Ticket.objects.latest("pk"), by=by, text=text, **more)
    delivery.deliver(channel.pk)
    message.refresh_from_db()
    return message


def due(channel: Channel) -> None:
    """As if the time of the next try had come."""
    Message.objects.filter(state="queued").update(next_attempt_at=timezone.now())
    Channel.objects.filter(pk=channel.pk).update(next_send_at=timezone.now())
    delivery.deliver(channel.pk)


def test_an_answer_says_where_it_belongs(far: Far, sana: Agent) -> None:
    channel = connect(far.url)
    take(channel, said("r1", thread={"id": "shawl"}, public=True))
    take(channel, said("r2", "Mine, too", "carol", thread={"id": "shawl"}, public=True), call="2")
    file = uploads.upload(by=sana, name="label.png", content_type="image/png", content=b"\x89PNG\r\n\x1a\n" + b"0" * 9)
    message = answered(channel, sana, attachments=[file.pk])
    (told,) = far.told()
    fetched = Client().get(urlsplit(told["attachments"][0].pop("url")).path)
    assert b"".join(fetched.streaming_content).startswith(b"\x89PNG")  # type: ignore[attr-defined]
    assert told == {
        "type": "message.created",
        "id": f"m{message.pk}",
        "to": {"id": "carol"},
        "text": "We are sorry.",
        "thread": {"id": "shawl"},
        "in_reply_to": "r2",
        "public": True,
        "attachments": [{"name": "label.png", "content_type": "image/png", "size": file.size}],
        "author": {"name": "Sana"},
    }
    assert far.came[0][0]["webhook-id"] == message.external_id == f"m{message.pk}"
    assert message.payload["public"] is True
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(far.came[0][1] + " ", far.came[0][0])
    quoted = Message.objects.get(external_id="r1").pk
    answered(channel, sana, "And you", options={"quotes": quoted, "public": "no"})
    assert (far.told()[1]["in_reply_to"], far.told()[1]["public"]) == ("r1", False)
    with pytest.raises(ActionError):
        answered(channel, sana, options={"public": "perhaps"})


def test_their_id_of_it_is_kept_and_both_name_it(far: Far, sana: Agent) -> None:
    channel = connect(far.url)
    take(channel, said("r1"))
    far.answers = [(201, {"external_id": "answer-9"}), (201, {"external_id": "m1"}), (200, "fine")]
    first, second, third = (answered(channel, sana, text) for text in "123")
    assert [one.external_id for one in (first, second, third)] == ["answer-9", f"m{second.pk}", f"m{third.pk}"]
    take(channel, {"type": "delivery", "message": "answer-9", "status": "read"}, call="2")
    take(channel, {"type": "delivery", "message": f"m{first.pk}", "status": "delivered"}, call="3")
    failed = {"type": "delivery", "message": f"m{second.pk}", "status": "failed", "error": "The review is gone."}
    take(channel, failed, call="4")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state, second.error) == ("read", "failed", "The review is gone.")


def test_a_retry_carries_the_same_id_and_is_sent_at_last(far: Far, sana: Agent) -> None:
    channel = connect(far.url)
    take(channel, said("r1"))
    far.answers = [(500, "oops"), (0, ""), (408, ""), (200, {})]
    message = answered(channel, sana)
    assert (message.state, message.attempts) == ("queued", 1)
    for _again in range(3):
        due(channel)
    message.refresh_from_db()
    assert message.state == "sent"
    assert {headers["webhook-id"] for headers, _ in far.came} == {f"m{message.pk}"}
    assert len({body for _, body in far.came}) == 1
    assert len(far.told()) == 4


def test_too_many_and_gone_rest_the_channel(far: Far, sana: Agent) -> None:
    channel = connect(far.url)
    take(channel, said("r1"))
    far.answers, far.headers = [(429, "")], {"Retry-After": "60"}
    message = answered(channel, sana)
    channel.refresh_from_db()
    assert (message.state, message.attempts, channel.out_failing_since) == ("queued", 0, None)
    assert channel.next_send_at > timezone.now() + timedelta(seconds=50)
    far.answers = [(410, "")]
    due(channel)
    channel.refresh_from_db()
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("queued", 0)
    assert "410" in channel.out_error
    far.answers = [(200, {})]
    channels.update(channel, settings={**channel.settings, "webhook_url": far.url + "/new"}, by=None)
    delivery.deliver(channel.pk)
    message.refresh_from_db()
    assert message.state == "sent"


def test_what_is_too_long_leaves_in_parts(far: Far, sana: Agent) -> None:
    channel = connect(far.url, limit=20)
    take(channel, said("r1"))
    message = answered(channel, sana, "One two three four. Five six seven eight.")
    told = far.told()
    assert [one["id"] for one in told] == [f"m{message.pk}", f"m{message.pk}-2", f"m{message.pk}-3"][: len(told)]
    assert len(told) > 1
    assert " ".join(one["text"] for one in told) == message.text
    assert message.state == "sent"


def test_a_window_closes(channel: Channel, sana: Agent) -> None:
    late = (timezone.now() - timedelta(hours=49)).isoformat()
    channel.settings = {**channel.settings, "window_hours": 48, "webhook_url": "http://127.0.0.1:1/"}
    channel.save()
    take(channel, said("r1", at=late))
    ticket, adapter = Ticket.objects.get(), adapter_for("api")
    assert not adapter.may_reply(ticket, channel).allowed
    take(channel, said("r2"), call="2")
    verdict = adapter.may_reply(Ticket.objects.latest("pk"), channel)
    assert verdict.allowed
    assert verdict.until is not None


@pytest.mark.parametrize(
    ("status", "fault", "permanent", "channel"),
    [
        (400, "", True, False),
        (401, "", True, False),
        (404, "", True, False),
        (422, "", True, False),
        (408, "", False, False),
        (500, "", False, False),
        (503, "", False, False),
        (429, "rate", False, True),
        (301, "auth", False, True),
        (410, "auth", False, True),
    ],
)
def test_what_refusals_mean(status: int, fault: str, permanent: bool, channel: bool) -> None:
    error = refusal(status, "No such review.", 7.0 if status in {429, 503} else 0.0)
    assert (error.fault, error.permanent, error.channel, error.unknown) == (fault, permanent, channel, False)
    assert len(str(error.reason)) > 10
    assert ("No such review." in str(error.reason)) is (permanent or status in {408, 500, 503})
    assert error.retry_after == (7.0 if status in {429, 503} else None)


# Settings -------------------------------------------------------------------------------------------------------------


def test_a_secret_is_made_and_stays(db: None) -> None:
    channel = channels.create("api", "reviews", {}, by=None)
    secret = channel.secrets["signing_secret"]
    assert secret.startswith("whsec_")
    assert "signing_secret" not in channel.settings
    channel = channels.update(channel, settings={"webhook_url": "https://shop.example/x"}, by=None)
    assert channel.secrets["signing_secret"] == secret
    assert not adapter_for("api").settings_form({"signing_secret": "whsec_short"}).is_valid()


def test_plain_http_is_for_private_networks_alone(settings: Settings) -> None:
    form = adapter_for("api").settings_form
    assert form({"webhook_url": "http://127.0.0.1/x"}).is_valid()
    settings.ALLOW_PRIVATE_NETWORKS = False
    assert "webhook_url" in form({"webhook_url": "http://127.0.0.1/x"}).errors
    for wrong in ("shop.example", "ftp://shop.example", "https://", "https://a:b@shop.example", "https://x:99999/"):
        assert "webhook_url" in form({"webhook_url": wrong}).errors, wrong


def test_its_page_shows_where_to_post_and_the_secret_to_nobody(channel: Channel, sana: Agent) -> None:
    omar = Agent.objects.create_user("omar@desk.example", name="Omar", role=Role.MANAGER)
    for agent in (sana, omar):
        client = Client()
        client.force_login(agent)
        page = client.get(f"/settings/channels/{channel.slug}/").content.decode()
        assert f"/hooks/api/{channel.token}/" in page
        assert SECRET not in page
        assert (f"/settings/channels/{channel.slug}/secret/" in page) is (agent == sana)
    assert SECRET not in Client().get(f"/settings/channels/{channel.slug}/settings/").content.decode()
    assert client.post(f"/settings/channels/{channel.slug}/secret/").status_code == 403
    assert channel_secrets.in_force(fresh(channel), "signing_secret") == [SECRET]


def test_a_secret_is_told_once_when_it_is_made_and_when_it_is_rolled(sana: Agent) -> None:
    client = Client()
    client.force_login(sana)
    given = client.post("/settings/channels/new/api/", {"name": "Own", "channel-slug": "own", "signing_secret": SECRET})
    assert "whsec_Q" not in client.get(given["Location"]).content.decode()  # whoever gave it has it
    made = client.post("/settings/channels/new/api/", {"name": "Reviews", "channel-slug": "reviews"})
    channel = Channel.objects.get(slug="reviews")
    first = str(channel.secrets["signing_secret"])
    assert first in client.get(made["Location"]).content.decode()
    assert first not in client.get(made["Location"]).content.decode()
    rolled = client.post("/settings/channels/reviews/secret/")
    second = str(fresh(channel).secrets["signing_secret"])
    assert second != first
    page = client.get(rolled["Location"]).content.decode()
    assert second in page
    assert first not in page
    assert second not in client.get(rolled["Location"]).content.decode()
    told = [line.text for line in audit.page(kind="channel_secret_made").lines]
    assert told == ["Sana made a new secret of the channel Reviews"] * 2


def test_the_former_secret_counts_for_a_day_both_ways(channel: Channel, sana: Agent) -> None:
    second = channel_secrets.roll(channel, by=sana)
    assert post(channel, said("r1"), call="c1").status_code == 200
    assert post(channel, said("r2"), call="c2", secret=second).status_code == 200
    with far_side() as far:
        channel = channels.update(fresh(channel), settings={"webhook_url": far.url}, by=sana)
        assert all(line.ok for line in channels.check(channel))
        [(headers, body)] = far.came
        assert Verifier(SECRET).verify(body, headers) == Verifier(second).verify(body, headers) == {"type": "ping"}
    third = channel_secrets.roll(channel, by=sana)  # and with it the first one ends
    hooks.forget()
    assert post(channel, said("r3"), call="c3").status_code == 403
    assert post(channel, said("r4"), call="c4", secret=second).status_code == 200
    channel = fresh(channel)
    over = (timezone.now() - timedelta(seconds=1)).isoformat()
    channel.secrets = {**channel.secrets, "former_signing_secret": {"secret": second, "until": over}}
    channel.save()
    hooks.forget()
    assert post(channel, said("r5"), call="c5", secret=second).status_code == 403
    assert post(channel, said("r6"), call="c6", secret=third).status_code == 200
    assert channel_secrets.former_until(channel, "signing_secret") is None


def test_a_secret_that_is_given_takes_the_place_of_one_likewise(channel: Channel, sana: Agent) -> None:
    other = standard_webhooks.new_secret()
    channels.update(channel, settings={"signing_secret": other}, by=sana)
    assert channel_secrets.in_force(fresh(channel), "signing_secret") == [other, SECRET]
    [line] = audit.page(kind="channel_changed").lines
    assert line.text == "Sana changed the settings of the channel reviews: the secret"


def fresh(channel: Channel) -> Channel:
    return Channel.objects.get(pk=channel.pk)


def test_the_connection_is_tried_with_a_ping(far: Far) -> None:
    channel = connect(far.url)
    assert all(one.ok for one in adapter_for("api").check(channel))
    assert far.told() == [{"type": "ping"}]
    adapter_for("api").tend(channel)
    assert len(far.came) == 1
    far.answers = [(401, {"error": "Who are you?"})]
    assert "Who are you?" in str(adapter_for("api").check(channel)[-1].detail)
    assert not all(one.ok for one in adapter_for("api").check(connect_none(channel)))


def connect_none(channel: Channel) -> Channel:
    channel.settings = {}
    return channel


def test_it_reads_two_thousand_events_in_seconds() -> None:
    known = events.Known("channel:1", timezone.now(), False)
    event = said("r1", rating={"value": 2}, thread={"id": "t"})
    began = time.monotonic()
    for _again in range(2000):
        events.parse(event, known)
    assert time.monotonic() - began < 4


# The shop's reviews: an integrator as they are ------------------------------------------------------------------------


@pytest.fixture
def shop(transactional_db: None, live_server: LiveServer, settings: Settings) -> Channel:
    settings.BASE_URL = live_server.url
    url = f"{live_server.url}/sandbox/shop/reviews/hook/"
    return connect(url, public="yes")


def written(**given: Any) -> Review:
    """Somebody writes on the page of the shawl, and Rabta is told."""
    answer = Client().post("/sandbox/shop/product/shawl/review/", given)
    review = Review.objects.latest("pk")
    assert answer["Location"] == f"/sandbox/shop/product/shawl/#r{review.pk}"
    assert reviews.push() == 1
    receive.take_in_waiting()
    assert not Receipt.objects.filter(state="failed").values_list("reason", flat=True)
    return review


@pytest.mark.servers
def test_an_answer_stands_below_the_review(shop: Channel, sana: Agent) -> None:
    review = written(name="Nadia", stars="2", text="Too small.")
    comment = written(name="Carol", text="Mine fits.", about=review.pk)
    assert reviews.push() == 0
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.message_count, ticket.preview) == ("Hand-woven shawl", 2, "Mine fits.")
    first = Message.objects.get(external_id=review.key)
    assert (first.payload["rating"], first.payload["thread"]["id"]) == ({"value": 2, "of": 5}, review.key)
    to_carol = answered(shop, sana, "Good to hear!")
    to_nadia = answered(shop, sana, "There is a larger one.", options={"quotes": first.pk})
    quietly = answered(shop, sana, "For you alone", options={"public": "no"})
    assert [one.state for one in (to_carol, to_nadia, quietly)] == ["sent"] * 3
    assert comment.answers.first().text == "Good to hear!"
    assert review.answers.get().text == "There is a larger one."
    assert to_nadia.external_id == f"answer-{review.answers.get().pk}"
    page = Client().get("/sandbox/shop/product/shawl/").content.decode()
    assert page.index("Too small.") < page.index("There is a larger one.") < page.index("Mine fits.")
    assert page.index("Mine fits.") < page.index("Good to hear!")
    assert "For you alone" not in page
    assert all(one.ok for one in adapter_for("api").check(shop))
    Message.objects.filter(pk=to_nadia.pk).update(state="queued", next_attempt_at=timezone.now())
    delivery.deliver(shop.pk)
    assert review.answers.count() == 1  # the same id once more


@pytest.mark.servers
def test_the_shop_takes_only_what_is_signed(shop: Channel, sana: Agent) -> None:
    review = written(name="Nadia", stars="2", text="Too small.")
    hook = "/sandbox/shop/reviews/hook/"
    assert Client().post(hook, {"type": "ping"}, "application/json").status_code == 401
    Review.objects.all().delete()
    message = answered(shop, sana)
    assert (message.state, "not here any more" in message.error) == ("failed", True)
    assert not review.answers.exists()
