"""A Facebook page, against its emulator: conversations both ways, and what of all that is told is ours."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import requests
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from channels_social import graph, profiles
from channels_social.meta_events import Account as Whose
from channels_social.meta_events import conversation, receipts
from inbox import delivery, fetching, timeline
from inbox.actions import receive, reply, uploads
from inbox.actions.errors import ActionError
from inbox.adapters import Inbound, adapter_for
from inbox.models import Agent, Attachment, Channel, Customer, Event, Identity, Message, Reach, Receipt
from sandbox.phones import chats, core, hooks, messenger
from sandbox.phones.models import Account, Line, Person
from tests.adapter_contract import AdapterContract
from tests.channels_social.facebook import ana, channel, page
from tests.channels_social.meta import PAGE, PNG, SECRET, MetaContract, connect, fault, meta_error, taken_in

__all__ = ["ana", "channel", "page"]


@pytest.mark.servers
class TestContract(MetaContract, AdapterContract):
    kind = "facebook"
    good_settings: ClassVar[dict[str, Any]] = {"page_id": PAGE, "token": "t", "app_secret": "s"}

    @pytest.fixture(autouse=True)
    def _server(self, platforms: str, live_server: LiveServer) -> None:
        self._open(platforms, live_server)


@pytest.mark.servers
def test_a_conversation_both_ways(channel: Channel, page: Account, ana: Person, sana: Agent) -> None:
    asked = messenger.text(page, ana, "Do you ship to Porto?")
    ticket = taken_in(page)
    assert ticket.preview == "Do you ship to Porto?"
    unknown = Identity.objects.get(value=ana.external_id)
    assert (unknown.name, unknown.scope, ticket.customer.name) == ("", f"page:{PAGE}", ana.external_id)
    assert profiles.fetch(channel.pk, [unknown.pk]) == 1
    ticket.refresh_from_db()
    assert Customer.objects.get(pk=ticket.customer_id).name == "Ana Silva"
    assert Message.objects.get().author_name == "Ana Silva"
    message = reply.reply(ticket, by=sana, text="Yes", options={"quotes": Message.objects.get().pk})
    assert delivery.deliver(channel.pk) == 1
    message.refresh_from_db()
    sent = Line.objects.get(ours=True)
    assert (sent.text, sent.payload["metadata"], sent.reply_to) == ("Yes", f"rabta:{message.pk}", asked.external_id)
    assert (message.state, message.external_id) == ("sent", sent.external_id)
    taken_in(page)  # its echo, and that it was delivered
    message.refresh_from_db()
    assert (message.state, Message.objects.count()) == ("delivered", 2)
    messenger.read(page, ana)
    messenger.react(page, ana, sent, "❤️")
    messenger.edit(page, ana, asked, "Do you ship to Faro?")
    messenger.text(page, ana, "Thanks", reply_to=sent.external_id)
    assert taken_in(page) == ticket
    message.refresh_from_db()
    assert message.state == "read"
    assert [one["emoji"] for one in message.reactions] == ["❤️"]
    first, last = Message.objects.order_by("pk")[0], Message.objects.latest("pk")
    assert (first.text, first.payload["versions"][0]["text"]) == ("Do you ship to Faro?", "Do you ship to Porto?")
    assert (last.author_name, last.in_reply_to, last.thread_rule) == ("Ana Silva", sent.external_id, "reference")
    messenger.react(page, ana, sent, "")
    taken_in(page)
    message.refresh_from_db()
    assert [one["emoji"] for one in message.reactions] == [""]


@pytest.mark.servers
def test_whatever_comes_is_shown_as_what_it_is(channel: Channel, page: Account, ana: Person) -> None:
    messenger.attach(page, ana, [("image", PNG, "image/png", "a.png"), ("image", PNG, "image/png", "b.png")])
    messenger.attach(page, ana, [("file", b"%PDF-1.7 x", "application/pdf", "inv.pdf")])
    messenger.postback(page, ana, "Start", "GET_STARTED", ref="r1")
    messenger.referral(page, ana, "r2")
    ticket = taken_in(page)
    kinds = list(ticket.messages.order_by("pk").values_list("content_kind", "text"))
    assert kinds == [("image", ""), ("file", ""), ("button", "Start"), ("start", "r2")]
    assert ticket.messages.get(content_kind="button").payload["referral"]["ref"] == "r1"
    assert fetching.fetch_waiting() == 3
    assert list(Attachment.objects.order_by("pk").values_list("content_type", flat=True)) == [
        "image/png", "image/png", "application/pdf"
    ]  # fmt: skip
    for number, message in enumerate([
        {"attachments": [{"type": "location", "payload": {"coordinates": {"lat": 41.1, "long": -8.6}}}]},
        {"attachments": [{"type": "fallback", "payload": {"url": "https://a.example/x", "title": "Shoes"}}]},
        {"attachments": [{"type": "hologram", "payload": {}}]},
        {"attachments": [{"type": "image", "payload": {"url": "https://a.example/s", "sticker_id": 3}}]},
    ]):  # fmt: skip
        told(channel, page, ana, message={"mid": f"m_x{number}", **message})
    told(channel, page, ana, brand_new={"x": 1})
    shown = list(ticket.messages.order_by("pk").values_list("content_kind", flat=True))[4:]
    assert shown == ["location", "text", "unsupported", "sticker", "unsupported"]
    assert ticket.messages.get(content_kind="location").payload["latitude"] == 41.1
    assert ticket.messages.latest("pk").payload["raw"]["brand_new"] == {"x": 1}


def told(channel: Channel, page: Account, person: Person, own: str = "", **event: Any) -> None:
    """An event that the emulator does not make, told as it would be."""
    whole = {"sender": {"id": person.external_id}, "recipient": {"id": page.external_id}, "timestamp": 1760000000100}
    entry = {"id": own or page.external_id, "time": 1760000000123, "messaging": [{**whole, **event}]}
    core.tell(page, {"object": "page", "entry": [entry]})
    core.push(page)
    receive.take_in_waiting()


@pytest.mark.servers
def test_no_answer_and_then_an_echo(
    channel: Channel, page: Account, ana: Person, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it arrived, its echo tells: by our id in it, without which it would be sent twice or never."""
    monkeypatch.setattr(graph, "SEND_SECONDS", 0.5)
    messenger.text(page, ana, "Hello")
    ticket = taken_in(page)
    message = reply.reply(ticket, by=sana, text="Hi")
    fault(page, "POST messages", 200, after=True, cut=True)
    delivery.deliver(channel.pk)
    message.refresh_from_db()
    assert message.state == "unknown"
    taken_in(page)
    message.refresh_from_db()
    assert (message.state, message.external_id) == ("delivered", Line.objects.get(ours=True).external_id)
    assert Message.objects.count() == 2


@pytest.mark.servers
def test_what_was_written_in_metas_own_app_is_ours(channel: Channel, page: Account, ana: Person) -> None:
    messenger.text(page, ana, "Hello")
    messenger.answer_in_app(page, ana, "From the inbox")
    ticket = taken_in(page)
    ours = ticket.messages.get(direction="out")
    assert (ours.text, ours.origin, ours.state) == ("From the inbox", "echo", "delivered")
    assert ticket.waiting_since is None
    event = Event.objects.get(kind="status_changed")
    assert [entry.text for entry in timeline.lines([event], {})] == ["Answered in the app, now Pending"]
    assert event.actor_kind == "system"
    for at, (app, metadata) in enumerate([("555", f"rabta:{ours.pk}"), ("", f"rabta:{ours.pk}"), ("", str(ours.pk))]):
        channel.settings["app_id"] = app
        channel.save()
        bot = {"is_echo": True, "mid": f"m_{at}", "app_id": 99, "metadata": metadata, "text": f"By a bot, {at}"}
        core.tell(page, {"object": "page", "entry": [{"id": PAGE, "messaging": [{
            "sender": {"id": PAGE}, "recipient": {"id": ana.external_id}, "timestamp": 1760000000100, "message": bot,
        }]}]})  # fmt: skip
        taken_in(page)
    # What another app writes there is no id of ours, unless nobody said which app is ours and it writes as we do.
    assert set(ticket.messages.filter(direction="out").values_list("text", flat=True)) == {
        "From the inbox", "By a bot, 0", "By a bot, 2",
    }  # fmt: skip


@pytest.mark.servers
def test_long_text_and_files(channel: Channel, page: Account, ana: Person, sana: Agent) -> None:
    messenger.text(page, ana, "Hello")
    ticket = taken_in(page)
    file = uploads.upload(by=sana, name="label.png", content_type="image/png", content=PNG)
    message = reply.reply(ticket, by=sana, text="a" * 1990 + "\n\nb" * 20, attachments=[file.pk])
    assert delivery.deliver(channel.pk) == 1
    assert list(Line.objects.filter(ours=True).order_by("pk").values_list("kind", flat=True)) == [
        "text", "text", "image"
    ]  # fmt: skip
    taken_in(page)
    message.refresh_from_db()
    assert (message.state, Message.objects.count()) == ("delivered", 2)


@pytest.mark.servers
@pytest.mark.parametrize("deed", ["reaction", "link", "unreacted"])
def test_reactions_and_links_open_the_window_anew(
    channel: Channel, page: Account, ana: Person, sana: Agent, deed: str
) -> None:
    """As Meta lists it. What they wrote last stays when it was: a late answer of a person is counted from that."""
    line = messenger.text(page, ana, "Hello")
    ticket = taken_in(page)
    chats.grow_old(page, timedelta(hours=25))
    wrote = timezone.now() - timedelta(hours=25)
    Reach.objects.update(last_in_at=wrote, closes_at=wrote + timedelta(hours=24), reminded_at=wrote)
    adapter = adapter_for("facebook")
    assert not adapter.may_reply(ticket, channel).allowed
    if deed == "link":
        messenger.referral(page, ana, "")
    else:
        messenger.react(page, ana, line, "👍" if deed == "reaction" else "")
    taken_in(page)
    reach = Reach.objects.get()
    assert (reach.last_in_at, adapter.may_reply(ticket, channel).allowed) == (wrote, deed != "unreacted")
    assert Message.objects.count() == 1 and not Receipt.objects.filter(state="new").exists()
    if deed != "unreacted":
        assert reach.reminded_at is None and reach.closes_at is not None
        assert reach.closes_at > timezone.now() + timedelta(hours=23)
        reply.reply(ticket, by=sana, text="Still here?")
        assert delivery.deliver(channel.pk) == 1


@pytest.mark.servers
def test_after_the_window_a_person_may(channel: Channel, page: Account, ana: Person, sana: Agent) -> None:
    messenger.text(page, ana, "Hello")
    chats.grow_old(page, timedelta(hours=25))
    ticket = taken_in(page)
    Reach.objects.update(last_in_at=timezone.now() - timedelta(hours=25), closes_at=timezone.now() - timedelta(hours=1))
    late = {"way": "human_agent"}
    for options in ({}, late):
        with pytest.raises(ActionError):
            reply.reply(ticket, by=sana, text="Sorry", options=options)
    channel.settings["human_agent"] = True
    channel.save()
    ticket.refresh_from_db()
    assert adapter_for("facebook").may_reply(ticket, channel).allows == {"human_agent"}
    assert adapter_for("facebook").composer_panel(ticket, channel, sana) is not None
    with pytest.raises(ActionError):
        reply.reply(ticket, by=None, text="Sorry", options=late, automatic=True)
    message = reply.reply(ticket, by=sana, text="Sorry for the delay", channel=channel, options=late)
    assert delivery.deliver(channel.pk) == 1
    message.refresh_from_db()
    assert message.state == "sent"
    sent = page.calls.get(method="POST messages").asked
    assert (sent["messaging_type"], sent["tag"]) == ("MESSAGE_TAG", "HUMAN_AGENT")
    Reach.objects.update(last_in_at=timezone.now() - timedelta(days=8))
    assert not adapter_for("facebook").may_reply(ticket, channel).allows
    fault(page, "POST messages", 400, meta_error(551, 1545041))
    Reach.objects.update(closes_at=timezone.now() + timedelta(hours=1))
    message = reply.reply(ticket, by=sana, text="There?")
    delivery.deliver(channel.pk)
    message.refresh_from_db()
    assert (message.state, message.payload["fault"]) == ("failed", "blocked")
    assert Reach.objects.get().blocked_at is not None


# Whose, and from whom ----------------------------------------------------------------------------------------------


@pytest.mark.servers
def test_what_is_not_ours_is_left_out(
    channel: Channel, page: Account, ana: Person, platforms: str, live_server: LiveServer
) -> None:
    told(channel, page, ana, own="999", message={"mid": "m_9", "text": "To another page"})
    assert not Receipt.objects.exists()
    elsewhere = Account(platform="facebook", external_id="999", secrets={"token": "t9", "app_secret": SECRET})
    other = connect(platforms, elsewhere, slug="other")
    told(channel, page, ana, own="999", message={"mid": "m_9", "text": "To another page"})
    assert Message.objects.get().channel == other  # of the same app, which has one address
    messenger.hand_over(page, ana)
    chats.arrange(page, subscribed_fields=[*page.settings["subscribed_fields"], "standby"])
    messenger.text(page, ana, "To the other app")
    taken_in(page)
    assert Receipt.objects.latest("pk").state == "ignored" and Message.objects.count() == 1
    channel.settings["messages"] = False
    channel.save()
    told(channel, page, ana, message={"mid": "m_8", "text": "Off"})
    assert Message.objects.count() == 1


@pytest.mark.servers
def test_signatures_repeats_and_the_handshake(
    channel: Channel, page: Account, ana: Person, live_server: LiveServer
) -> None:
    url = f"{live_server.url}/hooks/facebook/{channel.token}/"
    line = messenger.text(page, ana, "Once")
    for again in range(2):
        core.push(page)
        hooks.repeat(page.told.latest("pk")) if not again else None
    body = hooks.body({"object": "page", "entry": []})
    for given in ("", "sha256=", hooks.signature("wrong", body), hooks.signature(SECRET, body + b" ")):
        assert requests.post(url, data=body, headers={"X-Hub-Signature-256": given}, timeout=5).status_code == 403
    right = {"X-Hub-Signature-256": hooks.signature(SECRET, body)}
    assert requests.post(url, data=body, headers=right, timeout=5).status_code == 200
    taken_in(page)
    assert Message.objects.get().external_id == line.external_id and Receipt.objects.count() == 1
    graph_says = {"hub.mode": "subscribe", "hub.challenge": "77", "hub.verify_token": graph.verify_token(channel)}
    assert requests.get(url, params=graph_says, timeout=5).text == "77"
    assert requests.get(url, params={**graph_says, "hub.verify_token": "x"}, timeout=5).status_code == 403
    panel = adapter_for("facebook").panels(channel, Agent())[0]
    assert (panel.context["url"], panel.context["verify_token"]) == (url, graph.verify_token(channel))


def test_one_receipt_for_each_event() -> None:
    value = {"item": "comment", "verb": "edited", "comment_id": "5_7", "message": "a"}
    change = {"field": "feed", "value": value}
    entry = {
        "id": PAGE,
        "time": 1760000020,
        "changes": [change, {**change, "value": {**value, "verb": "add"}}],
    }
    found = [raw for _own, raw in receipts({"object": "page", "entry": [entry, {"id": "9"}]})]
    assert [one.key for one in found] == ["", "5_7", ""]
    assert len({one.external_id for one in found}) == 3
    assert all(len(one.external_id) <= 200 for one in found)
    assert json.loads(found[0].raw)["changes"] == change
    bodies: list[Any] = [[], {"entry": []}, {"object": "page"}, "x"]
    for body in bodies:
        with pytest.raises(ValueError):
            list(receipts(body))


def test_an_echo_is_ours_whatever_number_it_bears() -> None:
    """Instagram knows an account by two numbers, and an echo is never what a customer said."""
    whose = Whose(kind="instagram", own="178414001", people="ig:178414001", commenters="ig:178414001", keys="channel:1")
    event = {"sender": {"id": "9988"}, "recipient": {"id": "IGSID1"}, "timestamp": 1760000003100}
    (said,) = conversation({**event, "message": {"mid": "m", "is_echo": True, "text": "Yes"}}, whose, timezone.now())
    assert isinstance(said, Inbound)
    assert said.echo and said.sender is None and [one.value for one in said.to] == ["IGSID1"]
