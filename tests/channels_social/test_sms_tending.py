"""SMS, against the emulated Twilio: what was missed or never answered is found, and the channel is looked after."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone
from pytest_django.fixtures import Settings

from channels_social import public
from channels_social.checks import hook_url
from channels_social.sms import api, tending
from inbox import delivery, fetching
from inbox.actions import reply
from inbox.adapters import adapter_for
from inbox.models import Agent, Attachment, Channel, Message, Receipt
from sandbox.phones import twilio_acts
from sandbox.phones.acts import Given, Upload
from sandbox.phones.models import Account, Line, Person
from tests.channels_social.sms import (
    NOW,
    OURS,
    PNG,
    TOKEN,
    account,
    ana,
    channel,
    connect,
    fail,
    hooked,
    look_after,
    taken_in,
    told,
)

__all__ = ["account", "ana", "channel", "hooked"]


@pytest.mark.servers
def test_unknown_outcomes_are_found_in_the_list(
    channel: Channel, account: Account, ana: Person, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the very same words, each under its own id; what never arrived stays unknown."""
    monkeypatch.setattr(api, "SEND_SECONDS", 1.5)
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    earlier = reply.reply(ticket, by=sana, text="One")
    assert delivery.deliver(channel.pk) == 1
    fail(account, after=True, cut=True)
    lost = reply.reply(ticket, by=sana, text="One")
    delivery.deliver(channel.pk)
    lost.refresh_from_db()
    assert lost.state == "unknown"
    never = reply.reply(ticket, by=sana, text="Two")
    Message.objects.filter(pk=never.pk).update(state="unknown", next_attempt_at=None)
    other = Account.objects.create(
        platform="sms", external_id="+14155550199", secrets=account.secrets, settings=account.settings
    )
    theirs = Person.objects.create(account=other, external_id=ana.external_id, name="Ana")
    said = {"account": other, "person": theirs, "ours": True, "external_id": f"SM{'0' * 32}"}
    Line.objects.create(text="Two", state="sent", **said)  # by another number of the account
    assert look_after(channel)["reconciled"] == 1
    assert look_after(channel)["reconciled"] == 0
    other.delete()
    for one in (earlier, lost, never):
        one.refresh_from_db()
    lines = list(Line.objects.filter(ours=True).order_by("pk").values_list("external_id", flat=True))
    assert [earlier.external_id, lost.external_id, never.external_id] == [*lines, ""]
    assert (lost.state, never.state) == ("sent", "unknown")


@pytest.mark.servers
def test_a_state_names_the_message_whose_answer_was_lost(
    channel: Channel, account: Account, ana: Person, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "SEND_SECONDS", 1.5)
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    fail(account, after=True, cut=True)
    lost = reply.reply(ticket, by=sana, text="One")
    delivery.deliver(channel.pk)
    taken_in(account)
    lost.refresh_from_db()
    assert (lost.state, lost.external_id) == ("delivered", Line.objects.get(ours=True).external_id)


@pytest.mark.servers
def test_what_came_while_we_were_away_is_fetched_once(
    channel: Channel, account: Account, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long that was, with files, and STOP; and what its webhook brings late is the same message."""
    monkeypatch.setattr("channels_social.sms.api.PAGE", 2)
    twilio_acts.text(account, ana, Given(text="told"))
    taken_in(account)
    url = account.settings["sms_url"]
    account.settings["sms_url"] = ""
    account.save()
    old = [twilio_acts.text(account, ana, Given(text=f"missed {number}")) for number in range(5)]
    picture = twilio_acts.text(account, ana, Given(text="look", files=(Upload("door.png", "image/png", PNG),)))
    twilio_acts.text(account, ana, Given(text="STOP"))
    before = twilio_acts.text(account, ana, Given(text="before it was connected"))
    Line.objects.filter(pk=before.pk).update(at=NOW - timedelta(days=60))
    Channel.objects.update(created_at=NOW - timedelta(days=30))
    for days, line in zip((9, 8, 7, 6, 5), old, strict=True):
        Line.objects.filter(pk=line.pk).update(at=NOW - timedelta(days=days))
    Channel.objects.update(condition={**channel.condition, "seen_until": (NOW - timedelta(days=10)).isoformat()})
    found = look_after(channel)
    assert (found["caught_up"], found["subscribed"]) == (7, True)
    assert found["seen_until"] >= NOW.isoformat()
    assert "had stopped telling" in adapter_for("sms").warnings(channel)[0]
    assert "BASE_URL" in adapter_for("sms").warnings(Channel(kind="sms", condition={"hook": "unreachable"}))[0]
    account.refresh_from_db()
    assert account.settings["sms_url"] == url
    twilio_acts._tell(old[4], "")  # late, and by webhook
    ticket = taken_in(account)
    assert look_after(channel)["caught_up"] == 0
    texts = list(Message.objects.filter(direction="in").order_by("pk").values_list("text", flat=True))
    assert texts == ["told", *(f"missed {number}" for number in range(5)), "look", "STOP"]
    assert Message.objects.get(text="look").content_kind == "image"
    assert fetching.fetch_waiting() == 1
    assert Attachment.objects.get().content_type == "image/png"
    assert ticket.customer.opt_outs == ["sms"]
    assert Receipt.objects.filter(external_id=f"message:{picture.external_id}").count() == 1


@pytest.mark.servers
def test_files_that_cannot_be_listed_keep_nothing_else_waiting(channel: Channel, account: Account, ana: Person) -> None:
    account.settings["sms_url"] = ""
    account.faults = [{"method": "GET Media", "status": 404, "body": told(20404), "times": 2}]
    account.save()
    twilio_acts.text(account, ana, Given(text="one"))
    look = twilio_acts.text(account, ana, Given(text="look", files=(Upload("door.png", "image/png", PNG),)))
    seen = channel.condition["seen_until"]
    found = look_after(channel)
    assert (found["caught_up"], found["seen_until"]) == (1, seen)
    Line.objects.filter(pk=look.pk).update(at=timezone.now() - timedelta(days=2))
    Channel.objects.update(condition={"seen_until": (timezone.now() - timedelta(days=3)).isoformat()})
    assert look_after(channel)["caught_up"] == 1  # better without its files than not at all
    taken_in(account)
    assert set(Message.objects.values_list("text", flat=True)) == {"one", "look"}


@pytest.mark.servers
def test_the_check_and_the_warnings(
    platforms: str, account: Account, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = adapter_for("sms")
    channel = connect(platforms, account)
    lines = adapter.check(channel)
    assert all(line.ok for line in lines), lines
    account.refresh_from_db()
    assert account.settings["sms_url"] == hook_url(channel)
    assert not adapter.warnings(channel)
    assert dict(adapter.facts(channel))
    assert OURS in adapter.own_addresses(channel)
    monkeypatch.setattr(public, "reachable", lambda: False)
    assert [line.ok for line in adapter.check(channel)] == [True, True, False]
    channel.settings["number"] = "+15550009999"
    channel.save()
    assert [line.ok for line in adapter.check(channel)] == [True, False]
    assert "+15550009999" in adapter.warnings(channel)[0]
    del channel.settings["number"]
    channel.settings["messaging_service_sid"] = account.settings["messaging_service_sid"]
    assert all(line.ok for line in adapter.check(channel))


@pytest.mark.servers
def test_by_a_key_and_a_messaging_service(platforms: str, account: Account, ana: Person, sana: Agent) -> None:
    account.secrets = {**account.secrets, "keys": {"SK" + "2" * 32: "its secret"}}
    account.save()
    service = account.settings["messaging_service_sid"]
    channel = connect(platforms, account, number="", messaging_service_sid=service, api_key_sid="SK" + "2" * 32)
    channel.secrets = {"auth_token": TOKEN, "api_key_secret": "its secret"}
    channel.save()
    look_after(channel)
    account.settings["sms_url"] = hook_url(channel)  # set by hand, on the service
    account.save()
    twilio_acts.text(account, ana, Given(text="Hello"))
    ticket = taken_in(account)
    reply.reply(ticket, by=sana, text="Hi")
    assert delivery.deliver(channel.pk) == 1
    assert Line.objects.get(ours=True).payload["service"] == service


def test_one_run_ends_in_time(monkeypatch: pytest.MonkeyPatch, hooked: Channel) -> None:
    """A long past is gone through day by day, and where a run ends the next goes on."""
    asked: list[str] = []

    def pages(_self: Any, _path: str, _key: str, told: dict[str, str]) -> list[Any]:
        asked.append(told["DateSent<"])
        return []

    monkeypatch.setattr(api.Twilio, "pages", pages)
    clock = iter(range(0, 100_000, 25))
    monkeypatch.setattr("channels_social.sms.tending.time.monotonic", lambda: float(next(clock)))
    hooked.condition = {"seen_until": (timezone.now() - timedelta(days=10)).isoformat()}
    with requests.Session() as session:
        seen, caught = tending.catch_up(api.Twilio(session, hooked))
    assert (len(asked), caught) == (2, 0)
    assert seen < (timezone.now() - timedelta(days=7)).isoformat()
