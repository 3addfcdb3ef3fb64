"""The sweep does all its steps, whichever of them the database lets down; what is overdue is late."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from inbox import health, tasks
from inbox.actions import reply, sweeping
from inbox.models import Agent, Channel, Message
from tests.cast import question, sana, support, team

__all__ = ["sana", "support", "team"]


@pytest.mark.django_db
def test_one_step_that_gets_no_lock_keeps_no_other_from_work(monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    def deadlocked() -> int:
        raise OperationalError("deadlock detected")

    monkeypatch.setattr("inbox.actions.scheduling.sweep", deadlocked)
    monkeypatch.setattr(sweeping, "close_solved", lambda: done.append("closed"))
    with pytest.raises(OperationalError):
        tasks.sweep()
    assert done == ["closed"]


def test_a_reply_that_is_not_released_in_time_is_late(support: Channel, sana: Agent) -> None:
    message = reply.reply(
        question(support, "Where is it?"), by=sana, text="Later.", send_at=timezone.now() + timedelta(hours=1)
    )
    name = f"delivery:{message.channel.slug}"
    assert name not in health.queues()
    Message.objects.update(send_at=timezone.now() - timedelta(hours=3))
    assert health.queues()[name]["waiting"] == 1
    assert health.queues()[name]["seconds"] > 10_000
