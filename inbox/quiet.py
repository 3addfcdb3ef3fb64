"""Quiet hours: what we begin makes nobody's telephone ring at night, by the clock of whoever has it.

One setting of the deployment, off until an admin turns it on. What it holds back waits as any reply does that is to
leave later (`inbox.actions.scheduling`); its payload says `quiet`, the zone by whose clock it waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from inbox.actions.recipients import last_inbound
from inbox.adapters import AUTOMATIC, adapter_for
from inbox.models import Channel, Customer, Direction, Identity, Message, Origin, Setting, Ticket
from lib import phones

KEY = "quiet_hours"
LONGEST = timedelta(hours=16)  # what is left of a day is long enough to be found on days whose clocks are changed, too
ANSWERS_WITHIN = timedelta(
    hours=12
)  # of what they wrote in the ticket on that channel: they expect it, and may be awake


@dataclass(frozen=True, slots=True)
class Hours:
    """From `begins` on and before `ends`, each day by the clock on the wall; over midnight where it ends earlier."""

    begins: time
    ends: time

    @property
    def length(self) -> timedelta:
        """How long they are where no clock is changed."""
        began, ended = (timedelta(hours=one.hour, minutes=one.minute) for one in (self.begins, self.ends))
        return (ended - began) % timedelta(days=1)

    def hold(self, at: datetime, zone: tzinfo) -> bool:
        clock = at.astimezone(zone).time()
        if self.begins <= self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends

    def over(self, at: datetime, zone: tzinfo) -> datetime:
        """`at`, or where that lies in these hours, the end of them, in UTC.

        Of two moments alike, when clocks are put back, it is the first that is still to come; where the end is left
        out, when they are put forward, it is as much later.
        """
        if not self.hold(at, zone):
            return at
        return min(one for one in self._ends(at, zone) if one > at and not self.hold(one, zone))

    def _ends(self, at: datetime, zone: tzinfo) -> Iterator[datetime]:
        today = at.astimezone(zone).date()
        for days in range(3):
            for fold in (0, 1):
                end = datetime.combine(today + timedelta(days=days), self.ends, zone).replace(fold=fold)
                yield end.astimezone(UTC)


def hours() -> Hours | None:
    """The quiet hours as they are set; None where there are none."""
    value = Setting.objects.filter(pk=KEY).values_list("value", flat=True).first()
    return Hours(time.fromisoformat(value["begins"]), time.fromisoformat(value["ends"])) if value else None


def zone_of(customer: Customer) -> ZoneInfo:
    """By whose clock it is night: the customer's own zone, else where their number belongs, else the deployment's."""
    name = customer.time_zone
    if not name and customer.pk is not None:
        numbers = Identity.objects.active().filter(customer=customer, kind="phone").order_by("-pk")
        name = phones.zone_of(numbers.values_list("value", flat=True).first() or "")
    try:
        return ZoneInfo(name or settings.TIME_ZONE)
    except (KeyError, ValueError, OSError):
        return ZoneInfo(settings.TIME_ZONE)


def held(ticket: Ticket, channel: Channel, at: datetime, *, late: bool = False) -> datetime | None:
    """Until when a message that would leave `at` that time has to wait; None where nothing holds it.

    What answers them leaves at once, and so does what could not leave any more after the night: an answer whose window
    closes before, unless it may come `late` (a template).
    """
    adapter = adapter_for(channel.kind)
    if not adapter.rings(ticket, channel) or (found := hours()) is None:
        return None
    free = found.over(at, zone_of(ticket.customer))
    if free <= at:
        return None
    heard = last_inbound(ticket, channel) if ticket.pk else None
    if heard is not None and heard.created_at > at - ANSWERS_WITHIN:
        return None
    closes = adapter.may_reply(ticket, channel).until
    return None if closes is not None and closes <= free and not late else free


def leaves(ticket: Ticket, channel: Channel, at: datetime, *, late: bool = False) -> datetime | None:
    """As `held`, for a new message. What is written now does not overtake what has just waited through a night and is
    about to be released: it leaves behind it, as if it had waited for the same time.
    """
    free, now = held(ticket, channel, at, late=late), timezone.now()
    if free is not None or at > now or not adapter_for(channel.kind).rings(ticket, channel):
        return free
    due = Message.objects.scheduled().filter(ticket=ticket, channel=channel, payload__has_key="quiet", send_at__lte=now)
    last = due.order_by("send_at", "pk").last()
    return None if last is None or _answered(last) else last.send_at


def _answered(message: Message) -> bool:
    """Whether the customer has written since: what waited will not leave."""
    wrote = Message.objects.conversation().filter(ticket=message.ticket_id, direction=Direction.IN, unverified=False)
    return wrote.filter(pk__gt=message.pk).exclude(kind__in=AUTOMATIC).exclude(origin=Origin.LOGGED).exists()
