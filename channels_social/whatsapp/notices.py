"""What WhatsApp tells of the whole account or number: kept for a while, and said to those who care for the channel.

developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference, pages account_update,
phone_number_quality_update and message_template_status_update. What these say in numbers and codes is kept as such,
and put into words when somebody reads it, in their language.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from channels_social import graph, reading
from channels_social.whatsapp import templates
from channels_social.whatsapp.api import refusal
from inbox.adapters import ChannelNews, Ignore
from inbox.models import Channel
from inbox.tending import TENDED

MOST_SAID = 10
WEEK, DAY, HOUR = timedelta(days=7), timedelta(days=1), timedelta(hours=1)
Table = Mapping[str, Any]
RESTRICTED = {
    "RESTRICTED_BIZ_INITIATED_MESSAGING": lambda: _("no conversation may be begun from here"),
    "RESTRICTED_CUSTOMER_INITIATED_MESSAGING": lambda: _("nobody may be answered"),
    "RESTRICTED_ADD_PHONE_NUMBER_ACTION": lambda: _("no number may be added"),
}
TEMPLATES = {
    "PAUSED": lambda: _("WhatsApp has paused the template %(name)s, because too many people did not like it."),
    "DISABLED": lambda: _("WhatsApp has switched off the template %(name)s."),
    "REJECTED": lambda: _("WhatsApp has rejected the template %(name)s (%(why)s)."),
    "FLAGGED": lambda: _("Too many people do not like the template %(name)s: WhatsApp may switch it off."),
    "LIMIT_EXCEEDED": lambda: _("This WhatsApp account has as many templates as it may: %(name)s was not taken."),
}
ACCOUNT = {
    "ACCOUNT_DELETED": lambda: _("This WhatsApp account was deleted at Meta: connect the channel anew."),
    "PARTNER_REMOVED": lambda: _("The app was taken off this WhatsApp account at Meta: connect the channel anew."),
    "PARTNER_APP_UNINSTALLED": lambda: _(
        "The app was taken off this WhatsApp account at Meta: connect the channel anew."
    ),
    "ACCOUNT_OFFBOARDED": lambda: _(
        "This number was taken out of the Cloud API, after its phone changed: connect it there anew."
    ),
}


# Reading ----------------------------------------------------------------------------------------------------------


def error(told: Table, at: datetime) -> ChannelNews:
    """An error of the whole number, told beside no message."""
    said = refusal(graph_refusal(told))
    reason = _("WhatsApp says of the whole number: %(error)s") % {"error": said.reason}
    kept = {name: told.get(name) for name in ("code", "title", "message", "error_data")}
    lasts = HOUR if said.fault == "rate" else DAY
    code = reading.number(told.get("code"))
    return ChannelNews(f"error:{code}", at, reason, {"error": reading.plain(kept)}, until=at + lasts, look=False)


def graph_refusal(told: Table) -> graph.Refused:
    """An error within a webhook, as if it were an answer."""
    details = reading.text(reading.table(told.get("error_data")).get("details"), 500)
    title = reading.text(told.get("title"), 300) or reading.text(told.get("message"), 300)
    return graph.Refused(400, reading.number(told.get("code")), 0, title, details)


def field(name: str, value: Table, channel: Channel, at: datetime) -> Sequence[ChannelNews]:
    """What another field than `messages` tells. Raises Ignore for what nobody has to do anything about."""
    read = FIELDS.get(name)
    found = read(value, channel, at) if read is not None else ()
    if not found:
        raise Ignore(_("WhatsApp tells of %(what)s, which is no message.") % {"what": name or "?"})
    return found


def _account(value: Table, channel: Channel, at: datetime) -> Sequence[ChannelNews]:
    event = reading.text(value.get("event"), 60)
    reason = f"account_update: {event}"
    if event == "DISABLED_UPDATE":
        ban = reading.table(value.get("ban_info"))
        state = reading.text(ban.get("waba_ban_state"), 40)
        if state == "REINSTATE":
            return [ChannelNews(one, at, f"{reason} {state}") for one in ("ban", "restricted", "violation")]
        kept = {"state": state, "date": _day(ban.get("waba_ban_date"))}
        return [ChannelNews("ban", at, f"{reason} {state}", kept)]
    if event == "ACCOUNT_RESTRICTION":
        rows = reading.rows(value.get("restriction_info"))
        kinds = {reading.text(one.get("restriction_type"), 60): _moment(one.get("expiration")) for one in rows}
        ends = [one for one in kinds.values() if one is not None]
        until = max(ends) if kinds and len(ends) == len(kinds) else at + WEEK
        return [ChannelNews("restricted", at, reason, {"kinds": sorted(kinds)}, until=until)]
    if event == "ACCOUNT_VIOLATION":
        kind = reading.text(reading.table(value.get("violation_info")).get("violation_type"), 60)
        return [ChannelNews("violation", at, reason, {"kind": kind}, until=at + WEEK)]
    if event in ACCOUNT:
        return [ChannelNews("account", at, reason, {"event": event}, until=at + WEEK)]
    if event in {"ACCOUNT_RECONNECTED", "PARTNER_ADDED", "PARTNER_APP_INSTALLED"}:
        return [ChannelNews("account", at, reason)]
    return ()


def _quality(value: Table, channel: Channel, at: datetime) -> Sequence[ChannelNews]:
    about = "".join(one for one in reading.text(value.get("display_phone_number"), 40) if one.isdecimal())
    mine = "".join(one for one in reading.text(channel.condition.get("number"), 40) if one.isdecimal())
    if about and mine and about != mine:
        return ()
    event = reading.text(value.get("event"), 60)
    reason = f"phone_number_quality_update: {event}"
    limit = reading.text(value.get("max_daily_conversations_per_business") or value.get("current_limit"), 40)
    if event == "FLAGGED":
        return [ChannelNews("flagged", at, reason, {}, until=at + WEEK)]
    if event == "DOWNGRADE":
        return [ChannelNews("limit", at, reason, {"limit": limit}, until=at + WEEK)]
    ends = {"UNFLAGGED": ["flagged"], "UPGRADE": ["flagged", "limit"]}.get(event, [])
    return [ChannelNews(one, at, reason) for one in ends]


def _template(value: Table, channel: Channel, at: datetime) -> Sequence[ChannelNews]:
    name, event = reading.text(value.get("message_template_name"), 200), reading.text(value.get("event"), 40)
    if not name or not event:
        return ()
    language = reading.text(value.get("message_template_language"), 20)
    reason = f"message_template_status_update: {name} {event}"
    kept = None
    if event in TEMPLATES:
        why = reading.text(reading.table(value.get("rejection_info")).get("reason"), 300)
        kept = {"event": event, "name": name, "why": why or reading.text(value.get("reason"), 100)}
    return [ChannelNews(f"template:{name}|{language}", at, reason, kept, until=at + WEEK)]


FIELDS: dict[str, Callable[[Table, Channel, datetime], Sequence[ChannelNews]]] = {
    "account_update": _account,
    "phone_number_quality_update": _quality,
    "message_template_status_update": _template,
}


def _moment(value: Any) -> datetime | None:
    """A time as a Unix number, or written out (2026-04-19T13:59:20+0000)."""
    if isinstance(value, int | float) or str(value).isdecimal():
        return reading.seconds(value)
    try:
        found = parse_datetime(reading.text(value, 60))
    except ValueError:
        return None
    return found if found is None or timezone.is_aware(found) else timezone.make_aware(found)


def _day(value: Any) -> str:
    """A date as WhatsApp writes it ("October 9, 2023"), or the one of a Unix time."""
    at = _moment(value)
    return at.date().isoformat() if at else reading.text(value, 40)


# Saying -----------------------------------------------------------------------------------------------------------


def sentences(channel: Channel) -> list[str]:
    """What WhatsApp has told and what still holds, for whoever cares for the channel; no more than a few."""
    found = [_said(name, told, channel) for name, told in sorted(channel.notices.items())]
    return list(dict.fromkeys(one for one in found if one))[:MOST_SAID]


def _said(name: str, told: Table, channel: Channel) -> str:
    kind, _colon, key = name.partition(":")
    if kind == "error":
        what = refusal(graph_refusal(reading.table(told.get("error")))).reason
        return _("WhatsApp says of the whole number: %(error)s") % {"error": what}
    if kind == "template" and told.get("event") in TEMPLATES and not _is_good_again(key, told, channel):
        return TEMPLATES[told["event"]]() % {"name": told.get("name", ""), "why": told.get("why", "")}
    if kind == "account" and told.get("event") in ACCOUNT:
        return ACCOUNT[told["event"]]()
    if kind == "ban":
        words = (
            _("WhatsApp will disable this account (%(date)s): see Business support at Meta.")
            if told.get("state") == "SCHEDULE_FOR_DISABLE"
            else _("WhatsApp has disabled this account (%(date)s): see Business support at Meta.")
        )
        return words % {"date": told.get("date", "")}
    if kind == "restricted":
        kinds = [RESTRICTED[one]() if one in RESTRICTED else str(one) for one in told.get("kinds", [])]
        words = _("WhatsApp has restricted this account until %(time)s: %(what)s. See Business support at Meta.")
        until = parse_datetime(str(told.get("until") or "")) or timezone.now()
        time = date_format(timezone.localtime(until), "SHORT_DATETIME_FORMAT")
        return words % {"time": time, "what": ", ".join(kinds) or "?"}
    if kind == "violation":
        words = _("WhatsApp says that this account breaks its rules (%(kind)s): see Business support at Meta.")
        return words % {"kind": told.get("kind", "")}
    if kind == "flagged" and channel.condition.get("quality") != "GREEN":
        return _("Too many people have blocked or reported this number: WhatsApp may let fewer messages through.")
    if kind == "limit":
        words = _("WhatsApp lets this account begin fewer conversations a day than before (%(limit)s).")
        return words % {"limit": told.get("limit", "")}
    return ""


def _is_good_again(key: str, told: Table, channel: Channel) -> bool:
    """Whether a template was among those that may be sent when they were read after this was told."""
    if told["event"] == "FLAGGED" or str(channel.condition.get(TENDED) or "") < str(told["at"]):
        return False
    return any(templates.key(one) == key for one in reading.rows(channel.condition.get("templates")))
