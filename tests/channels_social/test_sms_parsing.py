"""SMS: what is read in the forms, states and refusals of Twilio, without a wire."""

from __future__ import annotations

import contextlib
from typing import Any
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from channels_social.sms import api, parsing
from inbox import counting
from inbox.adapters import DeliveryUpdate, Ignore, Inbound, Party, ReachUpdate
from inbox.counting import Limit
from tests.channels_social.sms import ANA, NOW, OURS, said


def parsed(form: dict[str, str], message: int = 0) -> list[Any]:
    return list(parsing.parse(urlencode(form).encode(), "channel:1", NOW, message))


@pytest.mark.parametrize(
    ("text", "told", "asks"),
    [
        ("STOP", "STOP", "STOP"), ("stop.", "", "STOP"), ("Unsubscribe", "", "STOP"), ("END", "", "STOP"),
        ("quit", "", "STOP"), ("Cancel!", "", "STOP"), ("STOPALL", "", "STOP"), ("Start", "", "START"),
        (" yes ", "", "START"), ("UNSTOP", "", "START"), ("help", "", "HELP"), ("Arrêt", "STOP", "STOP"),
        ("Please stop", "", ""), ("Yes, please", "", ""), ("", "", ""), ("x", "NONSENSE", ""),
    ],
)  # fmt: skip
def test_words_that_are_a_request(text: str, told: str, asks: str) -> None:
    assert parsing.request(text, told) == asks


def test_a_request_is_both_a_message_and_news_of_its_writer() -> None:
    first, second = parsed(said("SM1", "STOP", OptOutType="STOP"))
    assert isinstance(first, Inbound)
    assert (first.key, first.sender.value, first.text, first.suppress_auto_reply) == ("SM1", ANA, "STOP", True)
    ana = Party("phone", ANA)
    assert second == ReachUpdate(ana, NOW, opted_out=True)
    assert parsed(said("SM1", "START"))[1] == ReachUpdate(ana, NOW, blocked=False, opted_out=False)
    assert len(parsed(said("SM1", "HELP"))) == len(parsed(said("SM1", "Hello"))) == 1


def test_media_and_what_claims_to_be_some() -> None:
    (one,) = parsed(
        said(
            "MM1",
            "Look",
            NumMedia="3",
            MediaUrl0="https://x/ME1",
            MediaContentType0="image/jpeg",
            MediaUrl2="https://x/3",
        )
    )
    assert [dict(file.ref)["url"] for file in one.remote] == ["https://x/ME1", "https://x/3"]
    assert (one.content_kind, one.text) == ("image", "Look")
    (card,) = parsed(said("MM2", "", NumMedia="1", MediaUrl0="https://x/1", MediaContentType0="text/vcard"))
    assert card.content_kind == "file"
    (many,) = parsed(said("MM3", "", NumMedia="999999", MediaUrl0="https://x/1"))
    assert len(many.remote) == 1


@pytest.mark.parametrize(
    ("status", "code", "state", "fault", "reach"),
    [
        ("queued", "", "sent", "", 0), ("sending", "", "sent", "", 0), ("sent", "", "sent", "", 0),
        ("delivered", "", "delivered", "", 0), ("read", "", "read", "", 0), ("canceled", "", "failed", "", 0),
        ("failed", "", "failed", "", 0), ("undelivered", "30003", "failed", "", 0),
        ("undelivered", "30004", "failed", "blocked", 1), ("undelivered", "30005", "failed", "blocked", 1),
        ("undelivered", "30006", "failed", "blocked", 1), ("undelivered", "30007", "failed", "", 0),
        ("failed", "21610", "failed", "blocked", 1), ("undelivered", "30008", "failed", "", 0),
        ("failed", "30002", "failed", "auth", 0), ("undelivered", "30034", "failed", "auth", 0),
        ("undelivered", "99999", "failed", "", 0), ("failed", "12300", "failed", "", 0),
    ],
)  # fmt: skip
def test_what_states_mean(status: str, code: str, state: str, fault: str, reach: int) -> None:
    form = {"MessageSid": "SM3", "MessageStatus": status, "From": OURS, "To": ANA}
    update, *more = parsed({**form, "ErrorCode": code} if code else form, 7)
    assert isinstance(update, DeliveryUpdate)
    assert (update.external_id, update.state, update.fault, update.reference) == ("SM3", state, fault, 7)
    assert len(more) == reach
    assert (len(update.error) > 10) is (state == "failed")


def test_garbage() -> None:
    for raw in (b"", b"\xff\xfe", b"[1]", b"{}", b'{"sid": 1}', b"Body=x"):
        with contextlib.suppress(ValueError, Ignore):
            parsing.parse(raw, "channel:1", NOW)
            pytest.fail(f"{raw!r} was taken")


@pytest.mark.parametrize(
    ("status", "code", "fault", "permanent", "channel"),
    [
        (429, 20429, "rate", False, True), (429, 0, "rate", False, True), (400, 30001, "rate", False, True),
        (400, 63018, "rate", False, True), (400, 30008, "", False, False), (500, 20500, "", False, False),
        (503, 0, "", False, False), (401, 20003, "auth", False, True), (401, 0, "auth", False, True),
        (404, 20404, "auth", False, True), (403, 10001, "auth", False, True), (400, 30002, "auth", False, True),
        (400, 21606, "auth", False, True), (400, 30034, "auth", False, True), (400, 21608, "auth", True, False),
        (400, 21408, "auth", True, False), (400, 63016, "window", True, False), (400, 21610, "blocked", True, False),
        (400, 30003, "blocked", True, False), (400, 30004, "blocked", True, False),
        (400, 30005, "blocked", True, False), (400, 30006, "blocked", True, False),
        (400, 63024, "blocked", True, False), (400, 63032, "blocked", True, False), (400, 21211, "", True, False),
        (400, 21212, "", True, False), (400, 21612, "", True, False), (400, 21614, "", True, False),
        (400, 21617, "", True, False), (400, 21620, "", True, False), (400, 30007, "", True, False),
        (400, 63003, "", True, False), (400, 99999, "", True, False),
    ],
)  # fmt: skip
def test_what_refusals_mean(status: int, code: int, fault: str, permanent: bool, channel: bool) -> None:
    body = {"code": code, "message": "Said so", "status": status} if code else {}
    error = api.refusal(status, body)
    assert (error.fault, error.permanent, error.channel, error.unknown) == (fault, permanent, channel, False)
    assert len(str(error.reason)) > 10


@pytest.mark.parametrize(
    ("text", "count"), [("a" * 160, 1), ("a" * 161, 2), ("a" * 307, 3), ("€" * 80, 1), ("ش" * 70, 1), ("ش" * 71, 2)]
)
def test_segments(text: str, count: int) -> None:
    """How many SMS the networks make of one text, as the composer counts them; it arrives as one all the same."""
    limit = Limit(0, "sms")
    assert -(-counting.size(text, limit) // counting.room(text, limit)) == count


@pytest.mark.parametrize(
    ("told", "kept"),
    [("+5215512345678", "+525512345678"), ("+551191234567", "+5511991234567"), ("+923001234567", "+923001234567"),
     ("72727", "72727"), ("PARCELS", "PARCELS"), ("+15550001", "+15550001")],
)  # fmt: skip
def test_a_number_is_kept_as_whatsapp_has_it(told: str, kept: str) -> None:
    fields = {"MessageSid": "SM1", "SmsStatus": "received", "From": told, "To": "+15005550006", "Body": "Hi"}
    (said,) = parsing.parse(urlencode(fields).encode(), "channel:1", timezone.now())
    assert isinstance(said, Inbound) and said.sender is not None and said.sender.value == kept
    told_of = {"MessageSid": "SM2", "MessageStatus": "undelivered", "ErrorCode": "21610", "To": told}
    *_state, reach = parsing.parse(urlencode(told_of).encode(), "channel:1", timezone.now())
    assert isinstance(reach, ReachUpdate) and reach.person.value == kept
