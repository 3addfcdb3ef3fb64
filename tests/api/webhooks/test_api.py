"""/webhooks/ of the API: who may, what is taken, what is never answered; and tokens, which are in the log now."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator

from api.actions import webhooks
from api.models import Webhook, WebhookDelivery
from api.webhooks import delivery, events
from inbox.actions import tickets
from inbox.models import Agent, Event, Team, Ticket
from tests.api.conftest import Api, problem
from tests.api.webhooks.conftest import Hook, deliver
from tests.servers.receiver import Receiver

GIVEN = {"name": "Shop", "url": "https://shop.example.com/hooks?a=1", "events": ["ticket.solved"]}


def logged() -> list[tuple[str, dict[str, Any]]]:
    return list(Event.objects.filter(ticket=None).order_by("pk").values_list("kind", "data"))


def test_a_webhook_from_making_to_deleting(as_zoya: Api, team: Team, ticket: Ticket) -> None:
    made = as_zoya.post("/webhooks/", {**GIVEN, "channels": ["support"], "teams": ["support"], "description": "d"})
    assert made.status_code == 201
    body = made.json()
    secret = body.pop("secret")
    assert secret.startswith("whsec_")
    assert made["Location"].endswith(f"/api/v1/webhooks/{body['id']}/")
    assert body["channels"][0]["slug"] == body["teams"][0]["slug"] == "support"
    assert (body["active"], body["owner"]["name"], body["events"]) == (True, "Zoya", ["ticket.solved"])
    path = f"/webhooks/{body['id']}/"
    assert as_zoya.get(path).json() == body
    assert as_zoya.get("/webhooks/").json()["results"] == [body]
    changed = as_zoya.patch(path, {"events": ["*"], "active": False, "channels": []}).json()
    assert (changed["events"], changed["active"], changed["channels"]) == (["*"], False, [])
    assert changed["health"]["disabled_reason"] == ""
    problem(as_zoya.post(f"{path}test/"), 409, "webhook_off")
    as_zoya.patch(path, {"active": True})
    rotated = as_zoya.post(f"{path}rotate/").json()
    assert rotated["secret"] != secret
    assert rotated["old_secret_until"]
    assert as_zoya.delete(path).status_code == 204
    problem(as_zoya.get(path), 404)
    pk = body["id"]
    assert logged() == [
        ("webhook_created", {"webhook": pk}),
        ("webhook_changed", {"webhook": pk, "fields": ["events", "channels"]}),
        ("webhook_disabled", {"webhook": pk}),
        ("webhook_enabled", {"webhook": pk}),
        ("webhook_rotated", {"webhook": pk}),
        ("webhook_deleted", {"webhook": pk}),
    ]


def test_secrets_are_told_nowhere_else(as_zoya: Api) -> None:
    made = as_zoya.post("/webhooks/", GIVEN).json()
    path = f"/webhooks/{made['id']}/"
    for answer in (as_zoya.get(path), as_zoya.get("/webhooks/"), as_zoya.patch(path, {"name": "y"})):
        assert made["secret"] not in answer.content.decode()
    assert made["secret"] not in str(list(Webhook.objects.values())) + str(logged())


@pytest.mark.parametrize("who", ["sana", "bilal", "lena", "manager"])
def test_webhooks_are_for_admins(who: str, hook: Hook, request: Any, zoya: Agent) -> None:
    agent = (
        Agent.objects.create_user("m@example.org", name="M", role="manager")
        if who == "manager"
        else request.getfixturevalue(who)
    )
    made = hook("/ok")
    row = webhooks.test(made, by=zoya)
    api = Api(agent, "write")
    for method, path in (
        ("GET", "/webhooks/"), ("POST", "/webhooks/"), ("GET", f"/webhooks/{made.pk}/"),
        ("PATCH", f"/webhooks/{made.pk}/"), ("DELETE", f"/webhooks/{made.pk}/"),
        ("POST", f"/webhooks/{made.pk}/rotate/"), ("POST", f"/webhooks/{made.pk}/test/"),
        ("GET", f"/webhooks/{made.pk}/deliveries/"),
        ("POST", f"/webhooks/{made.pk}/deliveries/{row.pk}/redeliver/"),
    ):  # fmt: skip
        problem(api.call(method, path, {}), 403)
    problem(Api(zoya, "write").get("/webhooks/"), 403)  # the scope counts, too
    assert Webhook.objects.count() == 1


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://shop.example.com/", "https"),
        ("ftp://shop.example.com/", "https"),
        ("javascript:alert(1)", "no address"),
        ("//shop.example.com/", "https"),
        ("shop.example.com", "no address"),
        ("https://", "no address"),
        ("https://shop.example.com:99999/", "no address"),
        ("https://[::1", "no address"),
        ("https://u:p@shop.example.com/", "password"),
        ("https://shop.example.com/\r\nX: y", "no address"),
        ("https://shop.example.com/a b", "no address"),
        ("https://ش.example.com/", "no address"),
        ("https://localhost/", "private"),
        ("https://localhost./", "private"),
        ("https://127.0.0.1/", "private"),
        ("https://10.1.2.3/", "private"),
        ("https://169.254.169.254/latest/", "private"),
        ("https://[::1]/", "private"),
        ("https://[::ffff:10.0.0.1]/", "private"),
        ("https://[fe80::1%25eth0]/", "private"),
        ("https://0.0.0.0/", "private"),
        ("https://example.com/" + "x" * 2000, "2000"),
    ],
)
def test_addresses_that_are_refused(as_zoya: Api, settings: Any, url: str, says: str) -> None:
    settings.ALLOW_PRIVATE_NETWORKS = False
    told = problem(as_zoya.post("/webhooks/", {**GIVEN, "url": url}), 400, "invalid")
    assert says in told["errors"]["url"][0]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"events": []}, "events"),
        ({"events": ["ticket.exploded"]}, "events.0"),
        ({"events": "*"}, "events"),
        ({"events": [1]}, "events.0"),
        ({"channels": ["nowhere"]}, "channels.0"),
        ({"teams": ["nowhere"]}, "teams.0"),
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"secret": "whsec_AAAA"}, "secret"),
        ({"owner": 1}, "owner"),
        ({"active": "perhaps"}, "active"),
    ],
)
def test_input_that_is_refused(as_zoya: Api, change: dict[str, Any], field: str) -> None:
    told = problem(as_zoya.post("/webhooks/", {**GIVEN, **change}), 400, "invalid")
    assert any(name.startswith(field) for name in told["errors"]), told["errors"]
    assert not Webhook.objects.exists()


def test_a_patch_changes_what_it_names_alone(as_zoya: Api) -> None:
    made = as_zoya.post("/webhooks/", {**GIVEN, "description": "kept", "active": False}).json()
    changed = as_zoya.patch(f"/webhooks/{made['id']}/", {"name": "New"}).json()
    assert (changed["name"], changed["description"], changed["active"], changed["events"]) == (
        "New", "kept", False, ["ticket.solved"],
    )  # fmt: skip


def test_whoever_changes_the_address_becomes_the_owner(as_zoya: Api, hook: Hook, ticket: Ticket, zoya: Agent) -> None:
    """Or an administrator could have what only Zoya sees sent to a place of their own."""
    made = hook("/ok", "ticket.updated")
    root = Agent.objects.create_user("root@example.org", name="Root", role="admin")
    as_root = Api(root, "admin")
    path = f"/webhooks/{made.pk}/"
    assert as_root.patch(path, {"name": "Other name"}).json()["owner"]["id"] == zoya.pk
    tickets.set_priority(ticket, "high", by=zoya)
    (row,) = [one for one in deliver() if one.kind == "ticket.updated"]
    assert "Ayesha" in row.payload
    assert as_root.patch(path, {"url": "https://elsewhere.example.com/"}).json()["owner"]["id"] == root.pk
    as_root.post(f"{path}deliveries/{row.pk}/redeliver/")
    delivery.run()
    row.refresh_from_db()
    assert row.state == "failed"
    assert "does not see" in row.error


def test_deliveries_and_redelivery(as_zoya: Api, hook: Hook, receiver: Receiver, ticket: Ticket, zoya: Agent) -> None:
    made, other = hook("/ok"), hook("/ok")
    path = f"/webhooks/{made.pk}/"
    assert as_zoya.post(f"{path}test/").json()["state"] == "queued"
    tickets.set_priority(ticket, "high", by=zoya)
    deliver()
    first = as_zoya.get(f"{path}deliveries/?page_size=1").json()
    assert (first["results"][0]["type"], first["results"][0]["status"]) == ("ticket.updated", 200)
    assert first["next"]
    (ping,) = as_zoya.get(f"{path}deliveries/?type=ping&state=delivered,failed").json()["results"]
    assert (ping["event"], ping["attempts"], ping["response"]) == (None, 1, "thanks")
    again = as_zoya.post(f"{path}deliveries/{ping['id']}/redeliver/")
    assert (again.status_code, again.json()["state"], again.json()["attempts"]) == (202, "queued", 0)
    delivery.run()
    same = [came for came in receiver.came if came.headers["webhook-id"] == ping["message_id"]]
    assert len(same) == 2
    assert same[0].body == same[1].body
    problem(as_zoya.post(f"/webhooks/{other.pk}/deliveries/{ping['id']}/redeliver/"), 404)
    problem(as_zoya.get(f"{path}deliveries/?state=lost"), 400)
    as_zoya.patch(path, {"active": False})
    problem(as_zoya.post(f"{path}deliveries/{ping['id']}/redeliver/"), 409, "webhook_off")


def test_queries_of_lists_do_not_grow(as_zoya: Api, hook: Hook, zoya: Agent) -> None:
    as_zoya.get("/webhooks/")  # which notes the use of the token, once a minute
    counts = []
    for amount in (1, 6):
        for _number in range(amount):
            webhooks.test(hook("/ok"), by=zoya)
        with CaptureQueriesContext(connection) as queries:
            assert as_zoya.get("/webhooks/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


def test_the_description_has_every_event() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    assert set(schema["webhooks"]) == {"ping", *events.KINDS}
    body = schema["webhooks"]["ticket.solved"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["data"]["properties"]["ticket"] == {"$ref": "#/components/schemas/Ticket"}
    assert "Ticket" in schema["components"]["schemas"]


def test_tokens_are_in_the_log(as_sana: Api, sana: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    made = as_sana.post("/tokens/", {"name": "import", "scope": "read"}).json()
    for _twice in range(2):
        as_sana.delete(f"/tokens/{made['id']}/")
    assert logged() == [
        ("token_created", {"token": made["id"], "agent": sana.pk, "scope": "read"}),
        ("token_revoked", {"token": made["id"], "agent": sana.pk}),
    ]
    assert {actor for (actor,) in Event.objects.filter(ticket=None).values_list("actor_id")} == {sana.pk}


def test_a_webhook_deleted_meanwhile_is_said(hook: Hook, zoya: Agent) -> None:
    from inbox.actions.errors import ActionError

    made = hook("/ok")
    Webhook.objects.all().delete()
    with pytest.raises(ActionError):
        webhooks.rotate(made, by=zoya)
    webhooks.delete(made, by=zoya)
    assert not WebhookDelivery.objects.exists()
