"""What is kept of visitors goes with their customer: erased, exported, merged, pruned; who is blocked stays away."""

import hashlib
import hmac
import json
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import TestCase
from django.utils import timezone

from api import timeline
from channels_chat import intake
from channels_chat.actions import after, continuity, forgetting, identify, visitors
from channels_chat.models import Chat, FlowEntry, InvitationRun, JourneyRun, Visitor
from inbox.actions import blocks, customers, erasing, joining
from inbox.adapters import Party
from inbox.models import Agent, Attachment, Block, BlockKind, Channel, Identity, Message, Role, Ticket
from tests.api.test_erase import dump
from tests.channels_chat import people
from tests.channels_chat.people import answers, leaves, says

pytestmark = pytest.mark.django_db

WORDS = ("zubaida", "qureshi", "personal.example", "nightingale", "47110815", "heliotrope", "3335550147")


@pytest.fixture
def sana(db: None) -> Agent:
    return Agent.objects.create_user("sana@rabta.example", name="Sana", role=Role.ADMIN)


@pytest.fixture
def shop(db: None) -> Channel:
    people.mailbox()
    channel = people.shop()
    channel.secrets = {"identity_secret": "s"}
    channel.save()
    return channel


def erase(ticket: Ticket, by: Agent) -> None:
    with TestCase.captureOnCommitCallbacks(execute=True):
        erasing.erase(ticket.customer, by=by)


def mentions() -> list[str]:
    said = dump().decode("utf-8", "replace").lower()
    return [word for word in WORDS if word in said]


@pytest.fixture
def story(shop: Channel, sana: Agent, settings: Any, tmp_path: Path) -> tuple[Visitor, Ticket]:
    """What somebody leaves behind who chats, is answered by e-mail, rates, and comes back."""
    settings.MEDIA_ROOT = str(tmp_path)
    visitor, ticket = people.visitor(
        shop,
        name="Zubaida Qureshi",
        email="zubaida.q@personal.example",
        phone="+923335550147",
        said="Nightingale street",
    )
    Visitor.objects.filter(pk=visitor.pk).update(
        attributes={"account": "47110815", "_start": {"fields": {"street": "Nightingale"}}},
        pages=[{"url": "https://shop.example/nightingale", "title": "Heliotrope", "at": "2026-11-26T10:00:00+00:00"}],
        referrer="https://search.example/?q=heliotrope",
        user="zubaida-47110815",
    )
    visitor.refresh_from_db()
    identify.wrote(visitor, ticket)
    upload = Attachment.objects.create(
        name="heliotrope.txt", content_type="text/plain", size=1, digest="", stored="", uploaded_by=None
    )
    intake.take([intake.Said(shop, visitor, "c" * 32, "My account is 47110815", files=())])
    Attachment.objects.filter(pk=upload.pk).update(message=Message.objects.filter(direction="in").first())
    chat = Chat.objects.get(visitor=visitor)
    chat.fields, chat.page, chat.topic = {"street": "Nightingale"}, "https://shop.example/nightingale", "heliotrope"
    chat.flow = {"answers": {"name": "Zubaida"}}
    chat.save()
    FlowEntry.objects.create(chat=chat, step="name", what="answered", choice="Zubaida Qureshi")
    JourneyRun.objects.create(channel=shop, journey="checkout", visit="v" * 20, visitor=visitor)
    InvitationRun.objects.create(channel=shop, invitation="cart", visit="v" * 20, visitor=visitor)
    answers(ticket, sana, "Dear Zubaida Qureshi, we come to Nightingale street.")
    leaves(visitor)
    assert continuity.sweep() == 1
    people.mail_back(
        Message.objects.get(payload__has_key="continues"), "47110815, thank you", sender="zubaida.q@personal.example"
    )
    after.rate(Chat.objects.get(pk=chat.pk), 5, "Zubaida says thanks")
    return visitor, ticket


def test_nothing_of_an_erased_visitor_is_left(story: tuple[Visitor, Ticket], sana: Agent) -> None:
    visitor, ticket = story
    assert set(mentions()) == set(WORDS)
    erase(ticket, sana)
    assert mentions() == []
    chat = Chat.objects.get(visitor=visitor)
    assert (chat.score, chat.is_live) == (5, False)  # figures stay
    assert JourneyRun.objects.get().visitor_id is None
    visitor.refresh_from_db()
    assert visitor.ended_at is not None


def test_the_key_of_an_erased_visitor_opens_nothing(shop: Channel, sana: Agent) -> None:
    visitor, key = visitors.meet(shop, {"name": "Ali"})
    ticket = says(visitor, "Hello").ticket
    assert visitors.known(shop, key) is not None
    erase(ticket, sana)
    assert visitors.known(shop, key) is None
    again, _key = visitors.meet(shop, {"name": "Ali"})
    assert says(again, "Me again").customer_id != ticket.customer_id


def test_an_export_tells_visits_and_chats(story: tuple[Visitor, Ticket], sana: Agent) -> None:
    _visitor, ticket = story
    whole = timeline.everything(sana, ticket.customer)
    told = json.dumps(whole["more"], default=str)
    for word in ("heliotrope", "47110815", "Zubaida says thanks", "shop.example/nightingale"):
        assert word in told
    assert "digest" not in told
    stranger = customers.create(by=None, name="Somebody else")
    assert not timeline.everything(sana, stranger)["more"]["chats"]


def test_no_ip_address_is_kept() -> None:
    names = {field.name for model in (Visitor, Chat, JourneyRun, InvitationRun) for field in model._meta.get_fields()}
    assert not names & {"ip", "ip_address", "remote_addr", "user_agent"}


def test_browsers_go_with_their_customer_and_come_back(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop)
    other = customers.create(by=None, name="Known", identities=[Party("email", "known@shop.example")])
    before = ticket.customer
    joining.merge(before, other, by=sana)
    visitor.refresh_from_db()
    assert visitor.customer_id == other.pk
    assert says(visitor, "Hello again").customer_id == other.pk
    before.refresh_from_db()
    joining.unmerge(before, by=sana)
    visitor.refresh_from_db()
    assert visitor.customer_id == before.pk


def test_what_is_old_is_forgotten(shop: Channel, settings: Any) -> None:
    long_ago = timezone.now() - timedelta(days=settings.CHAT_DAYS + 1)
    silent, _key = visitors.meet(shop, {"pages": [{"url": "x"}]})
    spoke, ticket = people.visitor(shop)
    fresh, _key = visitors.meet(shop, {"pages": [{"url": "x"}]})
    Visitor.objects.filter(pk__in=[silent.pk, spoke.pk]).update(last_seen_at=long_ago, pages=[{"url": "x"}])
    JourneyRun.objects.create(channel=shop, journey="checkout", visit="a" * 20, started_at=long_ago)
    JourneyRun.objects.create(channel=shop, journey="checkout", visit="b" * 20)
    InvitationRun.objects.create(channel=shop, invitation="cart", visit="a" * 20, due_at=long_ago)
    settings.CHAT_DAYS, days = 0, settings.CHAT_DAYS
    assert forgetting.prune() == 0
    settings.CHAT_DAYS = days
    assert forgetting.prune() == 1
    assert set(Visitor.objects.values_list("pk", flat=True)) == {spoke.pk, fresh.pk}
    spoke.refresh_from_db()
    assert spoke.pages == [] and Ticket.objects.filter(pk=ticket.pk).exists()
    assert [one.visit for one in JourneyRun.objects.all()] == ["b" * 20]
    assert not InvitationRun.objects.exists()


def test_a_blocked_visitor_is_told_nothing_and_wakes_nobody(shop: Channel, sana: Agent) -> None:
    visitor, ticket = people.visitor(shop, said="Buy pills")
    row = blocks.block_sender(ticket, by=sana)
    assert (row.kind, row.identity_kind, row.value) == (BlockKind.VISITOR, "chat", visitor.address)
    first, second = says(visitor, "More pills"), says(visitor, "Even more")  # taken as ever
    assert first.ticket_id == second.ticket_id == ticket.pk
    assert Ticket.objects.get(pk=ticket.pk).spam
    _other, others = people.visitor(shop, said="An honest question")
    assert not others.spam
    blocks.release(Ticket.objects.get(pk=ticket.pk), by=sana)
    assert not Block.objects.exists()
    assert not says(visitor, "Sorry").ticket.spam


def test_a_blocked_user_of_the_site_is_blocked_in_every_browser(shop: Channel, sana: Agent) -> None:
    first, _key = visitors.meet(shop, {}, user="7")
    blocks.block_sender(says(first, "Buy pills").ticket, by=sana)
    second, _key = visitors.meet(shop, {}, user="7")
    assert says(second, "More pills").ticket.spam


def test_a_user_who_is_blocked_in_one_shop_is_nobody_in_another(shop: Channel, sana: Agent) -> None:
    """Both have a user 7; whoever lets one of them in again, or erases one, leaves the other's block alone."""
    other = Channel.objects.create(kind="chat", name="Other", slug="other")
    theirs, _key = visitors.meet(shop, {}, user="7")
    another, _key = visitors.meet(other, {}, user="7")
    ticket = says(theirs, "Buy pills").ticket
    row = blocks.block_sender(ticket, by=sana)
    assert (row.value, row.scope) == ("u:7", visitors.scope(shop.pk))
    honest = says(another, "Where is my parcel?").ticket
    assert not honest.spam
    assert says(theirs, "More pills").ticket.spam
    blocks.block_sender(honest, by=sana)
    assert Block.objects.count() == 2
    assert says(another, "Hello?").ticket.spam
    blocks.release(Ticket.objects.get(pk=ticket.pk), by=sana)
    assert [one.scope for one in Block.objects.all()] == [visitors.scope(other.pk)]
    assert not says(theirs, "Sorry").ticket.spam
    erase(ticket, sana)
    assert Block.objects.exists()
    erase(honest, sana)
    assert not Block.objects.exists()


def test_blocks_of_before_are_those_of_the_channel_where_they_were_made(shop: Channel, sana: Agent) -> None:
    theirs, _key = visitors.meet(shop, {}, user="7")
    row = blocks.block_sender(says(theirs, "Buy pills").ticket, by=sana)
    mail = blocks.block(BlockKind.ADDRESS, "eve@pest.example", by=sana, ticket=row.ticket)
    Block.objects.update(scope="")
    with connection.cursor() as cursor:
        cursor.execute(import_module("inbox.migrations.0023_blocks_within_a_channel").WHERE_THEY_WROTE)
    assert dict(Block.objects.values_list("pk", "scope")) == {row.pk: visitors.scope(shop.pk), mail.pk: ""}


def test_a_block_without_a_channel_holds_everywhere(shop: Channel, sana: Agent) -> None:
    blocks.block(BlockKind.VISITOR, "u:7", identity_kind="chat", by=sana)
    for channel in (shop, Channel.objects.create(kind="chat", name="Other", slug="other")):
        visitor, _key = visitors.meet(channel, {}, user="7")
        assert says(visitor, "Buy pills").ticket.spam


def test_whoever_is_erased_and_vouched_for_again_is_somebody_new(shop: Channel, sana: Agent) -> None:
    proof = hmac.new(b"s", b"7", hashlib.sha256).hexdigest()
    visitor, _key = visitors.meet(shop, {})
    ticket = says(visitor, "Hello").ticket
    assert identify.identify(visitor, {"id": "7"}, proof)
    erase(ticket, sana)
    assert not identify.identify(visitor, {"id": "7"}, proof)
    again, _key = visitors.meet(shop, {}, user=identify.verify(shop, {"id": "7"}, proof))
    assert says(again, "Hello").customer_id != ticket.customer_id
    assert Identity.objects.active().get(value="u:7").customer_id == again.customer_id
