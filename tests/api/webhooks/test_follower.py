"""Which events reach which webhook, what they say, and what they never say."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, reset_queries, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from api.actions import tokens, webhooks
from api.models import Webhook, WebhookDelivery
from api.webhooks import delivery, events, follower
from inbox import health, log
from inbox.actions import channels, customers, merge, messages, reply, split, tickets
from inbox.adapters import Party
from inbox.models import Agent, Channel, Cursor, Event, Message, Team, Ticket
from tests.api.conftest import Api
from tests.api.webhooks.conftest import Hook, deliver, follow
from tests.cast import HELD_UP, question
from tests.servers.receiver import Receiver


def told(receiver: Receiver) -> dict[str, dict[str, Any]]:
    """What came, by kind; the last of each."""
    return {(body := json.loads(one.body))["type"]: body for one in receiver.came}


def test_the_life_of_a_ticket(hook: Hook, receiver: Receiver, support: Channel, zoya: Agent, sana: Agent) -> None:
    hook()
    ticket = question(support, "Where is my parcel?")
    tickets.assign(ticket, by=zoya, agent=sana)
    tickets.set_tags(ticket, ["parcel"], by=sana)
    tickets.set_priority(ticket, "urgent", by=sana)
    tickets.set_subject(ticket, "Parcel lost", by=sana)
    reply.note(ticket, by=sana, text="Ask the warehouse")
    sent = reply.reply(ticket, by=sana, text="It comes on Thursday.")
    messages.advance(messages.lock(sent.pk), "sending")
    messages.advance(messages.lock(sent.pk), "sent")
    messages.fail(messages.lock(sent.pk), "no such mailbox")
    tickets.set_status(ticket, "solved", by=sana)
    tickets.set_status(ticket, "open", by=sana)
    rows = deliver()
    assert {row.state for row in rows} == {"delivered"}, [(row.kind, row.error) for row in rows if row.error]
    bodies = told(receiver)
    assert set(bodies) == {
        "ticket.created", "message.received", "ticket.assigned", "ticket.updated", "note.added", "message.created",
        "message.sent", "message.failed", "ticket.solved", "ticket.reopened",
    }  # fmt: skip
    assert bodies["message.received"]["data"]["message"]["text"] == "It should be here by now."
    assert "html" not in bodies["message.received"]["data"]["message"]
    assert bodies["ticket.assigned"]["data"]["changes"]["assignee"] == {
        "from": None,
        "to": {"id": sana.pk, "name": "Sana"},
    }
    assert bodies["ticket.assigned"]["data"]["actor"] == {"type": "agent", "id": zoya.pk, "name": "Zoya"}
    assert bodies["note.added"]["data"]["message"]["text"] == "Ask the warehouse"
    assert bodies["message.failed"]["data"]["message"]["delivery"]["error"] == "no such mailbox"
    assert bodies["ticket.solved"]["data"]["changes"] == {"status": {"from": "pending", "to": "solved"}} or bodies[
        "ticket.solved"
    ]["data"]["changes"] == {"status": {"from": "open", "to": "solved"}}
    changes: dict[str, Any] = {}
    for one in receiver.came:
        body = json.loads(one.body)
        if body["type"] == "ticket.updated":
            changes |= body["data"]["changes"]
    assert changes["tags"] == {"added": ["parcel"], "removed": []}
    assert changes["priority"] == {"from": "normal", "to": "urgent"}
    assert changes["subject"] == {"to": "Parcel lost"}


def test_a_payload_shows_what_the_api_shows(hook: Hook, receiver: Receiver, ticket: Ticket, as_sana: Api) -> None:
    Webhook.objects.filter(pk=hook("/ok", "message.received").pk).update(since=ticket.created_at)
    deliver()
    (came,) = receiver.came
    body = json.loads(came.body)
    assert list(body) == ["type", "timestamp", "data"]
    assert body["timestamp"].endswith("Z")
    assert body["data"]["ticket"] == as_sana.get(f"/tickets/{ticket.number}/").json()
    shown = as_sana.get(f"/messages/{body['data']['message']['id']}/").json()
    del shown["html"]
    url = f"http://testserver/api/v1/messages/{shown['id']}/"
    assert body["data"]["message"] == {**shown, "truncated": False, "url": url}


def test_long_text_is_cut(hook: Hook, receiver: Receiver, support: Channel) -> None:
    hook("/ok", "message.received")
    question(support, "Long", text="ص" * 300_000)
    deliver()
    message = json.loads(receiver.came[0].body)["data"]["message"]
    assert (len(message["text"]), message["truncated"]) == (10_000, True)
    assert len(receiver.came[0].body) < 60_000


def test_only_what_was_chosen_under_the_most_specific_name(hook: Hook, ticket: Ticket, sana: Agent) -> None:
    everything, solved, updated = hook("/ok"), hook("/ok", "ticket.solved"), hook("/ok", "ticket.updated")
    hook("/ok", "message.read")
    tickets.set_status(ticket, "solved", by=sana)
    found = {(row.webhook_id, row.kind) for row in follow()}
    assert found == {(everything.pk, "ticket.solved"), (solved.pk, "ticket.solved"), (updated.pk, "ticket.updated")}


def test_filters_by_channel_and_team(hook: Hook, ticket: Ticket, team: Team, sana: Agent, db: None) -> None:
    sales = Channel.objects.create(kind="email", name="Sales", slug="sales", settings={})
    mine, theirs = hook("/ok", channels=[ticket.channel]), hook("/ok", channels=[sales])
    of_team = hook("/ok", teams=[team])
    other = hook("/ok", teams=[Team.objects.create(name="Else", slug="else")])
    tickets.set_priority(ticket, "high", by=sana)
    log.record(None, "channel_failing", channel=sales.pk, direction="in")
    customers.update(ticket.customer, by=sana, name="Ayesha K.")
    found = {(row.webhook_id, row.kind) for row in follow()}
    assert found == {
        (mine.pk, "ticket.updated"),
        (of_team.pk, "ticket.updated"),
        (theirs.pk, "channel.failing"),
    }
    assert other.pk not in {pk for pk, _kind in found}


@pytest.mark.parametrize("what", ["team", "channel"])
def test_a_filter_outlives_what_it_named(
    hook: Hook, team: Team, support: Channel, zoya: Agent, as_zoya: Api, what: str
) -> None:
    """A webhook limited to a team or channel that is deleted tells nothing, where an empty filter would tell all."""
    if what == "team":
        press: Any = Team.objects.create(name="Press", slug="press")
        left: Any = team
    else:
        press, left = channels.create("email", "press", {"address": "press@example.org"}, by=zoya), support
    made, other = hook(**{f"{what}s": [press]}), hook(**{f"{what}s": [press, left]})
    assert as_zoya.delete(f"/{what}s/press/").status_code == 204
    question(support, "secret")
    assert {row.webhook_id for row in follow()} == {other.pk}
    assert webhooks.stop_unfit() == 1
    made.refresh_from_db()
    assert (made.active, made.disabled_reason) == (False, "filter")
    assert any("limited to channels or teams" in line for line in health.problems(zoya))
    said = as_zoya.get(f"/webhooks/{made.pk}/").json()["health"]
    assert said["disabled_reason"] == "filter"
    refused = as_zoya.patch(f"/webhooks/{made.pk}/", {"active": True})
    assert (refused.status_code, refused.json()["code"]) == (409, "filter_gone")
    assert as_zoya.patch(f"/webhooks/{made.pk}/", {"name": "Still"}).json()["active"] is False
    assert as_zoya.patch(f"/webhooks/{made.pk}/", {f"{what}s": [], "active": True}).json()["active"] is True
    question(support, "no secret")
    assert made.pk in {row.webhook_id for row in follow()}  # its owner chose to hear of everything
    assert webhooks.stop_unfit() == 0


def test_filters_from_before_are_kept(hook: Hook, team: Team, support: Channel) -> None:
    by_team, by_channel, free = hook(teams=[team]), hook(channels=[support]), hook()
    Webhook.objects.update(by_team=False, by_channel=False)
    import_module("api.migrations.0004_webhook_filters").keep_that_there_are_filters(apps, None)
    found = {row.pk: (row.by_team, row.by_channel) for row in Webhook.objects.all()}
    assert found == {by_team.pk: (True, False), by_channel.pk: (False, True), free.pk: (False, False)}


def test_a_private_team_does_not_leak(
    hook: Hook, receiver: Receiver, ticket: Ticket, team: Team, zoya: Agent, sana: Agent
) -> None:
    """The owner's sight decides, when the event is read and again when it is told."""
    outside = Agent.objects.create_user("root@example.org", name="Root", role="admin")
    foreign, own = hook("/ok/foreign", by=outside), hook("/ok/own", by=zoya)
    tickets.set_priority(ticket, "high", by=sana)
    customers.update(ticket.customer, by=sana, name="Ayesha K.")
    assert {row.webhook_id for row in follow()} == {own.pk}
    team.members.add(outside)
    tickets.set_priority(ticket, "low", by=sana)
    assert foreign.pk in {row.webhook_id for row in follow()}
    team.members.remove(outside)
    rows = {row.webhook_id: row for row in deliver()}
    assert not receiver.at("/ok/foreign")
    assert receiver.at("/ok/own")
    assert (rows[foreign.pk].state, rows[foreign.pk].payload, rows[foreign.pk].attempts) == ("failed", "", 1)
    assert "does not see" in rows[foreign.pk].error


def test_a_message_that_moved_out_of_sight_is_not_told(
    hook: Hook, receiver: Receiver, ticket: Ticket, zoya: Agent, team: Team
) -> None:
    made = hook("/ok", "note.added")
    note = reply.note(ticket, by=zoya, text="secret")
    follow()
    private = Team.objects.create(name="Board", slug="board", private=True)
    elsewhere = question(ticket.channel, "Board matters")
    tickets.assign(elsewhere, by=zoya, team=private)
    Message.objects.filter(pk=note.pk).update(ticket=elsewhere)
    deliver()
    assert not receiver.came
    assert made.deliveries.get().state == "failed"


def test_an_owner_who_may_no_more_stops_it(hook: Hook, receiver: Receiver, ticket: Ticket, zoya: Agent) -> None:
    made = hook()
    tickets.set_priority(ticket, "high", by=zoya)
    follow()
    zoya.role = "agent"
    zoya.save()
    deliver()
    made.refresh_from_db()
    assert (made.active, made.disabled_reason) == (False, "owner")
    assert not receiver.came
    assert made.deliveries.get().state == "queued"
    tickets.set_priority(ticket, "low", by=zoya)
    assert len(follow()) == 1
    boss = Agent.objects.create_user("root@example.org", name="Root", role="admin")
    assert any("To /ok" in line for line in health.problems(boss))
    assert any("To /ok" in line for line in health.problems(zoya))  # it was hers
    webhooks.switch(made, True, by=boss)
    made.refresh_from_db()
    assert (made.active, made.owner, made.disabled_reason) == (True, boss, "")
    assert not any("To /ok" in line for line in health.problems(boss))
    boss.is_active = False
    boss.save()
    assert webhooks.stop_unfit() == 1


def test_nothing_from_before_it_was_made_or_while_it_was_off(hook: Hook, ticket: Ticket, zoya: Agent) -> None:
    made = hook()
    assert follow() == []  # the ticket is older
    webhooks.switch(made, False, by=zoya)
    tickets.set_priority(ticket, "high", by=zoya)
    webhooks.switch(made, True, by=zoya)
    tickets.set_priority(ticket, "low", by=zoya)
    assert len(follow()) == 1
    Event.objects.update(at=timezone.now() - timedelta(days=31))
    Webhook.objects.update(since=timezone.now() - timedelta(days=60))
    WebhookDelivery.objects.all().delete()
    assert follow() == []  # so old that its first deliveries may be forgotten


def test_unknown_kinds_make_nothing(hook: Hook, zoya: Agent) -> None:
    made = hook()
    log.record(None, "something_new", by=zoya, ticket=1)
    log.record(None, "channel_exploded", by=zoya, channel=1)
    webhooks.rotate(made, by=zoya)
    tokens.create(zoya, scope="read", by=zoya)
    assert follow() == []


def test_every_public_name_comes_from_the_log() -> None:
    named: set[str] = set()
    for kind in events._NAMES:
        for to in ("solved", "closed", "open"):
            named |= set(events.names(Event(kind=kind, data={"to": to})))
    assert named == set(events.KINDS)


def test_merged_and_moved(hook: Hook, receiver: Receiver, ticket: Ticket, support: Channel, sana: Agent) -> None:
    hook("/ok", "ticket.merged", "message.moved")
    second = question(support, "Again")
    third = question(support, "Third")
    message = Message.objects.filter(ticket=third).get()
    merge.merge(second, into=ticket, by=sana)
    messages.move(message, to=ticket, by=sana)
    deliver()
    bodies = told(receiver)
    assert bodies["ticket.merged"]["data"]["changes"] == {"merged_into": {"from": None, "to": ticket.number}}
    assert bodies["message.moved"]["data"]["changes"]["ticket"] == {"from": third.number, "to": ticket.number}


def test_what_is_split_off_is_told_as_moved(hook: Hook, receiver: Receiver, ticket: Ticket, sana: Agent) -> None:
    hook("/ok", "message.moved")
    notes = [reply.note(ticket, by=sana, text=text) for text in ("One", "Two")]
    new = split.split(ticket, [note.pk for note in notes], by=sana)
    rows = deliver()
    bodies = [json.loads(row.payload)["data"] for row in rows]
    assert sorted(body["message"]["id"] for body in bodies) == [note.pk for note in notes]
    for body in bodies:
        assert body["ticket"]["number"] == new.number
        assert body["changes"] == {"ticket": {"from": ticket.number, "to": new.number}}


def test_an_erased_customer_goes_out_of_what_was_told(hook: Hook, ticket: Ticket, sana: Agent) -> None:
    hook("/ok", "ticket.updated")
    tickets.set_priority(ticket, "high", by=sana)
    (row,) = deliver()
    assert "Ayesha" in row.payload
    hook("/ok", "customer.erased", by=Agent.objects.create_user("root@example.org", name="Root", role="admin"))
    log.record(None, "customer_erased", customer=ticket.customer_id)
    follow()
    told = WebhookDelivery.objects.get(kind="customer.erased")
    delivery.run()
    told.refresh_from_db()
    assert json.loads(told.payload)["data"]["customer"] == {"id": ticket.customer_id}
    row.refresh_from_db()
    assert row.payload == row.response == ""


def test_customers_who_took_part_in_tickets_of_others_go_too(hook: Hook, ticket: Ticket, sana: Agent) -> None:
    hook("/ok", "ticket.updated")
    guest = customers.join(ticket, Party("email", "guest@example.com", "Guest"), by=sana)
    tickets.set_priority(ticket, "high", by=sana)
    (row,) = deliver()
    assert "guest@example.com" in row.payload
    log.record(None, "customer_erased", customer=999, customers=[999, guest.identity.customer_id])
    follow()
    row.refresh_from_db()
    assert row.payload == ""


def test_all_who_are_erased_go_out_of_what_was_told_in_one_go(hook: Hook, ticket: Ticket, support: Channel) -> None:
    made = hook("/ok", "customer.updated")
    other = question(support, "Kettle", Party("email", "hina@example.com", "Hina"))
    about = {
        "own": log.record(None, "customer_changed", customer=ticket.customer_id).pk,
        "of their ticket": log.record(ticket, "priority_changed").pk,
        "gone": 10**12,
        "of others": log.record(None, "customer_changed", customer=other.customer_id).pk,
        "of a ticket of others": log.record(other, "priority_changed").pk,
    }
    for name, event in about.items():
        WebhookDelivery.objects.create(webhook=made, event_id=event, kind="x", message_id=name, payload=name)
    erased = Event(kind="customer_erased", data={"customer": ticket.customer_id, "customers": [998, 999]})
    erased.at = timezone.now() - timedelta(days=settings.WEBHOOK_DAYS + 1)  # beyond what is told
    with CaptureQueriesContext(connection) as queries:
        follower.tell([erased])
    assert len(queries) == 5, "as many as for one"
    left = set(WebhookDelivery.objects.exclude(payload="").values_list("payload", flat=True))
    assert left == {"of others", "of a ticket of others"}


def test_events_of_customers(hook: Hook, receiver: Receiver, ticket: Ticket, sana: Agent) -> None:
    hook("/ok", "customer.created", "customer.updated", "customer.merged")
    other = customers.ensure_identity(Party("email", "other@example.com", "Other")).customer
    log.record(None, "customer_created", by=sana, customer=other.pk)
    log.record(None, "identity_added", by=sana, customer=other.pk, identity=1)
    log.record(None, "customer_merged", by=sana, customer=other.pk, into=ticket.customer_id, merge=1)
    deliver()
    bodies = told(receiver)
    assert bodies["customer.created"]["data"]["customer"]["name"] == "Other"
    assert bodies["customer.updated"]["data"]["changes"] == {"identities": {}}
    assert bodies["customer.merged"]["data"]["customer"]["id"] == ticket.customer_id
    assert bodies["customer.merged"]["data"]["changes"]["merged"] == {"from": other.pk, "to": ticket.customer_id}


@pytest.mark.django_db(transaction=True)
class TestFollowing:
    """With the real cursor, over committed transactions."""

    def read(self) -> int:
        """Read on to the newest event; returns the queries of the last round that read something.

        A transaction in any database of the server holds readers up, those of other tests too: they end some time.
        """
        newest = Event.objects.order_by("-xid", "-pk").values_list("xid", "pk").first()

        def where() -> tuple[int, int] | None:
            return Cursor.objects.filter(name="webhooks").values_list("xid", "event_id").first()

        needed, deadline, before = 0, time.monotonic() + HELD_UP, where()
        while where() != newest and time.monotonic() < deadline:
            reset_queries()  # of a full log none would be counted
            with CaptureQueriesContext(connection) as queries:
                log.follow("webhooks", log.followers()["webhooks"])
            if where() != before:
                needed, before = len(queries), where()
            else:
                time.sleep(0.05)
        assert where() == newest
        return needed

    def test_a_rewind_delivers_nothing_twice(self, hook: Hook, receiver: Receiver, ticket: Ticket, sana: Agent) -> None:
        hook()
        tickets.set_priority(ticket, "high", by=sana)
        self.read()
        delivery.run()
        before = list(WebhookDelivery.objects.values_list("message_id", "state"))
        assert [state for _id, state in before] == ["delivered"]
        log.rewind("webhooks")
        self.read()
        delivery.run()
        assert list(WebhookDelivery.objects.values_list("message_id", "state")) == before
        assert len(receiver.came) == 1

    def test_without_a_webhook_it_costs_next_to_nothing(self, support: Channel, sana: Agent) -> None:
        ticket = question(support, "One")
        self.read()
        for number in range(40):
            tickets.set_priority(ticket, ("high", "low")[number % 2], by=sana)
        with CaptureQueriesContext(connection) as queries:
            needed = self.read()
        assert needed <= 8
        assert not any('JOIN "inbox_ticket"' in one["sql"] for one in queries), "no event is read"
        assert not WebhookDelivery.objects.exists()

    def test_many_events_cost_the_same_queries(self, hook: Hook, support: Channel, sana: Agent) -> None:
        ticket = question(support, "One")
        hook("/ok")
        hook("/ok", "ticket.solved")
        self.read()
        counts = []
        for amount in (2, 40):
            with transaction.atomic():
                for number in range(amount):
                    tickets.set_priority(ticket, ("high", "low")[number % 2], by=sana)
            counts.append(self.read())
        assert counts[0] == counts[1]
        assert WebhookDelivery.objects.filter(kind="ticket.updated").count() == 42

    def test_many_webhooks_of_one_owner_cost_the_same_queries(self, hook: Hook, ticket: Ticket, sana: Agent) -> None:
        counts = []
        for amount in (1, 6):
            for _number in range(amount):
                hook("/ok")
            tickets.set_priority(ticket, "high" if amount == 1 else "low", by=sana)
            event = Event.objects.order_by("-pk")[0]
            with CaptureQueriesContext(connection) as queries:
                log.followers()["webhooks"]([event])  # type: ignore[arg-type]
            counts.append(len(queries))
        assert counts[0] == counts[1]
        assert WebhookDelivery.objects.count() == 1 + 7

    def test_a_fault_stops_it_visibly(
        self, hook: Hook, ticket: Ticket, sana: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hook()
        self.read()
        tickets.set_priority(ticket, "high", by=sana)
        with monkeypatch.context() as patch:
            patch.setattr(follower, "_passes", lambda *_args: 1 / 0)
            deadline = time.monotonic() + HELD_UP
            while not (error := Cursor.objects.get(name="webhooks").error) and time.monotonic() < deadline:
                log.follow("webhooks", log.followers()["webhooks"])
                time.sleep(0.05)
        assert "ZeroDivisionError" in error
        self.read()
        assert Cursor.objects.get(name="webhooks").error == ""
        assert WebhookDelivery.objects.count() == 1

    def test_one_round_reads_more_than_one_batch(
        self, hook: Hook, ticket: Ticket, sana: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hook()
        self.read()
        monkeypatch.setattr(log, "BATCH", 2)
        for number in range(5):
            tickets.set_priority(ticket, ("high", "low")[number % 2], by=sana)
        deadline = time.monotonic() + HELD_UP
        while WebhookDelivery.objects.count() < 5 and time.monotonic() < deadline:
            if not log.follow_all():
                time.sleep(0.05)
        assert WebhookDelivery.objects.count() == 5
