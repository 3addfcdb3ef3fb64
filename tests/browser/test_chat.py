"""A whole chat, in two browsers: from the invitation in the shop to the answer by e-mail the next day.

The visitor's side is the shop of the sandbox, once in English at a desk and once in Urdu on a phone by keyboard alone.
"""

from __future__ import annotations

import email
import email.policy
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from hashlib import sha256
from threading import Event, Thread

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import Page, expect

from channels_chat import tasks
from channels_chat.models import Chat, Visitor
from inbox.actions import receive
from inbox.adapters import RawReceipt, adapter_for
from inbox.models import Agent, Brand, Channel, Message, Team, Ticket
from inbox.models import Event as Line
from sandbox import chatting
from tests.browser.conftest import Open

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf50"
    "0f0003860180b45b1c8f0000000049454e44ae426082"
)


@pytest.fixture
def shop(support: Channel, sana: Agent, omar: Agent) -> Channel:
    """The demo's chat, with Sana and Omar in its team, and the mailbox of the tests for whoever has left."""
    care = Team.objects.create(name="Customer care", slug="care")
    Team.objects.create(name="Shipping", slug="shipping")
    care.members.add(sana, omar)
    Brand.objects.create(name="Karvaan")
    support.settings |= {"smtp": {"host": "localhost", "port": 9, "security": "none"}, "plus_addressing": True}
    support.save()  # it can send, as far as one knows: what it would is looked at here
    return chatting.ensure()


@pytest.fixture
def queue(transactional_db: None) -> Iterator[None]:
    """What the clock and the workers do with chats, as long as the test runs."""
    over = Event()

    def work() -> None:
        try:
            while not over.wait(0.3):
                tasks.tend()
        finally:
            connection.close()

    thread = Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


def press(page: Page, name: str | re.Pattern[str], *, by_keyboard: bool) -> None:
    """A button of the widget."""
    button = page.locator("rabta-chat").get_by_role("button", name=name, exact=isinstance(name, str))
    if by_keyboard:
        button.focus()
        page.keyboard.press("Enter")
    else:
        button.click()


def write(page: Page, text: str, words: dict[str, str]) -> None:
    area = page.locator("rabta-chat").get_by_label(words["message"], exact=True)
    expect(area).to_be_visible()
    area.focus()
    page.keyboard.insert_text(text)
    page.keyboard.press("Enter")


def said(page: Page, text: str) -> None:
    expect(page.locator("rabta-chat").get_by_role("log").get_by_text(text)).to_be_visible()


def answer(page: Page, number: int, text: str) -> None:
    area = page.locator(f"#chat-{number} textarea[name=text]")
    area.fill(text)
    area.press("Enter")


def soon(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until it holds."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def in_words(language: str) -> dict[str, str]:
    """The widget's words that this journey needs."""
    from django.utils import translation

    from channels_chat.words import WORDS

    with translation.override(language):
        return {key: str(text) for key, text in WORDS.items()}


@pytest.mark.parametrize("way", ["desk", "phone"])
def test_from_the_invitation_to_the_answer_by_mail(
    open_as: Open, sana: Agent, omar: Agent, shop: Channel, support: Channel, queue: None, way: str
) -> None:
    phone = way == "phone"
    language = "ur" if phone else "en"
    words = in_words(language)
    hers, his = open_as(sana, "/"), open_as(omar, "/")
    size = {"width": 390, "height": 800, "has_touch": True} if phone else {"width": 1280}
    visitor = open_as(None, f"/sandbox/shop/cart/?lang={language}", **size)

    # Invited, she begins.
    invited = visitor.locator("rabta-chat .teaser .say")
    expect(invited).to_contain_text(chatting.SETTINGS["invitations"][0]["text"][language])
    if phone:
        invited.focus()
        visitor.keyboard.press("Enter")
    else:
        invited.click()
    form = visitor.locator("rabta-chat .cards")
    labels = [one["label"][language] for one in chatting.SETTINGS["prechat"]]
    form.get_by_label(labels[0]).fill("Ayesha")
    form.get_by_label(labels[1]).fill("ayesha@mail.example")
    form.locator("select").select_option("order")
    press(visitor, words["start"], by_keyboard=phone)
    write(visitor, "Where is my <b>parcel</b>?", words)
    said(visitor, "Where is my <b>parcel</b>?")

    # Sana takes it from whatever page she is on, and answers.
    asked = Line.objects.filter(kind="chat_offered")
    soon(asked.exists)
    first, second = (hers, his) if asked.get().data["to"] == sana.pk else (his, hers)
    one, other = (sana, omar) if first is hers else (omar, sana)
    expect(first.locator(".offer")).to_contain_text("Ayesha")
    first.keyboard.press("Control+Shift+A")
    first.wait_for_url("**/chats/**")
    ticket = Ticket.objects.get(channel=shop)
    answer(first, ticket.pk, "It left yesterday.")
    said(visitor, "It left yesterday.")

    # A picture goes along.
    visitor.locator("rabta-chat input[type=file]").set_input_files(
        {"name": "parcel.png", "mimeType": "image/png", "buffer": PNG}
    )
    expect(visitor.locator("rabta-chat .chips")).to_contain_text("parcel.png")
    expect(visitor.locator("rabta-chat").get_by_role("button", name=words["send"], exact=True)).to_be_enabled()
    write(visitor, "It looks like this", words)
    said(visitor, "It looks like this")
    expect(first.locator(f"#lines-{ticket.pk}")).to_contain_text("It looks like this")
    expect(first.locator(f"#lines-{ticket.pk} .files img")).to_be_visible()

    # A colleague goes on with it; she is told, and notices nothing else.
    first.locator(f"#transfer-{ticket.pk} summary").click()
    panel = first.locator(f"#transfer-{ticket.pk} .transfer")
    panel.locator("textarea[name=note]").fill("She waits for a parcel")
    panel.get_by_role("button", name=other.name).click()
    expect(second.locator(".offer")).to_contain_text("Ayesha")
    second.locator(".offer").get_by_role("button", name="Accept").click()
    second.wait_for_url("**/chats/**")
    expect(visitor.locator("rabta-chat .system").filter(has_text=other.name)).to_contain_text(one.name)
    expect(second.locator(f"#lines-{ticket.pk}")).to_contain_text("She waits for a parcel")
    answer(second, ticket.pk, "Tomorrow, then.")
    said(visitor, "Tomorrow, then.")
    expect(visitor.locator("rabta-chat").get_by_text("She waits for a parcel")).to_have_count(0)

    # Solved, and rated.
    second.locator(f"#chat-head-{ticket.pk}").get_by_role("button", name="Solve").click()
    happy = visitor.locator("rabta-chat").get_by_label(words["rate_5"])
    expect(happy).to_be_attached()
    happy.focus()
    visitor.keyboard.press("Space")
    visitor.locator("rabta-chat .card button.main").focus()
    visitor.keyboard.press("Enter")
    expect(visitor.locator("rabta-chat").get_by_text(words["rate_thanks"]).first).to_be_visible()
    soon(lambda: Ticket.objects.get().csat == 5)
    assert Ticket.objects.get().status == "solved"

    # The next day she comes back, and all of it is there.
    day = timedelta(hours=20)
    Message.objects.update(created_at=F("created_at") - day)
    Ticket.objects.update(solved_at=F("solved_at") - day, last_message_at=F("last_message_at") - day)
    visitor.goto(f"/sandbox/shop/?lang={language}")
    visitor.evaluate("Rabta.open()")  # it was open on the last page, and may be here
    said(visitor, "Tomorrow, then.")
    form.locator("select").select_option("order")
    press(visitor, words["start"], by_keyboard=phone)
    write(visitor, "It is not here yet", words)
    said(visitor, "It is not here yet")
    soon(lambda: Ticket.objects.get().status == "open")

    # She leaves; the answer goes by e-mail, and what she answers there lands in the same ticket.
    visitor.close()
    soon(lambda: Visitor.objects.get().gone_at is not None)
    second.goto(f"/chats/?open={ticket.pk}")
    expect(second.locator(f"#chat-{ticket.pk}")).to_be_visible()
    answer(second, ticket.pk, "We have found it.")
    expect(second.locator(f"#lines-{ticket.pk}")).to_contain_text("We have found it.")
    past = timezone.now() - timedelta(minutes=3)
    soon(Message.objects.filter(text="We have found it.").exists)  # the page shows it before
    Visitor.objects.update(gone_at=past, owed_at=past)
    Message.objects.filter(ticket=ticket).update(
        created_at=F("created_at") - timedelta(minutes=3), sent_at=F("sent_at") - timedelta(minutes=3)
    )
    soon(lambda: Message.objects.filter(ticket=ticket, channel=support, direction="out").exists())
    mail = Message.objects.get(ticket=ticket, channel=support, direction="out")
    raw, _type = adapter_for("email").raw(mail)
    letter = email.message_from_bytes(raw, policy=email.policy.default)
    assert "ayesha@mail.example" in letter["To"]
    assert "We have found it." in letter.get_body(("plain",)).get_content()
    reply = EmailMessage()
    reply["From"], reply["To"] = "Ayesha <ayesha@mail.example>", letter["Reply-To"] or letter["From"]
    reply["Subject"], reply["Message-ID"] = f"Re: {letter['Subject']}", "<thanks@mail.example>"
    reply["In-Reply-To"] = reply["References"] = letter["Message-ID"]
    reply.set_content("Thank you all.")
    sent = RawReceipt(reply.as_bytes(), sha256(reply.as_bytes()).hexdigest())
    [outcome] = receive.take_in([receive.store(support, [sent], claim=True)[0].receipt_id])
    assert (outcome.status, outcome.ticket) == ("appended", ticket.pk)
    assert Ticket.objects.filter(channel__in=[shop, support]).count() == 1
    assert Chat.objects.count() == 2
    expect(second.locator(f"#lines-{ticket.pk}")).to_contain_text("Thank you all.")
