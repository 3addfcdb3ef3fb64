"""Photos of agents: kept, shown to colleagues alone, replaced and taken away; what is no picture is refused."""

from __future__ import annotations

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from inbox.actions import people
from inbox.models import Agent, Channel
from tests.cast import question

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40


def client_of(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent)
    return client


def save(client: Client, agent: Agent, **fields: object) -> str:
    sent = {"name": agent.name, "language": "en", "theme": "system", "time_zone": "", **fields}
    return client.post("/settings/profile/", sent, follow=True).content.decode()


def test_a_photo_is_kept_shown_replaced_and_taken_away(sana: Agent, omar: Agent, support: Channel) -> None:
    client = client_of(sana)
    save(client, sana, photo=SimpleUploadedFile("me.png", PNG, "image/png"))
    sana.refresh_from_db()
    first = sana.photo
    answer = client_of(omar).get(f"/agents/{sana.pk}/photo/")
    assert (
        answer.content == PNG
        and answer["Content-Type"] == "image/png"
        and answer["X-Content-Type-Options"] == "nosniff"
    )
    ticket = question(support, "Where?")
    assert f'src="/agents/{sana.pk}/photo/' in client_of(omar).get(f"/tickets/{ticket.pk}/").content.decode()
    save(client, sana, photo=SimpleUploadedFile("me.png", PNG + b"2", "image/png"))
    assert not default_storage.exists(first)
    save(client, sana, no_photo="on")
    sana.refresh_from_db()
    assert sana.photo == "" and client.get(f"/agents/{sana.pk}/photo/").status_code == 404


@pytest.mark.parametrize("content", [b"<svg onload=alert(1)>", b"GIF", PNG + b"x" * people.MOST_PHOTO])
def test_what_is_no_picture_or_too_large_is_refused(content: bytes, sana: Agent) -> None:
    page = save(client_of(sana), sana, photo=SimpleUploadedFile("x.png", content, "image/png"))
    sana.refresh_from_db()
    assert sana.photo == "" and "errorlist" in page


def test_strangers_see_no_photo(sana: Agent) -> None:
    people.set_photo(sana, PNG)
    assert Client().get(f"/agents/{sana.pk}/photo/").status_code == 302
