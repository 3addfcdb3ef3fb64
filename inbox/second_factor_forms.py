"""Forms of a second factor that are a little stricter than allauth's. Pages alone load them: passkeys take long to."""

from __future__ import annotations

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

from inbox.models import Agent


def _use(agent: Agent, code: str) -> None:
    """A code of the authenticator app works once for as long as it is valid at all: allauth forgets it after one
    period, while MFA_TOTP_TOLERANCE lets three pass. Raises ValidationError where it was used. (RFC 6238, 5.2)"""
    seconds = settings.MFA_TOTP_TOLERANCE * 2 * 30 + 30
    if not cache.add(f"totp-used-{agent.pk}-{''.join(code.split())}", 1, seconds):
        raise get_adapter().validation_error("incorrect_code")


class SetUpForm(ActivateTOTPForm):
    """The code that shows that the app is set up."""

    def clean_code(self) -> str:
        code: str = super().clean_code()
        _use(self.user, code)
        return code


class OnlyOnce:
    user: Agent
    authenticator: Authenticator

    def clean_code(self) -> str:
        code: str = super().clean_code()  # type: ignore[misc]
        if self.authenticator.type == Authenticator.Type.TOTP:
            _use(self.user, code)
        return code


class CodeForm(OnlyOnce, AuthenticateForm):
    """The code asked for at log-in."""


class ConfirmForm(OnlyOnce, ReauthenticateForm):
    """The code asked for before a change."""


class CredentialField(forms.JSONField):
    """What a browser says of a passkey; nesting without end is no answer either."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        try:
            found = super().to_python(value)
        except RecursionError as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error
        if found is not None and not isinstance(found, dict):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return found


class Guarded(forms.Form):
    """A passkey's answer from outside: whatever is wrong with its shape is a wrong answer, not a fault of ours."""

    credential = CredentialField()

    def clean_credential(self) -> Authenticator:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except (KeyError, AttributeError, TypeError, ValueError, IndexError) as error:
            raise get_adapter().validation_error("incorrect_code") from error


class LogInPasskeyForm(Guarded, LoginWebAuthnForm):
    """Instead of a password."""


class SecondPasskeyForm(Guarded, AuthenticateWebAuthnForm):
    """After a password."""


class ConfirmPasskeyForm(Guarded, ReauthenticateWebAuthnForm):
    """Before a change."""


class PasskeyForm(AddWebAuthnForm):
    """A passkey logs in by itself, where the device can check who holds it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["credential"] = CredentialField()
        self.fields["name"] = forms.CharField(
            label=_("Name"),
            max_length=80,
            required=False,
            help_text=_("So that you know it again: “Phone”, “Office key”."),
        )
        self.fields["passwordless"] = forms.BooleanField(
            label=_("Log in with it alone, without a password"),
            required=False,
            initial=True,
            help_text=_(
                "The device then asks for your finger, face or PIN. Otherwise it is asked for after the password."
            ),
        )

    def clean(self) -> dict[str, Any]:
        try:
            return dict(super().clean())
        except (KeyError, AttributeError, TypeError, ValueError, IndexError) as error:
            if isinstance(error, forms.ValidationError):
                raise
            raise get_adapter().validation_error("incorrect_code") from error
