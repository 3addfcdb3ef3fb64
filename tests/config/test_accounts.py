"""Log-in: which pages there are, how many attempts, from whom they come, and what it owes to Redis."""

from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings as configured
from django.core.cache import caches
from django.core.checks import run_checks
from django.test import Client
from django.urls import reverse

from config import settings as read
from config.cache import RedisOrMemory
from inbox.models import Agent, Event
from tests.cast import sana, team

__all__ = ["sana", "team"]

PASSWORD = "a good long one"
FAR = "redis://127.0.0.1:1/0"  # nobody listens there


@pytest.fixture(autouse=True)
def unused_addresses(settings: Any) -> None:
    """Counts of one test are none of another's."""
    settings.CACHES = {"default": {**configured.CACHES["default"], "KEY_PREFIX": f"test-{uuid4()}"}}


@pytest.fixture
def person(sana: Agent) -> Agent:
    sana.set_password(PASSWORD)
    sana.save()
    return sana


def attempt(email: str, password: str, peer: str = "192.0.2.1", forwarded: str = "") -> bool:
    """Whether this log-in went well."""
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    answer = Client(REMOTE_ADDR=peer).post(
        reverse("account_login"), {"login": email, "password": password}, headers=headers
    )
    assert answer.status_code in {200, 302, 429}, answer.content
    return bool(answer.status_code == 302)


@pytest.mark.parametrize(
    "path",
    "signup/ email/ confirm-email/ login/code/confirm/ 2fa/ 2fa/totp/activate/ 2fa/webauthn/signup/ 3rdparty/ "
    "3rdparty/signup/ sessions/ oidc/login/ oidc/callback/".split(),
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_what_rabta_has_no_page_for_is_not_there(client: Client, person: Agent, path: str, method: str) -> None:
    assert getattr(client, method)(f"/accounts/{path}", {"email": person.email}).status_code == 404
    client.force_login(person)
    assert getattr(client, method)(f"/accounts/{path}", {"email": person.email}).status_code == 404


def test_the_pages_that_there_are_work(client: Client, person: Agent) -> None:
    assert client.get("/accounts/login/").status_code == client.get("/accounts/inactive/").status_code == 200
    assert client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})["Location"] == "/"
    for path in ("logout/", "password/change/", "reauthenticate/"):
        assert client.get(f"/accounts/{path}").status_code == 200
    new = "quite another one"
    body = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/accounts/password/change/", body)["Location"] == "/settings/security/"
    assert Event.objects.filter(kind="password_changed", actor_id=person.pk).count() == 1
    assert client.get("/settings/security/").content.decode().count("this one") == 1
    person.refresh_from_db()
    assert person.check_password(new)
    assert client.post("/accounts/logout/").status_code == 302
    person.is_active = False
    person.save()
    assert not client.login(email=person.email, password=new)
    answer = client.post("/accounts/login/", {"login": person.email, "password": new})
    assert answer.status_code == 200 or answer["Location"] == "/accounts/inactive/"


def test_guessing_ends_for_the_guesser_not_for_the_owner(person: Agent) -> None:
    for guess in range(5):
        assert not attempt(person.email, f"guess {guess}")
    assert not attempt(person.email, PASSWORD)
    assert attempt(person.email, PASSWORD, peer="192.0.2.2")


def test_a_guesser_has_one_network_of_ipv6(person: Agent) -> None:
    """Every subscriber has 2**64 addresses to guess from; they count as one."""
    for guess in range(5):
        assert not attempt(person.email, "guess", peer=f"2001:db8::{guess + 1:x}:{guess}")
    assert not attempt(person.email, PASSWORD, peer="2001:db8::ff")
    assert attempt(person.email, PASSWORD, peer="2001:db8:0:1::1")


def test_ipv4_inside_ipv6_is_ipv4(person: Agent) -> None:
    for _guess in range(5):
        assert not attempt(person.email, "guess", peer="::ffff:192.0.2.1")
    assert not attempt(person.email, PASSWORD, peer="192.0.2.1")
    assert attempt(person.email, PASSWORD, peer="::ffff:192.0.2.2")


def test_behind_a_proxy_each_client_is_counted_apart(person: Agent, settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    for guess in range(5):
        # What the client claims stands in front of what the proxy saw, and changes nothing.
        assert not attempt(person.email, "guess", peer="127.0.0.1", forwarded=f"10.0.0.{guess}, 203.0.113.5")
    assert not attempt(person.email, PASSWORD, peer="127.0.0.1", forwarded="198.51.100.9, 203.0.113.5")
    assert attempt(person.email, PASSWORD, peer="127.0.0.1", forwarded="203.0.113.6")


def test_without_trust_the_header_is_nothing(person: Agent) -> None:
    for guess in range(5):
        assert not attempt(person.email, "guess", forwarded=f"203.0.113.{guess}")
    assert not attempt(person.email, PASSWORD, forwarded="203.0.113.99")


@pytest.mark.parametrize(
    ("value", "count"), [("", 0), ("0", 0), ("off", 0), ("1", 1), ("true", 1), ("On", 1), ("2", 2)]
)
def test_trust_proxy_is_a_number_or_a_flag(value: str, count: int) -> None:
    assert read.proxies(value) == count


def test_processes_count_together() -> None:
    one, other = (RedisOrMemory(configured.REDIS_URL, {"KEY_PREFIX": "test-shared"}) for _process in range(2))
    one.delete("attempts")
    one.set("attempts", [1.5], 60)
    assert other.get("attempts") == [1.5]
    assert not other.add("attempts", [])
    other.delete("attempts")
    assert one.get("attempts", "none") == "none"


def test_log_in_works_and_is_counted_while_redis_is_away(person: Agent, settings: Any) -> None:
    settings.CACHES = {"default": {**configured.CACHES["default"], "LOCATION": FAR}}
    assert attempt(person.email, PASSWORD)
    for guess in range(5):
        assert not attempt(person.email, f"guess {guess}")
    assert not attempt(person.email, PASSWORD)
    cache = caches["default"]
    assert isinstance(cache, RedisOrMemory) and cache.away_until > 0


def test_a_public_site_has_to_know_its_proxy(settings: Any) -> None:
    def found() -> set[str]:
        return {str(one.id) for one in run_checks(tags=["security"], include_deployment_checks=True)}

    assert not {"config.W004", "config.W005"} & found()
    settings.BASE_URL = "https://desk.example.org"
    assert {"config.W004", "config.W005"} <= found()
    settings.TRUST_PROXY, settings.METRICS_TOKEN = 1, "scrape"
    assert not {"config.W004", "config.W005"} & found()
