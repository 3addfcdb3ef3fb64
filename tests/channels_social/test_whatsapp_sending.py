"""WhatsApp, against its emulator: what becomes of what is sent, in one piece or several, and what refusals mean."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from channels_social.graph import Refused
from channels_social.whatsapp.api import refusal
from inbox import delivery
from inbox.actions import reach, receive, reply, uploads
from inbox.adapters import adapter_for
from inbox.models import Agent, Attachment, Channel, Message, MessagePart, Reach, Receipt
from sandbox.phones import chats, whatsapp
from sandbox.phones.models import Account, Line, Person
from tests.channels_social.whatsapp import (
    PNG,
    account,
    ana,
    arrange_fault,
    call,
    channel,
    envelope,
    refused,
    sent,
    taken_in,
)

__all__ = ["account", "ana", "channel"]


@pytest.mark.servers
def test_what_fails_afterwards_says_so(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    chats.grow_old(account, timedelta(hours=25))  # WhatsApp's clock is another than ours
    late = sent(channel, reply.reply(ticket, by=sana, text="Late"))
    assert late.state == "sent"
    taken_in(account)
    late.refresh_from_db()
    assert (late.state, late.payload["fault"]) == ("failed", "window")
    assert "template" in late.error
    ticket.refresh_from_db()
    assert ticket.delivery_failed
    assert Reach.objects.get().blocked_at is None
    shut = adapter_for("whatsapp").may_reply(ticket, channel)
    assert (shut.allowed, shut.allows) == (False, frozenset({"template"}))  # as WhatsApp sees it, not as we counted
    whatsapp.text(account, ana, "Still there?")
    taken_in(account)
    assert adapter_for("whatsapp").may_reply(ticket, channel).allowed
    chats.remember(ana, undeliverable=True)
    lost = sent(channel, reply.reply(ticket, by=sana, text="Yes"))
    taken_in(account)
    lost.refresh_from_db()
    assert (lost.state, lost.payload["fault"]) == ("failed", "blocked")
    assert Reach.objects.get().blocked_at is not None
    assert not adapter_for("whatsapp").may_reply(ticket, channel).allowed
    whatsapp.text(account, ana, "Back again")
    taken_in(account)
    assert adapter_for("whatsapp").may_reply(ticket, channel).allowed
    Reach.objects.update(last_in_at=timezone.now())  # which WhatsApp tells in whole seconds
    with transaction.atomic():
        reach.refused(Message.objects.get(pk=late.pk), "window")  # told late: they have written since
    assert adapter_for("whatsapp").may_reply(ticket, channel).allowed


@pytest.mark.servers
def test_no_answer_is_known_by_what_comes_later(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    """Nobody can read the answer, but the message is there: it is never repeated, and its states prove it."""
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    arrange_fault(account, {"method": "POST messages", "after": True, "status": 200, "text": "<html>"})
    message = sent(channel, reply.reply(ticket, by=sana, text="One"))
    assert message.state == "unknown"
    taken_in(account)
    message.refresh_from_db()
    line = Line.objects.get(ours=True)
    assert (message.state, message.external_id) == ("delivered", line.external_id)
    # Likewise where WhatsApp stumbled, and took it all the same: it is not sent a second time.
    Channel.objects.update(next_send_at=timezone.now())
    arrange_fault(account, {"method": "POST messages", "after": True, "status": 503, "body": {}})
    second = sent(channel, reply.reply(ticket, by=sana, text="Two"))
    assert second.state == "queued"
    taken_in(account)
    Message.objects.filter(pk=second.pk, state="queued").update(next_attempt_at=timezone.now())
    second = sent(channel, second)
    assert second.state == "delivered"
    assert Line.objects.filter(ours=True).count() == 2


@pytest.mark.servers
def test_news_may_come_before_the_answer_and_out_of_order(
    channel: Channel, account: Account, ana: Person, sana: Agent
) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    message = reply.reply(ticket, by=sana, text="Hi")

    def status(state: str, **more: Any) -> dict[str, Any]:
        return {"statuses": [{"id": "wamid.X1", "status": state, "timestamp": "1760000031", **more}]}

    assert call(channel, envelope(status("delivered"))) == 200
    receive.take_in_waiting()
    assert Receipt.objects.filter(external_id="status:wamid.X1:delivered", state="new").exists()  # waits for it
    Message.objects.filter(pk=message.pk).update(state="sending", attempts=1)
    assert call(channel, envelope(status("read", biz_opaque_callback_data=str(message.pk)))) == 200
    receive.take_in_waiting()
    message.refresh_from_db()
    assert (message.state, message.external_id) == ("read", "wamid.X1")
    Receipt.objects.update(next_attempt_at=timezone.now())
    assert call(channel, envelope(status("sent"), status("failed", errors=[{"code": 131026}]))) == 200
    receive.take_in_waiting()
    message.refresh_from_db()
    assert message.state == "read"  # only ever forward
    assert not Receipt.objects.filter(state="new").exists()


@pytest.mark.usefixtures("queued_before")
@pytest.mark.servers
def test_long_text_and_files_leave_in_parts(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    files = [
        uploads.upload(by=sana, name=name, content_type=kind, content=content)
        for name, kind, content in (
            ("door.png", "image/png", PNG),
            ("inv.pdf", "application/pdf", b"%PDF-1.7 x"),
            ("voice.ogg", "audio/ogg", b"OggS1234"),
            ("list.csv", "text/csv", b"a,b\n1,2\n"),
        )
    ]
    text = "First. " + "a" * 4090 + "\n\nSecond."
    message = sent(channel, reply.reply(ticket, by=sana, text=text, attachments=[one.pk for one in files]))
    lines = list(Line.objects.filter(ours=True).order_by("pk"))
    assert [one.kind for one in lines] == ["text", "text", "image", "document", "audio", "document"]
    assert lines[5].payload["filename"] == "list.csv"
    assert (message.state, MessagePart.objects.count()) == ("sent", 6)
    taken_in(account)
    message.refresh_from_db()
    assert message.state == "delivered"
    captioned = uploads.upload(by=sana, name="a.png", content_type="image/png", content=PNG)
    sent(channel, reply.reply(ticket, by=sana, text="The door", attachments=[captioned.pk]))
    assert (Line.objects.latest("pk").kind, Line.objects.latest("pk").text) == ("image", "The door")
    spoken = uploads.upload(by=sana, name="v.ogg", content_type="audio/ogg", content=b"OggS1234")
    sent(channel, reply.reply(ticket, by=sana, text="Listen", attachments=[spoken.pk]))
    assert list(Line.objects.order_by("-pk").values_list("kind", flat=True)[:2]) == ["audio", "text"]
    huge = uploads.upload(by=sana, name="all.zip", content_type="application/zip", content=b"PK\x03\x04")
    Attachment.objects.filter(pk=huge.pk).update(size=101 * 1024 * 1024)
    failed = sent(channel, reply.reply(ticket, by=sana, attachments=[huge.pk]))
    assert failed.state == "failed"
    assert "100" in failed.error
    assert "all.zip" in failed.error


@pytest.mark.servers
def test_one_customer_too_often_keeps_no_other_waiting(
    channel: Channel, account: Account, ana: Person, sana: Agent
) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    bo = whatsapp.meet(account, "Bo", "4915112345678")
    whatsapp.text(account, bo, "Hallo")
    other = taken_in(account)
    arrange_fault(account, refused(131056))
    held = reply.reply(ticket, by=sana, text="Hi")
    free = reply.reply(other, by=sana, text="Hi Bo")
    assert delivery.deliver(channel.pk) == 1
    held.refresh_from_db()
    free.refresh_from_db()
    assert (held.state, free.state) == ("queued", "sent")
    arrange_fault(account, refused(130429))
    rested = reply.reply(other, by=sana, text="More")
    assert delivery.deliver(channel.pk) == 0
    rested.refresh_from_db()
    channel.refresh_from_db()
    assert (rested.state, rested.attempts) == ("queued", 0)
    assert channel.next_send_at > timezone.now()
    assert channel.out_failing_since is None  # busy, not sick


@pytest.mark.parametrize(
    ("status", "code", "fault", "permanent", "channel"),
    [
        *((400, code, "rate", False, True) for code in (4, 80007, 130429, 133016)),
        (400, 131056, "rate", False, False),
        (429, 0, "rate", False, True),
        *((500, code, "", False, False) for code in (1, 2, 131000, 131016, 131057, 133004)),
        (400, 131000, "", False, False),
        (503, 0, "", False, False),
        *((401, code, "auth", False, True) for code in (0, 190)),
        *((403, code, "auth", False, True) for code in (3, 10, 200, 299, 131005)),
        *((400, code, "auth", False, True) for code in (368, 131031, 131042, 131045, 133010)),
        (400, 131047, "window", True, False),
        (400, 131026, "blocked", True, False),
        *((400, code, "", True, False) for code in (131021, 131030, 131048, 131049, 131050, 130472)),
        *((400, code, "", True, False) for code in (33, 100, 131008, 131009, 131051, 131052, 131053, 135000)),
        *((400, code, "", True, False) for code in (132000, 132005, 132007, 132012, 132015, 132016, 132068, 132069)),
        (404, 132001, "", True, False),
        (400, 987654, "", True, False),
    ],
)
def test_what_refusals_mean(status: int, code: int, fault: str, permanent: bool, channel: bool) -> None:
    error = refusal(Refused(status, code, 0, f"(#{code}) Said so" if code else ""))
    assert (error.fault, error.permanent, error.channel, error.unknown) == (fault, permanent, channel, False)
    assert len(str(error.reason)) > 10
    assert "%(" not in str(error.reason)
    assert (error.retry_after or 0) > 0 or fault != "rate"
