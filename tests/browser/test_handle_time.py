"""A page tells how long its ticket was before the agent: of two tabs the one with the focus, over a reload, and of a
computer that slept nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from inbox.actions.work import Outcome
from inbox.models import Agent
from reports.models import Activity
from tests.browser.conftest import Open

Mail = Callable[..., Outcome]

# The other tab has the focus: here a page always has it. What this one has to tell cannot leave until it is closed.
TURNED_TO = """
Object.defineProperty(WebSocket.prototype, "readyState", { get: () => WebSocket.CLOSED })
document.hasFocus = () => false
window.dispatchEvent(new Event("blur"))
"""
SLEPT = """
const ticks = performance.now.bind(performance), clock = Date.now
performance.now = () => ticks() + 3600000
Date.now = () => clock() + 3600000
"""


def test_two_tabs_a_reload_and_a_sleep(open_as: Open, mail: Mail, sana: Agent) -> None:
    one, other = mail("Where is my parcel?").ticket, mail("My parcel again").ticket
    began = time.time()
    first = open_as(sana, f"/tickets/{one}/")
    first.wait_for_timeout(1700)
    first.evaluate(TURNED_TO)
    turned = time.time()
    second = first.context.new_page()
    second.goto(f"/tickets/{other}/")
    second.locator("#live[data-on]").wait_for(state="attached")
    second.wait_for_timeout(1700)
    second.evaluate(SLEPT)
    second.wait_for_timeout(1300)
    second.mouse.move(300, 300)
    second.mouse.move(310, 300)
    second.wait_for_timeout(1200)
    second.reload()
    second.locator("#live[data-on]").wait_for(state="attached")
    second.wait_for_timeout(1700)
    second.goto("/customers/")
    first.goto("/customers/")
    ended = time.time()
    for _again in range(450):  # what was told by the line is written every 30 s
        spent = told(one, other)
        pages = set(Activity.objects.values_list("page", flat=True))
        if len(pages) == 3 and spent[one] > 1 and spent[other] > 2.5:
            break
        time.sleep(0.1)
    time.sleep(0.5)
    spent = told(one, other)
    rows = Activity.objects.values_list("started_at", "ended_at")
    assert all(began - 2 < start.timestamp() < end.timestamp() < ended + 1 for start, end in rows)
    assert len(pages) == 3
    assert 1 < spent[one] < turned - began + 1, "no longer than it had the focus"
    assert 2.5 < spent[other] < ended - turned + 1, "on over the reload, without the hour"


def told(*tickets: int | None) -> dict[int | None, float]:
    """The seconds that these tickets were before somebody, as told so far."""
    spent: dict[int | None, float] = dict.fromkeys(tickets, 0.0)
    for ticket, start, end in Activity.objects.values_list("ticket_id", "started_at", "ended_at"):
        spent[ticket] += (end - start).total_seconds()
    return spent
