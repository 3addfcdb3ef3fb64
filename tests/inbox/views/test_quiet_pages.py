"""The quiet hours: their settings page, and what writers see of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox import quiet
from inbox.models import Channel, Customer, Event, Identity, Message, Role, Ticket
from tests.cast import member
from tests.inbox.views.conftest import Desk

PATH = "/settings/quiet-hours/"


@pytest.fixture
def as_mona(db: None) -> Desk:
    return Desk(member("Mona", Role.ADMIN, None))


def test_an_admin_sets_and_ends_them(as_mona: Desk, as_sana: Desk) -> None:
    assert as_sana.get(PATH).status_code == 403
    page = as_mona.get(PATH).content.decode()
    assert 'value="21:00"' in page and 'value="08:00"' in page and "checked" not in page
    usual = {"on": "on", "begins": "21:00", "ends": "08:00"}
    for wrong in ({"ends": "21:00"}, {"ends": "20:00"}, {"begins": "late"}, {"ends": ""}):
        assert as_mona.post(PATH, usual | wrong).status_code == 422, wrong
    assert quiet.hours() is None
    for _twice in range(2):
        assert as_mona.post(PATH, usual).status_code == 302
    found = quiet.hours()
    assert found is not None and (found.begins.hour, found.ends.hour) == (21, 8)
    assert "checked" in as_mona.get(PATH).content.decode()
    assert as_mona.post(PATH, {**usual, "on": ""}).status_code == 302
    assert quiet.hours() is None
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["quiet_hours_set", "quiet_hours_ended"]
    log = as_mona.get("/settings/audit/").content.decode()
    assert "set quiet hours from 21:00 to 08:00" in log and "ended the quiet hours" in log


def test_a_writer_sees_when_it_leaves_and_can_send_it_now(as_mona: Desk, as_sana: Desk, ticket: Ticket) -> None:
    texts = Channel.objects.create(kind="sms", name="Texts", slug="texts", addresses=["+12025550100"])
    Identity.objects.create(customer=ticket.customer, kind="phone", value="+12025550177", verified_at=timezone.now())
    Customer.objects.update(time_zone="Asia/Karachi")
    there = timezone.now().astimezone(quiet.zone_of(Customer(time_zone="Asia/Karachi")))
    begins, ends = there - timedelta(hours=2), there + timedelta(hours=2)
    as_mona.post(PATH, {"on": "on", "begins": f"{begins:%H:%M}", "ends": f"{ends:%H:%M}"})
    path = f"/tickets/{ticket.pk}/"
    assert "Quiet hours where" not in as_sana.get(path).content.decode(), "they wrote by mail"
    assert "Quiet hours where they are" in as_sana.get(f"{path}way/?channel={texts.pk}").content.decode()
    begin = f"/tickets/new/way/?channel=texts&customer={ticket.customer_id}"
    assert "Quiet hours where they are" in as_sana.get(begin).content.decode()
    said = {"kind": "reply", "text": "Your parcel is here.", "channel": texts.pk, "client_id": "c1"}
    html = as_sana.post(f"{path}messages/", said, part=True).content.decode()
    assert f"leaves at {ends:%H:%M}, their time" in html and "Send now" in html
    message = Message.objects.get(channel=texts)
    html = as_sana.post(f"/messages/{message.pk}/timing/", {"later": "now"}, part=True).content.decode()
    assert "their time" not in html and "Send now" not in html
