"""The e-mail adapter keeps the contract of all adapters."""

import contextlib
from typing import Any, ClassVar

import pytest

from channels_email.receipts import raw_receipt
from inbox.adapters import RawReceipt
from inbox.models import Channel, Message
from tests.adapter_contract import AdapterContract
from tests.channels_email.conftest import SUPPORT, mail
from tests.servers import scripted

ANSWERS = {"accept": "", "refuse": "550 5.1.1 no such user", "later": "451 4.3.0 not now"}


@pytest.mark.servers
class TestEmail(AdapterContract):
    kind = "email"
    good_settings: ClassVar[dict[str, Any]] = {
        "address": SUPPORT,
        "imap": {"host": "imap.example.com", "port": 993, "security": "tls", "username": "u", "password": "p"},
        "smtp": {"host": "smtp.example.com", "port": 587, "security": "starttls", "username": "u", "password": "p"},
    }

    def make_channel(self, port: int) -> Channel:
        smtp = {"host": "127.0.0.1", "port": port or 1, "security": "none"}
        return Channel.objects.create(
            kind="email", slug="support", name="S", addresses=[SUPPORT], settings={"address": SUPPORT, "smtp": smtp}
        )

    def utterance(self, text: str, *, sender: str = "ali", answers: Message | None = None) -> RawReceipt:
        headers = {"in_reply_to": f"<{answers.external_id}>"} if answers else {}
        subject = answers.subject if answers else "My order"
        return raw_receipt(mail(text, sender=f"{sender}@customer.example", subject=subject, **headers))

    def garbage(self) -> RawReceipt:
        return raw_receipt(b"\x89PNG\r\n\x1a\n" + b"\x00" * 100)

    def far_side(self, answer: str) -> contextlib.AbstractContextManager[scripted.Scripted]:
        return scripted.running(lambda line, _count: ANSWERS[answer] if line.startswith("rcpt") else "")
