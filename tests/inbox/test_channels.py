"""Channels are connected, changed and let go; what changed is told by name, never by value."""

from __future__ import annotations

from typing import Any

import pytest

from inbox.actions import channels, receive, retrying
from inbox.actions.channels import Place
from inbox.adapters import DeliveryError, RawReceipt
from inbox.models import Agent, Brand, Channel, Event, Message, Receipt, ReceiptState, Team
from tests.cast import AYESHA, question
from tests.paper import Paper, raw

SETTINGS: dict[str, Any] = {
    "address": "help@example.org",
    "name": "Help",
    "imap": {"host": "imap.example.org", "username": "help", "password": "one"},
    "smtp": {"host": "smtp.example.org", "username": "help", "password": "two"},
}


@pytest.fixture
def team(db: None) -> Team:
    return Team.objects.create(name="Support", slug="support")


@pytest.fixture
def brand(db: None) -> Brand:
    return Brand.objects.create(name="Store")


@pytest.fixture
def mailbox(sana: Agent) -> Channel:
    return channels.create("email", "help", SETTINGS, by=sana)


def last(kind: str) -> Event:
    found = Event.objects.filter(kind=kind).order_by("pk").last()
    assert found is not None
    return found


def test_a_channel_has_its_place_from_the_start(sana: Agent, team: Team, brand: Brand) -> None:
    made = channels.create("email", "help", SETTINGS, by=sana, place=Place("Front desk", brand, team, (team,)))
    kept = Channel.objects.get()
    assert (kept.name, kept.brand, kept.default_team, list(kept.teams.all())) == ("Front desk", brand, team, [team])
    assert last("channel_created").data == {"channel": made.pk}


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"address": "other@example.org"}, ["address"]),
        ({"name": "Helpers"}, ["name"]),
        ({"imap": {"host": "imap.example.com", "username": "help", "password": "one"}}, ["imap.host"]),
        ({"smtp": {"host": "smtp.example.org", "username": "help", "password": "three"}}, ["smtp.password"]),
        ({"smtp": None}, ["smtp.host", "smtp.password", "smtp.security", "smtp.username"]),
        ({"plus_addressing": True, "acknowledgement": "Thanks"}, ["acknowledgement", "plus_addressing"]),
        ({}, None),
    ],
)
def test_the_log_names_what_changed(
    mailbox: Channel, sana: Agent, change: dict[str, Any], fields: list[str] | None
) -> None:
    settings = {name: value for name, value in {**SETTINGS, **change}.items() if value is not None}
    channels.update(mailbox, settings=settings, by=sana)
    events = list(Event.objects.filter(kind="channel_changed"))
    if fields is None:
        assert events == []
        return
    [event] = events
    assert event.data == {"channel": mailbox.pk, "fields": fields}
    assert event.actor_id == sana.pk
    for value in ("three", "one", "two", "example.com", "Thanks", "Helpers"):
        assert value not in str(event.data)


def test_a_name_of_its_own_stays(mailbox: Channel, sana: Agent) -> None:
    row = channels.update(mailbox, settings={**SETTINGS, "name": "Helpers"}, by=sana)
    assert row.name == "Helpers"
    row = channels.update(row, place=Place("Front desk"), by=sana)
    row = channels.update(row, settings=SETTINGS, by=sana)
    assert (row.name, row.settings["name"]) == ("Front desk", "Help")


def test_a_place_changes(mailbox: Channel, sana: Agent, team: Team, brand: Brand) -> None:
    channels.update(mailbox, place=Place("Help", brand, team, (team,)), paused=True, by=sana)
    assert last("channel_changed").data["fields"] == ["brand", "default_team", "paused", "teams"]
    before = Event.objects.count()
    channels.update(mailbox, place=Place("", brand, team, (team,)), paused=True, by=sana)
    assert Event.objects.count() == before
    channels.update(mailbox, place=Place("Help"), by=sana)
    kept = Channel.objects.get()
    assert (kept.brand, kept.default_team, list(kept.teams.all())) == (None, None, [])


def test_a_mended_channel_is_tried_at_once(mailbox: Channel, sana: Agent) -> None:
    late = mailbox.created_at.replace(year=2090)
    Channel.objects.update(next_poll_at=late, next_send_at=late)
    channels.update(mailbox, settings=SETTINGS, by=sana)
    assert Channel.objects.get().next_poll_at == late
    channels.update(mailbox, settings={**SETTINGS, "imap": {**SETTINGS["imap"], "password": "new"}}, by=sana)
    kept = Channel.objects.get()
    assert kept.next_poll_at < late
    assert kept.next_send_at < late


def test_a_channel_without_history_goes(mailbox: Channel, sana: Agent) -> None:
    receive.store(mailbox, [RawReceipt(b"x" * 300_000, "large"), RawReceipt(b"y", "small")])
    Receipt.objects.update(state=ReceiptState.IGNORED)
    channels.disconnect(mailbox, by=sana)
    assert not Channel.objects.exists()
    assert not Receipt.objects.exists()
    assert last("channel_deleted").data == {"channel": mailbox.pk}


@pytest.mark.parametrize(
    ("state", "word"), [(ReceiptState.NEW, "wait here"), (ReceiptState.FAILED, "could not be read")]
)
def test_what_customers_sent_keeps_a_channel(mailbox: Channel, sana: Agent, state: str, word: str) -> None:
    receive.store(mailbox, [RawReceipt(b"x", "one")])
    Receipt.objects.update(state=state)
    with pytest.raises(channels.InUse, match=word):
        channels.disconnect(mailbox, by=sana)
    assert Receipt.objects.count() == 1


def test_tickets_keep_a_channel(mailbox: Channel, desk: Channel, sana: Agent) -> None:
    ticket = question(desk, "Hello", AYESHA)
    with pytest.raises(channels.InUse, match="has tickets"):
        channels.disconnect(desk, by=sana)
    Message.objects.create(ticket=ticket, first_ticket=ticket, channel=mailbox, direction="out", author_kind="agent")
    assert channels.why_kept(mailbox) == ""  # that search is long, and left to the attempt
    with pytest.raises(channels.InUse, match="answered from here"):
        channels.disconnect(mailbox, by=sana)
    assert Channel.objects.count() == 2
    assert not Event.objects.filter(kind="channel_deleted").exists()


def test_all_that_failed_is_taken_in_again(desk: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = receive.store(desk, [raw(f"k{n}") for n in range(3)])
    Receipt.objects.update(state=ReceiptState.FAILED, reason="ValueError", attempts=5)
    Receipt.objects.filter(pk=stored[2].receipt_id).update(size=0, raw=None)

    def refetch(self: Paper, receipt: Receipt) -> RawReceipt:
        raise DeliveryError("It is no longer there.", permanent=True)

    monkeypatch.setattr(Paper, "refetch", refetch)
    assert retrying.retry_failed(desk, by=sana) == (2, "It is no longer there.")
    assert last("receipts_retried").data == {"channel": desk.pk, "count": 2}
    assert receive.take_in_waiting() == 2
    assert list(Receipt.objects.order_by("pk").values_list("state", flat=True)) == ["done", "done", "failed"]
    monkeypatch.setattr(Paper, "refetch", lambda self, receipt: raw("k2"))
    assert retrying.retry_failed(desk, by=sana) == (1, "")
    assert receive.take_in_waiting() == 1
    assert retrying.retry_failed(desk, by=sana) == (0, "")
    assert Message.objects.count() == 3


def test_when_something_last_came_is_kept_to_the_minute(mailbox: Channel) -> None:
    def last_in() -> Any:
        return Channel.objects.get(pk=mailbox.pk).last_in_at

    receive.store(Channel.objects.get(), [RawReceipt(b"x", "one")])
    first = last_in()
    assert first is not None
    receive.store(Channel.objects.get(), [RawReceipt(b"y", "two")])
    assert last_in() == first
    long_ago = first - receive.ARRIVALS_EVERY * 2
    Channel.objects.update(last_in_at=long_ago)
    receive.store(Channel.objects.get(), [RawReceipt(b"y", "two")])  # a repeat is nothing new
    assert last_in() == long_ago
    receive.store(Channel.objects.get(), [RawReceipt(b"z", "three")])
    assert last_in() >= first
