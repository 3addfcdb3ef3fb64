"""What a visit does beside writing: journeys it starts and ends, invitations, pages and events. And how an agent asks
somebody on the site whether they want to talk.

All of it is said by a browser: keys that the channel does not declare are nothing, repeats change nothing, and states
move forward only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from channels_chat import config, hub, site, trails, uploads
from channels_chat.models import Chat, InvitationRun, JourneyRun, Visitor
from inbox import rights
from inbox.actions import journey as journeys
from inbox.actions import reply
from inbox.actions.errors import ActionError
from inbox.actions.journey import Happening
from inbox.models import Agent, Channel, Customer, CustomerEvent
from inbox.rights import Right

# What each word of an invitation sets; with one, all before it in a row happened, too.
SETS = {
    "shown": ("shown_at",),
    "opened": ("shown_at", "opened_at"),
    "answered": ("shown_at", "opened_at", "answered_at"),
    "dismissed": ("shown_at", "dismissed_at"),
}
EVENT = re.compile(r"[a-z0-9][a-z0-9_.-]{0,59}")
PAGE_VIEW = "page_view"
AGENTS = "agent:"  # keys of invitations by an agent, followed by their id
MOST_PAGES = trails.MOST  # page views of one customer that a visit leaves
A_VISIT = timedelta(hours=12)  # within which page views belong to one
MOST_EVENTS = 100  # tracked events of one customer in an hour
MOST_DATA, MOST_KEYS, LONGEST = 2000, 20, 300  # characters of an event's data as JSON; its keys; characters of a value
MOST_ATTRIBUTES = 50
MOST_INVITING = 1000  # characters of what an agent writes to somebody on the site


def _declared(what: Iterable[Mapping[str, Any]], key: str) -> Mapping[str, Any] | None:
    return next((one for one in what if one.get("key") == key), None)


# Journeys --------------------------------------------------------------------------------------------------------


def journey(channel: Channel, visit: str, visitor: Visitor | None, key: str, what: str) -> None:
    """This visit started a journey, or is done with it (`what`: start, done). Only what was started can be done."""
    declared = config.of(channel)
    if not trails.VISIT.fullmatch(visit) or _declared(declared.journeys, key) is None:
        return
    now = timezone.now()
    runs = JourneyRun.objects.filter(channel=channel, journey=key, visit=visit)
    if what == "start":
        JourneyRun.objects.bulk_create(
            [JourneyRun(channel=channel, journey=key, visit=visit, visitor=visitor, started_at=now)],
            ignore_conflicts=True,
        )
    elif what == "done" and runs.filter(completed_at__isnull=True).update(completed_at=now):
        goals = [one["key"] for one in declared.invitations if one.get("goal") == key]
        invited = InvitationRun.objects.filter(channel=channel, visit=visit, due_at__lte=now, converted_at__isnull=True)
        invited.filter(invitation__in=goals).update(converted_at=now)


def under_way(channel: Channel, visit: str) -> dict[str, Any]:
    """How far a visit is in its journeys, as who is on the site is told (`channels_chat.site`)."""
    declared = {one["key"]: one for one in config.of(channel).journeys}
    if not declared or not trails.VISIT.fullmatch(visit):
        return {}
    runs = JourneyRun.objects.filter(channel=channel, journey__in=declared, visit=visit)
    return {
        run.journey: site.progress(declared[run.journey], run.started_at.timestamp(), done=run.completed_at is not None)
        for run in runs
    }


def _contacted(channel: Channel, visit: str, now: datetime) -> None:
    """Journeys under way are those of somebody whom we talked with."""
    under_way = JourneyRun.objects.filter(channel=channel, visit=visit, completed_at__isnull=True)
    under_way.filter(contacted_at__isnull=True).update(contacted_at=now)


# Invitations -----------------------------------------------------------------------------------------------------


def invite(channel: Channel, visit: str, visitor: Visitor | None, key: str, what: str) -> None:
    """An invitation was due in this visit, and what became of it: held (back, to measure the effect), shown, opened,
    answered, dismissed, converted. One that was held back is never shown.
    """
    if not trails.VISIT.fullmatch(visit):
        return
    now, by_agent = timezone.now(), key.startswith(AGENTS)
    known = InvitationRun.objects.filter(channel=channel, invitation=key, visit=visit)
    if not by_agent:
        if _declared(config.of(channel).invitations, key) is None:
            return
        if what == "held" or what in SETS:
            InvitationRun.objects.bulk_create(
                [
                    InvitationRun(
                        channel=channel, invitation=key, visit=visit, visitor=visitor, held=what == "held", due_at=now
                    )
                ],
                ignore_conflicts=True,
            )
    if what == "converted":
        known.filter(converted_at__isnull=True).update(converted_at=now)
        return
    shown = known.filter(held=False)
    for name in SETS.get(what, ()):
        shown.filter(**{f"{name}__isnull": True}).update(**{name: now})
    if what == "answered" and shown.exists():
        _contacted(channel, visit, now)


def wanted(channel: Channel, visit: str, key: str) -> Agent | None:
    """The agent whom this visit answers, if they invited it: the chat is theirs."""
    number = key.removeprefix(AGENTS)
    if number == key or not (number.isascii() and number.isdigit()) or len(number) > 18:
        return None
    if not InvitationRun.objects.filter(channel=channel, invitation=key, visit=visit).exists():
        return None
    return Agent.objects.filter(pk=int(number), is_active=True, is_bot=False).first()


def began(chat: Chat, visit: str) -> None:
    """A chat answers what an agent had written to somebody on the site: colleagues find that in it."""
    text = trails.invitation(chat.channel_id, visit, chat.wanted_id) if chat.wanted_id else ""
    if text:
        with translation.override(settings.LANGUAGE_CODE):
            said = _("Asked on the site: “%(text)s”") % {"text": text}
        reply.note(chat.engagement.ticket, by=chat.wanted, text=said)


def start(channel: Channel, visit: str, *, by: Agent, text: str) -> None:
    """Ask somebody on the site whether they want to talk. What they answer begins a chat with this agent.

    Raises ActionError (empty, too_long, gone, busy) and PermissionDenied.
    """
    rights.require(by, Right.ANSWER)
    clean = text.replace("\x00", "").strip()
    if not clean:
        raise ActionError(_("Write something first."), "empty")
    if len(clean) > MOST_INVITING:
        raise ActionError(_("At most %(most)s characters.") % {"most": MOST_INVITING}, "too_long")
    here = site.find(channel.pk, visit) if config.of(channel).visitors else None
    if here is None:
        raise ActionError(_("They have left the site."), "gone")
    if here.chat is not None:
        raise ActionError(_("Somebody is chatting with them already."), "busy")
    if here.visitor and Customer.objects.filter(visitors__pk=here.visitor, opt_outs__contains=["chat"]).exists():
        raise ActionError(_("This customer wants to be asked nothing on the site."), "opted_out")
    key, now = f"{AGENTS}{by.pk}", timezone.now()
    with transaction.atomic():
        InvitationRun.objects.update_or_create(
            channel=channel,
            invitation=key,
            visit=visit,
            defaults={"due_at": now, "shown_at": now},
            create_defaults={"due_at": now, "shown_at": now, "visitor_id": here.visitor},
        )
        trails.note_invitation(channel.pk, visit, by.pk, clean)
        told = {"t": "invite", "key": key, "text": clean, "name": by.name, "face": uploads.face(channel, by)}
        transaction.on_commit(lambda: hub.invite_visit(channel.pk, visit, told), robust=True)


# What they did ---------------------------------------------------------------------------------------------------


def wrote(channel: Channel, visit: str, visitor: Visitor) -> None:
    """The visitor wrote in this visit, in the transaction that took it in: whom we talked with is known from now on,
    and what they did on the site before becomes part of their customer's journey.
    """
    if not trails.VISIT.fullmatch(visit or ""):
        return
    _contacted(channel, visit, timezone.now())
    for run in (JourneyRun, InvitationRun):
        run._default_manager.filter(channel=channel, visit=visit, visitor__isnull=True).update(visitor=visitor)
    customer = _customer_of(visitor)
    steps = trails.of(channel.pk, visit) if customer is not None else []
    if customer is None or not steps:
        return
    journeys.add(customer, list(_happenings(visit, steps)), by=None, claimed=True)
    transaction.on_commit(lambda: trails.forget(channel.pk, visit), robust=True)


def _happenings(visit: str, steps: Iterable[Mapping[str, Any]]) -> Iterable[Happening]:
    page = ""
    for step in steps:
        at = _moment(step["at"])
        if step.get("event"):
            yield _event(str(step.get("cid")), str(step["event"]), step.get("data"), at)
        elif step.get("page") and step["page"] != page:
            page = str(step["page"])
            name = f"chat:{visit}:{int(at.timestamp() * 1000)}"
            yield Happening(PAGE_VIEW, at, _page(page, str(step.get("title") or "")), name)


def _moment(at: Any) -> datetime:
    """When a step was, if that may be: never later than now."""
    now = timezone.now()
    if not isinstance(at, int | float) or not 0 < at <= now.timestamp():
        return now
    return datetime.fromtimestamp(at, UTC)


def _page(url: str, title: str) -> dict[str, Any]:
    return {"url": url[:1000]} | ({"title": title[:200]} if title else {})


def visited(visitor: Visitor, url: str, title: str) -> None:
    """A visitor who wrote before went on to another page."""
    customer = _customer_of(visitor)
    if customer is None or not url:
        return
    now = timezone.now()
    CustomerEvent.objects.create(customer=customer, kind=PAGE_VIEW, at=now, data=_page(url, title))
    theirs = CustomerEvent.objects.filter(customer=customer, kind=PAGE_VIEW, at__gt=now - A_VISIT).order_by("-at")
    CustomerEvent.objects.filter(pk__in=list(theirs.values_list("pk", flat=True)[MOST_PAGES : MOST_PAGES * 2])).delete()


def track(channel: Channel, visit: str, visitor: Visitor | None, cid: str, name: str, data: Mapping[str, Any]) -> None:
    """The site's script tracked an event. `cid` makes a repeat harmless. Who has not written yet is remembered with it
    for some hours.
    """
    kind = name.strip().lower().replace(" ", "_")
    if not EVENT.fullmatch(kind) or not cid or kind == PAGE_VIEW:
        return
    customer = _customer_of(visitor) if visitor is not None else None
    if customer is None:
        if trails.VISIT.fullmatch(visit):
            trails.note_event(channel.pk, visit, cid, kind, _data(data))
        return
    lately = CustomerEvent.objects.filter(customer=customer, at__gt=timezone.now() - timedelta(hours=1))
    if lately.exclude(kind=PAGE_VIEW).filter(external_id__startswith="chat:").count() < MOST_EVENTS:
        journeys.add(customer, [_event(cid, kind, data, timezone.now())], by=None, claimed=True)


def _event(cid: str, kind: str, data: Any, at: datetime) -> Happening:
    return Happening(kind[:60], at, _data(data), f"chat:{cid}"[:200])


def _data(given: Any) -> dict[str, Any]:
    """Of an event's data the plain values, within their bounds."""
    found: dict[str, Any] = {}
    for key, value in list(given.items())[:MOST_KEYS] if isinstance(given, Mapping) else ():
        plain = value[:LONGEST] if isinstance(value, str) else value
        if plain is None or isinstance(plain, str | int | float | bool):
            grown = {**found, str(key)[:60]: plain}
            if len(json.dumps(grown)) <= MOST_DATA:
                found = grown
    return found


def attributes(visitor: Visitor, given: Mapping[str, Any]) -> None:
    """The site says something of this visitor: what agents see beside the chat. None takes a value away."""
    with transaction.atomic():
        row = Visitor.objects.select_for_update(no_key=True).get(pk=visitor.pk)
        own = {key: value for key, value in row.attributes.items() if key.startswith("_")}  # Rabta's
        said = {**row.attributes, **{key: value for key, value in given.items() if not key.startswith("_")}}
        kept = {key: value for key, value in said.items() if not key.startswith("_") and value is not None}
        row.attributes = dict(list(kept.items())[-MOST_ATTRIBUTES:]) | own
        row.save(update_fields=["attributes"])


def _customer_of(visitor: Visitor) -> Customer | None:
    """Who they are, as merged now; nobody once they are erased."""
    customer = visitor.customer
    return None if customer is None or customer.erased_at is not None else customer
