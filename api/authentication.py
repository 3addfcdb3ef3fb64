"""`Authorization: Bearer TOKEN` (RFC 6750)."""

from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from api import throttling
from api.models import ApiToken
from inbox.models import Agent


class TokenAuthentication(BaseAuthentication):
    """Makes `request.user` the token's agent and `request.auth` the token."""

    def authenticate(self, request: Request) -> tuple[Agent, ApiToken] | None:
        scheme, _space, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != b"bearer":
            return None
        throttling.refuse_guessing(request._request)
        token = ApiToken.objects.find(secret.strip().decode("latin-1"))
        if token is None:
            throttling.guessed(request._request)
            raise AuthenticationFailed(_("This token is unknown or was revoked. Make a new one and use that."))
        token.mark_used()
        return token.agent, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Rabta API"'
