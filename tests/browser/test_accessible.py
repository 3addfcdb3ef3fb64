"""What axe finds on a phone, and what it does not see. Every page: test_every_page.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from inbox.actions.work import Outcome
from inbox.models import Agent
from tests.browser.conftest import Open


def check(page: Page) -> None:
    page.wait_for_timeout(300)
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    problems = [
        (one["id"], [node["target"] for node in one["nodes"]][:5])
        for one in found.response["violations"]
        if one["impact"] in {"serious", "critical"}
    ]
    assert not problems


def test_a_phone(open_as: Open, mail: Callable[..., Outcome], sana: Agent) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/", width=390, height=844)
    check(page)


CONTRAST = """element => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true })
  const paint = color => {
    context.fillStyle = color
    context.fillRect(0, 0, 1, 1)
    const parts = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map(part => part / 255)
    const [r, g, b] = parts.map(part => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const above = []
  for (let one = element; one; one = one.parentElement) above.unshift(getComputedStyle(one).backgroundColor)
  const ground = above.map(paint).at(-1)
  const [low, high] = [ground, paint(getComputedStyle(element).color)].sort((a, b) => a - b)
  return (high + 0.05) / (low + 0.05)
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_axe_does_not_see(
    open_as: Open, mail: Callable[..., Outcome], sana: Agent, omar: Agent, scheme: str
) -> None:
    number = mail("Where is my parcel?", "It said Tuesday.\n\n> You wrote:\n> Tuesday").ticket
    page = open_as(sana, f"/tickets/{number}/", color_scheme=scheme)
    page.route("**/status/", lambda route: route.fulfill(status=502, body="late"))
    page.locator("#solve").click()
    page.locator(".notice .text-button").wait_for()
    page.wait_for_timeout(400)  # the notice has come to rest
    assert page.locator(".notice .text-button").evaluate(CONTRAST) >= 4.5
    assert page.locator(".fold > summary").first.evaluate(CONTRAST) >= 5.5
