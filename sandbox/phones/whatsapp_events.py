"""What WhatsApp tells the owner of a number: messages, statuses, errors."""

from __future__ import annotations

import secrets
import time
from datetime import datetime
from typing import Any

from django.utils import timezone

from sandbox.phones import core, hooks
from sandbox.phones.models import Account, Line, Person, Told

ORDER = ("", "sent", "delivered", "read", "played")


def wamid() -> str:
    return "wamid." + secrets.token_urlsafe(27).replace("-", "A").replace("_", "B")


def shown_phone(person: Person) -> str:
    """The person's number in digits; "" of those who hide it behind a username."""
    return "" if person.attributes.get("hides_phone") else person.phone.lstrip("+")


def wa_id(person: Person) -> str:
    """WhatsApp's own form of the number, which may differ from the dialled one (Brazil, Argentina, Mexico)."""
    return str(person.attributes.get("wa_id") or shown_phone(person)) if shown_phone(person) else ""


def contact(person: Person) -> dict[str, Any]:
    profile = {"name": person.name, **({"username": person.handle} if person.handle else {})}
    number = {"wa_id": wa_id(person)} if wa_id(person) else {}
    return {"profile": profile, **number, "user_id": person.external_id}


def tell(account: Account, value: dict[str, Any], field: str = "messages") -> Told | None:
    """Queue a change of the number."""
    metadata = {
        "display_phone_number": account.settings.get("display_phone_number", "").lstrip("+"),
        "phone_number_id": account.external_id,
    }
    whole = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    entry = {"id": account.settings.get("waba_id", ""), "changes": [{"value": whole, "field": field}]}
    return hooks.notify(account, field, entry)


def tell_of_account(account: Account, value: dict[str, Any], field: str) -> Told:
    """Queue a change of the whole account."""
    entry = {"id": account.settings.get("waba_id", ""), "time": int(time.time())}
    changes = [{"value": value, "field": field}]
    return core.tell(account, {"object": "whatsapp_business_account", "entry": [{**entry, "changes": changes}]})


def seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def tell_message(account: Account, person: Person, message: dict[str, Any], at: datetime | None = None) -> Told | None:
    """Queue a message of a person; `message` is its id, its type and what goes with the type."""
    number = {"from": shown_phone(person)} if shown_phone(person) else {}
    head = {**number, "from_user_id": person.external_id, "timestamp": seconds(at or timezone.now())}
    return tell(account, {"contacts": [contact(person)], "messages": [{**head, **message}]})


def tell_status(
    account: Account, line: Line, state: str, *, input_: str = "", errors: list[dict[str, Any]] | None = None
) -> Told | None:
    """Queue a status of what we sent. It only moves forward; `input_` is the number where nobody has it."""
    if state != "failed":
        if line.state == "failed" or ORDER.index(state) <= ORDER.index(line.state):
            return None
    skipped = state == "read" and line.state == "sent"
    line.state = state
    if line.pk:
        line.save(update_fields=["state"])
    status: dict[str, Any] = {"id": line.external_id, "status": state, "timestamp": str(int(time.time()))}
    person = line.person
    if person is None or wa_id(person):
        status["recipient_id"] = input_ if person is None else wa_id(person)
    if person is not None:
        status["recipient_user_id"] = person.external_id
    if opaque := line.payload.get("biz_opaque_callback_data"):
        status["biz_opaque_callback_data"] = opaque
    if errors:
        status["errors"] = errors
    elif state == "delivered" or skipped:
        category = line.payload.get("category", "service")
        status["pricing"] = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": category}
    value: dict[str, Any] = {"statuses": [status]}
    if state != "failed" and person is not None:
        value = {"contacts": [contact(person)], **value}
    return tell(account, value)


def error(code: int, title: str, details: str) -> dict[str, Any]:
    """An error as it stands in webhooks."""
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": details},
        "href": "/documentation/business-messaging/whatsapp/support/error-codes",
    }
