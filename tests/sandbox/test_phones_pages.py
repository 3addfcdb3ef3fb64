"""The pages where one plays a customer: whose phone, what they do there, and what goes wrong on demand."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sandbox import tasks
from sandbox.phones import core, telegram_acts, twilio_acts
from sandbox.phones.acts import Given, Upload
from sandbox.phones.models import Account, Line, Media, Person, Told
from sandbox.phones.telegram_base import add_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> Account:
    return telegram_acts.telegram.open_bot("Karvaan", "karvaan_bot")


@pytest.fixture
def ana(account: Account) -> Person:
    return telegram_acts.meet(account, "Ana Silva")


def do(client: Client, person: Person, act: str, **more: Any) -> Any:
    return client.post(f"/sandbox/phones/person/{person.pk}/act/", {"act": act, **more})


def test_from_the_mailboxes_to_a_phone_and_back(client: Client, account: Account, ana: Person) -> None:
    twilio_acts.twilio.open_number("+15550002222", "Karvaan SMS")
    assert 'href="/sandbox/phones/"' in client.get("/sandbox/").content.decode()
    page = client.get("/sandbox/phones/").content.decode()
    assert all(one in page for one in ("Telegram", "SMS", "Ana Silva", "Karvaan SMS", 'href="/sandbox/"'))
    assert "WhatsApp" not in page, "there is no account"


def test_somebody_new_with_a_number_where_one_is_needed(client: Client, account: Account) -> None:
    met = client.post(f"/sandbox/phones/{account.pk}/", {"name": "Bo"})
    assert met["Location"] == f"/sandbox/phones/person/{Person.objects.get().pk}/"
    sms = twilio_acts.twilio.open_number("+15550002222", "Karvaan SMS")
    wrong = client.post(f"/sandbox/phones/{sms.pk}/", {"name": "Cy", "phone": "0300"})
    assert wrong.status_code == 422
    assert "+923001234567" in wrong.content.decode()
    client.post(f"/sandbox/phones/{sms.pk}/", {"name": "Cy", "phone": "+92 300 1234567"})
    assert sms.people.get().external_id == "+923001234567"


def test_what_a_customer_does_there(client: Client, account: Account, ana: Person) -> None:
    assert do(client, ana, "text", text="Hello <b>").status_code == 302
    file = SimpleUploadedFile("cat.png", b"\x89PNG", "image/png")
    do(client, ana, "text", text="a cat", file=[file])
    do(client, ana, "location")
    do(client, ana, "unknown:story")
    ours = add_line(account, ana, ours=True, text="Which one?", state="sent", payload={"buttons": [["Red", "r"]]})
    do(client, ana, "text", text="This one", line=ours.pk)
    do(client, ana, "react:👍", line=ours.pk)
    do(client, ana, "press:r", line=ours.pk)
    first = Line.objects.earliest("pk")
    do(client, ana, "edit", text="Hello!", line=first.pk)
    kinds = [next(key for key in one.payload if key != "update_id") for one in Told.objects.order_by("pk")]
    assert kinds == ["message"] * 5 + ["callback_query", "edited_message"]
    page = client.get(f"/sandbox/phones/person/{ana.pk}/")
    text = page.content.decode()
    assert "media-src 'self'" in page.headers["Content-Security-Policy"]
    assert all(one in text for one in ("Hello!", "31.5204", "story", "👍</span>", "<blockquote", 'value="press:r"'))
    assert "<b>" not in text.partition('id="said"')[2].partition("<footer")[0]
    assert client.get(f"/sandbox/phones/media/{Media.objects.latest('pk').pk}/")["Content-Type"] == "image/png"
    do(client, ana, "delete", line=first.pk)
    assert "This message was deleted." in client.get(f"/sandbox/phones/person/{ana.pk}/").content.decode()

    assert do(client, ana, "edit", text="x", line=ours.pk).status_code == 422, "not their own"
    assert do(client, ana, "voice").status_code == 422, "no file"
    do(client, ana, "block")
    refused = do(client, ana, "text", text="kept")
    assert (refused.status_code, "kept</textarea>" in refused.content.decode()) == (422, True)
    assert do(client, ana, "nonsense").status_code == 404


def test_what_could_harm_is_downloaded(client: Client, account: Account) -> None:
    page = core.keep(account, b"<script>", "text/html", "a b.html")
    response = client.get(f"/sandbox/phones/media/{page.pk}/")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == "attachment; filename*=utf-8''a%20b.html"


def test_news_come_once_and_read_what_came(client: Client, account: Account, ana: Person) -> None:
    do(client, ana, "text", text="Hello")
    page = client.get(f"/sandbox/phones/person/{ana.pk}/").content.decode()
    found = re.search(r'hx-get="([^"]+)"', page)
    assert found is not None
    assert client.get(found[1]).status_code == 204
    line = add_line(account, ana, ours=True, text="Good morning", state="sent")
    news = client.get(found[1])
    assert "Good morning" in news.content.decode()
    line.refresh_from_db()
    assert line.state == "read"


def test_a_page_asks_as_much_for_many_lines(client: Client, account: Account, ana: Person) -> None:
    counts = []
    for many in (1, 8):
        for number in range(many):
            telegram_acts.file(account, ana, Given(files=(Upload("a.png", "image/png", b"x"),)), "")
            add_line(account, ana, ours=True, text=f"{number}", state="sent")
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/sandbox/phones/person/{ana.pk}/").status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] < 15


def test_posts_with_their_comments(client: Client, account: Account, ana: Person) -> None:
    Line.objects.create(account=account, ours=True, public=True, kind="post", external_id="p1", text="New shoes")
    Line.objects.create(account=account, person=ana, public=True, external_id="c1", thread="p1", text="How much?")
    page = client.get(f"/sandbox/phones/person/{ana.pk}/").content.decode()
    assert page.index("New shoes") < page.index("How much?")


def test_trouble_on_demand(client: Client, account: Account, ana: Person) -> None:
    at = f"/sandbox/phones/{account.pk}/"
    client.post(f"{at}trouble/", {"trouble": "rate"})
    client.post(f"{at}trouble/", {"trouble": "revoked"})
    account.refresh_from_db()
    assert [one["name"] for one in account.faults] == ["rate", "revoked"]
    token = account.secrets["token"]
    send = f"/sandbox/phones/telegram/bot{token}/sendMessage"
    assert client.post(send, {"chat_id": 1, "text": "x"}).status_code == 429
    assert client.post(send, {"chat_id": 1, "text": "x"}).status_code == 401
    page = client.get(at).content.decode()
    assert "sendMessage" in page
    assert "Token revoked" in page
    client.post(f"{at}trouble/", {"trouble": "clear"})
    assert client.post(send, {"chat_id": 1, "text": "x"}).status_code == 400
    found = re.search(r'hx-get="([^"]+)"', client.get(at).content.decode())
    assert found is not None
    assert client.get(found[1]).status_code == 204
    said = telegram_acts.text(account, ana, Given(text="x"))
    assert client.get(found[1]).status_code == 200
    client.post(f"{at}trouble/", {"trouble": "old"})
    assert (said.at - Line.objects.get().at).days == 2
    assert client.post(f"{at}trouble/", {"trouble": "nonsense"}).status_code == 404


def test_workers_push_each_second(account: Account, ana: Person) -> None:
    entry = settings.CELERY_BEAT_SCHEDULE["emulated platforms"]
    assert (entry["task"], entry["options"]["queue"]) == (tasks.push.name, "social")
    telegram_acts.text(account, ana, Given(text="x"))
    assert tasks.push() == 0, "nobody asked to be told by webhook"
