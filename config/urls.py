"""Addresses: `api` brings health, metrics and the API; the sandbox is there in a demo alone."""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.conf import settings
from django.urls import include, path, re_path
from django.views.generic import RedirectView

from inbox import oidc
from inbox.views import entrance
from inbox.views.settings import account as security_page

# Of allauth what Rabta has pages for, under the names that allauth itself looks up. There is no sign-up.
accounts = [
    path("login/", entrance.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("password/change/", account.password_change, name="account_change_password"),
    # Whoever has no password gets one by a link: from the log-in page, or from an admin.
    path("password/set/", RedirectView.as_view(pattern_name="mfa_index"), name="account_set_password"),
    path("password/reset/", entrance.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("password/reset/key/done/", account.password_reset_from_key_done, name="account_reset_password_from_key_done"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/passkey/reauthenticate/", passkeys.reauthenticate_webauthn, name="mfa_reauthenticate_webauthn"),
    path("2fa/passkey/login/", passkeys.login_webauthn, name="mfa_login_webauthn"),
    path("oidc/login/", oidc.login, name="openid_connect_login"),
    path("oidc/callback/", oidc.callback, name="openid_connect_callback"),
]
HERE = {"page_key": "security"}
security = [
    path("", security_page.security, name="mfa_index"),
    path("", security_page.security, name="mfa_list_webauthn"),
    path("app/", totp.ActivateTOTPView.as_view(extra_context=HERE), name="mfa_activate_totp"),
    path("app/remove/", totp.DeactivateTOTPView.as_view(extra_context=HERE), name="mfa_deactivate_totp"),
    path("passkeys/add/", passkeys.AddWebAuthnView.as_view(extra_context=HERE), name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/", passkeys.EditWebAuthnView.as_view(extra_context=HERE), name="mfa_edit_webauthn"),
    path(
        "passkeys/<int:pk>/remove/",
        passkeys.RemoveWebAuthnView.as_view(extra_context=HERE),
        name="mfa_remove_webauthn",
    ),
    path("codes/", codes.ViewRecoveryCodesView.as_view(extra_context=HERE), name="mfa_view_recovery_codes"),
    path("codes/new/", codes.GenerateRecoveryCodesView.as_view(extra_context=HERE), name="mfa_generate_recovery_codes"),
    path("codes/download/", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
]

urlpatterns = [
    path("", include("api.urls")),
    path("accounts/", include(accounts)),
    path("", include("channels_email.urls")),
    path("", include("channels_chat.urls")),
    path("", include("channels_chat.settings_urls")),
    path("", include("channels_chat.desk_urls")),
    path("", include("channels_social.urls")),
    path("", include("reports.worth.urls")),
    path("", include("reports.handling.urls")),
    path("", include("reports.urls")),
    path("", include("reports.survey_urls")),
    path("settings/security/", include(security)),
    path("", include("inbox.urls")),
]
if settings.DEMO or settings.DEBUG:
    urlpatterns.insert(0, path("sandbox/", include("sandbox.urls")))

handler429 = "inbox.limits.too_many"
handler500 = "config.errors.server_error"
