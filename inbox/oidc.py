"""Log-in at the organisation's own identity provider: OpenID Connect Core 1.0, authorization code with PKCE.

Over allauth's provider, with what it leaves out: a nonce (bound to the PKCE verifier, which only this session knows),
the signature of every id_token, and connections that keep to `lib.http`. An account is found by the issuer's `sub`,
the first time by an address that the issuer has verified; there is one issuer, and the operator chose it.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from typing import Any

import jwt
import requests
from allauth.account.internal.decorators import login_not_required
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from inbox import log
from inbox.models import Agent
from lib import http

logger = logging.getLogger(__name__)

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
KEPT_CLAIMS = ("iss", "sub", "email", "email_verified", "name")
LEEWAY = 60  # seconds by which clocks may differ


def provider_id() -> str:
    """Under which accounts are tied: another issuer's `sub` is another person's."""
    return "oidc-" + hashlib.sha256(settings.OIDC_ISSUER.encode()).hexdigest()[:16]


def nonce_of(verifier: str) -> str:
    """What the id_token must repeat: nobody who saw only the one or the other can make it fit."""
    return hashlib.sha256(b"nonce:" + verifier.encode()).hexdigest()


class Issuer(OpenIDConnectOAuth2Adapter):
    """One log-in's conversation with the issuer."""

    verifier = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        """The issuer's discovery document, which must name the very issuer that was asked (Discovery 1.0, 4.3)."""
        config: dict[str, Any] = super().openid_config
        if str(config.get("issuer", "")).rstrip("/") != settings.OIDC_ISSUER:
            raise OAuth2Error(f"the discovery document names another issuer: {config.get('issuer')!r}")
        return config

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return callback_url()

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        self.verifier = pkce_code_verifier or ""
        told: dict[str, Any] = super().get_access_token_data(request, app, client, pkce_code_verifier)
        return told

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **told: Any) -> SocialLogin:
        claims = self.claims(app, told["response"].get("id_token"))
        if not claims.get("email") and self.openid_config.get("userinfo_endpoint"):
            more = self._fetch_user_info(token.token)
            if more.get("sub") != claims["sub"]:  # Core 1.0, 5.3.2
                raise OAuth2Error("userinfo is about somebody else than the id_token")
            claims = {**more, **claims}
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims})

    def claims(self, app: SocialApp, id_token: str | None) -> dict[str, Any]:
        """The claims of an id_token, checked as Core 1.0, 3.1.3.7 asks. Raises OAuth2Error."""
        if not id_token:
            raise OAuth2Error("the issuer sent no id_token")
        try:
            claims: dict[str, Any] = jwt.decode(
                id_token,
                key=self.key(id_token),
                algorithms=ALGORITHMS,
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                leeway=LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise OAuth2Error(f"the id_token is not good: {error}") from error
        party = claims.get("azp")
        if (isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and party is None) or party not in (
            None,
            app.client_id,
        ):
            raise OAuth2Error("the id_token was made for another client")
        if not self.verifier or not hmac.compare_digest(str(claims.get("nonce", "")), nonce_of(self.verifier)):
            raise OAuth2Error("the id_token belongs to another log-in: its nonce differs")
        return claims

    def key(self, id_token: str) -> Any:
        """The issuer's public key that this token names; the only one, where it names none."""
        header = jwt.get_unverified_header(id_token)
        with Adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            keys = [one for one in jwt.PyJWKSet.from_dict(answer.json()).keys if one.public_key_use in (None, "sig")]
        fitting = [one for one in keys if one.key_id == header.get("kid")] if header.get("kid") else keys
        if len(fitting) != 1:
            raise OAuth2Error("the issuer publishes no key for this id_token")
        return fitting[0].key


class Provider(OpenIDConnectProvider):
    oauth2_adapter_class = Issuer
    pkce_enabled_default = True

    def get_pkce_params(self) -> dict[str, str]:
        params: dict[str, str] = super().get_pkce_params()
        return {**params, "nonce": nonce_of(params["code_verifier"])}

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """Where to go afterwards is all that an address may ask for: not other scopes, nor another purpose."""
        asked: dict[str, Any] = super().get_redirect_from_request_kwargs(request)
        return {**asked, "process": "login", "scope": self.get_default_scope(), "auth_params": {}}

    def extract_extra_data(self, data: dict[str, Any]) -> dict[str, Any]:
        """What is kept of the claims: no picture, no groups."""
        return {"id_token": {name: data["id_token"][name] for name in KEPT_CLAIMS if name in data["id_token"]}}


class Adapter(DefaultSocialAccountAdapter):
    """Who may come in from there."""

    def list_apps(
        self, request: HttpRequest | None, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The one client that the settings name; nothing is looked up in the database."""
        if not settings.OIDC_ISSUER or provider not in (None, provider_id(), Provider.id):
            return []
        app = SocialApp(
            provider=Provider.id,
            provider_id=provider_id(),
            name=settings.OIDC_NAME,
            client_id=settings.OIDC_CLIENT_ID,
            secret=settings.OIDC_CLIENT_SECRET,
            settings={"server_url": settings.OIDC_ISSUER},
        )
        return [app]

    def get_requests_session(self) -> requests.Session:
        """Time-outs, no redirects, and private networks refused unless ALLOW_PRIVATE_NETWORKS."""
        return http.Session()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Tie the log-in to an agent, or refuse it in words."""
        if sociallogin.is_existing:
            return
        claims = sociallogin.account.extra_data["id_token"]
        email = str(claims.get("email", "")).strip().lower()
        if not email:
            raise refuse(request, _("%(name)s did not say your e-mail address."), "no_email")
        if not is_verified(claims, email):
            raise refuse(request, _("%(name)s has not verified your e-mail address."), "email_not_verified")
        agent = Agent.objects.filter(email__iexact=email, is_bot=False).first() or welcome(email, claims)
        if agent is None:
            raise refuse(request, _("%(name)s knows you, but nobody has invited you here."), "unknown")
        if SocialAccount.objects.filter(user=agent, provider=provider_id()).exists():
            # An address may pass to another person; what ties an account to its owner is the issuer's `sub`.
            words = _("Your address belongs to another account of %(name)s here. Ask an admin to reset your log-in.")
            raise refuse(request, words, "other_account")
        sociallogin.connect(request, agent)

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        logger.warning("log-in by %s failed: %s %r", settings.OIDC_NAME, error, exception)
        raise refuse(request, _("The log-in at %(name)s did not work, or took too long. Try again."), "failed", 401)

    def send_notification_mail(self, *args: Any, **told: Any) -> None:
        """None: the log has it."""


def is_verified(claims: dict[str, Any], email: str) -> bool:
    """Whether the issuer vouches for this address: by its claim, or, where it makes none, because the domain is the
    organisation's own. A claim that says no is never overruled."""
    claim = claims.get("email_verified")
    if claim is None:
        return email.rpartition("@")[2] in settings.OIDC_VERIFIED_DOMAINS
    return claim is True or claim == "true"


def welcome(email: str, claims: dict[str, Any]) -> Agent | None:
    """A new agent for somebody the issuer knows, where OIDC_AUTO_CREATE_ROLE says so."""
    if not settings.OIDC_AUTO_CREATE_ROLE:
        return None
    name = str(claims.get("name") or email.partition("@")[0])[:200]
    try:
        with transaction.atomic():
            agent = Agent.objects.create_user(email, None, name=name, role=settings.OIDC_AUTO_CREATE_ROLE)
            log.record(None, "agent_welcomed", by=agent, role=agent.role)
    except IntegrityError:  # they clicked twice
        return Agent.objects.get(email__iexact=email)
    return agent


def refuse(request: HttpRequest, words: str, code: str, status: int = 403) -> ImmediateHttpResponse:
    return ImmediateHttpResponse(refusal(request, words, code, status))


def refusal(request: HttpRequest, words: str, code: str, status: int) -> HttpResponse:
    context = {"reason": words % {"name": settings.OIDC_NAME}, "code": code}
    return render(request, "socialaccount/authentication_error.html", context, status=status)


def away(request: HttpRequest) -> HttpResponse:
    words = _("%(name)s cannot be reached at the moment. Try again later, or log in with your password.")
    return refusal(request, words, "away", 502)


def callback_url() -> str:
    """By BASE_URL: this is what the operator registered with the issuer."""
    return settings.BASE_URL + reverse("openid_connect_callback")


def _view(kind: type) -> Any:
    @login_not_required  # type: ignore[untyped-decorator]
    def view(request: HttpRequest) -> HttpResponse:
        if not settings.OIDC_ISSUER:
            raise Http404
        try:
            answer: HttpResponse = kind.adapter_view(Issuer(request, provider_id()))(request)  # type: ignore[attr-defined]
        except (requests.RequestException, OAuth2Error, OSError, KeyError, ValueError) as error:
            # allauth catches these on the way back alone; the issuer may be away on the way there, or talk nonsense
            logger.warning("log-in by %s failed: %r", settings.OIDC_NAME, error)
            return away(request)
        return answer

    return view


login = _view(OAuth2LoginView)
callback = _view(OAuth2CallbackView)
