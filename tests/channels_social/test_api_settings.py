"""The generic channel: its settings, and its secrets, told once and changed without a gap."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from standardwebhooks import Webhook as Verifier

from inbox import audit
from inbox.actions import channel_secrets, channels
from inbox.adapters import adapter_for
from inbox.models import Agent, Channel, Role
from inbox.views import hooks
from lib import standard_webhooks
from tests.channels_social.api import SECRET, Far, channel, connect, far, far_side, post, said, sana

__all__ = ["channel", "far", "sana"]


def fresh(channel: Channel) -> Channel:
    return Channel.objects.get(pk=channel.pk)


def test_a_secret_is_made_and_stays(db: None) -> None:
    channel = channels.create("api", "reviews", {}, by=None)
    secret = channel.secrets["signing_secret"]
    assert secret.startswith("whsec_")
    assert "signing_secret" not in channel.settings
    channel = channels.update(channel, settings={"webhook_url": "https://shop.example/x"}, by=None)
    assert channel.secrets["signing_secret"] == secret
    assert not adapter_for("api").settings_form({"signing_secret": "whsec_short"}).is_valid()


def test_plain_http_is_for_private_networks_alone(settings: Settings) -> None:
    form = adapter_for("api").settings_form
    assert form({"webhook_url": "http://127.0.0.1/x"}).is_valid()
    settings.ALLOW_PRIVATE_NETWORKS = False
    assert "webhook_url" in form({"webhook_url": "http://127.0.0.1/x"}).errors
    for wrong in ("shop.example", "ftp://shop.example", "https://", "https://a:b@shop.example", "https://x:99999/"):
        assert "webhook_url" in form({"webhook_url": wrong}).errors, wrong


def test_its_page_shows_where_to_post_and_the_secret_to_nobody(channel: Channel, sana: Agent) -> None:
    omar = Agent.objects.create_user("omar@desk.example", name="Omar", role=Role.MANAGER)
    for agent in (sana, omar):
        client = Client()
        client.force_login(agent)
        page = client.get(f"/settings/channels/{channel.slug}/").content.decode()
        assert f"/hooks/api/{channel.token}/" in page
        assert SECRET not in page
        assert (f"/settings/channels/{channel.slug}/secret/" in page) is (agent == sana)
    assert SECRET not in Client().get(f"/settings/channels/{channel.slug}/settings/").content.decode()
    assert client.post(f"/settings/channels/{channel.slug}/secret/").status_code == 403
    assert channel_secrets.in_force(fresh(channel), "signing_secret") == [SECRET]


def test_a_secret_is_told_once_when_it_is_made_and_when_it_is_rolled(sana: Agent) -> None:
    client = Client()
    client.force_login(sana)
    given = client.post("/settings/channels/new/api/", {"name": "Own", "channel-slug": "own", "signing_secret": SECRET})
    assert "whsec_Q" not in client.get(given["Location"]).content.decode()  # whoever gave it has it
    made = client.post("/settings/channels/new/api/", {"name": "Reviews", "channel-slug": "reviews"})
    channel = Channel.objects.get(slug="reviews")
    first = str(channel.secrets["signing_secret"])
    assert first in client.get(made["Location"]).content.decode()
    assert first not in client.get(made["Location"]).content.decode()
    rolled = client.post("/settings/channels/reviews/secret/")
    second = str(fresh(channel).secrets["signing_secret"])
    assert second != first
    page = client.get(rolled["Location"]).content.decode()
    assert second in page
    assert first not in page
    assert second not in client.get(rolled["Location"]).content.decode()
    told = [line.text for line in audit.page(kind="channel_secret_made").lines]
    assert told == ["Sana made a new secret of the channel Reviews"] * 2


def test_the_former_secret_counts_for_a_day_both_ways(channel: Channel, sana: Agent) -> None:
    second = channel_secrets.roll(channel, by=sana)
    assert post(channel, said("r1"), call="c1").status_code == 200
    assert post(channel, said("r2"), call="c2", secret=second).status_code == 200
    with far_side() as far:
        channel = channels.update(fresh(channel), settings={"webhook_url": far.url}, by=sana)
        assert all(line.ok for line in channels.check(channel))
        [(headers, body)] = far.came
        assert Verifier(SECRET).verify(body, headers) == Verifier(second).verify(body, headers) == {"type": "ping"}
    third = channel_secrets.roll(channel, by=sana)  # and with it the first one ends
    hooks.forget()
    assert post(channel, said("r3"), call="c3").status_code == 403
    assert post(channel, said("r4"), call="c4", secret=second).status_code == 200
    channel = fresh(channel)
    over = (timezone.now() - timedelta(seconds=1)).isoformat()
    channel.secrets = {**channel.secrets, "former_signing_secret": {"secret": second, "until": over}}
    channel.save()
    hooks.forget()
    assert post(channel, said("r5"), call="c5", secret=second).status_code == 403
    assert post(channel, said("r6"), call="c6", secret=third).status_code == 200
    assert channel_secrets.former_until(channel, "signing_secret") is None


def test_a_secret_that_is_given_takes_the_place_of_one_likewise(channel: Channel, sana: Agent) -> None:
    other = standard_webhooks.new_secret()
    channels.update(channel, settings={"signing_secret": other}, by=sana)
    assert channel_secrets.in_force(fresh(channel), "signing_secret") == [other, SECRET]
    [line] = audit.page(kind="channel_changed").lines
    assert line.text == "Sana changed the settings of the channel reviews: the secret"


def test_the_connection_is_tried_with_a_ping(far: Far) -> None:
    channel = connect(far.url)
    assert all(one.ok for one in adapter_for("api").check(channel))
    assert far.told() == [{"type": "ping"}]
    adapter_for("api").tend(channel)
    assert len(far.came) == 1
    far.answers = [(401, {"error": "Who are you?"})]
    assert "Who are you?" in str(adapter_for("api").check(channel)[-1].detail)
    assert not all(one.ok for one in adapter_for("api").check(connect_none(channel)))


def connect_none(channel: Channel) -> Channel:
    channel.settings = {}
    return channel
