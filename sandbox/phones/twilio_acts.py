"""What a customer does by SMS and MMS: write, send a picture, STOP and START, and have no signal."""

from __future__ import annotations

import secrets as random
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from sandbox.phones import core, gsm, twilio
from sandbox.phones.acts import Act, Cannot, Given, Platform, Trouble, older, register
from sandbox.phones.models import Account, Line, Person
from sandbox.phones.twilio_base import NUMBER, VERSION, message_sid, person_of, sid_of
from sandbox.phones.twilio_carry import ours

__all__ = ["twilio"]

WORDS = {
    "STOP": "STOP STOPALL UNSUBSCRIBE CANCEL END QUIT REVOKE OPTOUT".split(),
    "START": "START YES UNSTOP".split(),
    "HELP": "HELP INFO".split(),
}
REPLIES = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. Reply "
    "START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP "
    "to unsubscribe. Msg&Data Rates May Apply.",
    "HELP": "Reply STOP to unsubscribe. Msg&Data Rates May Apply.",
}
COUNTRIES = {"+1": "US", "+44": "GB", "+49": "DE", "+92": "PK", "+91": "IN", "+351": "PT"}


def meet(account: Account, name: str, phone: str = "") -> Person:
    """Somebody by their number; without one, one is made up."""
    number = phone.replace(" ", "") or f"+1555{random.randbelow(10_000_000):07}"
    if not NUMBER.fullmatch(number):
        raise Cannot(_("Write the number with its country: +923001234567."))
    person = person_of(account, number)
    person.name = name or number
    person.save(update_fields=["name"])
    return person


def text(account: Account, person: Person, given: Given) -> Line:
    """An SMS, with files an MMS; STOP, START and HELP do what they do everywhere."""
    if not given.text.strip() and not given.files:
        raise Cannot(_("Write something first."))
    kept = [core.keep(account, one.content, one.content_type, one.name, prefix="ME") for one in given.files]
    line = Line.objects.create(
        account=account,
        person=person,
        kind="mms" if kept else "text",
        external_id=message_sid(mms=bool(kept)),
        text=given.text,
        payload={"media": [one.external_id for one in kept]},
    )
    word = given.text.strip().upper().rstrip(".!")
    asked = next((kind for kind, words in WORDS.items() if word in words), "")
    if asked == "START" and word == "YES" and not person.blocked:
        asked = ""  # an answer to something else
    _tell(line, asked)
    if asked:
        _opt(account, person, asked)
    return line


def _opt(account: Account, person: Person, asked: str) -> None:
    """Do and answer what a word asks for; who is out already, or in, hears nothing."""
    was = person.blocked
    if asked != "HELP":
        person.blocked = asked == "STOP"
        person.save(update_fields=["blocked"])
    if asked == "HELP" or was != person.blocked:
        Line.objects.filter(pk=ours(account, person, REPLIES[asked], direction="outbound-reply").pk).update(
            state="delivered"
        )


def _tell(line: Line, asked: str) -> None:
    account, person = line.account, line.person
    assert person is not None
    url = account.settings.get("sms_url")
    if not url:
        return
    sid, media = line.external_id, _media_fields(line)
    fields = {
        "ToCountry": country(account.external_id),
        "ToState": "",
        "SmsMessageSid": sid,
        "NumMedia": str(len(line.payload["media"])),
        "ToCity": "",
        "FromZip": "",
        "SmsSid": sid,
        "FromState": "",
        "SmsStatus": "received",
        "FromCity": "",
        "Body": line.text,
        "FromCountry": country(person.external_id),
        "To": account.external_id,
        "ToZip": "",
        "NumSegments": str(gsm.segments(line.text)),
        "MessageSid": sid,
        "AccountSid": sid_of(account),
        "From": person.external_id,
        "ApiVersion": VERSION,
        **media,
        **({"OptOutType": asked} if asked else {}),
    }
    core.tell(account, {"url": url, "fields": fields})


def _media_fields(line: Line) -> dict[str, str]:
    fields = {}
    kinds = dict(
        line.account.media.filter(external_id__in=line.payload["media"]).values_list("external_id", "content_type")
    )
    for number, media in enumerate(line.payload["media"]):
        path = reverse("sandbox:twilio-media", args=[sid_of(line.account), line.external_id, media])
        fields[f"MediaUrl{number}"] = core.origin(line.account) + path
        fields[f"MediaContentType{number}"] = kinds[media]
    return fields


def country(number: str) -> str:
    return next((land for code, land in COUNTRIES.items() if number.startswith(code)), "")


def stop(account: Account, person: Person, given: Given) -> Line:
    return text(account, person, Given(text="STOP"))


def start(account: Account, person: Person, given: Given) -> Line:
    return text(account, person, Given(text="START"))


def signal(account: Account, person: Person, given: Given) -> None:
    """What becomes of messages to this phone from now on: a code of Twilio's, or "" to arrive."""
    person.attributes = {**person.attributes, "unreachable": given.choice}
    person.save(update_fields=["attributes"])


def overtake(account: Account) -> None:
    with core.changing(account) as row:
        row.settings["unordered"] = not row.settings.get("unordered")


def _error(code: int, message: str, status: int) -> dict[str, Any]:
    body = {"code": code, "message": message, "status": status}
    return {"status": status, "body": {**body, "more_info": f"https://www.twilio.com/docs/errors/{code}"}}


L = gettext_lazy
POST = "POST Messages"
SMS = Platform(
    key="sms",
    meet=meet,
    needs_phone=True,
    acts=(
        Act("text", L("Send"), text, takes=frozenset({"text", "file"}), main=True),
        Act("stop", L("Write STOP"), stop),
        Act("start", L("Write START"), start),
        Act(
            "signal",
            L("Phone"),
            signal,
            choices=(
                ("", L("Is on")),
                ("30003", L("Is off (30003)")),
                ("30005", L("Does not exist (30005)")),
                ("30006", L("Is a landline (30006)")),
                ("30007", L("Filtered by the carrier (30007)")),
            ),
        ),
    ),
    troubles=(
        Trouble(
            "rate",
            L("Next send: too many requests (429)"),
            {"method": POST, "headers": {"Retry-After": "2"}, **_error(20429, "Too Many Requests", 429)},
        ),
        Trouble(
            "broken",
            L("Next send: server error (500)"),
            {"method": POST, **_error(20500, "Internal Server Error", 500)},
        ),
        Trouble(
            "revoked",
            L("Token revoked (401), until put right"),
            {"times": 1_000_000, **_error(20003, "Authenticate", 401)},
        ),
        Trouble("late", L("Next send: done, but the answer never comes"), {"method": POST, "after": True, "cut": True}),
        Trouble("slow", L("Next send: done, answered after 20 s"), {"method": POST, "after": True, "seconds": 20}),
        Trouble("unordered", L("Callbacks may overtake each other, or not"), do=overtake),
        Trouble("old", L("Make all messages a day older"), do=older(25)),
    ),
)
register(SMS)
