"""The Telegram Bot API: /bot<token>/<method> and /file/bot<token>/<path>, as its server answers (Bot API 10.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import re_path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from sandbox.phones import core, faces, telegram_sending, telegram_updates
from sandbox.phones.models import Account, Media, Person
from sandbox.phones.telegram_base import MOST_DOWNLOAD, Parameters, Refused, bad, open_bot
from sandbox.phones.telegram_shapes import bot, file_path, unique_id

__all__ = ["open_bot", "urlpatterns"]

TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{30,60}")
LINK_LIVES = timedelta(hours=1)


def get_me(account: Account, given: Parameters) -> Any:
    return {
        **bot(account),
        "can_join_groups": True,
        "can_read_all_group_messages": False,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
    }


def get_file(account: Account, given: Parameters) -> Any:
    """Where a file can be fetched for an hour."""
    media = Media.objects.filter(account=account, external_id=given.text("file_id")).first()
    if media is None:
        raise bad("wrong file_id or the file is temporarily unavailable")
    if media.size > MOST_DOWNLOAD:
        raise bad("file is too big")
    media.expires_at = timezone.now() + LINK_LIVES
    media.save(update_fields=["expires_at"])
    return {
        "file_id": media.external_id,
        "file_unique_id": unique_id(media),
        "file_size": media.size,
        "file_path": file_path(media),
    }


def get_user_profile_photos(account: Account, given: Parameters) -> Any:
    person = Person.objects.filter(account=account, external_id=given.text("user_id")).first()
    if person is None:
        raise bad("user not found")
    photos = faces.sizes_of(account, person)
    first = given.number("offset")
    return {"total_count": len(photos), "photos": photos[first : first + min(given.number("limit", 100), 100)]}


def answer_callback_query(account: Account, given: Parameters) -> Any:
    with core.changing(account) as row:
        open_queries: list[str] = row.settings.get("queries", [])
        if given.text("callback_query_id") not in open_queries:
            raise bad("query is too old and response timeout expired or query ID is invalid")
        row.settings["queries"] = [one for one in open_queries if one != given.text("callback_query_id")]
    return True


Method = Callable[[Account, Parameters], Any]
METHODS: dict[str, Method] = {
    "getme": get_me,
    "getupdates": telegram_updates.get_updates,
    "getwebhookinfo": telegram_updates.webhook_info,
    "sendmessage": telegram_sending.send_message,
    "sendmediagroup": telegram_sending.send_media_group,
    "sendlocation": telegram_sending.send_location,
    "sendcontact": telegram_sending.send_contact,
    "sendchataction": telegram_sending.send_chat_action,
    "editmessagetext": telegram_sending.edit_message_text,
    "deletemessage": telegram_sending.delete_message,
    "setmessagereaction": telegram_sending.set_message_reaction,
    "getfile": get_file,
    "getuserprofilephotos": get_user_profile_photos,
    "answercallbackquery": answer_callback_query,
    **{
        f"send{kind.replace('_', '')}": partial(telegram_sending.send_file, kind=kind)
        for kind in ("photo", "document", "voice", "video", "audio", "sticker", "animation", "video_note")
    },
}
DESCRIBED = {"setwebhook": telegram_updates.set_webhook, "deletewebhook": telegram_updates.delete_webhook}


def _refusal(refused: Refused) -> tuple[int, dict[str, Any], Mapping[str, str]]:
    body: dict[str, Any] = {"ok": False, "error_code": refused.status, "description": refused.description}
    if refused.parameters:
        body["parameters"] = dict(refused.parameters)
    wait = refused.parameters.get("retry_after")
    return refused.status, body, {"Retry-After": str(wait)} if wait else {}


def _deed(account: Account, method: str, given: Parameters) -> tuple[int, Any, Mapping[str, str]]:
    name = method.lower()
    try:
        if name in DESCRIBED:
            return 200, {"ok": True, "result": True, "description": DESCRIBED[name](account, given)}, {}
        if name not in METHODS:
            raise Refused(404, "Not Found: method not found")
        return 200, {"ok": True, "result": METHODS[name](account, given)}, {}
    except Refused as refused:
        return _refusal(refused)


def _account(token: str) -> Account:
    """Whose token it is. Raises Refused."""
    if not TOKEN.fullmatch(token):
        raise Refused(404, "Not Found")
    account = Account.objects.filter(platform="telegram", external_id=token.partition(":")[0]).first()
    if account is None or account.secrets.get("token") != token:
        raise Refused(401, "Unauthorized")
    return account


@csrf_exempt
def call(request: HttpRequest, token: str, method: str) -> HttpResponseBase:
    """A method of a bot."""
    try:
        account = _account(token)
        given = Parameters(request)
    except Refused as refused:
        status, body, _headers = _refusal(refused)
        return JsonResponse(body, status=status)
    return core.with_faults(
        account,
        method,
        given.asked(),
        lambda: _deed(account, method, given),
        notable=lambda body: not (method.lower() == "getupdates" and not body["result"]),
    )


@require_GET
def download(request: HttpRequest, token: str, kind: str, number: str) -> HttpResponseBase:
    """A file, where getFile has said within the hour that it is."""
    try:
        account = _account(token)
    except Refused as refused:
        status, body, _headers = _refusal(refused)
        return JsonResponse(body, status=status)
    found = core.fault(account, "file")
    if found is not None:
        return core.answered(found)
    media = Media.objects.filter(account=account, pk=number, expires_at__gt=timezone.now()).first()
    if media is None or file_path(media).partition(".")[0] != f"{kind}/file_{number}":
        return JsonResponse({"ok": False, "error_code": 404, "description": "Not Found"}, status=404)
    return HttpResponse(bytes(media.content), content_type="application/octet-stream")


urlpatterns = [
    re_path(r"^file/bot(?P<token>[^/]+)/(?P<kind>\w+)/file_(?P<number>\d{1,18})\.\w+$", download, name="telegram-file"),
    re_path(r"^bot(?P<token>[^/]+)/(?P<method>\w+)/?$", call, name="telegram-call"),
]
