"""Side conversations by API: begun, gone on with, closed; never a way to the customer."""

from __future__ import annotations

from inbox.models import Message, SideConversation, Ticket
from tests.api.conftest import Api

STORE = [{"name": "Warehouse", "address": "store@warehouse.example"}]


def test_a_side_conversation(as_sana: Api, as_lena: Api, ticket: Ticket) -> None:
    path = f"/tickets/{ticket.pk}/sides/"
    first = Message.objects.get(ticket=ticket)
    answer = as_sana.post(path, {"to": STORE, "subject": "Parcel 7", "text": "Have you?", "forwards": [first.pk]})
    made = answer.json()
    assert answer.status_code == 201 and answer["Location"].endswith(f"/sides/{made['id']}/")
    assert (made["ticket"], made["subject"], made["answered"]) == (ticket.pk, "Parcel 7", False)
    assert [one["id"] for one in as_lena.get(path).json()["results"]] == [made["id"]]
    where = f"/sides/{made['id']}/messages/"
    added = as_sana.post(where, {"html": "<p>And the <b>blue</b> one?</p>"})
    assert added.status_code == 201 and added.json()["to"] == STORE and added.json()["side"] == made["id"]
    assert [one["to"] for one in as_lena.get(where).json()["results"]] == [STORE, STORE]
    assert as_sana.patch(f"/sides/{made['id']}/", {"closed": True}).json()["closed_at"]
    assert SideConversation.objects.get().closed_at is not None

    for wrong, status in (
        ({"to": STORE, "text": " "}, 422),
        ({"to": [], "text": "Hi"}, 400),
        ({"to": [{"address": "ayesha@example.com"}], "text": "Hi"}, 422),
        ({"to": [{"address": "nobody"}], "text": "Hi"}, 400),
        ({"to": STORE, "text": "Hi", "forwards": [2**40]}, 400),
        ({"to": STORE, "text": "Hi", "bcc": []}, 400),
    ):
        assert as_sana.post(path, wrong).status_code == status, wrong
    for asked in ((path, {"to": STORE, "text": "Hi"}), (where, {"text": "Hi"})):
        assert as_lena.post(*asked).status_code == 403
