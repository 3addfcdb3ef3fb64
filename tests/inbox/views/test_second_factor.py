"""The second factor: app, recovery codes, who must have one, and what a code is good for. Passkeys need a browser:
tests/browser/test_people.py."""

from __future__ import annotations

import re
import threading
import time
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings as configured
from django.core import mail
from django.test import Client

from api.models import ApiToken
from inbox import post
from inbox.models import Agent, Event
from lib import signing

PASSWORD = "seven green parrots"


@pytest.fixture(autouse=True)
def unused_counts(settings: Any) -> None:
    settings.CACHES = {"default": {**configured.CACHES["default"], "KEY_PREFIX": f"test-{uuid4()}"}}


@pytest.fixture
def person(sana: Agent) -> Agent:
    sana.set_password(PASSWORD)
    sana.save()
    return sana


def log_in(client: Client, agent: Agent, password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": agent.email, "password": password})


def code_of(secret: str, step: int = 0) -> str:
    return str(totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30 + step)))


def confirmed(client: Client) -> Client:
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    return client


def set_up(client: Client, agent: Agent) -> str:
    """Log in and set an app up as a person does; returns its secret."""
    assert log_in(client, agent)["Location"] == "/"
    confirmed(client)
    page = client.get("/settings/security/app/").content.decode()
    found = re.search(r'id="secret">([A-Z2-7]+)<', page)
    assert found and "data:image/svg+xml;base64," in page
    assert client.post("/settings/security/app/", {"code": "000000"}).status_code == 200
    answer = client.post("/settings/security/app/", {"code": code_of(found[1])})
    assert answer["Location"] == "/settings/security/codes/", answer.content.decode()
    return found[1]


def test_from_setting_up_to_logging_in(client: Client, person: Agent, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        secret = set_up(client, person)
    kinds = list(Event.objects.filter(kind__startswith="second_factor").values_list("data__factor", flat=True))
    assert sorted(kinds) == ["recovery_codes", "totp"]
    other = Client()
    assert log_in(other, person)["Location"] == "/accounts/2fa/authenticate/"
    assert other.get("/").status_code == 302 and "_auth_user_id" not in other.session
    for wrong in ("000000", "", "x" * 5000, code_of(secret, 40)):
        answer = other.post("/accounts/2fa/authenticate/", {"code": wrong})
        assert answer.status_code == 200 and "_auth_user_id" not in other.session
    assert other.post("/accounts/2fa/authenticate/", {"code": code_of(secret, 1)}).status_code == 302
    assert other.get("/").status_code == 200
    assert Event.objects.filter(kind="logged_in").latest("pk").data == {"means": ["password", "mfa"]}


def test_secrets_lie_encrypted(client: Client, person: Agent) -> None:
    secret = set_up(client, person)
    kept = {one.type: one.data for one in Authenticator.objects.all()}
    assert secret not in str(kept) and signing.unseal(kept["totp"]["secret"]) == secret
    assert isinstance(signing.unseal(kept["recovery_codes"]["seed"]), str)


@pytest.mark.parametrize("step", [-1, 0, 1])
def test_a_code_works_once_as_long_as_it_is_valid(client: Client, person: Agent, step: int, monkeypatch: Any) -> None:
    secret = set_up(client, person)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 300)
    code = code_of(secret, step)
    first, second = Client(), Client()
    log_in(first, person)
    log_in(second, person)
    assert first.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302
    from django.core.cache import cache

    # allauth's own memory of a used code is over after one period, while the code is still valid
    cache.delete(f"allauth.mfa.totp.used?user={person.pk}&code={code}")
    assert second.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 200
    assert second.post("/accounts/2fa/authenticate/", {"code": f"{code[:3]} {code[3:]}"}).status_code == 200


def test_the_code_that_set_the_app_up_is_used_up(client: Client, person: Agent, monkeypatch: Any) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now)
    secret = set_up(client, person)
    other = Client()
    log_in(other, person)
    assert other.post("/accounts/2fa/authenticate/", {"code": code_of(secret)}).status_code == 200
    assert other.post("/accounts/2fa/authenticate/", {"code": code_of(secret, 1)}).status_code == 302


def test_recovery_codes_work_once_each(client: Client, person: Agent) -> None:
    set_up(client, person)
    page = client.get("/settings/security/codes/").content.decode()
    codes = re.findall(r"<li><code>(\w+)</code>", page)
    assert len(codes) == 10
    assert client.get("/settings/security/codes/download/").content.decode().split() == codes
    for expected in (302, 200):
        other = Client()
        log_in(other, person)
        assert other.post("/accounts/2fa/authenticate/", {"code": codes[3]}).status_code == expected
    assert "9 codes left" in client.get("/settings/security/").content.decode()
    client.post("/settings/security/codes/new/")
    other = Client()
    log_in(other, person)
    assert other.post("/accounts/2fa/authenticate/", {"code": codes[4]}).status_code == 200


def test_guessing_codes_ends(client: Client, person: Agent) -> None:
    secret = set_up(client, person)
    other = Client()
    log_in(other, person)
    for guess in range(5):
        other.post("/accounts/2fa/authenticate/", {"code": f"00000{guess}"})
    answer = other.post("/accounts/2fa/authenticate/", {"code": code_of(secret, 1)})
    assert answer.status_code == 200 and "five minutes" in answer.content.decode()
    assert Event.objects.filter(kind="second_factor_failed", data__agent=person.pk).exists()


CHANGES = ["app/", "passkeys/add/", "codes/"]


@pytest.mark.parametrize("path", CHANGES)
def test_changes_ask_again_who_it_is(client: Client, person: Agent, path: str) -> None:
    log_in(client, person)
    if path == "codes/":
        Authenticator.objects.create(
            user=person, type="recovery_codes", data={"seed": signing.seal("x"), "used_mask": 0}
        )
    for method in ("get", "post"):
        answer = getattr(client, method)(f"/settings/security/{path}", {"code": "123456"})
        if (path, method) == ("codes/", "post"):
            assert answer.status_code == 405
        else:
            assert answer["Location"].startswith("/accounts/reauthenticate/?next=")
    assert client.post("/accounts/reauthenticate/", {"password": "wrong"}).status_code == 200
    assert client.get(f"/settings/security/{path}")["Location"].startswith("/accounts/reauthenticate/")
    assert confirmed(client).get(f"/settings/security/{path}").status_code == 200


def test_removing_the_app(client: Client, person: Agent) -> None:
    set_up(client, person)
    assert "Remove" in client.get("/settings/security/app/remove/").content.decode()
    assert client.post("/settings/security/app/remove/").status_code == 302
    assert not Authenticator.objects.exists()
    assert Event.objects.filter(kind="second_factor_removed").count() == 2
    assert log_in(Client(), person)["Location"] == "/"


def test_foreign_passkeys_are_not_there(client: Client, person: Agent, bilal: Agent) -> None:
    log_in(client, person)
    confirmed(client)
    foreign = Authenticator.objects.create(user=bilal, type="webauthn", data={"name": "His"})
    for path in (f"passkeys/{foreign.pk}/", f"passkeys/{foreign.pk}/remove/"):
        assert client.get(f"/settings/security/{path}").status_code == 404
        assert client.post(f"/settings/security/{path}", {"name": "Mine"}).status_code == 404
    assert Authenticator.objects.get().data == {"name": "His"}


CREDENTIALS = [
    *("", "x", "{}", "[]", "null", "1", '"x"', '{"id": 1}', '{"response": {}}', '{"response": {"userHandle": "eA"}}'),
    *("[" * 2000, '{"a":' * 2000, '{"id": null, "rawId": [], "type": {}, "response": []}', '{"response": "x"}'),
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"userHandle":"MQ","clientDataJSON":"AA"}}',
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"userHandle":1,"clientDataJSON":2,'
    '"authenticatorData":3,"signature":4}}',
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"userHandle":"//","clientDataJSON":"e30",'
    '"authenticatorData":"AA","signature":"AA"}}',
]


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_answers_of_no_passkey_open_nothing(client: Client, person: Agent, credential: str) -> None:
    client.get("/accounts/2fa/passkey/login/", headers={"Accept": "application/json"})
    answer = client.post("/accounts/2fa/passkey/login/", {"credential": credential})
    assert answer.status_code == 302 and answer["Location"] == "/accounts/login/"
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("credential", CREDENTIALS)
def test_answers_of_no_passkey_add_and_confirm_nothing(client: Client, person: Agent, credential: str) -> None:
    log_in(client, person)
    confirmed(client)
    client.get("/settings/security/passkeys/add/")
    answer = client.post("/settings/security/passkeys/add/", {"credential": credential, "passwordless": "on"})
    assert answer.status_code == 200 and not Authenticator.objects.exists()


# Who must have one ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("required", "agent_must", "admin_must"), [("none", False, False), ("admins", False, True), ("all", True, True)]
)
def test_who_must_have_one_is_led_there_first(
    person: Agent, zoya: Agent, settings: Any, required: str, agent_must: bool, admin_must: bool
) -> None:
    settings.REQUIRE_MFA = required
    for agent, must in ((person, agent_must), (zoya, admin_must)):
        agent.set_password(PASSWORD)
        agent.save()
        client = Client()
        client.force_login(agent)
        for path in ("/", "/settings/", "/settings/people/", "/settings/profile/", "/problems/"):
            answer = client.get(path)
            led = answer.status_code == 302 and answer["Location"] == "/settings/security/"
            assert led is must, (agent.name, path)
        assert client.post("/uploads/").status_code == (302 if must else 400)
        part = client.get("/", headers={"HX-Request": "true"})
        assert ("HX-Redirect" in part) is must
        page = client.get("/settings/security/").content.decode()
        assert ("asks for a second factor" in page) is must
        assert client.get("/accounts/password/change/").status_code == 200
        Authenticator.objects.create(
            user=agent, type="recovery_codes", data={"seed": signing.seal("x"), "used_mask": 0}
        )
        assert (client.get("/").status_code == 302) is must  # recovery codes alone are no factor
        Authenticator.objects.create(user=agent, type="totp", data={"secret": signing.seal("x")})
        assert client.get("/").status_code == 200


def test_tokens_are_a_factor_of_their_own(person: Agent, settings: Any, client: Client) -> None:
    settings.REQUIRE_MFA = "all"
    _token, secret = ApiToken.objects.issue(person, "read")
    assert client.get("/api/v1/tickets/", headers={"Authorization": f"Bearer {secret}"}).status_code == 200


def test_it_costs_nothing_where_nobody_must(person: Agent, django_assert_num_queries: Any, settings: Any) -> None:
    client = Client()
    client.force_login(person)
    with django_assert_num_queries(2):
        client.get("/settings/")
    settings.REQUIRE_MFA = "admins"
    with django_assert_num_queries(2):
        client.get("/settings/")


# A forgotten password ------------------------------------------------------------------------------------------------


def settle() -> None:
    """Wait for mails that leave in threads of their own: each of these is to do this, once it is through with those."""
    everybody = threading.Barrier(post._threads._max_workers)
    for future in [post._threads.submit(everybody.wait, 60) for _thread in range(everybody.parties)]:
        future.result()


def test_a_forgotten_password(client: Client, person: Agent) -> None:
    assert "Forgotten your password?" in client.get("/accounts/login/").content.decode()
    answers = [
        client.post("/accounts/password/reset/", {"email": email}) for email in (person.email, "nobody@example.org")
    ]
    assert {(one.status_code, one["Location"]) for one in answers} == {(302, "/accounts/password/reset/done/")}
    settle()
    (letter,) = mail.outbox
    link = re.search(r"http://testserver(/accounts/\S+)", str(letter.body))
    assert letter.to == [person.email] and link and letter.extra_headers["Auto-Submitted"] == "auto-generated"
    form = client.get(link[1], follow=True).request["PATH_INFO"]
    assert "errorlist" in client.post(form, {"password1": "short", "password2": "short"}).content.decode()
    new = "eight blue herons"
    assert client.post(form, {"password1": new, "password2": new}).status_code == 302
    assert log_in(client, person, new)["Location"] == "/"
    assert "no longer" in Client().get(link[1], follow=True).content.decode()


def test_nobody_waits_for_the_mail(client: Client, person: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither does a known address answer later than an unknown one, nor a mail server that hangs hold the page."""
    gate = threading.Event()
    sent: list[Any] = []

    def slow(letter: Any) -> None:
        gate.wait(20)
        sent.append(letter)

    monkeypatch.setattr(post, "send", slow)
    answer = client.post("/accounts/password/reset/", {"email": person.email})
    assert answer.status_code == 302 and not sent
    gate.set()
    settle()
    assert [letter.to for letter in sent] == [[person.email]]


def test_a_forgotten_password_passes_no_second_factor(client: Client, person: Agent) -> None:
    set_up(client, person)
    client.post("/accounts/logout/")
    client.post("/accounts/password/reset/", {"email": person.email})
    settle()
    link = re.search(r"http://testserver(/accounts/\S+)", str(mail.outbox[-1].body))
    form = client.get(link[1], follow=True).request["PATH_INFO"]
    client.post(form, {"password1": "eight blue herons", "password2": "eight blue herons"})
    assert "_auth_user_id" not in client.session
    assert log_in(client, person, "eight blue herons")["Location"] == "/accounts/2fa/authenticate/"


def test_who_is_switched_off_gets_no_link(client: Client, person: Agent) -> None:
    Agent.objects.filter(pk=person.pk).update(is_active=False)
    assert client.post("/accounts/password/reset/", {"email": person.email}).status_code == 302
    settle()
    assert not mail.outbox


def test_a_host_header_is_not_in_the_mail(person: Agent) -> None:
    Client(HTTP_HOST="localhost").post("/accounts/password/reset/", {"email": person.email})
    settle()
    assert "http://testserver/" in mail.outbox[0].body and "localhost" not in mail.outbox[0].body


def test_asking_has_its_limit_and_says_when_to_try_again(client: Client, person: Agent) -> None:
    for _ask in range(4):
        answer = client.post("/accounts/password/reset/", {"email": person.email})
    assert answer.status_code == 429 and answer["Retry-After"] == "60"
    shown = answer.content.decode()
    assert "Wait a minute" in shown and "pages.css" in shown
    settle()
    assert len(mail.outbox) == 3


def test_failed_log_ins_say_when_to_try_again(client: Client, person: Agent) -> None:
    for guess in range(6):
        answer = log_in(client, person, f"guess {guess}")
    assert "Try again in five minutes" in answer.content.decode()


def test_too_many_log_ins_from_one_address(client: Client, person: Agent, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login": "1/m/ip"}
    log_in(client, person)
    answer = log_in(Client(), person)
    assert (
        answer.status_code == 429 and answer["Retry-After"] == "60" and "A little too often" in answer.content.decode()
    )


def test_without_mail_an_admin_is_named(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "available", lambda: False)
    assert "An admin of your organisation" in client.get("/accounts/login/").content.decode()
    assert client.get("/accounts/password/reset/").status_code == 404
