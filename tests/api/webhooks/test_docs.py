"""docs/webhooks.md keeps its word: the code in it runs, and its table is the list of events."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from api.actions import webhooks
from api.models import Webhook
from api.webhooks import delivery, events
from api.webhooks.delivery import IN_FLIGHT, RETRY_AFTER
from inbox.models import Agent
from tests.servers.receiver import Receiver

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "webhooks.md").read_text()
NAMES = ["verified", "verified_by_hand"]


@pytest.fixture(scope="module")
def documented() -> dict[str, Any]:
    """What the Python blocks of the page define."""
    defined: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(block, defined)
    return defined


@pytest.mark.parametrize("name", NAMES)
def test_the_documented_verification_works(
    documented: dict[str, Any], name: str, zoya: Agent, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook, secret = webhooks.create(by=zoya, name="Überall ✓", url=receiver.url(), events=["*"])
    new = webhooks.rotate(hook, by=zoya)
    webhooks.test(hook, by=zoya)
    delivery.run()
    (came,) = receiver.came
    body, verify = came.body.encode(), documented[name]
    assert verify(secret, came.headers, body) == verify(new, came.headers, body) == json.loads(came.body)
    assert json.loads(came.body)["data"]["webhook"]["name"] == "Überall ✓"
    for wrong in (
        (secret, came.headers, body + b" "),
        ("whsec_" + "A" * 44, came.headers, body),
        (secret, {**came.headers, "webhook-id": "msg_other"}, body),
        (secret, {**came.headers, "webhook-timestamp": str(int(came.headers["webhook-timestamp"]) - 1)}, body),
    ):
        with pytest.raises(Exception, match=r"ignature"):
            verify(*wrong)
    monkeypatch.setattr("api.webhooks.sending.time.time", lambda: 1_600_000_000)
    webhooks.test(hook, by=zoya)
    delivery.run()
    monkeypatch.undo()
    late = receiver.came[-1]
    with pytest.raises(Exception, match="too old"):
        verify(new, late.headers, late.body.encode())


def test_the_table_is_the_list_of_events() -> None:
    assert re.findall(r"^\| `([a-z]+(?:\.[a-z]+)?)` \|", TEXT, re.MULTILINE) == [*events.KINDS, "ping"]


def test_figures_of_the_page() -> None:
    assert len(RETRY_AFTER) == TEXT.split("after about ")[1].split(", then")[0].replace(" and ", ", ").count(",") + 1
    assert f"At most {IN_FLIGHT} requests" in TEXT
    assert Webhook._meta.get_field("url").max_length == 2000
