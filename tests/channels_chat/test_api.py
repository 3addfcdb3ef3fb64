"""/api/v1/chats/, and what webhooks tell of chats."""

from __future__ import annotations

from typing import Any

import pytest

from api.models import Webhook
from api.webhooks import follower
from api.webhooks.payload import Shown
from channels_chat.actions import after, endings, queueing
from channels_chat.models import Chat, ChatState
from inbox.models import Agent, Channel, Event, Message, Team
from tests.api.conftest import Api
from tests.channels_chat.cast import chat_channel, fresh, waiting


@pytest.fixture
def chat(team: Team, sana: Agent) -> Chat:
    return waiting(chat_channel("Ours", team), topic="delivery")


def test_reading(chat: Chat, sana: Agent, omar: Agent, bilal: Agent, shop: Channel) -> None:
    other = waiting(shop, "Bilal")
    endings.end(other, why="left")
    api = Api(sana)
    shown = api.get(f"/chats/{chat.pk}/").json()
    assert (shown["ticket"], shown["state"], shown["place"], shown["agent"]) == (
        chat.engagement.ticket_id,
        "waiting",
        1,
        None,
    )
    assert (shown["team"]["slug"], shown["customer"]["name"], shown["topic"]) == ("support", "Ayesha", "delivery")

    def found(query: str, who: Agent = sana) -> list[int]:
        return [one["id"] for one in Api(who).get(f"/chats/?{query}").json()["results"]]

    assert found("") == [other.pk, chat.pk]
    assert found("state=live") == found("team=support") == found("channel=ours") == [chat.pk]
    assert found("state=ended") == [other.pk] and found("agent=none") == [other.pk, chat.pk]
    assert found("", bilal) == [other.pk]
    assert api.get("/chats/?state=asleep").status_code == 400
    assert Api(bilal).get(f"/chats/{chat.pk}/").status_code == 404


def test_taking_handing_on_and_ending(chat: Chat, sana: Agent, omar: Agent, lena: Agent, bilal: Agent) -> None:
    here = f"/chats/{chat.pk}"
    assert Api(lena).post(f"{here}/accept/", {}).status_code == 403
    assert Api(sana, "read").post(f"{here}/accept/", {}).status_code == 403
    taken = Api(sana).post(f"{here}/accept/", {})
    assert (taken.status_code, taken.json()["agent"]["name"], taken.json()["place"]) == (200, "Sana", None)
    late = Api(omar).post(f"{here}/accept/", {})
    assert (late.status_code, late.json()["code"]) == (409, "taken") and "Sana" in late.json()["detail"]
    for wrong in ({}, {"agent": lena.pk}, {"agent": 2**40}, {"to": omar.pk}):
        assert Api(sana).post(f"{here}/transfer/", wrong).status_code == 400, wrong
    handed = Api(sana).post(f"{here}/transfer/", {"agent": omar.pk, "note": "Customs."}).json()
    assert (handed["state"], handed["agent"]) == ("waiting", None)
    assert Message.objects.filter(ticket=chat.engagement.ticket_id, direction="note", text="Customs.").exists()
    assert Api(bilal).post(f"{here}/end/", {}).status_code == 404
    over = Api(omar).post(f"{here}/end/", {}).json()
    assert (over["state"], over["end"]) == ("ended", "agent")
    assert Api(omar).post(f"{here}/end/", {}).status_code == 200
    assert Api(omar).post(f"{here}/accept/", {}).json()["code"] == "ended"
    assert fresh(chat).state == ChatState.ENDED


def test_webhooks_hear_of_it_without_a_word_of_what_was_said(chat: Chat, sana: Agent, omar: Agent, zoya: Agent) -> None:
    hook = Webhook.objects.create(name="x", url="https://example.com/", events=["*"], owner=zoya)
    Webhook.objects.update(since="2020-01-01T00:00Z")
    queueing.accept(chat, by=sana)
    queueing.transfer(chat, by=sana, to=omar, note="A secret.")
    queueing.accept(chat, by=omar)
    endings.end(chat, why="agent", by=omar)
    Chat.objects.update(first_human_at="2026-01-01T00:00Z")
    after.rate(fresh(chat), 5, "Lovely people")
    lines = list(Event.objects.filter(kind__startswith="chat_").order_by("pk"))
    follower.tell(lines)
    kinds = list(hook.deliveries.order_by("event_id").values_list("kind", flat=True))
    assert kinds == [
        "chat.requested", "chat.accepted", "chat.transferred", "chat.accepted", "chat.ended", "chat.rated",
    ]  # fmt: skip
    shown = Shown.of(lines, zoya)
    told: dict[str, Any] = {one.kind: (shown.payload("x", one) or {})["data"] for one in lines}
    assert told["chat_transferred"]["chat"] == {
        "engagement": chat.engagement_id, "from": sana.pk, "to": omar.pk, "team": None,
    }  # fmt: skip
    assert told["chat_ended"]["chat"]["why"] == "agent"
    assert told["chat_rated"]["chat"]["score"] == 5
    assert told["chat_rated"]["ticket"]["number"] == chat.engagement.ticket_id
    assert not any(word in str(told) for word in ("secret", "Lovely"))
