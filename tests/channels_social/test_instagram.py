"""An Instagram account, against its emulator: direct messages and comments, both ways."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar, cast

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from pytest_django.live_server_helper import LiveServer

from channels_social import errors, graph, posts, profiles
from channels_social.instagram.adapter import InstagramAdapter
from inbox import delivery, tending
from inbox.actions import reply, uploads
from inbox.actions.errors import ActionError
from inbox.adapters import DeliveryError, adapter_for
from inbox.models import Agent, Channel, Customer, Identity, Message, Picture, Reach, RemoteFile, Ticket
from sandbox.phones import chats, faces, instagram, messenger
from sandbox.phones.models import Account, Line, Person
from tests.adapter_contract import AdapterContract
from tests.channels_social.meta import IG, PNG, MetaContract, connect, open_account, subscribe, taken_in


@pytest.fixture
def ig(platforms: str) -> Account:
    return open_account("instagram", platforms)


@pytest.fixture
def channel(platforms: str, ig: Account, live_server: LiveServer) -> Channel:
    found = connect(platforms, ig)
    subscribe(found, ig, live_server.url)
    return found


@pytest.fixture
def ana(ig: Account) -> Person:
    return messenger.meet(ig, "Ana Silva")


@pytest.mark.servers
class TestContract(MetaContract, AdapterContract):
    kind = "instagram"
    good_settings: ClassVar[dict[str, Any]] = {"ig_id": IG, "token": "t", "app_secret": "s", "comments": False}

    @pytest.fixture(autouse=True)
    def _server(self, platforms: str, live_server: LiveServer) -> None:
        self._open(platforms, live_server)


@pytest.mark.servers
def test_a_picture_that_is_hidden_stays_and_one_that_is_gone_goes(channel: Channel, ig: Account, ana: Person) -> None:
    faces.give(ana)
    messenger.text(ig, ana, "Hello")
    customer, identity = taken_in(ig).customer, Identity.objects.get()

    def picture() -> str:
        Picture.objects.update(due_at=timezone.now())
        profiles.fetch(channel.pk, [identity.pk])
        customer.refresh_from_db()
        return customer.picture

    shown = picture()
    assert shown.startswith("pictures/")
    chats.remember(ana, hides_profile=True)
    assert picture() == shown
    chats.remember(ana, hides_profile=None, photo=None)  # as Instagram says it: null
    assert picture() == ""


@pytest.mark.servers
def test_a_conversation_both_ways(channel: Channel, ig: Account, ana: Person, sana: Agent) -> None:
    line = messenger.text(ig, ana, "Hello")
    ticket = taken_in(ig)
    identity = Identity.objects.get()
    assert (identity.kind, identity.scope) == ("instagram", f"ig:{IG}")
    assert profiles.fetch(channel.pk, [identity.pk]) == 1
    assert Customer.objects.get().name == "Ana Silva"
    first = reply.reply(ticket, by=sana, text="One")
    second = reply.reply(ticket, by=sana, text="é" * 501)  # bytes are counted: two messages
    assert delivery.deliver(channel.pk) == 2
    assert Line.objects.filter(ours=True).count() == 3
    taken_in(ig)
    messenger.read(ig, ana)
    taken_in(ig)
    for message in (first, second):
        message.refresh_from_db()
    assert (first.state, second.state, Message.objects.count()) == ("read", "read", 3)
    messenger.react(ig, ana, Line.objects.filter(ours=True).earliest("pk"), "❤️")
    messenger.edit(ig, ana, line, "Hello!")
    taken_in(ig)
    first.refresh_from_db()
    said = Message.objects.earliest("pk")
    assert (first.reactions[0]["emoji"], said.text) == ("❤️", "Hello!")
    messenger.react(ig, ana, Line.objects.filter(ours=True).earliest("pk"), "")
    messenger.unsend(ig, ana, line)
    taken_in(ig)
    first.refresh_from_db()
    said.refresh_from_db()
    assert (first.reactions[0]["emoji"], said.text, said.withdrawn_at is not None) == ("", "", True)
    messenger.answer_in_app(ig, ana, "From the app")
    taken_in(ig)
    assert Message.objects.latest("pk").origin == "echo"


@pytest.mark.servers
def test_stories_are_shown_where_they_are(
    channel: Channel, ig: Account, ana: Person, sana: Agent, client: Client, settings: Any
) -> None:
    messenger.story_reply(ig, ana, "nice", "https://lookaside.example/s")
    messenger.story_mention(ig, ana, PNG, "image/png")
    messenger.unsupported(ig, ana)
    ticket = taken_in(ig)
    answer, mention, unsupported = ticket.messages.order_by("pk")
    assert (answer.text, answer.payload["story"]["url"]) == ("nice", "https://lookaside.example/s")
    assert (mention.content_kind, mention.payload["story"]["kind"]) == ("story", "mention")
    assert mention.payload["story"]["url"].startswith("http") and not RemoteFile.objects.exists()
    assert unsupported.content_kind == "unsupported" and unsupported.payload["raw"]["is_unsupported"] is True
    client.force_login(sana)
    page = client.get(f"/tickets/{ticket.pk}/").text
    assert page.index("About your story") < page.index("nice", page.index("<article"))
    assert 'href="https://lookaside.example/s"' in page
    seen = escape(mention.payload["story"]["url"])
    assert seen.startswith("http://") and f'href="{seen}"' in page  # the demo's platforms have no certificates
    settings.ALLOW_PRIVATE_NETWORKS = False
    page = client.get(f"/tickets/{ticket.pk}/").text
    assert seen not in page and 'href="https://lookaside.example/s"' in page


@pytest.mark.usefixtures("queued_before")
@pytest.mark.servers
def test_files_that_instagram_takes(channel: Channel, ig: Account, ana: Person, sana: Agent) -> None:
    messenger.text(ig, ana, "Hello")
    ticket = taken_in(ig)
    states = []
    for name, kind in (("a.png", "image/png"), ("a.pdf", "application/pdf")):
        content = PNG if kind == "image/png" else b"%PDF-1.7 x"
        file = uploads.upload(by=sana, name=name, content_type=kind, content=content)
        message = reply.reply(ticket, by=sana, attachments=[file.pk])
        delivery.deliver(channel.pk)
        message.refresh_from_db()
        states.append(message.state)
    assert states == ["sent", "failed"]


@pytest.mark.servers
def test_comments_and_their_answers(channel: Channel, ig: Account, ana: Person, sana: Agent, client: Client) -> None:
    bo = messenger.meet(ig, "Bo Berg")
    post = instagram.post(ig, "New shoes")
    price = instagram.comment(ig, ana, post, "Price?")
    instagram.comment(ig, bo, price, "And size?")
    ticket = taken_in(ig)
    assert Ticket.objects.count() == 1 and ticket.messages.count() == 2
    first = ticket.messages.earliest("pk")
    assert posts.fetch(channel.pk, [first.pk]) == 1
    first.refresh_from_db()
    assert first.payload["post"]["text"] == "New shoes"
    client.force_login(sana)
    shown = client.get(f"/tickets/{ticket.pk}/messages/{first.pk}/post/")
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert ticket.thread_key == f"comment:{price.external_id}"
    assert not Reach.objects.exists()  # a comment opens no window
    assert set(Identity.objects.values_list("scope", "name")) == {(f"ig:{IG}", "ana.silva"), (f"ig:{IG}", "bo.berg")}
    with pytest.raises(ActionError, match="300"):
        reply.reply(ticket, by=sana, text="x" * 301, options={"way": "public", "public_ok": "yes"})
    message = reply.reply(ticket, by=sana, text="30", options={"way": "public", "public_ok": "yes"})
    assert delivery.deliver(channel.pk) == 1
    message.refresh_from_db()
    assert Line.objects.get(external_id=message.external_id).reply_to == price.external_id
    instagram.add(ig, None, price, "By hand")
    taken_in(ig)
    assert list(ticket.messages.filter(direction="out").order_by("pk").values_list("origin", flat=True)) == [
        "channel", "echo"
    ]  # fmt: skip
    private = reply.reply(ticket, by=sana, text="Here", options={"way": "private"})
    assert delivery.deliver(channel.pk) == 1
    private.refresh_from_db()
    assert private.payload["private_to"] == bo.external_id  # who commented last
    messenger.text(ig, bo, "Thanks")
    assert taken_in(ig) == ticket and Ticket.objects.count() == 1
    messenger.text(ig, ana, "Something else")
    assert taken_in(ig) != ticket  # she was not answered in private: her comments stay a matter of their own


@pytest.mark.servers
def test_a_live_broadcast_takes_no_public_answer(channel: Channel, ig: Account, ana: Person, sana: Agent) -> None:
    instagram.comment(ig, ana, instagram.post(ig, "Live", live=True), "Price?")
    ticket = taken_in(ig)
    with pytest.raises(ActionError):
        reply.reply(ticket, by=sana, text="30", options={"way": "public", "public_ok": "yes"})
    reply.reply(ticket, by=sana, text="30", options={"way": "private"})
    assert delivery.deliver(channel.pk) == 1


@pytest.mark.servers
def test_the_token_is_made_good_again_in_time(channel: Channel, ig: Account, platforms: str) -> None:
    adapter = adapter_for("instagram")
    lines = adapter.check(channel)
    assert all(line.ok for line in lines), lines
    ends = adapter.tend(channel)
    assert "expires_at" not in ends  # good for long: not asked again
    channel.refresh_from_db()
    assert adapter.warnings(channel) == [] and channel.condition["expires_at"]
    channel.condition["expires_at"] = (timezone.now() + timedelta(days=3)).isoformat()
    assert "expires" in adapter.warnings(channel)[0]
    assert adapter.tend(channel)["expires_at"] > channel.condition["expires_at"]
    assert tending.tend(channel.pk) and tending.tend(channel.pk)
    channel.refresh_from_db()  # that nobody asked again does not make it forgotten
    known = adapter.login_ends_at(channel)
    assert known is not None and known > timezone.now() + timedelta(days=45)
    chats.arrange(ig, subscribed_fields=[])
    assert adapter.tend(channel)["missing"] == []
    chats.arrange(ig, token_state="expired")
    assert not adapter.check(channel)[0].ok


ME = {"id": "9988776655", "user_id": IG, "username": "rabta.shop"}


class Told:
    """The Graph API by what it answers to each path; a refusal is raised."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.token = "t"

    def get(self, path: str, **_params: Any) -> Any:
        found = self.answers[path.rpartition("/")[2]]
        if isinstance(found, DeliveryError):
            raise found
        return found


def of_account(own: str = IG) -> Channel:
    channel = Channel(kind="instagram", slug="ig", name="IG", settings={"ig_id": own})
    channel.secrets = {"token": "t", "app_secret": "s"}
    return channel


def test_the_number_of_the_account_is_the_one_that_its_news_bear() -> None:
    """For each app the account has another number besides, under which nothing comes."""
    adapter = adapter_for("instagram")
    assert isinstance(adapter, InstagramAdapter)
    for told in (ME, {"data": [ME]}, {"id": IG, "username": "rabta.shop"}):
        assert adapter.who(cast("graph.Graph", Told(me=told)), of_account()) == {"name": "rabta.shop"}
    for wrong, said in (("9988776655", IG), ("123", "another")):
        with pytest.raises(DeliveryError, match=said):
            adapter.who(cast("graph.Graph", Told(me=ME)), of_account(wrong))


@pytest.mark.parametrize("refused", [errors.auth("no"), errors.permanent("no")])
def test_a_token_that_cannot_be_made_good_again_yet_is_good(refused: DeliveryError) -> None:
    """In its first day it is refused; what is known of the one before says nothing of it."""
    adapter, channel = adapter_for("instagram"), of_account()
    assert isinstance(adapter, InstagramAdapter)
    young = cast("graph.Graph", Told(refresh_access_token=refused))
    over = (timezone.now() - timedelta(days=2)).isoformat()
    channel.condition = {"expires_at": over, "_expires_at": over, "_expires_of": graph.digest("old")}
    channel.condition |= adapter.token_of(young, channel)
    assert adapter.warnings(channel) == []
    channel.condition = {"_expires_at": over, "_expires_of": graph.digest("t")}
    channel.condition |= adapter.token_of(young, channel)
    assert "expired" in adapter.warnings(channel)[0]


def test_an_app_that_is_not_named_among_the_subscribed_is_ours() -> None:
    """Instagram tells each app of itself alone, and does not say which one that is."""
    told = {"data": [{"subscribed_fields": ["messages"]}]}
    assert graph.missing_fields(told, ["messages", "comments"], "1") == ["comments"]
    other = {"data": [{"id": "2", "subscribed_fields": ["messages"]}]}
    assert graph.missing_fields(other, ["messages"], "1") == ["messages"]
