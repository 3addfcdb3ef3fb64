"""Signing by the public rules, against the public library."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from lib import standard_webhooks
from lib.standard_webhooks import Wrong

BODY = '{"text": "شال"}'


def test_both_read_what_the_other_has_signed() -> None:
    secret, now = standard_webhooks.new_secret(), int(time.time())
    ours = standard_webhooks.headers([standard_webhooks.new_secret(), secret], "m1", now, BODY)
    assert Webhook(secret).verify(BODY, ours) == {"text": "شال"}
    theirs = {**ours, "webhook-signature": Webhook(secret).sign("m1", datetime.fromtimestamp(now, UTC), BODY)}
    assert standard_webhooks.verify(secret, theirs, BODY.encode()) == "m1"
    assert standard_webhooks.verify(secret, ours, BODY.encode()) == "m1"  # the second of two


@pytest.mark.parametrize("off", [-301, 301])
def test_what_is_not_of_now_is_refused(off: int) -> None:
    secret, now = standard_webhooks.new_secret(), int(time.time())
    signed = standard_webhooks.headers([secret], "m1", now, BODY)
    with pytest.raises(Wrong):
        standard_webhooks.verify(secret, signed, BODY.encode(), now=now - off)
    assert standard_webhooks.verify(secret, signed, BODY.encode(), now=now - off + (1 if off > 0 else -1))


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": ""},
        {"webhook-id": "m2"},
        {"webhook-id": "m1\ud800"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "٣"},
        {"webhook-timestamp": "-5"},
        {"webhook-timestamp": "9" * 30},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1a,AAAA v1,\udcff"},
    ],
)
def test_what_is_not_signed_so_is_refused(change: dict[str, str]) -> None:
    secret = standard_webhooks.new_secret()
    signed = {**standard_webhooks.headers([secret], "m1", int(time.time()), BODY), **change}
    with pytest.raises(Wrong):
        standard_webhooks.verify(secret, signed, BODY.encode())


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!", "whsec_QUJD"])
def test_no_secret_proves_nothing(secret: str) -> None:
    now = int(time.time())
    signed = standard_webhooks.headers(["whsec_"], "m1", now, BODY)  # an empty key
    with pytest.raises(Wrong):
        standard_webhooks.verify(secret, signed, BODY.encode())
    with pytest.raises(ValueError):
        standard_webhooks.key_of(secret)
