"""A chat's settings by keyboard alone: an invitation gets a condition of another kind, and the preview follows."""

from __future__ import annotations

from playwright.sync_api import expect

from inbox.actions import channels
from inbox.models import Agent, Channel
from sandbox.chatting import SETTINGS
from tests.browser.conftest import Open

INVITATION = "/settings/channels/shop/chat/invitation/checkout/"


def test_an_invitation_is_edited_by_keyboard_and_the_preview_follows(open_as: Open, zoya: Agent) -> None:
    left_out = ("routes", "continuity")
    settings = {name: value for name, value in SETTINGS.items() if name not in left_out}
    channels.create("chat", "shop", settings, by=None)
    page = open_as(zoya, INVITATION)
    keys, preview = page.keyboard, page.frame_locator("iframe")
    teaser = preview.locator("rabta-chat .teaser")
    expect(teaser).to_contain_text("Questions about your order?")
    page.locator("#at-text-en").focus()
    keys.press("Control+a")
    keys.type("Stuck? Ask us.")
    expect(teaser).to_contain_text("Stuck? Ask us.")
    page.get_by_role("button", name="Add a condition").first.focus()
    keys.press("Enter")
    expect(page.locator("#at-all-0-is")).to_be_focused()
    keys.type("seconds on this", delay=60)  # a list is chosen from by what it says
    page.get_by_role("button", name="Move condition 1 down").last.focus()
    keys.press("Enter")  # while the inputs of the choice are on their way
    expect(page.locator("#at-all-0-value")).to_have_value("20")
    expect(page.locator("#at-any-0-value")).to_have_value("*/checkout*")
    expect(page.locator("#row-any\\.1 :focus")).to_have_count(1)
    page.get_by_role("button", name="Save", exact=True).last.focus()
    keys.press("Enter")
    expect(page.get_by_text("Saved.")).to_be_visible()
    [stored] = Channel.objects.get(slug="shop").settings["invitations"]
    assert stored["text"]["en"] == "Stuck? Ask us."
    assert stored["all"] == [{"is": "time", "value": 20}]
    assert [one["value"] for one in stored["any"]] == ["*/checkout*", "*/cart*"]


def test_the_preview_answers_as_the_server_does(open_as: Open, zoya: Agent) -> None:
    channels.create("chat", "shop", {}, by=None)
    page = open_as(zoya, "/settings/channels/shop/chat/look/")
    widget = page.frame_locator("iframe").locator("rabta-chat")
    widget.get_by_role("button", name="More", exact=True).click()
    widget.get_by_role("button", name="End the chat").click()
    widget.get_by_role("dialog", name="End this chat?").get_by_role("button", name="End the chat").click()
    widget.locator(".rate label").nth(4).click()
    widget.locator(".cards button.main").click()
    expect(widget.get_by_text("Thank you for telling us.")).to_be_visible()
    kept = "() => Object.keys(localStorage).filter(name => name.includes(':o:'))"
    assert page.frames[-1].evaluate(kept) == []  # else it would begin anew after a while
