"""Scopes: GET needs read, everything else write; what a view names in `scopes` (by action) needs that instead."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from api.models import ApiToken, Scope


def needed(request: Request, view: Any) -> str:
    """The scope that this request asks for."""
    named: dict[str, str] = getattr(view, "scopes", {})
    usual = Scope.READ if request.method in SAFE_METHODS else Scope.WRITE
    return named.get(getattr(view, "action", None) or "", usual)


class HasScope(BasePermission):
    """Refuses requests without a token (401) and tokens whose scope does not reach (403)."""

    message = _("The scope of this token does not reach that far.")

    def has_permission(self, request: Request, view: Any) -> bool:
        return isinstance(request.auth, ApiToken) and request.auth.allows(needed(request, view))
