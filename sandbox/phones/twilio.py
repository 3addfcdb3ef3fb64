"""Twilio's REST API for messages (2010-04-01): accounts, numbers, messages, their media."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import path
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt

from inbox import wake
from sandbox.phones import core, twilio_carry
from sandbox.phones.models import Account, Line, Media
from sandbox.phones.twilio_base import NUMBER, VERSION, Refused, number_sid, open_number, person_of, resource

__all__ = ["open_number", "urlpatterns"]

MOST_TEXT, MOST_MEDIA = 1600, 10
Answer = tuple[int, Any]
Deed = Callable[[HttpRequest, list[Account], Mapping[str, str]], Answer]


def _owned(request: HttpRequest, sid: str) -> list[Account]:
    """The numbers of whoever asks. Raises Refused: 20003 without the right token, 20404 for somebody else's."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    try:
        user, _, token = base64.b64decode(given).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        user = token = ""
    found = [one for one in Account.objects.filter(platform="sms").order_by("pk") if _opens(one, user, token)]
    if kind.lower() != "basic" or not found:
        raise Refused(20003, "Authenticate", 401)
    mine = [one for one in found if one.secrets["account_sid"] == sid]
    if not mine:
        raise _missing(request)
    return mine


def _opens(account: Account, user: str, token: str) -> bool:
    """By the account's token, or by an API key's secret (`secrets["keys"]`)."""
    secrets = account.secrets
    pairs = [(secrets.get("account_sid", ""), secrets.get("auth_token", "")), *secrets.get("keys", {}).items()]
    return any(user == name and constant_time_compare(token, secret) for name, secret in pairs if name)


def _missing(request: HttpRequest) -> Refused:
    path = request.path.partition("/phones/twilio")[2]
    return Refused(20404, f"The requested resource {path} was not found", 404)


def view(name: str, **deeds: Deed) -> Callable[..., HttpResponseBase]:
    """A view that does `get` or `post`, and answers as Twilio does; `name` is what faults and the list call it."""

    @csrf_exempt
    def answer(request: HttpRequest, sid: str, **ids: str) -> HttpResponseBase:
        try:
            owned = _owned(request, sid)
        except Refused as refused:
            return JsonResponse(refused.body, status=refused.status)
        deed = deeds.get(str(request.method).lower())
        method = f"{request.method} {name}"
        asked = {key: values if len(values) > 1 else values[0] for key, values in _given(request).lists()}
        told = next((one for one in owned if one.external_id == asked.get("From")), owned[0])

        def do() -> tuple[int, Any, Mapping[str, str]]:
            try:
                if deed is None:
                    raise Refused(20004, "Method not allowed", 405)
                return (*deed(request, owned, ids), {})
            except Refused as refused:
                return refused.status, refused.body, {}

        return core.with_faults(told, method, {**asked, **ids}, do)

    return answer


def _given(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else request.GET


def _lines(owned: list[Account]) -> QuerySet[Line]:
    return Line.objects.filter(account__in=owned).select_related("account", "person")


def account(request: HttpRequest, owned: list[Account], ids: Mapping[str, str]) -> Answer:
    sid = owned[0].secrets["account_sid"]
    shown = {"sid": sid, "friendly_name": owned[0].name, "status": "active", "type": "Full", "owner_account_sid": sid}
    return 200, {**shown, "auth_token": owned[0].secrets["auth_token"], "uri": f"/{VERSION}/Accounts/{sid}.json"}


def _number(one: Account) -> dict[str, Any]:
    sid = one.secrets["account_sid"]
    return {
        "sid": number_sid(one),
        "account_sid": sid,
        "friendly_name": one.name,
        "phone_number": one.external_id,
        "capabilities": {"voice": False, "sms": True, "mms": True, "fax": False},
        "sms_url": one.settings.get("sms_url", ""),
        "sms_method": "POST",
        "sms_fallback_url": "",
        "sms_fallback_method": "POST",
        "status_callback": one.settings.get("status_callback", ""),
        "status_callback_method": "POST",
        "api_version": VERSION,
        "status": "in-use",
        "uri": f"/{VERSION}/Accounts/{sid}/IncomingPhoneNumbers/{number_sid(one)}.json",
    }


def numbers(request: HttpRequest, owned: list[Account], ids: Mapping[str, str]) -> Answer:
    asked = request.GET.get("PhoneNumber", "")
    return 200, _page(request, "incoming_phone_numbers", [_number(one) for one in owned if asked in one.external_id])


def _one_number(request: HttpRequest, owned: list[Account], ids: Mapping[str, str]) -> Account:
    found = next((one for one in owned if number_sid(one) == ids["number"]), None)
    if found is None:
        raise _missing(request)
    return found


def number(request: HttpRequest, owned: list[Account], ids: Mapping[str, str]) -> Answer:
    return 200, _number(_one_number(request, owned, ids))


def set_number(request: HttpRequest, owned: list[Account], ids: Mapping[str, str]) -> Answer:
    """Where a number's messages are told."""
    found = _one_number(request, owned, ids)
    with core.changing(found) as row:
        for field, key in (("SmsUrl", "sms_url"), ("StatusCallback", "status_callback")):
            url = request.POST.get(field)
            if url is None:
                continue
            if url and urlsplit(url).scheme not in {"http", "https"}:
                raise Refused(21502, f"Sms URL is not valid: {url}")
            row.settings[key] = url
    return 200, _number(found)


def messages(request: HttpRequest, owned: list[Account], ids: Mapping[str, str]) -> Answer:
    """The newest first; by To, From and the day or moment of DateSent."""
    lines = _lines(owned)
    for name, here, there in (("To", False, True), ("From", True, False)):
        asked = request.GET.get(name)
        if asked:
            us, them = Q(ours=here, account__external_id=asked), Q(ours=there, person__external_id=asked)
            lines = lines.filter(us | them)
    for name in ("DateSent", "DateSent>", "DateSent<"):
        if name in request.GET:
            lines = _sent(lines, name[8:], request.GET[name])
    most = min(max(_int(request.GET.get("PageSize"), 50), 1), 1000)
    page = _int(request.GET.get("Page"), 0)
    found = list(lines.order_by("-at", "-pk")[page * most : (page + 1) * most + 1])
    shown = [resource(line) for line in found[:most]]
    return 200, _page(request, "messages", shown, page=page, size=most, more=len(found) > most)


def _int(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() and len(text) < 9 else default


def _sent(lines: QuerySet[Line], sign: str, text: str) -> QuerySet[Line]:
    """By a day, or a moment: "" on its day, ">" from it on, "<" until it, which of midnight means that whole day."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise Refused(20001, f"Invalid DateSent: {text}") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if not sign:
        return lines.filter(at__gte=day, at__lt=day + timedelta(days=1))
    if sign == ">":
        return lines.filter(at__gte=moment)
    return lines.filter(at__lt=moment + (timedelta(days=1) if moment == day else timedelta(seconds=1)))


def _page(
    request: HttpRequest, key: str, rows: list[Any], *, page: int = 0, size: int = 50, more: bool = False
) -> dict[str, Any]:
    base = request.path.partition("/phones/twilio")[2]

    def uri(number: int) -> str:
        asked = {**request.GET.dict(), "PageSize": str(size), "Page": str(number)}
        return f"{base}?{urlencode(asked)}"

    return {
        key: rows,
        "first_page_uri": uri(0),
        "next_page_uri": uri(page + 1) if more else None,
        "previous_page_uri": uri(page - 1) if page else None,
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": page * size + len(rows) - 1 if rows else 0,
        "uri": uri(page),
    }


def send(request: HttpRequest, owned: list[Account], ids: Mapping[str, str]) -> Answer:
    """Queue a message; whether it arrives is told later."""
    to, text = request.POST.get("To", "").strip(), request.POST.get("Body", "")
    media = [one for one in request.POST.getlist("MediaUrl") if one]
    if not to:
        raise Refused(21604, "A 'To' phone number is required.")
    sender = _sender(request, owned)
    if not NUMBER.fullmatch(to):
        raise Refused(21211, f"Invalid 'To' Phone Number: {to}")
    if not text and not media:
        raise Refused(21602, "Message body is required.")
    if len(text) > MOST_TEXT:
        raise Refused(21617, "The concatenated message body exceeds the 1600 character limit.")
    if len(media) > MOST_MEDIA:
        raise Refused(21623, "Number of media files exceeds allowed limit.")
    if any(urlsplit(one).scheme not in {"http", "https"} or not urlsplit(one).netloc for one in media):
        raise Refused(21620, "Invalid media URL(s)")
    callback = request.POST.get("StatusCallback") or sender.settings.get("status_callback", "")
    if callback and urlsplit(callback).scheme not in {"http", "https"}:
        raise Refused(21609, f"Invalid StatusCallback: {callback}")
    if to == sender.external_id:
        raise Refused(21266, f"'To' and 'From' number cannot be the same: {to}")
    person = person_of(sender, to)
    if person.blocked:
        raise Refused(21610, "Attempt to send to unsubscribed recipient")
    service = request.POST.get("MessagingServiceSid") or None
    with transaction.atomic():
        line = twilio_carry.ours(sender, person, text, media_urls=media, callback=callback, service=service)
        wake.run("sandbox.tasks.push", [], "social")
    return 201, {**resource(line), "status": "accepted" if service else "queued"}


def _sender(request: HttpRequest, owned: list[Account]) -> Account:
    number, service = request.POST.get("From", ""), request.POST.get("MessagingServiceSid", "")
    if number:
        found = next((one for one in owned if one.external_id == number), None)
        if found is None:
            raise Refused(
                21606,
                f"The 'From' phone number provided ({number}) is not a valid message-capable Twilio phone number for "
                "this destination/account",
            )
        return found
    if not service:
        raise Refused(21603, "A 'From' phone number is required.")
    found = next((one for one in owned if one.settings.get("messaging_service_sid") == service), None)
    if found is None:
        raise Refused(21701, f"The Messaging Service does not exist: {service}", 404)
    return found


def _one(request: HttpRequest, owned: list[Account], ids: Mapping[str, str]) -> Line:
    line = _lines(owned).filter(external_id=ids["message"]).first()
    if line is None:
        raise _missing(request)
    return line


def message(request: HttpRequest, owned: list[Account], ids: Mapping[str, str]) -> Answer:
    return 200, resource(_one(request, owned, ids))


def media_list(request: HttpRequest, owned: list[Account], ids: Mapping[str, str]) -> Answer:
    line = _one(request, owned, ids)
    kept = Media.objects.filter(account=line.account, external_id__in=line.payload.get("media", [])).order_by("pk")
    return 200, _page(request, "media_list", [_media(request, line, one) for one in kept])


def _media(request: HttpRequest, line: Line, one: Media) -> dict[str, Any]:
    sid = line.account.secrets["account_sid"]
    uri = f"/{VERSION}/Accounts/{sid}/Messages/{line.external_id}/Media/{one.external_id}.json"
    ids = {"sid": one.external_id, "account_sid": sid, "parent_sid": line.external_id}
    return {**ids, "content_type": one.content_type, "uri": uri}


@csrf_exempt
def media(request: HttpRequest, sid: str, message: str, media: str) -> HttpResponseBase:
    """A file itself, by Basic auth, or its resource where `.json` is asked for."""
    try:
        owned = _owned(request, sid)
        line = _one(request, owned, {"message": message})
        name = media.removesuffix(".json")
        kept = Media.objects.filter(account=line.account, external_id=name).first()
        if kept is None or name not in line.payload.get("media", []):
            raise _missing(request)
    except Refused as refused:
        return JsonResponse(refused.body, status=refused.status)
    found = core.fault(line.account, "media")
    if found is not None:
        return core.answered(found)
    if media.endswith(".json"):
        return JsonResponse(_media(request, line, kept))
    return HttpResponse(bytes(kept.content), content_type=kept.content_type)


OF = f"{VERSION}/Accounts/<str:sid>"
urlpatterns = [
    path(f"{VERSION}/Accounts/<slug:sid>.json", view("Account", get=account)),
    path(f"{OF}/IncomingPhoneNumbers.json", view("IncomingPhoneNumbers", get=numbers)),
    path(f"{OF}/IncomingPhoneNumbers/<slug:number>.json", view("IncomingPhoneNumber", get=number, post=set_number)),
    path(f"{OF}/Messages.json", view("Messages", get=messages, post=send)),
    path(f"{OF}/Messages/<slug:message>.json", view("Message", get=message)),
    path(f"{OF}/Messages/<slug:message>/Media.json", view("Media", get=media_list)),
    path(f"{OF}/Messages/<slug:message>/Media/<str:media>", media, name="twilio-media"),
]
