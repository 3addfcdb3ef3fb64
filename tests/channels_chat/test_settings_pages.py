"""The pages of a chat's settings: each section saves itself alone, rows come and go, and only admins get near."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from channels_chat import drafts
from channels_chat.forms import SECRET
from channels_chat.sections import SECTIONS
from inbox import audit
from inbox.actions import channels
from inbox.models import Agent, Channel, Event, Team
from tests.channels_chat.test_forms import GOOD

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat(team: Team) -> Channel:
    place = channels.Place("Shop", default_team=team, teams=(team,))
    return channels.create("chat", "shop", GOOD, by=None, place=place)


@pytest.fixture
def admin(zoya: Agent) -> Client:
    browser = Client()
    browser.force_login(zoya)
    return browser


def at(*parts: str) -> str:
    return "/".join(["/settings/channels/shop/chat", *parts, ""])


def inputs(page: str) -> dict[str, str]:
    """What the form of a page would post as it stands."""
    form = re.search(r'<form class="form chat-form".*?</form>', page, re.DOTALL)
    assert form
    found: dict[str, str] = {}
    tags = r"<input ([^>]*)>|<textarea ([^>]*)>\n(.*?)</textarea>|<select ([^>]*)>(.*?)</select>"
    for one in re.finditer(tags, form[0], re.DOTALL):
        attrs = dict(re.findall(r'(\w+)="([^"]*)"', one[1] or one[2] or one[4]))
        if one[1]:
            if attrs.get("type") in ("checkbox", "radio") and not re.search(r"\bchecked\b", one[1]):
                continue
            found[attrs["name"]] = attrs.get("value", "")
        elif one[2]:
            found[attrs["name"]] = one[3]
        else:
            chosen = re.search(r'value="([^"]*)" selected', one[5]) or re.search(r'value="([^"]*)"', one[5])
            found[attrs["name"]] = chosen[1] if chosen else ""
    return {name: value.replace("&quot;", '"').replace("&#x27;", "'") for name, value in found.items()}


def opened(browser: Client, *parts: str) -> dict[str, str]:
    answer = browser.get(at(*parts))
    assert answer.status_code == 200, parts
    return inputs(answer.content.decode())


def stored() -> dict[str, Any]:
    return dict(Channel.objects.get(slug="shop").settings)


@pytest.mark.parametrize("key", [one.key for one in SECTIONS])
def test_a_section_that_is_saved_as_it_stands_changes_nothing_else(admin: Client, chat: Channel, key: str) -> None:
    answer = admin.post(at(key), opened(admin, key))
    assert answer.status_code == 302, re.findall(r"errorlist.*?</", answer.content.decode())
    now = stored()
    section = next(one for one in SECTIONS if one.key == key)
    assert {name for name in now if now[name] != GOOD.get(name)} <= {*section.names, "flow"} - (
        {"flow"} if key != "bot" else set()
    )
    assert set(now) >= set(GOOD)
    for name in ("origins", "prechat", "topics", "forms", "texts", "hours", "languages", "invitations", "journeys"):
        assert now[name] == GOOD[name]
    assert now["flow"]["steps"] == GOOD["flow"]["steps"]


@pytest.mark.parametrize("parts", [("invitation", "cart"), ("step", "hello")])
def test_an_item_that_is_saved_as_it_stands_stays(admin: Client, chat: Channel, parts: tuple[str, str]) -> None:
    assert admin.post(at(*parts), opened(admin, *parts)).status_code == 302
    invitation = stored()["invitations"][0]
    defaults = {"on": True, "agents": False, "every_hours": 24, "most": 3}
    assert {**defaults, **GOOD["invitations"][0]} == {**defaults, **invitation, "any": GOOD["invitations"][0]["any"]}
    assert stored()["flow"]["steps"] == GOOD["flow"]["steps"]


def test_rows_come_go_and_move_without_being_saved(admin: Client, chat: Channel) -> None:
    page = opened(admin, "before")

    def press(what: str) -> dict[str, str]:
        answer = admin.post(at("before"), {**page, "do": what})
        assert answer.status_code == 200
        return inputs(answer.content.decode())

    page = press("add topics")
    page |= {"topics.1.label.en": "Returns & refunds", "topics.1.label.ur": "واپسی"}
    page = press("up topics.1")
    assert page["topics.0.label.ur"] == "واپسی"
    assert page["topics.1.key"] == "delivery"
    page = press("out prechat.0")
    assert page["prechat.0.key"] == "size"
    assert "prechat.1.key" not in page
    page["prechat.0.kind"] = "text"
    page = press("again prechat.0.kind")
    assert "prechat.0.options" not in page
    assert stored() == GOOD
    page["topics.0.label.en"] = "Returns"
    assert admin.post(at("before"), page).status_code == 302
    assert [one["key"] for one in stored()["topics"]] == ["returns", "delivery"]
    assert stored()["prechat"] == [{"key": "size", "kind": "text", "label": {"en": "Size"}, "required": True}]


def test_what_is_wrong_stands_at_its_input_and_nothing_is_saved(admin: Client, chat: Channel) -> None:
    page = opened(admin, "queue") | {"queue.offer": "soon", "routes.0.team": "nobody", "routes.0.topic": "delivery"}
    answer = admin.post(at("queue"), page)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert 'id="at-queue-offer-error"' in shown
    assert "soon" in shown
    page = opened(admin, "queue") | {"routes.0.team": "nobody", "routes.0.topic": "delivery"}
    shown = admin.post(at("queue"), page).content.decode()
    assert 'id="at-routes-0-team-error"' in shown
    page = opened(admin, "invitation", "cart") | {"any.0.is": "time", "any.0.value": "<b>soon</b>"}
    shown = admin.post(at("invitation", "cart"), page).content.decode()
    assert 'id="at-any-0-value-error"' in shown
    assert "<b>soon" not in shown
    page = opened(admin, "install") | {"origins": "https://ok.example\nnot a site"}
    assert "not a site: " in admin.post(at("install"), page).content.decode()
    assert stored() == GOOD


def test_a_new_invitation_gets_a_short_name_and_its_place(admin: Client, chat: Channel) -> None:
    page = opened(admin, "new", "invitation")
    page |= {"name": "Cart", "text.en": "Hello", "all.0.is": "url", "all.0.value": "*/cart*"}
    assert admin.post(at("new", "invitation"), page).status_code == 302
    assert [one["key"] for one in stored()["invitations"]] == ["cart", "cart-2"]
    assert admin.post(at("invitation", "cart-2", "arrange"), {"to": "up"}).status_code == 302
    assert [one["key"] for one in stored()["invitations"]] == ["cart-2", "cart"]
    assert admin.post(at("invitation", "cart-2", "arrange"), {"to": "out"}).status_code == 302
    assert [one["key"] for one in stored()["invitations"]] == ["cart"]


def test_steps_are_built_one_after_another_and_dead_ends_refused(admin: Client, chat: Channel) -> None:
    page = opened(admin, "new", "step") | {"key": "more", "say.en": "What about?", "waits": "buttons"}
    answer = admin.post(at("new", "step"), {**page, "do": "again waits"})
    page = inputs(answer.content.decode()) | {"buttons.0.label.en": "Back", "buttons.0.go": "hello"}
    assert admin.post(at("new", "step"), page).status_code == 302
    assert stored()["flow"]["steps"][1]["buttons"] == [{"key": "back", "label": {"en": "Back"}, "go": "hello"}]
    assert stored()["flow"]["on"] is True
    admin.post(at("step", "hello", "arrange"), {"to": "out"})
    assert [one["key"] for one in stored()["flow"]["steps"]] == ["hello", "more"]
    assert admin.post(at("new", "step"), page).status_code == 422


def test_the_secret_is_shown_to_admins_on_request_and_both_are_written_down(admin: Client, chat: Channel) -> None:
    secret = chat.secrets[SECRET]
    assert secret not in admin.get(at("install")).content.decode()
    assert secret not in admin.get("/settings/channels/shop/").content.decode()
    answer = admin.post(at("secret"))
    assert answer["Location"] == at("install") + "#secret"
    assert secret in admin.get(at("install")).content.decode()
    assert secret not in admin.get(at("install")).content.decode()  # once
    admin.post(at("secret"))
    assert secret not in admin.get(at("look")).content.decode()  # somewhere else: then it is forgotten
    assert secret not in admin.get(at("install")).content.decode()
    shown = admin.post(at("secret"), {"new": "yes"}, follow=True).content.decode()
    now = Channel.objects.get(slug="shop").secrets[SECRET]
    assert now in shown
    assert now != secret
    kinds = [event.kind for event in Event.objects.order_by("pk")][-3:]
    assert kinds == ["chat_secret_shown", "channel_changed", "chat_secret_shown"]
    assert all(line.known for line in audit.page().lines)


def test_the_preview_shows_what_nobody_has_saved(admin: Client, chat: Channel) -> None:
    page = opened(admin, "look") | {"colour": "#aa3344", "name": "Nobody's <b>"}
    name = admin.post(at("look"), {**page, "do": "preview"}).content.decode()
    assert len(name) == 32
    assert stored() == GOOD
    script = admin.get(at("preview") + f"widget.js?draft={name}").content.decode()
    assert "#aa3344" in script.lower()
    assert chat.token not in script
    answer = admin.get(at("preview"), {"draft": name, "language": "ur", "shows": "chat"})
    assert 'dir="rtl"' in answer.content.decode()
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    again = admin.post(at("look"), {**page, "colour": "teal", "do": "preview", "draft": name})
    assert again.content.decode() == name
    kept = drafts.kept(chat.pk, name)
    assert kept is not None
    assert kept["colour"] == GOOD["colour"]
    page = opened(admin, "invitation", "cart") | {"text.en": "Half a sen"}
    name = admin.post(at("invitation", "cart"), {**page, "do": "preview"}).content.decode()
    assert "Half a sen" in admin.get(at("preview"), {"draft": name, "invitation": "cart"}).content.decode()
    assert admin.get(at("preview"), {"draft": "../" * 11}).status_code == 200


def test_unknown_places_are_not_there(admin: Client, chat: Channel, support: Channel) -> None:
    for path in (at("nothing"), at("new", "nothing"), at("step", "nothing"), at("invitation", "nothing")):
        assert admin.get(path).status_code == 404
    assert admin.post(at("invitation", "cart", "arrange"), {"to": "moon"}).status_code == 404
    assert admin.post(at("invitation", "nothing", "arrange"), {"to": "up"}).status_code == 404
    for path in ("look", "secret", "preview"):
        assert admin.post(f"/settings/channels/support/chat/{path}/").status_code in (404, 405)
    assert admin.get("/settings/channels/support/chat/look/").status_code == 404


def test_hostile_posts_are_answered(admin: Client, chat: Channel) -> None:
    deep = {"topics." + "0." * 40 + "key": "x", "topics.0": "x", "topics.99999.key": "x", "queue": "x", "queue.0": "y"}
    deep |= {"prechat.0.label": "x", "forms": "[]", "hours.days": "x", "flow.steps.0.key": "x", "__class__": "x"}
    for section in SECTIONS:
        for do in (
            "",
            "add topics",
            "add topics.0.x.0",
            "out ",
            "up topics.99999999999",
            "copy hours.days",
            "preview",
            "\ud7ff",
        ):
            answer = admin.post(at(section.key), {**deep, "do": do})
            assert answer.status_code in (200, 302, 422), (section.key, do)
    assert stored()["flow"]["steps"] == GOOD["flow"]["steps"]
    for what in ("invitation", "step"):
        for do in ("", "add all", "up any.0", "preview"):
            posted = {"all": "x", "any.0": "x", "text": "x", "buttons": "x", "ask": "x", "do": do}
            assert admin.post(at("new", what), posted).status_code in (200, 422)


def test_queries_of_a_section_are_few(
    admin: Client, chat: Channel, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for section in SECTIONS:
        with django_assert_max_num_queries(9):
            admin.get(at(section.key))


def test_who_may_not_change_channels_gets_nowhere(chat: Channel, sana: Agent, omar: Agent, lena: Agent) -> None:
    for agent in (sana, omar, lena):
        browser = Client()
        browser.force_login(agent)
        for path in (at("look"), at("step", "hello"), at("preview"), at("preview") + "widget.js"):
            assert browser.get(path).status_code == 403
        assert browser.post(at("secret")).status_code == 403
        assert browser.post(at("look"), {"colour": "#000000"}).status_code == 403
    assert stored() == GOOD
    assert Client().get(at("look")).status_code == 302


def test_connecting_asks_for_little_and_says_which_site_is_none(admin: Client) -> None:
    path = "/settings/channels/new/chat/"
    page = {"name": "Second", "origins": "https://second.example\nthird"}
    answer = admin.post(path, page)
    assert answer.status_code == 422
    assert "third: " in answer.content.decode()
    assert admin.post(path, {**page, "origins": "https://second.example"}).status_code == 302
    made = Channel.objects.get(slug="second")
    assert made.settings == {"name": "Second", "origins": ["https://second.example"]}
    assert made.secrets[SECRET]
    change = f"/settings/channels/{made.slug}/settings/"
    made.settings["colour"] = "#123456"
    made.save()
    assert admin.post(change, {"name": "Third", "origins": ""}).status_code == 302
    made.refresh_from_db()
    assert made.settings == {"name": "Third", "colour": "#123456"}
