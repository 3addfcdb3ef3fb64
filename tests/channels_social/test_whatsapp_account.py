"""WhatsApp: what it tells of the whole account or number, and of whoever has another one now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone

from channels_social.whatsapp import parsing
from inbox import health
from inbox.actions import receive, recipients
from inbox.adapters import adapter_for
from inbox.models import Agent, Channel, Identity, Message, Reach, Receipt

WABA = "102290129340398"


@contextmanager
def later(passed: timedelta) -> Iterator[None]:
    with mock.patch.object(timezone, "now", return_value=timezone.now() + passed):
        yield


def account_news(channel: Channel, field: str, *values: dict[str, Any], at: datetime | None = None) -> list[str]:
    """Taken in as WhatsApp tells it, without a number of ours; returns what is said of it then."""
    time = int((at or timezone.now()).timestamp())
    for value in values:
        about = {"waba": WABA, "time": time}
        receive.put(channel, list(parsing.receipts(field, value, about)))
        receive.take_in_waiting()
    assert not Receipt.objects.filter(state="failed").exists()
    channel.refresh_from_db()
    return adapter_for("whatsapp").warnings(channel)


@pytest.fixture
def quiet(db: None) -> Channel:
    """A channel that nobody calls."""
    return Channel.objects.create(
        kind="whatsapp", slug="quiet", name="Quiet", settings={"waba_id": WABA}, condition={"number": "+1 555 078-3881"}
    )


def test_a_disabled_account_is_told_until_it_is_good_again(quiet: Channel, sana: Agent) -> None:
    ban = {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "DISABLE", "waba_ban_date": "October 9, 2023"}}
    (said,) = account_news(quiet, "account_update", ban)
    assert "disabled this account (October 9, 2023)" in said
    assert any("disabled this account" in one for one in health.problems(sana))
    assert Receipt.objects.get().state == "ignored"
    good = {"event": "DISABLED_UPDATE", "ban_info": {"waba_ban_state": "REINSTATE"}}
    earlier = timezone.now() - timedelta(hours=1)
    assert account_news(quiet, "account_update", good, at=earlier)  # it comes late: that was before
    assert account_news(quiet, "account_update", good, at=timezone.now() + timedelta(seconds=2)) == []


def test_restrictions_and_violations_end_by_themselves(quiet: Channel) -> None:
    soon = timezone.now() + timedelta(hours=2)
    kinds = ("RESTRICTED_BIZ_INITIATED_MESSAGING", "RESTRICTED_CUSTOMER_INITIATED_MESSAGING")
    times = (int(soon.timestamp()), f"{soon:%Y-%m-%dT%H:%M:%S}+0000")
    rows = [{"restriction_type": kind, "expiration": at} for kind, at in zip(kinds, times, strict=True)]
    restricted = {"event": "ACCOUNT_RESTRICTION", "restriction_info": rows}
    violation = {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}}
    first, second = account_news(quiet, "account_update", restricted, violation)
    assert "no conversation may be begun from here, nobody may be answered" in first and "(SCAM)" in second
    with later(timedelta(hours=3)):
        assert adapter_for("whatsapp").warnings(quiet) == [second]
    with later(timedelta(days=8)):
        assert adapter_for("whatsapp").warnings(quiet) == []


def test_a_number_that_is_flagged_and_templates_that_are_paused(quiet: Channel) -> None:
    flagged = {"display_phone_number": "15550783881", "event": "FLAGGED", "current_limit": "TIER_10K"}
    (said,) = account_news(quiet, "phone_number_quality_update", flagged, {**flagged, "event": "ONBOARDING"})
    assert "blocked or reported" in said
    assert "phone_number_quality_update" in Receipt.objects.latest("pk").reason  # what asks nobody to act is left out
    other = {**flagged, "display_phone_number": "15550009999", "event": "UNFLAGGED"}
    assert account_news(quiet, "phone_number_quality_update", other) == [said]  # of another number of the account
    assert account_news(quiet, "phone_number_quality_update", {**flagged, "event": "UNFLAGGED"}) == []
    told = {"message_template_name": "sale", "message_template_language": "en_US", "reason": "NONE"}
    (said,) = account_news(quiet, "message_template_status_update", {**told, "event": "PAUSED"})
    assert "paused the template sale" in said
    assert account_news(quiet, "message_template_status_update", {**told, "event": "APPROVED"}) == []
    soon = timezone.now() + timedelta(seconds=2)
    (said,) = account_news(
        quiet, "message_template_status_update", {**told, "event": "REJECTED", "reason": "SCAM"}, at=soon
    )
    assert "(SCAM)" in said
    quiet.condition["templates"] = [{"name": "sale", "language": "en_US"}]
    quiet.condition["tended_at"] = (soon + timedelta(minutes=1)).isoformat()
    assert adapter_for("whatsapp").warnings(quiet) == []  # it was read since, as one that may be sent


def test_errors_of_the_number_are_told_for_a_while(quiet: Channel) -> None:
    (said,) = account_news(quiet, "messages", {"errors": [{"code": 131031, "title": "Account has been locked"}]})
    assert "locked this account" in said
    again = {"errors": [{"code": 131031, "title": "Account has been locked"}]}
    assert account_news(quiet, "messages", again, at=timezone.now() + timedelta(seconds=5)) == [said]
    assert Receipt.objects.count() == 2  # at another time it is news
    with later(timedelta(days=1, minutes=1)):
        assert adapter_for("whatsapp").warnings(quiet) == []


def test_news_of_another_account_are_left_out(quiet: Channel) -> None:
    value = {"event": "ACCOUNT_DELETED"}
    receive.put(quiet, list(parsing.receipts("account_update", value, {"waba": "1", "time": 1760000000})))
    receive.take_in_waiting()
    quiet.refresh_from_db()
    assert adapter_for("whatsapp").warnings(quiet) == []
    assert "account_update" in Receipt.objects.get().reason


def said(channel: Channel, number: str, wamid: str, **told: Any) -> Message:
    """A message as WhatsApp tells it, taken in; without more of it a text."""
    told = told or {"type": "text", "text": {"body": wamid}}
    message = {"from": number, "id": wamid, "timestamp": str(int(timezone.now().timestamp())), **told}
    receive.put(channel, list(parsing.receipts("messages", {"messages": [message]})))
    receive.take_in_waiting()
    return Message.objects.get(external_id=wamid)


def changed_to(number: str) -> dict[str, Any]:
    """As documented: no contacts beside it, and no id that WhatsApp gave for this business."""
    system = {"body": f"User Ana changed to {number}", "wa_id": number, "type": "user_changed_number"}
    return {"type": "system", "system": system}


def test_an_old_number_is_no_longer_theirs(quiet: Channel, sana: Agent) -> None:
    old, new = "351910000001", "351910000009"
    before = said(quiet, old, "hello")
    closes = Reach.objects.get().closes_at
    moved = said(quiet, old, "moved", **changed_to(new))
    assert (moved.ticket, moved.customer) == (before.ticket, before.customer)
    rows = {one.value: one for one in Identity.objects.all()}
    assert set(rows) == {f"+{old}", f"+{new}"}
    assert rows[f"+{old}"].retired_at is not None and rows[f"+{new}"].retired_at is None
    reach = Reach.objects.get()
    assert (reach.identity, reach.closes_at) == (rows[f"+{new}"], closes)  # the window that they had opened
    to, _cc = recipients.default_recipients(moved.ticket, quiet)
    assert [one["address"] for one in to] == [f"+{new}"]
    stranger = said(quiet, old, "who is this")  # the old number is given to somebody else in time
    assert stranger.customer != before.customer and stranger.ticket != before.ticket
    assert said(quiet, new, "me again").ticket == before.ticket
    back = said(quiet, new, "back", **changed_to(old))  # it is another's by now, and stays so
    assert back.customer == stranger.customer
    assert Identity.objects.active().get(value=f"+{old}").customer == stranger.customer


def test_who_wrote_from_the_new_number_first_stays_whom_they_became(quiet: Channel) -> None:
    """Two customers are never made one by themselves: that they may be, agents are shown. The old number goes."""
    before = said(quiet, "351910000001", "hello")
    first = said(quiet, "351910000009", "from the new one")
    moved = said(quiet, "351910000001", "moved", **changed_to("351910000009"))
    assert moved.customer == first.customer != before.customer
    assert list(Identity.objects.active().values_list("value", flat=True)) == ["+351910000009"]
