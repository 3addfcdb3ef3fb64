"""Writing in the composer: formatting and pictures, macros by /, colleagues by @, lengths. By keyboard."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from inbox import counting
from inbox.actions import tickets
from inbox.actions.work import Outcome
from inbox.models import Agent, Attachment, Field, Macro, Mention, Message, Ticket
from tests.browser.conftest import Open

Mail = Callable[..., Outcome]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PASTE = """png => {
  const bytes = Uint8Array.from(atob(png), letter => letter.charCodeAt(0))
  const data = new DataTransfer()
  data.items.add(new File([bytes], "slip.png", { type: "image/png" }))
  const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true })
  document.activeElement.dispatchEvent(paste)
}"""


SHOWN = """() => [
  ...["order", "about", "size"].map(key => document.getElementById(`property-attribute-${key}`).value),
  [...document.querySelectorAll("#boxes-attribute-with input:checked")].map(one => one.value).join(),
]"""


def scripts(page: Page) -> list[str]:
    found: list[str] = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    return [name for name in found if "prose_editor" in name]


def test_a_letter_with_formatting_a_picture_and_a_macro(open_as: Open, sana: Agent, omar: Agent, mail: Mail) -> None:
    deeds = [{"set": "assignee", "to": omar.pk}, {"set": "add_tags", "to": ["refund"]}]
    Macro.objects.create(name="Refund", text="Dear {{customer.first_name}},\n\nit is sent.", actions=deeds)
    number = mail("Where is my parcel?").ticket
    page = open_as(sana, f"/tickets/{number}/", rich=True)
    assert scripts(page) == []  # nothing of the editor before somebody writes
    page.keyboard.press("r")
    editor = page.locator("#prose")
    expect(editor).to_be_focused()
    page.keyboard.press("Escape")  # out of it, and in again
    expect(page.locator(f"#row-{number} .go")).to_be_focused()
    page.keyboard.press("r")
    expect(editor).to_be_focused()
    page.keyboard.type("/refe")
    expect(page.locator("#macro-none")).to_be_visible()
    page.keyboard.press("Backspace")
    expect(page.locator("#macro-list [aria-selected=true]")).to_contain_text("Refund")
    expect(page.locator("#macro-preview")).to_contain_text("Dear Ayesha")
    page.keyboard.press("Enter")
    expect(editor).to_contain_text("Dear Ayesha,")
    expect(editor).not_to_contain_text("/ref")
    expect(page.locator("#macro-chips")).to_contain_text("Assignee: Omar")
    page.keyboard.press("Enter")
    page.keyboard.type("- ")
    page.keyboard.press("Control+b")
    page.keyboard.type("اردو")
    page.keyboard.press("Control+b")
    page.evaluate(PASTE, PNG)
    expect(editor.locator("img[data-cid]")).to_be_visible()
    expect(page.locator("#uploads [data-upload]")).to_be_hidden()  # it stands in the text
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message.out .rich strong")).to_have_text("اردو")
    expect(page.locator(".message.out .rich img")).to_be_visible()
    expect(page.locator("#prose")).to_have_count(0)
    message = Message.objects.get(direction="out")
    picture = Attachment.objects.get()
    assert f'src="cid:{picture.content_id}"' in message.html
    assert picture.inline
    assert message.text == "Dear Ayesha,\n\nit is sent.\n\n- اردو[slip.png]"
    ticket = Ticket.objects.get(pk=number)
    assert (ticket.assignee, ticket.tags) == (omar, ["refund"])


def test_each_ticket_shows_its_own(open_as: Open, sana: Agent, omar: Agent, mail: Mail) -> None:
    """Gone to another ticket and back: one editor with what was written, and fields that say what this ticket has."""
    kinds = {"order": "text", "about": "long", "size": "choice", "with": "choices"}
    for key, kind in kinds.items():
        Field.objects.create(noun="ticket", key=key, label=key.title(), kind=kind, choices=["S", "L"])
    filled = {"order": "4711", "about": "A vase", "size": "L", "with": ["S"]}
    one, other = mail("Where is my parcel?").ticket, mail("The bill", sender="bilal@example.com").ticket
    ticket = tickets.set_attributes(Ticket.objects.get(pk=one), filled, by=omar)
    page = open_as(sana, f"/tickets/{one}/", rich=True)
    assert page.evaluate(SHOWN) == ["4711", "A vase", "L", "S"]
    page.keyboard.press("r")
    editor = page.locator("#composer .prose [contenteditable]")
    expect(editor).to_be_focused()
    page.keyboard.type("It is")
    page.locator(f"#row-{other} .go").click()
    page.locator(f"#composer[data-ticket='{other}']").wait_for()
    assert page.evaluate(SHOWN) == ["", "", "", ""]
    page.locator(f"#row-{one} .go").click()
    expect(editor).to_have_text("It is")
    expect(page.locator("#text")).to_be_hidden()
    page.keyboard.press("r")  # and goes on at its end
    page.keyboard.type(" here.")
    expect(page.locator("#text")).to_have_value("It is here.")
    expect(page.locator("#composer .prose")).to_have_count(1)

    # What was set here and a colleague empties is empty; what is being typed stays.
    boxes = page.locator("#boxes-attribute-with")
    for key, value in [("order", "4712"), ("about", "Two")]:
        page.locator(f"#property-attribute-{key}").fill(value)
        page.keyboard.press("Tab")
    page.locator("#property-attribute-size").select_option("S")
    boxes.locator("summary").click()
    boxes.locator("input").last.check()
    expect(boxes.locator("summary")).to_have_text("S, L")
    page.locator("#property-external_id").fill("not yet")
    tickets.set_attributes(ticket, dict.fromkeys(filled), by=omar)
    expect(boxes.locator("summary")).to_have_text("—")
    assert page.evaluate(SHOWN) == ["", "", "", ""]
    expect(page.locator("#property-external_id")).to_have_value("not yet")


def test_a_colleague_is_named_and_told(open_as: Open, sana: Agent, omar: Agent, bilal: Agent, mail: Mail) -> None:
    page = open_as(sana, f"/tickets/{mail('Where is my parcel?').ticket}/")
    page.keyboard.press("n")
    page.keyboard.type("Ask @")
    expect(page.locator("#mention-list [aria-selected=true]")).to_be_visible()
    page.keyboard.type("om")
    expect(page.locator("#mention-list [aria-selected=true]")).to_contain_text("Omar")
    page.keyboard.press("Enter")
    page.keyboard.type(" and @Bilal")
    expect(page.locator("#text")).to_have_value("Ask @Omar and @Bilal")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".message.note mark")).to_have_text("@Omar")
    expect(page.locator(".message.note .untold")).to_contain_text("Bilal")
    assert [one.agent for one in Mention.objects.all()] == [omar]


CORPUS = [
    "",
    "Hello, your parcel is on its way. It will be there on Tuesday. " * 6,
    "€uro {brackets} and ^ signs " * 9,
    "آپ کا پارسل راستے میں ہے۔ منگل کو پہنچ جائے گا۔ " * 5,
    "👨‍👩‍👧 family 👍🏽 thumbs " * 9,
    "word" * 90,
    "🇵🇰🇬🇧🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f1️⃣" * 9,
    "हिन्दीमेंलिखाहुआशब्द" * 9,
    "بِسْمِٱللَّهِٱلرَّحْمَٰنِ" * 9,
    "e" + "\u0301" * 300,
    "First paragraph.\n\nSecond one, longer than the first.\nWith a line. " * 4,
]


def test_the_browser_counts_as_the_server_does(open_as: Open, sana: Agent, mail: Mail) -> None:
    page = open_as(sana, f"/tickets/{mail('Where is my parcel?').ticket}/")
    limits = [
        counting.Limit(0, "sms"),
        counting.Limit(100, "utf16"),
        counting.Limit(60, "codepoints"),
        counting.Limit(80, "bytes"),
    ]
    cases = [[text, {"longest": one.longest, "unit": one.unit}] for text in CORPUS for one in limits]
    script = """async cases => {
      const address = [...document.scripts].map(one => one.src).find(src => /counting/.test(src))
      const { split, size } = await import(address)
      return cases.map(([text, limit]) => [size(text, limit), split(text, limit)])
    }"""
    theirs = page.evaluate(script, cases)
    ours = [[counting.size(text, one), counting.split(text, one)] for text in CORPUS for one in limits]
    assert theirs == ours
