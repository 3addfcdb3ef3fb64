"""Tokens, scopes, and the shape of errors wherever they come from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.urls import URLPattern, reverse
from django.utils import timezone

from api.models import ApiToken, Webhook, WebhookDelivery, digest_of
from api.routing import urls
from inbox.actions import cards, links, receive
from inbox.adapters import RawReceipt
from inbox.files import StoreAway
from inbox.models import Agent, Channel, Field, LinkKind, Macro, Organisation, SavedView, SideConversation, Tag, Ticket
from tests.api.conftest import Api, problem
from tests.cast import question
from tests.channels_chat.cast import chat_channel, waiting


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Bearer nonsense", "Bearer ünï", "Token x", "Basic eDp5"]
)
def test_without_a_good_token_nobody_gets_in(db: None, client: Any, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    response = client.get("/api/v1/tickets/", headers=headers)
    problem(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_revoked_tokens_and_former_agents_stay_out(as_sana: Api, as_zoya: Api, sana: Agent) -> None:
    assert as_sana.delete(f"/tokens/{as_sana.token.pk}/").status_code == 204
    problem(as_sana.get("/tickets/"), 401)
    again = Api(sana)
    sana.is_active = False
    sana.save()
    problem(again.get("/tickets/"), 401)


def test_scopes(sana: Agent, zoya: Agent, ticket: Ticket) -> None:
    reader = Api(sana, "read")
    assert reader.get("/tickets/").status_code == 200
    problem(reader.patch(f"/tickets/{ticket.number}/", {"status": "solved"}), 403)
    problem(reader.post(f"/tickets/{ticket.number}/messages/", {"kind": "note", "text": "x"}), 403)
    problem(Api(zoya, "write").post("/channels/", {}), 403)
    problem(Api(zoya, "admin").post("/channels/", {}), 400)
    stale = Api(zoya, "admin")
    zoya.role = "agent"
    zoya.save()
    problem(stale.post("/channels/", {}), 403)


def test_a_token_is_told_once_and_kept_as_a_digest(as_sana: Api, sana: Agent) -> None:
    response = as_sana.post("/tokens/", {"name": "import", "scope": "read"})
    body = response.json()
    assert response.status_code == 201, body
    secret = body.pop("token")
    kept = ApiToken.objects.get(pk=body["id"])
    assert kept.digest == digest_of(secret)
    assert secret.startswith(kept.prefix)
    assert secret not in str(ApiToken.objects.filter(pk=kept.pk).values())
    assert as_sana.get(f"/tokens/{kept.pk}/").json() == body
    reader = Api(None)
    reader.headers["Authorization"] = f"Bearer {secret}"
    assert reader.get("/tickets/").status_code == 200
    problem(reader.post("/tokens/", {"scope": "read"}), 403)
    problem(as_sana.post("/tokens/", {"scope": "admin"}), 400)
    problem(as_sana.post("/tokens/", {"scope": "all"}), 400)


def test_tokens_of_others_are_for_admins(as_sana: Api, as_bilal: Api, as_zoya: Api) -> None:
    def ids(api: Api) -> list[int]:
        return [row["id"] for row in api.get("/tokens/").json()["results"]]

    assert ids(as_bilal) == [as_bilal.token.pk]
    assert set(ids(as_zoya)) == {as_sana.token.pk, as_bilal.token.pk, as_zoya.token.pk}
    problem(as_bilal.delete(f"/tokens/{as_sana.token.pk}/"), 404)
    problem(as_bilal.get(f"/tokens/{as_sana.token.pk}/"), 404)
    assert as_zoya.delete(f"/tokens/{as_sana.token.pk}/").status_code == 204
    problem(as_sana.get("/tickets/"), 401)


def test_use_is_noted_at_most_once_a_minute(as_sana: Api) -> None:
    def used() -> Any:
        return ApiToken.objects.get(pk=as_sana.token.pk).last_used_at

    as_sana.get("/tickets/")
    first = used()
    assert first is not None
    as_sana.get("/tickets/")
    assert used() == first
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    as_sana.get("/tickets/")
    assert used() > first


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/nothing/", "/api/v2/tickets/", "/api/v1/tickets/abc/"])
def test_what_is_not_there_is_a_problem_too(db: None, client: Any, path: str) -> None:
    problem(client.get(path), 404)
    problem(client.post(path, {}, content_type="application/json"), 404)


def test_errors_of_every_origin_are_problems(as_sana: Api, support: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    problem(as_sana.call("PUT", "/tickets/1/", {}), 405)
    problem(as_sana.call("OPTIONS", "/tickets/"), 405)
    problem(
        as_sana.client.post("/api/v1/tickets/", b"{", content_type="application/json", headers=as_sana.headers), 400
    )
    problem(
        as_sana.client.post("/api/v1/tickets/", b"\xff", content_type="application/json", headers=as_sana.headers), 400
    )
    problem(as_sana.client.post("/api/v1/tickets/", b"<x/>", content_type="text/xml", headers=as_sana.headers), 415)
    problem(as_sana.post("/tickets/", [1]), 400)
    assert list(problem(as_sana.post("/tickets/?dry_run=1", {}), 400)["errors"]) == ["dry_run"]

    def away(*args: Any) -> None:
        raise OperationalError("couldn't get a connection after 5.00 sec")

    monkeypatch.setattr("inbox.access.tickets", away)
    response = as_sana.get("/tickets/")
    problem(response, 503, "store_unavailable")
    assert response["Retry-After"] == "5"

    def unstored(*args: Any) -> None:
        raise StoreAway("no space left")

    monkeypatch.setattr("inbox.access.tickets", unstored)
    problem(as_sana.get("/tickets/"), 503, "store_unavailable")

    def broken(*args: Any) -> None:
        raise KeyError("secret detail")

    monkeypatch.setattr("inbox.access.tickets", broken)
    as_sana.client.raise_request_exception = False
    assert "secret detail" not in problem(as_sana.get("/tickets/"), 500, "internal")["detail"]


def test_large_requests_are_refused_unread(as_sana: Api, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    problem(as_sana.upload("a.txt", b"x" * 2000), 413, "too_large")
    problem(as_sana.post("/tickets/", {"text": "x" * 2000}), 413, "too_large")


def test_times_are_utc_wherever_we_are(as_sana: Api, ticket: Ticket, settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Karachi"
    body = as_sana.patch(f"/tickets/{ticket.number}/", {"snoozed_until": "2036-01-01T10:00:00"}).json()
    assert body["snoozed_until"] == "2036-01-01T10:00:00Z"
    assert body["created_at"].endswith("Z")


def test_a_forgotten_slash_is_pointed_out(db: None, client: Any) -> None:
    assert "slash" in problem(client.post("/api/v1/tickets", {}, content_type="application/json"), 404)["detail"]


def test_people_read_problems_in_their_language(db: None, client: Any) -> None:
    body = problem(client.get("/api/v1/tickets/", headers={"Accept-Language": "en"}), 401)
    assert "Authorization: Bearer" in body["detail"]


def test_light_agents_change_nothing_at_any_address(
    as_lena: Api, support: Channel, ticket: Ticket, zoya: Agent
) -> None:
    """Every route there is, so that a new one cannot forget: all but notes, their files and one's own tokens is 403."""
    [receipt] = receive.store(support, [RawReceipt(b"From: a@example.com\n\nx", "one")])
    message = ticket.messages.get()
    hook = Webhook.objects.create(name="x", url="https://example.com/", events=["*"])
    sent = WebhookDelivery.objects.create(webhook=hook, kind="ping", message_id="msg_1")
    side = SideConversation.objects.create(ticket=ticket, channel=support, subject="Stock", created_by=zoya)
    linked = links.link(ticket, question(support, "Again"), LinkKind.FOLLOW_UP, by=zoya)
    objects: dict[str, dict[str, Any]] = {
        "api-webhooks": {"pk": hook.pk, "delivery": sent.pk},
        "api-tickets": {"number": ticket.pk, "link": linked.pk},
        "api-sides": {"pk": side.pk},
        "api-messages": {"pk": message.pk},
        "api-comments": {"pk": message.pk},
        "api-customers": {"pk": ticket.customer_id},
        "api-channels": {"pk": support.pk},
        "api-receipts": {"pk": receipt.receipt_id},
    }
    customer = ticket.customer
    identity = customer.identities.get()
    cards.put(customer, "crm", by=zoya, title="Contract")
    objects |= {
        "api-customers": {"pk": customer.pk, "identity": identity.pk, "key": "crm"},
        "api-organisations": {"pk": Organisation.objects.create(name="Khan Ltd").pk},
        "api-agents": {"pk": zoya.pk},
        "api-teams": {"pk": support.default_team_id},
        "api-tags": {"pk": Tag.objects.create(name="parcel").pk},
        "api-macros": {"pk": Macro.objects.create(name="Hello").pk},
        "api-views": {"pk": SavedView.objects.create(name="Mine").pk},
        "api-surveys-answers": {},
        "api-reports-kpis": {},
        "api-revenue": {},
        "api-chats": {"pk": waiting(chat_channel(team=support.default_team)).pk},
        "api-fields": {"pk": Field.objects.create(key="order", label="Order").pk},
    }
    theirs = {"api-attachments", "api-tokens"}
    walked = []
    for pattern in urls():
        assert isinstance(pattern, URLPattern) and pattern.name is not None
        family = max((name for name in {*objects, *theirs} if pattern.name.startswith(name)), key=len, default=None)
        assert family, f"say in this test what a light agent may do at {pattern.pattern}"
        wanted = pattern.pattern.converters
        if family in theirs or set(wanted) == {"key"}:  # cards by ?external_id: test_customers.py
            continue
        path = reverse(pattern.name, kwargs={name: objects[family][name] for name in wanted}).removeprefix("/api/v1")
        if "get" in pattern.callback.actions and not path.endswith(("/raw/", "/export/")):  # type: ignore[attr-defined]
            not_hers = "webhooks" in path or path == "/reports/kpis/"  # who answers nobody has no figures
            assert as_lena.get(path).status_code == (403 if not_hers else 200), path  # it is hers to see
        for method in pattern.callback.actions:  # type: ignore[attr-defined]
            if method in {"get", "head"}:
                continue
            body = {"kind": "reply", "text": "Hi."} if path.endswith("/messages/") else {}
            problem(as_lena.call(method.upper(), path, body), 403)
            walked.append((method, path))
    assert len(walked) > 7, walked
