"""Hours of business: who sets whose, rows that come and go, days off out of a calendar, and what is wrong where."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from channels_chat import queue
from channels_chat.config import of
from inbox import schedules
from inbox.actions import channels
from inbox.models import Agent, Brand, Channel, Event, Role, ScheduleVersion, Setting, Team
from lib.calendars import between
from tests.cast import member
from tests.inbox.views.conftest import Desk

INDEX = "/settings/hours/"
OURS = f"{INDEX}organisation/"
WEEK = {f"{edge}-{day}": at for day in range(5) for edge, at in (("from", "09:00"), ("until", "17:30"))}
GOOD: dict[str, Any] = {"own": "yes", "zone": "Asia/Karachi", **WEEK}
DAYS = [[["09:00", "17:30"]]] * 5 + [[], []]


@pytest.fixture
def as_mona(db: None) -> Desk:
    return Desk(member("Mona", Role.ADMIN, None))


@pytest.fixture
def as_maria(team: Team) -> Desk:
    return Desk(member("Maria", Role.MANAGER, team))


def test_who_sets_whose_and_whose_hold(
    as_mona: Desk, as_maria: Desk, as_sana: Desk, team: Team, support: Channel
) -> None:
    brand = Brand.objects.create(name="Shop")
    Channel.objects.filter(pk=support.pk).update(brand=brand)
    support.teams.add(team)
    paths = {"team": f"{INDEX}teams/{team.pk}/", "brand": f"{INDEX}brands/{brand.pk}/",
             "channel": f"{INDEX}channels/support/", "ours": OURS}  # fmt: skip
    assert {as_sana.get(path).status_code for path in (INDEX, *paths.values())} == {403}
    assert {name: as_maria.get(path).status_code for name, path in paths.items()} == {
        "team": 200, "brand": 403, "channel": 403, "ours": 403,
    }  # fmt: skip
    page = as_maria.get(INDEX).content.decode()
    assert paths["team"] in page and paths["channel"] not in page and "none: all time counts" in page
    for name, whose in (("ours", "those of the organisation"), ("brand", "those of the brand “Shop”")):
        assert as_mona.post(paths[name], GOOD).status_code == 302
        assert whose in as_mona.get(INDEX).content.decode()
        assert whose in as_mona.get("/settings/channels/support/").content.decode()
    assert as_mona.post(paths["channel"], {**GOOD, "zone": "Europe/Berlin"}).status_code == 302
    assert as_maria.post(paths["team"], GOOD).status_code == 302
    page = as_mona.get(INDEX).content.decode()
    assert "Europe/Berlin" in page and page.count("Monday–Friday") == 4 and page.count(">09:00–17:30<") == 4
    assert "Monday–Friday" in as_maria.get(f"/settings/teams/{team.pk}/").content.decode()
    assert as_maria.post(paths["team"], {**GOOD, "own": "no"}).status_code == 302
    team.refresh_from_db()
    assert team.schedule == {}
    known = [(row.of, row.whose, bool(row.hours)) for row in ScheduleVersion.objects.all()]
    assert known == [("organisation", None, True), ("channel", support.pk, True), ("channel", support.pk, True),
                     ("team", team.pk, True), ("team", team.pk, False)]  # fmt: skip
    log = as_mona.get("/settings/audit/").content.decode()
    for said in (
        "Mona changed the organisation’s hours",
        "of the brand Shop",
        "of the channel Support",
        "of the team Support",
    ):
        assert said in log
    assert as_mona.post(OURS, GOOD).status_code == 302  # nothing new: nothing is written down
    assert len(known) == ScheduleVersion.objects.count()


def test_queries_do_not_grow(as_mona: Desk, support: Channel, django_assert_max_num_queries: Any) -> None:
    as_mona.get(INDEX)
    with django_assert_max_num_queries(10) as few:
        as_mona.get(INDEX)
    for n in range(3):
        brand = Brand.objects.create(name=f"B{n}", schedule={"zone": "UTC", "days": DAYS})
        Channel.objects.create(kind="email", name=f"C{n}", slug=f"c{n}", brand=brand)
        Team.objects.create(name=f"T{n}", slug=f"t{n}")
    with django_assert_max_num_queries(len(few)):
        as_mona.get(INDEX)


def test_holidays_rows_and_what_is_wrong(as_mona: Desk) -> None:
    def post(**more: Any) -> tuple[int, str]:
        answer = as_mona.post(OURS, {**GOOD, **more})
        return answer.status_code, answer.content.decode()

    assert "checked" in as_mona.get(OURS).content.decode()
    status, page = post(do="add 5")
    assert status == 200 and 'id="from-5-0"' in page and 'data-focus-on="from-5-0"' in page
    assert 'id="from-1-0"' not in post(do="out 1 0")[1]
    assert post(do="copy", **{"from-0": "08:00"})[1].count('value="08:00"') == 5
    assert 'id="date-0"' in post(do="free")[1] and 'id="date-0"' not in post(do="unfree 0", date="2026-12-24")[1]
    today = timezone.localdate()
    (day, name), *_more = between("PK", "", today, today + timedelta(days=366))
    page = post(do="country", country="PK", country_was="")[1]
    assert name.replace("'", "&#x27;") in page and f'value="{day.isoformat()}"' in page
    assert '<option value="BY"' in post(do="country", country="DE", country_was="PK", region="IS")[1]
    assert not Setting.objects.exists()

    cases: list[tuple[dict[str, Any], str]] = [
        ({"zone": "Mars/Olympus"}, 'id="zone-error"'),
        ({"until-1": "08:00"}, 'id="wrong-1-0"'),
        ({"from-0": ["09:00", "10:00"], "until-0": ["12:00", "11:00"]}, "These times overlap."),
        ({"country": "XX", "country_was": "XX"}, 'id="country-error"'),
        ({"date": ["2026-12-24", "2026-01-05"], "last": ["", "2026-01-01"], "name": ["", "x"]}, 'id="free-error-1"'),
        (dict.fromkeys(WEEK, ""), "Give hours on one day at least"),
    ]
    for wrong, place in cases:
        status, page = post(**wrong)
        assert status == 422 and place in page and 'data-focus-on=""' not in page and "Nothing was saved yet" in page, (
            wrong
        )
        assert not Setting.objects.exists()
    more = {"country": "PK", "country_was": "PK", "open": day.isoformat(), "from-6": "20:00", "until-6": "00:00",
            "date": ["2026-12-24", ""], "last": ["2026-12-31", ""], "name": ["Stocktaking", ""]}  # fmt: skip
    assert post(**more)[0] == 302
    wanted = {
        "zone": "Asia/Karachi",
        "days": [*DAYS[:6], [["20:00", "24:00"]]],
        "closed": [{"date": "2026-12-24", "until": "2026-12-31", "name": "Stocktaking"}],
        "holidays": {"country": "PK", "open": [day.isoformat()]},
    }
    assert schedules.of_organisation() == wanted
    page = as_mona.get(OURS).content.decode()
    assert re.search(rf'value="{day.isoformat()}" checked', page) and 'value="00:00"' in page
    event = Event.objects.get(kind="organisation_hours_changed")
    assert event.data == {}


def test_days_off_out_of_a_calendar(as_mona: Desk) -> None:
    year = timezone.localdate().year + 1
    content = f"""BEGIN:VCALENDAR
BEGIN:VEVENT
UID:1
DTSTART;VALUE=DATE:{year}0501
SUMMARY:Founders’ day
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTART:{year}0501T100000Z
SUMMARY:A meeting
END:VEVENT
END:VCALENDAR
""".encode()

    def read(content: bytes, **more: Any) -> tuple[int, str]:
        file = SimpleUploadedFile("off.ics", content, "text/calendar")
        answer = as_mona.post(OURS, {**GOOD, "calendar": file, **more})
        return answer.status_code, answer.content.decode()

    for more in ({"do": "import"}, {}):  # who saves at once looks at them, too
        status, page = read(content, **more)
        assert status == 200 and f'value="{year}-05-01"' in page and "1 row is added above. 1 was left out" in page
    status, page = read(content, date=f"{year}-05-01", last="", name="Founders’ day")
    assert "1 was there already" in page and page.count(f'value="{year}-05-01"') == 1
    assert read(b"%PDF-1.7")[0] == 422 and "no calendar that can be read" in read(b"%PDF-1.7")[1]
    assert "Choose a file first" in as_mona.post(OURS, {**GOOD, "do": "import"}).content.decode()
    assert not Setting.objects.exists()


def test_a_chat_keeps_one_notion_of_its_hours(as_mona: Desk, zoya: Agent) -> None:
    """Set here or among its own settings: the widget, the figures and both pages say the same."""
    chat = channels.create("chat", "shop", {"hours": {"zone": "UTC", "days": DAYS}}, by=None)
    path = f"{INDEX}channels/shop/"
    assert ScheduleVersion.objects.get().whose == chat.pk
    today = timezone.now().date()
    free = {"date": today.isoformat(), "last": (today + timedelta(days=1)).isoformat(), "name": "x"}
    always = {f"{edge}-{day}": "00:00" for day in range(7) for edge in ("from", "until")}
    assert as_mona.post(path, {**GOOD, **always, "zone": "UTC"}).status_code == 302
    chat.refresh_from_db()
    assert queue.is_open(of(chat))
    assert as_mona.post(path, {**GOOD, **always, **free, "zone": "UTC"}).status_code == 302
    chat.refresh_from_db()
    assert not queue.is_open(of(chat)) and chat.schedule == {}
    assert schedules.of_channel(chat)["closed"][0]["name"] == "x"
    answer = as_mona.post("/settings/channels/shop/chat/hours/", {
        "hours.when": "set", "hours.zone": "UTC", **{f"hours.days.{n}": "" for n in range(7)},
        "hours.days.0.0.0": "09:00", "hours.days.0.0.1": "00:00",
    })  # fmt: skip
    assert answer.status_code == 302
    chat.refresh_from_db()
    assert chat.settings["hours"]["days"][0] == [["09:00", "24:00"]]
    assert chat.settings["hours"]["closed"][0]["name"] == "x"  # which that page does not ask for
    assert 'value="00:00"' in as_mona.get("/settings/channels/shop/chat/hours/").content.decode()
    assert as_mona.post(path, {**GOOD, "own": "no"}).status_code == 302
    chat.refresh_from_db()
    assert "hours" not in chat.settings and queue.is_open(of(chat))
    assert [bool(row.hours) for row in ScheduleVersion.objects.all()] == [True, True, True, True, False]


def test_hours_that_were_there_before_hold_for_all_that_is_past(support: Channel) -> None:
    hours = {"zone": "UTC", "days": DAYS}
    Channel.objects.filter(pk=support.pk).update(brand=Brand.objects.create(name="Shop", schedule=hours))
    chat = Channel.objects.create(
        kind="chat", name="Chat", slug="chat", settings={"hours": {**hours, "zone": "Asia/Karachi"}}
    )
    Channel.objects.create(kind="chat", name="Always", slug="always")
    import_module("inbox.migrations.0028_schedules").write_down(apps, None)
    found = {row.whose: (row.hours["zone"], row.since.year) for row in ScheduleVersion.objects.all()}
    assert found == {support.pk: ("UTC", 1970), chat.pk: ("Asia/Karachi", 1970)}
