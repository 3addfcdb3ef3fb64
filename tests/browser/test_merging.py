"""Two agents on one ticket: what one of them merges, the other sees become part of another one."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from inbox.actions.work import Outcome
from inbox.models import Agent
from tests.browser.conftest import Open

Mail = Callable[..., Outcome]


def test_a_merge_is_seen_by_whoever_has_the_source_open(open_as: Open, mail: Mail, sana: Agent, omar: Agent) -> None:
    first, second = mail("Where is my parcel?", "One.").ticket, mail("My parcel again", "Two.").ticket
    hers, his = open_as(sana, f"/tickets/{second}/"), open_as(omar, f"/tickets/{second}/")
    hers.locator("#more-menu > summary").click()
    hers.get_by_role("link", name="Merge with another ticket").click()
    expect(hers.locator("#merge-into")).to_be_focused()
    hers.locator(f'#sheet [data-fill][value="{first}"]').click()
    hers.keyboard.press("Enter")
    expect(hers.locator("#notices")).to_contain_text(f"#{second} was merged into #{first}.")
    expect(hers.locator("#sheet")).to_be_hidden()
    expect(his.locator("#answer")).to_contain_text(f"This ticket was merged into #{first}.")
    his.get_by_role("link", name=f"Open #{first}").click()
    expect(his.locator("#timeline .message")).to_have_count(2)
    his.locator("#timeline").get_by_role("button", name="Take apart").click()
    expect(his.locator("#timeline .message")).to_have_count(1)
    expect(hers.locator("#composer")).to_be_visible()
