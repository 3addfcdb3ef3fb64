"""A Facebook page, against its emulator: how it is looked after, and what refusals mean."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from channels_social import graph, profiles
from channels_social.meta_send import refusal
from inbox import health, tending
from inbox.adapters import DeliveryError, adapter_for
from inbox.models import Agent, Channel, Identity
from lib import http
from sandbox.phones import chats, messenger
from sandbox.phones.models import Account, Person
from tests.channels_social.facebook import ana, channel, page
from tests.channels_social.meta import fault, meta_error, taken_in

__all__ = ["ana", "channel", "page"]


@pytest.mark.servers
def test_that_meta_had_stopped_telling_is_told_for_a_day(channel: Channel, page: Account, sana: Agent) -> None:
    """Not of what it had never told: that is ordinary, when a channel is connected or takes in more."""
    chats.arrange(page, subscribed_fields=[])
    assert tending.tend(channel.pk)
    channel.refresh_from_db()
    assert (channel.condition["told"], adapter_for("facebook").warnings(channel)) == (True, [])
    chats.arrange(page, subscribed_fields=["messages"])
    assert tending.tend(channel.pk) and tending.tend(channel.pk)
    channel.refresh_from_db()
    (said,) = adapter_for("facebook").warnings(channel)
    assert "had stopped telling" in said and any("had stopped telling" in one for one in health.problems(sana))
    channel.condition["_told_again_at"] = (timezone.now() - timedelta(days=1, minutes=1)).isoformat()
    assert adapter_for("facebook").warnings(channel) == []


@pytest.mark.servers
def test_too_many_calls_while_it_is_looked_after_are_no_illness(channel: Channel, page: Account) -> None:
    assert tending.tend(channel.pk)
    before = Channel.objects.get(pk=channel.pk).condition
    http.rates.note(page.secrets["token"], 90)
    assert tending.tend(channel.pk)
    channel.refresh_from_db()
    assert not channel.failing and channel.limited_until is None
    rests = {name: channel.condition[name] for name in ("tended_at", "_rests_until")}
    assert channel.condition == before | rests


@pytest.mark.servers
def test_unsubscribed_is_subscribed_again(channel: Channel, page: Account) -> None:
    adapter = adapter_for("facebook")
    chats.arrange(page, subscribed_fields=["messages"])
    found = adapter.tend(channel)
    page.refresh_from_db()
    assert set(page.settings["subscribed_fields"]) >= {"messages", "message_echoes", "feed"}
    assert (found["missing"], found["name"]) == ([], "Rabta Shop")
    assert "subscribed" in found and "subscribed" not in adapter.tend(channel)
    assert all(line.ok for line in adapter.check(channel))
    assert adapter.warnings(channel) == []
    chats.arrange(page, missing_permissions=["pages_manage_engagement"])
    assert any(not line.ok for line in adapter.check(channel))
    assert "pages_manage_engagement" in adapter.warnings(channel)[0]
    chats.arrange(page, token_state="expired")
    with pytest.raises(DeliveryError) as caught:
        adapter.tend(channel)
    assert caught.value.fault == "auth"
    chats.arrange(page, token_state=None)
    channel.settings |= {"page_id": "1", "app_id": ""}
    assert not adapter.check(channel)[0].ok


@pytest.mark.servers
def test_names_that_are_hidden_stay_numbers(channel: Channel, page: Account, ana: Person) -> None:
    chats.remember(ana, hides_profile="error")
    messenger.text(page, ana, "Hello")
    taken_in(page)
    identity = Identity.objects.get()
    assert profiles.fetch(channel.pk, [identity.pk]) == 0
    chats.remember(ana, hides_profile=True)
    assert profiles.fetch(channel.pk, [identity.pk]) == 0
    fault(page, "GET person", 500)
    assert profiles.fetch(channel.pk, [identity.pk]) == 0
    assert profiles.fetch(0, [identity.pk]) == 0


@pytest.mark.parametrize(
    ("code", "subcode", "status", "fault", "permanent", "channel"),
    [
        (1, 0, 500, "", False, False),
        (2, 0, 503, "", False, False),
        (0, 0, 502, "", False, False),
        (4, 0, 400, "rate", False, True),
        (17, 0, 400, "rate", False, True),
        (32, 0, 400, "rate", False, True),
        (613, 0, 400, "rate", False, True),
        (80006, 0, 400, "rate", False, True),
        (190, 0, 400, "auth", False, True),
        (190, 458, 400, "auth", False, True),
        (190, 460, 400, "auth", False, True),
        (190, 463, 400, "auth", False, True),
        (102, 0, 400, "auth", False, True),
        (10, 0, 403, "auth", False, True),
        (200, 0, 403, "auth", False, True),
        (230, 0, 403, "auth", False, True),
        (10, 2018278, 400, "window", True, False),
        (10, 2534022, 400, "window", True, False),
        (10, 2018065, 400, "window", True, False),
        (551, 1545041, 400, "blocked", True, False),
        (200, 1545041, 400, "blocked", True, False),
        (10, 2018108, 400, "blocked", True, False),
        (10, 1893063, 400, "", False, False),
        (10, 2018300, 400, "", True, False),
        (100, 2018001, 400, "", True, False),
        (100, 0, 400, "", True, False),
        (100, 33, 400, "", True, False),
        (100, 2018047, 400, "", True, False),
        (100, 2018109, 400, "", True, False),
        (10900, 0, 400, "", True, False),
        (424242, 0, 400, "", True, False),
    ],
)
def test_what_refusals_mean(code: int, subcode: int, status: int, fault: str, permanent: bool, channel: bool) -> None:
    error = refusal(graph.refusal(status, meta_error(code, subcode) if code else {}), "Facebook")
    assert (error.fault, error.permanent, error.channel, error.unknown) == (fault, permanent, channel, False)
    assert len(str(error.reason)) > 10
    assert (error.retry_after or 0) >= (3600 if subcode == 1893063 else 0)


def test_a_hidden_transient_is_tried_again() -> None:
    error = refusal(graph.refusal(400, meta_error(424242, is_transient=True)), "Facebook")
    assert not error.permanent
