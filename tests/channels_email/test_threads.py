"""Which ticket a mail joins, through the e-mail adapter itself."""

import pytest

from channels_email.receipts import raw_receipt
from inbox.actions import receive
from inbox.actions.work import Outcome
from inbox.models import Channel
from tests.channels_email.conftest import ALI, SUPPORT, MakeChannel

pytestmark = pytest.mark.django_db


def take(channel: Channel, number: int, subject: str, extra: str = "") -> Outcome:
    raw = (
        f"From: Ali <{ALI}>\nTo: {SUPPORT}\nSubject: {subject}\nMessage-ID: <mail-{number}@customer.example>\n"
        f"Date: Mon, 3 Mar 2025 10:0{number}:00 +0000\n{extra}\nText {number}\n"
    ).encode()
    stored = receive.store(channel, [raw_receipt(raw)], claim=True)
    return receive.take_in([stored[0].receipt_id])[0]


def test_two_questions_of_one_customer_are_two_tickets(make_channel: MakeChannel) -> None:
    channel = make_channel()
    first = take(channel, 1, "Parcel is late")
    second = take(channel, 2, "Wrong invoice")
    answer = take(channel, 3, "Re: Parcel is late", "In-Reply-To: <mail-1@customer.example>\n")
    assert (first.status, second.status, second.rule) == ("created", "created", "new")
    assert first.ticket != second.ticket
    assert (answer.status, answer.ticket, answer.rule) == ("appended", first.ticket, "reference")
