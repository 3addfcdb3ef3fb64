"""What the main screen says of the system: every process, every queue and its age."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from inbox import care, delivery, health
from inbox.actions import receive, reply
from inbox.actions.work import Outcome
from inbox.adapters import DeliveryError, Verdict
from inbox.models import Agent, Channel, Heartbeat, Message, Receipt, Ticket
from tests.paper import Paper, raw

pytestmark = pytest.mark.django_db


def told(sana: Agent) -> dict[str, tuple[str, bool]]:
    return {sign.label: (sign.text, sign.ok) for sign in health.signs(sana)}


def test_silent_processes_are_named(desk: Channel, sana: Agent) -> None:
    health.beat("worker")
    health.beat("beat")
    Heartbeat.objects.filter(process="beat").update(at=timezone.now() - timedelta(minutes=2))
    signs = told(sana)
    assert signs["Workers"] == ("running", True)
    assert signs["Clock"] == signs["Mail receiver"] == ("not running", False)


def test_every_queue_has_its_age(desk: Channel, sana: Agent, take: Callable[..., Outcome]) -> None:
    take("m0")
    assert told(sana)["Mail to take in"] == ("nothing waits", True)
    receive.store(desk, [raw("m1"), raw("m2")])
    Receipt.objects.filter(state="new").update(received_at=timezone.now() - timedelta(minutes=5))
    signs = told(sana)
    assert signs["Mail to take in"] == ("2, oldest 5 min", False)
    assert signs["Replies on Desk"] == ("nothing waits", True)


def test_the_main_screen_asks_for_it(desk: Channel, sana: Agent, client: Client) -> None:
    client.force_login(sana)
    assert f'hx-get="{reverse("signs")}"' in client.get("/").content.decode()
    assert "Mail to take in" in client.get(reverse("signs")).content.decode()


def test_what_waits_behind_a_full_mailbox_is_not_late(desk: Channel, sana: Agent, take: Callable[..., Outcome]) -> None:
    ticket = Ticket.objects.get(pk=take("m1").ticket)
    Paper.answers[:] = [DeliveryError("The mailbox is full.", permanent=False)]
    first, second = (reply.reply(ticket, by=sana, text=text) for text in ("one", "two"))
    delivery.deliver(desk.pk)
    early = timezone.now() - timedelta(minutes=5)
    Message.objects.filter(pk=second.pk).update(next_attempt_at=early)
    assert health.queues().get("delivery:desk") is None
    Message.objects.filter(pk=first.pk).update(next_attempt_at=early)
    assert health.queues()["delivery:desk"]["waiting"] == 2
    assert "Desk: 2 replies are late." in health.problems(sana)


def test_a_messenger_fetches_no_mail(sana: Agent) -> None:
    for kind in ("email", "facebook"):
        Channel.objects.create(kind=kind, slug=kind, name=kind, in_failing_since=timezone.now(), in_error="Away.")
    texts = list(health.problems(sana))
    assert [text for text in texts if "cannot be fetched" in text] == [
        "email: new mail cannot be fetched. Away.",
        "facebook: new messages cannot be fetched. Away.",
    ]


def test_a_channel_that_cannot_say_what_it_warns_of_hides_no_other(
    desk: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Channel.objects.create(kind="paper", name="Other", slug="other")

    def warnings(_self: Paper, channel: Channel) -> list[str]:
        return [f"{channel.condition['token']} ends soon."]

    monkeypatch.setattr(Paper, "warnings", warnings)
    Channel.objects.filter(pk=other.pk).update(condition={"token": "It"})
    told = [list(one.warnings) for one in care.standings([desk, Channel.objects.get(pk=other.pk)])]
    assert told == [["How it stands cannot be told; the log says why."], ["It ends soon."]]
    assert sorted(one["warnings"] for one in health.channels()) == sorted(told)


def test_a_channel_that_cannot_say_whether_it_can_send_hides_no_other(
    desk: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Channel.objects.create(kind="paper", name="Other", slug="other", condition={"token": "ended"})

    def may_send(_self: Paper, channel: Channel) -> Verdict:
        return Verdict(False, channel.condition["token"])

    monkeypatch.setattr(Paper, "may_send", may_send)
    told = [str(one.sending.error) for one in care.standings([desk, other])]
    assert told == ["Whether it can send cannot be told; the log says why.", "ended"]
    assert sorted(one["cannot_send"] for one in health.channels()) == sorted(told)
    health.problems(sana)


def test_a_platform_that_takes_no_more_is_told_of(desk: Channel, sana: Agent, take: Callable[..., Outcome]) -> None:
    """On the channel at once, on the main screen where it lasts, and never as an illness."""
    ticket = Ticket.objects.get(pk=take("m1").ticket)
    Paper.answers[:] = [DeliveryError("Too many.", permanent=False, retry_after=600, channel=True, fault="rate")]
    reply.reply(ticket, by=sana, text="one")
    delivery.deliver(desk.pk)
    desk.refresh_from_db()
    (standing,) = care.standings([desk])
    assert standing.tone == "warn" and "takes no more" in str(standing.words) and not desk.failing
    assert "leave by themselves" in str(standing.error) and standing.sending.oldest is not None
    assert any("takes no more" in one for one in health.problems(sana))
    Channel.objects.update(next_send_at=timezone.now() + timedelta(seconds=20))
    assert not any("takes no more" in one for one in health.problems(sana))
    Message.objects.filter(direction="out").update(next_attempt_at=timezone.now() - timedelta(minutes=5))
    assert any("takes no more" in one for one in health.problems(sana))
