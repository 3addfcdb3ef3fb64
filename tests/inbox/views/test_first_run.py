"""The first steps: shown to who may take them, until they are done or put away."""

from __future__ import annotations

import pytest
from django.test import Client

from inbox import first_run
from inbox.actions import reply
from inbox.models import Agent, Channel
from tests.cast import member, question

pytestmark = pytest.mark.django_db
WORDS = "From nothing to the first answer"


def client_of(agent: Agent) -> Client:
    client = Client()
    client.force_login(agent)
    return client


def test_they_lead_from_nothing_to_the_first_answer(zoya: Agent) -> None:
    assert [step.done for step in first_run.steps(zoya)] == [False] * 4
    page = client_of(zoya).get("/").content.decode()
    assert WORDS in page and "/settings/channels/new/email/" in page and ' begins"' in page
    assert WORDS in client_of(zoya).get("/settings/").content.decode()


def test_each_step_is_seen_to_be_done_and_then_they_are_gone(zoya: Agent, support: Channel) -> None:
    assert "support@example.org" in first_run.steps(zoya)[1].about
    ticket = question(support, "Where?")
    steps = first_run.steps(zoya)
    assert [step.done for step in steps] == [True, True, False, False]
    assert steps[2].url == f"/tickets/{ticket.pk}/"
    assert ' begins"' not in client_of(zoya).get("/").content.decode(), "on a phone the list has the room"
    member("Sana", "agent", None)
    reply.reply(ticket, by=zoya, text="Thursday.")
    assert first_run.steps(zoya) == []


def test_only_who_connects_channels_sees_them_or_puts_them_away(zoya: Agent, sana: Agent) -> None:
    assert WORDS not in client_of(sana).get("/").content.decode()
    assert client_of(sana).post("/first-run/").status_code == 403
    assert first_run.steps(zoya)
    client_of(zoya).post("/first-run/")
    assert WORDS not in client_of(zoya).get("/").content.decode()


def test_the_first_person_comes_by_the_link_that_is_printed_once() -> None:
    link, page = first_run.welcome_path(), Client()
    assert "/welcome/" in page.get("/accounts/login/").content.decode()
    assert page.get(link).status_code == 200 and page.get(f"{link[:-2]}x/").status_code == 404
    told = {"name": "نور", "email": " Noor@Example.org ", "password": "two-rivers-meet"}
    for wrong in ({"email": "noor"}, {"password": "noor@example.org"}, {"password": "short"}, {"name": " "}):
        assert page.post(link, {**told, **wrong}).status_code == 200 and not Agent.objects.exists()
    bot = member("Bot", "agent", None)
    Agent.objects.filter(pk=bot.pk).update(is_bot=True)
    taken = page.post(link, {**told, "email": bot.email.upper()})
    assert taken.status_code == 200 and "A bot has this address already" in taken.content.decode()
    bot.delete()
    assert page.post(link, told)["Location"] == "/"
    noor = Agent.objects.get()
    assert (noor.email, noor.name, noor.role) == ("noor@example.org", "نور", "admin")
    assert WORDS in page.get("/").content.decode(), "logged in, and led on"
    for again in (page, Client()):
        assert again.get(link).status_code == again.post(link, {**told, "email": "b@example.org"}).status_code == 404
    assert "/welcome/" not in Client().get("/accounts/login/").content.decode()
    assert Agent.objects.count() == 1
