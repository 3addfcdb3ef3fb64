"""The Graph API's part for apps: their tokens, their webhooks, and what a token is good for."""

from __future__ import annotations

import hmac
from typing import Any

from django.db.models import Q

from sandbox.phones import chats, graph, hooks
from sandbox.phones.models import Account, Platform


def of_app(app_id: str, token: str) -> list[Account]:
    """The accounts that an app's own token ("id|secret") stands for. Raises GraphError 190."""
    accounts = [
        one
        for one in Account.objects.filter(platform__in=hooks.OBJECTS, settings__app_id=app_id)
        if hmac.compare_digest(f"{app_id}|{one.secrets.get('app_secret')}", token)
    ]
    if not accounts:
        raise graph.bad_token(token, 400)
    return accounts


def app_token(node: str, token: str, params: dict[str, Any]) -> dict[str, Any]:
    """`GET /oauth/access_token` with an app's id and secret."""
    made = f"{params.get('client_id')}|{params.get('client_secret')}"
    of_app(str(params.get("client_id")), made)
    return {"access_token": made, "token_type": "bearer"}


def app_webhook(node: str, token: str, params: dict[str, Any]) -> dict[str, Any]:
    """`POST /<app id>/subscriptions`: where an app is told of one kind of object, and of which fields."""
    fields = params.get("fields", "")
    names = fields.split(",") if isinstance(fields, str) else list(fields)
    for account in of_app(node, token):
        if hooks.OBJECTS[account.platform] == params.get("object"):
            graph.subscribe(account, str(params.get("callback_url")), str(params.get("verify_token")))
            chats.arrange(account, app_fields=names)
    return graph.SUCCESS


def app_webhooks(node: str, token: str, params: dict[str, Any]) -> dict[str, Any]:
    """`GET /<app id>/subscriptions`."""
    told = [one for one in of_app(node, token) if one.settings.get("webhook_url")]
    return {
        "data": [
            {
                "object": hooks.OBJECTS[one.platform],
                "callback_url": one.settings["webhook_url"],
                "active": True,
                "fields": [
                    {"name": name, "version": f"v{graph.NEWEST}.0"} for name in one.settings.get("app_fields", [])
                ],
            }
            for one in told
        ]
    }


def debug_token(node: str, token: str, params: dict[str, Any]) -> dict[str, Any]:
    """`GET /debug_token?input_token=…`: what a token is good for; asked with itself or with the app's."""
    given = str(params.get("input_token", ""))
    account = Account.objects.filter(Q(platform__in=hooks.OBJECTS) & Q(secrets__token=given)).order_by("pk").first()
    if account is None:
        raise graph.GraphError(190, "Invalid OAuth access token - Cannot parse access token", status=400)
    if token != given:
        of_app(str(account.settings.get("app_id")), token)
    state = account.settings.get("token_state")
    data: dict[str, Any] = {
        "app_id": account.settings.get("app_id", ""),
        "type": "SYSTEM_USER" if account.platform == Platform.WHATSAPP else "PAGE",
        "expires_at": 0,
        "is_valid": not state,
        "scopes": [
            one for one in SCOPES[account.platform] if one not in account.settings.get("missing_permissions", [])
        ],
        "profile_id": account.external_id,
    }
    if state:
        data["error"] = {
            "code": 190,
            "message": "Error validating access token",
            "subcode": graph.TOKEN_SUBCODES.get(state),
        }
    return {"data": data}


def refreshed(node: str, token: str, params: dict[str, Any]) -> dict[str, Any]:
    """`GET /refresh_access_token`: Instagram's token, good for another sixty days."""
    good = Account.objects.filter(platform=Platform.INSTAGRAM, secrets__token=token).exclude(
        settings__has_key="token_state"
    )
    if params.get("grant_type") != "ig_refresh_token":
        raise graph.GraphError(100, "Param grant_type must be ig_refresh_token")
    if not token or not good.exists():
        raise graph.bad_token(token, 400)
    return {"access_token": token, "token_type": "bearer", "expires_in": 60 * 24 * 3600}


def pages(node: str, token: str, params: dict[str, Any]) -> dict[str, Any]:
    """`GET /me/accounts`: a person's pages with their tokens; the person's own is in `secrets["user_token"]`."""
    found = Account.objects.filter(platform=Platform.FACEBOOK, secrets__user_token=token).order_by("pk")
    if not token or not found.exists():
        raise graph.bad_token(token, 400)
    tasks = ["MESSAGING", "MODERATE", "CREATE_CONTENT", "MANAGE"]
    rows = [
        {
            "access_token": one.secrets["token"],
            "category": "Shop",
            "name": one.name,
            "id": one.external_id,
            "tasks": tasks,
        }
        for one in found
    ]
    return {"data": rows}


SCOPES = {
    "whatsapp": ["whatsapp_business_management", "whatsapp_business_messaging"],
    "facebook": ["pages_messaging", "pages_manage_metadata", "pages_read_engagement", "pages_manage_engagement"],
    "instagram": [
        "instagram_business_basic",
        "instagram_business_manage_messages",
        "instagram_business_manage_comments",
    ],
}
graph.TOOLS.update(
    {
        ("GET", "access_token"): app_token,
        ("GET", "accounts"): pages,
        ("GET", "debug_token"): debug_token,
        ("GET", "refresh_access_token"): refreshed,
        ("POST", "subscriptions"): app_webhook,
        ("GET", "subscriptions"): app_webhooks,
    }
)
