from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from api import tasks
from api.models import ApiToken, IdempotencyKey
from inbox.actions import people
from inbox.models import Agent, Customer, Message, Ticket
from tests.api.conftest import Api, problem

EVENTS = {"events": [{"kind": "order", "external_id": "o1"}]}


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
    problem(as_sana.post("/tokens/", {}, Idempotency_Key="k1"), 409, "answer_gone")
    assert ApiToken.objects.count() == 2
    assert IdempotencyKey.objects.get().answer == ""


def test_webhook_secrets_are_told_once(zoya: Agent) -> None:
    admin = Api(zoya, "admin")
    body = {"name": "Orders", "url": "https://shop.example/hook", "events": ["*"]}
    made = admin.post("/webhooks/", body, Idempotency_Key="k1").json()
    problem(admin.post("/webhooks/", body, Idempotency_Key="k1"), 409, "answer_gone")
    assert "secret" in admin.post(f"/webhooks/{made['id']}/rotate/", Idempotency_Key="k2").json()
    problem(admin.post(f"/webhooks/{made['id']}/rotate/", Idempotency_Key="k2"), 409, "answer_gone")
    assert not IdempotencyKey.objects.exclude(answer="").exists()


def test_a_key_is_one_tokens(zoya: Agent) -> None:
    """Of the same person a token with less scope gets nothing that one with more was told."""
    body = {"scope": "admin", "name": "ci"}
    assert Api(zoya, "admin").post("/tokens/", body, Idempotency_Key="1").status_code == 201
    weak = Api(zoya, "write")
    assert list(problem(weak.post("/tokens/", body, Idempotency_Key="1"), 400)["errors"]) == ["scope"]
    problem(Api(zoya, "read").post("/tokens/", body, Idempotency_Key="1"), 403)


def test_what_is_out_of_sight_is_not_told_again(zoya: Agent, omar: Agent, ticket: Ticket) -> None:
    api = Api(omar)
    note = {"kind": "note", "text": "for us alone"}
    made = {
        "channel": "support",
        "direction": "in",
        "subject": "x",
        "text": "hi",
        "identity": {"kind": "email", "value": "e@x.example"},
    }

    def answers() -> list[int]:
        return [
            api.post(f"/tickets/{ticket.pk}/messages/", note, Idempotency_Key="k1").status_code,
            api.post("/tickets/", made, Idempotency_Key="k2").status_code,
            api.post(f"/customers/{ticket.customer_id}/events/", EVENTS, Idempotency_Key="k3").status_code,
        ]

    assert answers() == answers() == [201, 201, 201]
    people.change(omar, by=zoya, teams=[])
    assert api.get(f"/tickets/{ticket.pk}/").status_code == 404
    assert answers() == [404, 404, 404]
    assert Message.objects.filter(text="for us alone").count() == 1


def test_another_role_is_not_told_again(zoya: Agent, sana: Agent, as_sana: Api, ticket: Ticket) -> None:
    assert reply(as_sana, ticket, "k1").status_code == 201
    people.change(sana, by=zoya, role="light")
    problem(reply(as_sana, ticket, "k1"), 409, "answer_gone")
    problem(reply(as_sana, ticket, "k2"), 403)
    assert Message.objects.filter(direction="out").count() == 1


def test_whoever_was_merged_can_be_merged_again_under_the_key(as_sana: Api, ticket: Ticket) -> None:
    made = as_sana.post("/customers/", {"name": "Ali"}, Idempotency_Key="k1").json()
    for _time in range(2):
        path = f"/customers/{made['id']}/merge/"
        assert as_sana.post(path, {"into": ticket.customer_id}, Idempotency_Key="k2").status_code == 200
    assert as_sana.post("/customers/", {"name": "Ali"}, Idempotency_Key="k1").json() == made


def test_no_answer_outlives_who_was_erased(as_zoya: Api, as_sana: Api, ticket: Ticket) -> None:
    body = {"name": "Zub", "identities": [{"kind": "email", "value": "zub@x.example"}]}
    made = as_sana.post("/customers/", body, Idempotency_Key="k1").json()
    first = reply(as_sana, ticket, "k2")
    assert first.status_code == 201
    assert as_zoya.delete(f"/customers/{made['id']}/").status_code == 204
    assert not IdempotencyKey.objects.exclude(answer="").exists()
    problem(as_sana.post("/customers/", body, Idempotency_Key="k1"), 409, "answer_gone")
    problem(reply(as_sana, ticket, "k2"), 409, "answer_gone")
    assert not Customer.objects.filter(name="Zub").exists()
    assert Message.objects.filter(direction="out").count() == 1


def test_old_answers_go_every_night(as_sana: Api, ticket: Ticket) -> None:
    for key in ("k1", "k2"):
        reply(as_sana, ticket, key)
    IdempotencyKey.objects.filter(key="k1").update(created_at=timezone.now() - timedelta(hours=25))
    assert tasks.prune_idempotency_keys() == 1
    assert IdempotencyKey.objects.get().key == "k2"
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert "api.tasks.prune_idempotency_keys" in scheduled


@pytest.mark.django_db(transaction=True)
def test_two_at_the_same_time_change_once(sana: Agent, ticket: Ticket) -> None:
    answers: list[Any] = []
    together = threading.Barrier(4)
    api = Api(sana)

    def send() -> None:
        try:
            mine = Api(None)
            mine.headers = api.headers
            together.wait()
            answers.append(reply(mine, ticket, "k1"))
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
