from __future__ import annotations

from typing import Any

import pytest

from inbox.actions import receive
from inbox.adapters import RawReceipt
from inbox.models import Channel, Customer, Event, Identity, Receipt, Ticket
from tests.api.conftest import Api, problem
from tests.cast import question

CUSTOMER = """
id external_id name organisation stage language time_zone preferred_channel opt_outs tags attributes identities
created_at last_seen_at ticket_count open_ticket_count
"""
SETTINGS: dict[str, Any] = {
    "address": "Help@Example.org",
    "name": "Help",
    "smtp": {"host": "mail.example.org", "port": 465, "security": "tls", "username": "help", "password": "hunter2"},
}


def test_a_channel_is_connected_and_its_secrets_stay_in(as_zoya: Api) -> None:
    response = as_zoya.post("/channels/", {"kind": "email", "slug": "help", "settings": SETTINGS})
    assert response.status_code == 201, response.content
    body = response.json()
    channel = Channel.objects.get(slug="help")
    assert body["addresses"] == ["help@example.org"]
    assert body["name"] == "Help"
    assert body["webhook_url"] == f"http://testserver/hooks/email/{channel.token}/"
    assert body["settings"]["smtp"]["username"] == "help"
    assert b"hunter2" not in response.content
    assert "hunter2" not in str(Channel.objects.filter(pk=channel.pk).values())
    assert channel.secrets == {"smtp.password": "hunter2"}
    assert as_zoya.get("/channels/help/").json() == body
    assert as_zoya.get(f"/channels/{channel.pk}/").json() == body
    assert Event.objects.filter(kind="channel_created").count() == 1


def test_a_secret_that_was_made_is_told_once(as_zoya: Api, as_sana: Api) -> None:
    asked = {"kind": "api", "slug": "reviews", "settings": {}}
    body = as_zoya.post("/channels/", asked, Idempotency_Key="k1").json()
    channel = Channel.objects.get()
    assert body.pop("secret") == channel.secrets["signing_secret"]
    assert as_zoya.get("/channels/reviews/").json() == body
    problem(as_zoya.post("/channels/", asked, Idempotency_Key="k1"), 409, "answer_gone")
    given = {"kind": "api", "slug": "app", "settings": {"signing_secret": channel.secrets["signing_secret"]}}
    assert "secret" not in as_zoya.post("/channels/", given, Idempotency_Key="k2").json()
    assert as_zoya.post("/channels/", given, Idempotency_Key="k2").status_code == 201  # it held none: told again
    problem(as_sana.post("/channels/reviews/rotate/"), 403)
    rolled = as_zoya.post("/channels/reviews/rotate/").json()
    assert rolled["secret"] == Channel.objects.get(slug="reviews").secrets["signing_secret"] != body
    assert rolled["old_secret_until"] is not None
    assert Event.objects.filter(kind="channel_secret_made").count() == 2


def test_a_mailbox_has_no_secret_to_roll(as_zoya: Api) -> None:
    as_zoya.post("/channels/", {"kind": "email", "slug": "help", "settings": SETTINGS})
    problem(as_zoya.post("/channels/help/rotate/"), 422, "no_secret")
    assert Channel.objects.get().secrets == {"smtp.password": "hunter2"}


def test_what_is_wrong_with_settings_is_named(as_zoya: Api) -> None:
    def errors(body: dict[str, Any]) -> list[str]:
        return list(problem(as_zoya.post("/channels/", body), 400)["errors"])

    assert errors({"kind": "pigeon", "slug": "a", "settings": {}}) == ["kind"]
    assert errors({"kind": "email", "slug": "a b", "settings": SETTINGS}) == ["slug"]
    assert errors({"kind": "email", "slug": "a", "settings": {**SETTINGS, "address": "nobody"}}) == ["settings.address"]
    assert errors({"kind": "email", "slug": "a", "settings": {"address": "a@b.example", "smtp": {"port": 1}}}) == [
        "settings.smtp.host"
    ]
    problem(
        as_zoya.post("/channels/", {"kind": "email", "slug": "a", "settings": {"address": "a@b.example", "x": 1}}), 400
    )
    assert not Channel.objects.exists()


def test_a_slug_is_taken_once(as_zoya: Api, support: Channel) -> None:
    problem(as_zoya.post("/channels/", {"kind": "email", "slug": "support", "settings": SETTINGS}), 409, "slug_taken")
    assert Channel.objects.get().addresses == ["support@example.org"]


def test_changes_keep_the_secrets_they_do_not_name(as_zoya: Api) -> None:
    as_zoya.post("/channels/", {"kind": "email", "slug": "help", "settings": SETTINGS})
    smtp = dict(SETTINGS["smtp"])
    del smtp["password"]
    body = as_zoya.patch("/channels/help/", {"settings": {"address": "desk@example.org", "smtp": smtp}, "paused": True})
    assert (body.json()["settings"]["address"], body.json()["paused"]) == ("desk@example.org", True)
    elsewhere = {**smtp, "host": "smtp.evil.example", "security": "none"}
    refused = as_zoya.patch("/channels/help/", {"settings": {"address": "desk@example.org", "smtp": elsewhere}})
    assert list(problem(refused, 400)["errors"]) == ["settings.smtp.password"]
    assert Channel.objects.get().settings["smtp"]["host"] == SETTINGS["smtp"]["host"]
    assert Channel.objects.get().secrets == {"smtp.password": "hunter2"}
    as_zoya.patch("/channels/help/", {"settings": {"address": "other@example.org"}})
    assert Channel.objects.get().secrets == {}
    assert Channel.objects.get().addresses == ["other@example.org"]
    problem(as_zoya.patch("/channels/help/", {"slug": "new"}), 400)


def test_others_see_channels_but_not_how_they_are_connected(as_sana: Api, as_bilal: Api, support: Channel) -> None:
    [row] = as_sana.get("/channels/").json()["results"]
    assert (row["slug"], row["settings"], row["webhook_url"]) == ("support", None, None)
    assert as_bilal.get("/channels/").json()["results"] == []
    problem(as_bilal.get("/channels/support/"), 404)
    problem(as_sana.patch("/channels/support/", {"paused": True}), 403)
    problem(as_sana.post("/channels/", {"kind": "email", "slug": "help", "settings": SETTINGS}), 403)


@pytest.fixture
def failed(support: Channel) -> Receipt:
    [stored] = receive.store(support, [RawReceipt(b"From: a@example.com\n\nx", "one")], claim=True)
    Receipt.objects.update(state="failed", reason="ValueError: no")
    return Receipt.objects.get(pk=stored.receipt_id)


def test_failed_receipts_are_listed_and_tried_again(as_sana: Api, as_bilal: Api, failed: Receipt) -> None:
    [row] = as_sana.get("/receipts/?state=failed").json()["results"]
    assert (row["id"], row["reason"], row["channel"]["slug"]) == (failed.pk, "ValueError: no", "support")
    assert as_sana.get("/receipts/?state=new,done&channel=support").json()["results"] == []
    assert as_bilal.get("/receipts/").json()["results"] == []
    problem(as_bilal.post(f"/receipts/{failed.pk}/retry/"), 404)
    response = as_sana.post(f"/receipts/{failed.pk}/retry/")
    assert (response.status_code, response.json()["state"]) == (202, "new")
    [event] = Event.objects.filter(kind="receipt_retried")
    assert (event.actor_kind, event.actor_id, event.data) == ("agent", as_sana.agent.pk, {"receipt": failed.pk})


def test_customers(as_sana: Api, as_bilal: Api, support: Channel, ticket: Ticket) -> None:
    question(support, "Another")
    as_sana.patch(f"/tickets/{ticket.number}/", {"status": "solved"})
    [row] = as_sana.get("/customers/?identity=Ayesha@Example.com").json()["results"]
    assert set(row) == set(CUSTOMER.split())
    assert (row["ticket_count"], row["open_ticket_count"]) == (2, 1)
    [identity] = row["identities"]
    assert identity == {"id": identity["id"], "kind": "email", "value": "ayesha@example.com", "verified": True}
    path = f"/customers/{row['id']}/"
    assert as_sana.get(path).json() == row
    assert as_sana.get("/customers/?identity=nobody@example.com").json()["results"] == []
    for response in (as_bilal.get(path), as_bilal.patch(path, {"name": "x"})):
        problem(response, 404)
    assert as_bilal.get("/customers/").json()["results"] == []


def test_customers_are_changed(as_sana: Api, as_lena: Api, support: Channel, ticket: Ticket) -> None:
    path = f"/customers/{ticket.customer_id}/"
    change = {
        "name": "Ayesha",
        "external_id": "c-1",
        "stage": "customer",
        "language": "ur",
        "time_zone": "Asia/Karachi",
        "tags": ["vip"],
        "opt_outs": ["email"],
        "attributes": {"plan": {"seats": 3}},
        "preferred_channel": "support",
    }
    body = as_sana.patch(path, change).json()
    assert {name: body[name] for name in change} == {
        **change,
        "preferred_channel": {"id": support.pk, "slug": "support", "kind": "email"},
    }
    assert as_sana.get("/customers/?external_id=c-1").json()["results"] == [body]
    other = Customer.objects.create(name="Other")
    problem(as_sana.patch(f"/customers/{other.pk}/", {"external_id": "c-1"}), 409, "taken")
    problem(as_lena.patch(path, {"name": "x"}), 403)
    for wrong in (
        {"time_zone": "Mars"},
        {"attributes": {"a": "\0"}},
        {"attributes": {"\ud800": 1}},
        {"id": 7},
        {"stage": 1},
    ):
        assert list(problem(as_sana.patch(path, wrong), 400)["errors"]) == list(wrong)
    assert Identity.objects.count() == 1
