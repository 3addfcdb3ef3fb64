"""/settings/webhooks/ and /settings/tokens/, as each of the cast finds them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from api.actions import tokens, webhooks
from api.models import ApiToken, Webhook, WebhookDelivery, digest_of
from api.webhooks import delivery
from inbox.actions import teams, tickets
from inbox.models import Agent, Event, Team, Ticket
from lib import signing
from tests.api.webhooks.conftest import Hook, deliver
from tests.servers.receiver import Receiver

GIVEN = {
    "name": "Shop", "url": "https://shop.example.com/h", "which": "some", "events": ["ticket.solved"], "active": "on",
}  # fmt: skip


def browser(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent)
    return client


def page(client: Client, path: str, status: int = 200) -> str:
    response = client.get(path)
    assert response.status_code == status, response.content[:500]
    return response.content.decode()


@pytest.mark.parametrize("who", ["sana", "bilal", "lena", "manager"])
def test_webhooks_are_for_admins(who: str, hook: Hook, request: Any, zoya: Agent) -> None:
    agent = (
        Agent.objects.create_user("m@example.org", name="M", role="manager")
        if who == "manager"
        else request.getfixturevalue(who)
    )
    made = hook("/ok")
    row = webhooks.test(made, by=zoya)
    client = browser(agent)
    for name, pk in (
        ("settings-webhooks", None), ("settings-webhook-new", None), ("settings-webhook", made.pk),
        ("settings-webhook-edit", made.pk), ("settings-webhook-now", made.pk), ("settings-delivery", row.pk),
    ):  # fmt: skip
        page(client, reverse(name, args=[pk] if pk else []), 403)
    for name, pk in (
        ("settings-webhook-switch", made.pk), ("settings-webhook-rotate", made.pk), ("settings-webhook-test", made.pk),
        ("settings-webhook-delete", made.pk), ("settings-redeliver", row.pk), ("settings-webhook-edit", made.pk),
    ):  # fmt: skip
        assert client.post(reverse(name, args=[pk]), GIVEN).status_code == 403
    assert client.post(reverse("settings-webhook-new"), GIVEN).status_code == 403
    assert Webhook.objects.count() == 1
    assert reverse("settings-webhooks") not in page(client, "/settings/")
    assert reverse("settings-tokens") in page(client, "/settings/")
    assert Client().get(reverse("settings-webhooks")).status_code == 302  # to log in


def test_a_secret_is_shown_once(zoya: Agent, db: None) -> None:
    client = browser(zoya)
    assert "No webhook yet" in page(client, "/settings/webhooks/")
    made = client.post("/settings/webhooks/new/", GIVEN)
    hook = Webhook.objects.get()
    assert made["Location"] == f"/settings/webhooks/{hook.pk}/"
    secret = hook.secrets_at(timezone.now())[0]
    assert secret not in str(dict(client.session))
    assert signing.unseal(client.session["shown_once"])[1] == secret
    assert "The secret" not in page(client, f"/settings/webhooks/{hook.pk + 1}/", 404)
    assert secret in page(client, f"/settings/webhooks/{hook.pk}/")
    assert secret not in page(client, f"/settings/webhooks/{hook.pk}/")
    client.post(f"/settings/webhooks/{hook.pk}/rotate/")
    hook.refresh_from_db()
    new = hook.secrets_at(timezone.now())[0]
    shown = page(client, f"/settings/webhooks/{hook.pk}/")
    assert new in shown
    assert secret not in shown
    assert "signs as well until" in page(client, f"/settings/webhooks/{hook.pk}/")


def test_the_form(zoya: Agent, settings: Any, team: Any, support: Any) -> None:
    client = browser(zoya)
    settings.ALLOW_PRIVATE_NETWORKS = False
    for change, says in (
        ({"name": ""}, "required"),
        ({"url": "http://shop.example.com"}, "begin with https"),
        ({"url": "https://10.0.0.1/"}, "private network"),
        ({"events": []}, "Tick at least one"),
        ({"events": ["nonsense"]}, "nonsense"),
        ({"which": "some more"}, "some more"),
        ({"channels": ["99999"]}, "99999"),
    ):
        answer = client.post("/settings/webhooks/new/", {**GIVEN, **change})
        assert answer.status_code == 400
        assert says in answer.content.decode(), change
    assert not Webhook.objects.exists()
    client.post(
        "/settings/webhooks/new/", {**GIVEN, "which": "all", "events": [], "channels": [support.pk], "teams": [team.pk]}
    )
    hook = Webhook.objects.get()
    assert (hook.events, list(hook.channels.all()), list(hook.teams.all())) == (["*"], [support], [team])
    form = page(client, f"/settings/webhooks/{hook.pk}/edit/")
    assert re.search(r'name="which" value="all"[^>]* checked', form)
    assert re.search(rf'name="channels" value="{support.pk}"[^>]* checked', form)
    client.post(f"/settings/webhooks/{hook.pk}/edit/", {**GIVEN, "events": ["note.added", "ticket.created"]})
    hook.refresh_from_db()
    assert set(hook.events) == {"ticket.created", "note.added"}
    assert not hook.channels.exists()


def test_what_the_editor_does_not_see_stays_and_is_shown(hook: Hook, team: Any, zoya: Agent) -> None:
    made = hook("/ok", teams=[team])
    root = Agent.objects.create_user("root@example.org", name="Root", role="admin")
    form = page(browser(root), f"/settings/webhooks/{made.pk}/edit/")
    assert re.search(rf'name="teams" value="{team.pk}"[^>]* checked', form)
    assert "acts for Zoya" in form


def test_a_filter_of_which_nothing_is_left_is_said(hook: Hook, zoya: Agent, db: None) -> None:
    press = Team.objects.create(name="Press", slug="press")
    made, client = hook("/ok", teams=[press]), browser(zoya)
    place = f"/settings/webhooks/{made.pk}/"
    assert "is gone" not in page(client, f"{place}edit/")
    teams.delete(press, by=zoya)
    webhooks.stop_unfit()
    shown = page(client, place)
    assert "It was limited to channels or teams that are gone" in shown
    assert "none of them is left" in shown
    assert "What this webhook was limited to is gone" in page(client, f"{place}edit/")
    client.post(f"{place}switch/", {"on": "1"})
    assert "Choose others first" in page(client, place)
    made.refresh_from_db()
    assert not made.active
    client.post(f"{place}edit/", GIVEN)
    made.refresh_from_db()
    assert (made.active, made.by_team) == (True, False)


def test_log_test_and_redelivery(
    hook: Hook, receiver: Receiver, ticket: Ticket, zoya: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = hook("/status/500")
    client = browser(zoya)
    where = f"/settings/webhooks/{made.pk}/"
    assert client.post(f"{where}test/")["Location"] == where
    assert "hx-trigger" in page(client, where).split('id="hook-now"')[1][:300]
    tickets.set_priority(ticket, "high", by=zoya)
    deliver()
    shown = page(client, where)
    assert "2 failures in a row" in shown
    assert "It answered 500." in shown
    row = WebhookDelivery.objects.get(kind="ticket.updated")
    detail = page(client, f"/settings/webhooks/deliveries/{row.pk}/")
    for part in (row.message_id, "webhook-signature", "Ayesha", "It answered 500.", "xxxx"):
        assert part in detail
    Webhook.objects.update(url=receiver.url("/ok"))
    assert client.post(f"/settings/webhooks/deliveries/{row.pk}/redeliver/").status_code == 302
    delivery.run()
    row.refresh_from_db()
    assert row.state == "delivered"
    part = page(client, f"{where}now/?state=delivered")
    assert f"/deliveries/{row.pk}/" in part
    assert "ping" not in part.split("<tbody>")[1]
    assert "<html" not in part
    assert "None of these" in page(client, f"{where}?state=failed&before=zz")


def failed_one(hook: Webhook) -> WebhookDelivery:
    """One that was tried and failed."""
    return WebhookDelivery.objects.create(
        webhook=hook, kind="ping", message_id="msg_failed", state="failed", attempts=10
    )


def test_switching_and_deleting(hook: Hook, zoya: Agent) -> None:
    made = hook("/ok")
    client = browser(zoya)
    where = f"/settings/webhooks/{made.pk}/"
    client.post(f"{where}switch/", {"on": "0"})
    assert "This webhook is off" in page(client, where)
    sent = failed_one(made)
    assert "Redeliver" not in page(client, where)
    assert client.post(f"/settings/webhooks/deliveries/{sent.pk}/redeliver/").status_code == 302
    assert "Turn it on first" in page(client, where)
    client.post(f"{where}test/")
    assert "Turn it on first" in page(client, where)
    client.post(f"{where}switch/", {"on": "1"})
    assert "This webhook is off" not in page(client, where)
    Webhook.objects.update(active=False, disabled_reason="gone", last_error="It answered 410 Gone.")
    assert "was stopped" in page(client, where)
    assert "Stopped" in page(client, "/settings/webhooks/")
    client.post(f"{where}delete/")
    page(client, where, 404)
    kinds = [kind for (kind,) in Event.objects.filter(ticket=None).order_by("pk").values_list("kind")]
    assert kinds == ["webhook_created", "webhook_disabled", "webhook_enabled", "webhook_deleted"]


def test_what_a_webhook_of_somebody_else_told_is_not_shown(hook: Hook, ticket: Ticket, zoya: Agent) -> None:
    hook("/ok", "ticket.updated")
    tickets.set_priority(ticket, "high", by=zoya)
    (row,) = deliver()
    root = Agent.objects.create_user("root@example.org", name="Root", role="admin")
    path = f"/settings/webhooks/deliveries/{row.pk}/"
    assert "Ayesha" in page(browser(zoya), path)
    shown = page(browser(root), path)
    assert "Ayesha" not in shown
    assert "you do not see" in shown


@pytest.mark.parametrize("place", ["list", "page", "delivery"])
def test_queries_do_not_grow(hook: Hook, zoya: Agent, place: str) -> None:
    client = browser(zoya)
    counts = []
    for amount in (1, 8):
        for _number in range(amount):
            made = hook("/ok")
            for _each in range(amount):
                row = webhooks.test(made, by=zoya)
        path = {
            "list": "/settings/webhooks/",
            "page": f"/settings/webhooks/{made.pk}/",
            "delivery": f"/settings/webhooks/deliveries/{row.pk}/",
        }[place]
        with CaptureQueriesContext(connection) as queries:
            page(client, path)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 8


def test_pages_of_the_log(hook: Hook, zoya: Agent) -> None:
    made = hook("/ok")
    rows = [webhooks.test(made, by=zoya) for _number in range(70)]
    client = browser(zoya)
    seen: list[int] = []
    path: str | None = f"/settings/webhooks/{made.pk}/?state=queued"
    while path:
        shown = page(client, path)
        seen += [int(pk) for pk in re.findall(r'href="/settings/webhooks/deliveries/(\d+)/"', shown)]
        older = re.search(r'href="([^"]*before=\d+)', shown)
        path = older[1].replace("&amp;", "&") if older else None
    assert seen == [row.pk for row in reversed(rows)]


def test_hostile_words_are_only_words(hook: Hook, zoya: Agent) -> None:
    made = hook("/ok", name="<script>alert(1)</script>", description="{{ x }}\u202e<b>")
    row = webhooks.test(made, by=zoya)
    WebhookDelivery.objects.filter(pk=row.pk).update(
        response="</pre><script>alert(2)</script>", error="<img src=x>", state="failed", payload='{"a":"</pre><b>"}'
    )
    client = browser(zoya)
    for path in (
        "/settings/webhooks/",
        f"/settings/webhooks/{made.pk}/",
        f"/settings/webhooks/deliveries/{row.pk}/",
        f"/settings/webhooks/{made.pk}/edit/",
    ):
        shown = page(client, path)
        assert "<script>alert" not in shown
        assert "<img src=x>" not in shown
        assert "</pre><b>" not in shown


def test_ones_own_tokens(sana: Agent, lena: Agent, zoya: Agent) -> None:
    client = browser(sana)
    assert "Administer" not in page(client, "/settings/tokens/")
    assert client.post("/settings/tokens/", {"name": "Import", "scope": "admin"}).status_code == 400
    assert client.post("/settings/tokens/", {"name": "", "scope": "read"}).status_code == 400
    assert client.post("/settings/tokens/", {"name": "Import", "scope": "write"}).status_code == 302
    shown = page(client, "/settings/tokens/")
    token = ApiToken.objects.get()
    (secret,) = set(re.findall(r"rabta_[\w-]{40,}", shown))
    assert token.digest == digest_of(secret)
    assert f"curl -H &quot;Authorization: Bearer {secret}" in shown or f'Bearer {secret}"' in shown
    assert secret not in page(client, "/settings/tokens/")
    assert token.prefix in page(client, "/settings/tokens/")
    api = Client()
    assert api.get("/api/v1/tickets/", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    assert browser(lena).post(f"/settings/tokens/{token.pk}/revoke/").status_code == 404
    assert client.post(f"/settings/tokens/{token.pk}/revoke/").status_code == 302
    assert api.get("/api/v1/tickets/", headers={"Authorization": f"Bearer {secret}"}).status_code == 401
    assert "Import" not in page(client, "/settings/tokens/").split("New token")[0].split("Your tokens")[1]
    assert [kind for (kind,) in Event.objects.order_by("pk").values_list("kind")] == ["token_created", "token_revoked"]


def test_tokens_of_others_are_for_whoever_looks_after_webhooks(
    sana: Agent, bilal: Agent, lena: Agent, zoya: Agent
) -> None:
    manager = Agent.objects.create_user("m@example.org", name="M", role="manager")
    token, _secret = tokens.create(sana, scope="read", name="Sana's own", by=sana)
    for other in (bilal, lena, manager):
        assert "Sana&#x27;s own" not in page(browser(other), "/settings/tokens/")
        assert browser(other).post(f"/settings/tokens/{token.pk}/revoke/").status_code == 404
    assert "Sana&#x27;s own" in page(browser(zoya), "/settings/tokens/")
    browser(zoya).post(f"/settings/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at is not None
    assert Event.objects.get(kind="token_revoked").actor_id == zoya.pk
    assert f"revoked the API token {token.prefix} of Sana" in page(browser(zoya), "/settings/audit/")


def test_queries_of_tokens_do_not_grow(zoya: Agent, sana: Agent) -> None:
    client = browser(zoya)
    counts = []
    for amount in (2, 20):
        for _number in range(amount):
            tokens.create(sana, scope="read", name="x", by=sana)
            tokens.create(zoya, scope="admin", name="y", by=zoya)
        with CaptureQueriesContext(connection) as queries:
            page(client, "/settings/tokens/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 5


def test_a_failing_one_says_so_on_the_main_screen(hook: Hook, zoya: Agent, sana: Agent) -> None:
    hook("/ok")
    Webhook.objects.update(failing_since=timezone.now() - timedelta(hours=1), failures=9, last_error="It answered 500.")
    assert "fails, and is tried again. It answered 500." in page(browser(zoya), reverse("problems"))
    assert "is tried again" not in page(browser(sana), reverse("problems"))


def test_the_audit_log_names_the_webhook_that_was_changed(zoya: Agent) -> None:
    hook = webhooks.create(by=zoya, name="Order system", url="https://example.org/hook", events=["*"])[0]
    assert "made the webhook Order system" in page(browser(zoya), "/settings/audit/")
    webhooks.delete(hook, by=zoya)
    assert "made the webhook no. " in page(browser(zoya), "/settings/audit/")
