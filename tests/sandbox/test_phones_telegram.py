"""The emulated Bot API, driven by python-telegram-bot over real HTTP: what passes there, passes here."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
import telegram.error
from django.test import override_settings
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from telegram import Bot, InputMediaPhoto, ReplyParameters

from sandbox.phones import core, telegram_html
from sandbox.phones import telegram_acts as acts
from sandbox.phones.acts import Cannot, Given, Upload, load
from sandbox.phones.models import Account, Line, Media, Person, Told
from tests.clock import Decision
from tests.sandbox.receiver import receiving

pytestmark = pytest.mark.django_db(transaction=True)
Run = Callable[[Coroutine[Any, Any, Any]], Any]
PNG = Upload("damage.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"x" * 50)


@pytest.fixture
def account(transactional_db: None) -> Account:
    return acts.telegram.open_bot("Karvaan", "karvaan_bot")


@pytest.fixture
def ana(account: Account) -> Person:
    person = acts.meet(account, "Ana Silva")
    acts.start(account, person, Given(text="order-12"))
    return person


@pytest.fixture
def run() -> Iterator[Run]:
    loop = asyncio.new_event_loop()
    yield loop.run_until_complete
    loop.close()


@pytest.fixture
def bot(account: Account, live_server: LiveServer, run: Run) -> Iterator[Bot]:
    api = f"{live_server.url}/sandbox/phones/telegram"
    bot = Bot(account.secrets["token"], base_url=f"{api}/bot", base_file_url=f"{api}/file/bot")
    run(bot.initialize())
    yield bot
    run(bot.shutdown())


def refused(run: Run, coroutine: Coroutine[Any, Any, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        run(coroutine)
    assert text in str(caught.value).lower()


def test_poll_send_answer_edit_react_and_delete(bot: Bot, run: Run, account: Account, ana: Person) -> None:
    assert (bot.username, bot.first_name) == ("karvaan_bot", "Karvaan")
    (update,) = run(bot.get_updates())
    assert (update.message.text, update.message.from_user.full_name) == ("/start order-12", "Ana Silva")
    assert [one.type for one in update.message.entities] == ["bot_command"]

    chat = int(ana.external_id)
    sent = run(
        bot.send_message(
            chat,
            "Dear <b>Ana</b> &amp; all 👋 <a href='https://x.example/'>here</a>",
            parse_mode="HTML",
            reply_parameters=ReplyParameters(update.message.message_id),
        )
    )
    assert (sent.text, sent.reply_to_message.text) == ("Dear Ana & all 👋 here", "/start order-12")
    assert [(one.type, one.offset, one.length) for one in sent.entities] == [("bold", 5, 3), ("text_link", 18, 4)]
    assert run(bot.get_updates(offset=update.update_id + 1)) == ()
    assert run(bot.get_updates()) == ()

    line = Line.objects.get(ours=True)
    acts.react(account, ana, Given(line=line, choice="👍"))  # not told: nobody asked for reactions
    run(bot.get_updates(allowed_updates=["message", "edited_message", "message_reaction", "callback_query"]))
    acts.react(account, ana, Given(line=line, choice="❤️"))
    said = acts.text(account, ana, Given(text="Where is 12?", line=line))
    acts.edit(account, ana, Given(line=said, text="Where is 13?"))
    acts.block(account, ana, Given())  # my_chat_member was not asked for
    acts.unblock(account, ana, Given())
    reaction, message, edited = run(bot.get_updates())
    assert [one.emoji for one in reaction.message_reaction.new_reaction] == ["❤"]
    assert [one.emoji for one in reaction.message_reaction.old_reaction] == ["👍"]
    assert message.message.reply_to_message.message_id == sent.message_id
    assert (edited.edited_message.message_id, edited.edited_message.text) == (
        message.message.message_id,
        "Where is 13?",
    )
    assert [reaction.update_id + 1, reaction.update_id + 2] == [message.update_id, edited.update_id]

    assert run(bot.edit_message_text("Tomorrow.", chat, sent.message_id)).edit_date is not None
    refused(run, bot.edit_message_text("Tomorrow.", chat, sent.message_id), telegram.error.BadRequest, "not modified")
    assert run(bot.set_message_reaction(chat, int(said.external_id), "👀"))
    refused(
        run, bot.set_message_reaction(chat, int(said.external_id), "x"), telegram.error.BadRequest, "reaction_invalid"
    )
    assert Line.objects.get(pk=said.pk).reactions == {"us": "👀"}
    assert run(bot.delete_message(chat, sent.message_id))
    refused(run, bot.delete_message(chat, sent.message_id), telegram.error.BadRequest, "message to delete not found")


def test_files_both_ways(bot: Bot, run: Run, account: Account, ana: Person) -> None:
    acts.file(account, ana, Given(text="the damage", files=(PNG, PNG)), "")
    acts.file(account, ana, Given(files=(Upload("inv.pdf", "application/pdf", b"%PDF"),)), "")
    acts.file(account, ana, Given(files=(Upload("a.ogg", "audio/ogg", b"OggS"),)), "voice")
    acts.too_large(account, ana, Given())
    _start, one, other, invoice, voice, film = run(bot.get_updates())
    assert one.message.media_group_id == other.message.media_group_id != None  # noqa: E711
    assert (one.message.caption, other.message.caption) == ("the damage", None)
    largest = one.message.photo[-1]
    assert largest.width == 800
    file = run(largest.get_file())
    assert bytes(run(file.download_as_bytearray())) == PNG.content
    assert (invoice.message.document.file_name, invoice.message.document.mime_type) == ("inv.pdf", "application/pdf")
    assert voice.message.voice.duration
    refused(run, film.message.document.get_file(), telegram.error.BadRequest, "file is too big")
    refused(run, bot.get_file("AgACnone"), telegram.error.BadRequest, "wrong file_id")

    Media.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert requests.get(str(file.file_path), timeout=5).status_code == 404

    chat = ana.external_id
    sent = run(bot.send_photo(chat, PNG.content, caption="x" * 1024))
    assert run(bot.send_photo(chat, sent.photo[-1].file_id)).photo[-1].file_id == sent.photo[-1].file_id
    refused(
        run, bot.send_photo(chat, PNG.content, caption="x" * 1025), telegram.error.BadRequest, "caption is too long"
    )
    album = run(
        bot.send_media_group(chat, [InputMediaPhoto(PNG.content, caption="both"), InputMediaPhoto(PNG.content)])
    )
    assert len({part.media_group_id for part in album}) == 1
    document = run(bot.send_document(chat, b"%PDF", filename="bill.pdf"))
    assert document.document.file_name == "bill.pdf"
    assert Line.objects.filter(ours=True).count() == 5
    with receiving() as far:
        far.files["/cat.jpg"] = ("image/jpeg", b"cat")
        assert run(bot.send_photo(chat, f"{far.url}/cat.jpg")).photo
        refused(run, bot.send_photo(chat, f"{far.url}/no.jpg"), telegram.error.BadRequest, "failed to get http url")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("<p>x</p>", 'Unsupported start tag "p" at byte offset 0'),
        ("ä <b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("ä</b>", "Unexpected end tag at byte offset 2"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
    ],
)
def test_html_it_does_not_take(source: str, said: str) -> None:
    with pytest.raises(telegram_html.CannotParse) as caught:
        telegram_html.parse(source)
    assert str(caught.value) == said


def test_what_it_refuses(bot: Bot, run: Run, account: Account, ana: Person, live_server: LiveServer) -> None:
    chat, wrong = ana.external_id, telegram.error.BadRequest
    refused(run, bot.send_message(1, "x"), wrong, "chat not found")
    refused(run, bot.send_message(chat, " "), wrong, "message text is empty")
    refused(run, bot.send_message(chat, "👋" * 2049), wrong, "message is too long")
    run(bot.send_message(chat, "<b>" + "x" * 4096 + "</b>", parse_mode="HTML"))
    refused(run, bot.send_message(chat, "a<br>b", parse_mode="HTML"), wrong, "can't parse entities")
    refused(run, bot.send_message(chat, "x", reply_parameters=ReplyParameters(999)), wrong, "to be replied not found")
    lenient = ReplyParameters(999, allow_sending_without_reply=True)
    assert run(bot.send_message(chat, "x", reply_parameters=lenient)).reply_to_message is None

    stranger = acts.meet(account, "Bo")
    refused(run, bot.send_message(stranger.external_id, "x"), telegram.error.Forbidden, "can't initiate conversation")
    acts.block(account, ana, Given())
    refused(run, bot.send_message(chat, "x"), telegram.error.Forbidden, "bot was blocked by the user")
    with pytest.raises(Cannot):
        acts.text(account, ana, Given(text="x"))
    acts.start(account, ana, Given())

    account.settings["rate"] = {"chat": 1, "retry_after": 7}
    account.save()
    with pytest.raises(telegram.error.RetryAfter) as caught:
        run(bot.send_message(chat, "one"))
        run(bot.send_message(chat, "two"))
    assert caught.value._retry_after == timedelta(seconds=7)

    api = f"{live_server.url}/sandbox/phones/telegram/bot"
    for token, status in (("1:" + "x" * 35, 401), ("nonsense", 404)):
        answer = requests.get(f"{api}{token}/getMe", timeout=5)
        assert (answer.status_code, answer.json()["ok"]) == (status, False)
    other = Bot("1:" + "x" * 35, base_url=api)
    refused(run, other.get_me(), telegram.error.InvalidToken, "unauthorized")
    answer = requests.post(f"{api}{account.secrets['token']}/sendFoo", timeout=5)
    assert answer.json() == {"ok": False, "error_code": 404, "description": "Not Found: method not found"}


def test_faults_on_demand(bot: Bot, run: Run, account: Account, ana: Person) -> None:
    chat = ana.external_id
    faults = {one.name: one.fault for one in load()["telegram"].troubles}
    account.faults = [faults["rate"], faults["broken"], faults["late"]]
    account.save()
    refused(run, bot.send_message(chat, "x"), telegram.error.RetryAfter, "retry in 5")
    run(bot.send_chat_action(chat, "typing"))
    refused(run, bot.send_message(chat, "x"), telegram.error.NetworkError, "internal server error")
    assert not Line.objects.filter(ours=True).exists()
    with pytest.raises(telegram.error.NetworkError):
        run(bot.send_message(chat, "x", read_timeout=0.5))
    assert Line.objects.filter(ours=True).count() == 1, "what was cut off was sent"
    assert account.calls.filter(method="sendMessage").count() == 3


def test_a_long_poll_is_woken_and_a_second_one_ends_it(bot: Bot, run: Run, account: Account, ana: Person) -> None:
    (first,) = run(bot.get_updates())
    later = threading.Timer(0.3, lambda: acts.text(account, ana, Given(text="now")))
    later.start()
    began = time.monotonic()
    (update,) = run(bot.get_updates(offset=first.update_id + 1, timeout=5))
    assert update.message.text == "now"
    assert time.monotonic() - began < 3
    later.join()

    found: list[Any] = []
    second = threading.Timer(0.3, lambda: found.append(requests.get(f"{bot.base_url}/getUpdates", timeout=5).json()))
    second.start()
    with pytest.raises(telegram.error.Conflict):
        run(bot.get_updates(offset=update.update_id + 1, timeout=5))
    second.join()
    assert [one["ok"] for one in found] == [True]


def test_webhook_with_its_secret_and_retries(bot: Bot, run: Run, account: Account, ana: Person) -> None:
    wrong = telegram.error.BadRequest
    with override_settings(ALLOW_PRIVATE_NETWORKS=False):
        refused(run, bot.set_webhook("http://x.example/"), wrong, "https url must be provided")
        refused(run, bot.set_webhook("https://x.example:8000/"), wrong, "only on ports")
    refused(run, bot.set_webhook("https://x.example/", secret_token="a b"), wrong, "unallowed characters")
    with receiving() as far:
        run(bot.set_webhook(f"{far.url}/hook", secret_token="s3cret", allowed_updates=["message"]))
        refused(run, bot.get_updates(), telegram.error.Conflict, "webhook is active")
        acts.text(account, ana, Given(text="two"))
        far.answers = [(500, {}, b""), (503, {"Retry-After": "90"}, b"")]
        with Decision() as decision:
            assert core.push(account) == 1, "the second waits for the first of its chat"
        told = Told.objects.earliest("pk")
        assert decision.puts_off(told.next_at, 0.5, 1)
        info = run(bot.get_webhook_info())
        assert (info.pending_update_count, info.allowed_updates) == (2, ("message",))
        assert info.last_error_message == "Wrong response from the webhook: 500 Internal Server Error"
        for _turn in range(2):
            Told.objects.update(next_at=timezone.now())
            core.push(account)
        texts = [json.loads(body)["message"]["text"] for _path, _headers, body in far.came]
        assert texts == ["/start order-12"] * 3 + ["two"]
        assert far.came[0][1]["x-telegram-bot-api-secret-token"] == "s3cret"

        Told.objects.update(state="waiting", next_at=timezone.now(), at=timezone.now() - timedelta(hours=25))
        far.answers = [(500, {}, b"")]
        core.push(account)
        assert Told.objects.earliest("pk").state == "gone"
    assert run(bot.delete_webhook(drop_pending_updates=True))
    acts.press(account, ana, Given(line=acts.text(account, ana, Given(text="x")), choice="yes"))
    run(bot.get_updates())


def test_buttons_places_and_what_nobody_knows(bot: Bot, run: Run, account: Account, ana: Person) -> None:
    markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}
    sent = run(bot.send_message(ana.external_id, "Well?", api_kwargs={"reply_markup": json.dumps(markup)}))
    assert sent.reply_markup.inline_keyboard[0][0].callback_data == "yes"
    acts.press(account, ana, Given(line=Line.objects.get(ours=True), choice="yes"))
    acts.location(account, ana, Given())
    acts.contact(account, ana, Given())
    for kind in acts.UNKNOWN:
        acts.unknown(account, ana, Given(choice=kind))
    updates = run(bot.get_updates())
    query = updates[1].callback_query
    assert (query.data, query.message.message_id) == ("yes", sent.message_id)
    assert run(query.answer())
    refused(run, query.answer(), telegram.error.BadRequest, "query is too old")
    assert updates[2].message.location.latitude == acts.PLACE["latitude"]
    assert updates[3].message.contact.user_id == int(ana.external_id)
    assert updates[4].message.poll.question
    assert run(bot.send_location(ana.external_id, 1.5, 2.5)).location.longitude == 2.5
    assert run(bot.get_user_profile_photos(int(ana.external_id))).total_count == 0
    acts.portrait(account, ana, Given(files=(PNG,)))
    assert run(bot.get_user_profile_photos(int(ana.external_id))).total_count == 1
