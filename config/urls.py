"""Addresses: `api` brings health, metrics and the API; the sandbox is there in a demo alone."""

from allauth.account import views as account
from django.conf import settings
from django.urls import include, path

# Of allauth what Rabta has pages for, under the names that allauth itself looks up. There is no sign-up, and an admin
# sets a forgotten password: nothing here sends mail.
accounts = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
]

urlpatterns = [
    path("", include("api.urls")),
    path("accounts/", include(accounts)),
    path("", include("channels_email.urls")),
    path("", include("inbox.urls")),
]
if settings.DEMO or settings.DEBUG:
    urlpatterns.insert(0, path("sandbox/", include("sandbox.urls")))

handler500 = "config.errors.server_error"
