"""Business seconds over changes of team and of hours, against a count minute by minute that shares no code."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inbox.actions import brands, channels, schedules, teams
from inbox.models import Agent, Brand, Channel, ScheduleVersion, Team
from reports.facts.business import Schedules, Version
from tests.cast import bilal, sana, support, team, zoya

__all__ = ["bilal", "sana", "support", "team", "zoya"]

MINUTE = timedelta(minutes=1)
START = datetime(2025, 3, 27, tzinfo=UTC)  # Thursday; on Sunday clocks are changed in Berlin


def week(*spans: tuple[str, str], zone: str = "UTC", days: int = 5, **more: Any) -> dict[str, Any]:
    day = [list(one) for one in spans]
    return {"zone": zone, "days": [day] * days + [[]] * (7 - days), **more}


OFFICE = week(("09:00", "12:00"), ("13:00", "17:00"), zone="Europe/Berlin")
NIGHT = week(("00:00", "06:00"), ("22:00", "24:00"), zone="America/New_York", days=7, closed=["2025-03-29"])
KARACHI = week(("10:00", "18:00"), zone="Asia/Karachi", days=6, holidays={"country": "PK"})  # Eid is on the 31st


def test_without_hours_all_time_counts() -> None:
    nobody = Schedules([])
    half = timedelta(milliseconds=600)
    assert nobody.seconds(START, START + timedelta(days=3) + half, 1, []) == 3 * 86_400
    assert nobody.seconds(START, START - half, 1, [(START, 4)]) == 0
    assert nobody.open_at(START, 1, None)
    only_team = Schedules([("team", 4, OFFICE, START - timedelta(days=9))])
    assert only_team.seconds(START, START + timedelta(days=1), 1, [(START, 5)]) == 86_400
    assert only_team.seconds(START, START + timedelta(days=1), 1, [(START, 4)]) == 7 * 3600
    assert only_team.seconds(START, START + timedelta(days=1), 1, [(START + timedelta(days=3), 4)]) == 7 * 3600
    gone = Schedules([("organisation", None, {"zone": "Mars/Olympus", "days": [[]] * 7}, START)])
    assert gone.seconds(START, START + timedelta(days=1), 1, []) == 86_400


hours = st.sampled_from([None, OFFICE, NIGHT, KARACHI])
when = st.integers(-2000, 9000).map(lambda n: START + n * MINUTE)
versions = st.lists(
    st.tuples(st.sampled_from([("organisation", None), ("channel", 1), ("channel", 2), ("team", 1), ("team", 2)]),
              hours, when), max_size=8,
)  # fmt: skip
histories = st.lists(st.tuples(when, st.sampled_from([None, 1, 2, 3])), min_size=1, max_size=4)


def holding(known: list[Version], at: datetime, channel: int, team: int | None) -> Any:
    for of, whose in (("team", team), ("channel", channel), ("organisation", None)):
        found = None
        for kind, id_, one, since in known:
            if (kind, id_) == (of, whose) and since <= at and (of != "team" or whose is not None):
                found = one
        if found:
            return found
    return None


def counts(known: list[Version], at: datetime, channel: int, team: int | None) -> bool:
    held = holding(known, at, channel, team)
    if held is None:
        return True
    wall = at.astimezone(ZoneInfo(held["zone"]))
    if wall.date().isoformat() in held.get("closed", ()):
        return False
    if "holidays" in held and wall.date().isoformat() in ("2025-03-31", "2025-04-01", "2025-04-02"):
        return False
    return any(one <= f"{wall:%H:%M}" < two for one, two in held["days"][wall.weekday()])


@settings(max_examples=60, deadline=None)
@given(versions, histories, when, st.integers(0, 4000), st.randoms(use_true_random=False))
def test_each_minute_counts_by_what_held_then(
    drawn: list[Any], past: list[tuple[datetime, int | None]], start: datetime, long: int, chance: random.Random
) -> None:
    known = sorted(((of, whose, one, since) for (of, whose), one, since in drawn), key=lambda one: one[3])
    past = sorted(past, key=lambda one: one[0])
    found = Schedules(known)
    channel = chance.choice([1, 2, 3])
    expected = 0
    for at in (start + n * MINUTE for n in range(long)):
        team = next((team for since, team in reversed(past) if since <= at), past[0][1])
        expected += 60 * counts(known, at, channel, team)
    assert found.seconds(start, start + long * MINUTE, channel, past) == expected
    team = next((team for since, team in reversed(past) if since <= start), past[0][1])
    assert found.open_at(start, channel, team) == counts(known, start, channel, team)


@pytest.mark.django_db
def test_hours_hold_from_when_they_are_set(zoya: Agent, support: Channel, team: Team) -> None:
    """Also where a channel takes another brand, or its brand's hours change; what was before stays as it was."""
    weeks = [week((f"0{n}:00", "12:00"), days=7) for n in range(9)]
    brand = brands.create(by=zoya, name="Shop")
    other = brands.create(by=zoya, name="Store")

    def now() -> tuple[str | None, str | None]:
        """When the day begins for a ticket of the channel with no team, and of another channel."""
        rows = {(row.of, row.whose): row.hours for row in ScheduleVersion.objects.all()}
        mine, ours = (rows.get(one) for one in (("channel", support.pk), ("organisation", None)))
        return mine and mine["days"][0][0][0], ours and ours["days"][0][0][0]

    schedules.set_of_organisation(weeks[1], by=zoya)
    schedules.set_of_brand(brand, weeks[2], by=zoya)
    schedules.set_of_brand(other, weeks[3], by=zoya)
    assert now() == (None, "01:00")
    brands.change(brand, by=zoya, channels=[support])
    assert now() == ("02:00", "01:00")
    schedules.set_of_brand(brand, weeks[4], by=zoya)
    assert now() == ("04:00", "01:00")
    support.refresh_from_db()
    place = channels.place_of(support, brand=Brand.objects.get(pk=other.pk))
    channels.update(support, place=place, by=zoya)
    assert now() == ("03:00", "01:00")
    schedules.set_of_channel(support, weeks[5], by=zoya)
    count = ScheduleVersion.objects.count()
    schedules.set_of_brand(other, weeks[6], by=zoya)  # its own stand before them
    assert now() == ("05:00", "01:00") and ScheduleVersion.objects.count() == count
    schedules.set_of_channel(support, None, by=zoya)
    assert now() == ("06:00", "01:00")
    brands.delete(other, by=zoya)
    assert now() == (None, "01:00")
    for number, row in enumerate(ScheduleVersion.objects.filter(of="channel").order_by("pk")):
        ScheduleVersion.objects.filter(pk=row.pk).update(since=START + number * timedelta(days=1))
    ScheduleVersion.objects.filter(of="organisation").update(since=START)
    found = Schedules.load()
    day = [found.seconds(START + n * timedelta(days=1), START + (n + 1) * timedelta(days=1), support.pk, [])
           for n in range(-1, 6)]  # fmt: skip
    assert day == [86_400, *(3600 * (12 - n) for n in (2, 4, 3, 5, 6, 1))]
    schedules.set_of_team(team, weeks[7], by=zoya)
    ahead = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=3)
    after = ahead + timedelta(days=1)
    assert Schedules.load().seconds(ahead, after, support.pk, [(START, team.pk)]) == 5 * 3600
    teams.change(team, by=zoya, channels=[])
    teams.delete(team, by=zoya)
    assert Schedules.load().seconds(ahead, after, support.pk, [(START, team.pk)]) == 5 * 3600
