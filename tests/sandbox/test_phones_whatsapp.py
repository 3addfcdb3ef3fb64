"""The emulator of WhatsApp, driven by a public client of the Cloud API, and what it tells read by that client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import requests
from django.utils import timezone
from pywa import errors
from pywa.client import WhatsApp
from pywa.types import templates
from pywa.types.base_update import RawUpdate
from pywa.types.callback import Button, Section, SectionList, SectionRow
from pywa.types.others import Contact, MessageType

from sandbox.phones import chats, core, files, graph, hooks, whatsapp
from sandbox.phones.models import Account, Line, Media, Person, Told
from tests.sandbox.far_end import PNG, FarEnd, far_end

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER, WABA, TOKEN, SECRET = "106540352242922", "102290129340398", "EAAtoken123", "s3cr3t_app"
BODY: Any = templates.BodyText("Hello {{1}}, order {{2}} is on its way.", "Ana", "12")
TEMPLATES: list[dict[str, Any]] = [
    {
        "id": "900",
        "name": "order_update",
        "language": "en_US",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": [
            {"type": "BODY", "text": "Hello {{1}}, order {{2}} is on its way."},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Thanks"}]},
        ],
    },
    {
        "id": "901",
        "name": "sale",
        "language": "en_US",
        "status": "REJECTED",
        "category": "MARKETING",
        "components": [{"type": "BODY", "text": "Buy"}],
    },
]


@pytest.fixture
def end() -> Iterator[FarEnd]:
    with far_end() as made:
        yield made


@pytest.fixture
def account(live_server: Any, end: FarEnd) -> Account:
    return Account.objects.create(
        platform="whatsapp",
        external_id=NUMBER,
        name="Rabta Shop",
        secrets={"token": TOKEN, "app_secret": SECRET},
        settings={
            "waba_id": WABA,
            "app_id": "555",
            "display_phone_number": "15550783881",
            "origin": live_server.url,
            "webhook_url": f"{end.url}/hook",
            "subscribed_fields": ["messages", "smb_message_echoes"],
            "templates": TEMPLATES,
        },
    )


@pytest.fixture
def wa(account: Account, live_server: Any) -> Iterator[WhatsApp]:
    # Closed at the end: a connection that stays keeps a thread of the server, and that one its database.
    with httpx.Client() as session:
        client = WhatsApp(phone_id=NUMBER, token=TOKEN, waba_id=WABA, app_id=555, app_secret=SECRET, session=session)
        session.base_url = httpx.URL(f"{live_server.url}/sandbox/phones/graph/v23.0/")
        yield client


@pytest.fixture
def ana(account: Account) -> Person:
    return whatsapp.meet(account, "Ana Silva", "351910000001", handle="ana.s", country="PT")


def told(account: Account, end: FarEnd) -> list[dict[str, Any]]:
    """What came by webhook since last time: the values."""
    end.got.clear()
    core.push(account)
    bodies = [json.loads(content) for content, _ in end.got]
    return [change["value"] for body in bodies for entry in body["entry"] for change in entry["changes"]]


def statuses(account: Account, end: FarEnd) -> list[dict[str, Any]]:
    return [status for value in told(account, end) for status in value.get("statuses", [])]


def parsed(wa: WhatsApp, account: Account, end: FarEnd) -> list[Any]:
    """What came by webhook since last time, as the client reads it, which checks the signature first."""
    end.got.clear()
    core.push(account)
    found = []
    for content, headers in end.got:
        assert wa.webhook_update_validator(content, headers["X-Hub-Signature-256"]) is None
        raw = RawUpdate(content, update_hash="x", hmac_header=headers["X-Hub-Signature-256"])
        handler = wa._get_handler_type(raw)
        assert handler is not None
        found.append(wa._handlers_to_updates[handler].from_update(client=wa, update=raw))
    return found


def test_the_signature_is_that_of_the_documented_examples() -> None:
    empty = b'{"object":"whatsapp_business_account","entry":[]}'
    assert hooks.body({"object": "whatsapp_business_account", "entry": []}) == empty
    assert hooks.signature(SECRET, empty) == "sha256=fdd705ee123fba3e7b560029f10fb94333ea41c7b3847806e160e6b73f18a6a4"
    escaped = hooks.body({"t": "café 😀"})
    assert escaped == rb'{"t":"caf\u00e9 \ud83d\ude00"}'
    assert hooks.signature(SECRET, escaped) == "sha256=42f74f9162ad8d94224bf76f24513219c31315855da87fe9ae8266e07923f3c2"
    assert graph.proof(SECRET, TOKEN) == "d85478b41f7403dd4515081ddf47e87ffada004dea313620bafc0b411a8b08ec"


def test_what_people_send_is_read_by_a_public_client(wa: WhatsApp, account: Account, ana: Person, end: FarEnd) -> None:
    whatsapp.text(account, ana, "Is order 12 shipped? 😀")
    (message,) = parsed(wa, account, end)
    assert (message.text, message.from_user.wa_id, message.from_user.bsuid) == (
        "Is order 12 shipped? 😀",
        "351910000001",
        ana.external_id,
    )
    assert message.from_user.username == "ana.s" and message.metadata.phone_number_id == NUMBER

    sent = wa.send_message(to="351910000001", text="Yes, *today*.", reply_to_message_id=message.id, tracker="msg-77")
    assert sent.id.startswith("wamid.") and Line.objects.get(external_id=sent.id).reply_to == message.id
    states = parsed(wa, account, end)
    assert [(one.id, one.status.value, one.tracker) for one in states] == [
        (sent.id, "sent", "msg-77"),
        (sent.id, "delivered", "msg-77"),
    ]
    assert states[0].pricing is None and states[1].pricing.category.value == "service"
    whatsapp.read(account, ana)
    assert [one.status.value for one in parsed(wa, account, end)] == ["read"]

    image = whatsapp.file(account, ana, "image", PNG, "image/png", caption="the damage")
    whatsapp.file(account, ana, "audio", b"OggS", "audio/ogg; codecs=opus", voice=True)
    whatsapp.file(account, ana, "document", b"%PDF", "application/pdf", name="inv.pdf", reply_to=sent.id)
    whatsapp.file(account, ana, "video", b"mp4", "video/mp4")
    whatsapp.file(account, ana, "sticker", b"webp", "image/webp", animated=True)
    picture, voice, document, video, sticker = parsed(wa, account, end)
    assert picture.caption == "the damage" and picture.image.get_bytes() == PNG
    assert voice.voice is not None and document.document.filename == "inv.pdf"
    assert document.reply_to_message.id == sent.id and video.video.mime_type == "video/mp4"
    assert sticker.sticker.animated
    assert wa.get_media_url(picture.image.id).sha256 == files.sha256(Media.objects.get(external_id=picture.image.id))

    whatsapp.location(account, ana, 38.72, -9.14, name="Shop", address="Rua 1")
    whatsapp.contact(account, ana, "Rui", "+351910000002")
    whatsapp.react(account, ana, Line.objects.get(external_id=sent.id), "👍")
    whatsapp.react(account, ana, Line.objects.get(external_id=sent.id), "")
    whatsapp.unsupported(account, ana)
    whatsapp.file(account, ana, "video", b"", "video/mp4", size=200 * 1024 * 1024)
    place, card, thumb, no_thumb, poll, huge = parsed(wa, account, end)
    assert place.location.latitude == 38.72 and card.type == MessageType.CONTACTS
    assert (thumb.reaction.emoji, thumb.reaction.message_id) == ("👍", sent.id) and not no_thumb.reaction.emoji
    assert poll.error.code == 131051 and huge.error.code == 131052

    whatsapp.revoke(account, ana, image)  # told of numbers in coexistence alone
    assert parsed(wa, account, end) == []
    first = ana.lines.get(external_id=message.id)
    whatsapp.edit(account, ana, first, "Is order 13 shipped?")
    assert parsed(wa, account, end)[0].error.code == 131051
    chats.arrange(account, coexistence=True)
    whatsapp.edit(account, ana, first, "Is order 14 shipped?")
    whatsapp.revoke(account, ana, first)
    whatsapp.answer_in_app(account, ana, "It is.")
    edited, deleted, echo = parsed(wa, account, end)
    assert edited.original_message_id == first.external_id and edited.message.text == "Is order 14 shipped?"
    assert deleted.original_message_id == first.external_id and echo.text == "It is."
    whatsapp.change_number(account, ana, "351910000009")
    (moved,) = parsed(wa, account, end)
    assert (moved.old_wa_id, moved.new_wa_id, moved.new_user_id) == ("351910000001", "351910000009", ana.external_id)
    assert all(headers["Content-Type"] == "application/json" for _, headers in end.got)


def test_buttons_and_lists_are_pressed(wa: WhatsApp, account: Account, ana: Person, end: FarEnd) -> None:
    whatsapp.text(account, ana, "Hello")
    buttons = wa.send_message(to=ana.external_id, text="Well?", buttons=[Button("Yes", "y"), Button("No", "n")])
    rows = [Section("All", [SectionRow("Refund", "o1"), SectionRow("Swap", "o2")])]
    listed = wa.send_message(to=ana.external_id, text="Which?", buttons=SectionList("Choose", rows))
    quick = wa.send_template(
        to=ana.phone,
        name="order_update",
        language=templates.TemplateLanguage.ENGLISH_US,
        params=[BODY.params("Ana", "12")],
    )
    assert Line.objects.get(external_id=quick.id).text == "Hello Ana, order 12 is on its way."
    parsed(wa, account, end)
    whatsapp.press(account, ana, Line.objects.get(external_id=buttons.id), "n")
    whatsapp.press(account, ana, Line.objects.get(external_id=listed.id), "o1")
    whatsapp.press(account, ana, Line.objects.get(external_id=quick.id), "Thanks")
    pressed, picked, thanked = parsed(wa, account, end)
    assert (pressed.data, pressed.title, pressed.reply_to_message.id) == ("n", "No", buttons.id)
    assert (picked.data, picked.title) == ("o1", "Refund")
    assert thanked.is_quick_reply and thanked.reply_to_message.id == quick.id


def test_all_kinds_are_sent(wa: WhatsApp, account: Account, ana: Person, end: FarEnd) -> None:
    line = whatsapp.text(account, ana, "Hello")
    to = ana.phone
    wa.send_image(to, PNG, caption="A", mime_type="image/png")
    wa.send_image(to, f"{end.url}/a.png")
    wa.send_document(to, b"%PDF", filename="inv.pdf", mime_type="application/pdf")
    wa.send_audio(to, b"OggS", mime_type="audio/ogg")
    wa.send_location(to, 38.72, -9.14, name="Shop")
    wa.send_contact(to, Contact(name=Contact.Name(formatted_name="Rui", first_name="Rui")))
    wa.send_reaction(to, "👍", line.external_id)
    assert list(ana.lines.filter(ours=True).order_by("pk").values_list("kind", flat=True)) == [
        "image",
        "image",
        "document",
        "audio",
        "location",
        "contacts",
    ]
    line.refresh_from_db()
    assert line.reactions == {"us": "👍"}
    assert [one["status"] for one in statuses(account, end)] == ["sent", "delivered"] * 6 + ["sent"]
    assert wa.mark_message_as_read(line.external_id)
    assert wa.indicate_typing(line.external_id)
    ana.refresh_from_db()
    line.refresh_from_db()
    assert line.state == "read" and ana.attributes["typing_until"]
    assert wa.get_business_phone_number().quality_rating == "GREEN"
    kept = wa.upload_media(PNG, mime_type="image/png", filename="a.png")
    assert wa.delete_media(kept.id) and not Media.objects.filter(external_id=kept.id)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"type": "text", "text": {"body": "x" * 4097}}, 100),
        ({"type": "text", "text": {}}, 100),
        ({"type": "text"}, 100),
        ({"type": "carrier_pigeon"}, 100),
        ({"to": "", "type": "text", "text": {"body": "x"}}, 100),
        ({"messaging_product": "", "type": "text", "text": {"body": "x"}}, 100),
        ({"to": "15550783881", "type": "text", "text": {"body": "x"}}, 131021),
        ({"type": "image", "image": {"id": "1"}}, 131009),
        ({"type": "image", "image": {"link": "http://x/", "caption": "x" * 1025}}, 100),
        ({"type": "location", "location": {"latitude": 1}}, 131008),
        ({"type": "contacts", "contacts": []}, 131008),
        (
            {
                "type": "interactive",
                "interactive": {
                    "type": "button",
                    "body": {"text": "x"},
                    "action": {"buttons": [{"reply": {"id": str(n), "title": "t"}} for n in range(4)]},
                },
            },
            131009,
        ),
        ({"type": "template", "template": {"name": "sale", "language": {"code": "en_US"}}}, 132001),
        ({"type": "template", "template": {"name": "none", "language": {"code": "en_US"}}}, 132001),
        ({"type": "template", "template": {"name": "order_update", "language": {"code": "en_US"}}}, 132000),
    ],
)
def test_what_is_wrong_is_refused(
    account: Account, ana: Person, live_server: Any, sent: dict[str, Any], code: int
) -> None:
    whatsapp.text(account, ana, "Hello")
    answer = requests.post(
        f"{live_server.url}/sandbox/phones/graph/v26.0/{NUMBER}/messages",
        json={"messaging_product": "whatsapp", "to": ana.phone, **sent},
        headers={"Authorization": f"Bearer {TOKEN}"},
        timeout=5,
    )
    error = answer.json()["error"]
    assert error["code"] == code and answer.status_code == (404 if code == 132001 else 400), error
    assert error["type"] == "OAuthException" and error["fbtrace_id"] and error["message"].startswith(f"(#{code}) ")
    assert not Line.objects.filter(ours=True).exists()


def test_what_cannot_be_delivered_fails_afterwards(wa: WhatsApp, account: Account, ana: Person, end: FarEnd) -> None:
    def failed(expected: int) -> dict[str, Any]:
        (status,) = statuses(account, end)
        assert status["status"] == "failed" and [one["code"] for one in status["errors"]] == [expected]
        return status

    wa.send_message(to=ana.phone, text="Unasked")
    failed(131047)
    whatsapp.text(account, ana, "Hello")
    chats.grow_old(account, timedelta(hours=24))
    told(account, end)
    wa.send_message(to=ana.phone, text="Late", tracker="msg-1")
    assert failed(131047)["biz_opaque_callback_data"] == "msg-1"
    params = [BODY.params("Ana", "12")]
    wa.send_template(ana.phone, "order_update", templates.TemplateLanguage.ENGLISH_US, params=params)
    assert [one["status"] for one in statuses(account, end)] == ["sent", "delivered"]
    whatsapp.text(account, ana, "Hello again")
    wa.send_message(to="4915112345678", text="Nobody")
    told_now = told(account, end)
    assert told_now[1]["statuses"][0]["recipient_id"] == "4915112345678" and "contacts" not in told_now[1]
    wa.send_image(ana.phone, f"{end.url}/gone.png")
    failed(131053)
    account.refresh_from_db()
    account.faults = [{"method": "status", "code": 131049, "title": "Not delivered"}]
    account.save()
    wa.send_message(to=ana.phone, text="Experiment")
    failed(131049)
    whatsapp.block(account, ana)
    wa.send_message(to=ana.phone, text="Blocked")
    assert [one["status"] for one in statuses(account, end)] == ["sent"]
    chats.arrange(account, sync_errors=True)
    with pytest.raises(errors.MessageUndeliverable):
        wa.send_message(to="4915112345678", text="Nobody")


def test_one_person_is_not_flooded(wa: WhatsApp, account: Account, ana: Person) -> None:
    whatsapp.text(account, ana, "Hello")
    Line.objects.bulk_create(
        Line(account=account, person=ana, ours=True, external_id=f"o{number}") for number in range(46)
    )
    with pytest.raises(errors.TooManyMessages):
        wa.send_message(to=ana.phone, text="47")
    ana.lines.filter(ours=True).update(at=timezone.now() - timedelta(minutes=5))
    assert wa.send_message(to=ana.phone, text="48")


def test_people_with_a_username_have_no_number(wa: WhatsApp, account: Account, end: FarEnd) -> None:
    bo = whatsapp.meet(account, "Bo", "", handle="bo.b", country="SE")
    with hooks.together(account):
        whatsapp.text(account, bo, "One")
        whatsapp.text(account, bo, "Two")
    (value,) = told(account, end)
    assert [one["text"]["body"] for one in value["messages"]] == ["One", "Two"]
    assert "wa_id" not in value["contacts"][0] and all("from" not in one for one in value["messages"])
    sent = wa.send_message(to=bo.external_id, text="Hello Bo")
    sent_to = told(account, end)[0]["statuses"][0]
    assert sent_to["id"] == sent.id and sent_to["recipient_user_id"] == bo.external_id
    assert "recipient_id" not in sent_to


def test_a_number_may_be_known_in_two_forms(wa: WhatsApp, account: Account, end: FarEnd) -> None:
    bia = whatsapp.meet(account, "Bia", "5511912345678", country="BR")
    chats.remember(bia, wa_id="551112345678")
    whatsapp.text(account, bia, "Oi")
    (value,) = told(account, end)
    assert (value["messages"][0]["from"], value["contacts"][0]["wa_id"]) == ("5511912345678", "551112345678")
    for number in ("+55 11 91234-5678", "551112345678"):
        sent = wa.send_message(to=number, text="Oi")
        assert sent.chat.id == "551112345678" and sent.input == number
        assert told(account, end)[0]["statuses"][0]["recipient_id"] == "551112345678"
    whatsapp.account_error(account)
    assert told(account, end)[0]["errors"][0]["code"] == 130429


def test_templates_come_by_pages(wa: WhatsApp, account: Account) -> None:
    found = wa.get_templates()
    assert [(one.name, one.status.value) for one in found] == [("order_update", "APPROVED"), ("sale", "REJECTED")]
    chats.arrange(account, templates=[{**TEMPLATES[0], "id": str(n), "name": f"t{n}"} for n in range(30)])
    first = wa.get_templates()
    assert len(list(first)) == 25 and first.has_next
    rest = requests.get(first._next_url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5).json()
    assert [one["name"] for one in rest["data"]] == [f"t{n}" for n in range(25, 30)] and "next" not in rest["paging"]


def test_a_webhook_is_set_once_the_far_end_gives_back_the_challenge(
    wa: WhatsApp, account: Account, end: FarEnd
) -> None:
    chats.arrange(account, subscribed_fields=None, webhook_url=None)
    app = wa.get_app_access_token(app_id=555, app_secret=SECRET)
    settings: dict[str, Any] = {"app_id": 555, "app_access_token": app, "fields": ("messages",)}
    with pytest.raises(errors.WhatsAppError) as refused:
        wa.set_app_callback_url(callback_url=f"{end.url}/hook", verify_token="wrong", **settings)
    assert refused.value.code == 2200
    assert wa.set_app_callback_url(callback_url=f"{end.url}/hook", verify_token="verify-me", **settings)
    assert end.asked[-1]["hub.mode"] == ["subscribe"]
    whatsapp.text(account, whatsapp.meet(account, "Ana", "351910000001"), "Lost: nobody subscribed")
    assert not Told.objects.exists()
    assert wa.override_waba_callback_url(f"{end.url}/hook", "verify-me")
    account.refresh_from_db()
    assert account.settings["override_callback_uri"] and account.settings["subscribed_fields"] == ["messages"]
    assert wa.api.get_waba_subscribed_apps(WABA)["data"][0]["whatsapp_business_api_data"]["id"] == "555"


def test_what_fails_is_told_again_for_a_week(account: Account, ana: Person, end: FarEnd) -> None:
    end.status = 500
    whatsapp.text(account, ana, "Hello")
    assert core.push() == 1 and core.push() == 1  # at once, then with waits
    one = Told.objects.get()
    assert one.state == "waiting" and one.next_at > timezone.now()
    Told.objects.update(at=timezone.now() - timedelta(days=7), next_at=timezone.now())
    core.push()
    assert Told.objects.get().state == "gone"
    end.status = 200
    hooks.repeat(one)
    end.got.clear()
    assert core.push() == 1 and len(end.got) == 1


def test_tokens_proofs_and_versions(wa: WhatsApp, account: Account, live_server: Any) -> None:
    root = f"{live_server.url}/sandbox/phones/graph"

    def ask(version: str = "/v26.0", token: str = TOKEN, **params: str) -> tuple[int, dict[str, Any]]:
        answer = requests.get(f"{root}{version}/{NUMBER}", params={"access_token": token, **params}, timeout=5)
        return answer.status_code, answer.json().get("error", {})

    assert ask() == (200, {}) and ask(version="") == (200, {})
    assert ask("/v99.0")[1]["code"] == 2500
    status, error = ask(token="other")
    assert (status, error["code"]) == (401, 190)
    assert ask(appsecret_proof=graph.proof(SECRET, TOKEN))[0] == 200
    assert ask(appsecret_proof="wrong")[1]["code"] == 100
    chats.arrange(account, require_proof=True)
    assert ask()[1]["code"] == 100
    chats.arrange(account, require_proof=None, token_state="expired")
    assert (ask()[1]["code"], ask()[1]["error_subcode"]) == (190, 463)
    checked = requests.get(f"{root}/debug_token", params={"input_token": TOKEN, "access_token": TOKEN}, timeout=5)
    assert not checked.json()["data"]["is_valid"]
    with pytest.raises(errors.ExpiredAccessToken):
        wa.get_business_phone_number()
    chats.arrange(account, token_state=None)
    account.refresh_from_db()
    account.faults = [{"method": "GET account", "status": 503, "text": "Service Unavailable"}]
    account.save()
    assert requests.get(f"{root}/{NUMBER}", params={"access_token": TOKEN}, timeout=5).status_code == 503
    assert ask() == (200, {})


def test_files_need_the_token_and_expire(account: Account, live_server: Any) -> None:
    media = files.keep(account, PNG, "image/png")
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    assert requests.get(files.url_of(media), timeout=5).status_code == 401
    answer = requests.get(files.url_of(media), headers=bearer, timeout=5)
    assert (answer.content, answer.headers["Content-Type"]) == (PNG, "image/png")
    assert requests.get(files.url_of(media, seconds=-1), headers=bearer, timeout=5).status_code == 404
    assert requests.get(files.url_of(media) + "0", headers=bearer, timeout=5).status_code == 403
    chats.arrange(account, token_state="expired")
    assert requests.get(files.url_of(media), headers=bearer, timeout=5).status_code == 401
    chats.arrange(account, token_state=None)
    Media.objects.update(expires_at=timezone.now())
    gone = requests.get(f"{live_server.url}/sandbox/phones/graph/{media.external_id}", headers=bearer, timeout=5)
    assert gone.json()["error"]["error_subcode"] == 33
