"""A Facebook page, against its emulator: conversations and comments, both ways."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import requests
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from channels_social import graph, profiles
from channels_social.facebook.parsing import comment as read_comment
from channels_social.meta_events import Account as Whose
from channels_social.meta_events import conversation, receipts
from channels_social.meta_send import refusal
from inbox import delivery, fetching, health, tending, timeline
from inbox.actions import receive, reply, uploads
from inbox.actions.errors import ActionError
from inbox.adapters import DeliveryError, Hiding, Ignore, Inbound, Withdrawal, adapter_for
from inbox.models import (
    Agent,
    Attachment,
    Channel,
    Customer,
    Event,
    Identity,
    Message,
    Participant,
    Reach,
    Receipt,
    Role,
    Ticket,
)
from lib import http
from sandbox.phones import chats, core, facebook, hooks, messenger
from sandbox.phones.models import Account, Line, Person
from tests.adapter_contract import AdapterContract
from tests.channels_social.meta import (
    PAGE,
    PNG,
    SECRET,
    MetaContract,
    connect,
    fault,
    meta_error,
    open_account,
    subscribe,
    taken_in,
)


@pytest.fixture
def page(platforms: str) -> Account:
    return open_account("facebook", platforms)


@pytest.fixture
def channel(platforms: str, page: Account, live_server: LiveServer) -> Channel:
    found = connect(platforms, page)
    subscribe(found, page, live_server.url)
    return found


@pytest.fixture
def ana(page: Account) -> Person:
    return messenger.meet(page, "Ana Silva")


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


# Comments ----------------------------------------------------------------------------------------------------------


@pytest.mark.servers
def test_a_thread_of_two_people_is_one_ticket(channel: Channel, page: Account, ana: Person, sana: Agent) -> None:
    bo = messenger.meet(page, "Bo Berg")
    post = facebook.post(page, "New shoes")
    price = facebook.comment(page, ana, post, "Price?")
    size = facebook.comment(page, bo, price, "And size?")
    deeper = facebook.comment(page, ana, size, "Yes, the size")
    other = facebook.comment(page, bo, post, "Nice")
    taken_in(page)
    first, second = Ticket.objects.order_by("pk")
    assert [one.text for one in first.messages.order_by("pk")] == ["Price?", "And size?", "Yes, the size"]
    assert (first.thread_key, second.preview) == (f"comment:{price.external_id}", "Nice")
    said = first.messages.earliest("pk")
    assert said.payload["public"] is True and said.payload["post"]["id"] == post.external_id
    assert said.payload["comment_id"] == price.external_id
    assert Identity.objects.filter(scope=f"feed:{PAGE}").count() == 2 and not Reach.objects.exists()
    facebook.edit(page, ana, deeper, "The sizes")
    facebook.like(page, bo, price)
    facebook.remove(page, bo, other)
    taken_in(page)
    assert Message.objects.get(external_id=deeper.external_id).text == "The sizes"
    assert Message.objects.get(external_id=price.external_id).reactions[0]["emoji"] == "👍"
    gone = Message.objects.get(external_id=other.external_id)
    assert (gone.withdrawn_at is not None, gone.text) == (True, "")


@pytest.mark.usefixtures("queued_before")
@pytest.mark.servers
def test_an_answer_in_public_is_confirmed_once(channel: Channel, page: Account, ana: Person, sana: Agent) -> None:
    price = facebook.comment(page, ana, facebook.post(page, "New shoes"), "Price?")
    ticket = taken_in(page)
    adapter = adapter_for("facebook")
    panel = adapter.composer_panel(ticket, channel, sana)
    assert panel is not None and panel.context["asks"]
    for options in ({}, {"way": "public"}, {"way": "nonsense"}, {"public_ok": "yes", "x": 1}):
        with pytest.raises(ActionError):
            reply.reply(ticket, by=sana, text="30", options=options)
    with pytest.raises(ActionError, match="8000"):
        reply.reply(ticket, by=sana, text="x" * 8001, options={"way": "public", "public_ok": "yes"})
    message = reply.reply(ticket, by=sana, text="30", options={"way": "public", "public_ok": "yes"})
    assert (message.payload["public"], message.payload["thread"]) == (True, price.external_id)
    again = reply.reply(ticket, by=sana, text="x" * 3000)  # one comment, and asked no more
    assert delivery.deliver(channel.pk) == 2
    message.refresh_from_db()
    assert Line.objects.get(external_id=message.external_id).reply_to == price.external_id
    facebook.add(page, None, price, "From the page itself")
    taken_in(page)
    said = list(ticket.messages.filter(direction="out").order_by("pk").values_list("origin", flat=True))
    assert said == ["channel", "channel", "echo"]  # our own two are no echoes, the third is
    again.refresh_from_db()
    assert again.state == "sent"
    file = uploads.upload(by=sana, name="label.png", content_type="image/png", content=PNG)
    refused = reply.reply(ticket, by=sana, text="See", attachments=[file.pk])
    delivery.deliver(channel.pk)
    refused.refresh_from_db()
    assert refused.state == "failed"


@pytest.mark.servers
def test_a_private_answer_and_what_comes_of_it(channel: Channel, page: Account, ana: Person, sana: Agent) -> None:
    facebook.comment(page, ana, facebook.post(page, "New shoes"), "My order 12 is late")
    ticket = taken_in(page)
    with pytest.raises(ActionError):
        reply.reply(ticket, by=sana, text="x" * 2000, options={"way": "private"})
    message = reply.reply(ticket, by=sana, text="We answer you here", options={"way": "private"})
    assert message.payload["private"] is True
    with pytest.raises(ActionError):
        reply.reply(ticket, by=sana, text="And more", options={"way": "private"})
    assert delivery.deliver(channel.pk) == 1
    taken_in(page)
    message.refresh_from_db()
    assert (message.state, message.payload["private_to"]) == ("delivered", ana.external_id)
    known = Identity.objects.get(value=ana.external_id)
    assert (known.customer_id, known.scope) == (ticket.customer_id, f"page:{PAGE}")
    assert Participant.objects.filter(ticket=ticket, identity=known).exists()
    messenger.text(page, ana, "It is 12-B")
    assert taken_in(page) == ticket and Ticket.objects.count() == 1
    panel = adapter_for("facebook").composer_panel(ticket, channel, sana)
    assert panel is not None and panel.context["private_first"]
    goes_on = reply.reply(ticket, by=sana, text="Thank you")  # where they wrote last
    assert delivery.deliver(channel.pk) == 1
    goes_on.refresh_from_db()
    assert goes_on.to[0]["address"] == ana.external_id and "public" not in goes_on.payload
    assert Line.objects.get(external_id=goes_on.external_id).public is False
    assert Customer.objects.count() == 1


@pytest.mark.servers
def test_a_comment_is_answered_in_private_for_a_week(channel: Channel, page: Account, ana: Person, sana: Agent) -> None:
    facebook.comment(page, ana, facebook.post(page, "New shoes"), "Price?")
    ticket = taken_in(page)
    Message.objects.update(created_at=timezone.now() - timedelta(days=8))
    with pytest.raises(ActionError, match="seven days"):
        reply.reply(ticket, by=sana, text="Late", options={"way": "private"})


@pytest.mark.servers
def test_our_own_comment_on_our_own_post_is_nobodys(channel: Channel, page: Account) -> None:
    facebook.add(page, None, facebook.post(page, "New shoes"), "In all sizes")
    core.push(page)
    receive.take_in_waiting()
    Receipt.objects.update(received_at=timezone.now() - timedelta(minutes=5), next_attempt_at=timezone.now())
    receive.take_in_waiting()
    assert not Ticket.objects.exists() and not Customer.objects.exists()
    assert set(Receipt.objects.values_list("state", flat=True)) == {"ignored"}


@pytest.mark.servers
def test_what_agents_do_with_comments(
    channel: Channel, page: Account, ana: Person, sana: Agent, client: Client
) -> None:
    price = facebook.comment(page, ana, facebook.post(page, "New shoes"), "Price?")
    ticket = taken_in(page)
    message = Message.objects.get()
    url = f"/tickets/{ticket.number}/messages/{message.pk}/comment"
    assert client.post(f"{url}/hide/").status_code == 302 and not Event.objects.filter(kind="comment_changed")
    client.force_login(sana)
    assert client.post(f"{url}/hide/").status_code == 302
    price.refresh_from_db()
    assert price.hidden
    assert "Show again" in client.get(f"/tickets/{ticket.number}/").text
    for deed in ("unhide", "like"):
        client.post(f"{url}/{deed}/")
    price.refresh_from_db()
    message.refresh_from_db()
    assert (price.hidden, price.reactions, message.payload["hidden"]) == (False, {"us": "LIKE"}, False)
    shown = client.get(f"/tickets/{ticket.number}/").text
    assert "Take the like back" in shown and "comment/delete" not in shown and "liked a comment" in shown
    client.post(f"{url}/unlike/")
    assert client.post(f"{url}/delete/").status_code == 403
    assert client.post(f"{url}/eat/").status_code == client.post(f"/tickets/9{url[9:]}/hide/").status_code == 404
    assert client.get(f"{url}/hide/").status_code == 405
    Agent.objects.update(role=Role.MANAGER)
    assert "comment/delete" in client.get(f"/tickets/{ticket.number}/").text
    client.post(f"{url}/delete/")
    price.refresh_from_db()
    message.refresh_from_db()
    assert price.deleted_at is not None and message.withdrawn_at is not None and message.text == ""
    said = Event.objects.filter(kind="comment_changed").order_by("pk").values_list("data__deed", flat=True)
    assert list(said) == ["hide", "unhide", "like", "unlike", "delete"]
    messenger.text(page, ana, "Hello")
    taken_in(page)
    private = Message.objects.latest("pk")
    client.post(f"/tickets/{private.ticket_id}/messages/{private.pk}/comment/hide/")
    assert Event.objects.filter(kind="comment_changed").count() == 5


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


# Health ------------------------------------------------------------------------------------------------------------


@pytest.mark.servers
def test_that_meta_had_stopped_telling_is_told_for_a_day(channel: Channel, page: Account, sana: Agent) -> None:
    """Not of what it had never told: that is ordinary, when a channel is connected or takes in more."""
    chats.arrange(page, subscribed_fields=[])
    assert tending.tend(channel.pk)
    channel.refresh_from_db()
    assert (channel.condition["told"], adapter_for("facebook").warnings(channel)) == (True, [])
    chats.arrange(page, subscribed_fields=["messages"])
    assert tending.tend(channel.pk) and tending.tend(channel.pk)
    channel.refresh_from_db()
    (said,) = adapter_for("facebook").warnings(channel)
    assert "had stopped telling" in said and any("had stopped telling" in one for one in health.problems(sana))
    channel.condition["_told_again_at"] = (timezone.now() - timedelta(days=1, minutes=1)).isoformat()
    assert adapter_for("facebook").warnings(channel) == []


@pytest.mark.servers
def test_too_many_calls_while_it_is_looked_after_are_no_illness(channel: Channel, page: Account) -> None:
    assert tending.tend(channel.pk)
    before = Channel.objects.get(pk=channel.pk).condition
    http.rates.note(page.secrets["token"], 90)
    assert tending.tend(channel.pk)
    channel.refresh_from_db()
    assert not channel.failing and channel.limited_until is None
    rests = {name: channel.condition[name] for name in ("tended_at", "_rests_until")}
    assert channel.condition == before | rests


@pytest.mark.servers
def test_unsubscribed_is_subscribed_again(channel: Channel, page: Account) -> None:
    adapter = adapter_for("facebook")
    chats.arrange(page, subscribed_fields=["messages"])
    found = adapter.tend(channel)
    page.refresh_from_db()
    assert set(page.settings["subscribed_fields"]) >= {"messages", "message_echoes", "feed"}
    assert (found["missing"], found["name"]) == ([], "Rabta Shop")
    assert "subscribed" in found and "subscribed" not in adapter.tend(channel)
    assert all(line.ok for line in adapter.check(channel))
    assert adapter.warnings(channel) == []
    chats.arrange(page, missing_permissions=["pages_manage_engagement"])
    assert any(not line.ok for line in adapter.check(channel))
    assert "pages_manage_engagement" in adapter.warnings(channel)[0]
    chats.arrange(page, token_state="expired")
    with pytest.raises(DeliveryError) as caught:
        adapter.tend(channel)
    assert caught.value.fault == "auth"
    chats.arrange(page, token_state=None)
    channel.settings |= {"page_id": "1", "app_id": ""}
    assert not adapter.check(channel)[0].ok


@pytest.mark.servers
def test_names_that_are_hidden_stay_numbers(channel: Channel, page: Account, ana: Person) -> None:
    chats.remember(ana, hides_profile="error")
    messenger.text(page, ana, "Hello")
    taken_in(page)
    identity = Identity.objects.get()
    assert profiles.fetch(channel.pk, [identity.pk]) == 0
    chats.remember(ana, hides_profile=True)
    assert profiles.fetch(channel.pk, [identity.pk]) == 0
    fault(page, "GET person", 500)
    assert profiles.fetch(channel.pk, [identity.pk]) == 0
    assert profiles.fetch(0, [identity.pk]) == 0


@pytest.mark.parametrize(
    ("code", "subcode", "status", "fault", "permanent", "channel"),
    [
        (1, 0, 500, "", False, False),
        (2, 0, 503, "", False, False),
        (0, 0, 502, "", False, False),
        (4, 0, 400, "rate", False, True),
        (17, 0, 400, "rate", False, True),
        (32, 0, 400, "rate", False, True),
        (613, 0, 400, "rate", False, True),
        (80006, 0, 400, "rate", False, True),
        (190, 0, 400, "auth", False, True),
        (190, 458, 400, "auth", False, True),
        (190, 460, 400, "auth", False, True),
        (190, 463, 400, "auth", False, True),
        (102, 0, 400, "auth", False, True),
        (10, 0, 403, "auth", False, True),
        (200, 0, 403, "auth", False, True),
        (230, 0, 403, "auth", False, True),
        (10, 2018278, 400, "window", True, False),
        (10, 2534022, 400, "window", True, False),
        (10, 2018065, 400, "window", True, False),
        (551, 1545041, 400, "blocked", True, False),
        (200, 1545041, 400, "blocked", True, False),
        (10, 2018108, 400, "blocked", True, False),
        (10, 1893063, 400, "", False, False),
        (10, 2018300, 400, "", True, False),
        (100, 2018001, 400, "", True, False),
        (100, 0, 400, "", True, False),
        (100, 33, 400, "", True, False),
        (100, 2018047, 400, "", True, False),
        (100, 2018109, 400, "", True, False),
        (10900, 0, 400, "", True, False),
        (424242, 0, 400, "", True, False),
    ],
)
def test_what_refusals_mean(code: int, subcode: int, status: int, fault: str, permanent: bool, channel: bool) -> None:
    error = refusal(graph.refusal(status, meta_error(code, subcode) if code else {}), "Facebook")
    assert (error.fault, error.permanent, error.channel, error.unknown) == (fault, permanent, channel, False)
    assert len(str(error.reason)) > 10
    assert (error.retry_after or 0) >= (3600 if subcode == 1893063 else 0)


def test_a_hidden_transient_is_tried_again() -> None:
    error = refusal(graph.refusal(400, meta_error(424242, is_transient=True)), "Facebook")
    assert not error.permanent


def test_comments_as_they_are_told() -> None:
    """What the emulator does not tell: other verbs, other items, other forms of ids."""
    whose = Whose("facebook", PAGE, f"page:{PAGE}", f"feed:{PAGE}", "channel:1")
    value = {"item": "comment", "verb": "add", "post_id": f"{PAGE}_501", "comment_id": "501_777",
             "parent_id": f"{PAGE}_501", "from": {"id": "8880001", "name": "Ana Silva"}, "created_time": 1760000019,
             "message": "Price?", "post": {"permalink_url": "https://f.example/1"}}  # fmt: skip
    now = timezone.now()

    def read(**more: Any) -> Any:
        return read_comment({"field": "feed", "value": {**value, **more}}, whose, now)[0]

    assert read().payload["post"]["url"] == "https://f.example/1"
    assert read(parent_id=f"{PAGE}_999").thread_key == "comment:501_777"  # a picture of the post
    assert read(parent_id="501_776").thread_key == "comment:501_776"
    assert read(message=None, photo="https://f.example/p.jpg").content_kind == "image"
    assert isinstance(read(verb="remove"), Withdrawal)
    assert read(verb="hide") == Hiding("501_777", True, now)
    assert read(verb="unhide") == Hiding("501_777", False, now)
    for more in ({"verb": "x"}, {"item": "status", "comment_id": None}, {"item": "photo"}):
        with pytest.raises(Ignore):
            read(**more)
    with pytest.raises(ValueError, match="who commented"):
        read(**{"from": None})


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
