"""What we begin makes nobody's telephone ring at night."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from inbox import quiet, wording
from inbox.actions import quiet_hours, reply, scheduling, tickets
from inbox.actions.work import Outcome
from inbox.adapters import adapter_for
from inbox.models import Agent, Channel, Customer, DeliveryState, Event, Identity, Message, Reach, Role, Ticket

NIGHT = quiet.Hours(time(21), time(8))
KARACHI, NEW_YORK, LORD_HOWE = (ZoneInfo(name) for name in ("Asia/Karachi", "America/New_York", "Australia/Lord_Howe"))
MOST, DAY, LONGEST = 13 * 365 * 24 * 60, 24 * 60, quiet.LONGEST // timedelta(minutes=1)  # in minutes
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
moments = st.builds(lambda minutes: FIRST + timedelta(minutes=minutes), st.integers(0, MOST))
some_hours = st.builds(
    lambda begins, length: quiet.Hours(clock(begins), clock(begins + length)),
    st.integers(0, DAY - 1),
    st.integers(1, LONGEST),
)
zones = st.sampled_from([KARACHI, NEW_YORK, LORD_HOWE, *map(ZoneInfo, ("Asia/Kathmandu", "Europe/Berlin", "UTC"))])
FORWARD, BACK = datetime(2026, 3, 8, 6, 45, tzinfo=UTC), datetime(2026, 11, 1, 6, 10, tzinfo=UTC)  # in New York


def clock(minutes: int) -> time:
    return time(minutes % DAY // 60, minutes % 60)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a machine may be busy
@given(at=moments, hours=some_hours, zone=zones)
@example(at=FORWARD, hours=quiet.Hours(time(22), time(2, 30)), zone=NEW_YORK)  # its end is left out that day
@example(at=FORWARD, hours=quiet.Hours(time(2, 45), time(2, 15)), zone=NEW_YORK).via("too long to be set")
@example(at=BACK, hours=quiet.Hours(time(22), time(1, 30)), zone=NEW_YORK)  # its end comes twice, the first is over
@example(at=BACK - timedelta(hours=1), hours=quiet.Hours(time(1), time(1, 20)), zone=NEW_YORK)
def test_the_end_is_never_in_the_hours_nor_in_the_past_nor_far_away(
    at: datetime, hours: quiet.Hours, zone: ZoneInfo
) -> None:
    end = hours.over(at, zone)
    assert not hours.hold(end, zone)
    assert at <= end
    if hours.length <= quiet.LONGEST:
        assert end - at <= hours.length + timedelta(hours=1), "the clocks change by an hour at most"
    assert (end == at) is (not hours.hold(at, zone))
    assert hours.over(end, zone) == end


@pytest.mark.parametrize(
    ("at", "zone", "end"),
    [
        ("2026-07-01T17:30+00:00", KARACHI, "2026-07-02T03:00+00:00"),  # 22:30 there
        ("2026-07-01T15:59+00:00", KARACHI, "2026-07-01T15:59+00:00"),  # 20:59 there
        ("2026-07-01T16:00+00:00", KARACHI, "2026-07-02T03:00+00:00"),
        ("2026-07-02T03:00+00:00", KARACHI, "2026-07-02T03:00+00:00"),
        ("2026-03-08T04:00+00:00", NEW_YORK, "2026-03-08T12:00+00:00"),  # an hour is missing that night
        ("2026-11-01T04:00+00:00", NEW_YORK, "2026-11-01T13:00+00:00"),  # and one comes twice that night
    ],
)
def test_a_night_ends_by_the_clock_there(at: str, zone: ZoneInfo, end: str) -> None:
    assert NIGHT.over(datetime.fromisoformat(at), zone) == datetime.fromisoformat(end)


# What is held --------------------------------------------------------------------------------------------------------

Take = Callable[..., Outcome]


@pytest.fixture
def phone(db: None) -> Channel:
    return Channel.objects.create(kind="sms", name="Texts", slug="texts", addresses=["+12025550100"])


@pytest.fixture
def ticket(desk: Channel, phone: Channel, take: Take) -> Ticket:
    """Of somebody who wrote by mail and has a telephone; it is night where they are, until in three hours."""
    ticket = Ticket.objects.get(pk=take("m1", subject="Parcel").ticket)
    Identity.objects.create(customer=ticket.customer, kind="phone", value="+12025550177", verified_at=timezone.now())
    Customer.objects.update(time_zone="Asia/Karachi")
    return Ticket.objects.get(pk=ticket.pk)


@pytest.fixture
def mona(db: None) -> Agent:
    return Agent.objects.create_user("mona@example.org", name="Mona", role=Role.ADMIN)


@pytest.fixture
def morning(mona: Agent) -> datetime:
    """When the night that it is now is over in Karachi."""
    return night_until(3, mona)


def night_until(hours: int, mona: Agent) -> datetime:
    end = (timezone.now() + timedelta(hours=hours)).replace(second=0, microsecond=0)
    there = end.astimezone(KARACHI)
    begins = there - timedelta(hours=10)
    quiet_hours.set_hours(quiet.Hours(begins.time(), there.time()), by=mona)
    return end


def wrote(ticket: Ticket, phone: Channel, ago: timedelta) -> Message:
    at = timezone.now() - ago
    return Message.objects.create(
        ticket=ticket, first_ticket=ticket, direction="in", channel=phone, author_kind="customer", text="Hello?",
        customer=ticket.customer, author_address="+12025550177", created_at=at,
    )  # fmt: skip


def fall_due(*waiting: Message) -> None:
    Message.objects.filter(pk__in=[one.pk for one in waiting]).update(send_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.django_db
def test_what_we_begin_at_night_leaves_in_the_morning(
    ticket: Ticket, phone: Channel, desk: Channel, sana: Agent, morning: datetime
) -> None:
    assert reply.reply(ticket, by=sana, text="By mail", channel=desk).send_at is None
    held = reply.reply(ticket, by=sana, text="By text", channel=phone, status="solved")
    assert (held.send_at, held.is_scheduled, held.payload["quiet"]) == (morning, True, "Asia/Karachi")
    event = Event.objects.get(kind="message_scheduled")
    assert "quiet hours" in wording.sentence(event, {})
    begun = tickets.open_ticket(by=sana, channel=phone, customer=ticket.customer, subject="News", text="Look!")
    assert begun.messages.get().send_at == morning
    ticket.refresh_from_db()
    assert ticket.status != "solved", "nobody has been told yet"
    fall_due(held)
    scheduling.sweep()
    held.refresh_from_db()
    assert held.is_scheduled and held.send_at == morning, "at its time it is night still: there are other hours"
    scheduling.retime(held, None, by=sana)
    held.refresh_from_db()
    assert not held.is_scheduled and "quiet" not in held.payload
    ticket.refresh_from_db()
    assert ticket.status == "solved"


@pytest.mark.django_db
def test_it_is_released_when_the_night_is_over(
    ticket: Ticket, phone: Channel, sana: Agent, mona: Agent, morning: datetime
) -> None:
    first = reply.reply(ticket, by=sana, text="First", channel=phone)
    second = reply.reply(ticket, by=sana, text="Second", channel=phone)
    fall_due(first, second)
    quiet_hours.set_hours(None, by=mona)
    third = reply.reply(ticket, by=sana, text="Written before they are released", channel=phone)
    assert third.is_scheduled, "it overtakes nothing"
    scheduling.sweep()
    left = list(Message.objects.filter(channel=phone).order_by("next_attempt_at", "pk"))
    assert left == [first, second, third] and not any(one.is_scheduled for one in left)


@pytest.mark.django_db
@pytest.mark.parametrize(("hours", "waits"), [(11, False), (13, True)])
def test_what_answers_them_leaves_at_once(
    ticket: Ticket, phone: Channel, sana: Agent, morning: datetime, hours: int, waits: bool
) -> None:
    wrote(ticket, phone, timedelta(hours=hours))
    assert reply.reply(ticket, by=sana, text="Here", channel=phone).is_scheduled is waits


@pytest.mark.django_db
def test_an_answer_is_not_held_by_what_waits_and_takes_its_place(
    ticket: Ticket, phone: Channel, sana: Agent, morning: datetime
) -> None:
    held = reply.reply(ticket, by=sana, text="Are you there?", channel=phone)
    wrote(ticket, phone, timedelta(0))
    answer = reply.reply(ticket, by=sana, text="Yes", channel=phone)
    assert not answer.is_scheduled
    scheduling.sweep()
    held.refresh_from_db()
    assert held.state == DeliveryState.CANCELLED, "the customer wrote first"


@pytest.mark.django_db
def test_a_chosen_time_is_moved_to_the_morning_and_a_later_one_stays(
    ticket: Ticket, phone: Channel, sana: Agent, morning: datetime
) -> None:
    soon, later = morning - timedelta(hours=1), morning + timedelta(hours=1)
    assert reply.reply(ticket, by=sana, text="Soon", channel=phone, send_at=soon).send_at == morning
    message = reply.reply(ticket, by=sana, text="Later", channel=phone, send_at=later)
    assert (message.send_at, "quiet" in message.payload) == (later, False)
    moved = scheduling.retime(message, soon, by=sana)
    assert (moved.send_at, "quiet" in moved.payload) == (morning, True)
    assert "quiet" not in scheduling.retime(moved, later, by=sana).payload


@pytest.mark.django_db
@pytest.mark.parametrize(("closes_in", "waits"), [(2, False), (5, True)])
def test_an_answer_whose_window_closes_in_the_night_leaves_before(
    ticket: Ticket, phone: Channel, sana: Agent, morning: datetime, closes_in: int, waits: bool
) -> None:
    wrote(ticket, phone, timedelta(hours=20))
    closes = timezone.now() + timedelta(hours=closes_in)
    Reach.objects.create(channel=phone, identity=Identity.objects.get(kind="phone"), closes_at=closes)
    assert reply.reply(ticket, by=sana, text="Here", channel=phone).is_scheduled is waits
    assert quiet.held(ticket, phone, timezone.now(), late=True) == morning, "a template still leaves then"


@pytest.mark.django_db
def test_whose_night_it_is(
    ticket: Ticket, phone: Channel, sana: Agent, morning: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = quiet.held(ticket, phone, timezone.now())
    assert far == morning
    ticket.customer.time_zone = "America/Los_Angeles"  # half a day away
    assert quiet.held(ticket, phone, timezone.now()) is None
    ticket.customer.time_zone = ""
    assert str(quiet.zone_of(ticket.customer)) == "America/New_York", "where the number belongs"
    Identity.objects.filter(kind="phone").update(value="+18005550177")  # which is everywhere in the country
    for unknown in ("", "Nowhere/Land"):
        ticket.customer.time_zone = unknown
        monkeypatch.setattr(django_settings, "TIME_ZONE", "Asia/Karachi")
        assert quiet.held(ticket, phone, timezone.now()) == morning


def test_what_stands_in_public_rings_nobody() -> None:
    page = Channel(kind="facebook", settings={})
    assert adapter_for("facebook").rings(Ticket(), page)
    assert not adapter_for("facebook").rings(Ticket(thread_key="post"), page)
    assert not adapter_for("api").rings(Ticket(), Channel(kind="api", settings={"public": "yes"}))
    assert [adapter_for(kind).rings(Ticket(), Channel(kind=kind)) for kind in ("sms", "email", "chat")] == [
        True, False, False
    ]  # fmt: skip


@pytest.mark.django_db
def test_what_is_automatic_answers_nobody_by_leaving_late(
    ticket: Ticket, phone: Channel, sana: Agent, mona: Agent, morning: datetime
) -> None:
    message = reply.reply(ticket, by=None, text="We have it", channel=phone, automatic=True)
    assert message.is_scheduled
    fall_due(message)
    quiet_hours.set_hours(None, by=mona)
    before = Ticket.objects.get(pk=ticket.pk)
    scheduling.sweep()
    after = Ticket.objects.get(pk=ticket.pk)
    assert not Message.objects.get(pk=message.pk).is_scheduled
    assert (after.status, after.waiting_since) == (before.status, before.waiting_since)
    assert before.waiting_since is not None
