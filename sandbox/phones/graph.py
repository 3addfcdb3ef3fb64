"""Meta's Graph API as WhatsApp, Facebook and Instagram share it: versions, tokens, errors, nodes and edges.

A path is `/v26.0/<node>/<edge>`. A node is an account, a WhatsApp business account, a file, a person, a post, a comment
or a message; what can be done with which, modules say with `route`. Faults (`core.fault`) go by the method's name: the
HTTP method and the edge, or the node's kind: "POST messages", "GET account", "GET person", "POST comment" (hide),
"DELETE comment", "GET media", "GET download"…

Of an account: `secrets` token, app_secret; `settings` app_id, waba_id (WhatsApp), webhook_url, verify_token,
subscribed_fields, require_proof, token_state ("expired", "app_removed", "password"), missing_permissions, usage (per
cent, for X-App-Usage), origin (where these emulators are reached, for urls that they give away).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from lib import http, net
from sandbox.phones import chats, core, hooks
from sandbox.phones.models import Account, Line, Media, Person, Platform

logger = logging.getLogger(__name__)

NEWEST, OLDEST = 26, 20
TOKEN_SUBCODES = {"app_removed": 458, "password": 460, "expired": 463}


class GraphError(Exception):
    """An error in Graph's words. `details` is WhatsApp's error_data; `status` of HTTP."""

    def __init__(
        self, code: int, message: str, *, subcode: int = 0, status: int = 400, details: str = "", kind: str = ""
    ) -> None:
        super().__init__(message)
        self.code, self.subcode, self.status, self.details = code, subcode, status, details
        self.message = message
        self.kind = kind or "OAuthException"

    def body(self) -> dict[str, Any]:
        prefix = "" if self.code in {190, 104} or self.kind != "OAuthException" else f"(#{self.code}) "
        error: dict[str, Any] = {"message": f"{prefix}{self.message}", "type": self.kind, "code": self.code}
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)
        return {"error": error}

    def headers(self) -> dict[str, str]:
        if self.code != 190:
            return {}
        return {"WWW-Authenticate": f'OAuth "Facebook Platform" "invalid_token" "{self.message}"'}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to a node: `row` is the Account, Person, Line or Media that the node is."""

    account: Account
    row: Any
    params: dict[str, Any]
    files: Mapping[str, UploadedFile[Any]] = field(default_factory=dict)
    url: str = "http://graph.invalid/"

    def text(self, name: str) -> str:
        """A parameter as text, "" without it."""
        value = self.params.get(name)
        return "" if value is None else str(value)

    def tree(self, name: str) -> dict[str, Any]:
        """A parameter that is an object, be it in JSON within a form. Raises GraphError 100."""
        value = self.params.get(name)
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError as error:
                raise GraphError(100, f"Invalid parameter: {name}") from error
        if value is not None and not isinstance(value, dict):
            raise GraphError(100, f"Param {name} must be a JSON object")
        return value or {}

    def truth(self, name: str) -> bool | None:
        """A parameter that is true or false; None without it."""
        value = self.params.get(name)
        return None if value is None else str(value).lower() in {"true", "1"}


Deed = Callable[[Asked], Any]
ROUTES: dict[tuple[str, str, str, str], Deed] = {}
SUCCESS = {"success": True}
NESTED = re.compile(r"\{[^{}]*\}|\.\w+\([^()]*\)")  # what fields may say of the inside of one: from{id}, .limit(5)
Tool = Callable[[str, str, dict[str, Any]], dict[str, Any]]  # of node, token and parameters: the answer
TOOLS: dict[tuple[str, str], Tool] = {}  # by method and last part of the path: what needs no account of ours


def route(platforms: str, kind: str, method: str, edge: str = "") -> Callable[[Deed], Deed]:
    """Do this for `method /<node of this kind>/<edge>` of these platforms (names with blanks between)."""

    def register(deed: Deed) -> Deed:
        for platform in platforms.split():
            ROUTES[platform, kind, method, edge] = deed
        return deed

    return register


def need(account: Account, permission: str, code: int = 10) -> None:
    """Raises GraphError unless the token has this permission."""
    if permission in account.settings.get("missing_permissions", []):
        raise GraphError(code, f"Requires {permission} permission to manage the object", status=403)


def proof(app_secret: str, token: str) -> str:
    """What `appsecret_proof` has to be."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def pick(asked: Asked, known: dict[str, Any], default: str) -> dict[str, Any]:
    """The fields that were asked for, or the default ones; Graph gives the id always. Raises GraphError 100."""
    plain = NESTED.sub("", asked.text("fields") or default)
    names = [name.strip() for name in plain.split(",") if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown and asked.account.platform != Platform.WHATSAPP:
        raise GraphError(100, f"Tried accessing nonexisting field ({unknown[0]})")
    return {name: known[name] for name in dict.fromkeys([*names, "id"]) if known.get(name) is not None}


def paged(asked: Asked, rows: list[dict[str, Any]], default: int = 25) -> dict[str, Any]:
    """A page of a list, after the cursor `after`."""
    limit, after = asked.text("limit"), asked.text("after")
    size = min(max(int(limit), 1), 100) if limit.isdecimal() else default
    start = int(after) if after.isdecimal() else 0
    page: dict[str, Any] = {"data": rows[start : start + size]}
    if rows:
        page["paging"] = {"cursors": {"before": str(start), "after": str(start + size)}}
        if start + size < len(rows):
            query = requests.models.PreparedRequest()
            kept = {k: v for k, v in asked.params.items() if k not in {"after", "before"}}
            query.prepare_url(asked.url, kept)
            page["paging"]["next"] = (
                f"{query.url}&after={start + size}" if kept else f"{query.url}?after={start + size}"
            )
    return page


@csrf_exempt
def api(request: HttpRequest, path: str, version: str = "") -> HttpResponseBase:
    """All of the Graph API. `version` is "26.0", or "" for the app's own."""
    major = int(version.split(".")[0]) if version else NEWEST
    if major > NEWEST:
        return _refused(GraphError(2500, f"Unknown path components: /v{version}/{path}", status=400))
    response = _answer(request, path.strip("/").split("/"))
    response["facebook-api-version"] = f"v{max(major, OLDEST)}.0"
    return response


def _refused(error: GraphError) -> HttpResponseBase:
    return JsonResponse(error.body(), status=error.status, headers=error.headers())


def _answer(request: HttpRequest, parts: list[str]) -> HttpResponseBase:
    try:
        params = _params(request)
    except GraphError as error:
        return _refused(error)
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = str(params.pop("access_token", None) or bearer)
    method = str(params.pop("method", request.method)).upper() if request.method == "POST" else str(request.method)
    node, edge = parts[0], "/".join(parts[1:])
    if (tool := TOOLS.get((method, edge or node))) is not None:
        try:
            return JsonResponse(tool(node, token, params))
        except GraphError as error:
            return _refused(error)
    metas = Account.objects.filter(platform__in=hooks.OBJECTS).order_by("pk")
    own = list(metas.filter(secrets__token=token)) if token else []
    hit = find(node, own)
    known = hit or find(node, list(metas)) if node != "me" or own else None
    if known is None:
        return _refused(bad_token(token) if not own else _unknown(node))
    account, kind, row = known
    deed = ROUTES.get((account.platform, kind, method, edge))

    def done() -> tuple[int, Any, Mapping[str, str]]:
        try:
            if not own:
                raise bad_token(token, 401 if account.platform == Platform.WHATSAPP else 400)
            _check_token(account, token, params)
            if hit is None:
                raise _unknown(node)
            if deed is None:
                raise GraphError(2500, f"Unknown path components: /{edge}" if edge else f"Unsupported {method} request")
            url = request.build_absolute_uri(request.path)
            answer = deed(Asked(account, row, params, files, url))
        except GraphError as error:
            return error.status, error.body(), error.headers()
        except (AttributeError, KeyError, TypeError, ValueError):
            # Of what is sent, only what matters is looked at one by one: the rest has the wrong form, or we do.
            logger.exception("phones.malformed")
            return 400, GraphError(100, "Invalid parameter").body(), {}
        usage = account.settings.get("usage")
        heads = {"X-App-Usage": json.dumps({"call_count": usage, "total_cputime": 0, "total_time": 0})} if usage else {}
        return 200, answer, heads

    shown = {"path": "/".join(parts), **params}
    files = {name: one for name, one in request.FILES.items() if isinstance(one, UploadedFile)}
    if files:
        shown["files"] = [one.name for one in files.values()]
    return core.with_faults(account, f"{method} {edge or kind}", shown, done)


def _params(request: HttpRequest) -> dict[str, Any]:
    """Of the query, and of a form or of JSON."""
    params: dict[str, Any] = dict(request.GET.items())
    if request.content_type == "application/json" and request.body:
        try:
            sent = json.loads(request.body)
        except ValueError as error:
            raise GraphError(100, "Invalid JSON") from error
        if not isinstance(sent, dict):
            raise GraphError(100, "Invalid parameter")
        params.update(sent)
    elif request.method == "POST":
        params.update(request.POST.items())
    return params


def find(node: str, accounts: list[Account]) -> tuple[Account, str, Any] | None:
    """What an id is, among these accounts: the account, its kind and its row."""
    for account in accounts:
        if node in {"me", account.external_id}:
            return account, "account", account
        if node == account.settings.get("waba_id"):
            return account, "waba", account
    line = Line.objects.filter(account__in=accounts, external_id=node).select_related("account", "person").first()
    if line is not None:
        kind = "post" if line.kind == "post" else "comment" if line.public else "message"
        return (line.account, kind, line) if line.deleted_at is None else None
    media = Media.objects.filter(account__in=accounts, external_id=node).select_related("account").first()
    if media is not None:
        gone = media.expires_at is not None and media.expires_at < timezone.now()
        return None if gone else (media.account, "media", media)
    person = Person.objects.filter(account__in=accounts, external_id=node).select_related("account").first()
    return (person.account, "person", person) if person is not None else None


def _unknown(node: str) -> GraphError:
    return GraphError(
        100,
        f"Unsupported request. Object with ID '{node}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation",
        subcode=33,
        kind="GraphMethodException",
    )


def bad_token(token: str, status: int = 401) -> GraphError:
    if not token:
        return GraphError(104, "An access token is required to request this resource.", status=status)
    return GraphError(190, "Invalid OAuth access token - Cannot parse access token", status=status)


def _check_token(account: Account, token: str, params: dict[str, Any]) -> None:
    state = account.settings.get("token_state")
    if state:
        message = "Error validating access token: it has expired or is no longer valid."
        status = 401 if account.platform == Platform.WHATSAPP else 400
        raise GraphError(190, message, subcode=TOKEN_SUBCODES.get(state, 0), status=status)
    given = params.pop("appsecret_proof", None)
    if given is None and account.settings.get("require_proof"):
        message = "API calls from the server require an appsecret_proof argument"
        raise GraphError(100, message, kind="GraphMethodException")
    if given is not None and not hmac.compare_digest(str(given), proof(account.secrets.get("app_secret", ""), token)):
        raise GraphError(100, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException")


def subscribe(account: Account, url: str, verify_token: str, *, name: str = "webhook_url") -> None:
    """Set where an account's events go, once the far end has given back the challenge. Raises GraphError 2200."""
    challenge = chats.digits(10)
    asked = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    try:
        with http.Session() as session:
            answer = session.get(url, params=asked)
    except (requests.RequestException, net.Refused, OSError) as error:
        raise GraphError(2200, f"Callback verification failed: {type(error).__name__}") from error
    if answer.status_code != 200 or answer.text.strip() != challenge:
        raise GraphError(
            2200,
            "Callback verification failed with the following errors: "
            f"HTTP Status Code = {answer.status_code}; HTTP Message = {answer.reason}",
        )
    chats.arrange(account, **{name: url}, verify_token=verify_token)
