"""A Facebook page, against its emulator: comments, answered in public or in private, and what agents do with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from channels_social.facebook.parsing import comment as read_comment
from channels_social.meta_events import Account as Whose
from inbox import delivery
from inbox.actions import receive, reply, uploads
from inbox.actions.errors import ActionError
from inbox.adapters import Hiding, Ignore, Withdrawal, adapter_for
from inbox.models import Agent, Channel, Customer, Event, Identity, Message, Participant, Reach, Receipt, Role, Ticket
from sandbox.phones import core, facebook, messenger
from sandbox.phones.models import Account, Line, Person
from tests.channels_social.facebook import ana, channel, page
from tests.channels_social.meta import PAGE, PNG, taken_in

__all__ = ["ana", "channel", "page"]


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
