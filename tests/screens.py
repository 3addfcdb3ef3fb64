"""`make screens`: pictures of every screen, each light, dark, in Urdu and on a phone, of a demo that starts for them,
and of an installation that nobody has used yet.

    python -m tests.screens [--out docs/screenshots] [--only NAME…] [--at http://localhost:8000]

With `--at` they are those of a demo that runs already, without its reports. A picture is at most MOST bytes: fewer
colours where it needs.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import django
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.instance import Instance

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from channels_chat.sections import SECTIONS  # noqa: E402
from sandbox.demo import PASSWORD  # noqa: E402
from tests.browser.conftest import CHROMIUM, FLAGS  # noqa: E402

MOST = 300_000
COLOURS = 128
QUIET = "document.fonts.status === 'loaded' && !document.querySelector('.htmx-request')"


@dataclass(frozen=True)
class Variant:
    name: str
    width: int = 1440
    height: int = 900
    scheme: str = "light"
    language: str = "en"


VARIANTS = (
    Variant("light"),
    Variant("dark", scheme="dark"),
    Variant("urdu", language="ur"),
    Variant("phone", width=390, height=844),
)
Steps = Callable[[Page], None]


def nothing(page: Page) -> None:
    del page


def keys(*pressed: str, shows: str = "") -> Steps:
    """Press these, then wait for what they show."""

    def steps(page: Page) -> None:
        for key in pressed:
            page.keyboard.press(key)
        if shows:
            page.locator(shows).first.wait_for()

    return steps


def composer(text: str, *, tab: str = "r", shows: str = "") -> Steps:
    def steps(page: Page) -> None:
        page.keyboard.press(tab)
        page.locator("#composer :focus").wait_for()
        page.keyboard.press("Control+a")  # over what the variant before this one has left as a draft
        page.keyboard.type(text)
        if shows:
            page.locator(shows).first.wait_for()

    return steps


def choose(selector: str, shows: str) -> Steps:
    """Press what may stand in a menu that is folded."""

    def steps(page: Page) -> None:
        page.locator(selector).first.evaluate("element => element.click()")
        page.locator(shows).first.wait_for()

    return steps


def ticket(words: str, folded: str = "") -> Steps:
    """Open the ticket of that title: which number it has is a matter of what came in first."""

    def steps(page: Page) -> None:
        page.goto(str(page.locator(f"a[href^='/tickets/']:has-text('{words}')").first.get_attribute("href")))
        page.wait_for_load_state("networkidle")
        if folded and page.locator(folded).count():
            page.locator(folded).first.evaluate("element => element.click()")

    return steps


def part(key: str) -> Steps:
    """Scroll a part of the reports into sight, which has it loaded."""

    def steps(page: Page) -> None:
        page.locator(f".part-{key}").scroll_into_view_if_needed()
        page.wait_for_load_state("networkidle")
        page.locator(f"#part-{key}").evaluate("element => element.scrollIntoView()")

    return steps


@dataclass(frozen=True)
class Screen:
    name: str
    path: str
    who: str = "sana"
    steps: Steps = nothing
    wide: bool = False  # has no other shape on a phone: a matter of keys


INBOX = (
    Screen("inbox", "/"),
    Screen("ticket", "/tickets/3/"),
    Screen("ticket-html-mail", "/tickets/10/"),
    Screen("ticket-picture", "/tickets/11/"),
    Screen("ticket-urdu", "/tickets/4/"),
    Screen("ticket-solved", "/tickets/2/"),
    Screen("reply", "/tickets/12/", steps=composer("Dear Jonas, thank you for telling us.")),
    Screen("macros", "/tickets/12/", steps=composer("/", shows="#macro-list [role=option]")),
    Screen("note", "/tickets/5/", steps=composer("@", tab="n", shows="#mention-list [role=option]")),
    Screen("whatsapp", "/?view=all", steps=ticket("السلام علیکم")),
    Screen("template", "/?view=all", steps=ticket("السلام علیکم", "#whatsapp-templates:not([open]) summary")),
    Screen("comment", "/?view=all", steps=ticket("Beautiful! What does")),
    Screen("review", "/?view=all", steps=ticket("Hand-woven shawl")),
    Screen("assign", "/tickets/7/", steps=keys("a", shows="#assign-menu[open] .option")),
    Screen("snooze", "/tickets/7/", steps=keys("s", shows="details.menu[open] .option")),
    Screen("merge", "/tickets/9/", steps=choose("a[href$='/merge/']", "#sheet form")),
    Screen("side-conversation", "/tickets/3/", steps=choose("[href*='/sides/'], [hx-get*='/sides/']", "#sheet form")),
    Screen("log-a-call", "/tickets/3/", steps=choose("[data-open=call]", "dialog[open]")),
    Screen("palette", "/tickets/7/", steps=keys("Control+k", shows="dialog[open]"), wide=True),
    Screen("shortcuts", "/", steps=keys("?", shows="dialog[open]"), wide=True),
    Screen("selection", "/", steps=keys("j", "x", "j", "x", shows="#bulk:not([hidden])"), wide=True),
    Screen("filters", "/?view=all&status=open,pending&tag=delivery"),
    Screen("search", "/?q=order+from:ayesha"),
    Screen("nothing-found", "/?q=zeppelin"),
    Screen("snoozed", "/?view=snoozed"),
    Screen("new-ticket", "/tickets/new/"),
    Screen("notifications", "/notifications/"),
    Screen("jobs", "/jobs/"),
)
CUSTOMERS = (
    Screen("customers", "/customers/"),
    Screen("customer", "/customers/{customer}/"),
    Screen("organisation", "/organisations/1/"),
    Screen("new-customer", "/customers/new/"),
)
# Of a year and a half of tickets, so that there is something to report.
REPORTS = (
    Screen("reports", "/reports/?period=90", who="zara"),
    Screen("reports-trends", "/reports/?period=90", who="zara", steps=part("backlog")),
    Screen("reports-agents", "/reports/?period=90", who="zara", steps=part("agents")),
    Screen("reports-answers", "/reports/answers/?period=90", who="zara"),
    Screen("reports-bots", "/reports/bots/?period=90", who="zara"),
    Screen("reports-pains", "/reports/pains/?period=90&by=tag", who="zara"),
    Screen("reports-tickets", "/reports/tickets/?figure=fcr&part=numerator&period=90", who="zara"),
    Screen("reports-customers", "/reports/customers/?period=90", who="zara"),
    Screen("reports-at-risk", "/reports/at-risk/", who="zara"),
    Screen("reports-own", "/reports/"),
    Screen("settings-profile-time", "/settings/profile/time/"),
    Screen("settings-figures", "/settings/figures/", who="zara"),
    Screen("settings-handle-time", "/settings/handle-time/", who="zara"),
    Screen("settings-hours", "/settings/hours/", who="zara"),
    Screen("settings-hours-organisation", "/settings/hours/organisation/", who="zara"),
    Screen("settings-revenue", "/settings/revenue/", who="zara"),
    Screen("settings-surveys", "/settings/surveys/", who="zara"),
    Screen("settings-survey", "/settings/surveys/1/", who="zara"),
    Screen("survey", "{survey}", who=""),
)
SETTINGS = tuple(
    Screen(f"settings-{name}".rstrip("-"), f"/settings/{path}", who="zara")
    for name, path in {
        "": "",
        "profile": "profile/",
        "notifications": "notifications/",
        "security": "security/",
        "channels": "channels/",
        "channel": "channels/support/",
        "connect": "channels/new/email/",
        "connect-whatsapp": "channels/new/whatsapp/",
        "whatsapp": "channels/whatsapp/",
        "chat": "channels/shop-chat/",
        **{f"chat-{one.key}": f"channels/shop-chat/chat/{one.key}/" for one in SECTIONS},
        "chat-invitation": "channels/shop-chat/chat/invitation/checkout/",
        "chat-step": "channels/shop-chat/chat/step/hello/",
        "people": "people/",
        "invite": "people/invite/",
        "teams": "teams/",
        "team": "teams/1/",
        "macros": "macros/",
        "macro": "macros/1/",
        "brands": "brands/",
        "brand": "brands/1/",
        "tags": "tags/",
        "fields": "fields/",
        "field": "fields/1/",
        "views": "views/",
        "blocked": "blocked/",
        "tokens": "tokens/",
        "webhooks": "webhooks/",
        "webhook": "webhooks/new/",
        "audit": "audit/",
    }.items()
)
OUTSIDE = (
    Screen("log-in", "/accounts/login/", who=""),
    Screen("not-found", "/tickets/99999/"),
    Screen("sandbox-mail", "/sandbox/", who="zara"),
    Screen("phones", "/sandbox/phones/", who="zara"),
    Screen("phone", "/sandbox/phones/person/2/", who="zara"),
    Screen("phone-account", "/sandbox/phones/2/", who="zara"),
    Screen("components", "/sandbox/components/", who="zara"),
)
SCREENS = INBOX + CUSTOMERS + SETTINGS + OUTSIDE


@contextmanager
def installation(*options: str) -> Iterator[Instance]:
    """One in a folder that goes with it."""
    with tempfile.TemporaryDirectory() as folder:
        running = Instance(Path(folder), options=options).start()
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def demo(at: str) -> Iterator[str]:
    """The address of a demo; one of its own where none is named."""
    if at:
        yield at
        return
    with installation() as running:
        yield running.url


def opened(browser: Browser, address: str, variant: Variant, **options: Any) -> Page:
    context = browser.new_context(
        viewport={"width": variant.width, "height": variant.height},
        base_url=address,
        color_scheme="dark" if variant.scheme == "dark" else "light",
        locale="ur-PK" if variant.language == "ur" else "en-GB",
        reduced_motion="reduce",
        has_touch=variant.name == "phone",
        is_mobile=variant.name == "phone",
        **options,
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    return page


def log_in(page: Page, who: str, variant: Variant) -> None:
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill(f"{who}@karvaan.example")
    page.locator("input[type=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    prefer(page, variant)


def prefer(page: Page, variant: Variant) -> None:
    """Have the person who is logged in prefer what the variant shows."""
    page.locator("#live[data-on]").wait_for(state="attached")
    page.evaluate(
        """async language => {
            const body = new FormData()
            const said = {csrfmiddlewaretoken: document.querySelector("[name=csrfmiddlewaretoken]").value,
                          language, theme: "system", time_zone: "Asia/Karachi", next: "/"}
            for (const [name, value] of Object.entries(said)) body.append(name, value)
            await fetch("/profile/", {method: "POST", body})
        }""",
        variant.language,
    )


def picture(page: Page, out: Path, name: str) -> None:
    page.wait_for_function(QUIET)
    page.wait_for_timeout(300)
    save(page.screenshot(), out / f"{name}.png")


def begin(browser: Browser, out: Path) -> None:
    """Pictures of how one begins: the first person, and the steps before them."""
    with installation("--no-demo") as running:
        link = re.search(r"http\S+/welcome/\S+", running.output)
        assert link, running.output
        for variant in VARIANTS:
            page = opened(browser, running.url, variant)
            page.goto(link[0])
            picture(page, out, f"welcome.{variant.name}")
            page.context.close()
        page = opened(browser, running.url, VARIANTS[0])
        page.goto(link[0])
        for name, value in (("name", "Zara"), ("email", "zara@karvaan.example"), ("password", "of a first person")):
            page.locator(f"[name={name}]").fill(value)
        page.keyboard.press("Enter")
        page.locator("#live[data-on]").wait_for(state="attached")
        known = page.context.storage_state()
        for variant in VARIANTS:
            page = opened(browser, running.url, variant, storage_state=known)
            page.goto("/")
            prefer(page, variant)
            page.goto("/")
            page.wait_for_load_state("networkidle")
            picture(page, out, f"first-run.{variant.name}")
            page.context.close()


def shoot(browser: Browser, address: str, variant: Variant, out: Path, screens: list[Screen]) -> list[str]:
    """Picture these screens in this variant; returns what went wrong, a line for each."""
    wrong = []
    for who in ("", "sana", "zara"):
        wanted = [one for one in screens if one.who == who]
        wanted = [one for one in wanted if not (one.wide and variant.name == "phone")]
        if not wanted:
            continue
        page = opened(browser, address, variant)
        if who:
            log_in(page, who, variant)
        customer = ""
        if who == "sana":
            page.goto("/customers/")
            customer = str(page.locator("a[href^='/customers/']:has-text('Ayesha')").first.get_attribute("href"))
        for screen in wanted:
            try:
                page.goto(screen.path.replace("/customers/{customer}/", customer))
                if who:
                    page.wait_for_load_state("networkidle")
                screen.steps(page)
                picture(page, out, f"{screen.name}.{variant.name}")
            except Exception as error:  # noqa: BLE001 - the others are pictured all the same
                wrong.append(f"{screen.name}.{variant.name}: {str(error).splitlines()[0]}")
        page.context.close()
    return wrong


def seeded(running: Instance) -> str:
    """Give it a history that reports are worth looking at for; returns the address of a survey that waits."""
    running.manage("seed", "--tickets", "6000", "--days", "200")
    running.manage("rebuild_facts")
    return running.manage("shell", "-v0", "-c", SURVEY).strip().splitlines()[-1]


SURVEY = """
from reports.models import Answer
from reports.surveys import links
waiting = Answer.objects.filter(survey__kind="csat", answered_at=None).order_by("-asked_at")
print(links.url(next(one for one in waiting if links.is_open(one))))
"""


def printed(browser: Browser, address: str, out: Path) -> None:
    """The reports as they leave a printer, on A4: what does not fit on one page stands on the next."""
    page = opened(browser, address, Variant("print", width=794, height=1123))
    log_in(page, "zara", VARIANTS[0])
    page.goto("/reports/?period=90")
    page.wait_for_load_state("networkidle")
    page.emulate_media(media="print")
    picture(page, out, "reports.print")
    page.context.close()


def save(picture: bytes, path: Path) -> None:
    """Write it with as many colours as fit into MOST bytes."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    colours = COLOURS
    while True:
        held = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(held, "PNG", optimize=True)
        if held.tell() <= MOST or colours <= 16:
            break
        colours //= 2
    path.write_bytes(held.getvalue())


def main() -> int:
    from tests import chat_screens  # which takes what is above

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--at", default="")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []

    def asked(screens: Iterable[Screen]) -> list[Screen]:
        return [one for one in screens if not chosen.only or one.name in chosen.only]

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        if chosen.at or asked(SCREENS) or "chats" in chosen.only:
            with demo(chosen.at) as address:
                for variant in VARIANTS:
                    wrong += shoot(browser, address, variant, chosen.out, asked(SCREENS))
                if not chosen.only or "chats" in chosen.only:
                    chat_screens.chats(browser, address, chosen.out)
        if not chosen.at and (of_reports := asked(REPORTS)):
            with installation() as running:
                survey = seeded(running)
                of_reports = [replace(one, path=one.path.replace("{survey}", survey)) for one in of_reports]
                for variant in VARIANTS:
                    wrong += shoot(browser, running.url, variant, chosen.out, of_reports)
                if "reports" in [one.name for one in of_reports]:
                    printed(browser, running.url, chosen.out)
        if not chosen.only or "first-run" in chosen.only:
            begin(browser, chosen.out)
        browser.close()
    print(f"{len(list(chosen.out.glob('*.png')))} pictures in {chosen.out}.")
    print(*wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
