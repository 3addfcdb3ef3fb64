"""What hangs together with a ticket: linked tickets, who takes part, logged calls; and tickets that we begin."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from inbox import jobs as workers
from inbox.actions import jobs, links, merge, recipients, reply, tickets
from inbox.models import Agent, Channel, Customer, Draft, Event, Identity, Job, Message, Ticket, TicketLink
from tests.cast import question
from tests.inbox.views.conftest import Desk


def test_links_are_seen_from_both_sides_and_taken_away(
    as_sana: Desk, as_bilal: Desk, ticket: Ticket, support: Channel
) -> None:
    other = question(support, "Nothing works")
    path = f"/tickets/{ticket.pk}/links/"
    for relation, number in (("child", ticket.pk), ("child", 2**40)):
        assert as_sana.post(path, {"relation": relation, "number": number}, part=True).status_code == 422
    html = as_sana.post(path, {"relation": "incident", "number": f"#{other.pk}"}, part=True).content.decode()
    assert "Incident of the problem" in html and "Nothing works" in html
    assert as_sana.post(path, {"relation": "-incident", "number": other.pk}, part=True).status_code == 422
    assert "Its incident" in as_sana.get(f"/tickets/{other.pk}/").content.decode()
    row = TicketLink.objects.get()
    assert (row.source_id, row.target_id, row.kind) == (ticket.pk, other.pk, "incident")
    assert as_bilal.post(f"{path}{row.pk}/").status_code == 404
    as_sana.post(f"/tickets/{other.pk}/links/{row.pk}/")
    assert not TicketLink.objects.exists()
    assert Event.objects.filter(kind__in=["link_added", "link_removed"]).count() == 4


def test_a_new_requester_gets_what_is_answered_and_clocks_go_on(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    before = Ticket.objects.get(pk=ticket.pk)
    path = f"/tickets/{ticket.pk}/requester/"
    assert as_sana.post(path, {"address": "support@example.org"}, part=True).status_code == 422  # ours
    assert as_sana.post(path, {"address": "Bina <bina@example.com>"}, part=True).status_code == 200
    after = Ticket.objects.get(pk=ticket.pk)
    assert after.customer.name == "Bina" and after.customer_id != before.customer_id
    assert (after.waiting_since, after.status, after.message_count) == (before.waiting_since, before.status, 1)
    assert Message.objects.get().customer_id == before.customer_id  # what was said stays whose it was
    sent = reply.reply(after, by=sana, text="Hello.")
    assert [one["address"] for one in [*sent.to, *sent.cc]] == ["bina@example.com"]
    as_sana.post(path, {"address": "ayesha@example.com"})
    assert Ticket.objects.get(pk=ticket.pk).customer_id == before.customer_id


def test_participants_come_and_go_and_are_confirmed(as_sana: Desk, sana: Agent, ticket: Ticket) -> None:
    path = f"/tickets/{ticket.pk}/participants/"
    html = as_sana.post(path, {"address": "chief@example.com"}, part=True).content.decode()
    assert "chief@example.com" in html
    someone = ticket.participants.get(identity__value="chief@example.com")
    ticket.participants.filter(pk=someone.pk).update(confirmed=False)
    assert recipients.default_recipients(ticket)[1] == []
    as_sana.post(path, {"confirm": someone.pk})
    assert [one["address"] for one in recipients.default_recipients(ticket)[1]] == ["chief@example.com"]
    as_sana.post(path, {"take_out": someone.pk})
    assert recipients.default_recipients(ticket)[1] == []
    requester = ticket.participants.get(role="requester")
    as_sana.post(path, {"take_out": requester.pk})
    assert recipients.default_recipients(ticket)[0]


def test_a_call_is_logged_and_answers_what_the_customer_waited_for(as_sana: Desk, ticket: Ticket) -> None:
    path = f"/tickets/{ticket.pk}/calls/"
    said = {"medium": "call", "direction": "out", "minutes": "7", "outcome": "Calmed down", "text": "We talked."}
    assert as_sana.post(path, {**said, "text": "", "outcome": ""}, part=True).status_code == 422
    assert as_sana.post(path, {**said, "at": "2999-01-01T10:00"}, part=True).status_code == 422
    html = as_sana.post(path, {**said, "status": "pending"}, part=True).content.decode()
    assert "7 minutes" in html and "Calmed down" in html
    after = Ticket.objects.get(pk=ticket.pk)
    assert (after.waiting_since, after.status) == (None, "pending")


def test_a_new_ticket_is_opened_once(as_sana: Desk, as_lena: Desk, sana: Agent, support: Channel) -> None:
    assert as_lena.get("/tickets/new/").status_code == 403
    form = as_sana.get("/tickets/new/").content.decode()
    found = re.search(r'name="client_id" value="(\w+)"', form)
    assert found is not None
    said = {"client_id": found[1], "channel": "support", "to": "Dara <dara@example.com>", "subject": "Hello",
            "text": "Your order is ready.", "agent": sana.pk, "team": "", "tags": "ready, order",
            "cc": "boss@example.com"}  # fmt: skip
    assert as_sana.post("/tickets/new/", {**said, "to": "nobody"}).status_code == 422
    first, again = as_sana.post("/tickets/new/", said), as_sana.post("/tickets/new/", said)
    assert first["Location"] == again["Location"]
    made = Ticket.objects.get()
    assert (made.subject, made.assignee, made.tags) == ("Hello", sana, ["ready", "order"])
    # Its answer was lost, and something else is sent with the same form: that is neither lost nor passed for the first.
    for other in ({"text": "It is late."}, {"to": "zain@example.com"}, {"subject": "Sorry"}):
        refused = as_sana.post("/tickets/new/", {**said, **other})
        html = refused.content.decode()
        assert refused.status_code == 422 and "An earlier version of this was already sent" in html
        assert next(iter(other.values())) in html and found[1] not in html, "it stands there, to be sent as its own"
    part = as_sana.post("/tickets/new/", {**said, "text": "It is late."}, part=True).content.decode()
    assert 'id="client-id"' in part and found[1] not in part
    [sent] = made.messages.all()
    assert [one["address"] for one in [*sent.to, *sent.cc]] == ["dara@example.com", "boss@example.com"]
    assert Identity.objects.get(value="dara@example.com").customer == made.customer
    assert "dara@example.com" in as_sana.get("/people/?q=dar").content.decode()


def test_who_is_written_to_is_written_on_the_channel_that_they_prefer(
    as_sana: Desk, ticket: Ticket, support: Channel
) -> None:
    texts = Channel.objects.create(
        kind="sms", name="Shop texts", slug="texts", addresses=["+12025550100"], settings={"account_sid": "AC1"}
    )
    who = ticket.customer
    Customer.objects.filter(pk=who.pk).update(preferred_channel=texts)
    chosen = '<option value="texts" selected>'
    picked = f"/tickets/new/way/?channel=support&customer={who.pk}&picked=yes"
    assert chosen not in as_sana.get(f"/tickets/new/?customer={who.pk}").content.decode(), "they have no number"
    assert "data-picked" not in as_sana.get(picked).content.decode()
    Identity.objects.create(customer=who, kind="phone", value="+12025550177", verified_at=timezone.now())
    page = as_sana.get(f"/tickets/new/?customer={who.pk}").content.decode()
    assert chosen in page and "prefers Shop texts" in page
    part = as_sana.get(picked).content.decode()
    assert "data-picked" in part and 'value="texts"' in part and "prefers Shop texts" in part
    other = as_sana.get(picked.replace("&picked=yes", "")).content.decode()
    assert "data-picked" not in other and 'value="support"' in other and "prefers Shop texts" in other
    composer = as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    assert composer.index("Shop texts (preferred)") < composer.index(f'<option value="{support.pk}" selected>')
    Customer.objects.filter(pk=who.pk).update(opt_outs=["sms"])
    assert chosen not in as_sana.get(f"/tickets/new/?customer={who.pk}").content.decode()


def test_one_update_reaches_all_incidents_once(
    as_sana: Desk, ticket: Ticket, support: Channel, sana: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = question(support, "Broken"), question(support, "Broken, too")
    closed = question(support, "Long ago")
    for one in (first, second, closed):
        links.link(one, ticket, "incident", by=sana)
    tickets.set_status(closed, "closed", by=None)
    assert "Write to all 3 incidents" in as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    path, said = f"/tickets/{ticket.pk}/incidents/", {"text": "It works again.", "solve": "yes", "client_id": "abc"}
    assert as_sana.post(path, {**said, "text": " ", "solve": ""}, part=True).status_code == 422
    for _twice in range(2):
        assert as_sana.post(path, said, part=True).status_code == 200
    for one in (first, second):
        one.refresh_from_db()
        assert (one.status, one.messages.filter(direction="out").count()) == ("solved", 1)
    assert closed.messages.filter(direction="out").count() == 0
    assert ticket.messages.filter(direction="out").count() == 0
    # More than one waits for are answered by a worker, each once, however often it is asked; one went meanwhile.
    monkeypatch.setattr(jobs, "FEW", 1)
    again = {**said, "text": "All is well.", "client_id": "def"}
    for _twice in range(2):
        assert as_sana.post(path, again, part=True).status_code == 200
    job = Job.objects.latest("pk")
    merge.merge(second, first, by=sana)
    workers.work(job.pk)
    job.refresh_from_db()
    assert (job.state, job.total, job.done, job.failed, "text" in job.what) == ("done", 2, 1, 1, False)
    assert first.messages.filter(direction="out", text__contains="All is well.").count() == 1
    assert "Answer to all incidents" in as_sana.get("/jobs/").content.decode()


def test_a_new_ticket_is_kept_while_it_is_written(as_sana: Desk, as_lena: Desk, ticket: Ticket) -> None:
    customer = ticket.customer
    written = {"client_id": "n1", "version": 0, "channel": "support", "to": "Dara <dara@example.com>",
               "subject": "Hello", "text": "Your order", "customer": customer.pk, "tags": "ready"}  # fmt: skip
    assert as_lena.post("/tickets/new/draft/", written).status_code == 403
    assert as_sana.post("/tickets/new/draft/", written).json() == {"version": 1}
    assert as_sana.post("/tickets/new/draft/", {**written, "text": "Old"}).status_code == 409
    page = as_sana.get("/tickets/new/").content.decode()
    assert "Your order</textarea>" in page and 'value="ready"' in page and 'value="n1"' in page
    asked = as_sana.get(f"/tickets/new/?customer={customer.pk}").content.decode()
    assert "Discard it and begin anew" in asked and "Dara" in asked  # nothing is lost, nothing goes to somebody else
    assert as_sana.post(f"/tickets/new/?customer={customer.pk}", {"afresh": "yes"}).status_code == 302
    asked = as_sana.get(f"/tickets/new/?customer={customer.pk}").content.decode()
    assert "Your order" not in asked and "ayesha@example.com" in asked


def test_a_new_ticket_for_a_customer_who_was_picked(as_sana: Desk, ticket: Ticket, sana: Agent) -> None:
    customer = ticket.customer
    found = as_sana.get("/people/recipients/?q=aye").content.decode()
    assert f'data-customer="{customer.pk}"' in found and "ayesha@example.com" in found
    Draft.objects.create(agent=sana, kind="new", client_id="n1", text="It is")
    said = {"client_id": "n1", "channel": "support", "customer": customer.pk, "subject": "Ready", "agent": "",
            "to": "Ayesha Khan <ayesha@example.com>", "html": "<p>It is <b>ready</b>.</p>", "status": "solved",
            "version": 1}  # fmt: skip
    went = as_sana.post("/tickets/new/", said, part=True)
    made = Ticket.objects.exclude(pk=ticket.pk).get()
    assert went["HX-Redirect"] == f"/tickets/{made.pk}/" and not Draft.objects.exists()
    [sent] = made.messages.all()
    assert (made.customer, made.status) == (customer, "solved") and "<b>ready</b>" in sent.html
    assert as_sana.post("/tickets/new/", said, part=True)["HX-Redirect"] == went["HX-Redirect"]
    other = as_sana.post("/tickets/new/", {**said, "client_id": "n2", "to": "zain@example.com"}, part=True)
    assert Ticket.objects.get(pk=int(other["HX-Redirect"].split("/")[2])).customer != customer


def test_a_call_is_logged_once_and_opens_a_ticket(as_sana: Desk, as_lena: Desk, ticket: Ticket) -> None:
    path, call = f"/tickets/{ticket.pk}/calls/", {"medium": "call", "direction": "in", "text": "Where?"}
    for _twice in range(2):
        assert as_sana.post(path, {**call, "client_id": "c1"}, part=True).status_code == 200
    assert Message.objects.filter(ticket=ticket, origin="logged").count() == 1
    other = as_sana.post(path, {**call, "text": "Lost?", "client_id": "c1"}, part=True)
    html = other.content.decode()
    assert other.status_code == 422 and "already sent" in html and 'id="call-client" value="c1"' not in html
    assert 'id="call-client"' in html, "with the next click it is kept, too"

    call |= {"channel": "support", "subject": "Parcel", "agent": "", "team": "", "tags": "phone"}
    assert as_lena.get("/tickets/new/call/").status_code == 403
    assert "What was said" in as_sana.get("/tickets/new/call/").content.decode()
    for client_id, to, customer in (
        ("c2", "Ayesha", ticket.customer.pk), ("c3", "+92 300 7654321", ""), ("c4", "Dara Noor", "x"),
    ):  # fmt: skip
        said = {**call, "client_id": client_id, "to": to, "customer": customer}
        first, again = as_sana.post("/tickets/new/call/", said), as_sana.post("/tickets/new/call/", said)
        assert first.status_code == 302 and first["Location"] == again["Location"]
        assert as_sana.post("/tickets/new/call/", {**said, "text": "Lost?"}).status_code == 422
    one, two, three = Ticket.objects.exclude(pk=ticket.pk).order_by("pk")
    assert one.customer == ticket.customer and (one.tags, one.subject) == (["phone"], "Parcel")
    assert two.customer.identities.get().value == "+923007654321"
    assert three.customer.name == "Dara Noor" and not three.customer.identities.exists()
    assert as_sana.post("/tickets/new/call/", {**call, "client_id": "c5", "to": ""}).status_code == 422
