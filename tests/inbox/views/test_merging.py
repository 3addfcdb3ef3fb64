"""The screens of merging, taking apart and splitting."""

import pytest

from inbox.actions import reply
from inbox.adapters import Party
from inbox.models import Agent, Channel, Message, Ticket
from tests.cast import question
from tests.inbox.views.conftest import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(support: Channel) -> Ticket:
    return question(support, "Re: Where is my parcel?", text="Again I ask.")


def test_the_sheet_offers_the_customers_own_and_merging_can_be_undone(
    as_sana: Desk, ticket: Ticket, other: Ticket
) -> None:
    strange = question(other.channel, "Else", sender=Party("email", "eve@example.com", "Eve"))
    sheet = as_sana.get(f"/tickets/{other.pk}/merge/", part=True).content.decode()
    assert f'value="{ticket.pk}"' in sheet and f'value="{strange.pk}"' not in sheet and "<main" not in sheet
    assert "<main" in as_sana.get(f"/tickets/{other.pk}/merge/").content.decode()
    html = as_sana.post(f"/tickets/{other.pk}/merge/", {"into": f"#{ticket.pk}"}, part=True).content.decode()
    assert f"/tickets/{other.pk}/unmerge/" in html and 'hx-target="#sheet"' in html
    assert f"/tickets/{other.pk}/unmerge/" in as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    as_sana.post(f"/tickets/{other.pk}/unmerge/", {"shown": str(ticket.pk)}, part=True)
    other.refresh_from_db()
    assert other.merged_into is None and other.messages.count() == 1
    assert f"/tickets/{other.pk}/unmerge/" not in as_sana.get(f"/tickets/{ticket.pk}/").content.decode()
    as_sana.post(f"/tickets/{other.pk}/merge/", {"into": str(ticket.pk), "keep": "yes"}, part=True)
    ticket.refresh_from_db()
    assert ticket.merged_into == other


def test_what_cannot_be_merged_is_said_in_the_sheet(as_sana: Desk, ticket: Ticket) -> None:
    for into in ("", "x", str(2**40), str(ticket.pk)):
        answer = as_sana.post(f"/tickets/{ticket.pk}/merge/", {"into": into}, part=True)
        assert answer.status_code == 422 and "sheet-problem" in answer.content.decode()


def test_chosen_messages_become_a_ticket(as_sana: Desk, ticket: Ticket, sana: Agent) -> None:
    mine = reply.reply(ticket, by=sana, text="And the invoice?")
    answer = as_sana.post(f"/tickets/{ticket.pk}/split/", {"messages": [mine.pk], "subject": "Invoice"}, part=True)
    new = Message.objects.get(pk=mine.pk).ticket
    assert (new.subject, new.pk != ticket.pk) == ("Invoice", True) and f"/tickets/{new.pk}/" in answer["HX-Location"]
    assert as_sana.post(f"/tickets/{ticket.pk}/split/", {"messages": []}, part=True).status_code == 422
