"""Whatever shape the JSON of a platform takes: values that the database keeps, or a reason to leave it out.

Platforms add and change fields without a word. Each example is an event as it is documented, spoilt in a few places.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels_social import meta_events
from channels_social.api import events
from channels_social.facebook import parsing as facebook
from channels_social.instagram import parsing as instagram
from channels_social.sms import parsing as sms
from channels_social.telegram import parsing as telegram
from channels_social.telegram.adapter import receipt_of
from channels_social.whatsapp import parsing as whatsapp
from inbox.adapters import Edit, Ignore, Inbound, Parsed, RawReceipt, ReachUpdate

AT = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
PARSED = get_args(Parsed)
examples = settings(max_examples=150, derandomize=True, database=None, deadline=None)
Path = tuple[str | int, ...]

# What may stand anywhere: other types, nothing, too much, what no column takes, what no calendar has.
ODD: list[Any] = [
    None, True, False, 0, -1, 7, 1.5, 1e308, math.inf, -math.inf, math.nan, 10**30, -(10**30), 10**4000, 253402300799,
    253402300799.9, 253402300799999, "", " ", "0", "x", "a\x00b", "\ud800", "\udc00\ud800", "²", "٣", "9" * 5000,
    "x" * 3000, "x:y/z", "http://[", "whatsapp:+1", "2026-13-99T99:99:99Z", "9999-12-31T23:59:59-23:59",
    [], [[]], [None], ["x"], [{}], [1, {"id": []}], {}, {"id": "x"}, {"id": {}}, {"\x00": "\ud800"}, {"x": math.nan},
]  # fmt: skip


def places(value: Any, path: Path = ()) -> Iterable[Path]:
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*path, key))


def spoilt(good: Any, changes: list[tuple[int, int, int]]) -> Any:
    """A copy with so many things done to it: at the place (number), with the oddity (number), in that way."""
    found = copy.deepcopy(good)
    for place, odd, way in changes:
        where = list(places(found))[1:]
        if not where:
            return found
        path = where[place % len(where)]
        owner = found
        for key in path[:-1]:
            owner = owner[key]
        value = copy.deepcopy(ODD[odd % len(ODD)])
        if way == 0:
            del owner[path[-1]]
        elif way == 1 and isinstance(owner, dict):
            owner["something_new"] = value
        elif way == 2:
            owner[path[-1]] = [owner[path[-1]], value]
        else:
            owner[path[-1]] = value
    return found


CHANGES = st.lists(st.tuples(st.integers(0, 200), st.integers(0, len(ODD) - 1), st.integers(0, 9)), max_size=4)


def fits(value: Any, path: str = "") -> None:
    """Whether the database takes all of it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for one in dataclasses.fields(value):
            fits(getattr(value, one.name), f"{path}.{one.name}")
    elif isinstance(value, Mapping):
        for key, one in value.items():
            assert isinstance(key, str), path
            fits(key, path)
            fits(one, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for one in value:
            fits(one, path)
    elif isinstance(value, str):
        assert "\x00" not in value, path
        value.encode()  # no half of a character
    elif isinstance(value, float):
        assert math.isfinite(value), path
    elif isinstance(value, datetime):
        assert value.tzinfo is not None, path
    else:
        assert value is None or isinstance(value, bool | int), (path, value)
        assert abs(value or 0) < 2**63, (path, value)


def read(parse: Callable[..., Iterable[Any]], *given: Any) -> list[Any]:
    """What comes of it: values fit to be kept, or nothing for one of the two reasons that an adapter may give."""
    try:
        found = list(parse(*given))
    except (Ignore, ValueError) as error:
        str(error).encode()
        return []
    for one in found:
        assert isinstance(one, PARSED)
        fits(one)
        if isinstance(one, Inbound):
            assert one.key and one.scope
            assert len(one.external_id) <= 998 and len(one.in_reply_to) <= 998 and len(one.content_kind) <= 20
            for who in filter(None, (one.sender, *one.to)):
                assert 0 < len(who.value) <= 320 and len(who.name) <= 200 and len(who.scope) <= 100
    return found


def readable(raws: Iterable[RawReceipt]) -> list[RawReceipt]:
    found = list(raws)
    for one in found:
        assert one.external_id
        one.external_id.encode(errors="surrogatepass")
    return found


# Telegram ------------------------------------------------------------------------------------------------------------

ANA = {"id": 5550001, "is_bot": False, "first_name": "Ana", "last_name": "Silva", "username": "ana_s",
       "language_code": "pt"}  # fmt: skip
CHAT = {"id": 5550001, "first_name": "Ana", "type": "private"}
SAID = {"message_id": 41, "from": ANA, "chat": CHAT, "date": 1760000000}
TELEGRAM: list[Any] = [
    {"update_id": 1, "message": {**SAID, "text": "Is order 12 shipped?",
                                 "reply_to_message": {"message_id": 40, "date": 1, "text": "Invoice"}}},
    {"update_id": 2, "message": {**SAID, "photo": [{"file_id": "A", "file_size": 1, "width": 2}], "caption": "look"}},
    {"update_id": 3, "message": {**SAID, "document": {"file_id": "B", "file_name": "inv.pdf", "file_size": 3,
                                                      "mime_type": "application/pdf"}, "media_group_id": "9"}},
    {"update_id": 4, "message": {**SAID, "voice": {"file_id": "C", "duration": 4, "mime_type": "audio/ogg"}}},
    {"update_id": 5, "message": {**SAID, "venue": {"location": {"latitude": 1.5, "longitude": 2.5}, "title": "Shop",
                                                   "address": "Mall Road"}}},
    {"update_id": 6, "message": {**SAID, "location": {"latitude": 1.5, "longitude": 2.5}}},
    {"update_id": 7, "message": {**SAID, "contact": {"phone_number": "+1", "first_name": "Bo"}}},
    {"update_id": 8, "message": {**SAID, "poll": {"id": "1", "question": "Which?"},
                                 "forward_origin": {"type": "user"}}},
    {"update_id": 9, "edited_message": {**SAID, "edit_date": 1760000030, "text": "Is order 13 shipped?"}},
    {"update_id": 10, "message_reaction": {"chat": CHAT, "message_id": 40, "user": ANA, "date": 1760000040,
                                           "old_reaction": [], "new_reaction": [{"type": "emoji", "emoji": "👍"}]}},
    {"update_id": 11, "my_chat_member": {"chat": CHAT, "from": ANA, "date": 1,
                                        "new_chat_member": {"status": "kicked"}}},
    {"update_id": 12, "callback_query": {"id": "438", "from": ANA, "data": "opt_1", "message": {
        "message_id": 40, "chat": CHAT, "date": 1, "reply_markup": {"inline_keyboard": [[
            {"text": "One", "callback_data": "opt_1"}]]}}}},
    {"update_id": 13, "deleted_business_messages": {"chat": CHAT, "message_ids": [41, 42]}},
]  # fmt: skip


@examples
@given(st.sampled_from(TELEGRAM), CHANGES)
def test_telegram(good: Any, changes: list[tuple[int, int, int]]) -> None:
    update = spoilt(good, changes)
    if isinstance(update, dict):
        found = read(telegram.parse, update, "channel:1", AT)
        assert found or changes
        with contextlib.suppress(ValueError):
            readable([receipt_of(update, b"")])


# WhatsApp ------------------------------------------------------------------------------------------------------------

FROM = {"from": "351910000001", "from_user_id": "PT.134", "id": "wamid.A1", "timestamp": "1760000000"}
WHATSAPP: list[Any] = [
    {**FROM, "type": "text", "text": {"body": "Is order 12 shipped?"}, "context": {"id": "wamid.O", "forwarded": True},
     "referral": {"source_url": "https://x", "ctwa_clid": "1"}},
    {**FROM, "type": "image", "image": {"caption": "the damage", "mime_type": "image/jpeg", "id": "103"}},
    {**FROM, "type": "document", "document": {"filename": "a.pdf", "mime_type": "application/pdf", "id": "104"}},
    {**FROM, "type": "audio", "audio": {"voice": True, "id": "105", "file_size": 7}},
    {**FROM, "type": "reaction", "reaction": {"message_id": "wamid.O", "emoji": "👍"}},
    {**FROM, "type": "button", "button": {"payload": "YES", "text": "Yes"}},
    {**FROM, "type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"id": "o1", "title": "Ok"}}},
    {**FROM, "type": "edit", "edit": {"original_message_id": "wamid.A1", "message": {"type": "text",
                                                                                     "text": {"body": "13"}}}},
    {**FROM, "type": "revoke", "revoke": {"original_message_id": "wamid.A1"}},
    {**FROM, "type": "unsupported", "unsupported": {"type": "poll_creation"}, "errors": [{"code": 131051}]},
    {**FROM, "type": "location", "location": {"latitude": 1.5, "longitude": 2.5, "name": "Shop", "address": "Rua 1"}},
    {**FROM, "type": "contacts", "contacts": [{"name": {"formatted_name": "Rui"}, "phones": [{"phone": "+351"}]}]},
    {**FROM, "type": "system", "system": {"type": "user_changed_number", "body": "changed", "wa_id": "351910000009"}},
]  # fmt: skip
STATUSES: list[Any] = [
    {"id": "wamid.O", "status": "delivered", "timestamp": "1760000031", "biz_opaque_callback_data": "77"},
    {"id": "wamid.O", "status": "failed", "timestamp": "1760000040",
     "errors": [{"code": 131047, "title": "No", "error_data": {"details": "More than 24 hours"}}]},
]  # fmt: skip


def envelope(key: str, one: Any) -> Any:
    value = {
        "metadata": {"phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": "Ana"}, "wa_id": "351910000001", "user_id": "PT.134"}],
        key: [one],
    }
    return {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": value}]}]}


CALLS_OF_WHATSAPP = [
    *(envelope("messages", one) for one in WHATSAPP),
    *(envelope("message_echoes", {**one, "to": one["from"]}) for one in WHATSAPP[:2]),
    *(envelope("statuses", one) for one in STATUSES),
    envelope("errors", {"code": 130429, "title": "Rate limit hit"}),
]


@examples
@given(st.sampled_from(CALLS_OF_WHATSAPP), CHANGES)
def test_whatsapp(good: Any, changes: list[tuple[int, int, int]]) -> None:
    body = json.dumps(spoilt(good, changes)).encode()
    try:
        values = list(whatsapp.values(body))
    except ValueError:
        return
    for field, value, about in values:
        whatsapp.number_of(value).encode()
        for raw in readable(whatsapp.receipts(field, value, about)):
            read(whatsapp.parse, json.loads(raw.raw), "channel:1", AT)


# Facebook and Instagram ----------------------------------------------------------------------------------------------

PAGE, THEM = "1029384756", "5550001"
PLACE = {"type": "location", "title": "Here", "payload": {"coordinates": {"lat": 1.5, "long": 2.5}}}
BOTH = {"sender": {"id": THEM}, "recipient": {"id": PAGE}, "timestamp": 1760000000000}
MESSAGING: list[Any] = [
    {**BOTH, "message": {"mid": "m_1", "text": "Hello", "reply_to": {"mid": "m_0", "story": {"url": "https://x/s"}}}},
    {**BOTH, "message": {"mid": "m_2", "attachments": [{"type": "image", "payload": {"url": "https://x/1.jpg"}}, PLACE,
                                                       {"type": "story_mention", "payload": {"url": "https://x/s"}},
                                                       {"type": "template", "payload": {"text": "T"}},
                                                       {"type": "share", "payload": {"url": "https://x", "title": "S"}},
                                                       {"type": "file", "payload": {"url": "https://x/a%20b.pdf"}},
                                                       {"type": "unheard_of", "payload": {"deep": [{"er": 1}]}}]}},
    {**BOTH, "message": {"mid": "m_3", "quick_reply": {"payload": "A"}, "referral": {"ref": "r", "source": "ADS"}}},
    {**BOTH, "message": {"mid": "m_4", "is_deleted": True}},
    {"sender": {"id": PAGE}, "recipient": {"id": THEM}, "timestamp": 1760000000000,
     "message": {"mid": "m_5", "is_echo": True, "text": "Ours", "metadata": "rabta:12", "app_id": 15177764}},
    {**BOTH, "message_edit": {"mid": "m_1", "text": "Better"}},
    {**BOTH, "reaction": {"mid": "m_1", "action": "react", "reaction": "love", "emoji": "❤"}},
    {**BOTH, "postback": {"mid": "m_6", "title": "Start", "payload": "GO", "referral": {"ref": "x"}}},
    {**BOTH, "referral": {"ref": "ad", "source": "SHORTLINK", "type": "OPEN_THREAD"}},
    {**BOTH, "delivery": {"mids": ["m_5"], "watermark": 1760000000000}},
    {**BOTH, "read": {"watermark": 1760000000000, "mid": "m_5"}},
    {**BOTH, "unheard_of": {"x": 1}},
]  # fmt: skip
VALUE = {"item": "comment", "verb": "add", "comment_id": "1_2", "post_id": "1_1", "parent_id": "1_1",
         "message": "Price?", "created_time": 1760000000, "from": {"id": THEM, "name": "Ana"}, "photo": "https://x/1.jpg",
         "post": {"permalink_url": "https://x/p", "message": "New shoes"}}  # fmt: skip
CHANGED: list[Any] = [
    {"field": "feed", "value": VALUE},
    {"field": "feed", "value": {**VALUE, "verb": "edited"}},
    {"field": "feed", "value": {**VALUE, "verb": "remove"}},
    {"field": "feed", "value": {**VALUE, "item": "reaction", "reaction_type": "care"}},
    {"field": "comments", "value": {"id": "17", "text": "Nice", "from": {"id": THEM, "username": "ana"},
                                    "parent_id": "16", "media": {"id": "18", "media_product_type": "LIVE"}}},
]  # fmt: skip
ACCOUNT = meta_events.Account("facebook", PAGE, f"page:{PAGE}", f"page:{PAGE}", "channel:1", "15177764")


@examples
@given(
    st.sampled_from([
        *({"object": "page", "entry": [{"id": PAGE, "time": 1, "messaging": [one]}]} for one in MESSAGING),
        *({"object": "page", "entry": [{"id": PAGE, "time": 1, "changes": [one]}]} for one in CHANGED),
    ]),
    CHANGES,
)  # fmt: skip
def test_facebook_and_instagram(good: Any, changes: list[tuple[int, int, int]]) -> None:
    body = spoilt(good, changes)
    try:
        raws = readable(one for _own, one in meta_events.receipts(body))
    except ValueError:
        return
    for raw in raws:
        told = json.loads(raw.raw)
        at = meta_events.entry_time(told.get("time"), AT)
        if isinstance(event := told.get("messaging"), dict):
            read(meta_events.conversation, event, ACCOUNT, at)
        elif isinstance(change := told.get("changes"), dict):
            for parse in (facebook.comment, instagram.comment):
                read(parse, change, ACCOUNT, at)


# SMS -----------------------------------------------------------------------------------------------------------------

FORM = {"MessageSid": "SM1", "AccountSid": "AC1", "From": "+15550001111", "To": "+15550002222", "Body": "STOP",
        "NumMedia": "1", "MediaUrl0": "https://x/1", "MediaContentType0": "image/jpeg",
        "SmsStatus": "received"}  # fmt: skip
STATE = {"MessageSid": "SM2", "MessageStatus": "undelivered", "ErrorCode": "30005", "From": "+1", "To": "+15550001111"}
RESOURCE = {"resource": {"sid": "SM3", "from": "+15550001111", "to": "+15550002222", "body": "Hi", "status": "received",
                         "num_media": "1"}, "media": [{"url": "https://x/1", "content_type": "image/png"}]}  # fmt: skip


@examples
@given(st.sampled_from([FORM, STATE, RESOURCE]), CHANGES, st.booleans())
def test_sms(good: Any, changes: list[tuple[int, int, int]], form: bool) -> None:
    told = spoilt(good, changes)
    flat = {name: str(one).encode(errors="surrogatepass") for name, one in told.items() if not isinstance(one, int)}
    raw = urlencode(flat).encode() if form and "resource" not in told else json.dumps(told).encode()
    read(sms.parse, raw, "channel:1", AT, 7)


# Software of one's own -----------------------------------------------------------------------------------------------

ALI = {"id": "ali", "name": "Ali", "email": "ali@example.com", "picture": "https://x/a.png"}
API: list[Any] = [
    {"type": "message.created", "id": "r1", "from": ALI, "text": "Too small", "at": "2026-11-27T09:30:00Z",
     "language": "en", "in_reply_to": "m1", "public": True, "metadata": {"order": {"number": 12}},
     "thread": {"id": "t", "title": "Lamp", "url": "https://x/lamp", "kind": "review"}, "rating": {"value": 2, "of": 5},
     "attachments": [{"url": "https://x/1.jpg", "name": "1.jpg", "content_type": "image/jpeg", "size": 7}]},
    {"type": "message.updated", "id": "r1", "text": "Fits", "at": "2026-11-27T09:30:00Z"},
    {"type": "message.deleted", "id": "r1"},
    {"type": "reaction", "message": "m1", "from": ALI, "emoji": "👍"},
    {"type": "delivery", "message": "m1", "status": "failed", "error": "No"},
    {"type": "contact.blocked", "from": ALI, "value": True},
    {"type": "story.shared", "id": "s1", "from": ALI, "anything": [1]},
]  # fmt: skip


@examples
@given(st.sampled_from(API), CHANGES)
def test_api(good: Any, changes: list[tuple[int, int, int]]) -> None:
    known = events.Known("channel:1", AT, public=False)
    try:
        rows = events.split(json.dumps(spoilt(good, changes)).encode())
    except ValueError:
        return
    for place, one in enumerate(rows):
        assert events.name(one, "call", place)
        read(events.parse, one, known)


@pytest.mark.parametrize(
    ("parse", "good"),
    [
        *((lambda one: telegram.parse(one, "channel:1", AT), one) for one in TELEGRAM),
        *((lambda one: meta_events.conversation(one, ACCOUNT, AT), one) for one in MESSAGING),
        *((lambda one: facebook.comment(one, ACCOUNT, AT), one) for one in CHANGED[:4]),
        (lambda one: instagram.comment(one, ACCOUNT, AT), CHANGED[4]),
        *((lambda one: events.parse(one, events.Known("channel:1", AT, public=False)), one) for one in API),
    ],
)
def test_what_is_not_spoilt_says_something(parse: Any, good: Any) -> None:
    """Else the examples above would try nothing."""
    assert read(lambda: parse(good))


def test_what_examples_have_found() -> None:
    """Spoilt just so: numbers that no database takes, a time that no zone can show, a list where a word is awaited."""
    for odd in (math.nan, math.inf, "\ud800", "a\x00"):
        (said,) = read(telegram.parse, {"update_id": 1, "message": {**SAID, "new": odd}}, "c", AT)
        assert said.content_kind == "unsupported"
        there = {"latitude": odd, "longitude": 1}
        (said,) = read(telegram.parse, {"update_id": 1, "message": {**SAID, "location": there}}, "c", AT)
        assert said.content_kind == "location"
        here = {"type": "location", "payload": {"coordinates": {"lat": odd, "long": 1}}}
        event = {**BOTH, "message": {"mid": "m", "attachments": [here]}}
        (said,) = read(meta_events.conversation, event, ACCOUNT, AT)
        assert said.content_kind == "location"
    times: list[Any] = [10**4000, math.nan, 253402300799999, "x", [], None]
    for time in times:
        (said,) = read(meta_events.conversation, {**MESSAGING[0], "timestamp": time}, ACCOUNT, AT)
        assert said.at == AT
    edited = {**SAID, "edit_date": 253402300799, "text": "x"}
    (changed,) = telegram.parse({"update_id": 999_999, "edited_message": edited}, "channel:1", AT)
    assert isinstance(changed, Edit)
    assert changed.at == AT
    member = {"chat": CHAT, "from": ANA, "date": 1, "new_chat_member": {"status": ["kicked"]}}
    (reach,) = telegram.parse({"update_id": 1, "my_chat_member": member}, "channel:1", AT)
    assert isinstance(reach, ReachUpdate)
    assert reach.blocked is False
    call = {"object": "page", "entry": [{"id": PAGE, "changes": [{"field": ["feed"], "value": {"id": "1"}}]}]}
    assert len(readable(one for _own, one in meta_events.receipts(call))) == 1
    assert sms.when({"date_sent": "Fri, 27 Nov 2026 09:30:00 -0000"}) == AT


def test_a_file_without_a_usable_address_is_a_message_all_the_same() -> None:
    attached = {"type": "file", "payload": {"url": "https://[/a.pdf"}}
    event = {**BOTH, "message": {"mid": "m", "text": "See", "attachments": [attached]}}
    (said,) = meta_events.conversation(event, ACCOUNT, AT)
    assert isinstance(said, Inbound)
    assert said.text == "See" and len(said.remote) == 1
