"""A receiver on loopback, and webhooks that point to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from api.actions import webhooks
from api.models import Webhook, WebhookDelivery
from api.webhooks import delivery, follower
from inbox.models import Agent, Event
from tests.api.conftest import as_bilal, as_lena, as_sana, as_zoya
from tests.cast import bilal, lena, omar, sana, support, team, ticket, zoya
from tests.servers import receiver as receivers
from tests.servers.receiver import Receiver

__all__ = [
    "as_bilal", "as_lena", "as_sana", "as_zoya", "bilal", "lena", "omar", "sana", "support", "team", "ticket", "zoya",
]  # fmt: skip

Hook = Callable[..., Webhook]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receivers.running() as running:
        yield running


@pytest.fixture
def hook(zoya: Agent, team: object, receiver: Receiver) -> Hook:
    """Make a webhook of Zoya's, who is a member of Support: `hook("/ok", "ticket.solved")`, all events by default."""

    def made(path: str = "/ok", *events: str, by: Agent = zoya, **fields: object) -> Webhook:
        given = {"name": f"To {path}", "url": receiver.url(path), "events": list(events) or ["*"], **fields}
        return webhooks.create(by=by, **given)[0]  # type: ignore[arg-type]

    return made


def follow() -> list[WebhookDelivery]:
    """What the follower writes for the log so far. Tests run in one transaction, which its own cursor cannot see."""
    follower.tell(list(Event.objects.select_related("ticket").order_by("pk")))
    return list(WebhookDelivery.objects.order_by("pk"))


def deliver() -> list[WebhookDelivery]:
    """Let the follower and one pump run; returns all deliveries."""
    follow()
    delivery.run()
    return list(WebhookDelivery.objects.order_by("pk"))
