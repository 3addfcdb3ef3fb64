"""Log-in without sign-up: people are invited, made on the command line, or come from the organisation's own log-in."""

from __future__ import annotations

from functools import partial
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inbox import live, log, post
from inbox.models import Agent
from lib import signing


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": gettext_lazy("E-mail and password do not belong together. Check both."),
        "too_many_login_attempts": gettext_lazy("Too many attempts failed. Try again in five minutes."),
        "rate_limited": gettext_lazy("Too many attempts. Try again in five minutes."),
        "incorrect_password": gettext_lazy("That is not your password."),
        "enter_current_password": gettext_lazy("That is not your present password."),
        "account_inactive": gettext_lazy("This account was switched off. An admin can switch it on."),
        "invalid_password_reset": gettext_lazy("This link works no longer. Ask for a new one."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Failures count for an account at one address: a stranger elsewhere cannot lock its owner out."""
        ours: str = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{ours}|{neighbourhood(self.get_client_ip(request))}"

    def reauthenticate(self, user: Agent, password: str) -> bool:
        """Whether this is their password; wrong ones count as failed log-ins do."""
        found = self.authenticate(context.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def post_login(self, request: HttpRequest, user: Agent, **told: Any) -> HttpResponse:
        """The log says how somebody came in: by which means, never from where."""
        used = [str(one.get("method", "")) for one in get_authentication_records(request, user)]
        log.record(None, "logged_in", by=user, means=list(dict.fromkeys(used)))
        response: HttpResponse = super().post_login(request, user, **told)
        return response

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *args: Any, **told: Any
    ) -> None:
        """Of allauth's own messages those that say what a page would not; "signed in as" is no news."""
        if message_template and message_template in MESSAGES:
            messages.add_message(request, level, str(MESSAGES[message_template]))
        elif message_template is None:
            super().add_message(request, level, message_template, *args, **told)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("mfa_index")

    def set_password(self, user: Agent, password: str) -> None:
        """A new password ends the sessions of the old one; open pages hear of it."""
        super().set_password(user, password)
        log.record(None, "password_changed", by=user)
        transaction.on_commit(partial(live.announce_people, [user.pk]), robust=True)

    # A forgotten password ------------------------------------------------------------------------------------------

    def get_reset_password_from_key_url(self, key: str) -> str:
        """By BASE_URL: what a request says about its host has no place in a mail."""
        uid, _dash, token = key.partition("-")
        return settings.BASE_URL + reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})

    def send_password_reset_mail(self, user: Agent, email: str, context: dict[str, Any]) -> None:
        """In a thread of its own: whether the address is known cannot be told from the time."""
        post.soon(reset_letter(user, context["password_reset_url"]))


def neighbourhood(ip: str) -> str:
    """What one guesser has at their disposal: an IPv4 address, or the /64 that every subscriber of IPv6 is given."""
    address = ip_address(ip)
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address) >> 64 << 64, 64)))


MESSAGES = {
    "account/messages/password_changed.txt": gettext_lazy("Your password was changed."),
    "account/messages/password_set.txt": gettext_lazy("Your password was set."),
    "mfa/messages/totp_activated.txt": gettext_lazy("Your authenticator app is set up."),
    "mfa/messages/totp_deactivated.txt": gettext_lazy("Your authenticator app was removed."),
    "mfa/messages/webauthn_added.txt": gettext_lazy("The passkey was added."),
    "mfa/messages/webauthn_removed.txt": gettext_lazy("The passkey was removed."),
}


def reset_link(agent: Agent) -> str:
    """A link that sets a new password; it works for three days, until it was used or the person logs in."""
    key = f"{user_pk_to_url_str(agent)}-{PasswordResetTokenGenerator().make_token(agent)}"
    return AccountAdapter().get_reset_password_from_key_url(key)


def reset_letter(agent: Agent, link: str) -> Any:
    text = _(
        "Hello %(name)s,\n\nsomebody asked for a new password for your account at %(organisation)s. "
        "Choose one here:\n\n%(link)s\n\nIf it was not you, leave this mail unanswered: nothing changes."
    ) % {"name": agent.name, "organisation": settings.ORGANISATION_NAME, "link": link}
    subject = _("New password for %(organisation)s") % {"organisation": settings.ORGANISATION_NAME}
    return post.letter(subject, text, agent.email)


class SecondFactorAdapter(DefaultMFAAdapter):
    """Secrets of the second factor are encrypted like all others, and apps show the organisation's name."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": gettext_lazy("This code is not right, or was used already. Wait for the next one."),
    }

    def encrypt(self, text: str) -> str:
        return signing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return str(signing.unseal(encrypted_text))

    def get_totp_issuer(self) -> str:
        return str(settings.ORGANISATION_NAME)

    def _get_site_name(self) -> str:
        return str(settings.ORGANISATION_NAME)

    def generate_authenticator_name(self, user: Agent, type: object) -> str:
        return _("Passkey")
