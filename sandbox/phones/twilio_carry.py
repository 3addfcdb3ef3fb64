"""How Twilio carries what was accepted: media fetched, the network asked, callbacks told; and TwiML that answers."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import requests
from django.db import transaction
from django.utils import timezone

from lib import http
from sandbox.phones import core
from sandbox.phones.models import Account, Line, Person, Told
from sandbox.phones.twilio_base import message_sid, person_of, signature, tell_status, unordered

MOST_MEDIA = 5 * 1024 * 1024
TAKEN = ("image/", "audio/", "video/", "text/vcard", "text/csv", "text/rtf", "text/calendar", "application/pdf")
WORDS = {
    11200: "HTTP retrieval failure",
    12300: "Invalid Content-Type",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30019: "The content size exceeds carrier limit",
}


class Lost(Exception):
    """The message does not arrive; the argument is Twilio's code."""


def carry(account: Account | None = None) -> int:
    """Carry what is queued, of one number or of all; returns how many there were."""
    queued = Line.objects.filter(account__platform="sms", ours=True, state="queued").order_by("pk")
    if account is not None:
        queued = queued.filter(account=account)
    return sum(_carry(pk) for pk in list(queued.values_list("pk", flat=True)[:200]))


@transaction.atomic
def _carry(pk: int) -> int:
    found = Line.objects.select_for_update(skip_locked=True, of=("self",)).select_related("account", "person")
    line = found.filter(pk=pk, state="queued").first()
    if line is None:
        return 0
    steps = ["sent", "delivered"]
    unreachable = line.person.attributes.get("unreachable") if line.person else None
    try:
        line.payload["media"] = [_fetched(line.account, url) for url in line.payload.get("media_urls", [])]
    except Lost as lost:
        steps, unreachable = ["failed"], str(lost.args[0])
    else:
        steps[1] = "undelivered" if unreachable else "delivered"
    tellings = steps if not unordered(line.account) else steps[::-1]
    for step in tellings:
        error = _error(int(unreachable)) if unreachable and step != "sent" else {}
        tell_status(line, step, error)
        line.payload |= error
    line.state = steps[-1]
    line.save(update_fields=["payload", "state"])
    return 1


def _error(code: int) -> dict[str, Any]:
    return {"error": code, "error_message": WORDS.get(code, "Unknown error")}


def _fetched(account: Account, url: str) -> str:
    """Fetch what a MediaUrl names; returns the id of what is kept. Raises Lost."""
    try:
        with http.Session() as session, session.get(url, stream=True) as answer:
            answer.raise_for_status()
            kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
            if answer.status_code != 200:
                raise Lost(30008)
            if not kind.startswith(TAKEN):
                raise Lost(12300)
            content = http.body(answer, MOST_MEDIA)
    except http.TooLarge as error:
        raise Lost(30019) from error
    except (requests.RequestException, OSError) as error:
        raise Lost(30008) from error
    return core.keep(account, content, kind, url.partition("?")[0].rpartition("/")[2], prefix="ME").external_id


def ours(account: Account, person: Person, text: str, **payload: Any) -> Line:
    """A message of ours, queued to be carried."""
    media = bool(payload.get("media_urls"))
    return Line.objects.create(
        account=account,
        person=person,
        ours=True,
        kind="mms" if media else "text",
        external_id=message_sid(mms=media),
        text=text,
        state="queued",
        payload=payload,
        at=timezone.now().replace(microsecond=0),
    )


def answered_at_once(told: Told, answer: requests.Response) -> None:
    """TwiML in the answer to a message: each `<Message>` is sent to who wrote."""
    try:
        root = ElementTree.fromstring(answer.content) if answer.content.strip() else None  # noqa: S314
    except ElementTree.ParseError:
        return  # Twilio notes 12100 in its debugger, and sends nothing
    person = person_of(told.account, told.payload["fields"]["From"])
    for message in root.findall("Message") if root is not None else []:
        text = "".join(message.itertext()).strip()
        if text and not person.blocked:
            ours(told.account, person, text, direction="outbound-reply")


class Webhook(core.Sender):
    """A signed form. What fails is not told again, but for one more try where there was no connection."""

    def request(self, account: Account, told: Told) -> core.Request | None:
        url, fields = told.payload["url"], told.payload["fields"]
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "I-Twilio-Idempotency-Token": str(uuid.uuid5(uuid.NAMESPACE_OID, str(told.pk))),
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": signature(account.secrets["auth_token"], url.partition("#")[0], fields),
        }
        return core.Request(url.partition("#")[0], urlencode(fields).encode(), headers)

    def again(self, told: Told, answer: requests.Response | None) -> timedelta | None:
        return timedelta(seconds=1) if answer is None and told.attempts < 2 else None

    def took(self, told: Told, answer: requests.Response) -> None:
        if told.payload["fields"].get("SmsStatus") == "received":
            answered_at_once(told, answer)


core.SENDERS["sms"] = Webhook()
core.WORK.append(carry)
