"""Pictures of live chat from both sides: the widget in the shop, and the agents who answer there."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page

from sandbox import chatting
from tests.screens import VARIANTS, Variant, log_in, opened, picture, prefer

SAID = {
    "en": (
        "Daniel",
        "Hello, does the walnut tray come with a lid?",
        "It does not, but we have a matching one for Rs 900.",
    ),
    "ur": (
        "ماریہ",
        "السلام علیکم، کیا شال سرخ رنگ میں بھی ہے؟",
        "وعلیکم السلام! جی ہاں، سرخ اور نیلے رنگ میں بھی ہے۔",
    ),
}
FIELDS = {language: [one["label"][language] for one in chatting.SETTINGS["prechat"]] for language in SAID}


def chats(browser: Browser, address: str, out: Path) -> None:
    """Two visitors chat with Sana, who has both before her."""
    desk = opened(browser, address, VARIANTS[0])
    log_in(desk, "sana", VARIANTS[0])
    desk.goto("/chats/")
    visitors = {variant.language: _begins(browser, address, variant, out) for variant in VARIANTS[:3:2]}
    for name, _asked, _answer in SAID.values():
        desk.locator("#desk-rail .chat-row", has_text=name).locator("form[data-accepts] button").click()
        desk.locator(".chat", has_text=name).wait_for()
    for language, (name, _asked, answer) in SAID.items():
        area = desk.locator(".chat", has_text=name).locator("textarea[name=text]")
        area.fill(answer)
        area.press("Enter")
        visitors[language].locator("rabta-chat").get_by_role("log").get_by_text(answer).wait_for()
    for variant in VARIANTS:
        _dress(visitors["ur" if variant.language == "ur" else "en"], variant)
        picture(visitors["ur" if variant.language == "ur" else "en"], out, f"widget.{variant.name}")
        desk.goto("/")
        _dress(desk, variant)
        prefer(desk, variant)
        for name, path in (("chats", "/chats/"), ("chat-visitors", "/chats/visitors/")):
            desk.goto(path)
            desk.wait_for_load_state("networkidle")
            picture(desk, out, f"{name}.{variant.name}")
    for page in (desk, *visitors.values()):
        page.context.close()


def _dress(page: Page, variant: Variant) -> None:
    page.set_viewport_size({"width": variant.width, "height": variant.height})
    page.emulate_media(color_scheme="dark" if variant.scheme == "dark" else "light")


def _begins(browser: Browser, address: str, variant: Variant, out: Path) -> Page:
    language = variant.language
    name, text, _answer = SAID[language]
    page = opened(browser, address, variant)
    page.goto(f"/sandbox/shop/?lang={language}")
    page.wait_for_function("Boolean(window.Rabta?.open)")
    page.evaluate("Rabta.open()")
    form = page.locator("rabta-chat .cards")
    form.get_by_label(FIELDS[language][0]).wait_for()
    picture(page, out, f"widget-form.{variant.name}")
    form.get_by_label(FIELDS[language][0]).fill(name)
    form.locator("select").select_option("order")
    form.locator("button").last.click()
    area = page.locator("rabta-chat footer textarea, rabta-chat .composer textarea, rabta-chat textarea").last
    area.fill(text)
    area.press("Enter")
    page.locator("rabta-chat").get_by_role("log").get_by_text(text).wait_for()
    return page
