"""The widget's websocket against a real web process."""

from __future__ import annotations

import pytest
from django.db import connection

from inbox.actions import reply
from inbox.models import Agent, Channel, Message, Role, Ticket
from tests.channels_chat.visitor import VisitorPage
from tests.servers.web import Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop() -> Channel:
    return Channel.objects.create(kind="chat", slug="shop-chat", name="Shop", settings={"languages": ["en", "ur"]})


def test_a_talk(server: Server, shop: Channel) -> None:
    sana = Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.AGENT)
    with VisitorPage(server.url, shop, lang="en-GB", url="https://shop.example/cart") as page:
        assert not page.welcome["known"]
        took = page.say("Where is my parcel?")
        assert took["t"] == "took"
        assert page.key
        message = Message.objects.get()
        assert message.pk == took["id"]
        answer = reply.reply(message.ticket, by=sana, text="On its way <b>now</b>")
        assert answer.state == "sent"
        assert page.wait_for("On its way <b>now</b>")["name"] == "Sana"
        page.put(t="seen", delivered=answer.pk, read=answer.pk)
        page.put(t="typing", text="")
        page.say("Thanks")
        page.close()
        page.open()
        assert page.welcome["known"]
        assert {one["id"] for one in page.welcome["messages"]} <= page.messages.keys()  # of the last seconds, once more
    assert Ticket.objects.count() == 1
    answer.refresh_from_db()
    assert answer.state == "read"
    connection.close()
