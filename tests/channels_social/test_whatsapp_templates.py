"""WhatsApp, against its emulator: templates, which are all that gets through once the window is shut."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from channels_social import checks, graph
from channels_social.whatsapp import templates
from inbox import tending
from inbox.actions import receive, reply
from inbox.actions.errors import ActionError
from inbox.adapters import adapter_for
from inbox.models import Agent, Channel, Message, Reach
from sandbox.phones import acts, chats, core, whatsapp
from sandbox.phones.models import Account, Line, Person
from tests.api.conftest import Api
from tests.channels_social.whatsapp import account, ana, channel, sent, taken_in

__all__ = ["account", "ana", "channel"]


@pytest.mark.servers
def test_after_the_window_only_a_template_gets_through(
    channel: Channel, account: Account, ana: Person, sana: Agent
) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    Reach.objects.update(closes_at=timezone.now() - timedelta(minutes=1))
    chats.grow_old(account, timedelta(hours=25))
    verdict = adapter_for("whatsapp").may_reply(ticket, channel)
    assert (verdict.allowed, verdict.allows) == (False, frozenset({"template"}))
    with pytest.raises(ActionError) as late:
        reply.reply(ticket, by=sana, text="Hello?")
    assert late.value.code == "window_closed"
    for wrong in (
        {"template": "order_update|en_US", "1": "Ana"},
        {"template": "order_update|en_US", "1": "Ana", "2": "12", "3": "x"},
        {"template": "sale|en_US"},
        {"template": "picture|en_US"},
        {"1": "Ana"},
        {"template": "order_update|en_US", "1": "Ana", "2": "x" * 1100},
        {"template": "order_update|en_US", "1": "Ana", "2": "12", "quotes": ticket.messages.get().pk},
        {"colour": "red"},
    ):
        with pytest.raises(ActionError) as said:
            reply.reply(ticket, by=sana, options=wrong)
        assert said.value.code == "options", wrong
    options = {"template": "order_update|en_US", "1": "Ana", "2": " 12 "}
    with pytest.raises(ActionError):
        reply.reply(ticket, by=sana, text="And some words", options=options)
    message = sent(channel, reply.reply(ticket, by=sana, options=options))
    assert message.text == "Hello Ana, order 12 is on its way.\nRabta Shop"
    line = Line.objects.get(ours=True)
    assert (line.kind, line.text) == ("template", message.text)
    taken_in(account)
    message.refresh_from_db()
    assert message.state == "delivered"
    named = reply.reply(ticket, by=sana, options={"template": "named|en_US", "1": "12", "2": "today", "3": "12"})
    assert sent(channel, named).state == "sent"
    assert Line.objects.latest("pk").text == "Order 12\nIt comes today."


@pytest.mark.servers
def test_templates_are_chosen_beside_the_text(channel: Channel, account: Account, ana: Person, sana: Agent) -> None:
    whatsapp.text(account, ana, "Hello")
    ticket = taken_in(account)
    adapter = adapter_for("whatsapp")
    assert [one["name"] for one in channel.condition["templates"]] == ["named", "order_update"]
    panel = adapter.composer_panel(ticket, channel, sana)
    assert panel is not None
    around = {"ticket": ticket, "route": {"channel": channel}}
    page = render_to_string(panel.template, {"panel": panel.context, **around})
    assert 'name="option.template"' in page
    assert 'name="option.1"' not in page
    assert "picture (en_US): it begins with a picture" in page
    panel = adapter.composer_panel(ticket, channel, sana, {"template": "named|en_US"})
    assert panel is not None
    page = render_to_string(panel.template, {"panel": panel.context, **around})
    assert 'name="option.3"' in page
    assert 'name="option.4"' not in page
    assert "It comes <b" in page and "{{day}}</b>." in page
    assert "<script" not in page
    assert "style=" not in page
    for one in adapter.panels(channel, sana):
        shown = render_to_string(one.template, {"panel": one.context})
        assert graph.verify_token(channel) in shown
        assert checks.hook_url(channel) in shown
    channel.condition = {}
    assert adapter.composer_panel(ticket, channel, sana) is None


@pytest.mark.servers
def test_we_begin_with_a_template(channel: Channel, account: Account, sana: Agent) -> None:
    tending.tend(channel.pk)
    new = whatsapp.meet(account, "Bo", "4915112345678")
    client = Client()
    client.force_login(sana)
    way = f"/tickets/new/way/?channel={channel.slug}"
    page = client.get(way).content.decode()
    assert "They have not written here yet" in page and "order_update" in page
    page = client.get(f"{way}&option.template=order_update|en_US").content.decode()
    assert 'name="option.2"' in page
    asked = {"channel": channel.slug, "to": "+4915112345678", "text": "", "client_id": "a", "agent": sana.pk}
    assert client.post("/tickets/new/", {**asked, "text": "Hello"}).status_code == 422
    template = {"template": "order_update|en_US", "1": "Bo", "2": "12"}
    told = {f"option.{name}": value for name, value in template.items()}
    for _twice in range(2):
        assert client.post("/tickets/new/", {**asked, **told}).status_code == 302
    sent(channel, Message.objects.get(direction="out"))
    assert Line.objects.filter(person=new, ours=True).get().text.startswith("Hello Bo, order 12 is on its way.")
    body = {"channel": channel.slug, "identity": {"kind": "phone", "value": "+4915112345678"}, "subject": "Order"}
    assert Api(sana).post("/tickets/", {**body, "options": template}).status_code == 201
    assert Api(sana).post("/tickets/", {**body, "direction": "in", "text": "x", "options": template}).status_code == 400


def test_a_template_that_needs_more_is_left_out() -> None:
    body = {"type": "BODY", "text": "Hi"}
    for more in (
        {"type": "HEADER", "format": "LOCATION"},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "text": "Copy"}]},
        {"type": "CAROUSEL", "cards": []},
    ):
        assert templates.kept({"name": "x", "language": "en", "components": [body, more]}) is None
    assert templates.kept({"name": "x", "language": "en", "components": []}) is None
    assert templates.kept({"name": "x", "language": "en", "status": "PAUSED", "components": [body]}) is None
    assert templates.kept({"name": "x", "language": "en", "components": [body]})


@pytest.mark.servers
def test_a_paused_template_is_told_and_offered_no_more(channel: Channel, account: Account) -> None:
    trouble = {one.name: one for one in acts.load()["whatsapp"].troubles}
    account.refresh_from_db()
    for name, offered in (("paused", 1), ("approved", 2)):
        do = trouble[name].do
        assert do is not None
        do(account)
        core.push(account)
        receive.take_in_waiting()
        assert tending.tend(channel.pk)  # as it was woken to
        channel.refresh_from_db()
        assert len(channel.condition["templates"]) == offered
        said = [one for one in adapter_for("whatsapp").warnings(channel) if "paused the template" in one]
        assert len(said) == (name == "paused")
