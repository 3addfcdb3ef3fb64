"""WhatsApp, against its emulator: the calls it makes, whose news they bring and what proves them."""

from __future__ import annotations

import json
import time

import pytest
import requests

from channels_social import checks, graph
from inbox.actions import receive
from inbox.adapters import adapter_for
from inbox.models import Channel, Message, Receipt
from inbox.views import hooks as hooked
from sandbox.phones import core, hooks, whatsapp
from sandbox.phones.models import Account, Person
from tests.channels_social.whatsapp import SECRET, TOKEN, WABA, account, ana, call, channel, connect, envelope, taken_in

__all__ = ["account", "ana", "channel"]


@pytest.mark.servers
def test_many_events_in_one_call_each_once(channel: Channel, account: Account, ana: Person) -> None:
    with hooks.together(account):
        whatsapp.text(account, ana, "One")
        whatsapp.text(account, ana, "Two")
        whatsapp.location(account, ana, 1.0, 2.0)
        whatsapp.account_error(account)
    core.push(account)
    told = account.told.latest("pk")
    hooks.repeat(told)
    ticket = taken_in(account)
    assert [one.text for one in ticket.messages.order_by("pk")] == ["One", "Two", ""]
    assert Receipt.objects.count() == 4
    error = Receipt.objects.get(external_id__startswith="error:")
    assert (error.state, "takes no more" in error.reason) == ("ignored", True)
    raw = json.loads(bytes(Receipt.objects.earliest("pk").raw or b""))
    assert set(raw) == {"metadata", "contacts", "message"}


@pytest.mark.servers
def test_two_people_in_one_call_are_two(channel: Channel) -> None:
    people = [
        {"profile": {"name": name}, "wa_id": wa_id, "user_id": f"PT.{wa_id}"}
        for name, wa_id in (("Ana", "351910000001"), ("Rui", "351910000002"))
    ]
    said = [
        {
            "from": f"35191000000{n}",
            "id": f"wamid.{n}",
            "timestamp": "1760000000",
            "type": "text",
            "text": {"body": "Hi"},
        }
        for n in (2, 1)
    ]
    assert call(channel, envelope({"contacts": people, "messages": said})) == 200
    receive.take_in_waiting()
    assert list(Message.objects.order_by("pk").values_list("author_name", "author_address")) == [
        ("Rui", "+351910000002"), ("Ana", "+351910000001")
    ]  # fmt: skip


@pytest.mark.servers
def test_news_of_other_numbers(platforms: str, channel: Channel) -> None:
    """Of the same account and app they go to their own channel; of anybody else they are nothing."""
    said = {"from": "351910000001", "id": "wamid.1", "timestamp": "1760000000", "type": "text", "text": {"body": "Hi"}}
    assert call(channel, envelope({"messages": [said]}, number="999")) == 200
    assert Receipt.objects.count() == 0
    other = connect(platforms, "777")
    assert call(channel, envelope({"messages": [said]}, number="777")) == 200
    assert Receipt.objects.get().channel == other
    other.secrets = {"token": TOKEN, "app_secret": "another app's"}
    other.save()
    assert call(channel, envelope({"messages": [{**said, "id": "wamid.2"}]}, number="777")) == 200
    assert Receipt.objects.count() == 1
    news = {"object": "whatsapp_business_account", "entry": [{"id": WABA, "changes": [
        {"field": "message_template_status_update", "value": {"event": "APPROVED", "message_template_id": 1}}
    ]}]}  # fmt: skip
    assert call(channel, news) == 200
    assert call(channel, {"object": "page", "entry": [{"id": "1"}]}) == 200
    receive.take_in_waiting()
    assert "message_template_status_update" in Receipt.objects.get(channel=channel).reason


@pytest.mark.servers
def test_only_what_is_signed_is_kept(channel: Channel) -> None:
    good = envelope({"statuses": [{"id": "wamid.1", "status": "sent", "timestamp": "1"}]})
    body = hooks.body(good)
    url = checks.hook_url(channel)
    right = hooks.signature(SECRET, body)
    for given in (None, "", "sha256=", "wrong", right[:-1], right.upper(), right.removeprefix("sha256="), "sha256=é"):
        headers = {} if given is None else {"X-Hub-Signature-256": given.encode()}
        assert requests.post(url, data=body, headers=headers, timeout=5).status_code == 403, given
    for bent in (body[:-1], body + b" ", json.dumps(good).encode()):
        answer = requests.post(url, data=bent, headers={"X-Hub-Signature-256": right}, timeout=5)
        assert answer.status_code == 403
    assert call(channel, good, "another") == 403
    assert Receipt.objects.count() == 0
    for _again in range(2):
        assert call(channel, b'{"object":"whatsapp_business_account","entry":[') == 200
    receive.take_in_waiting()
    assert Receipt.objects.filter(state="failed").count() == 1  # signed, and nobody can read it
    channel.secrets = {"token": TOKEN, "app_secret": ""}
    channel.save()
    hooked.forget()
    assert requests.post(url, data=b"{}", headers={"X-Hub-Signature-256": "sha256="}, timeout=5).status_code == 403


@pytest.mark.servers
def test_the_address_is_proven_to_be_ours(channel: Channel) -> None:
    url = checks.hook_url(channel)
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": graph.verify_token(channel)}
    answer = requests.get(url, params=asked, timeout=5)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    assert answer.headers["Content-Type"].startswith("text/plain")
    for wrong in ({"hub.verify_token": "wrong"}, {"hub.verify_token": ""}, {"hub.mode": "unsubscribe"}):
        assert requests.get(url, params={**asked, **wrong}, timeout=5).status_code == 403
    assert requests.get(url, timeout=5).status_code == 403


def test_the_proof_is_that_of_the_documented_example() -> None:
    assert graph.proof(SECRET, TOKEN) == "d85478b41f7403dd4515081ddf47e87ffada004dea313620bafc0b411a8b08ec"
    usage = json.dumps({"1": [{"type": "whatsapp", "estimated_time_to_regain_access": 3}]})
    told = graph.refusal(400, {"error": {"code": 80007}}, {"X-Business-Use-Case-Usage": usage})
    assert told.wait == 180


@pytest.mark.servers
def test_news_of_the_account_go_to_each_of_its_numbers(platforms: str, channel: Channel) -> None:
    other = connect(platforms, "777")
    news = {"object": "whatsapp_business_account", "entry": [{"id": WABA, "time": int(time.time()), "changes": [
        {"field": "account_update", "value": {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "X"}}}
    ]}]}  # fmt: skip
    assert call(channel, news) == 200
    receive.take_in_waiting()
    for one in (channel, other):
        one.refresh_from_db()
        assert any("breaks its rules" in said for said in adapter_for("whatsapp").warnings(one))
