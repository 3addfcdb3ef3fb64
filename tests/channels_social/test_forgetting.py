"""What was said is forgotten with its message: also in the receipts that told its earlier and later texts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from channels_social.whatsapp import parsing
from inbox.actions import erasing, receive
from inbox.models import Channel, Message, Receipt

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)


@pytest.fixture
def channel() -> Channel:
    return Channel.objects.create(kind="whatsapp", slug="wa", name="WA", settings={"waba_id": "1"})


def tell(channel: Channel, wamid: str, at: datetime = NOW, **told: Any) -> Receipt:
    message = {"from": "351910000001", "id": wamid, "timestamp": str(int(at.timestamp())), **told}
    receive.put(channel, list(parsing.receipts("messages", {"messages": [message]})))
    receive.take_in_waiting()
    return Receipt.objects.get(external_id=f"message:{wamid}")


def edit(channel: Channel, wamid: str, text: str, at: datetime = NOW) -> Receipt:
    changed = {"original_message_id": "m1", "message": {"type": "text", "text": {"body": text}}}
    return tell(channel, wamid, at, type="edit", edit=changed)


def still_said(*words: str) -> list[str]:
    """Which of these words any receipt holds still."""
    kept = b"".join(bytes(one or b"") for one in Receipt.objects.values_list("raw", flat=True))
    return [word for word in words if word.encode() in kept]


def test_whoever_deletes_a_message_deletes_each_of_its_texts(channel: Channel) -> None:
    tell(channel, "m1", type="text", text={"body": "quince"})
    later = edit(channel, "e2", "medlar", NOW + timedelta(seconds=2))
    stale = edit(channel, "e1", "sloe", NOW + timedelta(seconds=1))  # told after the one that it came before
    message = Message.objects.get()
    assert message.text == "medlar" and still_said("quince", "medlar", "sloe") == ["quince", "medlar", "sloe"]
    assert {later.meta["message"], stale.meta["message"]} == {message.pk}
    tell(channel, "r1", NOW + timedelta(seconds=3), type="revoke", revoke={"original_message_id": "m1"})
    message.refresh_from_db()
    assert (message.text, message.payload) == ("", {})
    assert still_said("quince", "medlar", "sloe") == []
    late = edit(channel, "e3", "damson", NOW + timedelta(seconds=2))
    assert still_said("damson") == [] and (late.state, late.size) == ("done", 0)
    message.refresh_from_db()
    assert message.text == ""


def test_whoever_is_erased_is_gone_from_the_receipts_of_their_edits(channel: Channel) -> None:
    tell(channel, "m1", type="text", text={"body": "quince"})
    edit(channel, "e1", "medlar", NOW + timedelta(seconds=1))
    message = Message.objects.get()
    assert message.customer is not None
    # As a platform tells it that names nobody in an edit: what it says of its message is all there is to find it by.
    Receipt.objects.filter(external_id="message:e1").update(raw=b"medlar", meta={})
    erasing.erase(message.customer, by=None)
    assert still_said("quince", "medlar") == []
    edit(channel, "e2", "damson", NOW + timedelta(seconds=2))  # of a message that is not here any more
    Receipt.objects.filter(state="new").update(received_at=NOW - timedelta(hours=1), next_attempt_at=NOW)
    receive.take_in_waiting()
    message.refresh_from_db()
    assert message.text == "" and still_said("damson") == []
    assert "no message of ours" in Receipt.objects.get(external_id="message:e2").reason
