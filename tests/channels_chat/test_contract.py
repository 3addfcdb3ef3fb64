"""The chat adapter keeps the contract of all adapters, with a far side that is Rabta itself."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import NAMESPACE_URL, uuid5

from channels_chat import history
from channels_chat.intake import Said, raw_of
from channels_chat.models import Visitor
from inbox.adapters import RawReceipt
from inbox.models import Channel, Message
from tests.adapter_contract import AdapterContract


class TestChat(AdapterContract):
    kind = "chat"
    good_settings: ClassVar[dict[str, Any]] = {"origins": ["https://shop.example"], "languages": ["en", "ur"]}

    def make_channel(self, port: int) -> Channel:
        settings = {"origins": ["no site at all"]} if port == 1 else {}
        self.channel = Channel.objects.create(kind="chat", slug="shop", name="Shop", settings=settings)
        return self.channel

    def visitor(self, name: str) -> Visitor:
        """The browser of somebody, who comes back with the same one."""
        known = Visitor.objects.filter(channel=self.channel, name=name).first()
        return known or Visitor.objects.create(
            channel=self.channel, name=name, digest=name.ljust(64, "0"), address=f"v:{name}"
        )

    def utterance(self, text: str, *, sender: str = "ali", answers: Message | None = None) -> RawReceipt:
        return raw_of(Said(self.channel, self.visitor(sender), uuid5(NAMESPACE_URL, sender + text).hex, text))

    def garbage(self) -> RawReceipt:
        return RawReceipt(json.dumps({"text": ["no", "words"]}).encode()[:-3], "garbage")

    @contextlib.contextmanager
    def far_side(self, answer: str) -> Iterator[Any]:
        yield SimpleNamespace(port=0)

    def shown(self, sender: str) -> list[str]:
        return [message.text for message in history.of(self.visitor(sender))]
