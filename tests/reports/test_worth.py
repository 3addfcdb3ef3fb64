"""What customers paid: taken in once, summed, moved with merges, shown, and what stays of it of the erased."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import Client, TestCase
from django.utils import timezone

from inbox import log
from inbox.actions import erasing, jobs, joining, journey, tickets
from inbox.actions.errors import ActionError
from inbox.actions.journey import Happening
from inbox.adapters import Party
from inbox.customer_lists import CustomerListing
from inbox.models import Agent, Channel, Customer, Event, Identity, Job, JobState, Setting, Ticket
from reports import engine
from reports.actions import figures, importing, revenue
from reports.actions.revenue import Sale
from reports.models import AnswerFact, CustomerValue, Revenue, RevenueImport, TicketFact
from reports.pages import asked as asking
from reports.tasks import expire_files
from reports.worth import counting, follower, reading, risk, segments
from reports.worth.measures import KEYS
from reports.worth.terms import Terms, terms
from tests.api.conftest import Api, problem
from tests.cast import question

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 1, tzinfo=UTC)
FILE = """Email;Datum;Betrag;Bestellung
Ayesha@example.com;03.04.2026;1.234,50;A-1
ayesha@example.com;15.05.2026;10,00;
ayesha@example.com;15.05.2026;10,00;
nobody@example.com;16.05.2026;10,00;A-2
ayesha@example.com;soon;10,00;A-3
ayesha@example.com;16.05.2026;free;A-4
"""


@pytest.fixture
def euro(db: None) -> None:
    Setting.objects.create(pk="worth", value={"currency": "EUR", "margin": 0.5})


def sold(customer: Customer, days_ago: float, amount: int = 1000, now: datetime = NOW) -> Sale:
    return Sale(customer.pk, now - timedelta(days=days_ago), amount, f"{customer.pk}-{days_ago}-{amount}")


def test_a_repeat_is_harmless_and_sums_are_kept(euro: None, ticket: Ticket, zoya: Agent) -> None:
    ayesha = ticket.customer
    sales = [sold(ayesha, 3), sold(ayesha, 2, 500), sold(ayesha, 1, -200)]
    assert revenue.add(sales, source="shop", by=zoya) == 3
    assert revenue.add([*sales, sold(ayesha, 4)], source="shop", by=zoya) == 1
    assert revenue.add(sales[:1], source="till", by=zoya) == 1  # another system may use the same number
    kept = CustomerValue.objects.get()
    assert (kept.total, kept.orders, kept.last_at) == (3300, 5, NOW - timedelta(days=1))
    assert Event.objects.filter(kind="revenue_added").count() == 3
    revenue.drop(list(Revenue.objects.filter(source="shop").values_list("pk", flat=True)), by=zoya)
    assert CustomerValue.objects.get().total == 1000
    Setting.objects.all().delete()
    with pytest.raises(ActionError):
        revenue.add(sales, source="shop", by=zoya)


def test_it_goes_with_merges_and_comes_back(euro: None, support: Channel, ticket: Ticket, sana: Agent) -> None:
    twin = question(support, "Again", Party("email", "twin@example.com")).customer
    revenue.add([sold(ticket.customer, 1), sold(twin, 1, 50)], source="shop", by=None)
    before = Event.objects.order_by("-pk")[0].pk

    def follow() -> None:
        follower.follow(list(Event.objects.filter(pk__gt=before).order_by("pk")))

    joining.merge(twin, ticket.customer, by=sana)
    follow()
    assert list(CustomerValue.objects.values_list("customer", "total")) == [(ticket.customer_id, 1050)]
    assert revenue.add([sold(twin, 9, 7)], source="shop", by=None) == 1  # whoever still names the one who is gone
    assert CustomerValue.objects.get().total == 1057
    twin.refresh_from_db()
    joining.unmerge(twin, by=sana)
    follow()
    assert dict(CustomerValue.objects.values_list("customer", "total")) == {ticket.customer_id: 1007, twin.pk: 50}


def test_of_the_erased_the_amount_stays(euro: None, ticket: Ticket, zoya: Agent) -> None:
    revenue.add([sold(ticket.customer, 1)], source="shop", by=zoya)
    row = importing.put(FILE.encode(), by=zoya)
    lost = importing.put(FILE.encode(), by=zoya)
    default_storage.delete(lost.stored)  # keeps nobody from being erased
    erasing.erase(ticket.customer, by=zoya)
    left = Revenue.objects.get()
    assert (left.amount, left.reference) == (1000, f"erased-{left.pk}")
    row.refresh_from_db()
    assert (row.stored, row.headings) == ("", [])


def test_orders_count_when_they_are_said_to(ticket: Ticket, zoya: Agent) -> None:
    orders = [
        Happening("order", NOW, {"total": 12.5}, "1"),
        Happening("order", NOW, {"total": "1.000,00", "currency": "EUR"}, "2"),
        Happening("order", NOW, {"total": 9, "currency": "USD"}, "3"),
        Happening("order", NOW, {"total": True}, "4"),
        Happening("order.paid", NOW, {"total": 5}, "5"),
    ]
    journey.add(ticket.customer, orders, by=None)
    told = list(Event.objects.filter(kind="customer_event_added"))
    assert follower.idle()
    follower.follow(told)
    assert not Revenue.objects.exists()
    revenue.set_terms(Terms(currency="EUR", orders=True), by=zoya)
    assert not follower.idle()
    follower.follow(told)
    follower.follow(told)
    assert sorted(Revenue.objects.values_list("amount", flat=True)) == [1250, 100000]
    with pytest.raises(ActionError):
        revenue.set_terms(Terms(currency="USD"), by=zoya)
    assert log.followers()["worth"] is follower.follow


def test_a_file_is_looked_at_and_taken_in(euro: None, ticket: Ticket, zoya: Agent, client: Client) -> None:
    client.force_login(zoya)
    answer = client.post("/settings/revenue/files/", {"file": SimpleUploadedFile("a.csv", FILE.encode("cp1252"))})
    row = RevenueImport.objects.get()
    assert answer["Location"] == f"/settings/revenue/{row.pk}/"
    assert (
        row.mapping["columns"] == {"email": 0, "at": 1, "amount": 2, "reference": 3} and row.mapping["order"] == "dmy"
    )
    page = client.get(answer["Location"]).content.decode()
    assert "6 lines were tried" in page and "1,254.50 EUR" in page and "no customer is known by this" in page
    assert not Revenue.objects.exists()
    wrong = client.get(f"{answer['Location']}?amount=-").content.decode()
    assert "Say in which columns these are: Amount" in wrong
    with TestCase.captureOnCommitCallbacks(execute=True):
        client.post(answer["Location"], {"source": "shop"})
    job = Job.objects.get()
    assert (job.kind, job.total) == ("import", 6)
    with TestCase.captureOnCommitCallbacks(execute=True):
        job = jobs.step(job.pk)
    assert (job.state, job.done, job.failed) == (JobState.DONE, 3, 3)
    assert sorted(Revenue.objects.values_list("amount", flat=True)) == [1000, 1000, 123450]  # two alike are two
    assert Revenue.objects.get(reference="A-1").at.date().isoformat() == "2026-04-03"
    row.refresh_from_db()
    assert (row.added, row.known, row.refused, row.stored) == (3, 0, 3, "")
    assert row.wrong == [[5, "nobody"], [6, "date"], [7, "amount"]]
    assert "3 rows are new. 3 left out." in client.get("/jobs/").content.decode()
    assert "soon" not in client.get(answer["Location"]).content.decode()
    again = importing.put(FILE.encode(), by=zoya)
    again.mapping["source"] = "shop"
    assert (importing.check(again, by=zoya).new, importing.check(again, by=zoya).known) == (0, 3)
    with pytest.raises(ActionError):
        importing.put(b"hello", by=zoya)
    again.created_at = timezone.now() - timedelta(days=2)
    again.save()
    assert (expire_files(), expire_files()) == (1, 0)
    with pytest.raises(ActionError):
        importing.begin(RevenueImport.objects.get(pk=again.pk), by=zoya)


def test_how_files_are_read() -> None:
    lines = list(reading.rows(reading.text_of('a,b\n"x\ny",1\n\n2,3'.encode("utf-16"))))
    assert lines == [(1, ["a", "b"]), (3, ["x\ny", "1"]), (5, ["2", "3"])]
    assert reading.guess(["Wer", "Wann", "Was"], [["a@b.de", "2026-01-02", "9,90"]]) == {
        "email": 0,
        "at": 1,
        "amount": 2,
    }
    assert reading.order_of(["01/02/2026", "01/13/2026"]) == "mdy"
    assert reading.moment("03/04/26 10:30", "mdy", UTC) == datetime(2026, 3, 4, 10, 30, tzinfo=UTC)
    assert reading.moment("2026-03-04T10:30:00+05:00", "dmy", UTC) == datetime(2026, 3, 4, 5, 30, tzinfo=UTC)
    way = reading.Reading({"email": 0, "phone": 1, "at": 2, "amount": 3, "currency": 4}, "dmy", "EUR", UTC, NOW)
    assert way.line(["x", "+49 30 1234567", "1.2.2026", "5", ""]).keys == (("phone", "+49301234567"),)
    for cells, code in (
        (["", "", "1.2.2026", "5", ""], "no_customer"),
        (["a@b.de", "", "31.2.2026", "5", ""], "date"),
        (["a@b.de", "", "1.2.2027", "5", ""], "future"),
        (["a@b.de", "", "1.2.2026", "5", "USD"], "currency"),
        (["a@b.de", "", "1.2.2026"], "columns"),
    ):
        with pytest.raises(reading.Wrong, match=code):
            way.line(cells)


def test_by_the_api(ticket: Ticket, as_zoya: Api, as_sana: Api, as_bilal: Api) -> None:
    row = {"email": "Ayesha@example.com", "at": "2026-04-03T00:00:00Z", "amount": "12.50", "reference": "A-1"}
    body = {"source": "shop", "rows": [row, {**row, "email": "nobody@example.com", "reference": "A-2"}]}
    assert list(problem(as_zoya.post("/revenue/", body), 400)["errors"]) == ["currency"]
    Setting.objects.create(pk="worth", value={"currency": "EUR"})
    assert as_zoya.post("/revenue/", body).json() == {"added": 1, "known": 0, "nobody": [1]}
    assert as_zoya.post("/revenue/", body).json() == {"added": 0, "known": 1, "nobody": [1]}
    by_id = {**row, "customer": ticket.customer_id, "amount": "-2", "reference": "A-3"}
    del by_id["email"]
    assert as_zoya.post("/revenue/", {"source": "shop", "rows": [by_id]}).json()["added"] == 1
    problem(as_sana.post("/revenue/", body), 403)
    for wrong in ({"amount": "1.005"}, {"currency": "USD"}, {"phone": "+4930123456"}, {"at": "2126-01-01T00:00:00Z"}):
        problem(as_zoya.post("/revenue/", {"source": "shop", "rows": [{**row, **wrong}]}), 400)
    rows = as_sana.get("/revenue/?source=shop").json()["results"]
    assert [(one["amount"], one["currency"], one["customer"]["name"]) for one in rows] == [
        ("-2.00", "EUR", "Ayesha Khan"),
        ("12.50", "EUR", "Ayesha Khan"),
    ]
    assert as_bilal.get("/revenue/").json()["results"] == []
    told = as_zoya.get(f"/customers/{ticket.customer_id}/export/").json()["more"]["revenue"]
    assert [one["reference"] for one in told] == ["A-1", "A-3"]


def test_beside_the_customer_and_in_their_list(
    euro: None, ticket: Ticket, support: Channel, sana: Agent, client: Client
) -> None:
    client.force_login(sana)
    assert "Customer since" not in client.get(f"/customers/{ticket.customer_id}/").content.decode()
    others = [question(support, "Hi", Party("email", f"{n}@example.com")).customer for n in range(3)]
    sales = [
        sold(ticket.customer, 1, 5000),
        sold(ticket.customer, 9, 100),
        sold(others[0], 1, 9900),
        sold(others[1], 1, -5),
    ]
    revenue.add(sales, source="shop", by=None)
    for path in (f"/customers/{ticket.customer_id}/", f"/tickets/{ticket.number}/"):
        page = client.get(path).content.decode()
        assert "51.00 EUR" in page and "Customer since" in page
    listed = CustomerListing(sana, {"sort": "worth"})
    assert [one.pk for one in listed.page().customers] == [others[0].pk, ticket.customer_id, others[1].pk]
    behind = CustomerListing(sana, {"sort": "worth"}).page(f"5100-{ticket.customer_id}").customers
    assert [one.pk for one in behind] == [others[1].pk]
    assert not CustomerListing(sana, {"sort": "worth"}).page(f"m5-{others[1].pk}").customers
    rich = CustomerListing(sana, {"f_worth": "60"})
    assert [one.pk for one in rich.page().customers] == [others[0].pk]
    assert rich.chips[0]["label"] == "Revenue of at least: at least 60.00 EUR"
    assert not CustomerListing(sana, {"f_worth": "much"}).page().customers
    assert 'name="f_worth"' in client.get("/customers/").content.decode()


def people(count: int) -> list[Customer]:
    return Customer.objects.bulk_create([Customer(name=f"C{n}") for n in range(count)])


def test_retention_churn_and_lifetime_value(euro: None) -> None:
    """Of 40 customers at the start 30 stay; 5 are new; one paid it all back; one paid a moment too early."""
    found = people(47)
    start, end = NOW - timedelta(days=365), NOW
    sales = [sold(one, 500) for one in found[:40]]
    sales += [sold(one, 100, 2400) for one in found[:30]]
    sales += [sold(one, 50) for one in found[40:45]]
    sales += [sold(found[45], 500), sold(found[45], 499, -1000)]
    sales += [Sale(found[46].pk, start - timedelta(days=365), 1000, "edge")]  # (t − 365 d, t]: just not
    revenue.add(sales, source="shop", by=None)
    counts = counting.counts(start, end, 365)
    assert (counts.start, counts.kept, counts.end, counts.revenue) == (40, 30, 35, 77_000)
    assert counts.retention == 0.75 and counts.churn == 0.25
    months = 365 / counting.MONTH
    monthly = 1 - 0.75 ** (1 / months)
    value = counts.lifetime_value(0.5, 365, end - start)
    assert value == pytest.approx(77_000 / 35 / months * 0.5 / monthly)
    assert counts.lifetime_value(None, 365, end - start) is None
    none_left = counting.Counts(40, 40, 40, 48_000)
    assert none_left.lifetime_value(0.5, 365, end - start) == pytest.approx(48_000 / 40 / months * 0.5 * 60)
    assert counting.Counts(29, 20, 40, 1).lifetime_value(0.5, 365, end - start) is None
    assert counting.counts(NOW - timedelta(days=5000), NOW - timedelta(days=4000), 365).retention is None
    asked = engine.Question(start.date(), end.date(), ZoneInfo("UTC"), NOW)
    found_by_engine = engine.figures(KEYS, asked)
    assert (found_by_engine["retention"].value, found_by_engine["churn"].numerator) == (0.75, 10)
    assert value is not None and found_by_engine["clv"].value == pytest.approx(value / 100)
    not_over = replace(asked, end=asked.end + timedelta(days=60))  # as many were lost, in the time until now
    assert engine.figure("clv", not_over).value == found_by_engine["clv"].value
    assert engine.figure("clv", replace(not_over, start=asked.end + timedelta(days=9))).value is None
    assert engine.figure("churn", replace(asked, channels=(1,))).extra == {"reason": "not_of_tickets"}
    by_month = engine.grouped(["retention"], asked, "month")
    assert len(by_month) == 12 and by_month[0].figures["retention"].denominator == 40
    assert engine.grouped(["retention"], asked, "hour_of_week")[0].figures["retention"].value is None
    on_the_instant = counting.counts(NOW - timedelta(days=500), NOW, 365)  # paid exactly then: is a customer
    assert on_the_instant.start == 42


def fact(ticket: Ticket, opened: float, now: datetime = NOW, **more: Any) -> None:
    at = now - timedelta(days=opened)
    values = {"customer_id": ticket.customer_id, "channel_id": ticket.channel_id, "began_at": at, "opened_at": at,
              "priority": "normal", **more}  # fmt: skip
    TicketFact.objects.update_or_create(ticket=ticket, defaults=values)


def answer(ticket: Ticket, pk: int, value: int, days_ago: float, now: datetime = NOW, kind: str = "csat") -> None:
    at = now - timedelta(days=days_ago)
    AnswerFact.objects.create(
        answer_id=pk, kind=kind, ticket=ticket, customer_id=ticket.customer_id, channel_id=ticket.channel_id,
        asked_at=at, answered_at=at, value=value,
    )  # fmt: skip


def leave_out(ticket: Ticket | None, by: Agent) -> None:
    """This ticket, or none, is one of a test: it is in no figure."""
    if ticket is not None:
        tickets.set_tags(ticket, ["test"], by=by)
    figures.set_left_out(["test"] if ticket is not None else [], by=by)


def test_who_stays_beside_how_they_were_served(
    euro: None, support: Channel, ticket: Ticket, sana: Agent, bilal: Agent, zoya: Agent, client: Client
) -> None:
    client.force_login(zoya)
    Revenue.objects.all().delete()
    assert "No revenue was imported yet" in client.get("/reports/customers/").content.decode()
    happy, angry = (question(support, "x", Party("email", f"{n}@example.com")) for n in ("happy", "angry"))
    silent = people(1)[0]
    start = NOW - timedelta(days=90)
    for one in (happy, angry, ticket):
        fact(one, 30, first_solved_at=NOW - timedelta(days=29))
    fact(angry, 30, first_solved_at=NOW - timedelta(days=29), reopened_at=NOW - timedelta(days=25))
    fact(
        ticket, 30, first_solved_at=NOW - timedelta(days=29), reopened_at=NOW - timedelta(days=20)
    )  # too late to count
    answer(happy, 1, 5, 20)
    answer(angry, 2, 4, 20)
    answer(angry, 3, 1, 19)
    owners = [happy.customer, angry.customer, ticket.customer, silent]
    revenue.add([sold(one, 400) for one in owners], source="a", by=None)
    revenue.add([sold(one, 10) for one in (happy.customer, ticket.customer, silent)], source="b", by=None)
    rows = {one.key: (one.n, one.kept) for one in segments.segments(start, NOW, 365, 7)}
    assert rows == {"all": (4, 3), "never": (1, 1), "contacted": (3, 2), "fine": (2, 2), "reopened": (1, 0),
                    "good": (1, 1), "bad": (1, 0)}  # fmt: skip
    hidden = {one.key: one.n for one in segments.segments(start, NOW, 365, 7, bilal)}
    assert hidden["all"] == 1 and hidden["contacted"] == 0
    leave_out(angry, zoya)
    rows = {one.key: (one.n, one.kept) for one in segments.segments(start, NOW, 365, 7)}
    assert (rows["all"], rows["contacted"], rows["reopened"], rows["bad"]) == ((4, 3), (2, 2), (0, 0), (0, 0))
    page = client.get("/reports/customers/?period=365&channel=support").content.decode()
    now = engine.figure("retention", asking.of(zoya, QueryDict("period=365")).question)
    assert (now.numerator, now.denominator) == (3, 4) and "75.0" in page and "3 of 4" in page
    assert "belong to no channel" in page and "channel=support" in page  # and the other pages are led to as narrowed
    client.force_login(sana)
    assert client.get("/reports/customers/").status_code == 403


def test_who_may_be_leaving(euro: None, support: Channel, zoya: Agent, bilal: Agent, client: Client) -> None:
    client.force_login(zoya)
    now = timezone.now()
    assert "Nobody" in client.get("/reports/at-risk/").content.decode()
    names = ("score", "again", "wait", "loud", "buys", "fine", "old")
    asked = {name: question(support, "x", Party("email", f"{name}@example.com", name)) for name in names}
    for name, one in asked.items():
        fact(one, 60, now)
        seen = now - timedelta(days=5 if name == "loud" else 60)
        Customer.objects.filter(pk=one.customer_id).update(last_seen_at=seen)
    for pk, name in enumerate(("score", "loud", "buys"), 1):
        answer(asked[name], pk, 1, 50, now)
    answer(asked["fine"], 9, 5, 50, now)
    answer(asked["old"], 10, 1, 300, now)
    fact(asked["again"], 60, now, reopened_at=now - timedelta(days=55), denied_at=now - timedelta(days=54))
    fact(asked["wait"], 60, now, customer_wait=90_000, last_solved_at=now - timedelta(days=50))
    revenue.add([sold(asked["wait"].customer, 100, 7000, now), sold(asked["buys"].customer, 3, 1, now)],
                source="a", by=None)  # fmt: skip
    found = risk.told(zoya, risk.customers(zoya, now), now)
    assert found[0].customer.name == "wait" and found[0].total == 7000
    assert {row.customer.name: [reason.code for reason in row.reasons] for row in found} == {
        "wait": ["wait"],
        "score": ["score"],
        "again": ["denied", "reopened"],
    }
    leave_out(asked["score"], zoya)
    assert "score" not in {row.customer.name for row in risk.told(zoya, risk.customers(zoya, now), now)}
    leave_out(None, zoya)
    assert not risk.customers(bilal, now).exists()
    assert not risk.customers(zoya, now, 90).exists()
    page = client.get("/reports/at-risk/?silence=30").content.decode()
    assert "70.00 EUR" in page and f"#{asked['score'].number}" in page


def test_what_revenue_means_is_said_on_a_page(zoya: Agent, client: Client, sana: Agent) -> None:
    client.force_login(zoya)
    asked = {"currency": "eur", "days": "365", "margin": "30", "orders": "on", "order_kind": "", "amount_key": ""}
    assert client.post("/settings/revenue/", asked).status_code == 302
    assert terms() == Terms("EUR", 365, 0.3, True, "order", "total")
    assert client.post("/settings/revenue/", {**asked, "currency": "€"}).status_code == 422
    assert 'value="30.0"' in client.get("/settings/revenue/").content.decode()
    assert client.post("/settings/revenue/files/", {}).status_code == 422
    client.force_login(sana)
    assert client.get("/settings/revenue/").status_code == 403
    assert Identity.objects.count() == 0
