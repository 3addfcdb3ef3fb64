"""What the tests of a Facebook page and of an Instagram account share."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from inbox.actions import receive
from inbox.adapters import RawReceipt, adapter_for
from inbox.models import Channel, Message, Receipt, Ticket
from sandbox.phones import chats, core, hooks
from sandbox.phones.models import Account, Line, Person
from tests.channels_social.conftest import port_of

PAGE, IG, SECRET, APP = "1029384756", "178414001", "s3cr3t_app", "15177764"
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64


def open_account(platform: str, base: str) -> Account:
    """A page or account on the emulated platform; what Rabta wants to be told of, it subscribes to itself."""
    return Account.objects.create(
        platform=platform,
        external_id=PAGE if platform == "facebook" else IG,
        name="Rabta Shop",
        secrets={"token": f"token-{platform}", "app_secret": SECRET},
        settings={"app_id": APP, "username": "rabta.shop", "origin": base.removesuffix("/sandbox/phones")},
    )


def connect(base: str, account: Account, slug: str = "social", **settings: Any) -> Channel:
    channel = Channel(kind=account.platform, slug=slug, name="Rabta Shop")
    own = "page_id" if account.platform == "facebook" else "ig_id"
    channel.settings = {own: account.external_id, "api_url": f"{base}/graph", "app_id": APP, **settings}
    channel.secrets = dict(account.secrets)
    channel.save()
    return channel


def subscribe(channel: Channel, account: Account, url: str = "") -> None:
    """As one connects a channel: the webhook is entered in the app, and Rabta subscribes to what it needs."""
    if url:
        chats.arrange(account, webhook_url=f"{url}/hooks/{channel.kind}/{channel.token}/")
    adapter_for(channel.kind).tend(channel)
    account.refresh_from_db()


def taken_in(account: Account) -> Ticket:
    """What Meta has to tell is told, and read; the newest ticket."""
    core.push(account)
    receive.take_in_waiting()
    failed = Receipt.objects.filter(state="failed").values_list("reason", flat=True)
    assert not failed, list(failed)
    return Ticket.objects.latest("pk")


def inbound() -> list[tuple[str, str]]:
    return list(Message.objects.filter(direction="in").order_by("pk").values_list("content_kind", "text"))


def meta_error(code: int, subcode: int = 0, message: str = "No", **more: Any) -> dict[str, Any]:
    return {"error": {"message": f"(#{code}) {message}", "code": code, "error_subcode": subcode, **more}}


def fault(account: Account, method: str, status: int, body: Any = None, **more: Any) -> None:
    with core.changing(account) as row:
        row.faults = [{"method": method, "status": status, "body": body or {}, **more}]


class MetaContract:
    """The hooks of `AdapterContract` that both have alike."""

    kind: str
    people = {"ali": "5550001", "carol": "5550002"}

    def _open(self, platforms: str, live_server: Any) -> None:
        self.base, self.live_server = platforms, live_server
        self.account = open_account(self.kind, platforms)
        self.numbers = iter(range(1, 1000))

    def make_channel(self, port: int) -> Channel:
        own = connect(self.base, self.account)
        own.settings["api_url"] = f"http://127.0.0.1:{port or 1}/sandbox/phones/graph"
        own.save()
        return own

    def utterance(self, text: str, *, sender: str = "ali", answers: Message | None = None) -> RawReceipt:
        number, who = next(self.numbers), self.people[sender]
        person, _made = Person.objects.get_or_create(account=self.account, external_id=who, defaults={"name": sender})
        mid = f"m_{number}"
        line = Line.objects.create(account=self.account, person=person, external_id=mid, text="(as below)")
        message: dict[str, Any] = {"mid": mid, "text": text}
        if answers is not None:
            message["reply_to"] = {"mid": answers.external_id, "is_self_reply": False}
        event = {
            "sender": {"id": who},
            "recipient": {"id": self.account.external_id},
            "timestamp": chats.millis(line.at),
            "message": message,
        }
        told = {"object": hooks.OBJECTS[self.kind], "id": self.account.external_id, "time": 1, "messaging": event}
        return RawReceipt(json.dumps(told).encode(), f"messaging:{mid}", key=mid)

    def garbage(self) -> RawReceipt:
        return RawReceipt(b'{"object": "page", "messaging": "\xff', "garbage")

    @contextlib.contextmanager
    def far_side(self, answer: str) -> Iterator[Any]:
        bodies = {"refuse": meta_error(100, 2018001, "No matching user found"), "later": meta_error(2)}
        if answer != "accept":
            fault(self.account, "POST messages", 400 if answer == "refuse" else 500, bodies[answer])
        yield SimpleNamespace(port=port_of(self.live_server.url))
