from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from api.models import ApiToken, IdempotencyKey
from inbox.models import Agent, Message, Ticket
from tests.api.conftest import Api, problem


def reply(api: Api, ticket: Ticket, key: str, text: str = "It left today.") -> Any:
    return api.post(f"/tickets/{ticket.number}/messages/", {"kind": "reply", "text": text}, Idempotency_Key=key)


def test_the_same_request_again_gets_the_first_answer(as_sana: Api, ticket: Ticket) -> None:
    first = reply(as_sana, ticket, "k1")
    again = reply(as_sana, ticket, "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Location"] == first["Location"]
    assert again["Idempotent-Replayed"] == "true"
    assert Message.objects.filter(direction="out").count() == 1
    assert reply(as_sana, ticket, "k2").json()["id"] != first.json()["id"]


def test_a_key_is_for_one_request(as_sana: Api, as_zoya: Api, ticket: Ticket) -> None:
    reply(as_sana, ticket, "k1")
    problem(reply(as_sana, ticket, "k1", "Something else."), 422, "key_reused")
    problem(as_sana.post("/tokens/", {}, Idempotency_Key="k1"), 422, "key_reused")
    assert reply(as_zoya, ticket, "k1").status_code == 201
    assert Message.objects.filter(direction="out").count() == 2
    for key in ("", "x" * 256):
        assert list(problem(reply(as_sana, ticket, key), 400)["errors"]) == ["Idempotency-Key"]


def test_errors_leave_the_key_free(as_sana: Api, ticket: Ticket) -> None:
    problem(reply(as_sana, ticket, "k1", ""), 400)
    assert reply(as_sana, ticket, "k1").status_code == 201


def test_keys_live_for_a_day(as_sana: Api, ticket: Ticket) -> None:
    first = reply(as_sana, ticket, "k1")
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=23))
    assert reply(as_sana, ticket, "k1").json() == first.json()
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert reply(as_sana, ticket, "k1").json() != first.json()
    assert IdempotencyKey.objects.count() == 1


def test_uploads_count_by_what_is_in_them(as_sana: Api) -> None:
    first = as_sana.upload("a.txt", b"one", Idempotency_Key="k1")
    assert as_sana.upload("a.txt", b"one", Idempotency_Key="k1").json() == first.json()
    problem(as_sana.upload("a.txt", b"two", Idempotency_Key="k1"), 422)


def test_kept_answers_tell_no_secrets(as_sana: Api) -> None:
    secret = as_sana.post("/tokens/", {}, Idempotency_Key="k1").json()["token"]
    assert secret not in str(list(IdempotencyKey.objects.values()))
    assert as_sana.post("/tokens/", {}, Idempotency_Key="k1").json()["token"] == secret
    assert ApiToken.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_time_change_once(sana: Agent, ticket: Ticket) -> None:
    answers: list[Any] = []
    together = threading.Barrier(4)

    def send() -> None:
        try:
            api = Api(sana)
            together.wait()
            answers.append(reply(api, ticket, "k1"))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Message.objects.filter(direction="out").count() == 1
