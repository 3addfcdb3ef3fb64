"""Log-in without sign-up: people are made by an admin or on the command line."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Failures count for an account at one address: a stranger elsewhere cannot lock its owner out."""
        ours: str = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{ours}|{self.get_client_ip(request)}"
