"""The worked examples: what was really done, figure for figure as docs/kpis.md says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db.models import Sum

from channels_chat.actions import queueing
from inbox.actions import joining, merge, messages, tickets
from inbox.actions import reply as replies
from inbox.adapters import DeliveryUpdate
from inbox.models import Customer, Event, Message, Ticket
from reports.handling import refreshing
from reports.models import Answer, HandlingFact, Survey
from tests.channels_chat import cast as chats
from tests.reports import shop as shops
from tests.reports.counted import counted, everything, rebuild
from tests.reports.shop import Shop

pytestmark = pytest.mark.django_db
clock, shop = shops.clock, shops.shop
MINUTE = 60
JANUARY = (date(2026, 1, 1), date(2026, 2, 1))


def january(shop: Shop) -> dict[str, Ticket]:
    """T1 to T5."""
    t1 = shop.mails("2026-01-05 10:00", "ayesha@example.com")
    shop.answers("2026-01-05 10:30", t1, shop.sana, "solved")
    assert shop.mails("2026-01-05 11:00", "ayesha@example.com", answers="m1", text="Thanks") == t1
    shop.solves("2026-01-05 11:05", t1, shop.sana)

    t2 = shop.mails("2026-01-06 09:00", "bilal@example.com")
    shop.answers("2026-01-06 09:00", t2, None, automatic=True)
    shop.answers("2026-01-06 11:00", t2, shop.omar)
    assert shop.mails("2026-01-06 12:00", "bilal@example.com", answers="m3") == t2
    shop.answers("2026-01-06 13:00", t2, shop.omar, "solved")

    t4 = shop.begins("2026-01-07 09:00", "dina@example.com", shop.omar)
    first = t4.messages.get()
    assert shop.mails("2026-01-07 10:00", "dina@example.com", answers=first.external_id) == t4
    shop.answers("2026-01-07 10:20", t4, shop.omar, "solved")

    t5 = shop.mails("2026-01-08 10:00", "lottery@example.com")
    tickets.set_spam(t5, True, by=shop.sana)

    shop.clock("2026-01-09 15:00")
    t3 = chats.says(chats.visitor_of(shop.chat), "Is it you?").ticket
    joining.merge(t3.customer, t1.customer, by=shop.sana)
    shop.answers("2026-01-09 15:01", t3, shop.sana)
    shop.solves("2026-01-09 15:10", t3, shop.sana)
    shop.clock("2026-02-01 00:00")
    return {"T1": t1, "T2": t2, "T3": t3, "T4": t4, "T5": t5}


def test_january(shop: Shop) -> None:
    january(shop)
    told = everything(JANUARY)
    expected: dict[str, dict[str, float]] = {
        "first_response": {"n": 4, "median": 25 * MINUTE, "mean": 42.75 * MINUTE},
        "response": {"n": 5, "median": 30 * MINUTE, "mean": 46.2 * MINUTE},
        "next_response": {"n": 1, "median": 60 * MINUTE},
        "resolution_first": {"n": 4, "median": 25 * MINUTE, "mean": 75 * MINUTE},
        "resolution_full": {"n": 4, "median": 42.5 * MINUTE, "mean": 83.75 * MINUTE},
        "customer_wait": {"n": 4, "median": 27.5 * MINUTE, "mean": 59 * MINUTE},
        "one_touch": {"numerator": 3, "denominator": 4},
        "fcr": {"numerator": 2, "denominator": 4},
        "reopen_rate": {"numerator": 0, "denominator": 4},
        "volume": {"n": 4},
    }
    for key, figures in expected.items():
        for name, number in figures.items():
            assert getattr(told[key], name) == number, (key, name, told[key])
    for name, agent in (("sana", shop.sana), ("omar", shop.omar)):
        fcr = counted(["fcr"], JANUARY, agents=(agent.pk,))["fcr"]
        assert (fcr.numerator, fcr.denominator) == (1, 2), name


def test_each_duration_of_january(shop: Shop) -> None:
    """Beside the medians: what each ticket came to, day by day."""
    january(shop)
    rebuild()
    days = {"T1": 5, "T2": 6, "T3": 9, "T4": 7}
    expected = {
        "first_response": {"T1": 30, "T2": 120, "T3": 1, "T4": 20},
        "resolution_first": {"T1": 30, "T2": 240, "T3": 10, "T4": 20},
        "resolution_full": {"T1": 65, "T2": 240, "T3": 10, "T4": 20},
        "customer_wait": {"T1": 35, "T2": 180, "T3": 1, "T4": 20},
    }
    for name, day in days.items():
        told = counted(list(expected), (date(2026, 1, day), date(2026, 1, day + 1)))
        for key, minutes in expected.items():
            assert (told[key].n, told[key].median) == (1, minutes[name] * MINUTE), (name, key)
    second = counted(["response"], (date(2026, 1, 6), date(2026, 1, 7)))["response"]
    assert (second.n, second.mean) == (2, 90 * MINUTE)


def test_a_day_is_that_of_the_zone_asked_for(shop: Shop) -> None:
    """T6: answered on 31 January 19:30 in UTC is February in Karachi; the first of a day is its own."""
    ticket = shop.mails("2026-01-31 19:00", "ayesha@example.com")
    shop.answers("2026-01-31 19:30", ticket, shop.sana)
    rebuild()
    february = (date(2026, 2, 1), date(2026, 3, 1))
    for zone, in_january in (("UTC", 1), ("Asia/Karachi", 0)):
        for period, n in ((JANUARY, in_january), (february, 1 - in_january)):
            assert counted(["first_response"], period, zone=ZoneInfo(zone))["first_response"].n == n, (zone, period)


def test_merged_tickets_count_as_if_they_had_been_one(shop: Shop) -> None:
    """T7, and everything as it was when they are taken apart again."""
    day = (date(2026, 1, 5), date(2026, 1, 6))
    source = shop.mails("2026-01-05 09:00", "ayesha@example.com")
    shop.answers("2026-01-05 09:10", source, shop.sana)
    target = shop.mails("2026-01-05 09:30", "ayesha@example.com", subject="Something else")
    assert target != source
    shop.answers("2026-01-05 10:05", target, shop.omar)
    apart = everything(day)
    assert (apart["first_response"].n, apart["next_response"].n) == (2, 0)
    merge.merge(source, target, by=shop.sana)
    told = everything(day)
    assert (told["response"].n, told["response"].mean) == (2, 22.5 * MINUTE)
    assert (told["first_response"].median, told["next_response"].median) == (10 * MINUTE, 35 * MINUTE)
    assert told["volume"].n == 1
    merge.unmerge(source, by=shop.sana)
    assert everything(day) == apart


def test_what_a_rule_solves_was_solved_by_our_last_word(shop: Shop) -> None:
    """T8."""
    ticket = shop.mails("2026-01-05 10:00", "ayesha@example.com")
    shop.answers("2026-01-05 11:00", ticket, shop.omar)
    shop.solves("2026-01-08 11:00", ticket, None)
    told = everything((date(2026, 1, 5), date(2026, 1, 6)), agents=(shop.omar.pk,))
    assert (told["resolution_first"].n, told["resolution_first"].median) == (1, 60 * MINUTE)
    assert told["resolution_full"].median == 60 * MINUTE
    assert (told["one_touch"].numerator, told["fcr"].numerator) == (1, 1)
    assert everything((date(2026, 1, 6), date(2026, 2, 1)))["resolution_first"].n == 0


def test_a_talk_is_one_contact_where_it_is_live(shop: Shop) -> None:
    """T10: four turns in twelve minutes on a messenger, and the same by mail."""
    talk = shop.texts("2026-01-05 10:00", "u1")
    for minute in (2, 5, 8):
        shop.answers(f"2026-01-05 10:{minute:02}", talk, shop.sana)
        assert shop.texts(f"2026-01-05 10:{minute + 1:02}", "u1") == talk
    shop.answers("2026-01-05 10:12", talk, shop.sana, "solved")
    day = (date(2026, 1, 5), date(2026, 1, 6))
    told = everything(day)
    assert (told["fcr"].numerator, told["fcr"].denominator, told["one_touch"].numerator) == (1, 1, 1)

    letter = shop.mails("2026-01-06 10:00", "ayesha@example.com")
    for minute in (2, 5, 8):
        shop.answers(f"2026-01-06 10:{minute:02}", letter, shop.sana)
        assert shop.mails(f"2026-01-06 10:{minute + 1:02}", "ayesha@example.com", answers="m5") == letter
    shop.answers("2026-01-06 10:12", letter, shop.sana, "solved")
    told = everything((date(2026, 1, 6), date(2026, 1, 7)))
    assert (told["fcr"].numerator, told["fcr"].denominator, told["one_touch"].numerator) == (0, 1, 0)


def test_two_chats_at_once_share_their_time(shop: Shop) -> None:
    """T9: Sana has accepted two chats, and in both somebody writes: ten minutes are five minutes each."""
    shop.clock("2026-01-05 10:00")
    visitors = [chats.visitor_of(shop.chat, name) for name in ("Ayesha", "Dina")]
    both = [chats.says(one, "Hello?").ticket for one in visitors]
    for visitor in visitors:
        queueing.accept(visitor.chats.get(), by=shop.sana)
    for minute in (0, 4, 8):
        shop.clock(f"2026-01-05 10:{minute:02}")
        for ticket in both:
            replies.reply(ticket, by=shop.sana, text="One moment.")
    shop.clock("2026-01-05 10:10")
    for ticket in both:
        tickets.set_status(ticket, "solved", by=shop.sana)
    shop.clock("2026-01-05 12:00")
    rebuild()
    refreshing.follow(list(Event.objects.order_by("pk")))
    refreshing.refresh(rest=timedelta())
    told = HandlingFact.objects.filter(agent_id=shop.sana.pk).values_list("ticket").annotate(Sum("chat"))
    assert {number: round(seconds) for number, seconds in told} == {one.pk: 300 for one in both}


def test_what_bounced_was_never_said(shop: Shop) -> None:
    """T11."""
    ticket = shop.mails("2026-01-05 10:00", "ayesha@example.com")
    first = shop.answers("2026-01-05 10:10", ticket, shop.sana)
    day = (date(2026, 1, 5), date(2026, 1, 6))
    assert everything(day)["first_response"].median == 10 * MINUTE
    shop.clock("2026-01-05 10:20")
    assert messages.delivery_update(shop.mail, DeliveryUpdate(first.external_id, "failed", error="No such user"))
    assert everything(day)["first_response"].n == 0
    shop.answers("2026-01-05 11:00", ticket, shop.omar)
    told = everything(day)
    assert (told["first_response"].n, told["first_response"].median) == (1, 60 * MINUTE)
    assert told["response"].n == 1


def rated(shop: Shop, kind: str, values: Sequence[int | None]) -> list[Answer]:
    """A survey's answers by so many customers on 5 January; None: asked, and never heard of."""
    survey = Survey.objects.create(name=kind, kind=kind)
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    people = Customer.objects.bulk_create([Customer(name=f"{kind} {place}") for place in range(len(values))])
    return Answer.objects.bulk_create(
        [
            Answer(
                survey=survey,
                customer=person,
                channel=shop.mail,
                asked_at=at,
                answered_at=at if value is not None else None,
                changed_at=at if value is not None else None,
                value=value,
            )
            for person, value in zip(people, values, strict=True)
        ]
    )


def test_ratings(shop: Shop) -> None:
    """Ratings 5, 4, 2, then 5 becomes 3 on the tenth day; too few recommendations, and enough."""
    first = rated(shop, "csat", [5, 4, 2, None])[0]
    first.value, first.changed_at = 3, datetime(2026, 1, 15, 12, tzinfo=UTC)
    first.save()
    rated(shop, "ces", [7, 5, 4])
    nps = rated(shop, "nps", [10, 9, 8, 6])
    told = everything(JANUARY)
    csat, rate, ces = told["csat"], told["response_rate"], told["ces"]
    assert (csat.numerator, csat.denominator) == (1, 3)
    assert (rate.numerator, rate.denominator) == (3, 4)
    assert (ces.numerator, ces.denominator) == (2, 3)
    assert (told["nps"].value, told["nps"].n, told["nps"].numerator) == (None, 4, 1)
    assert counted(["csat"], (date(2026, 1, 6), date(2026, 2, 1)))["csat"].denominator == 0, "the first answer's day"
    Answer.objects.filter(pk__in=[one.pk for one in nps]).delete()
    rated(shop, "nps", [10] * 5 + [8] * 3 + [3] * 2)
    told = everything(JANUARY)
    assert (told["nps"].value, told["nps"].numerator, told["nps"].denominator) == (30, 3, 10)


def test_no_data_is_nothing_rather_than_nought(shop: Shop) -> None:
    told = everything(JANUARY)
    for key in ("first_response", "fcr", "csat", "nps", "reopen_rate", "customer_wait"):
        assert (told[key].value, told[key].n) == (None, 0), key
    assert Message.objects.count() == 0
