"""Two web processes behind one address: whoever is with one of them hears what is said at the other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from channels_chat.actions import presence
from channels_chat.models import Visitor
from inbox.actions import reply
from inbox.models import Agent, Message, Role
from tests.channels_chat import cast
from tests.channels_chat.visitor import VisitorPage
from tests.instance import until
from tests.servers.web import Server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def servers(transactional_db: None) -> Iterator[tuple[Server, Server]]:
    one, other = Server(), Server()
    one.start()
    other.start()
    yield one, other
    with ThreadPoolExecutor() as pool:
        list(pool.map(Server.stop, (one, other)))


def texts(page: VisitorPage) -> list[Any]:
    return [page.messages[pk]["text"] for pk in sorted(page.messages)]


def has(page: VisitorPage, wanted: list[str]) -> None:
    while texts(page) != wanted:
        page.hear()


def test_two_processes_are_one_chat(servers: tuple[Server, Server]) -> None:
    one, other = servers
    shop = cast.chat_channel()
    sana = Agent.objects.create_user("sana@desk.example", name="Sana", role=Role.AGENT)
    with VisitorPage(one.url, shop) as page:
        page.say("line 1")
        with VisitorPage(other.url, shop, key=page.key) as tab:
            assert tab.welcome["known"]
            ticket = Message.objects.get().ticket
            said = ["line 1"]
            for number in range(2, 8, 3):  # here, there, and by the agent, who is with neither
                page.say(f"line {number}")
                has(tab, [*said, f"line {number}"])
                tab.say(f"line {number + 1}")
                reply.reply(ticket, by=sana, text=f"line {number + 2}")
                said += [f"line {number + more}" for more in range(3)]
                has(page, said)
                has(tab, said)
            assert texts(page) == list(Message.objects.order_by("pk").values_list("text", flat=True))
            # They close the page at one process and are still with the other: nobody is told that they are gone.
            seen = Visitor.objects.get().last_seen_at
            page.close()
            until(lambda: Visitor.objects.get().last_seen_at > seen, "the other process says so")
            reply.reply(ticket, by=sana, text="Still there?")
            has(tab, [*said, "Still there?"])
            assert Visitor.objects.get().gone_at is None
    connection.close()


def test_who_was_seen_since_the_others_were_asked_is_with_one_of_them() -> None:
    here, gone = (cast.visitor_of(cast.chat_channel(name)) for name in ("One", "Two"))
    asked_at = timezone.now()
    Visitor.objects.update(last_seen_at=asked_at - timedelta(seconds=10))
    Visitor.objects.filter(pk=here.pk).update(last_seen_at=asked_at)
    presence.left([here.pk, gone.pk], asked_at)
    assert list(Visitor.objects.filter(gone_at__isnull=False)) == [gone]
    presence.back(gone.pk)
    assert not Visitor.objects.filter(gone_at__isnull=False).exists()
