"""What Twilio's API and its webhooks share: numbers and their ids, messages as resources, signatures, refusals."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets as random
import uuid
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Any

from sandbox.phones import core, gsm
from sandbox.phones.models import Account, Line, Person

VERSION = "2010-04-01"
NUMBER = re.compile(r"\+[1-9]\d{6,14}")


class Refused(Exception):
    """An answer that is no success: Twilio's code, its words, the HTTP status."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "code": code,
            "message": message,
            "more_info": f"https://www.twilio.com/docs/errors/{code}",
            "status": status,
        }


def open_number(number: str, name: str, *, sid: str = "", token: str = "") -> Account:
    """A number of ours in E.164. Of the same owner (`sid`) there may be several; the owner's token is one for all."""
    sid = sid or f"AC{uuid.uuid4().hex}"
    token = token or random.token_hex(16)
    service = {"messaging_service_sid": f"MG{uuid.uuid4().hex}"}
    secrets = {"account_sid": sid, "auth_token": token}
    return Account.objects.create(platform="sms", external_id=number, name=name, secrets=secrets, settings=service)


def sid_of(account: Account) -> str:
    return str(account.secrets["account_sid"])


def number_sid(account: Account) -> str:
    return "PN" + hashlib.md5(account.external_id.encode(), usedforsecurity=False).hexdigest()


def message_sid(*, mms: bool) -> str:
    return f"{'MM' if mms else 'SM'}{uuid.uuid4().hex}"


def person_of(account: Account, number: str) -> Person:
    """Whose number it is; every number in the world can be written to."""
    made = {"name": number, "phone": number}
    return Person.objects.get_or_create(account=account, external_id=number, defaults=made)[0]


def signature(token: str, url: str, fields: Mapping[str, str]) -> str:
    """`X-Twilio-Signature`: HMAC-SHA1 over the address and each field's name and value, by name."""
    signed = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def resource(line: Line) -> dict[str, Any]:
    """A line as a Message resource."""
    account, person = line.account, line.person
    assert person is not None
    sid, path = sid_of(account), f"/{VERSION}/Accounts/{sid_of(account)}/Messages/{line.external_id}"
    when = format_datetime(line.at)
    error = line.payload.get("error")
    return {
        "account_sid": sid,
        "api_version": VERSION,
        "body": line.text,
        "date_created": when,
        "date_sent": None if line.state in {"queued", "accepted"} else when,
        "date_updated": format_datetime(line.edited_at or line.at),
        "direction": line.payload.get("direction") or ("outbound-api" if line.ours else "inbound"),
        "error_code": error,
        "error_message": line.payload.get("error_message"),
        "from": account.external_id if line.ours else person.external_id,
        "messaging_service_sid": line.payload.get("service"),
        "num_media": str(len(line.payload.get("media", []) or line.payload.get("media_urls", []))),
        "num_segments": str(gsm.segments(line.text)),
        "price": None,
        "price_unit": "USD",
        "sid": line.external_id,
        "status": line.state or "received",
        "subresource_uris": {"media": f"{path}/Media.json"},
        "to": person.external_id if line.ours else account.external_id,
        "uri": f"{path}.json",
    }


def tell_status(line: Line, status: str, failure: Mapping[str, Any]) -> None:
    """A status callback, where the message has an address for it; `failure` is "error" and "error_message", or {}."""
    url = line.payload.get("callback")
    if not url:
        return
    assert line.person is not None
    fields = {
        "AccountSid": sid_of(line.account),
        "ApiVersion": VERSION,
        "From": line.account.external_id,
        "MessageSid": line.external_id,
        "MessageStatus": status,
        "SmsSid": line.external_id,
        "SmsStatus": status,
        "To": line.person.external_id,
    }
    if line.payload.get("service"):
        fields["MessagingServiceSid"] = line.payload["service"]
    if failure:
        fields |= {"ErrorCode": str(failure["error"]), "ErrorMessage": failure["error_message"]}
    core.tell(line.account, {"url": url, "fields": fields}, order="" if unordered(line.account) else line.external_id)


def unordered(account: Account) -> bool:
    """Whether `settings["unordered"]` asks that callbacks overtake each other, as they may."""
    return bool(account.settings.get("unordered"))
