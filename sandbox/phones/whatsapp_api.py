"""WhatsApp's Cloud API: a number, its messages and files, and the business account's subscription.

Beside what `graph` reads, an account's `settings` are display_phone_number, verified_name, quality_rating, templates,
test_recipients (numbers that a test number may write to), sync_errors (refuse at once what WhatsApp otherwise accepts
and then reports as failed). The fault "status" ({"method": "status", "code", "title", "details"}) lets an accepted
message fail afterwards.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.utils import timezone

from sandbox.phones import chats, core, files, graph, whatsapp_events
from sandbox.phones import whatsapp_send as send
from sandbox.phones.graph import SUCCESS, Asked, GraphError, route
from sandbox.phones.models import Account, Line, Media, Person

PAIR_BURST, PAIR_SECONDS = 45, 6
WABA_FIELDS = ["messages", "smb_message_echoes"]
UPLOADS = {one for kinds in send.TYPES.values() for one in kinds} | {
    "text/plain",
    "application/pdf",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}


@route("whatsapp", "account", "GET")
def number(asked: Asked) -> dict[str, Any]:
    account = asked.account
    known = {
        "id": account.external_id,
        "verified_name": account.settings.get("verified_name", account.name),
        "display_phone_number": account.settings.get("display_phone_number", ""),
        "quality_rating": account.settings.get("quality_rating", "GREEN"),
        "code_verification_status": "VERIFIED",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "status": "CONNECTED",
    }
    return graph.pick(asked, known, ",".join(known))


@route("whatsapp", "waba", "GET")
def business(asked: Asked) -> dict[str, Any]:
    known = {"id": asked.account.settings["waba_id"], "name": asked.account.name, "currency": "EUR"}
    return graph.pick(asked, known, "id,name,currency")


@route("whatsapp", "waba", "GET", "phone_numbers")
def numbers(asked: Asked) -> dict[str, Any]:
    return graph.paged(asked, [number(asked)])


@route("whatsapp", "waba", "POST", "subscribed_apps")
def subscribe(asked: Asked) -> dict[str, Any]:
    """Tell the app of this business account, at a url of its own if one is given."""
    graph.need(asked.account, "whatsapp_business_management", 200)
    if url := asked.text("override_callback_uri"):
        graph.subscribe(asked.account, url, asked.text("verify_token"), name="override_callback_uri")
    fields = asked.account.settings.get("app_fields") or WABA_FIELDS
    chats.arrange(asked.account, subscribed_fields=fields)
    return SUCCESS


@route("whatsapp", "waba", "GET", "subscribed_apps")
def subscriptions(asked: Asked) -> dict[str, Any]:
    settings = asked.account.settings
    if "subscribed_fields" not in settings:
        return {"data": []}
    app_id = settings.get("app_id", "")
    app: dict[str, Any] = {
        "whatsapp_business_api_data": {
            "link": f"https://www.facebook.com/games/?app_id={app_id}",
            "name": "Rabta",
            "id": app_id,
        }
    }
    if override := settings.get("override_callback_uri"):
        app["override_callback_uri"] = override
    return {"data": [app]}


@route("whatsapp", "waba", "DELETE", "subscribed_apps")
def unsubscribe(asked: Asked) -> dict[str, Any]:
    chats.arrange(asked.account, subscribed_fields=None, override_callback_uri=None)
    return SUCCESS


@route("whatsapp", "account", "POST", "media")
def upload(asked: Asked) -> dict[str, Any]:
    _product(asked)
    file = asked.files.get("file")
    if file is None:
        raise GraphError(100, "The parameter file is required.")
    kind = (asked.text("type") or file.content_type or "").strip()
    bare = kind.split(";")[0].strip()
    if bare not in UPLOADS:
        raise GraphError(
            100,
            f"Param file must be a file with one of the following types: {', '.join(sorted(UPLOADS))}. "
            f"Received file of type '{bare}'.",
        )
    family = next((name for name, types in send.TYPES.items() if bare in types), "document")
    if (file.size or 0) > send.MOST[family]:
        raise GraphError(131053, "Media upload error", details=f"File is over {send.MOST[family]} bytes")
    return {"id": files.keep(asked.account, file.read(), kind, file.name or "").external_id}


@route("whatsapp", "media", "GET")
def media(asked: Asked) -> dict[str, Any]:
    """Where a file is for the next five minutes."""
    row: Media = asked.row
    return {
        "messaging_product": "whatsapp",
        "url": files.url_of(row),
        "mime_type": row.content_type,
        "sha256": files.sha256(row),
        "file_size": row.size,
        "id": row.external_id,
    }


@route("whatsapp", "media", "DELETE")
def forget(asked: Asked) -> dict[str, Any]:
    asked.row.delete()
    return SUCCESS


@route("whatsapp", "account", "POST", "messages")
def messages(asked: Asked) -> dict[str, Any]:
    """Send a message, or mark one as read (and show that we type)."""
    _product(asked)
    graph.need(asked.account, "whatsapp_business_messaging", 10)
    if asked.text("status") == "read":
        return _read(asked)
    account, kind = asked.account, asked.text("type") or "text"
    if kind not in send.KINDS:
        raise GraphError(100, f'Param type must be one of {{{", ".join(sorted(send.KINDS)).upper()}}} - got "{kind}".')
    if asked.params.get(kind) is None:
        raise GraphError(100, f"The parameter {kind} is required.")
    to, person = _recipient(asked)
    line = Line(account=account, person=person, ours=True, kind=kind, external_id=whatsapp_events.wamid())
    line.payload = {"biz_opaque_callback_data": asked.text("biz_opaque_callback_data")}
    try:
        _fill(asked, line, kind)
    except send.Later as late:
        if account.settings.get("sync_errors"):
            raise GraphError(late.code, late.title, details=late.details) from late
        _keep(line)
        error = whatsapp_events.error(late.code, late.title, late.details)
        whatsapp_events.tell_status(account, line, "failed", input_=to, errors=[error])
    else:
        _keep(line)
        _progress(account, line)
    user: dict[str, Any] = {"input": asked.text("to") or asked.text("recipient")}
    shown = to if person is None else whatsapp_events.wa_id(person)
    user |= {"wa_id": shown} if shown else {}
    user |= {"user_id": person.external_id} if person is not None and asked.text("recipient") else {}
    return {
        "messaging_product": "whatsapp",
        "contacts": [user],
        "messages": [{"id": line.external_id, "message_status": "accepted"}],
    }


def _product(asked: Asked) -> None:
    if asked.text("messaging_product") != "whatsapp":
        raise GraphError(100, "The parameter messaging_product is required.")


def _recipient(asked: Asked) -> tuple[str, Person | None]:
    """The number in digits ("" for one named by user id), and who has it here, if anybody."""
    account = asked.account
    to, recipient = re.sub(r"\D", "", asked.text("to")), asked.text("recipient")
    if not to and not recipient:
        raise GraphError(100, "The parameter to is required.")
    if to and to == re.sub(r"\D", "", account.settings.get("display_phone_number", "")):
        raise GraphError(131021, "Recipient cannot be sender", details="Recipient and sender phone number is the same")
    allowed = account.settings.get("test_recipients")
    if to and allowed is not None and to not in [re.sub(r"\D", "", one) for one in allowed]:
        details = "Recipient phone number not in allowed list: Add recipient phone number to recipient list"
        raise GraphError(131030, "Recipient phone number not in allowed list", details=details)
    for person in account.people.all():
        numbers = {re.sub(r"\D", "", person.phone), person.attributes.get("wa_id")}
        if (recipient and person.external_id == recipient) or (to and to in numbers):
            _check_pair(person)
            return to, person
    return to, None


def _check_pair(person: Person) -> None:
    since = timezone.now() - timedelta(seconds=PAIR_BURST * PAIR_SECONDS)
    if person.lines.filter(ours=True, at__gt=since).count() > PAIR_BURST:
        raise GraphError(
            131056,
            "(Business Account, Consumer Account) pair rate limit hit",
            details="Message failed to send because there were too many messages sent from this phone number to the "
            "same phone number in a short period of time.",
        )


def _fill(asked: Asked, line: Line, kind: str) -> None:
    """Raises GraphError for what is refused at once, Later for what fails afterwards."""
    account, person = asked.account, line.person
    fault = core.fault(account, "status") if any(f.get("method") == "status" for f in account.faults) else None
    if kind == "contacts":
        line.text, more = send.contacts(asked.params["contacts"])
    elif kind == "reaction":
        line.text, more = str(asked.tree("reaction").get("emoji") or ""), {"reaction": asked.tree("reaction")}
    else:
        line.text, more = send.content(account, kind, asked.tree(kind))
    line.payload |= more
    if fault is not None:
        code = fault.get("code", 131000)
        raise send.Later(code, fault.get("title", "Something went wrong"), fault.get("details", "As asked for."))
    if person is None or person.attributes.get("undeliverable"):
        raise send.Later(131026, "Message undeliverable", "Message Undeliverable.")
    if kind == "template":
        if person.attributes.get("opted_out") and line.payload["category"] == "marketing":
            details = "This recipient has chosen to stop receiving marketing messages from your business."
            raise send.Later(131050, "Unable to deliver the message", details)
    elif not chats.window_open(person):
        details = "More than 24 hours have passed since the customer last replied to this number."
        raise send.Later(131047, "Re-engagement message", details)
    if kind == "reaction":
        _react(account, person, line)
    elif kind != "template" and (answered := asked.tree("context").get("message_id")):
        line.reply_to = str(answered) if chats.found(account, str(answered), person) else ""


def _react(account: Account, person: Person, line: Line) -> None:
    target = chats.found(account, str(line.payload["reaction"].get("message_id")), person)
    if target is None or target.at < timezone.now() - timedelta(days=30):
        raise send.Later(131009, "Parameter value is not valid", "The message reacted to is not in the chat")
    chats.react(target, "us", line.text)


def _keep(line: Line) -> None:
    if line.kind != "reaction":  # it shows at what it is a reaction to
        line.save()


def _progress(account: Account, line: Line) -> None:
    """Tell how far it came: to a phone that is on, unless we are blocked there. Of reactions "sent" is all there is."""
    whatsapp_events.tell_status(account, line, "sent")
    person = line.person
    if person is not None and line.kind != "reaction" and not person.blocked and not person.attributes.get("offline"):
        whatsapp_events.tell_status(account, line, "delivered")


def _read(asked: Asked) -> dict[str, Any]:
    line = chats.found(asked.account, asked.text("message_id"))
    if line is None or line.ours or line.person is None:
        raise GraphError(131009, "Parameter value is not valid", details="message_id is not of a received message")
    line.person.lines.filter(ours=False, pk__lte=line.pk).update(state="read")
    if asked.tree("typing_indicator"):
        chats.type_for(line.person, 25)
    return SUCCESS
