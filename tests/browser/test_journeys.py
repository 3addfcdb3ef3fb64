"""Reading, answering, looking: what an agent does all day, by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from inbox.actions.work import Outcome
from inbox.models import Agent, Attachment, Message, Team, Ticket
from tests.browser.conftest import Open, deafen

Mail = Callable[..., Outcome]

HOSTILE = """<script>top.document.title = "taken"</script><img src=x onerror="top.document.title='taken'">
<svg onload="top.document.title='taken'"></svg><a href="javascript:top.document.title='taken'">click</a>
<iframe srcdoc="<script>top.document.title='taken'</script>"></iframe><b>Hello</b>
<img src="http://localhost:1/pixel.gif"><style>body { background: url(http://localhost:1/x) }</style>
<form action="/profile/" method="post"><button id="bait">Win</button></form>"""


def test_a_note_looks_and_is_called_otherwise(open_as: Open, sana: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    page.locator("#stream").click()
    page.keyboard.press("n")
    expect(page.get_by_role("button", name="Add note")).to_be_visible()
    expect(page.locator("#send")).to_be_hidden()
    page.keyboard.type("Ask the warehouse")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message.note")).to_contain_text("Ask the warehouse")
    assert not Message.objects.filter(direction="out").exists()


def test_nothing_of_a_hostile_mail_runs_or_loads(open_as: Open, sana: Agent, mail: Mail) -> None:
    number = mail("Hello <script>top.document.title='taken'</script>", "x", html=HOSTILE).ticket
    asked: list[str] = []
    page = open_as(sana, "/?view=open")
    page.on("request", lambda request: asked.append(request.url))
    page.locator(f"#row-{number}").click()
    frame = page.frame_locator("iframe.mail")
    expect(frame.locator("b")).to_have_text("Hello")
    page.wait_for_timeout(500)
    assert "taken" not in page.title().replace("title='taken'", "")
    assert not [url for url in asked if "localhost:1/" in url]
    assert frame.locator("script, iframe, form, svg, style:not(head style)").count() == 0


def test_files_go_along(open_as: Open, sana: Agent, mail: Mail, tmp_path: Path) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    path = tmp_path / "label.txt"
    path.write_text("parcel label")
    page.locator("#composer [name=files]").set_input_files(path)
    expect(page.locator("#uploads [data-upload]")).to_contain_text("label.txt")
    page.locator("#text").fill("See the file.")
    page.locator("#send-solve").click()
    expect(page.locator(".message.out .file")).to_contain_text("label.txt")
    assert Attachment.objects.get().message is not None
    assert Ticket.objects.get(pk=number).status == "solved"
    with page.expect_download() as download:
        page.locator(".message.out .file").click()
    assert Path(download.value.path()).read_text() == "parcel label"


def test_what_cannot_be_sent_stays_in_the_composer(open_as: Open, sana: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    page.locator("#recipients summary").click()
    page.locator("[name=to]").fill("nonsense")
    page.locator("#text").fill("Hello")
    page.locator("#send").click()
    expect(page.locator("#composer-problem")).to_contain_text("nonsense")
    expect(page.locator("#text")).to_have_value("Hello")


def test_a_phone_shows_one_pane(open_as: Open, sana: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, "/?view=open", width=390, height=844)
    expect(page.locator("#main")).to_be_hidden()
    page.locator(f"#row-{number}").click()
    expect(page.locator("#list")).to_be_hidden()
    expect(page.locator("#composer")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Back to the list").click()
    expect(page.locator("#list")).to_be_visible()
    page.get_by_role("button", name="Views").click()
    page.locator("#views").get_by_role("link", name="Unassigned").click()
    expect(page.locator("#list h2").first).to_have_text("Unassigned")


def test_going_back_in_history(open_as: Open, sana: Agent, mail: Mail) -> None:
    first, second = mail("The first").ticket, mail("The second", sender="b@example.com").ticket
    page = open_as(sana, "/?view=open")
    page.locator(f"#row-{first}").click()
    expect(page.locator(f"main[data-ticket='{first}']")).to_be_visible()
    page.locator(f"#row-{second}").click()
    expect(page.locator(f"main[data-ticket='{second}']")).to_be_visible()
    page.go_back()
    expect(page.locator(f"main[data-ticket='{first}']")).to_be_visible()
    expect(page).to_have_url(page.url.split("/tickets")[0] + f"/tickets/{first}/")


def test_a_draft_that_was_sent_after_all_is_gone(open_as: Open, sana: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    page.route("**/messages/", lambda route: (route.fetch(), route.abort()))  # it arrives, its answer does not
    page.route("**/draft/", lambda route: route.abort())  # whose answer says that it was sent
    deafen(page)  # nor is it seen
    page.locator("#text").fill("It arrives on Thursday.")
    page.locator("#send").click()
    expect(page.locator("#composer-problem")).to_be_visible()
    expect(page.locator("#text")).to_have_value("It arrives on Thursday.")
    page.unroute("**/messages/")
    page.unroute("**/draft/")
    page.reload()
    expect(page.locator(".message.out")).to_contain_text("It arrives on Thursday.")
    expect(page.locator("#text")).to_have_value("")
    assert Message.objects.filter(direction="out").count() == 1


def test_a_second_try_after_a_lost_answer_sends_nothing_twice(open_as: Open, sana: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    page.route("**/messages/", lambda route: (route.fetch(), route.abort()))
    page.route("**/draft/", lambda route: route.abort())
    deafen(page)
    page.locator("#text").fill("It arrives on Thursday.")
    page.locator("#send").click()
    expect(page.locator("#composer-problem")).to_be_visible()
    page.unroute("**/messages/")
    page.unroute("**/draft/")
    page.locator("#send").click()
    expect(page.locator("#text")).to_have_value("")
    assert Message.objects.filter(direction="out").count() == 1


# Which of what is around an element hides a part of it; nothing where all of it shows.
CUT_OFF_BY = """panel => {
  const { left, right, top, bottom } = panel.getBoundingClientRect()
  if (left < 0 || top < 0 || right > innerWidth || bottom > innerHeight) return "the window"
  if (getComputedStyle(panel).position === "fixed") return ""
  for (let around = panel.offsetParent; around; around = around.parentElement) {
    const box = around.getBoundingClientRect()
    const { overflowX, overflowY } = getComputedStyle(around)
    if (overflowX !== "visible" && (left < box.left - 1 || right > box.right + 1)) return around.id || around.className
    if (!["visible", "auto", "scroll"].includes(overflowY) && (top < box.top - 1 || bottom > box.bottom + 1))
      return around.id || around.className
  }
  return ""
}"""


@pytest.mark.parametrize("language", ["en", "ur"])
def test_menus_fit_their_page(open_as: Open, sana: Agent, mail: Mail, language: str) -> None:
    sana.language = language
    sana.save()
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/", width=390, height=844)
    for width, height in ((390, 844), (1100, 800), (1366, 768), (1440, 900), (1800, 900)):
        page.set_viewport_size({"width": width, "height": height})
        for menu in ("#assign-menu", "#snooze-menu", "#more-menu", "#recipients", ".message-menu"):
            page.locator(f"{menu} > summary").click()
            expect(page.locator(f"{menu} > .panel")).to_be_visible()
            assert page.locator(f"{menu} > .panel").evaluate(CUT_OFF_BY) == "", (width, menu)
            if menu == "#snooze-menu":  # begins with a field
                expect(page.locator("#snooze-when")).to_be_focused()
            page.keyboard.press("Escape")
    # It is the messages that are chosen, not the rows beside them.
    page.locator("#more-menu > summary").click()
    page.locator("[data-split]").click()
    expect(page.locator(".message .pick").first).to_be_focused()


def test_empty_fields_of_urdu_begin_at_the_right(open_as: Open, sana: Agent, mail: Mail) -> None:
    sana.language = "ur"
    sana.save()
    page = open_as(sana, f"/tickets/{mail('Where is my parcel?').ticket}/")
    direction = "e => getComputedStyle(e).direction"
    assert page.locator("#text").evaluate(direction) == "rtl"
    assert page.locator("#tags-input").evaluate(direction) == "rtl"
    page.locator("#text").fill("Hello")
    assert page.locator("#text").evaluate(direction) == "ltr"
    for name in ("to", "cc", "bcc"):
        field = page.locator(f"[name={name}]")
        assert field.evaluate(direction) == "ltr" and field.get_attribute("dir") == "ltr"


def test_switching_views_leaves_the_frame(open_as: Open, sana: Agent, mail: Mail) -> None:
    mail("Where is my parcel?")
    page = open_as(sana, "/?view=open")
    page.locator(".signs summary").click()
    expect(page.locator("#signs dt").first).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("u")
    expect(page.locator("#list h2").first).to_have_text("Unassigned")
    expect(page.locator(".view[aria-current]")).to_contain_text("Unassigned")
    expect(page.locator("#signs dt").first).to_be_visible()


def test_no_pane_is_cut_off(open_as: Open, sana: Agent, mail: Mail) -> None:
    page = open_as(sana, f"/tickets/{mail('Where is my parcel?').ticket}/")
    for width in (1024, 1280, 1340):
        page.set_viewport_size({"width": width, "height": 900})
        for pane in ("#main", "#list", "#who"):
            box = page.locator(pane).bounding_box()
            assert box is None or (box["x"] >= 0 and box["x"] + box["width"] <= width), (width, pane)


@pytest.mark.parametrize("language", ["en", "ur"])
def test_the_header_shows_the_subject_and_keeps_solve_in_reach(
    open_as: Open, sana: Agent, mail: Mail, team: Team, language: str
) -> None:
    sana.language, sana.name = language, "Sana Mahmood-Chaudhry"
    sana.save()
    number = mail("Where are the three blue lamps that I ordered on Tuesday?").ticket
    Ticket.objects.filter(pk=number).update(status="solved", assignee=sana, team=team, priority="urgent")
    page = open_as(sana, f"/tickets/{number}/")
    title, solve = page.locator("#ticket-head h1"), page.locator("#solve")
    for width in (320, 360, 390, 480, 719, 720, 768, 900, 1023, 1024, 1280, 1331, 1332, 1366, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 800})
        solve.click(trial=True)
        box, shown, pane = solve.bounding_box(), title.bounding_box(), page.locator("#main").bounding_box()
        assert box and shown and pane
        assert box["x"] >= pane["x"] and box["x"] + box["width"] <= pane["x"] + pane["width"], width
        assert shown["width"] >= 180, width
        assert solve.evaluate("button => button.scrollWidth <= button.clientWidth"), width
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width


def test_typing_in_the_assign_menu_goes_to_who_is_called_so(
    open_as: Open, sana: Agent, omar: Agent, zoya: Agent, mail: Mail
) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Take it myself")).to_be_focused()
    page.keyboard.type("zo")
    expect(page.locator("#assign-menu .option", has_text="Zoya")).to_be_focused()
    page.clock.install()
    page.clock.run_for(2000)  # a new word
    page.keyboard.type("om")
    page.keyboard.press("Enter")
    expect(page.locator("#assign-menu summary")).to_contain_text("Omar")
    page.keyboard.press("a")
    page.keyboard.type("xe")  # nobody; nor is it solved by the e
    page.keyboard.press("Enter")
    expect(page.locator("#assign-menu")).not_to_have_attribute("open", "")
    ticket = Ticket.objects.get(pk=number)
    assert (ticket.assignee, ticket.status) == (omar, "open")


def test_keys_are_explained_where_there_are_some(open_as: Open, sana: Agent) -> None:
    page = open_as(sana, "/")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts div", has_text="Go to Unassigned").last).to_contain_text("g then u")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_visible()
    phone = open_as(sana, "/", width=390, height=844, has_touch=True, is_mobile=True)
    expect(phone.get_by_role("button", name="Keyboard shortcuts")).to_be_hidden()
    expect(phone.get_by_role("link", name="Settings")).to_be_visible()


def test_the_palette_does_and_goes(open_as: Open, sana: Agent, mail: Mail) -> None:
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/")
    page.keyboard.press("Control+k")
    page.keyboard.type("take it")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Take it myself")
    page.keyboard.press("Enter")
    expect(page.locator("#palette")).to_be_hidden()
    expect(page.locator("#assign-menu summary")).to_contain_text("Sana")
    page.keyboard.press("Control+k")
    page.keyboard.type("unassigned")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Unassigned")
    page.keyboard.press("Enter")
    expect(page.locator("#listing .bar h2")).to_have_text("Unassigned")
    page.keyboard.press("Control+k")
    page.keyboard.type(f"#{number}")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("Where is my parcel?")
    page.keyboard.press("Enter")
    expect(page.locator("#ticket-head h1")).to_have_text("Where is my parcel?")
