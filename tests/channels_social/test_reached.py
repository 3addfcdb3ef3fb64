"""What a refusal of a platform says of somebody who has several addresses there."""

from datetime import timedelta

import pytest
from django.utils import timezone

from inbox.actions import reach
from inbox.models import Channel, Customer, Identity, Message, Reach, Ticket


@pytest.mark.django_db
@pytest.mark.parametrize("fault", ["blocked", "window"])
@pytest.mark.parametrize(("to", "theirs"), [("+351910000002", False), ("US.2", True), ("+351910000001", True)])
def test_another_number_of_theirs_is_another_telephone(to: str, theirs: bool, fault: str) -> None:
    """They wrote by one number, which also has an id; a template to their other number tells nothing of that one."""
    channel = Channel.objects.create(kind="whatsapp", slug="wa", name="WhatsApp", settings={"phone_number_id": "1"})
    customer = Customer.objects.create(name="Ana")
    now = timezone.now()
    kept = {
        value: Identity.objects.create(customer=customer, kind=kind, value=value, verified_at=now)
        for kind, value in [("phone", "+351910000001"), ("phone", "+351910000002"), ("whatsapp", "US.2")]
    }
    closes = now + timedelta(hours=5)
    Reach.objects.create(channel=channel, identity=kept["+351910000001"], closes_at=closes)
    ticket = Ticket.objects.create(customer=customer, channel=channel, reply_channel=channel, subject="")
    message = Message.objects.create(
        ticket=ticket, first_ticket=ticket, channel=channel, direction="out", author_kind="agent", state="failed",
        to=[{"name": "", "address": to}],
    )  # fmt: skip
    reach.refused(message, fault)
    row = Reach.objects.get(identity=kept["+351910000001"])
    assert (row.blocked_at is not None) == (theirs and fault == "blocked")
    assert row.closes_at is not None and (row.closes_at < closes) == (theirs and fault == "window")
