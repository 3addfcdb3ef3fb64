"""Looking after a number: is the log-in good, are we told of news, what came while we were away, what became of sends.

Twilio tells of a message once: whatever was not taken then is found in its list, however long ago that was.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from channels_social import checks, errors, public, reading
from channels_social.messenger import Messenger
from channels_social.sms import api, parsing
from channels_social.sms.api import Twilio
from channels_social.sms.settings import number_of
from inbox.actions import changes, receive
from inbox.adapters import DeliveryError, DeliveryUpdate, RawReceipt
from inbox.models import Channel, DeliveryState, Direction, Message, MessagePart, Receipt

OVERLAP = timedelta(hours=1)  # a message may stand in the list later than its time says
STEP = timedelta(days=1)  # of the past that is asked for at once
MOST_SECONDS = 60.0  # of one run
FILES_WAIT = timedelta(days=1)  # for the list of a message's files
MOST_UNKNOWN = 20
UNKNOWN_REACHES = timedelta(days=7)
CLOCKS = timedelta(minutes=5)  # that ours and Twilio's may differ
Found = dict[str, Any]


def tend(adapter: Messenger, twilio: Twilio) -> Found:
    """All of it; what is kept of it in `Channel.condition`. Raises DeliveryError."""
    account = twilio.about()
    found: Found = {
        "account": reading.text(account.get("friendly_name"), 100),
        "trial": account.get("type") == "Trial",
        **_number(twilio),
    }
    if account.get("status", "active") != "active":
        raise errors.auth(api.words_of(10001))
    found["seen_until"], found["caught_up"] = catch_up(twilio)
    found["reconciled"] = reconcile(adapter, twilio)
    return found


def _number(twilio: Twilio) -> Found:
    """Whether the number is there, and tells us: where it tells somebody else, it is set."""
    number = number_of(twilio.channel)
    if not number:
        return {"missing": False, "hook": "by hand", "subscribed": False}
    asked = twilio.get("IncomingPhoneNumbers.json", {"PhoneNumber": number})
    rows = reading.rows(asked.get("incoming_phone_numbers"))
    row = next((one for one in rows if one.get("phone_number") == number), None)
    if row is None:
        return {"missing": True, "hook": "", "subscribed": False}
    if not public.reachable():
        return {"missing": False, "hook": "unreachable", "subscribed": False, "told": False}
    channel = twilio.channel
    url = checks.hook_url(channel)
    good = row.get("sms_url") == url and not row.get("sms_application_sid")
    if not good:
        fields = {"SmsUrl": url, "SmsMethod": "POST"}
        if row.get("sms_application_sid"):
            fields["SmsApplicationSid"] = ""  # it would go before the address
        twilio.post(f"IncomingPhoneNumbers/{reading.text(row.get('sid'), 64)}.json", fields)
    return {
        "missing": False,
        "hook": "ours",
        "subscribed": not good,
        **checks.news(channel, [url], [] if good else [url]),
    }


def catch_up(twilio: Twilio) -> tuple[str, int]:
    """Store what came and was not told; returns until when all is here, and how many there were."""
    channel, now, caught = twilio.channel, timezone.now(), 0
    seen = _seen_until(channel)
    stop = time.monotonic() + MOST_SECONDS
    while seen < now and time.monotonic() < stop:
        until = min(seen + STEP, now)
        new, whole = _between(twilio, seen - OVERLAP, until)
        caught += new
        if not whole:
            break
        seen = until
    return seen.isoformat(), caught


def _seen_until(channel: Channel) -> datetime:
    """From when on the list may hold what is not here: of what came before it was connected, nothing is fetched."""
    try:
        return datetime.fromisoformat(str(channel.condition.get("seen_until") or ""))
    except ValueError:
        return channel.created_at


def _between(twilio: Twilio, since: datetime, until: datetime) -> tuple[int, bool]:
    """What came in that time, the oldest first; how many were new, and whether all of it could be had."""
    channel, number = twilio.channel, number_of(twilio.channel)
    asked = {"DateSent>": api.moment(since), "DateSent<": api.moment(until + timedelta(seconds=1))}
    if number:
        asked["To"] = number
    service = channel.settings.get("messaging_service_sid")
    new: dict[str, Mapping[str, Any]] = {}
    for page in twilio.pages("Messages.json", "messages", asked):
        ours = [one for one in page if number or one.get("messaging_service_sid") == service]
        named = {
            f"message:{sid}": one
            for one in ours
            if one.get("direction") == "inbound" and (sid := reading.text(one.get("sid"), 64))
        }
        here = Receipt.objects.filter(channel=channel, external_id__in=named)
        known = set(here.values_list("external_id", flat=True))
        new |= {name: one for name, one in named.items() if name not in known}
    raws, whole = [], True
    for name, one in reversed(new.items()):
        try:
            raws.append(_receipt(twilio, name, one))
        except DeliveryError:
            if (parsing.when(one) or until) > timezone.now() - FILES_WAIT:
                whole = False  # its files cannot be listed now: the others need not wait for it
            else:
                raws.append(_as_receipt(name, one, []))  # better without them than not at all
    stored = receive.store(channel, raws) if raws else []
    return sum(one.created for one in stored), whole


def _receipt(twilio: Twilio, name: str, resource: Mapping[str, Any]) -> RawReceipt:
    """As the webhook would have given it. A resource does not name its files: they are asked for."""
    media: list[dict[str, str]] = []
    if reading.number(resource.get("num_media")):
        listed = twilio.get(f"Messages/{name.partition(':')[2]}/Media.json")
        media = [
            {
                "url": twilio.base + reading.text(one.get("uri"), 1000).removesuffix(".json"),
                "content_type": reading.text(one.get("content_type"), 100),
            }
            for one in reading.rows(listed.get("media_list"))
        ]
    return _as_receipt(name, resource, media)


def _as_receipt(name: str, resource: Mapping[str, Any], media: list[dict[str, str]]) -> RawReceipt:
    raw = json.dumps({"resource": resource, "media": media}).encode()
    return RawReceipt(raw, name, key=name.partition(":")[2], at=parsing.when(resource))


def reconcile(adapter: Messenger, twilio: Twilio) -> int:
    """Find sends of unknown outcome in Twilio's list; returns how many were there."""
    channel = twilio.channel
    unknown = Message.objects.filter(
        channel=channel,
        direction=Direction.OUT,
        state=DeliveryState.UNKNOWN,
        created_at__gt=timezone.now() - UNKNOWN_REACHES,
    ).order_by("-pk")[:MOST_UNKNOWN]
    return sum(_reconcile(adapter, twilio, one) for one in reversed(unknown))


def _reconcile(adapter: Messenger, twilio: Twilio, message: Message) -> int:
    """By the very same words to the same person, under an id that nothing here has: else it stays unknown."""
    parts, left = adapter.parts(message), MessagePart.objects.filter(message=message).count()
    if left >= len(parts) or not parts[left].text or not message.to:
        return 0
    asked = {"To": message.to[0]["address"], "DateSent>": api.moment(message.created_at - CLOCKS)}
    if number := number_of(twilio.channel):  # another number of the account may say the same to the same person
        asked["From"] = number
    rows = [one for page in twilio.pages("Messages.json", "messages", asked) for one in page]
    for row in reversed(rows):
        sid, state = reading.text(row.get("sid"), 64), parsing.STATES.get(reading.text(row.get("status"), 40))
        ours = str(row.get("direction") or "").startswith("outbound-api")
        if not sid or not state or not ours or row.get("body") != parts[left].text or _is_known(sid):
            continue
        error = api.words_of(reading.number(row.get("error_code"))) if state == "failed" else ""
        told = DeliveryUpdate(sid, state, at=parsing.when(row), error=error, reference=message.pk)
        with transaction.atomic():
            return int(changes.apply(twilio.channel, told))
    return 0


def _is_known(sid: str) -> bool:
    return Message.objects.filter(external_id=sid).exists() or MessagePart.objects.filter(external_id=sid).exists()
