"""What every channel kind must do, whatever its wire: subclass `AdapterContract` and give it a wire.

A new adapter's test file holds one subclass; docs/adding-a-channel.md says how.

An adapter that `stores` has Rabta itself for its far side: nothing there could refuse or be away. What is asked of it
instead is that what we write has arrived with the commit, that no worker has anything to send, and that nobody sees it
but whom it was written to.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from django.utils import timezone

from inbox import delivery
from inbox.actions import receive, reply, scheduling
from inbox.adapters import Adapter, Inbound, RawReceipt, adapter_for
from inbox.models import Agent, Channel, Message, Receipt, Role, Ticket

of_others = pytest.mark.of_others  # for a far side that somebody else keeps
of_our_own = pytest.mark.of_our_own  # for one that is Rabta itself


class AdapterContract:
    """Subclasses set `kind` and answer the hooks; pytest collects the tests below in each of them."""

    kind: ClassVar[str]
    good_settings: ClassVar[dict[str, Any]]  # what `settings_form` takes

    # Hooks ---------------------------------------------------------------------------------------------------------

    def make_channel(self, port: int) -> Channel:
        """A saved channel whose far side listens on `port` of this machine (0: nobody does)."""
        raise NotImplementedError

    def utterance(self, text: str, *, sender: str = "ali", answers: Message | None = None) -> RawReceipt:
        """What the platform brings when `sender` writes `text`; `answers` is a message of ours that they answer."""
        raise NotImplementedError

    def garbage(self) -> RawReceipt:
        """Bytes that are no utterance at all."""
        raise NotImplementedError

    def far_side(self, answer: str) -> contextlib.AbstractContextManager[Any]:
        """A platform that answers `accept`, `refuse` (for good), `later`; yields something with a `port`."""
        raise NotImplementedError

    def shown(self, sender: str) -> list[str]:
        """Where the far side is Rabta itself: the texts that `sender` sees there, oldest first."""
        raise NotImplementedError

    # The contract --------------------------------------------------------------------------------------------------

    @pytest.fixture(autouse=True)
    def _people(self, transactional_db: None) -> Iterator[None]:
        self.sana = Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.AGENT)
        yield

    @property
    def adapter(self) -> Adapter:
        return adapter_for(self.kind)

    @pytest.fixture(autouse=True)
    def _far_sides(self, request: pytest.FixtureRequest) -> None:
        """Some of the contract is about a far side of others' making, some about one of our own."""
        for mark, stores in (("of_others", False), ("of_our_own", True)):
            if request.node.get_closest_marker(mark) and self.adapter.stores is not stores:
                pytest.skip("another kind of far side")

    def take(self, channel: Channel, raw: RawReceipt) -> Any:
        stored = receive.store(channel, [raw], claim=True)
        return receive.take_in([stored[0].receipt_id], patient=False)[0]

    def leaves(self, channel: Channel) -> None:
        """What was written goes out: by one worker, and once; what is stored has gone out already."""
        assert delivery.deliver(channel.pk) == (0 if self.adapter.stores else 1)

    def ticket(self, channel: Channel, text: str = "Where is my order?") -> Ticket:
        return Ticket.objects.get(pk=self.take(channel, self.utterance(text)).ticket)

    def test_it_says_what_it_is(self) -> None:
        assert self.adapter.kind == self.kind
        assert str(self.adapter.label)
        assert self.adapter.identity_kind

    def test_good_settings_are_taken_and_unknown_ones_named(self) -> None:
        form = self.adapter.settings_form(self.good_settings)
        assert form.is_valid(), form.errors
        form = self.adapter.settings_form({**self.good_settings, "no_such_setting": 1})
        assert not form.is_valid()
        assert "no_such_setting" in str(form.errors)

    def test_the_same_bytes_parse_to_the_same_values(self) -> None:
        channel = self.make_channel(0)
        raw = self.utterance("Hello")
        receipt = Receipt(channel=channel, external_id=raw.external_id, meta=dict(raw.meta), at=timezone.now())
        first, second = self.adapter.parse(receipt, raw.raw), self.adapter.parse(receipt, raw.raw)
        assert first == second
        (value,) = first
        assert isinstance(value, Inbound)
        assert value.key
        assert value.scope
        assert value.sender is not None
        assert value.sender.kind == self.adapter.identity_kind
        assert "Hello" in value.text

    def test_a_repeat_is_one_message(self) -> None:
        channel = self.make_channel(0)
        raw = self.utterance("Once")
        assert self.take(channel, raw).status == "created"
        assert self.take(channel, raw).status == "duplicate"
        assert Message.objects.count() == Receipt.objects.count() == 1

    def test_text_is_free_of_nul_and_html_of_scripts(self) -> None:
        channel = self.make_channel(0)
        self.take(channel, self.utterance("a\x00b <script>alert(1)</script>"))
        message = Message.objects.get()
        assert "\x00" not in message.text
        assert "<script" not in message.html

    def test_garbage_fails_with_a_reason_and_blocks_nothing(self) -> None:
        channel = self.make_channel(0)
        receive.store(channel, [self.garbage(), self.utterance("Good")])
        receive.take_in_waiting()
        bad, good = Receipt.objects.order_by("pk")
        assert (bad.state, good.state) == ("failed", "done")
        assert bad.reason

    def test_an_answer_to_our_reply_joins_its_ticket(self) -> None:
        with self.far_side("accept") as far:
            channel = self.make_channel(far.port)
            ticket = self.ticket(channel)
            message = reply.reply(ticket, by=self.sana, text="It left yesterday.")
            self.leaves(channel)
        message.refresh_from_db()
        outcome = self.take(channel, self.utterance("Thanks", answers=message))
        assert (outcome.status, outcome.ticket) == ("appended", ticket.pk)

    def test_another_person_opens_another_ticket(self) -> None:
        channel = self.make_channel(0)
        first = self.take(channel, self.utterance("One", sender="ali"))
        second = self.take(channel, self.utterance("Two", sender="carol"))
        assert first.ticket != second.ticket

    def test_what_is_accepted_is_sent_under_one_id(self) -> None:
        with self.far_side("accept") as far:
            channel = self.make_channel(far.port)
            message = reply.reply(self.ticket(channel), by=self.sana, text="Hello")
            self.leaves(channel)
            assert delivery.deliver(channel.pk) == 0
        message.refresh_from_db()
        assert message.state == "sent"
        assert message.external_id
        assert self.adapter.raw(message) == self.adapter.raw(Message.objects.get(pk=message.pk))

    @of_others
    def test_a_final_refusal_fails_in_words(self) -> None:
        with self.far_side("refuse") as far:
            channel = self.make_channel(far.port)
            message = reply.reply(self.ticket(channel), by=self.sana, text="Hello")
            delivery.deliver(channel.pk)
        message.refresh_from_db()
        assert message.state == "failed"
        assert len(message.error) > 10

    @of_others
    def test_a_refusal_for_now_is_tried_again(self) -> None:
        with self.far_side("later") as far:
            channel = self.make_channel(far.port)
            message = reply.reply(self.ticket(channel), by=self.sana, text="Hello")
            delivery.deliver(channel.pk)
        message.refresh_from_db()
        assert message.state == "queued"
        assert message.next_attempt_at is not None
        assert message.next_attempt_at > timezone.now()

    @of_others
    def test_a_far_side_that_is_away_is_no_fault_of_the_message(self) -> None:
        channel = self.make_channel(1)
        message = reply.reply(self.ticket(channel), by=self.sana, text="Hello")
        assert delivery.deliver(channel.pk) == 0
        message.refresh_from_db()
        channel.refresh_from_db()
        assert (message.state, message.attempts) == ("queued", 0)
        assert channel.out_failing_since is not None
        assert channel.next_send_at > timezone.now()
        assert channel.out_error

    @of_our_own
    def test_what_is_stored_has_left_with_the_commit(self) -> None:
        channel = self.make_channel(0)
        message = reply.reply(self.ticket(channel), by=self.sana, text="It left yesterday.")
        assert (message.state, message.next_attempt_at, message.attempts) == ("sent", None, 0)
        assert message.sent_at is not None
        assert self.shown("ali") == ["Where is my order?", "It left yesterday."]

    @of_our_own
    def test_nobody_sees_what_was_written_to_somebody_else(self) -> None:
        channel = self.make_channel(0)
        first, second = self.ticket(channel), self.take(channel, self.utterance("Mine", sender="carol"))
        reply.reply(first, by=self.sana, text="For Ali alone")
        reply.note(first, by=self.sana, text="For nobody outside")
        assert first.pk != second.ticket
        assert self.shown("carol") == ["Mine"]
        assert self.shown("ali") == ["Where is my order?", "For Ali alone"]

    @of_our_own
    def test_what_waits_for_its_time_is_not_there_before(self) -> None:
        channel = self.make_channel(0)
        later = timezone.now() + timedelta(hours=1)
        message = reply.reply(self.ticket(channel), by=self.sana, text="Later", send_at=later)
        assert delivery.deliver(channel.pk) == 0
        assert self.shown("ali") == ["Where is my order?"]
        Message.objects.filter(pk=message.pk).update(send_at=timezone.now())
        scheduling.sweep()
        delivery.deliver(channel.pk)
        message.refresh_from_db()
        assert message.state == "sent"
        assert self.shown("ali") == ["Where is my order?", "Later"]

    def test_the_check_says_what_does_not_work(self) -> None:
        lines = self.adapter.check(self.make_channel(1))
        assert any(not line.ok and str(line.detail) for line in lines)
