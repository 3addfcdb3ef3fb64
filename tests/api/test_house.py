"""Health, metrics, the OpenAPI description and its page, and the commands."""

from __future__ import annotations

import ast
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families
from rest_framework.response import Response

from api import routing
from api.models import ApiToken, Webhook, WebhookDelivery, digest_of
from api.routing import register, urls
from api.schema import CODES
from api.views.base import View
from inbox import health
from inbox.actions import receive
from inbox.adapters import RawReceipt
from inbox.models import Agent, Channel, Message, Receipt, Ticket
from tests.api.conftest import Api

ERRORS = {"ActionError", "UnknownKind", "Conflict", "Unprocessable", "PreconditionFailed"}


def run(monkeypatch: pytest.MonkeyPatch, *args: str, typed: str = "") -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    out = io.StringIO()
    call_command(*args, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def test_alive_asks_nobody(client: Any) -> None:  # no `db`: a query would fail
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


def test_ready_names_what_is_away(db: None, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    checks = response.json()["checks"]
    assert checks == {
        "database": {"ok": True},
        "redis": {"ok": True},
        "workers": {"ok": False},
        "beat": {"ok": False},
        "mail": {"ok": False},
    }
    for process in ("worker", "beat", "mail"):
        health.beat(process)
    assert client.get("/readyz").status_code == 200
    monkeypatch.setattr("inbox.health.redis_answers", lambda: False)
    assert client.get("/readyz").json()["checks"]["redis"] == {"ok": False}
    monkeypatch.setattr("inbox.health.database_answers", lambda: False)
    assert not any(part["ok"] for part in client.get("/readyz").json()["checks"].values())


def test_metrics_tell_what_waits(client: Any, as_sana: Api, ticket: Ticket, support: Channel) -> None:
    as_sana.post(f"/tickets/{ticket.number}/messages/", {"kind": "reply", "text": "x"})
    Channel.objects.update(out_failing_since=timezone.now())
    health.beat("worker")
    hook = Webhook.objects.create(name="x", url="https://example.com/", events=["*"], failing_since=timezone.now())
    WebhookDelivery.objects.create(webhook=hook, kind="ping", message_id="msg_1")
    text = client.get("/metrics", headers={"Host": "localhost"}).content.decode()
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["rabta_database_up",] == 1
    assert found["rabta_messages", "queued"] == 1
    assert found["rabta_receipts", "new"] == 0
    assert (found["rabta_webhooks", "failing"], found["rabta_webhooks", "on"]) == (1, 0)
    assert found["rabta_webhook_deliveries", "queued"] == 1
    assert found["rabta_channel_failing", "email", "out", "support"] == 1
    assert found["rabta_channel_failing", "email", "in", "support"] == 0
    assert found["rabta_heartbeat_age_seconds", "worker"] < 5
    assert (found["rabta_process_up", "worker"], found["rabta_process_up", "beat"]) == (1, 0)
    assert any(name.startswith("django_http_requests") for name, *_ in found)


def test_metrics_tell_how_each_channel_is(client: Any, as_sana: Api, ticket: Ticket, support: Channel) -> None:
    for _one in range(2):
        as_sana.post(f"/tickets/{ticket.number}/messages/", {"kind": "reply", "text": "x"})
    early, now = timezone.now() - timedelta(minutes=5), timezone.now()
    Message.objects.filter(state="queued").update(next_attempt_at=early)
    receive.store(support, [RawReceipt(b"x", "r1")])
    Receipt.objects.filter(state="new").update(received_at=early)
    Channel.objects.filter(pk=support.pk).update(
        next_send_at=now + timedelta(minutes=9),
        condition={"tended_at": early.isoformat(), "told": False, "_told_again_at": early.isoformat()},
    )
    page = Channel.objects.create(
        kind="whatsapp", name="W", slug="w", condition={"expires_at": (now + timedelta(days=2)).isoformat()}
    )

    def read() -> dict[tuple[str, str], float]:
        text = client.get("/metrics", headers={"Host": "localhost"}).content.decode()
        samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
        return {
            (one.name.removeprefix("rabta_channel_"), one.labels["channel"]): one.value
            for one in samples
            if one.name.startswith("rabta_channel_") and "direction" not in one.labels
        }

    found = read()
    assert (found["ok", "support"], found["paused", "support"], found["warnings", "w"]) == (1, 0, 1)
    assert (found["receipts_waiting", "support"], found["messages_waiting", "support"]) == (1, 2)
    assert (
        found["receipts_waiting", "w"] == found["messages_waiting", "w"] == found["receipts_oldest_seconds", "w"] == 0
    )
    for name in ("receipts_oldest_seconds", "messages_oldest_seconds", "tended_age_seconds"):
        assert 300 <= found[name, "support"] < 400
    assert found["rate_limited_until_timestamp_seconds", "support"] == pytest.approx(now.timestamp() + 540, abs=1)
    assert found["rate_limited_until_timestamp_seconds", "w"] == 0
    assert found["login_expires_seconds", "w"] == pytest.approx(2 * 86400, abs=60)
    assert ("login_expires_seconds", "support") not in found and ("tended_age_seconds", "w") not in found
    assert found["subscribed", "support"] == 0
    assert found["subscribed_again_timestamp_seconds", "support"] == pytest.approx(early.timestamp())
    Channel.objects.filter(pk=page.pk).update(paused=True, in_failing_since=now)
    Channel.objects.filter(pk=support.pk).update(out_failing_since=now)
    found = read()
    assert (found["ok", "support"], found["ok", "w"], found["paused", "w"]) == (0, 0, 1)
    assert found["rate_limited_until_timestamp_seconds", "support"] == 0  # it is ill, and not merely asked to wait
    assert found["errors", "w"] == found["errors", "support"] == 0
    Channel.objects.filter(pk=page.pk).update(condition={"expires_at": "2026-99-99T00:00:00Z"})
    found = read()
    assert found["errors", "w"] == 2 and found["ok", "w"] == 0  # what it does not know hides nothing else
    assert not {name for name, channel in found if channel == "w"} & {"warnings", "login_expires_seconds"}
    assert (found["errors", "support"], found["warnings", "support"]) == (0, 0)


def test_metrics_are_for_this_machine_or_a_token(db: None, client: Any, settings: Any) -> None:
    def status(peer: str = "127.0.0.1", **headers: str) -> int:
        sent = {"Host": "localhost:8000", **{name.replace("_", "-"): value for name, value in headers.items()}}
        return int(client.get("/metrics", REMOTE_ADDR=peer, headers=sent).status_code)

    assert status() == status("::1") == status(Host="127.0.0.1:8000") == 200
    assert status("192.0.2.7") == status("192.0.2.7", Authorization="Bearer ") == 403
    assert status(X_Forwarded_For="127.0.0.1") == 403
    assert status(Host="testserver") == 403  # a proxy on this machine that adds no header
    settings.METRICS_TOKEN = "scrape"
    assert status("192.0.2.7", Authorization="Bearer scrape") == 200
    assert status("192.0.2.7", Authorization="Bearer other") == 403
    assert status() == 403  # this machine has to bear it too


def test_the_description_is_valid_and_whole() -> None:
    GENERATOR_STATS.reset()
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    validate_schema(schema)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS, list(GENERATOR_STATS._warn_cache) + list(GENERATOR_STATS._error_cache)
    assert schema["openapi"].startswith("3.1")
    operations = [one for path in schema["paths"].values() for name, one in path.items() if name != "parameters"]
    assert len(operations) > 25
    for one in operations:
        assert one["description"], one["operationId"]
        assert {"400", "401", "403", "429", "500", "503"} <= set(one["responses"]), one["operationId"]
        assert "default" not in one["responses"]  # which would document whatever comes
    assert all(tag["description"] for tag in schema["tags"])
    names = [one["operationId"] for one in operations]
    assert len(set(names)) == len(names)


def test_every_body_has_an_example_that_fits() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    seen = 0
    for path in schema["paths"].values():
        for operation in path.values():
            good = [body for status, body in operation["responses"].items() if status.startswith("2")]
            for body in [operation.get("requestBody", {}), *good]:
                for kind, content in body.get("content", {}).items():
                    if kind != "application/json" or content["schema"].get("format") == "binary":
                        continue
                    where = f"{operation['operationId']}: {content['schema']}"
                    assert "example" in content or "examples" in content, f"api/examples.py has none for {where}"
                    if "example" in content:
                        fitting = {**content["schema"], "components": schema["components"]}
                        errors = list(Draft202012Validator(fitting).iter_errors(content["example"]))
                        assert not errors, f"{where}: {errors}"
                        seen += 1
    assert seen > 80


def test_every_code_of_a_problem_is_explained() -> None:
    """Codes of actions that are raised anywhere in the tree stand at the head of the docs page."""
    raised = set()
    for file in [file for folder in ("inbox", "api") for file in Path(folder).rglob("*.py")]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS and len(node.args) == 2:
                code = node.args[1]
                assert isinstance(code, ast.Constant), f"{file}:{node.lineno}"
                raised.add(str(code.value))
    explained = set(CODES)
    screens = {  # cannot come here
        "already_sent", "no_customer", "unknown_kind", "not_fetched", "status", "priority", "agent_exists",
        "invited_already", "invitation_gone", "mail_not_sent", "switched_off", "too_many", "too_long",
        # Jobs, blocks, macros that are applied, side conversations, the trash and one's own pages have no resource.
        "address", "agent", "argument", "columns", "domain", "email", "endpoint", "everybodys", "inactive", "into",
        "late", "macro", "many", "no_mailbox", "no_picture", "no_sender", "none", "not_confirmed", "not_public",
        "not_trashed", "not_yours", "own_domain", "right", "search", "storage", "takes_part", "team", "verb", "whole",
    }  # fmt: skip
    assert len(raised) > 20
    assert raised - explained - screens == set()


def test_the_guide_names_every_address_and_filter() -> None:
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    guide = Path("docs/api.md").read_text()
    for path, operations in schema["paths"].items():
        *_before, last = [part for part in path.removeprefix("/api/v1").split("/") if part]
        named = last if not last.startswith("{") else path.removeprefix("/api/v1/").split("/")[0]
        assert f"/{named}/" in guide, f"docs/api.md does not name {path}"
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "query":
                    assert parameter["name"] in guide, f"docs/api.md: {path} {parameter['name']}"


def test_the_description_is_open(client: Any) -> None:
    assert client.get("/api/schema/").status_code == 200
    response = client.get("/api/schema/", headers={"Accept": "application/json"})
    assert response.json()["info"]["title"] == "Rabta"


def test_the_page_has_nothing_inline(client: Any) -> None:
    page = client.get("/api/docs/").content.decode()
    assert "<style" not in page
    assert "<script>" not in page
    assert "http://" not in page
    script = client.get("/api/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert b"/api/schema/" in script.content


def test_other_apps_add_their_own_routes() -> None:
    class Answers(View):
        def list(self, request: Any) -> Response:
            return Response([])

    register("surveys/questions", Answers)
    try:
        register("surveys/questions", Answers)
        with pytest.raises(ValueError, match="taken"):
            register("surveys/questions", View)
        assert any(str(one.pattern).startswith("surveys/questions/") for one in urls())
    finally:
        routing._routes.pop("surveys/questions")


def test_createagent(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ("createagent", "Sana@Example.org", "--role", "manager", "--password-stdin", "--name", "Sana K.")
    made = json.loads(run(monkeypatch, *command, typed="correct horse battery\n"))
    agent = Agent.objects.get()
    assert (agent.email, agent.role, agent.name) == ("sana@example.org", "manager", "Sana K.")
    assert made == {"id": agent.pk, "email": agent.email, "name": "Sana K.", "role": "manager", "created": True}
    assert agent.check_password("correct horse battery")
    told = json.loads(run(monkeypatch, "createagent", "sana@example.org", "--role", "admin"))
    agent.refresh_from_db()
    assert (told["created"], agent.role, agent.name) == (False, "admin", "Sana K.")
    assert agent.check_password("correct horse battery")
    for bad in (("createagent", "no address"), ("createagent", "b@example.org", "--password-stdin")):
        with pytest.raises(CommandError):
            run(monkeypatch, *bad, typed="short\n")
    assert Agent.objects.count() == 1


def test_createtoken(sana: Agent, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = run(monkeypatch, "createtoken", "sana@example.org", "--scope", "read")
    assert ApiToken.objects.get().digest == digest_of(secret)
    assert client.get("/api/v1/tickets/", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    for bad in (("createtoken", "nobody@example.org"), ("createtoken", "sana@example.org", "--scope", "admin")):
        with pytest.raises(CommandError):
            run(monkeypatch, *bad)


def test_createchannel(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(
        run(monkeypatch, "createchannel", "email", "help", "--settings", '{"address": "help@example.org"}')
    )
    channel = Channel.objects.get()
    assert (told["id"], told["slug"], told["addresses"]) == (channel.pk, "help", ["help@example.org"])
    assert told["webhook_url"].endswith(f"/hooks/email/{channel.token}/")
    assert told["settings"] == {"address": "help@example.org"}
    read = ("createchannel", "email", "more", "--settings", "-")
    assert json.loads(run(monkeypatch, *read, typed='{"address": "more@example.org"}'))["slug"] == "more"
    for kind, slug, settings, says in (
        ("email", "help", '{"address": "other@example.org"}', "help"),
        ("email", "new", '{"address": "nobody"}', "address"),
        ("email", "new", "[]", "object"),
        ("email", "new", "{", "JSON"),
        ("email", "new one", '{"address": "new@example.org"}', "slug"),
        ("pigeon", "new", "{}", "pigeon"),
    ):
        with pytest.raises(CommandError, match=says):
            run(monkeypatch, "createchannel", kind, slug, "--settings", settings)
    assert Channel.objects.count() == 2


def test_check_channels(support: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, "check_channels").startswith("support: ok")
    Channel.objects.update(in_failing_since=timezone.now(), in_error="Log-in refused")
    out = io.StringIO()
    with pytest.raises(CommandError) as failed:
        call_command("check_channels", stdout=out)
    assert failed.value.returncode == 1
    assert "support: FAILING\n  receiving: Log-in refused" in out.getvalue()
