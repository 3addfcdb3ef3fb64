"""Log-in at the organisation's own identity provider, and every way in which it must not work."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import jwt
import pytest
import requests
from allauth.socialaccount.models import SocialAccount
from django.conf import settings as configured
from django.test import Client

from inbox.actions import people
from inbox.models import Agent, Event
from lib import net
from tests.cast import bilal, sana, team, zoya
from tests.servers import oidc

__all__ = ["bilal", "sana", "team", "zoya"]


@pytest.fixture
def issuer(settings: Any, db: None) -> Iterator[oidc.Issuer]:
    with oidc.running() as running:
        running.claims = {"sub": "u-1", "email": "sana@example.org", "email_verified": True, "name": "Sana Malik"}
        settings.OIDC_ISSUER, settings.OIDC_NAME = running.url, "Example SSO"
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = oidc.CLIENT, oidc.SECRET
        settings.CACHES = {"default": {**configured.CACHES["default"], "KEY_PREFIX": f"test-{uuid4()}"}}
        yield running


def go(client: Client, query: str = "") -> str:
    """To the issuer and back: the address that its browser would call here, not called yet."""
    there = client.get("/accounts/oidc/login/" + query)
    assert there.status_code == 302, there.content
    back = requests.get(there["Location"], allow_redirects=False, timeout=5).headers["Location"]
    assert back.startswith("http://testserver/accounts/oidc/callback/?")
    return back.removeprefix("http://testserver")


def log_in(client: Client, query: str = "") -> Any:
    return client.get(go(client, query))


def who(client: Client) -> str | None:
    return client.session.get("_auth_user_id")


def test_the_log_in_page_offers_it(issuer: oidc.Issuer, client: Client) -> None:
    page = client.get("/accounts/login/?next=/tickets/7/").content.decode()
    assert (
        "Log in with Example SSO" in page and "/accounts/oidc/login/?next=/tickets/7/" in page and "id_password" in page
    )


def test_a_verified_address_finds_its_agent_once_and_the_subject_from_then_on(
    issuer: oidc.Issuer, client: Client, sana: Agent
) -> None:
    answer = log_in(client, "?next=/settings/")
    assert answer.status_code == 302 and answer["Location"] == "/settings/" and who(client) == str(sana.pk)
    (asked,) = issuer.asked
    assert asked["code_challenge_method"] == "S256" and len(asked["nonce"]) == 64 and asked["scope"].split() != []
    assert Event.objects.get(kind="logged_in").data == {"means": ["socialaccount"]}
    Agent.objects.filter(pk=sana.pk).update(email="s.malik@example.org")
    issuer.claims["email"] = "elsewhere@example.org"
    later = Client()
    log_in(later)
    assert who(later) == str(sana.pk) and SocialAccount.objects.count() == 1
    assert set(SocialAccount.objects.get().extra_data["id_token"]) <= {"iss", "sub", "email", "email_verified", "name"}


def test_a_password_stays_a_password(issuer: oidc.Issuer, client: Client, sana: Agent) -> None:
    sana.set_password("seven green parrots")
    sana.save()
    log_in(client)
    sana.refresh_from_db()
    assert sana.check_password("seven green parrots")


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"email_verified": False}, "has not verified"),
        ({"email_verified": None}, "has not verified"),
        ({"email_verified": "false"}, "has not verified"),
        ({"email_verified": 1}, "has not verified"),
        ({"email": None}, "did not say"),
        ({"email": ""}, "did not say"),
        ({"email": "stranger@example.org"}, "nobody has invited you"),
    ],
)
def test_whom_it_does_not_let_in(
    issuer: oidc.Issuer, client: Client, sana: Agent, claims: dict[str, Any], words: str
) -> None:
    issuer.claims |= claims
    issuer.userinfo = {"sub": "u-1"}
    answer = log_in(client)
    assert answer.status_code == 403 and words in answer.content.decode()
    assert who(client) is None and not SocialAccount.objects.exists() and Agent.objects.count() == 1


def test_addresses_of_the_houses_own_domain_count_as_verified(
    issuer: oidc.Issuer, client: Client, sana: Agent, settings: Any
) -> None:
    issuer.claims["email_verified"] = None
    settings.OIDC_VERIFIED_DOMAINS = ["example.com"]
    assert log_in(client).status_code == 403
    settings.OIDC_VERIFIED_DOMAINS = ["example.org"]
    no: Any
    for no in (False, "false", "False", 0, ""):
        issuer.claims["email_verified"] = no  # what the issuer denies, no setting overrules
        assert log_in(client).status_code == 403
    del issuer.claims["email_verified"]
    assert log_in(client).status_code == 302 and who(client) == str(sana.pk)


Forge = Callable[[oidc.Issuer, dict[str, Any]], str]


def with_claims(**other: Any) -> Forge:
    return lambda issuer, claims: issuer.sign({k: v for k, v in {**claims, **other}.items() if v is not None})


FORGED: dict[str, Forge] = {
    "another nonce": with_claims(nonce="0" * 64),
    "no nonce": with_claims(nonce=None),
    "another audience": with_claims(aud="somebody-else"),
    "no audience": with_claims(aud=None),
    "two audiences and no party": with_claims(aud=["rabta", "other"]),
    "another party": with_claims(azp="other"),
    "another issuer": with_claims(iss="https://issuer.example"),
    "no issuer": with_claims(iss=None),
    "no subject": with_claims(sub=None),
    "expired": with_claims(exp=int(time.time()) - 3600),
    "never expires": with_claims(exp=None),
    "issued in the future": with_claims(iat=int(time.time()) + 7200),
    "another key": lambda issuer, claims: issuer.sign(claims, key=oidc.new_key()),
    "an unknown key": lambda issuer, claims: issuer.sign(claims, {"kid": "two"}),
    "no signature": lambda issuer, claims: jwt.encode(claims, "", algorithm="none", headers={"kid": "one"}),
    "signed with the client's secret": lambda issuer, claims: issuer.sign(claims, key=oidc.SECRET * 4, how="HS256"),
    "not a token": lambda issuer, claims: "x.y.z",
    "empty": lambda issuer, claims: "",
    "changed after signing": lambda issuer, claims: issuer.sign(claims)[:-8] + "AAAAAAAA",
}  # fmt: skip


@pytest.mark.parametrize("how", FORGED)
def test_id_tokens_that_are_not_good(
    issuer: oidc.Issuer, client: Client, sana: Agent, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.forge = lambda claims, _request: FORGED[how](issuer, claims)
    answer = log_in(client)
    assert answer.status_code in {401, 502} and who(client) is None and not SocialAccount.objects.exists()
    assert "Example SSO" in answer.content.decode()


def test_a_way_back_works_once_and_for_who_began(issuer: oidc.Issuer, client: Client, sana: Agent) -> None:
    back = go(client)
    other = Client()
    assert other.get(back).status_code == 401 and who(other) is None
    assert client.get(back).status_code == 302
    again = Client()
    assert again.get(back).status_code == 401 and client.get(back).status_code == 401
    for hostile in ("", "?code=x", "?state=x", "?code=x&state=x", "?error=access_denied", "?code=%00&state=%00"):
        assert Client().get("/accounts/oidc/callback/" + hostile).status_code == 401


def test_what_an_address_asks_for_beside_is_left_out(
    issuer: oidc.Issuer, client: Client, sana: Agent, bilal: Agent
) -> None:
    client.force_login(bilal)
    answer = log_in(client, "?process=connect&scope=admin&auth_params=prompt%3Dnone&next=https://evil.example/")
    assert answer["Location"] == "/"
    assert who(client) == str(sana.pk)  # logged in as who they are there, and tied to nobody else
    assert SocialAccount.objects.get().user_id == sana.pk
    assert "prompt" not in issuer.asked[0] and "admin" not in issuer.asked[0]["scope"]


def test_an_address_that_passed_to_somebody_else(issuer: oidc.Issuer, client: Client, sana: Agent, zoya: Agent) -> None:
    log_in(client)
    issuer.claims["sub"] = "u-2"
    other = Client()
    answer = log_in(other)
    assert answer.status_code == 403 and "another account" in answer.content.decode() and who(other) is None
    people.reset_second_factor(sana, by=zoya)
    assert log_in(other).status_code == 302 and who(other) == str(sana.pk)


def test_another_issuer_is_another_person(issuer: oidc.Issuer, client: Client, sana: Agent, settings: Any) -> None:
    log_in(client)
    with oidc.running() as second:
        second.claims = {"sub": "u-1", "email": "stranger@example.org", "email_verified": True}
        settings.OIDC_ISSUER = second.url
        other = Client()
        assert log_in(other).status_code == 403 and who(other) is None


def test_strangers_become_agents_where_the_settings_say_so(issuer: oidc.Issuer, client: Client, settings: Any) -> None:
    settings.OIDC_AUTO_CREATE_ROLE = "light"
    issuer.claims |= {"email": "Noor@Example.org", "name": "Noor Jehan", "role": "admin"}
    assert log_in(client).status_code == 302
    noor = Agent.objects.get()
    assert (noor.email, noor.name, noor.role, noor.has_usable_password()) == (
        "noor@example.org",
        "Noor Jehan",
        "light",
        False,
    )
    assert Event.objects.get(kind="agent_welcomed").data == {"role": "light"}


def test_who_is_switched_off_stays_out(issuer: oidc.Issuer, client: Client, sana: Agent) -> None:
    log_in(client)
    Agent.objects.filter(pk=sana.pk).update(is_active=False)
    other = Client()
    answer = log_in(other)
    assert answer["Location"] == "/accounts/inactive/" and who(other) is None


def test_where_it_is_the_only_way(issuer: oidc.Issuer, client: Client, sana: Agent, settings: Any) -> None:
    settings.OIDC_ONLY = True
    sana.set_password("seven green parrots")
    sana.save()
    assert "id_password" not in client.get("/accounts/login/").content.decode()
    body = {"login": sana.email, "password": "seven green parrots"}
    assert client.post("/accounts/login/", body).status_code == 403 and who(client) is None
    assert client.get("/accounts/password/reset/").status_code == 404
    assert log_in(client).status_code == 302 and who(client) == str(sana.pk)


def test_addresses_that_come_with_userinfo_alone(issuer: oidc.Issuer, client: Client, sana: Agent) -> None:
    issuer.claims = {"sub": "u-1"}
    issuer.userinfo = {"sub": "u-9", "email": "sana@example.org", "email_verified": True}
    assert log_in(client).status_code == 401  # about somebody else
    issuer.userinfo["sub"] = "u-1"
    assert log_in(client).status_code == 302 and who(client) == str(sana.pk)


def test_a_discovery_document_of_another_issuer(issuer: oidc.Issuer, client: Client) -> None:
    issuer.discovery = {"issuer": "https://issuer.example"}
    answer = client.get("/accounts/oidc/login/")
    assert answer.status_code == 502 and "cannot be reached" in answer.content.decode()


@pytest.mark.parametrize("discovery", [{"jwks_uri": "http://127.0.0.1:1/"}, {"token_endpoint": "http://127.0.0.1:1/"}])
def test_an_issuer_that_is_half_away(issuer: oidc.Issuer, client: Client, discovery: dict[str, str]) -> None:
    issuer.discovery = discovery
    assert log_in(client).status_code in {401, 502} and who(client) is None


def test_an_issuer_that_is_away(client: Client, settings: Any, db: None) -> None:
    settings.OIDC_ISSUER, settings.OIDC_NAME = "http://127.0.0.1:1", "Example SSO"
    settings.OIDC_CLIENT_ID = "rabta"
    answer = client.get("/accounts/oidc/login/")
    assert answer.status_code == 502 and "Example SSO cannot be reached" in answer.content.decode()


def test_an_issuer_inside_the_network_needs_leave(issuer: oidc.Issuer, client: Client, settings: Any) -> None:
    settings.ALLOW_PRIVATE_NETWORKS = False
    assert client.get("/accounts/oidc/login/").status_code == 502
    with pytest.raises(net.Refused):
        from inbox.oidc import Adapter

        Adapter().get_requests_session().get(issuer.url)


def test_without_the_setting_there_is_nothing(client: Client, db: None) -> None:
    assert client.get("/accounts/oidc/login/").status_code == client.get("/accounts/oidc/callback/").status_code == 404
    assert json.dumps("oidc") not in client.get("/accounts/login/").content.decode()
